"""The truth, computed with mpmath from the formulas that the pages register.

What is no scalar expression is defined here again, in the plainest way, by name.
"""

import mpmath
from mpmath import mp, mpf

mp.dps = 60

_NAMES = {
    name: getattr(mpmath, name)
    for name in ("cos", "erf", "exp", "expm1", "log", "log1p", "pi", "sign", "sin", "sqrt", "tanh")
}
_NAMES.update(abs=abs, max=max, min=min)


def _softmax(row):
    exponentials = [mp.exp(x) for x in row]
    return [e / mp.fsum(exponentials) for e in exponentials]


def _log_softmax(row):
    return [mp.log(p) for p in _softmax(row)]


def _sparsemax(row):
    """The threshold by bisection instead of sorting, then exactly, from the support it gives."""
    low, high = min(row) - 1, max(row)
    for _ in range(120):
        middle = (low + high) / 2
        if mp.fsum(max(x - middle, 0) for x in row) > 1:
            low = middle
        else:
            high = middle
    support = [x for x in row if x > high]
    threshold = (mp.fsum(support) - 1) / len(support)
    return [max(x - threshold, mpf(0)) for x in row]


def _maxout(row, num_units):
    return [max(row[j::num_units]) for j in range(num_units)]


ROW_ORACLES = {
    "softmax": _softmax,
    "log_softmax": _log_softmax,
    "sparsemax": _sparsemax,
    "maxout": _maxout,
}


def evaluate(expression, **names):
    """A registered formula at exact numbers."""
    return mpf(eval(expression, {"__builtins__": {}}, {**_NAMES, **names}))


def _exact(given):
    return {n: mpf(v) if isinstance(v, float) else v for n, v in given.items()}


def _defaults(info, given):
    return {**{n: v for n, v in info.parameters.items() if n in info.formula}, **given}


def outputs(info, row, given):
    """The outputs for one row of exact inputs."""
    row, given = [mpf(x) for x in row], _exact(_defaults(info, given))
    if info.elementwise:
        return [evaluate(info.formula, x=x, **given) for x in row]
    if info.name in ROW_ORACLES:
        return ROW_ORACLES[info.name](row, **given)
    half = len(row) // 2
    return [
        evaluate(info.formula, a=a, b=b, **given)
        for a, b in zip(row[:half], row[half:], strict=True)
    ]


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
            slope = evaluate(info.backward, x=x, **exact)
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
    """The gradient of the weighted sum of the outputs with respect to one parameter."""
    upstream = [mpf(u) for u in upstream]
    value = mpf(_defaults(info, given)[name])
    return mp.diff(lambda t: _weighted(info, row, upstream, {**given, name: t}), value)


def second_derivative(info, x, given):
    """The second derivative of an element-wise activation."""
    exact = _exact(_defaults(info, given))
    return mp.diff(lambda t: evaluate(info.formula, x=t, **exact), mpf(x), 2)


def _weighted(info, row, upstream, given):
    return mp.fsum(u * y for u, y in zip(upstream, outputs(info, row, given), strict=True))
