"""Swish, a SiLU that learns how steep its gate is."""

import tensorflow as tf

from keras_activations._calculus import elementwise
from keras_activations._layers import LearnableLayer
from keras_activations._registry import activation, register


@activation
def swish(x, beta=1.0):
    """Swish: `x / (1 + exp(-beta * x))`.

    Runs from `x / 2` at `beta=0` to ReLU for large `beta`, and is `silu` at 1. Found by a search
    over formulas; its paper reports gains over ReLU that grow with depth. The string `"swish"`
    keeps the meaning Keras gives it, SiLU.

    Args:
        x: Tensor of any shape.
        beta: Steepness of the gate; a number, or a tensor that broadcasts against x.

    Returns:
        Tensor of x's shape and dtype.

    Example:

    >>> ka.swish([-2.0, 0.0, 2.0], beta=1.5).numpy()
    array([-0.09485175,  0.        ,  1.9051483 ], dtype=float32)

    Reference:

    - [Ramachandran, Zoph and Le, 2017](https://arxiv.org/abs/1710.05941)
    """
    return elementwise(_value, _derivatives, x, beta)


def _value(x, beta):
    return x * tf.sigmoid(beta * x)


def _derivatives(x, beta):
    gate = tf.sigmoid(beta * x)
    # Bounded, because inf * 0 is not 0.
    z = tf.clip_by_value(beta * x, -1000.0, 1000.0)
    bend = gate * tf.sigmoid(-z)
    return gate + z * bend, x * (x * bend)


@register(
    swish,
    formula="x / (1 + exp(-beta * x))",
    paper="Ramachandran, Zoph and Le, 2017",
    url="https://arxiv.org/abs/1710.05941",
    range=(-0.278464543, float("inf")),
    monotonic=False,
    samples=({"beta": 0.0}, {"beta": 2.5}, {"beta": -1.0}),
    torch="x * torch.sigmoid(x)",
)
class Swish(LearnableLayer):
    """Layer form of `swish`, which trains `beta`.

    Args:
        beta: Initial steepness of the gate.
        axis: Axis or axes along which `beta` varies; None for a single one.
        beta_initializer: Keras initializer used instead of `beta`.
        beta_regularizer: Keras regularizer of `beta`.
        beta_constraint: Keras constraint on `beta`.
    """

    def __init__(
        self,
        beta=1.0,
        axis=-1,
        beta_initializer=None,
        beta_regularizer=None,
        beta_constraint=None,
        **kwargs,
    ):
        super().__init__(axis=axis, **kwargs)
        self.learn("beta", beta, beta_initializer, beta_regularizer, beta_constraint)

    def call(self, inputs):
        return swish(inputs, self.beta)
