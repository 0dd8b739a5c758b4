"""Parts of a running controller's problem replaced by others."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from dynaplan.errors import ArgumentError, ShapeError
from dynaplan.models.interface import known_of
from dynaplan.planners.problem import PlanProblem

__all__ = ["UNCHANGED", "Unchanged", "changed"]


class Unchanged:
    """The default of arguments for which None has a meaning of its own."""

    def __repr__(self) -> str:
        return "unchanged"


UNCHANGED: Final = Unchanged()


def changed(
    problem: PlanProblem, required: dict[str, Any], optional: dict[str, Any]
) -> PlanProblem:
    """Returns the problem with other parts.

    Args:
        problem: the problem so far.
        required: parts by name; None: as it is.
        optional: parts by name that may become None; UNCHANGED: as it is.

    Raises:
        ShapeError: the model has other sizes.
        ArgumentError: it has another history.
    """
    parts = {name: part for name, part in required.items() if part is not None}
    parts |= {name: part for name, part in optional.items() if not isinstance(part, Unchanged)}
    result = replace(problem, **parts)
    old, new = problem.model, result.model
    if (old.state_dim, old.action_dim) != (new.state_dim, new.action_dim):
        raise ShapeError(
            f"model: got (state_dim, action_dim) {(new.state_dim, new.action_dim)}, must be "
            f"{(old.state_dim, old.action_dim)} as before"
        )
    before, after = (known_of(model).history for model in (old, new))
    if before != after:
        raise ArgumentError(f"model: got a history of {after}, must be {before} as before")
    return result
