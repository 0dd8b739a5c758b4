"""Episodes with what was learned, each beside a random policy from the same start."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dynaplan.reports.episode import ComparedEpisode

__all__ = ["EPISODES", "Policy", "compared_episode"]

EPISODES = 10
# For environments that set no limit themselves.
_MAX_EPISODE_STEPS = 1000

Floats: TypeAlias = NDArray[np.float64]
Policy: TypeAlias = Callable[[NDArray[Any]], NDArray[Any]]  # from a state (S,) to an action (A,)


def compared_episode(env: Any, policy: Policy, seed: int) -> ComparedEpisode:
    """Plays an episode at random and then, from the same start, with the policy.

    Args:
        env: the environment.
        policy: what decides in the second of the two.
        seed: of both resets and of the random actions.
    """
    rng = np.random.default_rng(seed)
    space = env.action_space
    _, _, random_rewards = _play(env, lambda _: rng.uniform(space.low, space.high), seed)
    seconds: list[float] = []

    def timed(state: NDArray[Any]) -> NDArray[Any]:
        start = time.perf_counter()
        action = policy(state)
        seconds.append(time.perf_counter() - start)
        return action

    states, actions, rewards = _play(env, timed, seed)
    return ComparedEpisode(
        seed=seed,
        states=states,
        actions=actions,
        rewards=rewards,
        decision_seconds=np.array(seconds),
        random_return=float(random_rewards.sum()),
    )


def _play(env: Any, policy: Policy, seed: int) -> tuple[Floats, Floats, Floats]:
    """Plays one episode and returns states (T + 1, S), actions (T, A) and rewards (T,)."""
    state, _ = env.reset(seed=seed)
    states: list[Any] = [state]
    actions: list[Any] = []
    rewards: list[float] = []
    over = False
    while not over and len(actions) < _MAX_EPISODE_STEPS:
        action = np.asarray(policy(state), dtype=env.action_space.dtype)
        state, reward, terminated, truncated, _ = env.step(action)
        states.append(state)
        actions.append(action)
        rewards.append(float(reward))
        over = terminated or truncated
    return np.array(states, float), np.array(actions, float), np.array(rewards)
