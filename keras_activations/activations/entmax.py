"""Entmax, the family of softmax and sparsemax, with a trained place between them."""

import tensorflow as tf

from keras_activations._axes import existing, integer
from keras_activations._calculus import chain_rule, real, with_gradient
from keras_activations._layers import SimplexLayer, TrainedLayer, number
from keras_activations._powers import SMALLEST, mean, powers_of_sum_one
from keras_activations._registry import activation, register
from keras_activations._special import finite
from keras_activations.activations.entmax15 import shifted


@activation
def entmax(x, alpha=1.5, axis=-1):
    """Entmax: `max((alpha - 1) * x[i] - tau, 0)**(1 / (alpha - 1))`, whose sum is 1 for some tau.

    Softmax at `alpha=1`, sparsemax at 2; the larger `alpha`, the more entries are exactly 0. With
    a trained `alpha`, attention finds its own sparsity. For a fixed 1.5, `entmax15` is faster.
    Beyond 2 the slope is infinite at the edge of what is 0. By `alpha`, forward mode inside a
    `tf.function` loses digits next to 1, and is 0 at 1.

    Args:
        x: Tensor of at least one axis.
        alpha: Number or tensor that broadcasts against x, of size 1 along `axis`; at least 1.
        axis: The axis along which the result sums to 1.

    Returns:
        Tensor of x's shape and dtype.

    Raises:
        ValueError: If there is no such axis.

    Example:

    >>> ka.entmax([-2.0, 0.0, 0.5], alpha=1.5).numpy()
    array([0.        , 0.32600737, 0.67399263], dtype=float32)

    Reference:

    - [Peters, Niculae and Martins, 2019](https://arxiv.org/abs/1905.05702)
    - [Correia, Niculae and Martins, 2019](https://arxiv.org/abs/1909.00015), for its `alpha`
    """
    axis = existing(axis, x)
    return with_gradient(_value, _gradient, x, *real([alpha], x), of_result=True, axis=axis)


def _value(x, alpha, axis):
    k = tf.maximum(alpha - 1.0, SMALLEST)
    p = powers_of_sum_one(shifted(x, axis), k, axis)
    return p / tf.reduce_sum(p, axis, keepdims=True)


def _gradient(upstream, p, alpha, axis):
    k, positive = tf.maximum(alpha - 1.0, SMALLEST), p > 0.0
    log_p = tf.math.log(tf.where(positive, p, 1.0))
    slope = finite(tf.where(positive, tf.exp((1.0 - k) * log_p), 0.0))
    # Less that of the steepest entry, which nearly is the mean where the others hardly count.
    steepest = tf.cast(tf.equal(slope, tf.reduce_max(slope, axis, keepdims=True)), p.dtype)
    upstream -= tf.stop_gradient(mean(upstream, steepest, axis))
    upstream -= mean(upstream, slope, axis)
    # By alpha, for a fixed mu, p grows by -p * (exp(t) - 1 - t) / k**2, with t for -k * log(p); by
    # the series where the difference would cancel.
    t, series = -k * log_p, 1.0
    for n in range(18, 2, -1):
        series = 1.0 + tf.minimum(t, 1.0) / n * series
    near = 0.5 * p * tf.square(log_p) * series
    far = (slope - p * (1.0 + t)) / tf.square(tf.where(t >= 1.0, k, 1.0))
    return chain_rule(upstream, (slope, -tf.where(t < 1.0, near, far)), p, alpha)


@register(
    entmax,
    family="simplex",
    formula=(
        "[p(t - mu) for p in [lambda z: exp(z) if alpha == 1 else "
        "exp(log1p((alpha - 1) * z) / (alpha - 1)) if (alpha - 1) * z > -1 else 0] "
        "for mu in [root(lambda mu: sum(p(t - mu) for t in x) - 1, max(x), max(x) + len(x))] "
        "for t in x]"
    ),
    paper="Peters, Niculae and Martins, 2019",
    url="https://arxiv.org/abs/1905.05702",
    range=(0.0, 1.0),
    samples=({"alpha": 1.0}, {"alpha": 1.125}, {"alpha": 2.0}, {"alpha": 3.0}),
)
class Entmax(SimplexLayer, TrainedLayer):
    """Layer form of `entmax`, which trains one `alpha - 1`, at 0 or more. Masked entries are 0.

    The trained value is `1 + layer.alpha`.

    Args:
        alpha: Initial `alpha`, of at least 1.
        axis: The axis along which the result sums to 1.
        alpha_initializer: Keras initializer of the variable, used instead of `alpha`.
        alpha_regularizer: Keras regularizer of the variable.
        alpha_constraint: Keras constraint on the variable.
    """

    def __init__(
        self,
        alpha=1.5,
        axis=-1,
        alpha_initializer=None,
        alpha_regularizer=None,
        alpha_constraint="non_neg",
        **kwargs,
    ) -> None:
        super().__init__(axis=integer("axis", axis), **kwargs)
        number("alpha", alpha, minimum=1.0)
        self.learn("alpha", alpha, alpha_initializer, alpha_regularizer, alpha_constraint)

    def initial_weight(self, name):
        return super().initial_weight(name) - 1.0

    def call(self, inputs, mask=None):
        alpha = 1.0 + tf.convert_to_tensor(self.alpha)
        return self.masked(lambda x, axis: entmax(x, alpha, axis), inputs, mask)
