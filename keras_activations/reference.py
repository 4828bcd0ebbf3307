"""The truth about a formula: its value and two derivatives, from numbers with proven error bounds.

Arb computes on balls, which contain the exact result whatever cancels on the way, and on power
series, which carry the derivatives along. Precision is raised until the balls are small enough.

Imports neither TensorFlow nor the rest of the package: `python reference.py` is a process that
answers questions from its standard input, so that several cores can share the work; `python
reference.py torch` is one that runs PyTorch, in an environment of its own.
"""

import ast
import concurrent.futures
import contextlib
import json
import math
import operator
import queue
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

with contextlib.suppress(ModuleNotFoundError):  # PyTorch's environment needs none.
    import flint

PRECISIONS = tuple(64 * 2**k for k in range(9))
ORDERS = 3
CHUNK = 8192  # Points in one question.

Array = np.ndarray[Any, Any]


class Truth:
    """Value, gradient and second derivative of an activation, rigorously.

    Args:
        formula: The registered formula.
        backward: What stands in for the derivative, or None.
        parameters: Values of the parameters, exact.
        bits: Wanted relative accuracy.
        vanishing: Binary exponent of what is zero for all purposes.
    """

    def __init__(
        self,
        formula: str,
        backward: str | None,
        parameters: Mapping[str, Any],
        bits: int = 62,
        vanishing: int = -1100,
    ):
        self.formula = _Formula(formula, parameters)
        self.backward = _Formula(backward, parameters) if backward else None
        self.bits = bits
        # Nobody asks for a second derivative to more than an absolute accuracy.
        self.negligible = [flint.arb(2) ** e for e in (vanishing, vanishing, max(vanishing, -80))]
        self.level = 0
        self.successes = 0

    def at(self, points: Sequence[float] | Array) -> Array:
        """The truth at each point.

        Args:
            points: Numbers, of which neighbours should be near each other. Infinities mean the
                limits there.

        Returns:
            Array of shape (3, 2, len(points)): for value, gradient and second derivative the
            smallest and largest admissible number, which differ at kinks only; NaN where there is
            no truth, or more than any precision is needed to find it.
        """
        flint.ctx.cap = ORDERS
        found = np.array([self._at(float(x)) for x in points]).reshape(-1, ORDERS, 2)
        return np.ascontiguousarray(np.moveaxis(found, 0, -1))

    def _at(self, x: float) -> list[float]:
        """The truth at one point, flat."""
        if math.isinf(x):
            trail = [self._at(math.copysign(size, x)) for size in (3e130, 7e215, 1.1e300)]
            return [_limit(values) for values in zip(*trail, strict=True)]
        for level in self._levels() if x == x else ():
            flint.ctx.prec = PRECISIONS[level]
            try:
                sides = self._sides(x)
            except (_Undecided, ValueError, ZeroDivisionError):  # A divisor may be zero or not.
                continue
            if all(self._settled(k, ball) for side in sides for k, ball in enumerate(side)):
                self.level = level
                return self._numbers(sides)
        return [math.nan] * (ORDERS * 2)

    def _levels(self) -> Iterator[int]:
        """From the precision that did for the point before, at times from a lower one."""
        self.successes += 1
        lower = self.level > 0 and self.successes % 32 == 0
        return iter(range(self.level - 1 if lower else self.level, len(PRECISIONS)))

    def _sides(self, x: float) -> list[list[Any]]:
        sides = self.formula.sides(x)
        if self.backward is None:
            return sides
        return [[sides[0][0], self.backward.series(x)[0], flint.arb(0)]]

    def _settled(self, order: int, ball: Any) -> bool:
        return bool(ball.rel_accuracy_bits() >= self.bits or ball.rad() < self.negligible[order])

    def _numbers(self, sides: list[list[Any]]) -> list[float]:
        ends = zip(sides[0], sides[-1], strict=True)
        value, slopes, bends = (sorted(map(float, pair)) for pair in ends)
        # Taylor coefficients are half the second derivative, which a kink has not.
        nothing = slopes[0] != slopes[1] or self.backward is not None
        return value + slopes + [math.nan if nothing else 2.0 * bend for bend in bends]


def _limit(trail: Sequence[float]) -> float:
    """What three values, each much farther out than the one before, tend to; NaN if to nothing."""
    first, second, last = trail
    if all(abs(t) < 1e-100 for t in trail):
        return 0.0
    if all(t > 1e100 for t in trail) or all(t < -1e100 for t in trail):
        return math.copysign(math.inf, last)
    if max(abs(first - last), abs(second - last)) <= 1e-14 * abs(last):
        return last
    return math.nan


class _Undecided(Exception):
    """A comparison whose outcome the present precision does not tell."""


class _Formula:
    """A Python expression in x, as a function from numbers to power series of balls.

    Decimal literals mean what they say, to any precision; parameters are exact.
    """

    def __init__(self, text: str, parameters: Mapping[str, Any]):
        exact = _Exact(text)
        tree = ast.Expression(exact.visit(ast.parse(text, mode="eval").body))
        self.code = compile(ast.fix_missing_locations(tree), "<formula>", "eval")
        numbers = {n: v for n, v in parameters.items() if type(v) in (int, float)}
        self.numbers = {**numbers, **exact.literals}
        self.branches = _Branches()
        self.functions = {**_FUNCTIONS, **self.branches.functions, **parameters}
        self.names: dict[int, dict[str, Any]] = {}

    def series(self, x: float, direction: int = 0) -> Any:
        """The Taylor coefficients at x, to the precision that is set in flint's context.

        Args:
            x: A finite number.
            direction: Which side of a tie to follow: -1 left, 1 right, 0 the point itself.

        Returns:
            An `arb_series`.

        Raises:
            _Undecided: If a comparison needs more precision.
        """
        if flint.ctx.prec not in self.names:
            balls = {name: flint.arb(number) for name, number in self.numbers.items()}
            self.names[flint.ctx.prec] = {**self.functions, **balls, "pi": flint.arb.pi()}
        self.branches.direction = direction
        names = {**self.names[flint.ctx.prec], "x": flint.arb_series([x, 1])}
        result = eval(self.code, {"__builtins__": {}}, names)
        return result if isinstance(result, flint.arb_series) else flint.arb_series([result])

    def sides(self, x: float) -> list[list[Any]]:
        """The coefficients at x: one list or, where a comparison ties, those of the two sides.

        The value is in both cases the one at the point.
        """
        self.branches.tied = False
        series = self.series(x)
        if not self.branches.tied:
            return [[series[k] for k in range(ORDERS)]]
        both = [self.series(x, direction) for direction in (-1, 1)]
        return [[series[0], *(side[k] for k in range(1, ORDERS))] for side in both]


class _Branches:
    """What depends on an order: comparisons, and the functions made of them."""

    def __init__(self) -> None:
        self.direction = 0
        self.tied = False
        self.functions = {
            "abs": self.abs,
            "max": self.max,
            "min": self.min,
            "order": self.sign,
            "sign": lambda value: flint.arb(self.sign(value)),
        }

    def sign(self, value: Any) -> int:
        """The sign of a ball or series; at a zero that of the side that is followed."""
        if not isinstance(value, flint.arb_series):
            return _sign(value)
        sign = _sign(value[0])
        if sign == 0:
            self.tied = True
        for order in range(1, ORDERS):
            if sign == 0 and self.direction:
                sign = _sign(value[order]) * self.direction**order
        return sign

    def abs(self, value: Any) -> Any:
        return value if self.sign(value) >= 0 else -value

    def max(self, first: Any, *others: Any) -> Any:
        for other in others:
            first = first if self.sign(first - other) >= 0 else other
        return first

    def min(self, first: Any, *others: Any) -> Any:
        for other in others:
            first = first if self.sign(first - other) <= 0 else other
        return first


def _sign(ball: Any) -> int:
    if ball > 0:
        return 1
    if ball < 0:
        return -1
    if ball.is_zero():
        return 0
    raise _Undecided


def _tanh(value: Any) -> Any:
    t, s = value.tanh(), value.sech()
    return t, s * s, -2 * t * s * s


def _expm1(value: Any) -> Any:
    slope = value.exp()
    return value.expm1(), slope, slope


def _log1p(value: Any) -> Any:
    slope = 1 / (1 + value)
    return value.log1p(), slope, -slope * slope


def _composed(name: str, derivatives: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """What Arb has on balls but not on series, by the chain rule."""

    def function(value: Any) -> Any:
        if not isinstance(value, flint.arb_series):
            return getattr(value, name)()
        f, slope, bend = derivatives(value[0])
        step = flint.arb_series([0, *(value[k] for k in range(1, ORDERS))])
        return f + step * (slope + step * (bend / 2))

    return function


_FUNCTIONS = {
    **{
        name: operator.methodcaller(name)
        for name in ("atan", "cos", "erf", "exp", "log", "sin", "sqrt")
    },
    "expm1": _composed("expm1", _expm1),
    "log1p": _composed("log1p", _log1p),
    "tanh": _composed("tanh", _tanh),
}


class _Exact(ast.NodeTransformer):
    """Turns literals into names for the numbers they spell, and `a < b` into `order(a - b) < 0`."""

    def __init__(self, text: str):
        self.text = text
        self.literals: dict[str, str] = {}

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if type(node.value) not in (int, float):
            return node
        name = f"literal_{len(self.literals)}"
        self.literals[name] = str(ast.get_source_segment(self.text, node))
        return ast.Name(name, ast.Load())

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        return node  # An index is a whole number.

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        # A series has whole powers everywhere, others above zero only.
        if isinstance(node.op, ast.Pow) and isinstance(node.right, ast.Constant):
            return ast.BinOp(self.visit(node.left), node.op, node.right)
        return self.generic_visit(node)

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        if isinstance(node.ops[0], ast.Is | ast.IsNot):
            return node
        if len(node.ops) > 1:
            raise ValueError(f"Expected comparisons of two. Received: {ast.unparse(node)}")
        difference = ast.BinOp(self.visit(node.left), ast.Sub(), self.visit(node.comparators[0]))
        order = ast.Call(ast.Name("order", ast.Load()), [difference], [])
        return ast.Compare(order, node.ops, [ast.Constant(0)])


class Process:
    """This file, run as a process that answers questions about points.

    Args:
        python: The interpreter.
        *arguments: What follows the file's name on the command line.
    """

    def __init__(self, python: str, *arguments: str):
        # -P keeps the package's own modules from hiding others of their names.
        self.process = subprocess.Popen(
            [python, "-P", __file__, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def ask(self, points: Array, **question: Any) -> Array:
        """The answer to one question.

        Args:
            points: Numbers, sent as float64.
            **question: The other arguments of the function that answers.

        Returns:
            Array of float64.

        Raises:
            RuntimeError: With the message of what went wrong over there.
        """
        pipe_in, pipe_out = self.process.stdin, self.process.stdout
        assert pipe_in is not None
        assert pipe_out is not None
        header = json.dumps({**question, "count": points.size})
        # A process that has ended tells by its answer, which is none.
        with contextlib.suppress(BrokenPipeError):
            pipe_in.write(header.encode() + b"\n" + points.astype(np.float64).tobytes())
            pipe_in.flush()
        reply = json.loads(pipe_out.readline() or '{"error": "the process ended"}')
        if "error" in reply:
            raise RuntimeError(reply["error"])
        size = 8 * math.prod(reply["shape"])
        return np.frombuffer(pipe_out.read(size)).reshape(reply["shape"])

    def close(self) -> None:
        """Ends the process."""
        self.process.communicate()


@contextlib.contextmanager
def truths(jobs: int) -> Iterator[Callable[..., Callable[[], Array]]]:
    """The truth from several processes.

    Args:
        jobs: Number of processes.

    Yields:
        Function of points and the arguments of `Truth` that starts to compute; it returns a
        function that waits for the result.
    """
    idle: queue.SimpleQueue[Process] = queue.SimpleQueue()

    def ask(points: Array, question: Mapping[str, Any]) -> Array:
        process = idle.get()
        try:
            return process.ask(points, **question)
        finally:
            idle.put(process)

    def start(points: Array, **question: Any) -> Callable[[], Array]:
        chunks = [points[i : i + CHUNK] for i in range(0, len(points), CHUNK)]
        parts = [threads.submit(ask, chunk, question) for chunk in chunks]
        return lambda: np.concatenate([part.result() for part in parts], -1)

    with contextlib.ExitStack() as stack:
        for _ in range(jobs):
            idle.put(stack.enter_context(contextlib.closing(Process(sys.executable))))
        threads = concurrent.futures.ThreadPoolExecutor(jobs)
        stack.callback(threads.shutdown, cancel_futures=True)
        yield start


def serve(answer: Callable[..., Array]) -> None:
    """Answers questions from standard input, until it ends.

    Args:
        answer: Maps points and the rest of the question to an array.
    """
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    for line in iter(source.readline, b""):
        question = json.loads(line)
        points = np.frombuffer(source.read(8 * question.pop("count")))
        try:
            reply = answer(points, **question)
            sink.write(json.dumps({"shape": reply.shape}).encode() + b"\n" + reply.tobytes())
        except Exception as error:
            sink.write(json.dumps({"error": str(error)}).encode() + b"\n")
        sink.flush()


def truth(points: Array, **question: Any) -> Array:
    """`Truth(**question).at(points)`."""
    return Truth(**question).at(points)


def torch_outputs(points: Array, expression: str, dtype: str) -> Array:
    """Value and gradient of an expression in PyTorch.

    Args:
        points: Numbers.
        expression: Python expression in `torch` and `x`.
        dtype: Name of a floating-point type.

    Returns:
        Array of shape (2, len(points)).
    """
    import torch  # type: ignore[import-not-found,unused-ignore]

    x = torch.tensor(points, dtype=getattr(torch, dtype), requires_grad=True)
    y = eval(expression, {"torch": torch, "x": x})
    (slope,) = torch.autograd.grad(y, x, torch.ones_like(y))
    both = torch.stack([y.detach(), slope])
    return np.ascontiguousarray(both.to(torch.float64).numpy())


if __name__ == "__main__":
    serve(torch_outputs if sys.argv[1:] == ["torch"] else truth)
