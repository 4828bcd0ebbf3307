"""What the activations of a model do on one batch."""

import contextlib
import dataclasses
import functools
import math
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_activations._sites import Site, all_layers, children, is_activation_layer, sites

# An output is saturated where less than this share of the gradient passes, and a unit dead where
# on no sample more than that one does.
SATURATED_SLOPE = 1e-2
DEAD_SLOPE = 1e-6

# Keeps small gradients of 16 bit from becoming zero. A power of two changes no other.
_LOSS_SCALE = 1024.0

# What it switches while it measures, TensorFlow has once for all threads.
_ALONE = threading.RLock()


@dataclasses.dataclass(eq=False)
class Use:
    """One call of an activation.

    Attributes:
        x: Its input.
        y: Its output.
        slope: The derivative of each output with respect to the input in its place, or None if
            the activation is not element-wise.
        axis: The axis of x along which its units are.
        gradient: The gradient of the loss with respect to x, or None if there is none.
    """

    x: Any
    y: Any
    slope: Any
    axis: int = -1
    gradient: Any = None


@dataclasses.dataclass(eq=False)
class Measured:
    """What an activation did.

    Attributes:
        site: The activation.
        uses: Its calls: several if its layer is shared or recurrent.
        is_output: Whether what it returns is an output of the model.
    """

    site: Site
    uses: list[Use] = dataclasses.field(default_factory=list)
    is_output: bool = False

    @property
    def outputs(self) -> Any:
        """All outputs, as a vector."""
        return tf.concat([tf.reshape(use.y, [-1]) for use in self.uses], 0)

    @property
    def mean(self) -> float:
        """The mean of the outputs."""
        return self._moments[0]

    @property
    def variance(self) -> float:
        """The variance of the outputs."""
        return self._moments[1]

    @functools.cached_property
    def dead(self) -> float | None:
        """The share of units that let no gradient through, on any sample."""
        if not self._has_slopes:
            return None
        has_units = self.site.attribute is not None and bool(self.site.layer.weights)
        alive: dict[int, Any] = {}
        for number, use in enumerate(self.uses):
            slope = use.slope if use.slope.shape.rank > 1 else use.slope[:, None]
            rank = slope.shape.rank
            unit = use.axis % rank or rank - 1  # Never the samples.
            others = [axis for axis in range(rank) if axis != unit]
            passing = tf.reduce_any(tf.abs(slope) > DEAD_SLOPE, axis=others)
            # A layer with weights has the same units at each call, or time step. An activation
            # layer has none of its own: what it is given at each call is another's.
            key = passing.shape[0] if has_units else number
            alive[key] = passing | alive.get(key, False)
        return 1.0 - float(np.concatenate([units.numpy() for units in alive.values()]).mean())

    @functools.cached_property
    def saturated(self) -> float | None:
        """The share of outputs at which next to no gradient passes."""
        return _flat([use.slope for use in self.uses]) if self._has_slopes else None

    @property
    def saturated_on_normal_inputs(self) -> float:
        """The same, if the activation were given normally distributed inputs."""
        like = self.uses[0].x
        like = like[: 1 + 10_000 * len(like) // max(1, tf.size(like))]  # Enough to tell.
        x = tf.random.stateless_normal(like.shape, (0, 0), dtype=like.dtype)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(x)
            y = self.site.activation(x)
        return _flat([tape.gradient(y, x)])

    @functools.cached_property
    def gradient_norm(self) -> float | None:
        """The L2 norm of the gradient of the loss with respect to the inputs."""
        gradients = [use.gradient for use in self.uses if use.gradient is not None]
        if not gradients:
            return None
        wide = [tf.cast(tf.convert_to_tensor(gradient), tf.float64) for gradient in gradients]
        return float(tf.linalg.global_norm(wide)) / _LOSS_SCALE

    @functools.cached_property
    def _moments(self) -> tuple[float, float]:
        mean, variance = tf.nn.moments(tf.cast(self.outputs, tf.float64), axes=[0])
        return float(mean), float(variance)

    @property
    def _has_slopes(self) -> bool:
        return math.isfinite(self.mean) and all(use.slope is not None for use in self.uses)


def measured(model: Any, x: Any, y: Any = None, sample_weight: Any = None) -> list[Measured]:
    """Runs a model on a batch and watches its activations, and leaves it as it was.

    Args:
        model: The model, compiled if y is given.
        x: Inputs.
        y: Targets, or None for no gradients of the loss.
        sample_weight: Weights of the samples in the loss, or None.

    Returns:
        List of `Measured`, in the order in which the activations were first called.
    """
    found: dict[Site, Measured] = {}
    with _ALONE, _unchanged(model), _functions_run_eagerly(), _nothing_recomputed():
        loss = None
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            with _probed(model, tape, found):
                outputs = model(x, training=False)
            if y is not None and _has_loss(model):
                loss = model.compute_loss(x=x, y=y, y_pred=outputs, sample_weight=sample_weight)
                loss = loss * _LOSS_SCALE
        uses = [use for it in found.values() for use in it.uses]
        if loss is not None:
            for use, gradient in zip(uses, tape.gradient(loss, [u.x for u in uses]), strict=True):
                use.gradient = gradient
    for it in found.values():
        it.is_output = any(use.y is leaf for use in it.uses for leaf in keras.tree.flatten(outputs))
        it.uses = _once(it.uses)
    _tell_apart(found.values())
    return list(found.values())


def _tell_apart(found: Iterable[Measured]) -> None:
    """Numbers the paths that several have, whose layers have one name."""
    counts: dict[str, int] = {}
    for it in found:
        path = it.site.path
        counts[path] = counts.get(path, 0) + 1
        if counts[path] > 1:
            it.site = dataclasses.replace(it.site, path=f"{path}#{counts[path]}")


def _once(uses: list[Use]) -> list[Use]:
    """The uses without those by which Keras learns what a recurrent layer returns.

    They come before those of the first time step, are given the same, and nothing depends on them.
    """
    inputs = [use.x.numpy().tobytes() for use in uses] if len(uses) > 1 else []
    for count in range(1, len(inputs) // 2 + 1):
        is_repeated = inputs[:count] == inputs[count : 2 * count]
        if is_repeated and all(use.gradient is None for use in uses[:count]):
            return uses[count:]
    return uses


@contextlib.contextmanager
def _unchanged(model: Any) -> Iterator[None]:
    """Gives metrics, seeds, states and all that is not trained the values that they had before."""
    # A stateful recurrent layer does not count its states among its variables, and has none before
    # it is built.
    recurrent = [it for it in all_layers(model) if isinstance(it, keras.layers.RNN) and it.stateful]
    fresh = [it for it in recurrent if it.states is None]
    states = keras.tree.flatten([it.states for it in recurrent if it not in fresh])
    variables = [*model.non_trainable_variables, *model.metrics_variables, *states]
    values = [tf.convert_to_tensor(variable) for variable in variables]
    try:
        yield
    finally:
        model.reset_metrics()  # Keras makes some as it first computes a loss.
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)
        # As Keras resets them, but for those of stacked cells, at which it fails.
        for state in keras.tree.flatten([it.states for it in fresh if it.states is not None]):
            state.assign(tf.zeros(state.shape, state.dtype))


@contextlib.contextmanager
def _functions_run_eagerly() -> Iterator[None]:
    # A `call` that wears `tf.function` would keep a trace of the probes, or have one without them.
    before = tf.config.functions_run_eagerly()
    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(before)


@contextlib.contextmanager
def _nothing_recomputed() -> Iterator[None]:
    # What is recomputed in the backward pass runs, the first time, where no tape sees it.
    before = tf.recompute_grad
    tf.recompute_grad = lambda function: function
    try:
        yield
    finally:
        tf.recompute_grad = before


def _has_loss(model: Any) -> bool:
    """Whether a model that has run has a loss, which a `train_step` of its own may not need."""
    is_compiled = getattr(model, "loss", None) is not None
    is_own = type(model).compute_loss is not keras.Model.compute_loss
    return is_compiled or is_own or bool(model.losses)


@contextlib.contextmanager
def _probed(model: Any, tape: Any, found: dict[Site, Measured]) -> Iterator[None]:
    """Puts a probe in the place of each activation that is not linear, and takes it out again."""
    channels = _Channels()
    with contextlib.ExitStack() as stack:

        def put(owner: Any, name: str, probe: Any) -> None:
            if name in vars(owner):
                stack.callback(setattr, owner, name, getattr(owner, name))
            else:
                stack.callback(delattr, owner, name)
            setattr(owner, name, probe)

        for site in sites(model):
            # Keras refuses to exchange a layer that another one holds, but not what a layer calls.
            is_layer = isinstance(site.activation, keras.layers.Layer)
            owner = site.activation if is_layer else site.layer
            name = "call" if is_layer else str(site.attribute)
            probed = getattr(owner, name)
            if site.name != "linear" and not isinstance(probed, _Probe):
                put(owner, name, _Probe(site, probed, tape, found, channels))
        for layer in all_layers(model):
            axis = _channel_axis(layer)
            if axis is not None and not isinstance(layer.call, _Probe | _Listener):
                put(layer, "call", _Listener(layer.call, axis, channels))
        yield


def _channel_axis(layer: Any) -> int | None:
    """The axis of the channels of what a layer makes, or None if it does not say."""
    if data_format := getattr(layer, "data_format", None):
        return 1 if data_format == "channels_first" else -1
    if isinstance(layer, keras.layers.Permute | keras.layers.Reshape):
        return -1
    if not layer.weights or not all(map(is_activation_layer, children(layer).values())):
        return None
    axis = getattr(layer, "axis", -1)
    axes = axis if isinstance(axis, list | tuple) else [axis]
    return axes[0] if len(axes) == 1 and isinstance(axes[0], int) else None


@dataclasses.dataclass
class _Channels:
    """Where the channels are, in the words of the layer that was the last to say so."""

    rank: int = 0
    axis: int = -1

    def of(self, x: Any) -> int:
        """Where they are in a tensor, as it seems."""
        return self.axis if x.shape.rank == self.rank else -1


class _Listener:
    """Calls a layer and notes where it has its channels."""

    def __init__(self, function: Callable[..., Any], axis: int, channels: _Channels) -> None:
        self.function, self.axis, self.channels = function, axis, channels
        self.thread = threading.get_ident()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        y = self.function(*args, **kwargs)
        if isinstance(y, tf.Tensor) and threading.get_ident() == self.thread:
            self.channels.rank, self.channels.axis = y.shape.rank, self.axis
        return y


class _Probe:
    """Calls an activation and notes what came of it."""

    def __init__(
        self,
        site: Site,
        function: Callable[..., Any],
        tape: Any,
        found: dict[Site, Measured],
        channels: _Channels,
    ) -> None:
        self.site, self.function, self.tape, self.found = site, function, tape, found
        self.info, self.axis, self.channels = site.info, _channel_axis(site.layer), channels
        self.thread = threading.get_ident()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        x, *rest = args or [kwargs.pop(next(iter(kwargs)))]
        # Another thread may call the model meanwhile, and a tape is for one.
        is_mine = threading.get_ident() == self.thread
        if not (is_mine and _is_floating(x) and tf.executing_eagerly()):
            return self.function(x, *rest, **kwargs)
        # A tensor of its own, since several activations may be given the same one.
        x = tf.identity(x)
        self.tape.watch(x)
        with tf.GradientTape(persistent=True, watch_accessed_variables=False) as own:
            own.watch(x)
            y = self.function(x, *rest, **kwargs)
        if _is_floating(y):
            with self.tape.stop_recording():
                slope = self._slope(own, x, y)
            axis = self.channels.of(x) if self.axis is None else self.axis
            use = Use(x, y, slope, axis)
            self.found.setdefault(self.site, Measured(self.site)).uses.append(use)
        return y

    def _slope(self, tape: Any, x: Any, y: Any) -> Any:
        if self.info is not None:
            return tape.gradient(y, x) if self.info.elementwise else None
        if x.shape != y.shape:
            return None
        # Nothing is known of it. If it is element-wise, the gradient of a weighted sum of its
        # outputs has the same weights; powers of two leave the roundings as they are.
        weights = tf.random.stateless_uniform(y.shape, (0, 0), 1, 3, tf.int32)
        weights = tf.cast(weights, tf.float64)
        slope, weighted = tape.gradient(y, x), tape.gradient(y, x, tf.cast(weights, y.dtype))
        if slope is None:
            return None
        expected, weighted = weights * tf.cast(slope, tf.float64), tf.cast(weighted, tf.float64)
        return slope if np.allclose(weighted, expected, rtol=1e-3, atol=1e-30) else None


def _is_floating(x: Any) -> bool:
    return isinstance(x, tf.Tensor) and x.dtype.is_floating


def _flat(slopes: list[Any]) -> float:
    """The share of slopes that are next to zero."""
    flat = [(tf.abs(slope) < SATURATED_SLOPE).numpy() for slope in slopes]
    return float(sum(map(np.count_nonzero, flat)) / sum(each.size for each in flat))
