"""The page on performance: tables of what the benchmark measured."""

import itertools
import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from keras_activations._calculus import USES
from keras_activations._measure import CHAIN, DTYPES, MODES
from keras_activations._runs import Row, as_markdown

# What TensorFlow runs, then what other frameworks run.
FORMS = {"keras": "Keras", "tensorflow": "tf.nn", "naive": "naive"}
PEERS = {**FORMS, "torch": "PyTorch", "jax": "JAX"}
MILLION = 1_000_000

# A lower quartile above this is no noise.
_SLOWER = 1.05
_PASSES = {"forward": "forward", "both": "forward + backward"}
_TIMED = f"""\
Every figure is a ratio between what was timed in turn, in random order, round by round: the median
of the rounds' quotients and, in brackets, their quartiles. Below 1, this package is faster. The
floor is the memory's speed: forward, one native pass that reads N and writes N; backward, one that
reads 2 N and writes N. The means are geometric, over all activations and sizes from about
{MILLION:,} elements, to Keras's form or, where Keras has none, to the plain formula in TensorFlow.
An activation counts as slower if any of its lower quartiles is above {_SLOWER}, and as within a
multiple of the floor if forward + backward is so at every size. The last column is the room there
is: what Keras's or the plain forms take themselves, forward + backward."""
_KEPT = "Buffers of the input's or output's size that the tape keeps alive, besides these two."
_CHAINED = """\
Peak of one forward and backward pass, in full tensors for each activation: what TensorFlow's
allocator handed out and, in brackets, by how much the process grew, compilation included; in a
process of its own. Under XLA a product with a small matrix stands between two activations, as
otherwise it would make one kernel of all."""
_TRAINED = """\
`train_on_batch` of one network, with this package's activation ÷ with Keras's; beside it what is
left of the step with Keras's when there is no activation at all. Memory likewise, at its peak above
what is there before the step, each in a process of its own."""
_CALLED_SMALL = f"""\
Shape [32, 10], float32, eager: ours ÷ theirs, after the {USES} uses of a shape from which on ours
are compiled. The last row has the geometric means, without what returns its input."""


def page(results: Sequence[Row]) -> str:
    """The whole page.

    Args:
        results: Rows of a benchmark.

    Returns:
        Markdown.
    """
    timed = [(f"In {mode} mode", "", _timings(results, mode)) for mode in MODES]
    sections = [
        ("Summary", _TIMED, summary(results)),
        ("Slower beyond the noise", "", _slower(results)),
        *timed,
        ("Tensors kept for the backward pass", _KEPT, _kept(results)),
        (f"Memory of a chain of {CHAIN}", _CHAINED, _chains(results)),
        ("Training steps", _TRAINED, _fits(results)),
        ("Small tensors", _CALLED_SMALL, _small(results)),
        ("Setting", "", _setting(results)),
    ]
    parts = ["# Performance, measured"]
    for title, introduction, table in sections:
        parts += [f"## {title}", introduction, table] if table else []
    return "\n\n".join(part for part in parts if part) + "\n"


def summary(results: Iterable[Row]) -> str:
    """The table of each mode and dtype, over all activations and sizes from a million elements.

    Args:
        results: Rows of a benchmark.

    Returns:
        Markdown.
    """
    groups: dict[Any, list[Any]] = {key: [] for key in itertools.product(MODES, DTYPES)}
    for job, which, ratios in _passes(results):
        if _is_large(job):
            groups[job["mode"], job["dtype"]].append((job["name"], which, ratios))
    header = ["mode", "dtype", *(f"{p} ÷ Keras or naive" for p in _PASSES.values())]
    header += ["slower than Keras or naive", "or than any of Keras, tf.nn, naive"]
    header += ["within 2 × the floor", "within 4 × the floor", "Keras or naive ÷ the floor"]
    return as_markdown(
        header, ([*key, *_summarised(group)] for key, group in groups.items() if group)
    )


def of_kind(results: Iterable[Row], kind: str) -> list[Row]:
    """The rows of one kind that hold a result and not an error."""
    return [row for row in results if row["job"]["kind"] == kind and "result" in row]


def _summarised(group: Sequence[tuple[str, str, Mapping[str, Any]]]) -> list[str]:
    def mean(which: str, by_floor: bool = False) -> str:
        pairs = [(_reference(ratios), ratios["floor"]) for _, its, ratios in group if its == which]
        quotients = [
            floor[0] / theirs[0] if by_floor else theirs[0] for theirs, floor in pairs if theirs
        ]
        return f"{statistics.geometric_mean(quotients):.2f}" if quotients else "–"

    floors = [(name, ratios["floor"][0]) for name, which, ratios in group if which == "both"]
    slower = {name for name, _, ratios in group if _is_slower(_reference(ratios))}
    than_any = {
        name
        for name, _, ratios in group
        if any(_is_slower(_at_work(ratios, form)) for form in FORMS)
    }
    beyond = [{name for name, floor in floors if floor > factor} for factor in (2, 4)]
    total = len({name for name, _ in floors})
    return [
        *map(mean, _PASSES),
        str(len(slower)),
        str(len(than_any)),
        *(f"{total - len(names)} of {total}" for names in beyond),
        mean("both", by_floor=True),
    ]


def _timings(results: Iterable[Row], mode: str) -> str:
    rows = [row for row in _passes(results) if row[0]["mode"] == mode]
    names = [n for n in ("floor", *PEERS) if any(n in ratios for _, _, ratios in rows)]
    cells = (
        [*_case(job), _PASSES[which], *(_figure(ratios.get(name)) for name in names)]
        for job, which, ratios in rows
    )
    header = ["activation", "dtype", "elements", "pass"]
    return as_markdown([*header, *(f"÷ {PEERS.get(name, name)}" for name in names)], cells)


def _slower(results: Iterable[Row]) -> str:
    cells = (
        [*_case(job), job["mode"], _PASSES[which], PEERS[form], _figure(ratios[form])]
        for job, which, ratios in _passes(results)
        for form in FORMS
        if _is_large(job) and _is_slower(_at_work(ratios, form))
    )
    return as_markdown(
        ["activation", "dtype", "elements", "mode", "pass", "than", "ours ÷ it"], cells
    )


def _small(results: Iterable[Row]) -> str:
    rows = {row["job"]["name"]: row["result"]["ratios"] for row in of_kind(results, "small")}
    columns = list(itertools.product(_PASSES, ("keras", "naive")))
    cells = [
        [name, *(_figure(ratios[which].get(form)) for which, form in columns)]
        for name, ratios in sorted(rows.items())
    ]
    means = []
    for which, form in columns:
        found = [_at_work(ratios[which], form) for ratios in rows.values()]
        medians = [figures[0] for figures in found if figures]
        means.append(f"{statistics.geometric_mean(medians):.2f}" if medians else "–")
    header = [f"{_PASSES[which]} ÷ {FORMS[form]}" for which, form in columns]
    return as_markdown(["activation", *header], [*cells, ["all", *means]] if cells else [])


def _kept(results: Iterable[Row]) -> str:
    counts = {
        (row["job"]["name"], row["job"]["mode"], name): str(count)
        for row in of_kind(results, "kept")
        for name, count in row["result"]["kept"].items()
    }
    return _by_mode(counts)


def _chains(results: Iterable[Row]) -> str:
    peaks = {
        (job["name"], job["mode"], job["contestant"]): "{allocated:.1f} ({resident:.1f})".format(
            **row["result"]
        )
        for row in of_kind(results, "chain")
        if (job := row["job"])
    }
    return _by_mode(peaks)


def _by_mode(cells: Mapping[tuple[str, str, str], str]) -> str:
    columns = [
        column
        for column in itertools.product(MODES, ("ours", *FORMS))
        if any(key[1:] == column for key in cells)
    ]
    header = ["activation", *(f"{mode}: {FORMS.get(name, name)}" for mode, name in columns)]
    names = sorted({name for name, _, _ in cells})
    return as_markdown(header, ([n, *(cells.get((n, *c), "–") for c in columns)] for n in names))


def _fits(results: Sequence[Row]) -> str:
    peaks = {
        (row["job"]["model"], row["job"]["name"], row["job"]["contestant"]): row["result"]
        for row in of_kind(results, "fit_memory")
    }
    cells = []
    for row in of_kind(results, "fit"):
        key, times = (row["job"]["model"], row["job"]["name"]), row["result"]
        ours, theirs, none = (
            peaks.get((*key, name), {}).get("allocated", math.nan)
            for name in ("ours", "keras", "none")
        )
        memory = [f"{ours / theirs:.2f}", f"{none / theirs:.2f}"]
        cells.append([*key, _figure(times["ours"]), _figure(times["none"]), *memory])
    header = ["network", "activation", "step", "step without", "memory", "memory without"]
    return as_markdown(header, sorted(cells))


def _setting(results: Iterable[Row]) -> str:
    for row in of_kind(results, "environment"):
        facts = [(key, value) for key, value in row["result"].items() if value]
        commands = [("command", f"`{it}`") for it in row["job"]["command"].split("; ")]
        return "\n".join(f"- {key}: {value}" for key, value in [*facts, *commands])
    return ""


def _passes(results: Iterable[Row]) -> list[tuple[Row, str, Mapping[str, Any]]]:
    """Of each timing and pass: the job, the pass and the ratios, in order."""

    def order(row: Row) -> Any:
        job = row["job"]
        return job["name"], DTYPES.index(job["dtype"]), job["shape"]

    return [
        (row["job"], which, row["result"]["ratios"][which])
        for row in sorted(of_kind(results, "time"), key=order)
        for which in _PASSES
        if row["result"]["ratios"][which]
    ]


def _reference(ratios: Mapping[str, Any]) -> Any:
    return _at_work(ratios, "keras" if "keras" in ratios else "naive")


def _at_work(ratios: Mapping[str, Any], form: str) -> Any:
    found = ratios.get(form)
    # Returning the input, as Keras's identity does, is no work to compare with.
    return None if found and ratios["floor"][0] < 0.1 * found[0] else found


def _is_slower(figures: Any) -> bool:
    return figures is not None and figures[1] > _SLOWER


def _is_large(job: Row) -> bool:
    # Rows of 256 elements make less than a million of them.
    return math.prod(job["shape"]) > 0.99 * MILLION


def _case(job: Row) -> list[str]:
    return [job["name"], job["dtype"], f"{math.prod(job['shape']):,}"]


def _figure(figures: Any) -> str:
    return "{:.2f} ({:.2f}–{:.2f})".format(*figures) if figures else "–"
