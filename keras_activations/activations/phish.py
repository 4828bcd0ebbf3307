"""Phish, a unit gated by the tanh of its GELU."""

import math

import tensorflow as tf

from keras_activations._calculus import elementwise
from keras_activations._layers import ActivationLayer
from keras_activations._registry import activation, register
from keras_activations._special import normal_tail, tanh
from keras_activations.activations.gelu import _density
from keras_activations.activations.gelu import _derivative as gelu_derivative
from keras_activations.activations.gelu import _value as gelu_value

# Below it, tanh(gelu(x)) is gelu(x) to any precision.
FAR = -7.0


@activation
def phish(x):
    """Phish: `x * tanh(gelu(x))`.

    Never negative: two signs cancel below zero, where it rises to about 0.16 near -1.20 before it
    falls to 0. Flat at 0, where it is about `x**2 / 2`. Its paper reports better accuracies than
    those of Swish, sigmoid and tanh in small networks on MNIST and CIFAR-10.

    Args:
        x: Tensor of any shape.

    Returns:
        Tensor of x's shape and dtype.

    Example:

    >>> ka.phish([-2.0, 0.0, 2.0]).numpy()
    array([0.09093778, 0.        , 1.9213359 ], dtype=float32)

    Reference:

    - [Naveen, 2022](https://doi.org/10.36227/techrxiv.17283824)
    """
    return elementwise(_value, _derivative, x)


def _value(x):
    a, e, scale = _density(x)
    far = a * (a * normal_tail(a)) * e * scale
    return tf.where(x < FAR, far, tf.maximum(x, FAR) * tanh(gelu_value(x)))


def _derivative(x):
    # Bounded, because inf * 0 is not 0.
    x = tf.clip_by_value(x, -40.0, 40.0)
    a, e, scale = _density(x)
    far = a * (math.sqrt(0.5 / math.pi) * a - 2.0 * normal_tail(a)) * e * scale
    y = gelu_value(x)
    # The slope of tanh, which as 1 - tanh**2 would cancel, by the exponential that tanh has, too.
    # That it has no slope at 0 does not count: the quotient is flat there.
    e = tf.exp(-2.0 * tf.abs(y))
    near = tanh(y) + x * gelu_derivative(x) * (4.0 * e / tf.square(1.0 + e))
    return tf.where(x < FAR, far, near)


@register(
    phish,
    family="self-gated",
    formula="x * tanh(x * (1 + erf(x / sqrt(2))) / 2)",
    paper="Naveen, 2022",
    url="https://doi.org/10.36227/techrxiv.17283824",
    range=(0.0, float("inf")),
    monotonic=False,
    torch="x * torch.tanh(torch.nn.functional.gelu(x))",
    # The slope crosses zero as a difference of larger terms; the errors of `gelu` add to tanh's.
    accuracy={"value": 8, "gradient_scale": 0.25, "second_scale": 0.1},
)
class Phish(ActivationLayer):
    """Layer form of `phish`."""

    def call(self, inputs):
        return phish(inputs)
