"""LiSHT, the linearly scaled hyperbolic tangent."""

import tensorflow as tf

from keras_activations._calculus import elementwise
from keras_activations._layers import ActivationLayer
from keras_activations._registry import activation, register
from keras_activations._special import bounded, expm1, tanh


@activation
def lisht(x):
    """Linearly scaled hyperbolic tangent: `x * tanh(x)`.

    Even, never negative, near x² around 0 and near |x| beyond 2: it keeps the size of an input and
    forgets its sign. Its paper proposes it against the vanishing gradient of negative inputs, and
    tests it on tabular data, images and the sentiment of tweets.

    Args:
        x: Tensor of any shape.

    Returns:
        Tensor of x's shape and dtype.

    Example:

    >>> ka.lisht([-2.0, 0.0, 2.0]).numpy()
    array([1.9280554, 0.       , 1.9280554], dtype=float32)

    Reference:

    - [Roy et al., 2019](https://arxiv.org/abs/1901.05894)
    """
    return elementwise(_value, _derivative, x)


def _value(x):
    return x * tanh(x)


def _derivative(x):
    z = 2.0 * tf.minimum(-x, x)
    u, gate = expm1(z), tf.exp(z)
    slope = tf.where(x < 0.0, u, -u) / (2.0 + u)
    return slope + 4.0 * bounded(x) * gate / tf.square(1.0 + gate)


@register(
    lisht,
    family="self-gated",
    formula="x * tanh(x)",
    paper="Roy et al., 2019",
    url="https://arxiv.org/abs/1901.05894",
    range=(0.0, float("inf")),
    monotonic=False,
    addons=("lisht",),
    torch="x * torch.tanh(x)",
    # The second derivative crosses zero as a difference of larger terms.
    accuracy={"second_scale": 0.1},
)
class LiSHT(ActivationLayer):
    """Layer form of `lisht`."""

    def call(self, inputs):
        return lisht(inputs)
