"""Soft shrink, which moves everything towards zero by the same amount."""

import tensorflow as tf

from keras_activations._calculus import elementwise, step
from keras_activations._layers import ActivationLayer, number
from keras_activations._registry import activation, register


@activation
def soft_shrink(x, threshold=0.5):
    """Soft shrinkage: `sign(x) * max(abs(x) - threshold, 0)`.

    The proximal operator of the L1 norm: the activation of unrolled sparse coding, such as LISTA,
    and of wavelet denoising. Continuous, unlike `hard_shrink`, but it makes large values smaller
    too. The slope at both kinks is 0.

    Args:
        x: Tensor of any shape.
        threshold: By how much x is shrunk, at least 0; a number, or a tensor that broadcasts
            against x.

    Returns:
        Tensor of x's shape and dtype.

    Example:

    >>> ka.soft_shrink([-2.0, 0.25, 2.0]).numpy()
    array([-1.5,  0. ,  1.5], dtype=float32)

    Reference:

    - [Donoho and Johnstone, 1994](https://doi.org/10.1093/biomet/81.3.425)
    """
    return elementwise(_value, _derivatives, x, threshold)


def _value(x, threshold):
    return x - tf.maximum(tf.minimum(x, threshold), -threshold)


def _derivatives(x, threshold):
    outside = step(tf.abs(x) - threshold)
    return outside, -tf.sign(x) * outside


@register(
    soft_shrink,
    family="rectified",
    formula="sign(x) * max(abs(x) - threshold, 0)",
    paper="Donoho and Johnstone, 1994",
    url="https://doi.org/10.1093/biomet/81.3.425",
    kinks=(-0.5, 0.5),
    range=(float("-inf"), float("inf")),
    monotonic=True,
    addons=("softshrink",),
    samples=({"threshold": 0.1}, {"threshold": 3.0}),
    torch="torch.nn.functional.softshrink(x)",
)
class SoftShrink(ActivationLayer):
    """Layer form of `soft_shrink`.

    Args:
        threshold: By how much x is shrunk, at least 0.
    """

    def __init__(self, threshold=0.5, **kwargs) -> None:
        super().__init__(**kwargs)
        self.threshold = number("threshold", threshold, minimum=0.0)

    def call(self, inputs):
        return soft_shrink(inputs, self.threshold)
