"""Softplus, a smooth ReLU."""

import tensorflow as tf

from keras_activations._calculus import elementwise
from keras_activations._layers import ActivationLayer, number
from keras_activations._registry import activation, register
from keras_activations._special import scaled_exp, sigmoid, times_log1p_exp
from keras_activations.activations.swish import _exponent


@activation
def softplus(x, beta=1.0):
    """Softplus: `log(1 + exp(beta * x)) / beta`.

    Positive and smooth: for outputs that must be positive, such as a scale or a variance, and
    where second derivatives matter. The larger `beta`, the nearer to ReLU; at -1 it is
    `log_sigmoid`.

    Args:
        x: Tensor of any shape.
        beta: Sharpness of the bend, not 0; a number, or a tensor that broadcasts against x.

    Returns:
        Tensor of x's shape and dtype.

    Example:

    >>> ka.softplus([-2.0, 0.0, 2.0]).numpy()
    array([0.126928 , 0.6931472, 2.126928 ], dtype=float32)

    Reference:

    - [Dugas et al., 2001](https://proceedings.neurips.cc/paper/2000/hash/44968aece94f667e4095002d140b5896-Abstract.html)
    """
    if isinstance(beta, int | float) and beta == 1:
        return elementwise(_plain, sigmoid, x)
    return elementwise(_value, _derivatives, x, beta)


def _value(x, beta):
    # The larger part is x itself, not beta * x / beta, which overflows.
    line = tf.where(beta > 0.0, tf.nn.relu(x), tf.minimum(x, 0.0))
    return line + times_log1p_exp(1.0 / beta, _exponent(x, beta)[1], x.dtype)


def _derivatives(x, beta):
    below, z = _exponent(x, beta)
    e, scale = scaled_exp(z, x.dtype)
    gate = e * scale
    dx = tf.where(below, gate, 1.0) / (1.0 + gate)
    # In d/dbeta the large terms cancel on paper.
    dbeta = z.high * gate / (1.0 + gate) - times_log1p_exp(1.0, z, x.dtype)
    return dx, dbeta / tf.square(beta)


def _plain(x):
    return tf.nn.relu(x) + times_log1p_exp(1.0, -tf.abs(x), x.dtype)


@register(
    softplus,
    family="exponential",
    formula="log(1 + exp(beta * x)) / beta",
    paper="Dugas et al., 2001",
    url="https://proceedings.neurips.cc/paper/2000/hash/44968aece94f667e4095002d140b5896-Abstract.html",
    range=(0.0, float("inf")),
    monotonic=True,
    samples=({"beta": 0.5}, {"beta": 3.0}),
    torch="torch.nn.functional.softplus(x, threshold=1000.0)",
    # A product of an exponential, a series and two quotients.
    accuracy={"value": 6},
)
class Softplus(ActivationLayer):
    """Layer form of `softplus`.

    Args:
        beta: Sharpness of the bend, not 0.
    """

    def __init__(self, beta=1.0, **kwargs) -> None:
        super().__init__(**kwargs)
        self.beta = number("beta", beta)
        if self.beta == 0.0:
            raise ValueError("`beta` must not be 0.")

    def call(self, inputs):
        return softplus(inputs, self.beta)
