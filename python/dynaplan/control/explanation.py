"""What a plan expects: rewards by term and step, limits, disagreement, spread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import SupportsIndex

import numpy as np
from numpy.typing import NDArray

from dynaplan import _arrays, _core, _tables, _texts
from dynaplan.control.memory import SystemMemory
from dynaplan.errors import ArgumentError
from dynaplan.planners.action_delay import acting_along
from dynaplan.planners.plan import Plan
from dynaplan.planners.prepared import PreparedPlanner
from dynaplan.planners.problem import PlanProblem
from dynaplan.rewards.terms import Reward, Term
from dynaplan.rollouts.steps import step_arrays, step_values

__all__ = ["Explanation", "explain"]

Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class Explanation:
    """One plan along its mean prediction, term by term and step by step; it prints as a table.

    Attributes:
        terms: names of the reward's terms, T of them.
        rewards: (T, H) value of each at each step, undiscounted; nan for a term that has no value
            outside rollouts, such as `rewards.predicted`.
        action_limits: (H, A) -1 where an action is on the lower bound of its step, 1 on the upper,
            else 0.
        rate_limits: (H, A) likewise where it changes at the largest rate allowed.
        states_outside: (H, S) whether a predicted state is outside the limits.
        constraints: (G, H) value of each of `Limits.constraints`, in their order; above 0 where it
            is not kept.
        disagreement: (H,) how far the members of an ensemble disagree at each step, in the unit of
            `DisagreementLimit.limit`; 0 for a single model.
        spread: (H, A) standard deviations at the end of the search, or None.
    """

    terms: tuple[str, ...]
    rewards: Float64
    action_limits: NDArray[np.int8]
    rate_limits: NDArray[np.int8]
    states_outside: NDArray[np.bool_]
    constraints: Float64
    disagreement: Float64
    spread: Float64 | None

    def __str__(self) -> str:
        steps = self.rewards.shape[1]
        shown = sorted({*range(min(5, steps)), *range(5, steps, max(1, steps // 6)), steps - 1})
        rows = [["step", *map(str, shown), "sum"]]
        with np.errstate(over="ignore", invalid="ignore"):  # of a model that runs away
            sums = self.rewards.sum(axis=1)
        for name, row, total in zip(self.terms, self.rewards, sums, strict=True):
            rows.append([name, *(_tables.number(row[t]) for t in shown), _tables.number(total)])
        flags = {
            "at a bound": (self.action_limits != 0).sum(axis=1),
            "at a rate": (self.rate_limits != 0).sum(axis=1),
            "outside": self.states_outside.sum(axis=1) + (self.constraints > 0.0).sum(axis=0),
        }
        for name, counts in flags.items():
            if counts.any():
                rows.append([name, *(str(counts[t]) for t in shown), str(counts.sum())])
        if self.disagreement.any():
            cells = [_tables.number(self.disagreement[t]) for t in shown]
            rows.append(["disagreement", *cells, ""])
        if self.spread is not None:
            cells = [_tables.number(self.spread[t].max()) for t in shown]
            rows.append(["spread", *cells, ""])
        return "\n".join(_tables.lines(rows, least=10))

    def __repr__(self) -> str:
        return f"Explanation({self.rewards.shape[1]} steps, terms={self.terms})"


def explain(
    problem: PlanProblem,
    planner: PreparedPlanner,
    systems: Sequence[SystemMemory],
    system: SupportsIndex,
) -> Explanation:
    """Evaluates a system's last plan term by term and step by step.

    Args:
        problem: what it was made for.
        planner: the bounds within which it was made.
        systems: the plans, and what was sent before.
        system: which one.

    Raises:
        ArgumentError: there is no plan of that system.
    """
    number = _arrays.integer("system", system)
    memory = systems[number] if 0 <= number < len(systems) else None
    if memory is None or memory.plan is None:
        got = _texts.shown(number)
        raise ArgumentError(f"system: got {got}, must be one of those that have a plan")
    plan, previous_action = memory.plan, memory.before_plan
    reward = problem.rewards[min(number, len(problem.rewards) - 1)]
    acting = acting_along(problem.delay, memory.under_way_then, plan.actions)
    parts = _parts(reward)
    rewards = np.array([_along(part, plan, previous_action) for _, part in parts])
    disagreement = _core.disagreement(
        problem.model.dynamics,
        np.ascontiguousarray(plan.states[:-1]),
        np.ascontiguousarray(acting),
        1,
    )
    outside = np.zeros(plan.states[1:].shape, np.bool_)
    constraints = np.zeros((0, len(plan.actions)))
    kept = planner.step_limits
    if kept is not None and kept.states is not None:
        low, high = kept.states
        outside = ~((plan.states[1:] >= low) & (plan.states[1:] <= high))
    if kept is not None and kept.constraints:
        steps = step_arrays(plan.states[None], plan.actions[None])
        constraints = np.array(
            [one.along(steps, plan.actions[None], previous_action) for one in kept.constraints]
        )
    return Explanation(
        tuple(name for name, _ in parts),
        rewards,
        _at(plan.actions, *planner.bounds.along(memory.plan_step, len(plan.actions))),
        _rates(plan.actions, planner.action_rate, previous_action),
        outside,
        constraints,
        disagreement,
        plan.spread,
    )


def _parts(reward: Reward) -> list[tuple[str, Reward]]:
    """Returns names and terms; equal names are numbered."""
    if not isinstance(reward, Term):
        return [(getattr(reward, "__name__", type(reward).__name__), reward)]
    names = [part.name for part in reward.parts]
    return [
        (f"{name} {names[: i + 1].count(name)}" if names.count(name) > 1 else name, part)
        for i, (name, part) in enumerate(zip(names, reward.parts, strict=True))
    ]


def _along(reward: Reward, plan: Plan, previous_action: Float64 | None) -> Float64:
    steps = step_arrays(plan.states[None], plan.actions[None])
    try:
        return step_values(reward, steps, plan.actions[None], previous_action)
    except ArgumentError:  # has a value in rollouts alone
        return np.full(len(plan.actions), np.nan)


def _at(actions: Float64, low: Float64, high: Float64) -> NDArray[np.int8]:
    return (actions >= high).astype(np.int8) - (actions <= low).astype(np.int8)


def _rates(
    actions: Float64, rate: Float64 | None, previous_action: Float64 | None
) -> NDArray[np.int8]:
    if rate is None:
        return np.zeros(actions.shape, np.int8)
    first = actions[0] if previous_action is None else previous_action
    # A rate is met within rounding: actions are found in float32.
    return _at(np.diff(actions, axis=0, prepend=first[None]), -rate * (1 - 1e-5), rate * (1 - 1e-5))
