"""How one controlled system goes on between plans: what was sent, and what the next plan takes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dynaplan import _core
from dynaplan.planners import Plan, PlanMemory

__all__ = ["Course"]

Float64 = NDArray[np.float64]


class Course:
    """One system's memory between the plans of its controller.

    Args:
        sent: the actions on their way at the start, the oldest first; as many are on their way
            ever after.

    Attributes:
        plan: the last plan, or None.
        before_plan: (A,) the action sent before that plan's first, or None.
        memory: what the next plan takes from those before.
        sent: the actions on their way.
    """

    __slots__ = ("_done", "_is_stale", "before_plan", "memory", "plan", "sent")

    def __init__(self, sent: Sequence[Float64]) -> None:
        self.plan: Plan | None = None
        self.before_plan: Float64 | None = None
        self.memory = PlanMemory(_core.PlanMemory())
        self.sent = list(sent)
        self._done = 0  # steps of the plan that have been sent
        self._is_stale = True

    def is_due(self, replan_every: int) -> bool:
        """Whether a new plan is wanted before the next action is sent."""
        return self._is_stale or self._done >= replan_every or self.steps_left == 0

    @property
    def steps_left(self) -> int:
        """Steps of the plan that have not been sent."""
        return 0 if self.plan is None else len(self.plan.actions) - self._done

    def begin(self, plan: Plan) -> None:
        """Takes over a new plan, of which nothing has been sent yet."""
        self.plan = plan
        self.before_plan = self.memory.previous_action
        self._done = 0
        self._is_stale = False

    def advance(self, state: Float64, low: Float64, high: Float64, rate: Float64 | None) -> Float64:
        """Sends the plan's next action, and tells what the next plan takes.

        Args:
            state: (S,) in which the action will act, for the plan's feedback.
            low: (A,) least action.
            high: (A,) largest action.
            rate: (A,) most that an action changes by in a step, or None.

        Returns:
            (A,) the action; not to be written to.
        """
        assert self.plan is not None
        plan, step = self.plan, self._done
        action: Float64 = plan.actions[step]
        if step > 0 and plan.gains is not None:
            action = action + plan.gains[step] @ (state - plan.states[step])
            last = self.memory.previous_action
            if rate is not None and last is not None:
                action = np.clip(action, last - rate, last + rate)
            action = np.clip(action, low, high)
            if not np.isfinite(action).all():
                action = plan.actions[step]
        self._send(action)
        self._shift(1)
        return action

    def skip(self, steps: int) -> None:
        """Notes that the plan's next actions were sent as they stand; the next one is due."""
        assert self.plan is not None
        for action in self.plan.actions[self._done : self._done + steps]:
            self._send(action)
        self._shift(steps)
        self._is_stale = True

    def correct_last(self, action: Float64) -> None:
        """Takes back what was sent last, for what really was."""
        self.memory.previous_action = action
        if self.sent:
            self.sent[-1] = action

    def expect(self, horizon: int) -> None:
        """Makes the next plan due, with a warm start of so many steps."""
        memory = self.memory
        self._is_stale = True
        if memory.warm_start is not None:
            memory.warm_start = _resized(memory.warm_start, horizon)
        if memory.elites is not None:
            memory.elites = np.ascontiguousarray(memory.elites[:, :horizon])

    def _send(self, action: Float64) -> None:
        self.memory.previous_action = action
        if self.sent:
            del self.sent[0]
            self.sent.append(action)

    def _shift(self, steps: int) -> None:
        """What the next plan begins with: this one, less what has been sent."""
        assert self.plan is not None
        self._done += steps
        plan, memory, done = self.plan, self.memory, self._done
        memory.warm_start = _resized(plan.actions[done:], len(plan.actions), plan.actions[-1])
        has_steps = len(plan.elites) > 0 and done < len(plan.actions)
        memory.elites = np.ascontiguousarray(plan.elites[:, done:]) if has_steps else None


def _resized(actions: Float64, steps: int, last: Float64 | None = None) -> Float64:
    """Returns (steps, A): cut, or going on with the last action."""
    resized = np.empty((steps, actions.shape[1]))
    kept = min(len(actions), steps)
    resized[:kept] = actions[:kept]
    resized[kept:] = actions[-1] if last is None else last
    return resized
