"""What the tests walk over: every activation of the registry, at every parameter set it claims."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_activations as ka
from keras_activations import _calculus
from keras_activations._layers import StochasticLayer, TrainedLayer

RANDOM = [i for i in ka.catalogue() if issubclass(i.layer, StochasticLayer)]
DTYPES = ("float16", "bfloat16", "float32", "float64")

# Exact in every dtype, so that one reference serves all four; kinks, tails and zero included.
MAGNITUDES = np.array(
    [2.0**-10, 0.125, 0.375, 0.5, 0.75, 1, 1.25, 1.5, 2, 2.75, 3, 4, 5.5, 6, 8, 11, 20, 60]
)
POINTS = np.concatenate([-MAGNITUDES[::-1], [0.0], MAGNITUDES])
# For what normalizes, groups or gates along an axis: distinct, of even length, near and far apart.
ROWS = np.array(
    [
        [1.5, -0.25, 0.75, 2.75, -2.5, 0.125, 2, -1],
        [0.25, 0.5, 0.375, 0.125, 0.75, 0.625, 0.0625, 0.875],
        [-8, 4, 11, -3, 2, 5.5, 0.5, -20],
    ]
)


def parameter_sets(info):
    """The default arguments and every sample."""
    sets = [info.required, *({**info.required, **sample} for sample in info.samples)]
    return [s for i, s in enumerate(sets) if s not in sets[:i]]


def inputs(info):
    """Points for an element-wise activation, rows for another."""
    return POINTS if info.elementwise else ROWS


def matrix(info, dtype="float32"):
    """Inputs with eight columns, away from kinks and ties."""
    points = inputs(info)
    points = points[np.abs(points) < 8][:24] if info.elementwise else points
    return tf.constant(points.reshape(-1, 8) + 1 / 64, dtype)


def layer_of(info, **kwargs):
    """A layer of the activation, with the arguments it cannot do without."""
    return info.layer(**info.required, **kwargs)


def is_trained(info):
    """Whether its layer trains anything."""
    return issubclass(info.layer, TrainedLayer)


def trained_parameters(info):
    """The names of the parameters that its layer trains, unless told otherwise."""
    return list(layer_of(info)._parameters) if is_trained(info) else []


def real_parameters(info, given):
    """The real-valued parameters of a function, with their values in one parameter set."""
    values = {**info.parameters, **given}
    return {n: v for n, v in values.items() if isinstance(v, float | tuple)}


def filled(value, shape, dtype):
    """A parameter that varies along axes: each of its numbers, repeated to that shape."""
    value = tf.constant(value, dtype)
    ones = [1] * len(shape)
    return tf.broadcast_to(tf.reshape(value, [*value.shape, *ones]), [*value.shape, *shape])


def gradient(function, x, upstream=None):
    """The value at x and the vector-Jacobian product with the upstream gradient."""
    x = tf.convert_to_tensor(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = function(x)
    return y, tape.gradient(y, x, output_gradients=upstream)


class MaskProbe(keras.layers.Layer):
    """Returns the mask that reaches it."""

    def __init__(self):
        super().__init__()
        self.supports_masking = True

    def call(self, inputs, mask=None):
        return inputs if mask is None else tf.cast(mask, "float32")


def all_of(infos):
    """Parametrizes a test with each `ActivationInfo` of a list."""
    return pytest.mark.parametrize("info", infos, ids=lambda i: i.name)


all_activations = all_of(ka.catalogue())


def all_cases(test):
    """Parametrizes a test with every activation at every parameter set."""
    return cases_where(lambda info, given: True)(test)


def cases_where(condition):
    """Parametrizes a test with those of all cases for which a function of the two holds."""
    cases = [
        pytest.param(info, given, id=f"{info.name}-{number}")
        for info in ka.catalogue()
        for number, given in enumerate(parameter_sets(info))
        if condition(info, given)
    ]
    return pytest.mark.parametrize(("info", "given"), cases)


def trace_nothing(monkeypatch):
    """Runs kernels one operation after the other, because derivatives of graphs take long."""
    monkeypatch.setattr(_calculus._Kernel, "__call__", lambda self, *t: self.function(*t))
