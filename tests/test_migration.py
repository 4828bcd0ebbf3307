"""Models of Keras 2 and TensorFlow Addons: by the import alone, and by `migrate`."""

import functools
import json
import os
import pathlib
import shutil
import warnings
import zipfile

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_activations as ka
from keras_activations.cli import main

KERAS2 = pathlib.Path(__file__).parent / "data" / "keras2.zip"
OLD_MODELS = os.environ.get("OLD_MODELS_DIR")


def _cases():
    """The models that data/save_keras2.py saved, a parameter for each file."""
    with zipfile.ZipFile(KERAS2) as archive:
        for version in ("2.12", "2.15"):
            for case in json.loads(archive.read(f"{version}/cases.json")):
                for suffix in ("h5", "keras"):
                    name = f"{version}/{case['name']}.{suffix}"
                    yield pytest.param(name, case, id=name)


@pytest.fixture(scope="module")
def keras2(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keras2")
    with zipfile.ZipFile(KERAS2) as archive:
        archive.extractall(folder)
    return folder


def _migrated(source, target, names=None):
    """What `migrate` wrote, as Keras loads it, and the text of its warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        ka.migrate(source, target, names, verbose=0)
    custom = {"my_own": my_own}
    return keras.models.load_model(target, custom), [str(w.message) for w in caught]


@pytest.mark.parametrize(("name", "case"), list(_cases()))
def test_migrated_models_compute_what_they_did(name, case, keras2, tmp_path):
    path = keras2 / name
    before = path.read_bytes()
    model, _ = _migrated(path, tmp_path / "new.keras", case["names"])
    assert path.read_bytes() == before
    arrays = np.load(path.with_suffix(".npz"))
    inputs = [arrays[key] for key in arrays if key.startswith("x")]
    inputs = dict(zip(case["keys"], inputs, strict=True)) if case["keys"] else inputs
    outputs = keras.tree.flatten(model(inputs if len(inputs) > 1 else inputs[0], training=False))
    half = any(layer.compute_dtype == "float16" for layer in model.layers)
    for number, y in enumerate(outputs):
        tolerance = 2e-3 if half else 2e-6
        np.testing.assert_allclose(y, arrays[f"y{number}"], rtol=tolerance, atol=tolerance)


def test_it_says_what_it_changed_and_what_it_could_not_know(keras2, tmp_path, capsys):
    with pytest.warns(UserWarning, match=r"gelu_tanh.*\(dense\)"):
        ka.migrate(keras2 / "2.15" / "meant_otherwise.h5", tmp_path / "a.keras")
    ka.migrate(keras2 / "2.15" / "recurrent.keras", tmp_path / "b.keras")
    lines = capsys.readouterr().out.splitlines()
    gates = "bidirectional/lstm, rnn/stacked_rnn_cells/lstm_cell, gru"
    assert f"hard_sigmoid -> hard_sigmoid_keras2: {gates}" in lines
    assert "Addons>lisht -> lisht: rnn/stacked_rnn_cells/gru_cell" in lines
    assert any(line.startswith("tf.math.multiply -> keras.ops.multiply: ") for line in lines)
    assert any(line.startswith("time_major=False -> no such argument: ") for line in lines)


def test_names_that_nobody_knows_are_all_in_one_error_and_nothing_is_written(keras2, tmp_path):
    target = tmp_path / "folder" / "new.keras"
    with pytest.raises(ValueError, match=r"dense, activation_1: nobody knows.*'own'"):
        ka.migrate(keras2 / "2.15" / "registered.h5", target)
    with pytest.raises(ValueError, match=r"names=\{'code'") as raised:
        ka.migrate(keras2 / "2.15" / "code.keras", target)
    assert "names={'lambda'" in str(raised.value)
    with pytest.raises(ValueError, match="silu with beta"):
        ka.migrate(keras2 / "2.15" / "code.keras", target, {"code": "lisht", "lambda": "mish"})
    assert not target.parent.exists()
    with pytest.warns(UserWarning, match=r"no activation 'onw'.*Did you mean 'own'"):
        ka.migrate(keras2 / "2.15" / "registered.h5", target, {"own": "relu", "onw": "relu"})


def test_files_that_are_no_models_are_named(keras2, tmp_path):
    target = tmp_path / "new.keras"
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
    model.export(tmp_path / "saved_model", verbose=False)
    model.save_weights(tmp_path / "a.weights.h5")
    (tmp_path / "text.h5").write_text("text")
    (tmp_path / "empty.keras").write_bytes(b"")
    whole = (keras2 / "2.15" / "shared.keras").read_bytes()
    (tmp_path / "half.keras").write_bytes(whole[: len(whole) // 2])
    whole = (keras2 / "2.15" / "shared.h5").read_bytes()
    (tmp_path / "half.h5").write_bytes(whole[: len(whole) // 2])
    for name, message in {
        "saved_model": "TFSMLayer",
        "a.weights.h5": "load_weights",
        "text.h5": "damaged",
        "empty.keras": "damaged",
        "half.keras": "damaged",
        "half.h5": "damaged",
        ".": "folder",
    }.items():
        with pytest.raises(ValueError, match=message):
            ka.migrate(tmp_path / name, target)
    with pytest.raises(FileNotFoundError, match="no file"):
        ka.migrate(tmp_path / "absent.h5", target)
    with pytest.raises(ValueError, match=r"\.keras file"):
        ka.migrate(keras2 / "2.15" / "shared.h5", tmp_path / "new.h5")
    assert not target.exists()
    target.write_text("mine")
    with pytest.raises(FileExistsError, match="exists"):
        ka.migrate(keras2 / "2.15" / "shared.h5", target)
    with pytest.raises(FileExistsError, match="exists"):
        ka.migrate(target, target)
    assert target.read_text() == "mine"


def _edited(source, target, edit):
    """A copy of an HDF5 model with another config."""
    shutil.copyfile(source, target)
    with h5py.File(target, "r+") as file:
        config = edit(json.loads(file.attrs["model_config"]))
        file.attrs["model_config"] = json.dumps(config).encode()
    return target


def test_hostile_configs_end_in_an_error(keras2, tmp_path):
    source = keras2 / "2.15" / "trained.h5"
    evil = tmp_path / "evil"

    def layer(change):
        def edit(config):
            config["config"]["layers"][1]["config"].update(change)
            return config

        return edit

    deep = "[" * 5000 + "]" * 5000
    call = f"__import__('pathlib').Path({str(evil)!r}).touch()"
    edits = [
        layer({"activation": call}),
        layer({"activation": {"class_name": "__lambda__", "config": {"code": "4wEA"}}}),
        layer(
            {"activation": {"module": "os", "class_name": "system", "config": {"command": "touch"}}}
        ),
        layer({"time_major": True, "units": "many"}),
        layer({"units": 10**15}),
        layer({"activation": {"class_name": "function", "config": ["relu"]}}),
        lambda config: {"class_name": "Sequential", "config": {"layers": [{}]}},
        lambda config: {
            "class_name": "Functional",
            "config": {"layers": 1, "input_layers": [], "output_layers": []},
        },
        lambda config: [],
        lambda config: {"class_name": "os.system", "config": {"name": "x", "trainable": True}},
    ]
    for number, edit in enumerate(edits):
        path = _edited(source, tmp_path / f"{number}.h5", edit)
        with pytest.raises(ValueError):  # noqa: PT011
            ka.migrate(path, tmp_path / "new.keras", verbose=0)

    shutil.copyfile(source, tmp_path / "deep.h5")
    with h5py.File(tmp_path / "deep.h5", "r+") as file:
        file.attrs["model_config"] = f'{{"class_name": "Sequential", "config": {deep}}}'.encode()
    with pytest.raises(ValueError, match="deep"):
        ka.migrate(tmp_path / "deep.h5", tmp_path / "new.keras")
    assert not evil.exists()
    assert not (tmp_path / "new.keras").exists()


def test_weights_that_would_go_to_another_layer_are_noticed(keras2, tmp_path):
    path = shutil.copyfile(keras2 / "2.15" / "equal_shapes.h5", tmp_path / "old.h5")
    with h5py.File(path, "r+") as file:
        names = list(file["model_weights"].attrs["layer_names"])
        a, z = names.index("a"), names.index("z")
        names[a], names[z] = names[z], names[a]
        file["model_weights"].attrs["layer_names"] = names
    with pytest.raises(ValueError, match="did not arrive"):
        ka.migrate(path, tmp_path / "new.keras")


def test_weights_exchanged_inside_a_nested_model_are_noticed(keras2, tmp_path):
    path = shutil.copyfile(keras2 / "2.15" / "frozen.h5", tmp_path / "old.h5")
    with h5py.File(path, "r+") as file:
        inner = file["model_weights"]["model"]
        names = list(inner.attrs["weight_names"])
        first, second = (i for i, name in enumerate(names) if "kernel" in str(name))
        names[first], names[second] = names[second], names[first]
        inner.attrs["weight_names"] = names
    with pytest.raises(ValueError, match="did not arrive"):
        ka.migrate(path, tmp_path / "new.keras")


def test_weights_that_a_keras_file_has_and_the_model_has_not_are_noticed(keras2, tmp_path):
    path = tmp_path / "old.keras"
    with zipfile.ZipFile(keras2 / "2.15" / "trained.keras") as old:
        old.extractall(tmp_path)
    with h5py.File(tmp_path / "model.weights.h5", "r+") as file:
        file["layers"].create_dataset("elsewhere/vars/0", data=np.ones(3, "float32"))
    with zipfile.ZipFile(path, "w") as new:
        for name in ("config.json", "metadata.json", "model.weights.h5"):
            new.write(tmp_path / name, name)
    with pytest.raises(ValueError, match=r"elsewhere.*did not arrive"):
        ka.migrate(path, tmp_path / "new.keras")


@pytest.mark.parametrize("suffix", ["h5", "keras"])
@pytest.mark.parametrize("version", ["2.12", "2.15"])
def test_frozen_layers_stay_frozen_and_the_others_trainable(version, suffix, keras2, tmp_path):
    model = ka.migrate(keras2 / version / f"frozen.{suffix}", tmp_path / "new.keras", verbose=0)
    first, second = (la for la in model.layers if isinstance(la, keras.Model))
    assert (first.trainable, second.trainable) == (True, False)
    assert [la.trainable for la in first.layers[1:]] == [False, True, True]
    assert not any(la.trainable for la in second.layers[1:])
    assert model.layers[-1].trainable


def test_the_compiled_state_is_kept_or_missed(keras2, tmp_path):
    for number, name in enumerate(("trained.keras", "trained_graph.keras", "trained_graph.h5")):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model = ka.migrate(keras2 / "2.15" / name, tmp_path / f"{number}.keras", verbose=0)
        assert model.compiled or any("compile it again" in str(w.message) for w in caught)
    source = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, activation=my_own)])
    source.compile("adam", "mse")
    source.save(tmp_path / "old.keras")
    with pytest.warns(UserWarning, match="compile it again: it got other layers"):
        ka.migrate(tmp_path / "old.keras", tmp_path / "b.keras", {"my_own": "swish(beta=2.0)"})


def test_long_lists_of_names_are_read(keras2, tmp_path):
    path = shutil.copyfile(keras2 / "2.15" / "equal_shapes.h5", tmp_path / "old.h5")
    with h5py.File(path, "r+") as file:
        attributes = file["model_weights"].attrs
        names = list(attributes["layer_names"])
        del attributes["layer_names"]
        attributes["layer_names0"], attributes["layer_names1"] = names[:3], names[3:]
    model, _ = _migrated(path, tmp_path / "new.keras")
    arrays = np.load(keras2 / "2.15" / "equal_shapes.npz")
    np.testing.assert_allclose(model(arrays["x0"]), arrays["y0"], rtol=1e-6, atol=1e-6)
    a, z = names.index("a"), names.index("z")
    names[a], names[z] = names[z], names[a]
    with h5py.File(path, "r+") as file:
        attributes = file["model_weights"].attrs
        attributes["layer_names0"], attributes["layer_names1"] = names[:3], names[3:]
    with pytest.raises(ValueError, match="did not arrive"):
        ka.migrate(path, tmp_path / "other.keras")


@pytest.mark.parametrize("function", ["linalg.trace", "linalg.diag", "linalg.svd", "shape"])
def test_what_keras_calls_by_the_same_name_is_not_taken_for_it(function, keras2, tmp_path):
    def edit(config):
        inner = next(la for la in config["config"]["layers"] if la["class_name"] == "Functional")
        layers = inner["config"]["layers"]
        call = next(la for la in layers if la["class_name"] == "TFOpLambda")
        call["config"]["function"] = function
        return config

    path = _edited(keras2 / "2.15" / "nested.h5", tmp_path / "old.h5", edit)
    with pytest.raises(ValueError, match=rf"no operation tf\.{function}"):
        ka.migrate(path, tmp_path / "new.keras")


def test_operations_get_other_names_than_layers(keras2, tmp_path):
    keras.backend.clear_session()  # As in a new process, where Keras counts from the start.
    model = ka.migrate(keras2 / "2.15" / "convolutional.h5", tmp_path / "new.keras", verbose=0)
    assert isinstance(model.get_layer("multiply"), keras.layers.Multiply)


def _named(name):
    def function(x):
        return x

    function.__name__ = name
    return function


def test_names_are_a_mapping_and_may_be_classes(keras2, tmp_path):
    source = keras2 / "2.15" / "registered.h5"
    with pytest.raises(TypeError, match="must be a mapping"):
        ka.migrate(source, tmp_path / "new.keras", ["own"])
    for theirs in ("gelu", "snake"):
        function = lambda x: x  # noqa: E731
        with pytest.raises(ValueError, match="a function without a name"):
            ka.migrate(source, tmp_path / "new.keras", {"own": function})
        function.__name__ = theirs
        with pytest.raises(ValueError, match=f"called {theirs}"):
            ka.migrate(source, tmp_path / "new.keras", {"own": function})
    partial = functools.partial(ka.snake, alpha=2.0)
    with pytest.raises(ValueError, match=r"a function without a name.*parameter=0.1"):
        ka.migrate(source, tmp_path / "new.keras", {"own": partial})
    with pytest.raises(TypeError, match="must be one of layers"):
        ka.migrate(source, tmp_path / "new.keras", {"own": int})
    with pytest.raises(ValueError, match="two functions that are called same"):
        ka.migrate(source, tmp_path / "new.keras", {"own": _named("same"), "o": _named("same")})
    for gated in ("swiglu", ka.SwiGLU, ka.CReLU()):
        with pytest.raises(ValueError, match=r"keeps the number of channels.* of 2520"):
            ka.migrate(source, tmp_path / "new.keras", {"own": gated})
    names = {"own": ka.Swish, "nowhere": ka.Snake()}
    with pytest.warns(UserWarning, match="no activation 'nowhere'"):
        model = ka.migrate(source, tmp_path / "new.keras", names, verbose=0)
    assert isinstance(model.layers[0].activation, ka.Swish)


def test_time_major_input_is_refused(keras2, tmp_path):
    def edit(config):
        config["config"]["layers"][4]["config"]["time_major"] = True
        return config

    path = _edited(keras2 / "2.15" / "recurrent.h5", tmp_path / "old.h5", edit)
    with pytest.raises(ValueError, match="time_major=True is nothing that Keras 3 can do"):
        ka.migrate(path, tmp_path / "new.keras")


def test_hdf5_named_keras_and_a_sequential_model_of_the_first_keras(keras2, tmp_path):
    def edit(config):
        layers = config["config"]["layers"]
        return {
            "class_name": "Sequential",
            "config": [it for it in layers if it["class_name"] != "InputLayer"],
        }

    path = _edited(keras2 / "2.15" / "trained.h5", tmp_path / "old.keras", edit)
    with h5py.File(path, "r+") as file:
        file.attrs["keras_version"] = "2.1.6"
        del file.attrs["training_config"]
    model, _ = _migrated(path, tmp_path / "new.keras")
    arrays = np.load(keras2 / "2.15" / "trained.npz")
    np.testing.assert_allclose(model(arrays["x0"]), arrays["y0"], rtol=1e-6, atol=1e-6)


def my_own(x):
    return x * tf.tanh(2.0 * x)


def test_a_function_of_the_callers_takes_the_place_of_a_name(keras2, tmp_path):
    source = keras2 / "2.15" / "registered.keras"
    model = ka.migrate(source, tmp_path / "new.keras", {"own": my_own}, verbose=0)
    assert model.layers[0].activation is my_own
    with pytest.raises((TypeError, ValueError), match="my_own"):
        keras.models.load_model(tmp_path / "new.keras")
    keras.models.load_model(tmp_path / "new.keras", custom_objects={"my_own": my_own})


def test_models_of_keras_3_are_read_too(tmp_path):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, activation=my_own)])
    model.compile("adam", "mse")
    model.save(tmp_path / "old.keras")
    new, _ = _migrated(tmp_path / "old.keras", tmp_path / "new.keras", {"my_own": "mish"})
    assert new.layers[0].activation is keras.activations.mish
    assert new.compiled
    np.testing.assert_array_equal(new.get_weights()[0], model.get_weights()[0])


@pytest.mark.parametrize("new", ["mish", "swish(beta=1.5)"])
def test_what_takes_the_place_of_code_computes_in_its_dtype(new, tmp_path):
    make = [keras.Input((3,), dtype="float64"), keras.layers.Dense(2, dtype="float64")]
    code = keras.layers.Lambda(lambda x: 2 * x, name="code", dtype="float64")
    keras.Sequential([*make, code]).save(tmp_path / "old.keras")
    model, _ = _migrated(tmp_path / "old.keras", tmp_path / "new.keras", {"code": new})
    assert [layer.dtype_policy.name for layer in model.layers] == ["float64"] * 2


@pytest.mark.parametrize("policy", ["mixed_float16", "float64"])
def test_the_precision_is_the_files_and_not_the_sessions(policy, keras2, tmp_path, global_policy):
    old = tmp_path / "old.h5"
    shutil.copy(keras2 / "2.15" / "operations.h5", old)
    with h5py.File(old, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        for layer in config["config"]["layers"]:
            assert layer["config"].pop("dtype") == "float32"
        file.attrs["model_config"] = json.dumps(config)
    global_policy(policy)
    model, _ = _migrated(old, tmp_path / "new.keras")
    assert keras.config.dtype_policy().name == policy
    assert {tensor.dtype for tensor in (*model.inputs, *model.outputs)} == {"float32"}
    layers = [layer for layer in model.layers[1:] if isinstance(layer, keras.layers.Layer)]
    assert {layer.dtype_policy.name for layer in layers} == {"float32"}


def test_command(keras2, tmp_path, capsys):
    folder = keras2 / "2.15"
    sources = [folder / name for name in ("registered.h5", "meant_otherwise.h5", "nothing.h5")]
    arguments = ["migrate", *map(str, sources), "--output", str(tmp_path / "new"), "--name"]
    assert main([*arguments, "own=ka.mish"]) == 1
    captured = capsys.readouterr()
    assert "own -> mish: dense, activation_1" in captured.out
    assert "no activation 'own'" in captured.err
    assert "There is no file" in captured.err
    written = sorted(path.name for path in (tmp_path / "new").iterdir())
    assert written == ["meant_otherwise.keras", "registered.keras"]
    assert main(["migrate", str(sources[1]), "--output", str(tmp_path / "one.keras")]) == 0
    assert "gelu=gelu_tanh" not in capsys.readouterr().out
    assert (tmp_path / "one.keras").exists()
    assert main(["migrate", str(sources[1]), "--output", str(tmp_path / "one.h5")]) == 1
    assert "must be a .keras file" in capsys.readouterr().err
    assert main(["migrate", *map(str, sources), "--output", str(tmp_path / "two.keras")]) == 2
    assert "must be a folder" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new", "one.keras"]
    assert main(["migrate", str(sources[0]), "--name", "own"]) == 2
    assert "OLD=NEW" in capsys.readouterr().err


def _addons():
    return [(info, name) for info in ka.catalogue() for name in info.addons]


@pytest.mark.parametrize(("info", "name"), _addons(), ids=lambda it: getattr(it, "name", it))
def test_names_of_addons_load_by_the_import_alone_and_are_saved_under_ours(info, name):
    if not name.islower():
        config = {"name": "a", "trainable": True, "dtype": "float32"}
        config |= {"num_units": 2} if "num_units" in info.parameters else {}
        old = {"module": None, "class_name": name, "registered_name": f"Addons>{name}"}
        layer = keras.saving.deserialize_keras_object({**old, "config": config})
        assert type(layer) is info.layer
        assert keras.saving.serialize_keras_object(layer)["registered_name"] == (
            f"keras_activations>{info.layer.__name__}"
        )
        return
    layer = keras.layers.Dense(2, activation=f"Addons>{name}")
    assert layer.activation is info.function
    assert "Addons" not in json.dumps(layer.get_config())


def _old_models():
    """The files of the larger collection, of which each says what it needs."""
    if OLD_MODELS is None:
        yield pytest.param(None, None, marks=pytest.mark.skip("OLD_MODELS_DIR is not set"))
        return
    for case in json.loads((pathlib.Path(OLD_MODELS) / "manifest.json").read_text())["cases"]:
        for suffix in ("h5", "keras"):
            if suffix in case["files"]:
                yield pytest.param(case, case["files"][suffix], id=case["files"][suffix])


def _names(case):
    """What the program that saved a model knew, and its file does not say."""
    name, group = case["case"], case["group"]
    names = {}
    if "mypkg>bar" in case["needs"]:
        names["mypkg>bar"] = my_own
    if "foo" in case["needs"]:
        names["foo"] = "lisht"
    if "swish" in name and group == "custom_objects idiom":
        names["swish"] = "swish(beta=1.5)"
    if name.endswith("lambda_gelu_exact"):
        names["d"] = "gelu"
    elif "gelu" in name and group in ("tfa function", "tfa string", "custom_objects idiom"):
        # Keras 2.12 said whose it was; a plain string was Keras's own.
        lost = "Addons>gelu" not in json.dumps(case.get("h5_config")) and "plainstr" not in name
        names |= {"gelu": "gelu_tanh"} if lost else {}
    if name.endswith("lambda_layer_mish"):
        names["lam"] = "mish"
    return names


def _of_addons():
    """Those of the larger collection for which the import is enough."""
    for it in _old_models():
        case, _ = it.values
        if case is None or (
            any(need.startswith("Addons>") for need in case["needs"])
            and not _names(case)
            # Keras 3 refuses the functional and the recurrent ones, whatever the activation.
            and not any(word in case["case"] for word in ("functional", "lstm"))
        ):
            yield it


@pytest.mark.parametrize(("case", "file"), list(_of_addons()))
def test_models_of_addons_load_by_the_import_alone(case, file, tmp_path):
    path = pathlib.Path(OLD_MODELS) / file
    if file.startswith("k212_") and path.suffix == ".keras":
        pytest.skip("Keras 3 does not find the weights in the files of Keras 2.12")
    if file.startswith("k212_tfa_fn_") and keras.__version__.startswith("3.10."):
        pytest.skip("Keras 3.10 fails on any registered function in an .h5 file of Keras 2.12")
    model = keras.models.load_model(path)
    model.save(tmp_path / "new.keras")
    with zipfile.ZipFile(tmp_path / "new.keras") as archive:
        assert b"Addons" not in archive.read("config.json")
    for it in (model, keras.models.load_model(tmp_path / "new.keras")):
        y = it(np.load(path.parent / case["x"]), training=False)
        np.testing.assert_allclose(y, np.load(path.parent / case["y"]), rtol=1e-5, atol=2e-6)


@pytest.mark.parametrize(("case", "file"), list(_old_models()))
def test_old_models_compute_what_they_did(case, file, tmp_path):
    folder = pathlib.Path(OLD_MODELS)
    model, _ = _migrated(folder / file, tmp_path / "new.keras", _names(case))
    x = tf.constant(np.load(folder / case["x"]))
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = model(x, training=False)
        weights = tf.reshape(tf.cos(tf.range(tf.size(y), dtype=tf.float32)), y.shape)
        total = tf.reduce_sum(y * weights)
    np.testing.assert_allclose(y, np.load(folder / case["y"]), rtol=1e-5, atol=2e-6)
    if "dx" in case:
        expected = np.load(folder / case["dx"])
        np.testing.assert_allclose(tape.gradient(total, x), expected, rtol=1e-4, atol=1e-5)
