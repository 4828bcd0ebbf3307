"""`python -m keras_activations accuracy`: how far values and derivatives are from the truth."""

import argparse
import ast
import concurrent.futures
import contextlib
import dataclasses
import functools
import importlib
import itertools
import json
import multiprocessing
import os
import pathlib
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from keras_activations import _accuracy_page as report
from keras_activations import peers
from keras_activations._accuracy_page import DTYPES, MODES, PEERS, QUANTITIES, Finding
from keras_activations._axes import positive
from keras_activations._calculus import LARGE
from keras_activations._registry import ActivationInfo, catalogue, info
from keras_activations._runs import Row, begun, check_page, keep, progress, undone, version, write
from keras_activations.reference import Process, Truth, truths

PAGE = pathlib.Path("docs/accuracy.md")
EXAMPLES = """examples:
  python -m keras_activations accuracy mish --dtype float16
  python -m keras_activations accuracy --dtype float32 --points 100000 --against keras
  python -m keras_activations accuracy --json build/accuracy.json --write
"""
# Before equal ones are dropped, which leaves a million and more in float32.
POINTS = {"float32": 1_200_000, "float64": 2**15}
SMALL = LARGE // 2  # Elements of tensors that eager mode compiles only after many uses.
# XLA keeps all machine code that it made, and a process may have only so many memory maps.
CASES_IN_A_PROCESS = 100

# Below this size, errors of second derivatives count as if the truth had this size.
SECOND_SCALE = 0.01
# Results below the smallest normal number times this may be zero.
FLUSHED = 1.0 + 2.0**-18

Array = np.ndarray[Any, Any]
Function = Callable[[Any], Any]
# Arrays of results by quantity.
Output = Mapping[str, Any]
# Results of inputs and an upstream gradient.
Program = Callable[[Any, Any], Output]


@dataclasses.dataclass(frozen=True)
class Format:
    """A floating-point format.

    Attributes:
        name: The name of the dtype.
        bits: Its size.
        precision: Bits of the significand, the hidden one included.
        smallest: Exponent of the smallest normal number.
        largest: Exponent of the first power of two beyond all finite numbers.
        flushed: Whether TensorFlow may take subnormals for zero, as operands and as results.
    """

    name: str
    bits: int
    precision: int
    smallest: int
    largest: int
    flushed: bool = True

    @property
    def type(self) -> Any:
        """The NumPy type."""
        return tf.as_dtype(self.name).as_numpy_dtype

    @property
    def maximum(self) -> float:
        """The largest finite number."""
        return float(tf.as_dtype(self.name).max)

    def spacing(self, size: Array | float) -> Array:
        """The distance of neighbours around numbers of that size, that of normals below them."""
        exponent = np.frexp(np.maximum(np.abs(size), 2.0**self.smallest))[1] - 1
        return np.ldexp(1.0, exponent - self.precision + 1)


# 16-bit subnormals of the narrow format are normal in float32, in which TensorFlow computes.
FORMATS = {
    format.name: format
    for format in (
        Format("float16", 16, 11, -14, 16, flushed=False),
        Format("bfloat16", 16, 8, -126, 128),
        Format("float32", 32, 24, -126, 128),
        Format("float64", 64, 53, -1022, 1024),
    )
}


@dataclasses.dataclass(frozen=True)
class Case:
    """One activation at one set of parameters, in one dtype.

    Attributes:
        info: The activation.
        given: The parameters that are not at their defaults.
        format: The format of x.
    """

    info: ActivationInfo
    given: Mapping[str, Any]
    format: Format

    @property
    def question(self) -> dict[str, Any]:
        """The arguments with which `Truth` is much more accurate than the format."""
        values = {**self.info.parameters, **self.given}
        symbols = self.info.symbols
        parameters = {n: self._exact(v) for n, v in values.items() if n in symbols}
        double = self.format.bits == 64
        return {
            "formula": self.info.formula,
            "backward": self.info.backward,
            "parameters": parameters,
            "bits": 62 if double else 48,
            "vanishing": -1100 if double else -170,
        }

    def _exact(self, value: Any) -> Any:
        if isinstance(value, list | tuple):
            return [self._exact(v) for v in value]
        return float(np.float32(value)) if type(value) is float and self.format.bits < 64 else value

    def __call__(self, x: Any) -> Any:
        """The activation at x."""
        return self.info.function(x, **self.given)


def cases(names: Sequence[str], dtypes: Sequence[str]) -> list[Case]:
    """What is to be measured.

    Args:
        names: Names of activations; none for all.
        dtypes: Names of dtypes.

    Returns:
        List of cases, of element-wise activations only.
    """
    return [
        Case(activation, given, FORMATS[dtype])
        for activation in dict.fromkeys(map(info, names)) or catalogue()
        if activation.elementwise
        for given in ({}, *activation.samples)
        for dtype in dtypes
    ]


def sample(format: Format, count: int | None, landmarks: Sequence[float] = ()) -> Array:
    """Inputs from everywhere: all there are, or some of each kind.

    Args:
        format: The format.
        count: About how many; None for all of a 16-bit format.
        landmarks: Around which to look closely.

    Returns:
        Sorted by bit pattern; NaN, both infinities and both zeros included.
    """
    patterns = np.arange(2**16) if count is None else _patterns(format, count)
    x = patterns.astype(f"uint{format.bits}").view(format.type)
    if count is not None:
        numbers = np.concatenate(list(_numbers(format, count, landmarks)))
        with np.errstate(over="ignore"):
            x = np.concatenate([x, numbers.astype(format.type)])
    with np.errstate(invalid="ignore"):  # One NaN for all; signalling ones raise warnings.
        x = np.append(x[~np.isnan(x)], np.array(np.nan, format.type))
    return np.unique(x.view(f"uint{format.bits}")).view(format.type)


def _patterns(format: Format, count: int) -> Array:
    """Bit patterns: the powers of two with their neighbours, and some of every exponent."""
    exponents = np.arange(1, 2 ** (format.bits - format.precision + 1), dtype=np.uint64)
    powers = exponents[:: 1 + 24 * len(exponents) // count] << np.uint64(format.precision - 1)
    one, step = np.uint64(1), 2**format.bits // max(2, count // 4)
    grid = np.arange(count // 4, dtype=np.uint64) * np.uint64(step)
    # Of less than the step, so that no exponent is left out.
    jitter = np.random.default_rng(0).integers(0, max(1, step // 8), count // 4, np.uint64)
    return np.concatenate([powers - one, powers, powers + one, grid + jitter])


def _numbers(format: Format, count: int, landmarks: Sequence[float]) -> Iterator[Array]:
    """Where activations bend, where they vanish or saturate, and close to the landmarks."""
    generator = np.random.default_rng(1)

    def logarithmic(low: float, high: float, size: int) -> Array:
        return 10.0 ** generator.uniform(low, high, size) * generator.choice([-1.0, 1.0], size)

    yield np.array([0.0, -0.0, np.inf, -np.inf, -format.maximum, format.maximum])
    for limit, share in ((20.0, 4), (110.0, 8), (750.0, 16)):
        yield generator.uniform(-limit, limit, count // share)
    yield logarithmic(-6.0, 2.0, count // 8)
    for landmark in landmarks:
        share = count // 8 // len(landmarks)
        steps = max(4, min(32, share // 2))
        yield landmark + format.spacing(landmark) * np.arange(-steps, steps + 1)
        yield landmark + logarithmic(-9.0, 0.0, share)


def landmarks(case: Case) -> list[float]:
    """Where something happens: kinks, numbers in the formula, zeros of value and derivatives.

    Args:
        case: The case.

    Returns:
        Sorted list.
    """
    nodes = ast.walk(ast.parse(case.info.formula))
    numbers: list[Any] = [node.value for node in nodes if isinstance(node, ast.Constant)]
    numbers += case.question["parameters"].values()
    sizes = [float(n) for n in numbers if type(n) in (int, float)]
    found = {0.0, *case.info.kinks, *sizes, *(-size for size in sizes)}
    truth = Truth(**{**case.question, "bits": 40})
    grid = np.linspace(-20.0, 20.0, 1000)
    for order, line in enumerate(truth.at(grid)[:, 0]):
        at = np.flatnonzero(line[:-1] * line[1:] < 0.0)
        low, high = grid[at], grid[at + 1]
        for _ in range(50 if len(at) else 0):
            middle = (low + high) / 2
            before = truth.at(middle)[order, 0] * line[at] > 0.0
            low, high = np.where(before, middle, low), np.where(before, high, middle)
        found.update(low)
    return sorted(found)


def admissible(truth: Array, x: Array, format: Format) -> Array:
    """What counts as exact: for an input that may be flushed to zero, also the truth at zero.

    Args:
        truth: As from `Truth.at`.
        x: The inputs, a zero among them.
        format: Their format.

    Returns:
        Array like `truth`.
    """
    size = np.abs(x.astype(np.float64))
    flushed = format.flushed & (size < 2.0**format.smallest)
    low, high = truth[:, 0], truth[:, 1]
    # Where nothing is known about zero, nothing is about these.
    zero = np.flatnonzero(size == 0.0)[:1]
    low = np.where(flushed, np.minimum(low, low[:, zero]), low)
    high = np.where(flushed, np.maximum(high, high[:, zero]), high)
    return np.stack([low, high], 1)


def errors(
    got: Array, truth: Array, x: Array, format: Format, scale: float = 0.0, relative: bool = False
) -> Array:
    """How far results are from the truth.

    In units in the last place: the spacing of the format around the truth, not below that of its
    smallest normal numbers. Or relative to the truth, not below the smallest normal number.

    Args:
        got: The results.
        truth: Array of shape (2, n): the smallest and the largest admissible result. NaN where
            nothing is known, and every result is accepted.
        x: The inputs.
        format: The format of results and inputs.
        scale: Errors count as if the truth had at least this size.
        relative: Whether to return relative errors.

    Returns:
        Array of n errors: infinity for NaN, and for an infinity or a finite number in place of
        the other.
    """
    x, got, smallest = x.astype(np.float64), got.astype(np.float64), 2.0**format.smallest
    with np.errstate(invalid="ignore", over="ignore"):
        nearest = np.clip(got, *truth)
        rounded = nearest.astype(format.type).astype(np.float64)
        # Infinity counts as the number after the largest.
        limit = np.ldexp(1.0, format.largest)
        error = np.abs(np.clip(got, -limit, limit) - np.clip(nearest, -limit, limit))
        size = np.maximum(np.minimum(np.abs(rounded), format.maximum), scale)
        error /= np.maximum(size, smallest) if relative else format.spacing(size)
    overflow = (np.isinf(got) | np.isinf(rounded)) & (got != rounded)
    # Next to the largest number one unit decides between a finite result and an infinite one.
    error[overflow & ~((error <= 1.0) & np.isfinite(x))] = np.inf
    error[np.isinf(got) & (got == nearest)] = 0.0
    if format.flushed:
        error[(got == 0.0) & (np.abs(nearest) < smallest * FLUSHED)] = 0.0
    error[np.isnan(got) & ~np.isnan(x)] = np.inf
    error[np.isnan(truth[0])] = 0.0
    return error


def findings(
    source: str, outputs: Iterable[Output], truth: Array, x: Array, case: Case
) -> Iterator[Finding]:
    """Where results of a mode or peer are farthest from the truth.

    Args:
        source: The mode or peer.
        outputs: The results; NaN is admissible at NaN only.
        truth: What is admissible.
        x: The inputs.
        case: The case.

    Yields:
        For each output a `Finding` about each quantity.
    """
    finite, own = np.isfinite(x), case.info.accuracy
    inside = finite & (np.abs(x.astype(np.float64)) <= own.get("domain", np.inf))
    for output in outputs:
        for quantity, got in output.items():
            exact = truth[QUANTITIES.index(quantity)]
            relative = quantity == "second" or case.format.bits == 64
            scale = own.get(f"{quantity}_scale", SECOND_SCALE if quantity == "second" else 0.0)
            error = errors(got, exact, x, case.format, scale, relative)
            if quantity == "value":
                error[np.isnan(x) & ~np.isnan(got)] = np.inf
            for column, chosen in ((quantity, inside), ("limits", ~finite)):
                if chosen.any() and not (quantity == "second" and column == "limits"):
                    at = np.flatnonzero(chosen)[error[chosen].argmax()]
                    yield Finding(
                        name=case.info.name,
                        parameters=dict(case.given),
                        dtype=case.format.name,
                        source=source,
                        quantity=column,
                        of=quantity,
                        error=float(error[at]),
                        x=float(x[at]),
                        got=float(got[at]),
                        truth=float(exact[0, at]),
                        points=len(x),
                    )


def measure(
    case: Case,
    x: Array,
    truth: Array,
    modes: Sequence[str] = MODES,
    against: Sequence[str] = (),
    torch_python: str | None = None,
) -> list[Finding]:
    """Compares one case with the truth.

    Args:
        case: The case.
        x: The inputs, a zero among them.
        truth: The truth about them.
        modes: Ways of running ours.
        against: Which peers to compare too, at default parameters.
        torch_python: A Python that has PyTorch, if there is one.

    Returns:
        The worst of each mode or peer and quantity.
    """
    truth = admissible(truth, x, case.format)
    programs = [_value, _slope] if case.info.backward else [_value, _slope, _bend]
    sources: dict[str, Iterable[Output]] = {}
    sources |= {mode: _outputs(case, x, mode, programs) for mode in modes}
    if not case.given:
        sources |= {peer: _peer_outputs(peer, case, x, torch_python) for peer in against}
    every = (findings(name, outputs, truth, x, case) for name, outputs in sources.items())
    return list(report.worst(itertools.chain.from_iterable(every)).values())


def _outputs(
    function: Function, x: Array, mode: str, programs: Iterable[Callable[[Function], Program]]
) -> Iterator[Output]:
    """What each program gives, where XLA does not compile all also by way of small tensors."""
    for program in programs:
        run = program(function)
        if mode != "eager":
            run = _traced(run, compiled=mode == "xla")
        sizes = {len(x)} if mode == "xla" else {len(x), min(len(x), SMALL)}
        for size in sizes:
            inputs = [tf.constant(x[i : i + size]) for i in range(0, len(x), size)]
            # As an input, because of products with ones Grappler makes others.
            parts = [run(part, tf.ones_like(part)) for part in inputs]
            if len(parts) == 1:  # Eager mode compiles what comes a second time.
                parts = [run(part, tf.ones_like(part)) for part in inputs]
            yield {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _traced(program: Program, compiled: bool) -> Program:
    graph = tf.function(program, jit_compile=compiled, autograph=False)
    # By way of the concrete functions, of whose number TensorFlow does not warn.
    return lambda *inputs: graph.get_concrete_function(*inputs)(*inputs)


def _value(function: Function) -> Program:
    return lambda x, upstream: {"value": function(x)}


def _slope(function: Function) -> Program:
    def program(x: Any, upstream: Any) -> Output:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = function(x)
        slope = tape.gradient(y, x, upstream, unconnected_gradients="zero")
        return {"value": y, "gradient": slope}

    return program


def _bend(function: Function) -> Program:
    def program(x: Any, upstream: Any) -> Output:
        with tf.GradientTape() as tape:
            tape.watch(x)
            slope = _slope(function)(x, upstream)["gradient"]
        return {"second": tape.gradient(slope, x, unconnected_gradients="zero")}

    return program


@functools.cache
def _torch(python: str) -> Process:
    return Process(python, "torch")


def _peer_outputs(peer: str, case: Case, x: Array, torch_python: str | None) -> list[Output]:
    try:
        if peer == "torch":
            if torch_python is None or case.info.torch is None:
                return []
            answer = _torch(torch_python).ask(x, expression=case.info.torch, dtype=case.format.name)
            return [dict(zip(QUANTITIES, answer, strict=False))]
        form = {"keras": peers.keras_form, "naive": peers.naive_form}[peer](case.info)
        return [] if form is None else list(_outputs(form, x, "eager", [_slope]))
    except (RuntimeError, TypeError, ValueError, tf.errors.OpError) as error:
        print(f"{case.info.name}, {case.format.name}: {peer} fails: {error}", file=sys.stderr)
        return []


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares what the command takes.

    Args:
        parser: Parser of the command.
    """
    add = parser.add_argument
    add("names", nargs="*", metavar="NAME", help="activations; all element-wise if none is given")
    add("--dtype", nargs="+", choices=DTYPES, default=DTYPES)
    add("--mode", nargs="+", choices=MODES, default=MODES)
    add(
        "--points",
        type=int,
        help="inputs for each case; all in 16 bit, else about a million, or 2**15",
    )
    add("--exhaustive", action="store_true", help="all inputs in 16 bit, whatever --points says")
    add("--against", nargs="*", choices=tuple(PEERS), default=tuple(PEERS))
    add("--torch-python", default=os.environ.get("TORCH_PYTHON"), help="a Python that has torch")
    add("--json", type=pathlib.Path, help="file that keeps each result; continued if it exists")
    add("--write", type=pathlib.Path, nargs="?", const=PAGE, help=f"page to write; {PAGE}")


def run(arguments: argparse.Namespace) -> int:
    """Measures, prints the summary and writes what was asked for.

    Args:
        arguments: What `add_arguments` declares.

    Returns:
        Exit code.

    Raises:
        ValueError: If there is no such activation, no PyTorch where it is said to be, or the file
            holds something else.
    """
    if arguments.points is not None:
        positive("points", arguments.points)
    check_page(arguments.write, PAGE, bool(arguments.names) and not arguments.json)
    everything = cases(arguments.names, arguments.dtype)
    if not everything:
        raise ValueError("Only element-wise activations are measured.")
    *earlier, here = begun(arguments.json, **_versions(arguments))
    rows = [*earlier, *_measured(everything, arguments, earlier)]
    found = [Finding(**finding) for row in rows for finding in row["result"]]
    index = report.worst(found)
    print("", report.summary(index), "", *report.verdicts(index), sep="\n")
    if arguments.write:
        facts = {"command": f"`{here['job']['command']}`", **here["result"]}
        write(arguments.write, report.page(index, facts))
    return 0


def _measured(
    everything: Sequence[Case], arguments: argparse.Namespace, rows: list[Row]
) -> Iterator[Row]:
    """Measures what the rows have no result of, and adds it to the file."""
    jobs = [(_job(case, arguments), case) for case in everything]
    missing = undone([job for job, _ in jobs], rows)
    jobs = [(job, case) for job, case in jobs if job in missing]
    with contextlib.ExitStack() as stack:
        start = stack.enter_context(truths(min(8, os.cpu_count() or 1)))
        announce = stack.enter_context(progress(len(jobs)))
        spawned = multiprocessing.get_context("spawn")
        worker = stack.enter_context(
            concurrent.futures.ProcessPoolExecutor(
                1, spawned, max_tasks_per_child=CASES_IN_A_PROCESS
            )
        )

        def begin(job: Row, case: Case) -> tuple[Row, Case, Array, Callable[[], Array]]:
            x = _inputs(case, arguments)
            return job, case, x, start(x, **case.question)

        # While one case is compared, the truth of the next is computed.
        started: Iterator[Any] = itertools.chain(itertools.starmap(begin, jobs), [None])
        for (job, case, x, wait), _ in itertools.pairwise(started):
            announce(f"{case.info.name} {case.format.name}")
            truth = wait()
            if unknown := np.isnan(truth[0, 0, np.isfinite(x)]).sum():
                print(f"{case.info.name}: {unknown} inputs not compared", file=sys.stderr)
            settings = (arguments.mode, arguments.against, arguments.torch_python)
            found = worker.submit(measure, case, x, truth, *settings).result()
            row = {"job": job, "result": [dataclasses.asdict(finding) for finding in found]}
            keep(row, arguments.json)
            yield row


def _job(case: Case, arguments: argparse.Namespace) -> Row:
    return {
        "kind": "accuracy",
        "name": case.info.name,
        # As they come back from a file: lists, not tuples.
        "parameters": json.loads(json.dumps(dict(case.given))),
        "dtype": case.format.name,
        "points": _count(case, arguments),
        "mode": list(arguments.mode),
        "against": list(arguments.against),
        "torch": bool(arguments.torch_python),
    }


def _count(case: Case, arguments: argparse.Namespace) -> int | None:
    """How many inputs, or None for all there are."""
    if case.format.bits == 16 and arguments.exhaustive:
        return None
    return arguments.points or POINTS.get(case.format.name)


def _inputs(case: Case, arguments: argparse.Namespace) -> Array:
    count = _count(case, arguments)
    return sample(case.format, count, () if count is None else landmarks(case))


def _versions(arguments: argparse.Namespace) -> dict[str, str]:
    """The versions of what this command needs besides what the package needs."""
    versions = {"python-flint": importlib.import_module("flint").__version__}
    if arguments.torch_python:
        versions["torch"] = version("torch", arguments.torch_python)
    return versions
