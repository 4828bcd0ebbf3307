"""Clamped SwiGLU, the gated unit of gpt-oss."""

import tensorflow as tf

from keras_activations._axes import halved
from keras_activations._calculus import gated
from keras_activations._layers import GatedLayer, number
from keras_activations._registry import activation, register
from keras_activations.activations.swish import _derivatives as swish_derivatives
from keras_activations.activations.swish import _value as swish_value


@activation
def clamped_swiglu(x, limit=7.0, alpha=1.702, axis=-1):
    """Clamped SwiGLU: `(c + 1) * g / (1 + exp(-alpha * g))`, where `c` and `g` are limited halves.

    c is the first half of x, the value, limited to ±`limit`, and g the second, the gate, limited
    to at most `limit`. Bounded for a positive `alpha`, and open to the gate alone where c is 0: the
    gated unit of gpt-oss, whose weights interleave the two, gate first. At the limits the slope is
    the inner one.

    It halves `axis`: put it after a layer, not inside one as `activation=`.

    Args:
        x: Tensor of at least one axis.
        limit: Largest size of the value, and largest gate; a number, or a tensor that broadcasts
            against a half of x.
        alpha: Steepness of the gate; likewise.
        axis: The axis that is halved; its size must be even.

    Returns:
        Tensor of x's shape, but of half its size along `axis`, and of x's dtype.

    Raises:
        ValueError: If the size of the axis is odd, or there is no such axis.

    Example:

    >>> ka.clamped_swiglu([[1.0, 20.0, -1.0, 1.0]]).numpy()
    array([[-0.30840847,  6.766366  ]], dtype=float32)

    Reference:

    - [OpenAI, 2025](https://arxiv.org/abs/2508.10925)
    """
    axis = halved(axis, x, "clamped_swiglu")
    return gated(_value, _derivatives, x, axis, limit, alpha)


def _value(a, b, limit, alpha):
    return (_clipped(a, limit) + 1.0) * swish_value(tf.minimum(b, limit), alpha)


def _derivatives(a, b, limit, alpha):
    factor, gate = _clipped(a, limit) + 1.0, tf.minimum(b, limit)
    swish, (slope, bend) = swish_value(gate, alpha), swish_derivatives(gate, alpha)
    one, zero = tf.ones_like(a), tf.zeros_like(a)
    # Which way the value moves with the limit, and whether the gate does.
    side = tf.where(a > limit, one, tf.where(a < -limit, -one, zero))
    stuck = tf.where(b > limit, one, zero)
    da, db = swish * (1.0 - tf.abs(side)), factor * slope
    return da, db * (1.0 - stuck), swish * side + db * stuck, factor * bend


def _clipped(a, limit):
    return tf.maximum(tf.minimum(a, limit), -limit)


@register(
    clamped_swiglu,
    family="gated",
    formula=(
        "(min(max(a, -limit), limit) + 1) * min(b, limit) / (1 + exp(-alpha * min(b, limit)))"
    ),
    paper="OpenAI, 2025",
    url="https://arxiv.org/abs/2508.10925",
    range=(-41.9997188, 55.9996251),
    samples=({"limit": 1.75, "alpha": 1.0}, {"limit": 3.5, "alpha": 0.0}),
)
class ClampedSwiGLU(GatedLayer):
    """Layer form of `clamped_swiglu`.

    Args:
        limit: Largest size of the value, and largest gate, above 0.
        alpha: Steepness of the gate.
        axis: The axis that is halved.
    """

    def __init__(self, limit=7.0, alpha=1.702, axis=-1, **kwargs) -> None:
        super().__init__(axis=axis, **kwargs)
        self.limit = number("limit", limit, above=0.0)
        self.alpha = number("alpha", alpha)

    def call(self, inputs):
        return clamped_swiglu(inputs, self.limit, self.alpha, self.axis)
