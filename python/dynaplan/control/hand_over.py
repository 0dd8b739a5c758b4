"""`HandOver`: what a controller takes over from whatever controlled before it."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynaplan import _arrays, _texts
from dynaplan.control.memory import SystemMemory
from dynaplan.errors import ArgumentError, ShapeError

__all__ = ["HandOver", "for_each", "sequences"]

Float64 = NDArray[np.float64]


class HandOver:
    """The actions sent before a controller begins, and a plan to begin with.

    Args:
        previous_actions: (K, A) or (N, K, A), the oldest first; None: zeros.
        warm_start: (H, A) or (N, H, A), or None.
        action_dim: A.
        delay_steps: how many of the previous actions have yet to act.

    Raises:
        ShapeError: an array has the wrong shape, or there are fewer actions than are under way.
        ArgumentError: an action is not finite.
    """

    def __init__(
        self,
        previous_actions: ArrayLike | None,
        warm_start: ArrayLike | None,
        action_dim: int,
        delay_steps: int,
    ) -> None:
        self._previous = sequences("previous_actions", previous_actions, action_dim)
        self._warm_start = sequences("warm_start", warm_start, action_dim)
        self._action_dim = action_dim
        self._delay_steps = delay_steps
        if self._previous is not None and self._previous.shape[1] < delay_steps:
            raise ShapeError(
                f"previous_actions: got {self._previous.shape[1]} actions, must be at least "
                f"delay_steps = {delay_steps}, those that have yet to act"
            )

    def replaced(
        self, previous_actions: ArrayLike | None, warm_start: ArrayLike | None
    ) -> HandOver:
        """Returns another for the same system; where no actions are given they stay."""
        actions = self._previous if previous_actions is None else previous_actions
        return HandOver(actions, warm_start, self._action_dim, self._delay_steps)

    def actions(self, low: Float64, high: Float64) -> Float64:
        """Returns (N, K, A) sent before, N being 1 where they are the same for all systems.

        Without any they are zeros, or the nearest between low and high (A,).
        """
        if self._previous is not None:
            return self._previous
        rest = np.clip(np.zeros_like(low), low, high)
        return np.tile(rest, (1, max(self._delay_steps, 1), 1))

    def memories(self, count: int, low: Float64, high: Float64) -> list[SystemMemory]:
        """Makes a memory for each of `count` systems, whose actions lie between low and high.

        Raises:
            ShapeError: there are others for another number of systems.
        """
        previous, warm_start = self.actions(low, high), self._warm_start
        starts: list[Float64 | None] = [None] * count
        if warm_start is not None:
            starts = [*for_each("warm_start", warm_start, count)]
        sent = for_each("previous_actions", previous, count)
        return [
            SystemMemory(actions, self._delay_steps, start)
            for actions, start in zip(sent, starts, strict=True)
        ]


def sequences(name: str, values: ArrayLike | None, action_dim: int) -> Float64 | None:
    """Returns (N, steps, A), with N = 1 where all systems have the same; None for None."""
    if values is None:
        return None
    sequences = np.array(_arrays.numbers(name, values))
    if sequences.ndim not in (2, 3) or sequences.shape[-1] != action_dim or not sequences.size:
        raise ShapeError(
            f"{name}: got shape {sequences.shape}, must be (steps, {action_dim}) or "
            f"(N, steps, {action_dim})"
        )
    if not np.isfinite(sequences).all():
        raise ArgumentError(f"{name}: got {_texts.shown(sequences)}, must be finite")
    return sequences.reshape(-1, *sequences.shape[-2:])


def for_each(name: str, sequences: Float64, count: int) -> list[Float64]:
    """Returns (steps, A) for each of so many systems, of (N, steps, A) with N = 1 for all alike.

    Raises:
        ShapeError: they are for another number of systems.
    """
    if len(sequences) not in (1, count):
        raise ShapeError(f"{name}: got {len(sequences)} systems, must be {count} as of the state")
    return [sequences[0]] * count if len(sequences) == 1 else list(sequences)
