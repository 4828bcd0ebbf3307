"""Gumbel-softmax, which draws from categories in a way that a gradient passes through."""

import tensorflow as tf

from keras_activations._axes import existing_axes
from keras_activations._calculus import chain_rule, real, with_gradient
from keras_activations._layers import SimplexLayer, StochasticLayer, in_training, noise_seed, number
from keras_activations._registry import activation, register
from keras_activations.activations.softmax import _value as softmax


@activation
def gumbel_softmax(x, temperature=1.0, hard=False, axis=-1, training=None, seed=None):
    """Gumbel-softmax: the softmax of `(x + g) / temperature`, with g from a Gumbel distribution.

    In training a sample of categories with the log-probabilities x, made continuous, so that a
    gradient passes: for discrete latent variables and choices. The lower the temperature, the
    nearer to one-hot, and the larger the gradients. Otherwise there is no noise, and it is the
    softmax of `x / temperature`.

    With `hard` the result is one-hot, 1 at the largest entry (the first of equal ones), while the
    backward pass deliberately stays that of the soft result. Forward-mode differentiation
    (`tf.autodiff.ForwardAccumulator`) inside a `tf.function` does not see it: TensorFlow follows
    the value there, whose derivative is 0.

    The backward pass draws the same noise again from the seed instead of keeping it. Where
    `tf.recompute_grad` or `keras.RematScope` runs the forward pass twice, the second run draws
    another, as with any random layer of Keras; only an integer seed prevents that.

    Args:
        x: Tensor of at least one axis.
        temperature: Positive; a number, or a tensor that broadcasts against x.
        hard: Whether the result is one-hot.
        axis: The axis, or list of axes, along which the result sums to 1; with `hard`, one axis.
        training: Whether to add noise. None: as the Keras layer around this call is told; outside
            of one, no.
        seed: Integer for the same noise at every call, `keras.random.SeedGenerator`, or None for
            Keras's global one, or under `tf.distribute` TensorFlow's. Each replica draws its own.
            In a functional model the layer draws a sequence that begins with the seed.

    Returns:
        Tensor of x's shape and dtype.

    Raises:
        ValueError: If `hard` is set, and there are several axes.

    Example:

    >>> ka.gumbel_softmax([1.0, 2.0, 3.0], temperature=0.5).numpy()
    array([0.01587624, 0.11731042, 0.8668133 ], dtype=float32)
    >>> y = ka.gumbel_softmax([1.0, 2.0, 3.0], hard=True, training=True, seed=1).numpy()
    >>> sorted(y.tolist())
    [0.0, 0.0, 1.0]

    Reference:

    - [Jang, Gu and Poole, 2016](https://arxiv.org/abs/1611.01144)
    """
    axis = existing_axes(axis, x)
    if hard and isinstance(axis, tuple):
        raise ValueError(f"A hard gumbel_softmax is along one axis. Received: axis={list(axis)}")
    temperature, settings = real([temperature], x), {"hard": bool(hard), "axis": axis}
    if training is None:
        training = in_training()
    if not training:
        return with_gradient(_value, _gradient, x, *temperature, **settings)
    drawn = noise_seed(seed)
    return with_gradient(_noisy_value, _noisy_gradient, x, *temperature, drawn, **settings)


def _value(x, temperature, hard, axis):
    if not hard:
        return softmax(x / temperature, axis)
    # Not the quotient, which may overflow, and does not change which is the largest.
    x += tf.zeros_like(temperature)
    return tf.one_hot(tf.argmax(x, axis), tf.shape(x)[axis], axis=axis, dtype=x.dtype)


def _gradient(upstream, x, temperature, hard, axis):
    z = x / temperature
    y = softmax(z, axis)
    mean = tf.reduce_sum(upstream * y, axis, keepdims=True)
    slope = y / temperature
    # Of an entry of -inf nothing is left.
    z = tf.where(y > 0.0, z, 0.0)
    return chain_rule(upstream - mean, (slope, -slope * z), x, temperature)


def _noisy_value(x, temperature, seed, hard, axis):
    return _value(x + _gumbel(x, seed), temperature, hard, axis)


def _noisy_gradient(upstream, x, temperature, seed, hard, axis):
    return *_gradient(upstream, x + _gumbel(x, seed), temperature, hard, axis), None


def _gumbel(x, seed):
    # The algorithm is named because the forward and the backward pass must draw the same numbers,
    # even when only one of them is compiled. Zero has no logarithm.
    algorithm = tf.random.Algorithm.PHILOX
    uniform = tf.random.stateless_uniform(
        tf.shape(x), seed, minval=2.0**-24, dtype=x.dtype, alg=algorithm
    )
    return -tf.math.log(-tf.math.log(uniform))


@register(
    gumbel_softmax,
    family="simplex",
    formula="[exp(t / temperature) / sum(exp(s / temperature) for s in x) for t in x]",
    paper="Jang, Gu and Poole, 2016",
    url="https://arxiv.org/abs/1611.01144",
    range=(0.0, 1.0),
    samples=({"temperature": 0.5}, {"temperature": 4.0}),
    torch="torch.softmax(x, -1)",
)
class GumbelSoftmax(SimplexLayer, StochasticLayer):
    """Layer form of `gumbel_softmax`. Masked entries are 0.

    Args:
        temperature: Positive number.
        hard: Whether the result is one-hot.
        axis: The axis, or list of axes, along which the result sums to 1.
        seed: Integer that makes the noise repeatable, or None.
    """

    def __init__(self, temperature=1.0, hard=False, axis=-1, seed=None, **kwargs) -> None:
        super().__init__(axis=axis, seed=seed, **kwargs)
        self.temperature = number("temperature", temperature, above=0.0)
        self.hard = bool(hard)

    def call(self, inputs, mask=None, training=False):
        def drawn(x, axis):
            return gumbel_softmax(
                x, self.temperature, self.hard, axis, training, self.seed_generator
            )

        return self.masked(drawn, inputs, mask)
