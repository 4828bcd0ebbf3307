"""Log-softmax, the logarithm of softmax without its underflow."""

import tensorflow as tf

from keras_activations._axes import existing_axes
from keras_activations._calculus import with_gradient
from keras_activations._layers import SimplexLayer
from keras_activations._registry import activation, register


@activation
def log_softmax(x, axis=-1):
    """Log-softmax: `x[i] - log(sum(exp(x)))`.

    Log-probabilities, for a negative log-likelihood or a beam search.

    Args:
        x: Tensor of at least one axis.
        axis: The axis, or list of axes, along which the exponentials of the result sum to 1.

    Returns:
        Tensor of x's shape and dtype.

    Raises:
        ValueError: If there is no such axis.

    Example:

    >>> ka.log_softmax([1.0, 2.0, 3.0]).numpy()
    array([-2.407606  , -1.4076059 , -0.40760595], dtype=float32)

    Reference:

    - [Bridle, 1990](https://doi.org/10.1007/978-3-642-76153-9_28)
    """
    axis = existing_axes(axis, x)
    return with_gradient(_value, _gradient, x, fusible=_value, of_result=True, axis=axis)


def _value(x, axis):
    # TensorFlow's own moves an axis to the end, for which it must know the rank.
    if isinstance(axis, tuple) or (axis != -1 and x.shape.rank is None):
        return x - tf.reduce_logsumexp(x, axis, keepdims=True)
    return tf.nn.log_softmax(x, axis)


def _gradient(upstream, y, axis):
    return upstream - tf.exp(y) * tf.reduce_sum(upstream, axis, keepdims=True)


@register(
    log_softmax,
    family="simplex",
    formula="[t - log(sum(exp(s) for s in x)) for t in x]",
    paper="Bridle, 1990",
    url="https://doi.org/10.1007/978-3-642-76153-9_28",
    range=(float("-inf"), 0.0),
    keras2=("log_softmax_v2",),
    torch="torch.log_softmax(x, -1)",
)
class LogSoftmax(SimplexLayer):
    """Layer form of `log_softmax`.

    Masked entries are the lowest finite number rather than -inf, because a loss multiplies them
    by 0.

    Args:
        axis: The axis, or list of axes, along which the exponentials of the result sum to 1.
    """

    def call(self, inputs, mask=None):
        return self.masked(log_softmax, inputs, mask, lowest=True)
