"""SReLU, three straight lines that are trained."""

import tensorflow as tf

from keras_activations._calculus import elementwise, step
from keras_activations._layers import ChannelwiseLayer, number
from keras_activations._registry import activation, register
from keras_activations._special import finite, times


@activation
def srelu(x, t_left=0.0, a_left=0.2, t_right=1.0, a_right=1.0):
    """S-shaped ReLU: x between two thresholds, a line of another slope beyond each.

    That is `t_right + a_right * (x - t_right)` where `x >= t_right`, else
    `t_left + a_left * (x - t_left)` where `x <= t_left`, else `x`. `SReLU` trains all four; at the
    defaults it is a leaky ReLU. Its paper reports improvements over other activations on CIFAR,
    MNIST and ImageNet. The slopes at the thresholds are `a_left` and `a_right`.

    Args:
        x: Tensor of any shape.
        t_left: The left threshold; a number, or a tensor that broadcasts against x.
        a_left: Slope below it; likewise.
        t_right: The right threshold, not less than the left one; likewise.
        a_right: Slope above it; likewise.

    Returns:
        Tensor of x's shape and dtype.

    Example:

    >>> ka.srelu([-2.0, 0.5, 3.0], a_right=0.5).numpy()
    array([-0.4,  0.5,  2. ], dtype=float32)

    Reference:

    - [Jin et al., 2015](https://arxiv.org/abs/1512.07030)
    """
    return elementwise(_value, _derivatives, x, t_left, a_left, t_right, a_right)


def _value(x, t_left, a_left, t_right, a_right):
    # A slope of 0 makes 0 of infinity too. Written so that NaN comes out as NaN.
    left = t_left + times(x - t_left, a_left)
    right = t_right + times(x - t_right, a_right)
    return tf.where(x >= t_right, right, tf.where(x <= t_left, left, x))


def _derivatives(x, t_left, a_left, t_right, a_right):
    # Bounded, because inf * 0 is not 0.
    x = finite(x)
    below = step(t_right - x)
    above, inside = 1.0 - below, below * step(x - t_left)
    below -= inside
    return (
        inside + a_left * below + a_right * above,
        (1.0 - a_left) * below,
        (x - t_left) * below,
        (1.0 - a_right) * above,
        (x - t_right) * above,
    )


@register(
    srelu,
    family="rectified",
    formula=(
        "t_right + a_right * (x - t_right) if x >= t_right else "
        "t_left + a_left * (x - t_left) if x <= t_left else x"
    ),
    paper="Jin et al., 2015",
    url="https://arxiv.org/abs/1512.07030",
    kinks=(0.0,),
    range=(float("-inf"), float("inf")),
    monotonic=True,
    samples=(
        {"t_left": -1.0, "a_left": 0.0, "t_right": 2.0, "a_right": 0.5},
        {"t_left": -0.7, "a_left": 3.0, "t_right": 0.7, "a_right": 0.0},
        {"a_left": -0.5, "a_right": -0.25},
    ),
    # Lines cross zero as sums of terms of the size of the thresholds.
    accuracy={"value_scale": 1.0},
)
class SReLU(ChannelwiseLayer):
    """Layer form of `srelu`, which trains all its parameters.

    While `a_right` is 1, as at first, `t_right` gets no gradient. Nothing keeps the thresholds in
    order while they are trained. The paper keeps all parameters fixed in the first epochs, by what
    is here the layer's `trainable`, and then starts them anew from the data.

    Args:
        t_left: Initial threshold on the left.
        a_left: Initial slope below it.
        t_right: Initial threshold on the right, at least `t_left`.
        a_right: Initial slope above it.
        axis: Axis or axes along which the parameters vary; None for one of each.
        t_left_initializer: Keras initializer used instead of `t_left`.
        t_left_regularizer: Keras regularizer of `t_left`.
        t_left_constraint: Keras constraint on `t_left`.
        a_left_initializer: Keras initializer used instead of `a_left`.
        a_left_regularizer: Keras regularizer of `a_left`.
        a_left_constraint: Keras constraint on `a_left`.
        t_right_initializer: Keras initializer used instead of `t_right`.
        t_right_regularizer: Keras regularizer of `t_right`.
        t_right_constraint: Keras constraint on `t_right`.
        a_right_initializer: Keras initializer used instead of `a_right`.
        a_right_regularizer: Keras regularizer of `a_right`.
        a_right_constraint: Keras constraint on `a_right`.
    """

    def __init__(
        self,
        t_left=0.0,
        a_left=0.2,
        t_right=1.0,
        a_right=1.0,
        axis=-1,
        t_left_initializer=None,
        t_left_regularizer=None,
        t_left_constraint=None,
        a_left_initializer=None,
        a_left_regularizer=None,
        a_left_constraint=None,
        t_right_initializer=None,
        t_right_regularizer=None,
        t_right_constraint=None,
        a_right_initializer=None,
        a_right_regularizer=None,
        a_right_constraint=None,
        **kwargs,
    ) -> None:
        super().__init__(axis=axis, **kwargs)
        self.learn("t_left", t_left, t_left_initializer, t_left_regularizer, t_left_constraint)
        self.learn("a_left", a_left, a_left_initializer, a_left_regularizer, a_left_constraint)
        number("t_right", t_right, minimum=self.t_left)
        self.learn("t_right", t_right, t_right_initializer, t_right_regularizer, t_right_constraint)
        self.learn("a_right", a_right, a_right_initializer, a_right_regularizer, a_right_constraint)

    def call(self, inputs):
        return srelu(inputs, self.t_left, self.a_left, self.t_right, self.a_right)
