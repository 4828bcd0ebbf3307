"""The wheel holds the package, and works without the source tree."""

import os
import pathlib
import shutil
import subprocess
import sys
import zipfile

import pytest

ROOT = pathlib.Path(__file__).parents[1]


# One worker builds the wheel, for the tests of it.
of_the_wheel = pytest.mark.xdist_group("wheel")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    # A copy: setuptools puts into a wheel what an earlier or another build left in `build`.
    source = folder / "source"
    shutil.copytree(
        ROOT / "keras_activations",
        source / "keras_activations",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    done = subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--outdir", folder, source],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:] + done.stdout[-2000:]
    return next(folder.glob("*.whl"))


def test_a_script_beside_the_clone_finds_the_package(tmp_path):
    """And not the clone's folder, which has the same name."""
    (tmp_path / "keras_activations").symlink_to(ROOT)
    script = tmp_path / "script.py"
    script.write_text(
        "import importlib.util\nprint(importlib.util.find_spec('keras_activations').origin)\n"
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    assert pathlib.Path(done.stdout.strip()).name == "__init__.py"


@of_the_wheel
def test_the_wheel_holds_the_package_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert "keras_activations/py.typed" in names
    assert any(n.endswith("LICENSE") for n in names)
    packaged = {n for n in names if n.endswith(".py")}
    sources = {str(p.relative_to(ROOT)) for p in (ROOT / "keras_activations").rglob("*.py")}
    assert packaged == sources


@of_the_wheel
def test_the_installed_wheel_imports_without_the_source_tree(wheel, tmp_path):
    site = tmp_path / "site"
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", site, wheel],
        check=True,
        capture_output=True,
    )
    script = (
        f"import sys; sys.path.insert(0, {str(site)!r})\n"
        "import keras, numpy as np, keras_activations as ka\n"
        f"assert ka.__file__.startswith({str(site)!r}), ka.__file__\n"
        "print(keras.layers.Dense(2, activation='snake')(np.ones((1, 1))).shape)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.parametrize(
    ("missing", "backend"),
    [("tensorflow", "tensorflow"), ("keras", "tensorflow"), ("jax", "jax"), ("torch", "torch")],
)
def test_what_is_missing_is_said_in_one_sentence(missing, backend):
    script = f"import sys; sys.modules[{missing!r}] = None; import keras_activations"
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={**os.environ, "KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    sentence = done.stderr.splitlines()[-1]
    assert sentence.startswith("ImportError: keras_activations needs Keras on TensorFlow, but ")
    assert "Keras cannot be imported: " in sentence
    assert missing in sentence
    assert "KERAS_BACKEND=tensorflow" in sentence


def test_another_backend_is_refused_in_one_sentence():
    script = "import keras; keras.backend.backend = lambda: 'jax'\nimport keras_activations"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "ImportError: keras_activations needs Keras on TensorFlow" in done.stderr
    assert "KERAS_BACKEND=tensorflow" in done.stderr
