"""Examples in docstrings and in the README run as they stand; docstrings are whole."""

import doctest
import importlib
import inspect
import pathlib
import pkgutil
import re

import keras
import numpy as np
import pytest
import tables
import tensorflow as tf
from cases import all_activations, gradient

import keras_activations as ka

ROOT = pathlib.Path(__file__).parents[1]
NUMBER = re.compile(r"[-+]?\d*\.?\d+(?:[eE][-+]?\d+)?")


class _AlmostEqual(doctest.OutputChecker):
    """Compares numbers as numbers: their last digit may differ from one processor to another."""

    def check_output(self, want, got, optionflags):
        if super().check_output(want, got, optionflags):
            return True
        # Blanks line numbers up.
        want, got = (re.sub(r"\s+(?=\])|(?<=\[)\s+", "", text) for text in (want, got))
        if NUMBER.sub("#", want).split() != NUMBER.sub("#", got).split():
            return False
        numbers = [[float(n) for n in NUMBER.findall(text)] for text in (want, got)]
        return np.allclose(*numbers, rtol=1e-5, atol=1e-6)


def _modules():
    return [
        importlib.import_module(m.name)
        for m in pkgutil.walk_packages(ka.__path__, "keras_activations.")
        if not m.name.endswith("__main__")
    ]


@pytest.mark.parametrize("module", _modules(), ids=lambda m: m.__name__)
def test_docstring_examples(module):
    finder = doctest.DocTestFinder(exclude_empty=True)
    runner = doctest.DocTestRunner(_AlmostEqual(), verbose=False)
    report = []
    for test in finder.find(module, globs={"ka": ka}):
        runner.run(test, out=report.append)
    assert runner.failures == 0, "".join(report)


@all_activations
def test_docstring_of_the_function(info):
    text = inspect.getdoc(info.function)
    first, rest = text.split("\n", 1)
    assert first.endswith(".")
    assert rest.startswith("\n")
    for section in ("Args:", "Returns:", "Example:"):
        assert f"\n{section}\n" in rest
    assert f">>> ka.{info.name}(" in rest or f">>> y = ka.{info.name}(" in rest
    assert ("\nReference:\n" in rest) == (info.paper is not None)
    for name in ("x", *info.parameters):
        assert re.search(rf"^    {name}: ", rest, re.M), f"{name} is not documented"


@all_activations
def test_docstring_of_the_layer(info):
    text = inspect.getdoc(info.layer)
    assert text.startswith(f"Layer form of `{info.name}`")
    arguments = inspect.signature(info.layer.__init__).parameters
    documented = inspect.getdoc(info.layer.__mro__[1]) + text
    for name in arguments:
        if name not in ("self", "kwargs"):
            assert re.search(rf"^    {name}: ", documented, re.M), f"{name} is not documented"


def _readme_code():
    text = (ROOT / "README.md").read_text()
    return re.findall(r"```python\n(.*?)```", text, re.S)


def test_readme_code_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blocks = _readme_code()
    assert blocks
    names = {}
    try:
        for block in blocks:
            exec(compile(block, "README.md", "exec"), names)
    finally:
        if "used" in names:
            names["used"].restore()


@pytest.mark.parametrize("ours", [False, True], ids=["theirs", "ours"])
def test_mistakes_of_keras(ours):
    """The table in the README."""
    module = ka if ours else keras.activations

    def slope(function, x):
        return float(gradient(function, tf.constant([x]))[1][0])

    total = float(tf.reduce_sum(module.sparsemax(tf.constant([[0.1, 0.2, 0.3]]))))
    assert total == pytest.approx(1.0 if ours else 0.23, abs=5e-3)
    at_far = slope(lambda x: module.gelu(x, approximate=True), 2e19)
    assert at_far == 1.0 if ours else np.isnan(at_far)
    square = float(module.squareplus(tf.constant(256.0, tf.float16)))
    assert square == (256.0 if ours else np.inf)
    assert slope(module.celu, 0.0) == (1.0 if ours else 2.0)
    for shrink in (module.hard_shrink, module.soft_shrink):
        assert np.isnan(shrink(tf.constant(np.nan))) == ours
    near = float(module.elu(tf.constant(-1e-4)))
    assert near == pytest.approx(-9.9995e-5 if ours else -1.00017e-4, rel=1e-5)


def test_readme_commands_exist():
    text = (ROOT / "README.md").read_text()
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"(?:^|`)make ([a-z-]+)", text, re.M):
        assert re.search(rf"^{target}:", makefile, re.M), target
    for path in re.findall(r"python ([\w/]+\.py)", text):
        assert (ROOT / path).is_file(), path


def test_version_is_in_the_changelog():
    assert f"## [{ka.__version__}]" in (ROOT / "CHANGELOG.md").read_text()


def test_the_readme_holds_the_tables():
    """`make tables` writes them."""
    readme = (ROOT / "README.md").read_text()
    assert readme.count("by `make tables`") == 3
    assert readme == tables.filled(readme)
