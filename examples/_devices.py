"""Where an example trains: on one device, on all GPUs of a machine, or on several machines."""

import json
import os
from typing import Any

import tensorflow as tf
from _common import BadInput

KINDS = ("mirrored", "multiworker")
TF_CONFIG = (
    '{"cluster": {"worker": ["host1:port", "host2:port"]}, "task": {"type": "worker", "index": 0}}'
)


def strategy(kind: str | None, devices: int | None = None) -> tf.distribute.Strategy:
    """The strategy under whose scope the model is to be made. To be called before all else.

    Args:
        kind: One of `KINDS`, or None for one device.
        devices: How many devices a mirrored strategy is to have: GPUs or, where there are not as
            many, parts of the CPU. None for all GPUs.

    Returns:
        The strategy. TensorFlow wants one in a process at most.

    Raises:
        BadInput: If there is only one device or machine, or TF_CONFIG is not as it should be.
    """
    if devices is not None and kind != "mirrored":
        raise BadInput("--devices goes with --distribute mirrored.")
    if kind == "mirrored":
        return tf.distribute.MirroredStrategy(_local_devices(devices))
    if kind == "multiworker":
        address = _own_address(os.environ.get("TF_CONFIG"))
        try:
            return _MultiWorkerMirroredStrategy()
        except tf.errors.OpError as error:
            raise BadInput(f"The worker at {address} found no others: {error.message}") from error
    return tf.distribute.get_strategy()


def is_chief(chosen: tf.distribute.Strategy) -> bool:
    """Whether this process is the one that keeps what has been trained."""
    return chosen.cluster_resolver is None or chosen.cluster_resolver.task_id == 0


class _MultiWorkerMirroredStrategy(tf.distribute.MultiWorkerMirroredStrategy):
    """A strategy that Keras's `fit` can use (https://github.com/keras-team/keras/issues/20585).

    Keras 3 asks it to reduce batches, which are tuples, and scalars along an axis.
    """

    def reduce(self, reduce_op: Any, value: Any, axis: int | None = None) -> Any:
        local = tf.nest.map_structure(lambda v: self.experimental_local_results(v)[0], value)
        if isinstance(value, tuple):
            return local  # Of a batch Keras wants to know shapes and dtypes.
        return super().reduce(reduce_op, value, axis if local.shape.rank else None)


def _local_devices(count: int | None) -> list[str]:
    gpus = tf.config.list_physical_devices("GPU")
    if count is None and len(gpus) < 2:
        raise BadInput(
            f"--distribute mirrored needs at least 2 GPUs, but TensorFlow sees {len(gpus)}. To try "
            f"it out on parts of the CPU, add --devices 2."
        )
    if count is None or count <= len(gpus):
        return [f"GPU:{i}" for i in range(count or len(gpus))]
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(
        cpu, [tf.config.LogicalDeviceConfiguration()] * count
    )
    return [f"CPU:{i}" for i in range(count)]


def _own_address(text: str | None) -> str:
    """The address in TF_CONFIG; says what is wrong with it, where TensorFlow waits or fails."""
    if not text:
        raise BadInput(
            f"--distribute multiworker needs the environment variable TF_CONFIG on each machine, "
            f"such as {TF_CONFIG}. See --help."
        )
    try:
        config = json.loads(text)
        workers, task = config["cluster"]["worker"], config["task"]
        kind, index = task["type"], int(task["index"])
        if set(config["cluster"]) != {"worker"} or kind != "worker":
            raise ValueError("there is another job than worker")
        if not all(isinstance(w, str) and w.rpartition(":")[2].isdecimal() for w in workers):
            raise ValueError("the workers must be a list of host:port")
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise BadInput(
            f"TF_CONFIG cannot be used: {type(error).__name__}: {error}. Expected something like "
            f"{TF_CONFIG}. Received: {text[:200]}"
        ) from error
    if len(workers) < 2:
        raise BadInput(
            f"TF_CONFIG names {len(workers)} worker, and --distribute multiworker needs at least 2."
        )
    if index not in range(len(workers)):
        raise BadInput(
            f"TF_CONFIG: the index of the task must be from 0 to {len(workers) - 1}, as there are "
            f"{len(workers)} workers. Received: {index}"
        )
    return workers[index]
