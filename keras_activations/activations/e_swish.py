"""E-swish, a SiLU that is scaled."""

import tensorflow as tf

from keras_activations._calculus import elementwise
from keras_activations._layers import ActivationLayer, number
from keras_activations._registry import activation, register
from keras_activations._special import bounded, scaled_exp


@activation
def e_swish(x, beta=1.25):
    """E-swish: `beta * x / (1 + exp(-x))`.

    `silu` times a constant, which its paper chooses between 1 and 2, the smaller the deeper the
    network, because slopes above 1 multiply from layer to layer. The paper reports gains over ReLU
    and Swish on CIFAR-10 and CIFAR-100.

    Args:
        x: Tensor of any shape.
        beta: Scale; a number, or a tensor that broadcasts against x.

    Returns:
        Tensor of x's shape and dtype.

    Example:

    >>> ka.e_swish([-2.0, 0.0, 2.0], beta=1.5).numpy()
    array([-0.35760877,  0.        ,  2.6423912 ], dtype=float32)

    Reference:

    - [Alcaide, 2018](https://arxiv.org/abs/1801.07145)
    """
    return elementwise(_value, _derivatives, x, beta)


def _value(x, beta):
    e, scale = scaled_exp(tf.minimum(-x, x), x.dtype)
    below = x < 0.0
    return tf.where(below, bounded(x) * e, x) * _factor(below, beta, scale) / (1.0 + e * scale)


def _derivatives(x, beta):
    e, scale = scaled_exp(tf.minimum(-x, x), x.dtype)
    below, gate, near = x < 0.0, e * scale, bounded(x)
    numerator = tf.where(below, (1.0 + near + gate) * e, 1.0 + gate + near * gate)
    dx = numerator * _factor(below, beta, scale) / tf.square(1.0 + gate)
    return dx, tf.where(below, near * e * scale, x) / (1.0 + gate)


def _factor(below, beta, scale):
    # A choice of two products, because Grappler would regroup one of three factors.
    return tf.where(below & (scale < 1.0), beta * scale, beta)


@register(
    e_swish,
    family="self-gated",
    formula="beta * x / (1 + exp(-x))",
    paper="Alcaide, 2018",
    url="https://arxiv.org/abs/1801.07145",
    range=(-0.348080678451, float("inf")),
    monotonic=False,
    samples=({"beta": 1.7}, {"beta": -2.5}),
    torch="1.25 * torch.nn.functional.silu(x)",
    # The slope crosses zero as a difference of larger terms.
    accuracy={"gradient": 5, "gradient_scale": 0.25, "second_scale": 0.1},
)
class ESwish(ActivationLayer):
    """Layer form of `e_swish`.

    Args:
        beta: Scale.
    """

    def __init__(self, beta=1.25, **kwargs) -> None:
        super().__init__(**kwargs)
        self.beta = number("beta", beta)

    def call(self, inputs):
        return e_swish(inputs, self.beta)
