"""Hard shrink, which replaces what is small by zero."""

import tensorflow as tf

from keras_activations._calculus import elementwise, step
from keras_activations._layers import ActivationLayer, number
from keras_activations._registry import activation, register


@activation
def hard_shrink(x, threshold=0.5):
    """Hard shrinkage: `x if abs(x) > threshold else 0`.

    Removes small values, such as noise in wavelet or sparse codes, and leaves the others as they
    are, where `soft_shrink` pulls all of them towards zero. Jumps at `-threshold` and `threshold`,
    where the slope is taken as 0; the threshold itself receives no gradient.

    Args:
        x: Tensor of any shape.
        threshold: The size that x must exceed, at least 0; a number, or a tensor that broadcasts
            against x.

    Returns:
        Tensor of x's shape and dtype.

    Example:

    >>> ka.hard_shrink([-2.0, 0.5, 2.0]).numpy()
    array([-2.,  0.,  2.], dtype=float32)

    Reference:

    - [Donoho and Johnstone, 1994](https://doi.org/10.1093/biomet/81.3.425)
    """
    return elementwise(_value, _derivatives, x, threshold)


def _value(x, threshold):
    # Written so that NaN, which compares with nothing, comes out as NaN.
    return tf.where(tf.abs(x) <= threshold, tf.zeros([], x.dtype), x)


def _derivatives(x, threshold):
    outside = step(tf.abs(x) - threshold)
    return outside, tf.zeros_like(outside)


@register(
    hard_shrink,
    family="rectified",
    formula="x if abs(x) > threshold else 0",
    paper="Donoho and Johnstone, 1994",
    url="https://doi.org/10.1093/biomet/81.3.425",
    kinks=(-0.5, 0.5),
    range=(float("-inf"), float("inf")),
    monotonic=True,
    addons=("hardshrink",),
    samples=({"threshold": 0.1}, {"threshold": 3.0}),
    torch="torch.nn.functional.hardshrink(x)",
)
class HardShrink(ActivationLayer):
    """Layer form of `hard_shrink`.

    Args:
        threshold: The size that x must exceed, at least 0.
    """

    def __init__(self, threshold=0.5, **kwargs) -> None:
        super().__init__(**kwargs)
        self.threshold = number("threshold", threshold, minimum=0.0)

    def call(self, inputs):
        return hard_shrink(inputs, self.threshold)
