"""Whole models under Keras's policies: precision, memory, quantization, accumulation, XLA."""

import contextlib
import functools

import keras
import numpy as np
import pytest
import tensorflow as tf
from cases import all_of, is_trained, layer_of

import keras_activations as ka

BATCH = np.random.default_rng(0).normal(size=(16, 8)).astype("float32")
TARGET = np.cos(BATCH[:, :1])
TRAINED = [i for i in ka.catalogue() if is_trained(i)]
# What Keras does with a layer and its variables is the same for all.
SOME = [*TRAINED[::3], *(i for i in ka.catalogue()[::5] if i not in TRAINED)]


def _lenet5():
    """Learnable layers inside convolutions, strings and a function."""
    return keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            keras.layers.Conv2D(6, 5, padding="same", activation=ka.Snake()),
            keras.layers.MaxPooling2D(2),
            keras.layers.Conv2D(16, 5, padding="same", activation="mish"),
            keras.layers.MaxPooling2D(2),
            keras.layers.Conv2D(120, 5, padding="same", activation=ka.gelu),
            keras.layers.Flatten(),
            keras.layers.Dense(84, activation=ka.PReLU()),
            keras.layers.Dense(10),
        ]
    )


def _transformer(norm, feed_forward):
    """Token classification by two blocks of attention."""
    tokens = keras.Input((8,), dtype="int32")
    # Of size 1: behind Keras's small ones a normalization's gradients overflow in float16, and
    # Keras does not notice that in the gradient of an embedding.
    start = keras.initializers.RandomNormal(stddev=1.0)
    x = keras.layers.Embedding(10, 16, embeddings_initializer=start)(tokens)
    for _ in range(2):
        y = norm()(x)
        x = x + keras.layers.MultiHeadAttention(2, 8)(y, y)
        y = feed_forward()(keras.layers.Dense(64)(norm()(x)))
        x = x + keras.layers.Dense(16)(y)
    return keras.Model(tokens, keras.layers.Dense(10)(norm()(x)))


MODELS = {
    "lenet5": _lenet5,
    "swiglu_transformer": lambda: _transformer(keras.layers.LayerNormalization, ka.SwiGLU),
    "dyt_transformer": lambda: _transformer(ka.DyT, ka.XIELU),
}


def _data(name):
    rng = np.random.default_rng(1)
    if name == "lenet5":
        labels = rng.integers(0, 10, 32)
        pixels = rng.normal(size=(32, 32, 32, 3)) + labels[:, None, None, None] / 5
        return pixels.astype("float32"), labels
    tokens = rng.integers(0, 10, (32, 8))
    return tokens, (tokens + 3) % 10


# What is trained once is asked for by one worker.
of_the_trained = pytest.mark.xdist_group("trained")


@functools.cache
def _trained(name, policy="float32", jit_compile=False):
    """The model, trained under the policy, and its losses."""
    keras.utils.set_random_seed(0)
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        model = MODELS[name]()
    finally:
        keras.config.set_dtype_policy(before)
    model.compile(
        keras.optimizers.Adam(1e-3),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=jit_compile,
    )
    x, y = _data(name)
    history = model.fit(x, y, batch_size=8, epochs=3, shuffle=False, verbose=0).history
    return model, history["loss"]


@of_the_trained
@pytest.mark.parametrize(
    ("name", "policy", "rtol"),
    [*((name, "mixed_float16", 0.01) for name in MODELS), ("lenet5", "mixed_bfloat16", 0.05)],
)
def test_mixed_precision_trains_like_float32(name, policy, rtol):
    _, expected = _trained(name)
    model, losses = _trained(name, policy)
    assert expected[-1] < expected[0]
    np.testing.assert_allclose(losses, expected, rtol=rtol)
    assert all(v.dtype == "float32" for v in model.trainable_variables)
    if policy == "mixed_float16":
        # It would have been halved had a gradient overflown.
        assert float(model.optimizer.dynamic_scale) == model.optimizer.initial_scale


@of_the_trained
@pytest.mark.parametrize(
    ("name", "jit_compile"), [*((name, True) for name in MODELS), ("dyt_transformer", "auto")]
)
def test_the_losses_do_not_depend_on_the_compiler(name, jit_compile):
    _, losses = _trained(name, jit_compile=jit_compile)
    np.testing.assert_allclose(losses, _trained(name)[1], rtol=1e-4)


@all_of(TRAINED[::3])
def test_accumulated_gradients_train_like_a_larger_batch(info):
    found = []
    for steps, size in ((4, 4), (None, 16)):
        keras.utils.set_random_seed(0)
        last = keras.layers.Dense(1)
        model = keras.Sequential([keras.layers.Dense(8), layer_of(info), last])
        optimizer = keras.optimizers.SGD(0.1, gradient_accumulation_steps=steps)
        model.compile(optimizer, "mse", run_eagerly=True)
        model.fit(BATCH, TARGET, batch_size=size, shuffle=False, verbose=0)
        found.append(model.get_weights())
    for accumulated, larger in zip(*found, strict=True):
        np.testing.assert_allclose(accumulated, larger, rtol=1e-4, atol=1e-5)


SCOPES = (
    {"mode": "full"},
    {"mode": "larger_than", "output_size_threshold": 1},
    {"mode": "activations"},
    {"mode": "list_of_layers", "layer_names": ["function", "inside", "alone"]},
)


def _in_scope(info, scope):
    """The activation in every way it comes, in layers made under a `RematScope`."""
    keras.utils.set_random_seed(0)
    with keras.RematScope(**scope) if scope else contextlib.nullcontext():
        layers = [keras.Input((8,)), keras.layers.Dense(8)]
        if info.keeps_shape:
            function = functools.partial(info.function, **info.required)
            layers.append(keras.layers.Dense(8, activation=function, name="function"))
            layers.append(keras.layers.Dense(8, activation=layer_of(info), name="inside"))
        model = keras.Sequential([*layers, layer_of(info, name="alone"), keras.layers.Dense(1)])
    model(BATCH)
    return model


@all_of(SOME)
def test_rematerialized_activations_have_the_same_gradients(info):
    found = []
    for scope in (None, *SCOPES):
        model = _in_scope(info, scope)
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(model(BATCH)))
        variables = [v.value for v in model.trainable_variables]
        found.append([loss, *tape.gradient(loss, variables)])
    for other in found[1:]:
        for expected, actual in zip(found[0], other, strict=True):
            np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("scope", SCOPES[2:], ids=lambda s: s["mode"])
def test_rematerialized_models_train_the_same(scope):
    """In graphs the other modes fail with any layer of Keras that takes `training`."""
    losses = []
    for each in (None, scope):
        keras.utils.set_random_seed(0)
        with keras.RematScope(**each) if each else contextlib.nullcontext():
            model = keras.Sequential(
                [
                    keras.Input((8,)),
                    keras.layers.Dense(8, activation="mish"),
                    keras.layers.Dense(8, activation=ka.gelu),
                    keras.layers.Dense(8),
                    ka.Snake(name="alone"),
                    *([keras.layers.Dense(8, activation=ka.PReLU())] if scope == SCOPES[2] else []),
                    keras.layers.Dense(1),
                ]
            )
        model.compile("sgd", "mse", jit_compile=False)
        history = model.fit(BATCH, TARGET, batch_size=8, epochs=2, shuffle=False, verbose=0)
        losses.append(history.history["loss"])
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-5)


def _quantizable():
    keras.utils.set_random_seed(0)
    x = keras.Input((8,))
    y = keras.layers.Dense(16, activation=ka.Snake())(x)
    y = ka.PReLU()(keras.layers.Dense(16)(y))
    y = ka.SwiGLU()(keras.layers.Dense(16, activation="mish")(y))
    y = keras.layers.Dense(8, activation=ka.gelu)(y)
    return keras.Model(x, keras.layers.Dense(4)(y))


@pytest.mark.parametrize(("mode", "error"), [("int8", 0.02), ("float8", 0.2), ("int4", 0.2)])
def test_quantized_models(mode, error, tmp_path):
    model = _quantizable()
    expected = model(BATCH).numpy()
    model.save(tmp_path / "before.keras")
    model.quantize(mode)
    y = model(BATCH).numpy()
    assert 0 < np.abs(y - expected).max() < error * np.abs(expected).max()
    # Keras passes over a layer in which another stands, whether one of ours or of its own.
    dense = [la for la in model.layers if isinstance(la, keras.layers.Dense)]
    assert [la.quantization_mode for la in dense] == [None, *[mode] * 4]
    model.save(tmp_path / "after.keras")
    again = [keras.models.load_model(tmp_path / "after.keras")]
    if mode == "int8":
        again.append(keras.models.load_model(tmp_path / "before.keras"))
        again[-1].quantize(mode)
        model.save_weights(tmp_path / "after.weights.h5")
        again.append(keras.models.model_from_json(model.to_json()))
        again[-1].load_weights(tmp_path / "after.weights.h5")
    for each in again:
        np.testing.assert_allclose(each(BATCH), y, rtol=1e-5, atol=1e-6)


def test_quantize_asks_for_a_model_that_has_been_called():
    with pytest.raises(ValueError, match=r"isn't yet built. Layer 'snake"):
        _quantizable().quantize("int8")
