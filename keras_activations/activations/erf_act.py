"""ErfAct, a self-gated unit that gates with the error function of an exponential."""

import math

import tensorflow as tf

from keras_activations._calculus import elementwise
from keras_activations._layers import ChannelwiseLayer
from keras_activations._registry import activation, register
from keras_activations._special import (
    double_word,
    erf,
    finite,
    scaled_exp,
    smooth_erf,
    times,
    wide,
)


@activation
def erf_act(x, alpha=0.75, beta=0.75):
    """ErfAct: `x * erf(alpha * exp(beta * x))`.

    A relative of `telu`, with erf in place of tanh and two trained parameters: smooth, unbounded
    above, with a minimum of about -0.41 near -1.40. Its paper reports a top-1 accuracy 5.68%
    above that of ReLU with ShuffleNet V2 on CIFAR-100.

    Args:
        x: Tensor of any shape.
        alpha: Scale of the exponential; a number, or a tensor that broadcasts against x.
        beta: Steepness of the exponential; likewise.

    Returns:
        Tensor of x's shape and dtype.

    Example:

    >>> ka.erf_act([-2.0, 0.0, 2.0]).numpy()
    array([-0.37416705,  0.        ,  1.999996  ], dtype=float32)

    Reference:

    - [Biswas et al., 2021](https://arxiv.org/abs/2109.04386)
    """
    return elementwise(_value, _derivatives, x, alpha, beta)


def _value(x, alpha, beta):
    # As double words, because the exponential magnifies the rounding of beta * x.
    z = double_word(beta) * double_word(x)
    e, scale = scaled_exp(z.clip(-1000.0, math.log(x.dtype.max) - 1.0), x.dtype)
    # Where the exponential comes in two factors, erf is linear and takes the first only.
    return times(x, erf(alpha * e)) * scale


def _derivatives(x, alpha, beta):
    z, x = _exponent(x, beta), finite(x)
    e, scale = scaled_exp(z, x.dtype)
    # The slope of the gate, over alpha, as one exponential: of two, the first may overflow where
    # the second vanishes. The bound outweighs the largest z.
    square = tf.square(tf.clip_by_value(wide(alpha) * tf.exp(z), -100.0, 100.0))
    bell, bell_scale = scaled_exp(z - square, x.dtype)
    gain = 2.0 / math.sqrt(math.pi) * bell
    # Times alpha, it is below 1 before x comes in; the bound keeps Grappler from moving alpha.
    bend = x * tf.clip_by_value(alpha * gain, -1.0, 1.0)
    # In the lower tail the two scales are the same, and the sum needs it last.
    rest = tf.where(tf.equal(scale, 1.0), bell_scale, 1.0)
    dx = (smooth_erf(alpha * e) + beta * bend * rest) * scale
    return dx, x * gain * bell_scale, x * bend * bell_scale


def _exponent(x, beta):
    # In float64, because both exponentials magnify its rounding; bounded, because inf * 0 is not 0.
    limit = math.log(x.dtype.max) - 1.0
    return tf.clip_by_value(wide(beta) * wide(finite(x)), -1000.0, limit)


@register(
    erf_act,
    family="self-gated",
    formula="x * erf(alpha * exp(beta * x))",
    paper="Biswas et al., 2021",
    url="https://arxiv.org/abs/2109.04386",
    range=(-0.405280845, float("inf")),
    monotonic=False,
    samples=(
        {"alpha": 2.0, "beta": 0.3},
        {"alpha": -0.5, "beta": 1.25},
        {"alpha": 0.05, "beta": -1.25},
        {"beta": 0.0},
        {"alpha": 0.0},
    ),
    # The errors of the exponential and of erf add up; the slope crosses zero as a difference of
    # larger terms.
    accuracy={"value": 5, "gradient": 5, "gradient_scale": 0.5, "second_scale": 0.1},
)
class ErfAct(ChannelwiseLayer):
    """Layer form of `erf_act`, which trains `alpha` and `beta`.

    Args:
        alpha: Initial scale of the exponential.
        beta: Initial steepness of the exponential.
        axis: Axis or axes along which the parameters vary; None for one of each.
        alpha_initializer: Keras initializer used instead of `alpha`.
        alpha_regularizer: Keras regularizer of `alpha`.
        alpha_constraint: Keras constraint on `alpha`.
        beta_initializer: Keras initializer used instead of `beta`.
        beta_regularizer: Keras regularizer of `beta`.
        beta_constraint: Keras constraint on `beta`.
    """

    def __init__(
        self,
        alpha=0.75,
        beta=0.75,
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
        self.learn("alpha", alpha, alpha_initializer, alpha_regularizer, alpha_constraint)
        self.learn("beta", beta, beta_initializer, beta_regularizer, beta_constraint)

    def call(self, inputs):
        return erf_act(inputs, self.alpha, self.beta)
