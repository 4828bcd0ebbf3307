"""The callback that reports what the activations of a model do while it is trained."""

import importlib.util
import math
import os
import pathlib
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_activations import plotting
from keras_activations._axes import positive
from keras_activations._probes import Measured, measured
from keras_activations._runs import as_csv, write

Row = dict[str, Any]

QUANTITIES = {
    "dead": "dead units",
    "saturated": "saturated outputs",
    "mean": "mean of the outputs",
    "variance": "variance of the outputs",
    "gradient_norm": "norm of the gradient",
}
COLUMNS = ("epoch", "layer", "activation", *QUANTITIES)

# Above which shares, and below which ratio of the first gradient to the last, there is a warning.
DEAD = 0.4
SATURATED = 0.5
VANISHING = 1e-3

# Drawn as zero: what is less than so much of the largest. Variances that small are rounding errors.
_SMALLEST = {"variance": 1e-9, "gradient_norm": 1e-30}


class ActivationMonitor(keras.callbacks.Callback):
    """Reports what the activations of a model do, layer by layer and epoch by epoch.

    It runs the model on a sample before training and after every epoch, as in inference: batch
    normalization with its moving statistics, no dropout. The run is eager, also where training is
    compiled or distributed, and leaves the model as it was. Of each activation it finds

    - `dead`: the share of units, which are the channels, that let no gradient through on any
      sample, at any position or time step: the slope is within ±1e-6. The channels are on the axis
      that the layer names as its `data_format` or `axis`, of an activation layer without weights
      the last that ran before it and names one; else on the last axis.
    - `saturated`: the share of outputs at which less than 1 % of the gradient passes: the slope is
      within ±0.01. A rectifier has half of them there by design.
    - `mean` and `variance` of the outputs.
    - `gradient_norm`: the L2 norm of the gradient of the loss with respect to the activation's
      inputs, which is what the weights before it learn from.

    `dead` and `saturated` are None for what is not element-wise, such as a softmax, and where
    outputs are not finite; `gradient_norm` is None without targets or a loss.

    It warns once of each layer in which more than 40 % of the units are dead, or of the outputs
    more than 50 % saturated beyond what they would be on normally distributed inputs, and once if
    the first `gradient_norm` is less than a thousandth of the last.

    Activation layers are found, and what layers hold as activations, in nested, subclassed and
    recurrent models; what a `call` of your own applies, such as `keras.ops.tanh`, is not. Linear
    activations are left out. The uses of a shared layer are taken together.

    A measurement costs about as much as an eager training step on the sample; recurrent layers cost
    more, for they run step by step. `python examples/monitor_overhead.py` measures it. Meanwhile
    every `tf.function`, in other threads too, runs eagerly; what these do with the model is not
    watched, and of several monitors one measures at a time.

    Args:
        x: The sample: an array or tensor, a list or dictionary of them for several inputs, or a
            `tf.data.Dataset` or `keras.utils.PyDataset`, whose first batch is taken, with its
            targets.
        y: The targets, for the loss with which the model is compiled. Without them there is no
            `gradient_norm`.
        batch_size: How many samples to take of x, evenly spaced, so that x may be sorted. All that
            the activations make of them is in memory at a time.
        every: Measure after every so many epochs.
        csv: File for the history, written anew after each measurement, or None.
        log_dir: Folder for TensorBoard's scalars, and histograms of the outputs, or None.

    Attributes:
        history: List of dictionaries with the keys `epoch`, `layer`, `activation` and the above,
            one for each activation and measurement. Epoch 0 is before training. An epoch that is
            trained again takes the place of its rows and of those after it.

    Raises:
        ValueError: If there is no sample, x and y do not belong together, or `every` or
            `batch_size` is below 1; in `fit`, if the model has no activation.
        TypeError: If x or y holds something else than arrays or tensors.
        ImportError: If there is a `log_dir` but no TensorBoard.

    Example:

    >>> import keras, numpy as np
    >>> x, y = np.ones((8, 4)), np.ones((8, 1))
    >>> model = keras.Sequential(
    ...     [keras.layers.Dense(6, activation="tanh", name="hidden"), keras.layers.Dense(1)]
    ... )
    >>> model.compile(loss="mse")
    >>> monitor = ka.ActivationMonitor(x, y)
    >>> log = model.fit(x, y, epochs=2, verbose=0, callbacks=[monitor])
    >>> [(row["epoch"], row["layer"], row["activation"], row["dead"]) for row in monitor.history]
    [(0, 'hidden', 'tanh', 0.0), (1, 'hidden', 'tanh', 0.0), (2, 'hidden', 'tanh', 0.0)]
    """

    def __init__(
        self,
        x: Any,
        y: Any = None,
        *,
        batch_size: int = 128,
        every: int = 1,
        csv: str | os.PathLike[str] | None = None,
        log_dir: str | os.PathLike[str] | None = None,
    ) -> None:
        super().__init__()
        self.every = positive("every", every)
        self.csv = None if csv is None else pathlib.Path(csv)
        self.log_dir = None if log_dir is None else os.fspath(log_dir)
        if log_dir is not None and importlib.util.find_spec("tensorboard") is None:
            raise ImportError("`log_dir` needs TensorBoard. Run: pip install tensorboard")
        self.history: list[Row] = []
        self._sample = _sample(x, y, positive("batch_size", batch_size))
        self._warned: set[tuple[str, str]] = set()
        self._begun = False
        self._writer: Any = None

    def on_train_begin(self, logs: Any = None) -> None:
        self._begun = False
        if self.log_dir is not None:
            self._writer = tf.summary.create_file_writer(self.log_dir)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        if not self._begun:
            self._begun = True
            self._measure(epoch)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if (epoch + 1) % self.every == 0:
            self._measure(epoch + 1)

    def on_train_end(self, logs: Any = None) -> None:
        if self._writer is not None:
            self._writer.close()

    def plot(self, axes: Sequence[Any] | None = None) -> Any:
        """Draws each quantity over the epochs, with a line for each activation.

        Args:
            axes: Five axes of Matplotlib, or None for a new figure.

        Returns:
            List of the five axes, in the order of the history's keys.

        Raises:
            ValueError: If nothing has been measured yet, or `axes` is not of length five.
            ImportError: If there is no Matplotlib.
        """
        if not self.history:
            raise ValueError(
                "Nothing has been measured yet. First train with "
                "`model.fit(..., callbacks=[monitor])`."
            )
        panels = plotting.panels(axes, len(QUANTITIES))
        for panel, quantity in zip(panels, QUANTITIES, strict=True):
            _draw(panel, quantity, self.history)
        panels[-1].legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize="small")
        return panels

    def _measure(self, epoch: int) -> None:
        try:
            found = measured(self.model, *self._sample)
        except Exception as error:
            error.add_note("This happened as ActivationMonitor ran the model on its sample.")
            raise
        if not found:
            raise ValueError(
                f"ActivationMonitor has found no activation in the model {self.model.name!r}. It "
                f"finds activation layers and what layers hold as `activation`, but not linear "
                f"ones, and not functions that a `call` applies."
            )
        rows = [_row(epoch, it) for it in found]
        self.history = [row for row in self.history if row["epoch"] < epoch] + rows
        if self.csv is not None:
            write(self.csv, as_csv(self.history, COLUMNS))
        if self._writer is not None:
            _summarize(self._writer, rows, found)
        when = f"After epoch {epoch}" if epoch else "Before training"
        for finding in self._findings(found):
            # Six calls up is the line with `fit`.
            warnings.warn(f"{when}, {finding}", stacklevel=6)

    def _findings(self, found: list[Measured]) -> Iterator[str]:
        """What is wrong and has not been warned of, and what to try."""
        samples = len(keras.tree.flatten(self._sample[0])[0])
        if dead := self._new("dead", [it for it in found if (it.dead or 0.0) > DEAD]):
            yield (
                f"many units are dead: {_shares('dead', dead)}. On none of {samples} samples does "
                f"a gradient pass them, so they cannot learn. Try a lower learning rate, initial "
                f"weights that suit the activation (ka.initializer), or an activation with a slope "
                f"for negative inputs."
            )
        if saturated := self._new("saturated", [it for it in found if _is_too_saturated(it)]):
            yield (
                f"many outputs are saturated: {_shares('saturated', saturated)}. Less than 1 % of "
                f"the gradient passes them. Try smaller inputs or initial weights "
                f"(ka.initializer), normalization before the activation, or an activation that "
                f"does not level off."
            )
        norms = [(it, it.gradient_norm) for it in found if it.gradient_norm is not None]
        if norms and norms[0][1] < VANISHING * norms[-1][1] and self._new("first", [norms[0][0]]):
            (first, early), (last, late) = norms[0], norms[-1]
            yield (
                f"the gradient vanishes on its way back: its norm is {late:.1g} at "
                f"{last.site.path}, but {early:.1g} at {first.site.path}. The first layers hardly "
                f"learn. Try an activation with a slope near 1, initial weights that suit the "
                f"activation (ka.initializer), normalization, or connections that skip layers."
            )

    def _new(self, kind: str, found: list[Measured]) -> list[Measured]:
        """Those that have not been warned of, which from now on they have been."""
        new = [it for it in found if (kind, it.site.path) not in self._warned]
        self._warned.update((kind, it.site.path) for it in new)
        return new


def _sample(x: Any, y: Any, size: int) -> tuple[Any, Any, Any]:
    """Evenly spaced rows of inputs, targets and sample weights, as tensors."""
    weights = None
    if isinstance(x, tf.data.Dataset | keras.utils.PyDataset):
        if y is not None:
            raise ValueError("A dataset brings its targets along: leave out `y`.")
        batch = next(iter(x), None) if isinstance(x, tf.data.Dataset) else x[0]
        x, y, weights = keras.utils.unpack_x_y_sample_weight(batch)
    arrays = keras.tree.map_structure(_array, (x, y, weights))
    counts = {len(array) for array in keras.tree.flatten(arrays) if array is not None}
    if len(counts) != 1 or 0 in counts:
        raise ValueError(
            f"x and y must have a row for each sample, as many in both and at least one, and a "
            f"dataset must be batched. Received: {' and '.join(map(str, sorted(counts))) or 'no'} "
            f"rows"
        )
    (count,) = counts
    rows = np.linspace(0, count - 1, min(size, count)).round().astype(int)
    return keras.tree.map_structure(
        lambda array: None if array is None else tf.convert_to_tensor(array[rows]), arrays
    )


def _array(leaf: Any) -> Any:
    if leaf is None:
        return None
    try:
        array = np.asarray(leaf)
    except (TypeError, ValueError):
        array = np.array(None)
    if array.ndim == 0:
        raise TypeError(
            f"x and y must be arrays or tensors with a row for each sample, or lists or "
            f"dictionaries of these, or x a dataset of batches. Received: {repr(leaf)[:100]}"
        )
    # In floating-point numbers of the size that `fit` makes them.
    return array.astype(keras.config.floatx()) if np.issubdtype(array.dtype, np.floating) else array


def _row(epoch: int, it: Measured) -> Row:
    quantities = {name: getattr(it, name) for name in QUANTITIES}
    return {"epoch": epoch, "layer": it.site.path, "activation": it.site.name, **quantities}


def _is_too_saturated(it: Measured) -> bool:
    if it.dead is None or it.saturated is None:
        return False
    # Dead units are warned of as such. An output layer levels off where it is sure.
    excused = it.dead > DEAD or it.is_output or it.saturated <= SATURATED
    return not excused and it.saturated > SATURATED + it.saturated_on_normal_inputs


def _shares(quantity: str, found: list[Measured]) -> str:
    return ", ".join(f"{it.site.path} {100.0 * getattr(it, quantity):.0f} %" for it in found)


def _summarize(writer: Any, rows: list[Row], found: list[Measured]) -> None:
    with writer.as_default(step=rows[0]["epoch"]):
        for row, it in zip(rows, found, strict=True):
            for name in QUANTITIES:
                if row[name] is not None:
                    tf.summary.scalar(f"{name}/{row['layer']}", row[name])
            tf.summary.histogram(f"outputs/{row['layer']}", it.outputs)
    writer.flush()


def _draw(panel: Any, quantity: str, history: list[Row]) -> None:
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    for number, layer in enumerate(dict.fromkeys(row["layer"] for row in history)):
        rows = [row for row in history if row["layer"] == layer and row[quantity] is not None]
        panel.plot(
            [row["epoch"] for row in rows],
            [row[quantity] for row in rows],
            marker="o",
            markersize=4,
            label=layer,
            **plotting.style(number),
        )
    values = [row[quantity] for row in history if row[quantity] is not None]
    largest = max((value for value in values if math.isfinite(value)), default=0.0)
    if quantity in ("dead", "saturated"):
        panel.set_ylim(-0.05, 1.05)
        panel.yaxis.set_major_formatter(PercentFormatter(1.0))
    elif quantity in _SMALLEST and largest > 0.0:
        # Logarithmic where decades are apart, but with a place for zero, which is what one looks
        # for.
        floor = _SMALLEST[quantity] * largest
        floor = min((value for value in values if value > floor), default=largest)
        if largest > 10.0 * floor:
            panel.set_yscale("symlog", linthresh=floor)
        else:
            panel.set_ylim(0.0, 1.05 * largest)
    if not values:
        panel.set_yticks([])
        panel.text(0.5, 0.5, "not measured", transform=panel.transAxes, ha="center")
    epochs = [row["epoch"] for row in history]
    panel.set_xlim(min(epochs) - 0.5, max(epochs) + 0.5)
    panel.xaxis.set_major_locator(MaxNLocator(integer=True))
    panel.set(title=QUANTITIES[quantity], xlabel="epoch")
