"""CReLU, which keeps both signs of its input."""

import tensorflow as tf

from keras_activations._axes import existing, normalized, resized
from keras_activations._calculus import with_gradient
from keras_activations._layers import AxisLayer
from keras_activations._registry import activation, register


@activation
def crelu(x, axis=-1):
    """Concatenated ReLU: `max(x, 0)` followed by `max(-x, 0)` along an axis.

    Nothing of x is lost, and the filters of a layer need not come in pairs of opposite sign, as
    they tend to in the lower layers of convolutional networks. Its paper reports better
    recognition on CIFAR and ImageNet with fewer parameters. The slope at 0 is 0.

    It doubles the size of `axis`: put it after a layer, not inside one as `activation=`.

    Args:
        x: Tensor of at least one axis.
        axis: The axis along which the two parts are joined.

    Returns:
        Tensor of x's shape, but of twice its size along `axis`, and of x's dtype.

    Raises:
        ValueError: If there is no such axis.

    Example:

    >>> ka.crelu([[-2.0, 3.0]]).numpy()
    array([[0., 3., 2., 0.]], dtype=float32)

    Reference:

    - [Shang et al., 2016](https://arxiv.org/abs/1603.05201)
    """
    return with_gradient(_value, _gradient, x, axis=existing(axis, x))


def _value(x, axis):
    return tf.concat([tf.nn.relu(x), tf.nn.relu(-x)], axis)


def _gradient(upstream, x, axis):
    positive, negative = tf.split(upstream, 2, axis)
    return tf.raw_ops.ReluGrad(gradients=positive, features=x) - tf.raw_ops.ReluGrad(
        gradients=negative, features=-x
    )


@register(
    crelu,
    family="rectified",
    formula="[max(t, 0) for t in x] + [max(-t, 0) for t in x]",
    paper="Shang et al., 2016",
    url="https://arxiv.org/abs/1603.05201",
    range=(0.0, float("inf")),
    torch="torch.cat([torch.relu(x), torch.relu(-x)], -1)",
)
class CReLU(AxisLayer):
    """Layer form of `crelu`.

    Args:
        axis: The axis along which the two parts are joined.
    """

    moves_entries = True

    def call(self, inputs):
        return crelu(inputs, self.axis)

    def compute_output_shape(self, input_shape):
        size = input_shape[normalized(self.axis, len(input_shape))]
        return resized(input_shape, self.axis, None if size is None else 2 * size)
