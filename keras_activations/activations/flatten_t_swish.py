"""Flatten-T Swish, a SiLU that is constant below zero."""

import tensorflow as tf

from keras_activations._calculus import elementwise, step
from keras_activations._layers import ActivationLayer, number
from keras_activations._registry import activation, register
from keras_activations.activations.silu import _derivative as silu_derivative
from keras_activations.activations.silu import _value as silu_value


@activation
def flatten_t_swish(x, t=-0.2):
    """Flatten-T Swish: `x / (1 + exp(-x)) + t if x > 0 else t`.

    As sparse in its gradients as ReLU, but with a negative output below zero, which brings the mean
    of a layer's outputs nearer to zero. The slope is 1/2 right of 0, and 0 at 0. Its paper reports
    better accuracies than ReLU's in fully connected networks on MNIST, best with the default.

    Args:
        x: Tensor of any shape.
        t: The value below zero; a number, or a tensor that broadcasts against x.

    Returns:
        Tensor of x's shape and dtype.

    Example:

    >>> ka.flatten_t_swish([-2.0, 0.0, 2.0]).numpy()
    array([-0.2     , -0.2     ,  1.561594], dtype=float32)

    Reference:

    - [Chieng et al., 2018](https://arxiv.org/abs/1812.06247)
    """
    return elementwise(_value, _derivatives, x, t)


def _value(x, t):
    return silu_value(tf.nn.relu(x)) + t


def _derivatives(x, t):
    return step(x) * silu_derivative(tf.nn.relu(x)), tf.ones_like(x)


@register(
    flatten_t_swish,
    family="self-gated",
    formula="x / (1 + exp(-x)) + t if x > 0 else t",
    paper="Chieng et al., 2018",
    url="https://arxiv.org/abs/1812.06247",
    kinks=(0.0,),
    range=(-0.2, float("inf")),
    monotonic=True,
    samples=({"t": 0.0}, {"t": -0.1}, {"t": 0.5}),
    torch="torch.nn.functional.silu(torch.nn.functional.relu(x)) - 0.2",
    # The value crosses zero as a difference of larger terms.
    accuracy={"value_scale": 0.2},
)
class FlattenTSwish(ActivationLayer):
    """Layer form of `flatten_t_swish`.

    Args:
        t: The value below zero.
    """

    def __init__(self, t=-0.2, **kwargs) -> None:
        super().__init__(**kwargs)
        self.t = number("t", t)

    def call(self, inputs):
        return flatten_t_swish(inputs, self.t)
