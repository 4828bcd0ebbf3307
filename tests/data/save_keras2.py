"""Saves small models with Keras 2 and Addons, and what they compute, for test_migration.

Needs Python 3.11, tensorflow-addons 0.23, and tensorflow-cpu 2.15 with numpy < 2, or 2.12 with
numpy < 1.24:

python tests/data/save_keras2.py FOLDER
"""

import json
import pathlib
import sys

import numpy as np
import tensorflow as tf
import tensorflow_addons as tfa

keras = tf.keras
layers = keras.layers
FOLDER = pathlib.Path(sys.argv[1]) / tf.__version__[:4]
CASES = []


def case(shapes, names=None, fit=False):
    """Saves what a function builds, in both formats, with inputs and outputs.

    Args:
        shapes: The shape of an input, or of each, without the batch.
        names: What `migrate` needs to be told.
        fit: Whether to compile and train the model first.
    """

    def decorator(build):
        keras.backend.clear_session()
        keras.utils.set_random_seed(1)
        several = shapes if isinstance(shapes, list) else [shapes]
        rng = np.random.default_rng(0)
        inputs = [rng.normal(size=(4, *shape)).astype("float32") for shape in several]
        model = build()
        for weight in model.weights:
            if weight.dtype.is_floating and weight.shape.rank:
                weight.assign_add(
                    tf.cast(0.1 * np.abs(rng.normal(size=weight.shape)), weight.dtype)
                )
        x = inputs if isinstance(shapes, list) else inputs[0]
        keys = list(model.input) if isinstance(model.input, dict) else None
        if fit:
            model.compile("adam", "mse", metrics=["mae"])
            model.fit(x, np.zeros(model(x).shape), verbose=0)
        y = tf.nest.flatten(
            model(dict(zip(keys, inputs, strict=True)) if keys else x, training=False)
        )
        name = build.__name__
        np.savez(
            FOLDER / f"{name}.npz",
            **{f"x{i}": value for i, value in enumerate(inputs)},
            **{f"y{i}": value.numpy() for i, value in enumerate(y)},
        )
        old = {"save_format": "keras_v3"} if tf.__version__.startswith("2.12") else {}
        model.save(FOLDER / f"{name}.h5")
        model.save(FOLDER / f"{name}.keras", **old)
        CASES.append({"name": name, "keys": keys, "names": names or {}})
        return build

    return decorator


def swish(x):
    return x * tf.sigmoid(1.5 * x)


def own(x):
    return swish(x)


FOLDER.mkdir(parents=True, exist_ok=True)


@case((6,))
def equal_shapes():
    """Siblings that could exchange their weights, one of them behind a longer branch."""
    x = keras.Input((6,))
    a, b = layers.Dense(4, name="z")(x), layers.Dense(4, name="a")(x)
    c = layers.Dense(4, name="m")(tfa.activations.mish(a))
    d = layers.Dense(4, name="c")(tf.nn.relu(b))
    return keras.Model(x, layers.Concatenate()([c, d, a]))


@case([(6,), (6,)])
def shared():
    """A layer that is called several times, and operators with numbers on either side."""
    x, y = keras.Input((6,)), keras.Input((6,))
    dense = layers.Dense(6)
    return keras.Model([x, y], dense(tf.nn.relu(dense(x))) + dense(y) * 2.0 - (1.0 - dense(x)))


@case((6,))
def nested():
    sequential = keras.Sequential(
        [layers.Input((6,)), layers.Dense(5, "hard_sigmoid"), layers.Dense(6, "swish")]
    )
    x = keras.Input((6,))
    functional = keras.Model(x, layers.Dense(6)(tf.nn.gelu(x, approximate=True)))
    y = keras.Input((6,))
    return keras.Model(y, sequential(functional(sequential(y))))


@case((5, 6))
def recurrent():
    x = keras.Input((6,))
    inner = keras.Model(x, layers.Dense(6)(tf.math.sigmoid(x) * x))
    gates = {"recurrent_activation": "hard_sigmoid"}
    cells = [layers.LSTMCell(3, **gates), layers.GRUCell(4, activation=tfa.activations.lisht)]
    return keras.Sequential(
        [
            layers.Input((5, 6)),
            layers.TimeDistributed(inner),
            layers.Bidirectional(layers.LSTM(3, return_sequences=True, **gates)),
            layers.RNN(cells, return_sequences=True),
            layers.GRU(4, return_sequences=True, **gates),
            layers.SimpleRNN(3, activation=tfa.activations.snake),
        ]
    )


@case((8, 8, 3))
def convolutional():
    x = keras.Input((8, 8, 3))
    y = layers.Conv2D(4, 3, name="a/b")(x)
    y = layers.BatchNormalization()(tfa.layers.TLU(affine=True)(y))
    y = layers.DepthwiseConv2D(3)(tfa.layers.Snake()(y))
    y = layers.Multiply()([y, layers.ReLU(6.0)(y + 3.0) * (1.0 / 6.0)])
    y = tfa.layers.Maxout(2)(layers.GlobalAveragePooling2D()(y))
    return keras.Model(x, layers.Dense(2, activation=tfa.layers.GELU())(y))


@case((6,), fit=True)
def trained():
    return keras.Sequential(
        [layers.Dense(4, tfa.activations.softshrink, input_shape=(6,)), layers.Dense(2)]
    )


@case([(6,), (6,)])
def by_name():
    a, b = keras.Input((6,), name="a"), keras.Input((6,), name="b")
    first = layers.Dense(2, "hard_sigmoid", name="first")(a + b)
    return keras.Model(
        {"a": a, "b": b},
        {"first": first, "second": layers.Dense(3, name="second")(tf.nn.softmax(a * b, axis=-1))},
    )


@case((5, 6))
def attention():
    x = keras.Input((5, 6))
    y = layers.LayerNormalization()(x + layers.MultiHeadAttention(2, 3)(x, x))
    y = y + layers.Dense(6)(tf.nn.gelu(layers.Dense(12)(y)))
    return keras.Model(x, layers.GlobalAveragePooling1D()(y))


@case((4, 4, 6))
def operations():
    x = keras.Input((4, 4, 6))
    y = layers.Conv2D(6, 1)(tf.reduce_mean(x, axis=[1, 2], keepdims=True))
    y = x * tf.sigmoid(y)
    y = tf.concat([y, tf.nn.relu6(y), tf.nn.leaky_relu(y, alpha=0.3)], axis=-1)
    y = tf.square(tf.clip_by_value(y, -1.0, 1.0)) - tf.abs(y) / 2.0
    y = -(tf.maximum(y, -0.25) ** 2)
    return keras.Model(x, layers.Flatten()(y[:, 1:, :, :5]))


@case((6,))
def activations():
    x = keras.Input((6,))
    y = layers.Activation("hard_sigmoid")(layers.Dense(6, "elu")(x))
    y = layers.PReLU()(layers.ThresholdedReLU(0.3)(y))
    y = layers.Dense(4, tfa.activations.rrelu)(layers.LeakyReLU()(y))
    y = layers.Dense(4, tf.nn.log_softmax)(layers.Dropout(0.5)(y))
    return keras.Model(x, [layers.Add()([y, tf.tanh(y)]), y])


@case((6,), names={"own": "swish(beta=1.5)"})
def registered():
    keras.utils.get_custom_objects()["own"] = layers.Activation(own)
    return keras.Sequential(
        [layers.Input((6,)), layers.Dense(4, "own"), layers.Activation("own"), layers.Dense(2)]
    )


@case((6,), names={"gelu": "gelu_tanh", "swish": "swish(beta=1.5)"})
def meant_otherwise():
    keras.utils.get_custom_objects()["swish"] = swish
    model = keras.Sequential(
        [layers.Input((6,)), layers.Dense(4, tfa.activations.gelu), layers.Dense(2, "swish")]
    )
    if tf.__version__.startswith("2.12"):
        # This version did not lose which one it was.
        model.layers[0].activation.__name__ = "gelu"
    return model


@case((6,), names={"code": "lisht", "lambda": "mish", "tf.nn.silu": "swish(beta=1.5)"})
def code():
    x = keras.Input((6,))
    y = layers.Lambda(lambda x: x * tf.tanh(x), name="code")(x)
    y = layers.Dense(4, lambda x: x * tf.tanh(tf.math.softplus(x)), name="lambda")(y)
    return keras.Model(x, layers.Dense(2)(tf.nn.silu(y, beta=1.5)))


@case((6,))
def frozen():
    """Keras orders the weights of a frozen layer behind those of the others."""
    x = keras.Input((6,))
    y = layers.Dense(6, trainable=False)(x)
    inner = keras.Model(x, layers.Dense(6)(layers.BatchNormalization()(y)))
    x = keras.Input((6,))
    base = keras.Model(x, layers.BatchNormalization()(layers.Dense(6)(x)))
    base.trainable = False
    x = keras.Input((6,))
    return keras.Model(x, layers.Dense(2)(tf.nn.relu(base(inner(x)))))


@case([(5, 6), (4, 6)])
def states():
    """A sequence to a sequence."""
    x, y = keras.Input((5, 6)), keras.Input((4, 6))
    _, *state = layers.LSTM(3, return_state=True)(x)
    z = layers.LSTM(3, return_sequences=True)(y, initial_state=state)
    _, *states = layers.Bidirectional(layers.GRU(3, return_state=True))(x)
    both = layers.Bidirectional(layers.GRU(3))(z, initial_state=states)
    return keras.Model([x, y], both)


@case((8, 8, 3))
def separable():
    x = keras.Input((8, 8, 3))
    y = layers.SpatialDropout2D(0.5)(layers.SeparableConv2D(4, 3, activation="relu")(x))
    y = layers.SpatialDropout1D(0.5)(layers.Reshape((-1, 4))(y))
    return keras.Model(x, layers.SeparableConv1D(2, 3, depthwise_initializer="he_normal")(y))


@case((4, 6))
def arrays():
    x = keras.Input((4, 6))
    y = tf.cumsum(tf.cast(x, tf.float32)) + tf.cast(tf.argmax(x), tf.float32)
    y = tf.tile(tf.matmul(y, tf.transpose(x, perm=[0, 2, 1])), [1, 2, 1])
    return keras.Model(x, layers.Dense(3)(y))


@case((6,), fit=True)
def inside_compiled():
    first = keras.Sequential([layers.Input((6,)), layers.Dense(4, tfa.activations.mish)])
    second = keras.Sequential([layers.Input((4,)), layers.Dense(1)])
    second.compile(keras.optimizers.Adam(2e-4), "mse")
    return keras.Sequential([layers.Input((6,)), first, second])


@case((6,), fit=True)
def trained_graph():
    x = keras.Input((6,))
    return keras.Model(x, layers.Dense(2)(tf.nn.relu(layers.Dense(4, "hard_sigmoid")(x))))


@case((6,))
def sixteen_bit():
    keras.mixed_precision.set_global_policy("mixed_float16")
    model = keras.Sequential(
        [
            layers.Input((6,)),
            layers.Dense(4, tfa.activations.lisht),
            layers.ThresholdedReLU(0.25, name="a/b"),
            layers.Dense(2, dtype="float32"),
        ]
    )
    keras.mixed_precision.set_global_policy("float32")
    return model


(FOLDER / "cases.json").write_text(json.dumps(CASES, indent=1))
