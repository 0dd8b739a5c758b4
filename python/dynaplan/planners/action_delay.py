"""`ActionDelay`: how many steps late each action acts, whole or not, and what acts meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynaplan import _arrays, _texts
from dynaplan.errors import ArgumentError

__all__ = ["ActionDelay", "acting_along", "with_queue", "without_queue"]

Float64 = NDArray[np.float64]
Index = NDArray[np.int64]


_MAX_APART = 100  # what is left of a queue where a plan begins is a part of its states


@dataclass(frozen=True, eq=False)
class ActionDelay:
    """Steps from sending an action until it acts, those of each entry apart.

    An action that is held for a step and comes d = n + f steps late, 0 <= f < 1, acts in two steps:
    in step k there acts (1 - f) a[k - n] + f a[k - n - 1], the mean over the step. That is exact
    for an integrator, and of first order in the length of a step otherwise.

    Attributes:
        steps: (A,) whole steps n.
        fractions: (A,) f.

    Source: Astrom & Wittenmark 1997, "Computer-controlled systems", sec. 2.3 (sampling of systems
    with a delay), whose two input matrices are equal shares where the state does not change them.
    """

    steps: Index
    fractions: Float64

    @classmethod
    def of(cls, delay_steps: Any, action_dim: int, largest: int) -> ActionDelay:
        """Returns the delay of one number for all actions, or of (A,) numbers.

        Raises:
            ShapeError: there are others than one for each action.
            ArgumentError: one is negative, above the largest, or not finite.
        """
        is_array = isinstance(delay_steps, np.ndarray) and delay_steps.ndim > 0
        several = is_array or isinstance(delay_steps, (list, tuple))
        if several:
            delays = _arrays.vector("delay_steps", delay_steps, action_dim)
        else:
            delays = np.full(action_dim, _arrays.real("delay_steps", delay_steps))
        for wrong, wanted in (
            (~(delays >= 0.0), "at least 0"),
            (delays > largest, f"at most {largest}"),
        ):
            if wrong.any():
                got = delays[int(wrong.argmax())] if several else _texts.shown(delay_steps)
                raise ArgumentError(f"delay_steps: got {got}, must be {wanted}")
        steps = np.floor(delays)
        if np.ptp(steps) > _MAX_APART:
            raise ArgumentError(
                f"delay_steps: got {delays}, must be at most {_MAX_APART} steps apart"
            )
        return cls(steps.astype(np.int64), delays - steps)

    @cached_property
    def given(self) -> int | float | tuple[float, ...]:
        """One number where it is the same for all actions, an int where it is whole; else (A,)."""
        delays = self.steps + self.fractions
        if (delays != delays[0]).any():
            return tuple(delays.tolist())
        return float(delays[0]) if self.fractions.any() else int(self.steps[0])

    @cached_property
    def ahead(self) -> int:
        """Steps that all actions are late, which are predicted before a plan begins."""
        return int(self.steps.min())

    @cached_property
    def queued(self) -> int:
        """How many of the actions sent before matter to a plan."""
        return int((self.steps + (self.fractions > 0.0)).max())

    @cached_property
    def is_even(self) -> bool:
        """Whether all actions are late by the same whole steps, so that plans see no delay."""
        return not self.fractions.any() and bool((self.steps == self.steps[0]).all())

    @cached_property
    def remaining(self) -> tuple[list[int], list[float]]:
        """Whole steps and fractions (A,) each that are left where a plan begins."""
        return (self.steps - self.ahead).tolist(), self.fractions.tolist()

    @cached_property
    def queue(self) -> list[tuple[int, int]]:
        """How long ago, and which entry: of the actions sent, what is left where a plan begins.

        Those of each entry one after another, the newest first, as the core has them.
        """
        return [
            (step, entry)
            for entry, (steps, fraction) in enumerate(zip(*self.remaining, strict=True))
            for step in range(steps + (fraction > 0.0))
        ]

    def until_plan(self, sent: Float64) -> Float64:
        """Returns (..., ahead, A) that act until a plan begins, of those sent (..., K, A)."""
        if self.is_even:
            return sent[..., sent.shape[-2] - self.ahead :, :]
        acting = [self._mean(sent, self.steps - 1 - step) for step in range(self.ahead)]
        return np.stack(acting, axis=-2) if acting else sent[..., :0, :]

    def at_once(self, sent: Float64) -> Float64:
        """Returns (..., A) that act in the step in which the last of (..., K + 1, A) is sent."""
        return self._mean(sent, self.steps)

    def in_plan(self, actions: Float64) -> Float64:
        """Returns (..., A) that act in the plan's step whose action is the last of (..., T, A)."""
        return self._mean(actions, self.steps - self.ahead)

    def _mean(self, actions: Float64, steps: Index) -> Float64:
        """Returns (..., A) of so many steps before the last, and of one step earlier."""
        last, entries = actions.shape[-2] - 1, np.arange(len(steps))
        newer = actions[..., last - steps, entries]
        older = actions[..., np.maximum(last - steps - 1, 0), entries]
        mean: Float64 = np.where(
            self.fractions > 0.0, (1.0 - self.fractions) * newer + self.fractions * older, newer
        )
        return mean


def acting_along(delay: ActionDelay | None, sent: Sequence[Float64], actions: Float64) -> Float64:
    """Returns (H, A) that act in the steps of a plan of actions (H, A).

    Args:
        delay: of the actions, or None where plans see none.
        sent: (A,) each, the actions under way, the oldest first.
        actions: (H, A).
    """
    if delay is None:
        return actions
    whole, before = np.concatenate([np.stack(sent), actions]), len(sent)
    return np.stack([delay.in_plan(whole[: before + t + 1]) for t in range(len(actions))])


def with_queue(delay: ActionDelay | None, state: Float64, sent: Sequence[Float64]) -> Float64:
    """Returns the state that the core plans from: (S,) behind what is left of the actions sent."""
    if delay is None:
        return state
    return np.concatenate([[sent[-1 - ago][entry] for ago, entry in delay.queue], state])


def without_queue(delay: ActionDelay | None, states: Float64) -> Float64:
    """Returns states, or gains, (..., S) of the core's (..., queue and S)."""
    if delay is None:
        return states
    return np.ascontiguousarray(states[..., len(delay.queue) :])
