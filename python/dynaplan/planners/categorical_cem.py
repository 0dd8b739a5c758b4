"""The cross-entropy method over a finite set of actions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from dynaplan import _arrays, _core
from dynaplan.errors import ArgumentError, ShapeError
from dynaplan.planners.sampling import SamplingPlanner
from dynaplan.planners.settings import (
    CoreSettings,
    search_settings,
    shared_settings_last,
)

__all__ = ["CategoricalCEM"]

_MAX_ONE_HOT = 4096  # whose square is 128 MiB


@shared_settings_last
@dataclass(frozen=True, kw_only=True, eq=False)
class CategoricalCEM(SamplingPlanner):
    """The cross-entropy method for discrete actions: a probability for each choice at each step.

    Args:
        actions: (n, A) what there is to choose from; or n, for n actions that the model sees
            one-hot, `np.eye(n)[numbers]`, as those of a Discrete space.
        horizon: steps planned ahead.
        candidates: sequences per iteration. Default 200: a finite set needs fewer than a box.
        elites: how many of them the probabilities are refitted to. Default 20, a tenth.
        iterations: refits.
        smoothing: share of the old probabilities that is kept, in [0, 1). Default 0.1, as in `CEM`.
        min_probability: smallest probability of a choice, times 1 / n, so that none disappears.
            Default 0.1.
        result: "best": the best sequence seen; "mode": the most probable choice at each step.

    A warm start gives the choices of the previous plan half of the probability at the start. Limits
    on the rate of actions are refused, and so are choices outside the bounds.

    Raises:
        ShapeError: `actions` is not (n, A).
        ArgumentError: a setting is out of range.

    Source: Rubinstein 1999, "The cross-entropy method for combinatorial and continuous
    optimization", sec. 4.

    Example:
        >>> planner = dp.CategoricalCEM(actions=[[-1.0], [0.0], [1.0]], horizon=15)
        >>> planner.candidates
        200
    """

    actions: Any
    horizon: int = 20
    candidates: int = 200
    elites: int = 20
    iterations: int = 5
    smoothing: float = 0.1
    min_probability: float = 0.1
    result: Literal["best", "mode"] = "best"

    def __post_init__(self) -> None:
        choices = _arrays.any_array("actions", self.actions)
        if choices.ndim == 0:
            number = _arrays.count("actions", self.actions, 1)
            if number > _MAX_ONE_HOT:
                raise ArgumentError(f"actions: got {number}, must be at most {_MAX_ONE_HOT}")
            choices = np.eye(number)
        else:
            choices = np.array(_arrays.numbers("actions", choices))
            if not choices.size:
                raise ShapeError("actions: got none, must be at least one row of at least one")
            if choices.ndim != 2:
                raise ShapeError(
                    f"actions: got shape {choices.shape}, must be (n, A), one row for each choice"
                )
        choices.setflags(write=False)
        object.__setattr__(self, "actions", choices)
        super().__post_init__()

    def _check_space(self, action_space: Any) -> None:
        pass  # also a Discrete one

    def _between(self, low: Any, high: Any) -> CategoricalCEM:
        between = ((self.actions >= low) & (self.actions <= high)).all(axis=1)
        if between.all():
            return self
        if not between.any():
            raise ArgumentError(f"actions: got none from {low} to {high}, must have some there")
        return replace(self, actions=self.actions[between])

    def _settings(self) -> CoreSettings:
        _arrays.choice("result", self.result, "best", "mode")
        return _core.CategoricalCem(
            **search_settings(self, "actions", "result"),
            returns_mode=self.result == "mode",
            choices=self.actions,
        )
