"""What a loop asks of a learner."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from dynaplan import _texts
from dynaplan.data.transitions import Transitions
from dynaplan.models.interface import Model, require_model

__all__ = ["Learner", "learned"]

# From all data so far and the model before, or None at first, to the next model.
Learner: TypeAlias = Callable[[Transitions, Any], Model]


def learned(learn: Learner, data: Transitions, previous: Any) -> Model:
    """Returns the model that a learner makes of data and the model before.

    Raises:
        TypeError: it returned something else.
    """
    model = learn(data, previous)
    try:
        require_model(model, "predict")
    except TypeError:
        raise TypeError(f"learn: returned {_texts.shown(model)}, must return a model") from None
    return model
