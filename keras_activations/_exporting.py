"""What the command `export` has done in a process of its own: jobs as JSON lines, files come out.

A converter may end the process that it runs in.
"""

import pathlib
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_activations._loading import computed
from keras_activations._measure import Job, required, serve
from keras_activations._registry import info

# Enough weights in a Dense layer for the converter to quantize them.
WIDTH = 64
FARTHEST = 1e4

Array = np.ndarray[Any, Any]


def model(name: str, kind: str) -> keras.Model:
    """A model with one activation in it.

    Args:
        name: Name of the activation.
        kind: "layer" for the activation alone, "model" for one between Dense layers.

    Returns:
        The same model, with the same weights, in every process.
    """
    keras.utils.set_random_seed(0)
    activation = info(name)
    layer = activation.layer(**required(activation))
    dense = keras.layers.Dense
    around = ([dense(WIDTH)], [dense(8)]) if kind == "model" else ([], [])
    return keras.Sequential([keras.Input((WIDTH,)), *around[0], layer, *around[1]])


def inputs() -> dict[str, Array]:
    """Inputs by what they are for.

    Returns:
        Dictionary of float32 arrays.
    """
    generator = np.random.default_rng(0)
    shape = (32, WIDTH)
    far = generator.choice([-FARTHEST, -50.0, -12.0, 0.0, 12.0, 50.0, FARTHEST], shape)
    near = generator.choice([-1e-4, -1e-30, -0.0, 0.0, 1e-30, 1e-4], shape)
    infinite = generator.normal(size=(2, WIDTH))
    infinite[0, ::8], infinite[1, ::8] = -np.inf, np.inf
    found = {
        "moderate": 2.0 * generator.normal(size=shape),
        "large": far,
        "tiny": near,
        "infinite": infinite,
        "upstream": generator.normal(size=(shape[0], 2 * WIDTH)),
    }
    return {name: x.astype(np.float32) for name, x in found.items()}


def export(job: Job) -> dict[str, Any]:
    """Exports a model, and writes down beside it what it computes here, in eager mode.

    Args:
        job: The activation's name, the kind of model, the target and the folder.

    Returns:
        The path of what was exported.
    """
    folder = pathlib.Path(job["folder"])
    exported = model(job["name"], job["model"])
    given = inputs()
    expected = computed(
        exported, given, differentiable=job["target"] in ("savedmodel", "tfsmlayer")
    )
    np.savez(folder / "inputs.npz", **given)
    np.savez(folder / "expected.npz", **expected)
    suffix, options = _OPTIONS[job["target"]]
    path = folder / f"exported{suffix}"
    exported.export(str(path), verbose=False, **options(given["moderate"]))
    return {"path": str(path)}


def _onnx(sample: Array) -> dict[str, Any]:
    return {"format": "onnx"}


def _saved_model(sample: Array) -> dict[str, Any]:
    return {}


def _litert(
    sample: Array, operations: tuple[str, ...] = ("TFLITE_BUILTINS",), **quantization: Any
) -> dict[str, Any]:
    kinds = [getattr(tf.lite.OpsSet, name) for name in operations]
    return {"format": "litert", "target_spec": {"supported_ops": kinds}, **quantization}


def _dynamic(sample: Array) -> dict[str, Any]:
    return _litert(sample, optimizations=[tf.lite.Optimize.DEFAULT])


def _int8(sample: Array) -> dict[str, Any]:
    def representative() -> Iterator[list[Array]]:
        for row in sample:
            yield [row[None]]

    # What has no form in int8 stays in float32.
    operations = ("TFLITE_BUILTINS_INT8", "TFLITE_BUILTINS")
    return {
        **_litert(sample, operations, optimizations=[tf.lite.Optimize.DEFAULT]),
        "representative_dataset": representative,
    }


_OPTIONS: dict[str, tuple[str, Callable[[Array], dict[str, Any]]]] = {
    "savedmodel": ("", _saved_model),
    "tfsmlayer": ("", _saved_model),
    "tflite": (".tflite", _litert),
    "tflite-dynamic": (".tflite", _dynamic),
    "tflite-int8": (".tflite", _int8),
    "onnx": (".onnx", _onnx),
}

if __name__ == "__main__":
    serve(export)
