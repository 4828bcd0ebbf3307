"""NLReLU, the logarithm of a ReLU."""

import math

import tensorflow as tf

from keras_activations._calculus import elementwise, step
from keras_activations._layers import ActivationLayer, number
from keras_activations._registry import activation, register
from keras_activations._special import finite, log1p

SHIFT = 64


@activation
def nlrelu(x, beta=1.0):
    """Natural-logarithm ReLU: `log(1 + beta * max(x, 0))`.

    As sparse as ReLU, but large inputs are compressed, which narrows the spread of activations
    between layers. Its paper reports higher accuracy than ReLU in convolutional networks on MNIST
    and CIFAR-10. The slope is `beta` right of 0, falls from there, and is 0 at 0.

    Args:
        x: Tensor of any shape.
        beta: Slope where the logarithm begins, positive; a number, or a tensor that broadcasts
            against x.

    Returns:
        Tensor of x's shape and dtype.

    Example:

    >>> ka.nlrelu([-2.0, 0.0, 2.0]).numpy()
    array([0.       , 0.       , 1.0986123], dtype=float32)

    Reference:

    - [Liu et al., 2019](https://arxiv.org/abs/1908.03682)
    """
    return elementwise(_value, _derivatives, x, beta)


def _value(x, beta):
    positive, scale = _scaled(x, beta)
    shift = tf.where(scale < 1.0, tf.constant(SHIFT * math.log(2.0), x.dtype), 0.0)
    return log1p(beta * positive) + shift


def _derivatives(x, beta):
    # Bounded, because inf / inf is not 1.
    positive, scale = _scaled(finite(x), beta)
    denominator = scale + beta * positive
    return step(x) * beta * scale / denominator, positive / denominator


def _scaled(x, beta):
    """max(x, 0) times a scale, and the scale: 1, but where the product with beta may overflow."""
    positive = tf.nn.relu(x)
    reduced = positive * 2.0**-SHIFT
    huge = reduced * beta > 2.0**40
    # Not as a product with the scale, through which Grappler would move beta.
    return tf.where(huge, reduced, positive), tf.where(huge, tf.constant(2.0**-SHIFT, x.dtype), 1.0)


@register(
    nlrelu,
    family="rectified",
    formula="log(1 + beta * max(x, 0))",
    paper="Liu et al., 2019",
    url="https://arxiv.org/abs/1908.03682",
    kinks=(0.0,),
    range=(0.0, float("inf")),
    monotonic=True,
    samples=({"beta": 0.01}, {"beta": 1000.0}),
    torch="torch.log1p(torch.relu(x))",
    # TensorFlow's logarithm, which eager mode and graphs do not compile.
    accuracy={"value": 5},
)
class NLReLU(ActivationLayer):
    """Layer form of `nlrelu`.

    Args:
        beta: Slope where the logarithm begins, positive.
    """

    def __init__(self, beta=1.0, **kwargs) -> None:
        super().__init__(**kwargs)
        self.beta = number("beta", beta, above=0.0)

    def call(self, inputs):
        return nlrelu(inputs, self.beta)
