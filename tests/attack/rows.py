"""All rows: a valid call of everything public, from which an attack changes a few arguments."""

from __future__ import annotations

import importlib.util
from functools import cache, partial
from types import FunctionType
from typing import Any

import numpy as np

import all_calls
from attack.calls_of_agents import AGENT_CALLS
from attack.calls_of_models import MODEL_CALLS, Row
from attack.calls_of_planners import PLANNING_CALLS

# What some of the calls need beyond the package.
_NEEDED = {"numba": "numba", "onnx": "onnx", "NetworkUnits": "onnx"}
# How often a call is made, compared with the others: those that take long, seldom.
_SHARES = {"numba": 0.02, "tune": 0.05, "restore": 0.2, ".save": 0.5, ".fit": 0.5, "PETS": 0.5}
_SHARES |= {"Dyna ": 0.3, "Dyna.": 0.3, "MBPO": 0.3}


def all_rows() -> dict[str, Row]:
    """Each row by its name, which begins with the name of what is called."""
    found: dict[str, Row] = {
        **{name.removeprefix("envs.mazes."): row for name, row in all_calls.CALLS.items()},
        **MODEL_CALLS,
        **PLANNING_CALLS,
        **AGENT_CALLS,
    }
    # Each class that is a planner has a row of its own; a module of PyTorch's cannot be made here.
    del found["Planner.plan"], found["MLP.from_torch"]
    return found


@cache
def rows() -> dict[str, Row]:
    """The rows that have arguments, without those of packages that are not installed."""
    lacking = [name for name, one in _NEEDED.items() if importlib.util.find_spec(one) is None]
    return {
        name: row
        for name, row in all_rows().items()
        if row[1] and not any(part in name for part in lacking)
    }


def callable_of(name: str) -> str:
    """The public name that a row calls."""
    return name.split(" ", maxsplit=1)[0].rstrip(",")


def share_of(name: str) -> float:
    """How often a row is called, compared with others."""
    found = [share for part, share in _SHARES.items() if part in name]
    return min(found, default=1.0)


def made(value: Any) -> Any:
    """The value of an argument, which a table holds as a function of no arguments at times."""
    is_maker = isinstance(value, FunctionType | partial | type) and value is not np.float64
    return value() if is_maker or hasattr(value, "cache_info") else value
