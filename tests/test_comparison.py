"""Comparisons: fair, resumable, and no surer than their seeds allow."""

import csv
import functools
import json
import os
import pathlib
import shlex
import signal
import subprocess
import sys
import time

import keras
import numpy as np
import pytest
import tensorflow as tf
from matplotlib import pyplot
from scipy import stats

import keras_activations as ka
from keras_activations import cli
from keras_activations.comparison import Comparison

X = np.random.default_rng(0).normal(size=(48, 4)).astype("float32")
Y = (X[:, 0] * X[:, 1] > 0).astype("int32")
DATA = (X, Y)


def build(
    activation,
    optimizer="adam",
    loss="sparse_categorical_crossentropy",
    start="zeros",
    dtype="float32",
):
    model = keras.Sequential(
        [
            keras.layers.Dense(8, activation, bias_initializer=start, dtype=dtype),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )
    # Eagerly: a graph for each run would cost most of the time.
    model.compile(optimizer, loss, metrics=["accuracy"], run_eagerly=True)
    return model


def compare(*activations, **options):
    options = {"build_fn": build, "seeds": 2, "epochs": 2, "batch_size": 16} | options
    return ka.compare(activations, DATA, DATA, **options)


def runs(histories, metric="accuracy"):
    """Runs as `compare` makes them, of given validation curves."""
    return [
        {
            "activation": name,
            "seed": seed,
            "step": step,
            "history": {"loss": curve, "val_loss": curve, f"val_{metric}": curve},
        }
        for name, (curves, step) in histories.items()
        for seed, curve in enumerate(curves)
    ]


def test_the_same_function_under_two_names_trains_the_same_way():
    """From the same weights, on the same batches."""

    def drawing(activation):
        model = build(activation)
        if activation != "relu":
            tf.random.uniform([])  # As an activation may that is random itself.
        return model

    found = compare("relu", "leaky_relu(negative_slope=0.0)", build_fn=drawing)
    by_seed = {}
    for run in found.runs:
        by_seed.setdefault(run["seed"], []).append(run["history"])
    for one, other in by_seed.values():
        for name, values in one.items():
            np.testing.assert_allclose(values, other[name], rtol=1e-5)
    assert by_seed[0][0]["loss"] != by_seed[1][0]["loss"]


def test_all_activations_start_from_the_same_weights():
    models = []

    def remembered(activation):
        models.append(build(activation, keras.optimizers.SGD(0.0)))
        return models[-1]

    compare("relu", "snake", "prelu", build_fn=remembered, epochs=1)
    kernels = [model.layers[0].kernel.numpy() for model in models[3:]]  # Three only looked at.
    for first in (0, 3):
        for kernel in kernels[first : first + 3]:
            np.testing.assert_array_equal(kernel, kernels[first])
    assert np.any(kernels[0] != kernels[3])


def test_an_interrupted_comparison_goes_on(tmp_path):
    whole = compare("relu", "tanh")
    trained = []

    def counted(activation):
        trained.append(activation)
        if len(trained) == 5:
            raise KeyboardInterrupt
        return build(activation)

    with pytest.raises(KeyboardInterrupt):
        compare("relu", "tanh", build_fn=counted, folder=tmp_path)
    lines = (tmp_path / "runs.jsonl").read_text().splitlines()
    assert json.loads(lines[1])["job"]["command"] == shlex.join(sys.argv)
    assert sum('"training"' in line for line in lines) == 2
    found = compare("relu", "tanh", build_fn=counted, folder=tmp_path)
    assert len(trained) == 5 + 2 + 2  # Two are looked at, two trained.
    for run, expected in zip(found.runs, whole.runs, strict=True):
        assert (run["activation"], run["seed"]) == (expected["activation"], expected["seed"])
        np.testing.assert_allclose(run["history"]["loss"], expected["history"]["loss"], rtol=1e-4)
    # Nothing to train: looked at, and the rest read.
    again = compare("relu", "tanh", build_fn=counted, folder=tmp_path)
    assert (len(trained), again.runs) == (11, found.runs)
    # More of both: only what is new.
    more = compare("relu", "tanh", "elu", build_fn=counted, folder=tmp_path, seeds=3)
    assert (len(trained), len(more.runs)) == (11 + 3 + 5, 9)


def noisy(activation):
    """In a graph, with all kinds of state: moments, moving averages, seeds, compiled kernels."""
    layers = keras.layers
    return keras.Sequential(
        [
            layers.Conv2D(12, 3, activation=activation),
            layers.BatchNormalization(),
            layers.Dropout(0.2),
            ka.RReLU(),
            ka.GumbelSoftmax(),
            layers.Flatten(),
            layers.Dense(2, activation="softmax"),
        ]
    )


# The last batch has another shape, and is large enough for a compiled kernel.
IMAGES = np.random.default_rng(2).normal(size=(112, 16, 16, 1)).astype("float32")
IMAGES = IMAGES, (IMAGES[:, 8, 8, 0] > 0.0).astype("int32")
compare_noisy = functools.partial(
    ka.compare,
    ["snake"],
    IMAGES,
    IMAGES,
    build_fn=noisy,
    seeds=1,
    epochs=4,
    batch_size=64,
)


def histories(found):
    return [run["history"] for run in found.runs]


def test_a_killed_run_goes_on_to_the_history_that_it_would_have_had(tmp_path):
    """To the last bit, although the process died in the middle of an epoch."""
    script = """
import sys, time, keras, test_comparison
class Slow(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        time.sleep(0.2)
fit = keras.Model.fit
keras.Model.fit = lambda *args, callbacks=(), **kw: fit(*args, callbacks=[*callbacks, Slow()], **kw)
test_comparison.compare_noisy(folder=sys.argv[1])
"""
    unfinished = tmp_path / "unfinished.npz"
    paths = os.pathsep.join([str(pathlib.Path(__file__).parent), *filter(None, sys.path)])
    process = subprocess.Popen(
        [sys.executable, "-c", script, tmp_path], env={**os.environ, "PYTHONPATH": paths}
    )

    def epochs():
        if not unfinished.exists():
            return 0
        with np.load(unfinished) as kept:
            return len(json.loads(str(kept["about"]))["times"])

    while epochs() < 2:
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert epochs() < 4
    whole = histories(compare_noisy())
    found = compare_noisy(folder=tmp_path)
    assert histories(found) == whole
    assert len(set(whole[0]["loss"])) == 4
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"runs.jsonl", "table.txt", "summary.csv", "curves.csv", "curves.png"}


def test_a_metric_that_there_is_not_is_named_before_the_first_run():
    built = []

    def counted(activation):
        built.append(activation)
        return build(activation)

    with pytest.raises(ValueError, match=r"no metric 'f1'.*accuracy"):
        compare("relu", "tanh", build_fn=counted, metric="f1", epochs=1)
    assert built == ["relu"]


def test_a_state_of_another_run_is_not_gone_on_with(tmp_path, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(keras.callbacks.TerminateOnNaN, "on_epoch_end", interrupted)
        with pytest.raises(KeyboardInterrupt):
            compare("relu", folder=tmp_path)
    assert (tmp_path / "unfinished.npz").exists()
    # Another optimizer has another state.
    plain = functools.partial(build, optimizer="sgd")
    found = compare("relu", build_fn=plain, folder=tmp_path)
    assert histories(found) == histories(compare("relu", build_fn=plain))
    assert not (tmp_path / "unfinished.npz").exists()


def test_a_run_that_is_done_but_not_written_down_is_not_trained_again(tmp_path, monkeypatch):
    def scaled(activation):
        optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam())
        return build(activation, optimizer)

    def interrupted(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("keras_activations.comparison.keep", interrupted)
        with pytest.raises(KeyboardInterrupt):
            compare("relu", build_fn=scaled, seeds=1, folder=tmp_path)
    with np.load(tmp_path / "unfinished.npz") as kept:
        history = json.loads(str(kept["about"]))["history"]
    assert histories(compare("relu", build_fn=scaled, seeds=1, folder=tmp_path)) == [history]
    assert len(history["loss"]) == 2


def test_other_data_or_models_are_not_taken_for_the_same(tmp_path):
    compare("relu", folder=tmp_path, seeds=1, epochs=1)
    first = (tmp_path / "runs.jsonl").read_text().count('"training"')
    ka.compare(["relu"], (X + 1, Y), DATA, build_fn=build, seeds=1, epochs=1, folder=tmp_path)

    def larger(activation):
        return keras.Sequential([keras.layers.Dense(9, activation), *build(activation).layers])

    compare("relu", build_fn=larger, folder=tmp_path, seeds=1, epochs=1)
    slower = functools.partial(build, optimizer=keras.optimizers.Adam(1e-4))
    compare("relu", build_fn=slower, folder=tmp_path, seeds=1, epochs=1)
    otherwise = functools.partial(build, start="ones")
    compare("relu", build_fn=otherwise, folder=tmp_path, seeds=1, epochs=1)
    rounded = functools.partial(build, dtype="mixed_bfloat16")
    compare("relu", build_fn=rounded, folder=tmp_path, seeds=1, epochs=1)
    weighted = functools.partial(build, loss=keras.losses.SparseCategoricalCrossentropy())
    compare("relu", build_fn=weighted, folder=tmp_path, seeds=1, epochs=1)
    compare("relu", build_fn=otherwise, folder=tmp_path, seeds=1, epochs=1)

    def seeded(activation):
        image = [keras.layers.Reshape((2, 2, 1)), keras.layers.RandomCrop(2, 2)]
        return keras.Sequential([*image, keras.layers.Flatten(), *build(activation).layers])

    for seed in range(2):
        keras.utils.set_random_seed(seed)
        compare("relu", build_fn=seeded, folder=tmp_path, seeds=1, epochs=1)
    assert (tmp_path / "runs.jsonl").read_text().count('"training"') == first + 7


def test_summary_is_that_of_a_paired_t_test():
    generator = np.random.default_rng(1)
    a, b = generator.uniform(0.5, 0.6, (2, 5))
    found = Comparison(
        "accuracy", runs({"a": ([[v] for v in a], 0.1), "b": ([[v] for v in b], 0.2)})
    )
    first, second = found.summary
    assert second["mean"] == pytest.approx(b.mean())
    assert second["deviation"] == pytest.approx(b.std(ddof=1))
    interval = stats.ttest_rel(b, a).confidence_interval(0.95)
    assert second["difference"] - second["uncertainty"] == pytest.approx(interval.low, rel=1e-9)
    assert second["difference"] + second["uncertainty"] == pytest.approx(interval.high, rel=1e-9)
    assert (first["difference"], second["time"]) == (0.0, 2.0)


def test_the_table_ranks_nothing_within_the_noise():
    curves = {
        "first": ([[0.1, 0.50], [0.1, 0.52], [0.1, 0.51]], 0.1),
        "better": ([[0.1, 0.60], [0.5, 0.62], [0.1, 0.61]], 0.1),
        "same": ([[0.1, 0.49], [0.1, 0.54], [0.1, 0.51]], 0.2),
        "broken": ([[0.1, 0.60], [float("nan")], [0.1, 0.62]], 0.1),
    }
    lines = str(Comparison("accuracy", runs(curves), 0.5)).splitlines()
    words = dict(zip(["header", *curves], lines, strict=True))
    assert "compared with" in words["first"]
    assert "better" in words["better"].split("±")[2]
    assert "within the noise" in words["same"]
    assert "2.00 ×" in words["same"]
    assert "diverged in 1 of 3" in words["broken"]
    assert "1.7 (3 of 3)" in words["better"]
    assert "2.0 (3 of 3)" in words["first"]
    lower = str(Comparison("mean_absolute_error", runs(curves, "mean_absolute_error")))
    assert "worse" in lower.splitlines()[2]
    for metric, less in (
        ("mae", True),
        ("logcosh", True),
        ("false_negatives", True),
        ("true_negatives", False),
        ("cosine_similarity", False),
        ("io_u", False),
    ):
        assert ("worse" in str(Comparison(metric, runs(curves, metric))).splitlines()[2]) == less
    one = Comparison("accuracy", runs({"a": ([[0.5]], 1.0), "b": ([[0.9]], 1.0)}))
    assert "one seed tells nothing" in str(one)
    one.runs[1]["history"]["val_loss"] = [float("nan")]
    assert "diverged in 1 of 1" in str(one)


def test_everything_is_written(tmp_path, monkeypatch):
    pyplot.close("all")
    found = compare("relu", "elu", folder=tmp_path, target=0.5)
    assert (tmp_path / "table.txt").read_text() == f"{found}\n"
    assert not pyplot.get_fignums()
    with (tmp_path / "summary.csv").open() as file:
        assert [row["activation"] for row in csv.DictReader(file)] == ["relu", "elu"]
    with (tmp_path / "curves.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * 2 * 2
    assert float(rows[1]["val_accuracy"]) == found.runs[0]["history"]["val_accuracy"][1]
    assert (tmp_path / "curves.png").read_bytes()[:4] == b"\x89PNG"
    for line in (tmp_path / "runs.jsonl").read_text().splitlines()[1:]:
        json.loads(line)
    axes = found.plot(pyplot.subplots(1, 2)[1])
    assert [t.get_text() for t in axes[1].get_legend().get_texts()] == ["relu", "elu"]
    pyplot.close("all")
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    found.save(tmp_path / "without")
    names = {path.name for path in (tmp_path / "without").iterdir()}
    assert names == {"table.txt", "summary.csv", "curves.csv"}


@pytest.mark.parametrize("metric", ["loss", "accuracy"])
def test_a_run_that_diverges_is_said_to(metric):
    def wild(activation):
        return build(activation, keras.optimizers.SGD(1e30))

    found = compare("linear", "exponential", build_fn=wild, metric=metric, epochs=3)
    assert found.summary[1]["diverged"] == 2
    assert "diverged" in str(found)
    found.plot()
    pyplot.close("all")


def test_bad_requests_are_named():
    with pytest.raises(ValueError, match="mish"):
        compare("mishh")
    with pytest.raises(TypeError, match=r"a list.*'relu'"):
        ka.compare("relu", DATA, DATA, build_fn=build)
    with pytest.raises(ValueError, match="at least one"):
        compare()
    for value in (ka.Snake(), ka.Snake, functools.partial(ka.snake, alpha=2.0)):
        with pytest.raises(ValueError, match=r"layer cannot stand.*parameter=0.1"):
            compare(value)
    with pytest.raises(ValueError, match="different activations are called 'gelu'"):
        compare(keras.activations.gelu, ka.gelu)
    assert len(compare("relu", keras.activations.relu, seeds=1, epochs=1).summary) == 1
    with pytest.raises(ValueError, match=r"no metric 'f1'.*accuracy"):
        compare("relu", metric="f1", epochs=1, seeds=1)
    with pytest.raises(ValueError, match=r"20 × 20.*build_fn"):
        compare("relu", build_fn=None)
    images = IMAGES[0].repeat(2, 1).repeat(2, 2), IMAGES[1]
    one_hot = images[0], np.eye(2)[images[1]]
    with pytest.raises(ValueError, match=r"not one-hot.*\(112, 2\)"):
        ka.compare(["relu"], one_hot, one_hot)
    for name in (i.name for i in ka.catalogue() if not i.keeps_shape):
        with pytest.raises(ValueError, match=f"{name} does not keep.*channels.*build_fn"):
            ka.compare([name], images, images)

    def plain(activation):
        return keras.Sequential(build(activation).layers)

    for targets, reason in (
        (Y / 3.0, "dtype=float64, the least 0.0.*another loss"),
        (np.eye(2)[Y], r"not one-hot.*\(48, 2\)"),
        (Y.astype(str), r"dtype=<U\d+\. .*another loss"),
        (Y - 1, "from 0.*the least -1"),
        (Y + 1, "2 outputs for 3 classes, 0 to 2"),
    ):
        with pytest.raises(ValueError, match=reason):
            ka.compare(["relu"], DATA, (X, targets), build_fn=plain)
    gated = next(i.name for i in ka.catalogue() if i.family == "gated")
    with pytest.raises(ValueError, match="incompatible") as caught:
        compare("relu", gated)
    assert f"the model with {gated!r}" in caught.value.__notes__[-1]
    words = np.arange(48 * 3).reshape(48, 3) % 4

    def tagger(activation):
        layers = [keras.layers.Embedding(4, 2), keras.layers.Dense(4, activation)]
        return keras.Sequential([*layers, keras.layers.Softmax()])

    pair = (words, (words + 1.0) % 4)
    assert ka.compare(["relu"], pair, pair, build_fn=tagger, seeds=1, epochs=1).summary
    with pytest.raises(TypeError, match=r"build_fn.*returned: None"):
        compare("relu", build_fn=lambda activation: None)
    with pytest.raises(ValueError, match="target"):
        compare("relu", target="high")
    assert compare("relu", seeds=1, epochs=1, target=np.float32(0.5)).target == 0.5
    for name in ("seeds", "epochs", "batch_size"):
        with pytest.raises(ValueError, match=name):
            compare("relu", **{name: 0})
    with pytest.raises(ValueError, match="train"):
        ka.compare(["relu"], X, DATA, build_fn=build)
    with pytest.raises(ValueError, match="validation"):
        ka.compare(["relu"], DATA, (X, Y[:3]), build_fn=build)


def test_the_command_trains_lenet5(tmp_path, capsys):
    x = np.random.default_rng(0).integers(0, 255, (40, 20, 20)).astype("uint8")
    y = np.sort(np.arange(40) % 3)  # Of which the first twenty have no more than two.
    np.savez(tmp_path / "data.npz", x_train=x, y_train=y, x_test=x[:9], y_test=y[:9])
    command = ["compare", "relu", "mish", "--seeds", "1", "--epochs", "1", "--limit", "20"]
    folder = ["--folder", str(tmp_path / "out")]
    assert cli.main([*command, "--data", str(tmp_path / "data.npz"), *folder]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[:3]] == ["activation", "relu", "mish"]
    assert cli.main([*command, "--data", str(tmp_path / "none"), *folder]) == 2
    assert "no file" in capsys.readouterr().err


def test_the_command_says_what_a_file_must_be(tmp_path, capsys):
    np.save(tmp_path / "array.npy", X)
    (tmp_path / "text").write_text("no arrays")
    (tmp_path / "empty.npz").touch()
    for name in ("array.npy", "text", "empty.npz"):
        assert cli.main(["compare", "relu", "--data", str(tmp_path / name)]) == 2
        assert f"{name} is no .npz file with x_train, y_train" in capsys.readouterr().err
    np.savez(tmp_path / "part.npz", x_train=X, y_train=Y)
    assert cli.main(["compare", "relu", "--data", str(tmp_path / "part.npz")]) == 2
    assert "There is no x_test and no y_test among x_train, y_train." in capsys.readouterr().err
    x, y = IMAGES
    images = {"x_train": x.repeat(2, 1).repeat(2, 2), "x_test": x.repeat(2, 1).repeat(2, 2)}
    np.savez(tmp_path / "one_hot.npz", **images, y_train=np.eye(2)[y], y_test=np.eye(2)[y])
    assert cli.main(["compare", "relu", "--data", str(tmp_path / "one_hot.npz")]) == 2
    assert "not one-hot" in capsys.readouterr().err


def test_the_command_reads_folders_of_images(tmp_path, capsys):
    for part, count in (("train", 4), ("test", 2)):
        for name in ("dark", "light"):
            folder = tmp_path / "data" / part / name
            folder.mkdir(parents=True)
            for number in range(count):
                image = np.full((40, 40, 3), 200.0 if name == "light" else 10.0)
                keras.utils.save_img(folder / f"{number}.png", image, scale=False)
    command = ["compare", "relu", "--seeds", "1", "--epochs", "1"]
    folders = ["--data", str(tmp_path / "data"), "--folder", str(tmp_path / "out")]
    assert cli.main([*command, *folders]) == 0
    assert "relu" in capsys.readouterr().out
    (tmp_path / "data" / "train" / ".DS_Store").touch()
    damaged = tmp_path / "data" / "test" / "dark" / "damaged.png"
    damaged.write_text("no image")
    assert cli.main([*command, *folders]) == 2
    assert "has a file that is no image" in capsys.readouterr().err
    damaged.unlink()
    (tmp_path / "data" / "train" / "grey").mkdir()
    assert cli.main([*command, *folders]) == 2
    assert "has: grey." in capsys.readouterr().err
    assert cli.main([*command, *folders, "--limit", "-1"]) == 2
    assert "limit" in capsys.readouterr().err
