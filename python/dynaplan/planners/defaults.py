"""The planner where none was chosen."""

from __future__ import annotations

from typing import Any

from dynaplan._spaces import is_discrete
from dynaplan.planners.categorical_cem import CategoricalCEM
from dynaplan.planners.cem import CEM
from dynaplan.planners.interface import Planner

__all__ = ["default_planner"]


def default_planner(action_space: Any) -> Planner:
    """Returns `CategoricalCEM()` for a Discrete space, else `CEM()`."""
    return CategoricalCEM() if is_discrete(action_space) else CEM()
