"""Bent identity, a line with a smooth bend."""

import tensorflow as tf

from keras_activations._calculus import elementwise
from keras_activations._layers import ActivationLayer
from keras_activations._registry import activation, register


@activation
def bent_identity(x):
    """Bent identity: `(sqrt(x**2 + 1) - 1) / 2 + x`.

    The slope rises from 1/2 far below zero to 3/2 far above and never vanishes: a smooth relative
    of leaky ReLU, for regression and small networks.

    Args:
        x: Tensor of any shape.

    Returns:
        Tensor of x's shape and dtype.

    Example:

    >>> ka.bent_identity([-2.0, 0.0, 2.0]).numpy()
    array([-1.381966,  0.      ,  2.618034], dtype=float32)
    """
    return elementwise(_value, _derivative, x)


def _value(x):
    # x * (1 + x / (2 root + 2)), which does not cancel.
    near = _near(x)
    return x * (1.0 + 0.5 * near / (1.0 + tf.sqrt(1.0 + tf.square(near))))


def _derivative(x):
    near = _near(x)
    return 1.0 + 0.5 * near / tf.sqrt(1.0 + tf.square(near))


def _near(x):
    # Where the square would overflow, the slope is long constant.
    return tf.clip_by_value(x, -1e18, 1e18)


@register(
    bent_identity,
    family="rectified",
    formula="(sqrt(x**2 + 1) - 1) / 2 + x",
    range=(float("-inf"), float("inf")),
    monotonic=True,
    torch="(torch.sqrt(x**2 + 1) - 1) / 2 + x",
)
class BentIdentity(ActivationLayer):
    """Layer form of `bent_identity`."""

    def call(self, inputs):
        return bent_identity(inputs)
