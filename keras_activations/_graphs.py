"""Functional models that Keras 2 saved, made again call by call."""

from collections.abc import Callable, Iterable
from typing import Any

import keras

from keras_activations._layers import policy_of
from keras_activations._registry import info
from keras_activations._sites import is_functional

Config = dict[str, Any]
Call = Callable[[Any, Config], Any]

# Layers that call a function of TensorFlow on tensors of a functional model.
CALLS = ("TFOpLambda", "SlicingOpLambda")
# The functions of TensorFlow that Keras has under another name. The others have the same in both,
# as tf.math.multiply and keras.ops.multiply have.
_RENAMED = {
    "truediv": "true_divide",
    "sub": "subtract",
    "mul": "multiply",
    "pow": "power",
    "neg": "negative",
    "clip_by_value": "clip",
    "concat": "concatenate",
    "reduce_mean": "mean",
    "reduce_sum": "sum",
    "reduce_max": "max",
    "reduce_min": "min",
}
# The functions of TensorFlow that return what they are given.
_SAME = ("convert_to_tensor", "identity")
# The functions of TensorFlow whose name Keras has for another.
_OTHERS = ("diag", "normalize", "shape", "svd", "trace")
# Those of TensorFlow that go along the first axis if not told otherwise; Keras's take all together.
_FIRST_AXIS = ("argmax", "argmin", "cumprod", "cumsum")
# What they take after their first argument, in the order in which Keras's take it.
_ARGUMENTS = ("y", "b", "clip_value_min", "clip_value_max", "shape", "dtype", "perm", "multiples")
_NAMED_ARGUMENTS = ("axis", "keepdims")
_CONSTANT = "_CONSTANT_VALUE"
_WAY_OUT = "make the model in Python, and load the weights of this file into it."


def is_graph(node: Config) -> bool:
    """Whether a config is that of a functional model.

    Args:
        node: Config of a layer or of something else.
    """
    config = node.get("config")
    return isinstance(config, dict) and {"layers", "input_layers", "output_layers"} <= set(config)


def operation(function: str) -> tuple[str, Any]:
    """What Keras 3 has for a function of TensorFlow.

    Args:
        function: Its name, such as `"math.multiply"`.

    Returns:
        Pair of a name and an activation, an operation of `keras.ops`, or None for an index.

    Raises:
        ValueError: If there is nothing.
    """
    name = function.rpartition(".")[2]
    if name == "getitem":
        return "index", None
    try:
        return name, keras.activations.get("linear" if name in _SAME else name)
    except ValueError:
        name = _RENAMED.get(name, name)
        found = None if name in _OTHERS else getattr(keras.ops, name, None)
    if found is None:
        raise ValueError(
            f"Keras 3 has no operation tf.{function}. If it is an activation, say which: "
            f"names={{{function!r}: …}}. If not, {_WAY_OUT}"
        )
    return f"keras.ops.{name}", found


class Graph:
    """The calls of a functional model.

    Args:
        config: Its config, of the form of Keras 2, in which the layers have that of Keras 3.
        replacement: Function of the name of a call's layer and of the function that it calls, which
            returns what is to be called instead, or None.
    """

    def __init__(self, config: Config, replacement: Callable[[str, str], Any]) -> None:
        self.config = config
        self.replacement = replacement
        _leave(entry["name"] for entry in config["layers"])
        self.layers = {entry["name"]: self._layer(entry) for entry in config["layers"]}
        # What each layer returned at each call. A model has been called once before, on its inputs.
        self.outputs: dict[str, list[Any]] = {
            name: [layer.output] if isinstance(layer, keras.layers.InputLayer) else []
            for name, layer in self.layers.items()
        }
        for name, layer in self.layers.items():
            if isinstance(layer, keras.Sequential) or is_functional(layer):
                self.outputs[name].append(None)

    def model(self) -> keras.Model:
        """The model, without its weights.

        Raises:
            ValueError: If the config is not that of a graph.
        """
        self._call()
        inputs, outputs = (
            self._ends(self.config[key]) for key in ("input_layers", "output_layers")
        )
        # As an argument, because the attribute would make all layers in it so.
        trainable = self.config.get("trainable", True)
        return keras.Model(inputs, outputs, name=self.config.get("name"), trainable=trainable)

    def _call(self) -> None:
        """Calls each layer where the config says so."""
        waiting = []
        for entry in self.config["layers"]:
            first = len(self.outputs[entry["name"]])
            nodes = enumerate(entry["inbound_nodes"], start=first)
            waiting += [(entry["name"], number, node) for number, node in nodes]
        while waiting:
            left = [call for call in waiting if not self._called(*call)]
            if len(left) == len(waiting):
                names = ", ".join(sorted({name for name, _, _ in left}))
                raise ValueError(f"Nothing makes the inputs of these layers: {names}.")
            waiting = left

    def _layer(self, entry: Config) -> Any:
        if entry["class_name"] not in CALLS:
            return keras.saving.deserialize_keras_object(entry)
        function, name = str(entry["config"]["function"]), entry["config"]["name"]
        new = self.replacement(name, function)
        found = operation(function)[1] if new is None else new
        if found is None:
            return _index
        if _is_operation(found):
            return _of_keras(found, name)
        return _layered(found, name, is_given=new is not None)

    def _called(self, name: str, number: int, node: Any) -> bool:
        """Calls a layer, if this is its next call and what it is called on is there."""
        if len(self.outputs[name]) != number:
            return False
        arguments: Config = {}
        try:
            first = self._first(node, arguments)
            arguments = {key: self._further(value) for key, value in arguments.items()}
        except LookupError:
            return False
        layer = self.layers[name]
        if isinstance(layer, keras.layers.RNN | keras.layers.Bidirectional):
            # Keras 2 wrote the states beside the input, and an argument that Keras 3 has not.
            arguments.pop("constants", None)
            if isinstance(first, list) and len(first) > 1:
                first, *arguments["initial_state"] = first
        if isinstance(layer, keras.layers.Layer):
            single = isinstance(first, list) and len(first) == 1
            result = layer(first[0] if single else first, **arguments)
        else:
            result = layer(first, arguments)
        self.outputs[name].append(result)
        return True

    def _first(self, node: Any, arguments: Config) -> Any:
        """The first argument of a call. The others stand beside each tensor in it."""
        if isinstance(node, dict):
            return {key: self._first(value, arguments) for key, value in node.items()}
        if not (len(node) == 4 and isinstance(node[0], str) and isinstance(node[3], dict)):
            return [self._first(item, arguments) for item in node]
        arguments.update(node[3])
        return node[2] if node[0] == _CONSTANT else self._tensor(*node[:3])

    def _further(self, value: Any) -> Any:
        """Another argument of a call, with its tensors."""
        if isinstance(value, dict):
            return {key: self._further(item) for key, item in value.items()}
        if not isinstance(value, list):
            return value
        if len(value) == 3 and isinstance(value[0], str) and value[0] in self.layers:
            return self._tensor(*value)
        return [self._further(item) for item in value]

    def _ends(self, value: Any) -> Any:
        """The inputs or outputs of the model, of which a single one is no list."""
        if isinstance(value, dict):
            return {key: self._ends(item) for key, item in value.items()}
        if isinstance(value[0], str):
            return self._tensor(*value)
        ends = [self._ends(item) for item in value]
        return ends[0] if len(ends) == 1 else ends

    def _tensor(self, name: str, call: int, index: int) -> Any:
        result = self.outputs[name][call]
        return result[index] if isinstance(result, list | tuple) else result


def _leave(names: Iterable[str]) -> None:
    """Makes Keras leave these names to layers, when it gives names to operations."""
    for name in names:
        prefix, _, number = name.rpartition("_")
        prefix, last = (prefix, int(number)) if number.isdecimal() else (name, 0)
        # No program counts further, and this counts one by one.
        while last < 10_000 and keras.backend.get_uid(prefix) <= last:
            pass


def _is_operation(found: Any) -> bool:
    return getattr(keras.ops, getattr(found, "__name__", ""), None) is found


def _index(x: Any, arguments: Config) -> Any:
    def part(given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        if given.get("class_name") == "__ellipsis__":
            return ...
        return slice(given.get("start"), given.get("stop"), given.get("step"))

    parts = arguments["slice_spec"]
    return x[tuple(map(part, parts)) if isinstance(parts, list) else part(parts)]


def _given(arguments: Config) -> Config:
    return {key: value for key, value in arguments.items() if key != "name" and value is not None}


def _of_keras(function: Callable[..., Any], name: str) -> Call:
    """A call of an operation of Keras with the arguments of TensorFlow's."""

    def call(x: Any, arguments: Config) -> Any:
        given = _given(arguments)
        if function.__name__ in _FIRST_AXIS:
            given.setdefault("axis", 0)
        named = {key: given.pop(key) for key in _NAMED_ARGUMENTS if key in given}
        positional = [given.pop(key) for key in _ARGUMENTS if key in given]
        if given := {key: value for key, value in given.items() if value is not False}:
            raise ValueError(
                f"{name!r} is a call with {', '.join(given)}, which keras.ops.{function.__name__} "
                f"does not take: {_WAY_OUT}"
            )
        return function(x, *positional, **named)

    return call


def _layered(activation: Any, name: str, is_given: bool) -> Call:
    """A call of an activation in a layer that has the name of the call.

    One that is given in the place of TensorFlow's does not get the arguments of that.
    """

    def call(x: Any, arguments: Config) -> Any:
        given = _given(arguments)
        if not given or activation is keras.activations.linear or is_given:
            return keras.layers.Activation(activation, name=name, dtype=policy_of(x))(x)
        entry = info(activation.__name__)
        if len(given) == len(entry.parameters) == 1:
            given = dict(zip(entry.parameters, given.values(), strict=True))
        if strange := ", ".join(key for key in given if key not in entry.parameters):
            raise ValueError(
                f"{name!r} calls {entry.name} with {strange}, which it does not take. Say which "
                f"activation it is: names={{{name!r}: …}}, such as 'name(parameter=0.1)'."
            )
        return entry.layer(**given, name=name, dtype=policy_of(x))(x)

    return call
