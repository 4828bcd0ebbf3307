"""Powers that sum to 1: the tau of `max(k * x - tau, 0)**(1 / k)`, to all digits for any k."""

import tensorflow as tf

from keras_activations._special import expm1

SMALLEST, STEPS, TOLERANCE = 1e-20, 100, {tf.float32: 7e-5, tf.float64: 3e-9}


def powers_of_sum_one(x, k, axis):
    """`max(k * x - tau, 0)**(1 / k)`, whose sum along the axis is 1 up to rounding.

    Args:
        x: Tensor in float32 or float64, whose largest entry along the axis is 0.
        k: Tensor that broadcasts against x, of size 1 along the axis; positive. For the smallest k
            the result is that of its limit, `exp(x - mu)`.
        axis: The axis.

    Returns:
        Tensor of the shape of both.
    """
    steep = k > 1.0
    return tf.cond(
        tf.reduce_any(steep),
        lambda: tf.where(
            steep,
            _from_the_smallest(x, tf.maximum(k, 1.0), axis),
            _from_the_largest(x, tf.minimum(k, 1.0), axis),
        ),
        lambda: _from_the_largest(x, k, axis),
    )


def _from_the_largest(x, k, axis):
    """(1 + k * (x - mu))**(1 / k), with the mu for which it sums to 1, for 0 < k <= 1."""
    # It is exp(x - mu) to all digits for the smallest k. The start is max(x), where the sum is too
    # large, in the shape in which k may broadcast x.
    start = 0.0 * (tf.reduce_max(tf.zeros_like(x), axis, keepdims=True) + k)
    return _power(x, _newton(_step, start, axis, x, k), k)[0]


def _step(mu, axis, x, k):
    # Newton's, for (sum(p)**k - 1) / k, which is convex up to k = 1, and linear for equal p.
    total, change = (_sum(t, axis) for t in _power(x, mu, k))
    return -total * expm1(-k * tf.math.log(total)) / (k * change)


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


def _from_the_smallest(x, k, axis):
    """(excess + least**k)**(1 / k), with the least result for which it sums to 1, for k >= 1.

    The excess is k times that of x over the smallest x of which the result is not 0. From the
    largest x, the digits of what is small would be lost, where the slope is infinite.
    """
    edge = _edge(tf.stop_gradient(x), tf.stop_gradient(k), axis)
    at_edge = tf.cast(tf.equal(x, edge), x.dtype)
    zero = tf.zeros([], x.dtype)
    excess = k * (x - mean(tf.maximum(x, edge), at_edge, axis))
    excess = tf.where(x < edge, zero - 1.0, tf.where(x > edge, excess, zero))
    start = (1.0 - _sum(_root(excess, k), axis)) / _sum(at_edge, axis)
    start = tf.where(start <= 0.0, tf.constant(SMALLEST, x.dtype), start)  # By the mean's rounding.
    return _norm(excess, _newton(_norm_step, start, axis, excess, k), k)[0]


def _norm_step(least, axis, excess, k):
    # Newton's, for the sum of what are norms, and so convex. Only rounding leads it to 0, or below.
    total, change = (_sum(t, axis) for t in _norm(excess, least, k))
    return tf.maximum((1.0 - total) / change, -0.999999 * least)


def _norm(excess, least, k):
    """(excess + least**k)**(1 / k), which is 0 for a negative excess, and its derivative."""
    # Not by its power where the excess is 0, because that may underflow.
    above, equal = excess > 0.0, tf.equal(excess, 0.0)
    power = tf.exp(k * tf.math.log(least))
    u = tf.where(above, excess + power, tf.zeros([], excess.dtype))
    p = tf.where(equal, least, _root(u, k))
    slope = tf.math.divide_no_nan(p, u) * (power / least)
    return p, tf.where(equal, tf.ones([], excess.dtype), slope)


def _root(x, k):
    """x**(1 / k), which is 0 for x <= 0."""
    some = x > 0.0
    root = tf.exp(tf.math.log(tf.where(some, x, tf.ones([], x.dtype))) / k)
    return tf.where(some, root, tf.zeros([], x.dtype))


def _edge(x, k, axis):
    """The smallest x of which the result is not 0."""

    def halved(low, high, _):
        # An entry near the middle: the first from there on, else the last before it.
        middle = 0.5 * (low + high)
        above = tf.where((x >= middle) & (x < high), x, high)
        above = tf.reduce_min(above, axis, keepdims=True)
        below = tf.where((x < middle) & (x > low), x, low)
        below = tf.reduce_max(below, axis, keepdims=True)
        entry = tf.where(above < high, above, below)
        moved = entry > low
        positive = moved & (_sum(_root(k * (x - entry), k), axis) < 1.0)
        low, high = tf.where(positive, low, entry), tf.where(positive, entry, high)
        return low, high, tf.reduce_any(moved)

    high = tf.reduce_max(x, axis, keepdims=True) + 0.0 * k
    start = (high - 1.0 / k, high, tf.constant(True))
    return tf.while_loop(lambda *state: state[-1], halved, start)[1]


def _newton(step, start, axis, *given):
    """Where Newton's steps lead, for a function that is convex."""
    fixed = [tf.stop_gradient(t) for t in given]
    tolerance = TOLERANCE[start.dtype]

    def moved(at, _):
        change = step(at, axis, *fixed)
        moving = tf.abs(change) > tolerance * (1.0 + at)
        return tf.where(moving, at + change, at), tf.reduce_any(moving)

    start = (tf.stop_gradient(start), tf.constant(True))
    at, _ = tf.while_loop(lambda _, moving: moving, moved, start, maximum_iterations=STEPS)
    # Each of two more squares the error. These are differentiated, and the third derivative is
    # right, too.
    for _ in range(2):
        at += step(at, axis, *given)
    return at


def mean(x, weight, axis):
    """The weighted mean along the axis, which keeps the size 1."""
    return _sum(x * weight, axis) / _sum(weight, axis)


def _sum(x, axis):
    return tf.reduce_sum(x, axis, keepdims=True)
