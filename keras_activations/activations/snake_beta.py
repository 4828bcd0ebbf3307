"""SnakeBeta, Snake with a magnitude of its own for the wave."""

import math

import tensorflow as tf

from keras_activations._calculus import elementwise
from keras_activations._layers import ChannelwiseLayer, number
from keras_activations._registry import activation, register
from keras_activations._special import phase, sin, times


@activation
def snake_beta(x, alpha=1.0, beta=1.0):
    """SnakeBeta: `x + sin(alpha * x)**2 / beta`.

    `snake`, whose frequency and magnitude are parameters of their own. BigVGAN's vocoders train
    both on a logarithmic scale, one pair per channel. Never decreases while `beta >= alpha`.
    In float32 and less the wave ends where `alpha * x` is beyond ±6.6e6, where a period has six
    numbers.

    Args:
        x: Tensor of any shape.
        alpha: Frequency of the wave; a number, or a tensor that broadcasts against x.
        beta: Reciprocal of its magnitude, not 0; likewise.

    Returns:
        Tensor of x's shape and dtype.

    Example:

    >>> ka.snake_beta([-2.0, 0.0, 2.0], alpha=1.0, beta=2.0).numpy()
    array([-1.5865891,  0.       ,  2.413411 ], dtype=float32)

    Reference:

    - [Lee et al., 2022](https://arxiv.org/abs/2206.04658)
    """
    return elementwise(_value, _derivatives, x, alpha, beta)


def _value(x, alpha, beta):
    return x + tf.square(sin(phase(x, alpha))) / beta


def _derivatives(x, alpha, beta):
    z = phase(x, alpha)
    slope = sin(z.times(2.0)) / beta
    return 1.0 + alpha * slope, times(x, slope), -tf.square(sin(z) / beta)


@register(
    snake_beta,
    family="periodic",
    formula="x + sin(alpha * x)**2 / beta",
    paper="Lee et al., 2022",
    url="https://arxiv.org/abs/2206.04658",
    range=(float("-inf"), float("inf")),
    monotonic=True,
    samples=(
        {"alpha": 0.3, "beta": 2.0},
        {"alpha": 5.0, "beta": 0.5},
        {"alpha": 0.0, "beta": 2.0},
    ),
    # Value and slope cross zero as differences of larger terms. Beyond the domain the wave ends.
    accuracy={
        "value_scale": 1.0,
        "gradient_scale": 1.0,
        "domain": 1e6,
    },
)
class SnakeBeta(ChannelwiseLayer):
    """Layer form of `snake_beta`, which trains `alpha` and `beta`.

    With `log_scale=True` the variables are the logarithms of both, which keeps these positive, as
    BigVGAN does; `alpha` and `beta` are still the values that result, `exp(layer.alpha)` once
    trained. An initializer, regularizer or constraint acts on the variables. With `False`, only a
    constraint keeps `beta` away from 0.

    Args:
        alpha: Initial frequency of the wave; positive if `log_scale`.
        beta: Initial reciprocal of its magnitude, positive.
        log_scale: Whether the variables hold logarithms.
        axis: Axis or axes along which the parameters vary; None for one of each.
        alpha_initializer: Keras initializer of the variable behind `alpha`, used instead of it.
        alpha_regularizer: Keras regularizer of the variable behind `alpha`.
        alpha_constraint: Keras constraint on the variable behind `alpha`.
        beta_initializer: Keras initializer of the variable behind `beta`, used instead of it.
        beta_regularizer: Keras regularizer of the variable behind `beta`.
        beta_constraint: Keras constraint on the variable behind `beta`.
    """

    def __init__(
        self,
        alpha=1.0,
        beta=1.0,
        log_scale=False,
        axis=-1,
        alpha_initializer=None,
        alpha_regularizer=None,
        alpha_constraint=None,
        beta_initializer=None,
        beta_regularizer=None,
        beta_constraint=None,
        **kwargs,
    ) -> None:
        super().__init__(axis=axis, **kwargs)
        self.log_scale = bool(log_scale)
        number("alpha", alpha, above=0.0 if self.log_scale else -math.inf)
        number("beta", beta, above=0.0)
        self.learn("alpha", alpha, alpha_initializer, alpha_regularizer, alpha_constraint)
        self.learn("beta", beta, beta_initializer, beta_regularizer, beta_constraint)

    def initial_weight(self, name):
        value = super().initial_weight(name)
        return math.log(value) if self.log_scale else value

    def call(self, inputs):
        alpha, beta = tf.convert_to_tensor(self.alpha), tf.convert_to_tensor(self.beta)
        if self.log_scale:
            alpha, beta = tf.exp(alpha), tf.exp(beta)
        return snake_beta(inputs, alpha, beta)
