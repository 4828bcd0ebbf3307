"""The exponential function."""

import tensorflow as tf

from keras_activations._calculus import with_gradient
from keras_activations._layers import ActivationLayer
from keras_activations._registry import activation, register


@activation
def exponential(x):
    """Exponential: `exp(x)`.

    For outputs that must be positive on a logarithmic scale, such as a rate. Overflows to
    infinity above 88.7 in float32 and above 11.09 in float16.

    Args:
        x: Tensor of any shape.

    Returns:
        Tensor of x's shape and dtype.

    Example:

    >>> ka.exponential([-2.0, 0.0, 2.0]).numpy()
    array([0.13533528, 1.        , 7.389056  ], dtype=float32)
    """
    # In 16 bit the gradient is computed in float32, as elsewhere.
    native = x.dtype.size > 2
    return with_gradient(tf.exp, _gradient, x, native=native, of_result=True)


def _gradient(upstream, y):
    return upstream * y


@register(
    exponential,
    family="exponential",
    formula="exp(x)",
    range=(0.0, float("inf")),
    monotonic=True,
    torch="torch.exp(x)",
    # XLA's exponential loses digits at the end of the range.
    accuracy={"value": 6, "gradient": 6},
)
class Exponential(ActivationLayer):
    """Layer form of `exponential`."""

    def call(self, inputs):
        return exponential(inputs)
