"""PReLU, a leaky ReLU that learns its slope."""

import tensorflow as tf

from keras_activations._calculus import elementwise, step
from keras_activations._layers import ChannelwiseLayer
from keras_activations._registry import activation, register
from keras_activations._special import times


@activation
def prelu(x, alpha=0.25):
    """Parametric ReLU: `x if x >= 0 else alpha * x`.

    The slope below zero is a parameter, which `PReLU` trains, one for each channel. The slope at 0
    is `alpha`, as in PyTorch; Keras's layer has 0 there.

    Args:
        x: Tensor of any shape.
        alpha: Slope below zero; a number, or a tensor that broadcasts against x.

    Returns:
        Tensor of x's shape and dtype.

    Example:

    >>> ka.prelu([-2.0, 0.0, 2.0]).numpy()
    array([-0.5,  0. ,  2. ], dtype=float32)

    Reference:

    - [He et al., 2015](https://arxiv.org/abs/1502.01852)
    """
    return elementwise(_value, _derivatives, x, alpha)


def _value(x, alpha):
    # A slope of 0 makes 0 of -inf too, but NaN stays NaN.
    below = times(x, alpha)
    return tf.where(x > 0.0, x, tf.where(tf.math.is_nan(x), x, below))


def _derivatives(x, alpha):
    above = step(x)
    return above + alpha * (1.0 - above), tf.minimum(x, 0.0)


@register(
    prelu,
    family="rectified",
    formula="x if x >= 0 else alpha * x",
    paper="He et al., 2015",
    url="https://arxiv.org/abs/1502.01852",
    kinks=(0.0,),
    range=(float("-inf"), float("inf")),
    monotonic=True,
    samples=({"alpha": 0.0}, {"alpha": -0.5}),
    torch="torch.nn.functional.prelu(x, torch.tensor(0.25, dtype=x.dtype))",
)
class PReLU(ChannelwiseLayer):
    """Layer form of `prelu`, which trains `alpha`.

    One `alpha` for each channel, as the paper has it. Keras's `PReLU` starts from zero, with one
    for each element: that is `PReLU(alpha=0.0, axis=[1, 2, 3])` for images, and its
    `shared_axes=[1, 2]` is the default here.

    Args:
        alpha: Initial slope below zero.
        axis: Axis or axes along which `alpha` varies; None for a single one.
        alpha_initializer: Keras initializer used instead of `alpha`.
        alpha_regularizer: Keras regularizer of `alpha`.
        alpha_constraint: Keras constraint on `alpha`.
    """

    def __init__(
        self,
        alpha=0.25,
        axis=-1,
        alpha_initializer=None,
        alpha_regularizer=None,
        alpha_constraint=None,
        **kwargs,
    ) -> None:
        super().__init__(axis=axis, **kwargs)
        self.learn("alpha", alpha, alpha_initializer, alpha_regularizer, alpha_constraint)

    def call(self, inputs):
        return prelu(inputs, self.alpha)
