"""`python -m keras_activations compare`: LeNet-5 with each of several activations."""

import argparse
import pathlib
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_activations._axes import positive
from keras_activations.comparison import Data, compare

EXAMPLES = """examples:
  python -m keras_activations compare relu gelu mish
  python -m keras_activations compare relu "snake(alpha=0.5)" --data mnist.npz --limit 5000
  python -m keras_activations compare relu mish --data cifar10/ --seeds 5 --target 0.6
"""
SIZE = 32


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares what the command takes.

    Args:
        parser: Parser of the command.
    """
    add = parser.add_argument
    add("names", nargs="+", metavar="NAME", help="activations; the first is the standard")
    add(
        "--data",
        default="digits",
        help="a folder with train/CLASS/ and test/CLASS/ of images, which are scaled to 32 × 32; "
        "an .npz file with x_train, y_train, x_test, y_test; or digits, scikit-learn's",
    )
    add("--limit", type=int, help="train on that many examples")
    add("--seeds", type=int, default=3, help="runs of each activation (3)")
    add("--epochs", type=int, default=5, help="passes over the training data (5)")
    add("--batch-size", type=int, default=128, help="examples in a step (128)")
    add("--target", type=float, help="accuracy to reach")
    add(
        "--folder",
        default="comparison",
        help="for what is kept (comparison); continued if it exists",
    )


def run(arguments: argparse.Namespace) -> int:
    """Trains, and prints the table.

    Args:
        arguments: What `add_arguments` declares.

    Returns:
        Exit code.
    """
    limit = None if arguments.limit is None else positive("limit", arguments.limit)
    (x, y), validation = _data(arguments.data)
    found = compare(
        arguments.names,
        (x[:limit], y[:limit]),
        validation,
        seeds=arguments.seeds,
        epochs=arguments.epochs,
        batch_size=arguments.batch_size,
        target=arguments.target,
        folder=arguments.folder,
    )
    print(found)
    print(f"\nTable, curves and every run: {arguments.folder}")
    return 0


def _data(name: str) -> tuple[Data, Data]:
    path = pathlib.Path(name)
    if path.is_dir():
        train, validation = path / "train", path / "test"
        # A class that only one of them has would shift the numbers of those after it.
        classes = [_folders(part) for part in (train, validation)]
        if odd := ", ".join(sorted(classes[0] ^ classes[1])):
            raise ValueError(f"Only one of {train} and {validation} has: {odd}.")
        return _shuffled(*_images(train)), _images(validation)
    if path.is_file():
        return _arrays(path)
    if name != "digits":
        raise ValueError(f"There is no folder and no file {name}.")
    return digits()


def digits() -> tuple[Data, Data]:
    """Scikit-learn's handwritten digits, enlarged to 32 × 32: to train on, and to measure on.

    Returns:
        Two pairs of images and classes.
    """
    from sklearn.datasets import load_digits

    images, classes = load_digits(return_X_y=True)
    images = np.kron(images.reshape(-1, 8, 8), np.ones((1, 4, 4)))
    x, y = _shuffled(images[..., None], classes)
    return (x[360:], y[360:]), (x[:360], y[:360])


def _arrays(path: pathlib.Path) -> tuple[Data, Data]:
    names = [f"{kind}_{part}" for part in ("train", "test") for kind in "xy"]
    try:
        with np.load(path, allow_pickle=False) as file:
            found = {name: file[name] for name in file}
    except (MemoryError, OSError):
        raise
    except Exception as error:  # A damaged archive can raise anything.
        raise ValueError(f"{path} is no .npz file with {', '.join(names)}: {error}") from error
    if missing := [name for name in names if name not in found]:
        raise ValueError(f"There is no {' and no '.join(missing)} among {', '.join(found)}.")
    x, y, x_test, y_test = (found[name] for name in names)
    x, x_test = (images if images.ndim == 4 else images[..., None] for images in (x, x_test))
    # A column is one number for each example, too.
    y, y_test = (
        classes.reshape(-1) if classes.size == len(classes) else classes for classes in (y, y_test)
    )
    return (x, y), (x_test, y_test)


def _folders(path: pathlib.Path) -> set[str]:
    if not path.is_dir():
        raise ValueError(f"There is no folder {path}, with one of images for each class.")
    return {child.name for child in path.iterdir() if child.is_dir()}


def _images(folder: pathlib.Path) -> Data:
    data = keras.utils.image_dataset_from_directory(
        folder, image_size=(SIZE, SIZE), shuffle=False, verbose=False
    )
    try:
        x, y = zip(*data.as_numpy_iterator(), strict=True)
    except tf.errors.OpError as error:
        reason = error.message.splitlines()[0]
        raise ValueError(f"{folder} has a file that is no image: {reason}") from error
    return np.concatenate(x).astype("uint8"), np.concatenate(y)


def _shuffled(x: Any, y: Any) -> Data:
    """In an order in which the first of them are of all classes."""
    order = np.random.default_rng(0).permutation(len(x))
    return x[order], y[order]
