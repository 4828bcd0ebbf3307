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
        model.train_on_batch(x, target)
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


def exported(name):
    """A model that was exported, and what to call it on: an input for each of its outputs."""
    layer = keras.layers.TFSMLayer(str(folder / f"{name}.export"), call_endpoint="serve")
    return layer, {key: tf.constant(x) for key in np.load(folder / f"{name}.npy")}


def derivatives(layer, inputs):
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = layer(inputs)
    return outputs, tape.gradient(outputs, inputs)


def note_all(quantity, arrays):
    found.update({f"export/{key}/{quantity}": y.numpy() for key, y in arrays.items()})


if sys.argv[2] == "without":
    outputs, slopes = derivatives(*exported("all"))
    note_all("y", outputs)
    note_all("dx", slopes)
    layer, inputs = exported("some")
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        _, slopes = derivatives(layer, inputs)
    note_all("d2x", tape.gradient(slopes, inputs, unconnected_gradients="zero"))

np.savez(folder / f"found_{sys.argv[2]}.npz", **found)
