"""What soft actor-critic refuses, and that it stays as it was."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest

import dynaplan as dp
from reference.agent_tasks import Follow, agent, transitions


class Box(gym.Env):
    observation_space = gym.spaces.Box(-1.0, 1.0, (2,))
    action_space = gym.spaces.Box(-1.0, 1.0, (1,))


class Unbounded(Box):
    action_space = gym.spaces.Box(-np.inf, 1.0, (1,))


class Flat(Box):
    action_space = gym.spaces.Box(np.float32([-1.0, 2.0]), np.float32([1.0, 2.0]))


class Discrete(Box):
    action_space = gym.spaces.Discrete(3)


class Image(Box):
    observation_space = gym.spaces.Box(0.0, 1.0, (4, 4))


@pytest.mark.parametrize(
    ("env", "error", "said"),
    [
        (Unbounded(), dp.ArgumentError, "action_space: got bounds -inf and 1.0 in dimension 0"),
        (Flat(), dp.ArgumentError, "action_space: got bounds 2.0 and 2.0 in dimension 1"),
        (Discrete(), TypeError, "action_space is .*, must be a Box"),
        (Image(), dp.ShapeError, "observation_space has shape"),
        ("Pendulum-v1", TypeError, "must be an environment"),
    ],
)
def test_an_environment_that_does_not_fit_is_refused(env, error, said):
    with pytest.raises(error, match=said):
        dp.SAC(env)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("learning_rate", 0.0),
        ("learning_rate", np.nan),
        ("batch_size", 0),
        ("batch_size", 2**17),
        ("batch_size", 8.0),
        ("tau", 0.0),
        ("tau", 1.5),
        ("discount", 1.01),
        ("discount", np.nan),
        ("real_ratio", -0.1),
        ("buffer_size", 0),
        ("imagined_buffer_size", -1),
        ("temperature", 0.0),
        ("temperature", np.inf),
        ("initial_temperature", np.nan),
        ("target_entropy", np.inf),
        ("hidden", (0,)),
        ("hidden", (8.0,)),
        ("hidden", (2**30,)),
        ("activation", "gelu"),
        ("learning_starts", -1),
        ("train_freq", 0),
        ("gradient_steps", 0),
        ("threads", 0),
        ("threads", 10**6),
        ("seed", -1),
    ],
)
def test_a_setting_out_of_range_is_refused(setting, value):
    name = "temperature" if setting == "initial_temperature" else setting
    with pytest.raises(dp.ArgumentError, match=name):
        dp.SAC(Box(), **{setting: value})


WRONG = {
    "states": (0, np.zeros((4, 2)), dp.ShapeError, "states"),
    "actions": (1, np.zeros((4, 3)), dp.ShapeError, "actions"),
    "fewer rewards": (2, np.zeros(3), dp.ShapeError, "rewards"),
    "rewards in rows": (2, np.zeros((4, 1)), dp.ShapeError, "rewards"),
    "fewer next states": (3, np.zeros((3, 3)), dp.ShapeError, "next_states"),
    "fewer ends": (4, np.zeros(3, bool), dp.ShapeError, "terminated"),
    "ends as numbers": (4, np.zeros(4), TypeError, "terminated: got dtype float64"),
    "nan state": (0, np.full((4, 3), np.nan), dp.ArgumentError, "states: row 0, column 0 is"),
    "nan reward": (2, [0.0, np.nan, 0.0, 0.0], dp.ArgumentError, "rewards: row 1 is"),
    "reward beyond float32": (2, [0.0, 1e39, 0.0, 0.0], dp.ArgumentError, "rewards: row 1 is"),
    "infinite next state": (3, np.full((4, 3), np.inf), dp.ArgumentError, "next_states"),
    "action outside": (1, np.full((4, 2), 3.1), dp.ArgumentError, "must be from -2.0 to 3.0"),
    "text": (0, [["a", "b", "c"]] * 4, TypeError, "states"),
}


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.parametrize("method", ["observe", "observe_imagined"])
def test_wrong_transitions_are_refused_and_none_is_taken(name, method):
    column, value, error, said = WRONG[name]
    one = agent()
    given = list(transitions(4))
    given[column] = value
    with pytest.raises(error, match=said):
        getattr(one, method)(*given)
    assert one.replay_sizes == (0, 0)
    assert one.steps == 0


def test_other_wrong_calls_are_refused():
    one = agent()
    with pytest.raises(dp.ArgumentError, match="no transitions to learn from"):
        one.update()
    with pytest.raises(dp.ArgumentError, match="must be at least 0"):
        one.update(-1)
    with pytest.raises(dp.ShapeError, match="states"):
        one.act(np.zeros(4))
    with pytest.raises(dp.ArgumentError, match="row 1, column 2 is nan"):
        one.act([[0, 0, 0], [0, 0, np.nan]])
    with pytest.raises(dp.ArgumentError, match="size: got 0, must be at least 1"):
        one.resize_imagined(0)
    with pytest.raises(dp.ArgumentError, match="total_timesteps"):
        one.learn(0)
    one.env = Follow()
    with pytest.raises(dp.ShapeError, match="observations of shape"):
        one.learn(5)
    one.env = None
    with pytest.raises(dp.ArgumentError, match="the agent has none; set"):
        one.learn(5)


def test_a_loss_that_is_not_finite_leaves_the_networks_as_they_were():
    one = agent()
    rows = list(transitions(100))
    rows[2] = np.full(100, 1e38)
    one.observe(*rows)
    before = one._core.numbers()
    with pytest.raises(dp.NumericalError, match="loss of the critics is"):
        one.update(3)
    for name, values in one._core.numbers().items():
        np.testing.assert_array_equal(values, before[name])
    assert np.isfinite(one.act([0.0, 0.0, 0.0])).all()
