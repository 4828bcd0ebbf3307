"""Shifted softplus, a softplus through the origin."""

import tensorflow as tf

from keras_activations._calculus import elementwise
from keras_activations._layers import ActivationLayer
from keras_activations._registry import activation, register
from keras_activations._special import expm1, log1p_over, sigmoid


@activation
def shifted_softplus(x):
    """Shifted softplus: `log(1 + exp(x)) - log(2)`.

    Zero at 0, smooth to any order, and bounded below by -log(2). The activation of SchNet, a
    network for energies and forces of molecules: a force is the derivative of an energy, and that
    of a smooth energy must be smooth.

    Args:
        x: Tensor of any shape.

    Returns:
        Tensor of x's shape and dtype.

    Example:

    >>> ka.shifted_softplus([-2.0, 0.0, 2.0]).numpy()
    array([-0.5662192,  0.       ,  1.4337808], dtype=float32)

    Reference:

    - [Schütt et al., 2017](https://arxiv.org/abs/1706.08566)
    """
    return elementwise(_value, sigmoid, x)


def _value(x):
    # max(x, 0) + log(1 + m / 2), where m = exp(-|x|) - 1: the shift is a part of the logarithm,
    # where it does not cancel.
    half = 0.5 * expm1(tf.minimum(-x, x))
    # Next to 0 it is x / 2, where half of m may underflow.
    return tf.where(tf.abs(x) < 1e-17, 0.5 * x, tf.maximum(x, 0.0) + half * log1p_over(half))


@register(
    shifted_softplus,
    family="exponential",
    formula="log(1 + exp(x)) - log(2)",
    paper="Schütt et al., 2017",
    url="https://arxiv.org/abs/1706.08566",
    range=(-0.6931471805599453, float("inf")),
    monotonic=True,
    torch="torch.nn.functional.softplus(x, threshold=1000.0) - 0.6931471805599453",
)
class ShiftedSoftplus(ActivationLayer):
    """Layer form of `shifted_softplus`."""

    def call(self, inputs):
        return shifted_softplus(inputs)
