"""A driver whose episodes begin from seeds, so that any moment of them can be reproduced."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dynaplan._environments import boxes
from dynaplan.data.driver import Driver
from dynaplan.data.transitions import Transitions
from dynaplan.errors import ArgumentError

if TYPE_CHECKING:
    from gymnasium import Env

__all__ = ["SeededDriver"]


class SeededDriver(Driver):
    """Resets each episode with a seed of its own.

    Args:
        env: the environment; left open.
        seed: of all episodes.

    Attributes:
        action_space: a 1-D Box.
        dims: numbers of states and actions.
        episode: number of the episode, from 0; -1 before the first.
        seed: the same.
    """

    def __init__(self, env: Env[Any, Any], seed: int) -> None:
        observations, self.action_space = boxes(env)
        super().__init__(env, self.action_space, "agent")
        self.dims = observations.shape[0], self.action_space.shape[0]
        self.seed = seed
        self.episode = -1

    def begin(self) -> None:
        """Begins the next episode."""
        self.episode += 1
        self.reset(self._episode_seed())

    def replay(self, episode: int, played: Transitions | None) -> None:
        """Begins an episode again and brings it to where it was.

        Args:
            episode: its number.
            played: its transitions so far; None: there are none.

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
