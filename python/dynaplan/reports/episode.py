"""An episode as the reports show it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["ComparedEpisode"]


@dataclass(frozen=True)
class ComparedEpisode:
    """One episode, beside the return of a random policy from the same start.

    Attributes:
        seed: the seed of both resets.
        states: (T + 1, S) observations.
        actions: (T, A) actions as applied.
        rewards: (T,) rewards of the environment.
        decision_seconds: (T,) time of each decision, s.
        random_return: the sum of rewards of the random policy.
        numbers: (T,) the numbers of discrete actions, whose `actions` are one-hot, or None.
    """

    seed: int
    states: NDArray[np.float64]
    actions: NDArray[np.float64]
    rewards: NDArray[np.float64]
    decision_seconds: NDArray[np.float64]
    random_return: float
    numbers: NDArray[np.int64] | None = None

    @property
    def episode_return(self) -> float:
        """Sum of the rewards."""
        return float(self.rewards.sum())
