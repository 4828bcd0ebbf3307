"""Where the activations of a model are."""

import dataclasses
import inspect
from collections.abc import Callable, Iterator
from typing import Any

import keras

from keras_activations._layers import ActivationLayer
from keras_activations._registry import ActivationInfo, catalogue

Layer = keras.layers.Layer


@dataclasses.dataclass(frozen=True, eq=False)
class Site:
    """A place in a model at which an activation is applied.

    Attributes:
        path: Names of the layers from the model down to this one, joined by slashes; where the
            layer takes more than one activation, the name of the argument is the last of them.
        layer: The activation layer itself, or the layer that takes the activation.
        attribute: The attribute in which the layer keeps the activation, such as `"activation"`,
            or None for an activation layer.
        activation: The activation: a function or a layer.
    """

    path: str
    layer: Any
    attribute: str | None
    activation: Callable[..., Any]

    @property
    def info(self) -> ActivationInfo | None:
        """The activation that it is, in this package or in Keras, at whatever parameters."""
        return next((i for i in catalogue() if _is(self.activation, i)), None)

    @property
    def name(self) -> str:
        """The activation's name."""
        own = getattr(self.activation, "__name__", type(self.activation).__name__)
        return self.info.name if self.info else own


def sites(model: Any, operations: bool = False) -> Iterator[Site]:
    """All activations of a model, in the order of its layers, those within layers included.

    A layer that a model uses several times comes once, but for an activation layer that others take
    as an argument, which comes with each of them. What a layer computes without an activation
    layer, function or argument of its own, such as `keras.ops.relu` in its `call`, is not found.

    Args:
        model: A model, or another layer.
        operations: Whether to find also what a functional model computes without a layer, as
            `keras.ops.relu(x)` between two layers. Such a site's layer is the `keras.Operation`.

    Yields:
        A `Site` for each.
    """
    yield from _sites(model, "", set(), operations)


def _sites(layer: Any, path: str, seen: set[int], operations: bool) -> Iterator[Site]:
    if id(layer) in seen:
        return
    seen.add(id(layer))
    if is_activation_layer(layer):
        yield Site(path or layer.name, layer, None, layer)
        return
    own = arguments(layer)
    for name, value in own.items():
        where = f"{path}/{name}".lstrip("/") if len(own) > 1 else path or layer.name
        yield Site(where, layer, name, value)
    for child in children(layer, operations).values():
        if any(child is value for value in own.values()):
            continue
        yield from _sites(child, f"{path}/{child.name}".lstrip("/"), seen, operations)


def all_layers(layer: Any) -> Iterator[Any]:
    """A layer and all that are in it; a shared one comes with each that holds it."""
    yield layer
    for child in children(layer).values():
        yield from all_layers(child)


def arguments(layer: Any) -> dict[str, Any]:
    """The activations that a layer holds, by the attributes in which it holds them."""
    return {
        name: value
        for name, value in attributes(layer).items()
        if callable(value)
        and _may_be_activation(value)
        and (
            (name.endswith("activation") and not name.startswith("_"))
            or (inspect.isfunction(value) and any(_is(value, info) for info in catalogue()))
        )
    }


def _may_be_activation(value: Any) -> bool:
    """Whether it is none of the layers that at most have activations in them."""
    if not isinstance(value, Layer) or is_activation_layer(value):
        return True
    of_keras = type(value).__module__.partition(".")[0] == "keras"
    return not (of_keras or children(value) or arguments(value))


def children(layer: Any, operations: bool = False) -> dict[str, Any]:
    """The layers that stand directly in a layer.

    Those of the graph of a functional or sequential model are found by their number, others by the
    attributes in which a layer holds them, also in lists, tuples and dictionaries.
    """
    if not isinstance(layer, Layer):
        return {}
    found: dict[str, Any] = {}
    kept = {name: value for name, value in vars(layer).items() if name in _BOOKKEEPING}
    held = {**attributes(layer), **kept}
    if is_functional(layer) or isinstance(layer, keras.Sequential):
        graph = layer.operations if operations and is_functional(layer) else layer.layers
        found = {str(number): it for number, it in enumerate(graph)}
        held = {name: value for name, value in held.items() if not name.startswith("_")}
    # Keras's own list, which comes last, has also the layers that are held in other ways.
    for name, value in held.items():
        for key, it in leaves(value, Layer, name):
            if not any(it is other for other in found.values()):
                found[key] = it
    return found


def is_functional(layer: Any) -> bool:
    """Whether a layer is a functional model."""
    return isinstance(layer, keras.Model) and hasattr(layer, "operations")


def attributes(layer: Any) -> dict[str, Any]:
    """What the class of a layer stores in it, without the bookkeeping of Keras and TensorFlow."""
    return {
        name: value
        for name, value in vars(layer).items()
        if name not in _BOOKKEEPING and not name.startswith("_self_")
    }


# What every layer has, seen in one that has nothing else; TensorFlow marks its own by a prefix.
_BOOKKEEPING = frozenset(vars(Layer(name="empty")))


def leaves(value: Any, kind: type[Any], key: str) -> Iterator[tuple[str, Any]]:
    """What of a kind there is in a value, and in its lists, tuples and dictionaries."""
    if isinstance(value, kind):
        yield key, value
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from leaves(item, kind, f"{key}.{name}")
    elif isinstance(value, list | tuple):
        for number, item in enumerate(value):
            yield from leaves(item, kind, f"{key}.{number}")


def is_activation_layer(layer: Any) -> bool:
    """Whether a layer, or an operation, is an activation, Keras's or ours."""
    return isinstance(layer, ActivationLayer) or any(_is_keras(layer, i) for i in catalogue())


def _is_keras(layer: Any, info: ActivationInfo) -> bool:
    """Whether it is Keras's layer, or the operation in a functional model, of that activation."""
    name = info.layer.__name__
    if isinstance(layer, keras.Operation) and not isinstance(layer, Layer):
        return type(layer).__name__.lower() == name.lower()
    return type(layer) is getattr(keras.layers, name, None)


def _is(activation: Any, info: ActivationInfo) -> bool:
    if activation is info.function or isinstance(activation, info.layer):
        return True
    # Keras's aliases carry the name of the function that they stand for.
    name = getattr(activation, "__name__", None)
    keras_function = name == info.name and activation is getattr(keras.activations, name, None)
    return keras_function or _is_keras(activation, info)
