"""What an imagined vector environment refuses, and that a refusal changes nothing."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.error import ClosedEnvironmentError, ResetNeeded
from gymnasium.utils.env_checker import data_equivalence

import dynaplan as dp
from imagined_plant import Floats, envs_of, paid


def test_calls_out_of_turn_are_errors() -> None:
    envs = envs_of(3, autoreset_mode="Disabled", max_episode_steps=1)
    with pytest.raises(ResetNeeded, match="never reset"):
        envs.step(np.zeros((3, 2)))
    with pytest.raises(ResetNeeded, match="reset_mask"):
        envs.reset(options={"reset_mask": np.array([True, False, False])})
    envs.reset()
    envs.step(np.zeros((3, 2)))
    with pytest.raises(ResetNeeded, match="environment 0 is over"):
        envs.step(np.zeros((3, 2)))
    envs.close()
    envs.close()
    assert envs.closed
    with pytest.raises(ClosedEnvironmentError):
        envs.step(np.zeros((3, 2)))
    with pytest.raises(ClosedEnvironmentError):
        envs.reset()


@pytest.mark.parametrize(
    ("actions", "error", "says"),
    [
        (np.zeros((2, 2)), dp.ShapeError, r"actions: got shape \(2, 2\), must be \(3, 2\)"),
        (np.zeros(2), dp.ShapeError, "actions: got shape"),
        ([[0.0, 1.0], [0.0]], dp.ShapeError, "actions: the rows do not form an array"),
        (np.full((3, 2), "x"), TypeError, "actions: got dtype"),
        (np.zeros((3, 2), complex), TypeError, "actions: got dtype"),
        (
            [[0, 0], [0, np.nan], [0, 0]],
            dp.ArgumentError,
            "actions: row 1, column 1 is nan, must be finite",
        ),
        (np.full((3, 2), -np.inf), dp.ArgumentError, "actions: row 0, column 0 is -inf"),
        (None, TypeError, "actions"),
    ],
)
def test_bad_actions_are_refused_and_change_nothing(
    actions: Any, error: type[Exception], says: str
) -> None:
    envs, other = envs_of(3), envs_of(3)
    envs.reset(seed=0), other.reset(seed=0)
    with pytest.raises(error, match=says):
        envs.step(actions)
    good = np.full((3, 2), 0.25)
    assert data_equivalence(envs.step(good), other.step(good), exact=True)


@pytest.mark.parametrize(
    ("mask", "error"),
    [
        ([True, False, False], TypeError),
        (np.array([1, 0, 0]), TypeError),
        (np.array([True, False]), dp.ShapeError),
        (np.zeros(3, np.bool_), dp.ArgumentError),
    ],
)
def test_bad_masks_are_refused(mask: Any, error: type[Exception]) -> None:
    envs = envs_of(3)
    envs.reset()
    with pytest.raises(error, match="reset_mask"):
        envs.reset(options={"reset_mask": mask})


@pytest.mark.parametrize(
    ("settings", "error", "says"),
    [
        ({"num_envs": 0}, dp.ArgumentError, "num_envs: got 0"),
        ({"num_envs": 2.0}, dp.ArgumentError, "num_envs"),
        ({"max_episode_steps": 0}, dp.ArgumentError, "max_episode_steps: got 0"),
        ({"starts": np.zeros((0, 2))}, dp.ShapeError, "starts: got 0 rows"),
        ({"starts": np.zeros((3, 3))}, dp.ShapeError, "starts"),
        ({"starts": [[0.0, np.nan]]}, dp.ArgumentError, "starts: row 0, column 1 is nan"),
        ({"starts": [[0.0, 1e40]]}, dp.ArgumentError, "finite float32"),
        (
            {"observation_space": gym.spaces.Box(-0.4, 0.4, (2,))},
            dp.ArgumentError,
            "starts: row 0, column 0 is 0.5, must be at most the highest observation",
        ),
        (
            {"observation_space": gym.spaces.Box(-1, 1, (3,))},
            dp.ShapeError,
            "observation_space: got shape",
        ),
        (
            {"observation_space": gym.spaces.Box(0, 255, (2,), np.uint8)},
            dp.ArgumentError,
            "observation_space: got dtype uint8",
        ),
        ({"observation_space": gym.spaces.Discrete(3)}, TypeError, "observation_space"),
        ({"action_space": gym.spaces.Discrete(3)}, TypeError, "action_space: got Discrete"),
        ({"action_space": ([1, 1], [-1, -1])}, dp.ArgumentError, "action_space"),
        ({"action_space": ([-1], [1])}, dp.ShapeError, "action_space.low"),
        ({"action_space": ([-1, -1],)}, dp.ShapeError, "action_space: got 1 entries"),
        ({"reward": None}, dp.ArgumentError, "predicts no rewards"),
        ({"reward": 3.0}, TypeError, "reward: got 3.0"),
        (
            {"reward": lambda s, a, n, step: step},
            dp.ArgumentError,
            "reward: got a function",
        ),
        ({"termination": 3.0}, TypeError, "termination: got 3.0"),
        ({"cut_reward": np.nan}, dp.ArgumentError, "cut_reward: got nan"),
        ({"elite_members": 2}, dp.ArgumentError, "elite_members"),
        ({"clip": -1.0}, dp.ArgumentError, "clip"),
        ({"autoreset_mode": "Never"}, dp.ArgumentError, "autoreset_mode: got 'Never'"),
        ({"seed": -1}, dp.ArgumentError, "seed"),
        ({"threads": 0.5}, dp.ArgumentError, "threads"),
        ({"threads": 0}, dp.ArgumentError, "threads: got 0"),
    ],
)
def test_what_does_not_fit_is_refused_at_once(
    settings: dict[str, Any], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        envs_of(**settings)


def test_a_functions_own_error_comes_through_and_changes_nothing() -> None:
    is_broken = [False]

    def reward(states: Floats, actions: Floats, next_states: Floats) -> Floats:
        if is_broken[0]:
            raise RuntimeError("mine")
        return paid(states, actions, next_states)

    envs, other = envs_of(3, reward=reward), envs_of(3)
    envs.reset(seed=0), other.reset(seed=0)
    is_broken[0] = True
    with pytest.raises(RuntimeError, match="mine"):
        envs.step(np.zeros((3, 2)))
    is_broken[0] = False
    good = np.full((3, 2), 0.25)
    assert data_equivalence(envs.step(good), other.step(good), exact=True)


def test_a_function_may_write_to_what_it_is_given() -> None:
    def reward(states: Floats, actions: Floats, next_states: Floats) -> Floats:
        values = paid(states, actions, next_states)
        for array in (states, actions, next_states):
            array[:] = 1e9
        return values

    envs, other = envs_of(3, reward=reward), envs_of(3)
    envs.reset(seed=0), other.reset(seed=0)
    good = np.full((3, 2), 0.25)
    for _ in range(3):
        assert data_equivalence(envs.step(good), other.step(good), exact=True)
    np.testing.assert_array_equal(good, 0.25)
