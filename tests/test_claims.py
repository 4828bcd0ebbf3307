"""What a page claims besides its formula: kinks, range, monotonicity, names, sources."""

import inspect

import numpy as np
import pytest
import tensorflow as tf
from cases import ROWS, all_activations, gradient
from oracles import input_gradient, outputs

import keras_activations as ka
from keras_activations import _layers
from keras_activations._registry import FAMILIES

GRID = np.concatenate(
    [np.linspace(-12, 12, 4801), np.linspace(-1e3, 1e3, 2001), [-1e30, -1e8, 1e8, 1e30]]
)


def _y(info, x):
    return info.function(tf.constant(np.sort(x), tf.float64), **info.required).numpy()


@all_activations
def test_formula_gives_as_many_outputs_as_the_function(info):
    row, given = ROWS[0], info.required
    assert len(outputs(info, row, given)) == info.function(row, **given).shape[0]


@all_activations
def test_family(info):
    assert info.family in FAMILIES
    assert (info.family == "gated") == issubclass(info.layer, _layers.GatedLayer)
    assert (info.family == "simplex") == issubclass(info.layer, _layers.SimplexLayer)


@all_activations
def test_every_real_parameter_is_in_the_formula(info):
    for name, default in info.parameters.items():
        if isinstance(default, float | tuple):
            assert name in info.symbols
        assert not info.elementwise or default is not inspect.Parameter.empty


@all_activations
def test_range(info):
    if info.range is None:
        pytest.skip("no claim")
    low, high = info.range
    if not info.elementwise:
        x = np.random.default_rng(0).normal(scale=30.0, size=(200, 8))
        y = info.function(tf.constant(x), **info.required).numpy()
        assert y.min() >= low
        assert y.max() <= high * (1 + 1e-12)
        # Finite bounds are neared, and without a bound it grows.
        seen = f"claim no range that these rows do not near: {y.min():.4g} to {y.max():.4g}"
        assert y.min() < (low + 1e-3 if np.isfinite(low) else -30.0), seen
        assert y.max() > (high - 1e-3 if np.isfinite(high) else 30.0), seen
        return
    y = _y(info, GRID)
    tolerance = 1e-8
    assert y.min() >= low - tolerance
    assert y.max() <= high + tolerance
    # The bounds are reached, or approached as x grows.
    assert y.min() < -1e6 if low == -np.inf else y.min() < low + 2e-3
    # Without a bound it grows, even if as slowly as a logarithm.
    inner = _y(info, GRID[np.abs(GRID) <= 1e8])
    assert y.max() > min(1e6, 2 * inner.max()) if high == np.inf else y.max() > high - 2e-3
    if np.isfinite(low) and low not in (y.min(), 0.0, -1.0):
        fine = np.linspace(-3, 1, 400_001)
        np.testing.assert_allclose(min(_y(info, fine).min(), y.min()), low, atol=2e-9)


@all_activations
def test_monotonic(info):
    if info.monotonic is None:
        pytest.skip("no claim")
    y = _y(info, GRID)
    steps = np.diff(y[np.isfinite(y)])
    assert np.all(steps >= -1e-12) == info.monotonic


@all_activations
def test_kinks(info):
    if not info.elementwise:
        assert info.kinks == ()
        return
    given = info.required
    for kink in info.kinks:
        if info.backward:
            continue
        # A kink need not be a number of float64's.
        sides = [kink - 1e-12, kink + 1e-12]
        around = [float(v) for v in outputs(info, [sides[0], kink, sides[1]], given)]
        slopes = [float(s[0]) for s in input_gradient(info, sides, [1.0, 1.0], given)]
        jumps = max(np.abs(np.diff(around))) > 1e-3
        assert jumps or abs(slopes[1] - slopes[0]) > 1e-3, f"smooth at {kink}"
    if info.backward is None:
        for at in _jumps_of_the_slope(lambda t: info.function(t, **given)):
            assert any(abs(at - k) < 2e-3 for k in info.kinks), f"a kink near {at} is not claimed"


def _jumps_of_the_slope(function):
    def slope(x):
        return gradient(function, tf.constant(x))[1].numpy()

    x = np.linspace(-8, 8, 16001) + 1 / 4096
    low, high = x[:-1], x[1:]
    for _ in range(8):
        middle = (low + high) / 2
        left, right = np.abs(slope(middle) - slope(low)), np.abs(slope(high) - slope(middle))
        low, high = np.where(left > right, [low, middle], [middle, high])
        # What is smooth changes less and less the closer one looks.
        steep = left + right > 0.02 * (1 + np.abs(slope(high)))
        low, high = low[steep], high[steep]
    return low


@all_activations
def test_sources(info):
    assert (info.paper is None) == (info.url is None)
    if info.url:
        assert info.url.startswith(("https://", "http://"))
        assert info.url in info.function.__doc__


@all_activations
def test_samples_are_arguments_of_the_function(info):
    for sample in info.samples:
        assert set(sample) <= set(info.parameters)
    if any(isinstance(v, float | tuple) for v in info.parameters.values()):
        assert info.samples, "parameters are tested at more than their defaults"


def test_names_are_unique():
    names = [n for i in ka.catalogue() for n in (i.name, *i.aliases)]
    assert len(names) == len(set(names))
