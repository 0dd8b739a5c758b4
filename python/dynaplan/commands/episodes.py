"""Episodes with what was learned, each beside a random policy from the same start."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dynaplan._discrete import numbering_of
from dynaplan._spaces import is_discrete
from dynaplan.data.collection import play_episode, random_action
from dynaplan.reports.episode import ComparedEpisode

__all__ = ["EPISODES", "Policy", "compared_episode"]

EPISODES = 10
# For environments that set no limit themselves.
_MAX_EPISODE_STEPS = 1000

Policy: TypeAlias = Callable[[NDArray[Any]], Any]  # from a state (S,) to an action


def compared_episode(env: Any, policy: Policy, seed: int) -> ComparedEpisode:
    """Plays an episode at random and then, from the same start, with the policy.

    Args:
        env: the environment.
        policy: what decides in the second of the two.
        seed: of both resets and of the random actions.
    """
    rng = np.random.default_rng(seed)
    space = env.action_space
    random = play_episode(
        env, lambda _: random_action(space, rng), seed=seed, max_steps=_MAX_EPISODE_STEPS
    )
    seconds: list[float] = []

    def timed(state: NDArray[Any]) -> Any:
        start = time.perf_counter()
        action = policy(state)
        seconds.append(time.perf_counter() - start)
        return action

    played = play_episode(env, timed, seed=seed, max_steps=_MAX_EPISODE_STEPS)
    numbers = None
    if is_discrete(space):
        numbers = numbering_of("env: its action_space", space).numbers(played.actions)
    return ComparedEpisode(
        seed=seed,
        states=np.concatenate([played.states, played.next_states[-1:]]),
        actions=played.actions,
        rewards=np.asarray(played.rewards),
        decision_seconds=np.array(seconds),
        random_return=float(np.asarray(random.rewards).sum()),
        numbers=numbers,
    )
