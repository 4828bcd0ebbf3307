"""SeGLU, a linear unit gated by SELU."""

from keras_activations._axes import halved
from keras_activations._calculus import gated
from keras_activations._layers import GatedLayer
from keras_activations._registry import activation, register
from keras_activations.activations.selu import _derivative as selu_derivative
from keras_activations.activations.selu import _value as selu_value


@activation
def seglu(x, axis=-1):
    """SeGLU: `a * selu(b)`, where a and b are the halves of x.

    The first half is the value and the second the gate, as Keras's `glu` has it. Far below zero the
    gate is -1.76 rather than closed, so that no unit loses its gradient by a: `Dense(2 * n)`, then
    this, then `Dense`. The slope by b at 0 is that above 0.

    It halves `axis`: put it after a layer, not inside one as `activation=`.

    Args:
        x: Tensor of at least one axis.
        axis: The axis that is halved; its size must be even.

    Returns:
        Tensor of x's shape, but of half its size along `axis`, and of x's dtype.

    Raises:
        ValueError: If the size of the axis is odd, or there is no such axis.

    Example:

    >>> ka.seglu([[1.0, 2.0, -1.0, 1.0]]).numpy()
    array([[-1.1113307,  2.101402 ]], dtype=float32)
    """
    return gated(_value, _derivatives, x, halved(axis, x, "seglu"))


def _value(a, b):
    return a * selu_value(b)


def _derivatives(a, b):
    return selu_value(b), a * selu_derivative(b)


@register(
    seglu,
    family="gated",
    formula=(
        "a * 1.0507009873554804934193349852946 * "
        "(b if b > 0 else 1.6732632423543772848170429916717 * (exp(b) - 1))"
    ),
    range=(float("-inf"), float("inf")),
    torch="x.chunk(2, -1)[0] * torch.selu(x.chunk(2, -1)[1])",
)
class SeGLU(GatedLayer):
    """Layer form of `seglu`.

    Args:
        axis: The axis that is halved.
    """

    def call(self, inputs):
        return seglu(inputs, self.axis)
