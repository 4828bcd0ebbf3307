"""Runs what was exported, as a process that does not import this package; jobs as JSON lines."""

import json
import pathlib
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

Array = np.ndarray[Any, Any]
Function = Callable[[Any], Any]

VALUES = ("moderate", "large", "tiny", "infinite")


def run(job: dict[str, Any]) -> dict[str, Any]:
    """Computes the outputs for the inputs that lie beside an exported model.

    Args:
        job: Its path, the target that it was exported to, and the quantities to compute.

    Returns:
        Where it applies, the number of float32 tensors that are neither input nor output.
    """
    path = pathlib.Path(job["path"])
    with np.load(path.with_name("inputs.npz")) as inputs:
        given = dict(inputs)
    function, facts = _LOADERS[job["target"].partition("-")[0]](str(path))
    found = computed(function, given, "gradient" in job["quantities"])
    np.savez(path.with_name("found.npz"), **found)
    return facts


def computed(function: Function, given: dict[str, Array], differentiable: bool) -> dict[str, Array]:
    """What a model computes.

    Args:
        function: The model.
        given: The inputs.
        differentiable: Whether to compute gradients and second derivatives too.

    Returns:
        Arrays by what they are.
    """
    found = {name: np.asarray(function(tf.constant(given[name]))) for name in VALUES}
    if differentiable:
        x = tf.constant(given["moderate"])
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                y = function(x)
            upstream = tf.constant(given["upstream"])[:, : y.shape[-1]]
            slope = inner.gradient(y, x, upstream, unconnected_gradients="zero")
        found["gradient"] = slope.numpy()
        bend = outer.gradient(slope, x, unconnected_gradients="zero")
        found["second derivative"] = bend.numpy()
    return found


def _saved_model(path: str) -> tuple[Function, dict[str, Any]]:
    loaded = tf.saved_model.load(path)
    # Which holds the variables.
    return lambda x: loaded.serve(x), {}


def _tfsm_layer(path: str) -> tuple[Function, dict[str, Any]]:
    import keras

    return keras.layers.TFSMLayer(path, call_endpoint="serve"), {}


def _tflite(path: str) -> tuple[Function, dict[str, Any]]:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=path)
    source, target = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    kinds = [tensor["dtype"] for tensor in interpreter.get_tensor_details()]

    def function(x: Any) -> Any:
        interpreter.resize_tensor_input(source["index"], x.shape)
        interpreter.allocate_tensors()
        interpreter.set_tensor(source["index"], x.numpy())
        interpreter.invoke()
        return interpreter.get_tensor(target["index"])

    return function, {"float32": kinds.count(np.float32) - 2}


def _onnx(path: str) -> tuple[Function, dict[str, Any]]:
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda x: session.run(None, {name: x.numpy()})[0], {}


_LOADERS = {
    "savedmodel": _saved_model,
    "tfsmlayer": _tfsm_layer,
    "tflite": _tflite,
    "onnx": _onnx,
}


def main() -> None:
    """Answers jobs until there are no more."""
    answers, sys.stdout = sys.stdout, sys.stderr
    for line in sys.stdin:
        try:
            result = run(json.loads(line))
        except Exception as error:
            result = {"error": f"{type(error).__name__}: {error}"[:500]}
        print(json.dumps(result), file=answers, flush=True)


if __name__ == "__main__":
    main()
