"""FReLU, a ReLU that learns its level."""

import tensorflow as tf

from keras_activations._calculus import elementwise, step
from keras_activations._layers import ChannelwiseLayer
from keras_activations._registry import activation, register


@activation
def frelu(x, bias=-1.0):
    """Flexible ReLU: `max(x, 0) + bias`.

    The trained bias lets outputs be negative, which brings their mean nearer to zero, at the
    price of ReLU. Its paper reports fast convergence and higher accuracy than ReLU on CIFAR and
    ImageNet, and biases that end below zero. The slope at 0 is 0.

    Args:
        x: Tensor of any shape.
        bias: Value below zero; a number, or a tensor that broadcasts against x.

    Returns:
        Tensor of x's shape and dtype.

    Example:

    >>> ka.frelu([-2.0, 0.0, 2.0]).numpy()
    array([-1., -1.,  1.], dtype=float32)

    Reference:

    - [Qiu, Xu and Cai, 2017](https://arxiv.org/abs/1706.08098)
    """
    return elementwise(_value, _derivatives, x, bias)


def _value(x, bias):
    return tf.nn.relu(x) + bias


def _derivatives(x, bias):
    return step(x), tf.ones_like(x)


@register(
    frelu,
    family="rectified",
    formula="max(x, 0) + bias",
    paper="Qiu, Xu and Cai, 2017",
    url="https://arxiv.org/abs/1706.08098",
    kinks=(0.0,),
    range=(-1.0, float("inf")),
    monotonic=True,
    samples=({"bias": 0.0}, {"bias": 0.7}),
    torch="torch.relu(x) - 1.0",
)
class FReLU(ChannelwiseLayer):
    """Layer form of `frelu`, which trains `bias`.

    Args:
        bias: Initial value below zero.
        axis: Axis or axes along which `bias` varies; None for a single one.
        bias_initializer: Keras initializer used instead of `bias`.
        bias_regularizer: Keras regularizer of `bias`.
        bias_constraint: Keras constraint on `bias`.
    """

    def __init__(
        self,
        bias=-1.0,
        axis=-1,
        bias_initializer=None,
        bias_regularizer=None,
        bias_constraint=None,
        **kwargs,
    ) -> None:
        super().__init__(axis=axis, **kwargs)
        self.learn("bias", bias, bias_initializer, bias_regularizer, bias_constraint)

    def call(self, inputs):
        return frelu(inputs, self.bias)
