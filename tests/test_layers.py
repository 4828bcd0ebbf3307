"""Every layer, alone and in models: configs, shapes, masks, dtype policies, parameters."""

import inspect
import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from cases import (
    MaskProbe,
    all_activations,
    all_of,
    is_trained,
    layer_of,
    trained_parameters,
)

import keras_activations as ka
from keras_activations._layers import ChannelwiseLayer

BATCH = np.random.default_rng(0).normal(size=(4, 8)).astype("float32")


_trained = all_of([i for i in ka.catalogue() if is_trained(i)])
# Of these, the ones whose parameters may vary along an axis.
_along_an_axis = all_of([i for i in ka.catalogue() if issubclass(i.layer, ChannelwiseLayer)])


def _shape(info, name, shape):
    """The shape of a parameter's variable, where one number of it has the given shape."""
    shared = getattr(info.layer, "shared", ())
    return (*np.shape(info.parameters[name]), *(() if name in shared else shape))


@all_activations
def test_computes_its_function(info):
    layer = layer_of(info)
    np.testing.assert_allclose(
        layer(BATCH), info.function(BATCH, **info.required), rtol=2e-6, atol=2e-6
    )
    assert not is_trained(info) or layer.trainable_variables


@all_activations
def test_config_holds_every_argument(info):
    layer = layer_of(info, name="named")
    arguments = [p for p in inspect.signature(info.layer).parameters if p != "kwargs"]
    assert set(info.required) <= set(arguments)
    for build in (False, True):
        if build:
            layer(BATCH)
        config = layer.get_config()
        assert set(arguments) <= set(config)
        assert json.loads(json.dumps(config)) == config
        again = info.layer.from_config(config)
        assert again.get_config() == config
        for name in arguments:
            assert hasattr(again, name)
    assert again.name == "named"


@all_activations
def test_every_argument_survives_the_config(info):
    for sample in info.samples:
        arguments = {
            k: v for k, v in sample.items() if k in inspect.signature(info.layer).parameters
        }
        layer = info.layer(**{**info.required, **arguments})
        again = info.layer.from_config(json.loads(json.dumps(layer.get_config())))
        for name, value in arguments.items():
            np.testing.assert_array_equal(getattr(again, name), value)
        np.testing.assert_array_equal(again(BATCH), layer(BATCH))


@all_activations
def test_what_is_assigned_before_the_layer_is_built_counts(info):
    for sample in info.samples:
        arguments = {
            k: v for k, v in sample.items() if k in inspect.signature(info.layer).parameters
        }
        layer, expected = layer_of(info), info.layer(**{**info.required, **arguments})
        for name, value in arguments.items():
            setattr(layer, name, value)
        for _ in ("unbuilt", "built"):
            config = {**layer.get_config(), "name": expected.name}
            assert json.loads(json.dumps(config)) == json.loads(json.dumps(expected.get_config()))
            np.testing.assert_array_equal(layer(BATCH), expected(BATCH))


@all_activations
def test_output_shape_without_running(info):
    layer = layer_of(info)
    expected = tuple(layer(BATCH).shape)
    assert tuple(layer_of(info).compute_output_shape((4, 8))) == expected
    assert tuple(layer_of(info).compute_output_shape((None, 5, 8)))[:2] == (None, 5)
    symbolic = layer_of(info)(keras.Input((8,)))
    assert tuple(symbolic.shape) == (None, expected[1])


@all_activations
def test_unknown_arguments_are_refused(info):
    with pytest.raises((TypeError, ValueError), match="no_such_argument"):
        info.layer(**info.required, no_such_argument=1)


@all_activations
def test_numbers_are_checked(info):
    numeric = [n for n, v in info.parameters.items() if isinstance(v, float)]
    for name in numeric:
        for bad in ("0.5", None, [1.0], float("nan")):
            if bad is None and inspect.signature(info.layer).parameters[name].default is None:
                continue
            with pytest.raises(ValueError, match=name):
                info.layer(**{**info.required, name: bad})


@all_activations
def test_sequential_functional_and_subclassed_models_train(info):
    class Subclassed(keras.Model):
        def __init__(self):
            super().__init__()
            self.first, self.activation = keras.layers.Dense(8), layer_of(info)
            self.last = keras.layers.Dense(1)

        def call(self, x):
            return self.last(self.activation(self.first(x)))

    x = keras.Input((8,))
    functional = keras.Model(x, keras.layers.Dense(1)(layer_of(info)(keras.layers.Dense(8)(x))))
    sequential = keras.Sequential([keras.layers.Dense(8), layer_of(info), keras.layers.Dense(1)])
    # A graph costs half a second; that of one activation does in a model what that of another does.
    eagerly = info not in ka.catalogue()[::5]
    for model in (functional, sequential, Subclassed()):
        model.compile("adam", "mse", run_eagerly=eagerly or model is not sequential)
        assert np.isfinite(model.train_on_batch(BATCH, BATCH[:, :1]))


@all_activations
def test_mask_is_kept(info):
    layer = layer_of(info)
    if "mask" in inspect.signature(layer.call).parameters:
        pytest.skip("takes the mask itself, tested in test_families")
    model = keras.Sequential([keras.layers.Masking(), layer, MaskProbe()])
    x = tf.constant(np.stack([BATCH, np.zeros_like(BATCH)], 1))
    np.testing.assert_array_equal(model(x), [[1, 0]] * 4)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "float64", "float16"])
@all_activations
def test_dtype_policies(info, policy):
    layer = layer_of(info, dtype=policy)
    x = tf.constant(BATCH)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x)
    assert y.dtype.name == keras.DTypePolicy(policy).compute_dtype
    gradients = tape.gradient(y, [x, *layer.trainable_variables])
    assert gradients[0].dtype == tf.float32
    for g, variable in zip(gradients[1:], layer.trainable_variables, strict=True):
        assert variable.dtype == keras.DTypePolicy(policy).variable_dtype
        assert g.dtype == tf.as_dtype(variable.dtype)
    symbolic = layer_of(info, dtype=policy)(keras.Input((8,)))
    assert symbolic.dtype == keras.DTypePolicy(policy).compute_dtype


@pytest.mark.parametrize(
    ("info", "kind"),
    # In float16 under XLA every function is tested by itself; here the loss scaling joins them.
    [
        *((i, "run_eagerly") for i in ka.catalogue()[::3]),
        *((i, "jit_compile") for i in ka.catalogue()[::5]),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_mixed_precision_training(info, kind, global_policy):
    global_policy("mixed_float16")
    model = keras.Sequential([keras.layers.Dense(8), layer_of(info), keras.layers.Dense(1)])
    model.compile("adam", "mse", **{kind: True})
    assert np.isfinite(model.train_on_batch(BATCH, BATCH[:, :1]))


@all_activations
def test_inside_other_layers(info):
    if not info.keeps_shape:
        pytest.skip("changes the size of its axis, so it stands on its own")
    keras.utils.set_random_seed(0)
    # Small, so that a recurrent state does not run away, whatever the activation.
    series = np.random.default_rng(1).normal(scale=0.1, size=(2, 3, 8)).astype("float32")
    images = np.random.default_rng(2).normal(size=(2, 6, 6, 3)).astype("float32")
    layers = (
        (keras.layers.Dense(4, activation=layer_of(info)), BATCH[:2]),
        (keras.layers.Conv2D(4, 3, activation=layer_of(info)), images),
    )
    if is_trained(info):  # Layers within layers also keep the weights of what stands in them.
        dense = keras.layers.Dense(4, activation=layer_of(info))
        recurrent = keras.layers.GRU(
            4, activation=layer_of(info), recurrent_activation=layer_of(info), unroll=True
        )
        layers += ((keras.layers.TimeDistributed(dense), series), (recurrent, series))
    inputs = [keras.Input(x.shape[1:]) for _, x in layers]
    outputs = [layer(x) for (layer, _), x in zip(layers, inputs, strict=True)]
    model = keras.Model(inputs, outputs)
    # A graph costs seconds; that of one activation does in a layer what that of another does.
    eagerly = info not in ka.catalogue()[::11]
    model.compile("sgd", ["mse"] * len(layers), run_eagerly=eagerly)
    values = [x for _, x in layers]
    y = [each.numpy() for each in model(values)]
    model.train_on_batch(values, y)
    assert all(np.all(np.isfinite(each)) for each in y)
    for layer, _ in layers:
        names = [w.name for w in layer.trainable_weights]
        assert all(name in names for name in trained_parameters(info))


@all_activations
def test_function_of_a_keras_tensor_keeps_its_dtype(info, global_policy):
    """Whatever the policy, as it does in the `call` of a model."""
    global_policy("mixed_float16")
    for given, computed in (("float64", "float64"), ("float32", "float32"), ("int32", "float32")):
        y = info.function(keras.KerasTensor((2, 8), given), **info.required)
        assert y.dtype == computed


@all_activations
def test_function_of_a_keras_tensor_becomes_its_layer(info):
    x = keras.Input((8,))
    model = keras.Model(x, info.function(x, **info.required))
    assert isinstance(model.layers[-1], info.layer)
    assert not model.trainable_weights
    np.testing.assert_allclose(
        model(BATCH), info.function(BATCH, **info.required), rtol=2e-6, atol=2e-6
    )
    again = keras.models.model_from_json(model.to_json())
    np.testing.assert_array_equal(again(BATCH), model(BATCH))
    for sample in info.samples:
        given = {**info.required, **sample}
        model = keras.Model(x, info.function(x, **given))
        np.testing.assert_allclose(
            model(BATCH), info.function(BATCH, **given), rtol=2e-6, atol=2e-6
        )


def test_function_of_a_keras_tensor_keeps_the_mask():
    x = keras.Input((3, 8))
    model = keras.Model(x, MaskProbe()(ka.mish(keras.layers.Masking()(x))))
    y = model(np.stack([BATCH, 0 * BATCH, BATCH], 1))
    np.testing.assert_array_equal(y, [[1, 0, 1]] * 4)


@_along_an_axis
def test_parameters_vary_along_axis(info):
    image = tf.ones([2, 5, 6, 3])
    for axis, shape in (
        (-1, (3,)),
        (3, (3,)),
        (1, (5, 1, 1)),
        (None, ()),
        ([1, 3], (5, 1, 3)),
        ([1, 2, 3], (5, 6, 3)),
        ((-1, 1), (5, 1, 3)),
    ):
        layer = layer_of(info, axis=axis)
        assert layer(image).shape == image.shape
        expected = [_shape(info, n, shape) for n in trained_parameters(info)]
        assert [tuple(w.shape) for w in layer.weights] == expected
        again = info.layer.from_config(layer.get_config())
        again.build(image.shape)
        assert [tuple(w.shape) for w in again.weights] == expected


@_along_an_axis
def test_images_of_unknown_size(info):
    model = keras.Sequential([keras.Input((None, None, 3)), layer_of(info)])
    assert model(tf.ones([1, 4, 5, 3])).shape == (1, 4, 5, 3)
    assert model(tf.ones([2, 7, 2, 3])).shape == (2, 7, 2, 3)
    with pytest.raises(ValueError, match="known size"):
        layer_of(info, axis=1)(keras.Input((None, 3)))
    with pytest.raises(ValueError, match="batch axis"):
        layer_of(info, axis=0)(BATCH)
    with pytest.raises(ValueError, match="axis"):
        layer_of(info, axis=5)(BATCH)
    for bad in ("last", [], [1, "2"], 1.5):
        with pytest.raises(ValueError, match="axis"):
            layer_of(info, axis=bad)


@_along_an_axis
def test_one_layer_for_inputs_of_several_ranks(info):
    layer = layer_of(info, axis=-1)
    for shape in ((2, 3), (2, 5, 3), (2, 4, 5, 3)):
        assert layer(tf.ones(shape)).shape == shape
    with pytest.raises(ValueError, match="axis -1"):
        layer(tf.ones([2, 4]))
    layer = layer_of(info, axis=1)
    layer(tf.ones([2, 5, 3]))
    with pytest.raises(ValueError, match="ndim=3"):
        layer(tf.ones([2, 5]))


@_along_an_axis
def test_each_channel_learns_its_own(info):
    layer = layer_of(info, axis=-1)
    x = tf.constant([[-1.5] * 4, [1.25] * 4])
    with tf.GradientTape() as tape:
        y = layer(x) * tf.constant([0.0, 1.0, 2.0, 3.0])
    gradients = tape.gradient(y, layer.trainable_variables)
    for g in np.concatenate([np.reshape(g, [-1, 4]) for g in gradients if g.shape.rank]):
        assert g[0] == 0.0
        np.testing.assert_allclose(g[1:], g[1] * np.array([1, 2, 3]), rtol=1e-5)
    # Where they start, one of several parameters may have no effect.
    assert any(np.any(g) for g in gradients)


@_trained
def test_initializer_regularizer_constraint(info):
    for name in trained_parameters(info):
        layer = layer_of(
            info,
            **{
                f"{name}_initializer": keras.initializers.Constant(0.75),
                f"{name}_regularizer": keras.regularizers.L2(2.0),
                f"{name}_constraint": "non_neg",
            },
        )
        layer = info.layer.from_config(json.loads(json.dumps(layer.get_config())))
        layer(BATCH)
        weight = next(w for w in layer.weights if w.name == name)
        shape = weight.shape
        np.testing.assert_array_equal(weight, np.full(shape, 0.75, "float32"))
        np.testing.assert_allclose(layer.losses[0], 2.0 * np.prod(shape) * 0.75**2)
        assert weight.constraint is not None
        with pytest.raises(ValueError, match="no_such"):
            layer_of(info, **{f"{name}_regularizer": "no_such"})


@pytest.mark.parametrize(
    ("info", "name"),
    [
        (i, p.name)
        for i in ka.catalogue()
        for p in inspect.signature(i.layer).parameters.values()
        if isinstance(p.default, bool)
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_options(info, name):
    default = inspect.signature(info.layer).parameters[name].default
    layer = layer_of(info, **{name: not default})
    with tf.GradientTape() as tape:
        y = layer(BATCH)
    if is_trained(info):  # It says what is trained, and how; not from where.
        np.testing.assert_allclose(y, layer_of(info)(BATCH), rtol=2e-6, atol=2e-6)
        assert all(np.any(g) for g in tape.gradient(y, layer.trainable_variables))
    again = info.layer.from_config(json.loads(json.dumps(layer.get_config())))
    np.testing.assert_array_equal(again(BATCH), y)
    assert getattr(again, name) is not default
    assert [w.name for w in again.weights] == [w.name for w in layer.weights]


@_trained
def test_classes_and_variables_are_no_layers_and_no_numbers(info):
    (name, *_) = trained_parameters(info)
    first = next(iter(inspect.signature(info.layer).parameters))
    if first == name:
        with pytest.raises(ValueError, match=r"make it first|must be a list"):
            info.layer(BATCH)
    if isinstance(info.parameters[name], float):
        for variable in (tf.Variable(1.0), keras.Variable(1.0)):
            with pytest.raises(ValueError, match=f"`{name}` must be a number. Received: a var"):
                info.function(keras.Input((8,)), **{name: variable})


@_trained
def test_freezing(info):
    layer = layer_of(info, trainable=False)
    layer(BATCH)
    assert not layer.trainable_weights
    assert len(layer.non_trainable_weights) == len(trained_parameters(info))
    model = keras.Sequential([keras.layers.Dense(4), layer_of(info), keras.layers.Dense(1)])
    model.compile("sgd", "mse", run_eagerly=info not in ka.catalogue()[::5])
    model.layers[1].trainable = False
    model.fit(BATCH, BATCH[:, :1], verbose=0)
    fresh = layer_of(info)
    fresh.build((None, 4))
    for now, then in zip(model.layers[1].weights, fresh.weights, strict=True):
        np.testing.assert_array_equal(now, then)


@_trained
def test_gradients_under_mixed_precision_are_summed_in_float32(info):
    """In float16 a sum of 10⁵ terms would stop growing long before its end, or overflow."""
    x = np.tile(np.array([[-1.5], [1.25]], "float32"), (50000, 1))
    found = {}
    for policy in ("float32", "mixed_float16"):
        layer = layer_of(info, dtype=policy)
        with tf.GradientTape() as tape:
            y = tf.cast(layer(x), "float32")
        found[policy] = tape.gradient(y, layer.trainable_variables)
    for exact, mixed in zip(found["float32"], found["mixed_float16"], strict=True):
        np.testing.assert_allclose(mixed, exact, rtol=2e-3)


@all_activations
def test_a_subclass_keeps_the_arguments_of_its_parent(info):
    class Scaled(info.layer):
        def __init__(self, gain=2.0, **kwargs):
            super().__init__(**kwargs)
            self.gain = gain

        def call(self, inputs):
            return self.gain * super().call(inputs)

    class Private(info.layer):
        def __init__(self, gain=2.0, **kwargs):
            super().__init__(**kwargs)
            self._gain = gain

        def get_config(self):
            return {**super().get_config(), "gain": self._gain}

    given = {k: v for k, v in (info.samples or ({},))[-1].items() if v is not None}
    try:
        info.layer(**{**info.required, **given})
    except (TypeError, ValueError):
        given = info.required
    for subclass in (Scaled, Private):
        layer = subclass(gain=3.0, **given)
        again = subclass.from_config(json.loads(json.dumps(layer.get_config())))
        assert again.get_config() == layer.get_config()
        np.testing.assert_array_equal(again(BATCH), layer(BATCH))
        assert {k: again.get_config()[k] for k in given} == json.loads(json.dumps(given))


def test_a_config_changed_by_hand_counts():
    config = ka.Softmax(axis=[1, 2]).get_config()
    assert ka.Softmax.from_config({**config, "axis": -1}).axis == -1
    del config["axis"]  # As Keras's HDF5 loader does.
    assert ka.Softmax.from_config(config).axis == [1, 2]


def test_the_parameter_is_an_attribute():
    layer = ka.Snake(alpha=2.0)
    assert layer.alpha == 2.0
    layer(BATCH)
    np.testing.assert_array_equal(layer.alpha, np.full(8, 2.0))
    assert layer.get_config()["alpha"] == 2.0
