"""Finds what the pages of a site point to and is not there, and what they fetch from elsewhere."""

import html.parser
import pathlib
from collections.abc import Iterator
from urllib.parse import unquote, urlsplit


class _Page(html.parser.HTMLParser):
    """The targets and the anchors of a page."""

    def __init__(self, text: str):
        super().__init__()
        self.links: list[str] = []
        self.parts: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("id", "name") and value:
                self.anchors.add(value)
            # A link is followed by the reader, everything else by the browser.
            if name == "href" and tag == "a":
                self.links.append(value or "")
            elif name == "src" or (name == "href" and tag == "link"):
                self.parts.append(value or "")


def broken(site: pathlib.Path) -> Iterator[str]:
    """What is wrong with the links, images, scripts and styles of a site.

    Args:
        site: Folder of the built site.

    Yields:
        A sentence for each.
    """
    pages = {path: _Page(path.read_text()) for path in sorted(site.rglob("*.html"))}
    for path, page in pages.items():
        where = path.relative_to(site)
        for target in page.parts:
            if urlsplit(target).netloc:
                yield f"{where} fetches {target} from the network."
        for target in page.links + page.parts:
            url = urlsplit(target)
            # Of a page that is not found the address may be anything, so its links are absolute.
            if url.scheme or url.netloc or url.path.startswith("/"):
                continue
            file = (path.parent / unquote(url.path)).resolve() if url.path else path
            if not file.is_file():
                yield f"{where} points to {target}, which does not exist."
            elif (
                url.fragment and file in pages and unquote(url.fragment) not in pages[file].anchors
            ):
                yield f"{where} points to {target}, which has no such heading."
