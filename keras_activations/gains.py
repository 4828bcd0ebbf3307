"""Gains: how an activation shrinks signals and gradients, and initializers that make up for it."""

import math
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_activations._layers import GatedLayer
from keras_activations._registry import ActivationInfo, activation_and_arguments, check_values

Array = np.ndarray[Any, Any]

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)
# Beyond it the normal density is below 1e-31.
_REACH = 12.0
# More at a time would fill the memory.
_INTERVALS = 2**18
# Of the rows that stand for an activation which is not element-wise.
_ROWS, _UNITS = 2**14, 64
_MODES = ("forward", "backward")
_DISTRIBUTIONS = ("truncated_normal", "untruncated_normal", "uniform")


def gain(identifier: Any, mode: str = "forward", **parameters: Any) -> float:
    """The factor that makes up for what an activation does to the size of signals, or gradients.

    If its inputs z are standard normal, then sums of its outputs with weights of variance
    `gain**2 / fan_in` have a variance of 1 again, layer after layer: `forward` is
    `1 / sqrt(E[f(z)**2])`. With weights of variance `gain**2 / fan_out`, gradients keep their
    second moment on the way back: `backward` is `1 / sqrt(E[f'(z)**2])`, with the slope that the
    backward pass uses. The expectations are computed by quadrature to about 12 digits; of what is
    not element-wise (but for the gated units) from a fixed sample of rows, to about 2.

    `gain("relu")` is He's √2. PyTorch's `calculate_gain` has for tanh 5/3, not 1.59, and for SELU
    3/4, not 1: rules of thumb, one a little larger to stay clear of vanishing signals, the other
    smaller to keep gradients in bounds; neither keeps the second moment.

    Args:
        identifier: Name, function, layer class or layer of an activation; a name with parameters,
            such as `"leaky_relu(negative_slope=0.1)"`. Of a layer that
            trains, the initial values count; what an initializer draws is given as an argument.
        mode: `"forward"` for signals, `"backward"` for gradients.
        **parameters: Arguments of the function other than x.

    Returns:
        The gain, a float.

    Raises:
        ValueError: If there is no such activation, parameter or mode, or no finite gain.

    Example:

    >>> import keras_activations as ka
    >>> round(ka.gain("relu"), 6)
    1.414214
    >>> round(ka.gain("leaky_relu", negative_slope=0.01), 6)
    1.414143
    >>> round(ka.gain("mish", mode="backward"), 3)
    1.445
    """
    activation, given = activation_and_arguments(identifier, parameters)
    check_values(activation, given)
    if mode not in _MODES:
        raise ValueError(f"`mode` must be one of {_MODES}. Received: mode={mode!r}")
    moment = _second_moment(activation, mode == "backward", given)
    if not (math.isfinite(moment) and moment > 0.0):
        raise ValueError(f"{activation.name} has no gain: its second moment is {moment}.")
    return 1.0 / math.sqrt(moment)


def initializer(
    identifier: Any,
    mode: str = "fan_in",
    distribution: str = "truncated_normal",
    seed: int | None = None,
    **parameters: Any,
) -> keras.initializers.Initializer:
    """The initializer of a layer with this activation: signals or gradients keep their size.

    For ReLU it is He's, for SELU LeCun's. It is a plain `keras.initializers.VarianceScaling`, so
    that saved models need nothing else. As any of Keras's, one that several layers share gives them
    all the same numbers: make one for each.

    Args:
        identifier: As `gain` takes it.
        mode: `"fan_in"` keeps the second moment of signals, `"fan_out"` that of gradients.
        distribution: `"truncated_normal"`, `"untruncated_normal"` or `"uniform"`.
        seed: Integer that makes the initializer repeatable, or None.
        **parameters: Arguments of the activation other than x.

    Returns:
        A Keras initializer.

    Raises:
        ValueError: As `gain`, or if there is no such mode or distribution.

    Example:

    >>> import keras_activations as ka
    >>> initializer = ka.initializer("relu")
    >>> round(initializer.scale, 6)
    2.0
    """
    modes = {"fan_in": "forward", "fan_out": "backward"}
    if mode not in tuple(modes):
        raise ValueError(f"`mode` must be 'fan_in' or 'fan_out'. Received: mode={mode!r}")
    if distribution not in _DISTRIBUTIONS:
        raise ValueError(
            f"`distribution` must be one of {_DISTRIBUTIONS}. Received: {distribution!r}"
        )
    scale = gain(identifier, modes[mode], **parameters) ** 2
    return keras.initializers.VarianceScaling(scale, mode, distribution, seed)


def _second_moment(activation: ActivationInfo, backward: bool, parameters: dict[str, Any]) -> float:
    def function(x: Array) -> Array:
        return _square(activation, x, backward, parameters)

    if activation.elementwise:
        return _expectation(activation.name, function)
    if issubclass(activation.layer, GatedLayer):
        # Both halves are standard normal, and independent.
        z, weights = _grid()
        pairs = np.stack(np.broadcast_arrays(z[:, None], z[None, :]), -1)
        return float(np.sum(weights[:, None] * weights * np.mean(function(pairs), -1)))
    rows = np.random.default_rng(0).standard_normal((_ROWS, _UNITS))
    return float(np.mean(function(rows)))


def _square(
    activation: ActivationInfo, x: Array, backward: bool, parameters: dict[str, Any]
) -> Array:
    """The squares of the values, or of the gradients for a random upstream gradient."""
    inputs = tf.constant(x, tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        y = activation.function(inputs, **parameters)
    if not backward:
        return np.square(y.numpy())
    if activation.elementwise:
        upstream = tf.ones_like(y)
    else:
        upstream = tf.constant(np.random.default_rng(1).choice([-1.0, 1.0], y.shape))
    return np.square(tape.gradient(y, inputs, upstream, tf.UnconnectedGradients.ZERO).numpy())


def _grid() -> tuple[Array, Array]:
    """Points and weights for an expectation over a standard normal variable."""
    left = np.arange(-_REACH, _REACH, 0.5)[:, None]
    z = (left + 0.25 * (_NODES + 1.0)).ravel()
    return z, np.tile(0.25 * _WEIGHTS, len(left)) * _density(z)


def _expectation(name: str, function: Callable[[Array], Array]) -> float:
    """The expectation of a function of a standard normal variable."""

    def integral(left: Array, right: Array) -> Array:
        half = 0.5 * (right - left)[:, None]
        z = left[:, None] + half * (_NODES + 1.0)
        return np.sum(half * _WEIGHTS * _density(z) * function(z), -1)

    left, total = np.arange(-_REACH, _REACH, 0.5), 0.0
    right = left + 0.5
    tolerance = 1e-14 * max(1.0, np.abs(integral(left, right)).sum())
    # Intervals are halved until that changes nothing: a kink or a jump may be anywhere.
    while len(left):
        if len(left) > _INTERVALS:
            raise ValueError(f"{name} varies too fast for its gain to be computed.")
        middle = 0.5 * (left + right)
        whole, first, second = (
            integral(a, b) for a, b in ((left, right), (left, middle), (middle, right))
        )
        # The last are too narrow for a jump to count.
        settled = ~(np.abs(first + second - whole) > tolerance) | (right - left < 1e-15)
        total += float(np.sum((first + second)[settled]))
        left, middle, right = left[~settled], middle[~settled], right[~settled]
        left, right = np.concatenate([left, middle]), np.concatenate([middle, right])
    return total


def _density(z: Array) -> Array:
    return np.exp(-0.5 * np.square(z)) / math.sqrt(2.0 * math.pi)
