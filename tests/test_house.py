"""The rules of the house that a machine can check."""

import ast
import functools
import inspect
import pathlib
import re

import pytest
from cases import all_activations
from mutants import ELSEWHERE
from public_names import PACKAGE, init, pages, public_names

import keras_activations as ka
from keras_activations._registry import FAMILIES

PAGES = pytest.mark.parametrize("page", pages(), ids=lambda p: p.stem)
GENERIC = [p for p in PACKAGE.rglob("*.py") if p.name != "__init__.py" and p not in pages()]
GENERIC_TESTS = (
    *("accuracy", "benchmark", "claims", "devices", "documentation", "exports", "families"),
    *("kernels", "packaging", "peers", "saving", "truth"),
)
WITH_MATHEMATICS = ("_special", "peers", "reference", "test_accuracy", "test_kernels")


@PAGES
def test_file_function_and_class_are_one_name(page):
    functions, classes = public_names(page)
    assert functions == [page.stem]
    assert len(classes) == 1
    assert classes[0].lower() == page.stem.replace("_", "")
    info = ka.info(page.stem)
    assert (info.function.__name__, info.layer.__name__) == (page.stem, classes[0])
    assert info.function.__module__ == f"keras_activations.activations.{page.stem}"


def test_every_page_is_registered_and_nothing_else():
    assert [i.name for i in ka.catalogue()] == [p.stem for p in pages()]


def test_public_names_are_in_step():
    """`make names` writes them."""
    written, expected = (ast.parse(t) for t in ((PACKAGE / "__init__.py").read_text(), init()))

    def statements(tree):
        imported = {
            (n.module, a.name) for n in tree.body if isinstance(n, ast.ImportFrom) for a in n.names
        }
        listed = [n for n in tree.body if isinstance(n, ast.Assign) and "__all__" in ast.dump(n)]
        exported = sorted(ast.literal_eval(listed[0].value))
        skipped = (*listed, *(n for n in tree.body if isinstance(n, ast.ImportFrom)))
        rest = [ast.dump(n) for n in tree.body if n not in skipped]
        return imported, exported, rest

    assert statements(written) == statements(expected)
    assert all(hasattr(ka, name) for name in ka.__all__)


@pytest.mark.parametrize("way", ELSEWHERE)
def test_what_shows_that_the_tests_bite_is_in_step(way):
    """`python tests/mutants.py` breaks these lines."""
    file, line, *_ = ELSEWHERE[way]
    assert line in (PACKAGE / file).read_text()


def _imports(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            yield node.module or ""
        elif isinstance(node, ast.Import):
            yield from (a.name for a in node.names)


@all_activations
def test_strict_type_checkers_let_users_call_it(info):
    """`mypy --strict` refuses calls of what has no annotation at all."""
    assert inspect.signature(info.layer.__init__).return_annotation is None


@PAGES
def test_pages_import_foundations_and_pages_only(page):
    allowed = {"math", "keras", "tensorflow"} | {
        f"keras_activations.{m}"
        for m in ("_axes", "_calculus", "_fitting", "_layers", "_powers", "_registry", "_special")
    }
    for name in _imports(page):
        assert name in allowed or name.startswith("keras_activations.activations."), name


def test_foundations_do_not_import_pages():
    for path in GENERIC:
        assert not any("keras_activations.activations" in name for name in _imports(path)), path


def test_private_interfaces_in_one_place_only():
    root = PACKAGE.parent
    for folder in ("keras_activations", "docs", "examples", "tests"):
        for path in (root / folder).rglob("*.py"):
            if path.name in ("_keras_strings.py", "test_house.py", "test_strings.py"):
                continue
            text = path.read_text()
            assert not re.search(r"keras\.src|tensorflow\.python|tf_keras", text), path
            assert not re.search(r"\._keras_(?!strings)", text), path


def test_what_derivatives_are_made_of_has_no_gradient_of_its_own():
    """Exported models do not hold one that stands in another's gradient."""
    makers = {path.name for path in GENERIC if "tf.custom_gradient" in path.read_text()}
    assert makers == {"_calculus.py"}


@all_activations
def test_no_generic_file_names_an_activation(info):
    tests = pathlib.Path(__file__).parent
    generic = [*GENERIC, *(tests / f"test_{name}.py" for name in GENERIC_TESTS)]
    # The word of a family may also be one, and one is an English word.
    names = {info.name, info.layer.__name__} - {"threshold", *FAMILIES}
    for path in generic:
        # A formula calls what mathematics calls so too.
        words = ("linear", "tanh", "sigmoid") if path.stem in WITH_MATHEMATICS else ("linear",)
        found = _words(path) & names
        assert found <= set(words), f"{path.name}: {found}"


@functools.cache
def _words(path):
    """The names, attributes of `ka` and constants in a file."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Attribute) and ast.unparse(node.value) == "ka":
            found.add(node.attr)
        elif isinstance(node, ast.Constant):
            found.add(node.value)
    return found


@PAGES
def test_a_page_is_short(page):
    assert len(page.read_text().splitlines()) <= 160
