"""Terminations: when an episode ends; nothing after that counts.

A termination is a term made here, or any Python function `f(obs, act, next_obs)` that takes whole
batches and returns (N,) of bool. Terms run in C++ inside the rollout. As with rewards, a function
may have a parameter named `step`, and `compiled` and `from_numba` make terms of compiled functions.
"""

from dynaplan.tasks.terminations import for_env
from dynaplan.terminations.learned import LearnedTermination
from dynaplan.terminations.terms import (
    Term,
    Termination,
    TerminationFunction,
    compiled,
    from_numba,
    inside,
    outside,
)

__all__ = [
    "LearnedTermination",
    "Term",
    "Termination",
    "TerminationFunction",
    "compiled",
    "for_env",
    "from_numba",
    "inside",
    "outside",
]
