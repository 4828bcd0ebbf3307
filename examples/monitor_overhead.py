"""Measures what `ActivationMonitor` adds to an epoch of LeNet-5 on random images.

python examples/monitor_overhead.py
python examples/monitor_overhead.py --images 50000 --repeats 5
"""

import os
import statistics
import sys
import time
from collections.abc import Sequence
from typing import Any

from _common import ArgumentParser, command, positive_integer

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from lenet5_cifar10 import lenet5

import keras_activations as ka

# The second is the same however busy the machine is with other things.
CLOCKS = {"wall": time.perf_counter, "processor": time.process_time}


class Timer(keras.callbacks.Callback):
    """Keeps how long the last epoch took, with what the callbacks before this one did in it."""

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.start = {name: clock() for name, clock in CLOCKS.items()}

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.seconds = {name: clock() - self.start[name] for name, clock in CLOCKS.items()}


@command
def main(arguments: Sequence[str] | None = None) -> None:
    """Times epochs with and without a monitor, in turn, and prints the medians."""
    parser = ArgumentParser(description="Times epochs with and without a monitor.")
    count = {"type": positive_integer, "metavar": "N"}
    parser.add_argument("--images", **count, default=5000, help="in an epoch (5000)")
    parser.add_argument("--repeats", **count, default=15, help="epochs of each kind (15)")
    options = parser.parse_args(arguments)
    rng = np.random.default_rng(0)
    images = rng.random((options.images, 32, 32, 3), "float32")
    labels = rng.integers(0, 10, options.images)
    model = lenet5("relu")
    model.compile(loss="sparse_categorical_crossentropy")
    timer, monitor = Timer(), ka.ActivationMonitor(images, labels)
    kinds = {"without": [timer], "with": [monitor, timer]}
    times: dict[str, list[dict[str, float]]] = {kind: [] for kind in kinds}
    for _ in range(options.repeats):
        for kind, callbacks in kinds.items():
            # The first epoch compiles, and the monitor measures before it, too.
            model.fit(images, labels, batch_size=256, epochs=2, verbose=0, callbacks=callbacks)
            times[kind].append(timer.seconds)
    for clock in CLOCKS:
        plain, monitored = (
            statistics.median(seconds[clock] for seconds in times[kind]) for kind in kinds
        )
        print(
            f"{clock} time of an epoch: {plain:.3f} s, with a monitor {monitored:.3f} s "
            f"({monitored / plain - 1.0:+.1%})"
        )


if __name__ == "__main__":
    sys.exit(main())
