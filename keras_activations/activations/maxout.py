"""Maxout, the largest of several linear units."""

import tensorflow as tf

from keras_activations._axes import existing, normalized, positive, resized
from keras_activations._calculus import with_gradient
from keras_activations._layers import AxisLayer
from keras_activations._registry import activation, register


@activation
def maxout(x, num_units, axis=-1):
    """Maxout: the maximum over groups of channels.

    With k = channels / num_units, output j is the maximum of channels j, j + num_units, …,
    j + (k - 1) * num_units, as TensorFlow Addons groups them. After a Dense or convolutional
    layer it learns a convex piecewise-linear activation. Channels that share the maximum share
    the gradient equally.

    It changes the size of `axis`: put it after a layer, not inside one as `activation=`.

    Args:
        x: Tensor of at least one axis.
        num_units: Number of outputs along `axis`, a divisor of the number of channels.
        axis: The axis of the channels.

    Returns:
        Tensor of x's shape, but of size `num_units` along `axis`, and of x's dtype.

    Raises:
        ValueError: If `num_units` is not positive, the channels are no positive multiple of it, or
            there is no such axis.

    Example:

    >>> ka.maxout([[1.0, 5.0, 2.0, 4.0]], num_units=2).numpy()
    array([[2., 5.]], dtype=float32)

    Reference:

    - [Goodfellow et al., 2013](https://arxiv.org/abs/1302.4389)
    """
    num_units, axis = positive("num_units", num_units), existing(axis, x)
    shape = None if x.shape.rank is None else _output_shape(x.shape, num_units, axis)
    y = with_gradient(_value, _gradient, x, num_units=num_units, axis=axis)
    y.set_shape(shape)
    return y


def _output_shape(shape, num_units, axis):
    channels = shape[normalized(axis, len(shape))]
    if channels is not None and (channels % num_units or not channels):
        raise ValueError(
            f"maxout groups axis {axis}, whose size must be a positive multiple of num_units. "
            f"Received: num_units={num_units}, size {channels}, shape={tuple(shape)}."
        )
    return resized(tuple(shape), axis, num_units)


def _grouped(x, num_units, axis):
    """x with the channels as two axes (k, num_units), and which of its axes is the first."""
    rank = x.shape.rank
    axis = normalized(axis, rank) if rank is not None else axis % tf.rank(x)
    shape = tf.shape(x)
    groups = [shape[axis] // num_units, num_units]
    return tf.reshape(x, tf.concat([shape[:axis], groups, shape[axis + 1 :]], 0)), axis


def _value(x, num_units, axis):
    grouped, axis = _grouped(x, num_units, axis)
    # XLA's maximum passes over NaN.
    lost = tf.reduce_any(tf.math.is_nan(grouped), axis)
    # By a root, because `tf.debugging.enable_check_numerics` stops at a NaN that nobody takes.
    sign = tf.where(lost, tf.constant(-1.0, x.dtype), 1.0)
    return tf.reduce_max(grouped, axis) * tf.sqrt(sign)


def _gradient(upstream, x, num_units, axis):
    grouped, axis = _grouped(x, num_units, axis)
    maximum = tf.reduce_max(grouped, axis, keepdims=True)
    # 1 at the maximum, else 0, by a sign rather than a comparison: the second derivative is then
    # zero, not missing.
    below = tf.where(tf.not_equal(grouped, maximum), maximum - grouped, 0.0)
    chosen = 1.0 - tf.sign(below)
    share = chosen / tf.reduce_sum(chosen, axis, keepdims=True)
    return tf.reshape(share * tf.expand_dims(upstream, axis), tf.shape(x))


@register(
    maxout,
    family="rectified",
    formula="[max(x[j::num_units]) for j in range(num_units)]",
    paper="Goodfellow et al., 2013",
    url="https://arxiv.org/abs/1302.4389",
    addons=("Maxout",),
    samples=({"num_units": 2}, {"num_units": 4}),
)
class Maxout(AxisLayer):
    """Layer form of `maxout`.

    Args:
        num_units: Number of outputs along `axis`, a divisor of the number of channels.
        axis: The axis of the channels.
    """

    moves_entries = True

    def __init__(self, num_units, axis=-1, **kwargs) -> None:
        super().__init__(axis=axis, **kwargs)
        self.num_units = positive("num_units", num_units)

    def call(self, inputs):
        return maxout(inputs, self.num_units, self.axis)

    def compute_output_shape(self, input_shape):
        return _output_shape(input_shape, self.num_units, self.axis)
