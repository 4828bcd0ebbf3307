"""Softmin, a softmax in which the smallest entry weighs most."""

from keras_activations._axes import existing_axes
from keras_activations._calculus import with_gradient
from keras_activations._layers import SimplexLayer
from keras_activations._registry import activation, floating, register
from keras_activations.activations.softmax import _gradient as softmax_gradient
from keras_activations.activations.softmax import _value as softmax_value
from keras_activations.activations.softmax import softmax


@activation
def softmin(x, axis=-1):
    """Softmin: `exp(-x[i]) / sum(exp(-x))`.

    The softmax of `-x`: positive, sums to 1 along `axis`, and largest where x is smallest. For
    weights from distances, energies or losses. An entry of +inf gets 0.

    Args:
        x: Tensor of at least one axis.
        axis: The axis, or list of axes, along which the result sums to 1.

    Returns:
        Tensor of x's shape and dtype.

    Raises:
        ValueError: If there is no such axis.

    Example:

    >>> ka.softmin([1.0, 2.0, 3.0]).numpy()
    array([0.6652409 , 0.24472848, 0.09003057], dtype=float32)
    """
    axis = existing_axes(axis, x)
    return with_gradient(_value, _gradient, x, fusible=_value, of_result=True, axis=axis)


def _value(x, axis):
    return softmax_value(-x, axis)


def _gradient(upstream, y, axis):
    return -softmax_gradient(upstream, y, axis)


@register(
    softmin,
    family="simplex",
    formula="[exp(-t) / sum(exp(-s) for s in x) for t in x]",
    range=(0.0, 1.0),
    torch="torch.nn.functional.softmin(x, -1)",
)
class Softmin(SimplexLayer):
    """Layer form of `softmin`. Masked entries are 0.

    Args:
        axis: The axis, or list of axes, along which the result sums to 1.
    """

    def call(self, inputs, mask=None):
        if mask is None:
            return softmin(inputs, self.axis)
        # What a mask leaves out is filled with the lowest number, of which softmax makes 0.
        return self.masked(softmax, -floating(inputs, softmin.__name__), mask)
