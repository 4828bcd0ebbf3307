"""Hard sigmoid, the sigmoid in three straight lines."""

import tensorflow as tf

from keras_activations._calculus import elementwise, step
from keras_activations._layers import ActivationLayer
from keras_activations._registry import activation, register


@activation
def hard_sigmoid(x):
    """Hard sigmoid: `min(max(x + 3, 0), 6) / 6`.

    A gate for mobile and quantised networks. The slope at both kinks is 0. This is the form of
    Keras 3 and PyTorch; Keras 2 meant `0.2 * x + 0.5`, clipped, which is `hard_sigmoid_keras2`.

    Args:
        x: Tensor of any shape.

    Returns:
        Tensor of x's shape and dtype.

    Example:

    >>> ka.hard_sigmoid([-4.0, 0.0, 1.5]).numpy()
    array([0.  , 0.5 , 0.75], dtype=float32)

    Reference:

    - [Howard et al., 2019](https://arxiv.org/abs/1905.02244)
    """
    return elementwise(_value, _derivative, x)


def _value(x):
    return tf.nn.relu6(x + 3.0) / 6.0


def _derivative(x):
    return step(x + 3.0) * step(3.0 - x) / 6.0


@register(
    hard_sigmoid,
    family="rectified",
    formula="min(max(x + 3, 0), 6) / 6",
    paper="Howard et al., 2019",
    url="https://arxiv.org/abs/1905.02244",
    kinks=(-3.0, 3.0),
    range=(0.0, 1.0),
    monotonic=True,
    # Its hardsigmoid, but for a gradient of 1/6 in float32 whatever the dtype.
    torch="torch.nn.functional.relu6(x + 3) / 6",
)
class HardSigmoid(ActivationLayer):
    """Layer form of `hard_sigmoid`."""

    def call(self, inputs):
        return hard_sigmoid(inputs)
