"""Shifted softplus, a softplus through the origin."""

import tensorflow as tf

from keras_activations._calculus import elementwise
from keras_activations._layers import ActivationLayer
from keras_activations._registry import activation, register
from keras_activations._special import expm1, polynomial, sigmoid

# The series of atanh(s) / s in (2 s)².
SERIES = [1.0 / ((2 * n + 1) * 4**n) for n in range(8)]


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
    m = expm1(tf.minimum(-x, x))
    if x.dtype == tf.float64:
        logarithm = tf.math.log1p(0.5 * m)
    else:
        # 2 atanh(s), with m / (4 + m) for s. XLA stores a quotient that serves twice.
        half = 2.0 + 0.5 * m
        logarithm = m * polynomial(tf.square(m / half), SERIES) / half
    # Next to 0 it is x / 2, where half of m may underflow.
    return tf.where(tf.abs(x) < 1e-17, 0.5 * x, tf.maximum(x, 0.0) + logarithm)


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
