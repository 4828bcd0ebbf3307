"""StarReLU, a squared ReLU with a trained scale and bias."""

import tensorflow as tf

from keras_activations._calculus import elementwise
from keras_activations._layers import ChannelwiseLayer
from keras_activations._registry import activation, register


@activation
def star_relu(x, scale=0.8944, bias=-0.4472):
    """StarReLU: `scale * max(x, 0)**2 + bias`.

    With the default scale and bias, outputs have mean 0 and variance 1 if inputs are standard
    normal. Its paper reports better results than GELU, at 71% fewer operations, in MetaFormer
    models for images. The slope is continuous, 0 at 0.

    Args:
        x: Tensor of any shape.
        scale: Factor of the square; a number, or a tensor that broadcasts against x.
        bias: Value below zero; likewise.

    Returns:
        Tensor of x's shape and dtype.

    Example:

    >>> ka.star_relu([-2.0, 0.0, 2.0]).numpy()
    array([-0.4472,  -0.4472,  3.1304], dtype=float32)

    Reference:

    - [Yu et al., 2022](https://arxiv.org/abs/2210.13452)
    """
    return elementwise(_value, _derivatives, x, scale, bias)


def _value(x, scale, bias):
    # Bounded, because a scale of 0 makes 0 of infinity too; in the order of operations that
    # overflows only with the result.
    positive = tf.minimum(tf.nn.relu(x), x.dtype.max)
    return scale * positive * positive + bias


def _derivatives(x, scale, bias):
    positive = tf.nn.relu(x)
    dx = tf.math.multiply_no_nan(positive, 2.0 * scale)
    return dx, tf.square(positive), tf.ones_like(x)


@register(
    star_relu,
    family="rectified",
    formula="scale * max(x, 0)**2 + bias",
    paper="Yu et al., 2022",
    url="https://arxiv.org/abs/2210.13452",
    range=(-0.4472, float("inf")),
    monotonic=True,
    samples=(
        {"scale": 0.0, "bias": 0.5},
        {"scale": -2.0, "bias": 0.25},
        {"scale": 100.0, "bias": 0.0},
    ),
    torch="0.8944 * torch.relu(x)**2 - 0.4472",
    # The value crosses zero as a difference of terms of the size of the bias.
    accuracy={"value_scale": 0.4472},
)
class StarReLU(ChannelwiseLayer):
    """Layer form of `star_relu`, which trains `scale` and `bias`.

    The paper trains a single pair for all channels: that is `axis=None`. Its code starts from
    `scale=1.0, bias=0.0`.

    Args:
        scale: Initial factor of the square.
        bias: Initial value below zero.
        axis: Axis or axes along which the parameters vary; None for one of each.
        scale_initializer: Keras initializer used instead of `scale`.
        scale_regularizer: Keras regularizer of `scale`.
        scale_constraint: Keras constraint on `scale`.
        bias_initializer: Keras initializer used instead of `bias`.
        bias_regularizer: Keras regularizer of `bias`.
        bias_constraint: Keras constraint on `bias`.
    """

    def __init__(
        self,
        scale=0.8944,
        bias=-0.4472,
        axis=-1,
        scale_initializer=None,
        scale_regularizer=None,
        scale_constraint=None,
        bias_initializer=None,
        bias_regularizer=None,
        bias_constraint=None,
        **kwargs,
    ) -> None:
        super().__init__(axis=axis, **kwargs)
        self.learn("scale", scale, scale_initializer, scale_regularizer, scale_constraint)
        self.learn("bias", bias, bias_initializer, bias_regularizer, bias_constraint)

    def call(self, inputs):
        return star_relu(inputs, self.scale, self.bias)
