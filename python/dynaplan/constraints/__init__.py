"""Constraints: functions of a step that must not be above 0, for `Limits(constraints=...)`.

A constraint is a term made here, any other term of `rewards` that is to stay at or below 0, or any
Python function `f(obs, act, next_obs)` that takes whole batches, (N, S), (N, A), (N, S), and
returns (N,), with a parameter `step` if it likes: what may not be is above 0. Terms run in C++
inside the rollout; functions of one step are compiled by `rewards.from_numba`. The functions here
give lengths in the states' units: how much a point lacks to be where it must be.
"""

from dynaplan.constraints.shapes import (
    half_plane,
    inside_box,
    inside_disc,
    inside_tube,
    outside_box,
    outside_disc,
)

__all__ = [
    "half_plane",
    "inside_box",
    "inside_disc",
    "inside_tube",
    "outside_box",
    "outside_disc",
]
