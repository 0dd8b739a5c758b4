"""Numbers of steps that change with the real steps made: of episodes, fits and rollouts."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from dynaplan import _arrays, _texts
from dynaplan.errors import ArgumentError
from dynaplan.rollouts.evaluation import Evaluation

__all__ = [
    "LinearSchedule",
    "RolloutLength",
    "RolloutLengthSchedule",
    "StepSchedule",
    "checked_rollout_length",
    "checked_steps",
    "rollout_length_at",
    "steps_at",
]

_MOST = 2.0**53  # above it floats are no longer all integers
# A number of steps, or a function from the real steps so far to one.
StepSchedule: TypeAlias = int | Callable[[int], int]


@dataclass(frozen=True, slots=True)
class LinearSchedule:
    """A number of steps that is a fraction of the real steps so far, for `PETS`.

    Args:
        minimum: what it is at first.
        fraction: of the steps so far; above 0.

    Raises:
        ArgumentError: a setting is out of range.

    Example:
        >>> episode_steps = dp.LinearSchedule(30, 1 / 3)
        >>> episode_steps(50), episode_steps(300)
        (30, 100)
    """

    minimum: int
    fraction: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "minimum", _arrays.at_least(1, "minimum", self.minimum))
        object.__setattr__(self, "fraction", _arrays.real("fraction", self.fraction))
        if not 0.0 < self.fraction < math.inf:
            raise ArgumentError(f"fraction: got {self.fraction}, must be finite and above 0")

    def __call__(self, steps: int) -> int:
        """Returns the number after so many real steps."""
        share = min(_arrays.count("steps", steps) * self.fraction, _MOST)
        return max(self.minimum, int(share))


def checked_steps(name: str, schedule: StepSchedule | None) -> StepSchedule | None:
    """Returns the schedule as it is, or raises ArgumentError for a number below 1."""
    if schedule is None or (callable(schedule) and not isinstance(schedule, type)):
        return schedule
    if callable(schedule):
        raise TypeError(f"{name}: got {_texts.shown(schedule)}, must be a number or a function")
    return _arrays.at_least(1, name, schedule)


def steps_at(schedule: StepSchedule, name: str, steps: int) -> int:
    """Returns the number after so many real steps, or raises ArgumentError if it is below 1."""
    if not callable(schedule):
        return schedule
    return _arrays.at_least(1, f"{name}({steps})", schedule(steps))


@dataclass(frozen=True)
class RolloutLengthSchedule:
    """A length of imagined rollouts that grows with the real steps, as MBPO's authors set it.

    From `first` before epoch `begin` to `last` from epoch `end` on, linearly between, rounded down.

    Args:
        begin: epoch from which on it grows.
        end: epoch from which on it stays.
        first: steps at the beginning.
        last: steps at the end.
        epoch_steps: real steps of an epoch. Default 1,000, as the authors count.

    Raises:
        ArgumentError: an argument is out of range.

    Source: Janner et al. 2019, "When to trust your model", appendix C.

    Example:
        >>> hopper = dp.RolloutLengthSchedule(20, 150, 1, 15)
        >>> [hopper(steps) for steps in (0, 20_000, 85_000, 150_000)]
        [1, 1, 8, 15]
    """

    begin: int
    end: int
    first: int
    last: int
    epoch_steps: int = 1000

    def __post_init__(self) -> None:
        for name in ("begin", "end", "first", "last", "epoch_steps"):
            minimum = 1 if name == "epoch_steps" else 0
            _arrays.at_least(minimum, name, getattr(self, name))
            object.__setattr__(self, name, _arrays.count(name, getattr(self, name)))
        _arrays.at_least(self.begin + 1, "end", self.end)

    def __call__(self, steps: int) -> int:
        """Returns the length after so many real steps."""
        epoch = _arrays.count("steps", steps) // self.epoch_steps
        share = float(np.clip((epoch - self.begin) / (self.end - self.begin), 0.0, 1.0))
        return int(self.first + share * (self.last - self.first))


# As far as the model can be trusted, with "trusted".
RolloutLength: TypeAlias = int | RolloutLengthSchedule | Literal["trusted"]


def checked_rollout_length(length: RolloutLength) -> RolloutLength:
    """Returns `length` as it is, or raises ArgumentError if it is none."""
    if isinstance(length, RolloutLengthSchedule) or (
        isinstance(length, str) and length == "trusted"
    ):
        return length
    if isinstance(length, str):
        got = _texts.shown(length)
        raise ArgumentError(f'rollout_length: got {got}, must be a number, a schedule or "trusted"')
    return _arrays.count("rollout_length", length, 1)


def rollout_length_at(
    length: RolloutLength, steps: int, evaluation: Evaluation | None, max_length: int
) -> int:
    """Returns how many steps to imagine now; 0 where the model is not to be trusted for one.

    Args:
        length: the setting.
        steps: real steps so far.
        evaluation: of the model on transitions it had not seen; None where it was not measured.
        max_length: bound of a trusted length.
    """
    if isinstance(length, RolloutLengthSchedule):
        return length(steps)
    if not isinstance(length, str):
        return int(length)
    return 0 if evaluation is None else min(evaluation.trusted_horizon, max_length)
