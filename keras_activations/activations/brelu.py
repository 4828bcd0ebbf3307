"""Bipolar ReLU, which turns every other unit upside down."""

import tensorflow as tf

from keras_activations._axes import existing
from keras_activations._calculus import with_gradient
from keras_activations._layers import AxisLayer
from keras_activations._registry import activation, register


@activation
def brelu(x, axis=-1):
    """Bipolar ReLU: `max(x, 0)` on even channels, `-max(-x, 0)` on odd ones.

    Channels count from 0. Half of the units return positive numbers and half negative ones, so
    that the mean of a layer moves towards zero, for networks without normalization. Its paper
    trains recurrent networks of up to 144 layers with it. The slope at 0 is 0.

    Args:
        x: Tensor of at least one axis.
        axis: The axis of the channels.

    Returns:
        Tensor of x's shape and dtype.

    Raises:
        ValueError: If there is no such axis.

    Example:

    >>> ka.brelu([[-2.0, -2.0, 3.0, 3.0]]).numpy()
    array([[ 0., -2.,  3., -0.]], dtype=float32)

    Reference:

    - [Eidnes and Nøkland, 2017](https://arxiv.org/abs/1709.04054)
    """
    return with_gradient(_value, _gradient, x, axis=existing(axis, x))


def _value(x, axis):
    sign = _sign(x, axis)
    return sign * tf.nn.relu(sign * x)


def _gradient(upstream, x, axis):
    return tf.raw_ops.ReluGrad(gradients=upstream, features=_sign(x, axis) * x)


def _sign(x, axis):
    """1 on even channels and -1 on odd ones, in a shape that broadcasts against x."""
    sign = 1 - 2 * (tf.range(tf.shape(x)[axis]) % 2)
    following = (tf.rank(x) if axis >= 0 else 0) - axis - 1
    return tf.reshape(tf.cast(sign, x.dtype), tf.concat([[-1], tf.fill([following], 1)], 0))


@register(
    brelu,
    family="rectified",
    formula="[max(t, 0) if i % 2 == 0 else -max(-t, 0) for i, t in zip(range(len(x)), x)]",
    paper="Eidnes and Nøkland, 2017",
    url="https://arxiv.org/abs/1709.04054",
    range=(float("-inf"), float("inf")),
    torch="torch.where(torch.arange(x.shape[-1]) % 2 == 0, torch.relu(x), -torch.relu(-x))",
)
class BReLU(AxisLayer):
    """Layer form of `brelu`.

    Args:
        axis: The axis of the channels.
    """

    def call(self, inputs):
        return brelu(inputs, self.axis)
