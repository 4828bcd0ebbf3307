"""Leaky ReLU, which keeps a small slope where ReLU is flat."""

import tensorflow as tf

from keras_activations._calculus import elementwise, step, with_gradient
from keras_activations._layers import ActivationLayer, number
from keras_activations._registry import activation, register


@activation
def leaky_relu(x, negative_slope=0.2):
    """Leaky ReLU: `x if x >= 0 else negative_slope * x`.

    Units below zero keep a gradient and cannot die. Common in discriminators of GANs. The slope
    at 0 is `negative_slope`.

    Args:
        x: Tensor of any shape.
        negative_slope: Slope below zero; a number, or a tensor that broadcasts against x.

    Returns:
        Tensor of x's shape and dtype.

    Example:

    >>> ka.leaky_relu([-2.0, 0.0, 2.0]).numpy()
    array([-0.4,  0. ,  2. ], dtype=float32)

    Reference:

    - [Maas, Hannun and Ng, 2013](https://ai.stanford.edu/~amaas/papers/relu_hybrid_icml2013_final.pdf)
    """
    # TensorFlow's operation keeps the slope in float32.
    if isinstance(negative_slope, float) and x.dtype == tf.float32:
        return with_gradient(_native, _gradient, x, native=True, alpha=float(negative_slope))
    return elementwise(_value, _derivatives, x, negative_slope)


def _native(x, alpha):
    return tf.nn.leaky_relu(x, alpha)


def _gradient(upstream, x, alpha):
    return tf.raw_ops.LeakyReluGrad(gradients=upstream, features=x, alpha=alpha)


def _value(x, negative_slope):
    return tf.where(x > 0.0, x, negative_slope * x)


def _derivatives(x, negative_slope):
    above = step(x)
    return above + negative_slope * (1.0 - above), tf.minimum(x, 0.0)


@register(
    leaky_relu,
    family="rectified",
    formula="x if x >= 0 else negative_slope * x",
    paper="Maas, Hannun and Ng, 2013",
    url="https://ai.stanford.edu/~amaas/papers/relu_hybrid_icml2013_final.pdf",
    kinks=(0.0,),
    range=(float("-inf"), float("inf")),
    monotonic=True,
    samples=({"negative_slope": 0.01}, {"negative_slope": 1.5}),
    torch="torch.nn.functional.leaky_relu(x, negative_slope=0.2)",
)
class LeakyReLU(ActivationLayer):
    """Layer form of `leaky_relu`, with the function's default.

    Keras's own layer of this name has 0.3 where its function has 0.2.

    Args:
        negative_slope: Slope below zero.
    """

    def __init__(self, negative_slope=0.2, **kwargs) -> None:
        super().__init__(**kwargs)
        self.negative_slope = number("negative_slope", negative_slope)

    def call(self, inputs):
        return leaky_relu(inputs, self.negative_slope)
