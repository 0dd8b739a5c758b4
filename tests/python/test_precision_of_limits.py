"""What a plan must keep it keeps wherever the origin is, whatever its reward depends on."""

from __future__ import annotations

import numpy as np
import pytest

import dynaplan as dp

A, B = np.array([[1.0, 0.1], [0.0, 1.0]]), np.array([[0.005], [0.1]])
CART = dp.LinearModel(A, B)  # place and speed; a force
FAST = dp.rewards.linear([0.0, 1.0]) + dp.rewards.action_cost([0.01])  # of the speed alone
PLANNERS = {
    "cem": dp.CEM(horizon=20, clip=None),
    "icem": dp.ICEM(horizon=20, clip=None),
    "mppi": dp.MPPI(horizon=20, clip=None),
    "random shooting": dp.RandomShooting(horizon=20, candidates=500, clip=None),
    "categorical": dp.CategoricalCEM(horizon=20, actions=[[-3.0], [0.0], [3.0]], clip=None),
}
# A wall 2 m ahead.
WALLS = {
    "state limit": lambda origin: dp.Limits(state_high=[origin + 2.0, np.inf]),
    "half-plane": lambda origin: dp.Limits(
        constraints=dp.constraints.half_plane([1.0, 0.0], origin + 2.0)
    ),
    "disc": lambda origin: dp.Limits(
        constraints=dp.constraints.outside_disc(1.0, indices=[0], centre=[origin + 3.0])
    ),
    "box": lambda origin: dp.Limits(
        constraints=dp.constraints.outside_box([origin + 2.0], [origin + 4.0], indices=[0])
    ),
    "Python": lambda origin: dp.Limits(
        constraints=lambda states, actions, next_states: next_states[:, 0] - origin - 2.0
    ),
}


def plan_at(planner, wall, origin):
    return PLANNERS[planner].plan(
        CART,
        FAST,
        [origin, 0.0],
        action_space=([-3.0], [3.0]),
        limits=WALLS[wall](origin),
        seed=0,
    )


def farthest(actions):
    """How far the cart really goes."""
    state, places = np.zeros(2), []
    for action in actions:
        state = A @ state + B @ action
        places.append(state[0])
    return max(places)


@pytest.mark.parametrize("origin", [1e4, -1e6, 1e9])
@pytest.mark.parametrize("wall", WALLS)
@pytest.mark.parametrize("planner", PLANNERS)
def test_a_wall_is_where_it_is(planner, wall, origin):
    here, there = plan_at(planner, wall, 0.0), plan_at(planner, wall, origin)
    assert farthest(here.actions) <= 2.0 + 1e-5
    assert farthest(there.actions) <= 2.0 + 1e-5
    # To be rejected is yes or no; of three forces alone, one is a larger part of a plan.
    close = 0.05 if planner == "categorical" else 0.01
    assert there.value == pytest.approx(here.value, rel=close)


def test_far_from_a_wall_rounding_does_not_matter():
    # So that a plan is made once: float32 serves, though the cart hardly moves of its 1,000 m.
    calls = []

    def reward(states, actions, next_states):
        calls.append(len(states))
        return next_states[:, 1]

    limits = dp.Limits(state_high=[5000.0, np.inf])
    arguments = {"action_space": ([-3.0], [3.0]), "seed": 0}
    dp.CEM(horizon=5, clip=None).plan(CART, reward, [1000.0, 0.0], limits=limits, **arguments)
    with_limits, calls[:] = sum(calls), []
    dp.CEM(horizon=5, clip=None).plan(CART, reward, [1000.0, 0.0], **arguments)
    assert with_limits < 1.05 * sum(calls)
