"""What of a saved model's config Keras 3 refuses, or takes for something else."""

import contextlib
import difflib
import inspect
from collections.abc import Mapping
from typing import Any, TypeGuard

import keras

from keras_activations._graphs import CALLS, Config, Graph, is_graph, operation
from keras_activations._registry import ActivationInfo, catalogue, info

Place = tuple[str, ...]

_MODELS = ("Functional", "Model", "Sequential")
# What has a plain value in Keras 3: dtype policies and, in Keras 2.12, numbers.
_PLAIN = {"Policy": "name", "__numpy__": "value"}
# Arguments that Keras 2 wrote for layers that no longer take them. They say what is so without
# them: the value here, or what a layer sees when it is built.
_ANY = object()
_GONE = {
    "time_major": False,
    "groups": 1,
    "noise_shape": None,
    **dict.fromkeys(("batch_input_shape", "query_shape", "key_shape", "value_shape"), _ANY),
    # Of separable convolutions, which have two kernels and do not use these.
    **dict.fromkeys(("kernel_initializer", "kernel_regularizer", "kernel_constraint"), _ANY),
}


class Rewriting:
    """Goes through a config and changes what Keras 3 refuses, or takes for something else.

    Args:
        names: The functions that stand for names, of activations or of layers whose activation is
            code.
        keras2: Whether Keras 2, or an earlier one, wrote the config.

    Attributes:
        changes: What was changed, with the places.
        doubts: What may be meant otherwise, with the places.
        problems: What stands in the way and how to get past it, with the places.
        used: The names that the config has.
    """

    def __init__(self, names: Mapping[str, Any], keras2: bool) -> None:
        self.names = names
        self.keras2 = keras2
        self.changes: dict[str, list[str]] = {}
        self.doubts: dict[str, list[str]] = {}
        self.problems: dict[str, list[str]] = {}
        self.used: set[str] = set()
        self._seen: set[str] = set()
        self._old = {name: entry for entry in catalogue() for name in entry.keras2 if keras2}

    def config(self, config: Config) -> Config:
        """The config of the model as Keras 3 reads it, but for functional models of Keras 2."""
        return self._object(config, ())

    def check(self) -> None:
        """Raises a ValueError if there are problems."""
        if self.problems:
            raise ValueError(
                "cannot be migrated yet:\n"
                + "\n".join(f"- {in_places(places)}: {it}" for it, places in self.problems.items())
            )

    def unused(self) -> str | None:
        """What to say of names that are not in the config, if there are any."""
        unused = sorted(set(self.names) - self.used)
        if not unused:
            return None
        near = [n for key in unused for n in difflib.get_close_matches(key, self._seen, n=2)]
        hint = f"Did you mean {' or '.join(map(repr, near))}? " if near else ""
        return (
            f"There is no activation {' and no '.join(map(repr, unused))}, and no layer of that "
            f"name whose activation is code. {hint}The names are: "
            f"{', '.join(sorted(self._seen)) or 'none'}."
        )

    def graphs(self, config: Any) -> Any:
        """The config with its functional models in the form of Keras 3.

        Raises:
            ValueError: If a model cannot be made.
        """
        if isinstance(config, list):
            return [self.graphs(item) for item in config]
        if not isinstance(config, dict):
            return config
        config = {key: self.graphs(value) for key, value in config.items()}
        if not (self.keras2 and is_graph(config)):
            return config
        model = Graph(config["config"], self._replacement).model()
        if config["class_name"] not in _MODELS:
            self._note(config["class_name"], "a plain model", (model.name,))
        return {**keras.saving.serialize_keras_object(model), **_as_entry(config)}

    def _replacement(self, *names: str) -> Any:
        """What the caller wants for one of the names of a place, or None."""
        self._seen.update(names)
        found = [name for name in names if name in self.names]
        self.used.update(found)
        return self.names[found[0]] if found else None

    def _note(self, old: str, new: str, place: Place) -> None:
        _add(self.changes, f"{old} -> {new}", place)

    def _value(self, key: str, value: Any, place: Place) -> Any:
        if key.endswith("activation"):
            return self._activation(value, place)
        if isinstance(value, list):
            return [self._value("", item, place) for item in value]
        if is_object(value):
            return self._object(value, place)
        if isinstance(value, dict):
            return {k: self._value(k, item, place) for k, item in value.items()}
        return value

    def _object(self, node: Config, place: Place) -> Any:
        """The new config of a layer, or of something else that has a class."""
        kind, config = node["class_name"], node["config"]
        if kind in _PLAIN and isinstance(config, dict):
            return config.get(_PLAIN[kind])
        if isinstance(config, list) and kind == "Sequential":
            # As the first versions of Keras had it.
            config = {"name": "sequential", "layers": config}
        if kind == "function" or not isinstance(config, dict):
            return node
        is_layer = "name" in config and ("trainable" in config or _is_of_keras(kind))
        inside = (*place, str(config["name"])) if is_layer else place
        if kind == "Lambda" or kind in CALLS:
            return self._call(node, inside)
        if kind in self._old:
            entry = self._old[kind]
            self._note(kind, entry.layer.__name__, inside)
            own = {key: self._value(key, value, inside) for key, value in config.items()}
            own = {key: value for key, value in own.items() if key not in _GONE}
            own = self._named_anew(own, inside)
            return _like({**node, "config": own}, saved(entry.layer.from_keras2(dict(own))))
        if self.keras2 and is_layer:
            config = self._without_gone(kind, config, inside)
            node = _modern(node)
        if is_layer and not _is_known(node):
            _add(self.problems, _strange(node.get("registered_name") or kind), inside)
        inner = inside if place or kind not in _MODELS else ()
        config = {key: self._value(key, value, inner) for key, value in config.items()}
        # Only the whole model is compiled, see `migrate`.
        node = {key: value for key, value in node.items() if key != "compile_config"}
        return {**node, "config": config}

    def _without_gone(self, kind: str, config: Config, place: Place) -> Config:
        accepted = _arguments(kind)
        if accepted is None:
            return self._with_input(config)
        kept = dict(config)
        for key, harmless in _GONE.items():
            if key not in kept or key in accepted or kind == "InputLayer":
                continue
            value = kept.pop(key)
            if harmless is not _ANY and value != harmless:
                text = (
                    f"{key}={value} is nothing that Keras 3 can do. Make the model in Python "
                    f"without it, and load the weights of this file into it."
                )
                _add(self.problems, text, place)
            elif harmless is not _ANY:
                self._note(f"{key}={value}", "no such argument", place)
        if "trainable" not in accepted and "kwargs" not in accepted:
            kept.pop("trainable", None)
        if isinstance(kept.get("axis"), list) and len(kept["axis"]) == 1:
            kept["axis"] = kept["axis"][0]
        return self._named_anew(kept, place)

    def _named_anew(self, config: Config, place: Place) -> Config:
        """A layer's config without a slash in its name."""
        if "/" not in str(config.get("name", "")):
            return config
        self._note("a name with /", "the name with _", place)
        return {**config, "name": config["name"].replace("/", "_")}

    def _with_input(self, config: Config) -> Config:
        """A sequential model's config, with an input where its first layer had the shape of one."""
        layers = config.get("layers")
        if not (isinstance(layers, list) and layers and is_object(layers[0])):
            return config
        first = layers[0]
        if first["class_name"] == "InputLayer":
            return config
        shape = first["config"].get("batch_input_shape")
        if shape is None:
            return config
        name = f"{first['config'].get('name')}_input".replace("/", "_")
        start = {
            "module": "keras.layers",
            "class_name": "InputLayer",
            "config": {"batch_shape": shape, "dtype": "float32", "name": name},
            "registered_name": None,
        }
        return {**config, "layers": [start, *layers]}

    def _call(self, node: Config, place: Place) -> Config:
        """A layer that calls a function: code in the file, or TensorFlow's by its name."""
        name, function = str(node["config"].get("name")), str(node["config"].get("function"))
        if node["class_name"] == "Lambda":
            new = self._replacement(name, path_of(place))
            if new is None:
                _add(self.problems, _code(name), place)
                return node
            self._note("code", called(new), place)
            dtype = self._value("dtype", node["config"].get("dtype"), place)
            return _like(node, saved(keras.layers.Activation(new, dtype=dtype)))
        new = self._replacement(name, function)
        try:
            found = operation(function)[0] if new is None else called(new)
            self._note(f"tf.{function}", found, place)
        except ValueError as error:
            _add(self.problems, str(error), place)
        return node

    def _activation(self, value: Any, place: Place) -> Any:
        """The new value of an argument that takes an activation."""
        if isinstance(value, str) and value != "<lambda>":
            return self._named(value, value, place)
        if not isinstance(value, dict | str):
            return value
        if not is_object(value) or value["class_name"] == "__lambda__":
            return self._from_code(value, place)
        if value["class_name"] == "function":
            return self._named(str(value["config"]), value, place)
        if value["class_name"] == "Activation" and self.keras2:
            # Around a function, so that its name would work as a string.
            return self._activation(value["config"].get("activation"), place)
        return self._object(value, place)

    def _from_code(self, value: Any, place: Place) -> Any:
        new = self._replacement(place[-1] if place else "", path_of(place))
        if new is None:
            _add(self.problems, _code(place[-1] if place else "?"), place)
            return value
        self._note("code", called(new), place)
        return saved(new)

    def _named(self, name: str, value: Any, place: Place) -> Any:
        new = self._replacement(name)
        if new is None and name in self._old:
            new = self._old[name].function
        if new is not None:
            self._note(name, called(new), place)
            return saved(new)
        try:
            known = keras.activations.get(name)
        except ValueError:
            text = (
                f"nobody knows the activation {name!r}. Say what it is: names={{{name!r}: …}}, "
                f"such as 'mish' or a function of yours."
            )
            _add(self.problems, text, place)
            return value
        if ">" in name:
            if called(known) != name.rpartition(">")[2] or name.startswith("Addons>"):
                self._note(name, called(known), place)
            return saved(known)
        entry = _entry(known)
        if self.keras2 and entry is not None and entry.doubt:
            text = f"{name!r} was read as Keras's {entry.name}. It may have been {entry.doubt}"
            _add(self.doubts, text, place)
        return name


def is_object(node: Any) -> TypeGuard[Config]:
    """Whether a part of a config describes a layer, or something else that has a class."""
    return isinstance(node, dict) and isinstance(node.get("class_name"), str) and "config" in node


def path_of(place: Place) -> str:
    """The path of a layer, as `"encoder/dense_1"`."""
    return "/".join(place)


def in_places(places: list[str]) -> str:
    """Some of the places, and how many more there are."""
    shown = ", ".join(places[:4])
    return f"{shown} and {len(places) - 4} more" if len(places) > 4 else shown


def called(new: Any) -> str:
    """The name of a function or of a layer's class."""
    new = getattr(new, "stands_for", new)
    return str(getattr(new, "__name__", type(new).__name__))


def saved(new: Any) -> Any:
    """A function or layer as a config has it."""
    if isinstance(new, keras.layers.Layer):
        return keras.saving.serialize_keras_object(new)
    return keras.activations.serialize(new)


def _add(notes: dict[str, list[str]], text: str, place: Place) -> None:
    places = notes.setdefault(text, [])
    if path_of(place) not in places:
        places.append(path_of(place))


def _entry(function: Any) -> ActivationInfo | None:
    with contextlib.suppress(ValueError):
        return info(getattr(function, "__name__", None))
    return None


def _arguments(kind: str) -> list[str] | None:
    """The arguments of a layer of Keras by the name of its class, or None if there is none."""
    layer = getattr(keras.layers, kind, None)
    return list(inspect.signature(layer).parameters) if isinstance(layer, type) else None


def _as_entry(node: Config) -> Config:
    """What the model around says of a layer: its name there, and the calls."""
    return {key: node[key] for key in ("name", "inbound_nodes") if key in node}


def _like(old: Config, new: Config) -> Config:
    """The config of another layer that stands where the old one stood."""
    kept = {key: old["config"][key] for key in ("name", "trainable") if key in old["config"]}
    return {**new, "config": {**new["config"], **kept}, **_as_entry(old)}


def _modern(node: Config) -> Config:
    """A layer's config with the module that Keras 3 wants, and older ones did not write."""
    kind = node["class_name"]
    if kind in _MODELS:
        return {**node, "module": "keras", "registered_name": None}
    if "build_config" in node and hasattr(keras.layers, kind):
        build = inspect.signature(getattr(keras.layers, kind).build)
        if len(build.parameters) > 2:
            # Keras 2 wrote the shape of the first input alone. It is built when it is called.
            node = {key: value for key, value in node.items() if key != "build_config"}
    if "module" in node:
        return node
    is_registered = keras.saving.get_registered_object(kind) is not None
    return {
        **node,
        "module": None if is_registered else "keras.layers",
        "registered_name": kind if is_registered else None,
    }


def _is_known(node: Config) -> bool:
    kind, registered = node["class_name"], node.get("registered_name")
    if keras.saving.get_registered_object(registered or kind) is not None:
        return True
    return registered in (None, kind) and _is_of_keras(kind)


def _is_of_keras(kind: str) -> bool:
    return kind in _MODELS or hasattr(keras.layers, kind)


def _strange(name: str) -> str:
    return (
        f"Keras 3 has no layer of the class {name}. If it is yours, import it, and give it that "
        f"name by `@keras.saving.register_keras_serializable(package, name)` or "
        f"`keras.saving.get_custom_objects()[{name!r}] = …`."
    )


def _code(name: str) -> str:
    return (
        f"the function is in the file as code, which is never run. Say what it computes: "
        f"names={{{name!r}: …}}, such as 'mish' or a function of yours."
    )
