"""How the engine runs what the pages write: fused operations, compiled kernels, and exports."""

import fractions
import functools

import keras
import mpmath
import numpy as np
import pytest
import tensorflow as tf
from cases import all_activations, all_of, gradient, layer_of, matrix, real_parameters

import keras_activations as ka
from keras_activations import _calculus, _special, peers

ELEMENTWISE = [i for i in ka.catalogue() if i.elementwise]
KERAS_HAS = [i for i in ELEMENTWISE if peers.keras_form(i)]
WITH_PARAMETERS = [i for i in ELEMENTWISE if real_parameters(i, i.required)]


# What a graph holds besides its work.
PLUMBING = ("Const", "Identity", "NoOp", "Placeholder", "_Arg", "_Retval", "_HostSend", "_HostRecv")
# What a kernel consists of: the compilation, the choice whether to run it, and its substitute.
KERNEL = {"_XlaCompile", "_XlaRun", "StatefulPartitionedCall", "Switch", "_XlaMerge"}


def _call(info):
    given = info.required
    return lambda x, **parameters: info.function(x, **{**given, **parameters})


def _upstream(y):
    """An upstream gradient that no constant folding makes 1."""
    return 1.0 + 0.5 * tf.cos(tf.reshape(tf.range(tf.size(y), dtype=tf.float32), tf.shape(y)))


# What TensorFlow runs, after all optimization


def _nodes(build, *shapes, dtype=tf.float32):
    """The nodes that run when `build` of placeholders of these shapes is fetched."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        placeholders = [tf.compat.v1.placeholder(dtype, shape) for shape in shapes]
        fetched = tf.nest.map_structure(tf.identity, build(*placeholders))
        metadata = tf.compat.v1.RunMetadata()
        session.run(
            fetched,
            {p: np.full([n or 4 for n in p.shape], 0.25) for p in placeholders},
            options=tf.compat.v1.RunOptions(output_partition_graphs=True),
            run_metadata=metadata,
        )
    return [n for g in metadata.partition_graphs for n in g.node if n.op not in PLUMBING]


def _work(build, *shapes, **kwargs):
    return sorted(n.op for n in _nodes(build, *shapes, **kwargs))


def _dense(x):
    return tf.nn.bias_add(tf.matmul(x, tf.fill([32, 32], 0.1)), tf.fill([32], 0.1))


def _convolution(x):
    # No bias of 0, which would be optimized away.
    convolved = tf.nn.conv2d(x, tf.fill([3, 3, 8, 16], 0.1), 1, "SAME")
    return tf.nn.bias_add(convolved, tf.fill([16], 0.1))


LAYERS = {"dense": (_dense, [None, 32]), "convolution": (_convolution, [None, 8, 8, 8])}


def _is_fused(function, layer):
    """Whether the layer, its bias and the activation become one operation."""
    apply, shape = LAYERS[layer]
    nodes = _nodes(lambda x: function(apply(x)), shape)
    return any(len(n.attr["fused_ops"].list.s) > 1 for n in nodes)


@pytest.mark.parametrize("layer", LAYERS)
@all_of(KERAS_HAS)
def test_fused_with_the_layer_before_wherever_keras_is(info, layer):
    theirs = peers.keras_form(info)
    assert _is_fused(_call(info), layer) or not _is_fused(theirs, layer)


def test_the_fusion_test_sees_fusion():
    if not any(n.op.startswith("_Mkl") for n in _nodes(_dense, LAYERS["dense"][1])):
        pytest.skip("this processor has other kernels")
    fused = {
        layer: {i.name for i in KERAS_HAS if _is_fused(peers.keras_form(i), layer)}
        for layer in LAYERS
    }
    assert all(len(names) >= 5 for names in fused.values()), fused
    assert len(set.union(*fused.values())) >= 8, fused


def _backward(info):
    def build(x, upstream, *parameters):
        names = real_parameters(info, info.required) if parameters else {}
        values = dict(zip(names, parameters, strict=True))
        y = _call(info)(x, **values)
        return tf.gradients(y, [x, *parameters], grad_ys=upstream)

    return build


def _asked_for(function, *arguments):
    """The `fusible` and the `native` that pages give to the engine."""
    asked, of_ours = [], _calculus._differentiable

    def observed(value, gradient, fusible, native, *others):
        asked.append((fusible, native))
        return of_ours(value, gradient, fusible, native, *others)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_calculus, "_differentiable", observed)
        tf.function(function, autograph=False).get_concrete_function(*arguments)
    return asked


def _is_one_kernel(work):
    return set(work) == KERNEL and work.count("_XlaRun") == 1


def _is_native(work):
    """Whether so few operations are left that there is nothing to compile."""
    return len(work) <= 3 and not any("Xla" in op or "Call" in op for op in work)


@all_of(ELEMENTWISE)
def test_the_forward_pass_is_one_kernel_or_none(info):
    # Of a known shape, of which Grappler rewrites more.
    work = _work(_call(info), [_calculus.LARGE // 32, 32])
    if any(fusible for fusible, _ in _asked_for(_call(info), matrix(info))):
        assert not any("Xla" in op for op in work), work
    else:
        assert _is_one_kernel(work) or _is_native(work), work


@all_of(ELEMENTWISE)
def test_no_constant_of_the_forward_pass_is_as_large_as_x(info):
    """Grappler would put it into the kernel, which would read it each time."""
    x = tf.TensorSpec([_calculus.LARGE // 32, 32])
    graph = _graph(_call(info)).get_concrete_function(x).graph
    constant = [
        operation.name
        for operation in graph.get_operations()
        if any(t.shape == x.shape for t in operation.outputs)
        and graph.inputs[0].op not in _needed(operation, without=("OnesLike", "ZerosLike", "Shape"))
    ]
    assert not constant


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@all_of(ELEMENTWISE)
def test_the_backward_pass_is_one_kernel(info, dtype):
    work = _work(_backward(info), [None, 32], [None, 32], dtype=dtype)
    assert _is_one_kernel(work) or _is_native(work)


@all_of(WITH_PARAMETERS)
def test_the_gradients_of_all_parameters_are_of_the_same_kernel(info):
    shapes = [np.shape(v) for v in real_parameters(info, info.required).values()]
    work = _work(_backward(info), [None, 32], [None, 32], *shapes)
    # A parameter of several numbers is taken apart and its gradient put together again.
    assert _is_one_kernel([op for op in work if op not in ("Unpack", "Pack")])


@all_of(ELEMENTWISE)
def test_what_is_known_to_be_small_is_not_compiled(info):
    for build, count in ((_call(info), 1), (_backward(info), 2)):
        assert not any("Xla" in op for op in _work(build, *[[4, 32]] * count))
    large = _work(_backward(info), *[[_calculus.LARGE // 32, 32]] * 2)
    assert _is_one_kernel(large) or _is_native(large)


def _outputs_of_calls(info, parameters):
    """How many tensors each call that is kept whole gives out, in the graph of the gradient."""

    @tf.function(autograph=False)
    def backward(x, parameters):
        values = dict(zip(real_parameters(info, info.required), parameters, strict=True))
        with tf.GradientTape() as tape:
            tape.watch([x, *(p for p in parameters if tf.is_tensor(p))])
            y = _call(info)(x, **values)
        return tape.gradient(y, [x, *(p for p in parameters if tf.is_tensor(p))])

    graph = backward.get_concrete_function(tf.TensorSpec([None, 8]), parameters).graph
    return [len(o.outputs) for o in graph.get_operations() if "PartitionedCall" in o.type]


@all_of(WITH_PARAMETERS)
def test_numbers_get_no_gradient_and_tensors_do(info):
    numbers = list(real_parameters(info, info.required).values())
    # Not the defaults, for which a page may have a form without parameters.
    others = [tf.nest.map_structure(lambda v: v + 0.125, n) for n in numbers]
    # Where TensorFlow has the operation, there is no kernel at all.
    assert _outputs_of_calls(info, others) in ([1], [])
    count = sum(np.size(n) for n in numbers)
    assert _outputs_of_calls(info, [tf.constant(n) for n in numbers]) == [1 + count]
    with tf.GradientTape() as tape:
        variables = [tf.Variable(n) for n in numbers]
        y = _call(info)(
            matrix(info), **dict(zip(real_parameters(info, {}), variables, strict=True))
        )
    assert all(g is not None for g in tape.gradient(y, variables))


# Compiled kernels compute the same


@pytest.fixture
def chosen(monkeypatch):
    """Whether each kernel run in eager mode was a compiled one; new kernels, for any size."""
    found = []
    of_rank = _calculus._Kernel.of_rank

    def observed(self, compiled, tensors):
        found.append(compiled)
        return of_rank(self, compiled, tensors)

    _calculus._differentiable.cache_clear()
    monkeypatch.setattr(_calculus, "LARGE", 0)
    monkeypatch.setattr(_calculus._Kernel, "of_rank", observed)
    yield found
    _calculus._differentiable.cache_clear()


def _derivatives(info, dtype):
    """A function of x and of some parameters, and its arguments.

    It returns the value and the gradients and, of some, the second derivative; in 16 bit, to save
    the time of compiling, only the value and the gradient of x.
    """
    short = dtype == "float16"
    parameters = {} if short else real_parameters(info, info.required)

    def once(x, *values):
        with tf.GradientTape() as tape:
            tape.watch([x, *values])
            y = _call(info)(x, **dict(zip(parameters, values, strict=True)))
        upstream = tf.cast(_upstream(y), y.dtype)
        return y, *tape.gradient(y, [x, *values], output_gradients=upstream)

    def twice(x, *values):
        with tf.GradientTape() as tape:
            tape.watch(x)
            found = once(x, *values)
        return *found, tape.gradient(found[1], x, unconnected_gradients="zero")

    function = once if short or info not in ka.catalogue()[::5] else twice
    return function, [matrix(info, dtype), *(tf.constant(v) for v in parameters.values())]


@functools.cache
def _small(name, dtype):
    """The same of small tensors, which are not compiled."""
    function, arguments = _derivatives(ka.info(name), dtype)
    return function(*arguments)


def _assert_same(actual, expected, dtype):
    rtol, atol = {"float32": (2e-6, 3e-6), "float16": (2e-3, 2e-3)}[dtype]
    for number, (a, e) in enumerate(zip(actual, expected, strict=True)):
        size = max(1.0, float(tf.reduce_max(tf.abs(e))))
        np.testing.assert_allclose(a, e, rtol=rtol, atol=atol * size, err_msg=str(number))


@pytest.mark.parametrize(
    ("info", "dtype"),
    # The casts of 16 bit are the engine's, the same for all.
    [*((i, "float32") for i in ka.catalogue()), *((i, "float16") for i in ka.catalogue()[::5])],
    ids=lambda value: getattr(value, "name", value),
)
def test_compiled_in_eager_mode(info, dtype, chosen, monkeypatch):
    function, arguments = _derivatives(info, dtype)
    kernels = not all(native for _, native in _asked_for(function, *arguments))
    with monkeypatch.context() as patch:
        patch.setattr(_calculus, "LARGE", 2**15)
        expected = _small(info.name, dtype)
    assert not any(chosen)
    for compiled in (False, True, True):
        chosen.clear()
        _assert_same(function(*arguments), expected, dtype)
        assert set(chosen) == ({compiled} if kernels else set())


# What the engine makes of unknown sizes is the same for all that is element-wise.
@all_of([i for i in ka.catalogue() if i in ka.catalogue()[::4] or not i.elementwise])
def test_compiled_in_a_graph_of_unknown_shape(info):
    function, arguments = _derivatives(info, "float32")
    expected = _small(info.name, "float32")
    x, *parameters = arguments
    specs = [
        tf.TensorSpec([None] * x.shape.rank, x.dtype),
        *map(tf.TensorSpec.from_tensor, parameters),
    ]
    graph = tf.function(function, input_signature=specs, autograph=False)
    for _ in range(2):  # TensorFlow compiles the first shape at once, the others later.
        _assert_same(graph(*arguments), expected, "float32")


# What is compiled in eager mode


def _twice(x):
    return 2.0 * x


def _compiled_shapes(kernel, shapes, monkeypatch):
    """The shapes, in order, that were given to a compiled graph."""
    found = []
    of_rank = kernel.of_rank

    def observed(compiled, tensors):
        if compiled:
            found.append(tuple(tensors[0].shape))
        return of_rank(compiled, tensors)

    monkeypatch.setattr(kernel, "of_rank", observed)
    for shape in shapes:
        np.testing.assert_array_equal(kernel(tf.ones(shape)), 2.0 * np.ones(shape))
    return found


def test_a_shape_is_compiled_at_its_second_use(monkeypatch):
    monkeypatch.setattr(_calculus, "LARGE", 0)
    kernel = _calculus._Kernel(_twice, whole=True)
    shapes = [(2, 3), (3, 2), (2, 3), (2, 3), (3, 2), (6,)]
    assert _compiled_shapes(kernel, shapes, monkeypatch) == [(2, 3), (2, 3), (3, 2)]


def test_a_storm_of_shapes_is_not_compiled(monkeypatch):
    monkeypatch.setattr(_calculus, "LARGE", 0)
    kernel = _calculus._Kernel(_twice, whole=False)
    storm = [(n, *[2] * (n % 3)) for n in range(1, 201)]
    compiled = _compiled_shapes(kernel, [s for s in storm for _ in range(2)], monkeypatch)
    assert compiled == storm[: _calculus.SHAPES]
    # One graph for each rank, compiled and not.
    assert len(kernel.concrete) <= 2 * 3
    again = _compiled_shapes(kernel, storm, monkeypatch)
    assert set(again) == set(storm[: _calculus.SHAPES])


def test_small_tensors_are_compiled_when_a_compilation_pays(monkeypatch):
    kernel = _calculus._Kernel(_twice, whole=True)
    small = [(1,), (_calculus.LARGE - 1,), (2, _calculus.LARGE // 4)]
    assert _compiled_shapes(kernel, small * _calculus.USES, monkeypatch) == []
    assert _compiled_shapes(kernel, small, monkeypatch) == small


def test_one_large_tensor_makes_it_large(chosen, monkeypatch):
    """The upstream gradient of a maximum over groups is small where x is not."""
    monkeypatch.setattr(_calculus, "LARGE", 8)
    kernel = _calculus._Kernel(lambda upstream, x: x * upstream[0], whole=True)
    for _ in range(2):
        np.testing.assert_array_equal(kernel(tf.ones([2]), tf.ones([8])), np.ones([8]))
    assert chosen == [False, True]
    assert _is_one_kernel(_work(kernel, [2], [8]))


def test_a_storm_of_small_shapes_leaves_room_for_a_large_one(monkeypatch):
    kernel = _calculus._Kernel(_twice, whole=True)
    assert _compiled_shapes(kernel, [(n,) for n in range(1, 201)], monkeypatch) == []
    assert sum(map(len, kernel.uses.values())) == _calculus.SHAPES
    assert _compiled_shapes(kernel, [(_calculus.LARGE,)] * 2, monkeypatch) != []


def test_asynchronous_calls_are_not_compiled(monkeypatch):
    monkeypatch.setattr(_calculus, "LARGE", 0)
    monkeypatch.setattr(tf.config.experimental, "get_synchronous_execution", lambda: False)
    kernel = _calculus._Kernel(_twice, whole=True)
    assert _compiled_shapes(kernel, [(2, 3)] * 3, monkeypatch) == []


def test_what_is_searched_for_nan_is_no_kernel(monkeypatch):
    """XLA does not know the operations that look for it, and no graph shall keep them."""
    monkeypatch.setattr(_calculus, "LARGE", 0)
    kernel = _calculus._Kernel(tf.sqrt, whole=True)
    tf.debugging.enable_check_numerics()
    try:
        for _ in range(3):
            np.testing.assert_array_equal(kernel(tf.ones([2])), [1.0, 1.0])
        with pytest.raises(tf.errors.InvalidArgumentError, match="Tensor had NaN"):
            kernel(-tf.ones([2]))
    finally:
        tf.debugging.disable_check_numerics()
    assert np.all(np.isnan(kernel(-tf.ones([2]))))


def test_a_single_operation_needs_no_gradient_of_ours_in_eager_mode(monkeypatch):
    """There it would take the time of the operation again."""
    single = [i for i in ELEMENTWISE if any(n for _, n in _asked_for(_call(i), matrix(i)))]
    assert single
    monkeypatch.setattr(_calculus, "_differentiable", None)
    for info in single:
        assert gradient(_call(info), matrix(info))[1] is not None


@pytest.mark.parametrize("shape", [[], [1], [2**14, 1]])
def test_a_gradient_that_is_summed_over_a_million_keeps_its_digits(shape):
    """Where XLA computes it beside another, it adds one number after the other."""

    @tf.function(jit_compile=True)
    def slopes(x, factor):
        with tf.GradientTape() as tape:
            tape.watch([x, factor])
            y = _calculus.elementwise(lambda x, f: f * x, lambda x, f: (f, x), x, factor)
        return tape.gradient(y, [x, factor])

    _, slope = slopes(tf.fill([2**14, 64], 0.1), tf.ones(shape))
    np.testing.assert_allclose(slope, np.full(shape, 0.1 * 2**20 / np.prod(shape)), rtol=2e-6)


# Under XLA


def _seen(function, x=None, **kwargs):
    """What `_compiled_as_a_whole` says inside a function that is traced."""
    found = []

    def traced(x):
        found.append(_calculus._compiled_as_a_whole())
        return x

    wrapped = function(traced)
    if x is None:
        wrapped.get_concrete_function(tf.TensorSpec([None]), **kwargs)
    else:
        wrapped(x)
    return set(found)


def _graph(function, compiled=None):
    return tf.function(function, jit_compile=compiled, autograph=False)


def _loop(body):
    return lambda x: tf.while_loop(lambda i, _: i < 2, lambda i, x: (i + 1, body(x)), [0, x])


NESTED = {
    "itself": lambda f: f,
    "a graph inside": _graph,
    "two graphs inside": lambda f: _graph(_graph(f)),
    "a branch": lambda f: lambda x: tf.cond(tf.size(x) > 2, lambda: f(x), lambda: x),
    "a loop": _loop,
}


@pytest.mark.parametrize("x", [None, tf.ones([3])], ids=["traced", "called"])
@pytest.mark.parametrize("nested", NESTED.values(), ids=NESTED)
def test_knows_what_xla_compiles(nested, x):
    assert _seen(lambda f: _graph(nested(f), compiled=True), x) == {True}
    assert _seen(lambda f: _graph(nested(f)), x) == {False}
    assert _seen(lambda f: _graph(_graph(nested(f), compiled=True)), x) == {True}


def test_knows_what_xla_does_not_compile():
    assert not _calculus._compiled_as_a_whole()
    with tf.Graph().as_default():
        assert not _calculus._compiled_as_a_whole()
        with tf.xla.experimental.jit_scope():
            assert not _calculus._compiled_as_a_whole()


def _needed(operation, without=()):
    """The operation and those its result is computed from, by data alone.

    Operations of some types, such as those that read a shape only, are left out.
    """
    found, waiting = set(), [operation]
    while waiting:
        operation = waiting.pop()
        if operation not in found and operation.type not in without:
            found.add(operation)
            waiting += [t.op for t in operation.inputs]
    return found


@all_activations
def test_under_xla_the_recomputation_depends_on_the_upstream_gradient(info):
    """XLA knows no other order, and would merge it with the forward pass."""
    call, x = _call(info), matrix(info)
    both = _graph(lambda x, upstream: gradient(call, x, upstream), compiled=True)
    graph = both.get_concrete_function(x, call(x))
    y, dx = graph.outputs
    given, upstream = (t.op for t in graph.inputs)
    backward = _needed(dx.op) - _needed(y.op)
    early = [o for o in backward if given in _needed(o) and upstream not in _needed(o)]
    assert upstream in backward
    assert not early, [o.name for o in early]


@all_of(ELEMENTWISE)
def test_under_xla_one_bad_upstream_gradient_does_not_spread(info):
    call, x = _call(info), tf.reshape(matrix(info), [-1])
    backward = _graph(lambda x, upstream: gradient(call, x, upstream)[1], compiled=True)
    expected = backward(x, tf.ones_like(x))
    for bad in (np.nan, np.inf, -np.inf):
        upstream = tf.concat([[bad], tf.ones_like(x)[1:]], 0)
        np.testing.assert_array_equal(backward(x, upstream)[1:], expected[1:])
    assert backward(x[:0], x[:0]).shape == [0]


def test_under_xla_the_sign_of_zero_is_kept():
    def inverse(x):
        return 1.0 / x

    function = _graph(
        lambda x, u: gradient(lambda t: _calculus.elementwise(tf.identity, inverse, t), x, u)[1],
        compiled=True,
    )
    x = tf.constant([1.0, -0.0, 0.0])
    for first in (1.0, -1.0, 0.0, -0.0):
        found = function(x, tf.constant([first, 1.0, 1.0]))
        np.testing.assert_array_equal(found, [first, -np.inf, np.inf])


def _kernels_under_xla(call, *arguments):
    """How many kernels compute something as large as the first argument."""
    text = _graph(call, compiled=True).experimental_get_compiler_ir(*arguments)("optimized_hlo")
    lines = text[text.index("\nENTRY") :].splitlines()
    size = f"[{arguments[0].shape[0]}]"
    return sum(size in line.split("(")[0] and "parameter(" not in line for line in lines[2:])


@all_of(ELEMENTWISE)
def test_under_xla_each_pass_is_one_kernel(info):
    """XLA stores what it takes for too dear to compute twice, as a quotient that serves twice."""
    x = tf.linspace(-3.0, 3.0, 1009)
    call = _call(info)
    assert _kernels_under_xla(call, x) <= 1
    backward = _kernels_under_xla(lambda x, upstream: gradient(call, x, upstream)[1], x, x)
    assert backward <= 1


# Exported models


# Exported once, and so by one worker.
of_the_export = pytest.mark.xdist_group("export")


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A model of all activations, each behind a layer of its own, and where it was exported to."""
    folder = str(tmp_path_factory.mktemp("exported"))
    keras.utils.set_random_seed(0)
    x = keras.Input((8,))
    model = keras.Model(x, {i.name: layer_of(i)(keras.layers.Dense(8)(x)) for i in ka.catalogue()})
    model.export(folder, verbose=False)
    return model, folder


@of_the_export
def test_an_export_computes_the_same(exported):
    model, folder = exported
    x = tf.constant(np.random.default_rng(0).normal(size=(16, 8)), tf.float32)
    expected = model(x)
    loaded = tf.saved_model.load(folder)
    for _ in range(3):
        found = loaded.serve(x)
        for name, y in expected.items():
            np.testing.assert_allclose(found[name], y, rtol=1e-5, atol=1e-6, err_msg=name)


@of_the_export
def test_an_export_compiles_nothing_by_force(exported):
    with tf.compat.v1.Session(graph=tf.Graph()) as session:
        graph = tf.compat.v1.saved_model.load(session, ["serve"], exported[1]).graph_def
    functions = graph.library.function
    nodes = [*graph.node, *(n for f in functions for n in f.node_def)]
    forced = [
        o.name if hasattr(o, "name") else o.signature.name
        for o in (*functions, *nodes)
        if "_XlaMustCompile" in o.attr and o.attr["_XlaMustCompile"].b
    ]
    assert not forced
    # Else the attribute might have got another name.
    assert any("_XlaCompile" in n.attr for n in nodes)


def _tflite(infos, folder, operations=("TFLITE_BUILTINS",)):
    if not hasattr(tf, "lite"):
        pytest.skip("this TensorFlow is without TFLite")
    x = keras.Input((8,))
    outputs = [layer_of(i)(keras.layers.Dense(8)(x)) for i in infos]
    keras.Model(x, outputs).export(folder, verbose=False)
    converter = tf.lite.TFLiteConverter.from_saved_model(str(folder))
    converter.target_spec.supported_ops = [getattr(tf.lite.OpsSet, o) for o in operations]
    return converter.convert()


def test_an_export_becomes_a_tflite_model_of_built_in_operations(tmp_path):
    assert _tflite([i for i in ka.catalogue() if i.tflite is None], tmp_path)


def test_an_export_becomes_a_tflite_model_with_tensorflows_operations(tmp_path):
    needy = [i for i in ka.catalogue() if i.tflite]
    assert _tflite(needy, tmp_path, ("TFLITE_BUILTINS", "SELECT_TF_OPS"))


@all_of([i for i in ka.catalogue() if i.tflite])
def test_built_in_operations_do_not_suffice(info, tmp_path):
    with pytest.raises(Exception, match="neither a custom op nor a flex op"):
        _tflite([info], tmp_path)


# Exponentials and their kin

mpmath.mp.dps = 40


def _grid(low, high, dtype):
    """Points between two numbers, also those of small magnitude, down to the smallest normal."""
    tiny = float(np.finfo(dtype).tiny)
    sides = [s * np.geomspace(tiny, abs(e), 500) for s, e in ((-1, low), (1, high)) if e]
    return np.concatenate([np.linspace(low, high, 1000), *sides]).astype(dtype)


def _largest_error(found, truth, x):
    """In units in the last place, of what is a normal number."""
    found = np.asarray(found)
    exact = [truth(mpmath.mpf(float(v))) for v in x]
    size = np.array([float(abs(e)) for e in exact])
    normal = size > 1.01 * float(np.finfo(found.dtype).tiny)
    assert np.mean(normal) > 0.5
    rest = [float(abs(mpmath.mpf(float(f)) - e)) for f, e in zip(found, exact, strict=True)]
    return np.max((rest / np.spacing(size.astype(found.dtype)).astype("float64"))[normal])


def _scaled_exp(z):
    e, scale = _special.scaled_exp(z, z.dtype)
    return e * scale


def _exp_of_precise(z):
    e, scale = _special.scaled_exp(_special.wide(z) * 1.1, z.dtype)
    return e * scale


def _times_exp(z):
    return _special.times_exp(3.0, z)


def _log1p_exp(z):
    return _special.times_log1p_exp(1.0, z, z.dtype)


FACTOR = float(np.float32(1.1))


def _exp_of_product(z):
    # A factor with digits of its own, and not known to the compiler.
    factor = tf.constant(FACTOR, z.dtype) + 0.0 * z
    exact = _special.double_word(z) * _special.double_word(factor)
    e, scale = _special.scaled_exp(exact, z.dtype)
    return e * scale


def _exp_of_product_truth(z):
    return mpmath.exp(z * FACTOR)


def _tail(a):
    return mpmath.erfc(a / mpmath.sqrt(2)) / 2 * mpmath.exp(a * a / 2)


# The function, the truth, and from where to where; the results are normal numbers in float32.
SPECIAL = {
    "expm1": (_special.expm1, mpmath.expm1, -100, 88.7),
    "sigmoid": (_special.sigmoid, lambda x: 1 / (1 + mpmath.exp(-x)), -87.3, 100),
    "tanh": (_special.tanh, mpmath.tanh, -100, 100),
    "normal_tail": (_special.normal_tail, _tail, 0, 14),
    "scaled_exp": (_scaled_exp, mpmath.exp, -87.3, 0),
    "exp_of_precise": (_exp_of_precise, lambda z: mpmath.exp(z * 1.1), -79.3, 0),
    "exp_of_product": (_exp_of_product, _exp_of_product_truth, -79.3, 0),
    "times_exp": (_times_exp, lambda z: 3 * mpmath.exp(z), -88.4, 0),
    "erf": (_special.erf, mpmath.erf, -9, 9),
    "log1p": (_special.log1p, mpmath.log1p, -0.999, 1e30),
    "log1p_exp": (_log1p_exp, lambda z: mpmath.log1p(mpmath.exp(z)), -87.3, 0),
}


@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "xla"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", SPECIAL)
def test_exponentials(name, dtype, compiled):
    function, truth, low, high = SPECIAL[name]
    x = tf.constant(_grid(low, high, dtype))
    found = _graph(function, compiled)(x) if compiled else function(x)
    # In float64 1e-13, relatively.
    assert _largest_error(found, truth, x.numpy()) <= {"float32": 4, "float64": 450}[dtype]


WORDS = {
    "product": lambda a, b: a * b,
    "sum": lambda a, b: a + b,
    "difference": lambda a, b: a - b,
    "quotient": lambda a, b: a / b,
}


@pytest.mark.parametrize("compiled", [False, True], ids=["graph", "xla"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", WORDS)
def test_double_words_have_twice_the_digits(name, dtype, compiled):
    generator = np.random.default_rng(0)
    a, b, c = (generator.normal(size=2000).astype(dtype) for _ in range(3))

    def function(*numbers):
        a, b, c = map(_special.double_word, numbers)
        # One of the operands with digits beyond those of the dtype.
        result = WORDS[name](a * b, c)
        return result.high, result.low

    high, low = _graph(function, compiled)(a, b, c)
    exact = [[fractions.Fraction(float(v)) for v in values] for values in (a, b, c)]
    truth = [WORDS[name](x * y, z) for x, y, z in zip(*exact, strict=True)]
    terms = [abs(x * y) + abs(z) for x, y, z in zip(*exact, strict=True)]
    size = terms if name in ("sum", "difference") else map(abs, truth)
    found = zip(high.numpy(), low.numpy(), truth, size, strict=True)
    worst = max(
        abs(fractions.Fraction(float(h)) + fractions.Fraction(float(x)) - t) / s
        for h, x, t, s in found
    )
    # Grappler's order of the sums costs a few of the last.
    assert worst < {"float32": 2.0**-33, "float64": 2.0**-70}[dtype]


def test_double_words_at_the_extremes():
    x = tf.constant([np.inf, -np.inf, 3e38, 1e-38, 0.0, np.nan])
    z = _special.falling(_special.double_word(x) * _special.double_word(tf.fill([6], 3e38)))
    e, scale = _special.scaled_exp(z, x.dtype)
    np.testing.assert_allclose((e * scale)[:3], 0.0)
    assert 0.0 < e[3] <= 1.0
    assert e[4] == 1.0
    assert np.isnan(e[5])


def test_an_exponential_that_is_zero_does_not_ask_for_the_lower_word():
    numbers = (tf.constant([v]) for v in (1e17, 1.2, 0.7, 1e30))
    a, b, c, d = map(_special.double_word, numbers)
    z = a * (b + c) * d
    assert np.isinf(z.low)
    assert _special.scaled_exp(_special.falling(z), tf.float32)[0] == 0.0


def test_minus_abs():
    factor = tf.constant([2.0, np.inf, -np.inf, 1e-33, 1e9, 0.0])
    x = tf.constant([-3.0, 0.0, 0.0, 1e36, 1e9, np.inf])
    found = _special.minus_abs(factor * x < 0.0, factor, x)
    np.testing.assert_allclose(found, [-6.0, 0.0, 0.0, -1e-3, -1e4, 0.0], rtol=1e-6)


WAVES = {"sin": mpmath.sin, "cos": mpmath.cos}


@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "xla"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", WAVES)
def test_waves(name, dtype, compiled):
    def function(z):
        return getattr(_special, name)(_special.phase(z))

    z = tf.constant(np.concatenate([_grid(-10, 10, dtype), _grid(-6e6, 6e6, dtype)]))
    found = _graph(function, compiled)(z) if compiled else function(z)
    truth = np.array([float(WAVES[name](mpmath.mpf(float(v)))) for v in z.numpy()])
    rtol, atol = {"float32": (3e-7, 6e-8), "float64": (1e-13, 1e-20)}[dtype]
    np.testing.assert_allclose(found, truth, rtol=rtol, atol=atol)


@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "xla"])
@pytest.mark.parametrize("name", WAVES)
def test_waves_of_a_phase_in_float64_lose_nothing_at_their_zeros(name, compiled):
    def function(z):
        return getattr(_special, name)(_special.phase(_special.wide(z)), z.dtype)

    quarters = tf.constant(np.pi / 2 * np.arange(-4000, 4000) * 1009, tf.float32)
    found = _graph(function, compiled)(quarters) if compiled else function(quarters)
    truth = [float(WAVES[name](mpmath.mpf(float(v)))) for v in quarters.numpy()]
    np.testing.assert_allclose(found, truth, rtol=4e-7)


@pytest.mark.parametrize("compiled", [False, True], ids=["graph", "xla"])
@pytest.mark.parametrize(("dtype", "farthest"), [("float32", 2.1e5), ("float64", 1e13)])
def test_a_phase_is_not_rounded(dtype, farthest, compiled):
    def function(x, frequency):
        return _special.sin(_special.phase(x, frequency))

    x = tf.constant(np.random.default_rng(0).uniform(-farthest, farthest, 500), dtype)
    frequency = tf.constant(30.1, dtype)
    found = _graph(function, compiled)(x, frequency)
    with mpmath.workprec(200):
        truth = [mpmath.sin(mpmath.mpf(float(frequency)) * mpmath.mpf(float(v))) for v in x.numpy()]
    atol = {"float32": 2e-7, "float64": 1e-14}[dtype]
    np.testing.assert_allclose(found, np.float64(truth), rtol=0.0, atol=atol)


def test_a_tiny_phase_keeps_its_digits():
    x = tf.constant(10.0 ** np.random.default_rng(0).uniform(-37, -15, 500), tf.float32)
    for frequency in (1.0, tf.constant(30.0)):
        found = _special.sin(_special.phase(x, frequency))
        np.testing.assert_allclose(found, frequency * x, rtol=4e-7)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_phase_beyond_all_turns_is_a_whole_number_of_them(dtype):
    x = tf.constant([np.inf, -np.inf, 1e38, -1e20, np.nan], dtype)
    for frequency in (1.0, tf.constant(30.0, dtype), tf.constant(np.inf, dtype)):
        z = _special.phase(x, frequency)
        np.testing.assert_array_equal(_special.sin(z), [0.0, 0.0, 0.0, 0.0, np.nan])
        np.testing.assert_array_equal(_special.cos(z), [1.0, 1.0, 1.0, 1.0, np.nan])


@pytest.mark.parametrize("compiled", [False, True], ids=["graph", "xla"])
def test_reciprocal(compiled):
    x = np.float32([0.0, 1.0, 3.0, -7.0, 1e-30, 1e30, 2.3e34, 9e36])
    found = _graph(_special.reciprocal, compiled)(tf.constant(np.tile(x, 8))).numpy()[: len(x)]
    assert (found[0], found[1]) == (0.0, 1.0)
    np.testing.assert_allclose(found[1:], 1.0 / x[1:].astype("float64"), rtol=1.2e-7)


def test_derivatives_of_waves_lose_nothing_at_their_zeros():
    z = tf.constant(np.pi / 2 * np.arange(-8, 9) + 1e-4, tf.float64)
    for function, slope in ((_special.sin, mpmath.cos), (_special.cos, lambda v: -mpmath.sin(v))):
        found = gradient(lambda z: function(_special.phase(z), tf.float32), z)[1]  # noqa: B023
        truth = [float(slope(mpmath.mpf(v))) for v in z.numpy()]
        np.testing.assert_allclose(found, truth, rtol=6e-7)
