"""GELU in the tanh form that GPT-2 and Addons use."""

import math

import tensorflow as tf

from keras_activations._calculus import elementwise
from keras_activations._layers import ActivationLayer
from keras_activations._registry import activation, register
from keras_activations._special import scaled_exp, wide

CUBIC = 0.044715
SCALE = 2.0 * math.sqrt(2.0 / math.pi)


@activation
def gelu_tanh(x):
    """GELU by tanh: `x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x**3)))`.

    An approximation of `gelu` from the days when erf was slow, off by up to 5e-4, and what many
    pretrained models were trained with: GPT-2, ALBERT, Gemma, and whatever used the gelu of
    TensorFlow Addons.

    In a graph that XLA does not compile, the value is the form that TensorFlow fuses with the layer
    before it. It cancels in the lower tail, and is NaN at -inf.

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
    return elementwise(_value, _derivative, x, fusible=_fused)


def _value(x):
    e, scale = scaled_exp(_exponent(x), x.dtype)
    left = tf.maximum(x, -30.0) * e * scale
    return tf.where(x < 0.0, left, x) / (1.0 + e * scale)


def _derivative(x):
    e, scale = scaled_exp(_exponent(x), x.dtype)
    below, gate, x = x < 0.0, e * scale, tf.clip_by_value(x, -30.0, 30.0)
    bend = x * SCALE * (1.0 + 3.0 * CUBIC * tf.square(x))
    numerator = tf.where(below, (1.0 + gate + bend) * e * scale, 1.0 + gate + bend * gate)
    return numerator / tf.square(1.0 + gate)


def _exponent(x):
    """-|z| of sigmoid(z), which (1 + tanh(z / 2)) / 2 is."""
    # In float64, because the exponential magnifies its error |z| times.
    a = tf.maximum(wide(tf.minimum(-x, x)), -30.0)
    return SCALE * a * (1.0 + CUBIC * tf.square(a))


def _fused(x):
    return tf.nn.gelu(x, approximate=True)


@register(
    gelu_tanh,
    family="self-gated",
    formula="x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x**3)))",
    paper="Hendrycks and Gimpel, 2016",
    url="https://arxiv.org/abs/1606.08415",
    range=(-0.170040751, float("inf")),
    monotonic=False,
    # What Hugging Face's table has under several names.
    aliases=(
        "gelu_accurate",
        "gelu_fast",
        "gelu_new",
        "gelu_python_tanh",
        "gelu_pytorch_tanh",
    ),
    addons=("gelu",),
    torch="torch.nn.functional.gelu(x, approximate='tanh')",
    keras="keras.activations.gelu(x, approximate=True)",
    # The slope crosses zero as a difference of larger terms.
    accuracy={
        "gradient_scale": 0.25,
        "second_scale": 0.1,
        "float64_value": 2e-13,
        "graph": "the form that TensorFlow fuses with the layer before it",
    },
)
class GELUTanh(ActivationLayer):
    """Layer form of `gelu_tanh`."""

    def call(self, inputs):
        return gelu_tanh(inputs)
