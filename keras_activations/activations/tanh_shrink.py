"""Tanh shrink, what tanh takes away from a line."""

import math

import tensorflow as tf

from keras_activations._calculus import elementwise
from keras_activations._layers import ActivationLayer
from keras_activations._registry import activation, register
from keras_activations._special import polynomial, tanh

# 2 (n + 1) / (2 n + 3)!, the series of (x cosh(x) - sinh(x)) / x³ in x².
SERIES = [2.0 * (n + 1) / math.factorial(2 * n + 3) for n in range(10)]


@activation
def tanh_shrink(x):
    """Tanh shrink: `x - tanh(x)`.

    Nearly zero around zero, where it is `x**3 / 3`, and a line from there on: a smooth form of soft
    shrinkage, which sparse coding uses.

    Args:
        x: Tensor of any shape.

    Returns:
        Tensor of x's shape and dtype.

    Example:

    >>> ka.tanh_shrink([-2.0, 0.0, 2.0]).numpy()
    array([-1.0359724,  0.       ,  1.0359724], dtype=float32)
    """
    return elementwise(_value, _derivative, x)


def _value(x):
    # Near zero (x cosh(x) - sinh(x)) / cosh(x) by a series of positive terms, elsewhere
    # |x| - 1 + 2 / (1 + exp(2 |x|)): neither cancels.
    size = tf.abs(x)
    e = tf.exp(tf.minimum(-x, x))
    square = tf.square(e)
    inner = tf.square(tf.minimum(size, 1.0))
    near = x * inner * polynomial(inner, SERIES) * 2.0 * e
    far = tf.sign(x) * ((size - 1.0) * (1.0 + square) + 2.0 * square)
    return tf.where(size < 1.0, near, far) / (1.0 + square)


def _derivative(x):
    return tf.square(tanh(x))


@register(
    tanh_shrink,
    family="rectified",
    formula="x - tanh(x)",
    range=(float("-inf"), float("inf")),
    monotonic=True,
    addons=("tanhshrink",),
    torch="torch.nn.functional.tanhshrink(x)",
    # A product of an exponential, a series and powers; the square doubles the error of tanh.
    accuracy={"value": 5, "gradient": 8},
)
class TanhShrink(ActivationLayer):
    """Layer form of `tanh_shrink`."""

    def call(self, inputs):
        return tanh_shrink(inputs)
