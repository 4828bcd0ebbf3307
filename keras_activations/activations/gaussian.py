"""Gaussian, a bump around zero."""

import tensorflow as tf

from keras_activations._calculus import elementwise
from keras_activations._layers import ActivationLayer
from keras_activations._registry import activation, register
from keras_activations._special import bounded, scaled, scaled_exp


@activation
def gaussian(x):
    """Gaussian: `exp(-x**2)`.

    Largest, 1, at 0, and next to nothing beyond 3 on either side: a unit responds to one place
    instead of one side. For radial basis functions, and for coordinate networks that fit images
    and signals without positional encoding.

    Args:
        x: Tensor of any shape.

    Returns:
        Tensor of x's shape and dtype.

    Example:

    >>> ka.gaussian([-1.0, 0.0, 2.0]).numpy()
    array([0.36787945, 1.        , 0.01831564], dtype=float32)
    """
    return elementwise(_value, _derivative, x)


def _value(x):
    e, scale = _bump(x)
    return e * scale


def _derivative(x):
    e, scale = _bump(x)
    return scaled(-2.0, bounded(x) * e, scale)


def _bump(x):
    """Two factors of exp(-x**2)."""
    # The exponential magnifies the rounding of the square, so the rest of that is kept: x is the
    # sum of a short number, whose square is exact, and a small one. Bounded, as it may overflow.
    x = tf.clip_by_value(x, -30.0, 30.0)
    short = tf.round(64.0 * x) / 64.0
    exact, small = tf.square(short), (x - short) * (x + short)
    square = exact + small
    e, scale = scaled_exp(-square, x.dtype)
    return e + e * ((square - exact) - small), scale


@register(
    gaussian,
    family="squashing",
    formula="exp(-x**2)",
    range=(0.0, 1.0),
    monotonic=False,
    torch="torch.exp(-(x**2))",
    # It crosses zero as a difference of larger terms.
    accuracy={"second_scale": 0.1},
)
class Gaussian(ActivationLayer):
    """Layer form of `gaussian`."""

    def call(self, inputs):
        return gaussian(inputs)
