"""APTx, alpha plus tanh times x."""

import tensorflow as tf

from keras_activations._calculus import elementwise
from keras_activations._layers import ActivationLayer, number
from keras_activations._registry import activation, register
from keras_activations._special import (
    double_word,
    falling,
    finite,
    near_tanh,
    scaled_exp,
    times,
)


@activation
def aptx(x, alpha=1.0, beta=1.0, gamma=0.5):
    """APTx: `(alpha + tanh(beta * x)) * gamma * x`.

    Smooth; by default `x * sigmoid(2 * x)`, with a minimum of about -0.14 near -0.64, and a slope
    that overshoots 1. Proposed as a cheaper Mish: its paper finds it near Mish, above zero as it
    is by default, and below zero with `beta=0.5`, where it is `silu`.

    Args:
        x: Tensor of any shape.
        alpha: What is added to tanh; a number, or a tensor that broadcasts against x.
        beta: Steepness of the gate; likewise.
        gamma: Factor of the whole; likewise.

    Returns:
        Tensor of x's shape and dtype.

    Example:

    >>> ka.aptx([-2.0, 0.0, 2.0]).numpy()
    array([-0.03597242,  0.        ,  1.9640275 ], dtype=float32)

    Reference:

    - [Kumar, 2022](https://arxiv.org/abs/2209.06119)
    """
    return elementwise(_value, _derivatives, x, alpha, beta, gamma)


def _value(x, alpha, beta, gamma):
    line, rest, _, e, scale = _gate(x, alpha, beta, gamma)
    return times(x, line) + finite(x) * e * rest / (1.0 + e * scale) * scale


def _derivatives(x, alpha, beta, gamma):
    line, rest, z, e, scale = _gate(x, alpha, beta, gamma)
    x, gate = finite(x), e * scale
    bend = 4.0 * gamma * e / tf.square(1.0 + gate)
    dx = line + (rest * e / (1.0 + gate) + z * bend) * scale
    return dx, gamma * x, x * (x * bend * scale), _value(x, alpha, beta, tf.ones([], x.dtype))


def _gate(x, alpha, beta, gamma):
    """gamma * (alpha + tanh(z)), with z = beta * x, in parts.

    It is `line + rest * g / (1 + g)`, with g = exp(-2 * abs(z)) in two factors: 1 + tanh(z) cancels
    far below zero, 1 - tanh(z) far above, and both parts would cancel near zero.
    """
    # As double words, because the exponential magnifies the rounding of beta * x; bounded, because
    # inf * 0 is not 0.
    z = double_word(beta) * double_word(x)
    e, scale = scaled_exp(falling(z.times(2.0)), x.dtype)
    z = tf.clip_by_value(z.high, -500.0, 500.0)
    below, near = z < 0.0, tf.abs(z) < 0.5
    limit = tf.where(below, alpha - 1.0, alpha + 1.0)
    line = gamma * tf.where(near, alpha + near_tanh(z), limit)
    rest = tf.where(near, tf.zeros([], x.dtype), tf.where(below, 2.0 * gamma, -2.0 * gamma))
    return line, rest, z, e, scale


@register(
    aptx,
    family="self-gated",
    formula="(alpha + tanh(beta * x)) * gamma * x",
    paper="Kumar, 2022",
    url="https://arxiv.org/abs/2209.06119",
    range=(-0.139232271, float("inf")),
    monotonic=False,
    samples=(
        {"beta": 0.5},
        {"alpha": -1.0, "gamma": 2.0},
        {"alpha": 0.0, "beta": -2.0},
        {"alpha": 1.5, "beta": 0.0},
    ),
    torch="(1 + torch.tanh(x)) * 0.5 * x",
    # The slope crosses zero as a difference of larger terms.
    accuracy={"value": 5, "gradient": 5, "gradient_scale": 1.0, "second_scale": 0.1},
)
class APTx(ActivationLayer):
    """Layer form of `aptx`.

    Args:
        alpha: What is added to tanh.
        beta: Steepness of the gate.
        gamma: Factor of the whole.
    """

    def __init__(self, alpha=1.0, beta=1.0, gamma=0.5, **kwargs) -> None:
        super().__init__(**kwargs)
        self.alpha = number("alpha", alpha)
        self.beta = number("beta", beta)
        self.gamma = number("gamma", gamma)

    def call(self, inputs):
        return aptx(inputs, self.alpha, self.beta, self.gamma)
