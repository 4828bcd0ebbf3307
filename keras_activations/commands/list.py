"""`python -m keras_activations list`: what there is."""

import argparse
import math
import sys

from keras_activations._layers import TrainedLayer
from keras_activations._registry import FAMILIES, ActivationInfo, catalogue

EXAMPLES = """examples:
  python -m keras_activations list
  python -m keras_activations list --family gated
  python -m keras_activations list relu --trained
  python -m keras_activations list --bounded | cut -f1
"""
COLUMNS = ("name", "layer", "family", "parameters", "range", "source")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares what the command takes.

    Args:
        parser: Parser of the command.
    """
    add = parser.add_argument
    add("text", nargs="?", default="", help="part of a name, alias, layer, formula or source")
    add("--family", choices=FAMILIES, help="only those of the family")
    add("--trained", action="store_true", help="only those with trainable parameters")
    add("--bounded", action="store_true", help="only those whose values are bounded")
    add("--monotonic", action="store_true", help="only those whose values never decrease")


def run(arguments: argparse.Namespace) -> int:
    """Prints a table, separated by tabs if it is not for a terminal.

    Args:
        arguments: What `add_arguments` declares.

    Returns:
        Exit code: 1 if nothing is found.
    """
    found = [info for info in catalogue() if _wanted(info, arguments)]
    if not found:
        print("There is no such activation.", file=sys.stderr)
    rows = [_row(info) for info in found]
    if sys.stdout.isatty():
        from rich.console import Console
        from rich.table import Table

        table = Table(box=None, pad_edge=False, header_style="bold")
        for column in COLUMNS:
            table.add_column(column, no_wrap=column == "name", overflow="fold")
        for row in rows:
            table.add_row(*row)
        Console().print(table)
        print(f"{len(rows)} activations. More about one: python -m keras_activations show NAME")
    else:
        for row in [COLUMNS, *rows]:
            print(*row, sep="\t")
    return 0 if found else 1


def range_as_text(bounds: tuple[float, float] | None) -> str:
    """A range as one reads it: rounded, open at infinity.

    Args:
        bounds: Infimum and supremum, or None where none is claimed.

    Returns:
        Text, empty for None.
    """
    if bounds is None:
        return ""
    low, high = (f"{v:.4g}".replace("inf", "∞") for v in bounds)
    left, right = ("(" if math.isinf(bounds[0]) else "["), (")" if math.isinf(bounds[1]) else "]")
    return f"{left}{low}, {high}{right}"


def _row(info: ActivationInfo) -> tuple[str, ...]:
    trained = " (trained)" if issubclass(info.layer, TrainedLayer) else ""
    return (
        info.name,
        f"{info.layer.__name__}{trained}",
        info.family,
        ", ".join(info.parameters),
        range_as_text(info.range),
        info.paper or "",
    )


def _wanted(info: ActivationInfo, arguments: argparse.Namespace) -> bool:
    texts = (info.name, *info.aliases, info.layer.__name__, info.formula, info.paper or "")
    bounded = info.range is not None and all(map(math.isfinite, info.range))
    return (
        any(arguments.text.lower() in text.lower() for text in texts)
        and arguments.family in (None, info.family)
        and (not arguments.trained or issubclass(info.layer, TrainedLayer))
        and (not arguments.bounded or bounded)
        and (not arguments.monotonic or bool(info.monotonic))
    )
