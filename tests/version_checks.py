"""What `versions.py` runs on each pair of Keras and TensorFlow, in a process of its own.

python tests/version_checks.py write FOLDER             checks, and models saved in FOLDER
python tests/version_checks.py read FOLDER OTHER...     reads the models that others saved
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import warnings

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    import keras_activations as ka
import keras
import numpy as np
import tensorflow as tf

from keras_activations import peers

TESTS = pathlib.Path(__file__).parent
ROWS = np.linspace(-3.0, 3.0, 32, dtype="float32").reshape(4, 8)
INFOS = ka.catalogue()
# Those that a layer can take as its activation.
WITHIN = [i for i in INFOS if not i.required and i.function(ROWS).shape == ROWS.shape]
SUFFIXES = ("keras", "h5", "json")


def _layer(info):
    return info.layer(**info.required)


def _model(*layers):
    """A model of layers side by side."""
    inputs = keras.Input((8,), name="inputs")
    outputs = [layer(inputs) for layer in layers]
    model = keras.Model(inputs, keras.layers.Concatenate()(outputs))
    generator = np.random.default_rng(0)
    model.set_weights([w + 0.1 * generator.random(w.shape) for w in model.get_weights()])
    return model


def _dense(activations):
    return _model(*(keras.layers.Dense(4, activation=it) for it in activations))


# What each file holds, and the model without this package that shows whether Keras is to blame.
MODELS = {
    "strings": lambda: _dense(f"keras_activations>{i.name}" for i in WITHIN),
    "functions": lambda: _dense(i.function for i in WITHIN),
    "parameters": lambda: _dense(i.layer(**i.samples[0]) for i in WITHIN if i.samples),
    "layers": lambda: _model(*map(_layer, INFOS)),
}
TWINS = {
    "Keras's Dense": lambda: _dense(["relu", "gelu"]),
    "Keras's layers": lambda: _model(keras.layers.PReLU(), keras.layers.Softmax()),
}


def check_import():
    """import, without a warning"""
    found = [str(w.message) for w in caught if "keras_activations" in f"{w.message}{w.filename}"]
    assert not found, found


def check_strings():
    """every name as a string"""
    for info in INFOS:
        for name in (info.name, *info.aliases):
            assert keras.activations.get(f"keras_activations>{name}") is info.function
            theirs = getattr(keras.activations, name, None)
            assert keras.activations.get(name) is (theirs or info.function), name
    for layer in (keras.layers.Conv2D(2, 3, activation="snake"), keras.layers.LSTM(2, "snake")):
        assert getattr(layer, "cell", layer).activation is ka.snake
    assert keras.layers.Dense(1, "leaky_relu(negative_slope=0.5)").activation.negative_slope == 0.5


def check_fallbacks():
    """the strings' fall-backs, were Keras's table gone"""
    names = "should_keras or install_and_uninstall"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", names]
    done = subprocess.run(
        [*command, TESTS / "test_strings.py"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-500:] + done.stderr[-500:]


def check_values():
    """value and gradient of every activation"""
    for info in INFOS:
        x = tf.constant(ROWS + 0.01, tf.float64)
        found = _value_and_gradient(info.function, x, **info.required)
        if naive := peers.naive_form(info):
            slope = info.backward is None
            pairs = zip(found, _value_and_gradient(naive, x), strict=True)
            for ours, theirs in list(pairs)[: 1 + slope]:
                np.testing.assert_allclose(ours, theirs, 1e-6, 1e-6, err_msg=info.name)
        single = _value_and_gradient(info.function, tf.cast(x, tf.float32), **info.required)
        for ours, exact in zip(single, found, strict=True):
            np.testing.assert_allclose(ours, exact, 1e-3, 1e-4, err_msg=info.name)


def _value_and_gradient(function, x, **kwargs):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = function(x, **kwargs)
    dx = tape.gradient(y, x, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    return y.numpy(), tf.convert_to_tensor(dx).numpy()


def check_use():
    """ka.use()"""
    with ka.use():
        assert keras.layers.Dense(1, "gelu").activation is ka.gelu
        assert keras.activations.get("tanh") is keras.activations.tanh
    assert keras.layers.Dense(1, "gelu").activation is keras.activations.gelu


def check_symbolic():
    """functions in a functional model"""
    inputs = keras.Input((8,))
    outputs = [i.function(inputs, **i.required) for i in INFOS]
    model = keras.models.clone_model(keras.Model(inputs, outputs))
    for info, y in zip(INFOS, model(ROWS), strict=True):
        expected = info.function(ROWS, **info.required)
        np.testing.assert_allclose(y, expected, 1e-5, 1e-6, err_msg=info.name)


def check_fit():
    """a fit, compiled and not"""
    x = np.random.default_rng(0).random((64, 12, 12, 1)).astype("float32")
    y = (x.mean((1, 2, 3)) > 0.5).astype("int32")
    for jit in (False, True):
        keras.utils.set_random_seed(0)
        layers = [keras.layers.Conv2D(4, 3, activation="snake"), ka.XIELU(), ka.RReLU()]
        layers += [keras.layers.Flatten(), keras.layers.Dense(2, "softmax")]
        model = keras.Sequential(layers)
        model.compile("adam", "sparse_categorical_crossentropy", jit_compile=jit)
        losses = model.fit(x, y, epochs=3, verbose=0).history["loss"]
        assert np.all(np.isfinite(losses)), losses


def _small(activation):
    return keras.Sequential(
        [keras.Input((8,)), keras.layers.Dense(4, activation), keras.layers.Dense(2, "softmax")]
    )


TARGETS = np.array([0, 1, 0, 1])


def check_compare():
    """ka.compare"""
    data = (ROWS, TARGETS)
    found = ka.compare(["relu", "mish"], data, data, build_fn=_small, seeds=2, epochs=1)
    assert "mish" in str(found)


def check_monitor():
    """ka.ActivationMonitor"""
    model = keras.Sequential([*_small("snake").layers[:1], ka.PReLU(), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    monitor = ka.ActivationMonitor(ROWS, TARGETS.astype("float32"))
    model.fit(ROWS, TARGETS, epochs=2, verbose=0, callbacks=[monitor])
    assert len(monitor.history) == 6
    assert monitor.plot()


def check_replace():
    """ka.replace_activations"""
    inputs = keras.Input((8,))
    outputs = keras.layers.ReLU()(keras.layers.Dense(4, "relu")(inputs))
    model = keras.Model(inputs, keras.ops.relu(outputs))
    new = ka.replace_activations(model, {"relu": "mish"}, verbose=0)
    expected = ka.mish(ka.mish(ka.mish(ROWS @ model.layers[1].kernel + model.layers[1].bias)))
    np.testing.assert_allclose(new(ROWS), expected, 1e-5, 1e-6)


def check_curves():
    """ka.plot, gain, initializer, properties"""
    import matplotlib

    matplotlib.use("agg")
    assert len(ka.plot("mish", "swiglu", second_derivative=True)) == 3
    np.testing.assert_allclose(ka.gain("relu"), 2**0.5)
    assert isinstance(ka.initializer("mish"), keras.initializers.Initializer)
    assert ka.properties("tanh").symmetry == "odd"


def check_command():
    """python -m keras_activations"""
    for arguments in (["list"], ["show", "mish"], ["gain", "mish"]):
        subprocess.run(
            [sys.executable, "-m", "keras_activations", *arguments], check=True, capture_output=True
        )


def check_export():
    """model.export, inference and gradient"""
    model = _model(ka.Snake(), ka.Mish(), ka.Sparsemax())
    with tempfile.TemporaryDirectory() as folder:
        model.export(folder, verbose=False)
        again = tf.saved_model.load(folder)
        for ours, theirs in zip(
            *(_value_and_gradient(f, tf.constant(ROWS)) for f in (again.serve, model)), strict=True
        ):
            np.testing.assert_allclose(ours, theirs, 1e-5, 1e-6)


def _save(model, path):
    for suffix in ("keras", "h5"):
        model.save(path.with_suffix(f".{suffix}"))
    path.with_suffix(".json").write_text(model.to_json())
    model.save_weights(path.with_suffix(".weights.h5"))
    np.save(path.with_suffix(".npy"), model(ROWS))


def _read(path, suffix):
    """Whether a saved model computes what it did; else what is wrong."""
    try:
        if suffix == "json":
            model = keras.models.model_from_json(path.with_suffix(".json").read_text())
            model.load_weights(path.with_suffix(".weights.h5"))
        else:
            model = keras.models.load_model(path.with_suffix(f".{suffix}"))
        expected = np.load(path.with_suffix(".npy"))
        np.testing.assert_allclose(model(ROWS), expected, 1e-4, 1e-5)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return None


def write(folder):
    """Runs the checks, and saves the models and what they compute."""
    results = {}
    for name, check in globals().copy().items():
        if name.startswith("check_"):
            print(name, flush=True)
            try:
                check()
                results[check.__doc__] = None
            except Exception as error:
                results[check.__doc__] = f"{type(error).__name__}: {error}"
    for name, build in {**MODELS, **TWINS}.items():
        _save(build(), folder / name)
    versions = {
        "Python": sys.version.split()[0],
        "Keras": keras.__version__,
        "TensorFlow": tf.__version__,
        "NumPy": np.__version__,
    }
    content = {"versions": versions, "checks": results}
    (folder / "checks.json").write_text(json.dumps(content, indent=1))


def read(folder, others):
    """Reads what others have saved."""
    found = {
        other.name: {
            name: {suffix: _read(other / name, suffix) for suffix in SUFFIXES}
            for name in (*MODELS, *TWINS)
        }
        for other in others
    }
    (folder / "read.json").write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    paths = [pathlib.Path(argument) for argument in sys.argv[2:]]
    if sys.argv[1] == "write":
        write(paths[0])
    else:
        read(paths[0], paths[1:])
