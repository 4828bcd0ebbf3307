"""The command that measures accuracy: its truth, its ruler, its output, and what it finds."""

import argparse
import dataclasses
import functools
import re
import sys

import numpy as np
import pytest
from cases import all_cases
from mpmath import mp, mpf
from oracles import evaluate, is_defined

import keras_activations as ka
from keras_activations import _accuracy_page as report
from keras_activations import _runs, accuracy, cli, reference
from keras_activations.reference import Truth, truth, truths

POINTS = [-100.0, -30.5, -5.25, -1.1875, -0.40625, -1e-9, 1e-3, 0.8125, 2.625, 7.75, 19.0, 85.0]
ELEMENTWISE = [info.name for info in ka.catalogue() if info.elementwise]
FLOAT32 = accuracy.FORMATS["float32"]


@all_cases
def test_truth_is_that_of_mpmath(info, given):
    if not info.elementwise:
        pytest.skip("not element-wise")
    question = accuracy.Case(info, given, accuracy.FORMATS["float64"]).question
    exact = {n: mpf(v) if type(v) is float else v for n, v in question["parameters"].items()}
    found = Truth(**question).at(POINTS)
    # Many digits, because the formulas cancel in the tails.
    with mp.workdps(250):
        for i, x in enumerate(POINTS):
            if not is_defined(info, x, given):
                assert np.isnan(found[:, :, i]).all()
                continue
            for order in range(3):
                if info.backward and order == 2:
                    continue
                text = info.backward if info.backward and order == 1 else info.formula
                # Decimals in a formula mean what they say, not the nearest float64.
                text = re.sub(r"\d+\.\d+", r"mpf('\g<0>')", text)
                expected = mp.diff(
                    lambda t, text=text: evaluate(text, x=t, mpf=mpf, **exact),
                    mpf(x),
                    0 if info.backward else order,
                )
                # Of a second derivative that small, nobody asks for digits.
                vanishing = mpf(2) ** -80 if order == 2 else mpf(10) ** -60
                # The nearest float64.
                tolerance = mpf(2) ** -52.99 * abs(expected) + vanishing
                low, high = map(mpf, found[order, :, i])
                assert low - tolerance <= expected <= high + tolerance, (order, x)


def test_literals_of_the_truth_mean_what_they_say():
    assert Truth("0.1 * x", None, {}).at([3.0])[0, 0, 0] == 0.3 != 0.1 * 3.0
    assert Truth("alpha * x", None, {"alpha": 0.1}).at([3.0])[0, 0, 0] == 0.1 * 3.0


@pytest.mark.parametrize(
    ("formula", "slopes"),
    [
        ("max(x, 0)", (0, 1)),
        ("min(x, 0)", (0, 1)),
        ("abs(x)", (-1, 1)),
        ("x * sign(x)", (-1, 1)),
        ("x if x > 0 else 3 * x", (1, 3)),
        ("3 * x if x >= 0 else x", (1, 3)),
        ("x**2 if x < 0 else 0", (0, 0)),
        ("x * abs(x)", (0, 0)),
        ("min(max(x, 0), max(x, 0) * 2)", (0, 1)),
    ],
)
def test_truth_at_a_tie_has_two_sides(formula, slopes):
    found = Truth(formula, None, {}).at([0.0])
    assert found[0, :, 0].tolist() == [0, 0]
    assert tuple(found[1, :, 0]) == slopes
    assert np.isnan(found[2, 0, 0]) == (slopes[0] != slopes[1])


@pytest.mark.parametrize(
    ("formula", "left", "right"),
    [
        ("x / (1 + exp(-x))", (0, 0, 0), (np.inf, 1, 0)),
        ("(exp(x) - exp(-x)) / (exp(x) + exp(-x))", (-1, 0, 0), (1, 0, 0)),
        ("tanh(x) + log1p(x**2) * expm1(0)", (-1, 0, 0), (1, 0, 0)),
        ("x * (1 + erf(x))", (0, 0, 0), (np.inf, 2, 0)),
        ("x + sin(x)", (-np.inf, np.nan, np.nan), (np.inf, np.nan, np.nan)),
    ],
)
def test_truth_at_infinity_is_the_limit(formula, left, right):
    found = Truth(formula, None, {}).at([-np.inf, np.inf, np.nan])
    np.testing.assert_equal(found[:, 0].T, [left, right, [np.nan] * 3])


@pytest.mark.parametrize("x", [1e-300, -1e-30, 37.0, -700.0, 1e4, 1e38, -1e308])
def test_truth_where_formulas_cancel_or_overflow(x):
    tanh = Truth("(exp(x) - exp(-x)) / (exp(x) + exp(-x))", None, {}).at([x])
    assert tanh[0, 0, 0] == np.tanh(x)
    np.testing.assert_equal(tanh, Truth("tanh(x)", None, {}).at([x]))


def test_other_processes_give_the_same_truth(monkeypatch):
    monkeypatch.setattr(reference, "CHUNK", 5)
    case = accuracy.cases(ELEMENTWISE[:1], ["float64"])[0]
    points = np.array(POINTS)
    with truths(2) as start:
        found = start(points, **case.question)()
        with pytest.raises(RuntimeError, match="unexpected"):
            start(points, nonsense=1)()
    np.testing.assert_equal(found, truth(points, **case.question))


def test_a_process_that_ends_is_said_to_each_time():
    process = reference.Process(sys.executable, "torch")
    process.process.kill()
    for _ in range(2):
        with pytest.raises(RuntimeError, match="the process ended"):
            process.ask(np.ones(100_000), expression="x", dtype="float32")
    process.close()


def _error(got, low, high=None, x=1.0, format=FLOAT32, **options):
    bounds = np.array([[low], [low if high is None else high]], np.float64)
    got, x = np.array([got], format.type), np.array([x], format.type)
    return accuracy.errors(got, bounds, x, format, **options)[0]


def test_errors_in_units_in_the_last_place():
    after = np.nextafter(np.float32(1), np.float32(2))
    before = np.nextafter(np.float32(1), np.float32(0))
    assert _error(1.0, 1.0) == 0
    assert _error(after, 1.0) == 1
    assert _error(before, 1.0) == 0.5  # The spacing is that above a power of two.
    assert _error(1.0, 1.0 + 2.0**-25) == 0.25
    assert _error(0.3, 0.0, 1.0) == 0  # Between the slopes at a kink.
    assert _error(-after, -1.0, 0.0) == 1
    assert _error(after, 1.0, scale=8.0) == 1 / 8
    assert _error(1.5, 1.0, relative=True) == 0.5
    assert _error(1.5e-2, 1.0e-2, scale=0.1, relative=True) == pytest.approx(0.05)


def test_errors_below_the_smallest_normal_number():
    tiny, step = 2.0**-126, 2.0**-149
    assert _error(step, 0.0) == 1
    assert _error(3 * step, step) == 2
    assert _error(0.0, tiny / 2) == 0
    assert _error(0.0, tiny - step / 4) == 0
    assert _error(0.0, tiny + step) == 0
    assert _error(0.0, tiny * (1 + 2.0**-17)) > 2.0**23
    assert _error(step, tiny) == 2.0**23 - 1
    float16 = accuracy.FORMATS["float16"]
    assert _error(0.0, 2.0**-24, format=float16) == 1


def test_errors_with_infinity_and_nan():
    largest = float(np.finfo(np.float32).max)
    assert _error(np.inf, 1e39) == 0
    assert _error(np.inf, np.inf) == 0
    assert _error(largest, 1e39) == 1
    assert _error(1e38, 1e39) == np.inf
    assert _error(np.inf, largest) == 1
    assert _error(np.inf, 1e38) == np.inf
    assert _error(-np.inf, np.inf) == np.inf
    assert _error(np.nan, 1.0) == np.inf
    assert _error(largest, np.inf, x=np.inf) == np.inf
    assert _error(np.inf, np.inf, x=np.inf) == 0
    assert _error(7.0, np.nan) == 0
    float64 = accuracy.FORMATS["float64"]
    assert _error(np.inf, np.inf, format=float64, relative=True) == 0
    assert _error(1.0, np.inf, format=float64, relative=True) == np.inf


def test_subnormal_inputs_may_be_zero():
    x = np.array([np.nan, 1e-40, 0.0, -1e-40, 1e-30], np.float32)
    found = Truth("x if x > 0 else 3 * x", None, {}).at(x)
    slopes = accuracy.admissible(found, x, FLOAT32)[1]
    assert slopes.T[1:].tolist() == [[1, 3], [1, 3], [1, 3], [1, 1]]


@pytest.mark.parametrize("format", accuracy.FORMATS.values(), ids=lambda f: f.name)
def test_sample_has_something_of_everything(format):
    x = accuracy.sample(format, 20000, [0.7]).astype(np.float64)
    finite, tiny = x[np.isfinite(x)], 2.0**format.smallest
    assert 5000 < len(x) < 50000
    assert np.isnan(x).any()
    assert {np.inf, -np.inf, 0.0} <= set(x)
    assert np.signbit(x[x == 0]).tolist() == [False, True]
    assert set(np.frexp(finite)[1]) >= set(range(format.smallest + 1, format.largest + 1))
    assert ((np.abs(finite) < tiny) & (finite != 0)).any()
    assert (np.abs(finite - 0.7) < 4 * format.spacing(0.7)).sum() > 4


def test_all_inputs_of_16_bits():
    x = accuracy.sample(accuracy.FORMATS["bfloat16"], None)
    numbers = x[~np.isnan(x)]
    assert len(np.unique(numbers.view(np.uint16))) == len(numbers) == 2 * (2**15 - 2**7 + 1)
    assert len(x) == len(numbers) + 1


def test_landmarks():
    info = next(i for i in ka.catalogue() if i.elementwise and i.kinks)
    assert set(info.kinks) <= set(accuracy.landmarks(accuracy.Case(info, {}, FLOAT32)))
    # A parameter, a number of the formula, and where a slope is zero.
    info = dataclasses.replace(info, formula="x**2 - a * x + 7 * 0", kinks=(), backward=None)
    found = accuracy.landmarks(accuracy.Case(info, {"a": 2.5}, FLOAT32))
    for expected in (2.5, -2.5, 7.0, 1.25):
        assert min(abs(np.array(found) - expected)) < 1e-5


def test_errors_beyond_the_domain_do_not_count_and_a_scale_makes_them_smaller():
    own = {"gradient_scale": 8.0, "domain": 10}
    info = dataclasses.replace(ka.info(ELEMENTWISE[0]), accuracy=own)
    x = np.array([0.5, 4.0, -20.0, np.inf], np.float32)
    outputs = [{"value": np.zeros(4, np.float32), "gradient": np.ones(4, np.float32)}]
    exact = np.zeros((3, 2, 4))
    found = accuracy.findings("eager", outputs, exact, x, accuracy.Case(info, {}, FLOAT32))
    found = {finding.of: finding for finding in found if finding.quantity != "limits"}
    assert (found["gradient"].x, found["gradient"].error) == (0.5, 2.0**20)
    assert found["value"].error == 0


def _finding(**fields):
    numbers = {"error": 0.5, "x": 1.0, "got": 1.0, "truth": 1.0, "points": 4}
    texts = {"name": "one", "dtype": "float32", "source": "eager", "quantity": "value"}
    of = fields.get("quantity", "value")
    return report.Finding(**{"parameters": {}, "of": of, **texts, **numbers, **fields})


@pytest.fixture
def one(monkeypatch):
    """What is registered about an activation that bears its own bounds."""
    own = {"gradient": 7, "float64_value": 1e-9, "float64_gradient": 1e-8, "graph": "fused"}
    info = dataclasses.replace(ka.info(ELEMENTWISE[0]), name="one", accuracy=own)
    monkeypatch.setattr(report, "info", lambda name: info)
    monkeypatch.setattr(report, "catalogue", lambda: [info])


@pytest.mark.usefixtures("one")
def test_bounds_of_its_own():
    assert _finding(quantity="gradient").goal == 7
    assert _finding(quantity="gradient", dtype="float16").goal == 1
    assert _finding(quantity="gradient", dtype="float64").goal == 1e-8
    assert _finding(dtype="float64").goal == 1e-9
    assert _finding(quantity="second", dtype="float16").goal == np.inf
    held = {f"{f.source} {f.quantity}" for f in _every_source() if f.held}
    assert held == {"eager value", "xla value", "graph gradient"}


def _every_source():
    return [
        _finding(source="eager", error=1.0),
        _finding(source="graph", error=11.0, got=2.0),
        _finding(source="xla", error=3.25, parameters={"alpha": 2.0}),
        _finding(source="graph", quantity="gradient", error=8.5),
        _finding(source="graph", quantity="limits", of="value", error=np.inf, got=np.nan, x=np.inf),
        _finding(source="keras", error=12345678.0),
        _finding(source="naive", error=np.inf, got=np.inf),
    ]


def test_bounds_of_its_own_are_of_a_known_kind():
    assert {key for info in ka.catalogue() for key in info.accuracy} <= {*report.OWN, "graph"}


@pytest.mark.usefixtures("one")
def test_page():
    index = report.worst([*_every_source(), _finding(error=0.25)])
    text = report.page(index, {"machine": "mine", "nothing": None})
    row = "| `one` | 1.00 / 11.00 / 3.25 | 8.50 | – | graph: value at inf NaN |"
    assert f"{row} 1 (gradient, graph) | 1e+07, – | inf, – | – |" in text
    worst, met = "median 8.50, worst 8.50", "0 of 1"
    theirs = "median 1e+07, worst 1e+07; 0 of 1 | median inf, worst inf; 0 of 1 | –"
    assert f"| float32 | {worst}; {met} | {theirs} |" in text
    assert "- float32 value, at most 4 ulp: met by 1 of 1\n" in text
    beyond = "met by 0 of 1; `one` 8.50 (graph, gradient: 1.0 gives 1.0, not 1.0)"
    assert f"- float32 gradient, at most 4 ulp: {beyond}\n" in text
    assert "| `one` | 11.00 / 1e+07 | fused |" in text
    assert "| `one` | – | 7 | 1e-09 | 1e-08 | – |" in text
    assert text.endswith("- machine: mine\n")


def test_command(tmp_path, capsys):
    page, numbers = tmp_path / "new" / "accuracy.md", tmp_path / "accuracy.json"
    command = ["accuracy", *ELEMENTWISE[:2], "--dtype", "float32", "--mode", "eager", "graph"]
    command += ["--points", "400", "--against", "keras", "naive"]
    assert cli.main([*command, "--write", str(page), "--json", str(numbers)]) == 0
    printed, text = capsys.readouterr().out, page.read_text()
    rows = [row for row in _runs.load(numbers) if row["job"]["kind"] == "accuracy"]
    found = [report.Finding(**finding) for row in rows for finding in row["result"]]
    assert {finding.name for finding in found} == set(ELEMENTWISE[:2])
    assert {finding.source for finding in found} >= {"eager", "graph", "naive"}
    index = report.worst(found)
    for part in (report.summary(index), *report.verdicts(index)):
        assert part in text
        assert part in printed
    assert all(f"| `{name}`" in text for name in ELEMENTWISE[:2])


def test_command_continues_where_it_stopped(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(accuracy, "CASES_IN_A_PROCESS", 1)
    numbers, pages = tmp_path / "numbers.json", [tmp_path / "1.md", tmp_path / "2.md"]
    # Of one parameter set, because each case has a process of its own.
    name = next(i.name for i in ka.catalogue() if i.elementwise and not i.parameters)
    command = ["accuracy", name, "--dtype", "float32", "float64", "--mode", "eager"]
    command += ["--points", "200", "--against", "--json", str(numbers)]
    assert cli.main([*command, "--write", str(pages[0])]) == 0
    assert f"{name} float32" in capsys.readouterr().err
    whole = numbers.read_text()
    numbers.write_text(whole[: whole.rindex("\n") + 20])  # The last line was cut off.
    assert cli.main([*command, "--write", str(pages[1])]) == 0
    assert f"{name} float32" not in capsys.readouterr().err
    tables = [page.read_text().partition("## Setting")[0] for page in pages]
    assert tables[0] == tables[1]


def test_command_of_an_unknown_name(capsys):
    assert cli.main(["accuracy", ELEMENTWISE[0] + "x"]) == 2
    assert f"Did you mean '{ELEMENTWISE[0]}'" in capsys.readouterr().err


def test_command_without_its_packages(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "flint", None)
    assert cli.main(["accuracy"]) == 2
    assert "pip install 'keras_activations[measure]'" in capsys.readouterr().err


def test_numbers_of_inputs_are_checked(capsys):
    assert cli.main(["accuracy", ELEMENTWISE[0], "--points", "0"]) == 2
    assert "`points` must be positive" in capsys.readouterr().err
    for format in accuracy.FORMATS.values():
        for count in (1, 3, 5):
            assert {-np.inf, 0.0, np.inf} <= set(accuracy.sample(format, count, [0.0]))


def test_all_inputs_are_not_those_of_a_sample():
    case = accuracy.cases(ELEMENTWISE[:1], ["float16"])[0]
    parser = argparse.ArgumentParser()
    accuracy.add_arguments(parser)
    few, all_of_them = (
        parser.parse_args(["--points", "50", *more]) for more in ([], ["--exhaustive"])
    )
    assert accuracy._job(case, few) != accuracy._job(case, all_of_them)


def test_command_without_pytorch(capsys):
    assert cli.main(["accuracy", ELEMENTWISE[0], "--torch-python", "no/such/python"]) == 2
    assert "There is no torch in no/such/python" in capsys.readouterr().err


def test_only_what_is_elementwise_is_measured(capsys):
    other = next(i.name for i in ka.catalogue() if not i.elementwise)
    assert cli.main(["accuracy", other]) == 2
    assert "Only element-wise" in capsys.readouterr().err
    assert {case.info.name for case in accuracy.cases([], ["float32"])} == set(ELEMENTWISE)


@functools.cache
def _landmarks(name, given, format):
    return accuracy.landmarks(accuracy.Case(ka.info(name), dict(given), format))


def _assert_goals(info, given, dtype, mode):
    case = accuracy.Case(info, given, accuracy.FORMATS[dtype])
    # The parameters are the same numbers in all but float64.
    wide = accuracy.FORMATS["float64" if dtype == "float64" else "float32"]
    x = accuracy.sample(case.format, 300, _landmarks(info.name, tuple(given.items()), wide))
    truth = Truth(**case.question).at(x)
    unknown = x[(np.abs(x) < 1e3) & np.isnan(truth[0, 0])]
    assert not any(is_defined(info, at, given) for at in unknown)
    found = accuracy.measure(case, x, truth, [mode])
    # Where there is no goal, nothing is lost either.
    beyond = [f for f in found if not f.error <= min(f.goal, sys.float_info.max)]
    assert not beyond, "\n".join(map(report.in_words, beyond))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@all_cases
def test_goals(info, given, dtype):
    if not info.elementwise:
        pytest.skip("not element-wise")
    _assert_goals(info, given, dtype, "eager")


# What 16 bit adds are casts, which are the same for all parameters.
@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_goals_in_16_bit(name, dtype):
    _assert_goals(ka.info(name), {}, dtype, "eager")


@pytest.mark.parametrize("name", ELEMENTWISE[::5])
def test_goals_under_xla(name):
    _assert_goals(ka.info(name), {}, "float32", "xla")
