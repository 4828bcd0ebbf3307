"""Bounded tanh, an output layer whose range is an argument."""

import tensorflow as tf

from keras_activations._calculus import elementwise
from keras_activations._layers import ActivationLayer, number
from keras_activations._registry import activation, register


@activation
def bounded_tanh(x, low=-1.0, high=1.0):
    """Bounded tanh: `low + (high - low) * (tanh(x) + 1) / 2`.

    For outputs with known limits, such as a steering angle or a normalised pixel. Never leaves
    `[low, high]`, rounding included.

    Args:
        x: Tensor of any shape.
        low: The lower limit; a number, or a tensor that broadcasts against x.
        high: The upper limit; likewise.

    Returns:
        Tensor of x's shape and dtype.

    Example:

    >>> ka.bounded_tanh([-9.0, 0.0, 9.0], low=0.0, high=255.0).numpy()
    @@
    """
    return elementwise(_value, _derivatives, x, low, high)


def _value(x, low, high):
    # About the middle, which for the default limits is tanh to the last bit.
    y = (low + high) / 2.0 + (high - low) / 2.0 * tf.tanh(x)
    return tf.clip_by_value(y, low, high)


def _derivatives(x, low, high):
    e = tf.exp(-2.0 * tf.abs(x))
    slope = 4.0 * e / tf.square(1.0 + e)
    upper = tf.sigmoid(2.0 * x)
    return (high - low) / 2.0 * slope, tf.sigmoid(-2.0 * x), upper


@register(
    bounded_tanh,
    formula="low + (high - low) * (tanh(x) + 1) / 2",
    range=(-1.0, 1.0),
    monotonic=True,
    samples=({"low": 0.0, "high": 255.0}, {"low": -3.0, "high": 0.5}),
    torch="torch.tanh(x)",
)
class BoundedTanh(ActivationLayer):
    """Layer form of `bounded_tanh`.

    Args:
        low: The lower limit.
        high: The upper limit, larger than `low`.
    """

    def __init__(self, low=-1.0, high=1.0, **kwargs):
        super().__init__(**kwargs)
        self.low = number("low", low)
        self.high = number("high", high, above=self.low)

    def call(self, inputs):
        return bounded_tanh(inputs, self.low, self.high)
