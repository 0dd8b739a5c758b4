"""What gradient-based planners ask of a reward."""

from __future__ import annotations

from dynaplan.errors import ArgumentError
from dynaplan.rewards.terms import Reward, Term
from dynaplan.rollouts.steps import takes_step

__all__ = ["require_differentiable"]


def require_differentiable(reward: Reward, planner: str) -> None:
    """Refuses a reward whose derivatives a planner cannot take.

    Raises:
        ArgumentError: it is a Python function of the step, of which single steps tell nothing.
    """
    if not isinstance(reward, Term) and takes_step(reward):
        raise ArgumentError(
            f"reward: got a function of the step, whose derivatives {planner} cannot take; "
            "give it no parameter `step`, or write it with terms whose targets vary"
        )
