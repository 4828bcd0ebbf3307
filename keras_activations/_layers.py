"""The base classes of the layers, one for each family."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_activations._axes import (
    Shape,
    axis_or_axes,
    converted,
    half,
    integer,
    normalized,
    resized,
)
from keras_activations._registry import constructor_arguments, floating


class ActivationLayer(keras.layers.Layer):
    """A layer that applies one activation.

    A subclass stores every argument of its constructor in an attribute of the same name; the
    config is written from that rule.
    """

    elementwise = True

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    @classmethod
    def symbolic(cls, x: keras.KerasTensor, arguments: dict[str, Any]) -> Any:
        """The layer in a functional model, where the function was called on a `KerasTensor`."""
        return cls(**arguments, dtype=policy_of(x))(x)

    def build(self, input_shape: Shape) -> None:
        self.built = True

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return tuple(input_shape)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        for name in constructor_arguments(type(self)):
            # A subclass elsewhere may keep its arguments, and write its config, in its own way.
            if hasattr(self, name):
                config[name] = keras.saving.serialize_keras_object(self.argument(name))
        if not self.autocast:
            config["autocast"] = False
        if not isinstance(config.get("axis", 0), int):
            # Keras's HDF5 loader drops an `axis` that is no number.
            config["axes"] = config["axis"]
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        config = dict(config)
        if "axes" in config:
            config.setdefault("axis", config.pop("axes"))
        return super().from_config(config)

    @classmethod
    def from_addons(cls, config: dict[str, Any]) -> Any:
        """The layer that TensorFlow Addons saved with this config."""
        return cls.from_config(config)

    @classmethod
    def from_keras2(cls, config: dict[str, Any]) -> Any:
        """The layer that Keras 2 saved with this config."""
        return cls.from_config(config)

    def argument(self, name: str) -> Any:
        """What the constructor was given under that name."""
        return getattr(self, name)


class TrainedLayer(ActivationLayer):
    """An activation with trainable parameters.

    A parameter's attribute holds its initial value until the layer is built, and its variable
    from then on. A parameter of several numbers, such as the coefficients of a polynomial, is a
    list of them, along the first axis of its variable.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._parameters: list[str] = []
        self._initial: dict[str, Any] = {}

    @classmethod
    def symbolic(cls, x: keras.KerasTensor, arguments: dict[str, Any]) -> Any:
        # A function trains nothing: its layer holds the same numbers, frozen.
        return cls(**arguments, dtype=policy_of(x), trainable=False)(x)

    def learn(
        self,
        name: str,
        value: float | list[float],
        initializer: Any,
        regularizer: Any,
        constraint: Any,
        several: bool = False,
    ) -> None:
        """Declares a trainable parameter and stores its constructor arguments.

        Args:
            name: Name of the parameter.
            value: Its initial value, or the list of them that `numbers` returns.
            initializer: Keras initializer used instead of `value`, or None.
            regularizer: Keras regularizer, or None.
            constraint: Keras constraint, or None.
            several: Whether the parameter is a list of numbers.
        """
        self._parameters.append(name)
        setattr(self, name, value if several else number(name, value))
        setattr(self, f"{name}_initializer", keras.initializers.get(initializer))
        setattr(self, f"{name}_regularizer", keras.regularizers.get(regularizer))
        setattr(self, f"{name}_constraint", keras.constraints.get(constraint))

    def initial_weight(self, name: str) -> Any:
        """The number, or the numbers, that the variable of a parameter starts from."""
        return self._initial[name]

    def weight_shape(self, name: str, input_shape: Shape) -> Shape:
        """The shape of one number of a parameter, which broadcasts against the input."""
        return ()

    def build(self, input_shape: Shape) -> None:
        for name in self._parameters:
            initial = self._initial.setdefault(name, getattr(self, name))
            start = np.array(self.initial_weight(name))
            count = np.shape(initial)
            shape = (*count, *self.weight_shape(name, input_shape))
            start = start.reshape((*count, *[1] * (len(shape) - len(count))))
            variable = self.add_weight(
                name=name,
                shape=shape,
                initializer=getattr(self, f"{name}_initializer")
                or keras.initializers.Constant(start),
                regularizer=getattr(self, f"{name}_regularizer"),
                constraint=getattr(self, f"{name}_constraint"),
                # The function computes 16-bit inputs in float32 and wants the parameter unrounded.
                autocast=False,
            )
            setattr(self, name, variable)
        super().build(input_shape)

    def argument(self, name: str) -> Any:
        return self._initial.get(name, super().argument(name))


class ChannelwiseLayer(TrainedLayer):
    """An element-wise activation whose parameters are trained, by default one for each channel.

    Args:
        axis: The axis, or list of axes, along which the parameters vary: by default the last, one
            value for each channel. None: a single value for the whole layer. "all": every axis but
            the first, one value for each element. Along the other axes the input may have any size.
    """

    # Names of parameters that do not vary along the axis.
    shared: tuple[str, ...] = ()

    def __init__(self, axis: int | Sequence[int] | str | None = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        every = isinstance(axis, str) and axis == "all"
        self.axis: Any = axis if axis is None or every else axis_or_axes(axis)

    @classmethod
    def symbolic(cls, x: keras.KerasTensor, arguments: dict[str, Any]) -> Any:
        return super().symbolic(x, {"axis": None, **arguments})

    def weight_shape(self, name: str, input_shape: Shape) -> Shape:
        if name in self.shared:
            return ()
        sizes = self._sizes(input_shape)
        rank = len(input_shape)
        return tuple(sizes.get(i, 1) for i in range(min(sizes, default=rank), rank))

    def build(self, input_shape: Shape) -> None:
        super().build(input_shape)
        sizes, rank = self._sizes(input_shape), len(input_shape)
        if sizes and all(axis < 0 for axis in self._axes(rank)):
            # Counted from the back, the axes are the same whatever stands before them.
            axes = {axis - rank: size for axis, size in sizes.items()}
            self.input_spec = keras.layers.InputSpec(min_ndim=1 - min(axes), axes=axes)
        elif sizes:
            self.input_spec = keras.layers.InputSpec(ndim=rank, axes=sizes)

    def _axes(self, rank: int) -> list[int]:
        if self.axis is None:
            return []
        if self.axis == "all":
            return list(range(1, rank))
        return [self.axis] if isinstance(self.axis, int) else list(self.axis)

    def _sizes(self, input_shape: Shape) -> dict[int, int]:
        """The size of each axis along which the parameters vary, by its index from the front."""
        sizes = {}
        for axis in self._axes(len(input_shape)):
            index = normalized(axis, len(input_shape))
            size = input_shape[index]
            if index == 0 or size is None:
                raise ValueError(
                    f"{type(self).__name__} keeps one parameter for each entry of axis {axis}, "
                    f"which must not be the batch axis and must have a known size. Received: "
                    f"axis={self.axis}, input_shape={tuple(input_shape)}. Pass the axis of the "
                    f"channels, or axis=None for one parameter in all."
                )
            sizes[index] = size
        return sizes


class StochasticLayer(ActivationLayer):
    """An activation that is random in training.

    Args:
        seed: Integer, or None for a new seed in each layer.
    """

    def __init__(self, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    @classmethod
    def symbolic(cls, x: keras.KerasTensor, arguments: dict[str, Any]) -> Any:
        training = arguments.pop("training", None)
        if isinstance(seed := arguments.get("seed"), keras.random.SeedGenerator):
            arguments["seed"] = seed.get_config()["seed"]
        return cls(**arguments, dtype=policy_of(x))(x, training=training)


def policy_of(x: Any) -> str:
    """The dtype policy under which a layer computes in x's dtype, as a function does."""
    dtype = keras.backend.standardize_dtype(x.dtype)
    if dtype in ("float16", "bfloat16"):
        return f"mixed_{dtype}"  # Parameters stay in float32, as a function's do.
    return dtype if dtype in ("float32", "float64") else keras.config.floatx()


def in_training() -> bool:
    """Whether the Keras layer that is being called is being trained.

    Lets a plain function, passed as `activation=` to a layer, behave as a layer of its own would.
    """
    return bool(_training_of_caller(tf.constant(0.0)))


def noise_seed(seed: Any) -> Any:
    """A seed for TensorFlow's stateless generators, another at each call and on each replica.

    Args:
        seed: Integer, which gives the same at each call, `keras.random.SeedGenerator`, or None.

    Returns:
        Tensor of two integers.
    """
    if seed is None and tf.distribute.has_strategy():
        # Keras's global generator would make its variable in the midst of the replicas' step.
        drawn = tf.random.uniform((2,), maxval=2**31 - 1, dtype=tf.int32)
    else:
        drawn = keras.random.randint((2,), 0, 2**31 - 1, seed=seed)
    # The state of a generator is the same on all replicas. On the first, and without any, nothing
    # is added.
    replica = tf.distribute.get_replica_context()
    return drawn if replica is None else drawn + replica.replica_id_in_sync_group


class _TrainingOfCaller(keras.layers.Layer):
    """Returns the `training` argument that Keras hands down from the layer around it."""

    def __init__(self) -> None:
        super().__init__(name="training_of_caller", autocast=False)
        self.built = True

    def call(self, inputs: Any, training: bool | None = None) -> bool | None:
        return training


_training_of_caller = _TrainingOfCaller()


class AxisLayer(ActivationLayer):
    """An activation in which the entries along an axis depend on each other.

    Args:
        axis: The axis.
    """

    elementwise = False
    # Whether an entry of the result may come from another place along the axis.
    moves_entries = False

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = integer("axis", axis)

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        if previous_mask is None or not self.moves_entries:
            return previous_mask
        shape, mask = tf.TensorShape(inputs.shape), tf.TensorShape(previous_mask.shape)
        along = not _unknown(shape, mask) and normalized(self.axis, shape.rank) < mask.rank
        return None if along else previous_mask


class GatedLayer(AxisLayer):
    """An activation in which one half of the channels gates the other.

    Args:
        axis: The axis that is halved.
    """

    moves_entries = True

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return resized(input_shape, self.axis, half(input_shape, self.axis, type(self).__name__))


class SimplexLayer(ActivationLayer):
    """An activation that normalizes along an axis.

    Args:
        axis: The axis, or list of axes, along which the outputs sum to one.

    Call arguments:
        inputs: Floating-point tensor.
        mask: Boolean tensor that broadcasts against the inputs, True where an entry takes part.
            The mask of time steps that Keras hands from layer to layer masks whole rows. A layer
            that stands in a functional model without a mask of its own takes all later ones for
            such; give those as many axes as the inputs have.
    """

    elementwise = False

    def __init__(self, axis: int | Sequence[int] = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis_or_axes(axis)
        self._handed = False

    def __call__(self, inputs: Any, mask: Any = None, **kwargs: Any) -> Any:
        # A mask that the caller gives is aligned to the last axes, as Keras aligns it. One that
        # Keras hands from layer to layer has the leading axes, and does not come through here, but
        # for a functional model that runs again what it recorded. Shapes alone cannot tell the two.
        symbolic = isinstance(inputs, keras.KerasTensor)
        if mask is None:
            self._handed = self._handed or symbolic
        else:
            mask = mask if hasattr(mask, "shape") else converted(mask)
            given = symbolic or not self._handed
            if given and not _leads(tf.TensorShape(mask.shape), tf.TensorShape(inputs.shape)):
                for _ in range(len(inputs.shape) - len(mask.shape)):
                    mask = keras.ops.expand_dims(mask, 0)
            kwargs["mask"] = mask
        return super().__call__(inputs, **kwargs)

    def masked(
        self, function: Callable[..., Any], inputs: Any, mask: Any, lowest: bool = False
    ) -> Any:
        """`function(inputs)` over the entries that the mask keeps; elsewhere 0, or the lowest."""
        if mask is None:
            return function(inputs, axis=self.axis)
        inputs = floating(inputs, type(self).__name__)
        mask = converted(mask)
        if mask.dtype == tf.string:
            raise TypeError("The mask must be boolean. Received: a mask of text.")
        mask = tf.cast(mask, tf.bool)
        if not _unknown(mask.shape, inputs.shape):
            for _ in range(inputs.shape.rank - mask.shape.rank):
                mask = tf.expand_dims(mask, -1)
            together = tf.broadcast_static_shape(inputs.shape, mask.shape)
            if not together.is_compatible_with(inputs.shape):
                raise ValueError(
                    f"The mask must broadcast to the shape of the inputs. Received: a mask of "
                    f"shape {mask.shape}, inputs of shape {inputs.shape}."
                )
        outputs = function(tf.where(mask, inputs, inputs.dtype.min), axis=self.axis)
        return tf.where(mask, outputs, tf.cast(outputs.dtype.min if lowest else 0, outputs.dtype))


def _unknown(*shapes: tf.TensorShape) -> bool:
    return any(shape.rank is None for shape in shapes)


def _leads(mask: tf.TensorShape, inputs: tf.TensorShape) -> bool:
    """Whether the mask cannot be aligned to the last axes, or nobody knows the ranks."""
    if _unknown(mask, inputs):
        return True
    trailing = inputs[max(inputs.rank - mask.rank, 0) :]
    return any(None not in (m, n) and m not in (1, n) for m, n in zip(mask, trailing, strict=False))


def numbers(name: str, values: Any, count: int | None = None) -> list[float]:
    """A constructor argument that must be a list of real numbers, of a given length if any."""
    if not isinstance(values, list | tuple) or count not in (None, len(values)):
        expected = f"a list of {count} numbers" if count else "a list of numbers"
        raise ValueError(f"`{name}` must be {expected}. Received: {name}={values!r}")
    return [number(name, value) for value in values]


def number(name: str, value: Any, minimum: float = -math.inf, above: float = -math.inf) -> float:
    """A constructor argument that must be a real number, not less than, or above, another."""
    try:
        if isinstance(value, str | bool | tf.Variable | keras.Variable):
            raise TypeError
        result = float(value)
    except (OverflowError, TypeError, ValueError):
        raise ValueError(f"`{name}` must be a number. Received: {_in_words(value)}") from None
    if not (math.isfinite(result) and result >= minimum and result > above):
        limit = f" above {above}" if above > -math.inf else f" of at least {minimum}"
        limit = limit if max(above, minimum) > -math.inf else ""
        raise ValueError(f"`{name}` must be a finite number{limit}. Received: {name}={value!r}")
    return result


def _in_words(value: Any) -> str:
    if isinstance(value, tf.Variable | keras.Variable):
        return "a variable. A layer makes its own, which starts from a number."
    if shape := getattr(value, "shape", ()):
        return (
            f"an array of shape {tuple(shape)}. To apply a layer, make it first: `Layer()(x)`, "
            f"`activation=Layer()`."
        )
    return repr(value)
