"""Plots: what is drawn is what the functions compute, with kinks and asymptotes where they are."""

import sys

import matplotlib
import numpy as np
import pytest
from cases import all_of

import keras_activations as ka
from keras_activations._layers import GatedLayer

matplotlib.use("Agg")
from matplotlib import pyplot

DRAWN = [i for i in ka.catalogue() if i.elementwise or issubclass(i.layer, GatedLayer)]


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    pyplot.close("all")


def _curve(ax, label):
    return next(line for line in ax.lines if line.get_label() == label)


def _dots(ax, filled):
    dots = [line for line in ax.lines if line.get_marker() == "o"]
    dots = [d for d in dots if (d.get_markerfacecolor() != ax.get_facecolor()) == filled]
    return sorted(
        (float(np.ravel(d.get_xdata())[0]), float(np.ravel(d.get_ydata())[0])) for d in dots
    )


def _dotted(ax):
    return [line for line in ax.lines if line.get_linestyle() == ":"]


@all_of(DRAWN)
def test_every_curve_is_the_function(info):
    given = info.required
    axes = ka.plot(info.name, second_derivative=True, **given)
    assert [ax.get_title() for ax in axes] == ["value", "derivative", "second derivative"]
    label = next(t.get_text() for t in axes[0].get_legend().get_texts())
    x, y = _curve(axes[0], label).get_data()
    assert (min(x), max(x)) == (-6.0, 6.0)

    def function(x):
        rows = x if info.elementwise else np.stack([np.ones_like(x), x], -1)
        return np.ravel(info.function(rows, **given))

    drawn = np.isfinite(y)
    assert drawn.mean() > 0.98
    np.testing.assert_allclose(y[drawn], function(x)[drawn], rtol=1e-12)
    if info.backward is None:  # The derivative is the slope of what is drawn.
        dx = _curve(axes[1], label).get_ydata()
        slope = (function(x + 1e-6) - function(x - 1e-6)) / 2e-6
        assert np.nanquantile(np.abs(slope - dx), 0.98) < 1e-5
        bend = _curve(axes[2], label).get_ydata()
        found = np.gradient(dx, x)
        size = max(1.0, np.nanquantile(np.abs(bend), 0.9))
        assert np.nanquantile(np.abs(found - bend)[1:-1], 0.9) < 1e-2 * size
    if info.elementwise:  # Every kink that the page claims is marked.
        marked = [x for x, _ in _dots(axes[0], filled=True)]
        assert {k for k in info.kinks if abs(k) < 6.0} <= set(marked)


def test_a_jump_is_not_joined_and_its_open_end_is_marked():
    value, derivative = ka.plot("hard_shrink")
    x, y = _curve(value, "hard_shrink").get_data()
    broken = np.isnan(y)
    assert set(x[broken]) >= {-0.5, 0.5}
    np.testing.assert_allclose(_dots(value, filled=True), [(-0.5, 0.0), (0.5, 0.0)])
    np.testing.assert_allclose(_dots(value, filled=False), [(-0.5, -0.5), (0.5, 0.5)], atol=1e-6)
    np.testing.assert_allclose(_dots(derivative, filled=False), [(-0.5, 1.0), (0.5, 1.0)])


def test_kinks_move_with_their_parameters():
    value, _ = ka.plot("soft_shrink", threshold=[1.0, 2.0])
    assert [x for x, _ in _dots(value, filled=True)] == [-2.0, -1.0, 1.0, 2.0]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mish", {(-6.0, 0.0, 0.0), (6.0, 6.0, 0.0)}),
        ("tanh", {(-6.0, -1.0, -1.0), (6.0, 1.0, 1.0)}),
        ("softsign", {(-6.0, -1.0, -1.0), (6.0, 1.0, 1.0)}),
        ("snake", set()),
        ("exponential", {(-6.0, 0.0, 0.0)}),
        ("tanh_shrink", {(-6.0, -5.0, 1.0), (6.0, 5.0, -1.0)}),
    ],
)
def test_asymptotes(name, expected):
    """As the far end of each half, its height there and at 0."""
    lines = [np.stack(line.get_data(), -1) for line in _dotted(ka.plot(name)[0])]
    assert {(end[0], end[1], start[1]) for start, end in lines} == expected


def test_several_values_of_a_parameter_and_several_activations():
    (ax,) = ka.plot("snake", "snake_beta", derivative=False, alpha=np.array([0.5, 1.0]))
    labels = [t.get_text() for t in ax.get_legend().get_texts()]
    assert labels == [f"{n}(alpha={a})" for n in ("snake", "snake_beta") for a in (0.5, 1.0)]
    colours = {_curve(ax, label).get_color() for label in labels}
    assert len(colours) == 4
    # Of a list of coefficients one value is a list.
    (ax,) = ka.plot("apl", derivative=False, a=[0.1, 0.2], b=[-1.0, 1.0])
    assert len(ax.get_legend().get_texts()) == 1


def test_more_curves_than_colours_differ_in_their_dashes():
    names = [info.name for info in DRAWN[:20]]
    (ax,) = ka.plot(*names, derivative=False)
    styles = {(_curve(ax, n).get_color(), _curve(ax, n).get_linestyle()) for n in names}
    assert len(styles) == 20


def test_draws_on_the_axes_it_is_given():
    figure, axes = pyplot.subplots(1, 2)
    assert ka.plot(ka.Mish, axes=axes) == list(axes)
    figure.canvas.draw()
    axes[0].set_ylim(-1, 2)
    assert len(pyplot.get_fignums()) == 1


def test_bad_requests_are_named(monkeypatch):
    with pytest.raises(ValueError, match="'mish'"):
        ka.plot("mishh")
    with pytest.raises(ValueError, match="at least one"):
        ka.plot()
    with pytest.raises(ValueError, match=r"mish has no parameter alpha.*none"):
        ka.plot("mish", alpha=1.0)
    with pytest.raises(ValueError, match="softmax is not element-wise"):
        ka.plot("softmax")
    with pytest.raises(ValueError, match="limits"):
        ka.plot("mish", limits=(3, -3))
    for limits in ((3,), 3, ("a", "b"), (0.0, np.inf), (np.nan, 1.0)):
        with pytest.raises(ValueError, match="limits"):
            ka.plot("mish", limits=limits)
    with pytest.raises(ValueError, match=r"Expected 2 axes.*3"):
        ka.plot("mish", axes=pyplot.subplots(1, 3)[1])
    for alpha in ([], None, [[1.0, 2.0], [3.0, 4.0]]):
        with pytest.raises(ValueError, match="alpha"):
            ka.plot("elu", alpha=alpha)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"pip install 'keras_activations\[plot\]'"):
        ka.plot("mish")


def test_the_value_has_no_kinks_where_only_the_backward_pass_jumps():
    found = [i for i in ka.catalogue() if i.backward and i.kinks and i.elementwise]
    assert found
    for info in found:
        value, _ = ka.plot(info.name)
        assert {x for x, _ in _dots(value, filled=True)} <= set(info.kinks)
        pyplot.close()


def test_rounding_makes_no_kinks():
    value, _ = ka.plot("bounded_tanh", low=-100.0, high=1000.0)
    assert _dots(value, filled=True) == []


def test_a_kink_at_the_edge_is_marked():
    _, derivative = ka.plot("relu6")
    assert _dots(derivative, filled=True) == [(0.0, 0.0), (6.0, 0.0)]
    assert np.isnan(_curve(derivative, "relu6").get_ydata()[-1])


@pytest.mark.parametrize("count", [2, 12])
def test_the_legend_covers_no_more_than_a_few_curves(count):
    axes = ka.plot(*[i.name for i in ka.catalogue() if i.elementwise][:count])
    axes[0].figure.canvas.draw()
    (legend,) = (ax.get_legend() for ax in axes if ax.get_legend())
    boxes = [ax.get_window_extent() for ax in axes]
    inside = any(box.overlaps(legend.get_window_extent()) for box in boxes)
    assert inside == (count == 2)
    assert all(box.width > 100 for box in boxes)
