"""The command `benchmark`: what it does with what it measures; no time is asserted."""

import argparse
import contextlib
import json
import sys

import pytest
import tensorflow as tf

import keras_activations as ka
from keras_activations import _measure, _performance, _runs, benchmark, peers

PEERED = next(i.name for i in ka.catalogue() if i.elementwise and peers.keras_form(i))
BY_ROWS = next(i.name for i in ka.catalogue() if not i.elementwise and not peers.keras_form(i))
TINY = ["--mode=graph", "--dtype=float32", "--size=1000", "--seconds=0.001"]
TINY += ["--no-memory", "--no-fit"]


def _arguments(*command):
    parser = argparse.ArgumentParser()
    benchmark.add_arguments(parser)
    return parser.parse_args([str(word) for word in command])


def _time_row(name, median, low, mode="graph", size=1_000_000, form="keras", floor=3.0):
    job = {"kind": "time", "name": name, "mode": mode, "dtype": "float32", "shape": [size]}
    ratios = {form: [median, low, 9.0], "floor": [floor, floor, floor]}
    return {"job": job, "result": {"ratios": {"forward": ratios, "both": ratios}}}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """One run in processes of its own, and where it left what."""
    folder = tmp_path_factory.mktemp("benchmark")
    kept, page = folder / "results.jsonl", folder / "docs" / "page.md"
    command = [PEERED, BY_ROWS, *TINY, "--json", kept, "--write", page]
    assert benchmark.run(_arguments(*command)) == 0
    return command, kept, page


def test_a_run_keeps_a_row_for_each_job(run):
    _, kept, _ = run
    rows = _runs.load(kept)
    assert not [row for row in rows if "error" in row]
    kinds = [(row["job"].get("name"), row["job"]["kind"]) for row in rows]
    jobs = [(n, k) for n in (PEERED, BY_ROWS) for k in ("kept", "small", "time")]
    assert kinds == [(None, "environment"), *jobs]
    timed = {row["job"]["name"]: row for row in rows if row["job"]["kind"] == "time"}
    assert timed[PEERED]["job"]["shape"] == [1000]
    assert timed[BY_ROWS]["job"]["shape"] == [3, 256]
    for ratios in timed[PEERED]["result"]["ratios"].values():
        assert {"floor", "keras"} <= set(ratios)
        assert all(0 < low <= median <= high for median, low, high in ratios.values())


def test_the_page_names_everything_once_measured(run):
    _, kept, page = run
    text = page.read_text()
    assert tf.__version__ in text
    assert "## In graph mode" in text
    assert "## In eager mode" not in text
    for name in (PEERED, BY_ROWS):
        assert f"| {name} | float32 |" in text
    assert benchmark.run(_arguments("--from-json", kept, "--write", page.with_name("again"))) == 0
    assert page.with_name("again").read_text() == text


def test_a_run_continues_where_it_stopped(run, tmp_path, monkeypatch):
    command, kept, _ = run
    asked = []

    @contextlib.contextmanager
    def worker(*arguments):
        yield lambda job: asked.append(job) or {"error": "not now"}

    monkeypatch.setattr(benchmark, "worker", worker)
    lines = kept.read_text().splitlines()
    interrupted = tmp_path / "interrupted.jsonl"
    interrupted.write_text("\n".join([*lines[:-1], lines[-1][:40]]))  # Cut off in the middle.
    command = [*command[: command.index("--json")], "--json", interrupted]
    assert benchmark.run(_arguments(*command)) == 0
    assert [(job["name"], job["kind"]) for job in asked] == [(BY_ROWS, "time")]


def test_a_file_knows_all_commands_that_added_to_it(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["own.py"])
    _runs.begun(tmp_path / "results.jsonl", torch="2.0")
    for program in ("/a/bin/keras-activations", "/a/keras_activations/__main__.py"):
        monkeypatch.setattr(sys, "argv", [program, "plot", "a b"])
        *_, here = _runs.begun(tmp_path / "results.jsonl")
    assert here["job"]["command"] == "own.py; python -m keras_activations plot 'a b'"
    assert here["result"]["torch"] == "2.0"
    with pytest.raises(ValueError, match="torch differ"):
        _runs.begun(tmp_path / "results.jsonl", torch="3.0")


def test_results_of_other_versions_are_not_continued(tmp_path):
    path = tmp_path / "results.jsonl"
    job = {"kind": "environment", "command": "earlier"}
    path.write_text(json.dumps({"job": job, "result": {"tensorflow": "1.0"}}))
    with pytest.raises(ValueError, match="other versions"):
        benchmark.run(_arguments(PEERED, *TINY, "--json", path))


def test_an_interrupt_leaves_the_page(tmp_path, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(benchmark, "_measured", interrupted)
    (tmp_path / "page.md").write_text("whole")
    assert benchmark.run(_arguments(PEERED, *TINY, "--write", tmp_path / "page.md")) == 130
    assert (tmp_path / "page.md").read_text() == "whole"


def test_what_is_measured_again_with_other_settings_counts_once(run, tmp_path, monkeypatch):
    kept = run[1]
    rows = [json.loads(line) for line in kept.read_text().splitlines() if line]
    row = next(row for row in rows if row["job"]["kind"] == "time")
    again = {"job": {**row["job"], "seconds": 77.0}, "result": row["result"]}
    found = _runs.latest([*rows, again])
    assert again in found
    assert row not in found
    assert len(found) == len(_runs.latest(rows))
    monkeypatch.setattr(benchmark, "_measured", lambda *given: given[-1].extend([row, again]))
    benchmark.run(_arguments(PEERED, *TINY, "--write", tmp_path / "page.md"))
    cells = f"| {row['job']['name']} | float32 | 1,000 | forward |"
    assert (tmp_path / "page.md").read_text().count(cells) == 1


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["no_such"], "no_such"),
        ([PEERED, "--torch-python", "/no/such/python"], "no torch in /no/such/python"),
        ([PEERED, "--size", "0"], "`size` must be positive"),
        ([PEERED, "--seconds", "0"], "`seconds` must be above 0"),
    ],
)
def test_what_there_is_not_is_refused(command, message):
    with pytest.raises(ValueError, match=message):
        benchmark.run(_arguments(*TINY, *command))


@pytest.mark.parametrize("text", ['{"a": 1}', "[2]", "no results"])
def test_another_file_is_no_file_of_results(tmp_path, text):
    path = tmp_path / "other.json"
    path.write_text(text)
    with pytest.raises(ValueError, match="no file of results"):
        benchmark.run(_arguments(PEERED, *TINY, "--json", path))
    assert path.read_text() == text


def test_a_process_that_ends_costs_one_result(monkeypatch, capsys):
    program = """
import json, os, sys
for line in sys.stdin:
    if json.loads(line)["name"] == "a":
        os.abort()
    print("{}", flush=True)
"""
    monkeypatch.setattr(benchmark, "worker", lambda *_: _runs.worker("-c", program))
    jobs = [{"kind": "kept", "name": name} for name in "abc"]
    rows = list(benchmark._answers(jobs, lambda text: None))
    assert ["error" in row for row in rows] == [True, False, False]
    assert "kept a: the process ended" in capsys.readouterr().err


def test_a_page_is_written_as_a_whole(tmp_path):
    path = tmp_path / "page.md"
    _runs.write(path, "one")
    with pytest.raises(TypeError):
        _runs.write(path, None)
    (tmp_path / "folder").mkdir()
    with pytest.raises(IsADirectoryError, match=r"directory: '[^>]*/folder'$"):
        _runs.write(tmp_path / "folder", "no page")
    _runs.write(path, "two")
    assert path.read_text() == "two"
    assert {p.name for p in tmp_path.iterdir()} == {"page.md", "folder"}


def test_ratios():
    assert _measure.ratio([1, 2, 3, 4, 5], [1, 1, 1, 1, 1]) == [3, 2, 4]
    assert _measure.ratio([1, 8], [2, 4]) == [1.25, 0.875, 1.625]
    assert _measure.ratio([3], [2]) == [1.5] * 3


@pytest.mark.parametrize(("seconds", "rounds"), [(0, 1), (60, 7)])
def test_rounds_are_interleaved(seconds, rounds):
    order = []

    def stopwatch(name):
        return lambda repetitions: order.append(name) or 1.0 * repetitions

    watches = {name: stopwatch(name) for name in "abc"}
    times = _measure.interleave(watches, seconds, most=7)
    assert times == {name: [1.0] * rounds for name in "abc"}
    in_rounds = [order[i : i + 3] for i in range(3, len(order), 3)]
    assert [sorted(r) for r in in_rounds] == [["a", "b", "c"]] * rounds


def test_the_floor_of_both_passes_is_the_sum(monkeypatch):
    def interleave(stopwatches, seconds):
        seconds = {"ours": 12.0, "floor": 1.0, "keras": 24.0}
        return {key: [seconds[key[0]] * (1 + (key[1] == "backward"))] for key in stopwatches}

    monkeypatch.setattr(_measure, "interleave", interleave)
    job = {"kind": "time", "name": PEERED, "mode": "eager", "dtype": "float32", "shape": [64]}
    ratios = _measure.measure({**job, "against": ["keras"], "seconds": 0})["ratios"]
    assert ratios["forward"] == {"floor": [12.0] * 3, "keras": [0.5] * 3}
    assert ratios["both"] == {"floor": [4.0] * 3, "keras": [0.5] * 3}


def test_summary():
    rows = [
        _time_row("a", 0.5, 0.4),
        _time_row("b", 2.0, 1.5, form="naive", floor=5.0),
        _time_row("b", 2.0, 1.5, form="tensorflow"),
        _time_row("c", 64.0, 64.0, size=1000),  # Too small to count.
        _time_row("d", 50.0, 40.0, floor=2.0),  # Theirs does no work.
        {"job": {"kind": "time"}, "error": "it ended"},
    ]
    lines = _performance.summary(rows).splitlines()
    assert lines[2:] == ["| graph | float32 | 1.00 | 1.00 | 1 | 1 | 1 of 3 | 2 of 3 | 3.87 |"]
    assert "| b | float32 | 1,000,000 | graph | forward | tf.nn |" in benchmark.page(rows)
    assert "| d | float32 | 1,000,000 | graph |" not in benchmark.page(rows)
    assert _performance.summary([]) == ""


@pytest.mark.parametrize("mode", ["eager", "graph"])
def test_tensors_kept_by_a_plain_formula(mode):
    def plain(x):
        return x * tf.sin(tf.nn.softplus(x))

    call = tf.function(plain) if mode == "graph" else plain
    assert _measure.tensors_kept(call, tf.ones([1009, 8])) == 2
    assert _measure.tensors_kept(tf.identity, tf.ones([1009, 8])) == 0


def test_peak_memory():
    def call(x):
        return tf.reduce_sum(tf.sin(x) * tf.cos(x))

    # Neither what is there before counts, nor what has been.
    kept, freed = (tf.ones([5_000_000]) for _ in range(2))
    del freed
    x = tf.ones([250_000])
    figures = _measure.peak_memory(call, x[:10], x)
    del kept
    # Two or three tensors of a megabyte. In a process that did other things before, the allocator
    # hands out pieces of up to twice of what was asked for, which it does not split.
    assert 1.9e6 < figures["allocated"] < 6.1e6


def test_memory_of_a_chain():
    job = {"kind": "chain", "name": PEERED, "shape": [2000, 64], "mode": "graph"}
    for contestant in ("ours", "keras"):
        assert 0.9 < _measure.measure({**job, "contestant": contestant})["allocated"] < 20


@pytest.mark.parametrize("model", ["conv", "mlp"])
def test_training_steps(model):
    job = {"name": PEERED, "model": model, "batch": 2}
    result = _measure.measure({"kind": "fit", **job, "seconds": 0})
    assert set(result) == {"ours", "none"}
    memory = _measure.measure({"kind": "fit_memory", **job, "contestant": "none"})
    assert memory["allocated"] > 0


def test_networks_are_for_the_costliest():
    activations = [i for i in ka.catalogue() if i.elementwise and peers.keras_form(i)]
    rows = [_time_row(i.name, 0.1 * n, 0.1) for n, i in enumerate(activations, 1)]
    jobs = benchmark._fit_jobs(activations, _arguments("--fit"), rows)
    names = [job["name"] for job in jobs if (job["kind"], job["model"]) == ("fit", "mlp")]
    assert names == [i.name for i in activations[:6]]
    assert benchmark._fit_jobs(activations, _arguments("--quick"), rows) == []


def test_a_framework_that_is_not_there_is_passed_over():
    torch = next(i.name for i in ka.catalogue() if i.torch and i.elementwise)
    job = {"kind": "time", "name": torch, "mode": "eager", "dtype": "float32", "shape": [64]}
    pythons = {"torch": sys.executable}
    result = _measure.measure({**job, "against": [], "seconds": 0, "pythons": pythons})
    assert set(result["ratios"]["forward"]) == {"floor"}
    assert set(result["failed"]) == {"torch"}
