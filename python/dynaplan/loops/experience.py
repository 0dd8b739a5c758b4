"""Real transitions as they come, in arrays that grow."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynaplan.data.transitions import Transitions

__all__ = ["Experience"]


class Experience:
    """All real transitions of a loop, and where their episodes begin.

    Args:
        state_dim: S.
        action_dim: A.
    """

    def __init__(self, state_dim: int, action_dim: int) -> None:
        self._size = 0
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

    def append(self, *row: Any) -> None:
        """Takes a transition: state, action, next state, reward, termination, episode."""
        if self._size == len(self._arrays["rewards"]):
            for name, array in self._arrays.items():
                self._arrays[name] = np.concatenate([array, np.empty_like(array)])
        for array, value in zip(self._arrays.values(), row, strict=True):
            array[self._size] = value
        self._size += 1

    def since(self, first: int) -> Transitions:
        """Returns the transitions from row `first` on, at least one."""
        rows: dict[str, Any] = {n: a[first : self._size] for n, a in self._arrays.items()}
        return Transitions(**rows)

    def draw_states(self, count: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """Draws states (count, S), with replacement."""
        drawn: NDArray[np.float64] = self._arrays["states"][rng.integers(self._size, size=count)]
        return drawn

    def earned(self, first: int) -> float:
        """Returns the sum of the rewards from row `first` on."""
        return float(self._arrays["rewards"][first : self._size].sum())

    def extend(self, data: Transitions) -> None:
        """Takes in what `since` gave."""
        rewards = np.zeros(len(data)) if data.rewards is None else data.rewards
        for row in zip(
            data.states,
            data.actions,
            data.next_states,
            rewards,
            data.terminations,
            data.episodes,
            strict=True,
        ):
            self.append(*row)
