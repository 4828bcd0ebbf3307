"""Exponentials and their kin, where TensorFlow's own lose digits or time.

In float32 they are right to a few units in the last place over the whole range, and made of plain
arithmetic and `exp`, which XLA vectorizes and which every format of exported models has. In float64
they lean on TensorFlow's own.
"""

import contextlib
import contextvars
import dataclasses
import math
from collections.abc import Iterator
from typing import Any

import tensorflow as tf

Tensor = Any

# (exp(x) - 1) / x in x, for |x| < 3 / 4 (`tests/data/fit_special.py`).
_EXPM1 = [
    0.999999997823,
    0.499999999783,
    0.166666790522,
    0.0416666790315,
    0.00833223334017,
    0.00138877905813,
    0.000201534788259,
    2.51134303174e-5,
]
# 1 - tanh(x) / x in x², for |x| < 5 / 8, from the same program.
_TANH = [
    3.97727825705e-9,
    0.333332598629,
    -0.133311140557,
    0.0537201076566,
    -0.0205881914546,
    0.00565713518438,
]
# The series of atanh(s) / s in (2 s)².
_ATANH = [1.0 / ((2 * n + 1) * 4**n) for n in range(8)]
# (atan(t) / t - 1) / t² in t², for |t| <= tan(π / 8), from Cephes (Moshier, 1992).
_ATAN = [-0.333329491539, 0.199777106478, -0.138776856032, 0.0805374449538]
# The series of 3.140625 - sin(π r) / r, because π itself would be rounded, and of cos(π r) in r².
_NEAR_PI = 3.140625
_SINE = [-((-1.0) ** n) * math.pi ** (2 * n + 1) / math.factorial(2 * n + 1) for n in range(5)]
_SINE[0] += _NEAR_PI
_COSINE = [(-1.0) ** n * math.pi ** (2 * n) / math.factorial(2 * n) for n in range(6)]
# Φ(-a) exp(a² / 2) over t = 2 / (2 + a), which is smooth to a = ∞, in t - 3 / 8, whose powers lose
# little of the sum at either end, likewise.
_TAIL = [
    0.295960819092,
    0.310291406064,
    0.110033772312,
    -0.126362516933,
    -0.0802411191262,
    0.125242588265,
    0.0310930412289,
    -0.155343883594,
    0.0708868174533,
    0.115413630629,
    -0.163875055752,
    0.0649675975105,
]
# 1 - erf(x) / x in x², for |x| < 1, likewise.
_ERF = [
    -0.128379165848,
    0.376126266667,
    -0.112835947152,
    0.0268542120106,
    -0.00518908742343,
    0.000801686428717,
    -7.87587506269e-5,
]
# erf(a) in a - 5 / 2, for 1 < a < 4, likewise.
_FAR_ERF = [
    0.999593079003,
    0.00217826968746,
    -0.0054470603333,
    0.00835072416855,
    -0.00861282644172,
    0.00611279184081,
    -0.00282367147286,
    0.000554790738423,
    0.000291932588788,
    -0.000266517317331,
    5.94389285842e-5,
    1.63092955451e-5,
    -8.7130073351e-6,
    6.96172960344e-7,
]
# 1 / π in two parts.
_PER_PI = (1.0 / math.pi, -1.9678676675182486e-17)
# Beyond it no exponent makes a difference, and no product of halves overflows before.
_LARGE = 1e34
# Whether the result has 16 bits.
_NARROW = contextvars.ContextVar("narrow", default=False)


def polynomial(x: Tensor, coefficients: list[float]) -> Tensor:
    """The sum of coefficients[n] * x**n, two of them at least."""
    total = coefficients[-1] * x + coefficients[-2]
    for coefficient in coefficients[-3::-1]:
        total = total * x + coefficient
    return total


@contextlib.contextmanager
def rounded_to(dtype: tf.DType) -> Iterator[None]:
    """Says in what precision the result is wanted of what is computed herein."""
    token = _NARROW.set(dtype.size == 2)
    try:
        yield
    finally:
        _NARROW.reset(token)


def wide(x: Tensor) -> Tensor:
    """x in float64, for an exponent, whose rounding error the function magnifies.

    For a result of 16 bits x as it is, because what float32 loses does not show in it, and many
    GPUs are slow in float64.
    """
    return x if _NARROW.get() else tf.cast(x, tf.float64)


@dataclasses.dataclass(frozen=True)
class DoubleWord:
    """The sum of two numbers of one precision: an exponent or a phase of about twice its digits.

    An exponential magnifies the rounding of its exponent, a wave that of its phase. This holds what
    rounding took, and needs no precision that TFLite and some accelerators do not have.

    Attributes:
        high: The sum, rounded.
        low: What rounding took from it, or None for nothing.
    """

    high: Tensor
    low: Any = None

    def __neg__(self) -> "DoubleWord":
        return DoubleWord(-self.high, None if self.low is None else -self.low)

    def __add__(self, other: "DoubleWord") -> "DoubleWord":
        total = self.high + other.high
        part = total - self.high
        rest = (self.high - (total - part)) - (part - other.high)
        return DoubleWord(total, _sum(tf.stop_gradient(rest), self.low, other.low))

    def __sub__(self, other: "DoubleWord") -> "DoubleWord":
        return self + -other

    def __mul__(self, other: "DoubleWord") -> "DoubleWord":
        a, b = self.high, other.high
        # The bounds keep compilers from making one operation, of one rounding, of the product and
        # a sum that it is part of.
        product = tf.clip_by_value(a * b, -_LARGE, _LARGE)
        (a_high, a_low), (b_high, b_low) = _halves(a), _halves(b)
        # What rounding took (Dekker, 1971). By differences, because Grappler gathers sums of sums
        # in operations that are left out of the kernel.
        rest = a_low * b_low - (((product - a_high * b_high) - a_low * b_high) - a_high * b_low)
        rest = tf.stop_gradient(tf.where(tf.abs(product) < _LARGE, rest, 0.0))
        cross = (x * y for x, y in ((a, other.low), (b, self.low)) if y is not None)
        return DoubleWord(product, _sum(rest, *cross))

    def __truediv__(self, other: "DoubleWord") -> "DoubleWord":
        quotient = DoubleWord(self.high / other.high)
        product = quotient * other
        rest = _sum(self.high - product.high, -product.low, self.low)
        return DoubleWord(quotient.high, tf.stop_gradient(rest / other.high))

    def times(self, power: float) -> "DoubleWord":
        """The product with a power of two."""
        return DoubleWord(self.high * power, None if self.low is None else self.low * power)

    def clip(self, least: float, most: float) -> "DoubleWord":
        """This, or the nearer of two bounds."""
        high = tf.clip_by_value(self.high, least, most)
        if self.low is None:
            return DoubleWord(high)
        return DoubleWord(high, tf.where(tf.equal(high, self.high), self.low, 0.0))

    def where(self, condition: Tensor, other: "DoubleWord") -> "DoubleWord":
        """This where the condition holds, else the other."""
        zero = tf.zeros([], self.high.dtype)
        lows = (zero if low is None else low for low in (self.low, other.low))
        return DoubleWord(tf.where(condition, self.high, other.high), tf.where(condition, *lows))


def double_word(x: Any, dtype: Any = None) -> DoubleWord:
    """A tensor, or a Python number in a precision, of no more than 1e30."""
    if isinstance(x, float):
        high = float(dtype.as_numpy_dtype(x))
        return DoubleWord(
            tf.constant(high, dtype), tf.constant(x - high, dtype) if x != high else None
        )
    # Bounded, because infinity times zero is not zero.
    return DoubleWord(tf.clip_by_value(x, -1e30, 1e30))


def falling(z: DoubleWord) -> DoubleWord:
    """`-abs(z)`, as an exponent."""
    size = z.where(z.high < 0.0, -z)
    # Where the exponential is 0, the lower word may be infinite, and inf * 0 is not 0.
    return DoubleWord(size.high, tf.where(size.high > -1000.0, size.low, 0.0))


def minus_abs(below: Tensor, factor: Any, x: Tensor) -> Tensor:
    """`-abs(factor * x)`, beside its exponential; `below` says where the product is negative."""
    # Not the exponent itself, because XLA stores what stands before an exponential and after it.
    # Bounded as that is, and further, because inf * 0 is not 0.
    z = double_word(factor, x.dtype).high * double_word(x).high
    z = tf.clip_by_value(z, -1e4, 1e4)
    return tf.where(below, z, -z)


def _halves(x: Tensor) -> tuple[Tensor, Tensor]:
    """Two numbers of half of the digits, whose sum is x."""
    shifted = x * (2.0**27 + 1.0 if x.dtype == tf.float64 else 2.0**12 + 1.0)
    high = shifted - (shifted - x)
    return high, x - high


def _sum(first: Tensor, *others: Any) -> Tensor:
    given = [other for other in others if other is not None]
    # Two by differences, for the reason that products have.
    return first - (-given[0] - given[1]) if len(given) == 2 else sum(given, start=first)


def times(x: Tensor, factor: Tensor) -> Tensor:
    """`x * factor`, which is 0 where the factor is, even if x is infinite."""
    product = x * factor
    nothing = tf.logical_and(tf.math.is_nan(product), tf.equal(factor, 0.0))
    return tf.where(nothing, tf.zeros([], x.dtype), product)


def finite(x: Tensor) -> Tensor:
    """x, with the largest number in place of infinity, because infinity times zero is not zero."""
    return tf.clip_by_value(x, x.dtype.min, x.dtype.max)


def bounded(x: Tensor) -> Tensor:
    """x, no larger than matters in a product with exp(-abs(x))."""
    return tf.clip_by_value(x, -1e4, 1e4)


def scaled_exp(z: Any, dtype: tf.DType) -> tuple[Tensor, Tensor]:
    """Two factors of exp(z) in the precision `dtype`, for z <= 0, finite if of another precision.

    The first is never so small that TensorFlow makes it zero where a product with it is not. Their
    product is to be formed last.
    """
    if not isinstance(z, DoubleWord):
        high = tf.cast(z, dtype)
        z = DoubleWord(high, None if z.dtype == dtype else tf.cast(z - wide(high), dtype))
    deep = z.high < -64.0
    e = tf.exp(tf.where(deep, z.high + 32.0, z.high))
    if z.low is not None:
        e += e * z.low
    return e, tf.where(deep, tf.constant(math.exp(-32.0), dtype), 1.0)


def scaled(factor: Any, e: Tensor, scale: Tensor) -> Tensor:
    """`factor * e * scale`, where the factor is a number or a scalar tensor, and e a tensor."""
    # The factor with each scale, or Grappler would move it behind their product, or the scale
    # before: then the lower tail is 0.
    return e * tf.where(scale < 1.0, factor * scale, factor)


def times_exp(factor: Any, z: Tensor) -> Tensor:
    """`factor * exp(z)` for z <= 0."""
    return scaled(factor, *scaled_exp(z, z.dtype))


def expm1(x: Tensor) -> Tensor:
    """`exp(x) - 1`."""
    if x.dtype == tf.float64:
        return tf.math.expm1(x)
    # By a polynomial where the difference would cancel.
    near = tf.clip_by_value(x, -0.75, 0.75)
    return tf.where(tf.equal(near, x), near * polynomial(near, _EXPM1), exp_minus_one(x))


def exp_minus_one(x: Tensor) -> Tensor:
    """`exp(x) - 1`, where it does not cancel."""
    # Not as a difference, which Grappler would replace by TensorFlow's own expm1.
    return tf.exp(x) + -1.0


def times_log1p_exp(factor: Any, z: Any, dtype: tf.DType) -> Tensor:
    """`factor * log(1 + exp(z))` in the precision `dtype`, for z <= 0."""
    e, scale = scaled_exp(z, dtype)
    if dtype == tf.float64:
        return factor * tf.math.log1p(e * scale)
    return scaled(factor, log1p_over(e * scale) * e, scale)


def log1p_over(w: Tensor) -> Tensor:
    """`log(1 + w) / w` for -0.5 <= w <= 1, and 1 at w = 0."""
    if w.dtype == tf.float64:
        some = tf.not_equal(w, 0.0)
        safe = tf.where(some, w, 1.0)
        return tf.where(some, tf.math.log1p(safe) / safe, 1.0 - 0.5 * w)
    # 2 atanh(s), with w / (2 + w) for s. Two quotients, because XLA stores one that serves twice.
    return polynomial(tf.square(w / (1.0 + 0.5 * w)), _ATANH) / (1.0 + 0.5 * w)


def log1p(x: Tensor) -> Tensor:
    """`log(1 + x)` for x >= -1."""
    if x.dtype == tf.float64:
        return tf.math.log1p(x)
    near = tf.clip_by_value(x, -0.5, 1.0)
    # Not as a sum, of which Grappler would make TensorFlow's own log1p, slow under XLA.
    return tf.where(tf.equal(near, x), near * log1p_over(near), tf.math.log(x - -1.0))


def sigmoid(x: Tensor) -> Tensor:
    """`1 / (1 + exp(-x))`."""
    e = tf.exp(tf.minimum(-x, x))
    return tf.where(x < 0.0, e, 1.0) / (1.0 + e)


def tanh(x: Tensor) -> Tensor:
    """The hyperbolic tangent."""
    if x.dtype == tf.float64:
        return tf.tanh(x)
    # By a polynomial where the difference would cancel.
    e = tf.exp(-2.0 * tf.abs(x))
    far = tf.where(x < 0.0, e + -1.0, 1.0 - e) / (1.0 + e)
    return tf.where(tf.abs(x) < 0.625, near_tanh(x), far)


def near_tanh(x: Tensor) -> Tensor:
    """The hyperbolic tangent for -5 / 8 < x < 5 / 8."""
    if x.dtype == tf.float64:
        return tf.tanh(x)
    near = tf.clip_by_value(x, -0.625, 0.625)
    return near * (1.0 - polynomial(tf.square(near), _TANH))


def atan(x: Tensor) -> Tensor:
    """The arctangent, of arithmetic that XLA vectorizes, as it does not its own."""
    if x.dtype == tf.float64:
        return tf.atan(x)
    # atan(a) = atan(b) + atan((a - b) / (1 + a b)) with b = 0, 1 or infinity, and a series.
    a = tf.abs(x)
    middle, far = a > math.tan(math.pi / 8.0), a > math.tan(math.pi * 3.0 / 8.0)
    t = tf.where(far, tf.constant(-1.0, x.dtype), tf.where(middle, a - 1.0, a))
    # As a product, because XLA stores a quotient that serves twice.
    t *= 1.0 / tf.where(far, a, tf.where(middle, a + 1.0, 1.0))
    square = tf.square(t)
    quarter = tf.constant(math.pi / 4.0, x.dtype)
    # By differences, for the reason that products of double words have.
    y = tf.where(far, 2.0 * quarter, tf.where(middle, quarter, 0.0))
    y -= -t - t * (square * polynomial(square, _ATAN))
    return tf.where(x > 0.0, y, tf.where(x < 0.0, -y, x))


def erf(x: Tensor) -> Tensor:
    """The error function, for values. TensorFlow has an operation for it, but TFLite has none."""
    if x.dtype == tf.float64:
        return _plain_erf(x)
    # By two polynomials, because the first would cancel far out, and the second near zero; beyond 4
    # it is 1. Their slope is off by 1e-6.
    x = tf.clip_by_value(x, -4.0, 4.0)
    size = tf.abs(x)
    near = x * (1.0 - polynomial(tf.square(x), _ERF))
    far = polynomial(size - 2.5, _FAR_ERF)
    return tf.where(size < 1.0, near, tf.where(x < 0.0, -far, far))


def smooth_erf(x: Tensor) -> Tensor:
    """The error function, with TensorFlow's slope, for derivatives."""
    # By a difference, because a gradient of its own would stand in a gradient, which exported
    # models do not hold.
    y = _plain_erf(x)
    return y + tf.stop_gradient(erf(x) - y)


def _plain_erf(x: Tensor) -> Tensor:
    # Bounded, because TensorFlow's squares what it is given.
    return tf.math.erf(tf.clip_by_value(x, -30.0, 30.0))


def normal_tail(a: Tensor) -> Tensor:
    """`Φ(-a) * exp(a**2 / 2)`, with the normal distribution function Φ, for a >= 0.

    In float32 up to 15, beyond which the tail itself is smaller than the smallest number.
    """
    if a.dtype == tf.float32:
        t = 2.0 / (2.0 + a)
        return t * polynomial(t - 0.375, _TAIL)
    near, far = tf.minimum(a, 6.0), tf.maximum(a, 6.0)
    fraction = far
    for n in range(30, 0, -1):
        fraction = far + n / fraction
    tail = 0.5 * tf.math.erfc(near * math.sqrt(0.5)) * tf.exp(0.5 * tf.square(near))
    return tf.where(a < 6.0, tail, 1.0 / (math.sqrt(2.0 * math.pi) * fraction))


def phase(x: Tensor, frequency: Any = 1.0) -> DoubleWord:
    """`frequency * x / π`, a phase in half turns, for the waves below.

    Not rounded, because a wave magnifies the rounding of its phase, up to 2**21 half turns, or
    2**50 in float64. Beyond, and at infinity, it is a whole number of turns.
    """
    half_turn = double_word(_PER_PI[0], x.dtype) + double_word(_PER_PI[1], x.dtype)
    half_turns = double_word(frequency, x.dtype) * half_turn
    farthest = 2.0**50 if x.dtype == tf.float64 else 2.0**21
    z = half_turns * double_word(x)
    high = tf.clip_by_value(z.high, -farthest, farthest)
    # Of tiny numbers, parts of the lower word vanish, and the rest is wrong.
    none = tf.logical_or(tf.abs(high) < 1e-20, tf.abs(high) >= farthest)
    return DoubleWord(high, tf.where(none, tf.zeros([], x.dtype), z.low))


def sin(z: DoubleWord, dtype: Any = None) -> Tensor:
    """`sin(π * z)`, in the precision `dtype` if that is not z's own."""
    return _turned_sine(z, 0.0, dtype or z.high.dtype)


def cos(z: DoubleWord, dtype: Any = None) -> Tensor:
    """`cos(π * z)`, likewise."""
    return _turned_sine(z, 1.0, dtype or z.high.dtype)


def _turned_sine(z: DoubleWord, quarters: float, dtype: tf.DType) -> Tensor:
    """sin(π z + quarters π / 2), by a series of either parity, each the other's derivative."""
    turned = tf.round(2.0 * (z.high + z.low))
    r = tf.cast((z.high - 0.5 * turned) + z.low, dtype)
    quadrant = turned + quarters
    quadrant = tf.cast(quadrant - 4.0 * tf.floor(0.25 * quadrant), dtype)
    odd = tf.equal(quadrant, 1.0) | tf.equal(quadrant, 3.0)
    if dtype == tf.float64:
        wave = tf.where(odd, tf.cos(math.pi * r), tf.sin(math.pi * r))
    else:
        # The bound, which is never reached, keeps Grappler from adding the constants up.
        even = r * (_NEAR_PI - tf.maximum(polynomial(tf.square(r), _SINE), -1.0))
        wave = tf.where(odd, polynomial(tf.square(r), _COSINE), even)
    return tf.where(quadrant < 1.5, wave, -wave)


def reciprocal(x: Tensor) -> Tensor:
    """`1 / x`, and 0 at 0."""
    # Grappler turns the quotient itself into Eigen's reciprocal, which has 1 / 1 below 1, and loses
    # half of the digits beyond 1e34.
    return tf.math.divide_no_nan(tf.ones([], x.dtype), x)
