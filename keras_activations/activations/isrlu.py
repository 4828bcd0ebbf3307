"""ISRLU, the inverse square root linear unit."""

import tensorflow as tf

from keras_activations._calculus import elementwise
from keras_activations._layers import ActivationLayer, number
from keras_activations._registry import activation, register
from keras_activations.activations.isru import _derivatives as isru_derivatives
from keras_activations.activations.isru import _value as isru_value


@activation
def isrlu(x, alpha=1.0):
    """Inverse square root linear unit: `x if x >= 0 else x / sqrt(1 + alpha * x**2)`.

    Saturates at `-1 / sqrt(alpha)`: the shape of ELU without an exponential, with continuous
    first and second derivatives. `alpha=0` is the identity.

    Args:
        x: Tensor of any shape.
        alpha: Sharpness of the bend below zero, not negative; a number, or a tensor that
            broadcasts against x.

    Returns:
        Tensor of x's shape and dtype.

    Example:

    >>> ka.isrlu([-2.0, 0.0, 2.0]).numpy()
    array([-0.8944272,  0.       ,  2.       ], dtype=float32)

    Reference:

    - [Carlile et al., 2017](https://arxiv.org/abs/1710.09967)
    """
    return elementwise(_value, _derivatives, x, alpha)


def _value(x, alpha):
    return tf.where(x > 0.0, x, isru_value(tf.minimum(x, 0.0), alpha))


def _derivatives(x, alpha):
    # At 0 the slope is 1 and the rest 0, as it is above.
    return isru_derivatives(tf.minimum(x, 0.0), alpha)


@register(
    isrlu,
    family="exponential",
    formula="x if x >= 0 else x / sqrt(1 + alpha * x**2)",
    paper="Carlile et al., 2017",
    url="https://arxiv.org/abs/1710.09967",
    range=(-1.0, float("inf")),
    monotonic=True,
    samples=({"alpha": 0.0}, {"alpha": 0.25}, {"alpha": 30.0}),
    # A power of three halves of what is itself rounded three times.
    accuracy={"gradient": 6},
)
class ISRLU(ActivationLayer):
    """Layer form of `isrlu`.

    Args:
        alpha: Sharpness of the bend below zero, not negative.
    """

    def __init__(self, alpha=1.0, **kwargs) -> None:
        super().__init__(**kwargs)
        self.alpha = number("alpha", alpha, minimum=0.0)

    def call(self, inputs):
        return isrlu(inputs, self.alpha)
