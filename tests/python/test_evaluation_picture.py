"""The picture of an evaluation shows its numbers, and nothing lies upon them."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest

import dynaplan as dp
from reference.dynamical_systems import driven, linear

pytest.importorskip("matplotlib")
STARTS = {"png": b"\x89PNG\r\n\x1a\n", "pdf": b"%PDF-", "svg": b"<?xml"}


@pytest.fixture(scope="module")
def check():
    model = dp.LinearGaussian.fit(driven(linear, 4, 30, noise=0.3, seed=0))
    return dp.evaluate(model, driven(linear, 5, 30, noise=0.3, seed=1), 20)


def curves(axes):
    return {line.get_label(): line for line in axes.get_lines()}


def test_the_curves_are_the_errors(check):
    panels = check.plot().axes
    assert [panel.get_title() for panel in panels] == ["state 0", "state 1"]
    for state, panel in enumerate(panels):
        drawn = curves(panel)
        x, y = drawn["model (rmse)"].get_data()
        np.testing.assert_array_equal(x, check.steps)
        np.testing.assert_array_equal(y, check.rmse[:, state])
        _, baseline = drawn["if nothing changed"].get_data()
        np.testing.assert_array_equal(baseline, check.baseline_rmse[:, state])
        assert set(drawn["trusted horizon"].get_xdata()) == {check.trusted_horizon}
        [band] = panel.collections
        corners = band.get_paths()[0].vertices
        for bound in check.rmse_interval[:, :, state]:
            corner = np.stack([check.steps, bound], axis=1)
            assert {tuple(one) for one in corner} <= {tuple(one) for one in corners}
        [span] = panel.patches
        assert span.get_extents().width > 0.0
        assert (span.get_x(), span.get_x() + span.get_width()) == check.trusted_interval
        assert panel.get_legend() is None  # it is below all panels


def test_the_noise_of_the_sensors_is_a_line_where_there_is_some(check):
    assert "noise of the sensor" not in curves(check.plot().axes[0])
    noisy = replace(check, noise_floor=np.array([0.07, 0.0]))
    first, second = (curves(panel)["noise of the sensor"] for panel in noisy.plot().axes)
    assert set(first.get_ydata()) == {0.07}
    assert np.isnan(second.get_ydata()).all()


@pytest.mark.parametrize("kind", STARTS)
def test_it_is_written_in_three_formats(check, kind, tmp_path):
    path = tmp_path / f"errors.{kind}"
    check.plot(path)
    start = path.read_bytes()[:24]
    assert start.startswith(STARTS[kind])
    if kind == "png":
        assert int.from_bytes(start[16:20], "big") == 800
    assert list(tmp_path.iterdir()) == [path]


def test_axes_of_the_callers_are_drawn_into(check):
    from matplotlib.figure import Figure

    figure = Figure()
    panels = figure.subplots(1, 2)
    assert check.plot(ax=panels) is figure
    assert "model (rmse)" in curves(panels[1])
    single = Figure().subplots()
    check.plot(states=[-1], ax=single)
    np.testing.assert_array_equal(curves(single)["model (rmse)"].get_ydata(), check.rmse[:, 1])


def many_states(check, count, **changes):
    wide = {
        name: np.repeat(getattr(check, name)[..., :1], count, axis=-1)
        for name in ("spread", "noise_floor", "rmse", "rmse_interval", "baseline_rmse")
    }
    return replace(check, **{**wide, **changes})


def test_of_many_states_the_first_twelve_are_drawn_and_the_title_says_so(check):
    figure = many_states(check, 14).plot()
    assert len([panel for panel in figure.axes if panel.get_visible()]) == 12
    assert figure.get_suptitle().endswith("\n12 of 14 states")
    last = many_states(check, 14).plot(states=[13]).axes[0]
    assert last.get_title() == "state 13"


@pytest.mark.parametrize("value", [0.0, np.inf, 1e-300, 1e300])
def test_errors_of_any_size_can_be_drawn(check, value, tmp_path):
    flat = np.full_like(check.rmse, value)
    strange = replace(check, rmse=flat, baseline_rmse=flat, rmse_interval=None)
    strange.plot(tmp_path / "a.png")
    mixed = replace(check, rmse=np.where(check.steps[:, None] > 3, value, check.rmse))
    mixed.plot(tmp_path / "b.png")


def test_a_single_step_of_a_single_episode_can_be_drawn(tmp_path):
    data = driven(linear, 1, 40, noise=0.1)
    check = dp.evaluate(dp.LinearGaussian.fit(data), data, 1)
    figure = check.plot(tmp_path / "a.png")
    assert figure.get_suptitle().endswith("(one held-out episode: how sure is not known)")
    assert curves(figure.axes[0])["model (rmse)"].get_marker() == "o"
    assert not figure.axes[0].collections


def test_what_cannot_be_drawn_is_refused_by_name(check, tmp_path):
    from matplotlib.figure import Figure

    with pytest.raises(dp.ArgumentError, match=r"path: got 'a.gif', must end in .png, .pdf or .s"):
        check.plot("a.gif")
    with pytest.raises(dp.ArgumentError, match="states: got 2, must be from 0 to 1"):
        check.plot(states=[2])
    with pytest.raises(dp.ArgumentError, match="states: got none, must be at least one"):
        check.plot(states=[])
    with pytest.raises(TypeError, match="ax: got 'a', must be axes of matplotlib"):
        check.plot(ax="a")
    with pytest.raises(dp.ShapeError, match="ax: got 1 axes, must be 2, one for each state"):
        check.plot(ax=Figure().subplots())
    with pytest.raises(OSError, match="nowhere"):
        check.plot(tmp_path / "nowhere" / "a.png")


def test_without_matplotlib_the_error_names_the_extra(check, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.axes", None)
    with pytest.raises(ImportError, match=r'plot needs matplotlib: pip install "dynaplan\[plot'):
        check.plot()
