"""Binary step, whose backward pass is a straight-through estimator."""

import tensorflow as tf

from keras_activations._calculus import elementwise, step
from keras_activations._layers import ActivationLayer
from keras_activations._registry import activation, register


@activation
def binary_step(x):
    """Binary step: `1 if x >= 0 else 0`.

    For hard gates and binary networks. The true derivative is 0 and would train nothing, so the
    backward pass is deliberately another: the gradient goes straight through where `abs(x) <= 1`
    and is 0 elsewhere. Forward-mode differentiation (`tf.autodiff.ForwardAccumulator`) inside a
    `tf.function` does not see it: TensorFlow follows the value there, whose derivative is 0.

    Args:
        x: Tensor of any shape.

    Returns:
        Tensor of x's shape and dtype.

    Example:

    >>> ka.binary_step([-2.0, 0.0, 2.0]).numpy()
    array([0., 1., 1.], dtype=float32)

    Reference:

    - [Bengio, Léonard and Courville, 2013](https://arxiv.org/abs/1308.3432)
    - [Courbariaux et al., 2016](https://arxiv.org/abs/1602.02830)
    """
    return elementwise(_value, _straight_through, x)


def _value(x):
    # Written so that NaN, which compares with nothing, comes out as NaN.
    return tf.where(x >= 0.0, tf.ones([], x.dtype), tf.where(x < 0.0, tf.zeros([], x.dtype), x))


def _straight_through(x):
    return 1.0 - step(tf.abs(x) - 1.0)


@register(
    binary_step,
    family="rectified",
    formula="1 if x >= 0 else 0",
    backward="1 if abs(x) <= 1 else 0",
    paper="Bengio, Léonard and Courville, 2013; Courbariaux et al., 2016",
    url="https://arxiv.org/abs/1308.3432",
    kinks=(0.0,),
    range=(0.0, 1.0),
    monotonic=True,
)
class BinaryStep(ActivationLayer):
    """Layer form of `binary_step`."""

    def call(self, inputs):
        return binary_step(inputs)
