"""Threshold, which lets through what exceeds a level and replaces the rest."""

import tensorflow as tf

from keras_activations._calculus import elementwise, step
from keras_activations._layers import ActivationLayer, number
from keras_activations._registry import activation, register


@activation
def threshold(x, threshold=0.0, default_value=0.0):
    """Threshold: `x if x > threshold else default_value`.

    With a positive threshold, the thresholded ReLU of Keras 2. Jumps at the threshold, where the
    slope is taken as 0; the threshold itself receives no gradient.

    Args:
        x: Tensor of any shape.
        threshold: The level that x must exceed; a number, or a tensor that broadcasts against x.
        default_value: What replaces an x that does not; likewise.

    Returns:
        Tensor of x's shape and dtype.

    Example:

    >>> ka.threshold([-2.0, 0.5, 2.0], threshold=1.0, default_value=-1.0).numpy()
    array([-1., -1.,  2.], dtype=float32)
    """
    return elementwise(_value, _derivatives, x, threshold, default_value)


def _value(x, threshold, default_value):
    # Written so that NaN, which compares with nothing, comes out as NaN.
    return tf.where(x <= threshold, default_value, x)


def _derivatives(x, threshold, default_value):
    above = step(x - threshold)
    return above, tf.zeros_like(above), 1.0 - above


@register(
    threshold,
    family="rectified",
    formula="x if x > threshold else default_value",
    kinks=(0.0,),
    range=(0.0, float("inf")),
    monotonic=True,
    keras2=("ThresholdedReLU",),
    samples=({"threshold": 0.5, "default_value": -1.0}, {"threshold": -1.0, "default_value": 2.0}),
    torch="torch.nn.functional.threshold(x, 0.0, 0.0)",
    keras="keras.activations.threshold(x, 0.0, 0.0)",
    # Keras's function of this name cannot be called with x alone, so that a model saved under the
    # plain name would not run.
    portable=False,
)
class Threshold(ActivationLayer):
    """Layer form of `threshold`.

    Args:
        threshold: The level that x must exceed.
        default_value: What replaces an x that does not.
    """

    def __init__(self, threshold=0.0, default_value=0.0, **kwargs) -> None:
        super().__init__(**kwargs)
        self.threshold = number("threshold", threshold)
        self.default_value = number("default_value", default_value)

    @classmethod
    def from_keras2(cls, config):
        level = config.pop("theta", 1.0)
        return cls.from_config({**config, "threshold": level})

    def call(self, inputs):
        return threshold(inputs, self.threshold, self.default_value)
