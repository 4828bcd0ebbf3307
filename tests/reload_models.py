"""Loads, in a process of its own, what test_saving has saved, and writes down what it finds.

python tests/reload_models.py FOLDER with|without
"""

import pathlib
import sys

import keras
import numpy as np
import tensorflow as tf

if sys.argv[2] == "with":
    import keras_activations  # noqa: F401

folder = pathlib.Path(sys.argv[1])
x = np.load(folder / "x.npy")
target = np.load(folder / "target.npy")
found = {}


def note(name, model):
    inputs = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        y = model(inputs)
    found[f"{name}/y"] = y.numpy()
    found[f"{name}/dx"] = tape.gradient(y, inputs).numpy()


for path in sorted([*folder.glob("*.keras"), *folder.glob("*.h5")]):
    if path.name.endswith(".weights.h5"):
        continue
    try:
        model = keras.models.load_model(path)
    except Exception as error:
        found[f"{path.name}/error"] = np.array(f"{type(error).__name__}: {error}")
        continue
    note(path.name, model)
    # Keras 3 cannot train on with the optimizer it reads from HDF5, whatever the activation: it
    # builds it for no variables.
    if model.compiled and path.suffix == ".keras":
        found[f"{path.name}/iterations"] = keras.ops.convert_to_numpy(model.optimizer.iterations)
        model.fit(x, target, epochs=1, shuffle=False, verbose=0)
        for number, weight in enumerate(model.get_weights()):
            found[f"{path.name}/weight{number}"] = weight

for path in sorted(folder.glob("*.json")):
    try:
        model = keras.models.model_from_json(path.read_text())
    except Exception as error:
        found[f"{path.name}/error"] = np.array(f"{type(error).__name__}: {error}")
        continue
    model.load_weights(path.with_suffix(".weights.h5"))
    note(path.name, model)

for path in sorted(folder.glob("*.export")):
    inputs = tf.constant(x)
    layer = keras.layers.TFSMLayer(str(path), call_endpoint="serving_default")
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(inputs)
        outputs = layer(inputs)
    for key, y in outputs.items():
        found[f"{path.name}/{key}/y"] = y.numpy()
        found[f"{path.name}/{key}/dx"] = tape.gradient(y, inputs).numpy()

for path in sorted(folder.glob("*.exported")):
    layer = keras.layers.TFSMLayer(str(path), call_endpoint="serve")
    inputs = {f"x_{name}": tf.constant(x) for name in np.load(folder / "names.npy")}
    with tf.GradientTape() as outer:
        outer.watch(inputs)
        with tf.GradientTape() as inner:
            inner.watch(inputs)
            outputs = layer(inputs)
        slopes = inner.gradient(outputs, inputs)
    bends = outer.gradient(slopes, inputs, unconnected_gradients="zero")
    for key, bend in bends.items():
        found[f"{path.name}/{key.removeprefix('x_')}/d2x"] = bend.numpy()

np.savez(folder / f"found_{sys.argv[2]}.npz", **found)
