"""Logish, a unit gated by the logarithm of a sigmoid."""

import tensorflow as tf

from keras_activations._calculus import elementwise
from keras_activations._layers import ActivationLayer, number
from keras_activations._registry import activation, register
from keras_activations._special import polynomial
from keras_activations.activations.smish import _product, _slopes


@activation
def logish(x, alpha=1.0, beta=1.0):
    """Logish: `alpha * x * log(1 + 1 / (1 + exp(-beta * x)))`.

    Smooth, with a minimum of about -0.25 near -1.37, and a slope that tends to log 2 above, not to
    1. Its paper reports better accuracies than those of ReLU, Swish and Mish on CIFAR-10, MNIST
    and SVHN, on CIFAR-10 with `beta=10`.

    Args:
        x: Tensor of any shape.
        alpha: Scale of the output; a number, or a tensor that broadcasts against x.
        beta: Steepness of the gate; likewise.

    Returns:
        Tensor of x's shape and dtype.

    Example:

    >>> ka.logish([-2.0, 0.0, 2.0]).numpy()
    array([-0.22523351,  0.        ,  1.2633913 ], dtype=float32)

    Reference:

    - [Zhu et al., 2021](https://doi.org/10.1016/j.neucom.2021.06.067)
    """
    return elementwise(_value, _derivatives, x, alpha, beta)


def _value(x, alpha, beta):
    return _product(_gate, x, alpha, beta)


def _derivatives(x, alpha, beta):
    return _slopes(_gate, x, alpha, beta)


def _gate(below, w):
    # log((1 + s) / (1 - s)) is 2 * atanh(s), here of an s of at most 1 / 3.
    # Two quotients, because XLA stores one that serves twice.
    whole = tf.where(below, 2.0 + 3.0 * w, 3.0 + 2.0 * w)
    square = tf.square(tf.where(below, w, tf.ones([], w.dtype)) / whole)
    terms = 8 if w.dtype == tf.float32 else 17
    gate = polynomial(square, [2.0 / (2 * n + 1) for n in range(terms)]) / whole
    return gate, 1.0 / ((1.0 + w) * tf.where(below, 1.0 + 2.0 * w, 2.0 + w))


@register(
    logish,
    family="self-gated",
    formula="alpha * x * log(1 + 1 / (1 + exp(-beta * x)))",
    paper="Zhu et al., 2021",
    url="https://doi.org/10.1016/j.neucom.2021.06.067",
    range=(-0.252768816789, float("inf")),
    monotonic=False,
    samples=({"alpha": 1.7, "beta": 10.0}, {"alpha": -0.5, "beta": 0.0}, {"beta": -1.0}),
    torch="x * torch.log1p(torch.sigmoid(x))",
    # The slope crosses zero as a difference of larger terms, products of five rounded factors.
    accuracy={"value": 5, "gradient": 7, "gradient_scale": 0.25, "second_scale": 0.1},
)
class Logish(ActivationLayer):
    """Layer form of `logish`.

    Args:
        alpha: Scale of the output.
        beta: Steepness of the gate.
    """

    def __init__(self, alpha=1.0, beta=1.0, **kwargs) -> None:
        super().__init__(**kwargs)
        self.alpha = number("alpha", alpha)
        self.beta = number("beta", beta)

    def call(self, inputs):
        return logish(inputs, self.alpha, self.beta)
