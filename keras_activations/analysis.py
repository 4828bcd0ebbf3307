"""Properties of an activation, measured: range, zeros, slopes, where the gradient dies."""

import dataclasses
import functools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from keras_activations._registry import ActivationInfo, activation_and_arguments, check_values

Array = np.ndarray[Any, Any]
Function = Callable[[Array], Array]
Interval = tuple[float, float]

# Dyadic steps, so that most kinks are points of the grid.
_STEP = 2.0**-10
# What is still larger out there, even as slowly as a logarithm, has no bound.
_FAR, _FARTHER = 10.0 ** np.arange(3.0, 9.0), 10.0 ** np.arange(20.0, 31.0)
_FLAT = 0.01
# A zero beside something this small has underflowed.
_UNDERFLOW = 1e-200
_ROUNDING, _JUMP = 1e-12, 1e-6
_HALVINGS = 30


@dataclasses.dataclass(frozen=True, kw_only=True)
class Properties:
    """What is measured of one activation at one set of parameters.

    Attributes:
        range: Infimum and supremum of the values.
        zeros: Where the value is 0: intervals, whose two ends are the same at a single point.
        lipschitz: The Lipschitz constant, the steepest that the value rises or falls; infinite at a
            jump, too.
        dead_zone: Intervals where the slope is 0, so that no gradient passes.
        saturation: Intervals that reach infinity where the slope is below 0.01 in size.
        monotonic: Whether the value never decreases.
        symmetry: `"odd"`, `"even"` or None.
    """

    range: Interval
    zeros: tuple[Interval, ...]
    lipschitz: float
    dead_zone: tuple[Interval, ...]
    saturation: tuple[Interval, ...]
    monotonic: bool
    symmetry: str | None


def properties(identifier: Any, **parameters: Any) -> Properties:
    """Range, zeros, Lipschitz constant and dead zones of an activation, measured in float64.

    On a grid of steps of 2⁻¹⁰ over [-128, 128], or up to [-1024, 1024] for parameters above 64,
    whose findings are then refined, and far out. What is narrower than a step, or bends beyond the
    grid, is not seen. Slopes are those of the backward pass.

    Args:
        identifier: Name, function, layer class or layer of an element-wise activation; a name with
            parameters, such as `"leaky_relu(negative_slope=0.1)"`. Of a layer that
            trains, the initial values count; what an initializer draws is given as an argument.
        **parameters: Arguments of the function other than x.

    Returns:
        A `Properties`.

    Raises:
        ValueError: If there is no such activation or parameter, or if it is not element-wise.

    Example:

    >>> import keras_activations as ka
    >>> measured = ka.properties("hard_sigmoid")
    >>> measured.range, measured.dead_zone
    ((0.0, 1.0), ((-inf, -3.0), (3.0, inf)))
    >>> ka.properties("tanh").symmetry
    'odd'
    """
    activation, given = activation_and_arguments(identifier, parameters)
    if not activation.elementwise:
        raise ValueError(
            f"{activation.name} is not element-wise: its properties are not those of a curve."
        )
    check_values(activation, given)
    value = functools.partial(_value, activation, given)
    slope = functools.partial(_slope, activation, given)
    grid = _grid({**activation.parameters, **given})
    y, dx = value(grid), slope(grid)
    flat = _intervals(slope, grid, dx, lambda d: d == 0.0)
    nearly_flat = _intervals(slope, grid, dx, lambda d: np.abs(d) < _FLAT)
    steepest = _steepest(value, grid, y, dx)
    if activation.backward is None and np.isfinite(steepest):
        steepest = _supremum(lambda x: np.abs(slope(x)), grid, np.abs(dx))
    return Properties(
        range=(0.0 - _supremum(lambda x: -value(x), grid, -y), _supremum(value, grid, y)),
        zeros=_zeros(value, grid, y),
        lipschitz=steepest,
        dead_zone=tuple(i for i in flat if i[0] < i[1] and not _underflows(slope, i)),
        saturation=tuple(i for i in nearly_flat if np.any(np.isinf(i))),
        monotonic=bool(np.all(np.diff(y[np.isfinite(y)]) >= -_ROUNDING)),
        symmetry=_symmetry(y),
    )


def _value(activation: ActivationInfo, given: Mapping[str, Any], x: Array) -> Array:
    return np.asarray(activation.function(tf.constant(x, tf.float64), **given).numpy())


def _slope(activation: ActivationInfo, given: Mapping[str, Any], x: Array) -> Array:
    inputs = tf.constant(x, tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        y = activation.function(inputs, **given)
    return np.asarray(tape.gradient(y, inputs, None, tf.UnconnectedGradients.ZERO).numpy())


def _grid(parameters: Mapping[str, Any]) -> Array:
    """Points as far out as a parameter may put a kink, but for no more than 2²¹ of them."""
    numbers = [value for value in parameters.values() if np.asarray(value).dtype.kind in "fiu"]
    largest = max([64.0, *(float(np.max(np.abs(value), initial=0.0)) for value in numbers)])
    reach = 2.0 ** min(10.0, np.ceil(np.log2(2.0 * largest)))
    return np.arange(-reach, reach + _STEP, _STEP)


def _supremum(function: Function, grid: Array, at_grid: Array) -> float:
    """The largest value, of the grid's neighbourhood and of points far out."""
    peak = grid[np.nanargmax(at_grid)]
    near = np.linspace(peak - _STEP, peak + _STEP, 2**11 + 1)
    # A wave that grows may have ended farther out.
    far, farther = _FAR[:4], np.concatenate([_FAR[4:], _FARTHER])
    inner, outer = (
        float(np.nanmax(function(x)))
        for x in (np.concatenate([near, -far, far]), np.concatenate([-farther, farther]))
    )
    if outer > 1.5 * abs(inner) + 1.0:
        return np.inf
    largest = max(inner, outer)
    # A limit of 0 is neared, and never reached.
    return 0.0 if abs(largest) < _ROUNDING else largest


def _steepest(value: Function, grid: Array, y: Array, dx: Array) -> float:
    """The steepest step of the grid, infinite if there is a jump."""
    steps, slopes = np.abs(np.diff(y)), np.abs(dx)
    steep = steps > 2.0 * _STEP * np.maximum(slopes[:-1], slopes[1:]) + _ROUNDING
    low, high = grid[:-1][steep], grid[1:][steep]
    for _ in range(_HALVINGS if low.size else 0):
        middle = 0.5 * (low + high)
        at_low, at_middle, at_high = value(low), value(middle), value(high)
        left = np.abs(at_middle - at_low) > np.abs(at_high - at_middle)
        low, high = np.where(left, low, middle), np.where(left, middle, high)
    jumps = np.abs(value(high) - value(low)) > _JUMP
    return np.inf if np.any(jumps) else float(np.nanmax(steps)) / _STEP


def _zeros(value: Function, grid: Array, y: Array) -> tuple[Interval, ...]:
    runs = [i for i in _intervals(value, grid, y, lambda v: v == 0.0) if not _underflows(value, i)]
    crossed = np.flatnonzero(y[:-1] * y[1:] < 0.0)
    rises = np.sign(y[crossed + 1])
    at = _boundary(lambda x: value(x) * rises >= 0.0, grid[crossed], grid[crossed + 1])
    # A jump may pass over zero.
    points = at[np.abs(value(at)) < _JUMP]
    return tuple(sorted(runs + [(float(x), float(x)) for x in points]))


def _intervals(function: Function, grid: Array, at_grid: Array, test: Function) -> list[Interval]:
    """Where a test of a function's values holds; up to infinity if it does so far out."""
    holds = np.concatenate([[False], test(at_grid), [False]])
    first = np.flatnonzero(holds[1:-1] & ~holds[:-2])
    last = np.flatnonzero(holds[1:-1] & ~holds[2:])
    end = len(grid) - 1
    outside = np.concatenate([np.maximum(first - 1, 0), np.minimum(last + 1, end)])
    inside = np.concatenate([first, last])
    ends = _boundary(lambda x: test(function(x)), grid[outside], grid[inside])
    low, high = np.split(ends, 2)
    far = np.concatenate([_FAR, _FARTHER])
    low = np.where((first == 0) & np.all(test(function(-far))), -np.inf, low)
    high = np.where((last == end) & np.all(test(function(far))), np.inf, high)
    return [(float(a), float(b)) for a, b in zip(low, high, strict=True)]


def _boundary(holds: Function, outside: Array, inside: Array) -> Array:
    """Between points where something does not hold and points where it does, where it starts."""
    for _ in range(_HALVINGS if inside.size else 0):
        middle = 0.5 * (outside + inside)
        there = holds(middle)
        outside, inside = np.where(there, outside, middle), np.where(there, middle, inside)
    return np.round(inside, 9) + 0.0


def _underflows(function: Function, zero: Interval) -> bool:
    beside = np.abs(function(np.array([zero[0] - _STEP, zero[1] + _STEP])))
    return bool(np.any(beside[np.isfinite(zero)] < _UNDERFLOW))


def _symmetry(y: Array) -> str | None:
    for name, mirrored in (("even", y[::-1]), ("odd", -y[::-1])):
        if np.allclose(y, mirrored, rtol=_ROUNDING, atol=_ROUNDING):
            return name
    return None
