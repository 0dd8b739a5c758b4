"""How many steps until something is due, where that may grow with the steps made."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real
from typing import TypeAlias

from dynaplan import _arrays
from dynaplan.errors import ArgumentError

__all__ = ["LinearSchedule", "Pace", "checked_pace", "steps_at"]

# A number of steps, or a function from the real steps so far to one.
Pace: TypeAlias = int | Callable[[int], int]


@dataclass(frozen=True, slots=True)
class LinearSchedule:
    """A number of steps that is a fraction of the real steps so far, for `PETS`.

    Args:
        minimum: what it is at first.
        fraction: of the steps so far; above 0.

    Raises:
        ArgumentError: a setting is out of range.

    Example:
        >>> longest = dp.LinearSchedule(30, 1 / 3)
        >>> longest(50), longest(300)
        (30, 100)
    """

    minimum: int
    fraction: float

    def __post_init__(self) -> None:
        _arrays.at_least(1, "minimum", self.minimum)
        if not (isinstance(self.fraction, Real) and 0.0 < self.fraction < math.inf):
            raise ArgumentError(f"fraction: got {self.fraction!r}, must be finite and above 0")

    def __call__(self, steps: int) -> int:
        """Returns the number after so many real steps."""
        return max(self.minimum, int(steps * self.fraction))


def checked_pace(name: str, pace: Pace | None) -> Pace | None:
    """Returns the pace as it came, or raises ArgumentError for a number below 1."""
    return pace if pace is None or callable(pace) else _arrays.at_least(1, name, pace)


def steps_at(pace: Pace, name: str, steps: int) -> int:
    """Returns what the pace is after so many steps, or raises ArgumentError if it is below 1."""
    return _arrays.at_least(1, f"{name}({steps})", pace(steps)) if callable(pace) else pace
