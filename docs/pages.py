"""What MkDocs asks for when it builds the site: a page for each activation, from the registry."""

import contextlib
import functools
import inspect
import io
import json
import logging
import pathlib

import formulas
import keras
import latex2mathml.converter
import links
import matplotlib
import numpy as np
import tensorflow as tf
from matplotlib import pyplot
from mkdocs.structure.files import File

import keras_activations as ka
from keras_activations import plotting
from keras_activations._layers import GatedLayer
from keras_activations._registry import FAMILIES
from keras_activations._runs import as_markdown
from keras_activations.commands import gain
from keras_activations.commands.list import range_as_text

DOCS = pathlib.Path(__file__).parent
# Read on light and dark ground alike; text stays text, which keeps files small.
INK = "#7f8490"
STYLE = {
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "axes.prop_cycle": matplotlib.cycler(color=["#1f8fd6", "#e0701a", "#12a878", "#c76aa0"]),
    "svg.fonttype": "none",
    "svg.hashsalt": "keras_activations",
    "font.size": 11,
    **dict.fromkeys(("text.color", "axes.edgecolor", "axes.labelcolor"), INK),
    **dict.fromkeys(("xtick.color", "ytick.color"), INK),
}
# Where there is no curve of one input, the others stay at these.
OTHERS = (1.0, 0.0, -1.0)
NO_CURVE = f"Each output for the inputs (x, {', '.join(f'{v:g}' for v in OTHERS)}), and its slope."


def on_config(config):
    """Writes the navigation, which lists what the registry has."""
    config.nav = [
        {"Overview": "index.md"},
        {"Choosing": "choosing.md"},
        {"Explore": "explore.md"},
        {"Old models": "migrating.md"},
        {"Properties": "properties.md"},
        {
            "Activations": [
                {family: [{i.name: _address(i)} for i in members]}
                for family, members in _families().items()
            ]
        },
        {"Tools": "tools.md"},
        {"Accuracy": "accuracy.md"},
        {"Performance": "performance.md"},
        {"Versions": "versions.md"},
        {"Exported models": "exports.md"},
    ]
    return config


def _families():
    """The activations of each family that has some."""
    found = {family: [i for i in ka.catalogue() if i.family == family] for family in FAMILIES}
    return {family: members for family, members in found.items() if members}


def _address(info):
    return f"activations/{info.name}.md"


def on_files(files, config):
    """Adds the pages, pictures and scripts that are made of the registry."""

    def add(path, content):
        files.append(File.generated(config, path, content=content))

    matplotlib.use("Agg")
    add("index.md", overview())
    add("properties.md", table())
    add("tools.md", tools())
    add("assets/formulas.js", script())
    for info in ka.catalogue():
        add(_address(info), page(info))
        with pyplot.rc_context(STYLE):
            for name, picture in zip(("value", "derivative"), pictures(info), strict=True):
                add(f"activations/{info.name}-{name}.svg", picture)
    return files


def on_post_build(config):
    """Warns of what a page points to and is not there; `mkdocs build --strict` fails then."""
    for problem in links.broken(pathlib.Path(config.site_dir)):
        logging.getLogger("mkdocs.links").warning(problem)


def overview():
    """The first page: every activation, with a small curve, by family."""
    lines = [
        "# Activation functions for Keras 3",
        "",
        f"{len(ka.catalogue())} activations, each as a function with a gradient of its own, a "
        "layer that saves and loads, and a string that every Keras layer takes. "
        "[Explore](explore.md) compares them with parameters to drag; "
        "[Properties](properties.md) has them in one table.",
        "",
    ]
    for family, members in _families().items():
        cards = "".join(
            f'<a href="activations/{i.name}.html">{_thumbnail(i)}{i.name}</a>' for i in members
        )
        lines += [f"## {family.capitalize()}", "", f'<div class="cards">{cards}</div>', ""]
    return "\n".join(lines)


def _thumbnail(info):
    """A curve on [-4, 4], as small as it can be."""
    x = np.linspace(-4.0, 4.0, 81)
    outputs, _ = _outputs(info, x)
    low, high = np.clip([outputs.min() - 0.2, outputs.max() + 0.2], -3.0, 4.0)
    y = np.clip(outputs, low - 1.0, high + 1.0)
    xs, ys = 10.0 * (x + 4.0), 50.0 * (high - y) / (high - low)
    curves = "".join(
        f'<path d="M{" ".join(f"{a:.0f},{b:.1f}" for a, b in zip(xs, row, strict=True))}"/>'
        for row in ys
    )
    zero = 50.0 * high / (high - low)
    axes = f'<path class="axes" d="M0,{zero:.1f}H80M40,0V50"/>'
    return f'<svg viewBox="0 0 80 50" aria-hidden="true">{axes}{curves}</svg>'


def _outputs(info, x):
    """Each output for each x, and its slope: arrays of shape (outputs, points)."""
    inputs = tf.constant(x)
    others = () if info.elementwise else OTHERS
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(inputs)
        channels = [inputs, *(tf.fill(x.shape, tf.constant(v, x.dtype)) for v in others)]
        if issubclass(info.layer, GatedLayer):
            channels = [tf.ones_like(inputs), inputs]
        outputs = tf.unstack(info.function(tf.stack(channels, -1), **info.required), axis=-1)
    zero = tf.UnconnectedGradients.ZERO
    slopes = [tape.gradient(y, inputs, unconnected_gradients=zero) for y in outputs]
    return np.stack(outputs), np.stack(slopes)


def pictures(info):
    """Value and derivative as SVG: as `ka.plot` draws them, if it can."""
    drawn = [pyplot.subplots(figsize=(4.4, 3.0), layout="constrained") for _ in range(2)]
    axes = [ax for _, ax in drawn]
    if plotting.has_curve(info):
        ka.plot(info.name, axes=axes)
        axes[0].get_legend().remove()
    else:
        x = np.linspace(-6.0, 6.0, 601)
        for ax, title, rows in zip(axes, ("values", "slopes"), _outputs(info, x), strict=True):
            ax.plot(x, rows.T, label=[f"output {i}" for i in range(len(rows))])
            ax.set_title(title)
            ax.set_xlabel("x")
            ax.spines[["top", "right"]].set_visible(False)
        axes[0].legend(frameon=False)
    for figure, _ in drawn:
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None})
        pyplot.close(figure)
        yield buffer.getvalue()


def page(info):
    """The page of one activation."""
    name, module = info.name, info.function.__module__
    images = "".join(
        f'<img src="{name}-{kind}.svg" alt="{kind} of {name}">' for kind in ("value", "derivative")
    )
    parts = [
        f"# {name}",
        f'<div class="curves">{images}</div>',
        "" if plotting.has_curve(info) else NO_CURVE,
        *_formula(info),
        f"[Explore it](../explore.md?names={name})" if info.elementwise else "",
        "## When to choose it",
        f"```python\nka.{name}{inspect.signature(info.function)}\n```",
        f"::: {module}.{name}\n    options:\n      show_root_heading: false\n"
        "      show_root_toc_entry: false",
        "## Properties",
        _properties_in_words(info),
        "## In a model",
        f"```python\n{usage(info)}\n```",
        "## Elsewhere",
        _elsewhere(info),
        f"::: {module}.{info.layer.__name__}",
    ]
    return "\n\n".join(filter(None, parts))


def _formula(info):
    if not plotting.has_curve(info):
        yield "Of the inputs x along the axis, n of them, are made the outputs:"
    yield from _typeset(info.formula)
    if info.backward:
        yield "The backward pass deliberately has another slope than this value's:"
        yield from _typeset(info.backward)


def _typeset(formula):
    # Not everything has a common notation.
    with contextlib.suppress(ValueError):
        yield latex2mathml.converter.convert(formulas.latex(formula), display="block")
    yield f"```python\n{formula}\n```"


@functools.cache
def measured(info):
    """What is measured of an activation, in words, by the name of the property."""
    given = info.required
    rows = {"Range": range_as_text(info.range)}
    if info.elementwise:
        found = ka.properties(info.name)
        rows = {
            "Range": range_as_text(found.range),
            "Zeros": _listed(found.zeros),
            "Lipschitz constant": f"{found.lipschitz:.4g}".replace("inf", "∞"),
            "Dead zone": _listed(found.dead_zone) or "none",
            "Saturation": _listed(found.saturation) or "none",
            "Never decreases": "yes" if found.monotonic else "no",
            "Symmetry": found.symmetry or "none",
        }
    rows["Gain, forward"], rows["Gain, backward"] = gain.gains_as_text(info.name, 4, **given)
    return {name: text or "—" for name, text in rows.items()}


def _listed(intervals, most=5):
    """Points and intervals, those nearest to 0 if there are many."""
    nearest = sorted(intervals, key=lambda ends: (min(map(abs, ends)), ends))[:most]
    # In words, because whether an interval has its ends is not measured.
    texts = [f"{a:.4g}" if a == b else f"{a:.4g} to {b:.4g}" for a, b in sorted(nearest)]
    more = f" and {len(intervals) - most} more in [-128, 128]" if len(intervals) > most else ""
    return ", ".join(texts).replace("inf", "∞") + more


def _properties_in_words(info):
    table = as_markdown(["property", "at default parameters"], measured(info).items())
    how = (
        "Measured in float64 at default parameters by [`ka.properties`](../tools.md) and "
        "[`ka.gain`](../tools.md). In the dead zone the slope is 0; where it saturates, the slope "
        "is below 0.01 out to infinity."
        if info.elementwise
        else "The range is as its page claims it, and tested; the gains are computed by "
        "[`ka.gain`](../tools.md)"
        + "".join(f", with {name} = {value}" for name, value in info.required.items())
        + "."
    )
    return f"{table}\n\n{how}"


def usage(info):
    """Code that uses it as a string, a function and a layer, where each can be."""
    arguments = "".join(f", {name}={value}" for name, value in info.required.items())
    layer = f"ka.{info.layer.__name__}({arguments[2:]})"
    string = f'keras.layers.Dense(8, activation="{info.name}")  # a string'
    lines = [
        "import keras",
        "import keras_activations as ka",
        "",
        *([string] if info.keeps_shape else []),
        f"ka.{info.name}(keras.random.normal((2, 8)){arguments})  # a function",
        f"keras.Sequential([keras.layers.Dense(8), {layer}])  # a layer",
    ]
    return "\n".join(lines)


def _elsewhere(info):
    theirs = getattr(keras.activations, info.name, None)
    layers = [info.layer.__name__] if hasattr(keras.layers, info.layer.__name__) else []
    rows = {
        "Keras": [
            *([f"keras.activations.{info.name}"] if theirs else []),
            *filter(None, [info.keras]),
            *(f"keras.layers.{layer}" for layer in layers),
        ],
        "PyTorch": list(filter(None, [info.torch])),
        "TensorFlow Addons": [
            f"tfa.{'activations' if name.islower() else 'layers'}.{name}" for name in info.addons
        ],
        "Keras 2": list(info.keras2),
        "Other strings for it here": [f'"{alias}"' for alias in info.aliases],
    }
    cells = [
        [name, ", ".join(f"`{text}`" for text in texts) or "—"]
        for name, texts in rows.items()
        if texts or name in ("Keras", "PyTorch")
    ]
    paper = f"[{info.paper}]({info.url})" if info.paper else "—"
    return as_markdown(["in", "as"], [*cells, ["Source", paper]])


def table():
    """All properties of all activations, in one table."""
    columns = [
        "Range",
        "Lipschitz constant",
        "Dead zone",
        "Saturation",
        "Gain, forward",
        "Gain, backward",
    ]
    lines = [
        # Every name is on it: a search would always find it.
        "---\nsearch: {exclude: true}\n---",
        "# Properties",
        "",
        "At default parameters. Each page has more, and says how it is measured.",
        "",
    ]
    rows = (
        [f"[{i.name}]({_address(i)})", *(measured(i).get(c, "") for c in columns)]
        for i in ka.catalogue()
    )
    return "\n".join([*lines, as_markdown(["", *columns], rows)])


def tools():
    """The public functions that are no activations."""
    objects = [getattr(ka, name) for name in ka.__all__]
    own = [o for o in objects if not o.__module__.startswith("keras_activations.activations.")]
    return "\n\n".join(["# Tools", *(f"::: {o.__module__}.{o.__name__}" for o in own)])


def script():
    """The element-wise formulas as JavaScript, with their parameters, for the page to explore."""
    entries = []
    for info in ka.catalogue():
        if not info.elementwise:
            continue
        value = formulas.javascript(info.formula)
        slope = formulas.javascript(info.backward) if info.backward else None
        backward = f"(x, p) => {slope}" if slope else "null"
        about = json.dumps(
            {"family": info.family, "defaults": _defaults(info), "sliders": sliders(info)}
        )
        entries.append(
            f"  {info.name}: {{...{about}, value: (x, p) => {value}, backward: {backward}}},"
        )
    listed = "\n".join(entries)
    return f"const ACTIVATIONS = {{\n{listed}\n}};\n"


def _defaults(info):
    """The parameters that the formula has."""
    symbols = info.symbols
    return {name: value for name, value in info.parameters.items() if name in symbols}


def sliders(info):
    """For each number among the parameters: name, index, and the range that the layer takes."""
    found = []
    for name, value in _defaults(info).items():
        several = isinstance(value, tuple)
        for index, number in enumerate(value if several else [value]):
            if not isinstance(number, float):
                continue
            reach = max(2.0, abs(number))
            choices = np.round(np.linspace(number - reach, number + reach, 81), 6)
            taken = [v for v in choices if several or _takes(info, {name: float(v)})]
            found.append(
                {
                    "name": name,
                    "index": index if several else None,
                    "low": float(min(taken)),
                    "high": float(max(taken)),
                }
            )
    return found


def _takes(info, given):
    try:
        info.layer(**given)
    except ValueError:
        return False
    return True
