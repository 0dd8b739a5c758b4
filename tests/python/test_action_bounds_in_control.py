"""Bounds of actions by step from plan to plan: rows that move on with time."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import dynaplan as dp
from dynaplan.control.timed_plan import Sender, Sight
from dynaplan.control.timed_planner import TimedPlanner
from reference.action_bounds import BOX, random_bounds, require_within

MODEL = dp.LinearModel([[1.0, 0.1], [0.0, 0.9]], [[0.1, 0.0], [0.3, 0.2]])
REWARD = dp.rewards.quadratic([1.0, 0.3], target=[5.0, 0.0]) + dp.rewards.action_cost([0.1, 0.1])
H = 8
PLANNERS = {
    "cem": dp.CEM(horizon=H, candidates=30, elites=5, iterations=3),
    "icem": dp.ICEM(horizon=H, candidates=30, elites=5),
    "mppi": dp.MPPI(horizon=H, candidates=30, effective_samples=5.0),
    "random shooting": dp.RandomShooting(horizon=H, candidates=30),
    "ilqr": dp.ILQR(horizon=H),
    "lqr": dp.LQR(horizon=H),
}


def controller(planner="cem", **parts):
    return dp.MPC(MODEL, REWARD, PLANNERS[planner], action_space=BOX, seed=0, **parts)


def run(mpc, steps, state=(0.0, 0.0)):
    state, sent = np.array(state), []
    for _ in range(steps):
        sent.append(mpc.act(state))
        state = MODEL.predict(state, sent[-1]).mean[0]
    return np.array(sent)


@pytest.mark.parametrize("planner", ["cem", "icem", "mppi", "random shooting", "ilqr", "lqr"])
@pytest.mark.parametrize("parts", [{}, {"replan_every": 3}, {"delay_steps": 2}])
def test_a_controller_moves_on_by_a_row_with_each_step(planner, parts):
    low, high = random_bounds(np.random.default_rng(1), 12)
    mpc = controller(planner, limits=dp.Limits(action_low=low, action_high=high), **parts)
    require_within(run(mpc, 20), low, high)
    mpc.reset()
    require_within(run(mpc, 3), low, high)
    other = random_bounds(np.random.default_rng(2), 5)
    mpc.change(limits=dp.Limits(action_low=other[0], action_high=other[1]))
    require_within(run(mpc, 4), *other)
    mpc.change(reward=REWARD)
    require_within(run(mpc, 4), *other, first=4)
    copy = pickle.loads(pickle.dumps(mpc))
    np.testing.assert_array_equal(run(copy, 3), run(mpc, 3))


def test_rows_count_for_all_of_several_systems():
    low, high = random_bounds(np.random.default_rng(3), 6)
    mpc = controller(limits=dp.Limits(action_low=low, action_high=high))
    states = np.random.default_rng(0).normal(size=(3, 2))
    for step in range(9):
        for action in mpc.act(states):
            require_within(action[None], low, high, first=step)


def test_steps_sent_by_a_loop_of_ones_own_count():
    low, high = random_bounds(np.random.default_rng(4), 20)
    mpc = controller(limits=dp.Limits(action_low=low, action_high=high))
    for first in (0, 3, 6, 9):
        require_within(mpc.plan([0.0, 0.0]).actions, low, high, first=first)
        mpc.advance(3)


def test_what_is_sent_in_place_of_a_plan_is_within_bounds():
    low, high = random_bounds(np.random.default_rng(5), 4)
    limits = dp.Limits(action_low=low, action_high=high, state_high=[-10.0, -10.0])
    for on_failure in ("hold", lambda plan: [9.0, 9.0]):
        mpc = controller(limits=limits, on_failure=on_failure)
        with pytest.warns(dp.FailedPlanWarning):
            require_within(np.array([mpc.act([0.0, 0.0]) for _ in range(7)]), low, high)


def test_an_explanation_tells_the_bounds_of_each_step():
    low, high = np.full((3, 2), -0.5), np.full((3, 2), 0.5)
    low[1] = high[1] = [0.25, -0.125]
    mpc = controller("ilqr", limits=dp.Limits(action_low=low, action_high=high))
    for step in range(3):
        mpc.act([0.0, 0.0])
        rows = np.minimum(np.arange(step, step + H), 2)
        actions, shown = mpc.last_plan.actions, mpc.explain().action_limits
        expected = (actions >= high[rows]).astype(int) - (actions <= low[rows]).astype(int)
        np.testing.assert_array_equal(shown, expected)


def test_a_thread_sends_what_the_step_allows():
    low, high = random_bounds(np.random.default_rng(6), 12)
    mpc = controller("ilqr", limits=dp.Limits(action_low=low, action_high=high))
    planner, sender = TimedPlanner(mpc, 3.0, 1.0), Sender(np.zeros((1, 2)))
    first = None
    for now in range(24):
        sight = Sight(np.array([[0.1 * now, -0.2]]), float(now))
        if now % 3 == 0 and now != 12:  # once there is no new plan, and more steps pass
            assert planner.plan(sight, float(now))
            first = planner.plans[0].begins if first is None else first
        if sender.send(planner.plans, now + 0.5, sight, mpc._prepared):
            require_within(sender.last, low, high, first=now - round(first))
    assert first == 3.0


def test_known_ground_and_bounds_have_something_in_common_at_each_step():
    generator = np.random.default_rng(0)
    states, actions = generator.normal(size=(60, 2)), generator.uniform(-0.5, 0.5, size=(60, 2))
    model = dp.LinearGaussian.fit(dp.Transitions(states, actions, states + actions))
    high = np.array([[1.0, 1.0], [0.1, 1.0]])
    limits = dp.Limits(action_high=high)
    mpc = dp.MPC(model, REWARD, PLANNERS["cem"], action_space=BOX, limits=limits, trust="refuse")
    plan = mpc.plan([0.0, 0.0])
    require_within(plan.actions, np.tile(BOX[0], (2, 1)), high)
    assert np.abs(plan.actions).max() <= 0.75
    with pytest.raises(dp.ArgumentError, match=r"(?s)limits: got .*, must have some in common"):
        mpc.change(limits=dp.Limits(action_low=[[0.0, 0.0], [0.9, 0.9]]))
