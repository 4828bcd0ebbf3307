"""APL, a sum of trained hinges."""

import tensorflow as tf

from keras_activations._calculus import elementwise, parts, step
from keras_activations._layers import ChannelwiseLayer, numbers
from keras_activations._registry import activation, register
from keras_activations._special import times

SLOPES = (-0.05, -0.05, -0.05, -0.05, -0.05)
PLACES = (-1.0, -0.5, 0.0, 0.5, 1.0)


@activation
def apl(x, a=SLOPES, b=PLACES):
    """Adaptive piecewise linear unit: `max(x, 0) + a[0] * max(b[0] - x, 0) + …`.

    Each hinge adds a line that begins at `b[s]`, on the left, with a slope of `-a[s]`; `APL` trains
    both. With enough hinges it becomes any continuous, piecewise-linear function that is x far to
    the right. Its paper reports lower errors than with ReLU on CIFAR and in high-energy physics.
    The default is a leaky ReLU whose bend is spread over five kinks. The slope at a kink is the one
    on its left.

    Args:
        x: Tensor of any shape.
        a: Weights of the hinges; as many numbers as there are hinges, or a tensor with the hinges
            along its first axis, the rest of which broadcasts against x.
        b: Places of the hinges; likewise.

    Returns:
        Tensor of x's shape and dtype.

    Raises:
        ValueError: If `a` and `b` differ in length, or are empty.

    Example:

    >>> ka.apl([-2.0, 0.5, 2.0], a=[0.5, -1.0], b=[0.0, -1.0]).numpy()
    array([0. , 0.5, 2. ], dtype=float32)

    Reference:

    - [Agostinelli et al., 2014](https://arxiv.org/abs/1412.6830)
    """
    a, b = parts("a", a), parts("b", b)
    _check(a, b)
    return elementwise(_value, _derivatives, x, *a, *b)


def _check(a, b):
    if not 0 < len(a) == len(b):
        raise ValueError(
            f"`a` and `b` must have a number for each hinge, and there must be one at least. "
            f"Received: {len(a)} and {len(b)} numbers."
        )


def _hinges(parameters):
    """The weights and the places."""
    count = len(parameters) // 2
    return parameters[:count], parameters[count:]


def _value(x, *parameters):
    a, b = _hinges(parameters)
    # Left of all hinges in one line, whose slope is their sum: far out, where the terms are large,
    # nothing cancels. A slope of 0 makes 0 of infinity too.
    leftmost = tf.reduce_min(tf.stack(b), 0)
    slope = tf.reduce_sum(tf.stack(a), 0)
    y = tf.nn.relu(x) + times(tf.nn.relu(leftmost - x), slope)
    near = tf.maximum(x, leftmost)
    for weight, place in zip(a, b, strict=True):
        # By differences, because Grappler leaves sums of sums out of the kernel.
        y -= weight * tf.minimum(near - place, 0.0)
    return y


def _derivatives(x, *parameters):
    a, b = _hinges(parameters)
    left = [1.0 - step(x - place) for place in b]
    dx = step(x)
    for weight, below in zip(a, left, strict=True):
        dx -= weight * below
    da = [tf.nn.relu(place - x) for place in b]
    return dx, *da, *(weight * below for weight, below in zip(a, left, strict=True))


@register(
    apl,
    family="rectified",
    formula=" + ".join(["max(x, 0)", *(f"a[{s}] * max(b[{s}] - x, 0)" for s in range(5))]),
    paper="Agostinelli et al., 2014",
    url="https://arxiv.org/abs/1412.6830",
    kinks=PLACES,
    range=(float("-inf"), float("inf")),
    monotonic=True,
    samples=(
        {"a": (0.25, -0.5, 0.0, 0.125, 1.0), "b": (0.25, -1.5, 2.0, 0.25, -1.5)},
        {"a": (0.5, -0.5, 0.0, 0.0, 0.0)},
        {"a": (0.0, 0.0, 0.0, 0.0, 0.0)},
    ),
    # The terms, and their slopes, cancel where the curve or its slope crosses zero.
    accuracy={"value_scale": 0.5, "gradient_scale": 0.5},
)
class APL(ChannelwiseLayer):
    """Layer form of `apl`, which trains `a` and `b`.

    It has as many hinges as `a` and `b` have numbers. In the paper's own code both are drawn:
    `a_initializer=keras.initializers.RandomUniform(-0.2, 0.2)`,
    `b_initializer=keras.initializers.RandomNormal(stddev=0.5)`.

    Args:
        a: Initial weights of the hinges.
        b: Initial places of the hinges.
        axis: Axis or axes along which the parameters vary; None for one of each.
        a_initializer: Keras initializer used instead of `a`.
        a_regularizer: Keras regularizer of `a`.
        a_constraint: Keras constraint on `a`.
        b_initializer: Keras initializer used instead of `b`.
        b_regularizer: Keras regularizer of `b`.
        b_constraint: Keras constraint on `b`.
    """

    def __init__(
        self,
        a=SLOPES,
        b=PLACES,
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
        a, b = numbers("a", a), numbers("b", b)
        _check(a, b)
        self.learn("a", a, a_initializer, a_regularizer, a_constraint, several=True)
        self.learn("b", b, b_initializer, b_regularizer, b_constraint, several=True)

    def call(self, inputs):
        return apl(inputs, self.a, self.b)
