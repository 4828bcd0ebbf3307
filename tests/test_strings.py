"""Strings: every name in every layer, and nobody else's meaning changed."""

import subprocess
import sys
import textwrap

import keras
import numpy as np
import pytest
import tensorflow as tf
from cases import all_activations, all_of

import keras_activations as ka
from keras_activations import _keras_strings

NEW = [i for i in ka.catalogue() if not hasattr(keras.activations, i.name)]
SHARED = [
    i
    for i in ka.catalogue()
    if getattr(getattr(keras.activations, i.name, None), "__name__", None) == i.name
]
OWN = next(i for i in NEW if i.elementwise and not i.required)


@all_of(NEW)
def test_new_names(info):
    for name in (info.name, *info.aliases):
        assert keras.activations.get(name) is info.function
        assert keras.layers.Activation(name).activation is info.function
        assert keras.layers.Dense(2, activation=name).activation is info.function


@all_activations
def test_namespaced_names(info):
    assert keras.activations.get(f"keras_activations>{info.name}") is info.function
    for alias in info.aliases:
        assert keras.activations.get(f"keras_activations>{alias}") is info.function


def _given_to_layers(name):
    """Layers that take an activation, and what they take: the first few show what differs."""
    # Of four channels, which come in pairs.
    series, image = tf.ones([2, 3, 4]), tf.ones([2, 6, 6, 4])
    return [
        (keras.layers.Dense(4, activation=name), series),
        (keras.layers.Conv2D(4, 2, activation=name), image),
        (keras.layers.LSTM(4, activation=name, recurrent_activation=name), series),
        (keras.layers.EinsumDense("bti,io->bto", (None, 4), activation=name), series),
        (keras.layers.Activation(name), series),
        (keras.layers.Conv1D(4, 2, activation=name), series),
        (keras.layers.DepthwiseConv2D(2, activation=name), image),
        (keras.layers.SeparableConv2D(4, 2, activation=name), image),
        (keras.layers.Conv2DTranspose(4, 2, activation=name), image),
        (keras.layers.SimpleRNN(4, activation=name), series),
        (keras.layers.GRU(4, activation=name), series),
        (keras.layers.Bidirectional(keras.layers.LSTM(4, activation=name)), series),
        (keras.layers.TimeDistributed(keras.layers.Dense(4, activation=name)), series),
        (keras.layers.ConvLSTM1D(4, 2, activation=name), tf.ones([2, 3, 6, 3])),
    ]


NEW_IN_LAYERS = [i for i in NEW if i.keeps_shape]


@all_of(NEW_IN_LAYERS)
def test_in_every_layer_that_takes_an_activation(info):
    layers = _given_to_layers(info.name)
    # How a layer finds a name is the same for all names.
    for layer, x in layers if info in NEW_IN_LAYERS[::4] else layers[:3]:
        y = layer(x)
        assert np.all(np.isfinite(y))
        again = type(layer).from_config(layer.get_config())
        again.build(tuple(x.shape))
        again.set_weights(layer.get_weights())
        np.testing.assert_array_equal(again(x), y)


@all_activations
def test_parameters_in_the_string(info):
    for sample in info.samples:
        arguments = {**info.required, **sample}
        text = ", ".join(f"{k}={v!r}" for k, v in arguments.items())
        for prefix in ("", "keras_activations>"):
            layer = keras.activations.get(f"{prefix}{info.name}({text})")
            assert type(layer) is info.layer
            for name, value in arguments.items():
                np.testing.assert_array_equal(getattr(layer, name), value)
    for alias in (info.name, *info.aliases):
        if not info.required:
            assert type(ka.get(f"{alias}()")) is info.layer


@pytest.mark.parametrize("policy", ["float64", "mixed_float16"])
@pytest.mark.parametrize("kind", [keras.layers.Dense, keras.layers.GRU])
def test_parameters_in_the_string_leave_the_dtype_to_the_layer_around(kind, policy, tmp_path):
    text = "leaky_relu(negative_slope=0.1)"
    layer = kind(4, activation=text, dtype=policy)
    model = keras.Sequential([keras.Input((3, 4)), layer])
    x = np.random.default_rng(0).normal(size=(2, 3, 4))
    assert model(x).dtype == layer.compute_dtype
    model.save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras")
    assert again(x).dtype == layer.compute_dtype
    np.testing.assert_array_equal(again(x), model(x))
    assert ka.get(text[:-1] + ", dtype='float16')")(x).dtype == "float16"


@pytest.mark.parametrize(
    "text",
    [
        "leaky_relu(",
        "leaky_relu(negative_slope=__import__('os').getcwd())",
        "leaky_relu(negative_slope=open)",
        "leaky_relu(*[1])",
        "leaky_relu(**{'negative_slope': 1})",
        "leaky_relu(0.1).__class__",
        "leaky_relu(0.1).foo(3)",
        "leaky_relu(0.1)(0.5)",
        "leaky_relu(0.1, negative_slope=0.2)",
        "leaky_relu(negative_slope=0.1, negative_slope=0.2)",
        "leaky_relu(0.1) or 1",
        "leaky_relu(" + "(" * 5000 + ")" * 5000 + ")",
        "leaky_relu(slope=0.1)",
        "leaky_relu(negative_slope='x')",
        "leaky_relu(0.1, 0.2, 0.3)",
    ],
)
def test_malformed_and_hostile_strings(text):
    with pytest.raises(ValueError, match=r"leaky_relu|LeakyReLU") as error:
        keras.activations.get(text)
    assert len(str(error.value)) < 1000


@pytest.mark.parametrize(
    ("wrong", "right"),
    [("snaek", "snake"), ("Gelu", "gelu"), ("keras_activations>mihs", "mish"), ("Mish()", "mish")],
)
def test_a_wrong_name_suggests_the_nearest(wrong, right):
    for get in (ka.get, keras.activations.get, lambda name: keras.layers.Dense(1, activation=name)):
        with pytest.raises(ValueError, match=f"identifier: .*Did you mean .*'{right}'"):
            get(wrong)


def test_a_name_like_no_other_suggests_nothing():
    with pytest.raises(ValueError, match=r"identifier: qqqqqq\. `keras_activations\.catalogue"):
        keras.activations.get("qqqqqq")


@all_activations
def test_values_without_names_are_in_the_order_of_the_function(info):
    for sample in info.samples:
        given = {**info.parameters, **info.required, **sample}
        names = list(given)[: max(list(given).index(n) for n in sample) + 1]
        text = ", ".join(repr(given[n]) for n in names)
        layer = ka.get(f"{info.name}({text})")
        for name in names:
            np.testing.assert_array_equal(getattr(layer, name), given[name])


def test_ka_get():
    assert ka.get(None) is ka.linear
    assert ka.get("gelu") is ka.gelu
    assert ka.get(len) is len
    with pytest.raises(TypeError, match="name of an activation"):
        ka.get(3)
    with pytest.raises(ValueError, match="Did you mean"):
        ka.layer("snaek")
    with pytest.raises(ValueError, match="parameters are: alpha"):
        ka.layer("snake", frequency=1.0)
    with pytest.raises(ValueError, match="name, function or layer"):
        ka.info(3)


@all_activations
def test_look_up(info):
    layer = ka.layer(info.name, **info.required)
    for key in (info.name, *info.aliases, info.function, info.layer, layer):
        assert ka.info(key) is info
    assert type(layer) is info.layer


def test_look_up_by_a_name_with_parameters():
    info = next(i for i in NEW if i.elementwise and len(i.parameters) == 1)
    (name,) = info.parameters
    for prefix in ("", "keras_activations>"):
        text = f"{prefix}{info.name}({name}=0.25)"
        assert ka.info(text) is info
        assert getattr(ka.layer(text, name="own"), name) == 0.25
        assert getattr(ka.layer(text, **{name: 0.5}), name) == 0.5


# What importing must not change.


@all_of(SHARED)
def test_keras_names_keep_their_meaning(info):
    theirs = getattr(keras.activations, info.name)
    assert theirs is not info.function
    assert keras.activations.get(info.name) is theirs
    assert keras.layers.Dense(1, activation=info.name).activation is theirs
    assert keras.activations.serialize(theirs) == info.name


def test_keras_aliases_and_none_keep_their_meaning():
    assert keras.activations.get("swish") is keras.activations.silu
    assert keras.activations.get("hard_swish") is keras.activations.hard_silu
    assert keras.activations.get(None) is keras.activations.linear


def test_no_plain_name_is_registered():
    ours = [k for k in keras.saving.get_custom_objects() if k.startswith("keras_activations>")]
    assert len(ours) == 2 * len(ka.catalogue())
    plain = {i.name for i in ka.catalogue()} & set(keras.saving.get_custom_objects())
    assert not plain


@pytest.mark.parametrize("name", ["identity", "zeros", "ones", "normal", "uniform"])
def test_initializers_keep_their_meaning(name):
    assert isinstance(keras.initializers.get(name), keras.initializers.Initializer)


def test_losses_metrics_and_string_arguments_keep_their_meaning():
    for name in ("poisson", "hinge", "huber", "log_cosh"):
        assert keras.losses.get(name).__module__.startswith("keras.")
    assert keras.losses.deserialize(keras.losses.serialize(keras.losses.get("mse"))) is not None
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", loss="poisson", metrics=["poisson"])
    again = keras.models.clone_model(model)
    again.compile_from_config(model.get_compile_config())
    assert again.loss == "poisson"


def _double(x):
    return 2.0 * x


@keras.saving.register_keras_serializable("theirs", "Own")
class _Tripled(keras.layers.Layer):
    def call(self, x):
        return 3.0 * x


@pytest.mark.parametrize("suffix", ["keras", "h5"])
def test_a_users_function_of_our_name_wins(tmp_path, suffix):
    name = OWN.name
    theirs = _renamed(name)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, activation=theirs)])
    x = np.ones((1, 3), "float32")
    expected = model(x)
    path = tmp_path / f"m.{suffix}"
    with keras.saving.custom_object_scope({name: theirs}):
        model.save(path)
    by_argument = keras.models.load_model(path, custom_objects={name: theirs})
    with keras.saving.custom_object_scope({name: theirs}):
        by_scope = keras.models.load_model(path)
        assert keras.activations.get(name) is theirs
    keras.saving.get_custom_objects()[name] = theirs
    try:
        by_registration = keras.models.load_model(path)
        assert keras.activations.get(name) is theirs
    finally:
        del keras.saving.get_custom_objects()[name]
    for loaded in (by_argument, by_scope, by_registration):
        np.testing.assert_array_equal(loaded(x), expected)
    assert keras.activations.get(name) is OWN.function


def _renamed(name):
    def theirs(x):
        return 2.0 * x

    theirs.__name__ = theirs.__qualname__ = name
    return theirs


def test_a_users_own_names_become_strings_too():
    with keras.saving.custom_object_scope({"double": _double, "Tripled": _Tripled}):
        assert keras.activations.get("double") is _double
        assert isinstance(keras.activations.get("Tripled"), _Tripled)
    with pytest.raises(ValueError, match="double"):
        keras.activations.get("double")


def test_a_users_object_of_our_name_disables_nothing_at_import():
    script = (
        "import keras, warnings\n"
        "warnings.simplefilter('error', UserWarning)\n"
        f"keras.saving.get_custom_objects()[{ka.catalogue()[0].name!r}] = abs\n"
        "import keras_activations as ka\n"
        f"assert keras.activations.get({ka.catalogue()[0].name!r}) is abs\n"
        f"assert keras.activations.get({ka.catalogue()[1].name!r}) is not None\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]


def test_the_users_layer_class_of_our_name_wins():
    with keras.saving.custom_object_scope({OWN.layer.__name__: _Tripled}):
        assert isinstance(keras.activations.get(OWN.layer.__name__), _Tripled)


def test_recurrent_layers_still_find_kerass_own_functions():
    for layer in (keras.layers.LSTM(2), keras.layers.GRU(2)):
        cell = layer.cell
        assert cell.activation is keras.activations.tanh
        assert cell.recurrent_activation is keras.activations.sigmoid


def test_crossentropy_still_finds_the_logits():
    logits = np.array([[100.0, -100.0, 0.0]], "float32")
    model = keras.Sequential([keras.Input((3,)), keras.layers.Activation("softmax")])
    with ka.use():
        loss = keras.losses.categorical_crossentropy(
            tf.constant([[0.0, 1.0, 0.0]]), keras.activations.get("softmax")(tf.constant(logits))
        )
        inside = keras.Sequential([keras.Input((3,)), keras.layers.Activation("softmax")])
        assert inside.layers[0].activation is model.layers[0].activation
    np.testing.assert_allclose(loss, [200.0])


# ka.use()


@all_of(SHARED)
def test_use(info):
    theirs = getattr(keras.activations, info.name)
    if not info.replaceable:
        with pytest.raises(ValueError, match="left to Keras"):
            ka.use(info.name)
        with ka.use():
            assert keras.activations.get(info.name) is theirs
        return
    with ka.use(info.name):
        assert keras.activations.get(info.name) is info.function
        for other in SHARED:
            if other is not info:
                assert keras.activations.get(other.name) is not other.function
    assert keras.activations.get(info.name) is theirs
    used = ka.use()
    assert keras.activations.get(info.name) is info.function
    saved = keras.activations.serialize(keras.layers.Dense(1, activation=info.name).activation)
    assert (saved == info.name) == info.portable
    used.restore()
    used.restore()
    assert keras.activations.get(info.name) is theirs


def test_use_takes_over_kerass_aliases_as_keras_means_them():
    with ka.use():
        for alias in ("swish", "hard_swish"):
            theirs = getattr(keras.activations, alias).__name__
            function = keras.activations.get(alias)
            assert function is getattr(ka, theirs)
            assert keras.activations.serialize(function) == theirs


def test_use_may_be_nested_and_undone_in_any_order():
    first, second = ka.use("gelu"), ka.use("gelu", "silu")
    first.restore()
    assert keras.activations.get("gelu") is ka.gelu
    second.restore()
    assert keras.activations.get("gelu") is keras.activations.gelu
    for _ in range(2):
        with first:
            with first:
                assert keras.activations.get("gelu") is ka.gelu
            assert keras.activations.get("gelu") is ka.gelu
        assert keras.activations.get("gelu") is keras.activations.gelu
    with pytest.raises(RuntimeError), ka.use("gelu"):
        raise RuntimeError
    assert keras.activations.get("gelu") is keras.activations.gelu


def test_use_refuses_other_names():
    with pytest.raises(ValueError, match=r"share.*gelu"):
        ka.use(OWN.name)
    with pytest.raises(ValueError, match="share") as raised:
        ka.use("gelu", "no_such_name")
    offered = str(raised.value).rpartition(": ")[2].rstrip(".").split(", ")
    kept = {i.name for i in SHARED if not i.replaceable}
    assert kept
    assert not kept & set(offered)
    with pytest.raises(TypeError, match="one by one"):
        ka.use(["gelu"])
    assert keras.activations.get("gelu") is keras.activations.gelu


# Should Keras change.

SITUATIONS = {
    "no table, another get": """
        del module.ALL_OBJECTS_DICT
        def get(identifier):
            if identifier in theirs: return theirs[identifier]
            raise ValueError(identifier)
        module.get = keras.activations.get = get
        """,
    "a table that is not a dict": """
        class Table:
            def get(self, key, default=None): return theirs.get(key, default)
        module.ALL_OBJECTS_DICT = Table()
        """,
    "no way at all": """
        del module.ALL_OBJECTS_DICT
        class Locked(type(keras)):
            def __setattr__(self, name, value): raise AttributeError(name)
            get = staticmethod(lambda identifier: theirs["linear"] if identifier is None else 1/0)
            serialize = staticmethod(keras.activations.serialize)
        keras.activations = Locked("keras.activations")
        for name, it in theirs.items(): vars(keras.activations)[name] = it
        def get(identifier): raise ValueError(identifier)
        vars(keras.activations)["get"] = get
        module.get = get
        sys.modules["keras.activations"] = keras.activations
        """,
}


@pytest.mark.parametrize("situation", SITUATIONS)
def test_should_keras_change_its_table(situation):
    script = f"""
        import importlib, sys, warnings
        import keras
        module = importlib.import_module("keras.src.activations")
        theirs = dict(module.ALL_OBJECTS_DICT)
    {textwrap.indent(textwrap.dedent(SITUATIONS[situation]), "    " * 2)}
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            import keras_activations as ka
        caught = [str(w.message) for w in caught if "Strings for the" in str(w.message)]
        print(len(caught), *caught)
        try:
            print(keras.activations.get("{OWN.name}") is ka.get("{OWN.name}"))
            with ka.use("gelu"):
                print(keras.activations.get("gelu") is ka.gelu)
            print(keras.activations.get("leaky_relu(0.5)").negative_slope)
        except ValueError:
            print("no strings")
        print(ka.mish([1.0]).shape)
        """
    lines = [line for line in textwrap.dedent(script).splitlines() if line.strip()]
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    if situation == "no way at all":
        assert done.stdout.startswith("1 Strings for the")
        assert "no strings" in done.stdout
    else:
        assert done.stdout.splitlines()[:4] == ["0", "True", "True", "0.5"]


@pytest.mark.parametrize("known", [True, False])
def test_should_keras_save_names_by_another_rule(known):
    """As from 3.16 on, where it no longer goes by the function's name but by a set of functions."""
    script = f"""
        import importlib
        import keras
        module = importlib.import_module("keras.src.activations")
        functions = set(module.ALL_OBJECTS)
        module.ALL_OBJECTS = functions
        def serialize(activation):
            if activation in functions: return activation.__name__
            return keras.saving.serialize_keras_object(activation)
        module.serialize = keras.activations.serialize = serialize
        if not {known}: del module.ALL_OBJECTS
        import keras_activations as ka
        for info in ka.catalogue():
            config = keras.layers.Dense(1, activation=info.function).get_config()
            if info.portable and {known}: assert config["activation"] == info.name
            layer = keras.layers.Dense.from_config(config)
            assert layer.activation.__name__ == info.name
            if not {known}: assert layer.activation is info.function
        """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_install_and_uninstall():
    _keras_strings.uninstall()
    try:
        with pytest.raises(ValueError, match=OWN.name):
            keras.activations.get(OWN.name)
    finally:
        _keras_strings.install()
    assert keras.activations.get(OWN.name) is OWN.function
    before = keras.activations.get
    _keras_strings.install()
    assert keras.activations.get is before
