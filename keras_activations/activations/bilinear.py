"""Bilinear, a gated unit without an activation on its gate."""

from keras_activations._axes import halved
from keras_activations._calculus import gated
from keras_activations._layers import GatedLayer
from keras_activations._registry import activation, register


@activation
def bilinear(x, axis=-1):
    """Bilinear unit: `a * b`, where a and b are the halves of x.

    The simplest gated unit, a product of two linear maps: `Dense(2 * n)`, then this, then `Dense`.
    Grows like a square, so that it wants normalized inputs. Its paper compares it with `glu`,
    `reglu`, `geglu` and `swiglu` in the feed-forward blocks of a transformer.

    It halves `axis`: put it after a layer, not inside one as `activation=`.

    Args:
        x: Tensor of at least one axis.
        axis: The axis that is halved; its size must be even.

    Returns:
        Tensor of x's shape, but of half its size along `axis`, and of x's dtype.

    Raises:
        ValueError: If the size of the axis is odd, or there is no such axis.

    Example:

    >>> ka.bilinear([[1.0, 2.0, -1.0, 1.0]]).numpy()
    array([[-1.,  2.]], dtype=float32)

    Reference:

    - [Shazeer, 2020](https://arxiv.org/abs/2002.05202)
    """
    return gated(_value, _derivatives, x, halved(axis, x, "bilinear"))


def _value(a, b):
    return a * b


def _derivatives(a, b):
    return b, a


@register(
    bilinear,
    family="gated",
    formula="a * b",
    paper="Shazeer, 2020",
    url="https://arxiv.org/abs/2002.05202",
    range=(float("-inf"), float("inf")),
    torch="x.chunk(2, -1)[0] * x.chunk(2, -1)[1]",
)
class Bilinear(GatedLayer):
    """Layer form of `bilinear`.

    Args:
        axis: The axis that is halved.
    """

    def call(self, inputs):
        return bilinear(inputs, self.axis)
