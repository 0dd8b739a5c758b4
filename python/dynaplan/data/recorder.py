"""Real transitions as they come, in arrays that grow."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynaplan.data.angles import NO_ANGLES, Angles
from dynaplan.data.driver import Row
from dynaplan.data.transitions import Transitions

__all__ = ["Recorder"]


class Recorder:
    """Records transitions, a row after the other.

    Args:
        state_dim: S.
        action_dim: A.
        angles: of the states. Default: none.
    """

    def __init__(self, state_dim: int, action_dim: int, angles: Angles = NO_ANGLES) -> None:
        self._size, self._angles = 0, angles
        self._arrays: dict[str, NDArray[Any]] = {
            "states": np.empty((64, state_dim)),
            "actions": np.empty((64, action_dim)),
            "next_states": np.empty((64, state_dim)),
            "rewards": np.empty(64),
            "terminations": np.empty(64, np.bool_),
            "episodes": np.empty(64, np.int64),
        }

    def __len__(self) -> int:
        return self._size

    def append(self, row: Row, episode: int) -> None:
        """Records a copy of a step that a `Driver` made, and the number of its episode."""
        if self._size == len(self._arrays["rewards"]):
            for name, array in self._arrays.items():
                self._arrays[name] = np.concatenate([array, np.empty_like(array)])
        for array, value in zip(self._arrays.values(), (*row, episode), strict=True):
            array[self._size] = value
        self._size += 1

    def extend(self, data: Transitions) -> None:
        """Records all rows of other transitions; rewards they do not have are 0.

        Their angles are those of all rows from then on.
        """
        self._angles = data.angles
        rewards = np.zeros(len(data)) if data.rewards is None else data.rewards
        columns = (data.states, data.actions, data.next_states, rewards, data.terminations)
        for *row, episode in zip(*columns, data.episodes, strict=True):
            self.append(tuple(row), int(episode))

    def since(self, first: int) -> Transitions:
        """Returns the transitions from row `first` on, at least one."""
        rows: dict[str, Any] = {n: a[first : self._size] for n, a in self._arrays.items()}
        # A driver's rows do follow each other.
        return Transitions(**rows, gaps="ignore", angles=self._angles)

    def return_since(self, first: int) -> float:
        """Returns the sum of the rewards from row `first` on."""
        return float(self._arrays["rewards"][first : self._size].sum())

    def draw_states(self, count: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """Draws states (count, S), with replacement."""
        drawn: NDArray[np.float64] = self._arrays["states"][rng.integers(self._size, size=count)]
        return drawn
