"""Soft exponential, which learns whether to be a logarithm, a line or an exponential."""

import math

import tensorflow as tf

from keras_activations._calculus import elementwise
from keras_activations._layers import ChannelwiseLayer
from keras_activations._registry import activation, register
from keras_activations._special import double_word, finite, polynomial, reciprocal
from keras_activations.activations.linear import linear

NEAR = 0.75
# The series of (exp(z) - 1) / z, of ((z - 1) exp(z) + 1) / z², and of (atanh(s) - s) / s³ in s².
EXPONENTIAL = [1.0 / math.factorial(n + 1) for n in range(16)]
BEND = [(n + 1) / math.factorial(n + 2) for n in range(16)]
LOGARITHM = [1.0 / (2 * n + 3) for n in range(16)]


@activation
def soft_exponential(x, alpha=0.0):
    """Soft exponential: `(exp(alpha * x) - 1) / alpha + alpha`, or x, or a logarithm.

    `x` at `alpha = 0`, `exp(x)` at 1 and `log(x)` at -1; for all negative `alpha` it is
    `-log(1 - alpha * (x + alpha)) / alpha`. Value and slope change smoothly with `alpha`, so that
    a unit can learn which it is, and a network to multiply as well as to add.

    With a negative `alpha` there is a value only for `x > 1 / alpha - alpha`; it is NaN below.

    Args:
        x: Tensor of any shape.
        alpha: Which function; a number, or a tensor that broadcasts against x.

    Returns:
        Tensor of x's shape and dtype.

    Example:

    >>> ka.soft_exponential([-2.0, 0.0, 2.0], alpha=0.5).numpy()
    array([-0.7642411,  0.5      ,  3.9365635], dtype=float32)

    Reference:

    - [Godfrey and Gashler, 2015](https://arxiv.org/abs/1602.01321)
    """
    if isinstance(alpha, int | float) and alpha == 0:
        return linear(x)
    return elementwise(_value, _derivatives, x, alpha)


def _value(x, alpha):
    z, e, scale = _exponential(x, alpha)
    v, t, s, series = _logarithm(x, alpha)
    divisor, small = _divisor(alpha), tf.clip_by_value(z, -NEAR, NEAR)
    # The constant is exactly 0 at alpha = 1, where the exponential is left alone.
    far = e / divisor * scale + (alpha - 1.0) * ((alpha + 1.0) / divisor)
    above = tf.where(tf.abs(z) < NEAR, x * polynomial(small, EXPONENTIAL) + alpha, far)
    near = (x + alpha) * (1.0 - s) * (1.0 + tf.square(s) * series)
    below = tf.where(_has_series(v), near, -_log(x, t, divisor) / divisor)
    return tf.where(alpha < 0.0, below, above)


def _derivatives(x, alpha):
    z, e, scale = _exponential(x, alpha)
    v, t, s, series = _logarithm(x, alpha)
    divisor, small = _divisor(alpha), tf.clip_by_value(z, -NEAR, NEAR)
    slope = reciprocal(t)
    far = (tf.maximum(z, -1e4) - 1.0) / divisor * (e / divisor) * scale + 1.0 / tf.square(divisor)
    above = tf.where(tf.abs(z) < NEAR, tf.square(x) * polynomial(small, BEND), far) + 1.0
    bend = 0.5 * (1.0 - s) * (1.0 + s * (1.0 + s) * series)
    near = slope * (1.0 + tf.square(x + alpha) * bend)
    far = (_log(x, t, divisor) / divisor + (finite(x) + 2.0 * alpha) * slope) / divisor
    below = tf.where(_has_series(v), near, far)
    negative = alpha < 0.0
    return tf.where(negative, slope, e * scale), tf.where(negative, below, above)


def _exponential(x, alpha):
    """alpha * x, 0 if alpha is negative, and two factors of its exponential."""
    # As double words, because the exponential magnifies the rounding of the product.
    exact = double_word(tf.maximum(alpha, 0.0)) * double_word(x)
    z = exact.high
    shifted = tf.where(z > 64.0, z - 32.0, tf.where(z < -64.0, z + 32.0, z))
    rest = tf.where(tf.abs(z) < 1e3, exact.low, 0.0)
    e = tf.exp(shifted) * (1.0 + rest)
    scale = tf.where(z < -64.0, tf.constant(math.exp(-32.0), z.dtype), 1.0)
    return z, e, tf.where(z > 64.0, tf.constant(math.exp(32.0), z.dtype), scale)


def _logarithm(x, alpha):
    """v = -alpha * (x + alpha), or 0 if alpha is positive; 1 + v; s = v / (2 + v); its series."""
    # As double words, because the logarithm and the quotient magnify the rounding where they end.
    exact = double_word(tf.minimum(alpha, 0.0))
    v = -exact * (double_word(x) + exact)
    t = v + double_word(1.0, x.dtype)
    t = tf.where(v.high > 1e18, -tf.minimum(alpha, 0.0) * x, t.high + t.low)
    t = tf.where(t < 0.0, tf.constant(math.nan, t.dtype), t)  # Else ONNX multiplies it by zero.
    near = tf.clip_by_value(v.high, -0.5, 1.0)
    s = near / (2.0 + near)
    return v.high, t, s, polynomial(tf.square(s), LOGARITHM)


def _log(x, t, divisor):
    # Beyond some size t is -alpha * x, and may overflow.
    large = t > 1e18
    more = tf.where(large, tf.math.log(tf.abs(divisor)), 0.0)
    return tf.math.log(tf.where(large, x, t)) + more


def _divisor(alpha):
    return tf.where(tf.not_equal(alpha, 0.0), alpha, 1.0)


def _has_series(v):
    return tf.logical_and(v > -0.5, v < 1.0)


@register(
    soft_exponential,
    family="exponential",
    formula=(
        "x if alpha == 0 else (exp(alpha * x) - 1) / alpha + alpha if alpha > 0 "
        "else -log(1 - alpha * (x + alpha)) / alpha"
    ),
    paper="Godfrey and Gashler, 2015",
    url="https://arxiv.org/abs/1602.01321",
    range=(float("-inf"), float("inf")),
    monotonic=True,
    samples=({"alpha": 1e-6}, {"alpha": 0.3}, {"alpha": 1.0}, {"alpha": -0.25}),
    # The value crosses zero as a difference of larger terms. Beyond the domain the slope overflows,
    # and takes the second derivative with it, which is alpha times as large.
    accuracy={"value_scale": 1.0, "domain": 250},
)
class SoftExponential(ChannelwiseLayer):
    """Layer form of `soft_exponential`, which trains `alpha`.

    `alpha_constraint="non_neg"` keeps out the logarithms, and with them NaN.

    Args:
        alpha: Which function to start from.
        axis: Axis or axes along which `alpha` varies; None for a single one.
        alpha_initializer: Keras initializer used instead of `alpha`.
        alpha_regularizer: Keras regularizer of `alpha`.
        alpha_constraint: Keras constraint on `alpha`.
    """

    def __init__(
        self,
        alpha=0.0,
        axis=-1,
        alpha_initializer=None,
        alpha_regularizer=None,
        alpha_constraint=None,
        **kwargs,
    ) -> None:
        super().__init__(axis=axis, **kwargs)
        self.learn("alpha", alpha, alpha_initializer, alpha_regularizer, alpha_constraint)

    def call(self, inputs):
        return soft_exponential(inputs, self.alpha)
