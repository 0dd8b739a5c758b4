"""A system of which every step is exact in float32: one environment, and an imagined vector."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

import dynaplan as dp

Floats = NDArray[np.float64]

START = np.array([0.5, -0.25])
BOX = gym.spaces.Box(-1.0, 1.0, (2,))
TOO_FAR, UNKNOWN = 1.25, -1.25


def moved(states: Floats, actions: Floats) -> Floats:
    """Rounded to float32 at each step, as the core's states are."""
    after = (0.5 * states + actions).astype(np.float32).astype(np.float64)
    after[after[:, 1] < UNKNOWN] = np.nan
    return after


def paid(states: Floats, actions: Floats, next_states: Floats) -> Floats:
    return next_states[:, 0] - 0.5 * np.abs(actions).sum(axis=1) + states[:, 1]


def over(states: Floats, actions: Floats, next_states: Floats) -> NDArray[np.bool_]:
    return next_states[:, 0] > TOO_FAR


class Plant(gym.Env[Any, Any]):
    """The same system, one environment at a time, as anyone would write it."""

    observation_space = gym.spaces.Box(-np.inf, np.inf, (2,), np.float32)
    action_space = BOX

    def reset(self, **given: Any) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=given.get("seed"))
        self.state = START.copy()
        return self.state.astype(np.float32), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        state, act = self.state[None], np.asarray(action, np.float64)[None]
        after = moved(state, act)
        if not np.isfinite(after).all():
            return self.state.astype(np.float32), -7.0, False, True, {"cut": True}
        self.state = after[0]
        ends = bool(over(state, act, after)[0])
        return after[0].astype(np.float32), float(paid(state, act, after)[0]), ends, False, {}


def envs_of(num_envs: int = 5, **settings: Any) -> dp.ImaginedVectorEnv:
    given: dict[str, Any] = {
        "starts": START,
        "action_space": BOX,
        "reward": paid,
        "termination": over,
        "max_episode_steps": 6,
        "cut_reward": -7.0,
    }
    model = dp.FunctionModel(moved, 2, 1 + 1)
    return dp.ImaginedVectorEnv(model, num_envs, **(given | settings))


def drawn_actions(rng: np.random.Generator, count: int) -> NDArray[np.float32]:
    return (rng.integers(-8, 9, (count, 2)) / 8).astype(np.float32)
