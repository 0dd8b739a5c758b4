"""Actions of integer Boxes are rounded to the nearest, and numbers too large are refused."""

from __future__ import annotations

import copy
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.spaces import Box
from hypothesis import given
from hypothesis import strategies as st

import dynaplan as dp
from dynaplan._environments import fit_to_space

SWITCH = Box(0, 1, (1,), np.int64)


class Adder(gym.Env[Any, Any]):
    """Adds its actions up in an array that it returns every time; each is its own reward."""

    observation_space = Box(-np.inf, np.inf, (1,), np.float64)

    def __init__(self, action_space: Box = SWITCH) -> None:
        self.action_space, self.total, self.steps = action_space, np.zeros(1), 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, Any]:
        self.total[:], self.steps = 0.0, 0
        return self.total, {}

    def step(self, action: Any) -> tuple[Any, ...]:
        assert self.action_space.contains(action)
        self.steps += 1
        self.total += action
        return self.total, float(action[0]), False, self.steps == 20, {}


def test_a_policy_between_two_numbers_sends_the_nearest_which_is_what_the_data_hold() -> None:
    wanted = iter([0.99, 0.51, 0.49, -7.0, 7.0, 0.999, 0.01, 1.0])
    data = dp.collect(Adder(), 8, policy=lambda _: [next(wanted)])
    np.testing.assert_array_equal(data.actions[:, 0], [1, 1, 0, 0, 1, 1, 0, 1])
    assert data.rewards is not None
    np.testing.assert_array_equal(data.rewards, data.actions[:, 0])


def test_an_environment_may_return_the_same_array_at_every_step() -> None:
    data = dp.collect(Adder(), 5, policy=lambda _: [1])
    np.testing.assert_array_equal(data.states[:, 0], [0, 1, 2, 3, 4])
    np.testing.assert_array_equal(data.next_states[:, 0], [1, 2, 3, 4, 5])


def test_an_agent_is_given_both_states_where_the_array_is_the_same() -> None:
    env, agent = Adder(), dp.SAC(Adder(), hidden=(4,), learning_starts=100, seed=0)
    agent.env, seen = env, []

    class Watched:
        settings, steps = agent.settings, 0

        def explore(self) -> Any:
            return agent.explore()

        def observe(self, *row: Any) -> None:
            seen.append(copy.deepcopy(row))

    from dynaplan.agents.sac.episodes import agent_episodes

    list(agent_episodes(Watched(), env, 10))  # type: ignore[arg-type]
    for state, action, reward, after, _ in seen:
        assert action.dtype == np.int64
        assert after - state == action == reward
    assert {int(action[0]) for _, action, *_ in seen} == {0, 1}


@given(
    st.sampled_from([np.int8, np.uint8, np.int32, np.int64, np.uint64]),
    st.floats(allow_nan=False, allow_infinity=False),
)
def test_the_nearest_number_within_the_bounds_is_sent(kind: Any, wanted: float) -> None:
    limits = np.iinfo(kind)
    space = Box(limits.min, limits.max, (1,), kind)
    sent = fit_to_space([wanted], space)
    assert space.contains(sent)
    # Python's own integers have no bounds, and its round is to the nearest, ties to even.
    assert int(sent[0]) == min(max(round(wanted), int(limits.min)), int(limits.max))


@pytest.mark.parametrize("number", [-(2**63), 2**63 - 1, 2**53 + 1, 0])
def test_an_integer_is_sent_as_it_is(number: int) -> None:
    space = Box(-(2**63), 2**63 - 1, (1,), np.int64)
    assert int(fit_to_space(np.array([number]), space)[0]) == number


@pytest.mark.parametrize("space", [Box(-3, 5, (1,), np.int32), Box(0, 5, (1,), np.uint8)])
def test_random_integers_reach_both_ends_of_their_box(space: Box) -> None:
    data = dp.collect(Adder(space), 300, seed=0)
    assert set(data.actions[:, 0]) == set(range(int(space.low[0]), int(space.high[0]) + 1))


def test_a_controller_sends_and_remembers_whole_numbers() -> None:
    model = dp.LinearModel([[1.0]], [[1.0]])
    reward = dp.rewards.quadratic([1.0], target=[2.6])
    space = Box(-5, 5, (1,), np.int64)
    mpc = dp.MPC(model, reward, dp.CEM(horizon=1), action_space=space, delay_steps=1, seed=0)
    action = mpc.act([0.0])
    assert space.contains(action)
    assert action.tolist() == [3]
    # The action under way is the one that was sent: from 3 the nearest to 2.6 is to stay.
    assert mpc.act([0.0]).tolist() == [0]


def test_actions_of_a_plan_that_the_user_sends_are_remembered_as_sent() -> None:
    reward = dp.rewards.quadratic([1.0], target=[2.6])
    space, model = Box(-5, 5, (1,), np.int64), dp.LinearModel([[1.0]], [[1.0]])
    mpc = dp.MPC(model, reward, dp.CEM(horizon=1), action_space=space, delay_steps=1, seed=0)
    mpc.plan([0.0])
    mpc.advance()  # after the nearest number, 3, was sent
    np.testing.assert_allclose(mpc.plan([0.0]).states[0], [3.0])


def test_a_controller_in_a_loop_reaches_the_whole_target() -> None:
    env = Adder(Box(-2, 2, (1,), np.int64))
    model = dp.LinearModel([[1.0]], [[1.0]])
    reward = dp.rewards.quadratic([1.0], target=[7.0])
    mpc = dp.MPC(model, reward, dp.CEM(horizon=4), action_space=env.action_space, seed=0)
    state, _ = env.reset()
    for _ in range(8):
        state, *_ = env.step(mpc.act(state))
    assert state.tolist() == [7.0]


def test_imagined_environments_take_the_nearest_number_too() -> None:
    envs = dp.ImaginedVectorEnv(
        dp.LinearModel([[1.0]], [[1.0]]),
        num_envs=3,
        starts=[[0.0]],
        action_space=SWITCH,
        reward=dp.rewards.quadratic([1.0]),
    )
    envs.reset(seed=0)
    observations, *_ = envs.step([[0.99], [0.2], [-3.0]])
    np.testing.assert_array_equal(observations[:, 0], [1.0, 0.0, 0.0])
    assert envs.single_action_space == SWITCH


def test_numbers_beyond_float32_are_refused_and_do_not_become_infinite() -> None:
    model, reward = dp.LinearModel([[1.0]], [[1.0]]), dp.rewards.action_cost([1.0])
    with pytest.raises(dp.ArgumentError, match=r"action_space.high: .* too large for float32"):
        dp.ImaginedVectorEnv(
            model, num_envs=1, starts=[[0.0]], action_space=([0.0], [1e39]), reward=reward
        )
    with pytest.raises(dp.ArgumentError, match=r"previous_action: .* too large for float32"):
        dp.returns(model, reward, [0.0], np.zeros((1, 2, 1), np.float32), previous_action=[1e39])
    with pytest.raises(dp.ArgumentError, match=r"policy: got action .* finite in float32"):
        fit_to_space([1e39], Box(-np.inf, np.inf, (1,), np.float32))
