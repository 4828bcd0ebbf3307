"""Writes the list of public names in keras_activations/__init__.py from the pages there are.

python tests/exports.py
"""

import ast
import os
import pathlib
import re

PACKAGE = pathlib.Path(__file__).parents[1] / "keras_activations"

HEAD = '''"""Activation functions for Keras 3 on TensorFlow: functions, layers, strings."""

__version__ = "VERSION"

try:
    import keras as _keras
except ImportError as error:
    raise ImportError(
        f"keras_activations needs Keras on TensorFlow, but Keras cannot be imported: {error}. "
        f"Run `pip install keras tensorflow`, and set KERAS_BACKEND=tensorflow in the environment."
    ) from error

if _keras.backend.backend() != "tensorflow":
    raise ImportError(
        f"keras_activations needs Keras on TensorFlow, but Keras runs on "
        f"{_keras.backend.backend()}. Set the environment variable KERAS_BACKEND=tensorflow."
    )

from keras_activations import _keras_strings
from keras_activations._keras_strings import use
from keras_activations._registry import ActivationInfo, catalogue, get, info, layer
from keras_activations.analysis import Properties, properties
from keras_activations.comparison import compare
from keras_activations.gains import gain, initializer
from keras_activations.migration import migrate
from keras_activations.monitors import ActivationMonitor
from keras_activations.plotting import plot
from keras_activations.surgery import replace_activations
'''

TOOLS = (
    "ActivationInfo",
    "ActivationMonitor",
    "Properties",
    "catalogue",
    "compare",
    "gain",
    "get",
    "info",
    "initializer",
    "layer",
    "migrate",
    "plot",
    "properties",
    "replace_activations",
    "use",
)

TAIL = """
_keras_strings.install()
"""


def pages() -> list[pathlib.Path]:
    """The files that hold one activation each."""
    return sorted(p for p in (PACKAGE / "activations").glob("*.py") if p.stem != "__init__")


def public_names(page: pathlib.Path) -> tuple[list[str], list[str]]:
    """The functions and the classes that a page wears its decorators on."""
    functions, classes = [], []
    for node in ast.parse(page.read_text()).body:
        if isinstance(node, ast.FunctionDef) and node.decorator_list:
            functions.append(node.name)
        if isinstance(node, ast.ClassDef) and node.decorator_list:
            classes.append(node.name)
    return functions, classes


def init() -> str:
    """What keras_activations/__init__.py should be."""
    version = re.search('__version__ = "(.*)"', (PACKAGE / "__init__.py").read_text())
    lines, names = [HEAD.rstrip().replace("VERSION", version[1])], list(TOOLS)
    for page in pages():
        functions, classes = public_names(page)
        names += functions + classes
        imported = ", ".join(sorted(classes) + sorted(functions))
        lines.append(f"from keras_activations.activations.{page.stem} import {imported}")
    exported = "".join(f'    "{name}",\n' for name in sorted(names))
    return "\n".join(lines) + f"\n\n__all__ = [\n{exported}]\n" + TAIL


if __name__ == "__main__":
    written = PACKAGE / "__init__.py.new"
    written.write_text(init())
    os.replace(written, PACKAGE / "__init__.py")
