"""The cross-entropy method over a finite set of actions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from dynaplan import _arrays, _core
from dynaplan.errors import ArgumentError
from dynaplan.planners.planner import Planner, Settings
from dynaplan.rollouts.disagreement import DisagreementLimit
from dynaplan.rollouts.risk import Risk
from dynaplan.rollouts.rollout import MEAN, Propagation

__all__ = ["CategoricalCEM"]


@dataclass(frozen=True, kw_only=True, eq=False)
class CategoricalCEM(Planner):
    """The cross-entropy method for discrete actions: a probability for each choice at each step.

    Args:
        actions: (n, A) what there is to choose from; or n, for n actions that the model is told
            one-hot, `np.eye(n)[numbers]`, as those of a Discrete space.
        horizon: steps planned ahead.
        candidates: sequences per iteration. Default 200: a finite set needs fewer than a box.
        elites: how many of them the probabilities are refitted to. Default 20, a tenth.
        iterations: refits.
        smoothing: share of the old probabilities that is kept, in [0, 1). Default 0.1, as in `CEM`.
        min_probability: what every choice keeps at least, times 1 / n, so that none dies out.
            Default 0.1.
        result: "best": the best sequence seen; "mode": the most probable choice at each step.
        propagation: as in `CEM`.
        particles: as in `CEM`.
        risk: as in `CEM`.
        disagreement_limit: as in `CEM`.
        discount: weight of each step relative to the one before, in (0, 1].
        clip: as in `CEM`.
        threads: threads per plan.

    A warm start gives the plan before's choices half the probability at the start. Limits on the
    rate of actions are refused.

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
    propagation: Propagation = "mean"
    particles: int = 1
    risk: Risk = MEAN
    disagreement_limit: DisagreementLimit | None = None
    discount: float = 1.0
    clip: float | None = 2.0
    threads: int = 1

    def __post_init__(self) -> None:
        if np.ndim(self.actions) == 0:
            count = _arrays.integer("actions", self.actions)
            if count < 1:
                raise ArgumentError(f"actions: got {count}, must be at least 1")
            choices = np.eye(count)
        else:
            choices = np.array(_arrays.step_rows("actions", self.actions))
        choices.setflags(write=False)
        object.__setattr__(self, "actions", choices)
        self._check_shared_settings()
        self._settings()

    def _settings(self) -> Settings:
        if self.result not in ("best", "mode"):
            raise ArgumentError(f'result: got {self.result!r}, must be "best" or "mode"')
        return _core.CategoricalCem(
            _arrays.integer("horizon", self.horizon),
            _arrays.integer("candidates", self.candidates),
            _arrays.integer("elites", self.elites),
            _arrays.integer("iterations", self.iterations),
            self.smoothing,
            self.min_probability,
            self.result == "mode",
            self.actions,
        )
