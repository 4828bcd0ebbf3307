"""Clipped GELU, whose range suits few bits."""

import tensorflow as tf

from keras_activations._calculus import elementwise
from keras_activations._layers import ActivationLayer, number
from keras_activations._registry import activation, register
from keras_activations.activations.gelu import _derivative as gelu_derivative
from keras_activations.activations.gelu import _value as gelu_value


@activation
def clipped_gelu(x, min_value=-10.0, max_value=10.0):
    """Clipped GELU: `min(max(x * (1 + erf(x / sqrt(2))) / 2, min_value), max_value)`.

    `gelu` for networks of 8-bit integers: its paper found that clipping at 10 keeps the small
    negative values apart when BERT is quantised. The slope is that of `gelu` where the value is a
    limit, and 0 beyond. Only a `min_value` above -0.17 cuts anything off.

    Args:
        x: Tensor of any shape.
        min_value: The smallest value; a number, or a tensor that broadcasts against x.
        max_value: The largest value, not less than `min_value`; likewise.

    Returns:
        Tensor of x's shape and dtype.

    Example:

    >>> ka.clipped_gelu([-2.0, 2.0, 20.0]).numpy()
    array([-0.04550026,  1.9544997 , 10.        ], dtype=float32)

    Reference:

    - [Wu et al., 2020](https://arxiv.org/abs/2004.09602)
    """
    return elementwise(_value, _derivatives, x, min_value, max_value)


def _value(x, min_value, max_value):
    return tf.minimum(tf.maximum(gelu_value(x), min_value), max_value)


def _derivatives(x, min_value, max_value):
    y = gelu_value(x)
    below, above = y < min_value, y > max_value
    dx = tf.where(below | above, tf.zeros([], x.dtype), gelu_derivative(x))
    return dx, tf.cast(below, x.dtype), tf.cast(above, x.dtype)


@register(
    clipped_gelu,
    family="self-gated",
    formula="min(max(x * (1 + erf(x / sqrt(2))) / 2, min_value), max_value)",
    paper="Wu et al., 2020",
    url="https://arxiv.org/abs/2004.09602",
    kinks=(10.0,),
    range=(-0.169971207, 10.0),
    monotonic=False,
    aliases=("gelu_10",),
    samples=({"min_value": -1.0, "max_value": 6.0}, {"min_value": -0.125, "max_value": 2.0}),
    torch="torch.clip(torch.nn.functional.gelu(x), -10.0, 10.0)",
    # As in `gelu`.
    accuracy={"value": 6, "gradient": 5, "gradient_scale": 0.5},
)
class ClippedGELU(ActivationLayer):
    """Layer form of `clipped_gelu`.

    Args:
        min_value: The smallest value.
        max_value: The largest value, not less than `min_value`.
    """

    def __init__(self, min_value=-10.0, max_value=10.0, **kwargs) -> None:
        super().__init__(**kwargs)
        self.min_value = number("min_value", min_value)
        self.max_value = number("max_value", max_value, minimum=self.min_value)

    def call(self, inputs):
        return clipped_gelu(inputs, self.min_value, self.max_value)
