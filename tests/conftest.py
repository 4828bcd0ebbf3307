"""What concerns all tests."""

import gc

import keras
import pytest


def pytest_collection_modifyitems(items):
    """Puts first what one worker has to do alone, so that the others do not wait for it."""
    items.sort(key=lambda item: item.get_closest_marker("xdist_group") is None)


@pytest.fixture(autouse=True, scope="module")
def _search_less_for_garbage():
    """Thousands of traced graphs stay; searched through again and again, they slow all down."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def global_policy():
    """Sets Keras's global dtype policy until the test ends."""
    before = keras.config.dtype_policy()
    yield keras.config.set_dtype_policy
    keras.config.set_dtype_policy(before)


def pytest_terminal_summary(terminalreporter):
    """Says how many inputs the properties were tried with."""
    reports = terminalreporter.stats.get("", [])  # Of what was torn down.
    tried = [n for r in reports for name, n in r.user_properties if name == "inputs"]
    if sum(tried):
        terminalreporter.write_sep("=", "bad input")
        terminalreporter.write_line(f"{sum(tried):,} inputs tried")
