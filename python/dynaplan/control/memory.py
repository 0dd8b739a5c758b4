"""`SystemMemory`: what lasts between the plans for one controlled system."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dynaplan import _core
from dynaplan.planners.plan import Plan
from dynaplan.planners.prepared import PreparedPlanner
from dynaplan.planners.problem import PlanMemory

__all__ = ["SystemMemory"]

Float64 = NDArray[np.float64]


class SystemMemory:
    """What was sent to one system, and what its next plan takes from the last.

    Args:
        previous_actions: (K, A) sent before, the oldest first.
        under_way: how many of them have yet to act; as many are under way from then on.
        warm_start: (H, A) for the first plan, or None.

    Attributes:
        plan: the last plan, or None.
        before_plan: (A,) the action sent before that plan's first, or None.
        memory: what the next plan takes from those before.
        sent: the actions under way.
        steps_to_plan: how many more of the plan's actions are sent before the next plan.
    """

    __slots__ = ("before_plan", "memory", "plan", "sent", "steps_to_plan")

    def __init__(
        self, previous_actions: Float64, under_way: int, warm_start: Float64 | None
    ) -> None:
        self.plan: Plan | None = None
        self.before_plan: Float64 | None = None
        self.memory = PlanMemory(_core.PlanMemory(), warm_start=warm_start)
        self.sent = list(previous_actions[len(previous_actions) - under_way :])
        for action in previous_actions[-2:]:
            self.memory.sends(action)
        self.steps_to_plan = 0

    @property
    def last_action(self) -> Float64:
        """(A,) the action sent last, or taken to have been sent."""
        last = self.memory.previous_action
        assert last is not None
        return last

    @property
    def steps_left(self) -> int:
        """Steps of the plan that have not been sent."""
        return 0 if self.plan is None else len(self.plan.actions) - self.memory.skip

    def begin(self, plan: Plan, steps: int) -> None:
        """Adopts a new plan, of which this many steps are to be sent."""
        memory = self.memory
        self.plan = plan
        self.before_plan = memory.previous_action
        self.steps_to_plan = min(steps, len(plan.actions))
        memory.warm_start = plan.actions
        memory.kept_sequences = plan.kept_sequences if len(plan.kept_sequences) else None
        memory.skip = 0

    def advance(self, state: Float64, planner: PreparedPlanner) -> Float64:
        """Sends the plan's next action.

        Args:
            state: (S,) in which the action will act, for the plan's feedback.
            planner: whose bounds the action must keep.

        Returns:
            (A,) the action; must not be written to.
        """
        plan, memory = self.plan, self.memory
        assert plan is not None
        step = memory.skip
        action: Float64 = plan.actions[step]
        if step > 0 and plan.gains is not None:
            action = self._corrected(plan, step, state, planner)
        memory.sends(action)
        memory.skip = step + 1
        self.steps_to_plan -= 1
        if self.sent:
            self._send(action)
        return action

    def _corrected(
        self, plan: Plan, step: int, state: Float64, planner: PreparedPlanner
    ) -> Float64:
        """The plan's action with its feedback, within bounds and rates."""
        assert plan.gains is not None
        planned: Float64 = plan.actions[step]
        action: Float64 = planned + plan.gains[step] @ (state - plan.states[step])
        if planner.action_rate is not None:
            last = self.last_action
            action = np.clip(action, last - planner.action_rate, last + planner.action_rate)
        action = np.clip(action, planner.low, planner.high)
        return action if np.isfinite(action).all() else planned

    def skip(self, steps: int) -> None:
        """Records that the plan's next actions were sent unchanged; a new plan is due."""
        assert self.plan is not None
        begin = self.memory.skip
        for action in self.plan.actions[begin : begin + steps]:
            self.memory.sends(action)
            self._send(action)
        self.memory.skip += steps
        self.steps_to_plan = 0

    def correct_last(self, action: Float64) -> None:
        """Replaces the last action by the one that was really sent."""
        self.memory.previous_action = action
        if self.sent:
            self.sent[-1] = action

    def _send(self, action: Float64) -> None:
        if self.sent:
            del self.sent[0]
            self.sent.append(action)
