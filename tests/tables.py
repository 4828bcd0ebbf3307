"""Copies the summary of each page of `docs/` into the README (`make tables`)."""

import pathlib
import re

ROOT = pathlib.Path(__file__).parent.parent
PLACE = re.compile(r"(<!-- (docs/\w+\.md), by `make tables` -->\n)(.*?)(<!-- end -->)", re.DOTALL)


def summary(page):
    """The first table under the heading "Summary"."""
    return re.search(r"^## Summary\n.*?(\n\|.*?\n)\n", page, re.DOTALL | re.MULTILINE)[1]


def filled(readme):
    """The README with the summaries in their places."""

    def place(match):
        before, name, _, after = match.groups()
        return f"{before}{summary((ROOT / name).read_text())}\n{after}"

    return PLACE.sub(place, readme)


def main():
    """Rewrites the README."""
    path = ROOT / "README.md"
    path.write_text(filled(path.read_text()))


if __name__ == "__main__":
    main()
