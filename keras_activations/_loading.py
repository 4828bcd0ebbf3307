"""Runs what was exported, as a process that does not import this package; jobs as JSON lines."""

import json
import pathlib
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

# Arrays by what they are.
Arrays = dict[str, Any]
Function = Callable[[Any], Any]

VALUES = ("moderate", "large", "tiny", "infinite")


def run(job: dict[str, Any]) -> dict[str, Any]:
    """Computes the outputs for the inputs that lie beside an exported model.

    Args:
        job: Its path, the target that it was exported to, the names of the activations in it, and
            the quantities to compute.

    Returns:
        Nothing; the outputs are in a file beside it.
    """
    path = pathlib.Path(job["path"])
    with np.load(path.with_name("inputs.npz")) as inputs:
        given = dict(inputs)
    function = _LOADERS[job["target"].partition("-")[0]](str(path))
    found = computed(function, given, job["names"], "gradient" in job["quantities"])
    np.savez(path.with_name("found.npz"), **found)
    return {}


def input_name(name: str) -> str:
    """The name of the input that goes to an activation."""
    return f"x_{name}"


def computed(function: Function, given: Arrays, names: list[str], differentiable: bool) -> Arrays:
    """What a model computes.

    Args:
        function: Maps a dictionary of inputs to a dictionary of outputs.
        given: What each of the inputs is to be.
        names: The outputs.
        differentiable: Whether to compute gradients and second derivatives too.

    Returns:
        Arrays by output and quantity.
    """
    found: Arrays = {}

    def note(quantity: str, outputs: dict[str, Any]) -> None:
        found.update({f"{name}/{quantity}": np.asarray(y) for name, y in outputs.items()})

    def inputs(quantity: str) -> dict[str, Any]:
        return {input_name(name): tf.constant(given[quantity]) for name in names}

    for quantity in VALUES:
        note(quantity, function(inputs(quantity)))
    if differentiable:
        x = inputs("moderate")
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                y = function(x)
            upstream = {n: tf.constant(given["upstream"][:, : y[n].shape[-1]]) for n in names}
            slopes = inner.gradient(y, x, upstream, unconnected_gradients="zero")
        bends = outer.gradient(slopes, x, unconnected_gradients="zero")
        note("gradient", {name: slopes[input_name(name)] for name in names})
        note("second derivative", {name: bends[input_name(name)] for name in names})
    return found


def _saved_model(path: str) -> Function:
    loaded = tf.saved_model.load(path)
    # Which holds the variables.
    return lambda x: loaded.serve(x)


def _tfsm_layer(path: str) -> Function:
    import keras

    return keras.layers.TFSMLayer(path, call_endpoint="serve")


def _tflite(path: str) -> Function:
    from ai_edge_litert.interpreter import Interpreter

    run = Interpreter(model_path=path).get_signature_runner()
    return lambda x: run(**{key: value.numpy() for key, value in x.items()})


def _onnx(path: str) -> Function:
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])

    def function(x: Any) -> dict[str, Any]:
        outputs = session.run(None, {key: value.numpy() for key, value in x.items()})
        # The converter has them in the order of the names.
        names = sorted(key.removeprefix(input_name("")) for key in x)
        return dict(zip(names, outputs, strict=True))

    return function


_LOADERS = {
    "savedmodel": _saved_model,
    "tfsmlayer": _tfsm_layer,
    "tflite": _tflite,
    "onnx": _onnx,
}


def serve(answer: Callable[[Any], dict[str, Any]]) -> None:
    """Answers lines of JSON until there are no more.

    Args:
        answer: Maps a question to its answer.
    """
    # What libraries print must not end up between the answers.
    answers, sys.stdout = sys.stdout, sys.stderr
    for line in sys.stdin:
        try:
            result = answer(json.loads(line))
        except Exception as error:
            result = {"error": f"{type(error).__name__}: {error}"[:500]}
        print(json.dumps(result), file=answers, flush=True)


if __name__ == "__main__":
    serve(run)
