"""What every built-in reward must do. A new term is one more entry of REWARDS."""

from __future__ import annotations

import numpy as np
import pytest

import dynaplan as dp
from dynaplan import rewards
from reference.block_functions import reward_callback

STEPS = np.linspace(-1.0, 1.0, 9).reshape(3, 3)  # targets of three steps

COSTS = {
    "quadratic": rewards.quadratic([1.0, 0.5, 0.2], [0.1, 0.2, 0.3]),
    "dense quadratic": rewards.quadratic(np.eye(3) + 0.3, of="state"),
    "angle": rewards.angle(2.0, index=1, target=0.4),
    "direction": rewards.angle(2.0, cos=0, sin=2, target=-3.0, of="state"),
    "action cost": rewards.action_cost([0.1, 2.0], low=[-0.5, -1.0], high=[0.5, 1.0]),
    "action change cost": rewards.action_change_cost(np.eye(2) + 0.2),
    "sum": rewards.quadratic([1.0, 1.0, 1.0]) + rewards.action_change_cost([1.0, 1.0]),
    "excess": rewards.excess([1.0, 0.0, 2.0], low=[-0.3, 0.0, -np.inf], high=[0.4, 0.0, 0.5]),
    "distance": rewards.distance(0.7, indices=[0, 2], target=[0.5, -1.0]),
    "distance between": rewards.distance(0.7, indices=[0], to=[2], of="state"),
    "varying quadratic": rewards.quadratic([1.0, 0.5, 0.2], STEPS),
    "varying dense quadratic": rewards.quadratic(np.eye(3) + 0.3, STEPS, of="state"),
    "varying direction": rewards.angle(2.0, cos=0, sin=2, target=STEPS[:, 0]),
    "varying action cost": rewards.action_cost([0.1, 2.0], target=STEPS[:, 1:]),
    "scheduled": rewards.scheduled(rewards.quadratic([1.0] * 3, STEPS), [0.5, 0.0, 2.0]),
    "terminal": rewards.terminal(rewards.distance(1.0, indices=[0, 1], target=STEPS[:, 1:])),
    "compiled": rewards.compiled(
        reward_callback(lambda s, a, n: -np.abs(n[:, 0]) - s[:, 2] ** 2 - a[:, 1] ** 2, 3, 2),
        state_dim=3,
        action_dim=2,
    ),
    "pendulum-like": rewards.angle(1.0, cos=0, sin=1, of="state") + rewards.action_cost([1.0, 0.0]),
}

# Terms that may be above 0.
GAINS = {
    "linear": rewards.linear([1.0, 0.0, -2.0], offset=0.3),
    "change": rewards.change(1, weight=20.0),
    "inside": rewards.inside([-1.0, -np.inf, -0.5], [0.5, 0.8, np.inf], bonus=2.0),
    "within": rewards.within(1.0, indices=[0, 1], to=[1, 2], target=[0.1, 0.0], of="state"),
    "gaussian tolerance": rewards.tolerance(2, low=-0.1, high=0.2, margin=0.7),
    "quadratic tolerance": rewards.tolerance(
        1, margin=0.7, value_at_margin=0.0, falloff="quadratic", of="action"
    ),
    "weighted": -3.0 * rewards.angle(1.0, index=1),
    "product": rewards.linear([1.0, 0.0, 0.0]) * rewards.tolerance(1, margin=1.0, of="state"),
    "walking": rewards.change(0) + rewards.inside([-np.inf] * 3, [1.0] * 3),
}
REWARDS = COSTS | GAINS


@pytest.fixture(params=REWARDS)
def reward(request):
    return REWARDS[request.param]


@pytest.fixture(scope="module")
def model():
    generator = np.random.default_rng(0)
    states, actions = generator.normal(size=(30, 3)), generator.normal(size=(30, 2))
    return dp.LinearGaussian.fit(dp.Transitions(states, actions, 0.9 * states + actions[:, :1]))


@pytest.mark.parametrize("name", COSTS)
def test_a_cost_has_a_minus(name):
    generator = np.random.default_rng(1)
    steps = {"steps": np.arange(77) % 6, "horizon": 6}
    assert (COSTS[name](*(generator.normal(size=(77, n)) for n in (3, 2, 3)), **steps) <= 0.0).all()


def test_it_is_one_number_a_row(reward):
    generator = np.random.default_rng(1)
    arrays = [generator.normal(size=(77, n)) for n in (3, 2, 3)]
    steps = np.arange(77) % 6
    values = reward(*arrays, steps=steps, horizon=6)
    assert values.shape == (77,)
    assert np.isfinite(values).all()
    for i in (0, 63, 64, 76):
        row = [array[i : i + 1] for array in arrays]
        assert reward(*row, steps=steps[i : i + 1], horizon=6)[0] == values[i]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_fused_return_is_the_sum_along_the_trajectory(reward, model, dtype):
    generator = np.random.default_rng(2)
    actions = generator.normal(size=(40, 6, 2)).astype(dtype)
    previous = np.array([0.3, -0.4])
    got = dp.returns(
        model, reward, np.ones(3, dtype), actions, previous_action=previous, discount=0.9
    )
    path = dp.rollout(model, np.ones(3, dtype), actions).astype(float)
    expected = np.zeros(40)
    before = np.broadcast_to(previous, (40, 2))
    for t in range(6):
        step = path[:, t], actions[:, t], path[:, t + 1], before
        expected += 0.9**t * reward(*step, steps=np.full(40, t), horizon=6)
        before = actions[:, t]
    np.testing.assert_allclose(got, expected, rtol=1e-4 if dtype == np.float32 else 1e-11)
