"""Axes, sizes and arrays, checked where they come in."""

from typing import Any

import tensorflow as tf

Shape = tuple[int | None, ...]

# No array of NumPy's has more axes.
_DEEPEST = 64


def existing(axis: Any, x: Any) -> int:
    """The axis of a tensor; an error if it is not there, or more than one.

    Counted from the end where the rank is known, because a parameter may add axes in front.
    """
    axis, rank = integer("axis", axis), x.shape.rank
    return axis if rank is None else normalized(axis, rank) - rank


def existing_axes(axis: Any, x: Any) -> int | tuple[int, ...]:
    """The axis or axes of a tensor, hashable; an error if one is not there, or there twice."""
    if not isinstance(axis, list | tuple) or not axis:
        return existing(axis, x)
    axes = tuple(existing(each, x) for each in axis)
    if len(set(axes)) < len(axes):
        raise ValueError(f"`axis` must not name an axis twice. Received: axis={axis}.")
    return axes


def half(shape: Shape, axis: int, name: str) -> int | None:
    """Half the size of an axis, None if unknown; an error if it has no halves."""
    size = shape[normalized(axis, len(shape))]
    if size is not None and size % 2:
        raise ValueError(
            f"{name} halves axis {axis}, which must have an even size. Received: size {size}, "
            f"shape={tuple(shape)}."
        )
    return None if size is None else size // 2


def halved(axis: Any, x: Any, name: str) -> int:
    """The axis along which `name` halves a tensor; an error if there is none, or it is odd."""
    axis = integer("axis", axis)
    if x.shape.rank is not None:
        half(x.shape, axis, name)
    return axis


def resized(shape: Shape, axis: int, size: int | None) -> Shape:
    """The shape with another size along one axis."""
    changed = list(shape)
    changed[normalized(axis, len(shape))] = size
    return tuple(changed)


def normalized(axis: int, rank: int) -> int:
    """A negative axis counted from the front; an error if there is no such axis."""
    if rank == 0:
        raise ValueError(
            f"Expected a tensor of at least one axis. Received: a scalar, axis={axis}."
        )
    if not -rank <= axis < rank:
        raise ValueError(f"Expected an axis from {-rank} to {rank - 1}. Received: axis={axis}.")
    return axis % rank


def integer(name: str, value: Any) -> int:
    """An argument that must be an integer."""
    try:
        if isinstance(value, str | bool) or int(value) != value:
            raise TypeError
        return int(value)
    except (OverflowError, TypeError, ValueError):
        raise ValueError(f"`{name}` must be an integer. Received: {name}={value!r}") from None


def positive(name: str, value: Any) -> int:
    """A size that must be a positive integer."""
    if integer(name, value) < 1:
        raise ValueError(f"`{name}` must be positive. Received: {name}={value!r}")
    return int(value)


def axis_or_axes(value: Any) -> int | list[int]:
    """An argument that must be an axis or a list of axes."""
    if isinstance(value, list | tuple) and value:
        return [integer("axis", axis) for axis in value]
    return integer("axis", value)


def converted(value: Any, dtype_hint: Any = None) -> Any:
    """`tf.convert_to_tensor`, which ends the process where lists are nested too deeply."""
    inner, depth = value, 0
    while isinstance(inner, list | tuple) and inner:
        inner, depth = inner[0], depth + 1
    if depth > _DEEPEST:
        raise ValueError(f"Lists must be nested {_DEEPEST} deep at most. Received: {depth} deep.")
    return tf.convert_to_tensor(value, dtype_hint=dtype_hint)
