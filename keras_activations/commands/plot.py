"""`python -m keras_activations plot`: values and derivatives, as a picture."""

import argparse
import pathlib
from typing import Any

from keras_activations import plotting

EXAMPLES = """examples:
  python -m keras_activations plot gelu mish
  python -m keras_activations plot "snake(alpha=[0.5, 1, 2])" --second-derivative
  python -m keras_activations plot relu elu --limits -3 3 --output hidden.svg
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares what the command takes.

    Args:
        parser: Parser of the command.
    """
    add = parser.add_argument
    add("names", nargs="+", metavar="NAME", help="activations, with parameters if you like")
    add("--second-derivative", action="store_true", help="draw it, too")
    add(
        "--limits",
        nargs=2,
        type=float,
        default=(-6.0, 6.0),
        metavar=("LOW", "HIGH"),
        help="ends of the x axis; -6 6 if none are given",
    )
    add(
        "--output",
        type=pathlib.Path,
        default=pathlib.Path("activations.png"),
        help="picture to write, .png, .svg or .pdf; activations.png if none is given",
    )


def run(arguments: argparse.Namespace) -> int:
    """Draws, and says where the picture is.

    Args:
        arguments: What `add_arguments` declares.

    Returns:
        Exit code.
    """
    drawn = {"second_derivative": arguments.second_derivative, "limits": arguments.limits}
    save(arguments.output, *arguments.names, **drawn)
    return 0


def save(path: pathlib.Path, *names: str, **options: Any) -> None:
    """Draws activations to a file, which is written whole or not at all.

    Args:
        path: The file; its suffix says the format.
        *names: What `ka.plot` takes.
        **options: What `ka.plot` takes.
    """
    plotting.save(plotting.plot(*names, **options)[0].figure, path)
    print(path)
