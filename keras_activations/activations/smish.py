"""Smish, a Mish whose gate is a logarithm of a sigmoid."""

import tensorflow as tf

from keras_activations._calculus import elementwise
from keras_activations._layers import ActivationLayer, number
from keras_activations._registry import activation, register
from keras_activations._special import finite, minus_abs, scaled_exp
from keras_activations.activations.swish import _exponent


@activation
def smish(x, alpha=1.0, beta=1.0):
    """Smish: `alpha * x * tanh(log(1 + 1 / (1 + exp(-beta * x))))`.

    Smooth, with a minimum of about -0.25 near -1.39, and a slope that tends to 3/5 above, not to
    1. Its paper reports better accuracies than `mish`'s and `logish`'s with EfficientNet on
    CIFAR-10, MNIST and SVHN, and found the defaults best.

    Args:
        x: Tensor of any shape.
        alpha: Scale of the output; a number, or a tensor that broadcasts against x.
        beta: Steepness of the gate; likewise.

    Returns:
        Tensor of x's shape and dtype.

    Example:

    >>> ka.smish([-2.0, 0.0, 2.0]).numpy()
    array([-0.22428614,  0.        ,  1.1184375 ], dtype=float32)

    Reference:

    - [Wang, Ren and Wang, 2022](https://doi.org/10.3390/electronics11040540)
    """
    return elementwise(_value, _derivatives, x, alpha, beta)


def _value(x, alpha, beta):
    return _product(_gate, x, alpha, beta)


def _derivatives(x, alpha, beta):
    return _slopes(_gate, x, alpha, beta)


def _gate(below, w):
    # tanh(log(1 + g)) is (g**2 + 2 * g) / (g**2 + 2 * g + 2), which is rational in w.
    whole = tf.where(below, 2.0 + w * (6.0 + 5.0 * w), 5.0 + w * (6.0 + 2.0 * w))
    gate = tf.where(below, 2.0 + 3.0 * w, 3.0 + 2.0 * w) / whole
    bend = 4.0 * (1.0 + w) * tf.where(below, 1.0 + 2.0 * w, 2.0 + w) / tf.square(whole)
    return gate, bend


def _product(gate, x, alpha, beta):
    """`alpha * x` times a gate of z = beta * x.

    `gate` maps z < 0 and w = exp(-abs(z)) to the gate, over w if z < 0, and to its slope over w.
    """
    below, z = _exponent(x, beta)
    e, scale = scaled_exp(z, x.dtype)
    gate, _ = gate(below, e * scale)
    return tf.where(below, finite(x) * e, x) * (gate * _factor(below, alpha, scale))


def _slopes(gate, x, alpha, beta):
    """The derivatives of the product by x, alpha and beta."""
    below, z = _exponent(x, beta)
    e, scale = scaled_exp(z, x.dtype)
    x = finite(x)
    phase = minus_abs(below, beta, x)
    gate, bend = gate(below, e * scale)
    turn = phase * bend
    # As one use of the gate, because XLA stores a quotient that serves twice.
    dx = (gate + tf.where(below, turn, -turn * e * scale)) * tf.where(below, e, 1.0)
    dalpha = tf.where(below, x * e * gate * scale, x * gate)
    # The exponential between the two factors x, which would overflow together.
    dbeta = x * (x * e * bend) * _factor(True, alpha, scale)
    return dx * _factor(below, alpha, scale), dalpha, dbeta


def _factor(below, alpha, scale):
    # A choice of two products, because Grappler would regroup one of three factors.
    return tf.where(tf.logical_and(below, scale < 1.0), alpha * scale, alpha)


@register(
    smish,
    family="self-gated",
    formula="alpha * x * tanh(log(1 + 1 / (1 + exp(-beta * x))))",
    paper="Wang, Ren and Wang, 2022",
    url="https://doi.org/10.3390/electronics11040540",
    range=(-0.249993663656, float("inf")),
    monotonic=False,
    samples=({"alpha": 1.7, "beta": 2.5}, {"alpha": -0.5, "beta": 0.0}, {"beta": -1.0}),
    torch="x * torch.tanh(torch.log1p(torch.sigmoid(x)))",
    # The slope crosses zero as a difference of larger terms, products of five rounded factors.
    accuracy={"value": 5, "gradient": 5, "gradient_scale": 0.25, "second_scale": 0.1},
)
class Smish(ActivationLayer):
    """Layer form of `smish`.

    Args:
        alpha: Scale of the output.
        beta: Steepness of the gate.
    """

    def __init__(self, alpha=1.0, beta=1.0, **kwargs) -> None:
        super().__init__(**kwargs)
        self.alpha = number("alpha", alpha)
        self.beta = number("beta", beta)

    def call(self, inputs):
        return smish(inputs, self.alpha, self.beta)
