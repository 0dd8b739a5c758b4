"""Several systems controlled in one call, each after its own reference."""

from __future__ import annotations

import numpy as np
import pytest

import dynaplan as dp
from reference.systems import exact_linear_model

BOX = ([-1.0], [1.0])
TARGETS = np.array([[1.0, 0.0], [-1.0, 0.0], [0.3, 0.0]])
STATES = np.zeros((3, 2))
PLANNERS = {
    "cem": dp.CEM(horizon=12),
    "icem": dp.ICEM(horizon=12),
    "mppi": dp.MPPI(horizon=12),
    "gradient": dp.GradientPlanner(horizon=12),
    "ilqr": dp.ILQR(horizon=12),
}


@pytest.fixture(scope="module")
def cart():
    return exact_linear_model([[1.0, 0.1], [0.0, 1.0]], [[0.0], [0.1]])


def built_in(target):
    return dp.rewards.quadratic([1.0, 0.1], target) + dp.rewards.action_cost([0.01])


def in_python(target):
    def reward(states, actions, next_states):
        gaps = next_states - target
        return -(gaps[:, 0] ** 2) - 0.1 * gaps[:, 1] ** 2 - 0.01 * actions[:, 0] ** 2

    return reward


def along_the_horizon(target):
    steps = np.linspace(0.1, 1.0, 12)[:, None]
    return dp.rewards.quadratic([1.0, 0.1], steps * target)


@pytest.mark.parametrize("planner", PLANNERS)
@pytest.mark.parametrize("kind", [built_in, in_python, along_the_horizon])
def test_each_follows_its_own_reference(planner, kind, cart):
    rewards = [kind(target) for target in TARGETS]
    together = dp.MPC(cart, rewards, PLANNERS[planner], action_space=BOX, seed=5)
    alone = [
        dp.MPC(cart, reward, PLANNERS[planner], action_space=BOX, seed=5 + n)
        for n, reward in enumerate(rewards)
    ]
    states = STATES
    for _ in range(3):
        actions = together.act(states)
        expected = [mpc.act(state) for mpc, state in zip(alone, states, strict=True)]
        np.testing.assert_array_equal(actions, expected)
        states = states @ cart.A.T + actions @ cart.B.T
    for n, plan in enumerate(together.last_plans):
        assert np.sign(plan.states[-1, 0]) == np.sign(TARGETS[n, 0])
    shown = [together.explain(n).rewards.sum() for n in range(3)]
    for total, plan in zip(shown, together.last_plans, strict=True):
        assert total == pytest.approx(plan.value, rel=1e-4)


def test_references_move_while_it_runs(cart):
    mpc = dp.MPC(cart, built_in(TARGETS[0]), PLANNERS["cem"], action_space=BOX, seed=0)
    mpc.act(STATES)
    actions = mpc.act(STATES, reward=[built_in(target) for target in TARGETS])
    assert (np.sign(actions[:, 0]) == np.sign(TARGETS[:, 0])).all()
    mpc.change(reward=built_in(TARGETS[1]))
    assert (mpc.act(STATES) < 0).all()
    assert "built-in" in repr(mpc) or "quadratic" in repr(mpc)


@pytest.mark.parametrize("planner", PLANNERS)
def test_as_many_rewards_as_systems(planner, cart):
    rewards = [built_in(target) for target in TARGETS]
    mpc = dp.MPC(cart, rewards, PLANNERS[planner], action_space=BOX, seed=0)
    for states in (STATES[:2], STATES[0], np.zeros((4, 2))):
        with pytest.raises(dp.ShapeError, match="reward: got 3 rewards, must be one for all"):
            mpc.act(states)
        mpc.reset()
    with pytest.raises(dp.ShapeError, match="reward: got 3 rewards"):
        PLANNERS[planner].plan(cart, rewards, STATES[0], action_space=BOX)
    for none in ([], [rewards[0], 3.0], [rewards]):
        with pytest.raises(TypeError, match="reward"):
            dp.MPC(cart, none, PLANNERS[planner], action_space=BOX)
