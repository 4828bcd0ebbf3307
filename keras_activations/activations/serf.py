"""Serf, a self-gated unit that gates with an error function."""

import math

import tensorflow as tf

from keras_activations._calculus import elementwise
from keras_activations._layers import ActivationLayer
from keras_activations._registry import activation, register
from keras_activations._special import bounded, erf, scaled_exp, smooth_erf, times_log1p_exp

# Of erf at 0.
SLOPE = 2.0 / math.sqrt(math.pi)
# Below it, with w for exp(x), the gate is SLOPE * (w - w**2 / 2) to any precision.
FAR = -20.0


@activation
def serf(x):
    """Serf: `x * erf(log(1 + exp(x)))`.

    A close relative of `mish`, with erf in place of tanh: smooth, unbounded above, with a minimum
    of about -0.35 near -1.19. Its paper reports gains over ReLU, Swish and Mish in image
    classification, object detection and language tasks.

    Args:
        x: Tensor of any shape.

    Returns:
        Tensor of x's shape and dtype.

    Example:

    >>> ka.serf([-2.0, 0.0, 2.0]).numpy()
    array([-0.28491494,  0.        ,  1.9947392 ], dtype=float32)

    Reference:

    - [Nag and Bhattacharyya, 2021](https://arxiv.org/abs/2108.09598)
    """
    return elementwise(_value, _derivative, x)


def _value(x):
    e, scale = scaled_exp(tf.minimum(-x, x), x.dtype)
    far = bounded(x) * e * (SLOPE - 0.5 * SLOPE * e * scale) * scale
    gate = erf(_softplus(x))
    return tf.where(x < FAR, far, tf.maximum(x, FAR) * gate)


def _derivative(x):
    x = bounded(x)
    e, scale = scaled_exp(tf.minimum(-x, x), x.dtype)
    w, z = e * scale, _softplus(x)
    steep = SLOPE * x
    far = (SLOPE + steep - (0.5 * SLOPE + steep) * w) * e * scale
    gate = tf.where(x < 0.0, w, 1.0) / (1.0 + w)
    near = smooth_erf(z) + steep * tf.exp(-tf.square(z)) * gate
    return tf.where(x < FAR, far, near)


def _softplus(x):
    return tf.maximum(x, 0.0) + times_log1p_exp(1.0, tf.minimum(-x, x), x.dtype)


@register(
    serf,
    family="self-gated",
    formula="x * erf(log(1 + exp(x)))",
    paper="Nag and Bhattacharyya, 2021",
    url="https://arxiv.org/abs/2108.09598",
    range=(-0.348437458760, float("inf")),
    monotonic=False,
    torch="x * torch.erf(torch.nn.functional.softplus(x))",
    # The slope crosses zero as a difference of larger terms. The errors of the exponential, of the
    # logarithm and of erf add up.
    accuracy={"value": 6, "gradient": 7, "gradient_scale": 0.25, "second_scale": 0.1},
)
class Serf(ActivationLayer):
    """Layer form of `serf`."""

    def call(self, inputs):
        return serf(inputs)
