from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dynaplan as dp
from reference import cem
from reference.systems import linear_system, scalar_model

BOX = ([-1.0], [1.0])


def test_cem_is_as_good_as_the_plain_version_with_the_same_settings():
    model = dp.LinearGaussian.fit(linear_system(100))
    reward = dp.rewards.quadratic([1.0, 1.0, 1.0]) + dp.rewards.action_cost([0.1, 0.1])
    state = np.array([1.0, -2.0, 0.5])
    planner = dp.CEM(horizon=8, candidates=300, elites=30, iterations=5, clip=None)
    space = (np.full(2, -2.0), np.full(2, 1.0))
    ours = [
        planner.plan(model, reward, state, action_space=space, seed=seed).value
        for seed in range(20)
    ]
    low, high = np.tile(space[0], 8), np.tile(space[1], 8)
    theirs = [
        cem.maximise(
            lambda flat: dp.returns(model, reward, state, flat.reshape(len(flat), 8, 2)),
            (low + high) / 2,
            0.5 * (high - low) / 2,
            low,
            high,
            candidates=300,
            elites=30,
            iterations=5,
            smoothing=0.1,
            floor=0.05 * (high - low) / 2,
            seed=seed,
        )[1]
        for seed in range(20)
    ]
    spread = np.std(ours) + np.std(theirs)
    assert np.mean(ours) == pytest.approx(np.mean(theirs), abs=spread)


def test_a_plan_carries_what_it_promises():
    model = scalar_model()
    planner = dp.CEM(horizon=6, candidates=100, elites=10, iterations=3, clip=None)
    reward = dp.rewards.quadratic([1.0])
    begin = time.perf_counter()
    plan = planner.plan(model, reward, [1.0], action_space=BOX, seed=0)
    elapsed = time.perf_counter() - begin
    assert plan.actions.shape == (6, 1)
    assert plan.states.shape == (7, 1)
    assert plan.states[0, 0] == 1.0
    again = dp.rollout(model, [1.0], plan.actions[None])[0]
    np.testing.assert_allclose(plan.states, again, atol=1e-6)
    assert plan.value == pytest.approx(-(again[1:] ** 2).sum(), rel=1e-5)
    assert plan.status == "iterations"
    assert (plan.stats.candidates, plan.stats.non_finite, plan.stats.iterations) == (300, 0, 3)
    assert 0.0 < plan.stats.seconds <= elapsed


def test_best_is_a_sequence_seen_and_mean_lies_between_the_elites():
    def two_sided(obs, act, next_obs):
        return -((np.abs(act[:, 0]) - 0.8) ** 2)

    plans = {
        result: dp.CEM(horizon=3, iterations=1, initial_std=1.0, result=result).plan(
            scalar_model(), two_sided, [0.0], action_space=BOX, seed=0
        )
        for result in ("best", "mean")
    }
    np.testing.assert_allclose(np.abs(plans["best"].actions), 0.8, atol=0.15)
    assert np.abs(plans["mean"].actions).max() < 0.5
    assert plans["best"].value > plans["mean"].value


@given(
    state=st.floats(-1e30, 1e30),
    low=st.floats(-1e3, 0.0),
    width=st.floats(0.0, 1e3),
    gain=st.sampled_from([0.5, 1.0, 3.0, 1e6]),
    planner=st.sampled_from(
        [
            dp.CEM(horizon=5, candidates=20, elites=3, iterations=2),
            dp.CEM(horizon=1, candidates=1, elites=1, iterations=1, clip=None),
            dp.CEM(horizon=9, candidates=17, elites=17, iterations=3, result="mean", clip=None),
            dp.RandomShooting(horizon=4, candidates=33, clip=None),
        ]
    ),
)
@settings(max_examples=80, deadline=None)
def test_any_finite_input_gives_finite_actions_within_the_bounds(state, low, width, gain, planner):
    space = (np.array([low]), np.array([low + width]))
    model = scalar_model(gain)
    plan = planner.plan(model, dp.rewards.quadratic([1.0]), [state], action_space=space, seed=1)
    assert np.isfinite(plan.actions).all()
    assert (plan.actions >= low).all()
    assert (plan.actions <= low + width).all()


def test_candidates_with_nan_returns_rank_last_and_are_counted():
    def reward(obs, act, next_obs):
        return np.where(act[:, 0] > 0.0, np.nan, -((act[:, 0] + 0.5) ** 2))

    for planner in (dp.CEM(horizon=1), dp.RandomShooting(horizon=1)):
        plan = planner.plan(scalar_model(), reward, [0.0], action_space=BOX, seed=0)
        assert plan.stats.non_finite > 100
        assert plan.actions[0, 0] == pytest.approx(-0.5, abs=0.01)
        assert np.isfinite(plan.value)


def test_no_finite_candidate_is_said_and_the_start_returned():
    def reward(obs, act, next_obs):
        return np.full(len(obs), np.nan)

    for planner in (dp.CEM(horizon=2), dp.RandomShooting(horizon=2)):
        plan = planner.plan(scalar_model(), reward, [0.0], action_space=([1.0], [3.0]), seed=0)
        assert plan.status == "no_finite_candidate"
        np.testing.assert_array_equal(plan.actions, [[2.0], [2.0]])
        assert plan.stats.non_finite == plan.stats.candidates


@pytest.mark.parametrize("planner", [dp.CEM, dp.RandomShooting])
def test_plans_are_the_same_to_the_bit_for_any_number_of_threads(planner):
    model = dp.LinearGaussian.fit(linear_system(100), features=dp.Polynomial(2))
    reward = dp.rewards.quadratic([1.0, 1.0, 1.0])
    space = (np.full(2, -1.0), np.full(2, 1.0))
    plans = [
        planner(threads=threads).plan(model, reward, np.ones(3), action_space=space, seed=9)
        for threads in (1, 2, 4, 1)
    ]
    for plan in plans[1:]:
        np.testing.assert_array_equal(plan.actions, plans[0].actions)
        assert plan.value == plans[0].value
    other = planner().plan(model, reward, np.ones(3), action_space=space, seed=10)
    assert (other.actions != plans[0].actions).any()


def test_a_warm_start_is_kept_if_it_is_the_best():
    model = scalar_model()
    reward = dp.rewards.quadratic([1.0])
    best = np.array([[-0.5]] + [[0.0]] * 4)  # brings s = 1 to 0 in one step and stays there
    planner = dp.CEM(horizon=5, candidates=2, elites=1, iterations=1, clip=None)
    plan = planner.plan(model, reward, [1.0], action_space=BOX, warm_start=best, seed=0)
    np.testing.assert_allclose(plan.actions, best, atol=1e-7)


def test_a_change_cost_looks_at_the_action_applied_last():
    planner = dp.CEM(horizon=1, iterations=10)
    for previous in (-0.6, 0.3):
        plan = planner.plan(
            scalar_model(),
            dp.rewards.action_change_cost([1.0]),
            [0.0],
            action_space=BOX,
            previous_action=[previous],
            seed=0,
        )
        assert plan.actions[0, 0] == pytest.approx(previous, abs=0.02)


def test_exceptions_of_a_reward_function_come_through_and_the_planner_works_on():
    model = scalar_model()
    mpc = dp.MPC(model, _fails_once(), dp.CEM(horizon=3), action_space=BOX, seed=0)
    with pytest.raises(KeyError, match="once"):
        mpc.act([1.0])
    assert np.isfinite(mpc.act([1.0])).all()


def _fails_once():
    calls = []

    def reward(obs, act, next_obs):
        calls.append(len(obs))
        if len(calls) == 1:
            raise KeyError("once")
        return -(next_obs[:, 0] ** 2)

    return reward


def test_a_reward_function_is_called_once_per_iteration():
    sizes = []

    def reward(obs, act, next_obs):
        sizes.append(len(obs))
        return -(next_obs[:, 0] ** 2)

    planner = dp.CEM(horizon=7, candidates=50, elites=5, iterations=4)
    planner.plan(scalar_model(), reward, [1.0], action_space=BOX, seed=0)
    assert len(sizes) <= 6
    assert sizes == [350] * 4 + [7] + sizes[5:]  # and for the mean and the plan alone


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"horizon": 0}, "horizon: got 0"),
        ({"candidates": 0, "elites": 0}, "candidates: got 0"),
        ({"elites": 501}, "elites: got 501"),
        ({"elites": 0}, "elites: got 0"),
        ({"iterations": 0}, "iterations: got 0"),
        ({"smoothing": 1.0}, "smoothing: got 1"),
        ({"initial_std": 0.0}, "initial_std: got 0"),
        ({"initial_std": (0.5, -0.5)}, "initial_std: entry 1 is -0.5"),
        ({"initial_std": (0.5, 0.01)}, "min_std: got 0.05"),
        ({"min_std": -0.1}, "min_std: got -0.1"),
        ({"result": "worst"}, "result"),
        ({"discount": 5.0}, "discount: got 5"),
        ({"clip": -1.0}, "clip: got -1"),
        ({"threads": 0}, "threads: got 0"),
        ({"horizon": 20.0}, "horizon: got 20.0, must be an integer"),
    ],
)
def test_settings_out_of_range_are_refused_at_once(settings, message):
    with pytest.raises(dp.ArgumentError, match=message):
        dp.CEM(**settings)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"state": [0.0, 1.0]}, dp.ShapeError, "state: got shape"),
        ({"state": [np.nan]}, dp.ArgumentError, "state: entry 0 is nan"),
        ({"action_space": ([-np.inf], [1.0])}, dp.ArgumentError, "action_space: got .* be finite"),
        ({"action_space": ([1.0], [-1.0])}, dp.ArgumentError, "action_space.low: entry 0"),
        ({"action_space": ([-1.0, 0.0], [1.0, 2.0])}, dp.ShapeError, "action_space.low"),
        ({"action_space": 3}, dp.ArgumentError, "must be a Box, a Discrete or a pair"),
        ({"warm_start": np.zeros((3, 1))}, dp.ShapeError, r"warm_start: got shape \(3, 1\)"),
        ({"previous_action": [np.inf]}, dp.ArgumentError, "previous_action: entry 0 is inf"),
        (
            {"reward": dp.rewards.quadratic([1.0, 2.0])},
            dp.ShapeError,
            "a quadratic term for 2 states",
        ),
        ({"termination": dp.terminations.outside([0, 0], [1, 1])}, dp.ShapeError, "a box for 2"),
        ({"seed": 2**64}, dp.ArgumentError, "seed"),
        ({"seed": 0.5}, dp.ArgumentError, "seed: got 0.5, must be an integer"),
    ],
)
def test_bad_input_is_refused_by_name(arguments, error, message):
    call = {"reward": dp.rewards.quadratic([1.0]), "state": [0.0], "action_space": BOX} | arguments
    with pytest.raises(error, match=message):
        dp.CEM().plan(scalar_model(), **call)


def test_bounds_that_float32_cannot_hold_are_kept_to_the_last_bit():
    greedy = dp.rewards.quadratic([1.0], target=[9.0])
    plan = dp.CEM(horizon=3).plan(
        scalar_model(), greedy, [0.0], action_space=([-0.1], [0.1]), seed=0
    )
    assert plan.actions[0, 0] == 0.1


def test_a_controller_refuses_what_does_not_fit_before_its_first_plan():
    with pytest.raises(dp.ShapeError, match="a quadratic term for 2 states"):
        dp.MPC(scalar_model(), dp.rewards.quadratic([1.0, 2.0]), dp.CEM(), action_space=BOX)


def test_a_truncated_search_draws_nothing_on_the_bounds_nor_beyond_two_deviations():
    seen = []

    def reward(obs, act, next_obs):
        seen.append(act.copy())
        return np.zeros(len(act))

    planner = dp.CEM(horizon=1, candidates=5000, elites=50, iterations=1, truncated=True)
    planner.plan(scalar_model(), reward, [0.0], action_space=([-4.0], [4.0]), seed=0)
    drawn = seen[0][:, 0]
    # initial_std 0.5 of the half width: 2, which leaves two deviations to either bound.
    assert 3.8 < np.abs(drawn).max() <= 4.0
    assert (np.abs(drawn) < 4.0).all()
    cut = 2.0 * np.sqrt(0.7737413)  # the variance of a normal cut off at 2 (Johnson et al. 1994)
    assert drawn.std() == pytest.approx(cut, rel=0.03)
    seen.clear()
    planner.plan(
        scalar_model(), reward, [0.0], action_space=([-4.0], [4.0]), warm_start=[[3.0]], seed=0
    )
    near = seen[0][:, 0]
    assert near.min() > 2.0
    assert near.max() < 4.0


def test_a_search_that_has_settled_stops_and_says_so():
    model, reward = scalar_model(), dp.rewards.quadratic([1.0], target=[0.3])
    planner = dp.CEM(horizon=1, iterations=50, min_std=0.0, tolerance=0.01)
    plan = planner.plan(model, reward, [0.0], action_space=BOX, seed=0)
    assert plan.status == "converged"
    assert 2 < plan.stats.iterations < 20
    whole = dp.CEM(horizon=1, iterations=plan.stats.iterations, min_std=0.0)
    again = whole.plan(model, reward, [0.0], action_space=BOX, seed=0)
    assert again.actions[0, 0] == pytest.approx(plan.actions[0, 0], abs=0.01)


def test_planners_are_frozen_and_compare_by_value():
    assert dp.CEM(horizon=5) == dp.CEM(horizon=5) != dp.CEM(horizon=6)
    with pytest.raises(AttributeError):
        dp.CEM().horizon = 3  # type: ignore[misc]


@pytest.mark.parametrize("planner", [dp.CEM(), dp.ICEM(), dp.MPPI(), dp.RandomShooting()])
def test_bounds_beyond_float32_give_actions_within_them(planner):
    largest = np.finfo(np.float64).max
    for low, high in ((0.0, 3.5e38), (-3.5e38, 1e300), (-largest, largest), (1e300, 1e300)):
        plan = planner.plan(
            scalar_model(), dp.rewards.quadratic([1.0]), [1.0], action_space=([low], [high]), seed=0
        )
        assert ((low <= plan.actions) & (plan.actions <= high)).all()


def test_a_sum_of_rewards_that_overflows_ranks_last_without_a_warning():
    def reward(obs, act, next_obs):
        return np.where(act[:, 0] > 0.0, -1e308, -((act[:, 0] + 0.5) ** 2))

    plan = dp.CEM(horizon=4, candidates=5000, elites=50).plan(
        scalar_model(), reward, [0.0], action_space=BOX, seed=0
    )
    assert plan.stats.non_finite > 0
    assert plan.actions.max() <= 0.0
