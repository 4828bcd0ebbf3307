"""GCU, the growing cosine unit."""

import math

import tensorflow as tf

from keras_activations._calculus import elementwise
from keras_activations._layers import ActivationLayer
from keras_activations._registry import activation, register
from keras_activations._special import cos, finite, phase, sin

# A whole number of turns, and next to a number of float32.
FARTHEST = 2.0 * math.pi * 16719568


@activation
def gcu(x):
    """Growing cosine unit: `x * cos(x)`.

    A wave that grows with x. A single neuron then has several decision boundaries, and learns XOR
    alone. Its paper reports better results on CIFAR-10, CIFAR-100 and Imagenette with it in the
    convolutional layers. In float32 and less it is x beyond ±1.05e8, where the numbers are further
    apart than a period is long.

    Args:
        x: Tensor of any shape.

    Returns:
        Tensor of x's shape and dtype.

    Example:

    >>> ka.gcu([-2.0, 0.0, 2.0]).numpy()
    array([ 0.8322937,  0.       , -0.8322937], dtype=float32)

    Reference:

    - [Noel et al., 2021](https://arxiv.org/abs/2108.12943)
    """
    return elementwise(_value, _derivative, x, fusible=_plain)


def _value(x):
    return x * cos(_phase(x), x.dtype)


def _phase(x):
    if x.dtype != tf.float64:
        x = tf.where(tf.abs(x) > FARTHEST, 0.0, x)
    # In float64, because x magnifies what is wrong where the wave crosses zero.
    return phase(tf.cast(x, tf.float64))


def _plain(x):
    # In graphs, for their converters, of which TensorFlow Lite's has no float64.
    return x * tf.cos(tf.clip_by_value(x, -FARTHEST, FARTHEST))


def _derivative(x):
    # Bounded, because infinity times zero is not zero.
    return cos(_phase(x), x.dtype) - finite(x) * sin(_phase(x), x.dtype)


@register(
    gcu,
    family="periodic",
    formula="x * cos(x)",
    paper="Noel et al., 2021",
    url="https://arxiv.org/abs/2108.12943",
    range=(float("-inf"), float("inf")),
    monotonic=False,
    torch="x * torch.cos(x)",
    # The slope crosses zero as a difference of larger terms. Beyond the domain the wave ends.
    accuracy={"gradient_scale": 1.0, "second_scale": 2.0, "domain": 1e8},
)
class GCU(ActivationLayer):
    """Layer form of `gcu`."""

    def call(self, inputs):
        return gcu(inputs)
