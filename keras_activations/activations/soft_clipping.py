"""Soft clipping, a smooth clip to the interval from 0 to 1."""

import tensorflow as tf

from keras_activations._calculus import elementwise
from keras_activations._layers import ActivationLayer, number
from keras_activations._registry import activation, register
from keras_activations._special import (
    double_word,
    expm1,
    finite,
    log1p_over,
    scaled_exp,
)


@activation
def soft_clipping(x, alpha=1.0):
    """Soft clipping: `log((1 + exp(alpha * x)) / (1 + exp(alpha * (x - 1)))) / alpha`.

    Between 0 and 1, and nearly the identity between these if `alpha` is large; at `alpha = 1` a
    sigmoid of slope 0.24. For outputs that must lie in the unit interval and be spread over it
    evenly, as in its paper, where networks map random numbers to points of phase space.

    Args:
        x: Tensor of any shape.
        alpha: Sharpness of the bends at 0 and 1, positive; a number, or a tensor that broadcasts
            against x.

    Returns:
        Tensor of x's shape and dtype.

    Example:

    >>> ka.soft_clipping([-1.0, 0.5, 2.0], alpha=5.0).numpy()
    array([0.00133399, 0.5       , 0.998666  ], dtype=float32)

    Reference:

    - [Klimek and Perelstein, 2018](https://arxiv.org/abs/1810.11509)
    """
    return elementwise(_value, _derivatives, x, alpha)


def _value(x, alpha):
    _, inside, _, _, _, logarithm = _parts(x, alpha)
    y = inside + logarithm
    return tf.where(x < 0.5, y, 1.0 - y)


def _derivatives(x, alpha):
    m, inside, e, scale, q, logarithm = _parts(x, alpha)
    gate = e * scale
    # The difference of the two sigmoids, in a form that does not cancel.
    dx = -expm1(-alpha) / (1.0 + gate) / (1.0 + q)
    dx = dx * tf.where(m < 0.0, e, 1.0) * tf.where(m < 0.0, scale, 1.0)
    bend = (1.0 - m) * q / (1.0 + q) - (2.0 * inside - m) * gate / (1.0 + gate) - logarithm
    return dx, tf.where(x < 0.5, bend, -bend) / alpha


def _parts(x, alpha):
    """What value and derivatives at m = min(x, 1 - x) are made of: those at 1 - m mirror them."""
    x = finite(x)
    # By comparisons, which choose one side where two meet, for all and for their slopes.
    m = tf.where(x < 0.5, x, 1.0 - x)
    inside = tf.where(m < 0.0, tf.zeros([], x.dtype), m)
    # As double words, because the exponential magnifies rounding.
    exact = double_word(x)
    mirrored = -(exact - double_word(1.0, x.dtype))
    z = double_word(alpha) * exact.where(x < 0.5, mirrored)
    # By the sign of m, because that of z is lost where the product is no normal number.
    e, scale = scaled_exp(z.where(m < 0.0, -z).clip(-1000.0, 0.0), x.dtype)
    q = tf.exp(-alpha * (1.0 - m))
    # The logarithm of the quotient, divided by alpha, less the part above zero, as log(1 + w).
    # As a product, because XLA stores a quotient that serves twice.
    w = -expm1(-alpha * (1.0 - 2.0 * inside)) * (1.0 / (1.0 + q))
    factor = w / alpha
    logarithm = log1p_over(w * e * scale) * e * tf.where(scale < 1.0, factor * scale, factor)
    return m, inside, e, scale, q, logarithm


@register(
    soft_clipping,
    family="squashing",
    formula="log((1 + exp(alpha * x)) / (1 + exp(alpha * (x - 1)))) / alpha",
    paper="Klimek and Perelstein, 2018",
    url="https://arxiv.org/abs/1810.11509",
    range=(0.0, 1.0),
    monotonic=True,
    samples=({"alpha": 0.5}, {"alpha": 3.0}, {"alpha": 50.0}),
    torch="torch.nn.functional.softplus(x) - torch.nn.functional.softplus(x - 1)",
    # Products of two exponentials, a series and three quotients.
    accuracy={"value": 7, "gradient": 5, "second_scale": 0.05},
)
class SoftClipping(ActivationLayer):
    """Layer form of `soft_clipping`.

    Args:
        alpha: Sharpness of the bends at 0 and 1, positive.
    """

    def __init__(self, alpha=1.0, **kwargs) -> None:
        super().__init__(**kwargs)
        self.alpha = number("alpha", alpha, above=0.0)

    def call(self, inputs):
        return soft_clipping(inputs, self.alpha)
