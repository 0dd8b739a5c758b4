"""Arguments that are objects: models, data, rewards and terminations, refused by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dynaplan import _core, _texts
from dynaplan.data.transitions import Transitions
from dynaplan.errors import ShapeError

if TYPE_CHECKING:
    from dynaplan.models.interface import Model

__all__ = ["require_fitting", "require_function", "require_model"]


def require_model(model: Any) -> None:
    """Refuses what is no model.

    Raises:
        TypeError: `model` has no compiled dynamics.
    """
    if not isinstance(getattr(model, "dynamics", None), _core.Dynamics):
        got = _texts.shown(model)
        raise TypeError(f"model: got {got}, must be a model, such as LinearGaussian.fit returns")


def require_function(name: str, function: Any) -> None:
    """Refuses a reward or a termination that is neither a term nor a function.

    Raises:
        TypeError: it cannot be called, or is a class.
    """
    if not callable(function) or isinstance(function, type):
        raise TypeError(f"{name}: got {_texts.shown(function)}, must be a term or a function")


def require_fitting(name: str, data: Any, model: Model) -> None:
    """Refuses data that are not of the model's states and actions.

    Raises:
        TypeError: they are no transitions.
        ShapeError: their dimensions are not the model's.
    """
    if not isinstance(data, Transitions):
        raise TypeError(f"{name}: got {_texts.shown(data)}, must be Transitions")
    if (data.state_dim, data.action_dim) != (model.state_dim, model.action_dim):
        raise ShapeError(
            f"{name}: got ({data.state_dim}, {data.action_dim}) states and actions, "
            f"must be the model's ({model.state_dim}, {model.action_dim})"
        )
