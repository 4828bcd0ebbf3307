"""What the command `export` has done in a process of its own: jobs as JSON lines, files come out.

A converter may end the process that it runs in.
"""

import pathlib
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_activations._loading import Arrays, computed, input_name, serve
from keras_activations._measure import Job
from keras_activations._registry import info

# Enough weights in a Dense layer for the converter to quantize them.
WIDTH = 64
FARTHEST = 1e4


def export(job: Job) -> dict[str, Any]:
    """Exports a model, and writes down beside it what it computes here, in eager mode.

    Args:
        job: The names of activations, the model, the target and the folder.

    Returns:
        The path of what was exported.
    """
    folder = pathlib.Path(job["folder"])
    exported = model(job["names"], job["model"])
    exported({key: tf.zeros([1, WIDTH]) for key in exported.input})
    saved = folder / "savedmodel"
    if not saved.exists():
        given = inputs()
        np.savez(folder / "inputs.npz", **given)
        expected = computed(exported, given, job["names"], differentiable=job["model"] == "layer")
        np.savez(folder / "expected.npz", **expected)
        exported.export(str(saved), verbose=False)
    if job["target"] in ("savedmodel", "tfsmlayer"):
        return {"path": str(saved)}
    path = folder / job["target"]
    if job["target"] == "onnx":
        exported.export(path.with_suffix(".onnx"), format="onnx", verbose=False)
        return {"path": str(path.with_suffix(".onnx"))}
    path.write_bytes(_tflite(saved, job["target"], len(job["names"])))
    return {"path": str(path)}


def model(names: list[str], kind: str) -> keras.Model:
    """A model with some activations side by side, each with an input and an output of its own.

    Args:
        names: Names of the activations.
        kind: "layer" for the activation alone, "model" for one between Dense layers.

    Returns:
        The same model, with the same weights, in every process.
    """
    x = {name: keras.Input((WIDTH,), name=input_name(name)) for name in names}
    outputs = {}
    for name in names:
        keras.utils.set_random_seed(0)
        activation = info(name)
        y = keras.layers.Dense(WIDTH)(x[name]) if kind == "model" else x[name]
        y = activation.layer(**activation.required)(y)
        outputs[name] = keras.layers.Dense(8)(y) if kind == "model" else y
    return keras.Model({input_name(name): x[name] for name in names}, outputs)


def inputs() -> Arrays:
    """Inputs by what they are for.

    Returns:
        Dictionary of float32 arrays.
    """
    generator = np.random.default_rng(0)
    shape = (32, WIDTH)
    large = [-FARTHEST, -50.0, -12.0, 0.0, 12.0, 50.0, FARTHEST]
    infinite = generator.normal(size=(2, WIDTH))
    infinite[0, ::8], infinite[1, ::8] = -np.inf, np.inf
    found = {
        "moderate": 2.0 * generator.normal(size=shape),
        "large": generator.choice(large, shape),
        "tiny": generator.choice([-1e-4, -1e-30, -0.0, 0.0, 1e-30, 1e-4], shape),
        "infinite": infinite,
        "upstream": generator.normal(size=(shape[0], 2 * WIDTH)),
    }
    return {name: x.astype(np.float32) for name, x in found.items()}


def _tflite(saved: pathlib.Path, target: str, count: int) -> bytes:
    """The model in the format that `export(format="litert")` writes."""

    def representative() -> Iterator[list[Any]]:
        for row in inputs()["moderate"]:
            yield [row[None]] * count

    kinds = tf.lite.OpsSet
    converter = tf.lite.TFLiteConverter.from_saved_model(str(saved))
    converter.experimental_enable_resource_variables = True
    converter.target_spec.supported_ops = [kinds.TFLITE_BUILTINS]
    if target != "tflite":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if target == "tflite-int8":
        # What has no form in int8 stays in float32.
        converter.target_spec.supported_ops = [kinds.TFLITE_BUILTINS_INT8, kinds.TFLITE_BUILTINS]
        converter.representative_dataset = representative
    return bytes(converter.convert())


if __name__ == "__main__":
    serve(export)
