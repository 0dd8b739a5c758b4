"""Discrete actions: numbers outside, as users see them; one-hot rows inside, as models do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynaplan import _arrays, _spaces, _texts
from dynaplan.errors import ArgumentError

__all__ = ["MAX_ACTIONS", "Numbering", "numbering_of"]

MAX_ACTIONS = 4096  # whose one-hot rows are a matrix of 128 MiB


@dataclass(frozen=True, slots=True)
class Numbering:
    """The numbers of discrete actions.

    Attributes:
        count: n, how many there are.
        first: the number of the first one; the others follow it.
    """

    count: int
    first: int = 0

    def one_hot(self, name: str, numbers: ArrayLike) -> NDArray[np.float64]:
        """Returns the rows (..., n) of numbers (...).

        Args:
            name: of the argument, for messages.
            numbers: of any shape, integers.

        Raises:
            TypeError: they are no integers.
            ArgumentError: one is the number of no action.
        """
        array = _arrays.real_array(name, numbers)
        if array.dtype.kind not in "iu":
            got = f"dtype {array.dtype}" if array.ndim else _texts.shown(numbers)
            cure = "; convert them with .astype(np.int64)" if array.ndim else ""
            wanted = f"must be integers, the numbers of discrete actions, {self._range}"
            raise TypeError(f"{name}: got {got}, {wanted}{cure}")
        unknown = (array < self.first) | (array > self._last)
        if unknown.any():
            place = np.unravel_index(int(np.argmax(unknown)), array.shape)
            row = f"row {place[0]} is" if array.ndim else "got"
            wanted = f"must be the number of a discrete action, {self._range}"
            raise ArgumentError(f"{name}: {row} {array[place]}, {wanted}")
        rows = np.zeros((*array.shape, self.count))
        places = (array.astype(np.int64) - self.first)[..., np.newaxis]
        np.put_along_axis(rows, places, 1.0, axis=-1)
        return rows

    def numbers(self, rows: NDArray[np.float64]) -> Any:
        """Returns the numbers (...) of one-hot rows (..., n); of a single row an int."""
        numbers = rows.argmax(axis=-1) + self.first
        return numbers if rows.ndim > 1 else int(numbers)

    @property
    def _last(self) -> int:
        return self.first + self.count - 1

    @property
    def _range(self) -> str:
        return f"from {self.first} to {self._last}"


def numbering_of(name: str, actions: Any) -> Numbering:
    """Returns the numbering of a Discrete space, or of n actions from 0 on.

    Args:
        name: of the argument, for messages.
        actions: the space, or n.

    Raises:
        ArgumentError: it is neither, or there are too many actions.
    """
    is_space = _spaces.is_discrete(actions)
    count = _arrays.count(name, actions.n if is_space else actions, 1)
    if count > MAX_ACTIONS:
        raise ArgumentError(f"{name}: got {count} actions, must be at most {MAX_ACTIONS}")
    return Numbering(count, _arrays.integer(name, actions.start) if is_space else 0)
