"""Trains LeNet-5 on CIFAR-10 with any activation, and shows that the saved model reloads.

    python examples/lenet5_cifar10.py --activation snake
    python examples/lenet5_cifar10.py --activation "leaky_relu(negative_slope=0.1)" --epochs 3

The data are found without help if Keras has them or can download them. `--data-dir`, or the
environment variable CIFAR10_DIR, names a folder of your own: train/<class>/ and test/<class>/ with
JPEG or PNG images, or the original cifar-10-batches-py. On a machine with neither, the network
learns the handwritten digits that scikit-learn ships.

On all GPUs of a machine, each of which gets its share of a batch:

    python examples/lenet5_cifar10.py --distribute mirrored

On several machines, start it on each, with the addresses of all and the index of its own:

    export TF_CONFIG='{"cluster": {"worker": ["10.0.0.1:12345", "10.0.0.2:12345"]},
                       "task": {"type": "worker", "index": 0}}'
    python examples/lenet5_cifar10.py --distribute multiworker

They wait for each other, must reach each other at these ports, and need the same options, data and
versions; worker 0 saves. A proxy must not come between them: name their hosts in no_proxy. To try
it, two terminals of one machine will do, with localhost and two ports.
"""

import argparse
import contextlib
import csv
import functools
import os
import pathlib
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence

from _common import (
    ArgumentParser,
    BadInput,
    command,
    exit_on_interrupt,
    positive_integer,
    seed,
    with_activation,
)

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# The process that reloads the model wants some of the GPU's memory too, and the same arithmetic.
os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
os.environ.setdefault("NVIDIA_TF32_OVERRIDE", "0")

if __name__ == "__main__":
    exit_on_interrupt()

import _cifar10
import _devices
import keras
import numpy as np
import tensorflow as tf

import keras_activations as ka

TOLERANCE = 1e-5
AXIS_LABELS = {"loss": "cross-entropy", "accuracy": "share of images classified correctly"}

RELOAD = """
import sys
import keras_activations
import keras
import numpy as np

model_file, images_file, predictions_file = sys.argv[1:]
model = keras.models.load_model(model_file)
np.save(predictions_file, model.predict(np.load(images_file), verbose=0))
"""


def lenet5(activation: str, rescale: bool = False) -> keras.Model:
    """LeNet-5 for images of 32x32x3 and ten classes: 697,046 parameters.

    Args:
        activation: What `activation=` takes. A string with parameters, such as
            `"snake(alpha=5.0)"`, becomes a layer, and each of the layers below gets its own.
        rescale: Whether to divide the pixels, which run from 0 to 255, by 255.

    Returns:
        The model, not compiled.
    """
    return keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            *([keras.layers.Rescaling(1 / 255)] if rescale else []),
            keras.layers.Conv2D(6, 5, padding="same", activation=activation),
            keras.layers.MaxPooling2D(2),
            keras.layers.Conv2D(16, 5, padding="same", activation=activation),
            keras.layers.MaxPooling2D(2),
            keras.layers.Conv2D(120, 5, padding="same", activation=activation),
            keras.layers.Flatten(),
            keras.layers.Dense(84, activation=activation),
            keras.layers.Dense(10, activation="softmax"),
        ],
        name="lenet5",
    )


@command
def main(arguments: Sequence[str] | None = None) -> None:
    """Trains, saves, reloads and compares."""
    options = _parser().parse_args(arguments)
    strategy = _devices.strategy(options.distribute, options.devices)
    if options.batch_size % strategy.num_replicas_in_sync:
        raise BadInput(
            f"--batch-size: {options.batch_size} images cannot be shared evenly by "
            f"{strategy.num_replicas_in_sync} devices. Choose a multiple of their number."
        )
    keras.utils.set_random_seed(options.seed)
    # From here on "gelu" means this package's gelu rather than Keras's.
    with ka.use():
        build = functools.partial(lenet5, rescale=options.rescale)
        with strategy.scope():
            model = with_activation(build, options.activation)
            model.compile(
                optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"]
            )
        data = _cifar10.load(options.data_dir, options.limit, options.seed)
        folder = _writable(options.output_dir or _default_folder(options.activation))

        print(f"Device: {_device(strategy)}")
        print(
            f"Data: {len(data.train[0]):,} training images and {len(data.test[0]):,} test images "
            f"from {data.source}"
        )
        model.summary()
        history = model.fit(
            *data.train,
            batch_size=options.batch_size,
            epochs=options.epochs,
            validation_data=data.test,
        ).history

    if not np.isfinite(history["loss"]).all():
        hint = "" if options.rescale else " Try --rescale."
        sys.exit(
            f"Training diverged with {options.activation}: the loss is no finite number.{hint}"
        )
    _report(history)
    if not _devices.is_chief(strategy):
        return
    _save_history(history, folder / "history.csv")
    _save_curves(history, folder / "history.png", f"LeNet-5 with {options.activation}", data)
    with _whole(folder / "model.keras") as path:
        model.save(path)
    print(f"Saved in {folder}")
    _compare(model, folder / "model.keras", data.test[0][:256])


def _parser() -> ArgumentParser:
    parser = ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--activation",
        default="relu",
        help="a name, or a name with parameters as in 'leaky_relu(negative_slope=0.1)' (relu)",
    )
    parser.add_argument(
        "--data-dir",
        metavar="FOLDER",
        help="train/<class>/ and test/<class>/ with images, or cifar-10-batches-py ($CIFAR10_DIR)",
    )
    parser.add_argument(
        "--epochs", type=positive_integer, default=10, help="passes over the images (10)"
    )
    parser.add_argument(
        "--batch-size", type=positive_integer, default=256, help="images in a step (256)"
    )
    parser.add_argument(
        "--limit", type=positive_integer, help="train on that many images, test on a fifth (all)"
    )
    parser.add_argument(
        "--rescale",
        action="store_true",
        help="divide the pixels by 255: better, but not the known curve of this network",
    )
    parser.add_argument(
        "--distribute",
        choices=_devices.KINDS,
        help="train on all GPUs of this machine, or on the machines in TF_CONFIG (one device)",
    )
    parser.add_argument(
        "--devices",
        type=positive_integer,
        help="mirrored on that many GPUs or, where there are fewer, parts of the CPU (all GPUs)",
    )
    parser.add_argument("--seed", type=seed, default=0, help="of all that is random (0)")
    parser.add_argument(
        "--output-dir", metavar="FOLDER", help="for what is saved (output/lenet5_<activation>)"
    )
    return parser


def _default_folder(activation: str) -> str:
    safe = re.sub(r"[^A-Za-z0-9.=-]+", "_", activation).strip("_")
    return f"output/lenet5_{safe[:100]}"


def _writable(name: str) -> pathlib.Path:
    """The folder, made if need be; an error now rather than after an hour of training."""
    folder = pathlib.Path(name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError as error:
        raise BadInput(f"--output-dir: cannot write in {folder}: {error.strerror}.") from error


def _device(strategy: tf.distribute.Strategy) -> str:
    if strategy.num_replicas_in_sync > 1:
        name = type(strategy).__name__.strip("_")
        return f"{strategy.num_replicas_in_sync} in all, by a {name}"
    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        return f"CPU with {os.cpu_count()} cores"
    details = tf.config.experimental.get_device_details(gpus[0])
    return f"GPU, {details.get('device_name', gpus[0].name)}"


def _report(history: dict[str, list[float]]) -> None:
    accuracies = history["val_accuracy"]
    best = int(np.argmax(accuracies))
    print(f"Test accuracy: {accuracies[-1]:.4f}")
    print(f"Best validation accuracy: {accuracies[best]:.4f} (epoch {best + 1}, on test images)")


@contextlib.contextmanager
def _whole(path: pathlib.Path) -> Iterator[pathlib.Path]:
    """A path to write to, whose file becomes `path` only once it has been written whole."""
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".") as folder:
        temporary = pathlib.Path(folder) / path.name
        yield temporary
        os.replace(temporary, path)


def _save_history(history: dict[str, list[float]], file: pathlib.Path) -> None:
    with _whole(file) as path, path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["epoch", *history])
        for epoch, values in enumerate(zip(*history.values(), strict=True), start=1):
            writer.writerow([epoch, *values])


def _save_curves(
    history: dict[str, list[float]], file: pathlib.Path, title: str, data: _cifar10.Data
) -> None:
    try:
        from matplotlib.figure import Figure
        from matplotlib.ticker import MaxNLocator
    except ImportError:
        print("No learning curves: pip install 'keras_activations[examples]'")
        return
    figure = Figure(figsize=(10, 4.6), dpi=150, layout="constrained")
    figure.get_layout_engine().set(w_pad=0.12, h_pad=0.08, wspace=0.04)
    figure.suptitle(title, fontsize=14, fontweight="bold")
    # A path may hold a dollar sign, which would otherwise begin a formula.
    source = f"{len(data.train[0]):,} training images from {data.source}"
    figure.supxlabel(source, fontsize=8, color="dimgrey", parse_math=False)
    epochs = range(1, len(history["loss"]) + 1)
    for axes, name in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
        axes.plot(epochs, history[name], "o-", markersize=4, label="training")
        axes.plot(epochs, history[f"val_{name}"], "s-", markersize=4, label="validation")
        axes.set(title=name.capitalize(), xlabel="epoch", ylabel=AXIS_LABELS[name])
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False)
    with _whole(file) as path:
        figure.savefig(path)


def _compare(model: keras.Model, model_file: pathlib.Path, images: np.ndarray) -> None:
    """Reloads the model where nothing is imported but the package, and compares predictions."""
    with tempfile.TemporaryDirectory() as folder:
        images_file = os.path.join(folder, "images.npy")
        predictions_file = os.path.join(folder, "predictions.npy")
        np.save(images_file, images)
        child = subprocess.run(
            [sys.executable, "-c", RELOAD, str(model_file), images_file, predictions_file],
            capture_output=True,
            text=True,
        )
        if child.returncode:
            sys.exit(f"The saved model does not reload:\n{child.stderr}")
        reloaded = np.load(predictions_file)
    # Not by `predict`, for which the workers, where there are several, would have to come together.
    here = tf.function(model, autograph=False)(images).numpy()
    difference = np.abs(reloaded - here).max()
    print(f"Reloaded in a new process: predictions differ by {difference:.1e} at most")
    if not difference <= TOLERANCE:
        sys.exit(f"The reloaded model predicts something else. Expected at most {TOLERANCE:.0e}.")


if __name__ == "__main__":
    sys.exit(main())
