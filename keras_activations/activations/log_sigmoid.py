"""Log-sigmoid, the logarithm of the logistic function."""

from keras_activations._calculus import elementwise
from keras_activations._layers import ActivationLayer
from keras_activations._registry import activation, register
from keras_activations._special import sigmoid
from keras_activations.activations.softplus import _plain


@activation
def log_sigmoid(x):
    """Logarithm of the sigmoid: `-log(1 + exp(-x))`.

    Negative and smooth: about x far below zero, and 0 far above. For losses and scores made of the
    logarithm of a probability, where the logarithm of a rounded sigmoid would be -inf.

    Args:
        x: Tensor of any shape.

    Returns:
        Tensor of x's shape and dtype.

    Example:

    >>> ka.log_sigmoid([-2.0, 0.0, 2.0]).numpy()
    array([-2.126928 , -0.6931472, -0.126928 ], dtype=float32)
    """
    return elementwise(_value, _derivative, x)


def _value(x):
    return -_plain(-x)


def _derivative(x):
    return sigmoid(-x)


@register(
    log_sigmoid,
    family="exponential",
    formula="-log(1 + exp(-x))",
    range=(float("-inf"), 0.0),
    monotonic=True,
    torch="torch.nn.functional.logsigmoid(x)",
    # A product of an exponential, a series and two quotients.
    accuracy={"value": 5},
)
class LogSigmoid(ActivationLayer):
    """Layer form of `log_sigmoid`."""

    def call(self, inputs):
        return log_sigmoid(inputs)
