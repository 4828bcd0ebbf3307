"""Plots of values and derivatives."""

import ast
import dataclasses
import io
import itertools
import math
import pathlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from keras_activations._layers import GatedLayer
from keras_activations._registry import ActivationInfo, activation_and_arguments, check_values
from keras_activations._runs import write

Array = np.ndarray[Any, Any]

# Okabe and Ito's colours, which the colour-blind can tell apart, with grey for black, which would
# not show on black; dashes once they are used up.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#808080")
_DASHES = ("-", "--", ":", "-.")
_TITLES = ("value", "derivative", "second derivative")
_POINTS = 2001
# With more curves the legend would cover them; so many names are as high as the axes.
_INSIDE, _IN_A_COLUMN = 6, 14
# How near to a kink its two sides are looked at, how large a jump is then, and how far out
# asymptotes are looked for.
_SIDE, _VISIBLE, _FAR = 1e-9, 1e-4, (1e4, 1e6, 1e8)


def plot(
    *identifiers: Any,
    derivative: bool = True,
    second_derivative: bool = False,
    limits: tuple[float, float] = (-6.0, 6.0),
    axes: Any = None,
    **parameters: Any,
) -> Any:
    """Draws activations and their derivatives, side by side.

    Dots mark the kinks, an open one what a jump leaves out; thin dotted lines are asymptotes. Of a
    gated unit the effect of its gate is shown, with 1 for the other half.

    Args:
        *identifiers: Names, functions, layer classes or layers of activations; names with
            parameters, such as `"snake(alpha=[0.5, 1.0])"`. Of a layer that trains, the initial
            values count; what an initializer draws is given as an argument.
        derivative: Whether to draw the first derivative, as the backward pass has it.
        second_derivative: Whether to draw the second derivative.
        limits: The smallest and the largest x.
        axes: Matplotlib axes to draw on, one for each of value and derivatives that is drawn; None
            for a new figure.
        **parameters: Arguments of the activations other than x; a list draws a curve for each of
            its values.

    Returns:
        List of the matplotlib axes.

    Raises:
        ImportError: If matplotlib is not installed.
        ValueError: If there is no such activation or parameter, if one is neither element-wise nor
            gated, if `axes` has not one for each, or if `limits` are not two increasing numbers.

    Example:

    >>> import keras_activations as ka
    >>> axes = ka.plot("gelu", "mish", derivative=True)
    >>> [ax.get_title() for ax in axes]
    ['value', 'derivative']
    >>> axes = ka.plot("snake", alpha=[0.5, 1.0, 2.0])
    >>> axes[0].figure.savefig("snake.png")  # doctest: +SKIP
    """
    curves = list(_curves(identifiers, parameters, limits))
    orders = [0, *([1] if derivative else []), *([2] if second_derivative else [])]
    drawn = panels(axes, len(orders))
    for ax, order in zip(drawn, orders, strict=True):
        ax.axhline(0.0, color="0.8", linewidth=0.8, zorder=0)
        ax.axvline(0.0, color="0.8", linewidth=0.8, zorder=0)
        for number, curve in enumerate(curves):
            ax.plot(curve.x, curve.orders[order], label=curve.label, **style(number))
            for mark in curve.marks[order]:
                _mark(ax, *mark, colour=style(number)["color"])
        for line in sorted({line for curve in curves for line in curve.asymptotes[order]}):
            _asymptote(ax, *line, limits)
        ax.set_title(_TITLES[order])
        ax.set_xlabel("x")
        ax.set_xlim(*limits)
        ax.spines[["top", "right"]].set_visible(False)
    if len(curves) > _INSIDE:
        columns = math.ceil(len(curves) / _IN_A_COLUMN)
        outside = {"loc": "center left", "bbox_to_anchor": (1.02, 0.5), "ncols": columns}
        drawn[-1].legend(*drawn[0].get_legend_handles_labels(), frameon=False, **outside)
    else:
        drawn[0].legend(frameon=False)
    return drawn


def has_curve(activation: ActivationInfo) -> bool:
    """Whether an activation is a function of one number, or of two of which one is its gate.

    Args:
        activation: The activation.

    Returns:
        True or False.
    """
    return activation.elementwise or issubclass(activation.layer, GatedLayer)


def save(figure: Any, path: pathlib.Path) -> None:
    """Writes a figure to a file, as a whole or not at all, and closes it.

    Args:
        figure: Figure of matplotlib.
        path: The file; its suffix says the format.
    """
    from matplotlib import pyplot

    picture = io.BytesIO()
    figure.savefig(picture, format=path.suffix.lstrip(".") or None, dpi=150)
    write(path, picture.getvalue())
    # Else it stays, and notebooks show it.
    pyplot.close(figure)


def style(number: int) -> dict[str, Any]:
    """Colour and dashes of the curve of that number, which the colour-blind can tell from others.

    Args:
        number: Which curve, from 0.

    Returns:
        Keyword arguments of matplotlib's `plot`.
    """
    dashes = _DASHES[number // len(_COLOURS) % len(_DASHES)]
    return {"color": _COLOURS[number % len(_COLOURS)], "linestyle": dashes}


def panels(axes: Any, count: int) -> list[Any]:
    """The axes to draw on, side by side.

    Args:
        axes: Matplotlib axes, or None for those of a new figure.
        count: How many there must be.

    Returns:
        List of axes.

    Raises:
        ImportError: If matplotlib is not installed.
        ValueError: If there are more or fewer.
    """
    if axes is None:
        try:
            from matplotlib import pyplot
        except ImportError as error:
            raise ImportError(
                "Plots need matplotlib. Try: pip install 'keras_activations[plot]'"
            ) from error
        size = (4.0 * count, 3.2)
        _, axes = pyplot.subplots(1, count, figsize=size, squeeze=False, layout="constrained")
    given = list(np.ravel(axes))
    if len(given) != count:
        raise ValueError(f"Expected {count} axes. Received: {len(given)}")
    return given


def _mark(ax: Any, x: float, left: float, at: float, right: float, colour: str) -> None:
    """A full dot where the curve is, open ones at the ends that it jumps to or from."""
    dot = {"color": colour, "markersize": 4.5, "linestyle": "none", "zorder": 3}
    for y in {y for y in (left, right) if abs(y - at) > _VISIBLE}:
        ax.plot(x, y, "o", markerfacecolor=ax.get_facecolor(), **dot)
    ax.plot(x, at, "o", **dot)


def _asymptote(
    ax: Any, slope: float, intercept: float, positive: bool, limits: tuple[float, float]
) -> None:
    x = np.clip([0.0, limits[1] if positive else limits[0]], *limits)
    ax.plot(x, slope * x + intercept, ":", color="0.4", linewidth=1.0, scaley=False, zorder=1)


@dataclasses.dataclass(frozen=True)
class Curve:
    """One activation at one set of parameters, over its x.

    Attributes:
        label: What the legend says.
        x: The points, increasing.
        orders: Value, first and second derivative there, NaN where there is none.
        marks: For each order the kinks: x, and y on the left of it, there, and on the right.
        asymptotes: For each order the lines: slope, intercept, and whether for positive x.
    """

    label: str
    x: Array
    orders: Sequence[Array]
    marks: Sequence[Sequence[tuple[float, float, float, float]]]
    asymptotes: Sequence[Sequence[tuple[float, float, bool]]]


def _curves(
    identifiers: Sequence[Any], parameters: Mapping[str, Any], limits: tuple[float, float]
) -> Iterator[Curve]:
    if not identifiers:
        raise ValueError("Expected the name of at least one activation.")
    ends = np.asarray(limits)
    if ends.shape != (2,) or ends.dtype.kind not in "fiu" or not 0.0 < ends[1] - ends[0] < np.inf:
        raise ValueError(f"`limits` must be two increasing numbers. Received: limits={limits!r}")
    for activation, given in [activation_and_arguments(it, parameters) for it in identifiers]:
        if not has_curve(activation):
            raise ValueError(
                f"{activation.name} is not element-wise: there is no curve of one input to draw."
            )
        choices = [_several(activation, name, value) for name, value in given.items()]
        for values in itertools.product(*choices):
            chosen = dict(zip(given, values, strict=True))
            check_values(activation, chosen)
            yield curve(activation, chosen, limits)


def _several(activation: ActivationInfo, name: str, value: Any) -> Sequence[Any]:
    """The values of a parameter for which there is a curve."""
    if not isinstance(value, list | tuple | np.ndarray):
        return [value]
    if len(value) == 0:
        raise ValueError(f"`{name}` must be a number or a list of some. Received: {name}={value!r}")
    # Of a parameter that has several numbers a list of numbers is one value.
    whole = isinstance(activation.parameters[name], tuple) and np.ndim(value[0]) == 0
    return [value] if whole else list(value)


def curve(
    activation: ActivationInfo, given: Mapping[str, Any], limits: tuple[float, float]
) -> Curve:
    """What is to be drawn of one activation.

    Args:
        activation: The activation.
        given: Arguments of its function.
        limits: The smallest and the largest x.

    Returns:
        A `Curve`.
    """
    low, high = limits
    kinks = [k for k in _candidates(activation, given) if low <= k <= high]
    around = np.array([[k - _SIDE, k, k + _SIDE] for k in kinks]).reshape(-1, 3)
    x = np.unique(np.concatenate([np.linspace(low, high, _POINTS), around.ravel()]))
    orders = _orders(activation, given, x)
    sides = [y[np.searchsorted(x, around)] for y in orders]
    jumps = [np.ptp(rows, axis=1) > _VISIBLE for rows in sides]
    rounding = 8.0 * np.finfo(float).eps * np.max(np.abs(sides[0]), axis=1, initial=0.0)
    corners = jumps[0] | (np.abs(np.diff(sides[0], 2)[:, 0]) > _VISIBLE * _SIDE + rounding)
    # Where the backward pass deliberately is not the derivative, it says nothing of the value.
    bends = [corners if activation.backward else corners | jumps[1], jumps[1] | jumps[2], jumps[2]]
    shown = (x >= low) & (x <= high)
    values = ", ".join(f"{name}={value}" for name, value in given.items())
    return Curve(
        label=f"{activation.name}({values})" if values else activation.name,
        x=x[shown],
        # A line must not join the two sides of a jump.
        orders=[
            np.where(np.isin(x, around[jump, 1]), np.nan, y)[shown]
            for y, jump in zip(orders, jumps, strict=True)
        ],
        # A kink is marked where the curve bends, and where its derivative jumps.
        marks=[
            [(kinks[i], *rows[i]) for i in np.flatnonzero(bend)]
            for bend, rows in zip(bends, sides, strict=True)
        ],
        asymptotes=list(_asymptotes(activation, given)),
    )


def _orders(activation: ActivationInfo, given: Mapping[str, Any], x: Array) -> list[Array]:
    """Value, first and second derivative."""
    inputs = tf.constant(x, tf.float64)
    zero = tf.UnconnectedGradients.ZERO
    with tf.GradientTape() as outer:
        outer.watch(inputs)
        with tf.GradientTape() as inner:
            inner.watch(inputs)
            if activation.elementwise:
                y = activation.function(inputs, **given)
            else:
                y = activation.function(tf.stack([tf.ones_like(inputs), inputs], -1), **given)
                y = tf.squeeze(y, -1)
        dx = inner.gradient(y, inputs, unconnected_gradients=zero)
    return [y.numpy(), dx.numpy(), outer.gradient(dx, inputs, unconnected_gradients=zero).numpy()]


def _asymptotes(
    activation: ActivationInfo, given: Mapping[str, Any]
) -> Iterator[list[tuple[float, float, bool]]]:
    """Of each order the lines that it nears on the left and on the right."""
    far = np.array(_FAR)
    for left, right in zip(
        _orders(activation, given, -far), _orders(activation, given, far), strict=True
    ):
        yield [
            (*line, positive)
            for x, y, positive in ((-far, left, False), (far, right, True))
            if (line := _line(x, y))
        ]


def _candidates(activation: ActivationInfo, given: Mapping[str, Any]) -> list[float]:
    """Where kinks may be: the claims hold for default parameters and for the value."""
    nodes = ast.walk(ast.parse(f"({activation.formula}, {activation.backward})"))
    values: list[Any] = [node.value for node in nodes if isinstance(node, ast.Constant)]
    values += {**activation.parameters, **given}.values()
    numbers = [np.ravel(v) for v in values if np.asarray(v).dtype.kind in "fi"]
    sizes = np.concatenate([[0.0], *numbers])
    return sorted({*activation.kinks, *sizes, *-sizes})


def _line(x: Array, y: Array) -> tuple[float, float] | None:
    """Slope and intercept of the line on which all points are, or None."""
    if not np.all(np.isfinite(y)):
        return None
    slope = (y[-1] - y[-2]) / (x[-1] - x[-2])
    intercept = y[-1] - slope * x[-1]
    if np.any(np.abs(slope * x + intercept - y) > _VISIBLE):
        return None
    # Rounded, so that activations that share a line have the same one.
    return round(float(slope), 6), round(float(intercept), 4)
