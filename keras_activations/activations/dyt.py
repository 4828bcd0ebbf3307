"""DyT, dynamic tanh, which takes the place of a normalization layer."""

import tensorflow as tf

from keras_activations._calculus import elementwise
from keras_activations._layers import ChannelwiseLayer
from keras_activations._registry import activation, register
from keras_activations._special import finite, near_tanh, scaled, scaled_exp, wide


@activation
def dyt(x, alpha=0.5, gamma=1.0, beta=0.0):
    """Dynamic tanh: `gamma * tanh(alpha * x) + beta`.

    Put in the place of layer normalization or RMSNorm: squashes extreme activations as they do,
    but each element by itself, without statistics. Its paper reports transformers for vision,
    speech, language and DNA that match or exceed their normalized counterparts.

    Args:
        x: Tensor of any shape.
        alpha: Scale of x; a number, or a tensor that broadcasts against x.
        gamma: Scale of the result; likewise.
        beta: Offset of the result; likewise.

    Returns:
        Tensor of x's shape and dtype.

    Example:

    >>> ka.dyt([-2.0, 0.0, 2.0]).numpy()
    array([-0.7615942,  0.       ,  0.7615942], dtype=float32)

    Reference:

    - [Zhu et al., 2025](https://arxiv.org/abs/2503.10622)
    """
    return elementwise(_value, _derivatives, x, alpha, gamma, beta)


def _value(x, alpha, gamma, beta):
    return gamma * tf.tanh(alpha * finite(x)) + beta


def _derivatives(x, alpha, gamma, beta):
    x = finite(x)
    t = tf.tanh(alpha * x)
    # The exponent in float64, because the exponential magnifies its rounding.
    z = tf.clip_by_value(wide(alpha) * wide(x), -1e4, 1e4)
    e, scale = scaled_exp(2.0 * tf.minimum(-z, z), x.dtype)
    far = 4.0 * gamma / tf.square(1.0 + e * scale) * e
    # In the middle by tanh, whose own slope there keeps the digits of the second derivative.
    near = gamma * (1.0 - tf.square(near_tanh(alpha * x)))
    slope = tf.where(tf.abs(alpha * x) < 0.5, near, far)
    return scaled(alpha, slope, scale), slope * x * scale, t, tf.ones_like(x)


@register(
    dyt,
    family="learned",
    formula="gamma * tanh(alpha * x) + beta",
    paper="Zhu et al., 2025",
    url="https://arxiv.org/abs/2503.10622",
    range=(-1.0, 1.0),
    monotonic=True,
    samples=(
        {"alpha": 0.3, "gamma": 1.5, "beta": -0.25},
        {"alpha": -2.0, "gamma": -0.5, "beta": 0.1},
        {"alpha": 0.0, "gamma": 0.0},
        {"alpha": 20.0, "gamma": 3.0},
    ),
    torch="torch.tanh(0.5 * x)",
    # TensorFlow's tanh is rounded several times, and beta added to it. The slope is a product of
    # six factors.
    accuracy={"value": 6, "value_scale": 1.0, "gradient": 6},
)
class DyT(ChannelwiseLayer):
    """Layer form of `dyt`, which trains all three parameters.

    As in the paper, `gamma` and `beta` vary along `axis`, and `alpha` is one number for the layer.

    Args:
        alpha: Initial scale of x.
        gamma: Initial scale of the result.
        beta: Initial offset of the result.
        axis: Axis or axes along which `gamma` and `beta` vary; None for a single pair.
        alpha_initializer: Keras initializer used instead of `alpha`.
        alpha_regularizer: Keras regularizer of `alpha`.
        alpha_constraint: Keras constraint on `alpha`.
        gamma_initializer: Keras initializer used instead of `gamma`.
        gamma_regularizer: Keras regularizer of `gamma`.
        gamma_constraint: Keras constraint on `gamma`.
        beta_initializer: Keras initializer used instead of `beta`.
        beta_regularizer: Keras regularizer of `beta`.
        beta_constraint: Keras constraint on `beta`.
    """

    shared = ("alpha",)

    def __init__(
        self,
        alpha=0.5,
        gamma=1.0,
        beta=0.0,
        axis=-1,
        alpha_initializer=None,
        alpha_regularizer=None,
        alpha_constraint=None,
        gamma_initializer=None,
        gamma_regularizer=None,
        gamma_constraint=None,
        beta_initializer=None,
        beta_regularizer=None,
        beta_constraint=None,
        **kwargs,
    ) -> None:
        super().__init__(axis=axis, **kwargs)
        self.learn("alpha", alpha, alpha_initializer, alpha_regularizer, alpha_constraint)
        self.learn("gamma", gamma, gamma_initializer, gamma_regularizer, gamma_constraint)
        self.learn("beta", beta, beta_initializer, beta_regularizer, beta_constraint)

    def call(self, inputs):
        return dyt(inputs, self.alpha, self.gamma, self.beta)
