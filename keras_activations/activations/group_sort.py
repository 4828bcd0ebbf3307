"""GroupSort, which sorts small groups of channels."""

import tensorflow as tf

from keras_activations._axes import existing, normalized, positive
from keras_activations._calculus import step, with_gradient
from keras_activations._layers import AxisLayer
from keras_activations._registry import activation, register


@activation
def group_sort(x, group_size=2, axis=-1):
    """GroupSort: neighbouring channels, sorted within groups from the smallest to the largest.

    It permutes its input, and so changes neither its norm nor that of the gradient: for networks
    with a bounded Lipschitz constant, which the paper shows it makes universal approximators where
    the weights are bounded in norm. With `group_size=2` also known as MaxMin or OPLU. Equal
    channels share their gradients equally.

    Args:
        x: Tensor of at least one axis.
        group_size: Number of channels in a group, a divisor of the number of channels.
        axis: The axis of the channels.

    Returns:
        Tensor of x's shape and dtype.

    Raises:
        ValueError: If `group_size` is not positive, the channels are no multiple of it, or there is
            no such axis.

    Example:

    >>> ka.group_sort([[3.0, 1.0, 2.0, 4.0]]).numpy()
    array([[1., 3., 2., 4.]], dtype=float32)

    Reference:

    - [Anil, Lucas and Grosse, 2018](https://arxiv.org/abs/1811.05381)
    """
    group_size, axis = positive("group_size", group_size), existing(axis, x)
    if x.shape.rank is not None:
        _check(x.shape, group_size, axis)
    y = with_gradient(_value, _gradient, x, group_size=group_size, axis=axis)
    y.set_shape(x.shape)
    return y


def _check(shape, group_size, axis):
    channels = shape[normalized(axis, len(shape))]
    if channels is not None and channels % group_size:
        raise ValueError(
            f"group_sort groups axis {axis}, whose size must be a multiple of group_size. "
            f"Received: group_size={group_size}, size {channels}, shape={tuple(shape)}."
        )


def _value(x, group_size, axis):
    groups = _grouped(x, group_size, axis)
    if group_size == 2:
        a, b = tf.unstack(groups, axis=2)
        # Not as minimum and maximum, which under XLA may pass over NaN.
        y = tf.stack([tf.where(a > b, b, a), tf.where(a > b, a, b)], 2)
    else:
        y = tf.sort(groups, 2)
    return tf.reshape(y, tf.shape(x))


def _gradient(upstream, x, group_size, axis):
    gradient = _gradient_of_pairs if group_size == 2 else _gradient_of_groups
    groups = [_grouped(t, group_size, axis) for t in (upstream, x)]
    return tf.reshape(gradient(*groups), tf.shape(x))


def _gradient_of_pairs(upstream, groups):
    a, b = tf.unstack(groups, axis=2)
    smaller, larger = tf.unstack(upstream, axis=2)
    # The share of the first in the minimum: 1, 0, or a half at a tie. By a sign rather than a
    # comparison, so that the second derivative is zero, not missing.
    share = 0.5 * tf.sign(tf.where(tf.not_equal(a, b), b - a, 0.0)) + 0.5
    first = share * smaller + (1.0 - share) * larger
    return tf.stack([first, (1.0 - share) * smaller + share * larger], 2)


def _gradient_of_groups(upstream, groups):
    upstream, groups = (tf.transpose(t, [0, 1, 3, 2]) for t in (upstream, groups))
    ordered, size = tf.sort(groups), tf.shape(groups)[-1]
    number = tf.reshape(tf.range(tf.size(groups)), tf.shape(groups))

    def first(entries):
        """The number of the first place that an entry and its equals have after sorting."""
        # The size where there are NaN.
        return number - number % size + tf.minimum(tf.searchsorted(ordered, entries), size - 1)

    # Equals share what arrives at their places.
    runs = first(ordered)
    total, count = (
        tf.math.unsorted_segment_sum(t, runs, tf.size(groups))
        for t in (upstream, tf.ones_like(upstream))
    )
    mean = tf.gather(total / tf.maximum(count, 1.0), first(groups))
    # Times 1, with a derivative that is zero rather than missing.
    one = step(1.0 + tf.nn.relu(groups))
    return tf.transpose(one * mean, [0, 1, 3, 2])


def _grouped(x, group_size, axis):
    """x in four axes: before the channels, groups, channels of a group, after the channels."""
    shape = tf.shape(x)
    axis = axis if axis >= 0 else axis + tf.rank(x)
    before, after = tf.reduce_prod(shape[:axis]), tf.reduce_prod(shape[axis + 1 :])
    return tf.reshape(x, [before, shape[axis] // group_size, group_size, after])


@register(
    group_sort,
    family="rectified",
    formula="[t for j in range(0, len(x), group_size) for t in sorted(x[j:j + group_size])]",
    paper="Anil, Lucas and Grosse, 2018",
    url="https://arxiv.org/abs/1811.05381",
    range=(float("-inf"), float("inf")),
    samples=({"group_size": 4}, {"group_size": 8}, {"group_size": 1}),
    torch="x.unflatten(-1, (-1, 2)).sort(-1).values.flatten(-2)",
)
class GroupSort(AxisLayer):
    """Layer form of `group_sort`.

    Args:
        group_size: Number of channels in a group, a divisor of the number of channels.
        axis: The axis of the channels.
    """

    moves_entries = True

    def __init__(self, group_size=2, axis=-1, **kwargs) -> None:
        super().__init__(axis=axis, **kwargs)
        self.group_size = positive("group_size", group_size)

    def call(self, inputs):
        return group_sort(inputs, self.group_size, self.axis)

    def compute_output_shape(self, input_shape):
        _check(input_shape, self.group_size, self.axis)
        return tuple(input_shape)
