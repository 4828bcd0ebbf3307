"""Sine, the activation of networks that represent signals."""

from keras_activations._calculus import elementwise
from keras_activations._layers import ActivationLayer, number
from keras_activations._registry import activation, register
from keras_activations._special import cos, phase, sin


@activation
def sine(x, w0=30.0):
    """Sine: `sin(w0 * x)`.

    For networks that map coordinates to a signal (SIREN): images, sound, shapes and solutions of
    differential equations. All derivatives of such a network are networks of the same kind, so that
    a loss may contain them. It trains with weights of the right size only, which `Sine` names. In
    float32 and less it is 0 where `w0 * x` is beyond ±6.6e6, where a period has about a dozen
    numbers.

    Args:
        x: Tensor of any shape.
        w0: Frequency of the wave; a number, or a tensor that broadcasts against x.

    Returns:
        Tensor of x's shape and dtype.

    Example:

    >>> ka.sine([-0.05, 0.0, 0.1]).numpy()
    array([-0.997495  ,  0.        ,  0.14111997], dtype=float32)

    Reference:

    - [Sitzmann et al., 2020](https://arxiv.org/abs/2006.09661)
    """
    return elementwise(_value, _derivatives, x, w0)


def _value(x, w0):
    return sin(phase(x, w0))


def _derivatives(x, w0):
    slope = cos(phase(x, w0))
    return w0 * slope, x * slope


@register(
    sine,
    family="periodic",
    formula="sin(w0 * x)",
    paper="Sitzmann et al., 2020",
    url="https://arxiv.org/abs/2006.09661",
    range=(-1.0, 1.0),
    monotonic=False,
    samples=({"w0": 1.0}, {"w0": 0.0}, {"w0": -2.5}),
    torch="torch.sin(30.0 * x)",
    # Beyond the domain the wave ends.
    accuracy={
        "value_scale": 0.125,
        "gradient_scale": 1.0,
        "second_scale": 0.125,
        "domain": 1e5,
    },
)
class Sine(ActivationLayer):
    """Layer form of `sine`.

    It counts on small weights in the layer before it. SIREN draws those of the first layer from
    `RandomUniform(-1 / n, 1 / n)`, where n is the number of inputs, and those of all others from
    `VarianceScaling(2 / w0**2, "fan_in", "uniform")`, which is the same as
    `RandomUniform(-sqrt(6 / n) / w0, sqrt(6 / n) / w0)`.

    Args:
        w0: Frequency of the wave.
    """

    def __init__(self, w0=30.0, **kwargs) -> None:
        super().__init__(**kwargs)
        self.w0 = number("w0", w0)

    def call(self, inputs):
        return sine(inputs, self.w0)
