"""The hard sigmoid of Keras 2, for models that were trained with it."""

import tensorflow as tf

from keras_activations._calculus import elementwise, step
from keras_activations._layers import ActivationLayer
from keras_activations._registry import activation, register


@activation
def hard_sigmoid_keras2(x):
    """Hard sigmoid of Keras 2: `min(max(x + 2.5, 0), 5) / 5`.

    What Keras 2, Theano and ONNX by default call a hard sigmoid, `0.2 * x + 0.5` between 0 and 1:
    up to 1/12 away from `hard_sigmoid`, the form of Keras 3 and PyTorch. Take it for models that
    were trained with it; `keras_activations.migrate` does. The slope at both kinks is 0.

    Args:
        x: Tensor of any shape.

    Returns:
        Tensor of x's shape and dtype.

    Example:

    >>> ka.hard_sigmoid_keras2([-4.0, 0.0, 1.5]).numpy()
    array([0. , 0.5, 0.8], dtype=float32)
    """
    return elementwise(_value, _derivative, x)


def _value(x):
    # Exact where it crosses zero, which 0.2 * x + 0.5 is not.
    return tf.clip_by_value(x + 2.5, 0.0, 5.0) / 5.0


def _derivative(x):
    return step(x + 2.5) * step(2.5 - x) / 5.0


@register(
    hard_sigmoid_keras2,
    family="rectified",
    formula="min(max(x + 2.5, 0), 5) / 5",
    kinks=(-2.5, 2.5),
    range=(0.0, 1.0),
    monotonic=True,
    keras2=("hard_sigmoid",),
)
class HardSigmoidKeras2(ActivationLayer):
    """Layer form of `hard_sigmoid_keras2`."""

    def call(self, inputs):
        return hard_sigmoid_keras2(inputs)
