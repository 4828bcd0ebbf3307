"""Entmax, the family of softmax and sparsemax, with a trained place between them."""

import tensorflow as tf

from keras_activations._axes import existing, integer
from keras_activations._calculus import chain_rule, real, with_gradient
from keras_activations._layers import SimplexLayer, TrainedLayer, number
from keras_activations._registry import activation, register
from keras_activations._special import expm1
from keras_activations.activations.entmax15 import shifted

SMALLEST, STEPS, ROUNDING = 1e-20, 100, {tf.float32: 5e-7, tf.float64: 1e-15}


@activation
def entmax(x, alpha=1.5, axis=-1):
    """Entmax: `max((alpha - 1) * x[i] - tau, 0)**(1 / (alpha - 1))`, whose sum is 1 for some tau.

    Softmax at `alpha=1`, sparsemax at 2; the larger `alpha`, the more entries are exactly 0. With
    a trained `alpha`, attention finds its own sparsity. For a fixed 1.5, `entmax15` is faster.
    Beyond 2, where the slope is infinite at the edge of what is 0, float32 loses digits, and from
    about 4 on any precision does. Next to 1, forward mode by `alpha` in a `tf.function` does too.

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
    # With k for alpha - 1, the result is (1 + k * (x - mu))**(1 / k), which is exp(x - mu) to
    # all digits for the smallest k, and sums to 1 for some mu from max(x) on.
    x, k = shifted(x, axis), tf.maximum(alpha - 1.0, SMALLEST)
    mu = tf.stop_gradient(_root(tf.stop_gradient(x), tf.stop_gradient(k), axis))
    # Two more of Newton's steps, which are differentiated: three times, and the result is right.
    for _ in range(2):
        mu += _step(x, mu, k, axis)
    p, _ = _power(x, mu, k)
    return p / tf.reduce_sum(p, axis, keepdims=True)


def _gradient(upstream, p, alpha, axis):
    k, positive = tf.maximum(alpha - 1.0, SMALLEST), p > 0.0
    log_p = tf.math.log(tf.where(positive, p, 1.0))
    slope = tf.where(positive, tf.exp((1.0 - k) * log_p), 0.0)
    mean = tf.reduce_sum(upstream * slope, axis, True) / tf.reduce_sum(slope, axis, True)
    # By alpha, for a fixed mu, p grows by -p * (exp(t) - 1 - t) / k**2, with t for -k * log(p); by
    # the series where the difference would cancel.
    t, series = -k * log_p, 1.0
    for n in range(18, 2, -1):
        series = 1.0 + tf.minimum(t, 1.0) / n * series
    near = 0.5 * p * tf.square(log_p) * series
    far = (slope - p * (1.0 + t)) / tf.square(tf.where(t >= 1.0, k, 1.0))
    return chain_rule(upstream - mean, (slope, -tf.where(t < 1.0, near, far)), p, alpha)


def _power(x, mu, k):
    """(1 + k * (x - mu))**(1 / k), which at x = 0 is never 0, and its derivative, for x <= 0."""
    z, zero = x - mu, tf.zeros([], x.dtype)
    outside = (k * z <= -1.0) & (x < 0.0)
    z = tf.where(outside, zero, z)
    # log(1 + w) / w is log(u) / (u - 1) for u = 1 + w rounded; the bound keeps Grappler out of it.
    u = tf.maximum(k * z - -1.0, SMALLEST)
    ratio = tf.where(tf.not_equal(u, 1.0), tf.math.divide_no_nan(tf.math.log(u), u - 1.0), 1.0)
    p = tf.where(outside, zero, tf.exp(z * ratio))
    return p, p / u


def _step(x, mu, k, axis):
    # Newton's, for (sum(p)**k - 1) / k, which is convex up to k = 1, and linear for equal p.
    total, change = (tf.reduce_sum(t, axis, keepdims=True) for t in _power(x, mu, k))
    return -total * expm1(-k * tf.math.log(total)) / (k * change)


def _root(x, k, axis):
    """The mu for which the result sums to 1, up to its rounding."""
    # Two more steps follow, of which each squares the error where the function is convex.
    rounding = tf.constant(ROUNDING[x.dtype], x.dtype)
    tolerance = tf.where(k > 1.0, rounding, 0.1 * tf.sqrt(rounding))

    def newton(low, high, mu, last, _):
        step = _step(x, mu, k, axis)
        low, high = tf.where(step > 0.0, mu, low), tf.where(step < 0.0, mu, high)
        # Where not convex, by bisection when the step leaves the bounds or is not half of the last.
        inside = (mu + step >= low) & (mu + step <= high) & (tf.abs(step) <= 0.5 * last)
        moved = tf.where((k <= 1.0) | inside, mu + step, 0.5 * (low + high))
        moving = tf.minimum(tf.abs(step), high - low) > tolerance * (1.0 + mu)
        return low, high, tf.where(moving, moved, mu), tf.abs(moved - mu), tf.reduce_any(moving)

    low = 0.0 * (tf.reduce_max(tf.zeros_like(x), axis, keepdims=True) + k)
    size = tf.cast(tf.shape(x)[axis], x.dtype)
    # The root of equal entries, which must not be outside by its rounding.
    high = low - (1.0 + rounding) * expm1(-k * tf.math.log(size)) / k
    start = (low, high, low, 4.0 * high, tf.constant(True))
    return tf.while_loop(lambda *state: state[-1], newton, start, maximum_iterations=STEPS)[2]


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
    ):
        super().__init__(axis=integer("axis", axis), **kwargs)
        number("alpha", alpha, minimum=1.0)
        self.learn("alpha", alpha, alpha_initializer, alpha_regularizer, alpha_constraint)

    def initial_weight(self, name):
        return super().initial_weight(name) - 1.0

    def call(self, inputs, mask=None):
        alpha = 1.0 + tf.convert_to_tensor(self.alpha)
        return self.masked(lambda x, axis: entmax(x, alpha, axis), inputs, mask)
