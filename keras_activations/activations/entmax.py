"""Entmax, the family of softmax and sparsemax, with a trained place between them."""

import tensorflow as tf

from keras_activations._axes import existing, integer
from keras_activations._calculus import chain_rule, real, with_gradient
from keras_activations._layers import SimplexLayer, TrainedLayer, number
from keras_activations._registry import activation, register
from keras_activations._special import expm1, log1p, polynomial
from keras_activations.activations.entmax15 import shifted

# Below FAR no entry is larger than 0 in any precision.
FAR, STEPS, ROUNDING = -1e4, 100, {tf.float32: 5e-7, tf.float64: 1e-15}
SERIES = [2.0 / (2 * n + 3) for n in range(16)]


@activation
def entmax(x, alpha=1.5, axis=-1):
    """Entmax: `max((alpha - 1) * x[i] - tau, 0)**(1 / (alpha - 1))`, whose sum is 1 for some tau.

    Softmax at `alpha=1`, sparsemax at 2; the larger `alpha`, the more entries are exactly 0. With
    a trained `alpha`, attention finds its own sparsity. For a fixed 1.5, `entmax15` is faster.
    Beyond 2, where the slope is infinite at the edge of what is 0, float32 loses digits.

    Args:
        x: Tensor of at least one axis.
        alpha: Number of at least 1, or a tensor that broadcasts against x and has a size of 1
            along `axis`. What falls below 1 counts as 1.
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
    axis = existing(integer("axis", axis), x)
    return with_gradient(_value, _gradient, x, *real([alpha], x), axis=axis)


def _value(x, alpha, axis):
    return _solution(x, alpha, axis)[0]


def _gradient(upstream, x, alpha, axis):
    p, slope, z, k = _solution(x, alpha, axis)
    mean = tf.reduce_sum(upstream * slope, axis, True) / tf.reduce_sum(slope, axis, True)
    # The derivative of log(p) by alpha for a fixed mu is (log(1 + w) - w / (1 + w)) / -k**2. With
    # s = w / (2 + w), by its series where the difference would cancel.
    w = k * z
    s = w / (2.0 + w)
    near = tf.square(z / (2.0 + w)) * (2.0 / (1.0 + s) + s * polynomial(tf.square(s), SERIES))
    far = (tf.math.log1p(w) - w / (1.0 + w)) / tf.square(tf.where(s < -0.4, k, 1.0))
    bend = -p * tf.where(s < -0.4, far, near)
    return chain_rule(upstream - mean, (slope, bend), x, alpha)


def _solution(x, alpha, axis):
    """The result p, its derivative by x for a fixed mu, x - mu where p is not 0, and alpha - 1.

    With k for alpha - 1, p is (1 + k * (x - mu))**(1 / k), which tends to exp(x - mu) as k goes to
    0, and sums to 1 for some mu from max(x) on.
    """
    # The smallest k gives the limit, to all digits.
    x, k = shifted(x, axis), tf.maximum(alpha - 1.0, 1e-20)
    mu = tf.stop_gradient(_root(tf.stop_gradient(x), tf.stop_gradient(k), axis))
    # Two more of Newton's steps, which are differentiated: three times, and the result is right.
    for _ in range(2):
        mu += _step(x - mu, k, axis)
    p, slope, z = _power(x - mu, k)
    total = tf.reduce_sum(p, axis, keepdims=True)
    return p / total, slope / total, z, k


def _power(z, k):
    """(1 + k * z)**(1 / k), its derivative by z, and z where they are not 0."""
    outside = tf.logical_or(k * z <= -1.0, z < FAR)
    z = tf.where(outside, tf.zeros([], z.dtype), z)
    p = tf.where(outside, tf.zeros([], z.dtype), tf.exp(log1p(k * z) / k))
    return p, p / (1.0 + k * z), z


def _step(z, k, axis):
    # Newton's, for (sum(p)**k - 1) / k, which is convex up to k = 1, and linear for equal p.
    total, change = (tf.reduce_sum(t, axis, keepdims=True) for t in _power(z, k)[:2])
    return -total * expm1(-k * tf.math.log(total)) / (k * change)


def _root(x, k, axis):
    """The mu for which the result sums to 1, up to its rounding."""

    def newton(count, low, high, mu, _):
        step = _step(x - mu, k, axis)
        low, high = tf.where(step > 0.0, mu, low), tf.where(step < 0.0, mu, high)
        # By bisection where Newton's step leaves the bounds, and at times in any case.
        inside = tf.logical_and(mu + step >= low, mu + step <= high)
        moved = tf.where(tf.logical_and(inside, count % 4 < 3), mu + step, 0.5 * (low + high))
        moving = tf.minimum(tf.abs(step), high - low) > ROUNDING[x.dtype] * (1.0 + mu)
        return count + 1, low, high, tf.where(moving, moved, mu), tf.reduce_any(moving)

    low = 0.0 * (tf.reduce_max(tf.zeros_like(x), axis, keepdims=True) + k)
    high = low - expm1(-k * tf.math.log(tf.cast(tf.shape(x)[axis], x.dtype))) / k
    start = (tf.constant(0), low, high, low, tf.constant(True))
    return tf.while_loop(lambda *state: state[-1], newton, start, maximum_iterations=STEPS)[3]


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
