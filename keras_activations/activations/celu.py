"""CELU, an ELU whose slope is continuous for every alpha."""

import math

import tensorflow as tf

from keras_activations._calculus import elementwise, step
from keras_activations._layers import ActivationLayer, number
from keras_activations._registry import activation, register
from keras_activations._special import expm1, polynomial, scaled_exp, wide
from keras_activations.activations.elu import _plain, _slope

NEAR = -1.5
# The series of ((z - 1) exp(z) + 1) / z².
SERIES = [(n + 1) / math.factorial(n + 2) for n in range(18)]


@activation
def celu(x, alpha=1.0):
    """Continuously differentiable ELU: `x if x > 0 else alpha * (exp(x / alpha) - 1)`.

    Saturates at `-alpha`, with a slope of 1 at 0 whatever `alpha` is, where that of `elu` jumps.
    With `alpha=1` they are the same; towards `alpha=0` it becomes ReLU. Keras's function of this
    name has a slope of 2 at exactly 0.

    Args:
        x: Tensor of any shape.
        alpha: Depth of the negative part, positive; a number, or a tensor that broadcasts
            against x.

    Returns:
        Tensor of x's shape and dtype.

    Example:

    >>> ka.celu([-2.0, 0.0, 2.0], alpha=0.5).numpy()
    array([-0.49084216,  0.        ,  2.        ], dtype=float32)

    Reference:

    - [Barron, 2017](https://arxiv.org/abs/1704.07483)
    """
    if isinstance(alpha, int | float) and alpha == 1:
        return elementwise(_plain, _slope, x)
    return elementwise(_value, _derivatives, x, alpha)


def _value(x, alpha):
    # Next to 0 it is x, where the quotient may underflow.
    z = tf.minimum(x, 0.0) / alpha
    return tf.where(z > -1e-17, x, alpha * expm1(z))


def _derivatives(x, alpha):
    above = step(x)
    # In float64, because the exponential magnifies the rounding of the quotient; bounded, because
    # inf * 0 is not 0.
    z = tf.maximum(wide(tf.minimum(x, 0.0)) / wide(alpha), -1000.0)
    e, scale = scaled_exp(z, x.dtype)
    z = tf.cast(z, x.dtype)
    near, far = tf.maximum(z, NEAR), (z - 1.0) * e * scale + 1.0
    bend = tf.where(z > NEAR, tf.square(near) * polynomial(near, SERIES), far)
    return above + (1.0 - above) * e * scale, -bend


@register(
    celu,
    family="exponential",
    formula="x if x > 0 else alpha * (exp(x / alpha) - 1)",
    paper="Barron, 2017",
    url="https://arxiv.org/abs/1704.07483",
    range=(-1.0, float("inf")),
    monotonic=True,
    samples=({"alpha": 0.3}, {"alpha": 2.0}, {"alpha": 30.0}),
    torch="torch.nn.functional.celu(x)",
    # Keras's function of this name has a slope of 2 at 0.
    portable=False,
)
class CELU(ActivationLayer):
    """Layer form of `celu`.

    Args:
        alpha: Depth of the negative part, positive.
    """

    def __init__(self, alpha=1.0, **kwargs) -> None:
        super().__init__(**kwargs)
        self.alpha = number("alpha", alpha, above=0.0)

    def call(self, inputs):
        return celu(inputs, self.alpha)
