"""GoLU, a linear unit gated by Gompertz's curve."""

import tensorflow as tf

from keras_activations._calculus import elementwise
from keras_activations._layers import ActivationLayer, number
from keras_activations._registry import activation, register
from keras_activations._special import finite, scaled, scaled_exp, times, wide


@activation
def golu(x, alpha=1.0, beta=1.0, gamma=1.0):
    """Gompertz linear unit: `x * alpha * exp(-beta * exp(-gamma * x))`.

    Smooth, with a minimum of about -0.1 near -0.57, and in float32 zero below -4.5. The gate is
    not symmetric: it rises later than that of GELU or Swish, which by its paper reduces the
    variance of what passes. It reports gains over both in classification, language models,
    segmentation, detection and diffusion.

    Args:
        x: Tensor of any shape.
        alpha: Upper limit of the gate; a number, or a tensor that broadcasts against x.
        beta: Displacement of the gate along x, not negative; likewise.
        gamma: Steepness of the gate; likewise.

    Returns:
        Tensor of x's shape and dtype.

    Example:

    >>> ka.golu([-1.0, 0.0, 1.0]).numpy()
    array([-0.06598803,  0.        ,  0.6922006 ], dtype=float32)

    Reference:

    - [Das et al., 2025](https://arxiv.org/abs/2502.03654)
    """
    return elementwise(_value, _derivatives, x, alpha, beta, gamma)


def _value(x, alpha, beta, gamma):
    _, z = _exponents(x, beta, gamma)
    e, scale = scaled_exp(z, x.dtype)
    return times(x, alpha * e) * scale


def _derivatives(x, alpha, beta, gamma):
    phase, z = _exponents(x, beta, gamma)
    e, scale = scaled_exp(z, x.dtype)
    growth, x = tf.cast(tf.exp(phase), x.dtype), finite(x)
    dx = scaled(alpha, (1.0 + tf.cast(phase * z, x.dtype)) * e, scale)
    dalpha = x * e * scale
    # In an order in which nothing overflows that is multiplied by zero later.
    dgamma = x * finite(tf.cast(-z, x.dtype) * dalpha * alpha)
    return dx, dalpha, -growth * dalpha * alpha, dgamma


def _exponents(x, beta, gamma):
    """-gamma * x, and -beta times its exponential."""
    # In float64, because each exponential magnifies the rounding of its exponent; bounded, because
    # inf * 0 is not 0.
    phase = tf.clip_by_value(-wide(gamma) * wide(finite(x)), -1000.0, 80.0)
    return phase, tf.maximum(-wide(beta) * tf.exp(phase), -1000.0)


@register(
    golu,
    family="self-gated",
    formula="x * alpha * exp(-beta * exp(-gamma * x))",
    paper="Das et al., 2025",
    url="https://arxiv.org/abs/2502.03654",
    range=(-0.0972601312, float("inf")),
    monotonic=False,
    samples=({"alpha": 2.2, "beta": 0.4, "gamma": 2.5}, {"beta": 0.0}, {"gamma": 0.1}),
    torch="x * torch.exp(-torch.exp(-x))",
    # The slope crosses zero as a difference of larger terms; in float64 the exponents have no spare
    # digits.
    accuracy={"gradient_scale": 0.25, "second_scale": 0.1, "float64_value": 5e-13},
    tflite="TFLite has no arithmetic in float64.",
)
class GoLU(ActivationLayer):
    """Layer form of `golu`.

    Args:
        alpha: Upper limit of the gate.
        beta: Displacement of the gate along x, not negative.
        gamma: Steepness of the gate, positive.
    """

    def __init__(self, alpha=1.0, beta=1.0, gamma=1.0, **kwargs) -> None:
        super().__init__(**kwargs)
        self.alpha = number("alpha", alpha)
        self.beta = number("beta", beta, minimum=0.0)
        self.gamma = number("gamma", gamma, above=0.0)

    def call(self, inputs):
        return golu(inputs, self.alpha, self.beta, self.gamma)
