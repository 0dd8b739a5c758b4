"""What a controller sends where no plan is allowed."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynaplan import _arrays, _callbacks
from dynaplan.errors import ArgumentError, FailedPlanWarning, NumericalError
from dynaplan.planners.plan import Plan

__all__ = ["FailureRule", "OnFailure"]

Float64 = NDArray[np.float64]
_RULES = ("least violation", "hold", "raise")
OnFailure: TypeAlias = Literal["least violation", "hold", "raise"] | Callable[[Plan], ArrayLike]


class FailureRule:
    """Decides what is sent where no candidate is allowed, or none has a finite return.

    Args:
        on_failure: "least violation": the plan as it is; "hold": the action sent last; "raise":
            nothing; or a function of the plan that returns the action (A,).

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

    def applied(self, plan: Plan, last: Float64, low: Float64, high: Float64) -> Plan:
        """Returns the plan to adopt instead of one that failed.

        Args:
            plan: as it was made.
            last: (A,) the action sent last.
            low: (A,) lowest actions.
            high: (A,) highest actions.

        Raises:
            NumericalError: it is to be refused.
            ArgumentError: the user's function returns an action that is not finite.
        """
        happened = _happened(plan)
        if self._on_failure == "raise":
            raise NumericalError(f"{happened}; on_failure says not to act")
        if not self._warned:
            self._warned = True
            warnings.warn(
                f"{happened}; on_failure={self._on_failure!r} says what is sent, from now on "
                "without a further warning until reset()",
                FailedPlanWarning,
                stacklevel=5,
            )
        if self._on_failure == "least violation":
            return plan
        action = last
        if self._on_failure != "hold":
            returned = self._on_failure(plan)
            action = _callbacks.numbers("on_failure", returned, last.shape, "action")
            if not np.isfinite(action).all():
                raise ArgumentError(f"on_failure: returned {action}, must be finite")
        actions = np.tile(np.clip(action, low, high), (len(plan.actions), 1))
        return plan._replace(actions=actions, gains=None)


def _happened(plan: Plan) -> str:
    rejected, candidates = plan.stats.rejected, plan.stats.candidates
    if rejected == 0:
        return f"none of the {candidates} candidates of a plan has a finite return"
    return (
        f"none of the {candidates} candidates of a plan is allowed: {rejected} exceed the limits "
        "of states or disagreement"
    )
