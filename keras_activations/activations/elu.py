"""ELU, the exponential linear unit."""

import tensorflow as tf

from keras_activations._calculus import elementwise, step
from keras_activations._layers import ActivationLayer, number
from keras_activations._registry import activation, register
from keras_activations._special import expm1, times_exp


@activation
def elu(x, alpha=1.0):
    """Exponential linear unit: `x if x > 0 else alpha * (exp(x) - 1)`.

    Saturates at `-alpha`, which pushes the mean of a layer's outputs towards zero. With
    `alpha=1` the slope is continuous; otherwise it is `alpha` at 0.

    In a graph that XLA does not compile, the value is TensorFlow's own operation, which it fuses
    with the layer before it, if `alpha` is 1. Its error near 0 is relative to 1, not to the value.

    Args:
        x: Tensor of any shape.
        alpha: Depth of the negative part; a number, or a tensor that broadcasts against x.

    Returns:
        Tensor of x's shape and dtype.

    Example:

    >>> ka.elu([-2.0, 0.0, 2.0]).numpy()
    array([-0.86466473,  0.        ,  2.        ], dtype=float32)

    Reference:

    - [Clevert, Unterthiner and Hochreiter, 2015](https://arxiv.org/abs/1511.07289)
    """
    if isinstance(alpha, int | float) and alpha == 1:
        # The one operation that TensorFlow fuses with the layer before it.
        return elementwise(_plain, _slope, x, fusible=tf.nn.elu)
    return elementwise(_value, _derivatives, x, alpha)


def _value(x, alpha):
    return tf.where(x > 0.0, x, alpha * expm1(tf.minimum(x, 0.0)))


def _derivatives(x, alpha):
    above = step(x)
    negative = tf.minimum(x, 0.0)
    dx = above + (1.0 - above) * times_exp(alpha, negative)
    return dx, expm1(negative)


def _plain(x):
    return _value(x, tf.ones([], x.dtype))


def _slope(x):
    return _derivatives(x, tf.ones([], x.dtype))[0]


@register(
    elu,
    family="exponential",
    formula="x if x > 0 else alpha * (exp(x) - 1)",
    paper="Clevert, Unterthiner and Hochreiter, 2015",
    url="https://arxiv.org/abs/1511.07289",
    range=(-1.0, float("inf")),
    monotonic=True,
    samples=({"alpha": 0.5}, {"alpha": 2.0}),
    torch="torch.nn.functional.elu(x)",
    accuracy={"graph": "the form that TensorFlow fuses with the layer before it"},
)
class ELU(ActivationLayer):
    """Layer form of `elu`.

    Args:
        alpha: Depth of the negative part.
    """

    def __init__(self, alpha=1.0, **kwargs) -> None:
        super().__init__(**kwargs)
        self.alpha = number("alpha", alpha)

    def call(self, inputs):
        return elu(inputs, self.alpha)
