"""MPPI: the average it promises, at the temperature it is given, and without the peers' traps."""

from __future__ import annotations

import numpy as np
import pytest

import dynaplan as dp
from dynaplan.errors import ArgumentError
from reference.systems import scalar_model

BOX = ([-1.0], [1.0])
ONE_STEP = {"horizon": 1, "iterations": 1, "clip": None}


def one_step(reward, planner, space=BOX, warm_start=None):
    return planner.plan(
        scalar_model(), reward, [0.0], action_space=space, warm_start=warm_start, seed=0
    )


def linear_reward(slope):
    return lambda obs, act, next_obs: slope * act[:, 0]


def test_one_move_is_the_mean_of_the_tilted_gaussian():
    """Noise N(0, s^2) weighed by e^(g a / T) has the mean g s^2 / T, far from the bounds."""
    planner = dp.MPPI(candidates=200_000, initial_std=0.1, temperature=2.0, **ONE_STEP)
    for slope in (1.0, -6.0):
        plan = one_step(linear_reward(slope), planner)
        assert plan.actions[0, 0] == pytest.approx(slope * 0.01 / 2.0, abs=0.001)


def test_the_control_cost_tilts_the_other_way():
    """It adds -T c (m / s^2) (a - m) to the return, so it takes c m from the mean."""
    planner = dp.MPPI(
        candidates=200_000, initial_std=0.1, temperature=2.0, control_cost=0.5, **ONE_STEP
    )
    plan = one_step(linear_reward(0.0), planner, warm_start=[[0.2]])
    assert plan.actions[0, 0] == pytest.approx(0.1, abs=0.001)
    # Counted from the middle of the box, wherever that is.
    moved = one_step(linear_reward(0.0), planner, space=([4.0], [6.0]), warm_start=[[5.2]])
    assert moved.actions[0, 0] == pytest.approx(5.1, abs=0.001)


def test_the_control_cost_counts_from_its_target():
    planner = dp.MPPI(
        candidates=200_000,
        initial_std=0.1,
        temperature=2.0,
        control_cost=0.5,
        control_target=[-0.2],
        **ONE_STEP,
    )
    plan = one_step(linear_reward(0.0), planner, warm_start=[[0.0]])
    assert plan.actions[0, 0] == pytest.approx(-0.1, abs=0.001)


def test_a_hover_is_held_where_the_control_cost_counts_from_it():
    # x' = x + v dt, v' = v + (thrust - 5) dt in a box whose middle is 6.
    model = dp.LinearModel([[1.0, 0.1], [0.0, 1.0]], [[0.0], [0.1]], [0.0, -0.5])
    reward = dp.rewards.quadratic([10.0, 1.0])
    planner = dp.MPPI(horizon=15, temperature=0.1, control_cost=1.0, control_target=[5.0])
    mpc = dp.MPC(model, reward, planner, action_space=([2.0], [10.0]), seed=0)
    state, thrusts = np.zeros(2), []
    for _ in range(60):
        thrusts.append(mpc.act(state)[0])
        state = model.predict(state, [thrusts[-1]]).mean[0]
    assert np.mean(thrusts[20:]) == pytest.approx(5.0, abs=0.02)


def test_standardised_returns_weigh_as_in_model_based_diffusion():
    """The plan moves to the mean of all candidates with the weights softmax(z / temperature)."""
    seen = []

    def reward(obs, act, next_obs):
        seen.append(act[:, 0].copy())
        return 1e3 * np.sin(3.0 * act[:, 0]) + 5e5

    planner = dp.MPPI(candidates=64, temperature=0.1, standardise=True, **ONE_STEP)
    plan = one_step(reward, planner)
    actions = seen[0]
    returns = 1e3 * np.sin(3.0 * actions)
    weights = np.exp((returns - returns.max()) / returns.std() / 0.1)
    assert plan.actions[0, 0] == pytest.approx(weights @ actions / weights.sum(), abs=1e-4)


def test_each_iteration_may_narrow_the_noise_by_itself():
    seen = []

    def reward(obs, act, next_obs):
        seen.append(act[:, 0].copy())
        return np.zeros(len(act))

    planner = dp.MPPI(
        horizon=1, candidates=4000, iterations=3, initial_std=0.2, std_decay=(0.5, 0.1)
    )
    one_step(reward, planner)
    widths = [batch.std() for batch in seen[:3]]
    np.testing.assert_allclose(widths, [0.2, 0.1, 0.01], rtol=0.05)


def test_a_hot_search_averages_and_a_cold_one_picks():
    planner = dp.MPPI(candidates=1000, temperature=1e6, **ONE_STEP)
    assert abs(one_step(linear_reward(1.0), planner).actions[0, 0]) < 0.05
    planner = dp.MPPI(candidates=1000, temperature=1e-6, **ONE_STEP)
    assert one_step(linear_reward(1.0), planner).actions[0, 0] > 0.99


def test_the_scale_of_the_reward_does_not_matter_without_a_temperature():
    planner = dp.MPPI(candidates=300, horizon=5)
    plans = [
        one_step(dp.rewards.quadratic([scale], target=[0.7]), planner) for scale in (1.0, 2.0**20)
    ]
    np.testing.assert_allclose(plans[0].actions, plans[1].actions, atol=1e-5)


def test_the_search_begins_at_the_warm_start_and_not_at_noise():
    """With equal returns all weigh the same, and the plan stays where it was but for noise."""
    planner = dp.MPPI(candidates=5000, initial_std=0.1, horizon=4, iterations=1)
    start = np.array([[0.5], [-0.5], [0.25], [0.0]])
    plan = one_step(linear_reward(0.0), planner, warm_start=start)
    np.testing.assert_allclose(plan.actions, start, atol=0.01)


def test_the_width_of_the_noise_counts():
    narrow, wide = (
        one_step(
            linear_reward(1.0),
            dp.MPPI(candidates=1000, initial_std=std, temperature=1e-6, **ONE_STEP),
        ).actions[0, 0]
        for std in (0.01, 0.3)
    )
    assert narrow < 0.05
    assert wide > 0.5


def test_one_nan_return_does_not_spoil_the_average():
    def reward(obs, act, next_obs):
        return np.where(act[:, 0] > 0.5, np.nan, act[:, 0])

    plan = one_step(reward, dp.MPPI(candidates=2000, temperature=0.01, **ONE_STEP))
    assert plan.stats.non_finite > 0
    assert 0.4 < plan.actions[0, 0] <= 0.5


def test_an_asymmetric_box_has_no_bias():
    planner = dp.MPPI(candidates=20_000, **ONE_STEP)
    plan = one_step(linear_reward(0.0), planner, space=([-10.0], [4.0]))
    assert plan.actions[0, 0] == pytest.approx(-3.0, abs=0.1)


def test_knots_and_smoothing_make_plans_smooth():
    reward = dp.rewards.quadratic([1.0], target=[0.5])
    rough, knots, smooth = (
        np.abs(np.diff(one_step(reward, planner).actions[:, 0], 2)).max()
        for planner in (
            dp.MPPI(candidates=20, horizon=21, iterations=1),
            dp.MPPI(candidates=20, horizon=21, iterations=1, knots=3),
            dp.MPPI(candidates=20, horizon=21, iterations=1, smoothing_window=9),
        )
    )
    assert knots < 0.5 * rough
    assert smooth < 0.5 * rough


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"temperature": 0.0}, "temperature"),
        ({"control_cost": 0.5}, "control_cost"),
        ({"control_cost": 1.5, "temperature": 1.0}, "control_cost"),
        (
            {"control_target": [np.nan], "control_cost": 1.0, "temperature": 1.0},
            "control_target: entry 0 is nan",
        ),
        ({"effective_samples": 0.5}, "effective_samples"),
        ({"initial_std": 0.0}, "initial_std"),
        ({"std_decay": 1.1}, "std_decay: got 1.1"),
        ({"std_decay": (0.5, 0.0, 1.0, 1.0)}, "std_decay: entry 1 is 0"),
        ({"standardise": True}, "standardise: got .*temperature"),
    ],
)
def test_settings_out_of_range_are_refused_at_once(settings, message):
    with pytest.raises(ArgumentError, match=message):
        dp.MPPI(**settings)


@pytest.mark.parametrize("temperature", [1e-300, 1e-40, 1e40, 1e300])
def test_a_temperature_beyond_float32_is_as_cold_or_hot_as_can_be(temperature):
    def reward(obs, act, next_obs):
        return np.where(act[:, 0] > 0.5, np.nan, act[:, 0])

    plan = one_step(reward, dp.MPPI(candidates=2000, temperature=temperature, **ONE_STEP))
    if temperature < 1.0:  # the best candidate alone
        assert 0.49 < plan.actions[0, 0] <= 0.5
    else:  # all alike, but for those that are worth nothing: the mean of N(0, 1/4), set on
        # [-1, 1], of what is at most 0.5
        assert plan.actions[0, 0] == pytest.approx(-0.1386, abs=0.03)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"initial_std": (0.5, 0.5)}, "initial_std: got 2 numbers, must be one for all actions"),
        ({"initial_std": []}, r"initial_std: got shape \(0,\), must be"),
        (
            {"control_target": [0.0, 1.0], "control_cost": 1.0, "temperature": 1.0},
            r"control_target: got shape \(2,\), must be \(1,\)",
        ),
    ],
)
def test_settings_of_other_actions_are_refused(settings, message):
    with pytest.raises(dp.ShapeError, match=message):
        one_step(linear_reward(1.0), dp.MPPI(**settings))


def test_there_is_a_factor_for_each_iteration_after_the_first():
    with pytest.raises(dp.ShapeError, match=r"std_decay: got 2 factors, must be one, or .*, 4"):
        dp.MPPI(std_decay=(0.5, 0.5))
