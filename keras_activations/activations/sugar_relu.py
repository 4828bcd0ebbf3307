"""SUGAR, a ReLU whose backward pass is that of a smooth function."""

import tensorflow as tf

from keras_activations._calculus import elementwise
from keras_activations._layers import ActivationLayer, number
from keras_activations._registry import activation, register
from keras_activations.activations.bsilu import _slope


@activation
def sugar_relu(x, alpha=1.67):
    """ReLU with a surrogate gradient: `max(x, 0)`.

    The backward pass is deliberately not the derivative but that of `bsilu`, `(x + alpha) /
    (1 + exp(-x)) - alpha / 2`: units below zero keep learning and cannot die, while the network
    computes what it would with ReLU. Its paper (SUGAR) reports better generalization of VGG-16 and
    ResNet-18 than with ReLU's own gradient, and sparser activations. Forward-mode
    differentiation (`tf.autodiff.ForwardAccumulator`) inside a `tf.function` does not see it:
    TensorFlow follows the value there.

    Args:
        x: Tensor of any shape.
        alpha: The parameter of `bsilu`, at least 0; it receives a gradient of 0; a number, or a
            tensor that broadcasts against x.

    Returns:
        Tensor of x's shape and dtype.

    Example:

    >>> ka.sugar_relu([-2.0, 0.0, 2.0]).numpy()
    array([0., 0., 2.], dtype=float32)

    Reference:

    - [Horuz et al., 2025](https://arxiv.org/abs/2505.22074)
    """
    if isinstance(alpha, int | float):
        # The one operation that TensorFlow fuses with the layer before it.
        return elementwise(_plain, _surrogates, x, alpha, fusible=_plain)
    return elementwise(_value, _surrogates, x, alpha)


def _plain(x, alpha):
    return tf.nn.relu(x)


def _value(x, alpha):
    # Of the shape to which alpha broadcasts x.
    return tf.nn.relu(x) + tf.zeros_like(alpha)


def _surrogates(x, alpha):
    slope = _slope(x, alpha)
    return slope, tf.zeros_like(slope)


@register(
    sugar_relu,
    family="rectified",
    formula="max(x, 0)",
    backward="(1 + (x + alpha) * exp(-x) / (1 + exp(-x))) / (1 + exp(-x))",
    paper="Horuz et al., 2025",
    url="https://arxiv.org/abs/2505.22074",
    kinks=(0.0,),
    range=(0.0, float("inf")),
    monotonic=True,
    samples=({"alpha": 0.0}, {"alpha": 5.0}),
    # The slope crosses zero as a difference of larger terms.
    accuracy={"gradient": 5, "gradient_scale": 0.1},
)
class SugarReLU(ActivationLayer):
    """Layer form of `sugar_relu`.

    Args:
        alpha: The parameter of `bsilu`, at least 0.
    """

    def __init__(self, alpha=1.67, **kwargs) -> None:
        super().__init__(**kwargs)
        self.alpha = number("alpha", alpha, minimum=0.0)

    def call(self, inputs):
        return sugar_relu(inputs, self.alpha)
