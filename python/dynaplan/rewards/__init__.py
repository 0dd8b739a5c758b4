"""Rewards: what a step is worth. Larger is better; a cost is a reward with a minus.

A reward is a term made here, a sum of terms, or any Python function `f(obs, act, next_obs)` that
takes whole batches, (N, S), (N, A), (N, S), and returns (N,). Terms run in C++ inside the rollout;
a function is called once per planner iteration with all candidates and steps.
"""

from dynaplan.rewards.environments import for_env
from dynaplan.rewards.goals import change, distance, inside, linear, tolerance, within
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

__all__ = [
    "Reward",
    "RewardFunction",
    "Term",
    "action_change_cost",
    "action_cost",
    "angle",
    "change",
    "distance",
    "for_env",
    "inside",
    "linear",
    "predicted",
    "quadratic",
    "tolerance",
    "within",
]
