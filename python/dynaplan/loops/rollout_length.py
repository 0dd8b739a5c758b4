"""How far imagined rollouts go: a number, a schedule, or as far as the model can be trusted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from dynaplan import _arrays
from dynaplan.errors import ArgumentError
from dynaplan.rollouts.evaluation import Evaluation

__all__ = ["RolloutLength", "RolloutLengthSchedule", "length_at", "require_length"]


@dataclass(frozen=True)
class RolloutLengthSchedule:
    """A length of rollouts that grows with the real steps, as MBPO's authors set it.

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
        for name, least in (("begin", 0), ("end", 0), ("first", 0), ("last", 0)):
            _arrays.at_least(least, name, getattr(self, name))
        _arrays.at_least(1, "epoch_steps", self.epoch_steps)
        _arrays.at_least(self.begin + 1, "end", self.end)

    def __call__(self, steps: int) -> int:
        """Returns the length after so many real steps."""
        epoch = steps // self.epoch_steps
        share = float(np.clip((epoch - self.begin) / (self.end - self.begin), 0.0, 1.0))
        return int(self.first + share * (self.last - self.first))


RolloutLength: TypeAlias = int | RolloutLengthSchedule | Literal["trusted"]


def require_length(length: RolloutLength) -> RolloutLength:
    """Returns `length` if it is one.

    Raises:
        ArgumentError: it is none.
    """
    if isinstance(length, RolloutLengthSchedule) or length == "trusted":
        return length
    if isinstance(length, str):
        raise ArgumentError(
            f'rollout_length: got {length!r}, must be a number, a schedule or "trusted"'
        )
    return _arrays.at_least(1, "rollout_length", length)


def length_at(
    length: RolloutLength, steps: int, evaluation: Evaluation | None, max_length: int
) -> int:
    """Returns how many steps to imagine now; 0 where the model is not to be trusted for one.

    Args:
        length: as it was asked for.
        steps: real steps so far.
        evaluation: of the model on transitions it had not seen; None where it was not measured.
        max_length: what a trusted length is cut to.
    """
    if isinstance(length, RolloutLengthSchedule):
        return length(steps)
    if not isinstance(length, str):
        return int(length)
    return 0 if evaluation is None else min(evaluation.trusted_horizon, max_length)
