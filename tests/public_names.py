"""Writes the list of public names in keras_activations/__init__.py from the pages there are.

python tests/public_names.py
"""

import ast
import os
import pathlib
import re

PACKAGE = pathlib.Path(__file__).parents[1] / "keras_activations"
OF_PAGES = re.compile(r"^from keras_activations\.activations\..*\n", re.MULTILINE)
LISTED = re.compile(r"^__all__ = \[\n.*?^\]\n", re.MULTILINE | re.DOTALL)


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
    """What keras_activations/__init__.py should be: as it is, with the pages that there are."""
    rest = OF_PAGES.sub("", (PACKAGE / "__init__.py").read_text())
    tools = [n for n in ast.parse(rest).body if isinstance(n, ast.ImportFrom)]
    names = [a.name for n in tools for a in n.names if not a.name.startswith("_")]
    lines = []
    for page in pages():
        functions, classes = public_names(page)
        names += functions + classes
        imported = ", ".join(sorted(classes) + sorted(functions))
        lines.append(f"from keras_activations.activations.{page.stem} import {imported}\n")
    exported = "".join(f'    "{name}",\n' for name in sorted(names))
    return LISTED.sub(f"{''.join(lines)}\n__all__ = [\n{exported}]\n", rest)


if __name__ == "__main__":
    written = PACKAGE / "__init__.py.new"
    written.write_text(init())
    os.replace(written, PACKAGE / "__init__.py")
