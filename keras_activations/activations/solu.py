"""SoLU, the softmax linear unit."""

import tensorflow as tf

from keras_activations._axes import existing
from keras_activations._calculus import with_gradient
from keras_activations._layers import AxisLayer
from keras_activations._registry import activation, register


@activation
def solu(x, axis=-1):
    """Softmax linear unit: `x[i] * exp(x[i]) / sum(exp(x))`.

    The channels compete: a large one stays, and many of middling size become small. Made for the
    feed-forward blocks of transformers that are to be understood: its authors found more of the
    neurons to stand for something a person can name, at little cost in the loss. They put a layer
    normalization after it, without which it lost performance.

    Args:
        x: Tensor of at least one axis.
        axis: The axis of the channels.

    Returns:
        Tensor of x's shape and dtype.

    Raises:
        ValueError: If there is no such axis.

    Example:

    >>> ka.solu([1.0, 2.0, 3.0]).numpy()
    array([0.09003057, 0.48945695, 1.9957227 ], dtype=float32)

    Reference:

    - [Elhage et al., 2022](https://transformer-circuits.pub/2022/solu/index.html)
    """
    return with_gradient(_value, _gradient, x, axis=existing(axis, x))


def _value(x, axis):
    share = _softmax(x, axis)
    # Because inf * 0 is not 0.
    return tf.where(share > 0.0, x, 0.0) * share


def _gradient(upstream, x, axis):
    share, y = _softmax(x, axis), _value(x, axis)
    return upstream * (share + y) - share * tf.reduce_sum(upstream * y, axis, keepdims=True)


def _softmax(x, axis):
    # TensorFlow's own takes up to five axes, and moves another than the last to the end.
    if axis == -1 and x.shape.rank is not None and x.shape.rank <= 5:
        return tf.nn.softmax(x)
    e = tf.exp(x - tf.stop_gradient(tf.reduce_max(x, axis, keepdims=True)))
    return e / tf.reduce_sum(e, axis, keepdims=True)


@register(
    solu,
    family="self-gated",
    formula="[t * exp(t) / sum(exp(s) for s in x) for t in x]",
    paper="Elhage et al., 2022",
    url="https://transformer-circuits.pub/2022/solu/index.html",
    torch="x * torch.softmax(x, -1)",
)
class SoLU(AxisLayer):
    """Layer form of `solu`.

    Args:
        axis: The axis of the channels.
    """

    def call(self, inputs):
        return solu(inputs, self.axis)
