"""B-SiLU, a SiLU that is shifted and bounded below."""

import tensorflow as tf

from keras_activations._calculus import elementwise
from keras_activations._layers import ActivationLayer, number
from keras_activations._registry import activation, register
from keras_activations._special import bounded, expm1, scaled_exp


@activation
def bsilu(x, alpha=1.67):
    """Bounded sigmoid linear unit: `(x + alpha) / (1 + exp(-x)) - alpha / 2`.

    Smooth, 0 at 0, and close to `-alpha / 2` far below zero, after a minimum of about -0.90 near
    -2.73; it is `silu` at `alpha=0`. Its paper introduces it for the backward pass of
    `sugar_relu`.

    Args:
        x: Tensor of any shape.
        alpha: Twice the distance of the limits below and above from ReLU, at least 0; a number, or
            a tensor that broadcasts against x.

    Returns:
        Tensor of x's shape and dtype.

    Example:

    >>> ka.bsilu([-2.0, 0.0, 2.0]).numpy()
    array([-0.87433696,  0.        ,  2.3975253 ], dtype=float32)

    Reference:

    - [Horuz et al., 2025](https://arxiv.org/abs/2505.22074)
    """
    return elementwise(_value, _derivatives, x, alpha)


def _value(x, alpha):
    # x / (1 + exp(-x)) + alpha / 2 * tanh(x / 2), two terms of the same sign.
    z = tf.minimum(-x, x)
    e, scale = scaled_exp(z, x.dtype)
    below, bound = x < 0.0, -0.5 * alpha * expm1(z)
    numerator = tf.where(below, bounded(x) * e * scale - bound, x + bound)
    return numerator / (1.0 + e * scale)


def _derivatives(x, alpha):
    z = tf.minimum(-x, x)
    half = -0.5 * expm1(z) / (1.0 + tf.exp(z))
    return _slope(x, alpha), tf.where(x < 0.0, -half, half)


def _slope(x, alpha):
    # On either side by the exponential that does not overflow, over one denominator, so that
    # nothing cancels but where the slope itself is zero.
    e, scale = scaled_exp(tf.minimum(-x, x), x.dtype)
    gate, shifted = e * scale, bounded(x) + alpha
    left, right = (1.0 + shifted + gate) * e * scale, 1.0 + gate + shifted * gate
    return tf.where(x < 0.0, left, right) / tf.square(1.0 + gate)


@register(
    bsilu,
    family="rectified",
    formula="(x + alpha) / (1 + exp(-x)) - alpha / 2",
    paper="Horuz et al., 2025",
    url="https://arxiv.org/abs/2505.22074",
    range=(-0.899900466, float("inf")),
    monotonic=False,
    samples=({"alpha": 0.0}, {"alpha": 5.0}),
    torch="(x + 1.67) * torch.sigmoid(x) - 0.835",
    # Below the value's scale, its terms may be too small for normal numbers where their sum is not.
    # The derivatives cross zero as differences of larger terms.
    accuracy={"value_scale": 1e-31, "gradient": 6, "gradient_scale": 0.1, "second_scale": 0.1},
)
class BSiLU(ActivationLayer):
    """Layer form of `bsilu`.

    Args:
        alpha: Twice the distance of the limits below and above from ReLU, at least 0.
    """

    def __init__(self, alpha=1.67, **kwargs) -> None:
        super().__init__(**kwargs)
        self.alpha = number("alpha", alpha, minimum=0.0)

    def call(self, inputs):
        return bsilu(inputs, self.alpha)
