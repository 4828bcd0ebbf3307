"""Softmax, which turns scores into probabilities."""

import tensorflow as tf

from keras_activations._axes import existing_axes
from keras_activations._calculus import with_gradient
from keras_activations._layers import SimplexLayer
from keras_activations._registry import activation, register


@activation
def softmax(x, axis=-1):
    """Softmax: `exp(x[i]) / sum(exp(x))`.

    Positive, and sums to 1 along `axis`: the probabilities of a classifier, and the weights of
    attention.

    Keras's cross-entropies look behind its own softmax for the logits. They do not look behind
    this one: for a model's last layer prefer the string `"softmax"`, or `from_logits=True`.

    Args:
        x: Tensor of at least one axis.
        axis: The axis, or list of axes, along which the result sums to 1.

    Returns:
        Tensor of x's shape and dtype.

    Raises:
        ValueError: If there is no such axis.

    Example:

    >>> ka.softmax([1.0, 2.0, 3.0]).numpy()
    array([0.09003057, 0.24472848, 0.6652409 ], dtype=float32)

    Reference:

    - [Bridle, 1990](https://doi.org/10.1007/978-3-642-76153-9_28)
    """
    axis = existing_axes(axis, x)
    return with_gradient(_value, _gradient, x, fusible=_value, of_result=True, axis=axis)


def _value(x, axis):
    # TensorFlow's own moves an axis to the end, for which it must know the rank, of up to five.
    if isinstance(axis, tuple) or x.shape.rank is None or x.shape.rank > 5:
        return tf.exp(x - tf.reduce_logsumexp(x, axis, keepdims=True))
    return tf.nn.softmax(x, axis)


def _gradient(upstream, y, axis):
    return y * (upstream - tf.reduce_sum(upstream * y, axis, keepdims=True))


@register(
    softmax,
    family="simplex",
    formula="[exp(t) / sum(exp(s) for s in x) for t in x]",
    paper="Bridle, 1990",
    url="https://doi.org/10.1007/978-3-642-76153-9_28",
    range=(0.0, 1.0),
    torch="torch.softmax(x, -1)",
    # Keras's cross-entropies look for the logits behind Keras's own.
    replaceable=False,
)
class Softmax(SimplexLayer):
    """Layer form of `softmax`. Masked entries are 0.

    Args:
        axis: The axis, or list of axes, along which the result sums to 1.
    """

    def call(self, inputs, mask=None):
        return self.masked(softmax, inputs, mask)
