"""Transitions as least squares sees them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Rows"]

Float64 = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Rows:
    """Transitions as the core fits them: (N, S), (N, A) and (N, S)."""

    states: Float64
    actions: Float64
    next_states: Float64

    def __len__(self) -> int:
        return len(self.states)

    def __getitem__(self, marks: NDArray[np.bool_]) -> Rows:
        return Rows(self.states[marks], self.actions[marks], self.next_states[marks])
