"""SmeLU, a ReLU with its kink rounded by a parabola."""

import tensorflow as tf

from keras_activations._calculus import elementwise
from keras_activations._layers import ActivationLayer, number
from keras_activations._registry import activation, register


@activation
def smelu(x, beta=1.5):
    """Smooth ReLU: `0 if x <= -beta else (x + beta)**2 / (4 * beta) if x < beta else x`.

    Exactly 0 below `-beta` and exactly x above `beta`; the slope is continuous. Made for
    systems whose predictions should agree from one training run to the next: the second paper
    reports better reproducibility than with ReLU in recommendations, and gains in accuracy.

    Args:
        x: Tensor of any shape.
        beta: Half the width of the bend, above 0; the wider, the smoother; a number, or a tensor
            that broadcasts against x.

    Returns:
        Tensor of x's shape and dtype.

    Example:

    >>> ka.smelu([-2.0, 0.0, 2.0]).numpy()
    array([0.   , 0.375, 2.   ], dtype=float32)

    Reference:

    - [Shamir, Lin and Coviello, 2020](https://arxiv.org/abs/2010.09931)
    - [Shamir and Lin, 2022](https://arxiv.org/abs/2202.06499)
    """
    return elementwise(_value, _derivatives, x, beta)


def _value(x, beta):
    above = _above(x, beta)
    return tf.where(x < beta, above * (above / (4.0 * beta)), x)


def _derivatives(x, beta):
    slope = _above(x, beta) / (2.0 * beta)
    return slope, slope * (1.0 - slope)


def _above(x, beta):
    # Bounded, because the square of a large x overflows.
    return tf.minimum(tf.maximum(x, -beta), beta) + beta


@register(
    smelu,
    family="rectified",
    formula="0 if x <= -beta else (x + beta)**2 / (4 * beta) if x < beta else x",
    paper="Shamir, Lin and Coviello, 2020",
    url="https://arxiv.org/abs/2010.09931",
    range=(0.0, float("inf")),
    monotonic=True,
    samples=({"beta": 0.3}, {"beta": 7.0}),
)
class SmeLU(ActivationLayer):
    """Layer form of `smelu`.

    Args:
        beta: Half the width of the bend, above 0.
    """

    def __init__(self, beta=1.5, **kwargs) -> None:
        super().__init__(**kwargs)
        self.beta = number("beta", beta, above=0.0)

    def call(self, inputs):
        return smelu(inputs, self.beta)
