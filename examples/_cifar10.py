"""CIFAR-10 from a folder of images, from its original files, or from Keras; else digits."""

import contextlib
import dataclasses
import io
import os
import pathlib
import pickle
import socket
from collections.abc import Callable, Iterator

import keras
import numpy as np
import tensorflow as tf
from _common import BadInput, one_line

Array = np.ndarray
Split = tuple[Array, Array]

SHAPE = (32, 32, 3)
MOST_CLASSES = 10
BATCHES = "cifar-10-batches-py"
TRAIN_BATCHES = [f"data_batch_{i}" for i in range(1, 6)]
TEST_BATCH = "test_batch"
IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png")


@dataclasses.dataclass(frozen=True)
class Data:
    """Images and labels.

    Attributes:
        source: Where they come from, for people to read.
        train: Training images, uint8 of shape (count, 32, 32, 3), and their labels.
        test: Test images and their labels.
    """

    source: str
    train: Split
    test: Split


@dataclasses.dataclass(frozen=True)
class _Source:
    """Images that are known but, if they are files, not read yet.

    Attributes:
        name: Where they come from, for people to read.
        train: Training images, or the paths of them, and their labels.
        test: The same for testing.
        read: Makes images of paths; None if they are images already.
    """

    name: str
    train: Split
    test: Split
    read: Callable[[Array], Array] | None = None


def load(data_dir: str | None, limit: int | None, seed: int) -> Data:
    """The first of: `data_dir`, the folder in $CIFAR10_DIR, Keras's copy, scikit-learn's digits.

    Args:
        data_dir: Folder given on the command line, or None.
        limit: Number of training images to draw, with a fifth as many for testing; None for all.
        seed: Makes the draw repeatable.

    Returns:
        The `Data`.

    Raises:
        BadInput: If a folder that was named is not as it should be.
    """
    source = _find(data_dir, seed)
    splits = {"train": source.train, "test": source.test}
    counts = {"train": limit, "test": limit and -(-limit // 5)}
    for name, (images, labels) in splits.items():
        if counts[name]:
            chosen = _balanced(labels, counts[name], seed)
            images, labels = images[chosen], labels[chosen]
        if source.read:
            print(f"Reading {len(images):,} {name} images")
            images = source.read(images)
        splits[name] = images, labels
    return Data(source.name, **splits)


def _find(data_dir: str | None, seed: int) -> _Source:
    if data_dir is not None:
        return _folder(pathlib.Path(data_dir), "--data-dir")
    if os.environ.get("CIFAR10_DIR"):
        return _folder(pathlib.Path(os.environ["CIFAR10_DIR"]), "CIFAR10_DIR")
    try:
        with _short_timeout():
            (train, train_labels), (test, test_labels) = keras.datasets.cifar10.load_data()
    except Exception as error:
        # Without a network anything may come out of a download.
        print(f"Keras has no CIFAR-10: {one_line(error)}. Using handwritten digits instead.")
        return _digits(seed)
    return _Source("Keras", (train, train_labels.ravel()), (test, test_labels.ravel()))


@contextlib.contextmanager
def _short_timeout() -> Iterator[None]:
    """Keeps a network that swallows packets from holding us up for minutes."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(10.0)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _balanced(labels: Array, count: int, seed: int) -> Array:
    """The indices of `count` examples at random, as many of each class as there can be."""
    order = np.random.default_rng(seed).permutation(len(labels))
    turn = np.empty(len(labels), int)
    for label in np.unique(labels):
        of_class = labels[order] == label
        turn[of_class] = np.arange(of_class.sum())
    return order[np.argsort(turn, kind="stable")[:count]]


def _folder(folder: pathlib.Path, option: str) -> _Source:
    if not folder.is_dir():
        raise BadInput(f"{option}: there is no folder {folder}.")
    for batches in (folder, folder / BATCHES):
        if (batches / TEST_BATCH).exists() or (batches / TRAIN_BATCHES[0]).exists():
            return _original(batches)
    missing = [name for name in ("train", "test") if not (folder / name).is_dir()]
    if missing:
        raise BadInput(
            f"{option}: {folder} has no folder {' and no folder '.join(missing)}. Expected "
            f"train/<class>/ and test/<class>/ with images, or the content of {BATCHES}."
        )
    return _images_by_class(folder)


def _images_by_class(folder: pathlib.Path) -> _Source:
    found = {name: _paths_by_class(folder / name) for name in ("train", "test")}
    for here, there in (("train", "test"), ("test", "train")):
        missing = sorted(found[here].keys() - found[there].keys())
        if missing:
            raise BadInput(
                f"{folder / there} has no folder {', '.join(missing)}, but {folder / here} has. "
                f"Expected the same classes in both."
            )
    if not 2 <= len(found["train"]) <= MOST_CLASSES:
        raise BadInput(
            f"{folder / 'train'} has {len(found['train'])} class folders. Expected 2 to "
            f"{MOST_CLASSES}, the number of outputs of the network."
        )
    splits = {
        name: (
            np.concatenate([np.array(paths) for paths in classes.values()]),
            np.repeat(np.arange(len(classes)), [len(paths) for paths in classes.values()]),
        )
        for name, classes in found.items()
    }
    return _Source(f"the images in {folder}", **splits, read=_read_images)


def _paths_by_class(folder: pathlib.Path) -> dict[str, list[str]]:
    """The images in each sub-folder, both in alphabetical order."""
    classes = {}
    for sub_folder in sorted(f for f in folder.iterdir() if f.is_dir() and f.name[0] != "."):
        files = sorted(os.listdir(sub_folder))
        images = [f for f in files if f.lower().endswith(IMAGE_SUFFIXES) and f[0] != "."]
        if not images:
            raise BadInput(
                f"{sub_folder} has no images. Expected files that end in "
                f"{', '.join(IMAGE_SUFFIXES)}."
            )
        classes[sub_folder.name] = [str(sub_folder / f) for f in images]
    return classes


def _read_images(paths: Array) -> Array:
    images = np.empty((len(paths), *SHAPE), np.uint8)
    progress = keras.utils.Progbar(len(paths), unit_name="image")
    decoded = tf.data.Dataset.from_tensor_slices(paths).map(
        _read_image, num_parallel_calls=tf.data.AUTOTUNE
    )
    done = 0
    try:
        for batch in decoded.batch(1000):
            images[done : done + len(batch)] = batch
            done += len(batch)
            progress.update(done)
    except tf.errors.OpError as error:
        # tf.data does not say which file it was.
        raise _unreadable(paths[done:]) or error from None
    return images


def _read_image(path: tf.Tensor | str) -> tf.Tensor:
    image = tf.io.decode_image(tf.io.read_file(path), channels=3, expand_animations=False)
    if tf.reduce_any(tf.shape(image) != SHAPE):
        resized = tf.image.resize(image, SHAPE[:2], antialias=True)
        image = tf.saturate_cast(tf.round(resized), tf.uint8)
    return image


def _unreadable(paths: Array) -> BadInput | None:
    for path in paths:
        try:
            _read_image(path)
        except tf.errors.OpError:
            return BadInput(
                f"{path} is no JPEG or PNG image that can be read. It may have been cut short: "
                f"copy it again, or remove it."
            )
    return None


def _original(folder: pathlib.Path) -> _Source:
    train = [_read_batch(folder / name) for name in TRAIN_BATCHES]
    images, labels = (np.concatenate(parts) for parts in zip(*train, strict=True))
    return _Source(
        f"the original files in {folder}", (images, labels), _read_batch(folder / TEST_BATCH)
    )


def _read_batch(path: pathlib.Path) -> Split:
    try:
        batch = _ArraysOnly(io.BytesIO(path.read_bytes()), encoding="bytes").load()
        pixels, labels = np.asarray(batch[b"data"]), np.asarray(batch[b"labels"])
        # A row holds the red plane, then the green, then the blue.
        images = pixels.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
        if pixels.dtype != np.uint8 or labels.shape != (len(images),):
            raise ValueError("expected 3,072 bytes and one label for each image")
        if not np.isin(labels, np.arange(MOST_CLASSES)).all():
            raise ValueError(f"expected labels from 0 to {MOST_CLASSES - 1}")
    except FileNotFoundError:
        raise BadInput(f"There is no {path}. Expected all files of {BATCHES}.") from None
    except Exception as error:
        # A damaged pickle can raise anything.
        raise BadInput(f"{path} is not a CIFAR-10 batch: {one_line(error)}.") from error
    return images, labels.astype(int)


class _ArraysOnly(pickle.Unpickler):
    """Unpickles NumPy arrays and plain containers; a pickle could otherwise run any code."""

    allowed = frozenset(
        {
            ("_codecs", "encode"),
            ("numpy", "dtype"),
            ("numpy", "ndarray"),
            ("numpy.core.multiarray", "_reconstruct"),
            ("numpy._core.multiarray", "_reconstruct"),
            ("numpy.core.numeric", "_frombuffer"),
            ("numpy._core.numeric", "_frombuffer"),
        }
    )

    def find_class(self, module: str, name: str) -> object:
        if (module, name) not in self.allowed:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which is no part of one")
        return super().find_class(module, name)


def _digits(seed: int) -> _Source:
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise BadInput(
            "There are no images to train on. Pass --data-dir, or install the handwritten digits: "
            "pip install 'keras_activations[examples]'"
        ) from None
    digits = load_digits()
    grey = digits.images[..., np.newaxis] * (255.0 / digits.images.max())
    resized = tf.image.grayscale_to_rgb(tf.image.resize(grey, SHAPE[:2]))
    images = tf.saturate_cast(tf.round(resized), tf.uint8).numpy()
    test = _balanced(digits.target, len(images) // 5, seed)
    train = np.setdiff1d(np.arange(len(images)), test)
    return _Source(
        "the handwritten digits of scikit-learn",
        (images[train], digits.target[train]),
        (images[test], digits.target[test]),
    )
