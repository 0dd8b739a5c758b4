"""An evaluation as a table: every number is that of plain loops over starts and steps."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import numpy as np
import pytest

import dynaplan as dp
from reference.open_loop import of_step, open_loop_errors, predictor

LINEAR = np.array([[0.95, 0.1], [-0.2, 0.9]])


def walk(episodes=4, rows=12, noise=0.1, seed=0):
    rng = np.random.default_rng(seed)
    parts = []
    for _ in range(episodes):
        path, actions = [rng.normal(size=2) * [1.0, 5.0]], rng.normal(size=(rows, 1))
        for action in actions:
            path.append(LINEAR @ path[-1] + action + noise * rng.normal(size=2))
        path = np.array(path)
        parts.append(dp.Transitions(path[:-1], actions, path[1:]))
    return dp.Transitions.concatenate(parts)


def test_the_columns_are_the_errors_of_plain_loops():
    held_out = walk()
    model = dp.LinearGaussian.fit(walk(seed=1, noise=0.5))
    check = dp.evaluate(model, held_out, 5)
    columns = check.to_dict()
    errors = open_loop_errors(predictor(model), held_out, 5)
    changes = open_loop_errors(lambda state, action: state, held_out, 5)
    assert {len(values) for values in columns.values()} == {10}
    np.testing.assert_array_equal(columns["step"], [1, 2, 3, 4, 5] * 2)
    np.testing.assert_array_equal(columns["state"], [0] * 5 + [1] * 5)
    for row, (step, state) in enumerate(zip(columns["step"], columns["state"], strict=True)):
        found = of_step(errors, step)[:, state]
        assert columns["starts"][row] == len(found) == 4 * (12 - step + 1)
        np.testing.assert_allclose(columns["rmse"][row], np.sqrt(np.mean(found**2)))
        change = np.sqrt(np.mean(of_step(changes, step)[:, state] ** 2))
        np.testing.assert_allclose(columns["baseline_rmse"][row], change)
        np.testing.assert_allclose(columns["spread"][row], held_out.states[:, state].std())
        # Of the changes more is taken out: what may be noise of the sensors.
        assert columns["state_ratio"][row] == pytest.approx(columns["rmse"][row] / change, rel=0.02)
    growth = (columns["rmse"][4::5] / columns["rmse"][::5]) ** (1 / 4)
    np.testing.assert_allclose(columns["growth"], np.repeat(growth, 5))
    np.testing.assert_array_equal(columns["noise_floor"], np.repeat(check.noise_floor, 5))


def test_the_interval_of_the_errors_is_that_of_drawn_episodes():
    held_out, horizon, episodes = walk(8, 20), 6, 8
    model = dp.LinearGaussian.fit(walk(seed=1, noise=1.0))
    errors = open_loop_errors(predictor(model), held_out, horizon)
    columns = dp.evaluate(model, held_out, horizon, seed=3).to_dict()
    drawn = np.random.default_rng(7).integers(episodes, size=(2000, episodes))
    for state in range(2):
        for step in range(1, horizon + 1):
            squares = of_step(errors, step)[:, state].reshape(episodes, -1) ** 2
            means = np.sqrt(squares[drawn].mean(axis=(1, 2)))
            row = state * horizon + step - 1
            # 5 % quantiles of 200 draws are known to some 2 % of the draws: a fifth of the width.
            low, high = np.quantile(means, [0.05, 0.95])
            tolerance = 0.2 * (high - low)
            assert abs(columns["rmse_low"][row] - low) < tolerance
            assert abs(columns["rmse_high"][row] - high) < tolerance
            assert columns["rmse_low"][row] <= columns["rmse"][row] <= columns["rmse_high"][row]
    again = dp.evaluate(model, held_out, horizon, seed=3).to_dict()
    np.testing.assert_array_equal(again["rmse_low"], columns["rmse_low"])


def test_of_one_episode_the_interval_is_not_known():
    held_out = walk(1)
    check = dp.evaluate(dp.LinearGaussian.fit(held_out), held_out, 3)
    assert check.rmse_interval is None
    columns = check.to_dict()
    assert np.isnan(columns["rmse_low"]).all()
    assert np.isnan(columns["rmse_high"]).all()
    assert np.isfinite(columns["rmse"]).all()


def test_one_episode_that_diverges_leaves_no_nan():
    # From a start above 1 the model squares itself to infinity; below it vanishes.
    def squared(states, actions):
        with np.errstate(over="ignore"):
            return states**2

    model = dp.FunctionModel(squared, state_dim=1, action_dim=1)
    states = np.concatenate([np.full(40, 0.5), np.full(40, 1e3), np.full(120, 0.3)])[:, None]
    data = dp.Transitions(
        states, np.zeros((200, 1)), states, episodes=np.arange(200) // 40, gaps="ignore"
    )
    check = dp.evaluate(model, data, 12)
    low, high = check.rmse_interval
    assert np.isinf(check.rmse[-1, 0])
    assert np.isinf(high[-1, 0])
    assert np.isfinite(low[-1, 0])  # of the third of the draws without that episode
    assert not np.isnan(check.rmse_interval).any()


def test_more_than_64_episodes_are_drawn_in_groups():
    held_out = walk(130, 3)
    check = dp.evaluate(dp.LinearGaussian.fit(held_out), held_out, 2)
    low, high = check.rmse_interval
    assert (low < check.rmse).all()
    assert (check.rmse < high).all()


def test_a_frame_has_the_same_columns(monkeypatch):
    check = dp.evaluate(dp.LinearGaussian.fit(walk()), walk(seed=2), 4)
    monkeypatch.setitem(sys.modules, "pandas", SimpleNamespace(DataFrame=lambda data: data))
    frame = check.to_frame()
    assert frame.keys() == check.to_dict().keys()
    np.testing.assert_array_equal(frame["rmse"], check.rmse.T.ravel())


def test_a_frame_of_pandas_itself():
    pandas = pytest.importorskip("pandas")
    check = dp.evaluate(dp.LinearGaussian.fit(walk()), walk(seed=2), 4)
    frame = check.to_frame()
    assert isinstance(frame, pandas.DataFrame)
    assert frame.shape == (8, 11)
    last = frame[(frame.step == 4) & (frame.state == 1)]
    np.testing.assert_array_equal(last.rmse, check.rmse[3, 1])


def test_without_pandas_the_error_names_the_extra(monkeypatch):
    check = dp.evaluate(dp.LinearGaussian.fit(walk()), walk(seed=2), 4)
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match=r'to_frame needs pandas: pip install "dynaplan\[pandas'):
        check.to_frame()
