"""Linear, which leaves its input as it is."""

import tensorflow as tf

from keras_activations._layers import ActivationLayer
from keras_activations._registry import activation, register


@activation
def linear(x):
    """Linear, the identity: `x`.

    For the output of a regression, and wherever a layer must be told that it has no activation.

    Args:
        x: Tensor of any shape.

    Returns:
        Tensor of x's shape and dtype.

    Example:

    >>> ka.linear([-1.0, 0.0, 1.0]).numpy()
    array([-1.,  0.,  1.], dtype=float32)
    """
    # Not by the engine, whose kernels would read x for nothing.
    return tf.custom_gradient(_value_and_gradient)(x)


def _value_and_gradient(x):
    def gradient(upstream):
        # Connected to x, at no cost, so that the second derivative is zero rather than missing.
        return tf.identity_n([upstream, x])[0]

    return tf.identity(x), gradient


@register(
    linear,
    family="rectified",
    formula="x",
    range=(float("-inf"), float("inf")),
    monotonic=True,
    torch="x",
    # Keras's own stands for "no activation", and layers compare with it.
    replaceable=False,
)
class Linear(ActivationLayer):
    """Layer form of `linear`."""

    def call(self, inputs):
        return linear(inputs)
