"""Functions in Python get as many candidates at once as there is time for."""

from __future__ import annotations

import time

import numpy as np
import pytest

import dynaplan as dp

CART = dp.LinearModel([[1.0, 0.1], [0.0, 1.0]], [[0.005], [0.1]])
BOX = ([-1.0], [1.0])
HORIZON = 5
LIMIT = 0.03
OF_ONE = 1e-3  # seconds that a candidate takes
PLANNERS = {
    "cem": dp.CEM(horizon=HORIZON, clip=None),
    "icem": dp.ICEM(horizon=HORIZON, clip=None),
    "mppi": dp.MPPI(horizon=HORIZON, clip=None),
    "random shooting": dp.RandomShooting(horizon=HORIZON, clip=None),
    "categorical": dp.CategoricalCEM(horizon=HORIZON, actions=[[-1.0], [0.0], [1.0]], clip=None),
}
NEAR = dp.rewards.quadratic([1.0, 0.1], target=[1.0, 0.0])


class Slow:
    """A function of batches that takes its time for each candidate, and counts them.

    Nothing else takes less than that: what has been asked within a limit is a bound that holds on
    any machine.
    """

    def __init__(self, function, rows_of_one):
        self.function, self.rows_of_one, self.of_one = function, rows_of_one, OF_ONE
        self.calls = []

    def __call__(self, states, *others):
        candidates = len(states) / self.rows_of_one
        self.calls.append(candidates)
        if self.of_one:
            time.sleep(self.of_one * candidates)
        return self.function(states, *others)


def slow_part(kind):
    """Returns a slow function, and what `plan` takes with it."""
    if kind == "reward":
        slow = Slow(NEAR, HORIZON)
        return slow, {"reward": slow}
    if kind == "termination":
        slow = Slow(lambda s, a, n: n[:, 0] > 5.0, HORIZON)
        return slow, {"reward": NEAR, "termination": slow}
    if kind == "constraint":
        slow = Slow(lambda s, a, n: n[:, 0] - 5.0, HORIZON)
        return slow, {"reward": NEAR, "limits": dp.Limits(constraints=slow)}
    slow = Slow(lambda s: -((s[:, 0] - 1.0) ** 2), 1)
    return slow, {"reward": NEAR, "terminal_value": slow}


KINDS = ["reward", "termination", "constraint", "terminal value"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("planner", PLANNERS)
def test_a_slow_function_keeps_the_deadline(planner, kind):
    slow, parts = slow_part(kind)
    reward = parts.pop("reward")
    plan = PLANNERS[planner].plan(
        CART, reward, [0.0, 0.0], action_space=BOX, seed=0, time_limit=LIMIT, **parts
    )
    assert OF_ONE * sum(slow.calls) <= LIMIT
    assert plan.status == "time_limit"
    assert 1 <= plan.stats.candidates < LIMIT / OF_ONE
    assert np.isfinite(plan.actions).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("planner", PLANNERS)
def test_one_slower_than_the_limit_is_still_asked_about_a_candidate(planner, kind):
    slow, parts = slow_part(kind)
    reward = parts.pop("reward")
    plan = PLANNERS[planner].plan(
        CART, reward, [0.0, 0.0], action_space=BOX, seed=0, time_limit=1e-9, **parts
    )
    assert plan.stats.candidates == 1
    assert plan.status == "time_limit"
    assert max(slow.calls) == 1
    assert np.isfinite(plan.value)


def test_particles_count():
    slow, _ = slow_part("reward")
    slow.rows_of_one = 4 * HORIZON
    model = dp.LinearModel([[1.0, 0.1], [0.0, 1.0]], [[0.005], [0.1]], noise=np.eye(2) * 1e-4)
    planner = dp.CEM(horizon=HORIZON, clip=None, propagation="sample", particles=4)
    plan = planner.plan(model, slow, [0.0, 0.0], action_space=BOX, seed=0, time_limit=LIMIT)
    assert OF_ONE * sum(slow.calls) <= LIMIT
    assert plan.status == "time_limit"


@pytest.mark.parametrize("candidates", [1, 8])
def test_a_slow_policy_keeps_the_deadline(candidates):
    slow = Slow(lambda s: np.zeros((len(s), 1)), 1)
    plan = dp.CEM(horizon=200, clip=None).plan(
        CART,
        NEAR,
        [0.0, 0.0],
        action_space=BOX,
        policy=slow,
        policy_candidates=candidates,
        seed=0,
        time_limit=LIMIT,
    )
    assert OF_ONE * sum(slow.calls) <= LIMIT
    assert plan.stats.candidates >= 1
    slow.calls.clear()
    dp.CEM(horizon=HORIZON, clip=None).plan(
        CART,
        NEAR,
        [0.0, 0.0],
        action_space=BOX,
        policy=slow,
        policy_candidates=candidates,
        seed=0,
    )
    assert slow.calls == [candidates] * HORIZON


def test_several_systems_share_the_limit():
    slow, parts = slow_part("reward")
    mpc = dp.MPC(CART, parts["reward"], PLANNERS["cem"], action_space=BOX, seed=0)
    mpc.act(np.zeros((3, 2)), time_limit=3 * LIMIT)
    assert OF_ONE * sum(slow.calls) <= 3 * LIMIT


def test_a_slow_model_is_measured_by_one_candidate():
    slow = Slow(lambda s, a: s + 0.1 * a, 1)
    model = dp.FunctionModel(slow, 1, 1)
    reward = dp.rewards.quadratic([1.0])
    dp.CEM(horizon=HORIZON).plan(model, reward, [1.0], action_space=BOX, seed=0, time_limit=LIMIT)
    # A block is a vector of lanes at least.
    assert slow.calls[0] == 1
    assert max(slow.calls) <= 16


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("planner", PLANNERS)
def test_with_time_enough_the_plan_is_that_without_a_limit(planner, kind):
    def plan(time_limit):
        slow, parts = slow_part(kind)
        slow.of_one = 0.0
        reward = parts.pop("reward")
        return PLANNERS[planner].plan(
            CART, reward, [0.0, 0.0], action_space=BOX, seed=0, time_limit=time_limit, **parts
        )

    free, limited = plan(None), plan(60.0)
    assert limited.status == free.status
    assert limited.stats.candidates == free.stats.candidates
    np.testing.assert_allclose(limited.actions, free.actions, atol=1e-4)
    assert limited.value == pytest.approx(free.value, rel=1e-5)


def test_without_a_limit_each_iteration_is_one_call():
    reward, _ = slow_part("reward")
    reward.of_one = 0.0
    planner = dp.CEM(horizon=HORIZON, candidates=100, iterations=3, clip=None)
    planner.plan(CART, reward, [0.0, 0.0], action_space=BOX, seed=0)
    assert reward.calls[:3] == [100] * 3
    assert set(reward.calls[3:]) == {1}
