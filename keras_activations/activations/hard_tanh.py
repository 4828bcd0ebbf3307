"""Hard tanh, the hyperbolic tangent in three straight lines."""

import tensorflow as tf

from keras_activations._calculus import elementwise, step
from keras_activations._layers import ActivationLayer, number
from keras_activations._registry import activation, register


@activation
def hard_tanh(x, min_value=-1.0, max_value=1.0):
    """Hard tanh: `min(max(x, min_value), max_value)`.

    A clipped identity: cheap, exact between its limits, and without gradient beyond them. Common
    in quantised and binary networks. The slope at both kinks is 1, as in Keras; PyTorch has 0
    there. Keras's function has no limits to choose.

    Args:
        x: Tensor of any shape.
        min_value: Smallest value returned; a number, or a tensor that broadcasts against x.
        max_value: Largest value returned, larger than `min_value`; likewise.

    Returns:
        Tensor of x's shape and dtype.

    Example:

    >>> ka.hard_tanh([-2.0, 0.5, 2.0]).numpy()
    array([-1. ,  0.5,  1. ], dtype=float32)
    """
    return elementwise(_value, _derivatives, x, min_value, max_value)


def _value(x, min_value, max_value):
    return tf.minimum(tf.maximum(x, min_value), max_value)


def _derivatives(x, min_value, max_value):
    below, above = step(min_value - x), step(x - max_value)
    return 1.0 - below - above, below, above


@register(
    hard_tanh,
    family="rectified",
    formula="min(max(x, min_value), max_value)",
    kinks=(-1.0, 1.0),
    range=(-1.0, 1.0),
    monotonic=True,
    samples=({"min_value": 0.0, "max_value": 0.1}, {"min_value": -3.0, "max_value": 20.0}),
    torch="torch.nn.functional.hardtanh(x)",
)
class HardTanh(ActivationLayer):
    """Layer form of `hard_tanh`.

    Args:
        min_value: Smallest value returned.
        max_value: Largest value returned, larger than `min_value`.
    """

    def __init__(self, min_value=-1.0, max_value=1.0, **kwargs) -> None:
        super().__init__(**kwargs)
        self.min_value = number("min_value", min_value)
        self.max_value = number("max_value", max_value, above=self.min_value)

    def call(self, inputs):
        return hard_tanh(inputs, self.min_value, self.max_value)
