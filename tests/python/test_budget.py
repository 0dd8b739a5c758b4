"""Plans under a deadline: there is one, whatever the deadline, and it says how far it got."""

from __future__ import annotations

import time

import numpy as np
import pytest

import dynaplan as dp
from dynaplan.errors import ArgumentError
from reference.systems import linear_system, scalar_model

BOX = ([-1.0], [1.0])
PLANNERS = {
    "cem": dp.CEM(candidates=20_000, iterations=50),
    "icem": dp.ICEM(candidates=20_000, elites=1000, iterations=50, population_decay=1.0),
    "mppi": dp.MPPI(candidates=20_000, iterations=50),
    "random shooting": dp.RandomShooting(candidates=1_000_000),
}


@pytest.fixture(params=PLANNERS)
def planner(request):
    return PLANNERS[request.param]


@pytest.mark.parametrize("time_limit", [1e-9, 0.002])
def test_a_plan_that_ran_out_of_time_is_usable_and_says_so(planner, time_limit):
    # How late it is is a matter of the machine: the benchmark `deadline` measures it.
    model, reward = scalar_model(), dp.rewards.quadratic([1.0], target=[0.3])
    controller = dp.MPC(model, reward, planner, action_space=BOX, seed=0)
    action = controller.act([1.0], time_limit=time_limit)
    plan = controller.last_plan
    assert plan.status == "time_limit"
    assert 0 < plan.stats.candidates < 1_000_000  # all would take a hundred times as long
    assert np.isfinite(plan.value)
    assert np.abs(action).max() <= 1.0


def test_more_time_gives_better_plans():
    model = dp.LinearGaussian.fit(linear_system(100))
    reward = dp.rewards.quadratic([1.0, 1.0, 1.0])
    planner = dp.CEM(horizon=40, candidates=2000, elites=50, iterations=100, min_std=0.001)
    space = (np.full(2, -2.0), np.full(2, 2.0))
    values = [
        planner.plan(
            model, reward, [1.0, -2.0, 0.5], action_space=space, seed=0, time_limit=time_limit
        ).value
        for time_limit in (1e-9, 60.0)  # time for a part of the first iteration; for all
    ]
    assert values[1] > values[0]


def test_a_budget_that_is_enough_changes_no_bit(planner):
    from dataclasses import replace

    model, reward = scalar_model(), dp.rewards.quadratic([1.0])
    small = replace(planner, candidates=200) if planner.candidates > 20_000 else planner
    small = replace(small, candidates=2000, horizon=3)
    plans = [
        small.plan(model, reward, [1.0], action_space=BOX, seed=0, time_limit=time_limit)
        for time_limit in (None, 600.0, 1e300)
    ]
    for plan in plans:
        assert plan.status == "iterations"
        np.testing.assert_array_equal(plan.actions, plans[0].actions)


def test_a_python_reward_that_costs_as_much_for_all_candidates_is_asked_about_all():
    def slow(obs, act, next_obs):
        time.sleep(0.005)
        return -(next_obs[:, 0] ** 2)

    planner = dp.CEM(candidates=100, elites=10, iterations=100)
    plan = planner.plan(scalar_model(), slow, [1.0], action_space=BOX, seed=0, time_limit=0.1)
    assert plan.status == "time_limit"
    assert 1 <= plan.stats.iterations <= 20


@pytest.mark.parametrize("time_limit", [0.0, -1.0, float("nan")])
def test_a_budget_that_is_none_is_refused(time_limit):
    with pytest.raises(ArgumentError, match="time_limit"):
        dp.CEM().plan(
            scalar_model(),
            dp.rewards.quadratic([1.0]),
            [1.0],
            action_space=BOX,
            time_limit=time_limit,
        )


@pytest.mark.parametrize("planner", [dp.CEM(), dp.ICEM(), dp.MPPI(), dp.RandomShooting()])
def test_a_function_model_is_asked_for_as_many_candidates_as_there_is_time_for(planner):
    rows, seconds = [], []

    def step(states, actions):
        rows.append(len(states))
        time.sleep(2e-4 + 2e-5 * len(states))
        return states + 0.1 * actions

    model, reward = dp.FunctionModel(step, 1, 1), dp.rewards.quadratic([1.0])
    for _ in range(3):  # the machine may be busy with something else
        begin = time.perf_counter()
        plan = planner.plan(model, reward, [1.0], action_space=BOX, seed=0, time_limit=0.1)
        seconds.append(time.perf_counter() - begin)
        assert plan.status == "time_limit" or isinstance(planner, dp.ICEM)
        assert plan.stats.candidates >= 20
    assert min(seconds) < 0.125  # all candidates at once would take 0.2 to 0.5
    assert max(rows) < max(planner.candidates, 65)


def test_a_function_model_with_all_the_time_it_needs_is_asked_once_a_step():
    rows = []

    def step(states, actions):
        rows.append(len(states))
        return states + 0.1 * actions

    model, reward = dp.FunctionModel(step, 1, 1), dp.rewards.quadratic([1.0])
    arguments = {"action_space": BOX, "seed": 0}
    free = dp.CEM(horizon=5).plan(model, reward, [1.0], **arguments)
    rows.clear()
    timed = dp.CEM(horizon=5).plan(model, reward, [1.0], time_limit=60.0, **arguments)
    assert rows[2:7] == [500] * 5
    np.testing.assert_array_equal(timed.actions, free.actions)
