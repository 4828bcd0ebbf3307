"""What the examples share: a command line that answers every mistake with one line.

Imports neither Keras nor TensorFlow, so that it is there before these have been loaded.
"""

import argparse
import functools
import math
import os
import signal
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import numpy as np


class BadInput(Exception):
    """What the user gave cannot be used; the message says why, and what to do."""


class ArgumentParser(argparse.ArgumentParser):
    """An argument parser that raises `BadInput` where argparse would print its usage and exit."""

    def error(self, message: str) -> NoReturn:
        raise BadInput(f"{message}. See --help.")


def command(
    main: Callable[[Sequence[str] | None], None],
) -> Callable[[Sequence[str] | None], int]:
    """Makes `main` return an exit code: 2, after one line on stderr, for what the user can mend."""

    @functools.wraps(main)
    def run(arguments: Sequence[str] | None = None) -> int:
        try:
            main(arguments)
        except (BadInput, OSError) as error:
            print(f"error: {one_line(error)}", file=sys.stderr)
            return 2
        return 0

    return run


def exit_on_interrupt() -> None:
    """Lets Ctrl-C end the program with one line, also while TensorFlow is being imported."""

    def interrupted(*_: Any) -> NoReturn:
        # Not by an exception: one raised inside a callback of TensorFlow's may never come out.
        print("\nInterrupted.", file=sys.stderr, flush=True)
        os._exit(128 + signal.SIGINT)

    signal.signal(signal.SIGINT, interrupted)


def one_line(error: Exception) -> str:
    """The message of an error without its line breaks."""
    return " ".join(str(error).split()) or type(error).__name__


def positive_integer(text: str) -> int:
    """An option's value that must be an integer of at least 1."""
    if not (text.strip().isdecimal() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"expected an integer of at least 1, received {text!r}")
    return int(text)


def positive_number(text: str) -> float:
    """An option's value that must be a finite number above 0."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0.0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"expected a number above 0, received {text!r}")
    return number


def seed(text: str) -> int:
    """An option's value that must be a seed, as NumPy takes it."""
    if not (text.strip().isdecimal() and int(text) < 2**32):
        raise argparse.ArgumentTypeError(
            f"expected an integer from 0 to {2**32 - 1}, received {text!r}"
        )
    return int(text)


def with_activation(build: Callable[[str], Any], activation: str) -> Any:
    """The model `build(activation)`, once the activation has been tried in each of its layers.

    Args:
        build: Makes a model from the string for `activation=`.
        activation: The string.

    Returns:
        The model. Activations with weights of their own have been built with it.

    Raises:
        BadInput: If there is no such activation, or it cannot be used inside a layer.
    """
    try:
        model = build(activation)
        for layer in model.layers:
            if hasattr(layer, "activation"):
                _try(layer)
    except Exception as error:
        # A string can lead to any callable, and so to any exception.
        raise BadInput(f"--activation {activation!r} cannot be used: {one_line(error)}") from error
    return model


def _try(layer: Any) -> None:
    # Keras takes a layer's output shape from the layer alone, and an activation that returns
    # another one would go wrong only in training.
    expected = (1, *layer.output.shape[1:])
    received = tuple(layer.activation(np.zeros(expected, "float32")).shape)
    if received != expected:
        raise ValueError(
            f"inside a layer an activation must keep the number of channels, but it turns "
            f"{expected[-1]} into {received[-1]}. Choose one that keeps them, such as 'gelu'."
        )
