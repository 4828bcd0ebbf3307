"""Quick GELU, the approximation of GELU by a sigmoid."""

from keras_activations._calculus import elementwise
from keras_activations._layers import ActivationLayer
from keras_activations._registry import activation, register
from keras_activations.activations.swish import _derivatives as swish_derivatives
from keras_activations.activations.swish import _value as swish_value

STEEPNESS = 1.702


@activation
def quick_gelu(x):
    """Quick GELU: `x / (1 + exp(-1.702 * x))`.

    The coarser of the two approximations in the paper of `gelu`, off by up to 0.02, and `swish` at
    `beta=1.702`. For models that were trained with it, such as OpenAI's CLIP.

    Args:
        x: Tensor of any shape.

    Returns:
        Tensor of x's shape and dtype.

    Example:

    >>> ka.quick_gelu([-2.0, 0.0, 2.0]).numpy()
    array([-0.06434137,  0.        ,  1.9356586 ], dtype=float32)

    Reference:

    - [Hendrycks and Gimpel, 2016](https://arxiv.org/abs/1606.08415)
    """
    return elementwise(_value, _derivative, x)


def _value(x):
    return swish_value(x, STEEPNESS)


def _derivative(x):
    return swish_derivatives(x, STEEPNESS)[0]


@register(
    quick_gelu,
    family="self-gated",
    formula="x / (1 + exp(-1.702 * x))",
    paper="Hendrycks and Gimpel, 2016",
    url="https://arxiv.org/abs/1606.08415",
    range=(-0.163610189636, float("inf")),
    monotonic=False,
    torch="x * torch.sigmoid(1.702 * x)",
    # The slope crosses zero as a difference of larger terms. In float64 the exponent has no spare
    # digits.
    accuracy={"gradient_scale": 0.25, "second_scale": 0.1, "float64_value": 2e-13},
)
class QuickGELU(ActivationLayer):
    """Layer form of `quick_gelu`."""

    def call(self, inputs):
        return quick_gelu(inputs)
