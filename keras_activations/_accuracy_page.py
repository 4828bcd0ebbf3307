"""The page on accuracy: the goals, and tables of what the command measured."""

import dataclasses
import math
import operator
from collections.abc import Iterable, Mapping
from typing import Any

from keras_activations._registry import catalogue, info
from keras_activations._runs import as_markdown

DTYPES = ("float16", "bfloat16", "float32", "float64")
MODES = ("eager", "graph", "xla")
PEERS = {"keras": "Keras", "naive": "naive", "torch": "PyTorch"}
QUANTITIES = ("value", "gradient", "second")

# In units in the last place; in float64, and for second derivatives, relative.
GOALS: dict[str, dict[str, float]] = {
    "float16": {"value": 1.0, "gradient": 1.0, "limits": 1.0},
    "bfloat16": {"value": 1.0, "gradient": 1.0, "limits": 1.0},
    "float32": {"value": 4.0, "gradient": 4.0, "second": 1e-5, "limits": 4.0},
    "float64": {"value": 1e-13, "gradient": 1e-13, "limits": 1e-13},
}
# What an activation may have of its own in their place, besides the reason `graph`.
_BOUNDS = ("value", "gradient", "float64_value", "float64_gradient")
OWN = (*_BOUNDS, "value_scale", "gradient_scale", "second_scale", "domain")

_error = operator.attrgetter("error")
_COMPARED = ("value", "gradient")
_MEASURED = """\
For every element-wise activation, at its default parameters and at those that its page samples,
the largest error of the value, of the gradient for an upstream gradient of 1, and of the second
derivative. The truth is the registered formula in Arb's ball arithmetic, whose results contain the
exact number with proven bounds, at whatever precision that takes, then rounded to float64. The
inputs are all there are in 16 bit, else a sample of every exponent, of the range where activations
bend, and of the neighbourhood of powers of two, kinks and zeros.

An error is |result − truth| in units in the last place (ulp): the spacing of the dtype around the
truth, not below that of its smallest normal numbers. A correctly rounded result is within 0.5. The
errors of float64 and of second derivatives are relative, those of second derivatives below 0.01
relative to 0.01. Where every digit is lost the error is 1 relative, which is up to 2e+07 ulp in
float32, 2e+03 in float16 and 256 in bfloat16.

- The modes are eager, graph (`tf.function`) and XLA (`jit_compile=True`). The first two are
  measured on large tensors and on small ones, which they compute in another way. A table shows one
  figure, or where the modes differ eager / graph / XLA.
- Keras, the naive formula and PyTorch are at default parameters, in eager mode; a table shows
  their value, gradient. They are held to the same goals. Where they round parameters to the dtype
  of x, their errors show it.
- `NaN` stands for NaN where the truth is a number, `inf` for infinity where it is finite or the
  reverse. At ±infinity the truth is the limit, if there is one; at NaN the value has to be NaN.
- TensorFlow takes subnormal numbers for zero. For a subnormal input the truth at zero is right too;
  a result may be 0 where the truth is below the smallest normal number times 1 + 2⁻¹⁸. Not in
  float16, which is computed in float32.
- At a kink every slope between the one-sided ones is right, and there is no second derivative.
- Parameters are exact as float32 numbers, in float64 as float64 numbers."""
_GOALS = """\
How many activations meet each goal at all inputs, parameters and modes, or the bound of their own
(see below); and where the others are farthest off."""
_SUMMARY = """\
Of each activation the larger of the errors of value and gradient: the median and the largest of
these, and how many activations are within the goals. Left out are the values in graph mode of the
activations below that are not held to the goals."""
_FREE = """\
What graph mode computes for these is another form, for the reason given. Worst error of the value
in graph mode / Keras's, in eager mode:"""
_OWN = """\
- Bounds take the place of a goal. In float32 they are in ulp, in float64 relative.
- Scales: below this size of the truth an error counts as if the truth had this size, in every
  dtype. For what crosses zero inside its curve, where a difference of larger terms cancels.
- The domain is the largest |x| that is compared."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Finding:
    """The largest error of one quantity, for one activation in one dtype.

    Attributes:
        name: Name of the activation.
        parameters: Those that are not at their defaults.
        dtype: Name of the dtype.
        source: The mode, or the peer.
        quantity: Value, gradient, second derivative, or limits: value and gradient at infinities.
        of: Which of `QUANTITIES` the error is of.
        error: In units in the last place, or relative.
        x: Where it occurs.
        got: What was computed there.
        truth: What is exact there.
        points: Number of inputs.
    """

    name: str
    parameters: Mapping[str, Any]
    dtype: str
    source: str
    quantity: str
    of: str
    error: float
    x: float
    got: float
    truth: float
    points: int

    @property
    def goal(self) -> float:
        """The largest error that is allowed; infinity where there is no goal."""
        own = self.quantity if self.dtype == "float32" else f"{self.dtype}_{self.quantity}"
        bound = GOALS[self.dtype].get(self.quantity, math.inf)
        return float(info(self.name).accuracy.get(own, bound))

    @property
    def held(self) -> bool:
        """Whether it is of a mode that is held to the goals."""
        free = self.quantity in ("value", "limits") and "graph" in info(self.name).accuracy
        return self.source in MODES and not (free and self.source == "graph")


# The worst of each dtype, activation, source and quantity.
Index = dict[tuple[str, str, str, str], Finding]


def worst(found: Iterable[Finding]) -> Index:
    """The worst of each dtype, activation, mode or peer, and quantity.

    Args:
        found: Findings.

    Returns:
        Dictionary of findings by these.
    """
    index: Index = {}
    for finding in found:
        key = (finding.dtype, finding.name, finding.source, finding.quantity)
        index[key] = max(index.get(key, finding), finding, key=_error)
    return index


def page(index: Index, facts: Mapping[str, Any]) -> str:
    """The whole page.

    Args:
        index: What was found.
        facts: Where it comes from.

    Returns:
        Markdown.
    """
    skipped = ", ".join(f"`{i.name}`" for i in catalogue() if not i.elementwise)
    sections = [
        ("What is measured", f"{_MEASURED}\n\nNot element-wise, and not measured: {skipped}.", ""),
        ("Goals", _GOALS, "\n".join(f"- {line}" for line in verdicts(index))),
        ("Summary", _SUMMARY, summary(index)),
        *((dtype, _inputs(index, dtype), _errors(index, dtype)) for dtype in _dtypes(index)),
        ("Values in graph mode that are not held to the goals", _FREE, _graph(index)),
        ("Bounds and scales of their own", _OWN, _own_goals()),
        ("Setting", "", "\n".join(f"- {key}: {fact}" for key, fact in facts.items() if fact)),
    ]
    parts = ["# Accuracy, measured"]
    for title, introduction, body in sections:
        parts += [f"## {title}", introduction, body]
    return "\n\n".join(part for part in parts if part) + "\n"


def summary(index: Index) -> str:
    """How far value and gradient are from the truth, in each dtype.

    Args:
        index: What was found.

    Returns:
        A Markdown table.
    """
    sources = {"ours": "ours", **PEERS}
    rows = ([dtype, *(_summarised(index, dtype, s) for s in sources)] for dtype in _dtypes(index))
    return as_markdown(["dtype", *sources.values()], rows)


def verdicts(index: Index) -> list[str]:
    """Of each goal, how many activations meet it, and where the others are farthest from it.

    Args:
        index: What was found.

    Returns:
        One line for each goal.
    """
    lines = []
    for dtype in _dtypes(index):
        for quantity, bound in GOALS[dtype].items():
            found = _found(index, dtype, "ours", quantity)
            missed = [finding for finding in found if finding.error > finding.goal]
            unit = "" if dtype == "float64" or quantity == "second" else " ulp"
            title = "second derivative" if quantity == "second" else quantity
            met = f"met by {len(found) - len(missed)} of {len(found)}"
            line = f"{dtype} {title}, at most {bound:g}{unit}: {met}"
            lines.append("; ".join([line, *map(in_words, missed)]))
    return lines


def _summarised(index: Index, dtype: str, source: str) -> str:
    largest: dict[str, Finding] = {}
    beyond = set()
    for finding in (f for quantity in _COMPARED for f in _found(index, dtype, source, quantity)):
        largest[finding.name] = max(largest.get(finding.name, finding), finding, key=_error)
        beyond |= {finding.name} if finding.error > finding.goal else set()
    if not largest:
        return "–"
    ranked = [_figure(finding) for finding in sorted(largest.values(), key=_error)]
    met = f"{len(largest) - len(beyond)} of {len(largest)}"
    return f"median {ranked[len(ranked) // 2]}, worst {ranked[-1]}; {met}"


def _errors(index: Index, dtype: str) -> str:
    """The errors in one dtype, one row for each activation."""
    rows = []
    for name in sorted({key[1] for key in index if key[0] == dtype}):
        ours = (_cell(index, dtype, name, MODES, quantity) for quantity in QUANTITIES)
        theirs = (
            ", ".join(_cell(index, dtype, name, [peer], quantity) for quantity in _COMPARED)
            for peer in PEERS
        )
        cells = [*ours, _limits(index, dtype, name), _place(index, dtype, name), *theirs]
        rows.append([f"`{name}`", *("–" if cell == "–, –" else cell for cell in cells)])
    header = ["activation", "value", "gradient", "second derivative", "limits", "worst input"]
    return as_markdown([*header, *PEERS.values()], rows)


def _inputs(index: Index, dtype: str) -> str:
    counts = [finding.points for finding in index.values() if finding.dtype == dtype]
    points = " to ".join(f"{n:,}" for n in dict.fromkeys([min(counts), max(counts)]))
    return f"At {points} inputs for each set of parameters."


def _cell(index: Index, dtype: str, name: str, sources: Iterable[str], quantity: str) -> str:
    """One figure, or one for each mode where they differ."""
    found = (index.get((dtype, name, source, quantity)) for source in sources)
    figures = [_figure(f) for f in found if f]
    return (figures[0] if len(set(figures)) == 1 else " / ".join(figures)) or "–"


def _limits(index: Index, dtype: str, name: str) -> str:
    found = (index.get((dtype, name, mode, "limits")) for mode in MODES)
    wrong = (f"{f.source}: {f.of} at {f.x:g} {_figure(f)}" for f in found if f and f.error > f.goal)
    return ", ".join(wrong) or "right"


def _place(index: Index, dtype: str, name: str) -> str:
    found = (f for q in _COMPARED for f in _found(index, dtype, "ours", q) if f.name == name)
    largest = max(found, key=_error, default=None)
    if largest is None or largest.error == 0.0:
        return "–"
    return f"{largest.x:.9g} ({', '.join([largest.of, largest.source, *_given(largest)])})"


def _graph(index: Index) -> str:
    """The values in graph mode that are not held to the goals, beside Keras's."""
    dtypes, names = _dtypes(index), {key[1] for key in index if key[2] == "graph"}
    rows = []
    for activation in catalogue():
        if "graph" in activation.accuracy and activation.name in names:
            name, reason = activation.name, activation.accuracy["graph"]
            sources = (["graph"], ["keras"])
            cells = ([_cell(index, d, name, s, "value") for s in sources] for d in dtypes)
            rows.append([f"`{name}`", *map(" / ".join, cells), reason])
    return as_markdown(["activation", *dtypes, "why"], rows)


def _own_goals() -> str:
    rows = (
        [f"`{a.name}`", *(f"{a.accuracy[key]:g}" if key in a.accuracy else "–" for key in OWN)]
        for a in catalogue()
        if a.accuracy.keys() & set(OWN)
    )
    return as_markdown(["activation", *(key.replace("_", " ") for key in OWN)], rows)


def _found(index: Index, dtype: str, source: str, quantity: str) -> list[Finding]:
    """The worst of each activation, sorted by name; ours is that of the modes held to the goals."""
    found: dict[str, Finding] = {}
    for finding in index.values():
        chosen = finding.held if source == "ours" else finding.source == source
        if chosen and (finding.dtype, finding.quantity) == (dtype, quantity):
            found[finding.name] = max(found.get(finding.name, finding), finding, key=_error)
    return [found[name] for name in sorted(found)]


def _figure(finding: Finding) -> str:
    error = finding.error
    if math.isinf(error):
        return "NaN" if math.isnan(finding.got) else "inf"
    if error == 0.0:
        return "0"
    if finding.dtype == "float64" or finding.of == "second":
        return f"{error:.1e}"
    return f"{error:.2f}" if error < 1000.0 else f"{error:.0e}"


def in_words(finding: Finding) -> str:
    """What was found, as a reader wants it.

    Args:
        finding: The error at one input.

    Returns:
        Text, in Markdown.
    """
    where = ", ".join([finding.source, finding.of, *_given(finding)])
    numbers = f"{finding.x!r} gives {finding.got!r}, not {finding.truth!r}"
    return f"`{finding.name}` {_figure(finding)} ({where}: {numbers})"


def _given(finding: Finding) -> list[str]:
    return [f"{name}={value}" for name, value in finding.parameters.items()]


def _dtypes(index: Index) -> list[str]:
    used = {key[0] for key in index}
    return [dtype for dtype in DTYPES if dtype in used]
