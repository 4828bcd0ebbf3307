"""SwiGLU, a linear unit gated by SiLU."""

from keras_activations._axes import halved
from keras_activations._calculus import gated
from keras_activations._layers import GatedLayer
from keras_activations._registry import activation, register
from keras_activations.activations.silu import _derivative as silu_derivative
from keras_activations.activations.silu import _value as silu_value


@activation
def swiglu(x, axis=-1):
    """SwiGLU: `a * b / (1 + exp(-b))`, where a and b are the halves of x.

    The first half is the value and the second the gate, as Keras's `glu` has it; some model code
    has them the other way round. The feed-forward block of Llama, PaLM and most language models
    since: `Dense(2 * n)`, then this, then `Dense`.

    It halves `axis`: put it after a layer, not inside one as `activation=`.

    Args:
        x: Tensor of at least one axis.
        axis: The axis that is halved; its size must be even.

    Returns:
        Tensor of x's shape, but of half its size along `axis`, and of x's dtype.

    Raises:
        ValueError: If the size of the axis is odd, or there is no such axis.

    Example:

    >>> ka.swiglu([[1.0, 2.0, -1.0, 1.0]]).numpy()
    array([[-0.26894143,  1.4621172 ]], dtype=float32)

    Reference:

    - [Shazeer, 2020](https://arxiv.org/abs/2002.05202)
    """
    return gated(_value, _derivatives, x, halved(axis, x, "swiglu"))


def _value(a, b):
    return a * silu_value(b)


def _derivatives(a, b):
    return silu_value(b), a * silu_derivative(b)


@register(
    swiglu,
    family="gated",
    formula="a * b / (1 + exp(-b))",
    paper="Shazeer, 2020",
    url="https://arxiv.org/abs/2002.05202",
    range=(float("-inf"), float("inf")),
)
class SwiGLU(GatedLayer):
    """Layer form of `swiglu`.

    Args:
        axis: The axis that is halved.
    """

    def call(self, inputs):
        return swiglu(inputs, self.axis)
