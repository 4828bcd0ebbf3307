"""The command that exports every activation, and the page that it writes."""

import importlib.util
import pathlib

import numpy as np
import pytest
from cases import is_trained

import keras_activations as ka
from keras_activations import cli
from keras_activations.commands import export

NAME = next(i.name for i in ka.catalogue() if is_trained(i) and i.elementwise)
ROOT = pathlib.Path(__file__).parents[1]


def _is_there(target):
    packages = (package.replace("-", "_") for package in export.TARGETS[target])
    return all(importlib.util.find_spec(package) for package in packages)


THERE = [target for target in export.TARGETS if _is_there(target)]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The page on one activation, for the targets whose packages are there, and its results."""
    folder = tmp_path_factory.mktemp("exports")
    page, kept = folder / "new" / "page.md", folder / "kept.jsonl"
    command = ["export", NAME, "--json", str(kept), "--write", str(page), "--target", *THERE]
    assert cli.main(command) == 0
    return page.read_text(), kept, command


def test_the_page_has_the_errors_of_what_was_exported(written):
    page, _, _ = written
    row = next(line for line in page.splitlines() if line.startswith(f"| `{NAME}` |"))
    cells = [cell.strip() for cell in row.strip("|").split("|")][1:]
    plain = [c for c, t in zip(cells, THERE, strict=False) if "-" not in t]
    figures = [float(f) for cell in plain for f in cell.split(" / ")]
    # Value in each format, gradient and second derivative of the SavedModel.
    assert len(cells) == len(THERE) + 2
    assert all(0.0 <= figure < export.GROSS for figure in figures)
    assert all(0.0 <= float(figure) < 1e-4 for figure in cells[-2:])
    for word in ("- command: `", "- tensorflow: ", "## Summary"):
        assert word in page


def test_a_run_continues_from_what_it_kept(written, monkeypatch, capsys):
    _, kept, command = written

    def refuse(*arguments):
        raise AssertionError("everything has been measured")

    monkeypatch.setattr(export, "_measured", refuse)
    monkeypatch.chdir(kept.parent)
    assert cli.main([*command[: command.index("--write")], "--target", *THERE]) == 0
    assert f"| `{NAME}` |" in capsys.readouterr().out


def test_what_is_not_installed_is_named(monkeypatch, capsys):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert cli.main(["export", NAME, "--target", "onnx", "tflite"]) == 2
    message = capsys.readouterr().err
    for word in ("tf2onnx", "onnxruntime", "ai-edge-litert", "keras_activations[export]"):
        assert word in message
    assert len(message.splitlines()) == 1


def test_an_error_is_relative_to_the_result_or_one():
    found = np.array([1.0, 0.5, 101.0, np.inf, np.nan, 7.0, np.inf])
    expected = np.array([1.0, 0.0, 100.0, np.inf, 1.0, np.nan, 1.0])
    errors = export.error(found, expected)
    np.testing.assert_allclose(errors, [0.0, 0.5, 0.01, 0.0, np.nan, 0.0, np.inf])
    np.testing.assert_allclose(export.error(np.array([3.0, 1.0]), np.array([4.0, 0.0]), True), 0.25)


def test_what_differs_at_infinity_is_named():
    expected = np.array([[0.0, 1.0], [np.inf, 1.0]])
    assert export.at_infinity(expected, expected) == []
    found = np.array([[np.nan, 1.0], [np.inf, 1.0]])
    assert export.at_infinity(found, expected) == ["nan, not 0, at −∞"]


def test_what_fails_is_on_the_page():
    right = {"errors": {"moderate": 1e-7, "large": 0.0, "tiny": 0.0}, "at infinity": []}
    index = {
        (NAME, "tflite", "layer"): right,
        (NAME, "tflite", "model"): {"error": "the process\nended (-6)."},
        (NAME, "onnx", "layer"): right,
        (NAME, "onnx", "model"): {"errors": {"moderate": float("nan")}, "at infinity": []},
    }
    page = export.page(index, {"command": "none"})
    assert f"| `{NAME}` | 1e-07 / no | 1e-07 / NaN |" in page
    assert f"- `{NAME}`, TFLite, model: the process ended (-6)." in page
    assert "| TFLite | 0 of 1 |" in page


def test_the_page_of_the_repository_has_every_activation():
    page = (ROOT / "docs" / "exports.md").read_text()
    for info in ka.catalogue():
        assert f"\n| `{info.name}` |" in page
