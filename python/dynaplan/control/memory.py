"""`SystemMemory`: what lasts between the plans for one controlled system."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynaplan import _arrays, _core, _texts
from dynaplan.errors import ArgumentError, ShapeError
from dynaplan.planners.plan import Plan
from dynaplan.planners.prepared import PreparedPlanner
from dynaplan.planners.problem import PlanMemory

__all__ = ["SystemMemory", "correct_last_actions", "skip_steps", "state_rows"]

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
        plan_step: which step of the limits that plan begins with.
        under_way_then: the actions under way when that plan was made.
        memory: what the next plan takes from those before.
        steps_to_plan: how many more of the plan's actions are sent before the next plan.
    """

    __slots__ = ("before_plan", "memory", "plan", "plan_step", "steps_to_plan", "under_way_then")

    def __init__(
        self, previous_actions: Float64, under_way: int, warm_start: Float64 | None
    ) -> None:
        self.plan: Plan | None = None
        self.before_plan: Float64 | None = None
        self.plan_step = 0
        sent = list(previous_actions[len(previous_actions) - under_way :])
        self.memory = PlanMemory(_core.PlanMemory(), warm_start=warm_start, under_way=sent)
        self.under_way_then: list[Float64] = []
        for action in previous_actions[-2:]:
            self.memory.sends(action)
        self.steps_to_plan = 0

    @property
    def sent(self) -> list[Float64]:
        """(A,) each, the actions under way, the oldest first."""
        return self.memory.under_way

    @property
    def last_action(self) -> Float64:
        """(A,) the action sent last, or taken to have been sent."""
        last = self.memory.previous_action
        assert last is not None
        return last

    @property
    def last_actions(self) -> Float64:
        """(K, A) the actions sent last, the oldest first: those under way, and at least two."""
        if len(self.sent) > 1:
            return np.stack(self.sent)
        earlier = self.memory.earlier_action
        return np.stack([self.last_action if earlier is None else earlier, self.last_action])

    @property
    def steps_left(self) -> int:
        """Steps of the plan that have not been sent."""
        return 0 if self.plan is None else len(self.plan.actions) - self.memory.skip

    def begin(self, plan: Plan, steps: int) -> None:
        """Adopts a new plan, of which this many steps are to be sent."""
        memory = self.memory
        self.plan = plan
        self.before_plan = memory.previous_action
        self.plan_step = memory.step
        self.under_way_then = list(memory.under_way)
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
        action = planner.whole(action)
        memory.sends(action)
        memory.skip = step + 1
        memory.step += 1
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
        apart = planner.angles.short_way(state - plan.states[step])
        action: Float64 = planned + plan.gains[step] @ apart
        if planner.action_rate is not None:
            last = self.last_action
            action = np.clip(action, last - planner.action_rate, last + planner.action_rate)
        action = planner.bounds_ahead.nearest(action, self.memory.step)
        return action if np.isfinite(action).all() else planned

    def skip(self, steps: int, planner: PreparedPlanner) -> None:
        """Records that the plan's next actions were sent, as they can be; a new plan is due."""
        assert self.plan is not None
        begin = self.memory.skip
        for action in planner.whole(self.plan.actions[begin : begin + steps]):
            self.memory.sends(action)
            self._send(action)
        self.memory.skip += steps
        self.memory.step += steps
        self.steps_to_plan = 0

    def correct_last(self, action: Float64) -> None:
        """Replaces the last action by the one that was really sent."""
        self.memory.previous_action = action
        if self.sent:
            self.sent[-1] = action

    def correct_sent(self, actions: Float64) -> None:
        """Replaces the last actions (K, A), as many as `last_actions`, by those really sent."""
        for action in actions[-2:]:
            self.memory.sends(action)
        if self.sent:
            self.sent[:] = actions[-len(self.sent) :]

    def _send(self, action: Float64) -> None:
        if self.sent:
            del self.sent[0]
            self.sent.append(action)


def state_rows(states: Float64, state_dim: int, systems: Sequence[SystemMemory]) -> Float64:
    """Returns the states of one system (S,) or of several (N, S).

    Raises:
        ShapeError: they have another shape, or are of more or fewer systems than there are.
    """
    if states.ndim == 0:
        states = states.reshape(1)
    if states.ndim > 2 or states.shape[-1] != state_dim or states.size == 0:
        raise ShapeError(
            f"state: got shape {states.shape}, must be ({state_dim},) or (N, {state_dim})"
        )
    count = 1 if states.ndim == 1 else len(states)
    if systems and len(systems) != count:
        raise ShapeError(
            f"state: got {count} systems, must be {len(systems)} as in the call before; call "
            "reset() to control others"
        )
    return states


def skip_steps(systems: Sequence[SystemMemory], steps: int, planner: PreparedPlanner) -> None:
    """Records for all systems that the next `steps` actions of their plans were sent.

    Raises:
        ArgumentError: a plan has not as many left, or there is none.
    """
    steps = _arrays.at_least(1, "steps", steps)
    left = min((system.steps_left for system in systems), default=0)
    if steps > left:
        raise ArgumentError(
            f"steps: got {_texts.shown(steps)}, must be at most {left}, the steps of the last "
            "plan not sent"
        )
    for system in systems:
        system.skip(steps, planner)


def correct_last_actions(systems: Sequence[SystemMemory], previous_action: ArrayLike) -> bool:
    """Replaces the last action of each system by the one that was really sent.

    Args:
        systems: the memories, at least one.
        previous_action: (A,) or (N, A).

    Returns:
        Whether one differs from what was to be sent.

    Raises:
        ShapeError: there are not as many actions as systems, or they have another size.
        ArgumentError: one is not finite.
    """
    action_dim = len(systems[0].last_action)
    actions = _arrays.rows("previous_action", previous_action, action_dim)
    if len(actions) != len(systems):
        raise ShapeError(f"previous_action: got {len(actions)} rows, must be {len(systems)}")
    if not np.isfinite(actions).all():
        raise ArgumentError(f"previous_action: got {actions}, must be finite")
    differs = False
    for system, action in zip(systems, actions, strict=True):
        differs |= not np.array_equal(action, system.last_action)
        system.correct_last(action)
    return differs
