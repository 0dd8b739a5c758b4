"""A controller that takes over from another: what was sent before counts."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import dynaplan as dp
from reference.systems import exact_linear_model, scalar_model

SPACE = ([-1.0], [1.0])
PLANNERS = [dp.CEM, dp.ICEM, dp.MPPI, dp.RandomShooting, dp.GradientPlanner, dp.ILQR]
UP = dp.rewards.linear([1.0])


def _mpc(planner=None, **arguments):
    given = {"action_space": SPACE, "seed": 0} | arguments
    return dp.MPC(scalar_model(1.0), UP, planner or dp.CEM(horizon=5, clip=None), **given)


def test_a_rate_counts_from_zero_where_nothing_is_known():
    mpc = _mpc(limits=dp.Limits(action_rate=[0.025]))
    for _ in range(2):
        assert mpc.act([0.0])[0] == pytest.approx(0.025, abs=1e-6)
        assert mpc.act([0.0])[0] == pytest.approx(0.05, abs=1e-6)
        mpc.reset()


def test_a_rate_counts_from_the_nearest_bound_where_zero_is_outside():
    limits = dp.Limits(action_rate=[0.1])
    mpc = _mpc(limits=limits, action_space=([2.0], [3.0]), trust="ignore")
    assert mpc.act([0.0])[0] == pytest.approx(2.1, abs=1e-6)


@pytest.mark.parametrize("as_argument", [True, False])
def test_a_rate_counts_from_what_was_sent_before(as_argument):
    limits = dp.Limits(action_rate=[0.05])
    if as_argument:
        mpc = _mpc(limits=limits, previous_actions=[[-0.3], [-0.2]])
    else:
        mpc = _mpc(limits=limits)
        mpc.reset(previous_actions=[[-0.3], [-0.2]])
    assert mpc.act([0.0])[0] == pytest.approx(-0.15, abs=1e-6)
    mpc.reset()
    first = -0.15 if as_argument else 0.05
    assert mpc.act([0.0])[0] == pytest.approx(first, abs=1e-6)


def test_an_acceleration_counts_from_the_last_change():
    limits = dp.Limits(action_acceleration=[0.01])
    mpc = _mpc(limits=limits, previous_actions=[[-0.3], [-0.2]])
    assert mpc.act([0.0])[0] == pytest.approx(-0.2 + 0.11, abs=1e-6)


def test_the_cost_of_a_change_counts_from_what_was_sent_before():
    # -(a - before)^2 alone: the best action is the one before.
    reward = dp.rewards.action_change_cost([1.0])
    for previous, expected in (([[0.4]], 0.4), (None, 0.0)):
        mpc = dp.MPC(
            scalar_model(),
            reward,
            dp.ILQR(horizon=4, clip=None),
            action_space=SPACE,
            previous_actions=previous,
        )
        assert mpc.act([0.0])[0] == pytest.approx(expected, abs=1e-6)


def test_a_delay_predicts_from_the_whole_queue():
    # x' = x + a, and one step of horizon: the plan begins where the two actions under way lead.
    mpc = dp.MPC(
        exact_linear_model([[1.0]], [[1.0]]),
        dp.rewards.quadratic([1.0]),
        dp.ILQR(horizon=1, clip=None),
        action_space=SPACE,
        delay_steps=2,
        previous_actions=[[0.9], [0.25], [0.125]],
    )
    assert mpc.act([0.0])[0] == pytest.approx(-0.375, abs=1e-9)
    # 0.25 has acted, 0.125 and -0.375 have not.
    assert mpc.act([0.25])[0] == pytest.approx(0.0, abs=1e-9)


def test_several_systems_take_over_each_its_own():
    limits = dp.Limits(action_rate=[0.05])
    mpc = _mpc(limits=limits, previous_actions=[[[0.1]], [[-0.5]]])
    np.testing.assert_allclose(mpc.act([[0.0], [0.0]])[:, 0], [0.15, -0.45], atol=1e-6)
    with pytest.raises(dp.ShapeError, match="previous_actions: got 2 systems, must be 3"):
        _mpc(previous_actions=[[[0.1]], [[-0.5]]]).act(np.zeros((3, 1)))


@pytest.mark.parametrize("planner", PLANNERS)
def test_the_first_plan_starts_from_the_warm_start_given(planner):
    # A narrow hill that no search finds by itself.
    wanted = np.linspace(-0.83, 0.71, 5)

    def reward(states, actions, next_states, *, step):
        return -1.0 + np.exp(-(((actions[:, 0] - wanted[step]) / 1e-4) ** 2))

    if planner in {dp.ILQR, dp.GradientPlanner}:  # which take no function of the step

        def reward(states, actions, next_states):
            return -1.0 + np.exp(-(((actions[:, 0] - wanted[0]) / 1e-4) ** 2))

    mpc = dp.MPC(scalar_model(), reward, planner(horizon=5, clip=None), action_space=SPACE, seed=0)
    mpc.reset(warm_start=wanted[:, None])
    assert mpc.act([0.0])[0] == pytest.approx(wanted[0], abs=5e-4)
    mpc.reset()
    assert mpc.act([0.0])[0] != pytest.approx(wanted[0], abs=5e-4)


def test_copies_take_over_alike():
    mpc = _mpc(limits=dp.Limits(action_rate=[0.05]), previous_actions=[[0.1], [0.2]])
    others = [copy.deepcopy(mpc), pickle.loads(pickle.dumps(mpc))]
    first = mpc.act([0.0])
    for other in others:
        np.testing.assert_array_equal(other.act([0.0]), first)
        other.reset()
        np.testing.assert_array_equal(other.act([0.0]), first)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"previous_actions": [0.1]}, dp.ShapeError, r"previous_actions: got shape \(1,\)"),
        ({"previous_actions": [[0.1, 0.2]]}, dp.ShapeError, "previous_actions: got shape"),
        ({"previous_actions": np.zeros((0, 1))}, dp.ShapeError, "previous_actions: got shape"),
        ({"previous_actions": [[np.nan]]}, dp.ArgumentError, "previous_actions: .* finite"),
        ({"previous_actions": [["a"]]}, TypeError, "previous_actions"),
        ({"previous_actions": [[0.1]], "delay_steps": 2}, dp.ShapeError, "at least delay_steps"),
    ],
)
def test_what_cannot_be_taken_over_is_refused_by_name(arguments, error, message):
    with pytest.raises(error, match=message):
        _mpc(**arguments)


@pytest.mark.parametrize(
    ("warm_start", "error"),
    [([0.1], dp.ShapeError), ([[np.inf]], dp.ArgumentError), ([["a"]], TypeError)],
)
def test_a_warm_start_that_is_none_is_refused_and_changes_nothing(warm_start, error):
    mpc = _mpc()
    mpc.act([0.0])
    with pytest.raises(error, match="warm_start"):
        mpc.reset(warm_start=warm_start)
    assert mpc.last_plan is not None


@pytest.mark.parametrize("planner", PLANNERS)
def test_what_was_really_sent_counts_at_once_where_changes_are_limited(planner):
    mpc = dp.MPC(
        exact_linear_model([[1.0]], [[0.1]]),
        dp.rewards.quadratic([1.0], target=[1.0]),
        planner(horizon=8, clip=None),
        action_space=([-10.0], [10.0]),
        limits=dp.Limits(action_rate=[0.5]),
        replan_every=4,
        seed=0,
    )
    mpc.act([0.0])
    assert abs(mpc.act([0.0], previous_action=[-2.0])[0] + 2.0) <= 0.5
    with pytest.raises(dp.ArgumentError, match="previous_action"):
        mpc.act([0.0], previous_action=[np.nan])
    assert np.isfinite(mpc.act([0.0])).all()


def test_what_was_sent_as_planned_asks_for_no_new_plan():
    mpc = _mpc(limits=dp.Limits(action_rate=[0.05]), replan_every=4)
    sent = mpc.act([0.0])
    plan = mpc.last_plan
    for _ in range(3):
        sent = mpc.act([0.0], previous_action=sent)
        assert mpc.last_plan is plan
