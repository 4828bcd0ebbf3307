"""PolyReLU, a polynomial of ReLU with trained coefficients."""

import tensorflow as tf

from keras_activations._calculus import elementwise, parts, step
from keras_activations._layers import ChannelwiseLayer, numbers
from keras_activations._registry import activation, register
from keras_activations._special import times


@activation
def poly_relu(x, a=(0.0, 1 / 3, 1 / 3, 1 / 3)):
    """PolyReLU: `a[0] + a[1] * r + a[2] * r**2 + a[3] * r**3` with `r = max(x, 0)`.

    Zero below 0 at its defaults, those of its paper, and cubic above, so that a layer learns
    interactions of higher order. `poly_norm` is its normalized form. The slope at 0 is 0.

    Args:
        x: Tensor of any shape.
        a: The four coefficients: numbers, or a tensor along whose first axis they are and which
            otherwise broadcasts against x.

    Returns:
        Tensor of x's shape and dtype.

    Raises:
        ValueError: If `a` has another number of coefficients.

    Example:

    >>> ka.poly_relu([-2.0, 0.0, 2.0]).numpy()
    array([0.       , 0.       , 4.6666665], dtype=float32)

    Reference:

    - [Zhuo et al., 2024](https://arxiv.org/abs/2411.03884)
    """
    return elementwise(_value, _derivatives, x, *parts("a", a, 4))


def _value(x, a0, a1, a2, a3):
    r = tf.nn.relu(x)
    return a0 + _times(r, a1 + _times(r, a2 + _times(r, a3)))


def _derivatives(x, a0, a1, a2, a3):
    r = tf.nn.relu(x)
    dx = step(x) * (a1 + _times(r, 2.0 * a2 + _times(r, 3.0 * a3)))
    square = tf.square(r)
    return dx, tf.ones_like(x), r, square, square * r


def _times(r, factor):
    # What has a coefficient of 0 is no part of the sum, however large. NaN stays NaN.
    return tf.where(tf.math.is_nan(r), r, times(r, factor))


@register(
    poly_relu,
    family="learned",
    formula="a[0] + a[1] * max(x, 0) + a[2] * max(x, 0)**2 + a[3] * max(x, 0)**3",
    paper="Zhuo et al., 2024",
    url="https://arxiv.org/abs/2411.03884",
    kinks=(0.0,),
    range=(0.0, float("inf")),
    monotonic=True,
    samples=(
        {"a": (0.0, 1.0, 0.0, 0.0)},
        {"a": (0.5, -1.0, 0.75, 0.0)},
        {"a": (-0.25, 0.0, 0.75, -0.25)},
    ),
    # Value and derivatives cross zero as differences of larger terms.
    accuracy={"value_scale": 1.0, "gradient_scale": 1.0, "second_scale": 0.1},
)
class PolyReLU(ChannelwiseLayer):
    """Layer form of `poly_relu`, which trains `a`.

    Args:
        a: The four initial coefficients.
        axis: Axis or axes along which the coefficients vary; None for a single set, as in the
            paper.
        a_initializer: Keras initializer used instead of `a`.
        a_regularizer: Keras regularizer of `a`.
        a_constraint: Keras constraint on `a`.
    """

    def __init__(
        self,
        a=(0.0, 1 / 3, 1 / 3, 1 / 3),
        axis=-1,
        a_initializer=None,
        a_regularizer=None,
        a_constraint=None,
        **kwargs,
    ) -> None:
        super().__init__(axis=axis, **kwargs)
        a = numbers("a", a, 4)
        self.learn("a", a, a_initializer, a_regularizer, a_constraint, several=True)

    def call(self, inputs):
        return poly_relu(inputs, self.a)
