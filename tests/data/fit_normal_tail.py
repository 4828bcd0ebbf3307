"""Prints the coefficients of `_TAIL` in `keras_activations/_special.py`, and their error.

Φ(-a) exp(a² / 2) is t times a polynomial in t - 3 / 8, with t = 2 / (2 + a).
"""

from mpmath import mp

mp.dps = 40


def over_t(u):
    t = u + mp.mpf(3) / 8
    a = 2 / t - 2
    return mp.erfc(a / mp.sqrt(2)) / 2 * mp.exp(a * a / 2) / t


coefficients, error = mp.chebyfit(over_t, [2 / mp.mpf("15.5") - 0.375, 0.625], 12, error=True)
print("\n".join(mp.nstr(c, 12) for c in reversed(coefficients)))
print("largest error:", mp.nstr(error, 2))
