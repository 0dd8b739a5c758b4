"""Action sequences of a policy, which a planner tries first."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynaplan import _arrays, _callbacks
from dynaplan.errors import ArgumentError
from dynaplan.models.interface import Model, predicted
from dynaplan.planners.action_bounds import ActionBounds
from dynaplan.planners.action_delay import ActionDelay
from dynaplan.planners.problem import PlanProblem, Policy

__all__ = ["PolicySequences"]

Float64 = NDArray[np.float64]
_MAX_CANDIDATES = 100_000  # as many as the largest search of `tune`; they are kept at once


class _Clock:
    """Tells how much of a time limit is left; always all of it where there is none.

    Args:
        time_limit: seconds from now on, or None.
    """

    def __init__(self, time_limit: float | None) -> None:
        self.time_limit = time_limit
        self._begin = self._last = time.perf_counter()

    def rows(self) -> int:
        """Returns how many rows like the one that has just been computed take a quarter of it."""
        assert self.time_limit is not None
        of_one = max(time.perf_counter() - self._begin, 1e-9)
        return min(int(max(0.25 * self.time_limit, 0.0) / of_one), _MAX_CANDIDATES)

    def is_over(self) -> bool:
        """Returns whether another step as long as the one since the last call ends too late."""
        if self.time_limit is None:
            return False
        now = time.perf_counter()
        step, self._last = now - self._last, now
        return now + step > self._begin + self.time_limit


@dataclass(frozen=True)
class PolicySequences:
    """What a policy does in the states that the model predicts under it.

    Args:
        policy: actions (N, A) for states (N, S).
        candidates: how many sequences it makes.
        model: predicts the states.
        horizon: H.
        bounds: lowest and highest actions of each step, to which its actions are clipped.
        one_hot: makes one-hot rows of discrete actions, by the name of the argument.
        delay: of the actions, or None.
    """

    policy: Policy
    candidates: int
    model: Model
    horizon: int
    bounds: ActionBounds
    one_hot: Callable[[str, Any], Any]
    delay: ActionDelay | None = None

    @classmethod
    def of(
        cls,
        problem: PlanProblem,
        horizon: int,
        bounds: ActionBounds,
        one_hot: Callable[[str, Any], Any],
    ) -> PolicySequences | None:
        """Returns those of a problem's policy, or None where it has none.

        Raises:
            ArgumentError: `policy_candidates` is out of range.
        """
        candidates = _arrays.count("policy_candidates", problem.policy_candidates, 1)
        if candidates > _MAX_CANDIDATES:
            raise ArgumentError(
                f"policy_candidates: got {candidates}, must be at most {_MAX_CANDIDATES}"
            )
        if problem.policy is None:
            return None
        return cls(
            problem.policy, candidates, problem.model, horizon, bounds, one_hot, problem.delay
        )

    def sequences(
        self,
        kept: Float64 | None,
        skip: int,
        state: Float64,
        *,
        step: int = 0,
        sent: Sequence[Float64] = (),
        time_limit: float | None = None,
    ) -> Float64:
        """Returns (K + candidates, skip + H, A): those kept, then the policy's from `state`.

        All begin `skip` steps early, as those that are kept do.

        Args:
            kept: (K, steps, A), or None.
            skip: steps at their beginning that have passed.
            state: (S,).
            step: which step of the bounds the plan begins with.
            sent: (A,) each, the actions under way.
            time_limit: seconds to take. There are fewer candidates where the policy is slow, going
                by one that is asked first, and they hold the action at which time runs out.

        Raises:
            ShapeError: the policy returned actions of another shape.
            ArgumentError: it returned one that is not finite.
        """
        clock = _Clock(time_limit)
        states = np.tile(state, (self.candidates, 1))
        first = self._first_actions(states, step, clock)
        count, steps = len(first), skip + self.horizon
        old = 0 if kept is None else len(kept)
        sequences = np.zeros((old + count, steps, self.model.action_dim))
        for n in range(old):
            assert kept is not None
            length = min(len(kept[n]), steps)
            sequences[n, :length], sequences[n, length:] = kept[n][:length], kept[n][-1]
        states = states[:count]
        rows = np.arange(old, old + count)
        for t in range(skip, steps):
            sequences[rows, t] = first if t == skip else self._actions(states, step + t - skip)
            if clock.is_over():
                sequences[rows, t + 1 :] = sequences[rows, t, np.newaxis]
                break
            acting = sequences[rows, t]
            if self.delay is not None:
                under_way = np.tile(np.stack(sent), (len(rows), 1, 1))
                sequence = np.concatenate([under_way, sequences[rows, skip : t + 1]], axis=1)
                acting = self.delay.in_plan(sequence)
            states = predicted(self.model, states, acting).mean
            finite = np.isfinite(states).all(axis=1)
            if not finite.all():  # the candidate is lost there, whatever it does from then on
                sequences[rows[~finite], t + 1 :] = sequences[rows[~finite], t, np.newaxis]
                states, rows = states[finite], rows[finite]
                if not len(rows):
                    break
        return sequences

    def _first_actions(self, states: Float64, step: int, clock: _Clock) -> Float64:
        """Returns the actions in all of some equal states (N, S), or in as many as time allows."""
        if clock.time_limit is None or len(states) == 1:
            return self._actions(states, step)
        one = self._actions(states[:1], step)
        others = states[1 : 1 + clock.rows()]
        return np.concatenate([one, self._actions(others, step)]) if len(others) else one

    def _actions(self, states: Float64, step: int) -> Float64:
        shape = (len(states), self.model.action_dim)
        returned = self.one_hot("policy", self.policy(states))
        actions = _callbacks.numbers("policy", returned, shape, "action")
        if not np.isfinite(actions).all():
            raise ArgumentError(f"policy: returned {actions}, must be finite")
        return self.bounds.nearest(actions, step)
