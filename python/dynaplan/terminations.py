"""Terminations: when an episode ends, so that nothing after it counts.

A termination is `outside(low, high)`, or any Python function `f(obs, act, next_obs)` that takes
whole batches and returns (N,) of bool.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynaplan import _arrays, _core

__all__ = ["Outside", "Termination", "TerminationFunction", "outside"]

TerminationFunction: TypeAlias = Callable[[NDArray[Any], NDArray[Any], NDArray[Any]], ArrayLike]


class Outside:
    """Ends where the next state leaves a box; made by `outside`.

    Attributes:
        low: (S,) lowest states that do not end an episode.
        high: (S,) highest ones.
    """

    __slots__ = ("_termination", "high", "low")

    def __init__(self, low: ArrayLike, high: ArrayLike) -> None:
        self.low = _arrays.vector("low", low)
        self.high = _arrays.vector("high", high)
        self._termination = _core.outside_termination(self.low, self.high)

    def __call__(
        self, states: ArrayLike, actions: ArrayLike, next_states: ArrayLike
    ) -> NDArray[Any]:
        """Returns where an episode ends.

        Args:
            states: (N, S); unused, as all terminations are called alike.
            actions: (N, A); unused.
            next_states: (N, S).

        Returns:
            (N,) of bool: where a next state is outside, or nan.

        Raises:
            ShapeError: `next_states` has another number of columns than the box.
        """
        after = _arrays.rows("next_states", next_states, len(self.low))
        inside = (after >= self.low) & (after <= self.high)
        outside: NDArray[Any] = ~np.all(inside, axis=1)
        return outside


Termination: TypeAlias = Outside | TerminationFunction


def outside(low: ArrayLike, high: ArrayLike) -> Outside:
    """Ends an episode where the next state leaves the box [low, high] in any entry.

    Args:
        low: (S,), -inf where unbounded.
        high: (S,), inf where unbounded.

    Raises:
        ShapeError: `low` and `high` differ in size.
        ArgumentError: `low` exceeds `high` somewhere.

    Example:
        >>> dp.terminations.outside([-1.0], [1.0])([[0.0]], [[0.0]], [[2.0]])
        array([ True])
    """
    return Outside(low, high)
