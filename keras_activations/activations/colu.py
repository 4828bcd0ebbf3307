"""CoLU, the collapsing linear unit."""

import tensorflow as tf

from keras_activations._calculus import elementwise
from keras_activations._layers import ActivationLayer
from keras_activations._registry import activation, register
from keras_activations._special import bounded, scaled_exp


@activation
def colu(x):
    """Collapsing linear unit: `x / (1 - x * exp(-(x + exp(x))))`.

    Smooth, unbounded above, with a minimum of about -0.38 near -0.73; the denominator is positive
    everywhere. A relative of Swish and Mish, for deep networks: its paper reports that on MNIST it
    kept its accuracy up to more convolutional layers than others did.

    Args:
        x: Tensor of any shape.

    Returns:
        Tensor of x's shape and dtype.

    Example:

    >>> ka.colu([-2.0, 0.0, 2.0]).numpy()
    array([-0.14380684,  0.        ,  2.0003345 ], dtype=float32)

    Reference:

    - [Vagerwal, 2021](https://arxiv.org/abs/2112.12078)
    """
    return elementwise(_value, _derivative, x)


def _value(x):
    # x w / (w - x h) by w = exp(x) and h = exp(-w), which loses no digits in the lower tail. In an
    # order in which the product of x and w does not overflow.
    e, scale, w, h = _exponentials(x)
    return tf.maximum(x, -1e4) * (e / (w - bounded(x) * h)) * scale


def _derivative(x):
    e, scale, w, h = _exponentials(x)
    x = bounded(x)
    return e * ((w - x * x * h * (1.0 + w)) / tf.square(w - x * h)) * scale


def _exponentials(x):
    """exp(x) in two factors and as their product w, and exp(-w)."""
    # Bounded where exp(-w) is nothing beside w.
    e, scale = scaled_exp(tf.minimum(x, 5.0), x.dtype)
    w = e * scale
    # Not of w itself, because XLA stores what stands before an exponential and after it.
    return e, scale, w, tf.exp(-1.0 * tf.exp(tf.minimum(x, 5.0)))


@register(
    colu,
    family="self-gated",
    formula="x / (1 - x * exp(-(x + exp(x))))",
    paper="Vagerwal, 2021",
    url="https://arxiv.org/abs/2112.12078",
    range=(-0.377158568, float("inf")),
    monotonic=False,
    torch="x / (1 - x * torch.exp(-(x + torch.exp(x))))",
    # The slope crosses zero as a difference of larger terms.
    accuracy={"gradient": 5, "gradient_scale": 0.25, "second_scale": 0.1},
)
class CoLU(ActivationLayer):
    """Layer form of `colu`."""

    def call(self, inputs):
        return colu(inputs)
