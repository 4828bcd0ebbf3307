"""What single pages of the simplex family promise: solvers, special cases, one-hot results."""

import importlib

import mpmath
import numpy as np
import pytest
import tensorflow as tf
from cases import gradient

import keras_activations as ka
from keras_activations import _powers

ROWS = np.random.default_rng(0).normal(size=(50, 12)) * np.geomspace(0.01, 10, 50)[:, None]


def _bisected(x, alpha):
    """Entmax in float64, by halving an interval."""
    z = (alpha - 1.0) * (x - x.max(-1, keepdims=True))
    low = np.full((len(x), 1), -1.0)
    high = np.zeros((len(x), 1))
    for _ in range(100):
        middle = (low + high) / 2
        below = (np.maximum(z - middle, 0) ** (1 / (alpha - 1))).sum(-1, keepdims=True) >= 1
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return np.maximum(z - low, 0) ** (1 / (alpha - 1))


@pytest.mark.parametrize("alpha", [1.05, 1.25, 1.5, 1.75, 2.0, 2.5])
def test_entmax_is_that_of_bisection(alpha):
    truth = _bisected(ROWS, alpha)
    y = ka.entmax(ROWS, alpha).numpy()
    np.testing.assert_allclose(y, truth, atol=1e-12)
    np.testing.assert_array_equal(y == 0, truth == 0)
    np.testing.assert_allclose(ka.entmax(ROWS.astype("float32"), alpha), truth, atol=5e-6)


def _exact(x, upstream, k):
    """Entmax of a row and its gradient, by halving an interval in 200 digits."""
    with mpmath.workdps(200):
        z = [k * mpmath.mpf(float(entry)) for entry in x]
        root = mpmath.mpf(1) / k
        low, high = max(z) - 1, max(z)
        for _ in range(650):
            middle = (low + high) / 2
            below = sum((t - middle) ** root for t in z if t > middle) >= 1
            low, high = (middle, high) if below else (low, middle)
        p = [(t - low) ** root if t > low else mpmath.mpf(0) for t in z]
        slopes = [q ** (1 - k) if q else q for q in p]
        pulled = [s * float(u) for s, u in zip(slopes, upstream, strict=True)]
        mean = sum(pulled) / sum(slopes)
        dx = [each - s * mean for each, s in zip(pulled, slopes, strict=True)]
        return np.array(p, float), np.array(dx, float)


@pytest.mark.parametrize("alpha", [3.0, 4.0, 5.0, 8.0, 30.0])
def test_entmax_keeps_its_digits_where_the_slope_is_infinite(alpha):
    rows = np.float32(ROWS[::7])
    upstream = np.cos(3.0 * rows)
    exact = [_exact(row, up, int(alpha) - 1) for row, up in zip(rows, upstream, strict=True)]
    for dtype, error in (("float32", 1e-5), ("float64", 1e-13)):
        x = tf.constant(rows, dtype)
        y, dx = gradient(lambda t: ka.entmax(t, alpha), x, tf.constant(upstream, dtype))
        np.testing.assert_allclose(y, [p for p, _ in exact], atol=error)
        for found, (_, truth) in zip(dx, exact, strict=True):
            np.testing.assert_allclose(found, truth, atol=error * np.abs(truth).max())


def test_entmax_of_entries_that_hardly_reach():
    """Whose results are as small as the rounding of the others."""
    generator = np.random.default_rng(1)
    k = generator.uniform(1.0, 8.0, (20_000, 1))
    half = np.minimum(generator.uniform(0.5, 1.5, k.shape), 1.0)
    tiny = 10.0 ** generator.uniform(-30, -6, k.shape)
    powers = np.concatenate([half**k, (1.0 - half) ** k, tiny, 0.0 * k], 1)
    x = (powers - powers.max(1, keepdims=True)) / k
    for dtype, error in (("float32", 1e-6), ("float64", 1e-14)):
        rows = tf.constant(x, dtype)
        y, dx = gradient(lambda t: ka.entmax(t, 1.0 + k), rows, tf.cos(3.0 * rows))
        np.testing.assert_allclose(tf.reduce_sum(y, 1), 1.0, atol=error)
        assert np.all(np.isfinite(dx))


@pytest.fixture
def steps_of_entmax(monkeypatch):
    """A function that computes entmax, and returns it and how many steps that took."""
    taken = []

    def counted(step):
        return lambda *given: taken.append(None) or step(*given)

    for name in ("_step", "_norm_step"):
        monkeypatch.setattr(_powers, name, counted(getattr(_powers, name)))
    value = importlib.import_module("keras_activations.activations.entmax")._value

    def computed(x, alpha):
        taken.clear()
        return value(x, tf.constant(alpha, x.dtype), -1), len(taken)

    return computed


@pytest.mark.parametrize("alpha", [1.0, 1.25, 1.5, 1.75, 2.0])
def test_entmax_takes_few_steps_up_to_2(alpha, steps_of_entmax):
    truth = _bisected(ROWS, max(alpha, 1.0 + 1e-9))
    for dtype in (tf.float32, tf.float64):
        y, steps = steps_of_entmax(tf.constant(ROWS, dtype), alpha)
        np.testing.assert_allclose(y, truth, atol=1e-6)
        assert steps <= 8


@pytest.mark.parametrize("alpha", [1.0, 1.5, 2.0, 2.001, 2.5, 3.0, 5.0, 50.0])
def test_entmax_of_equal_entries_takes_fewer_steps(alpha, steps_of_entmax):
    for size in (1, 2, 3, 7, 1000):
        for dtype in (tf.float32, tf.float64):
            y, steps = steps_of_entmax(tf.fill([1, size], tf.constant(2.5, dtype)), alpha)
            np.testing.assert_allclose(y, np.full([1, size], 1.0 / size), rtol=2e-6)
            assert steps <= (5 if alpha <= 2.0 else 7)  # Beyond 2, both ways are gone.


def test_entmax_whose_alpha_broadcasts_x():
    x, alpha = tf.constant([0.25, 1.0, -0.5]), tf.constant([[1.25], [2.0]])
    with tf.GradientTape() as tape:
        tape.watch([x, alpha])
        y = ka.entmax(x, alpha)
    dx, dalpha = tape.gradient(y, [x, alpha], output_gradients=tf.cos(2.0 * y))
    rows = [gradient(lambda t, a=a: ka.entmax(t, a), x) for a in (1.25, 2.0)]
    np.testing.assert_allclose(y, [row for row, _ in rows], rtol=1e-6)
    pulled = [
        gradient(lambda t, a=a: ka.entmax(t, a), x, tf.cos(2.0 * row))[1]
        for a, (row, _) in zip((1.25, 2.0), rows, strict=True)
    ]
    np.testing.assert_allclose(dx, sum(pulled), rtol=1e-5, atol=1e-6)
    assert dalpha.shape == alpha.shape


def test_entmax15_is_that_of_bisection():
    truth = _bisected(ROWS, 1.5)
    y = ka.entmax15(ROWS).numpy()
    np.testing.assert_allclose(y, truth, atol=1e-14)
    np.testing.assert_array_equal(y == 0, truth == 0)


@pytest.mark.parametrize(
    ("alpha", "name"), [(1.0, "softmax"), (1.5, "entmax15"), (2.0, "sparsemax")]
)
def test_entmax_holds_the_others(alpha, name):
    x, upstream = tf.constant(ROWS), tf.cos(tf.constant(ROWS) * 3.0)
    found = gradient(lambda t: ka.entmax(t, alpha), x, upstream)
    expected = gradient(ka.info(name).function, x, upstream)
    for actual, exact in zip(found, expected, strict=True):
        np.testing.assert_allclose(actual, exact, atol=1e-12)


def test_entmax_along_heads_of_their_own_alpha():
    alpha = tf.constant([1.0, 1.5, 2.0], tf.float64)[:, None, None]
    x = tf.constant(ROWS[:36].reshape(3, 12, 12))
    y = ka.entmax(x, alpha)
    for head, one in enumerate((1.0, 1.5, 2.0)):
        np.testing.assert_allclose(y[head], ka.entmax(x[head], one), atol=1e-14)


def test_entmax_stays_in_its_domain():
    layer = ka.Entmax(alpha=1.0)
    layer.build((None, 4))
    assert float(layer.alpha.constraint(tf.constant(-0.5))) == 0.0
    with pytest.raises(ValueError, match="alpha"):
        ka.Entmax(alpha=0.5)


@pytest.mark.parametrize(
    ("name", "given"),
    [
        *((n, {}) for n in ("softmin", "entmax15", "entmax", "gumbel_softmax")),
        ("entmax", {"alpha": 3}),
    ],
)
def test_nan_stays_in_its_row_and_comes_out(name, given):
    function, x = ka.info(name).function, [[0.5, np.nan, 0.25, -1.0], [0.5, 0.0, 0.25, -1.0]]
    y = function(x, **given).numpy()
    assert np.isnan(y[0, 1])
    np.testing.assert_allclose(y[1].sum(), 1.0, rtol=1e-6)


@pytest.mark.parametrize("training", [True, False])
def test_hard_is_one_hot_with_the_gradient_of_the_soft(training):
    x = tf.constant(np.concatenate([ROWS, np.zeros((2, 12))]))
    upstream = tf.cos(x * 3.0)
    results = {
        hard: gradient(
            lambda t: ka.gumbel_softmax(t, 0.5, hard, training=training, seed=3),  # noqa: B023
            x,
            upstream,
        )
        for hard in (False, True)
    }
    (soft, soft_dx), (hard, hard_dx) = results[False], results[True]
    np.testing.assert_array_equal(np.sort(hard)[:, :-1], 0.0)
    np.testing.assert_array_equal(np.sort(hard)[:, -1], 1.0)
    np.testing.assert_array_equal(np.argmax(hard, -1), np.argmax(soft, -1))
    np.testing.assert_allclose(hard_dx, soft_dx, atol=1e-14)
    with pytest.raises(ValueError, match="one axis"):
        ka.gumbel_softmax(x, hard=True, axis=[0, 1])


@pytest.mark.parametrize("temperature", [0.0, 1e-38, 1e38])
def test_hard_is_the_largest_at_any_temperature(temperature):
    y = ka.gumbel_softmax([1.0, 3.0, 3.0000002, 2.0], temperature, hard=True)
    np.testing.assert_array_equal(y, [0.0, 0.0, 1.0, 0.0])


def test_samples_have_the_probabilities_of_softmax():
    x = np.tile(np.array([[0.0, 1.0, -1.0, 2.0]], "float32"), (100_000, 1))
    drawn = ka.gumbel_softmax(x, hard=True, training=True, seed=1).numpy().mean(0)
    np.testing.assert_allclose(drawn, ka.softmax(x[0]), atol=6e-3)
