"""Plans that are tied to the clock, and the actions that are sent from them at any moment."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dynaplan.data.angles import NO_ANGLES, Angles
from dynaplan.planners.action_bounds import ActionBounds
from dynaplan.planners.plan import Plan
from dynaplan.planners.prepared import PreparedPlanner

__all__ = ["Sender", "Sight", "TimedPlan", "plan_at", "timed"]

Float64 = NDArray[np.float64]


class Sight(NamedTuple):
    """What was observed, and when.

    Attributes:
        states: (N, S) of N systems.
        time: in seconds of the clock.
    """

    states: Float64
    time: float


class TimedPlan(NamedTuple):
    """The plans of N systems, and when their steps are to be sent.

    Attributes:
        observed: when the states were observed that they were made from, in seconds.
        begins: when their first actions are to be sent.
        step: seconds from one action to the next.
        actions: (N, H, A).
        path: (N, K, S) states expected from `observed` on, a step apart.
        gains: (N, H, A, S) feedback, or None.
        bounds: lowest and highest actions of each step of the limits; None: the controller's.
        first: which of these steps the plans begin with.
    """

    observed: float
    begins: float
    step: float
    actions: Float64
    path: Float64
    gains: Float64 | None
    bounds: ActionBounds | None = None
    first: int = 0

    def step_at(self, moment: float) -> int:
        """Which of its steps that moment lies in; negative before the first."""
        return math.floor((moment - self.begins) / self.step)

    def expected(self, moment: float, angles: Angles = NO_ANGLES) -> Float64:
        """(N, S) states expected at that moment, on straight lines from step to step."""
        position = max((moment - self.observed) / self.step, 0.0)
        before = min(int(position), self.path.shape[1] - 2)
        change = angles.short_way(self.path[:, before + 1] - self.path[:, before])
        states: Float64 = self.path[:, before] + min(position - before, 1.0) * change
        return states


def timed(
    plans: Sequence[Plan],
    lead: Float64,
    *,
    observed: float,
    begins: float,
    step: float,
    bounds: ActionBounds | None = None,
    first: int = 0,
) -> TimedPlan:
    """Ties the plans of N systems to the clock.

    Args:
        plans: one for each system.
        lead: (N, K, S) states expected from `observed` until the plans' own begin, a step apart.
        observed: when the first of these were observed.
        begins: when the plans' first actions are to be sent.
        step: seconds from one action to the next.
        bounds: lowest and highest actions of each step of the limits.
        first: which of these steps the plans begin with.
    """
    states = np.stack([plan.states for plan in plans])
    gains = [plan.gains for plan in plans if plan.gains is not None]
    return TimedPlan(
        observed,
        begins,
        step,
        np.stack([plan.actions for plan in plans]),
        np.concatenate([lead, states], axis=1),
        np.stack(gains) if len(gains) == len(plans) else None,
        bounds,
        first,
    )


def plan_at(plans: Sequence[TimedPlan], moment: float) -> TimedPlan | None:
    """The newest of the plans, given newest first, that has begun by then, or None."""
    return next((plan for plan in plans if plan.step_at(moment) >= 0), None)


class Sender:
    """Sends actions of timed plans, and keeps what was sent last.

    Args:
        last: (N, A) sent before.

    Attributes:
        last: (N, A) sent last.
    """

    def __init__(self, last: Float64) -> None:
        self.last = last
        self._before = last  # sent at the end of the step before
        self._step_began = -math.inf

    def send(
        self,
        plans: Sequence[TimedPlan],
        moment: float,
        sight: Sight | None,
        prepared: PreparedPlanner,
    ) -> bool:
        """Makes `last` the action of that moment; returns False where no plan has a step for it.

        What was sent last is held then, within the bounds.

        Args:
            plans: that are finished, newest first.
            moment: in which step of a plan the action lies.
            sight: what the feedback looks at; None: there is none.
            prepared: whose bounds and rates the action must keep.
        """
        plan = plan_at(plans, moment)
        step = 0 if plan is None else plan.step_at(moment)
        bounds = prepared.bounds_ahead if plan is None or plan.bounds is None else plan.bounds
        row = step if plan is None else plan.first + step
        if plan is None or step >= plan.actions.shape[1]:
            self.last = prepared.whole(bounds.nearest(self.last, row))
            return False
        actions: Float64 = plan.actions[:, step]
        if plan.gains is not None and sight is not None:
            expected = plan.expected(sight.time, prepared.angles)
            apart = prepared.angles.short_way(sight.states - expected)
            corrected = actions + (plan.gains[:, step] @ apart[:, :, np.newaxis])[:, :, 0]
            actions = corrected if np.isfinite(corrected).all() else actions
        self._enter_step(plan.begins + step * plan.step, plan.step)
        if prepared.action_rate is not None:
            rate = prepared.action_rate
            actions = np.clip(actions, self._before - rate, self._before + rate)
        within = np.clip(actions, prepared.low, prepared.high)
        self.last = prepared.whole(bounds.nearest(within, row))
        return True

    def _enter_step(self, began: float, step: float) -> None:
        """Rates count from step to step, not from call to call, nor where plans change within."""
        if began > self._step_began + 0.5 * step:
            self._before, self._step_began = self.last, began
