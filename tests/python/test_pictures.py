"""The pictures and tables that the commands show, by themselves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dynaplan.reports import pictures, tables
from dynaplan.reports.episode import ComparedEpisode
from dynaplan.rollouts.evaluation import Evaluation

PNG_MAGIC = b"\x89PNG\r\n\x1a\n"


def png_size(path):
    head = path.read_bytes()[:24]
    assert head.startswith(PNG_MAGIC)
    return int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")


def evaluation(horizon=6, **changes):
    steps = np.arange(1, horizon + 1)
    values = {
        "one_step_rmse": np.full(5, 0.1),
        "spread": np.ones(5),
        "noise_floor": np.zeros(5),
        "steps": steps,
        "starts": steps[::-1],
        "episodes": 4,
        "error_median": 0.01 * steps,
        "error_90": 0.03 * steps,
        "baseline_median": 0.1 * steps,
        "ratio": np.full(horizon, 0.1),
        "ratio_interval": np.stack([np.full(horizon, 0.05), np.full(horizon, 0.2)]),
        "rmse": np.full((horizon, 5), 0.1),
        "rmse_interval": np.stack([np.full((horizon, 5), 0.05), np.full((horizon, 5), 0.2)]),
        "baseline_rmse": np.full((horizon, 5), 1.0),
        "state_ratio": np.full((horizon, 5), 0.1),
        "growth": np.ones(5),
        "coverage": {0.9: np.full(5, 0.9)},
        "band_coverage": None,
        "share": 0.5,
        "trusted_horizon": horizon,
        "trusted_interval": (1, horizon),
    }
    return Evaluation(**{**values, **changes})


def episode(state_dim=5, action_dim=2, length=30):
    rng = np.random.default_rng(0)
    return ComparedEpisode(
        seed=7,
        states=rng.normal(size=(length + 1, state_dim)),
        actions=rng.normal(size=(length, action_dim)),
        rewards=-np.ones(length),
        decision_seconds=np.full(length, 0.002),
        random_return=-90.0,
    )


def test_discrete_actions_are_drawn_by_their_numbers():
    figure = pytest.importorskip("matplotlib.figure").Figure()
    axes, numbers = figure.subplots(), np.arange(30) % 4 + 5
    flown = replace(episode(action_dim=4), numbers=numbers)
    pictures._draw_actions(axes, flown, "Any-v0", None)
    [stairs] = axes.patches
    np.testing.assert_array_equal(stairs.get_data().values, numbers)
    assert axes.get_ylabel() == "action"


@pytest.mark.parametrize("state_dim", [1, 5])
@pytest.mark.parametrize("dt", [None, 0.02])
def test_any_environment_can_be_drawn(tmp_path, state_dim, dt):
    flown = episode(state_dim, action_dim=4)
    predictions = {0: flown.states[:21], 20: flown.states[20:]}
    path = tmp_path / "picture.png"
    pictures.draw(path, flown, predictions, evaluation(), env_id="Any-v0", dt=dt)
    assert png_size(path)[0] > 1000


def test_a_model_that_diverges_at_once_can_be_drawn(tmp_path):
    bad = np.full(6, np.inf)
    check = evaluation(error_median=bad, error_90=bad, trusted_horizon=0)
    flown = episode()
    lost = np.full((21, 5), np.nan)
    path = tmp_path / "picture.png"
    pictures.draw(path, flown, {0: lost, 20: lost[:11]}, check, env_id="Any-v0", dt=None)
    png_size(path)


def test_a_trusted_horizon_at_the_end_of_the_check_is_a_lower_bound():
    texts = [tables.trusted_steps(evaluation(trusted_horizon=k)) for k in (0, 1, 6)]
    assert texts == ["0 steps", "1 step", "at least 6 steps"]


def test_a_check_of_one_step_can_be_drawn(tmp_path):
    path = tmp_path / "picture.png"
    pictures.draw(path, episode(), {}, evaluation(1), env_id="Any-v0", dt=None)
    png_size(path)


def test_times_and_shares_as_text():
    # 60 plans of 2 ms: 500 per second.
    assert tables.time_line([episode(), episode()]) == (
        "Time per plan: median 2.00 ms, 99 % within 2.00 ms; 500 plans per second"
    )
    assert [tables.percent(share) for share in (0.0123, 0.5, 1.5)] == ["1.2 %", "50 %", "150 %"]
    assert [tables.steps(count) for count in (0, 1, 2)] == ["0 steps", "1 step", "2 steps"]
