"""Training on several devices, and in several processes, against training on one."""

import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest
from cases import RANDOM, all_of, is_trained
from processes import clusters

import keras_activations as ka

# What is trained is trained once, for all tests, and so by one worker.
pytestmark = pytest.mark.xdist_group("devices")


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """What the processes wrote: of two devices, and of each of two workers."""
    folder = tmp_path_factory.mktemp("devices")
    jobs = {"mirrored": {}}
    for index, config in enumerate(clusters(2)):
        jobs[f"worker{index}"] = {"TF_CONFIG": config}
    running = {name: _start(folder / name, **e) for name, e in jobs.items()}
    try:
        for name, process in running.items():
            code = process.wait(timeout=1800)
            assert code == 0, (folder / f"{name}.log").read_text()[-2000:]
    finally:
        for process in running.values():
            process.kill()
    return {name: dict(np.load(folder / f"{name}.npz")) for name in jobs}


def _start(file, **environment):
    script = pathlib.Path(__file__).with_name("train_on_devices.py")
    kind = "multiworker" if "TF_CONFIG" in environment else "mirrored"
    settings = {**os.environ, "CUDA_VISIBLE_DEVICES": "-1", "no_proxy": "localhost", **environment}
    # Not a pipe: a worker that waits for us to read makes the other wait for it.
    with file.with_suffix(".log").open("w") as log:
        return subprocess.Popen(
            [sys.executable, script, kind, file.with_suffix(".npz")], stderr=log, env=settings
        )


def _weights(results, where):
    start = f"{where}/weights/"
    return {k.removeprefix(start): v for k, v in results.items() if k.startswith(start)}


def test_two_devices_and_two_workers_train_as_one_device(found):
    one = _weights(found["mirrored"], "one")
    assert {k.split("/")[0] for k in one} >= {i.name for i in ka.catalogue() if is_trained(i)}
    for process, where in (
        ("mirrored", "mirrored"),
        ("worker0", "multiworker"),
        ("worker1", "multiworker"),
    ):
        shared = _weights(found[process], where)
        assert shared.keys() == one.keys()
        for name, weight in one.items():
            np.testing.assert_allclose(
                shared[name], weight, rtol=1e-5, atol=1e-6, err_msg=f"{process}: {name}"
            )


def test_losses_are_those_of_one_device(found):
    one = found["mirrored"]["one/losses"]
    np.testing.assert_allclose(found["mirrored"]["mirrored/losses"], one, rtol=1e-6)
    assert one[-1] < one[0]
    first, second = (found[f"worker{i}"]["multiworker/losses"] for i in (0, 1))
    np.testing.assert_allclose(first, second, rtol=1e-6)


def _noise(found, info, call):
    """What each call of each replica drew: two calls of two replicas, of one process or two."""
    key = f"random/{info.name}/{call}"
    workers = np.concatenate([found[f"worker{i}"][key] for i in (0, 1)], axis=1)
    return {"mirrored": found["mirrored"][key], "workers": workers}


@pytest.mark.parametrize("where", ["mirrored", "workers"])
@all_of(RANDOM)
def test_each_replica_draws_its_own_noise(info, where, found):
    for call in ("a", "function", "integer"):
        noise = _noise(found, info, call)[where]
        assert noise.shape[:2] == (2, 2)
        for first, second in noise:
            assert np.mean(first != second) > 0.9
        again = np.mean(noise[0] != noise[1])
        assert again == 0.0 if call == "integer" else again > 0.9


@all_of(RANDOM)
def test_noise_on_replicas_is_reproducible(info, found):
    a, b, c = (_noise(found, info, call)["mirrored"] for call in "abc")
    np.testing.assert_array_equal(a, b)
    assert np.mean(a != c) > 0.9
    for call in ("a", "b", "c", "integer"):
        noise = _noise(found, info, call)
        np.testing.assert_array_equal(noise["mirrored"], noise["workers"])


@all_of(RANDOM)
def test_random_activations_train_on_replicas(info, found):
    """As a layer, and as a string inside another layer, which has no generator of its own."""
    losses = [results[f"random/{info.name}/losses"] for results in found.values()]
    assert np.all(np.isfinite(losses))
    np.testing.assert_allclose(losses[1], losses[2], rtol=1e-6)
