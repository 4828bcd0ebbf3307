"""xIELU, the integral of an exponential linear unit with trainable parts."""

import math

import tensorflow as tf

from keras_activations._calculus import elementwise
from keras_activations._layers import ChannelwiseLayer, number
from keras_activations._registry import activation, register
from keras_activations._special import exp_minus_one, expm1, polynomial

NEAR = -1.5
SERIES = [1.0 / math.factorial(n + 2) for n in range(18)]


@activation
def xielu(x, alpha_p=0.8, alpha_n=0.8, beta=0.5):
    """xIELU: `alpha_p * x**2 + beta * x if x > 0 else alpha_n * (exp(x) - 1 - x) + beta * x`.

    Quadratic above zero, with a trainable negative part whose slope may change its sign. Its
    paper reports lower perplexity than squared ReLU and SwiGLU at equal compute in language
    models of 1.1 and 3 billion parameters. The slope is continuous, `beta` at 0.

    Args:
        x: Tensor of any shape.
        alpha_p: Curvature above zero; a number, or a tensor that broadcasts against x.
        alpha_n: Weight of the exponential below zero; likewise.
        beta: Slope at 0; likewise.

    Returns:
        Tensor of x's shape and dtype.

    Example:

    >>> ka.xielu([-2.0, 0.0, 2.0]).numpy()
    array([-0.09173185,  0.        ,  4.2       ], dtype=float32)

    Reference:

    - [Huang and Schlag, 2024](https://arxiv.org/abs/2411.13010)
    """
    return elementwise(_value, _derivatives, x, alpha_p, alpha_n, beta)


def _value(x, alpha_p, alpha_n, beta):
    # In the order of operations that overflows only with the result.
    negative = tf.minimum(x, 0.0)
    far = alpha_n * exp_minus_one(negative) + (beta - alpha_n) * negative
    near = alpha_n * _near(negative) + beta * negative
    positive = tf.nn.relu(x)
    return tf.where(x > 0.0, positive * (alpha_p * positive + beta), tf.where(x > NEAR, near, far))


def _derivatives(x, alpha_p, alpha_n, beta):
    positive, negative = tf.nn.relu(x), tf.minimum(x, 0.0)
    dx = 2.0 * alpha_p * positive + alpha_n * expm1(negative) + beta
    far = exp_minus_one(negative) - negative
    return dx, tf.square(positive), tf.where(x > NEAR, _near(negative), far), x


def _near(x):
    """exp(x) - 1 - x by its series, because the difference would cancel."""
    x = tf.maximum(x, NEAR)
    return tf.square(x) * polynomial(x, SERIES)


@register(
    xielu,
    family="exponential",
    formula="alpha_p * x**2 + beta * x if x > 0 else alpha_n * (exp(x) - 1 - x) + beta * x",
    paper="Huang and Schlag, 2024",
    url="https://arxiv.org/abs/2411.13010",
    range=(-0.205751224, float("inf")),
    monotonic=False,
    samples=({"alpha_p": 0.3, "alpha_n": 1.5, "beta": 0.2}, {"beta": -0.5}),
    # Value and slope cross zero as differences of larger terms.
    accuracy={"value_scale": 1.0, "gradient_scale": 0.5},
)
class XIELU(ChannelwiseLayer):
    """Layer form of `xielu`, which trains `alpha_p` and `alpha_n`.

    As in the paper, the variables are unconstrained: softplus makes `alpha_p` positive and
    `alpha_n` larger than `beta`. The arguments are the values that result; once trained, these are
    `softplus(layer.alpha_p)` and `beta + softplus(layer.alpha_n)`. An initializer, regularizer or
    constraint acts on the variables. The paper trains a single pair: `axis=None`.

    Args:
        alpha_p: Initial curvature above zero, positive.
        alpha_n: Initial weight of the exponential below zero, larger than `beta`.
        beta: Slope at 0, fixed.
        axis: Axis or axes along which the parameters vary; None for one of each.
        alpha_p_initializer: Keras initializer of the variable behind `alpha_p`, used instead.
        alpha_p_regularizer: Keras regularizer of the variable behind `alpha_p`.
        alpha_p_constraint: Keras constraint on the variable behind `alpha_p`.
        alpha_n_initializer: Keras initializer of the variable behind `alpha_n`, used instead.
        alpha_n_regularizer: Keras regularizer of the variable behind `alpha_n`.
        alpha_n_constraint: Keras constraint on the variable behind `alpha_n`.
    """

    def __init__(
        self,
        alpha_p=0.8,
        alpha_n=0.8,
        beta=0.5,
        axis=-1,
        alpha_p_initializer=None,
        alpha_p_regularizer=None,
        alpha_p_constraint=None,
        alpha_n_initializer=None,
        alpha_n_regularizer=None,
        alpha_n_constraint=None,
        **kwargs,
    ) -> None:
        super().__init__(axis=axis, **kwargs)
        self.beta = number("beta", beta)
        number("alpha_p", alpha_p, above=0.0)
        number("alpha_n", alpha_n, above=self.beta)
        self.learn("alpha_p", alpha_p, alpha_p_initializer, alpha_p_regularizer, alpha_p_constraint)
        self.learn("alpha_n", alpha_n, alpha_n_initializer, alpha_n_regularizer, alpha_n_constraint)

    def initial_weight(self, name):
        offset = {"alpha_p": 0.0, "alpha_n": self.beta}[name]
        # The inverse of softplus, in the form that does not overflow.
        value = super().initial_weight(name) - offset
        return value + math.log(-math.expm1(-value))

    def call(self, inputs):
        alpha_p = tf.nn.softplus(tf.convert_to_tensor(self.alpha_p))
        alpha_n = self.beta + tf.nn.softplus(tf.convert_to_tensor(self.alpha_n))
        return xielu(inputs, alpha_p, alpha_n, self.beta)
