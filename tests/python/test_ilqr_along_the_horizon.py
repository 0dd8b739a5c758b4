"""ILQR where the reward differs from step to step, and its gains between two plans."""

from __future__ import annotations

import numpy as np
import pytest

import dynaplan as dp
from dynaplan import rewards
from reference.systems import scalar_model

FREE = ([-50.0], [50.0])
HORIZON = 6
GAIN = 1.1


def least_squares(state, targets, state_weights, action_weight):
    """The actions that minimise sum w_t (s_{t+1} - r_t)^2 + v a_t^2 for s' = 1.1 s + a."""
    effect = np.array(
        [[GAIN ** (t - k) if k <= t else 0.0 for k in range(HORIZON)] for t in range(HORIZON)]
    )
    free = GAIN ** np.arange(1, HORIZON + 1) * state
    root = np.sqrt(state_weights)
    rows = np.vstack([root[:, None] * effect, np.sqrt(action_weight) * np.eye(HORIZON)])
    right = np.concatenate([root * (targets - free), np.zeros(HORIZON)])
    return np.linalg.lstsq(rows, right, rcond=None)[0]


TARGETS = np.array([0.5, 1.0, -1.0, 0.2, 3.0, -2.0])
WEIGHTS = np.array([1.0, 0.5, 2.0, 0.0, 1.5, 4.0])


@pytest.mark.parametrize("planner", [dp.ILQR(horizon=HORIZON, clip=None), dp.LQR(horizon=HORIZON)])
def test_moving_targets_and_weights_are_those_of_least_squares(planner):
    follow = rewards.quadratic([1.0], target=TARGETS[:, None])
    reward = rewards.scheduled(follow, WEIGHTS) + rewards.action_cost([0.3])
    plan = planner.plan(scalar_model(GAIN), reward, [0.7], action_space=FREE)
    expected = least_squares(0.7, TARGETS, WEIGHTS, 0.3)
    np.testing.assert_allclose(plan.actions[:, 0], expected, rtol=1e-8)


def test_a_terminal_term_counts_at_the_last_step_alone():
    reward = rewards.terminal(rewards.quadratic([5.0], target=[1.0])) + rewards.action_cost([1.0])
    plan = dp.ILQR(horizon=HORIZON, clip=None).plan(
        scalar_model(GAIN), reward, [0.7], action_space=FREE
    )
    last = np.zeros(HORIZON)
    last[-1] = 5.0
    np.testing.assert_allclose(
        plan.actions[:, 0], least_squares(0.7, np.ones(HORIZON), last, 1.0), rtol=1e-8
    )


def test_a_compiled_function_that_is_told_the_step_is_differentiated_at_it():
    pytest.importorskip("numba")
    targets = TARGETS.copy()

    def follow(state, action, next_state, step, data):
        gap = next_state[0] - data[step]
        return -gap * gap - 0.3 * action[0] * action[0]

    reward = rewards.from_numba(follow, state_dim=1, action_dim=1, data=targets)
    plan = dp.ILQR(horizon=HORIZON, clip=None).plan(
        scalar_model(GAIN), reward, [0.7], action_space=FREE
    )
    expected = least_squares(0.7, TARGETS, np.ones(HORIZON), 0.3)
    np.testing.assert_allclose(plan.actions[:, 0], expected, atol=1e-4)


def test_a_python_function_that_asks_for_the_step_is_refused():
    def follow(obs, act, next_obs, step):
        return -((next_obs[:, 0] - TARGETS[step]) ** 2)

    with pytest.raises(dp.ArgumentError, match="reward: got a function of the step"):
        dp.ILQR(horizon=HORIZON).plan(scalar_model(GAIN), follow, [0.7], action_space=FREE)


def test_an_endless_horizon_refuses_what_changes():
    reward = rewards.quadratic([1.0], target=TARGETS[:, None]) + rewards.action_cost([1.0])
    with pytest.raises(dp.ArgumentError, match="reward: changes from step to step"):
        dp.LQR(horizon=HORIZON, infinite_horizon=True).plan(
            scalar_model(GAIN), reward, [0.7], action_space=FREE
        )


def test_states_that_are_not_allowed_are_not_entered():
    # Up pays, but only up to 1.2; the hand-over begins within.
    reward = rewards.linear([1.0]) + rewards.action_cost([0.01])
    planner = dp.ILQR(horizon=4, start=dp.ICEM(candidates=60), clip=None)
    plan = planner.plan(
        scalar_model(0.5),
        reward,
        [0.0],
        action_space=([-1.0], [1.0]),
        limits=dp.Limits(state_high=[1.2]),
        seed=0,
    )
    assert plan.status != "no_finite_candidate"
    assert (plan.states[1:] <= 1.2 + 1e-6).all()
    assert plan.value > 2.0


def test_between_plans_the_gains_do_what_planning_anew_would():
    # s' = 1.1 s + a at s^2 + a^2 (of the state after): far from its end a plan's gain is Riccati's.
    reward = rewards.quadratic([1.0]) + rewards.action_cost([1.0])
    model = scalar_model(GAIN)
    p = 1.21 + 1.0  # by fixed point: p = 1.21 (p + 1) / (p + 2)
    for _ in range(200):
        p = 1.21 * (p + 1.0) / (p + 2.0)
    gain = GAIN * (p + 1.0) / (p + 2.0)
    mpc = dp.MPC(
        model, reward, dp.ILQR(horizon=60, clip=None), action_space=FREE, replan_every=4, seed=0
    )
    generator = np.random.default_rng(0)
    state, plans = 2.0, []
    for _ in range(12):
        action = mpc.act([state])[0]
        if not plans or plans[-1] is not mpc.last_plan:
            plans.append(mpc.last_plan)
        assert action == pytest.approx(-gain * state, rel=1e-6)
        state = GAIN * state + action + 0.3 * generator.normal()
    assert len(plans) == 3
