"""GELU in the tanh form that GPT-2 and Addons use."""

import math

import tensorflow as tf

from keras_activations._calculus import elementwise
from keras_activations._layers import ActivationLayer
from keras_activations._registry import activation, register


@activation
def gelu_tanh(x):
    """GELU by tanh: `x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x**3)))`.

    An approximation of `gelu` from the days when erf was slow, off by up to 5e-4, and what many
    pretrained models were trained with: GPT-2, ALBERT, Gemma, and whatever used the gelu of
    TensorFlow Addons. Below -2 the value cancels: its error is then relative to x, not to itself.

    Args:
        x: Tensor of any shape.

    Returns:
        Tensor of x's shape and dtype.

    Example:

    >>> ka.gelu_tanh([-2.0, 0.0, 2.0]).numpy()
    array([-0.04540223,  0.        ,  1.9545977 ], dtype=float32)

    Reference:

    - [Hendrycks and Gimpel, 2016](https://arxiv.org/abs/1606.08415)
    """
    return elementwise(_value, _derivative, x)


def _value(x):
    # The form that TensorFlow fuses with the layer before it, constants in x's own precision.
    cubic = x + tf.constant(0.044715, x.dtype) * tf.pow(x, 3.0)
    return 0.5 * x * (1.0 + tf.tanh(tf.constant(math.sqrt(2.0 / math.pi), x.dtype) * cubic))


def _derivative(x):
    # By the logistic function, (1 + tanh(z)) / 2 = sigmoid(2 z), which does not cancel. Bounded,
    # because the cube overflows; beyond the bounds the slope is 0 or 1 to the last bit.
    x = tf.clip_by_value(x, -30.0, 30.0)
    square = tf.square(x)
    scale = 2.0 * math.sqrt(2.0 / math.pi)
    z = scale * x * (1.0 + 0.044715 * square)
    gate = tf.sigmoid(z)
    return gate + x * gate * tf.sigmoid(-z) * scale * (1.0 + 3.0 * 0.044715 * square)


@register(
    gelu_tanh,
    formula="x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x**3)))",
    paper="Hendrycks and Gimpel, 2016",
    url="https://arxiv.org/abs/1606.08415",
    range=(-0.170040751, float("inf")),
    monotonic=False,
    aliases=("gelu_new", "gelu_pytorch_tanh"),
    torch="torch.nn.functional.gelu(x, approximate='tanh')",
)
class GELUTanh(ActivationLayer):
    """Layer form of `gelu_tanh`."""

    def call(self, inputs):
        return gelu_tanh(inputs)
