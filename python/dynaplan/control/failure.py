"""What a controller sends where no plan is allowed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from dynaplan import _arrays, _callbacks, _warnings
from dynaplan.control.trust import TrustRule
from dynaplan.errors import ArgumentError, FailedPlanWarning, NumericalError
from dynaplan.planners.plan import Plan
from dynaplan.planners.prepared import PreparedPlanner
from dynaplan.planners.problem import PlanMemory

__all__ = ["FailureRule", "OnFailure"]

_RULES = ("least violation", "hold", "raise")
OnFailure: TypeAlias = Literal["least violation", "hold", "raise"] | Callable[[Plan], ArrayLike]


class FailureRule:
    """Decides what is sent where no candidate is allowed, or none has a finite return.

    Args:
        on_failure: "least violation": the plan as it is; "hold": the action sent last, if any;
            "raise": nothing; or a function of the plan that returns the action (A,), or the number
            of a discrete one.

    Raises:
        ArgumentError: it is another text.
        TypeError: it is neither a text nor a function.
    """

    def __init__(self, on_failure: OnFailure) -> None:
        if isinstance(on_failure, str):
            _arrays.choice("on_failure", on_failure, *_RULES)
        else:
            wanted = f"a function of the plan, or one of {', '.join(map(repr, _RULES))}"
            _callbacks.require_function("on_failure", on_failure, wanted)
        self._on_failure: Any = on_failure
        self._warned = False

    def forget(self) -> None:
        """Makes the next failure the first one, as at a new episode."""
        self._warned = False

    def settled(
        self,
        plans: Sequence[Plan],
        memories: Sequence[PlanMemory],
        planner: PreparedPlanner,
        trust: TrustRule,
    ) -> list[Plan]:
        """Returns the plans to adopt: the same ones, but for those that failed.

        Args:
            plans: as they were made, one for each system.
            memories: the actions sent before, likewise.
            planner: what made them, with the limits.
            trust: whether it refuses some.

        Raises:
            NumericalError: one failed, and is to be refused.
            ArgumentError: the user's function returns an action that is not finite.
        """
        settled = list(plans)
        for n, plan in enumerate(plans):
            failed = plan.status == "no_finite_candidate"
            if happened := _happened(plan) if failed else trust.refuses(plan):
                settled[n] = self._instead_of(plan, memories[n], planner, happened)
        return settled

    def _instead_of(
        self, plan: Plan, memory: PlanMemory, planner: PreparedPlanner, happened: str
    ) -> Plan:
        if self._on_failure == "raise":
            raise NumericalError(f"{happened}; on_failure says not to act")
        if not self._warned:
            self._warned = True
            _warnings.warn(
                f"{happened}; on_failure={self._on_failure!r} says what is sent, from now on "
                "without a further warning until reset()",
                FailedPlanWarning,
            )
        action = memory.previous_action
        assert action is not None
        none_sent = planner.numbering is not None and not action.any()
        if self._on_failure == "least violation" or (self._on_failure == "hold" and none_sent):
            return plan
        if self._on_failure != "hold":
            returned = planner.one_hot("on_failure", self._on_failure(plan))
            action = _callbacks.numbers("on_failure", returned, action.shape, "action")
            if not np.isfinite(action).all():
                raise ArgumentError(f"on_failure: returned {action}, must be finite")
        actions, states = planner.held(action, plan.states[0], memory)
        none_kept = np.empty((0, *actions.shape))
        return plan._replace(
            actions=actions,
            states=states,
            value=-np.inf,
            kept_sequences=none_kept,
            spread=None,
            gains=None,
        )


def _happened(plan: Plan) -> str:
    rejected, candidates = plan.stats.rejected, plan.stats.candidates
    if rejected == 0:
        return f"none of the {candidates} candidates of a plan has a finite return"
    return (
        f"none of the {candidates} candidates of a plan is allowed: {rejected} exceed the limits "
        "of states or disagreement"
    )
