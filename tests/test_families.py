"""What only some activations have: randomness, gates, masks, a surrogate gradient."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf
from cases import (
    all_of,
    filled,
    gradient,
    layer_of,
    matrix,
    parameter_sets,
    real_parameters,
)
from oracles import input_gradient, outputs, parameter_gradient

import keras_activations as ka
from keras_activations import _layers


def family(base):
    return all_of([i for i in ka.catalogue() if issubclass(i.layer, base)])


stochastic = family(_layers.StochasticLayer)
gated = family(_layers.GatedLayer)
simplex = family(_layers.SimplexLayer)
periodic = all_of([i for i in ka.catalogue() if i.family == "periodic"])
NOISY = -np.ones((64, 32), "float32")


@stochastic
def test_random_in_training_only(info):
    layer = layer_of(info, seed=1)
    still = layer(NOISY)
    np.testing.assert_array_equal(layer(NOISY, training=False), still)
    np.testing.assert_array_equal(info.function(NOISY), still)
    first, second = layer(NOISY, training=True), layer(NOISY, training=True)
    assert np.unique(first).size > 1000
    assert not np.array_equal(first, second)
    assert abs(np.mean(first) - np.mean(still)) < 4 * np.std(first) / np.sqrt(NOISY.size)


def _repeatable(draw):
    draws = []
    for _ in range(2):
        keras.utils.set_random_seed(3)
        draws.append(draw())
    return np.array_equal(*draws)


def _assert_repeatable(draw):
    assert _repeatable(draw)
    assert not np.array_equal(draw(), draw())


@stochastic
def test_same_seed_same_numbers(info):
    np.testing.assert_array_equal(
        layer_of(info, seed=7)(NOISY, training=True), layer_of(info, seed=7)(NOISY, training=True)
    )
    _assert_repeatable(lambda: layer_of(info)(NOISY, training=True))
    if _repeatable(lambda: keras.random.uniform((4,))):  # Not in every Keras.
        _assert_repeatable(lambda: info.function(NOISY, training=True))
    generator = keras.random.SeedGenerator(7)
    inputs = keras.Input((32,))
    drawn = keras.Model(inputs, info.function(inputs, training=True, seed=generator))(NOISY)
    np.testing.assert_array_equal(drawn, layer_of(info, seed=7)(NOISY, training=True))
    fixed = info.function(NOISY, training=True, seed=5)
    np.testing.assert_array_equal(info.function(NOISY, training=True, seed=5), fixed)


@pytest.mark.parametrize("mode", ["eager", "graph", "xla"])
@stochastic
def test_gradient_belongs_to_the_numbers_drawn(info, mode):
    # Away from kinks.
    x = tf.constant(np.linspace(-2, 2, 64).reshape(8, 8), tf.float64)
    direction, h = tf.cos(x * 9.0), 1e-6

    def both(x):
        def call(t):
            return info.function(t, training=True, seed=11)

        _, dx = gradient(call, x, tf.sin(x * 5.0))
        change = (call(x + h * direction) - call(x - h * direction)) / (2 * h)
        return dx, tf.reduce_sum(change * tf.sin(x * 5.0))

    if mode != "eager":
        both = tf.function(both, jit_compile=mode == "xla")
    dx, expected = both(x)
    np.testing.assert_allclose(tf.reduce_sum(dx * direction), expected, rtol=1e-6)


@stochastic
def test_gradients_of_the_parameters_in_training(info):
    names = [n for n, v in info.parameters.items() if isinstance(v, float)]
    values = {n: tf.constant(info.parameters[n], tf.float64) for n in names}
    x = tf.constant(np.linspace(-2, 2, 64), tf.float64)

    def total(**given):
        return tf.reduce_sum(info.function(x, **given, training=True, seed=11))

    with tf.GradientTape() as tape:
        tape.watch(values)
        y = total(**values)
    for name, actual in tape.gradient(y, values).items():
        h = 1e-6
        change = total(**{**values, name: values[name] + h}) - total(
            **{**values, name: values[name] - h}
        )
        np.testing.assert_allclose(actual, change / (2 * h), rtol=1e-6)


@stochastic
def test_parameters_in_training_are_of_all_kinds(info):
    names = [n for n, v in info.parameters.items() if isinstance(v, float)]
    for name in names:
        call = functools.partial(info.function, NOISY, training=True, seed=11)
        for one in (1, tf.constant(1), keras.Variable(1.0)):
            np.testing.assert_array_equal(call(**{name: one}), call(**{name: 1.0}))
        with pytest.raises(ValueError, match="broadcast"):
            call(**{name: tf.ones([7, 5])})


@pytest.mark.parametrize("how", ["layer", "string", "function", "symbolic"])
@pytest.mark.parametrize("compiled", [True, False])
@stochastic
def test_every_way_into_a_model_is_random_in_fit_and_still_in_predict(info, how, compiled):
    x = keras.Input((32,))
    y = {
        "layer": lambda: layer_of(info)(x),
        "string": lambda: keras.layers.Activation(info.name)(x),
        "function": lambda: keras.layers.Activation(info.function)(x),
        "symbolic": lambda: info.function(x),
    }[how]()
    model = keras.Model(x, y)
    model.compile("sgd", "mae", jit_compile=compiled)
    still = model.predict(NOISY, verbose=0)
    np.testing.assert_array_equal(still, info.function(NOISY))
    # The mean absolute difference from the value at inference is zero only if nothing is drawn.
    losses = model.fit(NOISY, still, epochs=2, batch_size=64, verbose=0).history["loss"]
    assert losses[0] > 0.01
    assert losses[0] != losses[1]
    assert model.evaluate(NOISY, still, verbose=0) == 0.0


@gated
def test_halves_any_axis(info):
    x = tf.constant(np.random.default_rng(0).normal(size=(2, 4, 6, 8)), tf.float32)
    last = info.function(x)
    assert last.shape == (2, 4, 6, 4)
    for axis, permutation in ((1, (0, 3, 2, 1)), (-3, (0, 3, 2, 1)), (2, (0, 1, 3, 2))):
        moved = info.function(tf.transpose(x, permutation), axis=axis)
        np.testing.assert_allclose(tf.transpose(moved, permutation), last, rtol=1e-6)
        layer = layer_of(info, axis=axis)
        shape = tuple(tf.transpose(x, permutation).shape)
        assert layer.compute_output_shape(shape) == tuple(moved.shape)
        np.testing.assert_array_equal(layer(tf.transpose(x, permutation)), moved)


@gated
def test_odd_sizes_and_missing_axes_are_named(info):
    with pytest.raises(ValueError, match=r"axis -1.*even.*size 7"):
        info.function(tf.ones([2, 7]))
    with pytest.raises(ValueError, match=r"axis 1.*even.*size 7"):
        layer_of(info, axis=1)(keras.Input((7, 3)))
    with pytest.raises(ValueError, match="axis=3"):
        info.function(tf.ones([2, 8]), axis=3)
    with pytest.raises(tf.errors.InvalidArgumentError):
        tf.function(info.function, input_signature=[tf.TensorSpec([None, None])])(tf.ones([2, 7]))


EXTREMES = (-1e30, -1e4, -200, -90, -1, 0, 1, 90, 200, 1e4, 1e30)


@pytest.mark.parametrize("mode", ["eager", "xla"])
@gated
def test_a_gated_unit_is_finite_wherever_the_truth_is(info, mode):
    def both(x):
        return gradient(info.function, x)

    if mode == "xla":
        both = tf.function(both, jit_compile=True)
    pairs = np.stack(np.meshgrid(EXTREMES, EXTREMES), -1).reshape(-1, 2)
    for dtype in ("float32", "bfloat16"):
        x = tf.constant(pairs, dtype)
        for actual, exact in zip(both(x), both(tf.cast(x, "float64")), strict=True):
            actual = tf.cast(actual, "float64").numpy()
            assert not np.any(np.isnan(actual))
            fits = np.abs(exact) < 1e38
            # A product with a gate that is all but closed may be 0, however large the other half.
            np.testing.assert_allclose(actual[fits], exact[fits], rtol=1e-2, atol=1e-5)


@pytest.mark.parametrize("mode", ["eager", "xla"])
@gated
def test_nan_in_either_half_is_nan(info, mode):
    clip = tf.function(lambda x: tf.clip_by_value(x, -1.0, 1.0), jit_compile=True)
    if mode == "xla" and not np.all(np.isnan(clip(tf.constant([np.nan] * 8)))):
        pytest.skip("XLA of this TensorFlow takes a bound for NaN")
    function = info.function if mode == "eager" else tf.function(info.function, jit_compile=True)
    for other in (*EXTREMES, np.inf, -np.inf):
        y = function(tf.constant([[np.nan, other], [other, np.nan]], tf.float32))
        assert np.all(np.isnan(y)), other


@gated
def test_parameters_of_a_gated_unit_broadcast_and_their_gradients_are_summed(info):
    parameters = real_parameters(info, {})
    if not parameters:
        pytest.skip("takes no real parameters")
    x = tf.constant(np.linspace(-9.1, 9.2, 48).reshape(2, 3, 8), tf.float64)
    upstream = tf.cos(tf.reshape(tf.range(24, dtype=x.dtype), [2, 3, 4]))
    for name, default in parameters.items():

        def both(value):
            with tf.GradientTape() as tape:
                tape.watch([x, value])
                y = info.function(x, **{name: value})  # noqa: B023
            return y, *tape.gradient(y, [x, value], output_gradients=upstream)

        y, dx, total = both(tf.constant(default, x.dtype))
        unknown = tf.function(both, input_signature=[tf.TensorSpec(None, x.dtype)])
        for shape in ((4,), (3, 1), (2, 1, 4)):
            value = filled(default, shape, x.dtype)
            for found in (both(value), unknown(value)):
                np.testing.assert_allclose(found[0], y, rtol=1e-12)
                np.testing.assert_allclose(found[1], dx, rtol=1e-12)
                assert found[2].shape == shape
                np.testing.assert_allclose(tf.reduce_sum(found[2]), total, rtol=1e-9)


def _logarithmic(info):
    """Whether its outputs are the logarithms of probabilities."""
    return info.range[1] == 0.0


@simplex
def test_normalizes_along_any_axis_or_axes(info):
    x = tf.constant(np.random.default_rng(0).normal(size=(2, 3, 4, 5)), tf.float64)
    probabilities = tf.exp if _logarithmic(info) else tf.identity
    for axis in (-1, 0, 1, -2, [1, 2], [-1, 1]):
        try:
            y = info.function(x, axis=axis)
        except ValueError:
            assert isinstance(axis, list)
            with pytest.raises(ValueError, match="axis"):
                info.layer(axis=axis)
            continue
        np.testing.assert_allclose(tf.reduce_sum(probabilities(y), axis), 1.0, rtol=1e-12)
        np.testing.assert_array_equal(info.layer(axis=axis, dtype="float64")(x), y)
        _, dx = gradient(lambda t: info.function(t, axis=axis), x, tf.cos(x))  # noqa: B023
        # Nothing changes when all of a row moves by the same amount.
        if not _logarithmic(info):
            np.testing.assert_allclose(tf.reduce_sum(dx, axis), 0.0, atol=1e-12)
        if isinstance(axis, int):
            moved = np.moveaxis(x.numpy(), axis, -1)
            np.testing.assert_allclose(
                np.moveaxis(info.function(moved).numpy(), -1, axis), y, rtol=1e-12
            )
            _, there = gradient(info.function, moved, np.cos(moved))
            np.testing.assert_allclose(np.moveaxis(there.numpy(), -1, axis), dx, atol=1e-12)
    for bad in (4, -5, None, [], "last"):
        with pytest.raises(ValueError, match="axis"):
            info.function(x, axis=bad)
    for bad in (None, [], "last"):
        with pytest.raises(ValueError, match="axis"):
            info.layer(axis=bad)


@simplex
def test_masks(info):
    x = tf.constant(np.random.default_rng(0).normal(size=(3, 4, 5)), tf.float32)
    keep = np.ones((3, 4, 5), bool)
    keep[0, 0, 2:], keep[1, 1] = False, False
    layer = layer_of(info)
    y = layer(x, mask=keep).numpy()
    np.testing.assert_allclose(y[0, 0, :2], info.function(x[0, 0, :2]), rtol=1e-6)
    outside = tf.float32.min if _logarithmic(info) else 0.0
    np.testing.assert_array_equal(y[~keep], np.full((~keep).sum(), outside, "float32"))
    np.testing.assert_allclose(y[2], info.function(x[2]), rtol=1e-6)
    np.testing.assert_array_equal(layer(x, mask=keep.astype("float32")), y)

    tokens = np.array([1, 1, 0, 1, 0], bool)
    np.testing.assert_array_equal(
        layer(x, mask=tokens), layer(x, mask=np.broadcast_to(tokens, (3, 4, 5)))
    )
    _, dx = gradient(lambda t: layer(t, mask=keep), x, tf.cos(x))
    np.testing.assert_array_equal(dx.numpy()[~keep], 0.0)
    assert np.all(np.isfinite(dx))
    whole = np.array([[1, 2, 3], [0, 0, 1]])
    for dtype in ("uint8", "int8", "bool"):
        integers = tf.cast(whole, dtype)
        real = tf.cast(integers, "float32")
        np.testing.assert_array_equal(layer(integers), layer(real))
        some = [True, True, False]
        np.testing.assert_array_equal(layer(integers, mask=some), layer(real, mask=some))
    half = layer_of(info, dtype="float16")(tf.cast(x, "float16"), mask=keep)
    assert not np.any(np.isnan(half))


@simplex
def test_a_mask_of_time_steps_masks_whole_rows_and_goes_on(info):
    x = np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float32")
    x[:, 1] = 0.0
    probe = keras.Sequential([keras.layers.Masking(), layer_of(info)])
    y = probe(x).numpy()
    outside = tf.float32.min if _logarithmic(info) else 0.0
    np.testing.assert_array_equal(y[:, 1], np.full((2, 4), outside, "float32"))
    np.testing.assert_allclose(y[:, 0], info.function(x[:, 0]), rtol=1e-6)


@simplex
def test_a_causal_mask_is_read_as_keras_reads_it(info):
    causal = np.tril(np.ones((3, 3), bool))
    x = tf.constant(np.random.default_rng(0).normal(size=(4, 3, 3)), tf.float32)
    layer = layer_of(info)
    expected = layer(x, mask=np.broadcast_to(causal, x.shape))
    np.testing.assert_array_equal(layer(x, mask=causal), expected)
    signature = [tf.TensorSpec([None, 3, 3]), tf.TensorSpec([3, 3], tf.bool)]
    unknown = tf.function(lambda x, m: layer(x, mask=m), input_signature=signature)
    np.testing.assert_allclose(unknown(x, causal), expected, rtol=1e-6, atol=1e-7)
    unsized = [tf.TensorSpec([None] * 3), tf.TensorSpec([None] * 2, tf.bool)]
    unknown = tf.function(lambda x, m: layer(x, mask=m), input_signature=unsized)
    np.testing.assert_allclose(unknown(x[:3], causal), expected[:3], rtol=1e-6, atol=1e-7)
    signature = [tf.TensorSpec(None), tf.TensorSpec(None, tf.bool)]
    unknown = tf.function(lambda x, m: layer(x, mask=m), input_signature=signature)
    np.testing.assert_allclose(unknown(x, causal), expected, rtol=1e-6, atol=1e-7)


@simplex
def test_a_mask_of_time_steps_is_the_same_at_any_batch_size(info):
    """Also where steps and channels, or even the batch, have the same size."""
    embedding = keras.layers.Embedding(9, 3, mask_zero=True)
    model = keras.Sequential([embedding, layer_of(info)])
    tokens = np.array([[1, 2, 0]])
    outside = tf.float32.min if _logarithmic(info) else 0.0
    for batch in (1, 2, 3):
        y = model(np.repeat(tokens, batch, 0)).numpy()
        np.testing.assert_array_equal(y[:, 2], np.full((batch, 3), outside, "float32"))
        np.testing.assert_allclose(y[0, 0], info.function(embedding(tokens)[0, 0]), rtol=1e-6)


@simplex
def test_a_mask_given_in_a_functional_model(info):
    x, mask = keras.Input((3, 3)), keras.Input((3,), dtype="bool")
    model = keras.Model([x, mask], layer_of(info)(x, mask=keras.ops.expand_dims(mask, 1)))
    model = keras.models.model_from_json(model.to_json())
    values = np.random.default_rng(0).normal(size=(2, 3, 3)).astype("float32")
    keep = np.array([[True, False, True], [True, True, True]])
    np.testing.assert_allclose(
        model([values, keep]), layer_of(info)(values, mask=keep[:, None]), rtol=1e-6
    )


def _upwards(info):
    """1 if the largest entry gets most, -1 if the smallest does."""
    low, high = info.function([0.0, 1.0]).numpy()
    return np.float32(np.sign(high - low))


@simplex
def test_ties_one_element_and_long_rows(info):
    probabilities = tf.exp if _logarithmic(info) else tf.identity
    tied = info.function(tf.zeros([2, 5]))
    np.testing.assert_allclose(probabilities(tied), np.full((2, 5), 0.2), rtol=1e-6)
    np.testing.assert_allclose(probabilities(info.function([[3.0], [-3.0]])), [[1.0], [1.0]])
    long = np.random.default_rng(0).normal(size=(1, 100_000)).astype("float32")
    np.testing.assert_allclose(tf.reduce_sum(probabilities(info.function(long))), 1.0, rtol=1e-4)
    big = np.array([[1e4, 0.0, -1e4], [3e38, 0.0, 0.0]], "float32")
    big = info.function(_upwards(info) * big)
    np.testing.assert_allclose(probabilities(big), [[1, 0, 0], [1, 0, 0]], atol=1e-6)


@simplex
def test_infinity_at_the_lower_end_is_no_part_of_it(info):
    y = info.function([[0.5, -np.inf * _upwards(info), 0.25]]).numpy()
    np.testing.assert_allclose(y[0, [0, 2]], info.function([0.5, 0.25]), rtol=1e-6)


ALONG_AN_AXIS = [
    i
    for i in ka.catalogue()
    if issubclass(i.layer, _layers.AxisLayer) and not issubclass(i.layer, _layers.GatedLayer)
]
along_an_axis = all_of(ALONG_AN_AXIS)


def _sizes(info):
    """The whole-number parameters of what groups the entries along an axis."""
    parameters = {**info.parameters, **info.required}
    return {n: v for n, v in parameters.items() if type(v) is int and n != "axis"}


@along_an_axis
def test_moves_with_its_axis(info):
    given = info.required
    x = tf.constant(np.random.default_rng(0).normal(size=(2, 4, 6, 8)), tf.float32)
    last = info.function(x, **given)
    for axis, permutation in ((1, (0, 3, 2, 1)), (-3, (0, 3, 2, 1)), (2, (0, 1, 3, 2))):
        moved_x = tf.transpose(x, permutation)
        moved = info.function(moved_x, **given, axis=axis)
        np.testing.assert_allclose(tf.transpose(moved, permutation), last, rtol=2e-6, atol=1e-6)
        layer = layer_of(info, axis=axis)
        assert layer.compute_output_shape(tuple(moved_x.shape)) == tuple(moved.shape)
        unknown = tf.function(
            lambda t: info.function(t, **given, axis=axis),  # noqa: B023
            input_signature=[tf.TensorSpec(None)],
        )
        np.testing.assert_allclose(unknown(moved_x), moved, rtol=2e-6, atol=1e-6)


@family(_layers.AxisLayer)
def test_a_mask_of_time_steps_goes_on_while_there_are_as_many(info):
    x, mask = tf.ones([2, 4, 8]), tf.ones([2, 4], bool)
    assert layer_of(info).compute_mask(x, mask) is mask
    assert layer_of(info).compute_mask(x, None) is None
    along_time = layer_of(info, axis=1)
    moved = along_time.moves_entries
    assert moved or along_time(x).shape[1] == 4
    for steps in (x, keras.Input((None, 8))):
        assert along_time.compute_mask(steps, mask) is (None if moved else mask)
    built = layer_of(info)
    built(x)
    unknown = tf.function(built, input_signature=[tf.TensorSpec(None)])
    np.testing.assert_allclose(unknown(x), built(x), rtol=1e-6)


@along_an_axis
def test_missing_axes_are_named(info):
    with pytest.raises(ValueError, match="axis=3"):
        info.function(tf.ones([2, 8]), **info.required, axis=3)
    for bad in (None, [1], 0.5, "last"):
        with pytest.raises(ValueError, match="`axis` must be an integer"):
            info.layer(**info.required, axis=bad)
        with pytest.raises(ValueError, match="`axis` must be an integer"):
            info.function(tf.ones([2, 8]), **info.required, axis=bad)


@along_an_axis
def test_equal_inputs_share_the_gradient_of_ties_equally(info):
    """Within what the formula says on either side of the tie."""
    given = info.required
    row = np.full(8, 0.5)
    _, dx = gradient(lambda t: info.function(t, **given), tf.constant([row]))
    upstream = np.ones(len(outputs(info, row, given)))
    for actual, sides in zip(dx[0], input_gradient(info, row, upstream, given), strict=True):
        assert float(sides[0]) - 1e-9 <= float(actual) <= float(sides[1]) + 1e-9
    if _sizes(info):
        np.testing.assert_allclose(dx, np.full((1, 8), dx[0, 0]), rtol=1e-12)


@all_of([i for i in ALONG_AN_AXIS if _sizes(i)])
def test_ties_lose_nothing_next_to_what_is_large(info):
    x = tf.constant([[0.0, 1.0, 1.0, 2.0, 3.0, 3.0, 3.0, 4.0]])
    for sizes in parameter_sets(info):
        dx, with_large = (
            gradient(lambda t, s=sizes: info.function(t, **s), x, upstream)[1]
            for upstream in _upstreams(info.function(x, **sizes))
        )
        # What is large arrives at the entries of one value; the others get what they had.
        others = with_large.numpy() < 1e9
        assert others.sum() >= 4
        np.testing.assert_allclose(with_large.numpy()[others], dx.numpy()[others])


def _upstreams(y):
    """Numbers from 1 on, and the same with a large one first."""
    count = np.arange(1.0, 1.0 + np.size(y), dtype=np.float32)
    return [tf.constant(np.reshape(np.r_[first, count[1:]], y.shape)) for first in (1.0, 1e10)]


@along_an_axis
def test_rows_of_the_largest_numbers_and_of_zeros(info):
    for dtype in ("float32", "float64", "bfloat16"):
        largest = float(tf.as_dtype(dtype).max)
        rows = [[largest, 1.0, 0.5, 0.0], [largest, -largest / 8, 2.0, 1.0], [0.0] * 4]
        x = tf.constant(rows, dtype)
        y, dx = gradient(lambda t: info.function(t, **info.required), x)
        assert not np.any(np.isnan(tf.cast(y, "float64"))), y
        assert not np.any(np.isnan(tf.cast(dx, "float64"))), dx


@along_an_axis
def test_where_infinite_entries_leave_a_gradient_they_leave_a_second_derivative(info):
    """Those of minus infinity are masked, as a rule."""
    x = tf.constant([[-np.inf, 0.5, 1.0, 2.0], [-np.inf, -np.inf, 0.25, 1.0]])
    with tf.GradientTape() as outer:
        outer.watch(x)
        _, dx = gradient(lambda t: info.function(t, **info.required), x)
        total = tf.reduce_sum(dx * tf.constant([[1.0, -1.0, 2.0, 1.0]]))
    second = outer.gradient(total, x, unconnected_gradients="zero")
    assert np.all(np.isfinite(second) | ~np.isfinite(dx)), second


@pytest.mark.parametrize(
    ("info", "name"),
    [(i, n) for i in ALONG_AN_AXIS for n in _sizes(i)],
    ids=lambda value: getattr(value, "name", value),
)
def test_sizes_that_do_not_divide_are_named(info, name):
    with pytest.raises(ValueError, match=r"axis -1.*multiple.*size 7"):
        info.function(tf.ones([2, 7]), **info.required)
    with pytest.raises(ValueError, match=r"axis 1.*multiple.*size 7"):
        layer_of(info, axis=1)(keras.Input((7, 3)))
    for bad in (0, -1, 1.5, "2", None):
        with pytest.raises(ValueError, match=name):
            info.function(tf.ones([2, 8]), **{name: bad})
        with pytest.raises(ValueError, match=name):
            info.layer(**{name: bad})
    if info.required:
        with pytest.raises(TypeError, match=next(iter(info.required))):
            info.function(tf.ones([2, 8]))


@periodic
def test_waves_go_on_in_float64(info):
    far = np.array([2e8, -3e9, 1e12 + 0.25])
    exact = np.float64(outputs(info, far, {}))
    np.testing.assert_allclose(info.function(tf.constant(far)), exact, rtol=1e-12, atol=1e-14)


@periodic
def test_waves_end_where_numbers_are_further_apart_than_a_period(info):
    x = tf.constant([-np.inf, -3e38, -1e20, 1e12, 1e38, np.inf])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y, slope = gradient(info.function, x)
    assert np.isfinite(slope[0])
    np.testing.assert_array_equal(slope, tf.fill(x.shape, slope[0]))
    np.testing.assert_array_equal(tape.gradient(slope, x), tf.zeros_like(x))
    np.testing.assert_array_equal(tf.function(info.function)(x), y)


@periodic
def test_the_slope_by_a_frequency_is_right_where_the_wave_is_next_to_zero(info):
    for given in info.samples:
        for name, value in real_parameters(info, given).items():
            at, value = [1e-14], tf.constant(value)
            with tf.GradientTape() as tape:
                tape.watch(value)
                y = info.function(tf.constant(at), **{**given, name: value})
            truth = float(parameter_gradient(info, at, [1.0], given, name))
            np.testing.assert_allclose(tape.gradient(y, value), truth, rtol=1e-5, atol=1e-36)


@pytest.mark.parametrize("axis", [-1, 1])
def test_a_parameter_that_adds_axes_leaves_the_axis_where_it_was(axis):
    """For what normalizes, each number of the parameter apart."""
    found = []
    for info in ka.catalogue():
        if info.elementwise or issubclass(info.layer, _layers.GatedLayer):
            continue
        numbers = [n for n, v in real_parameters(info, info.required).items() if type(v) is float]
        for name in numbers:
            x, values = matrix(info), (1.25, 1.75)
            given = {**info.required, "axis": axis}
            for hard in ({}, {"hard": True}) if "hard" in info.parameters else ({},):
                each = [info.function(x, **{**given, **hard, name: v}) for v in values]
                both = tf.reshape(tf.constant(values), [2, 1, 1])
                y = info.function(x, **{**given, **hard, name: both})
                np.testing.assert_allclose(y, each, rtol=1e-5, atol=1e-6)
                found.append(name)
    assert found
