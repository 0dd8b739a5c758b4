"""What a loop asks of a learner."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from dynaplan.data.transitions import Transitions
from dynaplan.models.interface import Model

__all__ = ["Learner"]

# From all data so far and the model before, or None at first, to the next model.
Learner: TypeAlias = Callable[[Transitions, Any], Model]
