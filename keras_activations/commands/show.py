"""`python -m keras_activations show`: all that is known about one activation."""

import argparse
import inspect
import pathlib
import sys
from typing import Any

import numpy as np

from keras_activations import plotting
from keras_activations._layers import TrainedLayer
from keras_activations._registry import ActivationInfo, activation_and_arguments
from keras_activations.commands import gain, plot
from keras_activations.commands import list as listing

EXAMPLES = """examples:
  python -m keras_activations show mish
  python -m keras_activations show snake --output snake.png
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares what the command takes.

    Args:
        parser: Parser of the command.
    """
    parser.add_argument("name", metavar="NAME", help="an activation, with parameters if you like")
    parser.add_argument("--output", type=pathlib.Path, help="file to draw it to")


def run(arguments: argparse.Namespace) -> int:
    """Prints the card and, in a terminal, the curve.

    Args:
        arguments: What `add_arguments` declares.

    Returns:
        Exit code.
    """
    activation, given = activation_and_arguments(arguments.name, {})
    lines = _card(activation, given)
    width = max(map(len, lines))
    for name, value in lines.items():
        print(f"{name:<{width}}  {value}")
    description, _, _ = str(inspect.getdoc(activation.function)).partition("\n\nArgs:")
    print("", description, sep="\n")
    if arguments.output:
        plot.save(arguments.output, arguments.name, second_derivative=True)
    elif sys.stdout.isatty():
        print("", _drawn(activation, given), sep="\n")
    return 0


def _card(activation: ActivationInfo, given: dict[str, Any]) -> dict[str, str]:
    trained = ", trained" if issubclass(activation.layer, TrainedLayer) else ""
    signature = str(inspect.signature(activation.function))
    changed = given != {name: activation.parameters[name] for name in given}
    given = {**activation.required, **given}
    values = "".join(f", with {name} = {value}" for name, value in given.items())
    forward, backward = gain.gains_as_text(activation.name, **given)
    lines = {
        "string": f'"{activation.name}"' if activation.keeps_shape else "",
        "function": f"ka.{activation.name}{signature}",
        "layer": f"ka.{activation.layer.__name__}{trained}",
        "aliases": ", ".join(f'"{alias}"' for alias in activation.aliases),
        "family": activation.family,
        "formula": activation.formula,
        "gradient": activation.backward,
        "range": listing.range_as_text(activation.range),
        "kinks": ", ".join(f"{kink:g}" for kink in activation.kinks),
        "monotonic": {True: "yes", False: "no", None: None}[activation.monotonic],
        "gain": f"{forward} forward, {backward} backward{values}",
        "Keras": activation.keras,
        "PyTorch": activation.torch,
        "source": ", ".join(filter(None, (activation.paper, activation.url))),
    }
    # What the page claims holds at the defaults.
    claims = {"range", "kinks", "monotonic", "Keras", "PyTorch"} if changed else set()
    return {name: value for name, value in lines.items() if value and name not in claims}


def _drawn(activation: ActivationInfo, given: dict[str, Any]) -> str:
    if not plotting.has_curve(activation):
        return "There is no curve of it: each output depends on several inputs."
    try:
        import plotille
    except ModuleNotFoundError:
        return "For the curve: pip install 'keras_activations[terminal]'"
    figure = plotille.Figure()
    figure.width, figure.height, figure.color_mode = 60, 14, "names"
    figure.register_label_formatter(float, _rounded)
    curve = plotting.curve(activation, given, (-6.0, 6.0))
    figure.set_x_limits(-6.0, 6.0)
    for y, colour in zip(curve.orders[:2], ("bright_blue", "bright_red"), strict=True):
        drawn = np.isfinite(y)
        figure.plot(curve.x[drawn], y[drawn], lc=colour)
    lines = figure.show().splitlines()
    half = "" if activation.elementwise else ", of the gate, with 1 for the other half"
    return "\n".join([*lines, f"value in blue, derivative in red{half}"])


def _rounded(value: float, chars: int, delta: float, left: bool = False) -> str:
    text = f"{value:.3g}"
    return text.ljust(chars) if left else text.rjust(chars)
