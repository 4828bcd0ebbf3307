"""Scaled tanh, whose limits and slope are chosen."""

import tensorflow as tf

from keras_activations._calculus import elementwise
from keras_activations._layers import ActivationLayer, number
from keras_activations._registry import activation, register
from keras_activations._special import finite, scaled_exp, tanh, wide


@activation
def scaled_tanh(x, a=1.7159, b=2 / 3):
    """Scaled tanh: `a * tanh(b * x)`.

    With the default values it is nearly 1 at 1 and -1 at -1, and its second derivative is largest
    there: targets of ±1 and inputs of variance 1 are then off the flat ends. LeCun et al. recommend
    it for shallow networks trained by plain gradient descent.

    Args:
        x: Tensor of any shape.
        a: The limit; a number, or a tensor that broadcasts against x.
        b: Scale of the input; likewise.

    Returns:
        Tensor of x's shape and dtype.

    Example:

    >>> ka.scaled_tanh([-1.0, 0.0, 1.0]).numpy()
    array([-0.9999973,  0.       ,  0.9999973], dtype=float32)

    Reference:

    - [LeCun et al., 1998](http://yann.lecun.com/exdb/publis/pdf/lecun-98b.pdf)
    """
    return elementwise(_value, _derivatives, x, a, b)


def _value(x, a, b):
    z = b * x
    # Near zero as a line, because b * x may be below the smallest number where the result is not.
    return tf.where(tf.abs(z) < 1e-9, (a * b) * x, a * tanh(z))


def _derivatives(x, a, b):
    # The exponent in float64, because the exponential magnifies the rounding of b * x; bounded,
    # because inf * 0 is not 0.
    phase = 2.0 * wide(b) * wide(x)
    e, scale = scaled_exp(tf.maximum(tf.minimum(-phase, phase), -1000.0), x.dtype)
    square = tf.square(1.0 + e * scale)
    dx = 4.0 * (a * b) / square * e * scale
    da = tanh(b * x)
    return dx, da, 4.0 * a / square * e * scale * finite(x)


@register(
    scaled_tanh,
    family="squashing",
    formula="a * tanh(b * x)",
    paper="LeCun et al., 1998",
    url="http://yann.lecun.com/exdb/publis/pdf/lecun-98b.pdf",
    range=(-1.7159, 1.7159),
    monotonic=True,
    aliases=("lecun_tanh",),
    samples=({"a": 0.5, "b": 3.0}, {"a": -2.0, "b": 0.125}),
    torch="1.7159 * torch.tanh(2 / 3 * x)",
    # The slope is a product of six rounded factors, and its own a difference of larger terms.
    accuracy={"gradient": 6, "second_scale": 0.25},
)
class ScaledTanh(ActivationLayer):
    """Layer form of `scaled_tanh`.

    Args:
        a: The limit.
        b: Scale of the input.
    """

    def __init__(self, a=1.7159, b=2 / 3, **kwargs) -> None:
        super().__init__(**kwargs)
        self.a = number("a", a)
        self.b = number("b", b)

    def call(self, inputs):
        return scaled_tanh(inputs, self.a, self.b)
