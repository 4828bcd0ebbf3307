"""Mish, a smooth self-gated unit with a shallow negative dip."""

import tensorflow as tf

from keras_activations._calculus import elementwise
from keras_activations._layers import ActivationLayer
from keras_activations._registry import activation, register
from keras_activations._special import bounded, scaled_exp


@activation
def mish(x):
    """Mish: `x * tanh(log(1 + exp(x)))`.

    Smooth, unbounded above, with a minimum of about -0.31 near -1.19; the slope overshoots 1 a
    little. A drop-in for ReLU and SiLU in convolutional networks, at a higher cost: its paper
    reports small gains, over both on CIFAR-10, over ReLU on ImageNet and leaky ReLU on COCO.

    In a graph that XLA does not compile, the value is the form that TensorFlow fuses with the layer
    before it, which loses digits in the lower tail, and is NaN at -inf.

    Args:
        x: Tensor of any shape.

    Returns:
        Tensor of x's shape and dtype.

    Example:

    >>> ka.mish([-2.0, 0.0, 2.0]).numpy()
    array([-0.2525015,  0.       ,  1.9439589], dtype=float32)

    Reference:

    - [Misra, 2019](https://arxiv.org/abs/1908.08681)
    """
    return elementwise(_value, _derivative, x, fusible=_fused)


def _value(x):
    # tanh(log(1 + w)) is (w² + 2 w) / (w² + 2 w + 2), here by w = exp(x) below zero and by
    # w = exp(-x) above: one exponential, and no cancellation.
    e, scale = scaled_exp(tf.minimum(-x, x), x.dtype)
    below, w = x < 0.0, e * scale
    numerator = tf.where(below, bounded(x) * (w + 2.0) * e * scale, x * (1.0 + 2.0 * w))
    return numerator / tf.where(below, w * (w + 2.0) + 2.0, 1.0 + 2.0 * w * (1.0 + w))


def _derivative(x):
    e, scale = scaled_exp(tf.minimum(-x, x), x.dtype)
    below, w, x = x < 0.0, e * scale, bounded(x)
    root = tf.where(below, w * (w + 2.0) + 2.0, 1.0 + 2.0 * w * (1.0 + w))
    bend = 4.0 * x * (w + 1.0)
    left = ((w + 2.0) * root + bend) * e * scale
    right = (1.0 + 2.0 * w) * root + bend * w * w
    return tf.where(below, left, right) / tf.square(root)


def _fused(x):
    return x * tf.tanh(tf.nn.softplus(x))


@register(
    mish,
    family="self-gated",
    formula="x * tanh(log(1 + exp(x)))",
    paper="Misra, 2019",
    url="https://arxiv.org/abs/1908.08681",
    range=(-0.308843413, float("inf")),
    monotonic=False,
    addons=("mish",),
    torch="torch.nn.functional.mish(x)",
    # The slope crosses zero as a difference of larger terms, each rounded.
    accuracy={
        "gradient": 5,
        "gradient_scale": 0.25,
        "second_scale": 0.1,
        "graph": "the form that TensorFlow fuses with the layer before it",
    },
)
class Mish(ActivationLayer):
    """Layer form of `mish`."""

    def call(self, inputs):
        return mish(inputs)
