"""An environment whose episodes begin from seeds, so that any moment can be come back to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynaplan._spaces import boxes, fit_to_space
from dynaplan.data.transitions import Transitions
from dynaplan.errors import ArgumentError

if TYPE_CHECKING:
    from gymnasium import Env

__all__ = ["ReplayedEnv"]


class ReplayedEnv:
    """Drives an environment; each episode is reset with a seed of its own.

    Attributes:
        observation: (S,) where the environment is.
        episode: number of the episode, from 0.
        is_open: whether an episode is under way.
        dims: numbers of states and actions.
    """

    observation: NDArray[Any]

    def __init__(self, env: Env[Any, Any], seed: int) -> None:
        observations, self.action_space = boxes(env)
        self.dims = observations.shape[0], self.action_space.shape[0]
        self.env = env
        self.seed = seed
        self.episode = -1
        self.is_open = False

    def begin(self) -> None:
        """Begins the next episode."""
        self.episode += 1
        self.observation, _ = self.env.reset(seed=self._episode_seed())
        self.is_open = True

    def step(self, wanted: ArrayLike) -> tuple[NDArray[Any], NDArray[Any], float, bool]:
        """Applies an action.

        Returns:
            The action as it was applied, the next state, the reward, and whether the system ended.
        """
        action = fit_to_space(wanted, self.action_space)
        self.observation, reward, terminated, truncated, _ = self.env.step(action)
        self.is_open = not (terminated or truncated)
        return action, self.observation, float(reward), bool(terminated)

    def come_back(self, episode: int, played: Transitions | None) -> None:
        """Begins an episode anew and plays it to where it was.

        Args:
            episode: its number.
            played: what was done in it so far; None: nothing.

        Raises:
            ArgumentError: the environment does not do the same again.
        """
        self.episode = episode - 1
        self.begin()
        if played is None:
            return
        for state, action, after in zip(
            played.states, played.actions, played.next_states, strict=True
        ):
            same = np.array_equal(np.asarray(self.observation, np.float64), state)
            self.step(action)
            if not same or not np.array_equal(np.asarray(self.observation, np.float64), after):
                raise ArgumentError(
                    "env: does not do the same again after a reset with the same seed, must be the "
                    "environment of the checkpoint, and give the same answers to the same actions"
                )

    def _episode_seed(self) -> int:
        if self.episode == 0:
            return self.seed % 2**32  # all that Gymnasium takes
        drawn = np.random.SeedSequence([self.seed, self.episode]).generate_state(1)
        return int(drawn[0])
