"""The tables of valid calls of all that is public, together."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import FunctionType
from typing import Any

import numpy as np

import agent_calls
import model_calls
import planner_calls
import public_calls

CALLS: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
    **public_calls.CALLS,
    **model_calls.CALLS,
    **planner_calls.CALLS,
    **agent_calls.CALLS,
}


def made(value: Any) -> Any:
    """The value of an argument, which a table holds as a function of no arguments at times."""
    is_maker = isinstance(value, FunctionType | partial | type) and value not in {np.float64}
    return value() if is_maker or hasattr(value, "cache_info") else value
