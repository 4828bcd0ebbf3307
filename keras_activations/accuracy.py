"""How far values and derivatives are from the exact ones, for every element-wise activation."""

import argparse
import ast
import collections
import concurrent.futures
import contextlib
import dataclasses
import importlib
import importlib.util
import json
import math
import os
import pathlib
import platform
import queue
import shlex
import shutil
import statistics
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

import keras_activations as ka
from keras_activations import peers
from keras_activations.reference import Process, Truth

DTYPES = ("float16", "bfloat16", "float32", "float64")
MODES = ("eager", "graph", "xla")
PEERS = ("keras", "naive", "torch")
QUANTITIES = ("value", "gradient", "second", "limits")

# In units in the last place; in float64, and for second derivatives, relative.
GOALS: dict[str, dict[str, float]] = {
    "float16": {"value": 1.0, "gradient": 1.0, "limits": 1.0},
    "bfloat16": {"value": 1.0, "gradient": 1.0, "limits": 1.0},
    "float32": {"value": 4.0, "gradient": 4.0, "second": 1e-5, "limits": 4.0},
    "float64": {"value": 1e-13, "gradient": 1e-13, "limits": 1e-13},
}
# Below these sizes of the truth, errors count as if it had this size.
SCALES = {"value": 0.0, "gradient": 0.0, "second": 0.01}

POINTS = {"float32": 2**20, "float64": 2**15}
SMALL = 4096  # Elements of a tensor on which eager mode runs plain operations.
CHUNK = 8192  # Points in one question to a process that knows the truth.

Array = np.ndarray[Any, Any]
Function = Callable[[Any], Any]


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
    def pattern(self) -> Any:
        """The unsigned integer type of its size."""
        return np.dtype(f"uint{self.bits}")

    @property
    def accuracy(self) -> dict[str, int]:
        """The arguments of `Truth` that make it much more accurate than the format."""
        if self.bits == 64:
            return {"bits": 75, "vanishing": -1100, "parts": 2}
        return {"bits": 48, "vanishing": -170, "parts": 1}

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

    info: ka.ActivationInfo
    given: Mapping[str, Any]
    format: Format

    @property
    def question(self) -> dict[str, Any]:
        """The arguments of `Truth`."""
        values = {**self.info.parameters, **self.given}
        used = {n: v for n, v in values.items() if n in _names(self.info.formula)}
        if self.format.bits < 64:
            used = {n: float(np.float32(v)) if type(v) is float else v for n, v in used.items()}
        return {
            "formula": self.info.formula,
            "backward": self.info.backward,
            "parameters": used,
            **self.format.accuracy,
        }

    def __call__(self, x: Any) -> Any:
        """The activation at x."""
        return self.info.function(x, **self.given)


@dataclasses.dataclass(frozen=True)
class Worst:
    """The largest error of one quantity.

    Attributes:
        source: The mode or peer.
        quantity: Value, gradient or second derivative.
        error: In units in the last place, or relative.
        x: Where it occurs.
        got: What was computed there.
        truth: What is exact there.
    """

    source: str
    quantity: str
    error: float
    x: float
    got: float
    truth: float


@dataclasses.dataclass(frozen=True)
class Result:
    """What was found for one case.

    Attributes:
        name: Name of the activation.
        parameters: Those that are not at their defaults.
        dtype: Name of the dtype.
        points: Number of inputs.
        unresolved: Number of finite inputs whose value is not known exactly.
        errors: The worst of each quantity, by mode or peer.
    """

    name: str
    parameters: Mapping[str, Any]
    dtype: str
    points: int
    unresolved: int
    errors: Mapping[str, Mapping[str, Worst]]


def goal(info: ka.ActivationInfo, dtype: str, quantity: str) -> float:
    """The largest error that is allowed.

    Args:
        info: The activation.
        dtype: Name of the dtype.
        quantity: One of `QUANTITIES`.

    Returns:
        Units in the last place or, in float64 and for second derivatives, a relative error;
        infinity where there is no goal.
    """
    bound = GOALS[dtype].get(quantity, math.inf)
    return float(info.accuracy.get(quantity, bound)) if dtype == "float32" else bound


def _scale(case: Case, quantity: str, x: Array) -> Any:
    """The size below which errors count as if the truth had this size, at each x."""
    expression = case.info.accuracy.get(f"{quantity}_scale", SCALES[quantity])
    if not isinstance(expression, str):
        return expression
    names = {"abs": np.abs, "max": np.maximum, "min": np.minimum, **case.question["parameters"]}
    finite = np.where(np.isfinite(x), x, 0.0).astype(np.float64)
    return eval(expression, {"__builtins__": {}}, {**names, "x": finite})


def sample(format: Format, count: int | None, landmarks: Sequence[float] = ()) -> Array:
    """Inputs from everywhere: all there are, or some of each kind.

    Args:
        format: The format.
        count: About how many; None for all 65,536 of a 16-bit format.
        landmarks: Around which to look closely.

    Returns:
        Sorted by bit pattern; NaN, both infinities and both zeros included.
    """
    if count is None:
        # Signalling NaNs would raise warnings wherever they go.
        return _quiet(np.arange(2**format.bits, dtype=np.int64), format)
    generator = np.random.default_rng(0)
    parts = [
        *_specials(format, count),
        _every_exponent(format, count // 4, generator),
        generator.uniform(-20.0, 20.0, count // 4),
        generator.uniform(-110.0, 110.0, count // 8),
        generator.uniform(-750.0, 750.0, count // 16),
        _signed(10.0 ** generator.uniform(-6.0, 2.0, count // 8), generator),
        *(_around(at, format, count // 8 // len(landmarks), generator) for at in landmarks),
    ]
    with np.errstate(over="ignore"):
        values = np.concatenate(
            [np.asarray(part, np.float64).astype(format.type) for part in parts]
        )
    return np.unique(values.view(format.pattern)).view(format.type)


def _quiet(patterns: Array, format: Format) -> Array:
    infinity = int(np.array(np.inf, format.type).view(format.pattern))
    nan = patterns & (2 ** (format.bits - 1) - 1) > infinity
    quiet = np.where(nan, patterns | 1 << (format.precision - 2), patterns)
    return quiet.astype(format.pattern).view(format.type)


def _specials(format: Format, count: int) -> Iterator[Array]:
    yield np.array([0.0, -0.0, np.inf, -np.inf, np.nan])
    exponents = np.arange(format.smallest - format.precision + 1, format.largest)
    powers = np.ldexp(1.0, exponents[:: 1 + 24 * len(exponents) // count])
    for step in (-1, 0, 1):
        patterns = powers.astype(format.type).view(format.pattern).astype(np.int64) + step
        neighbours = patterns.astype(format.pattern).view(format.type).astype(np.float64)
        yield neighbours[np.isfinite(neighbours)]
        yield -neighbours[np.isfinite(neighbours)]
    yield np.array([1.0, -1.0]) * float(tf.as_dtype(format.name).max)


def _every_exponent(format: Format, count: int, generator: np.random.Generator) -> Array:
    exponents = np.arange(format.smallest - format.precision + 1, format.largest)
    exponents = np.tile(exponents, -(-count // len(exponents)))
    return _signed(np.ldexp(generator.uniform(1.0, 2.0, len(exponents)), exponents), generator)


def _around(at: float, format: Format, count: int, generator: np.random.Generator) -> Array:
    near = float(format.spacing(at)) * np.arange(-32, 33)
    wider = _signed(10.0 ** generator.uniform(-9.0, 0.0, count), generator)
    return at + np.concatenate([near, wider])


def _signed(sizes: Array, generator: np.random.Generator) -> Array:
    return sizes * generator.choice([-1.0, 1.0], len(sizes))


def landmarks(case: Case) -> list[float]:
    """Where something happens: kinks, numbers in the formula, zeros of value and derivatives.

    Args:
        case: The case.

    Returns:
        Sorted list.
    """
    truth = Truth(**{**case.question, "bits": 40, "parts": 1})
    numbers = [
        node.value
        for node in ast.walk(ast.parse(case.info.formula))
        if isinstance(node, ast.Constant) and isinstance(node.value, int | float)
    ]
    numbers += [v for v in case.question["parameters"].values() if isinstance(v, float)]
    found = {0.0, *case.info.kinks, *(float(sign * n) for n in numbers for sign in (-1, 1))}
    grid = np.linspace(-20.0, 20.0, 1500)
    lines = truth.at(grid)[0, :, 0]
    for order, line in enumerate(lines):
        for i in np.flatnonzero(line[:-1] * line[1:] < 0.0):
            found.add(_zero(_derivative(truth, order), grid[i], grid[i + 1]))
    return sorted(found)


def _derivative(truth: Truth, order: int) -> Callable[[float], float]:
    return lambda x: float(truth.at([x])[0, order, 0, 0])


def _zero(function: Callable[[float], float], low: float, high: float) -> float:
    sign = function(low)
    for _ in range(54):
        middle = (low + high) / 2
        if function(middle) * sign > 0:
            low = middle
        else:
            high = middle
    return low


def admissible(truth: Array, x: Array, format: Format) -> Array:
    """What counts as exact: for an input that may be flushed to zero, also the truth at zero.

    Args:
        truth: As from `Truth.at`.
        x: The inputs.
        format: Their format.

    Returns:
        Array like `truth`.
    """
    wide = x.astype(np.float64)
    subnormal = (wide != 0.0) & (np.abs(wide) < 2.0**format.smallest)
    if not format.flushed or not subnormal.any():
        return truth
    zero = truth[..., np.flatnonzero(wide == 0.0)[:1]]
    # Also where nothing is known about zero, nothing is about its neighbours.
    lower = subnormal & ~(zero[0, :, 0] >= truth[0, :, 0])
    higher = subnormal & ~(zero[0, :, 1] <= truth[0, :, 1])
    low = np.where(lower, zero[:, :, 0], truth[:, :, 0])
    high = np.where(higher, zero[:, :, 1], truth[:, :, 1])
    return np.stack([low, high], 2)


def errors(
    got: Array,
    truth: Array,
    x: Array,
    format: Format,
    scale: Array | float = 0.0,
    relative: bool = False,
) -> Array:
    """How far results are from the truth.

    In units in the last place: the spacing of the format around the truth, not below that of its
    smallest normal numbers. Or relative to the truth, not below the smallest normal number.

    Args:
        got: The results.
        truth: Array of shape (parts, 2, n): the smallest and the largest admissible result. NaN
            where nothing is known, and every result but NaN is accepted.
        x: The inputs.
        format: The format of results and inputs.
        scale: Errors count as if the truth had at least this size.
        relative: Whether to return relative errors.

    Returns:
        Array of n errors: infinity for NaN, and for an infinity or a finite number in place of
        the other.
    """
    x, exact = x.astype(np.float64), got.astype(np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        nearest = np.clip(exact, truth[0, 0], truth[0, 1])
        rounded = nearest.astype(format.type).astype(np.float64)
        excess = _excess(exact, truth, format)
        bounded = np.minimum(np.abs(rounded), float(tf.as_dtype(format.name).max))
        if relative:
            size = np.maximum(np.maximum(bounded, scale), 2.0**format.smallest)
        else:
            size = np.maximum(format.spacing(bounded), format.spacing(scale))
        error = excess / size
    overflow = (np.isinf(exact) | np.isinf(rounded)) & (exact != rounded)
    # Next to the largest number one unit decides between a finite result and an infinite one.
    unit = 2.0**-format.precision if relative else 1.0
    error[overflow & ((error > unit) | np.isinf(x) | np.isnan(error))] = np.inf
    error[np.isinf(exact) & (exact == nearest)] = 0.0
    if format.flushed:
        # Also what rounding would make normal is flushed.
        error[(exact == 0.0) & (np.abs(rounded) <= 2.0**format.smallest)] = 0.0
    error[np.isnan(truth[0, 0])] = 0.0
    error[np.isnan(exact) & ~np.isnan(x) & ~np.isnan(truth[0, 0])] = np.inf
    return error


def _excess(got: Array, truth: Array, format: Format) -> Array:
    """The distance from the interval, with infinity one step beyond the largest number."""
    if format.largest < 1024:
        limit = 2.0**format.largest
        got, truth = np.clip(got, -limit, limit), np.clip(truth, -limit, limit)
    (low, high), rest = truth[0], truth[1:].sum(0) if len(truth) > 1 else np.zeros((2, 1))
    return np.maximum(np.maximum((low - got) + rest[0], (got - high) - rest[1]), 0.0)


def _worst_errors(
    source: str, outputs: Iterable[Sequence[Array | None]], truth: Array, x: Array, case: Case
) -> dict[str, Worst]:
    """The largest error of each quantity."""
    finite = np.isfinite(x)
    inside = finite & (np.abs(x.astype(np.float64)) <= case.info.accuracy.get("domain", np.inf))
    found: dict[str, Worst] = {}
    for output in outputs:
        for order, (quantity, got) in enumerate(zip(QUANTITIES, output, strict=False)):
            if got is None:
                continue
            relative = quantity == "second" or case.format.bits == 64
            size = _scale(case, quantity, x)
            error = errors(got, truth[:, order], x, case.format, size, relative)
            if quantity == "value":
                error[np.isnan(x) & ~np.isnan(got)] = np.inf
            for name, chosen in ((quantity, inside), ("limits", ~finite)):
                at = int(np.where(chosen, error, -1.0).argmax())
                if not chosen[at] or (name == "limits" and quantity == "second"):
                    continue
                numbers = (error[at], x[at], got[at], truth[0, order, 0, at])
                w = Worst(source, quantity, *map(float, numbers))
                if name not in found or w.error > found[name].error:
                    found[name] = w
    return found


def _outputs(function: Function, x: Array, mode: str, smooth: bool) -> Iterator[list[Any]]:
    """Value, gradient and second derivative in each way that a mode has of computing them."""
    programs = [_value, _slope, _bend] if smooth else [_value, _slope]
    for program in programs:
        run = _in_mode(program(function), mode)
        yield _arrays(run(tf.constant(x)))
        if mode == "eager" and len(x) > SMALL:
            small = [_arrays(run(tf.constant(part))) for part in _split(x, SMALL)]
            yield [
                None if parts[0] is None else np.concatenate(parts)
                for parts in zip(*small, strict=True)
            ]


def _in_mode(program: Function, mode: str) -> Function:
    return program if mode == "eager" else tf.function(program, jit_compile=mode == "xla")


def _value(function: Function) -> Function:
    return lambda x: [function(x)]


def _slope(function: Function) -> Function:
    def program(x: Any) -> list[Any]:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = function(x)
        return [y, tape.gradient(y, x, unconnected_gradients="zero")]

    return program


def _bend(function: Function) -> Function:
    def program(x: Any) -> list[Any]:
        with tf.GradientTape() as outer:
            outer.watch(x)
            _, slope = _slope(function)(x)
        return [None, None, outer.gradient(slope, x, unconnected_gradients="zero")]

    return program


def _arrays(tensors: Sequence[Any]) -> list[Any]:
    return [None if t is None else t.numpy() for t in tensors]


def _split(x: Array, size: int) -> list[Array]:
    return [x[start : start + size] for start in range(0, len(x), size)]


class Truths:
    """The truth of many cases, from several processes.

    Args:
        jobs: Number of processes.
    """

    def __init__(self, jobs: int):
        self.idle: queue.SimpleQueue[Process] = queue.SimpleQueue()
        for _ in range(jobs):
            self.idle.put(Process(sys.executable))
        self.jobs = jobs
        self.threads = concurrent.futures.ThreadPoolExecutor(jobs)

    def __enter__(self) -> "Truths":
        return self

    def __exit__(self, *error: object) -> None:
        self.threads.shutdown(cancel_futures=True)
        for _ in range(self.jobs):
            self.idle.get().close()

    def start(self, case: Case, x: Array) -> Callable[[], Array]:
        """Starts to compute; the function returned waits for the result.

        Args:
            case: What to compute.
            x: The inputs.

        Returns:
            Function without arguments that returns what `Truth.at` does.
        """
        parts = [self.threads.submit(self._ask, case, part) for part in _split(x, CHUNK)]
        return lambda: np.concatenate([part.result() for part in parts], -1)

    def _ask(self, case: Case, x: Array) -> Array:
        process = self.idle.get()
        try:
            return process.ask(x, **case.question)
        finally:
            self.idle.put(process)


def measure(
    case: Case,
    x: Array,
    truth: Array,
    modes: Sequence[str] = MODES,
    against: Sequence[str] = (),
    torch: Process | None = None,
) -> Result:
    """Compares one case with the truth.

    Args:
        case: The case.
        x: The inputs.
        truth: The truth about them.
        modes: Ways of running ours.
        against: Which peers to compare too, at default parameters.
        torch: A process that runs PyTorch, if there is one.

    Returns:
        A `Result`.
    """
    unresolved = int(np.isnan(truth[0, 0, 0][np.isfinite(x)]).sum())
    truth = admissible(truth, x, case.format)
    smooth = case.info.backward is None
    found = {
        mode: _worst_errors(mode, _outputs(case, x, mode, smooth), truth, x, case) for mode in modes
    }
    for peer in (p for p in against if p in PEERS and not case.given):
        computed = _peer_outputs(peer, case, x, torch)
        if computed:
            found[peer] = _worst_errors(peer, computed, truth, x, case)
    name, dtype = case.info.name, case.format.name
    return Result(name, dict(case.given), dtype, len(x), unresolved, found)


def _peer_outputs(peer: str, case: Case, x: Array, torch: Process | None) -> list[Any]:
    try:
        if peer == "torch":
            if torch is None or case.info.torch is None:
                return []
            return [torch.ask(x, expression=case.info.torch, dtype=case.format.name)]
        form = {"keras": peers.keras_form, "naive": peers.naive_form}[peer](case.info)
        return [] if form is None else list(_outputs(form, x, "eager", smooth=False))
    except (RuntimeError, TypeError, ValueError, tf.errors.OpError) as error:
        print(f"{case.info.name}, {case.format.name}: {peer} fails: {error}", file=sys.stderr)
        return []


def cases(names: Sequence[str], dtypes: Sequence[str]) -> list[Case]:
    """What is to be measured.

    Args:
        names: Names of activations; none for all.
        dtypes: Names of dtypes.

    Returns:
        List of cases, of element-wise activations only.
    """
    chosen = [ka.info(name) for name in names] or ka.catalogue()
    return [
        Case(info, given, FORMATS[dtype])
        for info in chosen
        if info.elementwise
        for given in ({}, *info.samples)
        for dtype in dtypes
    ]


def _inputs(case: Case, points: int | None, exhaustive: bool) -> Array:
    """The inputs at which a case is measured."""
    count = points or POINTS.get(case.format.name)
    if case.format.bits == 16 and (exhaustive or count is None):
        return sample(case.format, None)
    return sample(case.format, count, landmarks(case))


def _results(arguments: argparse.Namespace) -> Iterator[Result]:
    """Measures everything that the command line asks for."""
    everything = cases(arguments.names, arguments.dtype)

    def started(case: Case) -> tuple[Case, Array, Callable[[], Array]]:
        x = _inputs(case, arguments.points, arguments.exhaustive)
        return case, x, truths.start(case, x)

    with Truths(arguments.jobs) as truths, _torch_process(arguments) as torch:
        ahead = collections.deque([started(everything[0])])
        for following in [*everything[1:], None]:
            # The truth of the next case is computed while this one is compared.
            if following:
                ahead.append(started(following))
            case, x, wait = ahead.popleft()
            yield measure(case, x, wait(), arguments.mode, arguments.against, torch)


@contextlib.contextmanager
def _torch_process(arguments: argparse.Namespace) -> Iterator[Process | None]:
    python = arguments.torch_python
    if not python and importlib.util.find_spec("torch"):
        python = sys.executable
    if not python or "torch" not in arguments.against:
        yield None
        return
    if not shutil.which(python):
        raise ValueError(f"There is no Python at {python}.")
    process = Process(python, "torch")
    try:
        yield process
    finally:
        process.close()


def load(path: str) -> list[Result]:
    """Reads what `--json` has written.

    Args:
        path: The file.

    Returns:
        Results, as `summary` takes them.
    """
    entries = json.loads(pathlib.Path(path).read_text())
    for entry in entries:
        entry["errors"] = {
            source: {quantity: Worst(**worst) for quantity, worst in errors.items()}
            for source, errors in entry["errors"].items()
        }
    return [Result(**entry) for entry in entries]


def _worst(found: Iterable[Result], sources: Iterable[str], quantity: str) -> Worst | None:
    """The largest error of a quantity over results and over modes or peers."""
    sources = list(sources)
    all_errors = [
        result.errors[source][quantity]
        for result in found
        for source in sources
        if quantity in result.errors.get(source, {})
    ]
    return max(all_errors, key=lambda w: w.error, default=None)


def _table(found: Sequence[Result], dtype: str) -> str:
    """The worst errors in one dtype, one row for each activation."""
    groups = _groups(r for r in found if r.dtype == dtype)
    headings = ["", "Value", "Gradient", "Second derivative", "±inf, NaN", "Worst input"]
    rows = [[*headings, "Keras", "Naive formula", "PyTorch"]]
    for name, group in groups.items():
        ours = [_cell(group, _modes(group), q, dtype) for q in ("value", "gradient", "second")]
        ours.append(_at_infinity(group))
        theirs = [
            ", ".join(filter(None, (_cell(group, [peer], q, dtype) for q in _COMPARED))) or "–"
            for peer in PEERS
        ]
        rows.append([f"`{name}`", *(cell or "–" for cell in ours), _place(group), *theirs])
    return _markdown(rows) if groups else ""


def _groups(found: Iterable[Result]) -> dict[str, list[Result]]:
    groups: dict[str, list[Result]] = {}
    for result in found:
        groups.setdefault(result.name, []).append(result)
    return groups


def _modes(found: Iterable[Result]) -> list[str]:
    used = {source for result in found for source in result.errors}
    return [mode for mode in MODES if mode in used]


def _cell(found: Sequence[Result], sources: Sequence[str], quantity: str, dtype: str) -> str:
    """One number, or one for each mode where they differ."""
    relative = dtype == "float64" or quantity == "second"
    errors = [_worst(found, [source], quantity) for source in sources]
    numbers = [_number(w.error, relative) for w in errors if w is not None]
    return numbers[0] if len(set(numbers)) == 1 else " / ".join(numbers)


def _at_infinity(found: Sequence[Result]) -> str:
    w = _worst(found, MODES, "limits")
    if w is None:
        return "–"
    return f"{w.source}: {w.quantity} at {w.x:g} is {w.got:g}" if math.isinf(w.error) else "right"


def _number(error: float, relative: bool) -> str:
    if error == 0.0 or math.isinf(error):
        return f"{error:g}"
    if relative:
        return f"{error:.1e}"
    return f"{error:.2f}" if error < 100.0 else f"{error:.0e}"


def _place(found: Sequence[Result]) -> str:
    """Where the largest error in value or gradient is, and what comes out there."""
    located = [
        (result.errors[mode][quantity], result)
        for result in found
        for mode in _modes([result])
        for quantity in _COMPARED
    ]
    w, result = max(located, key=lambda entry: entry[0].error)
    if w.error == 0.0:
        return "–"
    given = "".join(f", {name}={value}" for name, value in result.parameters.items())
    return f"{w.source}: {w.quantity} at {w.x:.9g}{given} is {w.got:.9g}, not {w.truth:.9g}"


def _markdown(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = [
        "| " + " | ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    rule = "|" + "|".join("-" * (w + 2) for w in widths) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])


def summary(found: Sequence[Result]) -> str:
    """The table for the README: in each dtype, how far value and gradient are from the truth.

    Args:
        found: Results.

    Returns:
        A Markdown table.
    """
    rows = [["", "ours", "Keras", "naive formula", "PyTorch"]]
    for dtype in DTYPES:
        groups = _groups(r for r in found if r.dtype == dtype)
        if groups:
            cells = [_summary_cell(groups, source, dtype) for source in ("ours", *PEERS)]
            rows.append([dtype, *cells])
    return _markdown(rows)


def _summary_cell(groups: Mapping[str, Sequence[Result]], source: str, dtype: str) -> str:
    """Median and largest error, and how many activations are within their goals."""
    largest, within = [], 0
    for name, group in groups.items():
        sources = {q: _held(name, q) if source == "ours" else [source] for q in _COMPARED}
        pair = [(q, _worst(group, sources[q], q)) for q in _COMPARED]
        measured = [(q, w.error) for q, w in pair if w is not None]
        if measured:
            largest.append(max(error for _, error in measured))
            within += all(error <= goal(ka.info(name), dtype, q) for q, error in measured)
    if not largest:
        return "–"
    relative = dtype == "float64"
    median = _number(statistics.median_high(largest), relative)
    return f"{median}, at most {_number(max(largest), relative)}; {within} of {len(largest)}"


def _held(name: str, quantity: str) -> list[str]:
    """The modes in which an activation is held to the goal."""
    free = quantity in ("value", "limits") and "graph" in ka.info(name).accuracy
    return [mode for mode in MODES if not (free and mode == "graph")]


def _missed(found: Sequence[Result], dtype: str, quantity: str) -> dict[str, Worst]:
    """The activations that are not within the goal."""
    beyond = {}
    for name, group in _groups(r for r in found if r.dtype == dtype).items():
        w = _worst(group, _held(name, quantity), quantity)
        if w is not None and w.error > goal(ka.info(name), dtype, quantity):
            beyond[name] = w
    return dict(sorted(beyond.items(), key=lambda entry: -entry[1].error))


def _verdicts(found: Sequence[Result]) -> list[str]:
    """One line for each goal: whether it is met, and by whom not."""
    lines = []
    for dtype in DTYPES:
        groups = _groups(r for r in found if r.dtype == dtype)
        for quantity, bound in GOALS[dtype].items() if groups else ():
            relative = dtype == "float64" or quantity == "second"
            beyond = _missed(found, dtype, quantity)
            line = f"{dtype} {_TITLES[quantity]}, at most {bound:g}{'' if relative else ' ulp'}: "
            line += f"met by {len(groups) - len(beyond)} of {len(groups)}"
            if beyond:
                entries = (
                    f"{name} {_number(w.error, relative)} ({w.quantity} at {w.x:.9g}, {w.source})"
                    for name, w in beyond.items()
                )
                line += f"; missed by {', '.join(entries)}"
            lines.append(line)
    return lines


_COMPARED = ("value", "gradient")
_TITLES = {
    "value": "value",
    "gradient": "gradient",
    "second": "second derivative",
    "limits": "±inf and NaN",
}


def _report(found: Sequence[Result], command: str) -> str:
    """The page with everything."""
    parts = ["# Accuracy", _INTRODUCTION.format(command=command, setting=_setting())]
    skipped = [f"`{i.name}`" for i in ka.catalogue() if not i.elementwise]
    parts.append(f"Not measured, because not element-wise: {', '.join(skipped)}.")
    parts += ["## Summary", summary(found), "## Goals"]
    parts.append("\n".join(f"- {line}" for line in _verdicts(found)))
    own = [_own_goal(info) for info in ka.catalogue() if info.accuracy]
    if own:
        parts += [_OWN_GOALS, "\n".join(own)]
    for dtype in DTYPES:
        chosen = [r for r in found if r.dtype == dtype]
        if chosen:
            counts = sorted({r.points for r in chosen})
            count = f"{counts[0]:,}" if len(counts) == 1 else f"{counts[0]:,} to {counts[-1]:,}"
            parts += [f"## {dtype}", f"At {count} inputs, {_unit(dtype)}.", _table(found, dtype)]
    return "\n\n".join(parts) + "\n"


def _own_goal(info: ka.ActivationInfo) -> str:
    entries = ", ".join(f"{name}: {value}" for name, value in info.accuracy.items())
    return f"- `{info.name}`: {entries}"


def _unit(dtype: str) -> str:
    if dtype == "float64":
        return "relative"
    return "in units in the last place; second derivatives relative"


def _setting() -> str:
    versions = [f"Python {platform.python_version()}"]
    for module in ("tensorflow", "keras", "numpy", "flint"):
        versions.append(f"{module} {importlib.import_module(module).__version__}")
    devices = [
        tf.config.experimental.get_device_details(d) for d in tf.config.list_physical_devices("GPU")
    ]
    processor = [d.get("device_name", "GPU") for d in devices] or [_processor()]
    return f"{', '.join(processor)}; {', '.join(versions)}"


def _processor() -> str:
    description = pathlib.Path("/proc/cpuinfo")
    if description.exists():
        for line in description.read_text().splitlines():
            if line.startswith("model name"):
                return f"{line.partition(':')[2].strip()}, {os.cpu_count()} cores"
    return f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores"


_INTRODUCTION = """\
Written by

    {command}

on {setting}.

For every element-wise activation, at its default parameters and at those that its page samples,
the largest error of the value, of the gradient for an upstream gradient of 1, and of the second
derivative. The truth is the registered formula in Arb ball arithmetic, whose results contain the
exact number with proven bounds, at whatever precision that takes.

The error is |result − truth| in units in the last place (ulp): the spacing of the dtype around the
truth, not below that of its smallest normal numbers. A correctly rounded result is within 0.5. The
errors of float64 and of second derivatives are relative, those of second derivatives below 0.01
relative to 0.01.

- `inf` stands for NaN, for infinity where the truth is finite, and the reverse. At ±infinity the
  truth is the limit, if there is one; for NaN the value has to be NaN.
- TensorFlow takes subnormal numbers for zero, on the CPU: for a subnormal input the truth at zero
  is right too, and for a subnormal truth zero is (not in float16, which is computed in float32).
- At a kink every slope between the one-sided ones is right, and there is no second derivative.
- Parameters are exact as float32 numbers, in float64 as float64 numbers.
- Where modes differ, the errors are those of eager mode / in a `tf.function` / under XLA.
- Keras, the naive formula and PyTorch are at default parameters, in eager mode, value and gradient.
  They round their parameters to the dtype of x, which is part of their error here.
"""


_OWN_GOALS = """\
Goals of their own have (value, gradient: the bound in float32; value_scale, gradient_scale,
second_scale: the size below which an error counts as if the truth had this size; domain: the
largest |x| that is compared; graph: why the value in a graph is not held to the goal)
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command line.

    Args:
        parser: Where to declare it.
    """
    add = parser.add_argument
    add("names", nargs="*", metavar="NAME", help="activations (default: all element-wise ones)")
    add("--dtype", nargs="+", choices=DTYPES, default=list(DTYPES))
    add("--mode", nargs="+", choices=MODES, default=list(MODES))
    add("--points", type=int, help="inputs for each case (default: all in 16 bit, 2**20, 2**15)")
    add("--exhaustive", action="store_true", help="all inputs in 16 bit, whatever --points says")
    add("--against", nargs="+", choices=(*PEERS, "none"), default=list(PEERS))
    add("--torch-python", default=os.environ.get("TORCH_PYTHON"), metavar="PATH")
    add("--jobs", type=int, default=2, help="processes that compute the truth (default: 2)")
    add("--write", nargs="?", const="docs/accuracy.md", metavar="PATH", help="write the page")
    add("--json", metavar="PATH", help="write all numbers")
    add("--check", action="store_true", help="exit with status 1 if a goal is missed")


def run(arguments: argparse.Namespace) -> int:
    """Measures, prints and writes.

    Args:
        arguments: The command line.

    Returns:
        The exit status.
    """
    for module in ("flint", "rich"):
        importlib.import_module(module)
    skipped = [n for n in arguments.names if not ka.info(n).elementwise]
    if skipped:
        print(f"Not measured, because not element-wise: {', '.join(skipped)}")
    total = len(cases(arguments.names, arguments.dtype))
    found = list(_with_progress(_results(arguments), total)) if total else []
    for dtype in DTYPES:
        rows = _table(found, dtype)
        if rows:
            print(f"\n{dtype}, {_unit(dtype)}\n\n{rows}")
    print("", summary(found), "", *_verdicts(found), sep="\n")
    unresolved = sum(result.unresolved for result in found)
    if unresolved:
        print(f"{unresolved} inputs were not compared: more precision than there is was needed")
    if arguments.write:
        _write(arguments.write, _report(found, _command()))
    if arguments.json:
        _write(arguments.json, json.dumps([dataclasses.asdict(r) for r in found], indent=1) + "\n")
    goals = [(dtype, quantity) for dtype in DTYPES for quantity in GOALS[dtype]]
    return int(arguments.check and any(_missed(found, *g) for g in goals))


def _with_progress(found: Iterable[Result], total: int) -> Iterator[Result]:
    if not sys.stderr.isatty():
        for number, result in enumerate(found, 1):
            print(f"{number}/{total} {result.name} {result.dtype}", file=sys.stderr, flush=True)
            yield result
        return
    import rich.console
    import rich.progress

    console = rich.console.Console(stderr=True)
    with rich.progress.Progress(
        *rich.progress.Progress.get_default_columns(),
        rich.progress.TimeElapsedColumn(),
        console=console,
    ) as progress:
        task = progress.add_task("", total=total)
        for result in found:
            progress.update(task, advance=1, description=f"{result.name} {result.dtype}")
            yield result


def _command() -> str:
    return shlex.join(["python", "-m", "keras_activations", *sys.argv[1:]])


def _write(path: str, text: str) -> None:
    target = pathlib.Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    temporary.write_text(text)
    os.replace(temporary, target)


def _names(expression: str) -> set[str]:
    return {node.id for node in ast.walk(ast.parse(expression)) if isinstance(node, ast.Name)}
