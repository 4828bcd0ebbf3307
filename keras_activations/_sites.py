"""Where the activations of a model are."""

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import keras
import tensorflow as tf

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


def sites(model: Any) -> Iterator[Site]:
    """All activations of a model, in the order of its layers, those within layers included.

    A layer that a model uses several times comes once. What a layer computes without an activation
    layer, function or argument of its own, such as `keras.ops.relu`, is not found.

    Args:
        model: A model, or another layer.

    Yields:
        A `Site` for each.
    """
    yield from _sites(model, "", set())


def _sites(layer: Any, path: str, seen: set[int]) -> Iterator[Site]:
    if id(layer) in seen:
        return
    seen.add(id(layer))
    here = path or layer.name
    if _is_activation_layer(layer):
        yield Site(here, layer, None, layer)
        return
    own = {
        name: value
        for name, value in vars(layer).items()
        if not name.startswith("_") and callable(value) and _is_held(name, value)
    }
    for name, value in own.items():
        seen.add(id(value))
        yield Site(f"{here}/{name}" if len(own) > 1 else here, layer, name, value)
    for child in _children(layer):
        yield from _sites(child, f"{path}/{child.name}".lstrip("/"), seen)


def _children(layer: Any) -> list[Any]:
    """The layers that stand in a layer, also in those of its lists and dictionaries."""
    if isinstance(layer, keras.Model):
        return list(layer.layers)
    values = (v for v in vars(layer).values() if isinstance(v, Layer | list | tuple | dict))
    return [leaf for value in values for leaf in tf.nest.flatten(value) if isinstance(leaf, Layer)]


def _is_held(name: str, value: Any) -> bool:
    """Whether an attribute holds the activation of its layer: by its name, or what it is."""
    if name.endswith("activation"):
        return True
    return not isinstance(value, Layer) and any(_is(value, info) for info in catalogue())


def _is_activation_layer(layer: Any) -> bool:
    return isinstance(layer, ActivationLayer) or any(
        type(layer) is _keras_layer(info) for info in catalogue()
    )


def _keras_layer(info: ActivationInfo) -> Any:
    return getattr(keras.layers, info.layer.__name__, None)


def _is(activation: Any, info: ActivationInfo) -> bool:
    if activation is info.function or isinstance(activation, info.layer):
        return True
    # Keras's aliases carry the name of the function that they stand for.
    name = getattr(activation, "__name__", None)
    keras_function = name == info.name and activation is getattr(keras.activations, name, None)
    return keras_function or type(activation) is _keras_layer(info)
