"""Gains and initializers: against sampling, closed forms, PyTorch and deep networks."""

import json
import math

import keras
import numpy as np
import pytest
import tensorflow as tf
from cases import all_activations, gradient

import keras_activations as ka

Z = np.random.default_rng(2).standard_normal((2**10, 64))
# Of the normal distribution, at 0.3.
DENSITY = math.exp(-0.045) / math.sqrt(2.0 * math.pi)


@pytest.mark.parametrize("mode", ["forward", "backward"])
@all_activations
def test_gain_is_that_of_a_sample(info, mode):
    given = info.required
    # Independent of the quadrature, and of its sample of rows; both halves of a pair are normal.
    y, dx = gradient(
        lambda t: info.function(t, **given),
        tf.constant(Z),
        tf.constant(np.random.default_rng(3).choice([-1.0, 1.0], info.function(Z, **given).shape)),
    )
    moment = np.mean(np.square(y if mode == "forward" else dx))
    assert ka.gain(info.name, mode, **given) == pytest.approx(moment**-0.5, rel=0.06)


@pytest.mark.parametrize(
    ("name", "mode", "given", "expected"),
    [
        ("linear", "forward", {}, 1.0),
        ("relu", "forward", {}, math.sqrt(2.0)),
        ("relu", "backward", {}, math.sqrt(2.0)),
        ("leaky_relu", "forward", {"negative_slope": 0.3}, math.sqrt(2.0 / 1.09)),
        ("exponential", "forward", {}, math.exp(-1.0)),
        ("exponential", "backward", {}, math.exp(-1.0)),
        ("binary_step", "forward", {}, math.sqrt(2.0)),
        # A jump that no interval ends at.
        (
            "threshold",
            "forward",
            {"threshold": 0.3, "default_value": 0.0},
            (0.3 * DENSITY + 0.5 * math.erfc(0.3 / math.sqrt(2.0))) ** -0.5,
        ),
        # The value is independent of its gate.
        ("swiglu", "forward", {}, ka.gain("silu")),
        ("selu", "forward", {}, 1.0),
    ],
)
def test_gain_in_closed_form(name, mode, given, expected):
    assert ka.gain(name, mode, **given) == pytest.approx(expected, rel=1e-11)


def test_gain_takes_names_functions_layers_and_parameters():
    assert ka.gain(ka.mish) == ka.gain("mish") == ka.gain(ka.Mish)
    assert ka.gain("hard_swish") == ka.gain("hard_silu")
    assert ka.gain("snake", alpha=5.0) != ka.gain("snake")
    drawn = ka.Snake(alpha_initializer="ones")
    with pytest.raises(ValueError, match=r"`alpha_initializer` draws.*the value of `alpha`"):
        ka.gain(drawn)
    assert ka.gain(drawn, alpha=5.0) == ka.gain("snake", alpha=5.0)


def test_pytorchs_constants():
    """The same where they keep the second moment, and rules of thumb elsewhere."""
    assert ka.gain("leaky_relu", negative_slope=0.01) == pytest.approx((2 / (1 + 0.01**2)) ** 0.5)
    assert ka.gain("tanh") == pytest.approx(1.5925, abs=1e-4)  # There 5 / 3.
    assert ka.gain("selu") == pytest.approx(1.0)  # There 3 / 4.


def test_bad_requests_are_named():
    with pytest.raises(ValueError, match="'mish'"):
        ka.gain("mishh")
    with pytest.raises(ValueError, match="mode"):
        ka.gain("mish", "sideways")
    for text in ("snake(alpha='1')", "snake(alpha=[1, '2'])", "snake(alpha=[1, 2])"):
        with pytest.raises(ValueError, match=r"`alpha` of snake must be a number"):
            ka.gain(text)
    with pytest.raises(ValueError, match=r"no default for `num_units`"):
        ka.gain("maxout")
    with pytest.raises(ValueError, match=r"no parameter beta.*none"):
        ka.gain("mish", beta=1.0)
    with pytest.raises(ValueError, match=r"has no gain: its second moment is 0\.0"):
        ka.gain("star_relu", scale=0.0, bias=0.0)
    with pytest.raises(ValueError, match="fan_avg"):
        ka.initializer("mish", mode="fan_avg")
    with pytest.raises(ValueError, match="distribution"):
        ka.initializer("mish", distribution="cauchy")


def test_initializer_of_relu_is_hes_and_of_selu_lecuns():
    he, lecun = keras.initializers.HeNormal(seed=1), keras.initializers.LecunNormal(seed=1)
    for ours, theirs in (("relu", he), ("selu", lecun)):
        initializer = ka.initializer(ours, seed=1)
        np.testing.assert_allclose(initializer((64, 32)), theirs((64, 32)), rtol=1e-5)
    again = keras.initializers.deserialize(
        json.loads(json.dumps(keras.initializers.serialize(ka.initializer("mish", "fan_out"))))
    )
    assert again.scale == pytest.approx(ka.gain("mish", "backward") ** 2)


@pytest.mark.parametrize("name", ["relu", "tanh", "softsign", "hard_tanh"])
def test_signals_keep_their_size_through_fifty_layers(name):
    """Where Glorot's lose it."""
    keras.utils.set_random_seed(0)
    moments = {}
    for kind in ("ours", "Glorot's"):
        z = tf.random.normal([128, 512], seed=1)
        for seed in range(50):
            glorot = keras.initializers.GlorotNormal(seed)
            initializer = ka.initializer(name, seed=seed) if kind == "ours" else glorot
            z = getattr(ka, name)(z) @ initializer((512, 512))
        moments[kind] = float(tf.reduce_mean(tf.square(z)))
    assert 0.3 < moments["ours"] < 3.0
    assert moments["Glorot's"] < moments["ours"] / 3.0


@pytest.mark.parametrize("name", ["relu", "tanh"])
def test_gradients_keep_their_size_through_fifty_layers(name):
    upstream = tf.random.stateless_normal([256, 512], [0, 0])
    for number in range(50):
        # Inputs of their own, so that only the way back is long.
        x = tf.random.stateless_normal([256, 512], [number, 1])
        _, slope = gradient(getattr(ka, name), x)
        kernel = ka.initializer(name, "fan_out", seed=number)((512, 512))
        upstream = (upstream * slope) @ tf.transpose(kernel)
    assert 0.3 < float(tf.reduce_mean(tf.square(upstream))) < 3.0
