"""Squareplus, a softplus without an exponential."""

import math

import tensorflow as tf

from keras_activations._calculus import elementwise
from keras_activations._layers import ActivationLayer, number
from keras_activations._registry import activation, register


@activation
def squareplus(x, b=4.0):
    """Squareplus: `(x + sqrt(x**2 + b)) / 2`.

    A smooth ReLU of algebraic operations only: positive, and with a slope that vanishes like
    `b / (4 * x**2)` below zero, where that of softplus vanishes exponentially. The value at 0
    is `sqrt(b) / 2`; `b=0` is ReLU, with slope 1 at 0. Keras's function of this name cancels below
    zero, and overflows where the square of x does.

    Args:
        x: Tensor of any shape.
        b: Width of the bend, not negative; a number, or a tensor that broadcasts against x.

    Returns:
        Tensor of x's shape and dtype.

    Example:

    >>> ka.squareplus([-2.0, 0.0, 2.0]).numpy()
    array([0.41421354, 1.        , 2.4142137 ], dtype=float32)

    Reference:

    - [Barron, 2021](https://arxiv.org/abs/2112.11687)
    """
    return elementwise(_value, _derivatives, x, b)


def _value(x, b):
    _, mean = _root_and_mean(x, b)
    # Below zero by the product of the two solutions, because their difference would cancel.
    return tf.where(x < 0.0, tf.math.divide_no_nan(0.25 * b, mean), mean)


def _derivatives(x, b):
    root, mean = _root_and_mean(x, b)
    below = tf.math.divide_no_nan(tf.math.divide_no_nan(0.25 * b, mean), root)
    return tf.where(x < 0.0, below, 1.0 - below), tf.math.divide_no_nan(0.25, root)


def _root_and_mean(x, b):
    """sqrt(x² + b), and its mean with abs(x)."""
    # With the slope of x at 0.
    size = tf.where(x < 0.0, -x, x)
    # Beyond the bound the square would overflow, and b makes no difference; nor where it is zero.
    bounded = tf.minimum(size, 0.5 * math.sqrt(x.dtype.max))
    square = tf.square(bounded) + b
    # The root of 0 has no derivative.
    root = tf.where(square > 0.0, tf.sqrt(tf.where(square > 0.0, square, 1.0)), 0.0)
    # Not their maximum, which under XLA may pass over NaN.
    return tf.where(root > size, root, size), size + 0.5 * tf.nn.relu(root - size)


@register(
    squareplus,
    family="exponential",
    formula="(x + sqrt(x**2 + b)) / 2 if b != 0 else max(x, 0)",
    paper="Barron, 2021",
    url="https://arxiv.org/abs/2112.11687",
    range=(0.0, float("inf")),
    monotonic=True,
    samples=({"b": 0.25}, {"b": 0.0}, {"b": 100.0}),
    # Keras's function of this name is infinite in float16 from 256 on, where the square overflows.
    portable=False,
    # A root and two quotients.
    accuracy={"gradient": 5},
)
class Squareplus(ActivationLayer):
    """Layer form of `squareplus`.

    Args:
        b: Width of the bend, not negative.
    """

    def __init__(self, b=4.0, **kwargs) -> None:
        super().__init__(**kwargs)
        self.b = number("b", b, minimum=0.0)

    def call(self, inputs):
        return squareplus(inputs, self.b)
