"""`python -m keras_activations gain`: factors for the size of initial weights."""

import argparse
from typing import Any

from keras_activations._registry import catalogue
from keras_activations.gains import gain

EXAMPLES = """examples:
  python -m keras_activations gain mish gelu
  python -m keras_activations gain "leaky_relu(negative_slope=0.1)"
  python -m keras_activations gain
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares what the command takes.

    Args:
        parser: Parser of the command.
    """
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help="activations, with parameters if you like; all of them if none is given",
    )


def run(arguments: argparse.Namespace) -> int:
    """Prints the forward and the backward gain of each, separated by tabs.

    Args:
        arguments: What `add_arguments` declares.

    Returns:
        Exit code.
    """
    print("name", "forward", "backward", sep="\t")
    for name in arguments.names:
        print(name, f"{gain(name):.6g}", f"{gain(name, 'backward'):.6g}", sep="\t", flush=True)
    for info in [] if arguments.names else catalogue():
        required = ", ".join(f"{name}={value}" for name, value in info.required.items())
        name = f"{info.name}({required})" if required else info.name
        print(name, *gains_as_text(name), sep="\t", flush=True)
    return 0


def gains_as_text(name: str, digits: int = 6, **parameters: Any) -> list[str]:
    """Both gains of an activation, or a dash where there is none.

    Args:
        name: Its name, with parameters if you like.
        digits: How many significant digits.
        **parameters: Arguments other than x, if not its defaults.

    Returns:
        List of two texts.
    """
    texts = []
    for mode in ("forward", "backward"):
        try:
            texts.append(f"{gain(name, mode, **parameters):.{digits}g}")
        except ValueError:  # It has none.
            texts.append("-")
    return texts
