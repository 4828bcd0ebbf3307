"""The examples: that they run, keep what they promise, and answer mistakes with one line."""

import importlib
import json
import os
import pathlib
import pickle
import re
import shutil
import signal
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from processes import clusters

EXAMPLES = pathlib.Path(__file__).parents[1] / "examples"
CLASSES = ("cat", "dog", "ship")
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def run(example, *arguments, expected_code=0, **environment):
    """What an example, run in a process of its own, prints on stdout and on stderr."""
    process = start(example, *arguments, **environment)
    output, errors = process.communicate(timeout=120)
    assert process.returncode == expected_code, output + errors
    return output, errors


def start(example, *arguments, **environment):
    # The examples import the package as a user's program does, from wherever it is installed.
    path = os.pathsep.join(filter(None, [str(EXAMPLES.parent), os.environ.get("PYTHONPATH")]))
    settings = {k: v for k, v in os.environ.items() if k != "CIFAR10_DIR"}
    return subprocess.Popen(
        [sys.executable, str(EXAMPLES / example), *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**settings, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1", **environment},
    )


def _config(workers, index, kind="worker"):
    return json.dumps({"cluster": {"worker": workers}, "task": {"type": kind, "index": index}})


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """A folder of images per class, each class in a colour of its own."""
    folder = tmp_path_factory.mktemp("images")
    rng = np.random.default_rng(0)
    for split, count in (("train", 20), ("test", 6)):
        for channel, name in enumerate(CLASSES):
            (folder / split / name).mkdir(parents=True)
            for i in range(count):
                pixels = rng.integers(0, 80, (32, 32, 3), np.uint8)
                pixels[..., channel] += 150
                path = folder / split / name / f"{i:04}.jpg"
                path.write_bytes(tf.io.encode_jpeg(pixels).numpy())
    return folder


@pytest.fixture
def damaged(images, tmp_path):
    """A copy of the folder, for a test to damage."""
    return shutil.copytree(images, tmp_path / "damaged")


@pytest.fixture(scope="module")
def batches(tmp_path_factory):
    """The original files of CIFAR-10 with random pixels, as Python 2 pickled them."""
    folder = tmp_path_factory.mktemp("original") / "cifar-10-batches-py"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for name in [f"data_batch_{i}" for i in range(1, 6)] + ["test_batch"]:
        batch = {
            b"data": rng.integers(0, 256, (20, 3072), np.uint8),
            b"labels": [int(label) for label in np.arange(20) % 10],
            b"batch_label": b"training batch",
        }
        (folder / name).write_bytes(pickle.dumps(batch, protocol=2))
    return folder


@pytest.fixture(scope="module")
def modules():
    """The examples as modules, so that TensorFlow need not be imported once for each mistake."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(EXAMPLES))
        # What the examples set for their processes is not to outlast the tests.
        for name in ("TF_CPP_MIN_LOG_LEVEL", "TF_FORCE_GPU_ALLOW_GROWTH", "NVIDIA_TF32_OVERRIDE"):
            patch.setenv(name, os.environ.get(name, "0"))
        names = ("lenet5_cifar10", "mnist_mlp", "_cifar10", "_devices")
        return {name: importlib.import_module(name) for name in names}


@pytest.fixture
def mistake(modules, capsys, monkeypatch, tmp_path):
    """Runs an example that must fail, and returns its one line."""

    def fail(example, *arguments):
        monkeypatch.chdir(tmp_path)
        monkeypatch.delenv("CIFAR10_DIR", raising=False)
        assert modules[example].main([str(a) for a in arguments]) == 2
        lines = capsys.readouterr().err.splitlines()
        assert len(lines) == 1, lines
        assert lines[0].startswith("error: ")
        assert not (tmp_path / "output").exists()
        return lines[0]

    return fail


def test_lenet5_on_a_folder_of_images(images, tmp_path):
    folder = tmp_path / "made" / "here"
    arguments = ("--data-dir", images, "--epochs", 2, "--batch-size", 8, "--output-dir", folder)
    output, errors = run("lenet5_cifar10.py", *arguments)
    assert "697,046" in output
    assert "Device: " in output
    assert "60 training images and 18 test images" in output
    assert str(images) in output
    assert accuracy(output) == 1.0
    assert re.search(r"^Best validation accuracy: ", output, re.MULTILINE)
    assert difference(output) <= 1e-5
    assert "Traceback" not in errors
    assert sorted(f.name for f in folder.iterdir()) == ["history.csv", "history.png", "model.keras"]
    assert (folder / "history.png").read_bytes().startswith(PNG_SIGNATURE)
    assert tf.io.decode_png((folder / "history.png").read_bytes()).shape[0] > 400
    header, *rows = (folder / "history.csv").read_text().splitlines()
    assert header == "epoch,accuracy,loss,val_accuracy,val_loss"
    assert len(rows) == 2
    model = keras.models.load_model(folder / "model.keras")
    assert model.count_params() == 697_046


def test_lenet5_on_the_original_files(batches, tmp_path):
    # The folder around the files will do as well, and may come from the environment. An
    # activation with weights gives each layer weights of its own.
    weights = 697_046 + 6 + 16 + 120 + 84
    output, _ = run(
        "lenet5_cifar10.py",
        *("--limit", 50, "--epochs", 1, "--output-dir", tmp_path, "--activation", "snake(alpha=2)"),
        CIFAR10_DIR=str(batches.parent),
    )
    assert "50 training images and 10 test images from the original files" in output
    assert f"{weights:,}" in output
    assert difference(output) <= 1e-5


def test_lenet5_on_two_devices(images, tmp_path):
    arguments = ("--data-dir", images, "--epochs", 1, "--output-dir", tmp_path, "--batch-size", 8)
    output, _ = run(
        "lenet5_cifar10.py",
        *(*arguments, "--activation", "snake(alpha=2)", "--distribute", "mirrored", "--devices", 2),
    )
    assert "Device: 2 in all, by a MirroredStrategy" in output
    assert difference(output) <= 1e-5


def test_lenet5_on_two_machines(images, tmp_path):
    arguments = ("--data-dir", images, "--epochs", 1, "--output-dir", tmp_path, "--batch-size", 8)
    workers = [
        start(
            "lenet5_cifar10.py",
            *(*arguments, "--activation", "rrelu", "--distribute", "multiworker"),
            TF_CONFIG=config,
            CUDA_VISIBLE_DEVICES="-1",
            no_proxy="localhost",
        )
        for config in clusters(2)
    ]
    try:
        first, second = (w.communicate(timeout=600) for w in workers)
    finally:
        for worker in workers:
            worker.kill()
    assert [w.returncode for w in workers] == [0, 0], first[1] + second[1]
    assert "Device: 2 in all, by a MultiWorkerMirroredStrategy" in first[0]
    assert accuracy(first[0]) == accuracy(second[0])
    assert difference(first[0]) <= 1e-5
    assert "Saved in" not in second[0]


def test_lenet5_needs_batches_that_can_be_shared():
    arguments = ("--batch-size", 7, "--distribute", "mirrored", "--devices", 2)
    _, errors = run("lenet5_cifar10.py", *arguments, expected_code=2)
    assert "7 images cannot be shared evenly by 2 devices" in errors


def test_lenet5_falls_back_on_digits(tmp_path):
    # No download leaves through a proxy that nobody listens at.
    nowhere = "http://127.0.0.1:9"
    output, _ = run(
        "lenet5_cifar10.py",
        *("--limit", 200, "--epochs", 1, "--activation", "leaky_relu(negative_slope=0.1)"),
        *("--output-dir", tmp_path / "output"),
        KERAS_HOME=str(tmp_path / "keras"),
        https_proxy=nowhere,
        http_proxy=nowhere,
        no_proxy="",
    )
    assert "Using handwritten digits instead" in output
    assert "200 training images and 40 test images from the handwritten digits" in output
    assert (tmp_path / "output" / "model.keras").exists()


@pytest.mark.skipif(
    not os.environ.get("CIFAR10_DIR"), reason="CIFAR10_DIR does not name a folder with CIFAR-10"
)
def test_lenet5_learns_cifar10(tmp_path):
    folder = os.environ["CIFAR10_DIR"]
    arguments = ("--data-dir", folder, "--limit", 2000, "--epochs", 2, "--output-dir", tmp_path)
    arguments = (*arguments, "--rescale")
    output, _ = run("lenet5_cifar10.py", *arguments)
    assert accuracy(output) > 0.15


def test_mnist_mlp():
    output, errors = run("mnist_mlp.py")
    assert "Epoch 20/20" in output
    assert accuracy(output) > 0.95
    assert "Traceback" not in errors


def test_mnist_mlp_on_a_file(modules, tmp_path, capsys):
    rng = np.random.default_rng(0)
    arrays = {}
    for split, count in (("train", 40), ("test", 20)):
        arrays[f"x_{split}"] = rng.integers(0, 256, (count, 28, 28), np.uint8)
        arrays[f"y_{split}"] = (np.arange(count) % 10).astype(np.uint8)
    np.savez(tmp_path / "mnist.npz", **arrays)
    file = str(tmp_path / "mnist.npz")
    arguments = ["--data-file", file, "--epochs", "1", "--activation", "gelu", "--hidden", "3"]
    assert modules["mnist_mlp"].main(arguments) == 0
    output = capsys.readouterr().out
    assert "40 training images and 20 test images" in output
    assert f"{784 * 3 + 3 + 3 * 10 + 10:,}" in output


def test_mnist_mlp_loss_is_that_of_keras(modules):
    logits = tf.constant([[0.0, 1.0, -2.0], [3.0, 0.0, 0.0], [500.0, 0.0, -500.0]])
    labels = tf.constant([1, 0, 2])
    with tf.GradientTape() as tape:
        tape.watch(logits)
        loss = modules["mnist_mlp"].cross_entropy(labels, logits)
    expected = keras.losses.SparseCategoricalCrossentropy(from_logits=True)(labels, logits)
    np.testing.assert_allclose(loss, expected, rtol=1e-6)
    slopes = (tf.nn.softmax(logits) - tf.one_hot(labels, 3)) / 3.0
    np.testing.assert_allclose(tape.gradient(loss, logits), slopes, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("moment", ["importing", "training"])
def test_lenet5_can_be_interrupted(images, tmp_path, moment):
    # Python tells on stderr what it has imported, for the test to know when to interrupt.
    watched, sign = {"importing": ("stderr", "tensorflow"), "training": ("stdout", "Epoch")}[moment]
    process = start(
        "lenet5_cifar10.py",
        *("--data-dir", images, "--epochs", 10_000, "--output-dir", tmp_path),
        **({"PYTHONPROFILEIMPORTTIME": "1"} if moment == "importing" else {}),
    )
    while sign not in getattr(process, watched).readline():
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Interrupted." in errors
    assert "Traceback" not in errors
    assert not list(tmp_path.iterdir())


def test_lenet5_ends_with_code_2_and_one_line(tmp_path):
    arguments = ("--activation", "rleu", "--data-dir", tmp_path / "missing")
    output, errors = run("lenet5_cifar10.py", *arguments, expected_code=2)
    ours = [line for line in errors.splitlines() if line.startswith("error: ")]
    assert len(ours) == 1
    assert "'relu'" in ours[0]
    assert "Traceback" not in errors
    assert output == ""


@pytest.mark.parametrize("example", ["lenet5_cifar10", "mnist_mlp"])
@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--activation", "rleu"), "Did you mean 'relu'"),
        (("--activation", ""), "Could not interpret"),
        (("--activation", "snake(alpha="), "Could not read"),
        (("--activation", "snake(beta=1)"), "Its parameters are: alpha"),
        (("--activation", "swiglu"), "must keep the number of channels"),
        (("--activation", "maxout(num_units=2)"), "must keep the number of channels"),
        (("--activation", "maxout"), "num_units"),
        (("--epochs", "0"), "argument --epochs: expected an integer of at least 1"),
        (("--epochs", "-1"), "argument --epochs: expected an integer of at least 1"),
        (("--epochs", "many"), "argument --epochs: expected an integer of at least 1"),
        (("--batch-size", "0"), "argument --batch-size: expected an integer of at least 1"),
        (("--seed", "-1"), "argument --seed: expected an integer from 0"),
        (("--seed", str(2**32)), "argument --seed: expected an integer from 0"),
        (("--nonsense",), "unrecognized arguments: --nonsense"),
    ],
)
def test_wrong_options(mistake, example, arguments, reason):
    assert reason in mistake(example, *arguments)


def test_wrong_options_of_one_example(mistake):
    assert "--limit: expected" in mistake("lenet5_cifar10", "--limit", 0)
    assert "--hidden: expected" in mistake("mnist_mlp", "--hidden", 0)
    for rate in ("0", "nan", "inf", "fast"):
        assert "--learning-rate: expected" in mistake("mnist_mlp", "--learning-rate", rate)


def test_devices_that_are_missing(mistake, monkeypatch):
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [])
    line = mistake("lenet5_cifar10", "--distribute", "mirrored")
    assert "needs at least 2 GPUs, but TensorFlow sees 0" in line
    assert "add --devices 2" in line
    assert "--distribute: invalid choice: 'both'" in mistake(
        "lenet5_cifar10", "--distribute", "both"
    )
    assert "--devices: expected" in mistake("lenet5_cifar10", "--devices", 0)
    assert "goes with --distribute mirrored" in mistake("lenet5_cifar10", "--devices", 2)


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        (None, "needs the environment variable TF_CONFIG on each machine, such as"),
        ("{", "TF_CONFIG cannot be used: JSONDecodeError"),
        ("[]", "TF_CONFIG cannot be used: TypeError"),
        ('{"cluster": {"ps": []}, "task": {}}', "KeyError: 'worker'"),
        ('{"cluster": {"worker": ["a:1", "b:2"]}}', "KeyError: 'task'"),
        (_config(["a:1", "b:2"], 0, "chief"), "there is another job than worker"),
        (_config(["a", "b:2"], 0), "must be a list of host:port"),
        (_config(["a:1"], 0), "names 1 worker, and --distribute multiworker needs at least 2"),
        (_config(["a:1", "b:2"], 2), "must be from 0 to 1"),
        (_config(["a:1", "b:2"], "first"), "ValueError: invalid literal for int()"),
    ],
)
def test_cluster_that_is_wrong(mistake, monkeypatch, config, reason):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    if config is not None:
        monkeypatch.setenv("TF_CONFIG", config)
    assert reason in mistake("lenet5_cifar10", "--distribute", "multiworker")


def test_folders_that_are_missing(mistake, images, tmp_path):
    missing = tmp_path / "missing"
    assert f"there is no folder {missing}" in mistake("lenet5_cifar10", "--data-dir", missing)
    file = tmp_path / "file"
    file.touch()
    assert "there is no folder" in mistake("lenet5_cifar10", "--data-dir", file)
    assert "no folder train and no folder test" in mistake(
        "lenet5_cifar10", "--data-dir", images / "train"
    )


def test_environment_that_is_wrong(modules, capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("CIFAR10_DIR", str(tmp_path / "missing"))
    assert modules["lenet5_cifar10"].main([]) == 2
    assert "CIFAR10_DIR: there is no folder" in capsys.readouterr().err


def test_folders_that_are_incomplete(mistake, damaged):
    empty = damaged / "train" / "dog"
    shutil.rmtree(empty)
    empty.mkdir()
    (empty / "readme.txt").touch()
    assert f"{empty} has no images" in mistake("lenet5_cifar10", "--data-dir", damaged)
    empty.joinpath("readme.txt").unlink()
    empty.rmdir()
    line = mistake("lenet5_cifar10", "--data-dir", damaged)
    assert f"{damaged / 'train'} has no folder dog, but {damaged / 'test'} has" in line
    shutil.rmtree(damaged / "test" / "ship")
    line = mistake("lenet5_cifar10", "--data-dir", damaged)
    assert f"{damaged / 'test'} has no folder ship" in line
    shutil.rmtree(damaged / "test")
    assert "has no folder test" in mistake("lenet5_cifar10", "--data-dir", damaged)


def test_folders_with_too_many_classes_or_one(mistake, damaged):
    for split in ("train", "test"):
        for i in range(8):
            shutil.copytree(damaged / split / "cat", damaged / split / f"cat{i}")
    assert "has 11 class folders" in mistake("lenet5_cifar10", "--data-dir", damaged)
    for split in ("train", "test"):
        for name in set(os.listdir(damaged / split)) - {"cat"}:
            shutil.rmtree(damaged / split / name)
    assert "has 1 class folders" in mistake("lenet5_cifar10", "--data-dir", damaged)


@pytest.mark.parametrize("content", [b"", b"no image", "truncated"])
def test_image_that_is_unreadable(mistake, damaged, content):
    file = damaged / "test" / "dog" / "0003.jpg"
    file.write_bytes(file.read_bytes()[:600] if content == "truncated" else content)
    assert f"{file} is no JPEG or PNG image" in mistake("lenet5_cifar10", "--data-dir", damaged)


def test_output_folder_that_cannot_be_written(mistake, images, tmp_path):
    file = tmp_path / "file"
    file.touch()
    for folder in (file, file / "below"):
        arguments = ("--data-dir", images, "--output-dir", folder)
        assert f"cannot write in {folder}" in mistake("lenet5_cifar10", *arguments)


class Malicious:
    """Runs a command of the attacker's choice when it is unpickled in the ordinary way."""

    def __init__(self, file):
        self.file = file

    def __reduce__(self):
        return os.system, (f"touch {self.file}",)


def test_original_files_that_are_malicious(mistake, batches, tmp_path):
    folder = shutil.copytree(batches, tmp_path / "copy")
    trace = tmp_path / "trace"
    (folder / "data_batch_3").write_bytes(pickle.dumps({b"data": Malicious(trace)}))
    line = mistake("lenet5_cifar10", "--data-dir", folder)
    assert "data_batch_3 is not a CIFAR-10 batch: it asks for" in line
    assert "system" in line
    assert not trace.exists()


def test_original_files_that_are_damaged(mistake, batches, tmp_path):
    folder = shutil.copytree(batches, tmp_path / "copy")
    file = folder / "test_batch"
    good = file.read_bytes()
    pixels = np.zeros((2, 3072), np.uint8)
    for content in (
        b"",
        good[:-100],
        pickle.dumps({b"labels": [0, 1]}),
        pickle.dumps({b"data": pixels[:, :5], b"labels": [0, 1]}),
        pickle.dumps({b"data": pixels, b"labels": [0]}),
        pickle.dumps({b"data": pixels, b"labels": [0, 10]}),
        pickle.dumps({b"data": pixels.astype(float), b"labels": [0, 1]}),
    ):
        file.write_bytes(content)
        assert f"{file} is not a CIFAR-10 batch" in mistake("lenet5_cifar10", "--data-dir", folder)
    file.unlink()
    assert f"There is no {file}" in mistake("lenet5_cifar10", "--data-dir", folder)


@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_original_files_of_any_pickle_protocol(modules, batches, tmp_path, protocol):
    batch = pickle.loads((batches / "test_batch").read_bytes())
    (tmp_path / "batch").write_bytes(pickle.dumps(batch, protocol=protocol))
    images, labels = modules["_cifar10"]._read_batch(tmp_path / "batch")
    assert images[3, 4, 5].tolist() == batch[b"data"][3].reshape(3, 32, 32)[:, 4, 5].tolist()
    assert labels.tolist() == batch[b"labels"]


def test_data_from_keras(modules, monkeypatch):
    pixels = np.zeros((40, 32, 32, 3), np.uint8)
    labels = np.arange(40)[:, np.newaxis] % 10
    monkeypatch.delenv("CIFAR10_DIR", raising=False)
    monkeypatch.setattr(
        keras.datasets.cifar10, "load_data", lambda: ((pixels, labels), (pixels, labels))
    )
    data = modules["_cifar10"].load(None, None, seed=0)
    assert data.source == "Keras"
    assert data.train[1].shape == (40,)


def test_limit_draws_balanced_and_repeatably(modules, images):
    load = modules["_cifar10"].load
    first, again, other = (load(str(images), 10, seed) for seed in (1, 1, 2))
    assert sorted(np.bincount(first.train[1])) == [3, 3, 4]
    assert len(first.test[0]) == 2
    np.testing.assert_array_equal(first.train[0], again.train[0])
    assert not np.array_equal(first.train[0], other.train[0])
    assert first.train[0].dtype == np.uint8
    everything = load(str(images), 10_000, 0)
    assert (len(everything.train[0]), len(everything.test[0])) == (60, 18)


def test_images_of_other_sizes_and_kinds_are_resized(modules, tmp_path):
    for split in ("train", "test"):
        for name, shape in (("grey", (64, 40, 1)), ("clear", (16, 16, 4))):
            (tmp_path / split / name).mkdir(parents=True)
            png = tf.io.encode_png(np.full(shape, 200, np.uint8)).numpy()
            (tmp_path / split / name / "a.PNG").write_bytes(png)
    data = modules["_cifar10"].load(str(tmp_path), None, 0)
    assert data.train[0].shape == (2, 32, 32, 3)
    assert np.all(data.train[0] == 200)


def test_reloaded_model_that_predicts_something_else_is_noticed(modules, tmp_path):
    lenet5 = modules["lenet5_cifar10"]
    lenet5.lenet5("relu").save(tmp_path / "other.keras")
    images = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3), np.uint8)
    with pytest.raises(SystemExit, match="predicts something else"):
        lenet5._compare(lenet5.lenet5("relu"), tmp_path / "other.keras", images)


def test_curves_without_matplotlib(modules, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    modules["lenet5_cifar10"]._save_curves({}, tmp_path / "history.png", "title", None)
    assert capsys.readouterr().out.count("pip install 'keras_activations[examples]'") == 1
    assert not list(tmp_path.iterdir())


def accuracy(output):
    return float(re.search(r"^Test accuracy: (\S+)", output, re.MULTILINE)[1])


def difference(output):
    return float(re.search(r"predictions differ by (\S+)", output)[1])
