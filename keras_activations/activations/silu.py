"""SiLU, the sigmoid-weighted linear unit."""

import tensorflow as tf

from keras_activations._calculus import elementwise
from keras_activations._layers import ActivationLayer
from keras_activations._registry import activation, register
from keras_activations._special import bounded, scaled_exp


@activation
def silu(x):
    """Sigmoid-weighted linear unit: `x / (1 + exp(-x))`.

    Smooth, unbounded above, with a minimum of about -0.28 near -1.28. The activation of
    EfficientNet and of many diffusion and language models. With a trainable steepness it is
    `swish`.

    In a graph that XLA does not compile, the value is the form that TensorFlow fuses with the layer
    before it, which loses digits in the lower tail, and is NaN at -inf.

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
    return elementwise(_value, _derivative, x, fusible=_fused)


def _value(x):
    e, scale = scaled_exp(tf.minimum(-x, x), x.dtype)
    return tf.where(x < 0.0, bounded(x) * e * scale, x) / (1.0 + e * scale)


def _derivative(x):
    # On either side by the exponential that does not overflow, over one denominator, so that
    # nothing cancels but where the slope itself is zero.
    e, scale = scaled_exp(tf.minimum(-x, x), x.dtype)
    below, gate, x = x < 0.0, e * scale, bounded(x)
    numerator = tf.where(below, (1.0 + x + gate) * e * scale, 1.0 + gate + x * gate)
    return numerator / tf.square(1.0 + gate)


def _fused(x):
    return x * tf.sigmoid(x)


@register(
    silu,
    family="self-gated",
    formula="x / (1 + exp(-x))",
    paper="Elfwing, Uchibe and Doya, 2017",
    url="https://arxiv.org/abs/1702.03118",
    range=(-0.278464543, float("inf")),
    monotonic=False,
    doubt=(
        "a function of the program's own, if it registered one as 'swish'; for another form pass "
        "names={'swish': …}, such as 'swish(beta=1.5)'"
    ),
    torch="torch.nn.functional.silu(x)",
    # The slope crosses zero as a difference of larger terms.
    accuracy={
        "gradient": 5,
        "gradient_scale": 0.1,
        "graph": "the form that TensorFlow fuses with the layer before it",
    },
)
class SiLU(ActivationLayer):
    """Layer form of `silu`."""

    def call(self, inputs):
        return silu(inputs)
