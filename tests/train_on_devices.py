"""Trains activations in a process of its own, for test_devices, and writes down what comes out.

python tests/train_on_devices.py mirrored|multiworker FILE
"""

import functools
import pathlib
import sys

import keras
import numpy as np
import tensorflow as tf
from cases import RANDOM, is_trained, layer_of

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "examples"))
import _devices

import keras_activations as ka

kind, file = sys.argv[1:]
strategy = _devices.strategy(kind, 2 if kind == "mirrored" else None)
X = np.random.default_rng(0).normal(scale=0.3, size=(32, 8)).astype("float32")
# All that is trained; the rest, which a device only computes, here and there.
CERTAIN = [
    i for i in ka.catalogue() if i not in RANDOM and (is_trained(i) or i in ka.catalogue()[::4])
]
found = {}


def branch(info):
    """A small model of one activation, which stands inside a layer if it has weights and can."""
    # The same weights to start from, whatever else is trained.
    keras.utils.set_random_seed(ka.catalogue().index(info))
    layer = layer_of(info)
    inside = is_trained(info) and info.keeps_shape
    first = [keras.layers.Dense(8, activation=layer)] if inside else [keras.layers.Dense(8), layer]
    last = [keras.layers.UnitNormalization(), keras.layers.Dense(1)]
    return keras.Sequential([*first, *last], name=info.name)


def fit(branches):
    """Trains them side by side, on the same batches, and returns the losses."""
    inputs = keras.Input((8,))
    model = keras.Model(inputs, keras.layers.Concatenate()([b(inputs) for b in branches]))
    # The loss is the mean over the branches, of which each is to learn as if it were alone.
    model.compile(keras.optimizers.SGD(0.002 * len(branches)), "mse")
    targets = np.repeat(np.cos(X[:, :1]), len(branches), axis=1)
    return model.fit(X, targets, batch_size=16, epochs=2, shuffle=False, verbose=0).history["loss"]


def train(where, infos):
    branches = [branch(i) for i in infos]
    found[f"{where}/losses"] = fit(branches)
    for each in branches:
        for number, weight in enumerate(each.get_weights()):
            found[f"{where}/weights/{each.name}/{number}"] = weight


def drawn(call):
    """What each replica of this process gets in two runs of one graph."""
    step = tf.function(lambda: strategy.run(call), autograph=False)
    return np.stack([np.stack(strategy.experimental_local_results(step())) for _ in range(2)])


if kind == "mirrored":
    train("one", CERTAIN)
with strategy.scope():
    train(kind, CERTAIN)

NEGATIVE = -tf.ones([4, 8])
for info in RANDOM:
    keras.utils.set_random_seed(0)
    with strategy.scope():
        layers = {name: info.layer(seed=seed) for name, seed in (("a", 1), ("b", 1), ("c", 2))}
        both = [keras.layers.Dense(8, activation=info.name), info.layer(), keras.layers.Dense(1)]
        found[f"random/{info.name}/losses"] = fit([keras.Sequential(both)])
    calls = {name: functools.partial(layer, NEGATIVE) for name, layer in layers.items()}
    calls["function"] = functools.partial(info.function, NEGATIVE)
    calls["integer"] = functools.partial(info.function, NEGATIVE, seed=3)
    for name, call in calls.items():
        found[f"random/{info.name}/{name}"] = drawn(functools.partial(call, training=True))

np.savez(file, **found)
