"""What there is: the decorators that a page wears, and the look-up by name."""

import ast
import dataclasses
import difflib
import functools
import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ParamSpec, TypeVar

import keras
import numpy as np
import tensorflow as tf

from keras_activations._axes import converted

PACKAGE = "keras_activations"

Parameters = ParamSpec("Parameters")
LayerClass = TypeVar("LayerClass", bound=type[Any])

FAMILIES = (
    "rectified",  # Pieces of lines, or nearly so; what shrinks, chooses or sorts.
    "exponential",  # A line on one side, and a smooth bend or an exponential on the other.
    "self-gated",  # x times a gate that x opens.
    "squashing",  # Bounded: from one level to another, or a bump.
    "periodic",  # With a sine or cosine.
    "gated",  # One half of the channels times a gate that the other opens.
    "simplex",  # Sums to one along an axis, or is the logarithm of what does.
    "learned",  # Curves whose shape is trained, and what takes the place of normalization.
)
_FLOATING = (tf.float16, tf.bfloat16, tf.float32, tf.float64)
_INFOS: dict[str, "ActivationInfo"] = {}
_NAMES: dict[str, str] = {}


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class ActivationInfo:
    """What the package says about one activation, as its page states it.

    Attributes:
        name: Name of the function, and the string that Keras layers take.
        function: The function of tensors.
        layer: The layer class.
        family: The family it belongs to, one of `FAMILIES`.
        formula: The definition as a Python expression in the parameters and in `x`; of a gated unit
            in `a` and `b`, its halves; of another that is not element-wise, the list of its
            outputs, where `x` is the list of its inputs along the axis, and `root(f, low, high)`
            the point between the two bounds at which f falls below 0.
        paper: Author and year of the source, or None.
        url: Where the source is found, or None.
        kinks: Points at which the first derivative, or the value, jumps, at default parameters.
        range: Infimum and supremum of the values at default parameters.
        monotonic: Whether the value never decreases, at default parameters.
        backward: Where the backward pass is deliberately not the derivative, the expression that
            takes its place, else None.
        aliases: Other strings that mean this activation.
        addons: Names under which TensorFlow Addons saved its function, in lower case, and its
            layer. Models with these names load.
        keras2: Likewise, names under which Keras 2 saved them, and which Keras 3 does not know or
            takes for something else. Models with these names are for `migrate`.
        doubt: What else a model saved by Keras 2 may mean by the name, or None.
        samples: Further parameter values at which the claims are tested.
        torch: The same activation in PyTorch, as an expression in `x`, or None.
        keras: The same activation in Keras, as an expression in `x`, where Keras does not have it
            as a function of this name, else None.
        accuracy: Where the errors differ from the package's goals. `value`, `gradient`: the bound
            in float32, in units in the last place; `float64_value`, `float64_gradient`: the
            relative bound in float64; `value_scale`, `gradient_scale`,
            `second_scale`: the size below which an error counts as if the truth had this size,
            for what crosses zero inside its curve; `domain`: the largest |x| up to which they
            hold; `graph`: why the value, but not the gradient, is another in a graph that XLA
            does not compile.
        tflite: Why a TFLite model of it needs TensorFlow's own operations besides the built-in
            ones, or None if it does not.
        portable: Whether the function is saved under Keras's own plain name, so that the file
            loads without this package.
        replaceable: Whether `use()` may give Keras's name to this function.
    """

    name: str
    function: Callable[..., Any]
    layer: Any
    family: str
    formula: str
    paper: str | None = None
    url: str | None = None
    kinks: tuple[float, ...] = ()
    range: tuple[float, float] | None = None
    monotonic: bool | None = None
    backward: str | None = None
    aliases: tuple[str, ...] = ()
    addons: tuple[str, ...] = ()
    keras2: tuple[str, ...] = ()
    doubt: str | None = None
    samples: tuple[Mapping[str, Any], ...] = ()
    torch: str | None = None
    keras: str | None = None
    accuracy: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    tflite: str | None = None
    portable: bool = False
    replaceable: bool = True

    @property
    def parameters(self) -> dict[str, Any]:
        """The function's arguments after x, with their defaults."""
        parameters = list(inspect.signature(self.function).parameters.values())[1:]
        return {p.name: p.default for p in parameters}

    @property
    def required(self) -> dict[str, Any]:
        """Arguments that the function cannot do without: those of the first sample."""
        empty = inspect.Parameter.empty
        missing = [name for name, default in self.parameters.items() if default is empty]
        return {name: self.samples[0][name] for name in missing}

    @property
    def symbols(self) -> set[str]:
        """The names in the formula and, where there is one, in the expression `backward`."""
        texts = filter(None, (self.formula, self.backward))
        nodes = (node for text in texts for node in ast.walk(ast.parse(text)))
        return {node.id for node in nodes if isinstance(node, ast.Name)}

    @property
    def keeps_shape(self) -> bool:
        """Whether it can stand inside another layer, which promises the shape that it makes."""
        shape = (None, 8)
        return bool(self.layer(**self.required).compute_output_shape(shape) == shape)

    @property
    def elementwise(self) -> bool:
        """Whether each output element depends on the input element in its place alone."""
        return self.layer.elementwise


def activation(function: Callable[Parameters, Any]) -> Callable[Parameters, Any]:
    """Makes the function of a page take what Keras users pass.

    Lists, arrays, scalars, variables, integers, booleans and ragged tensors become tensors of
    floating-point numbers; a `keras.KerasTensor` goes through the activation's layer.
    """

    # AutoGraph has nothing to convert on a page, and would read the source of each to find out.
    @tf.autograph.experimental.do_not_convert
    @functools.wraps(function)
    def public(x: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(x, keras.KerasTensor):
            try:
                bound = inspect.signature(function).bind(x, *args, **kwargs)
            except TypeError as error:
                raise TypeError(f"{function.__name__}() {error}") from None
            arguments = dict(list(bound.arguments.items())[1:])
            return _INFOS[function.__name__].layer.symbolic(x, arguments)
        if isinstance(x, tf.RaggedTensor) and _INFOS[function.__name__].elementwise:
            return tf.ragged.map_flat_values(public, x, *args, **kwargs)
        return function(floating(x, function.__name__), *args, **kwargs)

    return public


def register(function: Callable[..., Any], **claims: Any) -> Callable[[LayerClass], LayerClass]:
    """Enters a function and the layer class below it in the registry, and in Keras's.

    Args:
        function: The public function of the page.
        **claims: The fields of `ActivationInfo`. Each is tested; what is not claimed is not.

    Returns:
        A decorator for the layer class, which it returns as it was.
    """
    name = function.__name__
    portable = claims.pop("portable", _keras_has(name))

    def decorator(layer: LayerClass) -> LayerClass:
        info = ActivationInfo(
            name=name, function=function, layer=layer, portable=portable, **claims
        )
        _INFOS[name] = info
        _NAMES.update(dict.fromkeys((name, *info.aliases), name))
        keras.saving.register_keras_serializable(PACKAGE)(layer)
        if portable:
            # Only a key to load by. Were the function registered, Keras would save it under that
            # key instead of the plain name that loads everywhere.
            keras.saving.get_custom_objects()[f"{PACKAGE}>{name}"] = function
        else:
            keras.saving.register_keras_serializable(PACKAGE, name)(function)
        for old in info.addons:
            # Keys to load by, too: what was loaded is saved under this package's names.
            found = function if old.islower() else _saved_by_addons(layer)
            keras.saving.get_custom_objects()[f"Addons>{old}"] = found
        return layer

    return decorator


def _saved_by_addons(layer: Any) -> type[Any]:
    class Saved(layer):
        """A class whose configs are those of TensorFlow Addons, and its instances ours."""

        @classmethod
        def from_config(cls, config: dict[str, Any]) -> Any:
            return layer.from_addons(dict(config))

    return Saved


def catalogue() -> list[ActivationInfo]:
    """All activations of the package, sorted by name.

    Returns:
        List of `ActivationInfo`.

    Example:

    >>> import keras_activations as ka
    >>> [info.name for info in ka.catalogue() if info.family == "gated"]
    ['bilinear', 'clamped_swiglu', 'geglu', 'glu', 'reglu', 'seglu', 'swiglu']
    """
    return [_INFOS[name] for name in sorted(_INFOS)]


def info(identifier: Any) -> ActivationInfo:
    """What is known about an activation: formula, paper, kinks, range, function, layer.

    Args:
        identifier: Name or alias, also one with parameters, or the function, layer class or layer
            instance itself.

    Returns:
        An `ActivationInfo`.

    Raises:
        ValueError: If there is no such activation.

    Example:

    >>> import keras_activations as ka
    >>> ka.info("hard_swish").name
    'hard_silu'
    >>> ka.info(ka.Mish).formula
    'x * tanh(log(1 + exp(x)))'
    """
    if isinstance(identifier, str):
        name = _NAMES.get(identifier.removeprefix(f"{PACKAGE}>").partition("(")[0].strip())
        if name is None:
            raise ValueError(unknown(identifier, _NAMES))
        if "(" in identifier:
            _literals(identifier)
        return _INFOS[name]
    for entry in _INFOS.values():
        known = (entry, entry.function, entry.layer)
        if any(identifier is it for it in known) or type(identifier) is entry.layer:
            return entry
    raise ValueError(
        f"Expected the name, function or layer of an activation of this package. "
        f"Received: {identifier!r}"
    )


def get(identifier: Any) -> Callable[..., Any]:
    """The activation that a string stands for, always this package's own.

    Args:
        identifier: A name or alias, such as `"mish"`; a name with parameters, such as
            `"leaky_relu(negative_slope=0.1)"`, whose values are Python literals; a callable, which
            is returned as it is; or None, which means linear.

    Returns:
        The function or, for a name with parameters, a layer.

    Raises:
        ValueError: If there is no such activation, or it has no such parameter.
        TypeError: If `identifier` is of another type.

    Example:

    >>> import keras_activations as ka
    >>> ka.get("mish") is ka.mish
    True
    >>> ka.get("leaky_relu(negative_slope=0.1)").negative_slope
    0.1
    """
    if identifier is None:
        identifier = "linear"
    if isinstance(identifier, str):
        found = find(identifier)
        if found is None:
            raise ValueError(unknown(identifier, _NAMES))
        return found
    if callable(identifier):
        return identifier
    raise TypeError(
        f"Expected the name of an activation, a callable or None. Received: {identifier!r}"
    )


def layer(identifier: Any, **kwargs: Any) -> keras.layers.Layer:
    """A new layer of the activation of that name.

    Args:
        identifier: A name or alias, such as `"snake"`, also one with parameters; or the function.
        **kwargs: The arguments of the layer's constructor.

    Returns:
        A layer.

    Raises:
        ValueError: If there is no such activation, or it has no such parameter.

    Example:

    >>> import keras_activations as ka
    >>> ka.layer("snake", alpha=2.0, axis=None).alpha
    2.0
    """
    entry, given = _read(identifier)
    return _build(entry, {**given, **kwargs})


def find(identifier: str) -> Callable[..., Any] | None:
    """The function or layer that a string stands for, or None if it is not one of ours."""
    identifier = identifier.removeprefix(f"{PACKAGE}>")
    if identifier in _NAMES:
        return _INFOS[_NAMES[identifier]].function
    name, bracket, _ = identifier.partition("(")
    if not bracket or name.strip() not in _NAMES:
        return None
    entry, given = _read(identifier)
    # As a function it computes in the dtype of what the layer around it hands it.
    return _build(entry, given if "dtype" in given else {"autocast": False, **given})


def activation_and_arguments(
    identifier: Any, parameters: Mapping[str, Any]
) -> tuple[ActivationInfo, dict[str, Any]]:
    """An activation and arguments of its function.

    Args:
        identifier: As `info` takes it, or a name with parameters, or a layer that has some.
        parameters: Further ones.

    Returns:
        Pair of the activation and the arguments, those that came with the identifier included.

    Raises:
        ValueError: If there is no such activation, it has no such parameter, or the layer draws one
            that is not among the further ones.
    """
    entry, given = _read(identifier)
    if isinstance(identifier, entry.layer):
        names = [name for name in entry.parameters if hasattr(identifier, name)]
        given = {name: identifier.argument(name) for name in names}
        for name in names:
            if name not in parameters and getattr(identifier, f"{name}_initializer", None):
                raise ValueError(
                    f"{type(identifier).__name__} starts from what its `{name}_initializer` "
                    f"draws. Give the value of `{name}` that is meant as an argument, too."
                )
    given |= parameters
    if strange := ", ".join(sorted(set(given) - set(entry.parameters))):
        raise ValueError(
            f"{entry.name} has no parameter {strange}. "
            f"Its parameters are: {', '.join(entry.parameters) or 'none'}."
        )
    for name, value in given.items():
        if _is_text(value) and not _is_text(entry.parameters[name]):
            raise ValueError(f"`{name}` of {entry.name} must be a number. Received: {value!r}")
    return entry, given


def check_values(entry: ActivationInfo, given: Mapping[str, Any]) -> None:
    """Raises ValueError if a parameter has no value, or no number where its default is one."""
    for name, value in {**entry.parameters, **given}.items():
        if value is inspect.Parameter.empty:
            raise ValueError(f"{entry.name} has no default for `{name}`. Give it a value.")
        if isinstance(entry.parameters[name], float) and (
            value is None or np.ndim(value) > 0 or value != value
        ):
            raise ValueError(f"`{name}` of {entry.name} must be a number. Received: {value!r}")


def _is_text(value: Any) -> bool:
    return any(isinstance(leaf, str) for leaf in tf.nest.flatten(value))


def _read(identifier: Any) -> tuple[ActivationInfo, dict[str, Any]]:
    """An activation, and the arguments that stand in brackets behind its name, if there are any."""
    entry = info(identifier)
    if not isinstance(identifier, str) or "(" not in identifier:
        return entry, {}
    args, kwargs = _literals(identifier)
    # In the order of the function's arguments, which may not be that of its layer's.
    if len(args) > len(entry.parameters) or set(list(entry.parameters)[: len(args)]) & set(kwargs):
        raise ValueError(
            f"Too many values in the activation {identifier[:200]!r}. Its parameters are: "
            f"{', '.join(entry.parameters) or 'none'}."
        )
    return entry, {**dict(zip(entry.parameters, args, strict=False)), **kwargs}


def unknown(identifier: str, names: Iterable[str]) -> str:
    """The message for a string that no activation answers to."""
    wanted = identifier.removeprefix(f"{PACKAGE}>").partition("(")[0].strip().lower()
    near = difflib.get_close_matches(wanted, sorted(names), n=3, cutoff=0.6)
    hint = f"Did you mean {' or '.join(repr(n) for n in near)}? " if near else ""
    return (
        f"Could not interpret activation function identifier: {identifier[:200]}. {hint}"
        f"`keras_activations.catalogue()` lists what this package has."
    )


def _keras_has(name: str) -> bool:
    # Keras's aliases carry the name of the function they stand for, and are saved under that one.
    return getattr(getattr(keras.activations, name, None), "__name__", None) == name


def floating(x: Any, name: str) -> Any:
    """What a function of that name computes with: a tensor of floating-point numbers."""
    if isinstance(x, tf.Tensor) and x.dtype in _FLOATING:
        return x
    if isinstance(x, tf.RaggedTensor):
        raise TypeError(
            f"{name} is not element-wise and takes no RaggedTensor. Map it over the rows with "
            f"`tf.map_fn`, or pass `x.to_tensor(…)` with what pads a row without changing it."
        )
    if isinstance(x, tf.SparseTensor):
        raise TypeError(
            f"{name} takes no SparseTensor. Pass `tf.sparse.to_dense(x)` or, if zeros may stay "
            f"zeros, `x.with_values({name}(x.values))`."
        )
    # Python numbers have no dtype of their own; arrays and tensors, also in a list, keep theirs.
    plain = all(type(leaf) in (bool, int, float) for leaf in tf.nest.flatten(x))
    x = converted(x, keras.config.floatx() if plain else None)
    if x.dtype.is_integer or x.dtype.is_bool:
        return tf.cast(x, keras.config.floatx())
    if x.dtype not in _FLOATING:
        advice = "Pass its real and imaginary parts one by one." if x.dtype.is_complex else ""
        raise TypeError(
            f"{name} expects floating-point numbers, integers or booleans. "
            f"Received: dtype={x.dtype.name}. {advice}".rstrip()
        )
    return x


def _literals(text: str) -> tuple[list[Any], dict[str, Any]]:
    """The arguments in `"name(1, key=2)"`, read as literals and never evaluated."""
    try:
        call = ast.parse(text.removeprefix(f"{PACKAGE}>").strip(), mode="eval").body
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
            raise ValueError("not a call of a name")
        if any(k.arg is None for k in call.keywords):
            raise ValueError("unpacks a dictionary")
        if len({k.arg for k in call.keywords}) < len(call.keywords):
            raise ValueError("names a parameter twice")
        args = [ast.literal_eval(node) for node in call.args]
        return args, {str(k.arg): ast.literal_eval(k.value) for k in call.keywords}
    except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError) as error:
        raise ValueError(
            f"Could not read the activation {text[:200]!r}. Expected a name and literal values, "
            f"as in 'name(parameter=0.1)'."
        ) from error


def _build(entry: ActivationInfo, kwargs: dict[str, Any]) -> Any:
    try:
        return entry.layer(**kwargs)
    except (TypeError, ValueError) as error:
        accepted = ", ".join(constructor_arguments(entry.layer))
        raise ValueError(
            f"Could not make the layer {entry.layer.__name__}: {str(error).rstrip('.')}. "
            f"Its parameters are: {accepted or 'none'}."
        ) from error


def constructor_arguments(layer: type[Any]) -> list[str]:
    """The names of what a layer class takes, beyond what every Keras layer takes."""
    names: list[str] = []
    for base in layer.__mro__[: layer.__mro__.index(keras.layers.Layer)]:
        if "__init__" not in vars(base):
            continue
        parameters = list(inspect.signature(vars(base)["__init__"]).parameters.values())[1:]
        named = [p for p in parameters if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]
        names += [p.name for p in named if p.name not in names]
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            break  # Nothing is handed on to the classes above.
    return names
