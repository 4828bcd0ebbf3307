"""ISRU, the inverse square root unit."""

import math

import tensorflow as tf

from keras_activations._calculus import elementwise
from keras_activations._layers import ActivationLayer, number
from keras_activations._registry import activation, register
from keras_activations._special import reciprocal


@activation
def isru(x, alpha=1.0):
    """Inverse square root unit: `x / sqrt(1 + alpha * x**2)`.

    Between `-1 / sqrt(alpha)` and `1 / sqrt(alpha)`: the shape of tanh without an exponential.
    `alpha=0` is the identity. Its paper suggests it in place of tanh and sigmoid in recurrent
    networks, to save time.

    Args:
        x: Tensor of any shape.
        alpha: Sharpness of the bends, not negative; a number, or a tensor that broadcasts
            against x.

    Returns:
        Tensor of x's shape and dtype.

    Example:

    >>> ka.isru([-2.0, 0.0, 2.0]).numpy()
    array([-0.8944272,  0.       ,  0.8944272], dtype=float32)

    Reference:

    - [Carlile et al., 2017](https://arxiv.org/abs/1710.09967)
    """
    return elementwise(_value, _derivatives, x, alpha)


def _value(x, alpha):
    x = _bounded(x, alpha)
    return x / tf.sqrt(_square(x, alpha))


def _derivatives(x, alpha):
    x = _bounded(x, alpha)
    square = _square(x, alpha)
    root = tf.sqrt(square)
    return reciprocal(square * root), -0.5 * (x / root) ** 3


def _bounded(x, alpha):
    # Beyond the bound alpha * x**2 would overflow, and the value has reached its limit.
    bound = tf.stop_gradient(0.5 * math.sqrt(x.dtype.max) / tf.sqrt(alpha))
    return tf.maximum(tf.minimum(x, bound), -bound)


def _square(x, alpha):
    # Still infinite if alpha is 0, and inf * 0 is not 0.
    x = tf.clip_by_value(x, 0.25 * x.dtype.min, 0.25 * x.dtype.max)
    return 1.0 + alpha * x * x


@register(
    isru,
    family="squashing",
    formula="x / sqrt(1 + alpha * x**2)",
    paper="Carlile et al., 2017",
    url="https://arxiv.org/abs/1710.09967",
    range=(-1.0, 1.0),
    monotonic=True,
    samples=({"alpha": 0.0}, {"alpha": 0.25}, {"alpha": 30.0}),
    torch="x / torch.sqrt(1 + x**2)",
    # A power of three halves of what is itself rounded three times.
    accuracy={"gradient": 6},
)
class ISRU(ActivationLayer):
    """Layer form of `isru`.

    Args:
        alpha: Sharpness of the bends, not negative.
    """

    def __init__(self, alpha=1.0, **kwargs) -> None:
        super().__init__(**kwargs)
        self.alpha = number("alpha", alpha, minimum=0.0)

    def call(self, inputs):
        return isru(inputs, self.alpha)
