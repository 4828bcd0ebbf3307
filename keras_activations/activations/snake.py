"""Snake, a line with a wave on it, for periodic data."""

import math

import tensorflow as tf

from keras_activations._calculus import elementwise
from keras_activations._layers import ChannelwiseLayer
from keras_activations._registry import activation, register
from keras_activations._special import double_word, phase, sin, times


@activation
def snake(x, alpha=1.0):
    """Snake: `x + sin(alpha * x)**2 / alpha`, and `x` at `alpha = 0`.

    Never decreases, and carries a periodic bias that ReLU and tanh lack: it extrapolates periodic
    signals. Used in audio generators (BigVGAN, DAC), there with one trained `alpha` per channel.
    Start from a larger `alpha`, 5 to 50, for data known to be periodic. In float32 and less the
    wave ends where `alpha * x` is beyond ±6.6e6, where a period has six numbers.

    Args:
        x: Tensor of any shape.
        alpha: Frequency of the wave; a number, or a tensor that broadcasts against x.

    Returns:
        Tensor of x's shape and dtype.

    Example:

    >>> ka.snake([-2.0, 0.0, 2.0]).numpy()
    array([-1.1731782,  0.       ,  2.8268218], dtype=float32)

    Reference:

    - [Ziyin, Hartwig and Ueda, 2020](https://arxiv.org/abs/2006.08195)
    """
    return elementwise(_value, _derivatives, x, alpha)


def _value(x, alpha):
    return x + tf.math.divide_no_nan(tf.square(sin(phase(x, alpha))), alpha)


def _derivatives(x, alpha):
    z = phase(x, alpha)
    # 1 + sin(2 z), in a form that does not cancel where the slope is zero.
    dx = 2.0 * tf.square(sin(z + double_word(0.25, x.dtype)))
    # d/dalpha = x (sin(2 z) - sin(z)² / z) / alpha, which tends to x² as z goes to 0.
    double, wave = sin(z.times(2.0)), sin(z)
    z = math.pi * z.high
    far, safe = tf.abs(z) > 1.0, tf.where(tf.not_equal(z, 0.0), z, 1.0)
    # In this order, because the square of a small wave is 0.
    bend = double - wave * (wave / safe)
    near = x * tf.where(tf.not_equal(z, 0.0), bend / safe, 1.0)
    return dx, times(x, tf.where(far, tf.math.divide_no_nan(bend, alpha), near))


@register(
    snake,
    family="periodic",
    formula="x + sin(alpha * x)**2 / alpha if alpha != 0 else x",
    paper="Ziyin, Hartwig and Ueda, 2020",
    url="https://arxiv.org/abs/2006.08195",
    range=(float("-inf"), float("inf")),
    monotonic=True,
    addons=("snake", "Snake"),
    samples=({"alpha": 0.3}, {"alpha": 5.0}, {"alpha": -2.0}, {"alpha": 1e-6}),
    # The square doubles the error of the sine, which has that of a phase of a million half turns
    # where the slope is nearly 0. Beyond the domain the wave ends.
    accuracy={
        "value_scale": 2.0,
        "gradient": 5,
        "gradient_scale": 0.1,
        "second_scale": 2.0,
        "domain": 1e6,
    },
)
class Snake(ChannelwiseLayer):
    """Layer form of `snake`, which trains `alpha`.

    Args:
        alpha: Initial frequency of the wave.
        axis: Axis or axes along which `alpha` varies; None for a single one.
        alpha_initializer: Keras initializer used instead of `alpha`.
        alpha_regularizer: Keras regularizer of `alpha`.
        alpha_constraint: Keras constraint on `alpha`.
    """

    def __init__(
        self,
        alpha=1.0,
        axis=-1,
        alpha_initializer=None,
        alpha_regularizer=None,
        alpha_constraint=None,
        **kwargs,
    ) -> None:
        super().__init__(axis=axis, **kwargs)
        self.learn("alpha", alpha, alpha_initializer, alpha_regularizer, alpha_constraint)

    @classmethod
    def from_addons(cls, config):
        # A single frequency for the whole layer.
        initializer = config.pop("frequency_initializer", "ones")
        return cls.from_config({**config, "axis": None, "alpha_initializer": initializer})

    def call(self, inputs):
        return snake(inputs, self.alpha)
