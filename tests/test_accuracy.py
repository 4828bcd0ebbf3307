"""The command that measures accuracy: its truth, its ruler, its output, and what it finds."""

import dataclasses
import fractions
import re

import numpy as np
import pytest
from cases import all_cases
from mpmath import mp, mpf
from oracles import evaluate

import keras_activations as ka
from keras_activations import accuracy, cli
from keras_activations.reference import Process, Truth, truth

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
                tolerance = mpf(10) ** -22 * abs(expected) + mpf(10) ** -60
                low, high = (mp.fsum(map(mpf, found[:, order, side, i])) for side in (0, 1))
                assert low - tolerance <= expected <= high + tolerance, (order, x)


def test_truth_beyond_float64():
    """Literals mean what they say, and the second part holds what the first cannot."""
    high, low = Truth("0.1 * x", None, {}).at([3.0])[:, 0, 0, 0]
    exact = fractions.Fraction(3, 10)
    assert abs(fractions.Fraction(high) + fractions.Fraction(low) - exact) < 1e-32
    assert Truth("alpha * x", None, {"alpha": 0.1}).at([1.0])[1, 0, 0, 0] == 0.0


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
    assert found[0, 0, :, 0].tolist() == [0, 0]
    assert tuple(found[0, 1, :, 0]) == slopes
    assert np.isnan(found[0, 2, 0, 0]) == (slopes[0] != slopes[1])


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
    np.testing.assert_equal(found[0, :, 0].T, [left, right, [np.nan] * 3])


@pytest.mark.parametrize("x", [1e-300, -1e-30, 37.0, -700.0, 1e4, 1e38, -1e308])
def test_truth_where_formulas_cancel_or_overflow(x):
    tanh = Truth("(exp(x) - exp(-x)) / (exp(x) + exp(-x))", None, {}).at([x])[:, 0, 0, 0]
    same = Truth("tanh(x)", None, {}).at([x])[:, 0, 0, 0]
    assert tanh[0] == same[0] == np.tanh(x)
    assert tanh[1] == pytest.approx(same[1], abs=2.0**-74 * abs(same[0]))


def test_another_process_gives_the_same_truth():
    case = accuracy.cases(ELEMENTWISE[:1], ["float64"])[0]
    points = np.array(POINTS)
    process = Process(accuracy.sys.executable)
    np.testing.assert_equal(process.ask(points, **case.question), truth(points, **case.question))
    with pytest.raises(RuntimeError, match="unexpected"):
        process.ask(points, nonsense=1)
    process.close()


def _error(got, low, high=None, x=1.0, format=FLOAT32, **options):
    bounds = np.array([[[low], [low if high is None else high]]], np.float64)
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
    assert _error(0.0, tiny + step) == 2.0**23 + 1
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


def test_errors_beyond_float64():
    bounds = np.array([[[1.0], [1.0]], [[2.0**-60], [2.0**-60]]])
    one, float64 = np.array([1.0]), accuracy.FORMATS["float64"]
    assert accuracy.errors(one, bounds, one, float64, relative=True)[0] == 2.0**-60


def test_subnormal_inputs_may_be_zero():
    x = np.array([0.0, 1e-40, -1e-40, 1e-30], np.float32)
    found = Truth("x if x > 0 else 3 * x", None, {}).at(x)
    slopes = accuracy.admissible(found, x, FLOAT32)[0, 1]
    assert slopes.T.tolist() == [[1, 3], [1, 3], [1, 3], [1, 1]]


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
    assert len(x) == 65536
    assert len(np.unique(numbers.view(np.uint16))) == len(numbers) == 2 * (2**15 - 2**7 + 1)


def test_landmarks():
    info = next(i for i in ka.catalogue() if i.elementwise and i.kinks)
    assert set(info.kinks) <= set(accuracy.landmarks(accuracy.Case(info, {}, FLOAT32)))


def test_goals_of_its_own(monkeypatch):
    """A scale may be an expression, errors beyond the domain and in graphs do not count."""
    own = {"gradient": 7, "gradient_scale": "abs(x) if x is not None else 0", "domain": 10}
    info = dataclasses.replace(ka.info(ELEMENTWISE[0]), accuracy={**own, "graph": "fused"})
    case = accuracy.Case(info, {}, FLOAT32)
    x = np.array([0.5, 4.0, -20.0, np.inf], np.float32)
    zero, one = np.zeros(4, np.float32), np.ones(4, np.float32)
    exact = np.zeros((1, 3, 2, 4))
    found = accuracy._worst_errors("eager", [[zero, one]], exact, x, case)
    assert found["gradient"].x == 0.5
    assert found["gradient"].error == 2.0**24
    assert found["value"].error == 0
    assert accuracy.goal(info, "float32", "gradient") == 7
    assert accuracy.goal(info, "float16", "gradient") == 1
    monkeypatch.setattr(accuracy.ka, "info", lambda name: info)
    result = accuracy.Result(info.name, {}, "float32", 4, 0, {"graph": found, "eager": {}})
    assert list(accuracy._missed([result], "float32", "gradient")) == [info.name]
    assert not accuracy._missed([result], "float32", "limits")


def test_command(tmp_path, capsys):
    page, numbers = tmp_path / "new" / "accuracy.md", tmp_path / "accuracy.json"
    command = ["accuracy", *ELEMENTWISE[:2], "--dtype", "float32", "--mode", "eager", "graph"]
    command += ["--points", "400", "--jobs", "1", "--against", "keras", "naive"]
    assert cli.main([*command, "--write", str(page), "--json", str(numbers)]) == 0
    printed = capsys.readouterr().out
    for text in (printed, page.read_text()):
        assert all(f"| `{name}`" in text for name in ELEMENTWISE[:2])
        assert "float32 gradient, at most 4 ulp" in text
    assert [p.name for p in page.parent.iterdir()] == ["accuracy.md"]
    results = accuracy.load(numbers)
    assert {r.name for r in results} == set(ELEMENTWISE[:2])
    assert set(results[0].errors) >= {"eager", "graph", "naive"}
    assert accuracy.summary(results) in printed


def test_command_checks(monkeypatch, capsys):
    command = ["accuracy", ELEMENTWISE[0], "--dtype", "float32", "--mode", "eager"]
    command += ["--points", "200", "--jobs", "1", "--against", "none", "--check"]
    monkeypatch.setitem(accuracy.GOALS, "float32", {"value": -1.0})
    assert cli.main(command) == 1
    assert f"missed by {ELEMENTWISE[0]}" in capsys.readouterr().out


def test_command_of_an_unknown_name(capsys):
    assert cli.main(["accuracy", ELEMENTWISE[0] + "x"]) == 2
    assert f"Did you mean '{ELEMENTWISE[0]}'" in capsys.readouterr().err


def test_command_without_its_packages(monkeypatch, capsys):
    monkeypatch.setitem(accuracy.sys.modules, "flint", None)
    assert cli.main(["accuracy"]) == 2
    assert "pip install 'keras_activations[measure]'" in capsys.readouterr().err


def test_command_skips_what_is_not_elementwise(capsys):
    other = next(i.name for i in ka.catalogue() if not i.elementwise)
    assert cli.main(["accuracy", other, "--against", "none"]) == 0
    assert f"not element-wise: {other}" in capsys.readouterr().out


@pytest.mark.parametrize("dtype", accuracy.DTYPES)
@all_cases
def test_goals(info, given, dtype):
    if not info.elementwise:
        pytest.skip("not element-wise")
    case = accuracy.Case(info, given, accuracy.FORMATS[dtype])
    x = accuracy.sample(case.format, 600, accuracy.landmarks(case))
    result = accuracy.measure(case, x, Truth(**case.question).at(x), ["eager"])
    assert result.unresolved == 0
    for quantity, worst in result.errors["eager"].items():
        assert worst.error <= accuracy.goal(info, dtype, quantity), (quantity, worst)
