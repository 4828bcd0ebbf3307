"""Swish, a SiLU that learns how steep its gate is."""

import tensorflow as tf

from keras_activations._calculus import elementwise
from keras_activations._layers import ChannelwiseLayer
from keras_activations._registry import activation, register
from keras_activations._special import double_word, falling, finite, minus_abs, scaled_exp


@activation
def swish(x, beta=1.0):
    """Swish: `x / (1 + exp(-beta * x))`.

    Runs from `x / 2` at `beta=0` to ReLU for large `beta`, and is `silu` at 1. Found by a search
    over formulas; its paper reports gains over ReLU that grow with depth. The string `"swish"`
    keeps the meaning Keras gives it, SiLU.

    In a graph that XLA does not compile, the value is made of plain float32 operations, which every
    converter knows; it loses digits in the lower tail, and is NaN at -inf.

    Args:
        x: Tensor of any shape.
        beta: Steepness of the gate; a number, or a tensor that broadcasts against x.

    Returns:
        Tensor of x's shape and dtype.

    Example:

    >>> ka.swish([-2.0, 0.0, 2.0], beta=1.5).numpy()
    array([-0.09485175,  0.        ,  1.9051483 ], dtype=float32)

    Reference:

    - [Ramachandran, Zoph and Le, 2017](https://arxiv.org/abs/1710.05941)
    """
    return elementwise(_value, _derivatives, x, beta, fusible=_plain)


def _value(x, beta):
    below, z = _exponent(x, beta)
    e, scale = scaled_exp(z, x.dtype)
    return tf.where(below, finite(x) * e * scale, x) / (1.0 + e * scale)


def _derivatives(x, beta):
    below, z = _exponent(x, beta)
    e, scale = scaled_exp(z, x.dtype)
    gate, x = e * scale, finite(x)
    phase = minus_abs(below, beta, x)
    numerator = tf.where(below, (1.0 + phase + gate) * e * scale, 1.0 + gate - phase * gate)
    square = tf.square(1.0 + gate)
    # The rest between the two factors x, which would overflow together.
    return numerator / square, x * (x * e * scale / square)


def _plain(x, beta):
    return x * tf.sigmoid(beta * x)


def _exponent(x, beta):
    """Whether beta * x < 0, and -abs(beta * x)."""
    # As double words, because the exponential magnifies the rounding of the product.
    z = double_word(beta, x.dtype) * double_word(x)
    return z.high < 0.0, falling(z)


@register(
    swish,
    family="self-gated",
    formula="x / (1 + exp(-beta * x))",
    paper="Ramachandran, Zoph and Le, 2017",
    url="https://arxiv.org/abs/1710.05941",
    range=(-0.278464543, float("inf")),
    monotonic=False,
    samples=({"beta": 0.0}, {"beta": 2.5}, {"beta": -1.0}),
    torch="x * torch.sigmoid(x)",
    # The slope crosses zero as a difference of larger terms.
    accuracy={
        "gradient_scale": 0.25,
        "second_scale": 0.1,
        "graph": "plain operations, which every converter knows",
    },
)
class Swish(ChannelwiseLayer):
    """Layer form of `swish`, which trains `beta`.

    Args:
        beta: Initial steepness of the gate.
        axis: Axis or axes along which `beta` varies; None for a single one.
        beta_initializer: Keras initializer used instead of `beta`.
        beta_regularizer: Keras regularizer of `beta`.
        beta_constraint: Keras constraint on `beta`.
    """

    def __init__(
        self,
        beta=1.0,
        axis=-1,
        beta_initializer=None,
        beta_regularizer=None,
        beta_constraint=None,
        **kwargs,
    ) -> None:
        super().__init__(axis=axis, **kwargs)
        self.learn("beta", beta, beta_initializer, beta_regularizer, beta_constraint)

    def call(self, inputs):
        return swish(inputs, self.beta)
