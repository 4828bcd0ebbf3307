"""GELU, the Gaussian error linear unit."""

import math

import tensorflow as tf

from keras_activations._calculus import elementwise
from keras_activations._layers import ActivationLayer
from keras_activations._registry import activation, register
from keras_activations._special import double_word, normal_tail, scaled_exp
from keras_activations.activations.gelu_tanh import gelu_tanh


@activation
def gelu(x, approximate=False):
    """Gaussian error linear unit: `x * (1 + erf(x / sqrt(2))) / 2`.

    x times the probability that a standard normal variable lies below it. Smooth, with a minimum
    of about -0.17 near -0.75. The activation of BERT, GPT and most vision transformers; check
    which form a pretrained model was trained with, the two differ by up to 5e-4.

    In a graph that XLA does not compile, the value is the form that TensorFlow fuses with the layer
    before it, which loses digits in the lower tail, and is NaN at -inf.

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
    if is_approximate(approximate):
        return gelu_tanh(x)
    return elementwise(_value, _derivative, x, fusible=_fused)


def is_approximate(approximate):
    """Whether the tanh form is meant."""
    if isinstance(approximate, str):
        raise ValueError(
            "`approximate` must be True, for the tanh form, or False, which PyTorch calls 'tanh' "
            f"and 'none'. Received: {approximate!r}"
        )
    return bool(approximate)


def _value(x):
    a, e, scale = _density(x)
    tail = normal_tail(a)
    return tf.where(x < 0.0, -a * tail * e * scale, x * (1.0 - tail * e * scale))


def _derivative(x):
    a, e, scale = _density(x)
    slope = (normal_tail(a) - math.sqrt(0.5 / math.pi) * a) * e * scale
    return tf.where(x < 0.0, slope, 1.0 - slope)


def _fused(x):
    # Not tf.nn.gelu, whose erfc ONNX does not have.
    return 0.5 * x * (1.0 + tf.math.erf(x * math.sqrt(0.5)))


def _density(x):
    """a = |x|, and exp(-a**2 / 2) in two factors."""
    # The tail is the density times the Mills ratio, both relatively exact, where erfc is not. The
    # exponent as a double word, because the exponential magnifies its error a**2 / 2 times.
    # Bounded, because inf * 0 is not 0.
    a = tf.minimum(tf.maximum(x, -x), 40.0)
    exact = double_word(a)
    return a, *scaled_exp((exact * exact).times(-0.5), x.dtype)


@register(
    gelu,
    family="self-gated",
    formula="x * (1 + erf(x / sqrt(2))) / 2",
    paper="Hendrycks and Gimpel, 2016",
    url="https://arxiv.org/abs/1606.08415",
    range=(-0.169971207, float("inf")),
    monotonic=False,
    aliases=("gelu_python",),
    addons=("GELU",),
    doubt=(
        "the tanh form, if TensorFlow Addons made it: its function was saved without its default "
        "`approximate=True`; for that form pass names={'gelu': 'gelu_tanh'}"
    ),
    torch="torch.nn.functional.gelu(x)",
    # Each of the twelve terms of the tail's polynomial is rounded.
    accuracy={
        "value": 6,
        "gradient": 5,
        "gradient_scale": 0.5,
        "graph": "the form that TensorFlow fuses with the layer before it",
    },
)
class GELU(ActivationLayer):
    """Layer form of `gelu`.

    Args:
        approximate: Whether to use the tanh form.
    """

    def __init__(self, approximate=False, **kwargs) -> None:
        super().__init__(**kwargs)
        self.approximate = is_approximate(approximate)

    @classmethod
    def from_addons(cls, config):
        return cls.from_config({"approximate": True, **config})

    def call(self, inputs):
        return gelu(inputs, self.approximate)
