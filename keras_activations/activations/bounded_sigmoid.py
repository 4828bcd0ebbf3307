"""Bounded sigmoid, an output layer whose range is an argument."""

import tensorflow as tf

from keras_activations._calculus import elementwise
from keras_activations._layers import ActivationLayer, number
from keras_activations._registry import activation, register
from keras_activations._special import scaled_exp


@activation
def bounded_sigmoid(x, low=0.0, high=1.0):
    """Bounded sigmoid: `low + (high - low) / (1 + exp(-x))`.

    For outputs with known limits, such as a rating from 1 to 5. Never leaves the limits, as rounded
    to x's dtype. For limits on either side of 0 prefer `bounded_tanh`, which keeps small values.

    Args:
        x: Tensor of any shape.
        low: The lower limit; a number, or a tensor that broadcasts against x.
        high: The upper limit; likewise.

    Returns:
        Tensor of x's shape and dtype.

    Example:

    >>> ka.bounded_sigmoid([-1.0, 0.0, 1.0], low=1.0, high=5.0).numpy()
    array([2.0757656, 3.       , 3.9242344], dtype=float32)
    """
    return elementwise(_value, _derivatives, x, low, high)


def _value(x, low, high):
    # Measured from the nearer limit, so that a result near a limit of 0 is not lost.
    e, scale = scaled_exp(tf.minimum(-x, x), x.dtype)
    distance = (high - low) / (1.0 + e * scale) * e * scale
    return tf.where(x > 0.0, high - distance, low + distance)


def _derivatives(x, low, high):
    e, scale = scaled_exp(tf.minimum(-x, x), x.dtype)
    gate = e * scale
    dx = (high - low) / tf.square(1.0 + gate) * e * scale
    near, far = 1.0 / (1.0 + gate), gate / (1.0 + gate)
    return dx, tf.where(x < 0.0, near, far), tf.where(x < 0.0, far, near)


@register(
    bounded_sigmoid,
    family="squashing",
    formula="low + (high - low) / (1 + exp(-x))",
    range=(0.0, 1.0),
    monotonic=True,
    samples=({"low": 1.0, "high": 5.0}, {"low": -1.0}, {"low": -3.0, "high": 0.5}),
    torch="torch.sigmoid(x)",
    # A limit is a sum of larger terms, and the slope a product of five rounded factors.
    accuracy={"value_scale": 1.0, "gradient": 5, "second_scale": 0.25},
)
class BoundedSigmoid(ActivationLayer):
    """Layer form of `bounded_sigmoid`.

    Args:
        low: The lower limit.
        high: The upper limit, larger than `low`.
    """

    def __init__(self, low=0.0, high=1.0, **kwargs) -> None:
        super().__init__(**kwargs)
        self.low = number("low", low)
        self.high = number("high", high, above=self.low)

    def call(self, inputs):
        return bounded_sigmoid(inputs, self.low, self.high)
