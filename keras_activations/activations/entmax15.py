"""1.5-entmax, between softmax and sparsemax: smooth, and with exact zeros."""

import tensorflow as tf

from keras_activations._axes import existing, integer
from keras_activations._calculus import with_gradient
from keras_activations._layers import SimplexLayer
from keras_activations._registry import activation, register


@activation
def entmax15(x, axis=-1):
    """1.5-entmax: `max(x[i] / 2 - tau, 0)**2`, with the tau for which the result sums to 1.

    Halfway between softmax and sparsemax: entries far below the largest are exactly 0 and, unlike
    with sparsemax, the curve has no kink where they become so. For sparse attention and sparse
    output probabilities; its paper reports gains over softmax in machine translation and
    morphological inflection. Computed exactly, not by bisection; `entmax` is the whole family.

    Args:
        x: Tensor of at least one axis.
        axis: The axis along which the result sums to 1.

    Returns:
        Tensor of x's shape and dtype.

    Raises:
        ValueError: If there is no such axis.

    Example:

    >>> ka.entmax15([-2.0, 0.0, 0.5]).numpy()
    array([0.        , 0.32600737, 0.67399263], dtype=float32)

    Reference:

    - [Peters, Niculae and Martins, 2019](https://arxiv.org/abs/1905.05702)
    """
    axis = existing(axis, x)
    return with_gradient(_value, _gradient, x, of_result=True, axis=axis)


def _value(x, axis):
    x = 0.5 * shifted(x, axis)
    bound = tf.stop_gradient(_lower_bound(tf.stop_gradient(x), axis))
    # What lies above the bound, the same elements once more, now exactly: less the number by which
    # the sum of their squares becomes 1, the solution of a quadratic equation.
    below = x <= bound
    above = tf.where(below, tf.zeros([], x.dtype), x - bound)
    size, total, excess = _moments(above, axis)
    tail = excess / (total + tf.sqrt(tf.square(total) - size * excess))
    return tf.square(tf.where(below, tf.zeros([], x.dtype), tf.nn.relu(above - tail)))


def _gradient(upstream, y, axis):
    # The root has no derivative at 0.
    positive = y > 0.0
    roots = tf.where(positive, tf.sqrt(tf.where(positive, y, 1.0)), 0.0)
    total = tf.reduce_sum(roots, axis, keepdims=True)
    return roots * (upstream - tf.reduce_sum(upstream * roots, axis, keepdims=True) / total)


def _lower_bound(x, axis):
    """The threshold, up to its rounding."""
    # By Newton's steps from below, for the norm of what exceeds the threshold, which is convex.

    def newton(threshold, _):
        _, total, excess = _moments(tf.nn.relu(x - threshold), axis)
        norm = tf.sqrt(1.0 + excess)
        higher = tf.maximum(threshold, threshold + norm / (norm + 1.0) * excess / total)
        return higher, tf.reduce_any(higher > threshold)

    start = tf.zeros_like(tf.reduce_max(x, axis, keepdims=True)) - 1.0
    threshold, _ = tf.while_loop(lambda _, moved: moved, newton, (start, tf.constant(True)))
    return threshold


def _moments(above, axis):
    """How many numbers are not 0, their sum, and the sum of their squares less 1."""
    size = tf.reduce_sum(tf.cast(above > 0.0, above.dtype), axis, keepdims=True)
    total = tf.reduce_sum(above, axis, keepdims=True)
    return size, total, tf.reduce_sum(tf.square(above), axis, keepdims=True) - 1.0


def shifted(x, axis):
    """x less its largest entry along the axis, where that is infinite too."""
    largest = tf.stop_gradient(tf.reduce_max(x, axis, keepdims=True))
    # Infinity less infinity is not a number.
    endless = tf.logical_and(tf.math.is_inf(x), tf.equal(x, largest))
    return tf.where(endless, tf.zeros([], x.dtype), x - largest)


@register(
    entmax15,
    family="simplex",
    formula=(
        "[max(t / 2 - tau, 0)**2 for tau in [root(lambda tau: sum(max(t / 2 - tau, 0)**2 "
        "for t in x) - 1, max(x) / 2 - 1, max(x) / 2)] for t in x]"
    ),
    paper="Peters, Niculae and Martins, 2019",
    url="https://arxiv.org/abs/1905.05702",
    range=(0.0, 1.0),
)
class Entmax15(SimplexLayer):
    """Layer form of `entmax15`. Masked entries are 0.

    Args:
        axis: The axis along which the result sums to 1.
    """

    def __init__(self, axis=-1, **kwargs) -> None:
        super().__init__(axis=integer("axis", axis), **kwargs)

    def call(self, inputs, mask=None):
        return self.masked(entmax15, inputs, mask)
