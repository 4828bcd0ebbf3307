"""The engine: a value, its derivative, and the custom gradient made of the two.

Four promises are kept here, once for all activations:

* The tape keeps the inputs and nothing else, from which the backward pass recomputes, or the output
  if that is all it needs.
* 16-bit inputs are computed in float32 and rounded once, at the end.
* Gradients are differentiable in turn, to any order.
* What is large runs as one compiled kernel, and nobody waits for a compilation that does not pay.
"""

import functools
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from keras_activations._axes import converted, half, resized
from keras_activations._special import rounded_to

Tensor = Any
Gradient = Callable[..., Any]

# From this many elements on, a compiled kernel saves more than the call of it costs.
LARGE = 2**15
# At most so many shapes of a kernel are compiled in eager mode, and as many of small tensors.
SHAPES = 16
# After this many uses of a small shape, the time that its compilation takes would be saved.
USES = 256
# What `tf.debugging` puts behind every operation while it watches. XLA does not compile it.
_WATCHING = {"CheckNumericsV2", "DebugIdentityV2", "DebugNumericSummaryV2"}


def elementwise(
    value: Callable[..., Tensor],
    derivatives: Callable[..., Any],
    x: Tensor,
    *parameters: Any,
    fusible: Callable[..., Tensor] | None = None,
) -> Tensor:
    """`value(x, *parameters)`, differentiated by `derivatives` instead of by TensorFlow.

    Args:
        value: Maps x and the parameters to y, element by element.
        derivatives: Maps the same arguments to dy/dx or, if there are parameters, to the tuple
            (dy/dx, dy/dparameter, …). Made of differentiable TensorFlow operations.
        x: Floating-point tensor.
        *parameters: Numbers or tensors that broadcast against x. Only tensors get a gradient.
        fusible: `value` in the form that TensorFlow's graph optimizer fuses with the layer before
            it. It takes the place of `value` in float32 graphs that XLA does not compile. If it is
            `value` itself, that is one operation, which no compilation improves.

    Returns:
        Tensor of x's dtype.
    """
    given = real(parameters, x)
    return with_gradient(value, _chain_rule(derivatives), x, *given, fusible=fusible)


def with_gradient(
    value: Callable[..., Tensor],
    gradient: Gradient,
    x: Tensor,
    *parameters: Any,
    fusible: Callable[..., Tensor] | None = None,
    native: bool = False,
    of_result: bool = False,
    **static: Any,
) -> Tensor:
    """`value(x, *parameters, **static)` with a vector-Jacobian product of its own.

    For what is not element-wise, what is one operation with a gradient of TensorFlow's, and what
    takes integer tensors. The rest of the package should be content with `elementwise`.

    Args:
        value: Maps x and the parameters to y.
        gradient: Maps (upstream gradient, x, *parameters) to the gradient of x or, if there are
            parameters, to the tuple of all gradients, None where there is none to give.
        x: Floating-point tensor.
        *parameters: Numbers or tensors; integer tensors, such as seeds, stay integer.
        fusible: As in `elementwise`.
        native: Whether both functions are single operations of TensorFlow's, which neither a
            compilation nor a higher precision improves, and the second is the first one's own
            gradient, which serves in eager mode, without the time that a custom one takes.
        of_result: Whether `gradient` takes the result, of x's shape, in the place of x. The tape
            keeps it instead, and nothing is computed twice. In 16 bit, where a rounded result does
            not suffice, the tape keeps x, and the result is computed again.
        **static: Hashable Python arguments that both functions take, such as an axis.

    Returns:
        Tensor of x's dtype.
    """
    if native and tf.executing_eagerly():
        return value(x, *parameters, **static)
    precision = _precision(x.dtype)
    tensors = [p if tf.is_tensor(p) else _parameter(p, precision) for p in parameters]
    wanted = (
        True,
        *(
            tf.is_tensor(p) and t.dtype.is_floating
            for p, t in zip(parameters, tensors, strict=True)
        ),
    )
    if of_result and not all(_broadcasts_into(t.shape, x.shape) for t in tensors):
        for t in tensors:
            x = tf.broadcast_to(x, tf.broadcast_dynamic_shape(tf.shape(x), tf.shape(t)))
    settings = tuple(sorted(static.items()))
    return _differentiable(value, gradient, fusible, native, of_result, wanted, settings)(
        x, *tensors
    )


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
    if not all(_broadcasts_into(p.shape, x.shape) for p in parameters):
        dx = summed_to(dx, x)
    return dx, *(summed_to(upstream * d, p) for d, p in zip(slopes[1:], parameters, strict=True))


def summed_to(gradient: Tensor, target: Tensor) -> Tensor:
    """The gradient summed over the axes along which `target` was broadcast.

    Args:
        gradient: Tensor of the shape that broadcasting made.
        target: What was broadcast.

    Returns:
        Tensor of the target's shape.
    """
    if target.shape.is_fully_defined() and target.shape == gradient.shape:
        return gradient
    shape = tf.shape(target)
    axes = tf.raw_ops.BroadcastGradientArgs(s0=tf.shape(gradient), s1=shape).r1
    # XLA adds one number after the other, and of millions loses digits. To add all in float64 takes
    # time, the sums along one axis next to none.
    sums = tf.reduce_sum(gradient, axes[-1:], keepdims=True)
    total = tf.reduce_sum(tf.cast(sums, tf.float64), axes[:-1])
    return tf.reshape(tf.cast(total, gradient.dtype), shape)


def gated(
    value: Callable[..., Tensor],
    derivatives: Callable[..., Any],
    x: Tensor,
    axis: int,
    *parameters: Any,
) -> Tensor:
    """`value(a, b, *parameters)`, where a and b are the two halves of x.

    Args:
        value: Maps a, b and the parameters to y, element by element.
        derivatives: Maps the same arguments to the tuple (dy/da, dy/db, dy/dparameter, …).
        x: Floating-point tensor.
        axis: The axis that is halved; its size must be even.
        *parameters: Numbers or tensors that broadcast against a. Only tensors get a gradient.

    Returns:
        Tensor of x's dtype, with half its size along `axis`.
    """
    given = real(parameters, x, halved=axis) if parameters else []
    return with_gradient(_of_halves(value), _halved_chain_rule(derivatives), x, *given, axis=axis)


def real(parameters: Sequence[Any], x: Tensor, halved: int | None = None) -> list[Any]:
    """The parameters for `with_gradient`: plain numbers, or tensors of floating-point numbers.

    Args:
        parameters: Numbers or tensors.
        x: The tensor against which they broadcast.
        halved: An axis of it, against one half of which they do.

    Returns:
        List of the parameters.

    Raises:
        TypeError: If one is not made of real numbers.
        ValueError: If one does not broadcast.
    """
    precision = _precision(x.dtype)
    given: list[Any] = [
        p if isinstance(p, int | float) else _parameter(p, precision) for p in parameters
    ]
    shape = x.shape
    if halved is not None and shape.rank is not None:
        shape = tf.TensorShape(resized(shape, halved, half(shape, halved, "The gate")))
    for p in given:
        if tf.is_tensor(p) and not _broadcasts_into(p.shape, shape):
            # Raises in one sentence what a kernel, later, would say in fifty.
            shape = tf.broadcast_static_shape(shape, p.shape)
    return given


def parts(name: str, parameter: Any, count: int | None = None) -> list[Any]:
    """The numbers, or the tensors along the first axis, of a parameter that has several."""
    several = isinstance(parameter, list | tuple)
    parameter = parameter if several else tf.convert_to_tensor(parameter)
    if not several and parameter.shape.rank == 0:
        raise ValueError(f"`{name}` must be a list of numbers. Received: a single one.")
    found = list(parameter) if several else tf.unstack(parameter)
    if count is not None and len(found) != count:
        raise ValueError(f"`{name}` must have {count} numbers. Received: {len(found)}.")
    return found


def step(x: Tensor) -> Tensor:
    """1 where x > 0 and 0 elsewhere, with a gradient that is zero rather than missing.

    A comparison would cut x from the graph, and the second derivative of a piecewise-linear
    activation would be None, where a gradient penalty needs zeros.
    """
    return tf.sign(tf.nn.relu(x))


@functools.lru_cache(maxsize=1024)
def _differentiable(
    value: Callable[..., Tensor],
    gradient: Gradient,
    fusible: Callable[..., Tensor] | None,
    native: bool,
    of_result: bool,
    wanted: tuple[bool, ...],
    static: tuple[tuple[str, Any], ...],
) -> Callable[..., Tensor]:
    keywords = dict(static)

    def forward(*inputs: Tensor) -> Tensor:
        if native:
            return value(*inputs, **keywords)
        with rounded_to(inputs[0].dtype):
            return _cast(value(*_widened(inputs), **keywords), inputs[0].dtype)

    def backward(has_result: bool, upstream: Tensor, *inputs: Tensor) -> list[Tensor]:
        given = (upstream, *inputs)
        with rounded_to(upstream.dtype):
            upstream, x, *parameters = given if native else _widened(given)
            if of_result and not has_result:
                x = value(x, *parameters, **keywords)
            gradients = gradient(upstream, x, *parameters, **keywords)
        gradients = gradients if isinstance(gradients, tuple) else (gradients,)
        return [_cast(g, t.dtype) for g, t, w in zip(gradients, inputs, wanted, strict=True) if w]

    # Of the inputs, and of the result in the place of x.
    cases = (False, True) if of_result else (False,)
    backwards = [functools.partial(backward, has_result) for has_result in cases]
    forward_kernel = forward if native else _Kernel(forward, whole=False)
    kernels = backwards if native else [_Kernel(function, whole=True) for function in backwards]

    def plain(*inputs: Tensor) -> Tensor:
        return (fusible or value)(*_widened(inputs), **keywords)

    def function(kept: list[Any], *inputs: Tensor) -> tuple[Tensor, Callable[..., Any]]:
        """The value and its gradient.

        `kept` is filled with what the latter takes: whether the result stands in the place of x,
        and the tensors.
        """

        def pull_back(upstream: Tensor) -> Any:
            has_result, *taken = kept
            # A native gradient does nothing that could be merged with the forward pass.
            given = taken if native else _after(upstream, taken)
            found = iter(kernels[has_result](upstream, *given))
            gradients = [
                _cast(next(found), t.dtype) if w else None
                for t, w in zip(taken, wanted, strict=True)
            ]
            return gradients if len(taken) > 1 else gradients[0]

        kept += (False, *inputs)
        has_plain = fusible is not None and inputs[0].dtype == tf.float32
        if tf.executing_eagerly():
            # The tape records what happens in here, and keeps every intermediate of it, unless the
            # inputs are cut from it; it knows nothing of those that were numbers. In a graph it
            # does not, and forward mode, which there follows the operations of the value, would
            # find nothing behind a cut.
            run = plain if has_plain and fusible is value else forward_kernel
            cut = (tf.stop_gradient(t) if w else t for t, w in zip(inputs, wanted, strict=True))
            return run(*cut), pull_back
        if has_plain and not _compiled_as_a_whole():
            return plain(*inputs), pull_back
        return forward_kernel(*inputs), pull_back

    if not of_result:
        return tf.custom_gradient(lambda *inputs: function([], *inputs))

    def of_kept_result(*inputs: Tensor) -> Tensor:
        kept: list[Any] = []
        y = tf.custom_gradient(lambda *inputs: function(kept, *inputs))(*inputs)
        if native or y.dtype == _precision(y.dtype):
            # Only now, because what depends on the inputs, for higher derivatives, is this, and not
            # the result inside. Forward mode asks before, and has the inputs.
            kept[:2] = True, y
        return y

    return of_kept_result


class _Kernel:
    """A function of tensors that runs as one compiled kernel where that pays.

    In a graph it carries the hint that XLA may compile it. TensorFlow follows the hint at run time:
    for the first shape, for others from their second use on, and no longer once ten shapes have
    come and gone. Whoever cannot compile it, such as a converter of exported models, finds nothing
    unusual.

    In eager mode it is one call of a graph instead of many operations, and compiled by a rule of
    the same kind: for so many shapes, large tensors from the second use of a shape on, small ones
    when it has been used so often that a compilation pays.

    Args:
        function: The function.
        whole: Whether it stays one call in a graph. Else Grappler may rewrite some of its
            operations, which then are left out of the kernel; but converters of exported models
            want no such call.
    """

    def __init__(self, function: Callable[..., Any], whole: bool):
        self.function = function
        self.hinted = self.untraced() if whole else function
        self.concrete: dict[tuple[Any, ...], Callable[..., Any]] = {}
        self.uses: dict[bool, dict[tuple[Any, ...], int]] = {False: {}, True: {}}

    def __call__(self, *tensors: Tensor) -> Any:
        # Of the backward pass the first is upstream, which of what reduces is small where x is not.
        sizes = [t.shape.num_elements() for t in tensors]
        large = any(size is None or size >= LARGE for size in sizes)
        if tf.executing_eagerly():
            # In asynchronous mode TensorFlow waits for ever where a tape records what is compiled.
            synchronous = tf.config.experimental.get_synchronous_execution()
            return self.of_rank(synchronous and self.settled(large, tensors), tensors)(*tensors)
        if large and not _compiled_as_a_whole():
            with tf.xla.experimental.jit_scope():
                return self.hinted(*tensors)
        return self.function(*tensors)

    def settled(self, large: bool, tensors: tuple[Tensor, ...]) -> bool:
        """Whether tensors of these shapes have come before, and not too many others."""
        key, uses = tuple((t.dtype, *t.shape) for t in tensors), self.uses[large]
        if key not in uses and len(uses) >= SHAPES:
            return False
        uses[key] = uses.get(key, 0) + 1
        return uses[key] > (1 if large else USES)

    def of_rank(self, compiled: bool, tensors: tuple[Tensor, ...]) -> Callable[..., Any]:
        """The graph that serves all tensors of these dtypes and ranks.

        Or the function as it is while `tf.debugging` watches every operation.
        """
        key = (compiled, *((t.dtype, t.shape.rank) for t in tensors))
        if key not in self.concrete:
            with tf.init_scope():
                traced = self.untraced(compiled).get_concrete_function(
                    *(tf.TensorSpec([None] * t.shape.rank, t.dtype) for t in tensors)
                )
            if _WATCHING.intersection(o.type for o in traced.graph.get_operations()):
                return self.function
            self.concrete[key] = traced
        return self.concrete[key]

    def untraced(self, compiled: bool = False) -> Any:
        """The function as one call of a graph."""
        # A new one each time, because it would keep what was traced while TensorFlow was watching.
        attributes = None if compiled else {"_noinline": True}
        return tf.function(
            self.function,
            autograph=False,
            jit_compile=compiled or None,
            experimental_attributes=attributes,
        )


def _after(upstream: Tensor, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    """What the backward pass takes, made to wait for the upstream gradient.

    Else what it computes would be merged with the forward pass, whose intermediates would then be
    kept. Grappler respects a control dependency, XLA only one by data: a zero that depends on the
    upstream gradient, and whose sign the compiler cannot know. Adding it changes nothing, even
    where the upstream gradient is NaN.
    """
    if tf.executing_eagerly():
        return inputs
    if _compiled_as_a_whole():
        # In the precision of the computation, where the sum costs no rounding of its own.
        x = _cast(inputs[0], _precision(inputs[0].dtype))
        some = tf.reduce_max(tf.reshape(upstream, [-1])[:1])
        zero = tf.where(tf.equal(some, some), tf.constant(-0.0, x.dtype), tf.constant(0.0, x.dtype))
        return x + zero, *inputs[1:]
    with tf.control_dependencies([upstream]):
        return tuple(tf.identity(t) for t in inputs)


_COMPILED: "weakref.WeakKeyDictionary[Any, bool]" = weakref.WeakKeyDictionary()


def _compiled_as_a_whole() -> bool:
    """Whether the graph that is being traced will be compiled by XLA as a whole.

    TensorFlow does not say so in public, but a conditional shows it: under XLA it is not marked to
    be lowered to switches. A function that was traced outside XLA is not traced again when XLA
    compiles it as a part of another: its values are then those of a plain graph.
    """
    graph = tf.compat.v1.get_default_graph()
    if graph not in _COMPILED:
        probe = tf.function(lambda: tf.cond(tf.constant(True), int, int), autograph=False)
        operations = probe.get_concrete_function().graph.get_operations()
        _COMPILED[graph] = not any(
            "_lower_using_switch_merge" in o.node_def.attr for o in operations
        )
    return _COMPILED[graph]


@functools.lru_cache(maxsize=1024)
def _chain_rule(derivatives: Callable[..., Any]) -> Gradient:
    def gradient(upstream: Tensor, x: Tensor, *parameters: Tensor) -> Any:
        if not parameters:
            return upstream * derivatives(x)
        return chain_rule(upstream, derivatives(x, *parameters), x, *parameters)

    return gradient


@functools.lru_cache(maxsize=1024)
def _of_halves(value: Callable[..., Tensor]) -> Callable[..., Tensor]:
    def of_halves(x: Tensor, *parameters: Tensor, axis: int) -> Tensor:
        return value(*tf.split(x, 2, axis), *parameters)

    return of_halves


@functools.lru_cache(maxsize=1024)
def _halved_chain_rule(derivatives: Callable[..., Any]) -> Gradient:
    def gradient(upstream: Tensor, x: Tensor, *parameters: Tensor, axis: int) -> Any:
        halves = tf.split(x, 2, axis)
        da, db, *others = derivatives(*halves, *parameters)
        if not parameters:
            return tf.concat([upstream * da, upstream * db], axis)
        da, db, *others = chain_rule(upstream, (da, db, *others), *halves, *parameters)
        return tf.concat([da, db], axis), *others

    return gradient


def _precision(dtype: tf.DType) -> tf.DType:
    """The dtype in which inputs of this one are computed."""
    return tf.float32 if dtype in (tf.float16, tf.bfloat16) else dtype


def _widened(inputs: tuple[Tensor, ...]) -> list[Tensor]:
    dtype = _precision(inputs[0].dtype)
    return [_cast(t, dtype) if t.dtype.is_floating else t for t in inputs]


def _cast(tensor: Tensor, dtype: tf.DType) -> Tensor:
    # A cast to the same dtype costs nothing but, in eager mode, its time.
    return tensor if tensor.dtype == dtype else tf.cast(tensor, dtype)


def _parameter(value: Any, dtype: tf.DType) -> Tensor:
    tensor = converted(value, dtype)
    if tensor.dtype.is_floating:
        return tensor
    if not (tensor.dtype.is_integer or tensor.dtype.is_bool):
        raise TypeError(f"A parameter must be made of real numbers. Received: {value!r}")
    return tf.cast(tensor, dtype)


def _broadcasts_into(parameter: tf.TensorShape, x: tf.TensorShape) -> bool:
    """Whether it is known before running that broadcasting leaves x's shape alone."""
    if parameter.rank is None or x.rank is None:
        return parameter.rank == 0
    if parameter.rank > x.rank:
        return False
    trailing = x[x.rank - parameter.rank :]
    return all(p is not None and p in (1, n) for p, n in zip(parameter, trailing, strict=True))
