"""Penalized tanh, a tanh with a flatter negative part."""

import tensorflow as tf

from keras_activations._calculus import elementwise
from keras_activations._layers import ActivationLayer, number
from keras_activations._registry import activation, register
from keras_activations._special import scaled_exp, tanh


@activation
def penalized_tanh(x, a=0.25):
    """Penalized tanh: `tanh(x) if x > 0 else a * tanh(x)`.

    Between `-a` and 1: a tanh whose two sides differ as those of a leaky ReLU do. Its paper reports
    deep convolutional networks that train about as well with it as with ReLU and leaky ReLU, or
    better. The slope at 0 is `a`.

    Args:
        x: Tensor of any shape.
        a: Factor below zero; a number, or a tensor that broadcasts against x.

    Returns:
        Tensor of x's shape and dtype.

    Example:

    >>> ka.penalized_tanh([-2.0, 0.0, 2.0]).numpy()
    array([-0.24100693,  0.        ,  0.9640277 ], dtype=float32)

    Reference:

    - [Xu, Huang and Li, 2016](https://arxiv.org/abs/1602.05980)
    """
    return elementwise(_value, _derivatives, x, a)


def _value(x, a):
    y = tanh(x)
    return tf.where(x > 0.0, y, a * y)


def _derivatives(x, a):
    e, scale = scaled_exp(2.0 * tf.minimum(-x, x), x.dtype)
    # The factor in the dividend, or Grappler would multiply by it last, after underflow.
    dx = 4.0 * tf.where(x > 0.0, tf.ones([], x.dtype), a) / tf.square(1.0 + e * scale) * e * scale
    return dx, tanh(tf.minimum(x, 0.0))


@register(
    penalized_tanh,
    family="squashing",
    formula="tanh(x) if x > 0 else a * tanh(x)",
    paper="Xu, Huang and Li, 2016",
    url="https://arxiv.org/abs/1602.05980",
    kinks=(0.0,),
    range=(-0.25, 1.0),
    monotonic=True,
    samples=({"a": 0.0}, {"a": -0.5}, {"a": 2.0}),
    torch="torch.where(x > 0, torch.tanh(x), 0.25 * torch.tanh(x))",
    # The slope is a product of five rounded factors, and its own a difference of larger terms.
    accuracy={"gradient": 5, "second_scale": 0.2},
)
class PenalizedTanh(ActivationLayer):
    """Layer form of `penalized_tanh`.

    Args:
        a: Factor below zero.
    """

    def __init__(self, a=0.25, **kwargs) -> None:
        super().__init__(**kwargs)
        self.a = number("a", a)

    def call(self, inputs):
        return penalized_tanh(inputs, self.a)
