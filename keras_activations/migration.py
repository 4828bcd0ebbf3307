"""Turns models that Keras 2, TensorFlow Addons or their users saved into models of this Keras."""

import inspect
import json
import os
import pathlib
import re
import shutil
import tempfile
import warnings
import zipfile
from collections.abc import Mapping
from typing import Any

import h5py
import keras
import numpy as np
import tensorflow as tf

from keras_activations._graphs import Config
from keras_activations._registry import get
from keras_activations._rewriting import Rewriting, called, in_places, is_object
from keras_activations.surgery import CHANNELS, channels, replace_activations

# No model has a description of this size; what claims to is made to fill the memory.
_LARGEST = 2**28


def migrate(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    names: Mapping[str, Any] | None = None,
    verbose: int = 1,
) -> Any:
    """Writes a model that Keras 3 loads, from one that it refuses or takes for another.

    Reads `.h5` and `.keras` files of Keras 2 and 3, also HDF5 files that are named `.keras`. What
    TensorFlow Addons saved becomes this package's. Where Keras 3 means another function than Keras
    2 by a name, as in gates of recurrent layers, the model gets the one that it was trained with.
    Calls of TensorFlow's functions in functional models become layers and operations of Keras 3.
    Arguments that layers no longer take are left out where they say what is so anyway.

    The source stays as it is, and no code in it is run. The target is loaded before it gets its
    name, and must have the weights of the source; if anything fails, there is no target. It loads
    where this package is imported.

    Args:
        source: The file to read.
        target: The `.keras` file to write, which must not exist.
        names: What stands for names that nobody knows, or that mean something else. A key is the
            name of an activation as the file has it or, where the activation is code (a lambda or
            a `Lambda`), the name or path of the layer, such as `"encoder/dense_1"`. A value is what
            `ka.get` takes, a string, a function or a layer, or a class of layers.
        verbose: 1 prints every change, 0 none. What cannot be known is a warning either way.

    Returns:
        The model, as it was loaded from the target.

    Raises:
        TypeError: If `names` is no mapping, or has values of other types.
        ValueError: If the source cannot be migrated: the message names all that stands in the way,
            and the way out. If `names` has an activation that nobody knows, or that changes the
            number of channels, or the target is no `.keras` file.
        FileNotFoundError: If there is no source.
        FileExistsError: If there is a target.

    Example:

    >>> model = ka.migrate("old.h5", "new.keras", {"foo": ka.mish})  # doctest: +SKIP
    time_major=False -> no such argument: lstm
    hard_sigmoid -> hard_sigmoid_keras2: lstm
    foo -> mish: dense, dense_1
    """
    source, target = pathlib.Path(source), pathlib.Path(target)
    if target.suffix != ".keras":
        raise ValueError(f"The target must be a .keras file. Received: {str(target)!r}")
    if target.exists():
        raise FileExistsError(f"{target} exists already. Remove it, or name another target.")
    if not isinstance(names, Mapping | None):
        raise TypeError(f"`names` must be a mapping, such as {{'old': 'new'}}. Received: {names!r}")
    functions = {key: _function(value) for key, value in (names or {}).items()}
    # Also what nobody registered, under the names that Keras gives them.
    scope = {it.__name__: it for it in functions.values() if inspect.isfunction(it)}
    try:
        config, keras2 = _read(source)
        rewriting = Rewriting(functions, keras2)
        with keras.saving.custom_object_scope(scope):
            config = rewriting.config(config)
            rewriting.check()
            model, problem = _made(rewriting.graphs(config), source)
            _check_weights(model, source)
            layers = [it for it in functions.values() if hasattr(it, "stands_for")]
            if layers:
                new = {it.__name__: it.stands_for for it in layers}
                model = replace_activations(model, new, verbose=0)
            model = _written(model, target)
    except RecursionError:
        raise ValueError(f"{source} has a config nested too deeply for a model.") from None
    except (AttributeError, KeyError, TypeError, ValueError, tf.errors.OpError) as error:
        raise ValueError(f"{source} {error}") from error
    if verbose:
        for change, places in rewriting.changes.items():
            print(f"{change}: {in_places(places)}")
    doubts = [f"{doubt} ({in_places(places)})" for doubt, places in rewriting.doubts.items()]
    for text in (*doubts, rewriting.unused(), problem):
        if text:
            warnings.warn(text, stacklevel=2)
    return model


def _function(new: Any) -> Any:
    """A function that stands for a layer until the weights are loaded, of which the file has none.

    What is a function stays as it is.
    """
    new = new() if isinstance(new, type) else get(new)
    made = channels(new)
    if made not in (None, CHANNELS):
        raise ValueError(
            f"An activation of a saved model keeps the number of channels. Received in `names`: "
            f"{called(new)}, which makes {made} of {CHANNELS}. Make the model in Python with it, "
            f"and load the weights of the file into that."
        )
    if not isinstance(new, keras.layers.Layer):
        return new

    def stand_in(x: Any) -> Any:
        return x

    stand_in.__name__ = f"stand_in_{id(new)}"
    stand_in.stands_for = new  # type: ignore[attr-defined]
    return stand_in


def _read(path: pathlib.Path) -> tuple[Config, bool]:
    """The config of the model in a file, and whether Keras 2 or an earlier one wrote it."""
    if (path / "saved_model.pb").exists():
        raise ValueError(
            f"is a SavedModel, which holds no layers to migrate. It runs as it is, and trains, as "
            f"`keras.layers.TFSMLayer({str(path)!r}, call_endpoint='serving_default')`."
        )
    if path.is_dir():
        raise ValueError("is a folder, not a saved model.")
    if not path.exists():
        raise FileNotFoundError(f"There is no file {path}.")
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                text = _text(archive, "config.json")
                version = str(json.loads(_text(archive, "metadata.json"))["keras_version"])
        else:
            with h5py.File(path) as file:
                if "model_config" not in file.attrs:
                    raise ValueError(
                        "holds weights without a model. Make the model in Python, and call its "
                        "`load_weights` with this file."
                    )
                text = file.attrs["model_config"]
                version = np.bytes_(file.attrs.get("keras_version", "1")).decode()
    except (KeyError, OSError, TypeError, zipfile.BadZipFile) as error:
        raise ValueError(f"is not a model that Keras saved, or is damaged: {error}") from error
    config = json.loads(text)
    if not is_object(config):
        raise ValueError("describes no model.")
    return config, version.startswith(("1", "2"))


def _text(archive: zipfile.ZipFile, name: str) -> bytes:
    size = archive.getinfo(name).file_size
    if size > _LARGEST:
        raise ValueError(f"has a {name} of {size} bytes, more than any model has.")
    return archive.read(name)


def _made(config: Config, source: pathlib.Path) -> tuple[Any, str]:
    """The model of a config, with the weights of a file, and why it is not compiled, if it is not.

    Keras loads it, from a copy of the file in which only the config is another.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / ("model.keras" if zipfile.is_zipfile(source) else "model.h5")
        if path.suffix == ".h5":
            shutil.copyfile(source, path)
            with h5py.File(path, "r+") as file:
                file.attrs["model_config"] = json.dumps(config).encode()
        else:
            _copy_archive(config, source, path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Of names of arguments, which the target has anew.
            model = keras.models.load_model(path, compile=False)
            try:
                return keras.models.load_model(path), ""
            except Exception as error:  # Whatever it is that only the compiled part needs.
                return model, f"The model is not compiled, compile it again: {error}"


def _copy_archive(config: Config, source: pathlib.Path, target: pathlib.Path) -> None:
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            if name == "config.json":
                new.writestr(name, json.dumps(config))
            elif name == "model.weights.h5":
                weights = target.with_name(name)
                with old.open(name) as start, weights.open("wb") as end:
                    shutil.copyfileobj(start, end)
                with h5py.File(weights, "r+") as file:
                    _renumber(file)
                new.write(weights, name)
            else:
                new.writestr(name, old.read(name))


def _renumber(group: h5py.Group) -> None:
    """Gives the layers in a file of weights the names under which Keras 3 looks for them.

    Keras 2.12 counted layers with weights twice, so that `dense_2` followed `dense`.
    """
    if "_layer_checkpoint_dependencies" in group:
        group.move("_layer_checkpoint_dependencies", "layers")
        layers = group["layers"]
        kinds: dict[str, list[int]] = {}
        for name in layers:
            kind, _, last = re.sub(r"_(\d+)$", r" \1", name).partition(" ")
            kinds.setdefault(kind, []).append(int(last or 0))
        for kind, numbers in kinds.items():
            for count, number in enumerate(sorted(numbers)):
                if count != number:
                    layers.move(f"{kind}_{number}", f"{kind}_{count}")
    for child in group.values():
        if isinstance(child, h5py.Group):
            _renumber(child)


def _check_weights(model: Any, source: pathlib.Path) -> None:
    """Raises a ValueError if a layer does not have the weights that an HDF5 file has for it.

    Keras reads them in the order of the layers, in which equal shapes could be exchanged.
    """
    if zipfile.is_zipfile(source):
        return
    layers = {layer.name: layer for layer in model.layers}
    with h5py.File(source) as file:
        saved = file["model_weights"]
        for name in saved.attrs["layer_names"]:
            name = np.bytes_(name).decode() if not isinstance(name, str) else name
            group = saved[name]
            arrays = [np.asarray(group[key]) for key in group.attrs["weight_names"]]
            layer = layers.get(name.replace("/", "_"))
            if arrays and (layer is None or not _same(arrays, layer.get_weights())):
                raise ValueError(f"has weights for {name!r} that did not arrive there.")


def _same(some: list[Any], others: list[Any]) -> bool:
    def sortable(arrays: list[Any]) -> list[Any]:
        return sorted((a.shape, a.tobytes()) for a in map(np.asarray, arrays))

    return sortable(some) == sortable(others)


def _written(model: Any, target: pathlib.Path) -> Any:
    """Saves a model, and gives it its name once what was saved has been loaded again."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        path = pathlib.Path(folder) / target.name
        model.save(path)
        again = keras.models.load_model(path)
        if not _same(model.get_weights(), again.get_weights()):
            raise ValueError("has weights that a saved model does not give back.")
        os.replace(path, target)
    return again
