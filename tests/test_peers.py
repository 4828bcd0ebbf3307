"""Against functions that others have written: Keras here, PyTorch from values fetched from it."""

import inspect
import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf
from cases import DTYPES, all_activations, all_of, gradient

import keras_activations as ka
from keras_activations import peers

PORTABLE = [i for i in ka.catalogue() if i.portable]
TORCH = [i for i in ka.catalogue() if i.torch]
REFERENCE = pathlib.Path(__file__).with_name("data") / "torch.npz"

TOLERANCE = {"float16": 2.0**-9, "bfloat16": 2.0**-5, "float32": 3e-6, "float64": 1e-6}


def test_nothing_that_keras_has_is_missing():
    theirs = {n for n, f in vars(keras.activations).items() if inspect.isfunction(f)}
    ours = {n for info in ka.catalogue() for n in (info.name, *info.aliases)}
    assert theirs - {"get", "serialize", "deserialize"} <= ours


@pytest.mark.parametrize("dtype", DTYPES)
@all_of(PORTABLE)
def test_same_function_as_keras(info, dtype):
    """Kinks included; float64 is loose because Keras's own constants are float32 there."""
    x = np.concatenate([np.linspace(-10, 10, 641), [0.0, -3.0, 3.0, 6.0, -1.0, 1.0, 0.5]])
    x = tf.constant(x.reshape(1, -1), dtype)
    upstream = tf.constant(np.resize([1.0, -0.5, 0.25], info.function(x).shape), dtype)
    y, dx = gradient(info.function, x, upstream)
    their_y, their_dx = gradient(getattr(keras.activations, info.name), x, upstream)
    tolerance = TOLERANCE[dtype]
    kwargs = {"rtol": tolerance, "atol": tolerance}
    np.testing.assert_allclose(tf.cast(y, "float64"), tf.cast(their_y, "float64"), **kwargs)
    slack = 4 if dtype in ("float16", "bfloat16") else 1
    np.testing.assert_allclose(
        tf.cast(dx, "float64"),
        tf.cast(their_dx, "float64"),
        rtol=slack * tolerance,
        atol=slack * tolerance,
    )


@all_of(PORTABLE)
def test_same_parameters_and_defaults_as_keras(info):
    theirs = inspect.signature(getattr(keras.activations, info.name)).parameters
    for name, parameter in list(theirs.items())[1:]:
        assert info.parameters[name] == parameter.default
    layer = getattr(keras.layers, info.layer.__name__, None)
    if layer is not None:
        kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        theirs = inspect.signature(layer).parameters.values()
        names = [p.name for p in theirs if p.kind in kinds and p.name != "kwargs"]
        assert list(inspect.signature(info.layer).parameters)[: len(names)] == names


@all_of(TORCH)
def test_same_function_as_pytorch(info):
    with np.load(REFERENCE) as data:
        expression = str(data.get(f"{info.name}/expression"))
        assert expression == info.torch, "run `make torch-reference`"
        x, expected, expected_dx = (data[f"{info.name}/{k}"] for k in ("x", "y", "dx"))
    upstream = np.cos(np.arange(expected.size, dtype=np.float64)).reshape(expected.shape)
    y, dx = gradient(
        lambda t: info.function(t, **info.required), tf.constant(x), tf.constant(upstream)
    )
    np.testing.assert_allclose(y, expected, rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(dx, expected_dx, rtol=1e-10, atol=1e-12)


@all_activations
def test_naive_form_runs_in_graphs(info):
    """With it speed is compared; in eager mode TensorFlow forgives more."""
    naive = peers.naive_form(info)
    if naive is None:
        pytest.skip("is no scalar expression")
    x = tf.constant(np.linspace(-3.0, 3.0, 32).reshape(2, 16), tf.float32)
    for run in (naive, tf.function(naive)):
        np.testing.assert_allclose(run(x), info.function(x), rtol=1e-4, atol=1e-5)
