"""ReGLU, a linear unit gated by ReLU."""

import tensorflow as tf

from keras_activations._axes import halved
from keras_activations._calculus import gated, step
from keras_activations._layers import GatedLayer
from keras_activations._registry import activation, register


@activation
def reglu(x, axis=-1):
    """ReGLU: `a * max(b, 0)`, where a and b are the halves of x.

    The first half is the value and the second the gate, as Keras's `glu` has it. The cheapest of
    the gated feed-forward blocks, and the one whose outputs are often exactly 0: `Dense(2 * n)`,
    then this, then `Dense`. The slope by b is 0 at 0.

    It halves `axis`: put it after a layer, not inside one as `activation=`.

    Args:
        x: Tensor of at least one axis.
        axis: The axis that is halved; its size must be even.

    Returns:
        Tensor of x's shape, but of half its size along `axis`, and of x's dtype.

    Raises:
        ValueError: If the size of the axis is odd, or there is no such axis.

    Example:

    >>> ka.reglu([[1.0, 2.0, -1.0, 1.0]]).numpy()
    array([[0., 2.]], dtype=float32)

    Reference:

    - [Shazeer, 2020](https://arxiv.org/abs/2002.05202)
    """
    return gated(_value, _derivatives, x, halved(axis, x, "reglu"))


def _value(a, b):
    return a * tf.nn.relu(b)


def _derivatives(a, b):
    return tf.nn.relu(b), a * step(b)


@register(
    reglu,
    family="gated",
    formula="a * max(b, 0)",
    paper="Shazeer, 2020",
    url="https://arxiv.org/abs/2002.05202",
    range=(float("-inf"), float("inf")),
    torch="x.chunk(2, -1)[0] * torch.relu(x.chunk(2, -1)[1])",
)
class ReGLU(GatedLayer):
    """Layer form of `reglu`.

    Args:
        axis: The axis that is halved.
    """

    def call(self, inputs):
        return reglu(inputs, self.axis)
