"""Turns models that Keras 2, TensorFlow Addons or their users saved into models of this Keras."""

import collections
import contextlib
import inspect
import json
import os
import pathlib
import re
import shutil
import tempfile
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any

import h5py
import keras
import numpy as np
import tensorflow as tf

from keras_activations._graphs import Config
from keras_activations._registry import catalogue
from keras_activations._rewriting import Rewriting, called, in_places, is_object, saved
from keras_activations.surgery import CHANNELS, channels, replace_activations, resolved

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
    scope: dict[str, Any] = {}
    for it in filter(inspect.isfunction, functions.values()):
        if scope.setdefault(it.__name__, it) is not it:
            raise ValueError(
                f"`names` has two functions that are called {it.__name__}, of which a saved model "
                f"would have one in both places. Call one otherwise."
            )
    try:
        config, keras2 = _read(source)
        rewriting = Rewriting(functions, keras2)
        with keras.saving.custom_object_scope(scope), _in_float32():
            graphs = rewriting.config(config)
            rewriting.check()
            graphs = rewriting.graphs(graphs)
            if "compile_config" in config:
                graphs["compile_config"] = config["compile_config"]
            model, problem = _made(graphs, source)
            _check_weights(model, source)
            there = [functions[name] for name in functions if name in rewriting.used]
            layers = [it for it in there if hasattr(it, "stands_for")]
            if layers:
                if model.compiled:
                    problem = "The model is not compiled, compile it again: it got other layers."
                new = {it.__name__: it.stands_for for it in layers}
                model = replace_activations(model, new, verbose=0)
            model = _written(model, target)
    except RecursionError:
        raise ValueError(f"{source} has a config nested too deeply for a model.") from None
    except (
        AttributeError,
        LookupError,
        RuntimeError,
        TypeError,
        ValueError,
        tf.errors.OpError,
    ) as error:
        raise ValueError(f"{source} {error}") from error
    if verbose:
        for change, places in rewriting.changes.items():
            print(f"{change}: {in_places(places)}")
    doubts = [f"{doubt} ({in_places(places)})" for doubt, places in rewriting.doubts.items()]
    for text in (*doubts, rewriting.unused(), problem):
        if text:
            warnings.warn(text, stacklevel=2)
    return model


@contextlib.contextmanager
def _in_float32() -> Iterator[None]:
    """The precision of layers of which a file says none, whatever the caller works in."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def _function(new: Any) -> Any:
    """A function that stands for a layer until the weights are loaded, of which the file has none.

    What is a function stays as it is.
    """
    new = resolved(new)
    made = channels(new)
    if made not in (None, CHANNELS):
        raise ValueError(
            f"An activation of a saved model keeps the number of channels. Received in `names`: "
            f"{called(new)}, which makes {made} of {CHANNELS}. Make the model in Python with it, "
            f"and load the weights of the file into that."
        )
    if not isinstance(new, keras.layers.Layer):
        if not any(new is entry.function for entry in catalogue()):
            _check_name(new)
        return new

    def stand_in(x: Any) -> Any:
        return x

    stand_in.__name__ = f"stand_in_{id(new)}"
    stand_in.stands_for = new  # type: ignore[attr-defined]
    return stand_in


def _check_name(function: Any) -> None:
    """Raises a ValueError if a saved model would have another function by the name of this one."""
    if getattr(function, "__name__", "<lambda>") == "<lambda>":
        raise ValueError(
            f"`names` has a function without a name, which no model can hold: {function!r}. Give "
            f"it one by `def`, or write the parameters of an activation into its name, as in "
            f"'name(parameter=0.1)'."
        )
    meant = function
    with contextlib.suppress(TypeError, ValueError):
        meant = keras.activations.get(saved(function))
    if meant is not function:
        raise ValueError(
            f"`names` has a function that is called {function.__name__}, as one of Keras or "
            f"of this package, which a saved model would have in its place. Pass the name, if that "
            f"is what you mean, or call yours otherwise."
        )


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
    """Raises a ValueError if the model does not have the weights that a file has.

    Keras reads those of HDF5 files in the order of the layers, in which equal shapes could be
    exchanged.
    """
    if zipfile.is_zipfile(source):
        _check_any_place(model, source)
        return
    layers = {layer.name: layer for layer in model.layers}
    with h5py.File(source) as file:
        groups = file["model_weights"]
        for name in map(_text_of, _listed(groups, "layer_names")):
            group = groups[name]
            arrays = [
                (_text_of(key), np.asarray(group[key])) for key in _listed(group, "weight_names")
            ]
            layer = layers.get(name.replace("/", "_"))
            there = [] if layer is None else [(w.path, np.asarray(w)) for w in layer.weights]
            if arrays and not _same(arrays, there):
                raise ValueError(f"has weights for {name!r} that did not arrive there.")


def _check_any_place(model: Any, source: pathlib.Path) -> None:
    """Raises a ValueError if an array of a `.keras` file is nowhere in the model."""
    there = collections.Counter(_content(w) for w in model.get_weights())

    def visit(name: str, item: Any) -> None:
        of_model = not name.startswith(("optimizer", "metrics", "_metrics"))
        if of_model and isinstance(item, h5py.Dataset) and item.dtype.kind == "f":
            content = _content(np.asarray(item))
            if not there[content]:
                raise ValueError(f"has weights at {name!r} that did not arrive in the model.")
            there[content] -= 1

    with (
        zipfile.ZipFile(source) as archive,
        archive.open("model.weights.h5") as weights,
        h5py.File(weights) as file,
    ):
        file.visititems(visit)


def _listed(group: h5py.Group, name: str) -> list[Any]:
    """A list among the attributes of a group, which are several where it is long."""
    parts = [name] if name in group.attrs else []
    while f"{name}{len(parts)}" in group.attrs:
        parts.append(f"{name}{len(parts)}")
    return [item for part in parts for item in group.attrs[part]]


def _text_of(name: Any) -> str:
    return name if isinstance(name, str) else np.bytes_(name).decode()


def _same(some: list[tuple[str, Any]], others: list[tuple[str, Any]]) -> bool:
    """Whether named arrays are the same: by their names where these are, else in any order."""
    first, second = ({_short(name): a for name, a in each} for each in (some, others))
    if len(some) == len(others) == len(first) and first.keys() == second.keys():
        return all(_content(first[key]) == _content(second[key]) for key in first)
    mine, theirs = (sorted(_content(array) for _, array in each) for each in (some, others))
    return mine == theirs


def _short(name: str) -> str:
    return "/".join(name.partition(":")[0].split("/")[-2:])


def _content(array: Any) -> tuple[Any, bytes]:
    return array.shape, array.tobytes()


def _written(model: Any, target: pathlib.Path) -> Any:
    """Saves a model, and gives it its name once what was saved has been loaded again."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}.") as folder:
        path = pathlib.Path(folder) / target.name
        model.save(path)
        again = keras.models.load_model(path)
        before, after = (list(map(_content, each.get_weights())) for each in (model, again))
        if before != after:
            raise ValueError("has weights that a saved model does not give back.")
        try:
            os.link(path, target)  # Which does not take the place of what came there meanwhile.
        except FileExistsError:
            raise
        except OSError:  # Of file systems that have no links.
            os.replace(path, target)
    return again
