"""Sparsemax, a softmax with exact zeros."""

import tensorflow as tf

from keras_activations._axes import existing, integer
from keras_activations._calculus import step, with_gradient
from keras_activations._layers import SimplexLayer
from keras_activations._registry import activation, register
from keras_activations.activations.entmax15 import shifted


@activation
def sparsemax(x, axis=-1):
    """Sparsemax: the point of the probability simplex that is nearest to x.

    That is `max(x - tau, 0)`, with the threshold tau for which the result sums to 1. Entries far
    below the largest are exactly 0: for attention that looks at a few places, and for sparse
    posteriors. Keras 3.8 to 3.15.1 have a function of this name whose rows do not sum to 1.

    Args:
        x: Tensor of at least one axis.
        axis: The axis along which the result sums to 1.

    Returns:
        Tensor of x's shape and dtype.

    Raises:
        ValueError: If there is no such axis.

    Example:

    >>> ka.sparsemax([-1.0, 0.2, 0.9]).numpy()
    array([0.        , 0.15000004, 0.85      ], dtype=float32)

    Reference:

    - [Martins and Astudillo, 2016](https://arxiv.org/abs/1602.02068)
    """
    axis = existing(axis, x)
    return with_gradient(_value, _gradient, x, of_result=True, axis=axis)


def _value(x, axis):
    # Shifted, so that the sums below are of the size of the result.
    x = shifted(x, axis)
    lower_bound = _lower_bound(tf.stop_gradient(x), axis)
    return tf.nn.relu(x - _threshold_of(x, x > lower_bound, axis))


def _gradient(upstream, y, axis):
    support = step(y)
    mean = tf.reduce_sum(upstream * support, axis, keepdims=True) / tf.reduce_sum(
        support, axis, keepdims=True
    )
    return support * (upstream - mean)


def _lower_bound(x, axis):
    """The threshold, up to its rounding."""
    # By Newton's steps from below, which end after a few: each drops from the support what lies
    # below the threshold of the rest. Sorting would cost several times as much.

    def newton(threshold, _):
        higher = tf.maximum(threshold, _threshold_of(x, x > threshold, axis))
        return higher, tf.reduce_any(higher > threshold)

    start = tf.zeros_like(tf.reduce_max(x, axis, keepdims=True)) - 1.0
    threshold, _ = tf.while_loop(lambda _, moved: moved, newton, (start, tf.constant(True)))
    return threshold


def _threshold_of(x, support, axis):
    """The number that the entries of the support exceed by 1 in total."""
    size = tf.reduce_sum(tf.cast(support, x.dtype), axis, keepdims=True)
    total = tf.reduce_sum(tf.where(support, x, 0.0), axis, keepdims=True)
    return (total - 1.0) / size


@register(
    sparsemax,
    family="simplex",
    formula=(
        "[max(t - tau, 0) for tau in [root(lambda tau: sum(max(t - tau, 0) for t in x) - 1, "
        "min(x) - 1, max(x))] for t in x]"
    ),
    paper="Martins and Astudillo, 2016",
    url="https://arxiv.org/abs/1602.02068",
    range=(0.0, 1.0),
    addons=("sparsemax", "Sparsemax"),
    # Keras's function of this name is a different one, and wrong.
    portable=False,
)
class Sparsemax(SimplexLayer):
    """Layer form of `sparsemax`. Masked entries are 0.

    Args:
        axis: The axis along which the result sums to 1.
    """

    def __init__(self, axis=-1, **kwargs) -> None:
        super().__init__(axis=integer("axis", axis), **kwargs)

    def call(self, inputs, mask=None):
        return self.masked(sparsemax, inputs, mask)
