"""The same model with different activations, trained and compared."""

import contextlib
import dataclasses
import functools
import hashlib
import io
import json
import math
import pathlib
import re
import time
from collections.abc import Callable, Collection, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_activations import plotting
from keras_activations._axes import positive
from keras_activations._layers import number
from keras_activations._runs import Row, as_csv, begun, keep, progress, undone, write
from keras_activations.surgery import CHANNELS, channels

Array = np.ndarray[Any, Any]
Data = tuple[Any, Any]
BuildFunction = Callable[[Any], keras.Model]

_CONFIDENCE = 0.95
# Ends of names of metrics of which less is better, where Keras has no loss of the same name.
_COSTS = ("loss", "error", "logcosh", "false_negatives", "false_positives")


def compare(
    activations: Sequence[Any],
    train: Data,
    validation: Data,
    *,
    build_fn: BuildFunction | None = None,
    seeds: int = 3,
    epochs: int = 5,
    batch_size: int = 128,
    metric: str = "accuracy",
    target: float | None = None,
    folder: str | pathlib.Path | None = None,
) -> "Comparison":
    """Trains the same model with each activation, from several seeds, and compares the results.

    For each seed, all activations start from the same weights and see the same batches in the same
    order, so that they are compared pair by pair: differences are from the first activation, with
    the half-width of a 95 % confidence interval by Student's t. The rows of the table stay in the
    order given: what lies within the noise has no rank. The seeds of Python, NumPy and TensorFlow
    are set, and stay set.

    Args:
        activations: What `activation=` takes: names, with parameters if you like, or functions.
            The first is what the others are compared with.
        train: Inputs and targets to train on, as arrays.
        validation: Inputs and targets to measure on, after each epoch.
        build_fn: Function of an activation that returns a new model. One that is not compiled is
            compiled with Adam, sparse categorical cross-entropy and accuracy. By default LeNet-5
            for images of at least 20 × 20, with as many outputs as there are classes.
        seeds: How many times each is trained.
        epochs: Passes over the training data.
        batch_size: Examples in a step.
        metric: The validation metric that is compared. Less is better for names that end in
            `"loss"`, `"error"`, `"logcosh"`, `"false_negatives"` or `"false_positives"`, and for
            metrics of Keras that are losses, such as `"mae"`.
        target: Value of the metric; the table says in which epoch it was first reached.
        folder: Where each run is kept as soon as it is done, with the table as text and CSV, and
            learning curves as CSV and PNG. If the folder is there from an earlier call that was
            interrupted, its runs are not repeated; nor if more activations, or seeds, are asked
            for. Those of other data, epochs, batches, optimizers or losses, or of a model of other
            layers, or layers with other arguments, are not taken for the same.
            The run that was under way goes on after its last whole epoch, and its history is the
            one that it would have had: to the last bit on a CPU, where training runs in graphs and
            what is random in it comes from Keras's seed generators, as dropout does, and not from
            `tf.random`, or from `keras.random` without a seed.

    Returns:
        A `Comparison`; `print` shows its table.

    Raises:
        TypeError: If `activations` is a single name, or if `build_fn` returns no model.
        ValueError: If there is no such activation or metric, too little data, targets that do not
            suit the loss, if the activation cannot stand in LeNet-5, or if the folder holds runs of
            another machine or of other versions.

    Example:

    >>> import keras
    >>> import numpy as np
    >>> import keras_activations as ka
    >>> x = np.random.default_rng(0).normal(size=(64, 4))
    >>> y = (x[:, 0] > 0).astype("int32")
    >>> def build(activation):
    ...     return keras.Sequential(
    ...         [keras.layers.Dense(8, activation), keras.layers.Dense(2, "softmax")]
    ...     )
    >>> found = ka.compare(
    ...     ["relu", "mish"], (x, y), (x, y), build_fn=build, seeds=2, epochs=1
    ... )
    >>> [row["activation"] for row in found.summary]
    ['relu', 'mish']
    """
    if isinstance(activations, str):
        raise TypeError(f"Expected a list of activations. Received: {activations!r}")
    labels: dict[str, Any] = {}
    for activation in activations:
        label = _label(activation)
        other = labels.setdefault(label, activation)
        if other != activation and not _is_same(other, activation):
            raise ValueError(
                f"Two different activations are called {label!r}. Give a function of yours another "
                f"name, or write one of this package as 'keras_activations>name'."
            )
    if not labels:
        raise ValueError("Expected at least one activation.")
    train, validation = _arrays("train", train), _arrays("validation", validation)
    seeds, epochs = positive("seeds", seeds), positive("epochs", epochs)
    batch_size = positive("batch_size", batch_size)
    target = None if target is None else number("target", target)
    build = build_fn or _lenet5(train, validation)
    folder = None if folder is None else pathlib.Path(folder)
    settings = {
        "kind": "training",
        "epochs": epochs,
        "batch_size": batch_size,
        "data": _fingerprint(*train, *validation),
    }
    # Each is built before the first is trained, so that what cannot be built, or measured, fails at
    # once.
    models: dict[str, str] = {}
    for label, activation in labels.items():
        # Some layers draw a seed of their own, and have it in their config.
        keras.utils.set_random_seed(0)
        try:
            model = _model(build, activation, train, validation)
        except Exception as error:
            error.add_note(f"This was raised while the model with {label!r} was made.")
            raise
        if not models:
            x, y = validation
            _check(metric, model.evaluate(x[:1], y[:1], verbose=0, return_dict=True))
        models[label] = _described(model)
    # All activations from one seed, then from the next: an interrupt leaves whole comparisons, and
    # a machine that slows down slows all of them down.
    jobs = [
        {**settings, "activation": label, "model": models[label], "seed": seed}
        for seed in range(seeds)
        for label in labels
    ]
    rows = begun(folder and folder / "runs.jsonl")
    missing = undone(jobs, rows)
    unfinished = folder and folder / "unfinished.npz"
    with progress(len(missing)) as announce:
        for job in missing:
            announce(f"{job['activation']}, seed {job['seed']}")
            keras.utils.set_random_seed(job["seed"])
            model = _model(build, labels[job["activation"]], train, validation)
            result = _trained(model, train, validation, job, unfinished)
            rows.append({"job": job, "result": result})
            keep(rows[-1], folder and folder / "runs.jsonl")
    if unfinished is not None:
        for path in unfinished.parent.glob(f"*{unfinished.name}*"):
            path.unlink()
    results = [next(row for row in rows if row["job"] == job) for job in jobs]
    runs = [
        {"activation": r["job"]["activation"], "seed": r["job"]["seed"], **r["result"]}
        for r in results
    ]
    found = Comparison(metric, runs, target)
    if folder is not None:
        found.save(folder)
    return found


@dataclasses.dataclass(frozen=True)
class Comparison:
    """What came out of `compare`.

    Attributes:
        metric: Name of the metric that was compared.
        runs: For each activation and seed a dictionary: `"activation"`, `"seed"`, `"history"` as
            from `fit`, and `"step"`, the duration of a training step in seconds: the median over
            the epochs but for the first, in which the graph is made.
        target: Value of the metric that was to be reached, or None.
    """

    metric: str
    runs: list[dict[str, Any]]
    target: float | None = None

    @property
    def summary(self) -> list[dict[str, Any]]:
        """A dictionary for each activation.

        The metric after the last epoch, as `"mean"` and `"deviation"`; its `"difference"` from the
        first activation, with the half-width of the 95 % confidence interval, `"uncertainty"`;
        `"time"`, the median ratio of the durations of a step to the first activation's; `"epochs"`
        to the target, the mean of those that reached it; `"reached"` and `"diverged"`, how many
        runs did.
        """
        labels = list(dict.fromkeys(run["activation"] for run in self.runs))
        return [self._summary(label, labels[0]) for label in labels]

    def _summary(self, label: str, first: str) -> dict[str, Any]:
        own, theirs = self._of(label), self._of(first)
        scores = np.array([self._curve(run)[-1] for run in own])
        differences = scores - np.array([self._curve(run)[-1] for run in theirs])
        differences = differences[np.isfinite(differences)]
        finite = scores[np.isfinite(scores)]
        epochs = [epoch for run in own if (epoch := self._reached(run)) is not None]
        ratios = [run["step"] / other["step"] for run, other in zip(own, theirs, strict=True)]
        return {
            "activation": label,
            "seeds": len(own),
            "mean": float(np.mean(finite)) if len(finite) else math.nan,
            "deviation": float(np.std(finite, ddof=1)) if len(finite) > 1 else math.nan,
            "difference": float(np.mean(differences)) if len(differences) else math.nan,
            "uncertainty": _half_width(differences),
            "time": float(np.median(ratios)),
            "epochs": float(np.mean(epochs)) if epochs else math.nan,
            "reached": len(epochs),
            "diverged": len(scores) - len(finite),
        }

    def __str__(self) -> str:
        header = ["activation", self.metric, "difference", "", "step time"]
        lines = [[*header, f"epochs to {self.target:g}"] if self.target is not None else header]
        for n, row in enumerate(self.summary):
            line = [row["activation"], _plus_minus(row["mean"], row["deviation"])]
            line += (
                ["", "compared with"]
                if n == 0
                else [
                    _plus_minus(row["difference"], row["uncertainty"], "+"),
                    self._verdict(row),
                ]
            )
            line += [f"{row['time']:.2f} ×"]
            if self.target is not None:
                never = "never" if not row["reached"] else f"{row['epochs']:.1f}"
                line += [f"{never} ({row['reached']} of {row['seeds']})"]
            lines.append(line)
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        return "\n".join(
            "  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip()
            for line in lines
        )

    def _verdict(self, row: dict[str, Any]) -> str:
        if row["diverged"]:
            return f"diverged in {row['diverged']} of {row['seeds']}"
        if math.isnan(row["uncertainty"]):
            return "one seed tells nothing"
        if abs(row["difference"]) <= row["uncertainty"]:
            return "within the noise"
        return "better" if (row["difference"] > 0.0) != self._less_is_better else "worse"

    def save(self, folder: str | pathlib.Path) -> None:
        """Writes `table.txt`, `summary.csv`, `curves.csv` and, with matplotlib, `curves.png`.

        Args:
            folder: Where to; made if need be.
        """
        folder = pathlib.Path(folder)
        write(folder / "table.txt", f"{self}\n")
        write(folder / "summary.csv", as_csv(self.summary, list(self.summary[0])))
        curves = [
            {"activation": run["activation"], "seed": run["seed"], "epoch": epoch + 1}
            | {name: values[epoch] for name, values in run["history"].items()}
            for run in self.runs
            for epoch in range(len(run["history"]["loss"]))
        ]
        columns = dict.fromkeys(name for row in curves for name in row)
        write(folder / "curves.csv", as_csv(curves, list(columns)))
        with contextlib.suppress(ImportError):
            plotting.save(self.plot()[0].figure, folder / "curves.png")

    def plot(self, axes: Any = None) -> list[Any]:
        """Draws the learning curves: the mean over the seeds, and a band from least to largest.

        Args:
            axes: Two matplotlib axes, for the training loss and the validation metric; None for a
                new figure.

        Returns:
            List of the axes.

        Raises:
            ImportError: If matplotlib is not installed.
            ValueError: If there are not two axes.
        """
        panels = plotting.panels(axes, 2)
        for ax, name in zip(panels, ("loss", f"val_{self.metric}"), strict=True):
            for place, label in enumerate(dict.fromkeys(run["activation"] for run in self.runs)):
                style = plotting.style(place)
                curves = [run["history"][name] for run in self._of(label)]
                length = min(map(len, curves))  # A run that diverged is shorter.
                values = np.array([curve[:length] for curve in curves])
                epochs = np.arange(1, length + 1)
                ax.plot(epochs, values.mean(0), label=label, **style)
                ax.fill_between(
                    epochs, values.min(0), values.max(0), color=style["color"], alpha=0.15
                )
            ax.set_title(f"validation {self.metric}" if name != "loss" else "training loss")
            ax.set_xlabel("epoch")
            ax.xaxis.get_major_locator().set_params(integer=True)
            ax.spines[["top", "right"]].set_visible(False)
        panels[1].legend(frameon=False)
        return panels

    @property
    def _less_is_better(self) -> bool:
        if self.metric.endswith(_COSTS):
            return True
        with contextlib.suppress(TypeError, ValueError):
            keras.metrics.get(self.metric), keras.losses.get(self.metric)
            # The one name that a loss and a metric have with opposite signs.
            return self.metric != "cosine_similarity"
        return False

    def _of(self, label: str) -> list[dict[str, Any]]:
        return [run for run in self.runs if run["activation"] == label]

    def _curve(self, run: dict[str, Any]) -> list[float]:
        """The metric after each epoch; NaN where a loss is not finite, also for an accuracy."""
        losses, own = run["history"]["loss"], run["history"]["val_loss"]
        curve = run["history"][f"val_{self.metric}"]
        return [
            value if math.isfinite(loss + other) else math.nan
            for value, loss, other in zip(curve, losses, own, strict=True)
        ]

    def _reached(self, run: dict[str, Any]) -> int | None:
        if self.target is None:
            return None
        sign = -1.0 if self._less_is_better else 1.0
        epochs = np.flatnonzero(sign * np.array(self._curve(run)) >= sign * self.target)
        return int(epochs[0]) + 1 if len(epochs) else None


class _Run(keras.callbacks.Callback):
    """What has come of a run: its history, and the time of each epoch without its validation.

    After each epoch this is kept in a file, with all that the next epoch depends on.
    """

    def __init__(self, job: Row, order: Any, path: pathlib.Path | None) -> None:
        super().__init__()
        self.job, self.order, self.path = job, order, path
        self.history: dict[str, list[float]] = {}
        self.times: list[float] = []

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        # By seed and epoch alone: no activation and no interrupt changes the order of the data.
        generator = np.random.default_rng([self.job["seed"], epoch])
        self.order.assign(generator.permutation(self.order.shape[0]))
        self._began = time.perf_counter()

    def on_test_begin(self, logs: Any = None) -> None:
        self.times.append(time.perf_counter() - self._began)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(float(value))
        if self.path is not None and not self.model.stop_training:
            about = {**self._key(self.model), "history": self.history, "times": self.times}
            # As bytes, since NumPy's files do not know every dtype.
            state = [np.ravel(v.numpy()).view(np.uint8) for v in _state(self.model)]
            content = io.BytesIO()
            np.savez(content, *state, about=json.dumps(about))
            write(self.path, content.getvalue())

    def resume(self, model: keras.Model, warm_up: Callable[[], Any]) -> None:
        """Goes on where the file has left the same run, if it has one.

        Args:
            model: The model, as it is before the first step.
            warm_up: Trains it for some steps.
        """
        if self.path is None or not self.path.exists():
            return
        model.optimizer.build(model.trainable_variables)
        with np.load(self.path) as kept:
            about = json.loads(str(kept["about"]))
            state = [kept[f"arr_{n}"] for n in range(len(kept.files) - 1)]
        key = self._key(model)
        if {name: about[name] for name in key} != key:
            return
        # TensorFlow compiles a kernel for a further shape once it comes again, and a compiled one
        # rounds otherwise. In a run without an interrupt every shape has come by now.
        warm_up()
        self.history, self.times = about["history"], about["times"]
        for variable, value in zip(_state(model), state, strict=True):
            like = variable.numpy()
            variable.assign(value.view(like.dtype).reshape(like.shape))

    def _key(self, model: keras.Model) -> dict[str, Any]:
        variables = [f"{v.dtype} {tuple(v.shape)}" for v in _state(model)]
        return {"job": self.job, "variables": variables}


def _state(model: keras.Model) -> list[Any]:
    """All variables of a model and its optimizer, the seeds of its layers included."""
    return [*model.variables, *model.optimizer.variables]


def _trained(
    model: keras.Model, train: Data, validation: Data, job: Row, path: pathlib.Path | None
) -> dict[str, Any]:
    size, count = job["batch_size"], len(train[0])
    steps = math.ceil(count / size)
    with tf.device("CPU"):
        x, y, order = tf.constant(train[0]), tf.constant(train[1]), tf.Variable(np.arange(count))

    def batch(step: Any) -> tuple[Any, Any]:
        rows = order[step * size : (step + 1) * size]
        return tf.gather(x, rows), tf.gather(y, rows)

    batches = tf.data.Dataset.range(steps).map(batch).prefetch(tf.data.AUTOTUNE)
    fit = functools.partial(
        model.fit,
        validation_data=validation,
        validation_batch_size=1024,
        shuffle=False,
        verbose=0,
    )
    run = _Run(job, order, path)
    run.resume(model, lambda: fit(batches.skip(max(0, steps - 2))))
    callbacks = [run, keras.callbacks.TerminateOnNaN()]
    fit(batches, initial_epoch=len(run.times), epochs=job["epochs"], callbacks=callbacks)
    step = float(np.median(run.times[1:] or run.times)) / steps
    return {"history": run.history, "step": step}


def _check(metric: str, names: Collection[str]) -> None:
    if metric not in names:
        raise ValueError(
            f"There is no metric {metric!r} in the model. Pass as `metric=` one of: "
            f"{', '.join(names)}."
        )


def _model(build: BuildFunction, activation: Any, train: Data, validation: Data) -> keras.Model:
    model = build(activation)
    if not isinstance(model, keras.Model):
        raise TypeError(f"`build_fn` must return a Keras model. It returned: {model!r}")
    (x, classes), plain = train, not model.compiled
    if plain:
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    outputs = model(x[:1])
    if plain and tf.is_tensor(outputs):
        each = tuple(outputs.shape[1:-1])
        count = max(_classes(y, each) for y in (classes, validation[1]))
        if count > outputs.shape[-1]:
            raise ValueError(
                f"The model has {outputs.shape[-1]} outputs for {count} classes, 0 to {count - 1}. "
                f"Give it as many, or compile it with another loss."
            )
    return model


def _classes(targets: Array, each: tuple[int, ...] = ()) -> int:
    """How many classes are in targets, which for each example have the numbers of so many."""
    number = targets.dtype.kind in "biuf"
    shaped = targets.shape[1:] in (each, (*each, 1))
    if not (number and shaped and np.all(targets == np.floor(targets)) and np.min(targets) >= 0):
        least = f", the least {np.min(targets)}" if number else ""
        raise ValueError(
            f"Expected the number of a class, from 0, for each example, not one-hot. Received: "
            f"targets of shape={targets.shape}, dtype={targets.dtype}{least}. For other targets "
            f"let the build_fn of `ka.compare` return a model that is compiled with another loss."
        )
    return int(np.max(targets)) + 1


def _lenet5(train: Data, validation: Data) -> BuildFunction:
    x, images = train[0], [x.shape[1:] for x, _ in (train, validation)]
    other = "The build_fn of `ka.compare` makes other models."
    if x.ndim != 4 or min(x.shape[1:3]) < 20 or images[0] != images[1]:
        raise ValueError(
            f"LeNet-5 takes images of at least 20 × 20, with channels, all of one shape. Received: "
            f"images of shape {images[0]} and {images[1]}. {other}"
        )
    count = max(_classes(y) for _, y in (train, validation))
    layers = keras.layers

    def build(activation: Any) -> keras.Model:
        if channels(keras.activations.get(activation)) != CHANNELS:
            raise ValueError(
                f"{_label(activation)} does not keep the number of channels, and so cannot stand "
                f"inside the layers of LeNet-5. {other}"
            )
        model = keras.Sequential(
            [
                keras.Input(x.shape[1:]),
                layers.Rescaling(1.0 / max(1.0, float(np.max(x)))),
                layers.Conv2D(6, 5, padding="same", activation=activation),
                layers.MaxPooling2D(2),
                layers.Conv2D(16, 5, padding="same", activation=activation),
                layers.MaxPooling2D(2),
                layers.Conv2D(120, 5, padding="same", activation=activation),
                layers.Flatten(),
                layers.Dense(84, activation=activation),
                layers.Dense(count),
            ]
        )
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile("adam", loss, metrics=["accuracy"])
        return model

    return build


def _label(activation: Any) -> str:
    """What it is called in the table; raises what Keras raises if there is no such activation."""
    found = keras.activations.get(activation)
    if isinstance(activation, str):
        return activation
    layer = isinstance(found, type | keras.layers.Layer)
    if layer or not hasattr(found, "__name__"):
        raise ValueError(
            f"Expected names, or functions that have one: a layer cannot stand in several models. "
            f"Received: {activation!r}. Write its parameters into the name, as in "
            f"'name(parameter=0.1)'."
        )
    return found.__name__


def _is_same(one: Any, other: Any) -> bool:
    return keras.activations.get(one) is keras.activations.get(other)


def _arrays(name: str, data: Data) -> Data:
    if not isinstance(data, tuple | list) or len(data) != 2 or len(data[0]) != len(data[1]):
        raise ValueError(f"`{name}` must be a pair of inputs and as many targets.")
    if len(data[0]) == 0:
        raise ValueError(f"`{name}` is empty.")
    return np.asarray(data[0]), np.asarray(data[1])


def _fingerprint(*arrays: Array) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(f"{array.dtype} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()[:16]


def _described(model: keras.Model) -> str:
    """What tells models apart whose layers have other names each time."""
    layers = ", ".join(type(layer).__name__ for layer in model.layers)
    # In float16 the optimizer stands in another one.
    optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)
    configs = [_config(layer.get_config) for layer in model.layers]
    # The optimizer by itself, too, in case that a loss of somebody's has no config.
    settings = [*configs, _config(optimizer.get_config), _config(model.get_compile_config)]
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:16]
    return f"{layers}; {model.count_params()} parameters; {type(optimizer).__name__}; {digest}"


def _config(get_config: Callable[[], Any]) -> Any:
    """A config, as far as it has one, without the numbers in names, which are others each time."""
    try:
        config = json.dumps(get_config(), default=_as_text)
    except Exception:  # Of a class of somebody's, which need not have one.
        return None
    by_name = {"inbound_nodes", "input_layers", "output_layers"}

    def unnumbered(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = {key: value for key, value in pairs if key not in by_name}
        return found | {"name": re.sub(r"_\d+$", "", str(found.get("name", "")))}

    return json.loads(config, object_pairs_hook=unnumbered)


def _as_text(value: Any) -> str:
    # Another's text may hold its address.
    return _fingerprint(value) if isinstance(value, np.ndarray) else type(value).__name__


def _half_width(differences: Array) -> float:
    """Half of the confidence interval of a mean, by Student's t."""
    count = len(differences)
    if count < 2:
        return math.nan
    freedom, low, high = count - 1.0, 0.0, 1e6
    # The quantile, by halving: TensorFlow has the beta function that its distribution is made of.
    for _ in range(100):
        middle = (low + high) / 2.0
        ratio = freedom / (freedom + middle**2)
        outside = tf.math.betainc(*tf.constant([freedom / 2, 0.5, ratio], tf.float64))
        low, high = (middle, high) if float(outside) > 1.0 - _CONFIDENCE else (low, middle)
    return float(high * np.std(differences, ddof=1) / math.sqrt(count))


def _plus_minus(mean: float, spread: float, sign: str = "") -> str:
    return f"{mean:{sign}.4f}" + ("" if math.isnan(spread) else f" ± {spread:.4f}")
