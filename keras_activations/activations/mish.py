"""Mish, a smooth self-gated unit with a shallow negative dip."""

import tensorflow as tf

from keras_activations._calculus import elementwise
from keras_activations._layers import ActivationLayer
from keras_activations._registry import activation, register


@activation
def mish(x):
    """Mish: `x * tanh(log(1 + exp(x)))`.

    Smooth, unbounded above, with a minimum of about -0.31 near -1.19; the slope overshoots 1 a
    little. A drop-in for ReLU and SiLU in convolutional networks, at a higher cost: its paper
    reports small gains over both on CIFAR-10, ImageNet and COCO.

    Args:
        x: Tensor of any shape.

    Returns:
        Tensor of x's shape and dtype.

    Example:

    >>> ka.mish([-2.0, 0.0, 2.0]).numpy()
    array([-0.25250146,  0.        ,  1.943959  ], dtype=float32)

    Reference:

    - [Misra, 2019](https://arxiv.org/abs/1908.08681)
    """
    return elementwise(_value, _derivative, x)


def _value(x):
    # The form that TensorFlow fuses with the Dense or Conv2D before it.
    return x * tf.tanh(tf.nn.softplus(x))


def _derivative(x):
    # By w = exp(x) alone: one transcendental instead of three, and no cancellation in the tails.
    # Beyond the bounds the slope is 0 or 1 to the last bit of float64.
    x = tf.clip_by_value(x, -1000.0, 20.0)
    w = tf.exp(x)
    denominator = w * (w + 2.0) + 2.0
    return w * (w + 2.0) / denominator + x * 4.0 * w * (w + 1.0) / tf.square(denominator)


@register(
    mish,
    formula="x * tanh(log(1 + exp(x)))",
    paper="Misra, 2019",
    url="https://arxiv.org/abs/1908.08681",
    range=(-0.308843413, float("inf")),
    monotonic=False,
    torch="torch.nn.functional.mish(x)",
)
class Mish(ActivationLayer):
    """Layer form of `mish`."""

    def call(self, inputs):
        return mish(inputs)
