"""What the benchmark measures: a job in, its figures out; run as a process, jobs as JSON lines."""

import functools
import gc
import json
import os
import pathlib
import random
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_activations import peers
from keras_activations._calculus import LARGE, USES
from keras_activations._loading import serve
from keras_activations._registry import ActivationInfo, info
from keras_activations._runs import threads

MODES = ("eager", "graph", "xla")
DTYPES = ("float32", "bfloat16", "float16")
PASSES = ("forward", "both")
CHAIN = 20

Job = Mapping[str, Any]
Call = Callable[..., Any]
Stopwatch = Callable[[int], float]

_PEERS = {
    "keras": peers.keras_form,
    "tensorflow": peers.tensorflow_form,
    "naive": peers.naive_form,
}
# Which mode of TensorFlow each is timed beside.
_FRAMEWORKS = {"torch": "eager", "jax": "xla"}
_FRAMEWORKS_SCRIPT = pathlib.Path(__file__).with_name("_frameworks.py")
# What is large and compiled lazily is compiled by then.
_WARM_UP = 4
# What takes less is repeated until it takes so many seconds.
_SHORTEST = 3e-4
# For so many rounds their time may be exceeded, sixfold at most.
_FEWEST = 5


def contestants(activation: ActivationInfo, against: Any = tuple(_PEERS)) -> dict[str, Call]:
    """Functions of x that compute the same, this package's own first.

    Args:
        activation: What they compute.
        against: Whose to look for; what is no form in TensorFlow is passed over.

    Returns:
        Dictionary from contestant to function.
    """
    ours = functools.partial(activation.function, **activation.required)
    found: dict[str, Call] = {"ours": ours}
    for name in against:
        form = _PEERS[name](activation) if name in _PEERS else None
        if form is not None:
            found[name] = form
    return found


def ratio(times: list[float], others: list[float]) -> list[float]:
    """Median and quartiles of the quotients of each round.

    Args:
        times: Seconds, one for each round.
        others: Seconds of another contestant in the same rounds.

    Returns:
        Median, lower and upper quartile.
    """
    quotients = [a / b for a, b in zip(times, others, strict=True)]
    if len(quotients) == 1:
        return quotients * 3
    low, middle, high = statistics.quantiles(quotients, n=4, method="inclusive")
    return [middle, low, high]


def interleave(
    stopwatches: Mapping[Any, Stopwatch], seconds: float, most: int = 200
) -> dict[Any, list[float]]:
    """Times all contestants once in each round, in a new random order.

    Args:
        stopwatches: By contestant, what runs it that many times and returns the seconds taken.
        seconds: After which no new round begins.
        most: Number of rounds that is never exceeded.

    Returns:
        Dictionary from contestant to the seconds of one run, for each round.
    """
    repetitions = {k: max(1, min(200, int(_SHORTEST / s(1)))) for k, s in stopwatches.items()}
    times: dict[Any, list[float]] = {key: [] for key in stopwatches}
    order, begin = list(stopwatches), time.perf_counter()
    # Collected between the rounds, and quickly, because what exists now is not searched again.
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        for number in range(most):
            if number and time.perf_counter() - begin > seconds * (6 if number < _FEWEST else 1):
                break
            random.shuffle(order)
            for key in order:
                times[key].append(stopwatches[key](repetitions[key]) / repetitions[key])
            gc.collect()
    finally:
        gc.enable()
        gc.unfreeze()
    return times


def tensors_kept(call: Call, x: Any) -> int:
    """How many buffers of x's or y's size the tape keeps for the backward pass, besides these two.

    Args:
        call: Function of x.
        x: Tensor whose size no other tensor has.

    Returns:
        Number of buffers.
    """
    for _ in range(_WARM_UP):
        call(x)
    gc.freeze()  # Nothing from before is looked at, so that collecting is quick.
    try:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = call(x)
        gc.collect()
        sizes = {x.shape.num_elements(), y.shape.num_elements()}
        alive = [
            t
            for t in gc.get_objects()
            if isinstance(t, tf.Tensor)
            and not tf.is_symbolic_tensor(t)
            and t.shape.num_elements() in sizes
        ]
        kept = {_address(t) for t in alive} - {_address(x), _address(y)}
        del tape, alive
    finally:
        gc.unfreeze()
    return len(kept)


def peak_memory(call: Call, small: Any, large: Any) -> dict[str, float]:
    """How much memory a call needs at its peak, beyond what is there before.

    Args:
        call: Function of the input.
        small: Input of a size that hardly counts, to warm up with.
        large: Input of the size that is measured.

    Returns:
        Bytes that TensorFlow's allocator handed out and, on Linux, by which the process grew.
    """
    device = f"{_device()}:0"
    for _ in range(_WARM_UP):
        call(small)
    resident = _resident("VmRSS")
    for _ in range(_WARM_UP):
        call(large)
    tf.config.experimental.reset_memory_stats(device)
    before = tf.config.experimental.get_memory_info(device)["current"]
    call(large)
    allocated = tf.config.experimental.get_memory_info(device)["peak"] - before
    return {"allocated": allocated, "resident": _resident("VmHWM") - resident}


def measure(job: Job) -> dict[str, Any]:
    """The figures that a job asks for.

    Args:
        job: Its `kind`, and what that needs.

    Returns:
        What can be written as JSON.
    """
    return _KINDS[job["kind"]](job)


def _time(job: Job) -> dict[str, Any]:
    activation = info(job["name"])
    x, other = (_normal(job["shape"], job["dtype"]) for _ in range(2))
    found: dict[str, Callable[[], dict[str, Stopwatch]]] = {
        name: functools.partial(_passes, function, x, job["mode"])
        for name, function in contestants(activation, job["against"]).items()
    }
    for name, python in job.get("pythons", {}).items():
        if _FRAMEWORKS[name] == job["mode"]:
            found[name] = functools.partial(_framework(name, python).passes, activation, job)
    stopwatches: dict[Any, Stopwatch] = {
        ("floor", "forward"): _stopwatch(lambda: tf.raw_ops.Neg(x=x)),
        ("floor", "backward"): _stopwatch(lambda: tf.raw_ops.Mul(x=x, y=other)),
    }
    failed = {}
    for name, passes in found.items():
        try:
            its = {(name, which): watch for which, watch in passes().items()}
            for watch in its.values():
                watch(_uses(x) if name == "ours" else 1)  # Traced and compiled it is already.
            stopwatches |= its
        except Exception as error:
            if name == "ours":
                raise
            failed[name] = f"{type(error).__name__}: {error}"[:200]
    times = interleave(stopwatches, job["seconds"])
    floors = zip(times["floor", "forward"], times["floor", "backward"], strict=True)
    times["floor", "both"] = [sum(pair) for pair in floors]
    rounds = len(times["floor", "forward"])
    return {"rounds": rounds, "ratios": _ratios(times), "failed": failed}


def _uses(x: Any) -> int:
    """After how many uses all is compiled that will be."""
    return USES + 1 if x.shape.num_elements() < LARGE else _WARM_UP


def _normal(shape: Any, dtype: Any) -> Any:
    return tf.cast(tf.random.normal(shape, stddev=3.0), dtype)


def _ratios(times: Mapping[tuple[str, str], list[float]]) -> dict[str, dict[str, list[float]]]:
    return {
        which: {
            name: ratio(times["ours", which], other)
            for (name, its), other in times.items()
            if its == which and name != "ours" and ("ours", which) in times
        }
        for which in PASSES
    }


def _passes(function: Call, x: Any, mode: str) -> dict[str, Stopwatch]:
    forward, both = _in_mode(function, mode), _in_mode(_gradient(function), mode)
    upstream = _normal(forward(x).shape, x.dtype)
    passes = {"forward": _stopwatch(lambda: forward(x))}
    if both(x, upstream)[1] is not None:
        passes["both"] = _stopwatch(lambda: both(x, upstream))
    return passes


def _gradient(function: Call) -> Call:
    def both(x: Any, upstream: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = function(x)
        return y, tape.gradient(y, x, upstream)

    return both


def _in_mode(function: Call, mode: str) -> Call:
    if mode == "eager":
        return function
    # Of x alone: default arguments would be looked at in each call.
    return tf.function(lambda *x: function(*x), autograph=False, jit_compile=mode == "xla")


def _stopwatch(call: Call) -> Stopwatch:
    asynchronous = _device() == "GPU"

    def run(repetitions: int) -> float:
        begin = time.perf_counter()
        for _ in range(repetitions):
            result = call()
        if asynchronous:  # Reading one element waits for all that was queued before.
            tf.reshape(tf.nest.flatten(result)[-1], [-1])[0].numpy()
        return time.perf_counter() - begin

    return run


class _Framework:
    """A process of another framework, which ends with this one."""

    def __init__(self, name: str, python: str):
        self.name = name
        self.process = subprocess.Popen(
            # Without the script's folder, whose modules are not that process's.
            [python, "-P", str(_FRAMEWORKS_SCRIPT), name, str(threads()), _device()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "OMP_WAIT_POLICY": "passive"},
        )

    def ask(self, **request: Any) -> Any:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        reply = json.loads(self.process.stdout.readline() or '{"error": "it ended"}')
        if "error" in reply:
            raise RuntimeError(reply["error"])
        return reply["answer"]

    def passes(self, activation: ActivationInfo, job: Job) -> dict[str, Stopwatch]:
        jax = f"jax.nn.{activation.name}(x)"
        expression = jax if self.name == "jax" else activation.torch
        points = [[-8.0, -2.5, -0.75, -0.125, 0.25, 1.5, 2.75, 5.5]]
        if expression is None:
            return {}
        case = {"shape": job["shape"], "dtype": job["dtype"], "points": points}
        values = self.ask(expression=expression, **case)
        if not np.allclose(values, contestants(activation)["ours"](points), 1e-3, 1e-3):
            raise ValueError(f"By {expression} it means something else.")
        return {which: functools.partial(self.seconds, which) for which in PASSES}

    def seconds(self, which: str, repetitions: int) -> float:
        return self.ask(call=which, repetitions=repetitions)


_framework = functools.cache(_Framework)


def _kept(job: Job) -> dict[str, Any]:
    # On the CPU, where a buffer has an address.
    with tf.device("CPU:0"):
        x = tf.random.normal([1009, 8])
        found = contestants(info(job["name"]), job["against"])
        return {"kept": {n: tensors_kept(_in_mode(f, job["mode"]), x) for n, f in found.items()}}


def _chain(job: Job) -> dict[str, Any]:
    function = contestants(info(job["name"]))[job["contestant"]]
    weights = tf.eye(job["shape"][-1])

    def chain(x: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = x
            for _ in range(CHAIN):
                y = function(y)
                if job["mode"] == "xla":  # Which else would make one kernel of all.
                    y = tf.matmul(y, weights)
        return tape.gradient(y, x, x)

    if job["mode"] != "eager":
        # Of any size, so that no trace falls into what is measured.
        shape = tf.TensorSpec([None, *job["shape"][1:]], tf.float32)
        chain = tf.function(
            chain, autograph=False, jit_compile=job["mode"] == "xla", input_signature=[shape]
        )
    x = tf.random.normal(job["shape"])
    figures = peak_memory(chain, x[: max(1, len(x) // 1000)], x)
    return {key: value / (CHAIN * x.shape.num_elements() * 4) for key, value in figures.items()}


def _model(kind: str, activation: Any) -> keras.Model:
    layers = keras.layers
    images = [
        layers.Conv2D(32, 3, padding="same", activation=activation),
        layers.Conv2D(32, 3, padding="same", activation=activation),
        layers.MaxPooling2D(),
        layers.Conv2D(64, 3, padding="same", activation=activation),
        layers.MaxPooling2D(),
        layers.Flatten(),
        layers.Dense(128, activation=activation),
    ]
    wide = [layers.Dense(1024, activation=activation) for _ in range(4)]
    stack = {"conv": [keras.Input([32, 32, 3]), *images], "mlp": [keras.Input([256]), *wide]}
    model = keras.Sequential([*stack[kind], layers.Dense(10)])
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model


def _batch(model: keras.Model, size: int) -> tuple[Any, Any]:
    return tf.random.normal([size, *model.input_shape[1:]]), tf.zeros([size], tf.int32)


def _activation(job: Job, contestant: str) -> Any:
    return None if contestant == "none" else contestants(info(job["name"]))[contestant]


def _fit(job: Job) -> dict[str, Any]:
    stopwatches = {}
    for name in ("ours", "keras", "none"):
        model = _model(job["model"], _activation(job, name))
        step = functools.partial(model.train_on_batch, *_batch(model, job["batch"]))
        stopwatches[name] = _stopwatch(step)
        stopwatches[name](_WARM_UP)
    times = interleave(stopwatches, job["seconds"])
    return {name: ratio(times[name], times["keras"]) for name in ("ours", "none")}


def _fit_memory(job: Job) -> dict[str, Any]:
    model = _model(job["model"], _activation(job, job["contestant"]))
    small, large = (_batch(model, size) for size in (2, job["batch"]))
    return peak_memory(lambda batch: model.train_on_batch(*batch), small, large)


_KINDS: dict[str, Callable[[Job], dict[str, Any]]] = {
    "time": _time,
    "small": _time,
    "kept": _kept,
    "chain": _chain,
    "fit": _fit,
    "fit_memory": _fit_memory,
}


@functools.cache
def _device() -> str:
    return "GPU" if tf.config.list_physical_devices("GPU") else "CPU"


def _address(tensor: Any) -> int:
    return np.asarray(memoryview(tensor)).ctypes.data


def _resident(field: str) -> float:
    try:
        lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    except FileNotFoundError:
        return float("nan")
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field))


if __name__ == "__main__":
    serve(measure)
