"""Rewards: the value of a step. Larger is better; a cost is a reward with a minus.

A reward is a term made here, a sum of terms, or any Python function `f(obs, act, next_obs)` that
takes whole batches, (N, S), (N, A), (N, S), and returns (N,). Terms run in C++ inside the rollout;
a function is called once per planner iteration with all candidates and steps. A function with a
parameter named `step` receives the step of the horizon of each row, (N,) integers. `compiled` and
`from_numba` make terms of compiled functions.
"""

from dynaplan.rewards.compiled_terms import compiled, from_numba
from dynaplan.rewards.goals import change, distance, excess, inside, linear, tolerance, within
from dynaplan.rewards.paths import path_error, path_progress
from dynaplan.rewards.schedule import scheduled, terminal
from dynaplan.rewards.terms import (
    Reward,
    RewardFunction,
    Term,
    action_change_cost,
    action_cost,
    angle,
    predicted,
    quadratic,
)
from dynaplan.tasks.rewards import for_env

__all__ = [
    "Reward",
    "RewardFunction",
    "Term",
    "action_change_cost",
    "action_cost",
    "angle",
    "change",
    "compiled",
    "distance",
    "excess",
    "for_env",
    "from_numba",
    "inside",
    "linear",
    "path_error",
    "path_progress",
    "predicted",
    "quadratic",
    "scheduled",
    "terminal",
    "tolerance",
    "within",
]
