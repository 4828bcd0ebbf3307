"""PELU, an ELU that learns its slope and its bend."""

import math

import tensorflow as tf

from keras_activations._calculus import elementwise
from keras_activations._layers import ChannelwiseLayer, number
from keras_activations._registry import activation, register
from keras_activations._special import expm1, scaled, scaled_exp, wide


@activation
def pelu(x, a=1.0, b=1.0):
    """Parametric ELU: `a / b * x if x >= 0 else a * (exp(x / b) - 1)`.

    Saturates at `-a`; the slope is continuous, `a / b` from 0 on. Its paper trains both and
    reports gains over ELU in convolutional networks, ImageNet among others.

    Args:
        x: Tensor of any shape.
        a: Depth of the negative part, positive; a number, or a tensor that broadcasts against x.
        b: Width of the negative part, positive; likewise.

    Returns:
        Tensor of x's shape and dtype.

    Example:

    >>> ka.pelu([-2.0, 0.0, 2.0], a=1.5, b=0.5).numpy()
    array([-1.4725265,  0.       ,  6.       ], dtype=float32)

    Reference:

    - [Trottier, Giguère and Chaib-draa, 2016](https://arxiv.org/abs/1605.09332)
    """
    return elementwise(_value, _derivatives, x, a, b)


def _value(x, a, b):
    # Next to 0 it is linear, where the quotient may underflow.
    z = tf.minimum(x, 0.0) / b
    return tf.where(z > -1e-17, a / b * x, a * expm1(z))


def _derivatives(x, a, b):
    # In float64, because the exponential magnifies the rounding of the quotient; bounded, because
    # inf * 0 is not 0.
    z = tf.maximum(wide(tf.minimum(x, 0.0)) / wide(b), -1000.0)
    e, scale = scaled_exp(z, x.dtype)
    z, above = tf.cast(z, x.dtype), x > 0.0
    db = tf.where(above, -a / b * (x / b), scaled(-a / b, z * e, scale))
    return scaled(a / b, e, scale), tf.where(above, x / b, expm1(z)), db


@register(
    pelu,
    family="exponential",
    formula="a / b * x if x >= 0 else a * (exp(x / b) - 1)",
    paper="Trottier, Giguère and Chaib-draa, 2016",
    url="https://arxiv.org/abs/1605.09332",
    range=(-1.0, float("inf")),
    monotonic=True,
    samples=({"a": 0.5, "b": 2.0}, {"a": 2.5, "b": 0.3}, {"a": 20.0, "b": 30.0}),
)
class PELU(ChannelwiseLayer):
    """Layer form of `pelu`, which trains `a` and `b`.

    The variables are unconstrained: softplus makes `a` and `b` positive. The arguments are the
    values that result, `softplus(layer.a)` once trained. An initializer, regularizer or
    constraint acts on the variables.
    The paper trains a single pair for all channels: that is `axis=None`.

    Args:
        a: Initial depth of the negative part, positive.
        b: Initial width of the negative part, positive.
        axis: Axis or axes along which the parameters vary; None for one of each.
        a_initializer: Keras initializer of the variable behind `a`, used instead of it.
        a_regularizer: Keras regularizer of the variable behind `a`.
        a_constraint: Keras constraint on the variable behind `a`.
        b_initializer: Keras initializer of the variable behind `b`, used instead of it.
        b_regularizer: Keras regularizer of the variable behind `b`.
        b_constraint: Keras constraint on the variable behind `b`.
    """

    def __init__(
        self,
        a=1.0,
        b=1.0,
        axis=-1,
        a_initializer=None,
        a_regularizer=None,
        a_constraint=None,
        b_initializer=None,
        b_regularizer=None,
        b_constraint=None,
        **kwargs,
    ) -> None:
        super().__init__(axis=axis, **kwargs)
        number("a", a, above=0.0)
        number("b", b, above=0.0)
        self.learn("a", a, a_initializer, a_regularizer, a_constraint)
        self.learn("b", b, b_initializer, b_regularizer, b_constraint)

    def initial_weight(self, name):
        # The inverse of softplus, in the form that does not overflow.
        value = super().initial_weight(name)
        return value + math.log(-math.expm1(-value))

    def call(self, inputs):
        a, b = (tf.nn.softplus(tf.convert_to_tensor(p)) for p in (self.a, self.b))
        return pelu(inputs, a, b)
