"""TeLU, a smooth ReLU gated by the hyperbolic tangent of the exponential."""

import tensorflow as tf

from keras_activations._calculus import elementwise
from keras_activations._layers import ActivationLayer
from keras_activations._registry import activation, register
from keras_activations._special import bounded, expm1, scaled_exp


@activation
def telu(x):
    """Hyperbolic tangent exponential linear unit: `x * tanh(exp(x))`.

    Smooth, with a minimum of about -0.35 near -1.08; above 2 nearer to the identity than Mish or
    SiLU. A drop-in for ReLU at its hyperparameters, say its authors, who test it on ResNet-18 with
    ImageNet, on transformers and on recurrent networks. Proposed before as TanhExp (Liu and Di,
    2020), for lightweight vision networks.

    Args:
        x: Tensor of any shape.

    Returns:
        Tensor of x's shape and dtype.

    Example:

    >>> ka.telu([-2.0, 0.0, 2.0]).numpy()
    array([-0.26903006,  0.        ,  1.9999986 ], dtype=float32)

    Reference:

    - [Fernandez and Mali, 2024](https://arxiv.org/abs/2412.20269)
    - [Liu and Di, 2020](https://arxiv.org/abs/2003.09855)
    """
    return elementwise(_value, _derivative, x)


def _value(x):
    e, scale = _exponential(x)
    u = expm1(-2.0 * e)
    return tf.maximum(x, -1e4) * (-u / (2.0 + u)) * scale


def _derivative(x):
    e, scale = _exponential(x)
    u, gate, x = expm1(-2.0 * e), tf.exp(-2.0 * e), bounded(x)
    return (4.0 * x * e * gate / tf.square(1.0 + gate) - u / (2.0 + u)) * scale


def _exponential(x):
    # Two factors, of which tanh needs the first only: where the second is not 1, tanh is linear.
    # Bounded, because inf * 0 is not 0, where tanh has long been 1.
    return scaled_exp(tf.minimum(x, 4.0), x.dtype)


@register(
    telu,
    family="self-gated",
    formula="x * tanh(exp(x))",
    paper="Fernandez and Mali, 2024",
    url="https://arxiv.org/abs/2412.20269",
    range=(-0.353285778, float("inf")),
    monotonic=False,
    aliases=("tanh_exp",),
    torch="x * torch.tanh(torch.exp(x))",
    # The slope crosses zero as a difference of larger terms, each rounded.
    accuracy={"gradient": 5, "gradient_scale": 0.25, "second_scale": 0.1},
)
class TeLU(ActivationLayer):
    """Layer form of `telu`."""

    def call(self, inputs):
        return telu(inputs)
