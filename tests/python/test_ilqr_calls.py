"""iLQR as a planner to call: status, time_limit, threads, exceptions, and what it refuses."""

from __future__ import annotations

import time
from dataclasses import replace

import gymnasium as gym
import numpy as np
import pytest

import dynaplan as dp
from reference import pendulum
from reference.systems import exact_linear_model, scalar_model

BOX = ([-1.0], [1.0])
REWARD = dp.rewards.for_env("Pendulum-v1")


@pytest.fixture(scope="module")
def model():
    data = dp.collect(gym.make("Pendulum-v1"), steps=200, seed=0, episode_steps=50)
    return dp.LinearGaussian.fit(data, features=dp.Polynomial(2))


def test_no_finite_candidate_is_said_and_the_start_returned():
    def reward(obs, act, next_obs):
        return np.full(len(obs), np.nan)

    plan = dp.ILQR(horizon=2).plan(scalar_model(), reward, [0.0], action_space=([1.0], [3.0]))
    assert plan.status == "no_finite_candidate"
    np.testing.assert_array_equal(plan.actions, [[2.0], [2.0]])
    np.testing.assert_array_equal(plan.gains, np.zeros((2, 1, 1)))
    assert plan.stats.non_finite == plan.stats.candidates


def test_a_warm_start_that_diverges_is_left_for_one_that_does_not():
    model = exact_linear_model([[1.0]], [[1.0]])

    def reward(obs, act, next_obs):
        return np.where(next_obs[:, 0] > 2.0, np.nan, -((next_obs[:, 0] - 1.0) ** 2))

    plan = dp.ILQR(horizon=4, clip=None).plan(
        model, reward, [0.0], action_space=BOX, warm_start=np.ones((4, 1))
    )
    assert plan.status == "converged"
    assert plan.states[-1, 0] == pytest.approx(1.0, abs=1e-6)


def test_iterations_and_tolerance_say_when_it_ends(model):
    start, space = np.array([np.cos(0.6), np.sin(0.6), 0.0]), ([-9.0], [9.0])
    few = dp.ILQR(horizon=25, iterations=2)
    plan = few.plan(model, REWARD, start, action_space=space)
    assert (plan.status, plan.stats.iterations) == ("iterations", 2)
    loose, tight = (
        replace(few, iterations=500, tolerance=tolerance).plan(
            model, REWARD, start, action_space=space
        )
        for tolerance in (0.1, 1e-12)
    )
    assert loose.status == tight.status == "converged"
    assert loose.stats.iterations < tight.stats.iterations
    assert plan.value < tight.value


@pytest.mark.parametrize("time_limit", [1e-9, 0.005])
@pytest.mark.parametrize("start", [None, dp.ICEM(candidates=2000, elites=100, iterations=20)])
def test_a_plan_is_there_in_time_and_says_so(time_limit, start):
    def slow(obs, act, next_obs):
        time.sleep(0.002)
        return -((next_obs[:, 0] - 0.3) ** 2) - np.abs(act[:, 0]) ** 1.5

    planner = dp.ILQR(horizon=30, iterations=100_000, tolerance=0.0, start=start)
    plan = planner.plan(
        scalar_model(), slow, [1.0], action_space=BOX, time_limit=time_limit, seed=0
    )
    assert plan.status == "time_limit"
    assert np.isfinite(plan.value)
    assert np.abs(plan.actions).max() <= 1.0


def test_a_budget_that_is_enough_changes_no_bit(model):
    start, space = np.array([-1.0, 0.1, 0.0]), ([-2.0], [2.0])
    plans = [
        dp.ILQR(horizon=15, start=dp.ICEM()).plan(
            model, REWARD, start, action_space=space, seed=0, time_limit=time_limit
        )
        for time_limit in (None, 600.0)
    ]
    np.testing.assert_array_equal(plans[0].actions, plans[1].actions)


@pytest.mark.parametrize("reward", ["pendulum", "function"])
def test_plans_are_the_same_to_the_bit_for_any_number_of_threads(model, reward):
    paid = REWARD if reward == "pendulum" else pendulum.reward
    start, space = np.array([-1.0, 0.1, 0.0]), ([-2.0], [2.0])
    plans = [
        dp.ILQR(horizon=70, threads=threads).plan(model, paid, start, action_space=space)
        for threads in (1, 2, 4, 1)
    ]
    for plan in plans[1:]:
        np.testing.assert_array_equal(plan.actions, plans[0].actions)
        np.testing.assert_array_equal(plan.gains, plans[0].gains)
        assert plan.value == plans[0].value


def test_exceptions_of_a_reward_function_come_through_and_the_planner_works_on():
    calls = []

    def reward(obs, act, next_obs):
        calls.append(len(obs))
        if len(calls) == 2:
            raise KeyError("second")
        return -(next_obs[:, 0] ** 2)

    mpc = dp.MPC(scalar_model(), reward, dp.ILQR(horizon=3), action_space=BOX, seed=0)
    with pytest.raises(KeyError, match="second"):
        mpc.act([1.0])
    assert np.isfinite(mpc.act([1.0])).all()


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"horizon": 0}, dp.ArgumentError, "horizon: got 0"),
        ({"iterations": 0}, dp.ArgumentError, "iterations: got 0"),
        ({"iterations": 2.0}, dp.ArgumentError, "iterations: got 2.0, must be an integer"),
        ({"tolerance": -1.0}, dp.ArgumentError, "tolerance: got -1"),
        ({"tolerance": np.nan}, dp.ArgumentError, "tolerance: got nan"),
        ({"step_sizes": 0}, dp.ArgumentError, "step_sizes: got 0"),
        ({"step_sizes": 65}, dp.ArgumentError, "step_sizes: got 65"),
        ({"regularisation": -1.0}, dp.ArgumentError, "regularisation: got -1"),
        ({"min_regularisation": 0.0}, dp.ArgumentError, "min_regularisation"),
        ({"max_regularisation": 1e-9}, dp.ArgumentError, "max_regularisation"),
        ({"regularisation_factor": 1.0}, dp.ArgumentError, "regularisation_factor: got 1"),
        ({"discount": 0.0}, dp.ArgumentError, "discount: got 0"),
        ({"clip": 0.0}, dp.ArgumentError, "clip: got 0"),
        ({"threads": 0}, dp.ArgumentError, "threads: got 0"),
        ({"start": "icem"}, TypeError, "start: got 'icem', must be a planner"),
        (
            {"start": dp.CEM(propagation="sample", particles=5)},
            dp.ArgumentError,
            'start: got propagation "sample"',
        ),
        (
            {"start": dp.CEM(disagreement_limit=dp.DisagreementLimit(1.0))},
            dp.ArgumentError,
            "start: got .* disagreement_limit",
        ),
    ],
)
def test_settings_out_of_range_are_refused_at_once(settings, error, message):
    with pytest.raises(error, match=message):
        dp.ILQR(**settings)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"state": [np.nan]}, dp.ArgumentError, "state: entry 0 is nan"),
        ({"action_space": ([1.0], [-1.0])}, dp.ArgumentError, "action_space.low: entry 0"),
        ({"warm_start": np.zeros((3, 1))}, dp.ShapeError, r"warm_start: got shape \(3, 1\)"),
        ({"previous_action": [np.inf]}, dp.ArgumentError, "previous_action: entry 0 is inf"),
        (
            {"reward": dp.rewards.quadratic([1.0, 2.0])},
            dp.ShapeError,
            "a quadratic term for 2 states",
        ),
        ({"reward": dp.rewards.predicted()}, dp.ArgumentError, "predicts no rewards"),
        ({"reward": lambda obs, act, next_obs: 0.0}, dp.ShapeError, "reward: returned shape"),
    ],
)
def test_bad_input_is_refused_by_name(arguments, error, message):
    call = {"reward": dp.rewards.quadratic([1.0]), "state": [0.0], "action_space": BOX} | arguments
    with pytest.raises(error, match=message):
        dp.ILQR().plan(scalar_model(), **call)
