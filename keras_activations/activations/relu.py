"""ReLU, the rectified linear unit, with Keras's slope, cap and threshold."""

import math

import tensorflow as tf

from keras_activations._calculus import elementwise, step, with_gradient
from keras_activations._layers import ActivationLayer, number
from keras_activations._registry import activation, register
from keras_activations._special import finite, times


@activation
def relu(x, negative_slope=0.0, max_value=None, threshold=0.0):
    """Rectified linear unit: `max(x, 0)`.

    In full: `max_value` where `x >= max_value`, `x` where `threshold < x < max_value`, and
    `negative_slope * (x - threshold)` elsewhere. The default of most networks: cheap, and it
    passes gradients unchanged where it passes anything; units that never fire get none.

    The slope at the threshold is `negative_slope`, and at the cap it is 0.

    Args:
        x: Tensor of any shape.
        negative_slope: Slope below the threshold; a number, or a tensor that broadcasts against x.
        max_value: Largest value returned, or None for no limit; likewise.
        threshold: Where the line with slope 1 begins; likewise.

    Returns:
        Tensor of x's shape and dtype.

    Example:

    >>> ka.relu([-2.0, 0.0, 2.0]).numpy()
    array([0., 0., 2.], dtype=float32)
    >>> ka.relu([-2.0, 2.0, 8.0], negative_slope=0.1, max_value=6.0).numpy()
    array([-0.2,  2. ,  6. ], dtype=float32)

    Reference:

    - [Nair and Hinton, 2010](https://www.cs.toronto.edu/~hinton/absps/reluICML.pdf)
    """
    if max_value is None and _is_zero(negative_slope) and _is_zero(threshold):
        # The one operation that TensorFlow fuses with the layer before it.
        return with_gradient(tf.nn.relu, _native_gradient, x, native=True)
    cap = math.inf if max_value is None else max_value
    return elementwise(_value, _derivatives, x, negative_slope, cap, threshold)


def _native_gradient(upstream, x):
    return tf.raw_ops.ReluGrad(gradients=upstream, features=x)


def _is_zero(parameter):
    return isinstance(parameter, int | float) and parameter == 0


def _value(x, negative_slope, max_value, threshold):
    # A slope of 0 makes 0 of -inf too, but NaN stays NaN.
    below = times(x - threshold, negative_slope)
    y = tf.where(x >= max_value, max_value, tf.where(x > threshold, x, below))
    return tf.where(tf.math.is_nan(x), x, y)


def _derivatives(x, negative_slope, max_value, threshold):
    # Bounded, because inf - inf is not positive where there is no cap.
    x = finite(x)
    capped = 1.0 - step(max_value - x)
    below = (1.0 - step(x - threshold)) * (1.0 - capped)
    dx = 1.0 - capped + (negative_slope - 1.0) * below
    return dx, (x - threshold) * below, capped, -negative_slope * below


@register(
    relu,
    family="rectified",
    formula=(
        "max_value if max_value is not None and x >= max_value else "
        "x if x > threshold else negative_slope * (x - threshold)"
    ),
    paper="Nair and Hinton, 2010",
    url="https://www.cs.toronto.edu/~hinton/absps/reluICML.pdf",
    kinks=(0.0,),
    range=(0.0, float("inf")),
    monotonic=True,
    samples=(
        {"negative_slope": 0.3},
        {"max_value": 2.0},
        {"negative_slope": 0.3, "max_value": 2.0, "threshold": 0.7},
    ),
    torch="torch.relu(x)",
    # Keras's own stays behind the string: fast paths compare with it by identity.
    replaceable=False,
)
class ReLU(ActivationLayer):
    """Layer form of `relu`, its arguments in the order of Keras's `ReLU`.

    Args:
        max_value: Largest value returned, at least 0, or None for no limit.
        negative_slope: Slope below the threshold, at least 0.
        threshold: Where the line with slope 1 begins, at least 0.
    """

    def __init__(self, max_value=None, negative_slope=0.0, threshold=0.0, **kwargs) -> None:
        super().__init__(**kwargs)
        self.negative_slope = number("negative_slope", negative_slope, minimum=0.0)
        self.max_value = None if max_value is None else number("max_value", max_value, minimum=0.0)
        self.threshold = number("threshold", threshold, minimum=0.0)

    def call(self, inputs):
        return relu(inputs, self.negative_slope, self.max_value, self.threshold)
