"""Linear dynamics under quadratic rewards are rolled out in other coordinates where that pays."""

from __future__ import annotations

import numpy as np
import pytest

import dynaplan as dp
from reference.systems import linear_system


def _weights(size: int, seed: int) -> np.ndarray:
    root = np.random.default_rng(seed).normal(size=(size, size))
    return root @ root.T + 0.1 * np.eye(size)


def _returns_by_numpy(model, start, actions, weights, target):
    state_weights, action_weights = weights
    states = np.broadcast_to(start, (len(actions), model.state_dim))
    total = np.zeros(len(actions))
    for step in range(actions.shape[1]):
        action = actions[:, step]
        states = states @ model.A.T + action @ model.B.T + model.c
        total -= np.einsum("ni,ij,nj->n", states - target, state_weights, states - target)
        total -= np.einsum("ni,ij,nj->n", action, action_weights, action)
    return total


@pytest.mark.parametrize("state_dim", [7, 12, 17, 18])
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 3e-5), (np.float64, 1e-11)])
def test_many_returns_equal_numpys(state_dim, dtype, tolerance):
    model = dp.LinearGaussian.fit(linear_system(400, state_dim, 3))
    target = np.linspace(-1.0, 1.0, state_dim)
    weights, action_weights = _weights(state_dim, 1), _weights(3, 2)
    reward = dp.rewards.quadratic(weights, target) + dp.rewards.action_cost(action_weights)
    actions = np.random.default_rng(3).normal(size=(4001, 19, 3)).astype(dtype)
    start = np.ones(state_dim)
    expected = _returns_by_numpy(model, start, actions, (weights, action_weights), target)
    got = [dp.returns(model, reward, start, actions, threads=threads) for threads in (1, 2, 4)]
    np.testing.assert_allclose(got[0], expected, rtol=tolerance)
    assert (got[0] == got[1]).all()
    assert (got[0] == got[2]).all()
    few = dp.returns(model, reward, start, actions[:9])
    np.testing.assert_allclose(few, got[0][:9], rtol=tolerance)


def test_a_plans_value_is_the_return_of_its_actions():
    model = dp.LinearGaussian.fit(linear_system(400, 17, 3))
    reward = dp.rewards.quadratic(_weights(17, 1)) + dp.rewards.action_cost(_weights(3, 2))
    bounds = (-np.ones(3), np.ones(3))
    for result in ("best", "mean"):
        planner = dp.CEM(horizon=10, clip=None, result=result)
        plan = planner.plan(model, reward, np.ones(17), action_space=bounds, seed=0)
        value = dp.returns(model, reward, np.ones(17), plan.actions[None])[0]
        assert plan.value == pytest.approx(value, rel=1e-4)
        assert value > dp.returns(model, reward, np.ones(17), np.zeros((1, 10, 3)))[0]
