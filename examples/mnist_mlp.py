"""Trains a network with one hidden layer on handwritten digits, in a training loop of its own.

    python examples/mnist_mlp.py --activation mish
    python examples/mnist_mlp.py --data-file mnist.npz --hidden 128 --epochs 5

The digits come with scikit-learn; `--data-file` takes the classic MNIST as Keras keeps it, an .npz
file with x_train, y_train, x_test and y_test.
"""

import os
import sys
from collections.abc import Sequence

from _common import (
    ArgumentParser,
    BadInput,
    command,
    exit_on_interrupt,
    one_line,
    positive_integer,
    positive_number,
    seed,
    with_activation,
)

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

if __name__ == "__main__":
    exit_on_interrupt()

import keras
import numpy as np
import tensorflow as tf

import keras_activations as ka

CLASSES = 10

Split = tuple[np.ndarray, np.ndarray]


def cross_entropy(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """The negative logarithm of the probability of the true class, averaged over the batch."""
    # Not the logarithm of `ka.softmax`, whose gradient vanishes where a probability underflows.
    return -tf.reduce_mean(tf.gather(ka.log_softmax(logits), labels, batch_dims=1))


class Trainer:
    """A model, its optimizer and what is measured in training.

    Args:
        model: Maps images to logits.
        learning_rate: Step size of Adam.
    """

    def __init__(self, model: keras.Model, learning_rate: float) -> None:
        self.model = model
        self.optimizer = keras.optimizers.Adam(learning_rate)
        self.optimizer.build(model.trainable_variables)
        self.loss = keras.metrics.Mean()
        self.accuracy = keras.metrics.SparseCategoricalAccuracy()

    @tf.function(reduce_retracing=True)
    def step(self, images: tf.Tensor, labels: tf.Tensor) -> None:
        """One step of gradient descent on one batch."""
        with tf.GradientTape() as tape:
            logits = self.model(images, training=True)
            loss = cross_entropy(labels, logits)
        variables = self.model.trainable_variables
        self.optimizer.apply(tape.gradient(loss, variables), variables)
        self.loss.update_state(loss, sample_weight=tf.shape(labels)[0])
        self.accuracy.update_state(labels, logits)

    def epoch(self, dataset: tf.data.Dataset) -> tuple[float, float]:
        """Trains on every batch once.

        Args:
            dataset: Batches of images and labels.

        Returns:
            The mean loss and the accuracy.
        """
        self.loss.reset_state()
        self.accuracy.reset_state()
        for images, labels in dataset:
            self.step(images, labels)
        return float(self.loss.result()), float(self.accuracy.result())


@command
def main(arguments: Sequence[str] | None = None) -> None:
    """Trains and reports the accuracy on test images."""
    options = _parser().parse_args(arguments)
    keras.utils.set_random_seed(options.seed)
    train, test = _load(options.data_file, options.seed)
    print(f"Data: {len(train[0]):,} training images and {len(test[0]):,} test images")

    def build(activation: str) -> keras.Model:
        return keras.Sequential(
            [
                keras.Input(train[0].shape[1:]),
                keras.layers.Dense(options.hidden, activation=activation),
                keras.layers.Dense(CLASSES),
            ]
        )

    with ka.use():
        model = with_activation(build, options.activation)
        model.summary()
        trainer = Trainer(model, options.learning_rate)
        dataset = tf.data.Dataset.from_tensor_slices(train)
        dataset = dataset.shuffle(len(train[0]), options.seed).batch(options.batch_size)
        for epoch in range(1, options.epochs + 1):
            loss, accuracy = trainer.epoch(dataset)
            print(f"Epoch {epoch}/{options.epochs} - loss: {loss:.4f} - accuracy: {accuracy:.4f}")
    predicted = model.predict(test[0], verbose=0).argmax(axis=-1)
    print(f"Test accuracy: {np.mean(predicted == test[1]):.4f}")


def _parser() -> ArgumentParser:
    parser = ArgumentParser(description="Trains a network with one hidden layer on digits.")
    parser.add_argument(
        "--activation",
        default="relu",
        help="a name, or a name with parameters as in 'leaky_relu(negative_slope=0.1)' (relu)",
    )
    parser.add_argument("--data-file", metavar="FILE", help="mnist.npz (scikit-learn's digits)")
    parser.add_argument("--hidden", type=positive_integer, default=64, help="hidden units (64)")
    parser.add_argument(
        "--epochs", type=positive_integer, default=20, help="passes over the images (20)"
    )
    parser.add_argument(
        "--batch-size", type=positive_integer, default=32, help="images in a step (32)"
    )
    parser.add_argument("--seed", type=seed, default=0, help="of all that is random (0)")
    parser.add_argument(
        "--learning-rate", type=positive_number, default=2e-3, help="of Adam (0.002)"
    )
    return parser


def _load(file: str | None, seed: int) -> tuple[Split, Split]:
    """Training and test images, as rows of numbers from 0 to 1, and their labels."""
    return _digits(seed) if file is None else _mnist(file)


def _digits(seed: int) -> tuple[Split, Split]:
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise BadInput(
            "There are no images to train on. Pass --data-file, or install the digits: "
            "pip install 'keras_activations[examples]'"
        ) from None
    images, labels = load_digits(return_X_y=True)
    images = (images / images.max()).astype("float32")
    train, test = np.split(np.random.default_rng(seed).permutation(len(images)), [-360])
    return (images[train], labels[train]), (images[test], labels[test])


def _mnist(file: str) -> tuple[Split, Split]:
    try:
        with np.load(file, allow_pickle=False) as arrays:
            train, test = ((arrays[f"x_{s}"], arrays[f"y_{s}"]) for s in ("train", "test"))
        for images, labels in (train, test):
            if images.dtype != np.uint8 or images.ndim != 3 or len(images) == 0:
                raise ValueError("expected images of bytes in x_train and x_test")
            if labels.shape != images.shape[:1] or not np.isin(labels, np.arange(CLASSES)).all():
                raise ValueError("expected a label from 0 to 9 for each image")
        if train[0].shape[1:] != test[0].shape[1:]:
            raise ValueError("expected training and test images of the same size")
    except FileNotFoundError:
        raise BadInput(f"--data-file: there is no file {file}.") from None
    except Exception as error:
        # A damaged archive can raise anything.
        raise BadInput(f"--data-file: {file} is not an mnist.npz: {one_line(error)}.") from error
    return _rows(*train), _rows(*test)


def _rows(images: np.ndarray, labels: np.ndarray) -> Split:
    return (images.reshape(len(images), -1) / np.float32(255)), labels.astype(int)


if __name__ == "__main__":
    sys.exit(main())
