"""ACON-C, which learns whether to activate, and between which two lines."""

import tensorflow as tf

from keras_activations._calculus import elementwise
from keras_activations._layers import ChannelwiseLayer
from keras_activations._registry import activation, register
from keras_activations._special import (
    double_word,
    falling,
    finite,
    minus_abs,
    scaled_exp,
    times,
)


@activation
def acon_c(x, p1=1.0, p2=0.0, beta=1.0):
    """ACON-C: `(p1 - p2) * x / (1 + exp(-beta * (p1 - p2) * x)) + p2 * x`.

    A smooth maximum of the lines `p1 * x` and `p2 * x`, their minimum for a negative `beta`, or
    their mean, which is linear, at 0: the network learns whether a channel activates. `silu` by
    default, and `swish` if only `beta` is trained. Its paper reports gains over ReLU and Swish on
    ImageNet, from small mobile networks to ResNet-152.

    Args:
        x: Tensor of any shape.
        p1: Slope of one line; a number, or a tensor that broadcasts against x.
        p2: Slope of the other line; likewise.
        beta: Sharpness of the choice; likewise.

    Returns:
        Tensor of x's shape and dtype.

    Example:

    >>> ka.acon_c([-2.0, 0.0, 2.0], p1=1.5, p2=0.5).numpy()
    array([-1.2384058,  0.       ,  2.761594 ], dtype=float32)

    Reference:

    - [Ma et al., 2020](https://arxiv.org/abs/2009.04759)
    """
    return elementwise(_value, _derivatives, x, p1, p2, beta)


def _value(x, p1, p2, beta):
    # The mean of the two lines weighted by the gate and its complement, which cancels only where
    # the lines have opposite slopes.
    below, z = _exponent(x, p1, p2, beta)
    e, scale = scaled_exp(z, x.dtype)
    near, far = tf.where(below, p2, p1), tf.where(below, p1, p2)
    total = 1.0 + e * scale
    # A slope of 0 makes 0 of infinity too.
    return times(x / total, near) + finite(x) * (far / total * e) * scale


def _derivatives(x, p1, p2, beta):
    below, z = _exponent(x, p1, p2, beta)
    e, scale = scaled_exp(z, x.dtype)
    gate, x = e * scale, finite(x)
    z = minus_abs(below, beta * (p1 - p2), x)
    total = 1.0 + gate
    near, far = tf.where(below, p2, p1), tf.where(below, p1, p2)
    # By the line that the gate chooses, and by the other without its factor exp(z).
    chosen, other = (total - z * gate) / tf.square(total), (total + z) / tf.square(total)
    dx = near * chosen + far * other * e * scale
    dnear, dfar = x * chosen, x * e * other * scale
    # The rest between the two factors x, which would overflow together.
    dbeta = x * (tf.square((p1 - p2) / total) * (x * e * scale))
    return dx, tf.where(below, dfar, dnear), tf.where(below, dnear, dfar), dbeta


def _exponent(x, p1, p2, beta):
    """Whether beta * (p1 - p2) * x < 0, and minus its size."""
    # As double words, because the exponential magnifies the rounding of the product.
    z = double_word(beta) * (double_word(p1) - double_word(p2)) * double_word(x)
    return z.high < 0.0, falling(z)


@register(
    acon_c,
    family="rectified",
    formula="(p1 - p2) * x / (1 + exp(-beta * (p1 - p2) * x)) + p2 * x",
    paper="Ma et al., 2020",
    url="https://arxiv.org/abs/2009.04759",
    range=(-0.278464543, float("inf")),
    monotonic=False,
    samples=(
        {"p1": 1.5, "p2": 0.25, "beta": 2.5},
        {"p1": -0.5, "p2": 1.25, "beta": -1.0},
        {"p1": 0.75, "p2": 0.75},
        {"p1": 1.5, "p2": -0.25, "beta": 0.0},
    ),
    torch="x * torch.sigmoid(x)",
    # Value and slope cross zero as differences of larger terms, each rounded.
    accuracy={"value_scale": 0.25, "gradient": 5, "gradient_scale": 0.25, "second_scale": 0.1},
)
class AconC(ChannelwiseLayer):
    """Layer form of `acon_c`, which trains `p1`, `p2` and `beta`.

    The authors start `p1` and `p2` from a standard normal distribution: pass
    `p1_initializer=keras.initializers.RandomNormal(stddev=1.0)`, and likewise for `p2`.

    Args:
        p1: Initial slope of one line.
        p2: Initial slope of the other line.
        beta: Initial sharpness of the choice.
        axis: Axis or axes along which the parameters vary; None for one of each.
        p1_initializer: Keras initializer used instead of `p1`.
        p1_regularizer: Keras regularizer of `p1`.
        p1_constraint: Keras constraint on `p1`.
        p2_initializer: Keras initializer used instead of `p2`.
        p2_regularizer: Keras regularizer of `p2`.
        p2_constraint: Keras constraint on `p2`.
        beta_initializer: Keras initializer used instead of `beta`.
        beta_regularizer: Keras regularizer of `beta`.
        beta_constraint: Keras constraint on `beta`.
    """

    def __init__(
        self,
        p1=1.0,
        p2=0.0,
        beta=1.0,
        axis=-1,
        p1_initializer=None,
        p1_regularizer=None,
        p1_constraint=None,
        p2_initializer=None,
        p2_regularizer=None,
        p2_constraint=None,
        beta_initializer=None,
        beta_regularizer=None,
        beta_constraint=None,
        **kwargs,
    ) -> None:
        super().__init__(axis=axis, **kwargs)
        self.learn("p1", p1, p1_initializer, p1_regularizer, p1_constraint)
        self.learn("p2", p2, p2_initializer, p2_regularizer, p2_constraint)
        self.learn("beta", beta, beta_initializer, beta_regularizer, beta_constraint)

    def call(self, inputs):
        return acon_c(inputs, self.p1, self.p2, self.beta)
