"""Saved models: reloaded by a fresh process that imports this package, and by one that does not."""

import copy
import json
import pathlib
import pickle
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from cases import RANDOM, all_activations, all_of, gradient, layer_of

import keras_activations as ka

X = np.random.default_rng(0).normal(size=(16, 8)).astype("float32")
TARGET = np.cos(X[:, :1])
# The second derivatives of all, which take long to trace, are in docs/exports.md.
SOME = ka.catalogue()[::12]

# The models are saved and reloaded once, for all tests, and so by one worker.
pytestmark = pytest.mark.xdist_group("saving")


def _model(info):
    """The activation in every way it comes: as a function, a string, a layer, a layer inside."""
    x = y = keras.Input((8,))
    if info.keeps_shape:
        y = keras.layers.Dense(8, activation=info.function)(y)
        y = keras.layers.Dense(8, activation=f"keras_activations>{info.name}")(y)
        y = keras.layers.Dense(8, activation=layer_of(info))(y)
        if info.samples:
            text = ", ".join(f"{k}={v!r}" for k, v in info.samples[0].items())
            y = keras.layers.Dense(8, activation=f"{info.name}({text})")(y)
    y = keras.layers.Dense(8)(info.function(y, **info.required))
    return keras.Model(x, keras.layers.Dense(1)(layer_of(info)(y)))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """All models, saved in all formats, with what they computed and how they trained on."""
    folder = tmp_path_factory.mktemp("saved")
    np.save(folder / "x.npy", X)
    np.save(folder / "target.npy", TARGET)
    expected = {}
    for info in ka.catalogue():
        keras.utils.set_random_seed(0)
        model = _model(info)
        # Eagerly, here and in the other processes: a graph for each would cost most of the time.
        model.compile(
            keras.optimizers.Adam(0.01), keras.losses.MeanSquaredError(), run_eagerly=True
        )
        model.train_on_batch(X, TARGET)
        for suffix in ("keras", "h5"):
            model.save(folder / f"{info.name}.{suffix}")
        (folder / f"{info.name}.json").write_text(model.to_json())
        model.save_weights(folder / f"{info.name}.weights.h5")
        y, dx = gradient(model, X)
        expected[info.name] = {"y": y.numpy(), "dx": dx.numpy()}
        model.train_on_batch(X, TARGET)
        expected[info.name]["weights"] = model.get_weights()
        if info.portable:
            plain = keras.Sequential(
                [keras.Input((8,)), keras.layers.Dense(4, activation=info.function)]
            )
            plain.save(folder / f"{info.name}_plain.keras")
            with ka.use():
                used = keras.layers.Dense(4, activation=info.name)
                keras.Sequential([keras.Input((8,)), used]).save(folder / f"{info.name}_used.h5")
            assert used.activation is info.function or not info.replaceable
            expected[info.name]["plain"] = plain(X).numpy()
    # An input for each, so that one pass has the derivatives of all.
    for name, infos in (("all", ka.catalogue()), ("some", SOME)):
        x = {i.name: keras.Input((8,), name=i.name) for i in infos}
        outputs = {i.name: layer_of(i)(x[i.name]) for i in infos}
        keras.Model(x, outputs).export(folder / f"{name}.export", verbose=False)
        np.save(folder / f"{name}.npy", list(x))
    return folder, expected


def _run(folder, mode):
    script = pathlib.Path(__file__).with_name("reload_models.py")
    done = subprocess.run(
        [sys.executable, script, folder, mode], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return dict(np.load(folder / f"found_{mode}.npz"))


@pytest.fixture(scope="module")
def reloaded(folder):
    return _run(folder[0], "with")


@pytest.fixture(scope="module")
def forgotten(folder):
    return _run(folder[0], "without")


@pytest.mark.parametrize("suffix", ["keras", "h5", "json"])
@all_activations
def test_fresh_process_with_the_import(info, suffix, folder, reloaded):
    expected = folder[1][info.name]
    key = f"{info.name}.{suffix}"
    assert f"{key}/error" not in reloaded, reloaded[f"{key}/error"]
    # A function saved under Keras's plain name comes back as Keras's: equal to rounding.
    np.testing.assert_allclose(reloaded[f"{key}/y"], expected["y"], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(reloaded[f"{key}/dx"], expected["dx"], rtol=1e-4, atol=1e-6)
    if suffix != "keras":
        return
    assert reloaded[f"{key}/iterations"] == 1
    if info not in RANDOM:
        for number, weight in enumerate(expected["weights"]):
            np.testing.assert_allclose(
                reloaded[f"{key}/weight{number}"], weight, rtol=1e-3, atol=1e-4
            )


@pytest.mark.parametrize("suffix", ["keras", "h5", "json"])
@all_activations
def test_a_process_that_forgot_the_import_is_told(info, suffix, forgotten):
    error = str(forgotten[f"{info.name}.{suffix}/error"])
    assert f"keras_activations>{info.layer.__name__}" in error or (
        f"keras_activations>{info.name}" in error
    )


@all_of([i for i in ka.catalogue() if i.portable])
def test_plain_names_load_without_the_package(info, folder, forgotten):
    expected = folder[1][info.name]["plain"]
    actual = forgotten[f"{info.name}_plain.keras/y"]
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-6)
    assert f"{info.name}_used.h5/y" in forgotten


@all_activations
def test_export_needs_no_package(info, forgotten):
    layer = layer_of(info)
    y, dx = gradient(layer, X)
    np.testing.assert_allclose(forgotten[f"export/{info.name}/y"], y, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(forgotten[f"export/{info.name}/dx"], dx, rtol=1e-4, atol=1e-6)


@all_of(SOME)
def test_second_derivatives_of_an_export_need_no_package(info, forgotten):
    layer, x = layer_of(info), tf.constant(X)
    with tf.GradientTape() as outer:
        outer.watch(x)
        _, slope = gradient(layer, x)
    bend = outer.gradient(slope, x, unconnected_gradients="zero")
    found = forgotten[f"export/{info.name}/d2x"]
    np.testing.assert_allclose(found, bend, rtol=1e-4, atol=1e-5)


@all_activations
def test_what_the_config_says(info):
    if not info.keeps_shape:
        pytest.skip("changes the size of its axis, so it stands on its own")
    inside = keras.layers.Dense(1, activation=info.function).get_config()["activation"]
    if info.portable:
        assert inside == info.name
    else:
        assert inside["config"] == f"keras_activations>{info.name}"
    layer = keras.layers.Dense(1, activation=layer_of(info)).get_config()["activation"]
    assert layer["registered_name"] == f"keras_activations>{info.layer.__name__}"
    for config in (inside, layer):
        assert json.loads(json.dumps(config)) == config


@all_activations
def test_copies_in_the_same_process(info):
    model = _model(info)
    y, dx = gradient(model, X)
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    for other in (clone, copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        other_y, other_dx = gradient(other, X)
        np.testing.assert_allclose(other_y, y, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(other_dx, dx, rtol=1e-4, atol=1e-6)


@all_activations
def test_layer_instances_inside_recurrent_and_convolutional_layers_keep_their_weights(
    info, tmp_path
):
    if not info.keeps_shape:
        pytest.skip("changes the size of its axis, so it stands on its own")
    model = keras.Sequential(
        [
            keras.Input((3, 3)),
            keras.layers.Conv1D(4, 2, activation=layer_of(info)),
            keras.layers.LSTM(4, activation=layer_of(info)),
        ]
    )
    model.set_weights([w + 0.125 if w.dtype.kind == "f" else w for w in model.get_weights()])
    x = tf.constant(np.random.default_rng(0).normal(size=(2, 3, 3)), tf.float32)
    y = model(x)
    for suffix in ("keras", "h5"):
        path = tmp_path / f"m.{suffix}"
        model.save(path)
        again = keras.models.load_model(path)
        np.testing.assert_array_equal(again(x), y)
    model.save_weights(tmp_path / "m.weights.h5")
    fresh = keras.models.model_from_json(model.to_json())
    fresh.load_weights(tmp_path / "m.weights.h5")
    np.testing.assert_array_equal(fresh(x), y)
