"""ELiSH, a SiLU with an exponential negative part."""

import tensorflow as tf

from keras_activations._calculus import elementwise
from keras_activations._layers import ActivationLayer
from keras_activations._registry import activation, register
from keras_activations._special import bounded, expm1, scaled_exp


@activation
def elish(x):
    """Exponential linear sigmoid squashing: `(x if x >= 0 else exp(x) - 1) / (1 + exp(-x))`.

    The gate of `silu` on an ELU: unbounded above, with a minimum of about -0.17 near -0.88, and
    0 far below. The slope is continuous, 1/2 at 0; the second derivative jumps there. Introduced
    beside a genetic search for activations.

    Args:
        x: Tensor of any shape.

    Returns:
        Tensor of x's shape and dtype.

    Example:

    >>> ka.elish([-2.0, 0.0, 2.0]).numpy()
    array([-0.10307056,  0.        ,  1.761594  ], dtype=float32)

    Reference:

    - [Basirat and Roth, 2018](https://arxiv.org/abs/1808.00783)
    """
    return elementwise(_value, _derivative, x)


def _value(x):
    e, scale = scaled_exp(tf.minimum(-x, x), x.dtype)
    below = expm1(tf.minimum(x, 0.0)) * e * scale
    return tf.where(x < 0.0, below, x) / (1.0 + e * scale)


def _derivative(x):
    # By w = exp(x) below zero and w = exp(-x) above, over one denominator.
    e, scale = scaled_exp(tf.minimum(-x, x), x.dtype)
    w = e * scale
    below = (w * (w + 2.0) - 1.0) * e * scale
    return tf.where(x < 0.0, below, 1.0 + w + bounded(x) * w) / tf.square(1.0 + w)


@register(
    elish,
    family="exponential",
    formula="(x if x >= 0 else exp(x) - 1) / (1 + exp(-x))",
    paper="Basirat and Roth, 2018",
    url="https://arxiv.org/abs/1808.00783",
    range=(-0.171572875, float("inf")),
    monotonic=False,
    # The slope crosses zero as a difference of larger terms.
    accuracy={"gradient": 5, "gradient_scale": 0.25},
)
class ELiSH(ActivationLayer):
    """Layer form of `elish`."""

    def call(self, inputs):
        return elish(inputs)
