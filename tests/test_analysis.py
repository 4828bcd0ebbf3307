"""Measured properties: against closed forms, and against what the pages claim."""

import math

import numpy as np
import pytest
from cases import all_activations

import keras_activations as ka

INF = math.inf


@all_activations
def test_measured_range_and_monotonicity_are_the_claimed_ones(info):
    if not info.elementwise:
        with pytest.raises(ValueError, match="not element-wise"):
            ka.properties(info.name)
        return
    measured = ka.properties(info.name)
    if info.range is not None:
        np.testing.assert_allclose(measured.range, info.range, atol=1e-8)
    if info.monotonic is not None:
        assert measured.monotonic == info.monotonic


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("relu", {}, {"zeros": ((-INF, 0.0),), "dead_zone": ((-INF, 0.0),), "lipschitz": 1.0}),
        ("relu", {"negative_slope": 0.5}, {"zeros": ((0.0, 0.0),), "dead_zone": ()}),
        ("relu6", {}, {"dead_zone": ((-INF, 0.0), (6.0, INF)), "range": (0.0, 6.0)}),
        ("relu", {"max_value": 255.0}, {"dead_zone": ((-INF, 0.0), (255.0, INF))}),
        ("relu", {"threshold": 150.0}, {"dead_zone": ((-INF, 150.0),), "zeros": ((-INF, 150.0),)}),
        ("leaky_relu", {"negative_slope": 3.0}, {"lipschitz": 3.0, "saturation": ()}),
        ("sigmoid", {}, {"lipschitz": 0.25, "zeros": (), "dead_zone": ()}),
        ("exponential", {}, {"lipschitz": INF, "saturation": ((-INF, math.log(0.01)),)}),
        ("tanh", {}, {"symmetry": "odd", "lipschitz": 1.0, "dead_zone": ()}),
        ("arctan", {}, {"saturation": ((-INF, -math.sqrt(99.0)), (math.sqrt(99.0), INF))}),
        ("softsign", {}, {"saturation": ((-INF, -9.0), (9.0, INF))}),
        ("gaussian", {}, {"symmetry": "even", "lipschitz": math.sqrt(2.0 / math.e), "zeros": ()}),
        ("hard_shrink", {}, {"lipschitz": INF, "dead_zone": ((-0.5, 0.5),)}),
        ("soft_shrink", {}, {"lipschitz": 1.0, "zeros": ((-0.5, 0.5),), "saturation": ()}),
        ("soft_shrink", {"threshold": 0.3}, {"dead_zone": ((-0.3, 0.3),)}),
        ("binary_step", {}, {"lipschitz": INF, "dead_zone": ((-INF, -1.0), (1.0, INF))}),
        ("snake", {}, {"lipschitz": 2.0, "monotonic": True, "range": (-INF, INF)}),
        ("gcu", {}, {"lipschitz": INF, "range": (-INF, INF), "symmetry": "odd"}),
        ("sine", {}, {"lipschitz": 30.0, "range": (-1.0, 1.0), "symmetry": "odd"}),
        ("relu_squared", {}, {"lipschitz": INF, "saturation": ((-INF, 0.005),)}),
        ("hard_silu", {}, {"lipschitz": 1.5, "zeros": ((-INF, -3.0), (0.0, 0.0))}),
        # Its tail underflows, and does not die.
        ("golu", {}, {"dead_zone": (), "zeros": ((0.0, 0.0),), "monotonic": False}),
    ],
)
def test_properties_in_closed_form(name, given, expected):
    measured = ka.properties(name, **given)
    for attribute, value in expected.items():
        found = getattr(measured, attribute)
        if isinstance(value, str | bool):
            assert found == value
        else:
            assert np.shape(found) == np.shape(value), attribute
            np.testing.assert_allclose(found, value, rtol=1e-6, atol=1e-9, err_msg=attribute)


def test_zeros_of_a_wave_are_all_found():
    points = np.array(ka.properties("sine").zeros)[:, 0]
    multiples = np.arange(-1222, 1223) * np.pi / 30.0
    np.testing.assert_allclose(points, multiples, atol=1e-9)


def test_layers_and_names_with_parameters_are_taken():
    by_name = ka.properties("leaky_relu(negative_slope=0.1)")
    assert by_name == ka.properties(ka.LeakyReLU(negative_slope=0.1))
    with pytest.raises(ValueError, match=r"no parameter alpha.*none"):
        ka.properties("mish", alpha=1.0)
    with pytest.raises(ValueError, match=r"`negative_slope` .* must be a number"):
        ka.properties("leaky_relu", negative_slope=float("nan"))
