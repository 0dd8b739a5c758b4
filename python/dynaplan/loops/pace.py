"""How many steps until something is due, where that may grow with the steps made."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real
from typing import TypeAlias

from dynaplan import _arrays
from dynaplan.errors import ArgumentError

__all__ = ["GrowingSteps", "Pace", "checked_pace", "steps_at"]

# A number of steps, or a function from the real steps so far to one.
Pace: TypeAlias = int | Callable[[int], int]


@dataclass(frozen=True, slots=True)
class GrowingSteps:
    """A number of steps that is a share of the real steps so far, for `PETS`.

    Args:
        least: what it is at first.
        share: of the steps so far; above 0.

    Raises:
        ArgumentError: a setting is out of range.

    Example:
        >>> longest = dp.GrowingSteps(30, 1 / 3)
        >>> longest(50), longest(300)
        (30, 100)
    """

    least: int
    share: float

    def __post_init__(self) -> None:
        _arrays.at_least(1, "least", self.least)
        if not (isinstance(self.share, Real) and 0.0 < self.share < math.inf):
            raise ArgumentError(f"share: got {self.share!r}, must be finite and above 0")

    def __call__(self, steps: int) -> int:
        """Returns the number after so many real steps."""
        return max(self.least, int(steps * self.share))


def checked_pace(name: str, pace: Pace | None) -> Pace | None:
    """Returns the pace as it came, or raises ArgumentError for a number below 1."""
    return pace if pace is None or callable(pace) else _arrays.at_least(1, name, pace)


def steps_at(pace: Pace, name: str, steps: int) -> int:
    """Returns what the pace is after so many steps, or raises ArgumentError if it is below 1."""
    return _arrays.at_least(1, f"{name}({steps})", pace(steps)) if callable(pace) else pace
