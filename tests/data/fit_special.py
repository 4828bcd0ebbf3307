"""Prints the coefficients of the fits in `keras_activations/_special.py`, and their errors.

- (exp(x) - 1) / x is a polynomial in x, for |x| < 3 / 4;
- tanh(x) is x times 1 minus a polynomial in x², for |x| < 5 / 8;
- Φ(-a) exp(a² / 2) is t times a polynomial in t - 3 / 8, with t = 2 / (2 + a);
- erf(x) is x times 1 minus a polynomial in x², for |x| < 1;
- erf(a) is a polynomial in a - 5 / 2, for 1 < a < 4, where it becomes 1 in float32.
"""

from mpmath import mp

mp.dps = 40


def over_x(x):
    return mp.expm1(x) / x


def tanh_short_of_one(square):
    x = mp.sqrt(square)
    return 1 - mp.tanh(x) / x


def over_t(u):
    t = u + mp.mpf(3) / 8
    a = 2 / t - 2
    return mp.erfc(a / mp.sqrt(2)) / 2 * mp.exp(a * a / 2) / t


def erf_short_of_one(square):
    x = mp.sqrt(square)
    return 1 - mp.erf(x) / x


def far_erf(u):
    return mp.erf(u + mp.mpf(5) / 2)


for name, function, interval, count in (
    ("_EXPM1", over_x, [-0.75, 0.75], 8),
    ("_TANH", tanh_short_of_one, [mp.mpf("1e-30"), mp.mpf(25) / 64], 6),
    ("_TAIL", over_t, [2 / mp.mpf("15.5") - 0.375, 0.625], 12),
    ("_ERF", erf_short_of_one, [mp.mpf("1e-30"), 1], 7),
    ("_FAR_ERF", far_erf, [-1.5, 1.5], 14),
):
    coefficients, error = mp.chebyfit(function, interval, count, error=True)
    print(name, *(mp.nstr(c, 12) for c in reversed(coefficients)), sep="\n    ")
    print("largest error:", mp.nstr(error, 2))
