"""Bounded tanh, an output layer whose range is an argument."""

import tensorflow as tf

from keras_activations._calculus import elementwise
from keras_activations._layers import ActivationLayer, number
from keras_activations._registry import activation, register
from keras_activations._special import near_tanh, scaled_exp


@activation
def bounded_tanh(x, low=-1.0, high=1.0):
    """Bounded tanh: `low + (high - low) * (tanh(x) + 1) / 2`.

    For outputs with known limits, such as a steering angle or a normalised pixel. Never leaves
    the limits, as rounded to x's dtype.

    Args:
        x: Tensor of any shape.
        low: The lower limit; a number, or a tensor that broadcasts against x.
        high: The upper limit; likewise.

    Returns:
        Tensor of x's shape and dtype.

    Example:

    >>> ka.bounded_tanh([-1.0, 0.0, 1.0], low=0.0, high=255.0).numpy()
    array([ 30.396744, 127.5     , 224.60326 ], dtype=float32)
    """
    return elementwise(_value, _derivatives, x, low, high)


def _value(x, low, high):
    # Measured from the middle where the result is near it, and from the nearer limit elsewhere, so
    # that neither a result near 0 in the middle nor one near a limit of 0 is lost to cancellation.
    middle = (low + high) / 2.0 + (high - low) / 2.0 * near_tanh(x)
    e, scale = scaled_exp(2.0 * tf.minimum(-x, x), x.dtype)
    distance = (high - low) / (1.0 + e * scale) * e * scale
    outer = tf.where(x > 0.0, high - distance, low + distance)
    return tf.where(tf.abs(x) < 0.5, middle, outer)


def _derivatives(x, low, high):
    e, scale = scaled_exp(2.0 * tf.minimum(-x, x), x.dtype)
    gate = e * scale
    dx = 2.0 * (high - low) / tf.square(1.0 + gate) * e * scale
    near, far = 1.0 / (1.0 + gate), gate / (1.0 + gate)
    return dx, tf.where(x < 0.0, near, far), tf.where(x < 0.0, far, near)


@register(
    bounded_tanh,
    family="squashing",
    formula="low + (high - low) * (tanh(x) + 1) / 2",
    range=(-1.0, 1.0),
    monotonic=True,
    samples=({"low": 0.0, "high": 255.0}, {"low": -3.0, "high": 0.5}),
    torch="torch.tanh(x)",
    # A limit is a sum of larger terms, and the slope a product of five rounded factors.
    accuracy={"value_scale": 1.0, "gradient": 5, "second_scale": 10.0},
)
class BoundedTanh(ActivationLayer):
    """Layer form of `bounded_tanh`.

    Args:
        low: The lower limit.
        high: The upper limit, larger than `low`.
    """

    def __init__(self, low=-1.0, high=1.0, **kwargs) -> None:
        super().__init__(**kwargs)
        self.low = number("low", low)
        self.high = number("high", high, above=self.low)

    def call(self, inputs):
        return bounded_tanh(inputs, self.low, self.high)
