"""Strings: makes `activation="snake"` mean ours, the one place that touches Keras's internals.

Keras looks an activation's name up in a private table and nowhere else. The table is replaced by
one that asks Keras first, then the user's own registered objects, then this package. Should a
later Keras have no such table, `keras.activations.get` is wrapped instead; should that not help
either, the import warns and everything but strings goes on working. The way back, from functions to
the names that Keras has for its own, is taught it too.
"""

import contextlib
import functools
import importlib
import warnings
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any

import keras

from keras_activations._registry import PACKAGE, ActivationInfo, catalogue, find, get, unknown

_in_use: list["use"] = []
_undo: list[Callable[[], None]] = []


class use:
    """Makes Keras's own names mean this package's functions.

    Until then `activation="gelu"` means Keras's gelu. Afterwards it means ours, everywhere, until
    `.restore()` or the end of the `with` block. A function that is the same as Keras's is still
    saved under the plain name, and so loads without this package; one that is not, where Keras is
    wrong, under this package's. Layers that exist keep the function they have.

    relu, tanh, sigmoid, softmax and linear are never taken over: Keras's recurrent layers and
    cross-entropies rely on those being its own.

    Args:
        *names: The names to take over. Without any, all that Keras and this package share, but
            for those five.

    Raises:
        TypeError: If a name is not a string.
        ValueError: If a name is not one of Keras's, or is one that must be left alone.

    Example:

    >>> import keras, keras_activations as ka
    >>> with ka.use("gelu"):
    ...     keras.activations.get("gelu") is ka.gelu
    True
    >>> keras.activations.get("gelu") is keras.activations.gelu
    True
    """

    def __init__(self, *names: str) -> None:
        shared = _shared_names()
        replaceable = sorted(name for name, entry in shared.items() if entry.replaceable)
        for name in names:
            if not isinstance(name, str):
                raise TypeError(f"Pass names one by one, as in use('a', 'b'). Received: {name!r}")
            if name not in shared:
                raise ValueError(
                    f"{name!r} is not a name that Keras and this package share. Those that can be "
                    f"taken over are: {', '.join(replaceable)}."
                )
            if not shared[name].replaceable:
                raise ValueError(
                    f"{name!r} is left to Keras, which relies on its own function. Pass "
                    f"`activation=keras_activations.{name}` where you want this one."
                )
        self.functions = {name: shared[name].function for name in names or replaceable}
        self._blocks = 0
        _in_use.append(self)

    def restore(self) -> None:
        """Gives the names back; may be called more than once."""
        if self in _in_use:
            _in_use.remove(self)

    def __enter__(self) -> "use":
        self._blocks += 1
        if self not in _in_use:
            _in_use.append(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._blocks -= 1
        if self._blocks == 0:
            self.restore()


def install() -> None:
    """Makes strings, and plain names in files, work; warns where strings cannot."""
    _install_names()
    _save_plainly()


def _install_names() -> None:
    if _works():
        return
    for attempt in (_replace_table, _wrap_get):
        try:
            attempt()
        except (AttributeError, ImportError, TypeError):
            continue
        if _works():
            return
        uninstall()
    warnings.warn(
        f"Strings for the activations of this package do not work with Keras {keras.__version__}: "
        f"it keeps its table of names where keras_activations does not find it. Pass functions, "
        f"`activation=keras_activations.get(name)`, or layers. Everything else works.",
        stacklevel=2,
    )


def uninstall() -> None:
    """Puts Keras back as it was."""
    while _undo:
        _undo.pop()()


class _Names(dict[str, Any]):
    """Keras's table of names, which holds Keras's entries and looks further for others."""

    def get(self, key: Any, default: Any = None) -> Any:
        found = _taken_over(key) or super().get(key) or _theirs(key) or _ours(key)
        if found is None and default is None and isinstance(key, str):
            raise ValueError(unknown(key, _all_names(self)))
        return default if found is None else found


def _save_plainly() -> None:
    """Has Keras save a function that is its own equal under its own plain name.

    Up to 3.15 it goes by the function's name. From 3.16 on, by a set of functions; should that be
    gone, they are saved as this package's.
    """
    functions = [entry.function for entry in catalogue() if entry.portable]
    if all(_is_saved_plainly(function) for function in functions):
        return
    with contextlib.suppress(AttributeError, ImportError):
        known = importlib.import_module("keras.src.activations").ALL_OBJECTS
        known.update(functions)
        _undo.append(lambda: known.difference_update(functions))
    for function in functions:
        if not _is_saved_plainly(function):
            keras.saving.register_keras_serializable(PACKAGE, function.__name__)(function)


def _is_saved_plainly(function: Callable[..., Any]) -> bool:
    return keras.activations.serialize(function) == function.__name__


def _replace_table() -> None:
    module: Any = importlib.import_module("keras.src.activations")
    table = module.ALL_OBJECTS_DICT
    module.ALL_OBJECTS_DICT = _Names(table)
    _undo.append(lambda: setattr(module, "ALL_OBJECTS_DICT", table))


def _wrap_get() -> None:
    original = keras.activations.get

    @functools.wraps(original)
    def wrapped(identifier: Any) -> Any:
        if not isinstance(identifier, str):
            return original(identifier)
        found = _taken_over(identifier)
        if found is None:
            try:
                return original(identifier)
            except ValueError:
                found = _theirs(identifier) or _ours(identifier)
        if found is None:
            raise ValueError(unknown(identifier, _all_names(())))
        return found

    # Keras's layers reach the function through the private module, users through the public one.
    for name in ("keras.src.activations", "keras.activations"):
        module: Any = importlib.import_module(name)
        _undo.append(functools.partial(setattr, module, "get", module.get))
        module.get = wrapped


def _works() -> bool:
    # Asked by a name that no user has: a plain one may be theirs.
    name = catalogue()[0].name
    try:
        return keras.activations.get(f"{PACKAGE}>{name}") is get(name)
    except Exception:
        return False


def _shared_names() -> dict[str, ActivationInfo]:
    """The names that Keras and this package have in common.

    An alias of Keras's means what Keras's function of that alias is called.
    """
    ours = {entry.name: entry for entry in catalogue()}
    names = {key: getattr(it, "__name__", key) for key, it in vars(keras.activations).items()}
    return {key: ours[name] for key, name in names.items() if name in ours}


def _taken_over(key: Any) -> Callable[..., Any] | None:
    # In any order: a name means the same function in all of them.
    return next((taken.functions[key] for taken in _in_use if key in taken.functions), None)


def _theirs(key: Any) -> Any:
    # What the user has registered, under a scope or globally, comes before what we have.
    found = keras.saving.get_registered_object(key) if isinstance(key, str) else None
    try:
        return found() if isinstance(found, type) else found
    except TypeError:
        return None  # A class that needs arguments is no activation by name alone.


def _ours(key: Any) -> Callable[..., Any] | None:
    return find(key) if isinstance(key, str) else None


def _all_names(keras_names: Iterable[str]) -> set[str]:
    ours = {name for i in catalogue() for name in (i.name, *i.aliases)}
    return ours | set(keras_names) | set(keras.saving.get_custom_objects())
