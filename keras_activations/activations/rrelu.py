"""RReLU, a leaky ReLU whose slope is drawn anew for each element in training."""

import tensorflow as tf

from keras_activations._calculus import chain_rule, elementwise, real, step, with_gradient
from keras_activations._layers import StochasticLayer, in_training, noise_seed, number
from keras_activations._registry import activation, register


@activation
def rrelu(x, lower=1 / 8, upper=1 / 3, training=None, seed=None):
    """Randomized leaky ReLU: `x if x >= 0 else slope * x`.

    In training the slope is uniform between `lower` and `upper`, drawn for each element; otherwise
    it is their mean. A regularizer for small data sets: its paper reports less overfitting than
    with the leaky and parametric forms. The slope at 0 is the one below zero.

    The backward pass draws the same slopes again from the seed instead of keeping them. Where
    `tf.recompute_grad` or `keras.RematScope` runs the forward pass twice, the second run draws
    others, as with any random layer of Keras; only an integer seed prevents that.

    Args:
        x: Tensor of any shape.
        lower: Smallest slope below zero; a number, or a tensor that broadcasts against x.
        upper: Largest slope below zero; likewise.
        training: Whether to draw the slopes. None: as the Keras layer around this call is told;
            outside of one, no.
        seed: Integer for the same slopes at every call, `keras.random.SeedGenerator`, or None for
            Keras's global one, or under `tf.distribute` TensorFlow's. Each replica draws its own.
            In a functional model the layer draws a sequence that begins with the seed.

    Returns:
        Tensor of x's shape and dtype.

    Example:

    >>> ka.rrelu([-2.0, 0.0, 2.0]).numpy()
    array([-0.45833334,  0.        ,  2.        ], dtype=float32)
    >>> y = ka.rrelu([-2.0, 0.0, 2.0], training=True, seed=1).numpy()
    >>> bool(-2 / 3 < y[0] < -2 / 8)
    True

    Reference:

    - [Xu et al., 2015](https://arxiv.org/abs/1505.00853)
    """
    if training is None:
        training = in_training()
    if not training:
        return elementwise(_value, _derivatives, x, lower, upper)
    drawn = noise_seed(seed)
    return with_gradient(_random_value, _random_gradient, x, *real([lower, upper], x), drawn)


def _value(x, lower, upper, share=0.5):
    return tf.where(x > 0.0, x, (lower + (upper - lower) * share) * x)


def _derivatives(x, lower, upper, share=0.5):
    above = step(x)
    below = tf.minimum(x, 0.0)
    slope = lower + (upper - lower) * share
    return above + slope * (1.0 - above), (1.0 - share) * below, share * below


def _random_value(x, lower, upper, seed):
    return _value(x, lower, upper, _uniform(x, seed))


def _random_gradient(upstream, x, lower, upper, seed):
    slopes = _derivatives(x, lower, upper, _uniform(x, seed))
    return *chain_rule(upstream, slopes, x, lower, upper), None


def _uniform(x, seed):
    # The algorithm is named because the forward and the backward pass must draw the same numbers,
    # even when only one of them is compiled.
    algorithm = tf.random.Algorithm.PHILOX
    return tf.random.stateless_uniform(tf.shape(x), seed, dtype=x.dtype, alg=algorithm)


@register(
    rrelu,
    family="rectified",
    formula="x if x >= 0 else (lower + upper) / 2 * x",
    paper="Xu et al., 2015",
    url="https://arxiv.org/abs/1505.00853",
    kinks=(0.0,),
    range=(float("-inf"), float("inf")),
    monotonic=True,
    addons=("rrelu",),
    samples=({"lower": 0.0, "upper": 0.5},),
    torch="torch.nn.functional.rrelu(x, training=False)",
)
class RReLU(StochasticLayer):
    """Layer form of `rrelu`.

    Args:
        lower: Smallest slope below zero.
        upper: Largest slope below zero, not less than `lower`.
        seed: Integer that makes the drawn slopes repeatable, or None.
    """

    def __init__(self, lower=1 / 8, upper=1 / 3, seed=None, **kwargs) -> None:
        super().__init__(seed=seed, **kwargs)
        self.lower = number("lower", lower)
        self.upper = number("upper", upper, minimum=self.lower)

    def call(self, inputs, training=False):
        return rrelu(inputs, self.lower, self.upper, training, self.seed_generator)
