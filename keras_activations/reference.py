"""The truth about a formula: its value and two derivatives, as numbers with proven error bounds.

Arb computes on balls, which contain the exact result whatever cancels on the way, and on power
series, which carry the derivatives along. Precision is raised until the balls are small enough.

Imports neither TensorFlow nor the rest of the package: `python reference.py` is a process that
answers questions from its standard input, so that several cores can share the work; `python
reference.py torch` is one that runs PyTorch, in an environment of its own.
"""

import ast
import json
import math
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

try:
    import flint
except ModuleNotFoundError:  # In PyTorch's environment, which needs none.
    flint = None  # type: ignore[assignment,unused-ignore]

PRECISIONS = tuple(64 * 2**k for k in range(9))
ORDERS = 3

Array = np.ndarray[Any, Any]


class Formula:
    """A Python expression in x, as a function from numbers to power series of balls.

    Decimal literals mean what they say, to any precision; parameters are exact.

    Args:
        text: The expression.
        parameters: Values of the other names in it.
    """

    def __init__(self, text: str, parameters: Mapping[str, Any]):
        hoist = _Hoist(text)
        tree = hoist.visit(ast.parse(text, mode="eval").body)
        self.code = _compiled(tree)
        self.constants = {name: _compiled(constant) for name, constant in hoist.constants.items()}
        self.parameters = parameters
        self.branches = _Branches()
        self.names: dict[int, _Names] = {}

    def series(self, x: float, direction: int = 0) -> Any:
        """The Taylor coefficients at x, to the precision that is set in flint's context.

        Args:
            x: A finite number.
            direction: Which side of a tie to follow: -1 left, 1 right, 0 the point itself.

        Returns:
            An `arb_series`.

        Raises:
            Undecided: If a comparison needs more precision.
        """
        precision = flint.ctx.prec
        if precision not in self.names:
            self.names[precision] = _Names(self)
        names = self.names[precision]
        names["x"] = flint.arb_series([x, 1])
        self.branches.direction = direction
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


class Undecided(Exception):
    """A comparison whose outcome the present precision does not tell."""


class Truth:
    """Value, gradient and second derivative of an activation, rigorously.

    Args:
        formula: The registered formula.
        backward: What stands in for the derivative, or None.
        parameters: Values of the parameters, exact.
        bits: Wanted relative accuracy.
        vanishing: Binary exponent of what is zero for all purposes.
        parts: 1 for float64 numbers, 2 for pairs of them whose exact sum is meant.
    """

    def __init__(
        self,
        formula: str,
        backward: str | None,
        parameters: Mapping[str, Any],
        bits: int = 80,
        vanishing: int = -1100,
        parts: int = 2,
    ):
        self.formula = Formula(formula, parameters)
        self.backward = Formula(backward, parameters) if backward else None
        self.bits = bits
        # Nobody asks for a second derivative to more than an absolute accuracy.
        self.negligible = [flint.arb(2) ** e for e in (vanishing, vanishing, max(vanishing, -80))]
        self.parts = parts
        self.level = 0
        self.successes = 0

    def at(self, points: Sequence[float] | Array) -> Array:
        """The truth at each point.

        Args:
            points: Numbers, of which neighbours should be near each other. Infinities mean the
                limits there.

        Returns:
            Array of shape (parts, 3, 2, len(points)): for value, gradient and second derivative
            the smallest and largest admissible number, which differ at kinks only; NaN where
            there is no truth, or more than any precision is needed to find it.
        """
        flint.ctx.cap = ORDERS
        shape = (len(points), self.parts, ORDERS, 2)
        found = np.array([self._at(float(x)) for x in points]).reshape(shape)
        return np.ascontiguousarray(np.moveaxis(found, 0, -1))

    def _at(self, x: float) -> list[float]:
        """The truth at one point, flat."""
        if math.isinf(x):
            return self._limit(x)
        for level in self._levels() if x == x else ():
            flint.ctx.prec = PRECISIONS[level]
            try:
                sides = self._sides(x)
            except (Undecided, ValueError, ZeroDivisionError):  # A divisor may be zero or not.
                continue
            if all(self._settled(k, ball) for side in sides for k, ball in enumerate(side)):
                self.level = level
                return self._numbers(sides)
        return [math.nan] * (self.parts * ORDERS * 2)

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
        if ball.rel_accuracy_bits() >= self.bits:
            return True
        return bool(ball.rad() < self.negligible[order])

    def _numbers(self, sides: list[list[Any]]) -> list[float]:
        low, high = sides[0], sides[-1]
        kink = len(sides) == 2 and not (low[1] - high[1]).is_zero()
        if kink and low[1] > high[1]:
            low, high = high, low
        numbers = []
        for part in range(self.parts):
            for order in range(ORDERS):
                smallest, largest = low[order], high[order]
                if order == 2 and smallest > largest:
                    smallest, largest = largest, smallest
                numbers += [_part(smallest, part), _part(largest, part)]
            # Taylor coefficients are half the second derivative, which a kink has not.
            nothing = kink or self.backward is not None
            numbers[-2:] = [math.nan if nothing else 2.0 * n for n in numbers[-2:]]
        return numbers

    def _limit(self, x: float) -> list[float]:
        trail = [self._at(math.copysign(size, x)) for size in (3e130, 7e215, 1.1e300)]
        limits = [_limit(values) for values in zip(*trail, strict=True)]
        return limits[: ORDERS * 2] + [0.0] * (len(limits) - ORDERS * 2)


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


def _part(ball: Any, part: int) -> float:
    """The nearest float64 or, for part 1, what is left over."""
    nearest = float(ball)
    if part == 0:
        return nearest
    return float(ball - nearest) if math.isfinite(nearest) else 0.0


class _Names(dict[str, Any]):
    """The names in a formula, at one precision; constants are computed when first asked for."""

    def __init__(self, formula: Formula):
        super().__init__(_functions(formula.branches))
        self.constants = formula.constants
        self["number"] = flint.arb
        for name, value in formula.parameters.items():
            exact = isinstance(value, int | float) and not isinstance(value, bool)
            self[name] = flint.arb(value) if exact else value

    def __missing__(self, name: str) -> Any:
        self[name] = eval(self.constants[name], {"__builtins__": {}}, self)
        return self[name]


class _Branches:
    """What depends on an order: comparisons, and the functions made of them."""

    def __init__(self) -> None:
        self.direction = 0
        self.tied = False

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

    def compare(self, left: Any, operator: str, right: Any) -> bool:
        sign = self.sign(left - right)
        return {
            "Lt": sign < 0,
            "LtE": sign <= 0,
            "Gt": sign > 0,
            "GtE": sign >= 0,
            "Eq": sign == 0,
            "NotEq": sign != 0,
        }[operator]

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
    raise Undecided


class _Functions:
    """What Arb has on balls but not on series, by the chain rule."""

    @staticmethod
    def tanh(value: Any) -> Any:
        t, s = value.tanh(), value.sech()
        return t, s * s, -2 * t * s * s

    @staticmethod
    def expm1(value: Any) -> Any:
        slope = value.exp()
        return value.expm1(), slope, slope

    @staticmethod
    def log1p(value: Any) -> Any:
        slope = 1 / (1 + value)
        return value.log1p(), slope, -slope * slope


def _composed(name: str) -> Callable[[Any], Any]:
    derivatives = getattr(_Functions, name)

    def function(value: Any) -> Any:
        if not isinstance(value, flint.arb_series):
            return getattr(value, name)()
        f, slope, bend = derivatives(value[0])
        step = flint.arb_series([0, *(value[k] for k in range(1, ORDERS))])
        return f + step * (slope + step * (bend / 2))

    return function


def _method(name: str) -> Callable[[Any], Any]:
    return lambda value: getattr(value, name)()


def _functions(branches: _Branches) -> dict[str, Any]:
    composed = [name for name in vars(_Functions) if not name.startswith("_")]
    return {
        **{name: _method(name) for name in ("cos", "erf", "exp", "log", "sin", "sqrt")},
        **{name: _composed(name) for name in composed},
        **{name: getattr(branches, name) for name in ("abs", "compare", "max", "min")},
        "pi": flint.arb.pi(),
        "sign": lambda value: flint.arb(branches.sign(value)),
    }


class _Hoist(ast.NodeTransformer):
    """Names each part of a formula without x, so that it is computed only once."""

    def __init__(self, text: str):
        self.text = text
        self.constants: dict[str, ast.expr] = {}

    def visit(self, node: ast.AST) -> Any:
        constant = isinstance(node, ast.expr) and "x" not in _names(node)
        if not constant or isinstance(node, ast.Name):
            return super().visit(node)
        name = f"constant_{len(self.constants)}"
        self.constants[name] = _Exact(self.text).visit(node)
        return ast.Name(name, ast.Load())

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        if isinstance(node.op, ast.Pow) and isinstance(node.right, ast.Constant):
            return ast.BinOp(self.visit(node.left), node.op, node.right)
        return self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        return ast.Call(node.func, [self.visit(argument) for argument in node.args], [])

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        return _comparison(self, node)


class _Exact(ast.NodeTransformer):
    """Turns literals into the numbers that they spell, not the nearest float64."""

    def __init__(self, text: str):
        self.text = text

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if isinstance(node.value, bool) or not isinstance(node.value, int | float):
            return node
        spelled = ast.get_source_segment(self.text, node)
        return ast.Call(ast.Name("number", ast.Load()), [ast.Constant(spelled)], [])

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        return _comparison(self, node)


def _comparison(visitor: ast.NodeTransformer, node: ast.Compare) -> ast.AST:
    if isinstance(node.ops[0], ast.Is | ast.IsNot):
        return node
    if len(node.ops) > 1:
        raise ValueError(f"Expected comparisons of two. Received: {ast.unparse(node)}")
    operator = ast.Constant(type(node.ops[0]).__name__)
    operands = [visitor.visit(node.left), operator, visitor.visit(node.comparators[0])]
    return ast.Call(ast.Name("compare", ast.Load()), operands, [])


def _names(node: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}


def _compiled(node: ast.expr) -> Any:
    return compile(ast.fix_missing_locations(ast.Expression(node)), "<formula>", "eval")


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
