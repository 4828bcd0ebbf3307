"""`replace_activations`: what is found, what is kept, and what is said."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_activations as ka
from keras_activations._sites import sites

layers = keras.layers


@pytest.fixture(autouse=True)
def _seeded():
    """What fails among the others fails alone, too."""
    keras.utils.set_random_seed(0)


def normal(*shape):
    """Numbers that do not depend on which tests have run before."""
    return np.random.default_rng(0).normal(size=shape).astype("float32")


X = normal(3, 8)


def functional():
    """Two inputs, a shared layer, a skip connection, an operation, and every form of activation."""
    left, right = keras.Input((8,), name="left"), keras.Input((8,), name="right")
    shared = layers.Dense(8, activation="relu", name="shared")
    rectified = layers.ReLU(name="rectified")
    x = layers.Add(name="sum")([shared(left), shared(right)])
    y = rectified(layers.BatchNormalization(name="norm")(rectified(x)))
    y = layers.Dense(8, activation=layers.ReLU(max_value=6), name="layer_inside")(y)
    y = layers.Activation("relu", name="act")(layers.Dropout(0.5, name="drop")(y))
    y = keras.ops.relu(layers.Add(name="skip")([x, y]))
    y = layers.Dense(8, activation=ka.Snake(), name="snakes")(y)
    return keras.Model(
        [left, right], {"out": layers.Dense(2, name="last", activation="softmax")(y)}
    )


def image_model():
    return keras.Sequential(
        [
            keras.Input((8, 8, 3), name="image"),
            layers.Conv2D(4, 3, activation="relu", name="conv"),
            layers.Conv2D(4, 3, name="bare"),
            layers.ReLU(name="own"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(2, activation="softmax", name="last"),
        ]
    )


def recurrent():
    x = keras.Input((2, 4))
    lstm = layers.LSTM(3, return_sequences=True, name="lstm")
    y = layers.Bidirectional(lstm, name="both")(x)
    y = layers.TimeDistributed(layers.Dense(3, activation="tanh"), name="each")(y)
    y = layers.TimeDistributed(layers.ReLU(name="inner"), name="each_relu")(y)
    y = layers.RNN([layers.GRUCell(3, name="a"), layers.SimpleRNNCell(3, name="b")], name="two")(y)
    return keras.Model(x, y)


class Block(layers.Layer):
    """Layers wherever a layer can hold them; its config has none of them."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = layers.Dense(8, activation="relu")
        self.act = layers.ReLU()
        self.steps = [layers.Dense(8), layers.ReLU()]
        self.table = {"z": layers.ReLU(), "a": layers.Dense(8)}
        self.pair = (layers.ReLU(),)
        self._hidden = layers.Dense(8, activation="relu")
        self.function = keras.activations.relu
        self.net = keras.Sequential([keras.Input((8,)), layers.Dense(8), layers.ReLU()])
        self.drop = layers.Dropout(0.5)

    def call(self, x, training=None):
        x = self.act(self.dense(x))
        for layer in [*self.steps, *self.table.values(), *self.pair, self._hidden, self.net]:
            x = layer(x)
        return self.drop(self.function(x), training=training)


@keras.saving.register_keras_serializable("test_surgery")
class Kept(layers.Layer):
    """Takes its activation as a Keras layer does."""

    def __init__(self, units, activation="relu", **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.activation = keras.activations.get(activation)
        self.dense = layers.Dense(units)

    def build(self, input_shape):
        self.scale = self.add_weight(name="scale", shape=(), initializer="ones")
        self.dense.build(input_shape)

    def call(self, x):
        return self.activation(self.scale * self.dense(x))

    def get_config(self):
        activation = keras.activations.serialize(self.activation)
        return {**super().get_config(), "units": self.units, "activation": activation}


class Net(keras.Model):
    def __init__(self):  # As beginners write it, and without a config of its own.
        super().__init__()
        self.block = Block()
        self.kept = Kept(8)
        self.head = layers.Dense(2)

    def call(self, x, training=None):
        return self.head(self.kept(self.block(x, training=training)))


def nested():
    inner = keras.Sequential(
        [keras.Input((8,)), layers.Dense(8, activation="relu", name="d")], name="inner"
    )
    x = keras.Input((8,))
    middle = keras.Model(x, keras.ops.relu(inner(x)) + x, name="middle")
    x = keras.Input((8,))
    return keras.Model(x, layers.ReLU(name="top")(middle(middle(x))))


def built(model, x=X):
    """The model, called once, with weights that are not those it starts from."""
    model(x)
    generator = np.random.default_rng(1)
    for weight in model.weights:
        weight.assign(weight + generator.normal(0.0, 0.05, weight.shape))
    return model


def outputs(model, x=X):
    return np.concatenate([np.array(y).ravel() for y in tf.nest.flatten(model(x))])


def activations(model):
    return [site.name for site in sites(model, operations=True)]


def copy_of(model, replacements):
    return ka.replace_activations(model, replacements, verbose=0)


MODELS = {
    "sequential": (image_model, normal(2, 8, 8, 3)),
    "functional": (functional, [X, X + 1.0]),
    "recurrent": (recurrent, normal(2, 2, 4)),
    "nested": (nested, X),
    "subclassed": (Net, X),
}
all_models = pytest.mark.parametrize(("make", "x"), MODELS.values(), ids=MODELS)
hard_coded = pytest.mark.filterwarnings("ignore:.*does not have its activations in its config")


@hard_coded
@all_models
def test_equal_activations_give_equal_outputs_and_the_original_stays(make, x):
    model = built(make(), x)
    before, weights, names = outputs(model, x), model.get_weights(), activations(model)
    functions, config = [site.activation for site in sites(model)], model.get_config()
    new = copy_of(model, {n: n for n in set(names) & {"relu", "tanh", "sigmoid", "softmax"}})
    ours = [site for site in sites(new) if site.name in ("relu", "tanh", "sigmoid", "softmax")]
    assert ours
    assert all(site.activation is site.info.function for site in ours)
    np.testing.assert_allclose(outputs(new, x), before, rtol=1e-6, atol=1e-7)
    # Neither by training the new one.
    for weight in new.weights:
        weight.assign(tf.zeros_like(weight))
    np.testing.assert_array_equal(outputs(model, x), before)
    for old, now in zip(weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, now)
    assert [site.activation for site in sites(model)] == functions
    assert activations(model) == names
    assert model.get_config() == config


@hard_coded
@all_models
def test_there_and_back_again(make, x):
    model = built(make(), x)
    name = "relu" if "relu" in activations(model) else "tanh"
    # The one with a maximum would come back without it.
    new = copy_of(
        model,
        lambda site: ka.Mish if site.name == name and site.path != "layer_inside" else None,
    )
    back = copy_of(new, {"mish": getattr(keras.activations, name)})
    assert "mish" in activations(new)
    assert np.abs(outputs(new, x) - outputs(model, x)).max() > 1e-4
    np.testing.assert_allclose(outputs(back, x), outputs(model, x), rtol=1e-6, atol=1e-7)
    assert sorted(activations(back)) == sorted(activations(model))


@pytest.mark.parametrize(("make", "x"), list(MODELS.values())[:-1], ids=list(MODELS)[:-1])
def test_what_comes_out_saves_and_trains(make, x, tmp_path):
    model = built(make(), x)
    new = copy_of(model, lambda site: ka.PReLU if site.name in ("relu", "tanh") else None)
    new(x)  # Keras builds the layers inside layers.
    assert any("alpha" in weight.path for weight in new.trainable_weights)
    new.compile("sgd", "mse", run_eagerly=True)
    before = new.get_weights()
    new.train_on_batch(x, tf.nest.map_structure(lambda y: 2.0 * y, new(x)))
    assert any((a != b).any() for a, b in zip(before, new.get_weights(), strict=True))
    new.save(tmp_path / "new.keras")
    again = keras.models.load_model(tmp_path / "new.keras")
    np.testing.assert_allclose(outputs(again, x), outputs(new, x), rtol=1e-5, atol=1e-6)
    assert activations(again) == activations(new)


def test_all_forms_of_an_activation_are_found_in_a_functional_model():
    model = functional()
    new = copy_of(model, {"relu": "mish"})
    assert [it.name for it in new.operations] == [it.name for it in model.operations]
    assert activations(new).count("mish") == 5
    assert "relu" not in activations(new)
    assert new.get_layer("rectified").activation is ka.mish


def test_shared_layers_stay_shared():
    model = built(functional(), [X, X])
    new = copy_of(model, {"relu": ka.PReLU})
    assert len(new.get_layer("rectified").weights) == 1
    assert len(new.weights) == len(model.weights) + 3  # shared, rectified, act; and two inside.


@pytest.mark.parametrize("standing", ["before", "after"])
@pytest.mark.parametrize(
    ("replacements", "left"),
    [
        ({"relu": "relu"}, 3),
        ({"first": "mish"}, 2),
        ({"act": "mish"}, 2),
        ({"prelu": "mish"}, 0),
    ],
)
def test_a_layer_that_is_an_activation_in_several_places_stays_one(replacements, left, standing):
    act = ka.PReLU(axis=None, name="act")
    first = layers.Dense(8, activation=act, name="first")
    x = keras.Input((8,))
    y = first(act(x)) if standing == "before" else act(first(x))
    y = layers.Dense(8, activation="relu")(layers.Dense(8, activation=act, name="second")(y))
    model = built(keras.Model(x, y))
    new = copy_of(model, replacements)
    new(X)
    assert activations(new).count("prelu") == left
    learned = [weight.numpy() for weight in new.weights if weight.shape == ()]
    assert learned == ([act.alpha.numpy()] if left else [])
    if left == 3:
        np.testing.assert_array_equal(outputs(new), outputs(model))


def test_of_two_arguments_that_are_one_layer_one_is_replaced():
    act = ka.PReLU(axis=None)
    lstm = layers.LSTM(4, activation=act, recurrent_activation=act)
    model = built(keras.Sequential([keras.Input((2, 4)), lstm]), tf.zeros([1, 2, 4]))
    new = copy_of(model, {"lstm_cell/activation": "relu"})
    new(tf.zeros([1, 2, 4]))
    assert activations(new) == ["relu", "prelu"]
    assert new.layers[0].cell.recurrent_activation.alpha.numpy() == act.alpha.numpy()


class Plain(layers.Layer):
    """As one writes a layer for oneself, without arguments for Keras."""

    def __init__(self, activation="relu"):
        super().__init__()
        self.activation = keras.activations.get(activation)
        self.replaced = 2.0

    def call(self, x):
        return self.replaced * self.activation(x)

    def get_config(self):
        activation = keras.activations.serialize(self.activation)
        return {**super().get_config(), "activation": activation}


def test_a_layer_whose_constructor_takes_no_name_keeps_what_it_has():
    layer = Plain(ka.Snake())
    layer.name, layer.dtype_policy = "own", keras.DTypePolicy("mixed_float16")
    model = built(keras.Sequential([keras.Input((8,)), layer, layers.ReLU()]))
    new = copy_of(model, {"snake": ka.PReLU})
    assert new.layers[0].name == "own"
    assert new.layers[0].dtype_policy.name == "mixed_float16"
    np.testing.assert_array_equal(new(X)[X > 0.0], tf.cast(2.0 * X[X > 0.0], "float16"))


def test_a_sparse_input_stays_sparse():
    model = keras.Sequential([keras.Input((8,), sparse=True), layers.Dense(8, "relu")])
    assert copy_of(model, {"relu": "mish"}).inputs[0].sparse


def test_all_places_in_a_layer_of_ones_own_are_found():
    model = built(keras.Sequential([keras.Input((8,)), Block()]))
    with pytest.warns(UserWarning, match="Block .* does not have its activations in its config"):
        new = copy_of(model, {"relu": ka.PReLU(alpha=0.0)})
    assert activations(new).count("prelu") == activations(model).count("relu") == 8
    assert "relu" not in activations(new)
    np.testing.assert_allclose(outputs(new), outputs(model), rtol=1e-6)
    assert len(new.trainable_weights) == len(model.trainable_weights) + 8
    assert list(new.layers[0].table) == ["z", "a"]


class Named(layers.Layer):
    """Holds layers that are no activations where others hold an activation."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.activation = layers.Activation("relu", name="held")
        self.pre_activation = keras.Sequential(
            [layers.BatchNormalization(), layers.Dense(8, "tanh", name="dense")], name="net"
        )
        self.post_activation = layers.BatchNormalization()

    def call(self, x):
        return self.post_activation(self.activation(self.pre_activation(x)))


def test_a_layer_in_an_attribute_named_like_an_activation_is_looked_into():
    dense = layers.Dense(8, activation=layers.Activation("relu", name="held"), name="dense")
    model = built(keras.Sequential([keras.Input((8,)), Named(name="named"), dense]))
    paths = {"named/held": "relu", "named/net/dense": "tanh", "dense/held": "relu"}
    assert {site.path: site.name for site in sites(model)} == paths
    with pytest.warns(UserWarning, match="Named .* does not have its activations in its config"):
        new = copy_of(model, {"relu": ka.PReLU(alpha=0.0), "tanh": keras.activations.tanh})
    assert "relu" not in activations(new)
    np.testing.assert_allclose(outputs(new), outputs(model), rtol=1e-6)


def test_a_layer_of_ones_own_may_be_the_activation_of_another():
    class Doubled(layers.Layer):
        def call(self, x):
            return 2.0 * x

    model = built(keras.Sequential([keras.Input((8,)), layers.Dense(8, Doubled(), name="dense")]))
    assert {site.path: site.name for site in sites(model)} == {"dense": "Doubled"}
    assert activations(copy_of(model, {"Doubled": "mish"})) == ["mish"]


@pytest.mark.parametrize("activation", ["mish", ka.PReLU, keras.layers.LeakyReLU(0.1)])
def test_a_layer_that_keeps_its_activation_in_its_config_is_saved(activation, tmp_path, recwarn):
    model = built(keras.Sequential([keras.Input((8,)), Kept(4)]))
    new = built(copy_of(model, {"relu": activation}))
    assert not recwarn.list
    new.save(tmp_path / "new.keras")
    again = keras.models.load_model(tmp_path / "new.keras")
    np.testing.assert_allclose(outputs(again), outputs(new), rtol=1e-6)


def test_keys_choose_places():
    model = nested()
    found = sites(model, operations=True)
    operation = next(site.path for site in found if site.path.startswith("middle/relu"))
    dense = "middle/inner/d"
    for keys, expected in (
        ({"relu": "mish"}, {dense, operation, "top"}),
        ({"d": "mish"}, {dense}),
        ({dense: "mish"}, {dense}),
        ({"inner": "mish"}, {dense}),
        ({"middle": "mish"}, {dense, operation}),
        ({"middle": "mish", "inner": "gelu"}, {operation}),
        ({"middle/inner": "mish", "middle": "gelu"}, {dense}),
        ({"relu": "mish", "inner": "gelu"}, {operation, "top"}),
        ({"d": "mish", "inner": "gelu", "relu": "gelu"}, {dense}),
        (lambda site: "mish" if site.layer.name == "top" else None, {"top"}),
    ):
        found = sites(copy_of(model, keys), operations=True)
        assert {site.path for site in found if site.name == "mish"} == expected


@pytest.mark.parametrize("key", ["hard_swish", "hard_silu"])
def test_aliases_are_names(key):
    forms = ("hard_swish", keras.activations.hard_silu, ka.hard_silu, ka.HardSiLU())
    model = keras.Sequential([keras.Input((4,)), *(layers.Dense(4, activation=f) for f in forms)])
    assert activations(copy_of(model, {key: "mish"})) == ["mish"] * 4


def test_a_recurrent_layer_has_two_activations():
    new = copy_of(recurrent(), {"lstm_cell/activation": "mish", "recurrent_activation": "relu6"})
    assert activations(new)[:5] == ["mish", "relu6", "mish", "relu6", "tanh"]


def test_every_kind_of_value():
    def twice(x):
        return 2.0 * x

    expected = {
        "prelu(alpha=0.5)": [0.5, 0.5],
        ka.PReLU: [0.25, 0.25],
        ka.PReLU(alpha=0.5): [0.5, 0.5],
        "prelu": ka.prelu,
        ka.gelu: ka.gelu,
        keras.activations.gelu: keras.activations.gelu,
        twice: twice,
        None: ka.linear,
    }
    for value, result in expected.items():
        new = copy_of(image_model(), {"relu": value})
        found = [site.activation for site in sites(new) if site.path in ("conv", "own")]
        assert len(found) == 2
        if callable(result):
            assert found == [result, result]
            continue
        new(np.ones((1, 8, 8, 3), "float32"))
        assert found[0] is not found[1]
        assert not {id(w) for w in found[0].weights} & {id(w) for w in found[1].weights}
        assert [float(it.alpha[0]) for it in found] == result


def test_what_is_replaced_is_said(capsys):
    model = nested()
    ka.replace_activations(functional(), {"relu": "prelu", "act": ka.Snake(alpha=2.0)})
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "relu -> prelu (fixed; PReLU is trained): shared"
    assert "ReLU(max_value=6) -> prelu (fixed; PReLU is trained): layer_inside" in lines
    assert "relu -> Snake(alpha=2.0): act" in lines
    deep = keras.Sequential(
        [keras.Input((4,)), *(layers.Dense(4, activation="relu", name=n) for n in "abcde")]
    )
    ka.replace_activations(deep, {"relu": "mish"})
    assert capsys.readouterr().out == "relu -> mish: a, b, c, and 2 more\n"
    ka.replace_activations(model, lambda site: None)
    assert capsys.readouterr().out == "Nothing was replaced.\n"
    ka.replace_activations(model, {"relu": "mish"}, verbose=0)
    assert not capsys.readouterr().out


MISTAKES = [
    ({"ReLU": "mish"}, ValueError, "Did you mean 'relu'.*The activations in it are: linear, relu"),
    ({"cnov": "mish"}, ValueError, "neither an activation in the model nor a layer.*'conv'"),
    ({"mish": "relu"}, ValueError, "neither"),
    ({"relu": "mihs"}, ValueError, "Did you mean 'mish'"),
    ({"relu": "leaky_relu(slope=1)"}, ValueError, "Its parameters are"),
    (
        {"relu": "swiglu"},
        ValueError,
        "swiglu cannot stand in for relu in conv: it makes 1/2 ×",
    ),
    ({"relu": ka.Maxout(2)}, ValueError, "Maxout.num_units=2. cannot stand in for relu in conv"),
    ({"relu": "maxout"}, ValueError, "maxout has no default for `num_units`"),
    ({"own": "crelu"}, ValueError, "crelu cannot stand in for ReLU in own: it makes 2 ×"),
    (lambda site: "mihs", ValueError, "Did you mean 'mish'"),
    (lambda site: 3, TypeError, "Expected the name of an activation"),
    ({"relu": 3}, TypeError, "Expected the name of an activation"),
    ({"relu": int}, TypeError, "must be one of layers.*int"),
    ({"relu": ka.Maxout}, TypeError, "Could not make a Maxout without arguments.*num_units"),
    ({ka.relu: "mish"}, TypeError, "The keys are names"),
    (ka.mish, TypeError, "must be a mapping, such as"),
    ("mish", TypeError, "must be a mapping, such as"),
    (ka.Mish, TypeError, "must be a mapping, such as"),
]


@pytest.mark.parametrize(("replacements", "error", "message"), MISTAKES)
def test_mistakes_are_explained(replacements, error, message):
    with pytest.raises(error, match=message):
        ka.replace_activations(image_model(), replacements)


def test_no_model_is_a_mistake():
    with pytest.raises(TypeError, match="must be a Keras model"):
        ka.replace_activations("model", {"relu": "mish"})


def masked():
    x, mask = keras.Input((8,)), keras.Input((8,), dtype="bool")
    return keras.Model([x, mask], layers.Softmax(name="last")(x, mask=mask))


@pytest.mark.parametrize("new", ["softmax", ka.Softmax, layers.Softmax()])
def test_a_mask_stays_one(new):
    inputs = [X, X < 0.5]
    np.testing.assert_allclose(copy_of(masked(), {"softmax": new})(inputs), masked()(inputs), 1e-5)


@pytest.mark.parametrize("new", ["mish", ka.Mish])
def test_what_takes_no_mask_is_refused_where_there_is_one(new):
    with pytest.raises(ValueError, match=r"(?i)mish cannot stand in for Softmax in last.* mask"):
        copy_of(masked(), {"softmax": new})


def test_a_gated_unit_takes_the_place_of_another():
    x = keras.Input((8,))
    model = keras.Model(x, layers.Dense(2)(ka.SwiGLU(name="gate")(x)))
    assert activations(copy_of(model, {"swiglu": ka.GeGLU})) == ["geglu", "linear"]
    with pytest.raises(ValueError, match="mish cannot stand in for SwiGLU in gate"):
        copy_of(model, {"swiglu": "mish"})


class Guarded(layers.Layer):
    def __init__(self, secret):
        super().__init__()
        self.dense = layers.Dense(8, activation="relu")
        self.secret = object()

    def call(self, x):
        return self.dense(x)

    def get_config(self):
        return super().get_config()


class Early(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.act = layers.ReLU()
        self.function = keras.activations.relu
        self.build((None, 8))

    def call(self, x):
        return self.function(self.act(x))


def test_layers_that_cannot_be_made_again_are_named():
    model = keras.Sequential([keras.Input((8,)), Guarded(object())])
    with pytest.raises(ValueError, match=r"Could not make Guarded .* again from its config"):
        copy_of(model, {"relu": "mish"})
    model = keras.Sequential([keras.Input((8,)), Early(name="early")])
    with pytest.raises(ValueError, match="Early 'early' is built in its constructor"):
        copy_of(model, {"relu": ka.PReLU})


def test_what_is_made_later_is_left_and_said():
    x = keras.Input((5, 4))
    y = layers.MultiHeadAttention(2, 3, name="attend")(x, x)
    model = keras.Model(x, layers.Dense(3, activation="softmax")(y))
    with pytest.warns(UserWarning, match="Softmax in attend/softmax.* was not replaced"):
        new = ka.replace_activations(model, {"softmax": "sparsemax"})
    assert activations(new)[-1] == "sparsemax"


class Trainer(keras.Model):
    def train_step(self, data):
        return {"mine": 1.0}


class Built(keras.Model):
    def __init__(self, width, name=None):
        x = keras.Input((8,))
        super().__init__(x, layers.Dense(width, activation="relu")(x), name=name)
        self.width = width

    def get_config(self):
        return {"width": self.width, "name": self.name}


class Stack(keras.Sequential):
    pass


def test_the_class_of_a_model_is_kept_where_it_can_be(recwarn):
    x = keras.Input((8,))
    model = Trainer(x, layers.Dense(8, activation="relu")(x))
    new = copy_of(model, {"relu": ka.PReLU})
    assert type(new) is Trainer
    stack = Stack([x, layers.Dense(8, activation="relu")])
    assert type(copy_of(stack, {"relu": "mish"})) is Stack
    assert not recwarn.list
    model = built(Built(4))
    with pytest.warns(UserWarning, match="Built .* became a plain Keras model"):
        new = copy_of(model, {"relu": "relu"})
    np.testing.assert_array_equal(outputs(new), outputs(model))


def test_freezing_is_kept():
    model = functional()
    model.get_layer("shared").trainable = False
    model.get_layer("rectified").trainable = False
    model.get_layer("norm").trainable = False
    new = copy_of(built(model, [X, X]), {"relu": ka.PReLU, "snake": ka.Snake(trainable=False)})
    new([X, X])
    trained = [weight.path for weight in new.trainable_weights]
    assert not any(name in path for path in trained for name in ("shared", "rectified", "norm"))
    assert sum("alpha" in path for path in trained) == 3  # Of act, layer_inside and the operation.
    assert len(new.weights) == len(model.weights) + 5
    model.trainable = False
    assert not copy_of(model, {"relu": ka.PReLU}).trainable_weights


@pytest.mark.parametrize("new", [ka.PReLU, "prelu(alpha=0.1)"], ids=["class", "string"])
def test_dtype_policies_are_kept(new):
    policy = "mixed_float16"
    model = keras.Sequential(
        [
            keras.Input((8,)),
            layers.Dense(8, dtype=policy, activation="relu"),
            layers.Identity(dtype="float32"),
            layers.ReLU(dtype=policy),
        ]
    )
    new = copy_of(model, {"relu": new})
    assert new(X).dtype == model(X).dtype == "float16"
    assert {weight.dtype for weight in new.weights} == {"float32"}
    assert [layer.dtype_policy.name for layer in new.layers] == [policy, "float32", policy]


@pytest.mark.parametrize("new", [tf.nn.relu, ka.PReLU], ids=["function", "class"])
def test_what_takes_the_place_of_an_operation_computes_in_its_dtype(new, global_policy):
    x = keras.Input((2,), dtype="float64")
    model = keras.Model(x, keras.ops.relu(x))
    global_policy("mixed_float16")
    new = copy_of(model, {"relu": new})
    large = np.array([[1e30, 2.0**24 + 1.0]])
    np.testing.assert_array_equal(new(large), large)


def test_a_saved_model_of_tensorflow_inside_another_is_kept(tmp_path):
    inner = keras.Sequential([keras.Input((8,)), layers.Dense(8)])
    inner.export(tmp_path / "inner", verbose=False)
    saved = layers.TFSMLayer(str(tmp_path / "inner"), call_endpoint="serve")
    x = keras.Input((8,))
    model = keras.Model(x, layers.ReLU()(saved(x)))
    new = copy_of(model, {"relu": "relu6"})
    np.testing.assert_array_equal(new(X), tf.nn.relu6(inner(X)))


@pytest.mark.parametrize("new", [ka.mish, ka.Mish, ka.Snake], ids=lambda new: new.__name__)
def test_quantized_layers_stay_so(new, tmp_path):
    model = keras.Sequential([keras.Input((8,)), layers.Dense(8, "relu"), layers.Dense(2)])
    with pytest.warns(UserWarning, match="does not have a `quantize`"):  # The input has none.
        model.quantize("int8")
    replaced = ka.replace_activations(model, {"relu": new}, verbose=0)
    policies = [layer.dtype_policy.name for layer in replaced.layers]
    assert policies == ["int8_from_float32"] * 2
    bare = ka.replace_activations(model, {"relu": None}, verbose=0)
    sums = bare.layers[0](X)
    own = new() if isinstance(new, type) else new
    expected = replaced.layers[1](own(sums))
    np.testing.assert_allclose(replaced(X), expected, rtol=1e-5, atol=1e-6)
    replaced.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded(X), replaced(X), rtol=1e-5, atol=1e-6)


def test_state_that_is_no_weight_is_kept():
    words = layers.StringLookup(name="words")
    words.adapt(["a", "b", "b"])
    norm = layers.Normalization(name="norm")
    norm.adapt(X)
    x, word = keras.Input((8,)), keras.Input((1,), dtype="string")
    y = layers.Dropout(0.5)(layers.Dense(8, activation="relu")(norm(x)))
    model = keras.Model([x, word], [y, words(word)])
    data = [tf.constant(X), tf.constant([["b"], ["a"], ["c"]])]
    model(data, training=True)
    new = copy_of(model, {"relu": "relu"})
    for training in (False, True):
        for a, b in zip(new(data, training=training), model(data, training=training), strict=True):
            np.testing.assert_array_equal(a, b)


def test_layers_shared_between_levels_stay_shared():
    inner = keras.Sequential([keras.Input((8,)), layers.Dense(8, activation="relu")], name="inner")
    x = keras.Input((8,))
    middle = keras.Model(x, inner(x), name="middle")
    x = keras.Input((8,))
    model = keras.Model(x, inner(middle(x)))
    new = copy_of(built(model), {"relu": ka.PReLU(alpha=0.0)})
    assert new.get_layer("inner") is new.get_layer("middle").get_layer("inner")
    np.testing.assert_allclose(outputs(new), outputs(model), rtol=1e-6)


class Tied(layers.Layer):
    def __init__(self, dense, **kwargs):
        super().__init__(**kwargs)
        self.dense = dense

    def call(self, x):
        return self.dense(x)

    def get_config(self):
        dense = keras.saving.serialize_keras_object(self.dense)
        return {**super().get_config(), "dense": dense}

    @classmethod
    def from_config(cls, config):
        dense = keras.saving.deserialize_keras_object(config.pop("dense"))
        return cls(dense, **config)


@pytest.mark.parametrize("first", [True, False])
def test_a_layer_tied_into_another_stays_tied(first):
    x = keras.Input((8,))
    dense = layers.Dense(8, activation="relu", name="dense")
    tied = Tied(dense, name="tied")
    model = keras.Model(x, tied(dense(x)) if first else dense(tied(x)))
    new = copy_of(built(model), {"relu": ka.PReLU})
    assert new.get_layer("tied").dense is new.get_layer("dense")
    assert len(new.trainable_weights) == 3


@pytest.mark.filterwarnings("ignore:The object being serialized includes a `lambda`")
def test_functions_that_nobody_registered_stay_the_same():
    def mine(x):
        return 3.0 * x

    model = keras.Sequential(
        [
            keras.Input((2, 8)),
            layers.Lambda(lambda x: tf.nn.relu(x)),
            layers.Lambda(mine),
            layers.TimeDistributed(layers.Dense(8, activation=mine)),
            layers.Dense(8, activation=lambda x: x + 1.0),
            layers.Dense(8, activation=ka.gelu),
            layers.Dense(8, activation="relu"),
        ]
    )
    model.compile("sgd", lambda y, z: y - z)
    new = copy_of(model, {"relu": ka.PReLU(alpha=0.0)})
    x = X[None, :2]
    np.testing.assert_allclose(outputs(new, x), outputs(model, x), rtol=1e-6)
    assert [s.activation for s in sites(new)][:3] == [s.activation for s in sites(model)][:3]
    assert not new.compiled


def test_a_model_that_is_not_built_stays_so():
    model = keras.Sequential([layers.Dense(4, activation="relu"), layers.ReLU()])
    new = copy_of(model, {"relu": ka.PReLU})
    assert not new.built
    assert new(X).shape == (3, 4)
    assert len(new.weights) == 4


def test_a_model_of_keras_applications(tmp_path):
    model = keras.applications.MobileNetV3Small((32, 32, 3), weights=None, classes=3)
    for weight in model.weights:
        if "beta" in weight.path:  # Else hardly anything comes out.
            weight.assign(normal(*weight.shape))
    images = np.random.default_rng(0).uniform(0.0, 255.0, (2, 32, 32, 3)).astype("float32")
    names = ["relu", "hard_silu", "softmax"]
    new = copy_of(model, dict(zip(names, names, strict=True)))
    found = [site for site in sites(new, operations=True) if site.name != "linear"]
    assert {site.name for site in found} == set(names)
    assert len(found) == sum(name != "linear" for name in activations(model))
    assert all(site.activation is site.info.function for site in found)
    np.testing.assert_allclose(outputs(new, images), outputs(model, images), rtol=1e-5)
    assert np.ptp(outputs(model, images)) > 0.01
    new.save(tmp_path / "new.keras")
    again = keras.models.load_model(tmp_path / "new.keras")
    np.testing.assert_allclose(outputs(again, images), outputs(model, images), rtol=1e-5)
