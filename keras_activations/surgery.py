"""Replaces the activations of a model."""

import difflib
import fractions
import inspect
import tempfile
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import keras
import tensorflow as tf

from keras_activations._layers import SimplexLayer, TrainedLayer, policy_of
from keras_activations._registry import catalogue, check_values, get
from keras_activations._sites import (
    Layer,
    Site,
    all_layers,
    arguments,
    attributes,
    children,
    is_activation_layer,
    is_functional,
    leaves,
    sites,
)

Activation = Callable[..., Any]
Choice = tuple[Site, Activation]

# A number that can be divided into equal parts in many ways.
CHANNELS = 2520


def replace_activations(
    model: Any,
    replacements: Mapping[str, Any] | Callable[[Any], Any],
    verbose: int = 1,
) -> Any:
    """A new model with other activations and the same weights.

    The original stays as it was. Activations are found wherever a layer is one or takes one: as
    strings, functions and layers, Keras's and those of this package, in functional, sequential,
    nested and subclassed models, in wrappers, recurrent cells and layers of your own. In functional
    models operations such as `keras.ops.relu(x)` are found, too. What a layer computes in its
    `call` without an attribute that holds the activation is not.

    Names, `trainable`, dtype policies and shared layers stay as they are. Trained parameters of the
    new activations have their initial values; those of the old ones are dropped. The new model is
    not compiled. A recurrent layer takes two activations; with others than Keras's own tanh and
    sigmoid it does not use cuDNN.

    Args:
        model: A Keras model.
        replacements: A mapping from what is replaced to what takes its place.
            A key is the name of an activation, such as `"relu"`, which is replaced whatever its
            parameters. Where the model has no activation of that name, the key is the name of a
            layer or a path such as `"encoder/dense_1"`, and all activations in it are replaced.
            Layers count before activations, and inner layers before outer ones.
            A value is a string, which means this package's activation, as in `ka.get`; a function;
            a layer or a class of layers, of which each place gets one of its own; or None, which
            means linear. Functions train nothing: `"prelu"` has a fixed slope, `ka.PReLU` a
            trained one.
            Instead of the mapping, a function that takes a place and returns a value as above, or
            None to leave the activation there. A place has the attributes `path`, `layer`,
            `attribute` (None where the layer itself is the activation), `activation` and `name`.
        verbose: 1 prints what was replaced, 0 does not. What could not be replaced, or would not be
            saved, is a warning either way.

    Returns:
        The new model.

    Raises:
        ValueError: If a key matches nothing, if there is no activation of that name, if one changes
            the size of its axis, or if a layer cannot be made again from its config.
        TypeError: If an argument is of another type.

    Example:

    >>> import keras, keras_activations as ka
    >>> model = keras.Sequential(
    ...     [
    ...         keras.Input((8,)),
    ...         keras.layers.Dense(8, activation="relu", name="first"),
    ...         keras.layers.Dense(8, activation="relu", name="second"),
    ...         keras.layers.ReLU(max_value=6, name="third"),
    ...     ]
    ... )
    >>> new = ka.replace_activations(model, {"relu": "mish", "second": ka.Snake})
    relu -> mish: first
    relu -> Snake: second
    ReLU(max_value=6) -> mish: third
    """
    if not isinstance(model, Layer):
        raise TypeError(f"`model` must be a Keras model. Received: {model!r}")
    found = list(sites(model, operations=True))
    choices = _choices(found, replacements)
    copies = _Copies(choices)
    with keras.saving.custom_object_scope(_custom_objects([model, *(new for _, new in choices)])):
        for site, new in choices:
            _check_size(site, new)
        copy = copies.copy(model)
    if (id(model), None) not in copies.replaced:
        copies.carry(model, copy)
    if verbose:
        _print(copies.done)
    done = [site for site, _ in copies.done]
    for site, _ in choices:
        if site not in done:
            copies.problems.append(
                f"{_described(site.activation)} in {site.path} was not replaced: the layer around "
                f"it does not make it in its constructor, but later."
            )
    for problem in copies.problems:
        warnings.warn(problem, stacklevel=2)
    return copy


def channels(activation: Activation) -> int | None:
    """How many channels an activation makes of `CHANNELS`, or None if it does not say.

    Args:
        activation: Function or layer, which stays as it is.
    """
    try:
        own = _from_config(activation) if isinstance(activation, Layer) else activation
        return own(tf.zeros([1, CHANNELS])).shape[-1]
    except Exception:  # Of whatever kind it does not take these numbers, it will say so later.
        return None


def _custom_objects(used: list[Any]) -> dict[str, Any]:
    """What nobody registered, under the names by which Keras looks for it in a config."""
    layers = [layer for it in used if isinstance(it, Layer) for layer in all_layers(it)]
    functions = [*used, *(activation for it in layers for activation in arguments(it).values())]
    return {
        keras.saving.get_registered_name(it): it
        for it in [*map(type, layers), *filter(inspect.isfunction, functions)]
        if it.__module__.partition(".")[0] != "keras"
    }


def _choices(
    found: list[Site], replacements: Mapping[str, Any] | Callable[[Any], Any]
) -> list[Choice]:
    """The sites whose activations are replaced, each with what takes its place."""
    if isinstance(replacements, Mapping):
        for key in replacements:
            if not isinstance(key, str):
                raise TypeError(f"The keys are names of activations or layers. Received: {key!r}")
        new = {key: resolved(value) for key, value in replacements.items()}
        keys = _keys(found, list(new))
        return [(site, new[key]) for site, key in zip(found, keys, strict=True) if key is not None]
    known = any(replacements is entry.function for entry in catalogue())
    if known or not callable(replacements) or isinstance(replacements, type | Layer):
        raise TypeError(
            f"`replacements` must be a mapping, such as {{'old': 'new'}}, or a function that takes "
            f"a place in the model and returns what is to stand there, or None. "
            f"Received: {replacements!r}"
        )
    values = [(site, replacements(site)) for site in found]
    return [(site, resolved(value)) for site, value in values if value is not None]


def resolved(value: Any) -> Activation:
    """What a value stands for that is to be put into a model: a function or a layer.

    Args:
        value: What `get` takes, or a class of layers.

    Raises:
        TypeError: If it is another class, or one that cannot do without arguments.
        ValueError: If there is no such activation, or it cannot do without arguments.
    """
    if not isinstance(value, type):
        found = get(value)
        for entry in catalogue():
            if found is entry.function:
                check_values(entry, {})
        return found
    if not issubclass(value, Layer):
        raise TypeError(
            f"A class that is put into a model must be one of layers. Received: {value}"
        )
    try:
        return value()
    except TypeError as error:
        raise TypeError(
            f"Could not make a {value.__name__} without arguments: {error}. Pass a layer, of which "
            f"each place gets a new one."
        ) from error


def _keys(found: list[Site], keys: list[str]) -> list[str | None]:
    """The key that counts at each site, or None."""
    of_activations = [key for key in keys if any(_names(key, site) for site in found)]
    of_layers = [key for key in keys if key not in of_activations]
    for key in of_layers:
        if not any(_depth(key, site) for site in found):
            raise ValueError(_unknown(key, found))
    return [
        _key(site, of_layers) or next((k for k in of_activations if _names(k, site)), None)
        for site in found
    ]


def _key(site: Site, layers: list[str]) -> str | None:
    """Of the keys that name layers, the most specific that has the site in it."""
    surrounding = [key for key in layers if _depth(key, site)]
    return max(surrounding, key=lambda key: (_depth(key, site), len(key)), default=None)


def _names(key: str, site: Site) -> bool:
    """Whether a key is a name, Keras's or ours, of the activation of a site."""
    in_keras = getattr(keras.activations, key, None)
    aliases = site.info.aliases if site.info else ()
    return site.name in (key, getattr(in_keras, "__name__", None)) or key in aliases


def _depth(key: str, site: Site) -> int:
    """Where in a site's path the layer that a key names ends, or 0 if the site is in no such."""
    start = f"/{site.path}/".rfind(f"/{key}/")
    return start + 1 + len(key) if start >= 0 else 0


def _unknown(key: str, found: list[Site]) -> str:
    """The message for a key that matches nothing."""
    activations = sorted({site.name for site in found})
    layers = {name for site in found for name in (site.path, *site.path.split("/"))}
    spelt = {name.lower(): name for name in (*layers, *activations)}
    near = difflib.get_close_matches(key.lower(), spelt, n=3)
    hint = f"Did you mean {' or '.join(repr(spelt[n]) for n in near)}? " if near else ""
    return (
        f"{key!r} is neither an activation in the model nor a layer that has one. {hint}"
        f"The activations in it are: {', '.join(activations) or 'none'}. What a layer computes in "
        f"its `call`, as with keras.ops, is not found."
    )


def _check_size(site: Site, new: Activation) -> None:
    before, after = channels(site.activation), channels(new)
    if before and after and before != after:
        raise ValueError(
            f"{_described(new)} cannot stand in for {_described(site.activation)} in {site.path}: "
            f"it makes {fractions.Fraction(after, before)} × as many channels."
        )


class _Copies:
    """The layers of a new model, of which each is made once.

    Attributes:
        made: The new layers, by the identities of the old ones.
        kept: Likewise, of activation layers that are replaced in the model, but stay as arguments.
        replaced: The identities of layers, with the arguments that were replaced.
        carried: The identities of layers whose state the new ones have.
        done: What was replaced.
        problems: What is not as it should be.
    """

    def __init__(self, choices: list[Choice]) -> None:
        self.choices = {(id(site.layer), _argument(site)): (site, new) for site, new in choices}
        self.made: dict[int, Any] = {}
        self.kept: dict[int, Any] = {}
        self.replaced: set[tuple[int, str | None]] = set()
        self.carried: set[int] = set()
        self.done: list[Choice] = []
        self.problems: list[str] = []

    def copy(self, layer: Any) -> Any:
        """The layer that stands for another, not yet built unless it is a model's graph."""
        if id(layer) not in self.made:
            self.made[id(layer)] = self._copy(layer)
        return self.made[id(layer)]

    def _copy(self, layer: Any) -> Any:
        if (id(layer), None) in self.choices:
            return self._in_place_of(*self.choices[id(layer), None])
        if is_functional(layer):
            return self._functional(layer)
        if isinstance(layer, keras.Sequential):
            return self._sequential(layer)
        copy, before = _from_config(layer), len(self.done)
        self._amend(layer, copy)
        if len(self.done) > before and not _has_config(copy):
            self.problems.append(
                f"{type(layer).__name__} {layer.name!r} does not have its activations in its "
                f"config, so that a saved model would not have the new ones. Let its constructor "
                f"take them and its get_config return them, or save the weights alone, and load "
                f"them after a first call."
            )
        return copy

    def _note(self, site: Site, new: Activation) -> None:
        self.done.append((site, new))
        self.replaced.add((id(site.layer), _argument(site)))

    def _in_place_of(self, site: Site, new: Activation) -> Any:
        """A layer that does what an activation layer, or an operation, did."""
        self._note(site, new)
        layer = new if isinstance(new, Layer) else keras.layers.Activation(new)
        if _takes_mask(site.layer) and not isinstance(new, Layer):
            kinds = [entry.layer for entry in catalogue() if entry.function is new]
            layer = next((kind() for kind in kinds if issubclass(kind, SimplexLayer)), layer)
        return _like(site.layer, layer, name=site.layer.name)

    def _functional(self, model: Any) -> Any:
        # A plain model of the same graph is not compiled, and so neither is its clone, which fails
        # for a loss that has no config.
        graph = keras.Model(model.input, model.output, name=model.name)
        inputs = {
            id(layer.output): self.copy(layer).output
            for layer in graph.layers
            if isinstance(layer, keras.layers.InputLayer)
        }
        try:
            clone = keras.models.clone_model(
                graph,
                input_tensors=keras.tree.map_structure(lambda x: inputs[id(x)], graph.input),
                clone_function=self.copy,
            )
        except TypeError as error:
            # Keras does not say which of its layers the graph calls with a mask.
            for site, new in self.done:
                made = self.made.get(id(site.layer))
                if made is not None and _takes_mask(site.layer) and not _takes_mask(made):
                    raise ValueError(
                        f"{_described(new)} cannot stand in for {_described(site.activation)} in "
                        f"{site.path}, which may be called with a mask. Pass a layer whose `call` "
                        f"takes one, or leave this place out by a function as `replacements`."
                    ) from error
            raise
        return self._of_class(model, keras.Model, inputs=clone.input, outputs=clone.output)

    def _sequential(self, model: Any) -> Any:
        layers = [self.copy(layer) for layer in model.layers]
        if hasattr(model, "inputs"):
            x = model.inputs[0]
            about = {"dtype": x.dtype, "sparse": x.sparse, "name": x.name}
            layers.insert(0, keras.Input(batch_shape=x.shape, **about))
        return self._of_class(model, keras.Sequential, layers=layers)

    def _of_class(self, model: Any, plain: type[Any], **arguments: Any) -> Any:
        """A model of the same class, if its constructor takes what that of a plain one takes."""
        try:
            return type(model)(**arguments, name=model.name)
        except TypeError:
            self.problems.append(
                f"{type(model).__name__} {model.name!r} became a plain Keras model, without the "
                f"methods of its class: that could be made again only if its constructor took "
                f"{' and '.join(arguments)}."
            )
            return plain(**arguments, name=model.name)

    def _amend(self, layer: Any, copy: Any) -> None:
        """Gives a copy from the config its activations, before it is built and takes no more.

        Also those that are not replaced: a config may not have them, or mean others by their names.
        """
        inside = children(copy)
        for name, value in arguments(layer).items():
            if name not in attributes(copy):
                continue
            if (id(layer), name) in self.choices:
                site, new = self.choices[id(layer), name]
                self._note(site, new)
                value = _like(layer, new) if isinstance(new, Layer) else new
            elif isinstance(value, Layer):
                twin, made = attributes(copy)[name], self._as_argument(value)
                if id(value) not in made:
                    same = _described(value) == _described(twin)
                    made[id(value)] = twin if same else _again(value)
                value = made[id(value)]
                if value is twin:
                    continue
            _put(copy, name, value)
            if name in inside:
                _forget(copy, inside[name])
        for key, child in children(layer).items():
            if key in arguments(layer):
                continue
            if key not in inside:
                if is_activation_layer(child) and key in attributes(copy):
                    _put(copy, key, self.copy(child))  # Where the config has a function.
            elif id(child) in self.made or self._is_to_be_made(child, inside[key]):
                _exchange(copy, inside[key], self.copy(child))
            elif type(inside[key]) is type(child):
                self.made[id(child)] = inside[key]
                self._amend(child, inside[key])

    def _as_argument(self, layer: Any) -> dict[int, Any]:
        """Where to find what stands for an activation layer that stays as an argument."""
        return self.kept if (id(layer), None) in self.choices else self.made

    def _is_to_be_made(self, layer: Any, twin: Any) -> bool:
        """Whether changing the twin that the config of the layer around made is not enough."""
        if (id(layer), None) in self.choices:
            return True
        if is_activation_layer(layer):
            return _described(layer) != _described(twin)
        graph = is_functional(layer) or isinstance(layer, keras.Sequential)
        inside = sites(layer, operations=True)
        return graph and any((id(site.layer), _argument(site)) in self.choices for site in inside)

    def carry(self, old: Any, new: Any) -> None:
        """Gives a layer, and all layers in it, the state of another, but for what is replaced."""
        if id(old) in self.carried:
            return
        self.carried.add(id(old))
        if old.built and not new.built:
            with warnings.catch_warnings():
                # A model that cannot be built as a whole is built layer by layer below.
                warnings.simplefilter("ignore", UserWarning)
                new.build_from_config(old.get_build_config())
        if new.trainable != old.trainable:
            new.trainable = old.trainable
        state: dict[str, Any] = {}
        old.save_own_variables(state)
        if state:
            new.load_own_variables(state)
        if hasattr(old, "save_assets"):
            with tempfile.TemporaryDirectory() as folder:
                old.save_assets(folder)
                new.load_assets(folder)
        for name, value in attributes(old).items():
            if isinstance(value, keras.random.SeedGenerator):
                attributes(new)[name].state.assign(value.state)
        inside = children(new)
        for key, child in children(old).items():
            held = [(id(old), name) for name, it in arguments(old).items() if it is child]
            if self.replaced.issuperset(held or [(id(child), None)]):
                continue
            made = self._as_argument(child) if held else self.made
            twin = made.get(id(child), inside.get(key))
            if twin is not None:
                self.carry(child, twin)
            elif child.variables and id(child) not in self.carried:
                raise ValueError(
                    f"{type(old).__name__} {old.name!r}, made again from its config, has no "
                    f"{child.name!r}, whose weights would be lost."
                )
        if old.built:
            new.built = True


def _takes_mask(layer: Any) -> bool:
    return "mask" in inspect.signature(layer.call).parameters


def _argument(site: Site) -> str | None:
    """The argument to set, or None where the layer as a whole is replaced."""
    return None if type(site.layer) is keras.layers.Activation else site.attribute


def _like(old: Any, new: Any, **settings: Any) -> Any:
    """A new layer for a place where it computes, and is trained, as an old one is."""
    # An operation has neither a policy nor weights.
    is_layer = isinstance(old, keras.layers.Layer)
    policy = old.dtype_policy if is_layer else policy_of(old.output)
    if isinstance(policy, keras.dtype_policies.QuantizedDTypePolicy):
        # As "int8_from_float32", which is for kernels: what comes of them is a float32 still.
        policy = keras.DTypePolicy(policy.name.partition("_from_")[2])
    layer = _again(new, dtype=policy, autocast=True, **settings)
    layer.trainable = layer.trainable and getattr(old, "trainable", True)
    return layer


def _again(layer: Any, **settings: Any) -> Any:
    """A new layer of the same class, config and activations."""
    copy = _from_config(layer, **settings)
    _Copies([])._amend(layer, copy)
    return copy


def _from_config(layer: Any, **settings: Any) -> Any:
    try:
        config = _unbuilt(layer.get_config())
        config.update({name: value for name, value in settings.items() if name in config})
        # What runs already is as safe as it was.
        takes_mode = "safe_mode" in inspect.signature(type(layer).from_config).parameters
        trusted = {"safe_mode": False} if takes_mode else {}
        if isinstance(layer, keras.layers.Lambda):
            named = {layer.function.__name__: layer.function}
            copy = type(layer).from_config(config, custom_objects=named, **trusted)
            copy.function = layer.function  # With the names that it uses.
            return copy
        # Keras writes the code of a lambda into the config, but does not read it.
        for name, value in arguments(layer).items():
            if name in config and getattr(value, "__name__", None) == "<lambda>":
                config[name] = value
        try:
            return type(layer).from_config(dict(config), **trusted)
        except TypeError:
            # Many a constructor does not take what those of all layers take.
            for name in ("name", "trainable", "dtype"):
                config.pop(name, None)
            copy = type(layer).from_config(config, **trusted)
            copy.name = settings.get("name", layer.name)
            copy.dtype_policy = settings.get("dtype", layer.dtype_policy)
            return copy
    except Exception as error:
        raise ValueError(
            f"Could not make {type(layer).__name__} {layer.name!r} again from its config. The "
            f"get_config of its class must return what its constructor takes. {error}"
        ) from error


def _unbuilt(config: Any) -> Any:
    """A config by which Keras does not build layers, after which they would take no new ones."""
    if isinstance(config, dict):
        return {k: _unbuilt(value) for k, value in config.items() if k != "build_config"}
    return [_unbuilt(value) for value in config] if isinstance(config, list) else config


def _exchange(owner: Any, old: Any, new: Any) -> None:
    """Puts a layer wherever another holds an old one."""
    for name, value in attributes(owner).items():
        if any(leaf is old for _, leaf in leaves(value, Layer, name)):
            _put(owner, name, _exchanged(value, old, new))
    _forget(owner, old)
    if not any(it is new for it in children(owner).values()):
        raise ValueError(
            f"{type(owner).__name__} {owner.name!r} holds the layer {old.name!r} where it cannot "
            f"be replaced. It may be in an attribute, a list, a tuple or a dictionary."
        )


def _put(owner: Any, name: str, value: Any) -> None:
    try:
        setattr(owner, name, value)
    except ValueError as error:
        raise ValueError(
            f"{type(owner).__name__} {owner.name!r} is built in its constructor, and Keras lets no "
            f"new layer into a layer that is built. Put a function there instead, or give the "
            f"class a `build`."
        ) from error


def _exchanged(value: Any, old: Any, new: Any) -> Any:
    if isinstance(value, dict):
        return {key: _exchanged(item, old, new) for key, item in value.items()}
    if isinstance(value, list | tuple):
        kind = tuple if isinstance(value, tuple) else list
        return kind(_exchanged(item, old, new) for item in value)
    return new if value is old else value


def _forget(owner: Any, layer: Any) -> None:
    # Keras lists every layer that ever stood in an attribute, until a list of its lets go of it.
    owner._let_go_by_keras_activations = [layer]
    owner._let_go_by_keras_activations.clear()
    del owner._let_go_by_keras_activations


def _has_config(layer: Any) -> bool:
    """Whether the config of a layer that is not built yet tells the activations in it."""
    try:
        layers = layer, _from_config(layer)
    except ValueError:
        return False
    found = [sorted(_described(site.activation) for site in sites(it)) for it in layers]
    return found[0] == found[1]


def _described(activation: Activation) -> str:
    """An activation as one would write it."""
    if not isinstance(activation, keras.Operation):
        return getattr(activation, "__name__", repr(activation))
    config, kind = activation.get_config(), type(activation)
    given = [
        f"{name}={config[name]!r}"
        for name, parameter in inspect.signature(kind).parameters.items()
        if isinstance(config.get(name), int | float | str | list)
        and config[name] != parameter.default
        and name != "name"
    ]
    return f"{kind.__name__}({', '.join(given)})" if given else kind.__name__


def _print(done: list[Choice]) -> None:
    kinds: dict[str, list[str]] = {}
    for site, new in done:
        kind = f"{_described(site.activation)} -> {_described(new)}{_fixed(new)}"
        kinds.setdefault(kind, []).append(site.path)
    for kind, paths in kinds.items():
        more = f", and {len(paths) - 3} more" if len(paths) > 3 else ""
        print(f"{kind}: {', '.join(paths[:3])}{more}")
    if not done:
        print("Nothing was replaced.")


def _fixed(activation: Activation) -> str:
    """A reminder that a function trains nothing, where a layer of that name would."""
    for entry in catalogue():
        if activation is entry.function and issubclass(entry.layer, TrainedLayer):
            return f" (fixed; {entry.layer.__name__} is trained)"
    return ""
