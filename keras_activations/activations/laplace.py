"""The Laplace attention function, a normal distribution function."""

import math

import tensorflow as tf

from keras_activations._calculus import elementwise
from keras_activations._layers import ActivationLayer, number
from keras_activations._registry import activation, register
from keras_activations._special import double_word, falling, normal_tail, scaled, scaled_exp


@activation
def laplace(x, mu=0.707107, sigma=0.282095):
    """Laplace attention function: `(1 + erf((x - mu) / (sigma * sqrt(2)))) / 2`.

    The distribution function of a normal variable. Mega applies it to attention scores, entry by
    entry, in place of a softmax: near squared ReLU, whose value and slope it has at `sqrt(1/2)` by
    its default parameters, but bounded in both, which is to keep training stable.

    Args:
        x: Tensor of any shape.
        mu: Mean; a number, or a tensor that broadcasts against x.
        sigma: Standard deviation, positive; likewise.

    Returns:
        Tensor of x's shape and dtype.

    Example:

    >>> ka.laplace([0.0, 0.5, 1.0]).numpy()
    array([0.00609446, 0.23142114, 0.85042965], dtype=float32)

    Reference:

    - [Ma et al., 2022](https://arxiv.org/abs/2209.10655)
    """
    return elementwise(_value, _derivatives, x, mu, sigma)


def _value(x, mu, sigma):
    a, below, e, scale = _density(x, mu, sigma)
    tail = normal_tail(a) * e * scale
    return tf.where(below, tail, 1.0 - tail)


def _derivatives(x, mu, sigma):
    a, below, e, scale = _density(x, mu, sigma)
    slope = scaled(math.sqrt(0.5 / math.pi) / sigma, e, scale)
    return slope, -slope, tf.where(below, a, -a) * slope


def _density(x, mu, sigma):
    """a = |x - mu| / sigma, whether x < mu, and exp(-a**2 / 2) in two factors."""
    # The tail is the density times the Mills ratio, both relatively exact, where erfc is not. The
    # exponent as a double word, because the exponential magnifies its error a**2 / 2 times.
    # Bounded, because inf * 0 is not 0.
    z = (double_word(x) - double_word(mu)) / double_word(sigma)
    a = falling(z).clip(-40.0, 0.0)
    return -a.high, z.high < 0.0, *scaled_exp((a * a).times(-0.5), x.dtype)


@register(
    laplace,
    family="squashing",
    formula="(1 + erf((x - mu) / (sigma * sqrt(2)))) / 2",
    paper="Ma et al., 2022",
    url="https://arxiv.org/abs/2209.10655",
    range=(0.0, 1.0),
    monotonic=True,
    samples=({"mu": 0.0, "sigma": 1.0}, {"mu": -2.0, "sigma": 4.0}),
    torch="0.5 * (1.0 + torch.erf((x - 0.707107) / (0.282095 * 2**0.5)))",
    # Each of the twelve terms of the tail's polynomial is rounded; in float64 the exponent has no
    # spare digits.
    accuracy={"value": 6, "float64_value": 5e-13, "float64_gradient": 5e-13},
)
class Laplace(ActivationLayer):
    """Layer form of `laplace`.

    Args:
        mu: Mean.
        sigma: Standard deviation, positive.
    """

    def __init__(self, mu=0.707107, sigma=0.282095, **kwargs) -> None:
        super().__init__(**kwargs)
        self.mu = number("mu", mu)
        self.sigma = number("sigma", sigma, above=0.0)

    def call(self, inputs):
        return laplace(inputs, self.mu, self.sigma)
