"""Bad input: whatever comes in, out comes an answer or a clear exception, soon, and nothing else.

`make bad-input` tries many more, chosen at random, than the tests do.
"""

import contextlib
import faulthandler
import functools
import inspect
import io
import json
import math
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import textwrap
import warnings
import zipfile

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf
from cases import layer_of
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from matplotlib import pyplot

import keras_activations as ka
from keras_activations._registry import constructor_arguments

# How many times as many inputs as the tests try by default.
FACTOR = int(os.environ.get("KERAS_ACTIVATIONS_INPUTS", "1"))
# What is slower, or takes more memory, hangs.
SECONDS, BYTES = 120, 2**30
EXPECTED = (TypeError, ValueError)

FLOATING = ["float16", "bfloat16", "float32", "float64"]
WHOLE = ["bool", *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64))]
OTHER = ["complex64", "complex128", "string", "float8_e4m3fn", "float8_e5m2"]
VALUES = [
    *(0.0, -0.0, 1.0, -1.0, 0.5, -3.25, 20.0, -90.0, 1e4, -1e4, 1e10, -1e30),
    *(5e-324, -5e-324, 1e-310, 1e-45, -1e-39, 6e-8, -1e-5, 1e-30, 2.2e-308),
    *(65504.0, -65504.0, 3.3895314e38, -3.4028235e38, 1.7976931348623157e308, -1.79e308),
    *(float("inf"), float("-inf"), float("nan")),
]
HOSTILE = "__import__('pathlib').Path('executed').touch()"


class Stranger:
    """Of no use to anybody."""


def nested_list(depth):
    """A list in a list in a list…"""
    return functools.reduce(lambda inner, _: [inner], range(depth), 1.0)


ODD = [
    *VALUES,
    *(True, False, 0, 1, -1, 2, 7, -(10**9), 2**63, -(2**64), 10**400),
    *(None, "", "x", "1.0", "relu", "\0", "ﬁ", HOSTILE, b"x", 1j, Stranger(), Stranger, len),
    *([], [1.0], [None], ["x"], [[1.0], [2.0, 3.0]], (), (1.0, 2.0, 3.0), (-1,), [0, 0], {}),
    *({"a": 1.0}, {1.0}, range(3), np.ones(3), np.ones((7, 5)), np.zeros(0), np.array("x")),
    *("x" * 10**6, [1.0] * 10**5, nested_list(200), nested_list(900), 10**4000, b"x" * 10**6),
    *(np.array(None), np.float16(2.0), np.int8(3), np.datetime64("2020-01-01")),
    *(tf.constant(2.0), tf.constant("x"), tf.constant(1j), tf.ones([7, 5]), tf.constant(3)),
    *(tf.ragged.constant([[1.0], []]), tf.sparse.from_dense([1.0]), tf.TensorShape(None)),
    *(keras.KerasTensor((2, 3)), keras.layers.Dense(1), tf.float32),
]

tried = 0


@pytest.fixture(autouse=True)
def _counted(request, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = tried
    yield
    request.node.user_properties.append(("inputs", tried - before))


def inputs(count, *strategies):
    """A property, of so many inputs."""
    profile = settings(
        max_examples=count * FACTOR,
        deadline=None,
        database=None,
        derandomize=FACTOR == 1,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    return lambda test: profile(given(*strategies)(test))


@contextlib.contextmanager
def bounded():
    """Counts an input, and ends the process if it takes too long."""
    global tried
    tried += 1
    faulthandler.dump_traceback_later(SECONDS, exit=True)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        faulthandler.cancel_dump_traceback_later()
    more = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert more * 1024 < BYTES, "too much memory"
    assert not pathlib.Path("executed").exists(), "a string was executed"


def attempt(call, *args, **kwargs):
    """What comes out; None if that is an exception of the kind that one expects."""
    with bounded():
        try:
            return call(*args, **kwargs)
        except EXPECTED as error:
            message = str(error)
    assert len(message) > 10, message
    return None


# What the search has found, for which there was a stranger exception, none, or no end.
FOUND = {
    "text": (lambda: ka.snake(1.0, alpha="x"), "real numbers"),
    "complex": (lambda: ka.snake(1.0, alpha=1j), "real numbers"),
    "other shape": (lambda: ka.snake(tf.ones([2, 4]), alpha=tf.ones([7, 5])), "broadcast"),
    "not a half": (lambda: ka.clamped_swiglu(tf.ones([2, 4]), alpha=tf.ones([4])), "broadcast"),
    "axis twice": (lambda: ka.softmax(tf.ones([2, 4]), axis=[1, -1]), "twice"),
    "array of axes": (lambda: ka.Snake(axis=np.array([1, 2])), "`axis` must be an integer"),
    "unknown parameter": (lambda: ka.snake(keras.Input((8,)), beta=3), r"snake\(\) .*'beta'"),
    "mask": (lambda: ka.Softmax()(tf.ones([1, 4]), mask=tf.ones([3, 4], tf.bool)), "mask must"),
    "scalar": (lambda: ka.maxout(1.0, num_units=1), "at least one axis"),
    "no channels": (lambda: ka.maxout(tf.ones([2, 0]), num_units=2), "positive multiple"),
    "nested": (lambda: ka.mish(nested_list(300)), "nested"),
    "too large": (lambda: ka.leaky_relu(1.0, 10**400), "out-of-range"),
    "oscillation": (lambda: ka.gain("snake", alpha=1e7), "too fast"),
    "distribution": (lambda: ka.initializer("relu", distribution=None), "distribution"),
}


@pytest.mark.parametrize("case", FOUND)
def test_what_the_search_has_found(case):
    call, message = FOUND[case]
    with pytest.raises(EXPECTED, match=message):
        call()


@pytest.mark.parametrize("rank", [1, 5, 6, 7])
def test_a_softmax_of_many_axes(rank):
    x = np.random.default_rng(0).normal(size=[*[2] * (rank - 1), 4]).astype("float32")
    expected = np.exp(x) / np.exp(x).sum(-1, keepdims=True)
    np.testing.assert_allclose(ka.softmax(x), expected, rtol=1e-6)
    np.testing.assert_allclose(ka.solu(x), x * expected, rtol=1e-6, atol=1e-7)
    in_graph = tf.function(ka.softmax, input_signature=[tf.TensorSpec(None)])(x)
    np.testing.assert_allclose(in_graph, expected, rtol=1e-6)


names = st.sampled_from([info.name for info in ka.catalogue()])
odd = st.sampled_from(ODD)
dtypes = st.sampled_from(FLOATING + WHOLE + OTHER)
shapes = st.lists(st.integers(0, 4), max_size=6).map(tuple)


@st.composite
def tensors(draw, dtypes=dtypes):
    """A tensor of any dtype, shape and values."""
    dtype, shape = tf.as_dtype(draw(dtypes)), draw(shapes)
    if dtype == tf.string:
        return tf.fill(shape, draw(st.text()))
    with np.errstate(all="ignore"):
        values = draw(arrays.arrays("float64", shape, elements=st.sampled_from(VALUES)))
        if dtype.is_integer:
            return tf.constant(np.nan_to_num(values).clip(dtype.min, dtype.max).astype(dtype.name))
        return tf.cast(tf.constant(values), dtype)


@inputs(200, names, tensors())
def test_tensors(name, x):
    info = ka.info(name)

    def run():
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = info.function(x, **info.required)
        return y, tape.gradient(y, x) if x.dtype.is_floating else None

    if (found := attempt(run)) is None:
        return
    y, dx = found
    assert x.dtype.name in FLOATING + WHOLE
    assert y.dtype == (x.dtype if x.dtype.is_floating else keras.config.floatx())
    assert y.shape == layer_of(info).compute_output_shape(x.shape)
    if x.dtype.is_floating:
        assert (dx.dtype, dx.shape) == (x.dtype, x.shape)
    if x.dtype.is_floating and info.elementwise:
        for result in (y, dx):
            assert not np.any(np.isnan(result.numpy()) & np.isfinite(x.numpy()))


@inputs(150, names, st.sampled_from(ODD))
def test_what_is_no_tensor(name, x):
    """Such as None, dictionaries and text, instead of a tensor."""
    info = ka.info(name)
    y = attempt(info.function, x, **info.required)
    if isinstance(y, tf.Tensor):
        assert y.dtype.is_floating
    else:
        assert y is None or isinstance(y, tf.RaggedTensor | keras.KerasTensor)


@inputs(300, names, st.data())
def test_parameters_of_functions(name, data):
    info = ka.info(name)
    if not info.parameters:
        return
    given = info.required | {data.draw(st.sampled_from([*info.parameters])): data.draw(odd)}
    y = attempt(info.function, tf.ones([2, 4]), **given)
    assert y is None or y.dtype.is_floating or isinstance(y, keras.KerasTensor)


@inputs(12, names, st.lists(st.none() | st.integers(0, 4), max_size=6), st.sampled_from(FLOATING))
def test_unknown_shapes(name, shape, dtype):
    """What a graph or a functional model says of a shape beforehand is what comes out."""
    info = ka.info(name)
    x = tf.ones([2 if size is None else size for size in shape], dtype)
    traced = tf.function(lambda x: info.function(x, **info.required), autograph=False)
    y = attempt(info.function, x, **info.required)
    for spec in (tf.TensorSpec(shape, dtype), tf.TensorSpec(None, dtype)):
        concrete = attempt(traced.get_concrete_function, spec)
        if y is not None:
            assert concrete.structured_outputs.shape.is_compatible_with(y.shape)
            assert concrete(x).shape == y.shape
    symbolic = attempt(info.function, keras.KerasTensor(shape, dtype), **info.required)
    if y is not None:
        assert tf.TensorShape(symbolic.shape).is_compatible_with(y.shape)


@inputs(60, names, tensors(), st.data())
def test_layers(name, x, data):
    info = ka.info(name)
    arguments = {}
    if "mask" in inspect.signature(info.layer.call).parameters and data.draw(st.booleans()):
        arguments["mask"] = data.draw(tensors(st.sampled_from(["bool", "float32", "string"])) | odd)
    y = attempt(layer_of(info), x, **arguments)
    if y is not None:
        assert y.shape == layer_of(info).compute_output_shape(x.shape)


@inputs(300, names, st.data())
def test_arguments_of_layers(name, data):
    info = ka.info(name)
    choices = [*constructor_arguments(info.layer), "no_such_argument"]
    given = info.required
    for argument in data.draw(st.lists(st.sampled_from(choices), min_size=1, max_size=3)):
        given[argument] = data.draw(odd)
    shape = data.draw(shapes)

    def run():
        layer = info.layer(**given)
        config = layer.get_config()
        json.dumps(config)
        type(layer).from_config(config)
        return layer.compute_output_shape(shape), layer(tf.ones(shape)).shape

    if found := attempt(run):
        assert found[0] == found[1]


# Configs, as a file may hold them.

keys = st.sampled_from(["class_name", "config", "module", "registered_name", "name", "value"])
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.integers(1, 900).map(nested_list)
    | st.sampled_from(["relu", "l2", "Zeros", HOSTILE, 10**12, -(10**12), 10**400, 1e300]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=10) | keys, inner, max_size=4)
    ),
    max_leaves=8,
)


@inputs(300, names, st.data())
def test_configs(name, data):
    info = ka.info(name)
    config = layer_of(info).get_config()
    # The rest is Keras's to check.
    own = [*constructor_arguments(info.layer), "axes", "no_such_argument"]
    for key in data.draw(st.lists(st.sampled_from(own), min_size=1, max_size=3)):
        if data.draw(st.booleans()):
            config[key] = data.draw(json_values)
        else:
            config.pop(key, None)
    identity = {
        "module": info.layer.__module__,
        "registered_name": f"keras_activations>{info.layer.__name__}",
    }

    def run():
        layer = info.layer.from_config(config)
        again = keras.saving.deserialize_keras_object(
            {**identity, "class_name": info.layer.__name__, "config": config}
        )
        return layer, again

    if found := attempt(run):
        for layer in found:
            json.dumps(layer.get_config())


# Strings.

pieces = st.sampled_from(
    [
        *(name for info in ka.catalogue() for name in (info.name, *info.aliases)),
        *(p for info in ka.catalogue() for p in info.parameters),
        *("keras_activations>", "(", ")", "[", "]", "{", "}", ",", "=", ":", "*", "**", ".", "-"),
        *(" ", "\n", "\t", "\0", "#", "\\", "'", '"', "'''", "f'{", "lambda", "__class__", "if"),
        *("1", "0.5", "-1e9", "1e999", "1" * 5000, "None", "True", "nan", "1j", "b'x'", "...", "x"),
        *("\ud800", "\u202e", "𝓻𝓮𝓵𝓾", "relu\u0301", "ｍｉｓｈ", HOSTILE, "eval('1')", "open"),
    ]
)
texts = st.text() | st.lists(pieces, max_size=12).map("".join)


@st.composite
def nested(draw):
    """A string that repeats something, up to very many times."""
    name, count = draw(st.sampled_from(["relu", "leaky_relu", "apl"])), draw(st.integers(1, 10**6))
    opening, middle, closing = draw(
        st.sampled_from(
            [
                *(("(", "1", ")"), ("[", "1", "]"), ("{", "1", "}"), ("{1:", "1", "}")),
                *(
                    ("-", "1", ""),
                    ("~", "1", ""),
                    ("not ", "1", ""),
                    ("1+", "1", ""),
                    ("", "x", "x"),
                ),
                *(("1,", "1", ""), ("a.", "a", ""), ("1**", "1", ""), ("1 if 1 else ", "1", "")),
                *(
                    ("lambda:", "1", ""),
                    ("'", "'", ""),
                    ("9", "9", ""),
                    (" ", "1", ""),
                    ("f(", "", ")"),
                ),
                *(
                    ("#", "", ""),
                    ("\0", "", ""),
                    ("", "1", "\n"),
                    ("a=1,", "a=1", ""),
                    ("", "1", "[0]"),
                ),
            ]
        )
    )
    return f"{name}({opening * count}{middle}{closing * count})"


def check_string(text):
    for get in (ka.get, keras.activations.get, ka.info, ka.layer):
        found = attempt(get, text)
        assert found is None or callable(found) or found in ka.catalogue()


@inputs(400, texts)
def test_strings(text):
    check_string(text)


@inputs(30, nested())
def test_long_strings(text):
    check_string(text)


# The tools.


@inputs(40, st.sampled_from([ka.gain, ka.initializer, ka.properties, ka.plot]), st.data())
def test_arguments_of_tools(tool, data):
    identifier = data.draw(names | odd)
    known = [*inspect.signature(tool).parameters, "no_such_argument"]
    with contextlib.suppress(ValueError):
        known += ka.info(identifier).parameters
    chosen = data.draw(st.lists(st.sampled_from(known), max_size=2))
    kwargs = {key: data.draw(odd) for key in chosen if key not in ("identifier", "identifiers")}
    found = attempt(tool, identifier, **kwargs)
    assert found is None or tool is not ka.gain or math.isfinite(found)
    pyplot.close("all")


def _build(activation):
    return keras.Sequential([keras.layers.Dense(4, activation), keras.layers.Dense(2, "softmax")])


X, Y = np.eye(4, dtype="float32"), np.array([0, 1, 0, 1])


@inputs(12, st.data())
def test_arguments_of_compare(data):
    kwargs = {"activations": ["relu"], "train": (X, Y), "validation": (X, Y), "build_fn": _build}
    kwargs |= {"seeds": 1, "epochs": 1}
    parameters = inspect.signature(ka.compare).parameters
    for argument in data.draw(st.lists(st.sampled_from([*parameters]), min_size=1, max_size=2)):
        kwargs[argument] = data.draw(
            odd.filter(lambda value: not (type(value) is int and value > 9))
        )
    with contextlib.suppress(OSError):  # Of a folder that cannot be.
        attempt(lambda: str(ka.compare(**kwargs)))


@inputs(40, st.data())
def test_arguments_of_the_monitor(data):
    model = _build("relu")
    model.compile("sgd", "sparse_categorical_crossentropy")
    model(X)
    kwargs = {"x": X, "y": Y}
    parameters = inspect.signature(ka.ActivationMonitor).parameters
    for argument in data.draw(st.lists(st.sampled_from([*parameters]), min_size=1, max_size=2)):
        kwargs[argument] = data.draw(odd)

    def run():
        monitor = ka.ActivationMonitor(**kwargs)
        monitor.set_model(model)
        monitor.on_train_begin()
        monitor.on_epoch_begin(0)
        monitor.on_train_end()

    with contextlib.suppress(OSError, tf.errors.OpError):  # Of a file that cannot be.
        attempt(run)


@inputs(40, st.data())
def test_arguments_of_replace_activations(data):
    model = keras.Sequential([keras.Input((4,)), *_build("relu").layers])
    replacements = data.draw(odd | st.dictionaries(st.just("relu") | st.text(), odd, max_size=2))
    subject = model if data.draw(st.integers(0, 3)) else data.draw(odd)
    new = attempt(ka.replace_activations, subject, replacements, verbose=0)
    assert new is None or new is not model


# Files.


def model_of_ours():
    return keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(4, activation="snake"),
            keras.layers.Dense(4, activation=ka.gelu),
            ka.PReLU(alpha_regularizer="l2"),
            ka.Softmax(axis=[1]),
            ka.Maxout(num_units=2),
            ka.Rational(init="gelu"),
            ka.RReLU(seed=1),
        ]
    )


@functools.cache
def saved(suffix):
    """The bytes of a file with a model of ours."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, f"model.{suffix}")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model_of_ours().save(path)
        return path.read_bytes()


def load(content, suffix):
    """Reads a file, of which Keras may complain in its own way."""
    path = pathlib.Path(f"model.{suffix}")
    path.write_bytes(content)
    with bounded(), contextlib.suppress(Exception):
        return keras.models.load_model(path)


suffixes = st.sampled_from(["keras", "h5"])


@inputs(40, suffixes, st.data())
def test_truncated_files(suffix, data):
    content = saved(suffix)
    assert load(content[: data.draw(st.integers(0, len(content) - 1))], suffix) is None


@inputs(40, st.data())
def test_files_with_wrong_bytes(data):
    content = bytearray(saved("keras"))
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=9)):
        content[place] = data.draw(st.integers(0, 255))
    load(bytes(content), "keras")


def places(value):
    """Where in a config something could be something else."""
    children = value.items() if isinstance(value, dict) else enumerate(value)
    for key, child in children:
        yield value, key
        if isinstance(child, dict | list):
            yield from places(child)


def with_config(content, suffix, change):
    """The file, with what `change` makes of its config."""
    file = io.BytesIO(content)
    if suffix == "h5":
        with h5py.File(file, "r+") as archive:
            archive.attrs["model_config"] = change(archive.attrs["model_config"])
    else:
        with zipfile.ZipFile(file) as archive:
            entries = {name: archive.read(name) for name in archive.namelist()}
        entries["config.json"] = change(entries["config.json"])
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            for name, entry in entries.items():
                archive.writestr(name, entry)
    return file.getvalue()


@inputs(60, suffixes, st.data())
def test_files_with_other_configs(suffix, data):
    def change(text):
        config = json.loads(text)
        for _ in range(data.draw(st.integers(1, 3))):
            found = list(places(config))
            holder, key = found[data.draw(st.integers(0, len(found) - 1))]
            holder[key] = data.draw(json_values)
        return json.dumps(config)

    load(with_config(saved(suffix), suffix, change), suffix)


def test_shapes_too_large_for_any_memory():
    """Ours say what Keras's own layer says, in a process that lives."""
    script = """
        import json, resource, sys
        import keras
        import keras_activations as ka
        resource.setrlimit(resource.RLIMIT_AS, (16 * 2**30, resource.RLIM_INFINITY))
        for size in (2**62, 10**30):
            for layer in (keras.layers.PReLU(), ka.PReLU()):
                config = json.loads(keras.Sequential([keras.Input((4,)), layer]).to_json())
                model = config["config"]
                for holder in (model, *(it["config"] for it in model["layers"])):
                    for key in {"build_input_shape", "batch_shape"} & set(holder):
                        holder[key] = [None, size]
                for holder in model["layers"]:
                    holder.pop("build_config", None)
                try:
                    keras.models.model_from_json(json.dumps(config))
                    print("loaded")
                except Exception as error:
                    print(type(error).__name__)
        """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = done.stdout.split()
    assert len(found) == 4
    assert "loaded" not in found
    assert found[::2] == found[1::2]
