"""GeGLU, a linear unit gated by GELU."""

from keras_activations._axes import halved
from keras_activations._calculus import gated
from keras_activations._layers import GatedLayer
from keras_activations._registry import activation, register
from keras_activations.activations.gelu import _derivative as gelu_derivative
from keras_activations.activations.gelu import _value as gelu_value
from keras_activations.activations.gelu import is_approximate
from keras_activations.activations.gelu_tanh import _derivative as gelu_tanh_derivative
from keras_activations.activations.gelu_tanh import _value as gelu_tanh_value


@activation
def geglu(x, axis=-1, approximate=False):
    """GeGLU: `a * b * (1 + erf(b / sqrt(2))) / 2`, where a and b are the halves of x.

    The first half is the value and the second the gate, as Keras's `glu` has it. With `swiglu` the
    best by perplexity of the gated units in its paper, and the one of Stable Diffusion and, in the
    tanh form, of T5 1.1 and Gemma: `Dense(2 * n)`, then this, then `Dense`.

    It halves `axis`: put it after a layer, not inside one as `activation=`.

    Args:
        x: Tensor of at least one axis.
        axis: The axis that is halved; its size must be even.
        approximate: Whether to gate by the tanh form of GELU instead, `gelu_tanh`.

    Returns:
        Tensor of x's shape, but of half its size along `axis`, and of x's dtype.

    Raises:
        ValueError: If the size of the axis is odd, or there is no such axis.

    Example:

    >>> ka.geglu([[1.0, 2.0, -1.0, 1.0]]).numpy()
    array([[-0.15865526,  1.6826895 ]], dtype=float32)

    Reference:

    - [Shazeer, 2020](https://arxiv.org/abs/2002.05202)
    """
    axis = halved(axis, x, "geglu")
    if is_approximate(approximate):
        return gated(_tanh_value, _tanh_derivatives, x, axis)
    return gated(_value, _derivatives, x, axis)


def _value(a, b):
    return a * gelu_value(b)


def _derivatives(a, b):
    return gelu_value(b), a * gelu_derivative(b)


def _tanh_value(a, b):
    return a * gelu_tanh_value(b)


def _tanh_derivatives(a, b):
    return gelu_tanh_value(b), a * gelu_tanh_derivative(b)


@register(
    geglu,
    family="gated",
    formula=(
        "a * b / 2 * (1 + tanh(sqrt(2 / pi) * (b + 0.044715 * b**3))) if approximate else "
        "a * b * (1 + erf(b / sqrt(2))) / 2"
    ),
    paper="Shazeer, 2020",
    url="https://arxiv.org/abs/2002.05202",
    range=(float("-inf"), float("inf")),
    samples=({"approximate": True},),
    torch="x.chunk(2, -1)[0] * torch.nn.functional.gelu(x.chunk(2, -1)[1])",
)
class GeGLU(GatedLayer):
    """Layer form of `geglu`.

    Args:
        axis: The axis that is halved.
        approximate: Whether to gate by the tanh form of GELU.
    """

    def __init__(self, axis=-1, approximate=False, **kwargs) -> None:
        super().__init__(axis=axis, **kwargs)
        self.approximate = is_approximate(approximate)

    def call(self, inputs):
        return geglu(inputs, self.axis, self.approximate)
