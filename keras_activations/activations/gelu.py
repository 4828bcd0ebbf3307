"""GELU, the Gaussian error linear unit."""

import math

import tensorflow as tf

from keras_activations._calculus import elementwise
from keras_activations._layers import ActivationLayer
from keras_activations._registry import activation, register
from keras_activations.activations.gelu_tanh import gelu_tanh


@activation
def gelu(x, approximate=False):
    """Gaussian error linear unit: `x * (1 + erf(x / sqrt(2))) / 2`.

    x times the probability that a standard normal variable lies below it. Smooth, with a minimum
    of about -0.17 near -0.75. The activation of BERT, GPT and most vision transformers; check
    which form a pretrained model was trained with, the two differ by up to 5e-4.

    Args:
        x: Tensor of any shape.
        approximate: Whether to use the tanh form instead, `gelu_tanh`.

    Returns:
        Tensor of x's shape and dtype.

    Example:

    >>> ka.gelu([-2.0, 0.0, 2.0]).numpy()
    array([-0.04550026,  0.        ,  1.9544997 ], dtype=float32)

    Reference:

    - [Hendrycks and Gimpel, 2016](https://arxiv.org/abs/1606.08415)
    """
    return gelu_tanh(x) if approximate else elementwise(_value, _derivative, x)


def _value(x):
    # The form that TensorFlow fuses with the layer before it, its constant in x's own precision.
    return 0.5 * x * tf.math.erfc(-x * tf.constant(math.sqrt(0.5), x.dtype))


def _derivative(x):
    # Bounded, because inf * 0 is not 0; beyond the bounds the slope is 0 or 1 to the last bit.
    x = tf.clip_by_value(x, -40.0, 40.0)
    density = tf.exp(-0.5 * tf.square(x)) / math.sqrt(2.0 * math.pi)
    return 0.5 * tf.math.erfc(-x * math.sqrt(0.5)) + x * density


@register(
    gelu,
    formula="x * (1 + erf(x / sqrt(2))) / 2",
    paper="Hendrycks and Gimpel, 2016",
    url="https://arxiv.org/abs/1606.08415",
    range=(-0.169971207, float("inf")),
    monotonic=False,
    torch="torch.nn.functional.gelu(x)",
)
class GELU(ActivationLayer):
    """Layer form of `gelu`.

    Args:
        approximate: Whether to use the tanh form.
    """

    def __init__(self, approximate=False, **kwargs):
        super().__init__(**kwargs)
        self.approximate = bool(approximate)

    def call(self, inputs):
        return gelu(inputs, self.approximate)
