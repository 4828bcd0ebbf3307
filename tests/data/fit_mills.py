"""Prints the coefficients of `_MILLS` in `keras_activations/_special.py`, and their error.

The Mills ratio M(a) = Φ(-a) / φ(a) is t times a polynomial in t = 1 / (1 + a / 4).
"""

from mpmath import mp

mp.dps = 40


def over_t(t):
    a = 4 * (1 / t - 1)
    return mp.sqrt(mp.pi / 2) * mp.erfc(a / mp.sqrt(2)) * mp.exp(a * a / 2) / t


coefficients, error = mp.chebyfit(over_t, [1 / mp.mpf("4.5"), 1], 10, error=True)
print("\n".join(mp.nstr(c, 12) for c in reversed(coefficients)))
print("largest error:", mp.nstr(error, 2))
