"""Value and gradients of every activation against mpmath, in every dtype."""

import functools
import re

import numpy as np
import pytest
import tensorflow as tf
from cases import (
    all_cases,
    cases_where,
    gradient,
    inputs,
    real_parameters,
    trace_nothing,
)
from oracles import (
    input_gradient,
    is_defined,
    outputs,
    parameter_gradient,
    second_derivative,
)

import keras_activations as ka
from keras_activations.reference import Truth

# One rounding of a 16-bit result and a few of the arithmetic behind it, which shows near the zeros
# of a curve as an absolute error.
RELATIVE = {"float16": 2.0**-10, "bfloat16": 2.0**-7, "float32": 2e-6, "float64": 2e-13}
ABSOLUTE = {"float16": 3e-7, "bfloat16": 2e-7, "float32": 3e-7, "float64": 1e-14}


@functools.cache
def _truth(name, given):
    info, given = ka.info(name), dict(given)
    rows = _rows(info, given)
    values = [outputs(info, row, given) for row in rows]
    weights = [_weights(len(v)) for v in values]
    gradients = [input_gradient(info, row, w, given) for row, w in zip(rows, weights, strict=True)]
    return values, gradients


def _rows(info, given):
    """The inputs at which there is a truth."""
    if not info.elementwise:
        return inputs(info)
    return np.array([[x for x in inputs(info) if is_defined(info, x, given)]])


def _weights(size):
    return np.resize([1.0, 0.5, 1.5, -0.25], size)


def _close(actual, low, high, dtype):
    actual, low, high = float(actual), float(low), float(high)
    info = tf.as_dtype(dtype)
    if abs(low) > float(info.max) or abs(high) > float(info.max):
        return np.isinf(actual)
    tolerance = RELATIVE[dtype] * max(abs(low), abs(high)) + ABSOLUTE[dtype]
    return low - tolerance <= actual <= high + tolerance


def _assert_value_and_gradient(info, given, dtype):
    values, gradients = _truth(info.name, tuple(given.items()))
    x = tf.constant(_rows(info, given), dtype)
    upstream = tf.constant([_weights(len(v)) for v in values], dtype)
    y, dx = gradient(lambda t: info.function(t, **given), x, upstream)
    assert y.dtype == dx.dtype == x.dtype
    for row, actual, expected in zip(x, y, values, strict=True):
        for at, a, e in zip(row, actual, expected, strict=False):
            assert _close(a, e, e, dtype), f"value near x={float(at)}: {float(a)}, not {float(e)}"
    for row, actual, expected in zip(x, dx, gradients, strict=True):
        for at, a, sides in zip(row, actual, expected, strict=True):
            if sides is not None:
                assert _close(a, *sides, dtype), (
                    f"gradient at x={float(at)}: {float(a)}, not {[float(s) for s in sides]}"
                )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@all_cases
def test_value_and_gradient(info, given, dtype):
    _assert_value_and_gradient(info, given, dtype)


# What 16 bit adds element by element are casts, which are the same for all parameters.
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@cases_where(lambda info, given: given == info.required or not info.elementwise)
def test_value_and_gradient_in_16_bit(info, given, dtype):
    _assert_value_and_gradient(info, given, dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@all_cases
def test_gradient_of_every_parameter(info, given, dtype):
    names = [n for n in real_parameters(info, given) if n in info.symbols]
    row = _rows(info, given)[0]
    if info.elementwise:
        row = row[np.abs(row) <= 20]
    weights = _weights(len(outputs(info, row, given)))
    if info.elementwise and not info.backward:
        # Where the input, or its size, equals a parameter, there may be a kink or a jump.
        values = [np.ravel(v) for v in real_parameters(info, given).values()]
        weights *= ~np.isin(np.abs(row), np.abs(np.concatenate([[], *values])))
    kept = weights != 0.0 if info.elementwise else slice(None)
    for name in names:
        value = tf.constant(real_parameters(info, given)[name], dtype)
        with tf.GradientTape() as tape:
            tape.watch(value)
            y = info.function(tf.constant(row[None], dtype), **{**given, name: value})
        actual = tape.gradient(y, value, output_gradients=tf.constant(weights[None], dtype))
        truth = np.array(
            parameter_gradient(info, row[kept], weights[kept], given, name), np.float64
        )
        tolerance = RELATIVE[dtype] * (abs(truth) + np.abs(row).sum())
        assert np.all(abs(actual - truth) <= tolerance), f"{name}: {actual}, not {truth}"


def _numbers(info, given):
    """The parameters that are a number each, for which there is a slope."""
    numbers = {n: v for n, v in real_parameters(info, given).items() if type(v) is float}
    return numbers if info.elementwise and not info.backward else {}


with_numbers = cases_where(_numbers)
FAR = np.array([2.0**-40, 1e-3, 0.7, 5.0, 9.0, 20.0, 12345.0, 1e10, 2e19, 3.3e38], np.float32)


@with_numbers
def test_gradient_of_every_parameter_far_out(info, given):
    """Of each point apart, because the largest hides the others in a sum."""
    near = FAR[info.accuracy.get("domain", np.inf) > FAR]
    x = np.concatenate([-near[::-1], near])
    exact = {n: float(np.float32(v)) for n, v in _numbers(info, given).items()}
    values = {n: tf.fill(x.shape, v) for n, v in exact.items()}
    with tf.GradientTape() as tape:
        tape.watch(values)
        y = info.function(tf.constant(x), **{**given, **values})
    for name, slopes in tape.gradient(y, values, unconnected_gradients="zero").items():
        # The formula as a function of the parameter, at each point.
        swapped = re.sub(r"\bx\b", "point", info.formula)
        formula = re.sub(rf"\b{name}\b", "x", swapped)
        known = 0
        for at, actual in zip(x, slopes, strict=True):
            truth = Truth(formula, None, {**info.parameters, **given, **exact, "point": float(at)})
            low, high = truth.at([exact[name]])[1, :, 0]
            if np.isfinite(low) and max(abs(low), abs(high)) < 1e38:
                slack = 1e-5 * max(abs(low), abs(high)) + 1e-34
                assert low - slack <= actual <= high + slack, f"{name} at x={at}: not {low}"
                known += 1
        assert known > len(x) // 2


@with_numbers
def test_gradient_of_every_parameter_at_infinity(info, given):
    ends = [x for x in (-np.inf, np.inf) if is_defined(info, np.sign(x) * 50.0, given)]
    values = {n: tf.fill([len(ends)], v) for n, v in _numbers(info, given).items()}
    with tf.GradientTape() as tape:
        tape.watch(values)
        y = info.function(tf.constant(ends, tf.float32), **{**given, **values})
    for name, slopes in tape.gradient(y, values, unconnected_gradients="zero").items():
        assert not np.any(np.isnan(slopes)), f"{name} at {ends}: {slopes}"


@with_numbers
def test_second_derivatives_by_x_and_a_parameter_are_the_same_in_either_order(
    info, given, monkeypatch
):
    trace_nothing(monkeypatch)
    numbers = _numbers(info, given)
    points = np.array([-7.3, -4.7, -1.1, -0.3, 0.0, 0.2, 0.5, 0.9, 1.0, 1.4, 5.1])
    # There may be kinks where x, or its size, equals a parameter.
    smooth = points[~np.isin(np.abs(points), np.abs([*info.kinks, *numbers.values()]))]
    x = tf.constant([x for x in smooth if is_defined(info, x, given)])
    values = {n: tf.fill(x.shape, tf.constant(v, x.dtype)) for n, v in numbers.items()}
    with tf.GradientTape(persistent=True) as outer:
        outer.watch([x, values])
        with tf.GradientTape() as inner:
            inner.watch([x, values])
            y = info.function(x, **{**given, **values})
        dx, slopes = inner.gradient(y, [x, values], unconnected_gradients="zero")
    for name, slope in slopes.items():
        by_x = outer.gradient(slope, x, unconnected_gradients="zero")
        by_name = outer.gradient(dx, values[name], unconnected_gradients="zero")
        np.testing.assert_allclose(by_x, by_name, rtol=1e-6, atol=1e-9, err_msg=name)


# All numbers of bfloat16, which has the range of float32, from 2**-7 up to 2**8, and some beyond.
_BITS = [*range(0x3C00, 0x4380), *range(0x4380, 0x7F80, 0x0155)]
GRID = tf.bitcast(tf.constant([*_BITS, *(b | 0x8000 for b in _BITS)], tf.uint16), tf.bfloat16)


@cases_where(lambda info, given: info.elementwise and not info.backward)
def test_the_slope_in_graphs_keeps_its_tails_and_is_finite(info, given):
    """Where the optimizer knows the parameters, whose product it may regroup, but not upstream."""
    numbers = {n: float(np.float32(v)) for n, v in _numbers(info, given).items()}
    forms = [numbers, {n: tf.constant(v) for n, v in numbers.items()}][: 1 + bool(numbers)]

    def slopes(x, upstream, forms):
        functions = [functools.partial(info.function, **{**given, **form}) for form in forms]
        return [gradient(function, x, upstream)[1] for function in functions]

    (truth,) = slopes(tf.cast(GRID, "float64"), None, forms[:1])
    tail = (np.abs(truth) < 1e-30) & (np.abs(truth) > 1.5e-38)
    if not np.any(tail) and 0.0 not in numbers.values():
        pytest.skip("has no tail that ends in here, and no factor of 0")
    for dx in tf.function(slopes, autograph=False)(GRID, tf.ones_like(GRID), forms):
        wide = tf.cast(dx, "float64")
        assert np.all(np.isfinite(wide) | ~(np.abs(truth) < 1e38))
        np.testing.assert_allclose(wide[tail], truth[tail], rtol=0.01)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@all_cases
def test_second_derivative(info, given, dtype):
    if not info.elementwise or info.backward:
        pytest.skip("tested against finite differences of the gradient, in test_functions")
    # Away from the kinks, where there is no second derivative.
    points = np.array(
        [-7.3, -4.7, -2.3, -1.19, -0.81, -0.43, -0.07, 0.06, 0.33, 0.92, 2.2, 4.4, 7.1]
    )
    x = tf.constant([x for x in points if is_defined(info, x, given)], dtype)
    with tf.GradientTape() as outer:
        outer.watch(x)
        _, slope = gradient(lambda t: info.function(t, **given), x)
    actual = outer.gradient(slope, x)
    assert actual is not None, "the second derivative is missing, where it should be zero"
    for a, at in zip(actual.numpy(), x.numpy(), strict=True):
        truth = float(second_derivative(info, float(at), given))
        assert abs(a - truth) <= 50 * RELATIVE[dtype] * (abs(truth) + 0.02), (at, a, truth)
