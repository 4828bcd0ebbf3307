"""Arctangent, a squashing function with slow tails."""

from keras_activations._calculus import elementwise
from keras_activations._layers import ActivationLayer
from keras_activations._registry import activation, register
from keras_activations._special import atan


@activation
def arctan(x):
    """Arctangent: `atan(x)`.

    Between -π/2 and π/2, with slope 1 at 0. Its slope falls like `1 / x**2`, that of tanh
    exponentially: units leave saturation more easily.

    Args:
        x: Tensor of any shape.

    Returns:
        Tensor of x's shape and dtype.

    Example:

    >>> ka.arctan([-2.0, 0.0, 2.0]).numpy()
    array([-1.1071488,  0.       ,  1.1071488], dtype=float32)
    """
    return elementwise(atan, _derivative, x)


def _derivative(x):
    # Not 1 / y, which TensorFlow turns into its reciprocal, inexact beyond 1e34; nor as a square,
    # whose own derivative 2 * x overflows.
    return 0.5 / (0.5 + 0.5 * (x * x))


@register(
    arctan,
    family="squashing",
    formula="atan(x)",
    range=(-1.5707963267948966, 1.5707963267948966),
    monotonic=True,
    torch="torch.atan(x)",
)
class Arctan(ActivationLayer):
    """Layer form of `arctan`."""

    def call(self, inputs):
        return arctan(inputs)
