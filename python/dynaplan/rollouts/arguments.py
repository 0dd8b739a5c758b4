"""Arguments that are objects: models, data, rewards and terminations, refused by name."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any

from dynaplan import _callbacks
from dynaplan.data.transitions import require_transitions
from dynaplan.errors import ShapeError
from dynaplan.rewards.terms import Term
from dynaplan.terminations.terms import Term as TerminationTerm

if TYPE_CHECKING:
    from dynaplan.models.interface import Model

__all__ = ["require_fitting", "require_reward", "require_termination"]


def require_reward(reward: Any, name: str = "reward") -> None:
    """Refuses what is neither a term nor a function.

    Raises:
        TypeError: it cannot be called, is a class, or a termination.
    """
    if isinstance(reward, TerminationTerm):
        raise TypeError(f"{name}: got the termination {reward}, must be a reward")
    _refuse_compiled(name, reward, "rewards.compiled")
    _callbacks.require_function(name, reward, "a term or a function")


def require_termination(termination: Any) -> None:
    """Refuses what is neither a term nor a function nor None.

    Raises:
        TypeError: it cannot be called, is a class, or a reward.
    """
    if isinstance(termination, Term):
        raise TypeError(f"termination: got the reward {termination}, must be a termination")
    if termination is not None:
        _refuse_compiled("termination", termination, "terminations.compiled")
        _callbacks.require_function("termination", termination, "a term or a function")


def _refuse_compiled(name: str, function: Any, maker: str) -> None:
    if isinstance(function, ctypes._CFuncPtr):  # type: ignore[attr-defined]
        raise TypeError(f"{name}: got a compiled function, must go by {maker}")


def require_fitting(name: str, data: Any, model: Model) -> None:
    """Refuses data that are not of the model's states and actions.

    Raises:
        TypeError: they are no transitions.
        ShapeError: their dimensions are not the model's.
    """
    require_transitions(name, data)
    if (data.state_dim, data.action_dim) != (model.state_dim, model.action_dim):
        raise ShapeError(
            f"{name}: got ({data.state_dim}, {data.action_dim}) states and actions, "
            f"must be the model's ({model.state_dim}, {model.action_dim})"
        )
