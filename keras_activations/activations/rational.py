"""Rational, a quotient of two trained polynomials: the safe Padé activation unit."""

import tensorflow as tf

from keras_activations._calculus import elementwise, parts
from keras_activations._fitting import largest_error, rational_fit, target
from keras_activations._layers import ChannelwiseLayer, numbers
from keras_activations._registry import activation, register
from keras_activations._special import polynomial

# Those of leaky_relu, as `rational_fit` finds them.
NUMERATOR = (0.0303326015, 0.6, 1.21911565, 2.03279916, 0.608595263, 0.140699342)
DENOMINATOR = (0.0, 3.3879986, 0.0, 0.234498903)
FAR = 1e60


@activation
def rational(x, numerator=NUMERATOR, denominator=DENOMINATOR):
    """Rational: `P(x) / (1 + abs(Q(x)))`, with P of degree 5 and Q of degree 4, without constant.

    Trained, it takes the shape that the task asks for. Its paper reports that it matches or
    exceeds fixed activations on image classification. The defaults are near `leaky_relu` on
    [-3, 3]; the layer fits any other. Where Q crosses zero the slope may jump; at 0 it is that to
    the right. In float64, a straight line through the origin goes on from `abs(x) = 1e60`.

    Args:
        x: Tensor of any shape.
        numerator: The six coefficients of P from the constant one on: numbers, or a tensor along
            whose first axis they are and which otherwise broadcasts against x.
        denominator: The four coefficients of Q from the linear one on; likewise.

    Returns:
        Tensor of x's shape and dtype.

    Raises:
        ValueError: If there is another number of coefficients.

    Example:

    >>> ka.rational([-2.0, 0.0, 2.0]).numpy()
    array([-0.3999379,  0.0303326,  2.0000622], dtype=float32)

    Reference:

    - [Molina, Schramowski and Kersting, 2019](https://arxiv.org/abs/1907.06732)
    """
    p, q = parts("numerator", numerator, 6), parts("denominator", denominator, 4)
    return elementwise(_value, _derivatives, x, *p, *q)


def _value(x, *coefficients):
    _, p, q = _polynomials(x, coefficients)
    y = p / (1.0 + tf.abs(q))
    if x.dtype == tf.float64:
        return tf.math.multiply_no_nan(tf.maximum(tf.abs(x) / FAR, 1.0), y)
    return tf.cast(y, x.dtype)


def _derivatives(x, *coefficients):
    t, p, q = _polynomials(x, coefficients)
    c = [tf.cast(c, tf.float64) for c in coefficients]
    a, b = c[:6], c[6:]
    share = 1.0 / (1.0 + tf.abs(q))
    # At 0, where Q is always 0, the sign that it has to the right.
    right = tf.where(tf.equal(t, 0.0), tf.constant(1e-30, t.dtype), t)
    bend = -p * share * tf.sign(polynomial(right, [0.0, *b]))
    p_slope = polynomial(t, [n * c for n, c in enumerate(a)][1:])
    q_slope = polynomial(t, [n * c for n, c in enumerate(b, 1)])
    powers = [share]
    for _ in range(5):
        powers.append(powers[-1] * t)
    slopes = (p_slope + bend * q_slope) * share, *powers, *(bend * power for power in powers[1:5])
    return tuple(tf.cast(slope, x.dtype) for slope in slopes)


def _polynomials(x, coefficients):
    # In float64, where no fifth power of a float32 overflows. Far out is as good as infinity.
    t = tf.clip_by_value(tf.cast(x, tf.float64), -FAR, FAR)
    c = [tf.cast(c, tf.float64) for c in coefficients]
    return t, polynomial(t, c[:6]), t * polynomial(t, c[6:])


@register(
    rational,
    family="learned",
    formula=(
        "(numerator[0] + numerator[1] * x + numerator[2] * x**2 + numerator[3] * x**3 "
        "+ numerator[4] * x**4 + numerator[5] * x**5) / (1 + abs(denominator[0] * x "
        "+ denominator[1] * x**2 + denominator[2] * x**3 + denominator[3] * x**4))"
    ),
    paper="Molina, Schramowski and Kersting, 2019",
    url="https://arxiv.org/abs/1907.06732",
    range=(float("-inf"), float("inf")),
    samples=(
        {"numerator": (0.0, 1.0, 0.0, 0.0, 0.0, 0.0), "denominator": (0.0, 0.0, 0.0, 0.0)},
        {"numerator": (0.0, 1.0, 0.0, 0.5, 0.0, 0.25), "denominator": (0.5, 0.0, -0.25, 0.125)},
    ),
    # Value and derivatives cross zero as differences of larger terms. In float64 the fifth power
    # of what is larger overflows.
    accuracy={"value_scale": 0.1, "gradient_scale": 1.0, "second_scale": 1.0, "domain": FAR},
    tflite="TFLite has no arithmetic in float64.",
)
class Rational(ChannelwiseLayer):
    """Layer form of `rational`, which trains all ten coefficients, starting near an activation.

    Its attribute `fit_error` is the largest distance on [-3, 3] between the curve it starts from
    and the activation. The paper has one set of coefficients for the layer, as is the default.

    Args:
        init: Name of the element-wise activation, with its default parameters, to which the
            coefficients are fitted on [-3, 3].
        numerator: The six initial coefficients of P, or None for the fitted ones.
        denominator: The four initial coefficients of Q, or None for the fitted ones.
        axis: Axis or axes along which the coefficients vary; None for a single set.
        numerator_initializer: Keras initializer used instead of `numerator`.
        numerator_regularizer: Keras regularizer of `numerator`.
        numerator_constraint: Keras constraint on `numerator`.
        denominator_initializer: Keras initializer used instead of `denominator`.
        denominator_regularizer: Keras regularizer of `denominator`.
        denominator_constraint: Keras constraint on `denominator`.
    """

    def __init__(
        self,
        init="leaky_relu",
        numerator=None,
        denominator=None,
        axis=None,
        numerator_initializer=None,
        numerator_regularizer=None,
        numerator_constraint=None,
        denominator_initializer=None,
        denominator_regularizer=None,
        denominator_constraint=None,
        **kwargs,
    ) -> None:
        super().__init__(axis=axis, **kwargs)
        self.init = init
        goal = target(init)
        fitted = rational_fit(goal) if None in (numerator, denominator) else ([], [])
        p = numbers("numerator", fitted[0] if numerator is None else numerator, 6)
        q = numbers("denominator", fitted[1] if denominator is None else denominator, 4)
        self.fit_error = largest_error(p, q, goal)
        of_p = (numerator_initializer, numerator_regularizer, numerator_constraint)
        of_q = (denominator_initializer, denominator_regularizer, denominator_constraint)
        self.learn("numerator", p, *of_p, several=True)
        self.learn("denominator", q, *of_q, several=True)

    def call(self, inputs):
        return rational(inputs, self.numerator, self.denominator)
