"""Writes the tables of the README: the catalogue, and the summaries in `docs/` (`make tables`)."""

import pathlib
import re

import keras_activations as ka
from keras_activations import _runs
from keras_activations._layers import TrainedLayer
from keras_activations._registry import FAMILIES

ROOT = pathlib.Path(__file__).parent.parent
PLACE = re.compile(
    r"(<!-- (docs/\w+\.md|the pages), by `make tables` -->\n)(.*?)(<!-- end -->)", re.DOTALL
)


def summary(page):
    """The first table under the heading "Summary"."""
    return re.search(r"^## Summary\n.*?(\n\|.*?\n)\n", page, re.DOTALL | re.MULTILINE)[1]


def families():
    """The names of all activations, by family."""
    members = {f: [_in_words(i) for i in ka.catalogue() if i.family == f] for f in FAMILIES}
    rows = [[family, ", ".join(texts)] for family, texts in members.items()]
    return f"\n{_runs.as_markdown(['family', 'function and layer'], rows)}\n"


def _in_words(info):
    layer = f"`{info.layer.__name__}`"
    layer = f"*{layer}*" if issubclass(info.layer, TrainedLayer) else layer
    aliases = f" ({', '.join(f'`{a}`' for a in info.aliases)})" if info.aliases else ""
    return f"`{info.name}` {layer}{aliases}"


def filled(readme):
    """The README with the tables in their places."""

    def place(match):
        before, name, _, after = match.groups()
        table = families() if name == "the pages" else summary((ROOT / name).read_text())
        return f"{before}{table}\n{after}"

    return PLACE.sub(place, readme)


def main():
    """Rewrites the README."""
    path = ROOT / "README.md"
    _runs.write(path, filled(path.read_text()))


if __name__ == "__main__":
    main()
