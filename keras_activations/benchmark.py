"""`python -m keras_activations benchmark`: how fast and how lean each activation is."""

import argparse
import itertools
import json
import os
import pathlib
import sys
from collections.abc import Iterator, Sequence

import tensorflow as tf

from keras_activations import _measure
from keras_activations._axes import positive
from keras_activations._performance import MILLION, PEERS, of_kind, page
from keras_activations._registry import ActivationInfo, catalogue, info
from keras_activations._runs import (
    Announce,
    Row,
    begun,
    check_page,
    keep,
    latest,
    load,
    progress,
    undone,
    version,
    worker,
    write,
)

SIZES = (10_000, MILLION, 16 * MILLION)
PAGE = pathlib.Path("docs/performance.md")
EXAMPLES = """examples:
  python -m keras_activations benchmark mish --quick
  python -m keras_activations benchmark gelu --mode xla --dtype float16 --against keras
  python -m keras_activations benchmark --json build/benchmark.json --write
"""

# What a job takes beyond its rounds: compilation, warm-up, starting a process; in seconds.
_OVERHEAD = {"time": 2.5, "small": 0.5, "kept": 1.0, "chain": 7.0, "fit": 12.0, "fit_memory": 8.0}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares what the command takes.

    Args:
        parser: Parser of the command.
    """
    add = parser.add_argument
    add("names", nargs="*", metavar="NAME", help="activations; all if none is given")
    add("--mode", nargs="+", choices=_measure.MODES, default=_measure.MODES)
    add("--dtype", nargs="+", choices=_measure.DTYPES, default=_measure.DTYPES)
    add("--size", nargs="+", type=int, help=f"elements; {SIZES}, or {MILLION} if --quick")
    add("--against", nargs="*", choices=PEERS, default=tuple(PEERS))
    add("--seconds", type=float, help="of rounds for each case; 1.25, or 0.5 if --quick")
    add("--quick", action="store_true", help="one size, few rounds, no processes of their own")
    add("--memory", action=argparse.BooleanOptionalAction, help=f"chains of {_measure.CHAIN}")
    add("--fit", action=argparse.BooleanOptionalAction, help="whole training steps")
    add("--torch-python", default=os.environ.get("TORCH_PYTHON"), help="a Python that has torch")
    add("--jax-python", default=os.environ.get("JAX_PYTHON"), help="a Python that has jax")
    add("--json", type=pathlib.Path, help="file that keeps each result; continued if it exists")
    add("--from-json", type=pathlib.Path, help="file of results to show, measuring nothing")
    add("--write", type=pathlib.Path, nargs="?", const=PAGE, help=f"page to write; {PAGE}")


def run(arguments: argparse.Namespace) -> int:
    """Measures, prints the tables and writes what was asked for.

    Args:
        arguments: What `add_arguments` declares.

    Returns:
        Exit code.

    Raises:
        ValueError: If there is no such activation, or the results are another machine's.
    """
    code, has_others = 0, arguments.json or arguments.from_json
    check_page(arguments.write, PAGE, bool(arguments.names) and not has_others)
    if arguments.from_json:
        results = load(arguments.from_json)
    else:
        activations = list(dict.fromkeys(map(info, arguments.names))) or catalogue()
        _check(arguments)
        pythons = _pythons(arguments)
        results = begun(arguments.json, **{n: version(n, python) for n, python in pythons.items()})
        try:
            _measured(activations, arguments, results)
        except KeyboardInterrupt:
            code = 130  # What is there is shown, and no page made of it.
    text = page(latest(results))
    print(text)
    if arguments.write and not code:
        write(arguments.write, text)
    return code


def _check(arguments: argparse.Namespace) -> None:
    """Raises a ValueError for numbers that say nothing."""
    for size in arguments.size or ():
        positive("size", size)
    if arguments.seconds is not None and not arguments.seconds > 0.0:
        raise ValueError(f"`seconds` must be above 0. Received: seconds={arguments.seconds}")


def _pythons(arguments: argparse.Namespace) -> dict[str, str]:
    """The interpreters of the frameworks that are asked for, where they are named."""
    given = {"torch": arguments.torch_python, "jax": arguments.jax_python}
    return {name: given[name] for name in given if given[name] and name in arguments.against}


def _measured(
    activations: Sequence[ActivationInfo], arguments: argparse.Namespace, results: list[Row]
) -> None:
    """Does what is not done yet, and adds it to the results and to the file."""
    stages = (_timing_jobs, _memory_jobs, _fit_jobs)
    jobs = undone([j for stage in stages for j in stage(activations, arguments, results)], results)
    minutes = sum(_OVERHEAD[job["kind"]] + job.get("seconds", 0) for job in jobs) / 60
    print(f"{len(jobs)} measurements, about {minutes:.0f} minutes", file=sys.stderr)
    with progress(len(jobs)) as announce:
        for stage in stages:
            # Which activations are worth a network depends on what has been timed by then.
            jobs = undone(stage(activations, arguments, results), results)
            for _, group in itertools.groupby(jobs, _process_of):
                for row in _answers(list(group), announce):
                    results.append(row)
                    keep(row, arguments.json)


def _timing_jobs(
    activations: Sequence[ActivationInfo], arguments: argparse.Namespace, results: list[Row]
) -> list[Row]:
    sizes = arguments.size or ([MILLION] if arguments.quick else SIZES)
    timed = {
        "against": list(arguments.against),
        "seconds": _seconds(arguments),
        "pythons": _pythons(arguments),
    }
    jobs: list[Row] = []
    for activation in activations:
        name = activation.name
        # Under XLA the tape is inside what is compiled; of that, the memory of a chain tells.
        modes = [mode for mode in arguments.mode if mode != "xla"]
        kept = {"kind": "kept", "name": name, "against": timed["against"]}
        jobs += [{**kept, "mode": mode} for mode in modes]
        small = {"mode": "eager", "dtype": "float32", "shape": [32, 10]}
        jobs += [{"kind": "small", "name": name, **small, **timed}]
        for mode, dtype, size in itertools.product(arguments.mode, arguments.dtype, sizes):
            case = {"mode": mode, "dtype": dtype, "shape": _shape(activation, size)}
            jobs += [{"kind": "time", "name": name, **case, **timed}]
    return jobs


def _shape(activation: ActivationInfo, size: int) -> list[int]:
    return [size] if activation.elementwise else [max(1, size // 256), 256]


def _memory_jobs(
    activations: Sequence[ActivationInfo], arguments: argparse.Namespace, results: list[Row]
) -> list[Row]:
    if not _wanted(arguments.memory, arguments):
        return []
    jobs = []
    for activation in activations:
        given = activation.required
        x = tf.zeros([2, 256])
        if activation.function(x, **given).shape != x.shape:
            continue  # The output of one cannot be the input of the next.
        chain = {"kind": "chain", "name": activation.name, "shape": [31_250, 64]}
        found = [n for n in _measure.contestants(activation) if n != "tensorflow"][:2]
        jobs += [
            {**chain, "mode": mode, "contestant": contestant}
            for mode, contestant in itertools.product(arguments.mode, found)
        ]
    return jobs


def _fit_jobs(
    activations: Sequence[ActivationInfo], arguments: argparse.Namespace, results: list[Row]
) -> list[Row]:
    if not _wanted(arguments.fit, arguments):
        return []
    # Where the activation is the most of a step, by what Keras's costs in the run itself.
    cost = {
        row["job"]["name"]: both["floor"][0] / both["keras"][0]
        for row in of_kind(results, "time")
        if (row["job"]["mode"], row["job"]["dtype"]) == ("graph", "float32")
        if "keras" in (both := row["result"]["ratios"]["both"])
    }
    candidates = [
        a.name for a in activations if a.elementwise and "keras" in _measure.contestants(a)
    ]
    chosen = sorted(candidates, key=lambda name: -cost.get(name, 0.0))[:6]
    jobs: list[Row] = []
    for name, (model, batch) in itertools.product(chosen, [("conv", 128), ("mlp", 1024)]):
        job = {"name": name, "model": model, "batch": batch}
        jobs += [{"kind": "fit", **job, "seconds": 8 * _seconds(arguments)}]
        jobs += [{"kind": "fit_memory", **job, "contestant": c} for c in ("ours", "keras", "none")]
    return jobs


def _seconds(arguments: argparse.Namespace) -> float:
    return arguments.seconds or (0.5 if arguments.quick else 1.25)


def _wanted(given: bool | None, arguments: argparse.Namespace) -> bool:
    return not arguments.quick if given is None else given


def _process_of(job: Row) -> str:
    alone = job["kind"] in ("chain", "fit", "fit_memory")
    return json.dumps(job, sort_keys=True) if alone else job["name"]


def _answers(jobs: list[Row], announce: Announce) -> Iterator[Row]:
    """Has a process do the jobs; a job that ends it costs the others only a new one."""
    with worker("-m", _measure.__name__) as ask:
        for job in jobs:
            announce(_in_words(job))
            result = ask(job)
            if "error" in result:
                print(f"{_in_words(job)}: {result['error']}", file=sys.stderr)
                yield {"job": job, **result}
            else:
                for name, why in result.get("failed", {}).items():
                    print(f"{_in_words(job)}: {name} fails: {why}", file=sys.stderr)
                yield {"job": job, "result": result}


def _in_words(job: Row) -> str:
    words = ("kind", "name", "model", "mode", "dtype", "shape", "contestant")
    return " ".join(str(job[word]) for word in words if word in job)
