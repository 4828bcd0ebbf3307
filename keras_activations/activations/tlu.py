"""TLU, a ReLU that learns its threshold."""

import tensorflow as tf

from keras_activations._calculus import elementwise, step
from keras_activations._layers import ChannelwiseLayer
from keras_activations._registry import activation, register
from keras_activations._special import finite, times


@activation
def tlu(x, tau=0.0, alpha=0.0):
    """Thresholded linear unit: `max(x, alpha * x + tau)`.

    With `alpha=0`, `max(x, tau)`: the trained threshold makes up for means that are not zero. The
    companion of filter response normalization, which does not subtract the mean and comes from the
    same paper. The slope where the lines meet is `alpha`.

    Args:
        x: Tensor of any shape.
        tau: The threshold; a number, or a tensor that broadcasts against x.
        alpha: Slope of the second line; likewise.

    Returns:
        Tensor of x's shape and dtype.

    Example:

    >>> ka.tlu([-2.0, 0.0, 2.0], tau=-1.0).numpy()
    array([-1.,  0.,  2.], dtype=float32)

    Reference:

    - [Singh and Krishnan, 2019](https://arxiv.org/abs/1911.09737)
    """
    return elementwise(_value, _derivatives, x, tau, alpha)


def _value(x, tau, alpha):
    # A slope of 0 makes 0 of infinity too. Not as a maximum, which under XLA may pass over NaN.
    line = times(x, alpha) + tau
    return tf.where(line > x, line, x)


def _derivatives(x, tau, alpha):
    # Bounded, because inf - inf has no sign; in the order in which the difference is exact where
    # the lines meet.
    x = finite(x)
    above = step((x - alpha * x) - tau)
    below = 1.0 - above
    return above + alpha * below, below, x * below


@register(
    tlu,
    family="rectified",
    formula="max(x, alpha * x + tau)",
    paper="Singh and Krishnan, 2019",
    url="https://arxiv.org/abs/1911.09737",
    kinks=(0.0,),
    range=(0.0, float("inf")),
    monotonic=True,
    addons=("TLU",),
    samples=(
        {"tau": -1.5},
        {"tau": 0.7, "alpha": 0.5},
        {"tau": 0.3, "alpha": -1.0},
        {"tau": -0.7, "alpha": 2.2},
    ),
    # The second line crosses zero as a difference of terms of the size of the threshold.
    accuracy={"value_scale": 1.0},
)
class TLU(ChannelwiseLayer):
    """Layer form of `tlu`, which trains `tau` and, if asked to, `alpha`.

    Args:
        tau: Initial threshold.
        alpha: Slope of the second line, initial if it is trained.
        affine: Whether `alpha` is trained too.
        axis: Axis or axes along which the parameters vary; None for one of each.
        tau_initializer: Keras initializer used instead of `tau`.
        tau_regularizer: Keras regularizer of `tau`.
        tau_constraint: Keras constraint on `tau`.
        alpha_initializer: Keras initializer used instead of `alpha`, if `affine`.
        alpha_regularizer: Keras regularizer of `alpha`, if `affine`.
        alpha_constraint: Keras constraint on `alpha`, if `affine`.
    """

    def __init__(
        self,
        tau=0.0,
        alpha=0.0,
        affine=False,
        axis=-1,
        tau_initializer=None,
        tau_regularizer=None,
        tau_constraint=None,
        alpha_initializer=None,
        alpha_regularizer=None,
        alpha_constraint=None,
        **kwargs,
    ) -> None:
        super().__init__(axis=axis, **kwargs)
        self.affine = bool(affine)
        self.learn("tau", tau, tau_initializer, tau_regularizer, tau_constraint)
        self.learn("alpha", alpha, alpha_initializer, alpha_regularizer, alpha_constraint)
        if not self.affine:
            # It stays the number that it is.
            self._parameters.remove("alpha")

    @classmethod
    def from_addons(cls, config):
        # One threshold for each element.
        return cls.from_config({**config, "axis": "all"})

    def call(self, inputs):
        return tlu(inputs, self.tau, self.alpha)
