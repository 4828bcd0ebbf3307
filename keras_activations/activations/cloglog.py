"""Complementary log-log, an asymmetric sigmoid."""

import math

import tensorflow as tf

from keras_activations._calculus import elementwise
from keras_activations._layers import ActivationLayer
from keras_activations._registry import activation, register
from keras_activations._special import expm1, polynomial, scaled_exp, wide

# Where the slope has long vanished, and the exponential of the exponential not yet overflows.
HIGH = 7.0
SERIES = [1.0 / math.factorial(n) for n in range(7)]


@activation
def cloglog(x):
    """Complementary log-log: `1 - exp(-exp(x))`.

    Between 0 and 1; it leaves 0 slowly, as `exp(x)`, and reaches 1 fast. The probability that an
    event of log-rate `x` happens at least once: for rare classes, and for survival models in
    discrete time.

    Args:
        x: Tensor of any shape.

    Returns:
        Tensor of x's shape and dtype.

    Example:

    >>> ka.cloglog([-2.0, 0.0, 2.0]).numpy()
    array([0.12657697, 0.63212055, 0.999382  ], dtype=float32)
    """
    return elementwise(_value, _derivative, x)


def _value(x):
    # Not as a negative, because Grappler leaves chains of functions out of the kernel.
    return -expm1(-1.0 * tf.exp(tf.minimum(x, HIGH)))


def _derivative(x):
    # exp(x - exp(x)), with the exponent in float64, because the exponential magnifies its rounding.
    z = tf.clip_by_value(wide(x), -1000.0, HIGH)
    e, scale = scaled_exp(z - _exp(z, x.dtype), x.dtype)
    return e * scale


def _exp(z, dtype):
    """exp(z) in float64, to what the precision `dtype` needs, for z <= 7."""
    if dtype == tf.float64:
        return tf.exp(z)
    # In less time: below -18 nothing is left of it next to z.
    power = polynomial(tf.maximum(z, -18.0) / 64.0, SERIES)
    for _ in range(6):
        power = tf.square(power)
    return power


@register(
    cloglog,
    family="squashing",
    formula="1 - exp(-exp(x))",
    range=(0.0, 1.0),
    monotonic=True,
    torch="-torch.expm1(-torch.exp(x))",
    # Nothing is wider than float64, to hold its exponents.
    accuracy={"float64_gradient": 2e-13},
)
class CLogLog(ActivationLayer):
    """Layer form of `cloglog`."""

    def call(self, inputs):
        return cloglog(inputs)
