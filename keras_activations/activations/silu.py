"""SiLU, the sigmoid-weighted linear unit."""

import tensorflow as tf

from keras_activations._calculus import elementwise
from keras_activations._layers import ActivationLayer
from keras_activations._registry import activation, register


@activation
def silu(x):
    """Sigmoid-weighted linear unit: `x / (1 + exp(-x))`.

    Smooth, unbounded above, with a minimum of about -0.28 near -1.28. The activation of
    EfficientNet and of many diffusion and language models. With a trainable steepness it is
    `swish`.

    Args:
        x: Tensor of any shape.

    Returns:
        Tensor of x's shape and dtype.

    Example:

    >>> ka.silu([-2.0, 0.0, 2.0]).numpy()
    array([-0.23840584,  0.        ,  1.7615942 ], dtype=float32)

    Reference:

    - [Elfwing, Uchibe and Doya, 2017](https://arxiv.org/abs/1702.03118)
    """
    return elementwise(_value, _derivative, x)


def _value(x):
    # The form that TensorFlow fuses with the layer before it.
    return x * tf.sigmoid(x)


def _derivative(x):
    # Bounded, because inf * 0 is not 0; beyond the bounds the slope is 0 or 1 to the last bit.
    x = tf.clip_by_value(x, -1000.0, 1000.0)
    gate = tf.sigmoid(x)
    return gate + x * gate * tf.sigmoid(-x)


@register(
    silu,
    formula="x / (1 + exp(-x))",
    paper="Elfwing, Uchibe and Doya, 2017",
    url="https://arxiv.org/abs/1702.03118",
    range=(-0.278464543, float("inf")),
    monotonic=False,
    torch="torch.nn.functional.silu(x)",
)
class SiLU(ActivationLayer):
    """Layer form of `silu`."""

    def call(self, inputs):
        return silu(inputs)
