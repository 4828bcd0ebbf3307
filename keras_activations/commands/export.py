"""`python -m keras_activations export`: what is left of each activation in exported models."""

import argparse
import importlib.metadata
import importlib.util
import math
import pathlib
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from keras_activations import _exporting, _loading
from keras_activations._registry import catalogue, info
from keras_activations._runs import (
    Row,
    as_markdown,
    begun,
    check_page,
    keep,
    progress,
    undone,
    worker,
    write,
)

PAGE = pathlib.Path("docs/exports.md")
EXAMPLES = """examples:
  python -m keras_activations export mish
  python -m keras_activations export gelu snake --target onnx tflite
  python -m keras_activations export --json build/exports.json --write
"""
# What each target needs besides TensorFlow.
TARGETS: dict[str, tuple[str, ...]] = {
    "savedmodel": (),
    "tfsmlayer": (),
    "tflite": ("ai-edge-litert",),
    "tflite-dynamic": ("ai-edge-litert",),
    "tflite-int8": ("ai-edge-litert",),
    "onnx": ("tf2onnx", "onnxruntime"),
}
TITLES = {
    "savedmodel": "SavedModel",
    "tfsmlayer": "TFSMLayer",
    "tflite": "TFLite",
    "tflite-dynamic": "TFLite, dynamic range",
    "tflite-int8": "TFLite, int8",
    "onnx": "ONNX",
}
# The activation alone, and one between Dense layers, whose weights can be quantized.
MODELS = {
    "layer": ("savedmodel", "tfsmlayer", "tflite", "onnx"),
    "model": ("savedmodel", "tflite", "tflite-dynamic", "tflite-int8", "onnx"),
}
# So many are exported in one model, which takes less time than so many models.
TOGETHER = 8
# A difference from this on is no rounding.
GROSS = 1e-5

_MEASURED = f"""\
Each activation's layer is exported with `model.export`, alone and between two Dense layers
(Dense({_exporting.WIDTH}), the activation, Dense(8)), and run in a process that does not import
this package. Learnable parameters are variables at their initial values. The error is the largest
|result − y| / max(1, |y|), where y is what the same model computes here, in eager mode, in float32.

- The inputs of the layer alone are moderate (normal, with a deviation of 2), large (0, ±12, ±50
  and ±{_exporting.FARTHEST:,.0f}) and tiny (±0, ±1e-30, ±1e-4); those of the model are moderate. A
  cell shows layer / model, or one of them. Gradients, by a random upstream gradient, and second
  derivatives are at moderate inputs.
- SavedModel is the default format, also loaded as `keras.layers.TFSMLayer`.
- TFLite is what `format="litert"` writes, with built-in operations only; ONNX is `format="onnx"`,
  run by onnxruntime.
- Quantized, the error is relative to the largest |y|. With dynamic range the large weights are
  int8. In int8 all is that has such a form, input and output excepted, scaled by these inputs:
  every operation rounds to one of 256 numbers, so that what is one of TFLite's own keeps its
  digits, and what is dozens does not."""
_INFINITE = """\
Where a row has an infinite input, what differs from eager mode. TensorFlow's own forms that it
fuses, such as x·tanh(softplus(x)), are NaN at −∞ in graphs; the converter to ONNX writes
`tf.where` as a sum of two products, in which the branch not taken is multiplied by zero, which
makes infinity NaN."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares what the command takes.

    Args:
        parser: Parser of the command.
    """
    add = parser.add_argument
    add("names", nargs="*", metavar="NAME", help="activations; all if none is given")
    add("--target", nargs="+", choices=tuple(TARGETS), default=tuple(TARGETS))
    add("--json", type=pathlib.Path, help="file that keeps each result; continued if it exists")
    add("--write", type=pathlib.Path, nargs="?", const=PAGE, help=f"page to write; {PAGE}")


def run(arguments: argparse.Namespace) -> int:
    """Exports, prints the tables and writes the page if asked to.

    Args:
        arguments: What `add_arguments` declares.

    Returns:
        Exit code.

    Raises:
        ImportError: If a target needs a package that is not there.
    """
    check_page(arguments.write, PAGE, bool(arguments.names) and not arguments.json)
    needed = dict.fromkeys(p for target in arguments.target for p in TARGETS[target])
    absent = [p for p in needed if importlib.util.find_spec(p.replace("-", "_")) is None]
    if absent:
        raise ImportError(
            f"These targets need {' and '.join(absent)}. Try: "
            f"pip install 'keras_activations[export]', or other targets than "
            f"{', '.join(t for t in arguments.target if set(TARGETS[t]) & set(absent))}."
        )
    chosen = list(dict.fromkeys(map(info, arguments.names))) or catalogue()
    # Those that TFLite refuses by themselves.
    names = [activation.name for activation in sorted(chosen, key=lambda i: i.tflite or "")]
    jobs = [
        {"kind": "export", "names": names[i : i + TOGETHER], "model": model, "targets": wanted}
        for i in range(0, len(names), TOGETHER)
        for model, targets in MODELS.items()
        if (wanted := [target for target in targets if target in arguments.target])
    ]
    *earlier, here = begun(arguments.json, **{p: importlib.metadata.version(p) for p in needed})
    rows = [*earlier, *measured(undone(jobs, earlier), arguments.json)]
    index = {
        (name, target, row["job"]["model"]): result
        for row in rows
        if row["job"]["kind"] == "export"
        for target, results in row["result"].items()
        for name, result in results.items()
    }
    print(summary(index), table(index), *problems(index), sep="\n\n")
    if arguments.write:
        facts = {"command": f"`{here['job']['command']}`", **here["result"]}
        write(arguments.write, page(index, facts))
    return 0


def measured(jobs: Sequence[Row], path: pathlib.Path | None) -> Iterator[Row]:
    """Exports in one process, and runs what came out in another.

    Args:
        jobs: What to export.
        path: File that keeps each result, or None.

    Yields:
        A row for each job.
    """
    with (
        worker("-m", _exporting.__name__) as export,
        # -P keeps the package's own modules from hiding others of their names.
        worker("-P", str(_loading.__file__)) as load,
        progress(len(jobs)) as announce,
    ):
        for job in jobs:
            announce(f"{', '.join(job['names'])}: {job['model']}")
            with tempfile.TemporaryDirectory() as folder:
                result = {
                    target: _each({**job, "target": target, "folder": folder}, export, load)
                    for target in job["targets"]
                }
            row = {"job": job, "result": result}
            keep(row, path)
            yield row


def _each(job: Row, export: Callable[[Row], Row], load: Callable[[Row], Row]) -> Row:
    """The result of each activation, one by one if not all can be exported together."""
    results = _measured(job, export, load)
    if len(job["names"]) == 1 or not any("error" in result for result in results.values()):
        return results
    for name in job["names"]:
        with tempfile.TemporaryDirectory() as folder:
            results |= _measured({**job, "names": [name], "folder": folder}, export, load)
    return results


def _measured(job: Row, export: Callable[[Row], Row], load: Callable[[Row], Row]) -> Row:
    quantities = _quantities(job["target"], job["model"])
    answer = export(job)
    if "error" not in answer:
        answer = load({**job, **answer, "quantities": quantities})
    if "error" in answer:
        return dict.fromkeys(job["names"], answer)
    folder, results = pathlib.Path(job["folder"]), {}
    with np.load(folder / "expected.npz") as y, np.load(folder / "found.npz") as found:
        for name in job["names"]:
            keys = {quantity: f"{name}/{quantity}" for quantity in (*quantities, "infinite")}
            pairs = {quantity: (found[key], y[key]) for quantity, key in keys.items()}
            infinite = pairs.pop("infinite")
            relative = "-" in job["target"]
            results[name] = {
                "errors": {q: float(error(*pair, relative).max()) for q, pair in pairs.items()},
                "at infinity": at_infinity(*infinite),
            }
    return results


def error(found: Any, expected: Any, relative: bool = False) -> Any:
    """How far results are from what they should be, NaN for NaN in place of a number.

    Args:
        found: The results.
        expected: What they should be; where that is NaN, anything is right.
        relative: Whether to divide by the largest number expected, not by each, or 1.

    Returns:
        Array of errors.
    """
    with np.errstate(invalid="ignore"):
        size = np.nanmax(np.abs(expected)) if relative else np.maximum(np.abs(expected), 1.0)
        found = np.where(np.isnan(expected) | (found == expected), 0.0, found - expected)
        return np.abs(np.where(found == 0.0, 0.0, found / np.where(size == 0.0, 1.0, size)))


def at_infinity(found: Any, expected: Any) -> list[str]:
    """What differs at infinite inputs.

    Args:
        found: Results: a row for −∞, and one for +∞.
        expected: What they should be.

    Returns:
        List of texts, one for either infinity at which something does.
    """
    texts = []
    for row, sign in enumerate("−+"):
        got, y = found[row], expected[row]
        wrong = ~(error(got, y) < GROSS)
        if wrong.any():
            first = wrong.argmax()
            texts.append(f"{got[first]:.6g}, not {y[first]:.6g}, at {sign}∞")
    return texts


# Results by the activation's name, the target and the model.
Index = Mapping[tuple[str, str, str], Row]


def page(index: Index, facts: Mapping[str, Any]) -> str:
    """The whole page.

    Args:
        index: What was found.
        facts: Where it comes from.

    Returns:
        Markdown.
    """
    sections = [
        ("What is measured", _MEASURED),
        ("Summary", summary(index)),
        ("Errors", table(index)),
        ("At infinity", f"{_INFINITE}\n\n{infinities(index)}"),
        ("What a target does not hold", "\n".join(problems(index)) or "Nothing: each holds all."),
        ("Setting", "\n".join(f"- {key}: {fact}" for key, fact in facts.items() if fact)),
    ]
    parts = ["# Exported models, measured"]
    for title, body in sections:
        parts += [f"## {title}", body]
    return "\n\n".join(parts) + "\n"


def summary(index: Index) -> str:
    """For each target, how many activations it holds, and how well.

    Args:
        index: What was found.

    Returns:
        A Markdown table.
    """
    rows = []
    for target in _targets(index):
        errors = {name: _worst(index, name, target) for name in _names(index)}
        held = {name: error for name, error in errors.items() if error is not None}
        cells = [TITLES[target], f"{len(held)} of {len(errors)}"]
        if not held:
            cells += ["–"] * 3
        else:
            ranked = sorted(held, key=lambda name: (math.isnan(held[name]), held[name]))
            cells += [_figure(held[ranked[len(ranked) // 2]])]
            cells += [f"{_figure(held[ranked[-1]])} (`{ranked[-1]}`)"]
            right = sum(not _at(index, name, target) for name in held)
            cells += [f"{right} of {len(held)}" if "-" not in target else "–"]
        rows.append(cells)
    header = ["target", "activations", "median error", "worst", "as eager at ±∞"]
    return as_markdown(header, rows)


def table(index: Index) -> str:
    """The errors, one row for each activation.

    Args:
        index: What was found.

    Returns:
        A Markdown table.
    """
    targets = _targets(index)
    derived = ("gradient", "second derivative") if "savedmodel" in targets else ()
    rows = []
    for name in _names(index):
        cells = [f"`{name}`", *(_cell(index, name, target) for target in targets)]
        for quantity in derived:
            errors = index.get((name, "savedmodel", "layer"), {}).get("errors")
            cells.append(_figure(errors[quantity]) if errors else "no")
        rows.append(cells)
    header = ["activation", *(TITLES[target] for target in targets)]
    return as_markdown([*header, *(f"SavedModel's {quantity}" for quantity in derived)], rows)


def infinities(index: Index) -> str:
    """What differs at infinite inputs, one row for each activation in which something does.

    Args:
        index: What was found.

    Returns:
        A Markdown table.
    """
    targets = [target for target in _targets(index) if "-" not in target]
    rows = []
    for name in _names(index):
        cells = ["; ".join(_at(index, name, target)) for target in targets]
        if any(cells):
            rows.append([f"`{name}`", *(cell or "–" for cell in cells)])
    return as_markdown(["activation", *(TITLES[target] for target in targets)], rows)


def problems(index: Index) -> list[str]:
    """What could not be exported or run, and why.

    Args:
        index: What was found.

    Returns:
        One line for each.
    """
    return [
        f"- `{name}`, {TITLES[target]}, {model}: {_reason(name, target, row['error'])}"
        for (name, target, model), row in sorted(index.items())
        if "error" in row
    ]


def _quantities(target: str, model: str) -> list[str]:
    """What is compared, values first."""
    if model == "model":
        return ["moderate"]
    derived = ["gradient", "second derivative"] if target == "savedmodel" else []
    return ["moderate", "large", "tiny", *derived]


def _worst(index: Index, name: str, target: str) -> float | None:
    """The largest error of the values, or None if a model could not be exported or run."""
    found = [result for key, result in index.items() if key[:2] == (name, target)]
    if not found or any("error" in result for result in found):
        return None
    return _largest(result["errors"][q] for result in found for q in _values(result))


def _cell(index: Index, name: str, target: str) -> str:
    figures = []
    for result in (index.get((name, target, model)) for model in MODELS):
        if result:
            errors = [result["errors"][q] for q in _values(result)] if "errors" in result else []
            figures.append(_figure(_largest(errors)) if errors else "no")
    return " / ".join(figures)


def _values(result: Row) -> list[str]:
    return [q for q in ("moderate", "large", "tiny") if q in result["errors"]]


def _at(index: Index, name: str, target: str) -> list[str]:
    return index.get((name, target, "layer"), {}).get("at infinity", [])


def _largest(errors: Iterable[float]) -> float:
    errors = list(errors)
    return math.nan if any(map(math.isnan, errors)) else max(errors)


def _figure(error: float) -> str:
    return "0" if error == 0.0 else "NaN" if math.isnan(error) else f"{error:.0e}"


def _reason(name: str, target: str, error: str) -> str:
    known = info(name).tflite if target.startswith("tflite") else None
    if error.startswith("the process ended"):
        error = error.partition(". ")[0]  # The rest is what it last logged.
    return known or " ".join(error.split())[:300]


def _names(index: Index) -> list[str]:
    return sorted({name for name, _, _ in index})


def _targets(index: Index) -> list[str]:
    used = {target for _, target, _ in index}
    return [target for target in TARGETS if target in used]
