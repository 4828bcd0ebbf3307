"""The engine: a value, its derivative, and the custom gradient made of the two.

Three promises are kept here, once for all activations:

* The tape keeps the inputs and nothing else; the backward pass recomputes from them.
* 16-bit inputs are computed in float32 and rounded once, at the end.
* Gradients are differentiable in turn, to any order.
"""

import functools
from collections.abc import Callable
from typing import Any

import tensorflow as tf

Tensor = Any
Gradient = Callable[..., Any]


def elementwise(
    value: Callable[..., Tensor],
    derivatives: Callable[..., Any],
    x: Tensor,
    *parameters: Any,
) -> Tensor:
    """`value(x, *parameters)`, differentiated by `derivatives` instead of by TensorFlow.

    Args:
        value: Maps x and the parameters to y, element by element.
        derivatives: Maps the same arguments to dy/dx or, if there are parameters, to the tuple
            (dy/dx, dy/dparameter, …). Made of differentiable TensorFlow operations.
        x: Floating-point tensor.
        *parameters: Numbers or tensors that broadcast against x.

    Returns:
        Tensor of x's dtype.
    """
    wide = _wide(x.dtype)
    return with_gradient(
        value, _chain_rule(derivatives), x, *(_parameter(p, wide) for p in parameters)
    )


def with_gradient(
    value: Callable[..., Tensor], gradient: Gradient, x: Tensor, *parameters: Tensor, **static: Any
) -> Tensor:
    """`value(x, *parameters, **static)` with a vector-Jacobian product of its own.

    For what is not element-wise. The rest of the package should be content with `elementwise`.

    Args:
        value: Maps x and the parameters to y.
        gradient: Maps (upstream gradient, x, *parameters) to the gradient of x or, if there are
            parameters, to the tuple of all gradients, None where there is none to give.
        x: Floating-point tensor.
        *parameters: Numbers or tensors; integer tensors, such as seeds, stay integer.
        **static: Hashable Python arguments that both functions take, such as an axis.

    Returns:
        Tensor of x's dtype.
    """
    wide = _wide(x.dtype)
    tensors = [p if tf.is_tensor(p) else _parameter(p, wide) for p in parameters]
    return _differentiable(value, gradient, tuple(sorted(static.items())))(x, *tensors)


def chain_rule(upstream: Tensor, slopes: Any, x: Tensor, *parameters: Tensor) -> tuple[Tensor, ...]:
    """The upstream gradient times each slope, summed over the axes its input was broadcast along.

    Args:
        upstream: Gradient of y.
        slopes: Tuple (dy/dx, dy/dparameter, …).
        x: Floating-point tensor.
        *parameters: Floating-point tensors.

    Returns:
        Tuple of the gradients of x and of each parameter.
    """
    dx = upstream * slopes[0]
    if not all(_broadcasts_into(p, x) for p in parameters):
        dx = _summed_to(dx, x)
    return dx, *(_summed_to(upstream * d, p) for d, p in zip(slopes[1:], parameters, strict=True))


def gated(
    value: Callable[..., Tensor], derivatives: Callable[..., Any], x: Tensor, axis: int
) -> Tensor:
    """`value(a, b)`, where a and b are the two halves of x.

    Args:
        value: Maps a and b to y, element by element.
        derivatives: Maps a and b to the tuple (dy/da, dy/db).
        x: Floating-point tensor.
        axis: The axis that is halved; its size must be even.

    Returns:
        Tensor of x's dtype, with half its size along `axis`.
    """
    return with_gradient(_of_halves(value), _halved_chain_rule(derivatives), x, axis=axis)


def step(x: Tensor) -> Tensor:
    """1 where x > 0 and 0 elsewhere, with a gradient that is zero rather than missing.

    A comparison would cut x from the graph, and the second derivative of a piecewise-linear
    activation would be None, where a gradient penalty needs zeros.
    """
    return tf.sign(tf.nn.relu(x))


@functools.lru_cache(maxsize=1024)
def _differentiable(
    value: Callable[..., Tensor], gradient: Gradient, static: tuple[tuple[str, Any], ...]
) -> Callable[..., Tensor]:
    keywords = dict(static)

    @tf.custom_gradient
    def function(*inputs: Tensor) -> tuple[Tensor, Callable[..., Any]]:
        dtype = inputs[0].dtype
        # In eager mode the tape records what happens in here, and keeps every intermediate of it,
        # unless the inputs are cut from the tape. In a graph it does not, and forward mode, which
        # there follows the operations of the value, would find nothing behind a cut.
        eager = tf.executing_eagerly()
        cut = tuple(tf.stop_gradient(t) for t in inputs) if eager else inputs
        y = tf.cast(value(*_widened(cut, dtype), **keywords), dtype)

        def backward(upstream: Tensor) -> Any:
            # In a graph Grappler would merge the recomputation with the forward pass, and so keep
            # the forward's intermediates, if it could start before the upstream gradient is there.
            waiting = inputs
            if not tf.executing_eagerly():
                with tf.control_dependencies([upstream]):
                    waiting = tuple(tf.identity(t) for t in inputs)
            gradients = gradient(
                tf.cast(upstream, _wide(dtype)), *_widened(waiting, dtype), **keywords
            )
            if len(inputs) == 1:
                return tf.cast(gradients, dtype)
            return tuple(
                None if g is None else tf.cast(g, t.dtype)
                for g, t in zip(gradients, inputs, strict=True)
            )

        return y, backward

    return function


@functools.lru_cache(maxsize=1024)
def _chain_rule(derivatives: Callable[..., Any]) -> Gradient:
    def gradient(upstream: Tensor, x: Tensor, *parameters: Tensor) -> Any:
        if not parameters:
            return upstream * derivatives(x)
        return chain_rule(upstream, derivatives(x, *parameters), x, *parameters)

    return gradient


@functools.lru_cache(maxsize=1024)
def _of_halves(value: Callable[..., Tensor]) -> Callable[..., Tensor]:
    def of_halves(x: Tensor, axis: int) -> Tensor:
        return value(*tf.split(x, 2, axis))

    return of_halves


@functools.lru_cache(maxsize=1024)
def _halved_chain_rule(derivatives: Callable[..., Any]) -> Gradient:
    def gradient(upstream: Tensor, x: Tensor, axis: int) -> Tensor:
        da, db = derivatives(*tf.split(x, 2, axis))
        return tf.concat([upstream * da, upstream * db], axis)

    return gradient


def _wide(dtype: tf.DType) -> tf.DType:
    return tf.float32 if dtype in (tf.float16, tf.bfloat16) else dtype


def _widened(inputs: tuple[Tensor, ...], dtype: tf.DType) -> list[Tensor]:
    return [tf.cast(t, _wide(dtype)) if t.dtype.is_floating else t for t in inputs]


def _parameter(value: Any, dtype: tf.DType) -> Tensor:
    tensor = tf.convert_to_tensor(value, dtype_hint=dtype)
    return tensor if tensor.dtype.is_floating else tf.cast(tensor, dtype)


def _broadcasts_into(parameter: Tensor, x: Tensor) -> bool:
    """Whether it is known before running that broadcasting leaves x's shape alone."""
    if parameter.shape.rank is None or x.shape.rank is None:
        return parameter.shape.rank == 0
    if parameter.shape.rank > x.shape.rank:
        return False
    trailing = x.shape[x.shape.rank - parameter.shape.rank :]
    return all(
        p is not None and p in (1, n) for p, n in zip(parameter.shape, trailing, strict=True)
    )


def _summed_to(gradient: Tensor, target: Tensor) -> Tensor:
    """The gradient summed over the axes along which `target` was broadcast."""
    if target.shape.rank == 0:
        return tf.reduce_sum(gradient)
    if target.shape.is_fully_defined() and target.shape == gradient.shape:
        return gradient
    shape = tf.shape(target)
    axes = tf.raw_ops.BroadcastGradientArgs(s0=tf.shape(gradient), s1=shape).r1
    return tf.reshape(tf.reduce_sum(gradient, axes), shape)
