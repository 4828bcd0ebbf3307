"""The truth, computed with mpmath from the formulas that the pages register."""

import functools

import mpmath
from mpmath import mp, mpf

from keras_activations._layers import GatedLayer

mp.dps = 60

_NAMES = {
    name: getattr(mpmath, name)
    for name in (
        "atan",
        "cos",
        "erf",
        "exp",
        "expm1",
        "log",
        "log1p",
        "pi",
        "sign",
        "sin",
        "sqrt",
        "tanh",
    )
}
_NAMES.update({f.__name__: f for f in (abs, len, max, min, range, sorted, sum, zip)})


def _root(function, low, high):
    """Where a decreasing function crosses zero."""
    return mp.findroot(function, (low, high), solver="anderson", maxsteps=500, verify=False)


_NAMES["root"] = _root


def evaluate(expression, **names):
    """A registered formula at exact numbers."""
    return eval(expression, {"__builtins__": {}, **_NAMES, **names})


def _exact(given):
    """The parameters as exact numbers."""

    def exact(value):
        if isinstance(value, list | tuple):
            return [exact(v) for v in value]
        return mpf(value) if isinstance(value, float) else value

    return {name: exact(value) for name, value in given.items()}


def _defaults(info, given):
    symbols = info.symbols
    return {**{n: v for n, v in info.parameters.items() if n in symbols}, **given}


def outputs(info, row, given):
    """The outputs for one row of exact inputs."""
    row, given = [mpf(x) for x in row], _exact(_defaults(info, given))
    if info.elementwise:
        return [mpf(evaluate(info.formula, x=x, **given)) for x in row]
    if issubclass(info.layer, GatedLayer):
        halves = zip(row[: len(row) // 2], row[len(row) // 2 :], strict=True)
        return [evaluate(info.formula, a=a, b=b, **given) for a, b in halves]
    return evaluate(info.formula, x=row, **given)


def is_defined(info, x, given):
    """Whether an element-wise formula is a real number at a finite x."""
    value = evaluate(info.formula, x=mpf(float(x)), **_exact(_defaults(info, given)))
    return not isinstance(value, mpmath.mpc)


def _one_sided(function, x):
    """The derivatives from the left and from the right, None where the function jumps."""
    sides = [mp.diff(function, x, direction=d) for d in (-1, 1)]
    return None if max(abs(s) for s in sides) > mpf(10) ** 12 * (1 + abs(function(x))) else sides


def input_gradient(info, row, upstream, given):
    """For each input the smallest and the largest admissible gradient, None where there is none.

    The two differ only at kinks, where any slope between the one-sided ones is a subgradient.
    """
    row, upstream = [mpf(x) for x in row], [mpf(u) for u in upstream]
    exact = _exact(_defaults(info, given))
    result = []
    for i, x in enumerate(row):
        if info.backward:
            slope = mpf(evaluate(info.backward, x=x, **exact))
            sides = [slope * upstream[i]] * 2
        elif info.elementwise:
            sides = _one_sided(lambda t: evaluate(info.formula, x=t, **exact), x)
            sides = sides and [s * upstream[i] for s in sides]
        else:
            sides = _one_sided(
                lambda t: _weighted(info, [*row[:i], t, *row[i + 1 :]], upstream, given),  # noqa: B023
                x,
            )
        result.append(sides and (min(sides), max(sides)))
    return result


def parameter_gradient(info, row, upstream, given, name):
    """The gradient of the weighted sum of the outputs by a parameter, or by each of its numbers."""
    upstream = [mpf(u) for u in upstream]
    value = _exact(_defaults(info, given))[name]

    def total(changed):
        return _weighted(info, row, upstream, {**given, name: changed})

    # Not so small a step as mpmath's own, in which a formula that cancels leaves nothing.
    diff = functools.partial(mp.diff, h=mpf(10) ** -25)
    if not isinstance(value, list):
        return diff(total, value)
    slices = [(value[:i], v, value[i + 1 :]) for i, v in enumerate(value)]
    return [diff(lambda t: total([*a, t, *b]), v) for a, v, b in slices]  # noqa: B023


def second_derivative(info, x, given):
    """The second derivative of an element-wise activation."""
    exact = _exact(_defaults(info, given))
    return mp.diff(lambda t: evaluate(info.formula, x=t, **exact), mpf(x), 2)


def _weighted(info, row, upstream, given):
    return mp.fsum(u * y for u, y in zip(upstream, outputs(info, row, given), strict=True))
