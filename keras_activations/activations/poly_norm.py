"""PolyNorm, a polynomial of normalized powers with trained coefficients."""

import tensorflow as tf

from keras_activations._axes import existing
from keras_activations._calculus import chain_rule, parts, real, summed_to, with_gradient
from keras_activations._layers import AxisLayer, TrainedLayer, numbers
from keras_activations._registry import activation, register

EPSILON = 1e-6


@activation
def poly_norm(x, a=(1 / 3, 1 / 3, 1 / 3), b=0.0, axis=-1):
    """PolyNorm: `a[0] * n(x) + a[1] * n(x**2) + a[2] * n(x**3) + b` with `n(v) = v / rms(v)`.

    The root mean square is over `axis`: `rms(v) = sqrt(mean(v**2) + 1e-6)`, so that rows of zeros
    stay finite. Normalized, the powers do not run away as those of `poly_relu` do. Its paper finds
    language models with it ahead of those with SwiGLU.

    Args:
        x: Tensor of at least one axis.
        a: The three coefficients: numbers, or a tensor along whose first axis they are and which
            otherwise broadcasts against x.
        b: The constant term; a number, or a tensor that broadcasts against x.
        axis: The axis of the channels, over which the powers are normalized.

    Returns:
        Tensor of x's shape and dtype.

    Raises:
        ValueError: If `a` has another number of coefficients, or there is no such axis.

    Example:

    >>> ka.poly_norm([[-2.0, 0.0, 2.0]]).numpy()
    array([[-0.40824822,  0.        ,  1.2247448 ]], dtype=float32)

    Reference:

    - [Zhuo et al., 2024](https://arxiv.org/abs/2411.03884)
    """
    axis = existing(axis, x)
    return with_gradient(_value, _gradient, x, *real([*parts("a", a, 3), b], x), axis=axis)


def _value(x, a1, a2, a3, b, axis):
    terms = _terms(x, axis)
    return sum(a * power * r for a, (_, power, r) in zip((a1, a2, a3), terms, strict=True)) + b


def _gradient(upstream, x, a1, a2, a3, b, axis):
    dx, slopes = tf.zeros_like(x), []
    for a, (slope, power, r) in zip((a1, a2, a3), _terms(x, axis), strict=True):
        normalized, weighted = power * r, upstream * a
        mean = tf.reduce_mean(weighted * normalized, axis, keepdims=True)
        dx += (weighted - normalized * mean) * r * slope
        slopes.append(normalized)
    ones = tf.ones_like(x)
    _, *others = chain_rule(upstream, (ones, *slopes, ones), x, a1, a2, a3, b)
    return summed_to(dx, x), *others


def _terms(x, axis):
    """For each power its derivative, the power itself, and one over its root mean square."""
    # Divided by the largest of the row, because the sixth power overflows from 3e6 on. Neither the
    # result nor its gradient depends on by what, if epsilon follows. Bounded, because one over the
    # largest number vanishes.
    largest = tf.reduce_max(tf.abs(x), axis, keepdims=True)
    scale = 1.0 / tf.clip_by_value(tf.stop_gradient(largest), 1.0, x.dtype.max / 64.0)
    x = x * scale
    square = tf.square(x)
    for n, slope, power in ((1, 1.0, x), (2, 2.0 * x, square), (3, 3.0 * square, square * x)):
        mean = tf.reduce_mean(tf.square(power), axis, keepdims=True)
        yield slope * scale, power, tf.math.rsqrt(mean + EPSILON * scale ** (2 * n))


@register(
    poly_norm,
    family="learned",
    formula=(
        "[sum(a[i] * t**(i + 1) / sqrt(sum(s**(2 * i + 2) for s in x) / len(x) + 1e-6) "
        "for i in range(3)) + b for t in x]"
    ),
    paper="Zhuo et al., 2024",
    url="https://arxiv.org/abs/2411.03884",
    samples=({"a": (0.5, -1.0, 0.25), "b": 0.125}, {"a": (0.0, 0.0, 1.0), "b": -2.0}),
)
class PolyNorm(AxisLayer, TrainedLayer):
    """Layer form of `poly_norm`, which trains one set of `a` and `b`, as in its paper.

    The code of the paper has the three coefficients in reverse order.

    Args:
        a: The three initial coefficients.
        b: The initial constant term.
        axis: The axis of the channels, over which the powers are normalized.
        a_initializer: Keras initializer used instead of `a`.
        a_regularizer: Keras regularizer of `a`.
        a_constraint: Keras constraint on `a`.
        b_initializer: Keras initializer used instead of `b`.
        b_regularizer: Keras regularizer of `b`.
        b_constraint: Keras constraint on `b`.
    """

    def __init__(
        self,
        a=(1 / 3, 1 / 3, 1 / 3),
        b=0.0,
        axis=-1,
        a_initializer=None,
        a_regularizer=None,
        a_constraint=None,
        b_initializer=None,
        b_regularizer=None,
        b_constraint=None,
        **kwargs,
    ) -> None:
        super().__init__(axis=axis, **kwargs)
        a = numbers("a", a, 3)
        self.learn("a", a, a_initializer, a_regularizer, a_constraint, several=True)
        self.learn("b", b, b_initializer, b_regularizer, b_constraint)

    def call(self, inputs):
        return poly_norm(inputs, self.a, self.b, self.axis)
