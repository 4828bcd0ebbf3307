"""`ActivationMonitor`: what it finds, that it changes nothing, and what it writes."""

import contextlib
import csv
import importlib
import importlib.util
import io
import math
import pathlib
import pickle
import sys
import threading
import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf
from cases import all_activations, layer_of
from keras.layers import Dense

import keras_activations as ka

ROWS, WIDTH = 40, 8
COLUMNS = ["epoch", "layer", "activation", "dead", "saturated", "mean", "variance", "gradient_norm"]


@pytest.fixture
def data():
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(ROWS, WIDTH)).astype("float32")
    return x, x[:, :1] * x[:, 1:2]


def sequential(*layers, width=WIDTH, loss="mse"):
    model = keras.Sequential([keras.Input((width,)), *layers])
    model.compile("sgd", loss, run_eagerly=True)
    return model


def monitored(model, x, y=None, epochs=1, **kwargs):
    """A monitor that has seen a model being trained."""
    monitor = ka.ActivationMonitor(x, y, **kwargs)
    targets = np.zeros((len(x), 1)) if y is None else y
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*ka.initializer")
        model.fit(x, targets, epochs=epochs, verbose=0, callbacks=[monitor])
    return monitor


def start(model, x, y=None):
    """The rows of before training, by layer."""
    monitor = ka.ActivationMonitor(x, y)
    monitor.set_model(model)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*ka.initializer")
        monitor.on_epoch_begin(0)
    return {row["layer"]: row for row in monitor.history}


SILENT = keras.initializers.Constant([0.0, -1e3, 0.0, 0.0])


def biased(units, bias, activation="relu", **kwargs):
    """A dense layer whose bias decides the sign of its outputs before the activation."""
    return Dense(units, activation, bias_initializer=keras.initializers.Constant(bias), **kwargs)


def messages(model, x, y=None, epochs=1):
    """What the monitor warns of in training."""
    monitor = ka.ActivationMonitor(x, y)
    targets = np.zeros((len(x), 1)) if y is None else y
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(x, targets, epochs=epochs, verbose=0, callbacks=[monitor])
    return [str(w.message) for w in caught if "ka.initializer" in str(w.message)]


def test_a_layer_whose_bias_silences_it_is_dead_and_no_other_is(data):
    layers = [Dense(8, "relu", name="first"), biased(8, -1e3, name="silent"), Dense(1, name="last")]
    rows = start(sequential(*layers), *data)
    assert rows["silent"]["dead"] == 1.0
    assert rows["first"]["dead"] == 0.0
    assert list(rows) == ["first", "silent"]  # The last is linear.


def test_three_dead_units_of_eight(data):
    bias = np.where(np.arange(8) < 3, -1e3, 0.0)
    rows = start(sequential(biased(8, bias, name="partly"), Dense(1)), *data)
    assert rows["partly"]["dead"] == 3 / 8


def test_a_dead_channel_is_dead_at_every_position():
    x = np.random.default_rng(0).normal(size=(4, 8, 8, 1)).astype("float32")
    layers = keras.layers
    model = keras.Sequential(
        [
            layers.Conv2D(4, 3, activation="relu", bias_initializer=SILENT, name="conv"),
            layers.Flatten(),
            Dense(1),
        ]
    )
    model.compile("sgd", "mse")
    assert start(model, x)["conv"]["dead"] == 1 / 4


@pytest.mark.parametrize(
    "then",
    [
        lambda layers: [layers.ReLU(name="watched")],
        lambda layers: [
            layers.BatchNormalization(axis=1, beta_initializer=SILENT, name="norm"),
            layers.Dropout(0.5),
            layers.MaxPooling2D(2, data_format="channels_first"),
            keras.Sequential([layers.Activation("relu", name="inner")], name="watched"),
        ],
        lambda layers: [layers.PReLU("zeros", shared_axes=[2, 3], name="watched")],
        lambda layers: [ka.PReLU(alpha=0.0, axis=1, name="watched")],
        lambda layers: [layers.Permute((2, 3, 1)), layers.ReLU(name="watched")],
    ],
)
def test_channels_may_come_first(then):
    """A dead one of four, as a layer's own activation finds it and one that comes later."""
    keras.utils.set_random_seed(0)
    # Of no size that is the number of channels: Keras 3.15.1 takes one for the other, eagerly.
    x = np.random.default_rng(0).normal(size=(16, 1, 9, 9)).astype("float32")
    layers = keras.layers
    options = {"bias_initializer": SILENT, "data_format": "channels_first"}
    model = keras.Sequential(
        [
            layers.Conv2D(4, 3, activation="relu", name="conv", **options),
            layers.Conv2D(4, 3, **options),
            *then(layers),
            layers.Flatten(),
            Dense(8, "tanh", name="hidden"),
            Dense(1),
        ]
    )
    model.compile("sgd", "mse")
    rows = start(model, x)
    assert rows["conv"]["dead"] == 1 / 4
    assert rows.get("watched", rows.get("watched/inner"))["dead"] == 1 / 4
    assert rows["hidden"]["dead"] == 0.0


def test_dead_units_are_warned_of_once_in_words(data):
    model = sequential(Dense(8, "relu"), biased(8, -1e3, name="silent"), Dense(1))
    (message,) = messages(model, *data, epochs=3)
    assert message.startswith("Before training, many units are dead: silent 100 %.")
    assert f"On none of {ROWS} samples" in message
    assert "Try a lower learning rate" in message


def test_units_that_die_in_training_are_warned_of_after_that_epoch(data):
    model = sequential(Dense(8, "relu", name="dying"), Dense(1))

    class Kill(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 1:
                self.model.layers[0].bias.assign([-1e3] * 8)

    monitor = ka.ActivationMonitor(data[0])
    with pytest.warns(UserWarning, match="After epoch 2, many units are dead: dying 100 %"):
        model.fit(*data, epochs=3, verbose=0, callbacks=[Kill(), monitor])
    assert [row["dead"] for row in monitor.history] == [0.0, 0.0, 1.0, 1.0]


def test_the_warning_points_at_the_line_that_trains(data):
    monitor = ka.ActivationMonitor(data[0])
    model = sequential(biased(8, -1e3), Dense(1))
    with pytest.warns(UserWarning, match="dead") as caught:
        model.fit(*data, verbose=0, callbacks=[monitor])
    assert caught[0].filename == __file__


def test_the_gradient_of_ten_sigmoid_layers_vanishes_and_is_reported(data):
    model = sequential(*[Dense(16, "sigmoid", name=f"layer_{i}") for i in range(10)], Dense(1))
    rows = start(model, *data)
    norms = [rows[f"layer_{i}"]["gradient_norm"] for i in range(10)]
    assert norms == sorted(norms)
    assert norms[0] < 1e-4 * norms[-1]
    (message,) = messages(model, *data, epochs=2)
    assert "the gradient vanishes on its way back" in message
    assert "layer_9, but" in message
    assert message.index("layer_0") > message.index("layer_9")


def test_ten_layers_initialized_as_their_paper_has_it_are_not_warned_of(data):
    layers = [Dense(32, "selu", kernel_initializer="lecun_normal") for _ in range(10)]
    assert messages(sequential(*layers, Dense(1)), *data) == []


def test_saturated_tanh_is_reported(data):
    layers = [Dense(8, "tanh", kernel_initializer=keras.initializers.RandomNormal(stddev=9.0))]
    model = sequential(*layers, Dense(1))
    x = data[0]
    before = x @ model.layers[0].kernel.numpy() + model.layers[0].bias.numpy()
    (row,) = start(model, *data).values()
    assert row["saturated"] == pytest.approx(np.mean(1.0 - np.tanh(before) ** 2 < 1e-2), abs=1e-6)
    assert row["saturated"] > 0.5
    assert row["dead"] == 0.0
    model = sequential(*layers, Dense(1))
    (message,) = messages(model, x, epochs=2)
    assert "many outputs are saturated: dense" in message
    assert "normalization" in message


def test_what_is_flat_by_design_is_not_warned_of(data):
    """Half of a rectifier's inputs have no slope; a sigmoid at the end may be sure of itself."""
    shift = np.where(np.arange(16) < 12, -0.9, 0.3)
    model = sequential(biased(16, shift, "relu", name="rectifier"), biased(1, 9.0, "sigmoid"))
    rows = start(model, data[0])
    assert rows["rectifier"]["saturated"] > 0.6
    assert list(rows.values())[1]["saturated"] > 0.9
    assert messages(model, data[0]) == []


def test_mean_and_variance_are_those_of_the_outputs(data):
    model = sequential(Dense(8, "gelu", name="first"), Dense(4), ka.Snake(name="second"), Dense(1))
    x = data[0]
    parts = {
        name: keras.Model(model.inputs[0], model.get_layer(name).output)
        for name in ("first", "second")
    }
    outputs = {name: part(x).numpy().astype("float64") for name, part in parts.items()}
    rows = start(model, *data)
    for name, output in outputs.items():
        assert rows[name]["mean"] == pytest.approx(output.mean(), rel=1e-5)
        assert rows[name]["variance"] == pytest.approx(output.var(), rel=1e-5)


def test_the_gradient_norm_is_that_of_the_loss_and_the_inputs_of_the_activation(data):
    first, second = Dense(8, "tanh", name="first"), Dense(1, "sigmoid", name="second")
    model = sequential(first, second, loss="binary_crossentropy")
    x, y = data[0], (data[1] > 0).astype("float32")
    with tf.GradientTape() as tape:
        a = tf.constant(x) @ first.kernel + first.bias
        tape.watch(a)
        b = tf.tanh(a) @ second.kernel + second.bias
        losses = tf.nn.sigmoid_cross_entropy_with_logits(y, b)
        loss = tf.reduce_mean(losses)
    expected = [float(tf.norm(g)) for g in tape.gradient(loss, [a, b])]
    rows = start(model, x, y)
    assert [rows[n]["gradient_norm"] for n in ("first", "second")] == pytest.approx(expected, 1e-4)


def test_without_targets_there_is_no_gradient(data):
    monitor = monitored(sequential(Dense(8, "tanh"), Dense(1)), data[0])
    assert {row["gradient_norm"] for row in monitor.history} == {None}


def test_without_a_loss_there_is_no_gradient(data):
    class Own(keras.Sequential):
        def train_step(self, data):
            return {"of_its_own": tf.constant(0.0)}

    model = Own([keras.Input((WIDTH,)), Dense(4, "tanh")])
    model.compile("sgd")
    rows = monitored(model, *data).history
    assert [(row["dead"], row["gradient_norm"]) for row in rows] == [(0.0, None)] * 2


def test_what_is_recomputed_is_measured(data):
    rows = []
    for scope in (contextlib.nullcontext(), keras.RematScope(mode="activations")):
        keras.utils.set_random_seed(0)
        with scope:
            model = sequential(Dense(4, "tanh", name="a"), Dense(1, ka.Snake(), name="b"))
        rows.append(monitored(model, *data).history)
    assert rows[0] == rows[1]
    assert all(row["gradient_norm"] > 0.0 for row in rows[0])


def test_activations_that_are_given_the_same_tensor_have_gradients_of_their_own(data):
    class Gates(keras.Model):
        def __init__(self):
            super().__init__()
            self.hidden, self.out = Dense(4), Dense(1)
            self.a, self.b = ka.Tanh(name="a"), ka.Sigmoid(name="b")

        def call(self, x):
            h = self.hidden(x)
            return self.out(self.a(h)) + 0.0 * self.out(self.b(h))

    model = Gates()
    model.compile("sgd", "mse")
    rows = start(model, *data)
    assert rows["a"]["gradient_norm"] > 0.0
    assert rows["b"]["gradient_norm"] == 0.0


def test_small_gradients_of_float16_are_not_rounded_to_zero(data):
    single, half = (
        sequential(
            *[Dense(8, "sigmoid", dtype=policy) for _ in range(6)], Dense(1, dtype="float32")
        )
        for policy in ("float32", "mixed_float16")
    )
    half.set_weights(single.get_weights())
    # Its first gradients would be below the smallest number of float16.
    y = single(data[0]) + 1e-3 * data[1]
    norms = [
        [row["gradient_norm"] for row in start(m, data[0], y).values()] for m in (single, half)
    ]
    assert 0.0 < norms[0][0] < 1e-7
    assert norms[1] == pytest.approx(norms[0], rel=0.1)


def test_what_is_not_element_wise_has_no_dead_units(data):
    def normalized(x):
        return x / tf.reduce_sum(tf.abs(x), -1, keepdims=True)

    layers = [
        Dense(4, "softmax"),
        ka.SwiGLU(),
        Dense(4, normalized),
        Dense(4, lambda x: 2.0 * tf.nn.relu(x)),
    ]
    rows = list(start(sequential(*layers, Dense(1)), *data).values())
    assert [row["activation"] for row in rows] == ["softmax", "swiglu", "normalized", "<lambda>"]
    assert [row["dead"] is None for row in rows] == [True, True, True, False]
    assert [row["saturated"] is None for row in rows] == [True, True, True, False]
    assert rows[3]["saturated"] > 0.0


def test_outputs_that_are_not_finite_are_not_called_dead(data):
    model = sequential(Dense(4, "relu"), Dense(1))
    model.layers[0].bias.assign([np.nan] * 4)
    (row,) = start(model, *data).values()
    assert row["dead"] is None
    assert math.isnan(row["mean"])


def test_an_activation_layer_that_two_layers_hold(data):
    shared = ka.Snake()
    model = sequential(Dense(4, shared, name="one"), Dense(4, shared, name="two"), Dense(1))
    assert list(start(model, *data)) == ["one"]
    assert "call" not in vars(shared)


def test_layers_of_one_name_are_told_apart(data):
    class Twins(keras.Model):
        def __init__(self):
            super().__init__()
            self.one, self.two = Dense(8, "relu", name="twin"), Dense(8, "tanh", name="twin")
            self.out = Dense(1)

        def call(self, x):
            return self.out(self.two(self.one(x)))

    model = Twins()
    model.compile("sgd", "mse")
    rows = start(model, *data)
    assert [(layer, row["activation"]) for layer, row in rows.items()] == [
        ("twin", "relu"),
        ("twin#2", "tanh"),
    ]


def test_a_parameter_for_each_element_has_no_axis_of_channels(data):
    model = sequential(Dense(4), ka.PReLU(axis="all", name="each"), Dense(1))
    assert start(model, *data)["each"]["dead"] == 0.0


class Subclassed(keras.Model):
    """Holds activations in all ways that there are, behind a `tf.function`."""

    def __init__(self):
        super().__init__()
        self.block = keras.Sequential(
            [Dense(8), keras.layers.LeakyReLU(name="leaky")], name="block"
        )
        self.several = [Dense(8, ka.Snake(), name="learned"), Dense(8, "tanh", name="plain")]
        self.shared = keras.layers.ReLU(name="shared")
        self.act = keras.activations.gelu
        self.one, self.two, self.out = Dense(12), Dense(12), Dense(1)

    @tf.function
    def call(self, x):
        for layer in (self.block, *self.several):
            x = layer(x)
        return self.out(self.act(self.shared(self.two(self.shared(self.one(x))))))


def test_subclassed_and_nested_models(data):
    model = Subclassed()
    model.compile("sgd", "mse")
    monitored(model, *data)  # It has been traced by now.
    rows = start(model, *data)
    names = {layer: row["activation"] for layer, row in rows.items()}
    assert names == {
        "block/leaky": "leaky_relu",
        "learned": "snake",
        "plain": "tanh",
        "shared": "relu",
        model.name: "gelu",
    }
    assert all(row["gradient_norm"] > 0.0 for row in rows.values())


def test_a_shared_activation_layer_has_the_units_of_all_its_uses(data):
    model = Subclassed()
    model.compile("sgd", "mse")
    model(data[0])
    model.two.bias.assign([-1e3] * 6 + [1e3] * 6)
    model.one.bias.assign([1e3] * 12)
    model.two.kernel.assign(model.two.kernel * 0.0)
    assert start(model, data[0])["shared"]["dead"] == 6 / 24


def test_functional_models_of_several_inputs_and_outputs():
    rng = np.random.default_rng(0)
    x = {"a": rng.normal(size=(ROWS, 5)), "b": rng.normal(size=(ROWS, 3))}
    a, b = keras.Input((5,), name="a"), keras.Input((3,), name="b")
    joined = keras.layers.Concatenate()([ka.mish(Dense(4)(a)), Dense(4, "elu", name="elu")(b)])
    outputs = {
        "kind": Dense(3, "softmax", name="kind")(joined),
        "size": Dense(1, name="size")(joined),
    }
    model = keras.Model({"a": a, "b": b}, outputs)
    model.compile("sgd", {"kind": "sparse_categorical_crossentropy", "size": "mse"})
    y = {"kind": rng.integers(0, 3, ROWS), "size": rng.normal(size=(ROWS, 1))}
    rows = start(model, x, y)
    assert sorted(row["activation"] for row in rows.values()) == ["elu", "mish", "softmax"]
    assert all(row["gradient_norm"] > 0.0 for row in rows.values())


def test_recurrent_layers_gather_all_time_steps():
    x = np.random.default_rng(0).normal(size=(10, 5, 3)).astype("float32")
    lstm = keras.layers.LSTM(4, recurrent_activation="hard_sigmoid", name="lstm")
    model = keras.Sequential([lstm, Dense(1)])
    model.compile("sgd", "mse")
    model(x)
    # Two units are shut: their gates and their cell.
    bias = np.zeros((4, 4), "float32")
    bias[:2, :2] = bias[3, :2] = -1e3
    lstm.cell.bias.assign(bias.reshape(-1))
    found = start(model, x, np.ones((10, 1)))
    gates, cell = found["lstm/lstm_cell/recurrent_activation"], found["lstm/lstm_cell/activation"]
    assert gates["dead"] == 1 / 2
    assert cell["dead"] == 0.0
    assert gates["gradient_norm"] > 0.0


def test_a_unit_that_lives_at_one_time_step_is_not_dead():
    layer = keras.layers.SimpleRNN(2, "relu", kernel_initializer="ones")
    model = keras.Sequential([layer])
    x = np.array([[[-1.0], [1.0], [-1.0]]] * 4)
    model(x)
    layer.cell.recurrent_kernel.assign(np.zeros((2, 2)))
    (row,) = start(model, x).values()
    assert row["dead"] == 0.0
    assert row["saturated"] == 2 / 3


def test_the_outputs_of_a_recurrent_layer_are_those_of_all_time_steps():
    x = np.random.default_rng(0).normal(size=(10, 5, 3)).astype("float32")
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.layers.SimpleRNN(4, return_sequences=True)])
    model.compile("sgd", "mse")
    outputs = model(x).numpy()
    for y in (None, 0.0 * outputs):
        (row,) = start(model, x, y).values()
        assert row["mean"] == pytest.approx(outputs.mean(), rel=1e-4)
        assert row["variance"] == pytest.approx(outputs.var(), rel=1e-4)


@all_activations
def test_every_activation_is_alive_on_normal_inputs(info, data):
    if info.name == "linear":
        return  # It is left out.
    model = sequential(keras.layers.Identity(), layer_of(info), Dense(1))
    monitor = ka.ActivationMonitor(*data)
    monitor.set_model(model)
    with warnings.catch_warnings():
        warnings.filterwarnings("error", ".*ka.initializer")
        monitor.on_epoch_begin(0)
    (row,) = monitor.history
    assert row["activation"] == info.name
    assert row["dead"] == (0.0 if info.elementwise else None)
    assert row["gradient_norm"] > 0.0


@pytest.mark.parametrize("held", [False, True], ids=["layer", "held"])
@pytest.mark.parametrize("name", ["snake", "prelu", "leaky_relu"])
def test_activation_layers_and_layers_within_layers(data, name, held):
    layer = ka.layer(name)
    layers = [Dense(4, layer)] if held else [Dense(4), layer]
    model = sequential(*layers, Dense(1))
    (row,) = start(model, *data).values()
    assert row["activation"] == name
    assert row["dead"] == 0.0
    assert row["gradient_norm"] > 0.0
    assert "call" not in vars(layer)


def trained(*callbacks):
    """A model with state of all kinds, and its history, after training from a seed."""
    keras.utils.set_random_seed(1)
    layers = keras.layers
    inputs = keras.Input((WIDTH,))
    hidden = layers.Dropout(0.2)(layers.BatchNormalization()(Dense(8, "relu")(inputs)))
    hidden = layers.GaussianNoise(0.1)(Dense(8, ka.Snake())(hidden))
    outputs = [Dense(1, name="a")(hidden), Dense(1, "sigmoid", name="b")(ka.mish(hidden))]
    model = keras.Model(inputs, outputs)
    losses = ["mse", "binary_crossentropy"]
    model.compile("adam", losses, metrics=[["mae"], ["accuracy"]])
    x, y = examples()
    log = model.fit(x, y, epochs=2, batch_size=16, verbose=0, callbacks=list(callbacks))
    return model, log.history


def examples():
    x = np.random.default_rng(0).normal(size=(ROWS, WIDTH)).astype("float32")
    return x, [x[:, :1] * x[:, 1:2], (x[:, :1] > 0.0).astype("float32")]


# Trained once, and so by one worker.
of_the_trained = pytest.mark.xdist_group("watched")


@pytest.fixture(scope="module")
def plain():
    return trained()


@pytest.fixture(scope="module")
def watched():
    return trained(ka.ActivationMonitor(*examples()))


@of_the_trained
def test_training_is_the_same_as_without_the_monitor(plain, watched):
    (one, history), (two, watched_history) = plain, watched
    assert watched_history == history
    assert two.get_metrics_result() == one.get_metrics_result()
    for pair in ((one, two), (one.optimizer, two.optimizer)):
        values = ([v.numpy() for v in it.variables] for it in pair)
        assert all(np.array_equal(a, b) for a, b in zip(*values, strict=True))


def test_a_model_that_draws_or_counts_in_inference_goes_on_where_it_was(data):
    class Noise(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.seed_generator = keras.random.SeedGenerator(0)
            self.count = self.add_weight(shape=(), initializer="zeros", trainable=False)

        def call(self, x):
            self.count.assign_add(1.0)
            return x + keras.random.normal(keras.ops.shape(x), seed=self.seed_generator)

    model = sequential(Noise(), Dense(4, "tanh"), Dense(1))
    monitor = ka.ActivationMonitor(*data)
    monitor.set_model(model)
    before = [v.numpy() for v in model.variables]
    monitor.on_epoch_end(0)
    assert len(monitor.history) == 1
    assert all(np.array_equal(v.numpy(), b) for v, b in zip(model.variables, before, strict=True))


@pytest.mark.parametrize(
    "make",
    [
        lambda: keras.layers.LSTM(3, stateful=True),
        lambda: keras.layers.Bidirectional(keras.layers.GRU(3, stateful=True)),
        lambda: keras.layers.RNN([keras.layers.SimpleRNNCell(3)] * 2, stateful=True),
    ],
    ids=["layer", "wrapped", "stacked"],
)
@pytest.mark.parametrize("built", [True, False], ids=["built", "unbuilt"])
def test_stateful_recurrent_layers_go_on_where_they_were(make, built):
    x = np.random.default_rng(0).normal(size=(8, 6, 3)).astype("float32")
    losses = []
    for callbacks in ([], [ka.ActivationMonitor(x, x[:, 0, :1], batch_size=4)]):
        keras.utils.set_random_seed(1)
        model = keras.Sequential([make(), Dense(1)])
        if built:
            model.build((4, 6, 3))
        model.compile("sgd", "mse")
        fit = {"batch_size": 4, "epochs": 2, "shuffle": False, "verbose": 0}
        losses.append(model.fit(x, x[:, 0, :1], callbacks=callbacks, **fit).history["loss"])
    assert losses[0] == losses[1]


@of_the_trained
def test_nothing_is_left_in_the_model(plain, watched, tmp_path):
    models = [model for model, _ in (plain, watched)]

    def attributes(model):
        return [[n for n in vars(layer) if n != "_losses"] for layer in model.layers]

    assert attributes(models[0]) == attributes(models[1])
    held = [layer for layer in models[1].layers if isinstance(layer, Dense)]
    assert held[0].activation is keras.activations.relu
    assert held[3].activation is keras.activations.sigmoid
    assert not tf.config.functions_run_eagerly()
    x, _ = examples()
    expected = models[1].predict(x, verbose=0)
    models[1].save(tmp_path / "model.keras")
    for again in (
        pickle.loads(pickle.dumps(models[1])),
        keras.models.load_model(tmp_path / "model.keras"),
    ):
        assert all(map(np.array_equal, expected, again.predict(x, verbose=0)))


def test_a_run_that_fails_leaves_nothing_either(data):
    model = sequential(Dense(4, "tanh"), ka.Mish(), Dense(1))
    monitor = ka.ActivationMonitor(data[0][:, :2])
    with pytest.raises(ValueError, match="incompatible") as caught:
        model.fit(*data, verbose=0, callbacks=[monitor])
    assert "ActivationMonitor ran the model on its sample" in caught.value.__notes__[0]
    assert model.layers[0].activation is keras.activations.tanh
    assert "call" not in vars(model.layers[1])
    assert not tf.config.functions_run_eagerly()
    model.fit(*data, verbose=0)


class Meanwhile(keras.layers.Layer):
    """Calls a function in each call from outside of it, but not of symbols."""

    def __init__(self, function):
        super().__init__()
        self.function, self.calling = function, False

    def call(self, x):
        if tf.executing_eagerly() and not self.calling:
            self.calling = True
            self.function()
            self.calling = False
        return x


def test_what_other_threads_do_with_the_model_is_not_watched(data):
    called = []

    def call():
        called.append(model(data[0][:3]).shape)

    def call_in_a_thread():
        thread = threading.Thread(target=call)
        thread.start()
        thread.join()

    keras.utils.set_random_seed(1)
    model = sequential(Dense(4, "relu"), Meanwhile(call_in_a_thread), Dense(4, "tanh"), Dense(1))
    rows = start(model, *data)
    assert called == [(3, 1)]
    model.layers[1].function = lambda: None
    assert rows == start(model, *data)


def test_one_thread_measures_at_a_time_and_leaves_things_as_they_were(data):
    entered, second = threading.Event(), threading.Event()

    def wait_for_the_other():
        entered.set()
        second.wait(1.0)

    def leave_last():
        second.set()
        threads[0].join()

    def measure(model, event):
        event.wait()
        start(model, *data)

    now = threading.Event()
    now.set()
    models = [
        sequential(Dense(4, "relu"), Meanwhile(function), Dense(1))
        for function in (wait_for_the_other, leave_last)
    ]
    threads = [
        threading.Thread(target=measure, args=given)
        for given in zip(models, (now, entered), strict=True)
    ]
    before = tf.recompute_grad
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert second.is_set()
    assert not tf.config.functions_run_eagerly()
    assert tf.recompute_grad is before


def test_every_other_epoch_and_training_that_goes_on(data):
    model = sequential(Dense(4, "tanh"), Dense(1))
    monitor = ka.ActivationMonitor(*data, every=2)

    def epochs(first, last):
        model.fit(*data, initial_epoch=first, epochs=last, verbose=0, callbacks=[monitor])
        return [row["epoch"] for row in monitor.history]

    assert epochs(0, 4) == [0, 2, 4]
    assert epochs(4, 7) == [0, 2, 4, 6]
    assert epochs(3, 4) == [0, 2, 3, 4]
    assert epochs(0, 1) == [0]


def test_the_sample_is_spread_over_sorted_data():
    x = np.arange(100.0).reshape(100, 1)
    model = sequential(Dense(1, "relu", kernel_initializer="ones"), width=1)
    row = monitored(model, x, batch_size=11).history[0]
    assert row["mean"] == pytest.approx(np.mean(np.linspace(0, 99, 11).round()))


class Batches(keras.utils.PyDataset):
    def __init__(self, x, y):
        super().__init__()
        self.x, self.y = x, y

    def __len__(self):
        return 1

    def __getitem__(self, index):
        return self.x, self.y


def test_datasets_give_their_first_batch(data):
    rows = []
    for sample in (
        data,
        [tf.data.Dataset.from_tensor_slices(data).batch(ROWS)],
        [Batches(*data)],
        [tf.constant(data[0]), tf.constant(data[1])],
        [data[0].astype("float64"), data[1].astype("float64")],
    ):
        keras.utils.set_random_seed(0)
        rows.append(start(sequential(Dense(4, "tanh", name="tanh"), Dense(1)), *sample))
    assert all(other == rows[0] for other in rows)
    assert rows[0]["tanh"]["gradient_norm"] > 0.0


def test_sample_weights_of_a_dataset_count_in_the_gradient(data):
    weights = np.zeros(ROWS, "float32")
    dataset = tf.data.Dataset.from_tensor_slices((*data, weights)).batch(ROWS)
    (row,) = start(sequential(Dense(4, "tanh"), Dense(1)), dataset).values()
    assert row["gradient_norm"] == 0.0


def read(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def test_the_csv_file_holds_the_history(data, tmp_path):
    path = tmp_path / "new" / "folder" / "history.csv"
    layers = [Dense(4, "tanh", name="tanh"), Dense(4, "softmax", name="softmax"), Dense(1)]
    monitor = monitored(sequential(*layers), *data, epochs=2, csv=path)
    rows = read(path)
    assert list(rows[0]) == list(monitor.history[0]) == COLUMNS
    assert [(int(row["epoch"]), row["layer"]) for row in rows] == [
        (epoch, layer) for epoch in range(3) for layer in ("tanh", "softmax")
    ]
    for read_back, row in zip(rows, monitor.history, strict=True):
        for name in COLUMNS[3:]:
            assert (
                read_back[name] == "" if row[name] is None else float(read_back[name]) == row[name]
            )
    assert [p.name for p in path.parent.iterdir()] == ["history.csv"]


def test_an_interrupt_leaves_the_csv_file_whole(data, tmp_path):
    class Interrupt(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if len(monitor.history) == 3:
                raise KeyboardInterrupt

    monitor = ka.ActivationMonitor(*data, csv=tmp_path / "history.csv")
    model = sequential(Dense(4, "tanh"), Dense(1))
    with pytest.raises(KeyboardInterrupt):
        model.fit(*data, epochs=9, verbose=0, callbacks=[monitor, Interrupt()])
    assert [int(row["epoch"]) for row in read(tmp_path / "history.csv")] == [0, 1, 2]


def test_tensorboard_files_hold_scalars_and_histograms(data, tmp_path):
    pytest.importorskip("tensorboard")
    layers = [Dense(4, "tanh", name="tanh"), Dense(4, "softmax", name="softmax"), Dense(1)]
    monitor = monitored(sequential(*layers), *data, epochs=2, log_dir=tmp_path)
    (path,) = tmp_path.iterdir()
    scalars, histograms = {}, set()
    for event in tf.data.TFRecordDataset([str(path)]):
        event = tf.compat.v1.Event.FromString(event.numpy())
        for value in event.summary.value:
            array = tf.make_ndarray(value.tensor)
            if value.tag.startswith("outputs/"):
                assert array[:, 2].sum() == ROWS * 4
                histograms.add((event.step, value.tag))
            else:
                scalars[event.step, value.tag] = float(array)
    for row in monitor.history:
        for name in COLUMNS[3:]:
            key = (row["epoch"], f"{name}/{row['layer']}")
            assert scalars.pop(key, None) == (
                None if row[name] is None else pytest.approx(row[name])
            )
        assert (row["epoch"], f"outputs/{row['layer']}") in histograms
    assert not scalars


def test_without_tensorboard_one_line_says_what_to_install(data, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(
        ImportError, match=r"^`log_dir` needs TensorBoard. Run: pip install tensorboard$"
    ):
        ka.ActivationMonitor(*data, log_dir="logs")


def test_the_plot_has_a_line_for_each_layer_and_quantity(data):
    plt = pytest.importorskip("matplotlib.pyplot")
    plt.switch_backend("agg")
    layers = [Dense(4, "tanh", name=f"layer_{i}") for i in range(20)]
    monitor = monitored(
        sequential(*layers, Dense(4, "softmax", name="softmax")),
        data[0],
        np.zeros((ROWS, 4)),
        epochs=2,
    )
    panels = monitor.plot()
    assert [panel.get_title() for panel in panels][:2] == ["dead units", "saturated outputs"]
    for panel, name in zip(panels, COLUMNS[3:], strict=True):
        assert [line.get_label() for line in panel.lines] == [f"layer_{i}" for i in range(20)] + [
            "softmax"
        ]
        expected = [row[name] for row in monitor.history if row["layer"] == "layer_7"]
        assert list(panel.lines[7].get_ydata()) == expected
        assert list(panel.lines[7].get_xdata()) == [0, 1, 2]
    looks = {
        (line.get_color(), line.get_linestyle(), line.get_marker()) for line in panels[0].lines
    }
    assert len(looks) == 21
    (figure,) = {panel.figure for panel in panels}
    picture = io.BytesIO()
    figure.savefig(picture, format="png")
    assert picture.tell() > 10_000
    own = plt.subplots(1, 5)[1]
    assert list(monitor.plot(own)) == list(own)
    plt.close("all")


def test_the_plot_shows_a_gradient_of_zero(data):
    plt = pytest.importorskip("matplotlib.pyplot")
    plt.switch_backend("agg")
    monitor = ka.ActivationMonitor(data[0])
    rows = [("a", 0.0, None), ("b", 1e-3, 0.0), ("c", float("nan"), None)]
    monitor.history = [
        dict(zip(COLUMNS, (0, layer, "tanh", dead, dead, 0.0, norm, norm), strict=True))
        for layer, norm, dead in rows
    ]
    panel = monitor.plot()[-1]
    low, high = panel.get_ylim()
    assert low <= 0.0 < 1e-3 <= high
    shown = [tick for tick in panel.get_yticks() if low <= tick <= high]
    assert len(shown) >= 3
    monitor.history[0]["gradient_norm"] = 1.0
    assert monitor.plot()[-1].get_yscale() == "symlog"
    plt.close("all")


def test_what_the_plot_refuses(data, monkeypatch):
    plt = pytest.importorskip("matplotlib.pyplot")
    plt.switch_backend("agg")
    monitor = ka.ActivationMonitor(*data)
    with pytest.raises(ValueError, match="Nothing has been measured yet"):
        monitor.plot()
    monitor = monitored(sequential(Dense(4, "tanh"), Dense(1)), *data)
    with pytest.raises(ValueError, match="Expected 5 axes"):
        monitor.plot([plt.gca()])
    plt.close("all")
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"pip install 'keras_activations\[plot\]'"):
        monitor.plot()


def test_what_the_monitor_refuses(data):
    x, y = data
    dataset = tf.data.Dataset.from_tensor_slices(data)
    for mistake, error, message in (
        ({"x": x, "every": 0}, ValueError, "`every` must be positive"),
        ({"x": x, "every": 1.5}, ValueError, "`every` must be an integer"),
        ({"x": x, "batch_size": "all"}, ValueError, "`batch_size` must be an integer"),
        ({"x": x, "y": y[:3]}, ValueError, "Received: 3 and 40 rows"),
        ({"x": x[:0]}, ValueError, "at least one, and a dataset must be batched. Received: 0 rows"),
        ({"x": None}, ValueError, "Received: no rows"),
        ({"x": dataset.batch(4), "y": y}, ValueError, "leave out `y`"),
        (
            {"x": tf.data.Dataset.range(9)},
            TypeError,
            "a dataset of batches. Received: <tf.Tensor: shape=()",
        ),
        ({"x": dataset}, ValueError, "must be batched. Received: 1 and 8 rows"),
        ({"x": (row for row in x)}, TypeError, "Received: <generator"),
        ({"x": "x.npy"}, TypeError, "Received: 'x.npy'"),
        ({"x": tf.ragged.constant([[1.0], [1.0, 2.0]])}, TypeError, "Received: <tf.RaggedTensor"),
    ):
        with pytest.raises(error) as caught:
            ka.ActivationMonitor(**mistake)
        assert message in str(caught.value)


def test_a_model_without_activations_is_refused(data):
    with pytest.raises(ValueError, match="has found no activation in the model"):
        monitored(sequential(Dense(1)), *data)


@pytest.mark.filterwarnings("ignore:.*ka.initializer")
def test_the_overhead_can_be_measured(monkeypatch, capsys):
    monkeypatch.syspath_prepend(str(pathlib.Path(__file__).parents[1] / "examples"))
    example = importlib.import_module("monitor_overhead")
    example.main(["--images", "8", "--repeats", "1"])
    assert "wall time of an epoch: " in capsys.readouterr().out
