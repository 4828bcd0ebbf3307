"""Training on several devices, and in several processes, against training on one."""

import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest
from cases import all_activations, is_learnable
from processes import clusters

import keras_activations as ka
from keras_activations._layers import StochasticLayer

# What is trained is trained once, for all tests, and so by one worker.
pytestmark = pytest.mark.xdist_group("devices")

RANDOM = [i for i in ka.catalogue() if issubclass(i.layer, StochasticLayer)]


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """What the processes wrote: of two devices, and of each of two workers."""
    folder = tmp_path_factory.mktemp("devices")
    jobs = {"mirrored": {}}
    for index, config in enumerate(clusters(2)):
        jobs[f"worker{index}"] = {"TF_CONFIG": config}
    running = {name: _start(folder / f"{name}.npz", **e) for name, e in jobs.items()}
    try:
        for process in running.values():
            _, errors = process.communicate(timeout=500)
            assert process.returncode == 0, errors[-2000:]
    finally:
        for process in running.values():
            process.kill()
    return {name: dict(np.load(folder / f"{name}.npz")) for name in jobs}


def _start(file, **environment):
    script = pathlib.Path(__file__).with_name("train_on_devices.py")
    kind = "multiworker" if "TF_CONFIG" in environment else "mirrored"
    settings = {**os.environ, "CUDA_VISIBLE_DEVICES": "-1", "no_proxy": "localhost", **environment}
    return subprocess.Popen(
        [sys.executable, script, kind, file], stderr=subprocess.PIPE, text=True, env=settings
    )


def _weights(results, where, info):
    return {k.removeprefix(where): v for k, v in results.items() if f"{where}/weights/{info.name}/" in k}


@all_activations
def test_two_devices_train_as_one(info, found):
    if info in RANDOM:
        pytest.skip("draws its own noise on each device")
    one = _weights(found["mirrored"], "one", info)
    two = _weights(found["mirrored"], "mirrored", info)
    assert len(one) >= 4
    for name, weight in one.items():
        np.testing.assert_allclose(two[name], weight, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("info", [i for i in ka.catalogue() if is_learnable(i)], ids=lambda i: i.name)
def test_two_workers_train_as_one_device(info, found):
    one = _weights(found["mirrored"], "one", info)
    for worker in ("worker0", "worker1"):
        two = _weights(found[worker], "multiworker", info)
        assert one.keys() == two.keys()
        for name, weight in one.items():
            np.testing.assert_allclose(two[name], weight, rtol=1e-5, atol=1e-6)
