"""GLU, the gated linear unit."""

import tensorflow as tf

from keras_activations._axes import halved
from keras_activations._calculus import gated
from keras_activations._layers import GatedLayer
from keras_activations._registry import activation, register
from keras_activations._special import scaled_exp


@activation
def glu(x, axis=-1):
    """Gated linear unit: `a / (1 + exp(-b))`, where a and b are the halves of x.

    The first half is the value and the second the gate, as in Keras and PyTorch. The linear path
    through a keeps gradients alive in deep stacks of gated convolutions, for which it was made:
    `Conv1D(2 * n, …)`, then this. `swiglu` and `geglu` are its successors in transformers.

    It halves `axis`: put it after a layer, not inside one as `activation=`.

    Args:
        x: Tensor of at least one axis.
        axis: The axis that is halved; its size must be even.

    Returns:
        Tensor of x's shape, but of half its size along `axis`, and of x's dtype.

    Raises:
        ValueError: If the size of the axis is odd, or there is no such axis.

    Example:

    >>> ka.glu([[1.0, 2.0, -1.0, 1.0]]).numpy()
    array([[0.26894143, 1.4621172 ]], dtype=float32)

    Reference:

    - [Dauphin et al., 2016](https://arxiv.org/abs/1612.08083)
    """
    return gated(_value, _derivatives, x, halved(axis, x, "glu"))


def _value(a, b):
    e, scale = scaled_exp(tf.minimum(-b, b), b.dtype)
    return tf.where(b < 0.0, a * e * scale, a) / (1.0 + e * scale)


def _derivatives(a, b):
    e, scale = scaled_exp(tf.minimum(-b, b), b.dtype)
    gate = e * scale
    # s(b) * (1 - s(b)) would cancel to zero for large b.
    db = a / tf.square(1.0 + gate) * e * scale
    return tf.where(b < 0.0, gate, 1.0) / (1.0 + gate), db


@register(
    glu,
    family="gated",
    formula="a / (1 + exp(-b))",
    paper="Dauphin et al., 2016",
    url="https://arxiv.org/abs/1612.08083",
    range=(float("-inf"), float("inf")),
    torch="torch.nn.functional.glu(x, -1)",
)
class GLU(GatedLayer):
    """Layer form of `glu`.

    Args:
        axis: The axis that is halved.
    """

    def call(self, inputs):
        return glu(inputs, self.axis)
