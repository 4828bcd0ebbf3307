"""Derf, a dynamic error function, which takes the place of a normalization layer."""

import math

import tensorflow as tf

from keras_activations._calculus import elementwise
from keras_activations._layers import ChannelwiseLayer
from keras_activations._registry import activation, register
from keras_activations._special import erf, finite, scaled, scaled_exp, smooth_erf, wide


@activation
def derf(x, alpha=0.5, shift=0.0, gamma=1.0, beta=0.0):
    """Dynamic error function: `gamma * erf(alpha * x + shift) + beta`.

    Put in the place of layer normalization, as `dyt` is; nearer to its limits than tanh. Its paper
    found it by a search, and reports that it does better than layer normalization, RMSNorm and
    `dyt` in vision, speech and DNA models.

    Args:
        x: Tensor of any shape.
        alpha: Scale of x; a number, or a tensor that broadcasts against x.
        shift: What is added to the scaled x; likewise.
        gamma: Scale of the result; likewise.
        beta: Offset of the result; likewise.

    Returns:
        Tensor of x's shape and dtype.

    Example:

    >>> ka.derf([-2.0, 0.0, 2.0]).numpy()
    array([-0.8427008,  0.       ,  0.8427008], dtype=float32)

    Reference:

    - [Chen et al., 2025](https://arxiv.org/abs/2512.10938)
    """
    return elementwise(_value, _derivatives, x, alpha, shift, gamma, beta)


def _value(x, alpha, shift, gamma, beta):
    return gamma * erf(alpha * finite(x) + shift) + beta


def _derivatives(x, alpha, shift, gamma, beta):
    x = finite(x)
    # The argument in float64, because the exponential magnifies its rounding.
    z = tf.clip_by_value(wide(alpha) * wide(x) + wide(shift), -1e4, 1e4)
    e, scale = scaled_exp(-tf.square(z), x.dtype)
    gain = 2.0 / math.sqrt(math.pi) * gamma
    slope, wave = scaled(gain, e, scale), smooth_erf(alpha * x + shift)
    # Where nothing is left of the slope, the product with x may overflow.
    dalpha = scaled(gain, tf.where(e > 0.0, x, 0.0) * e, scale)
    return scaled(gain * alpha, e, scale), dalpha, slope, wave, tf.ones_like(x)


@register(
    derf,
    family="learned",
    formula="gamma * erf(alpha * x + shift) + beta",
    paper="Chen et al., 2025",
    url="https://arxiv.org/abs/2512.10938",
    range=(-1.0, 1.0),
    monotonic=True,
    samples=(
        {"alpha": 0.3, "shift": -0.5, "gamma": 1.5, "beta": -0.25},
        {"alpha": -2.0, "shift": 0.75, "gamma": -0.5},
        {"alpha": 0.0, "shift": 0.5, "beta": 0.1},
        {"alpha": 20.0, "shift": 1.0, "gamma": 3.0},
    ),
    torch="torch.erf(0.5 * x)",
    # The value crosses zero where beta is added. In float64 the argument of the exponential has no
    # spare digits.
    accuracy={"value_scale": 1.0, "float64_gradient": 2e-13},
)
class Derf(ChannelwiseLayer):
    """Layer form of `derf`, which trains all four parameters.

    As in the paper, `gamma` and `beta` vary along `axis`; `alpha` and `shift` are one number each
    for the layer.

    Args:
        alpha: Initial scale of x.
        shift: Initially added to the scaled x.
        gamma: Initial scale of the result.
        beta: Initial offset of the result.
        axis: Axis or axes along which `gamma` and `beta` vary; None for a single pair.
        alpha_initializer: Keras initializer used instead of `alpha`.
        alpha_regularizer: Keras regularizer of `alpha`.
        alpha_constraint: Keras constraint on `alpha`.
        shift_initializer: Keras initializer used instead of `shift`.
        shift_regularizer: Keras regularizer of `shift`.
        shift_constraint: Keras constraint on `shift`.
        gamma_initializer: Keras initializer used instead of `gamma`.
        gamma_regularizer: Keras regularizer of `gamma`.
        gamma_constraint: Keras constraint on `gamma`.
        beta_initializer: Keras initializer used instead of `beta`.
        beta_regularizer: Keras regularizer of `beta`.
        beta_constraint: Keras constraint on `beta`.
    """

    shared = ("alpha", "shift")

    def __init__(
        self,
        alpha=0.5,
        shift=0.0,
        gamma=1.0,
        beta=0.0,
        axis=-1,
        alpha_initializer=None,
        alpha_regularizer=None,
        alpha_constraint=None,
        shift_initializer=None,
        shift_regularizer=None,
        shift_constraint=None,
        gamma_initializer=None,
        gamma_regularizer=None,
        gamma_constraint=None,
        beta_initializer=None,
        beta_regularizer=None,
        beta_constraint=None,
        **kwargs,
    ) -> None:
        super().__init__(axis=axis, **kwargs)
        self.learn("alpha", alpha, alpha_initializer, alpha_regularizer, alpha_constraint)
        self.learn("shift", shift, shift_initializer, shift_regularizer, shift_constraint)
        self.learn("gamma", gamma, gamma_initializer, gamma_regularizer, gamma_constraint)
        self.learn("beta", beta, beta_initializer, beta_regularizer, beta_constraint)

    def call(self, inputs):
        return derf(inputs, self.alpha, self.shift, self.gamma, self.beta)
