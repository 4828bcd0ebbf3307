"""What a function takes, and the modes it runs in."""

import functools
import inspect
import pickle
import weakref

import keras
import numpy as np
import pytest
import tensorflow as tf
from cases import (
    all_activations,
    all_cases,
    all_of,
    filled,
    gradient,
    matrix,
    real_parameters,
    trace_nothing,
)

import keras_activations as ka
from keras_activations import _calculus, _special, accuracy
from keras_activations._measure import tensors_kept
from keras_activations.reference import Truth

# For what is the engine's, and costs a compilation.
SOME = ka.catalogue()[::5]


@pytest.fixture
def less_to_trace(info, monkeypatch):
    """For most activations."""
    if info not in SOME:
        trace_nothing(monkeypatch)


def _call(info):
    given = info.required
    return lambda x: info.function(x, **given)


@all_activations
def test_takes_what_keras_users_pass(info):
    call, x = _call(info), matrix(info)
    expected = call(x).numpy()
    passed = {
        "array": x.numpy(),
        "list": x.numpy().tolist(),
        "variable": tf.Variable(x),
        "keras variable": keras.Variable(x.numpy()),
        "list of tensors": tf.unstack(x),
    }
    for kind, value in passed.items():
        y = call(value)
        assert y.dtype == tf.float32, kind
        np.testing.assert_allclose(y, expected, rtol=1e-6, atol=1e-6, err_msg=kind)
    assert call(x.numpy().astype("float64")).dtype == tf.float64
    np.testing.assert_array_equal(info.function(x=x, **info.required), expected)


@all_activations
def test_integers_and_booleans_become_floatx(info):
    whole = np.array([[-3, -2, -1, 0, 1, 2, 3, 5]])
    expected = _call(info)(whole.astype("float32"))
    for value in (whole, whole.tolist(), tf.constant(whole, tf.int8)):
        y = _call(info)(value)
        assert y.dtype == keras.config.floatx()
        np.testing.assert_array_equal(y, expected)
    booleans = _call(info)(whole > 0)
    np.testing.assert_array_equal(booleans, _call(info)((whole > 0).astype("float32")))


def test_arrays_and_tensors_keep_their_precision_also_in_a_list():
    assert ka.linear(np.float64(1.0)).dtype == tf.float64
    assert ka.linear([tf.constant(1.0, tf.float64)]).dtype == tf.float64
    assert ka.linear([[np.float64(1.0)]]).dtype == tf.float64


def test_python_numbers_are_read_in_floatx():
    keras.config.set_floatx("float64")
    try:
        assert ka.linear([0.1]).dtype == tf.float64
        assert float(ka.linear([0.1])[0]) == 0.1
        assert ka.linear(1).dtype == tf.float64
    finally:
        keras.config.set_floatx("float32")


@all_activations
def test_scalars(info):
    if not info.elementwise:
        with pytest.raises(ValueError, match="axis"):
            _call(info)(1.5)
        return
    assert _call(info)(1.5).shape == ()
    np.testing.assert_array_equal(_call(info)(1.5), _call(info)([1.5])[0])


@all_activations
def test_ragged(info):
    ragged = tf.ragged.constant([[1.0, -2.0], [], [0.5]])
    if not info.elementwise:
        with pytest.raises(TypeError, match="to_tensor"):
            _call(info)(ragged)
        return
    y = _call(info)(ragged)
    np.testing.assert_array_equal(y.flat_values, _call(info)(ragged.flat_values))
    np.testing.assert_array_equal(y.row_splits, ragged.row_splits)
    assert _call(info)(tf.ragged.constant([[1], [2, 3]])).dtype == tf.float32


@all_activations
def test_what_it_refuses_it_refuses_with_advice(info):
    with pytest.raises(TypeError, match=r"sparse\.to_dense"):
        _call(info)(tf.sparse.from_dense([[1.0, 0.0]]))
    with pytest.raises(TypeError, match="real and imaginary"):
        _call(info)(tf.constant([1j, 2j]))
    with pytest.raises(TypeError, match="floating-point"):
        _call(info)(tf.constant(["a", "b"]))


@functools.cache
def _xla_keeps_nan():
    """TensorFlow before 2.21 takes a bound for NaN where it clips."""
    return bool(np.isnan(tf.function(tf.nn.relu6, jit_compile=True)(tf.constant(np.nan))))


@pytest.mark.parametrize("compiled", [False, True], ids=["graph", "xla"])
@all_activations
def test_graph_and_xla_agree_with_eager(info, compiled):
    call, x = _call(info), matrix(info)
    if info.elementwise and (not compiled or _xla_keeps_nan()):
        x = tf.concat([x, tf.fill([1, 8], np.nan)], 0)
    # The casts of 16 bit are the engine's, the same for all.
    for dtype in ("float32", "float16") if info in SOME else ("float32",):
        x = tf.cast(x, dtype)
        y, dx = gradient(call, x)
        compiled_y, compiled_dx = tf.function(
            lambda t: gradient(call, t), jit_compile=compiled, autograph=False
        )(x)
        tolerance = {"float32": 2e-6, "float16": 2e-3}[dtype]
        np.testing.assert_allclose(y, compiled_y, rtol=tolerance, atol=tolerance)
        np.testing.assert_allclose(dx, compiled_dx, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(
    ("info", "compiled"),
    # Compiled as a whole it is what the engine makes of a graph, the same for all.
    [*((i, False) for i in ka.catalogue()), *((i, True) for i in SOME)],
    ids=lambda value: getattr(value, "name", {False: "eager", True: "xla"}.get(value)),
)
def test_gradients_of_16_bit_are_those_of_float32_rounded(info, compiled):
    call, x = _call(info), matrix(info, "float16")
    upstream = tf.cos(tf.reshape(tf.range(tf.size(call(x)), dtype=tf.float32), call(x).shape))
    upstream = tf.cast(upstream, tf.float16)
    expected = gradient(call, *(tf.cast(t, tf.float32) for t in (x, upstream)))
    function = tf.function(lambda x, u: gradient(call, x, u), jit_compile=compiled)
    actual = function(x, upstream) if compiled else gradient(call, x, upstream)
    for found, exact in zip(actual, expected, strict=True):
        np.testing.assert_allclose(found, tf.cast(exact, tf.float16), rtol=2e-3, atol=2e-6)


@all_activations
def test_a_result_beyond_16_bit_does_not_spoil_the_gradient(info):
    if not info.elementwise:
        pytest.skip("tested by family")
    x = tf.constant([[-16.0, -12.0, 12.0, 14.0]], tf.float16)
    upstream = tf.constant([[1024.0, 64.0, 2.0**-13, 2.0**-13]], tf.float16)
    _, exact = gradient(_call(info), *(tf.cast(t, tf.float32) for t in (x, upstream)))
    _, found = gradient(_call(info), x, upstream)
    np.testing.assert_allclose(found, tf.cast(exact, tf.float16), rtol=2e-3, atol=1e-7)


@pytest.mark.parametrize("compiled", [False, True], ids=["graph", "xla"])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_exponents_are_in_float64_unless_the_result_has_16_bits(dtype, compiled):
    seen = []

    def value(x):
        seen.append(_special.wide(x).dtype.name)
        return 2.0 * x

    def derivative(x):
        seen.append(_special.wide(x).dtype.name)
        return 2.0 + 0.0 * x

    x = tf.constant([0.5, -1.0], dtype)
    function = tf.function(
        lambda x: gradient(lambda x: _calculus.elementwise(value, derivative, x), x),
        jit_compile=compiled,
    )
    function(x)
    assert len(seen) >= 2
    assert set(seen) == {"float32" if dtype in ("float16", "bfloat16") else "float64"}
    assert _special.wide(tf.constant(1.0)).dtype == tf.float64


@all_activations
def test_unknown_shapes(info):
    call, x = _call(info), matrix(info)
    y, dx = gradient(call, x)
    shapes = (None, [None, None], [None, 8])
    for shape in shapes if info in SOME or not info.elementwise else shapes[:1]:
        function = tf.function(
            lambda t: gradient(call, t),
            input_signature=[tf.TensorSpec(shape, tf.float32)],
            autograph=False,
        )
        got_y, got_dx = function(x)
        np.testing.assert_allclose(got_y, y, rtol=2e-6, atol=2e-6)
        np.testing.assert_allclose(got_dx, dx, rtol=2e-6, atol=2e-6)
    static = tf.function(call).get_concrete_function(tf.TensorSpec([None, 8])).output_shapes
    assert static.as_list() == [None, y.shape[1]]


@all_activations
def test_empty(info):
    y, dx = gradient(_call(info), tf.zeros([0, 8]))
    assert y.shape[0] == 0
    assert dx.shape == (0, 8)


@all_activations
def test_autograph(info):
    x = matrix(info)
    np.testing.assert_allclose(
        tf.function(info.function)(x, **info.required), _call(info)(x), rtol=2e-6, atol=2e-6
    )


@all_activations
def test_jacobians_forward_mode_and_recomputation_agree_with_the_gradient(info, less_to_trace):
    call, x = _call(info), matrix(info, "float64")
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = call(x)
        total = tf.reduce_sum(y * tf.cos(tf.range(y.shape[1], dtype=y.dtype)))
    upstream = tf.broadcast_to(tf.cos(tf.range(y.shape[1], dtype=y.dtype)), y.shape)
    dx = tape.gradient(total, x)
    jacobian = tape.batch_jacobian(y, x)
    np.testing.assert_allclose(tf.einsum("bj,bji->bi", upstream, jacobian), dx, atol=1e-12)

    direction = tf.sin(tf.reshape(tf.range(tf.size(x), dtype=x.dtype), x.shape))
    with tf.autodiff.ForwardAccumulator(x, direction) as accumulator:
        y = call(x)
    expected = tf.einsum("bji,bi->bj", jacobian, direction)
    np.testing.assert_allclose(accumulator.jvp(y), expected, atol=1e-12)

    @tf.function
    def inside(x):
        with tf.autodiff.ForwardAccumulator(x, direction) as accumulator:
            y = call(x)
        return accumulator.jvp(y, unconnected_gradients="zero")

    if info.backward is None and (info in SOME or not info.elementwise):
        np.testing.assert_allclose(inside(x), expected, atol=1e-12)

    _, recomputed = gradient(tf.recompute_grad(call), x, upstream)
    np.testing.assert_allclose(recomputed, dx, atol=1e-12)


# What the engine makes of it in a graph, compiled as a whole or not, is the same for all.
@pytest.mark.parametrize(
    ("info", "mode"),
    [
        *((i, "eager") for i in ka.catalogue()),
        *((i, "graph") for i in ka.catalogue() if i in SOME or not i.elementwise),
        *((i, "xla") for i in ka.catalogue()[::4]),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_second_derivative_against_differences_of_the_gradient(info, mode):
    call, x = _call(info), matrix(info, "float64")
    direction = tf.cos(tf.reshape(tf.range(tf.size(x), dtype=x.dtype), x.shape))

    def weighted_gradient(t):
        y = call(t)
        upstream = tf.broadcast_to(1.0 + 0.5 * tf.range(y.shape[1], dtype=t.dtype), y.shape)
        return gradient(call, t, upstream)[1]

    def second(t):
        with tf.GradientTape() as tape:
            tape.watch(t)
            total = tf.reduce_sum(direction * weighted_gradient(t))
        return tape.gradient(total, t)

    if mode != "eager":
        second = tf.function(second, jit_compile=mode == "xla")
    actual = second(x)
    assert actual is not None
    # The second derivative is symmetric: H d is also the change of the gradient along d.
    h = 1e-6
    change = (weighted_gradient(x + h * direction) - weighted_gradient(x - h * direction)) / (2 * h)
    np.testing.assert_allclose(actual, change, atol=2e-7)
    if info.elementwise:
        sizes = [10.5, 60.5, 103.5, 360.5, 500.5, 700.5, 740.5, 1e3]
        tails = [sign * size for size in sizes for sign in (-1.0, 1.0)]
        tails = tf.constant(np.resize(tails, x.shape))
        finite = np.isfinite(call(tails)) & np.isfinite(weighted_gradient(tails))
        assert np.all(np.isfinite(second(tails).numpy()[finite]))


@all_activations
def test_third_derivative_exists(info, less_to_trace):
    x = matrix(info, "float64")
    with tf.GradientTape() as third:
        third.watch(x)
        with tf.GradientTape() as second:
            second.watch(x)
            _, dx = gradient(_call(info), x, tf.ones_like(_call(info)(x)) * 0.5)
        ddx = second.gradient(dx, x)
    assert ddx is not None
    dddx = third.gradient(ddx, x, unconnected_gradients="zero")
    assert np.all(np.isfinite(dddx))


# Element by element it follows from the third derivative, and the engine.
@all_of([i for i in ka.catalogue() if i in SOME or not i.elementwise])
def test_forward_mode_can_be_differentiated(info, less_to_trace):
    call, x = _call(info), matrix(info, "float64")
    direction = tf.cos(tf.reshape(tf.range(tf.size(x), dtype=x.dtype), x.shape))
    upstream = tf.sin(tf.reshape(tf.range(tf.size(call(x)), dtype=x.dtype), call(x).shape))
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        with tf.autodiff.ForwardAccumulator(x, direction) as accumulator:
            y = call(x)
        forward = tf.reduce_sum(upstream * accumulator.jvp(y))
        backward = tf.reduce_sum(direction * gradient(call, x, upstream)[1])
    found, expected = (
        tape.gradient(total, x, unconnected_gradients="zero") for total in (forward, backward)
    )
    np.testing.assert_allclose(found, expected, atol=1e-12)


def _kept_for_backward(call, x):
    assert gradient(call, x)[1].shape == x.shape
    return tensors_kept(call, x)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@all_activations
def test_the_tape_keeps_no_tensor_between_input_and_output(info, dtype):
    x = tf.cast(tf.reshape(tf.linspace(-3.0, 3.0, 8 * 1009), [1009, 8]), dtype)
    call = _call(info)
    assert _kept_for_backward(call, x) == 0
    assert _kept_for_backward(tf.function(call), x) == 0


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@all_activations
def test_the_tape_keeps_the_input_or_the_output_and_not_both(info, dtype):
    x = tf.cast(tf.reshape(tf.linspace(-3.0, 3.0, 8 * 9), [9, 8]), dtype)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = _call(info)(x)
    ends = [weakref.ref(x), weakref.ref(y)]
    del x, y
    assert sum(end() is not None for end in ends) <= 1
    del tape
    assert not any(end() for end in ends)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_the_tape_keeps_the_result_where_the_gradient_takes_it(dtype):
    x = tf.constant([0.5, -1.0], dtype)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = _calculus.with_gradient(tf.exp, _times_result, x, of_result=True)
    ends = [weakref.ref(x), weakref.ref(y)]
    del x, y
    # In 16 bit it is rounded.
    assert [end() is not None for end in ends] == [dtype == "float16", dtype != "float16"]
    del tape


def _times_result(upstream, y):
    return upstream * y


def _ancestors(operation):
    found, waiting = set(), [operation]
    while waiting:
        operation = waiting.pop()
        if operation not in found:
            found.add(operation)
            waiting += [*(t.op for t in operation.inputs), *operation.control_inputs]
    return found


@all_activations
def test_in_a_graph_the_recomputation_waits_for_the_upstream_gradient(info):
    """Else Grappler would merge it with the forward pass, and keep what the tape does not."""
    call, x = _call(info), matrix(info)

    @tf.function
    def both(x, upstream):
        return gradient(call, x, upstream)

    graph = both.get_concrete_function(x, call(x))
    y, dx = graph.outputs
    given, upstream = (t.op for t in graph.inputs)
    backward = _ancestors(dx.op) - _ancestors(y.op)
    early = [o for o in backward if given in _ancestors(o) and upstream not in _ancestors(o)]
    assert not early, [o.name for o in early]


@all_activations
def test_nan_stays_nan(info):
    assert np.all(np.isnan(_call(info)(tf.fill([1, 8], np.nan))))


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float64"])
@all_cases
def test_finite_wherever_the_truth_is(info, given, dtype):
    """Value and gradients at the ends of the range, against float64 for 32 bit and less."""
    if not info.elementwise:
        pytest.skip("tested by family")
    largest = float(tf.as_dtype(dtype).max)
    points = np.array([s * m for m in (1e10, 2e19, 1e30, largest / 4) for s in (-1, 1)])
    # By interval arithmetic: mpmath would want as many digits as the number is large.
    truth = Truth(**accuracy.Case(info, given, accuracy.FORMATS["float64"]).question).at(points)
    x = tf.constant(points[~np.isnan(truth[0, 0])], dtype)
    names = [n for n, v in real_parameters(info, given).items() if n in info.symbols]
    found = []
    for precision in (dtype, "float64"):
        wide = tf.cast(x, precision)
        values = {n: filled(real_parameters(info, given)[n], x.shape, precision) for n in names}
        with tf.GradientTape() as tape:
            tape.watch([wide, values])
            y = info.function(wide, **{**given, **values})
        found.append([y, *tf.nest.flatten(tape.gradient(y, [wide, values]))])
    for actual, exact in zip(*found, strict=True):
        assert not np.any(np.isnan(tf.cast(actual, "float64"))), actual
        fits = np.abs(exact) < largest / 2
        assert np.all(np.isfinite(tf.cast(actual, "float64").numpy()[fits])), actual


@all_activations
def test_pickle_and_name(info):
    assert pickle.loads(pickle.dumps(info.function)) is info.function
    assert info.function.__name__ == info.name
    assert getattr(ka, info.name) is info.function
    assert getattr(ka, info.layer.__name__) is info.layer


@all_activations
def test_parameters_broadcast_and_their_gradients_are_summed(info):
    names = list(real_parameters(info, {}))
    if info.family in ("gated", "simplex") or not names:
        pytest.skip("takes no real parameters, or is tested with its family")
    x = tf.constant(np.linspace(-2.1, 2.2, 24).reshape(2, 3, 4), tf.float64)
    for name in names:
        default = info.parameters[name]
        for shape in ((3, 1), (5, 1, 1, 1)):
            value = filled(default, shape, tf.float64)
            with tf.GradientTape() as tape:
                tape.watch([x, value])
                y = info.function(x, **{name: value})
            dx, dvalue = tape.gradient(y, [x, value])
            assert dx.shape == x.shape
            assert dvalue.shape == value.shape
            with tf.GradientTape() as tape:
                scalar = tf.constant(default, tf.float64)
                tape.watch([x, scalar])
                repeats = y.shape.num_elements() // x.shape.num_elements()
                total = repeats * tf.reduce_sum(info.function(x, **{name: scalar}))
            expected_dx, expected = tape.gradient(total, [x, scalar])
            np.testing.assert_allclose(dx, expected_dx, atol=1e-12)
            axes = list(range(len(expected.shape), len(value.shape)))
            np.testing.assert_allclose(tf.reduce_sum(dvalue, axes), expected, atol=1e-10)


@pytest.mark.parametrize(
    ("info", "name"),
    [(i, n) for i in ka.catalogue() for n, v in i.parameters.items() if isinstance(v, tuple)],
    ids=lambda value: getattr(value, "name", value),
)
def test_too_few_numbers_are_named(info, name):
    numbers = info.parameters[name]
    for bad in (numbers[:-1], 1.0):
        with pytest.raises(ValueError, match=f"`{name}`"):
            info.function([1.0, 2.0], **{name: bad})
    for bad in ([*numbers[:-1], "1"], numbers[:-1], 1.0, None, []):
        if bad is None and inspect.signature(info.layer).parameters[name].default is None:
            continue
        with pytest.raises(ValueError, match=f"`{name}`"):
            info.layer(**{name: bad})


def _of_parameter(info, x, name):
    return lambda value: gradient(lambda v: info.function(x, **{name: v}), value)


@all_activations
def test_parameters_of_another_precision(info):
    names = list(real_parameters(info, {}))
    if not names:
        pytest.skip("takes no real parameters")
    x = tf.constant([[-1.5, 0.25, 1.5, 2.0]], tf.float16)
    for name in names:
        for dtype, other in ((tf.float16, tf.float32), (tf.float32, tf.float64)):
            value = tf.constant(info.parameters[name], other)
            call = _of_parameter(info, tf.cast(x, dtype), name)
            call = call if dtype == tf.float16 else tf.function(call, autograph=False)
            y, slope = call(value)
            assert y.dtype == dtype
            assert slope.dtype == other
        if isinstance(info.parameters[name], tuple):
            continue
        whole = info.function(x, **{name: 1})
        np.testing.assert_array_equal(whole, info.function(x, **{name: tf.constant(1)}))


@all_activations
def test_where_tensors_are_compared_as_objects(info, monkeypatch):
    """As in graphs of TensorFlow 1, where `==` is the comparison of Python."""
    trace_nothing(monkeypatch)
    x = matrix(info)
    call = functools.partial(info.function, **info.required)
    expected = gradient(call, x)
    tf.compat.v1.disable_tensor_equality()
    try:
        found = gradient(call, x)
    finally:
        tf.compat.v1.enable_tensor_equality()
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_no_intermediate_is_infinite_or_not_a_number():
    """`tf.debugging.enable_check_numerics` stops at the first that is."""

    def all_of_them():
        for info in ka.catalogue():
            info.function(matrix(info), **info.required)

    tf.debugging.enable_check_numerics()
    try:
        tf.function(all_of_them, autograph=False)()
    finally:
        tf.debugging.disable_check_numerics()


def test_words_for_the_approximate_form_are_no_truth_values():
    """PyTorch's "none" is true."""
    found = [i for i in ka.catalogue() if "approximate" in i.parameters]
    assert found
    for info in found:
        for word in ("none", "tanh"):
            with pytest.raises(ValueError, match="`approximate` must be True"):
                info.function([1.0, 2.0], approximate=word)
            with pytest.raises(ValueError, match="`approximate` must be True"):
                info.layer(approximate=word)
