"""The cross-entropy method over a finite set of actions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from dynaplan import _arrays, _core
from dynaplan._discrete import MAX_ACTIONS, numbering_of
from dynaplan._spaces import is_discrete
from dynaplan.errors import ArgumentError, ShapeError
from dynaplan.planners.sampling import SamplingPlanner
from dynaplan.planners.settings import (
    CoreSettings,
    search_settings,
    shared_settings_last,
)

__all__ = ["CategoricalCEM"]


@shared_settings_last
@dataclass(frozen=True, kw_only=True, eq=False)
class CategoricalCEM(SamplingPlanner):
    """The cross-entropy method for discrete actions: a probability for each choice at each step.

    Args:
        actions: (n, A) what there is to choose from; or n, for n actions that the model sees
            one-hot, `np.eye(n)[numbers]`, as those of a Discrete space. Default: all actions of the
            Discrete space that is planned for; a Box has none by itself.
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

        The actions of a Discrete space need not be named:

        >>> import gymnasium
        >>> env = gymnasium.make("CartPole-v1")
        >>> data = dp.collect(env, steps=200, seed=0)
        >>> model = dp.Ensemble.fit(data, hidden=(16,), epochs=5, seed=0)
        >>> upright, planner = dp.rewards.tolerance(2, margin=0.2), dp.CategoricalCEM()
        >>> mpc = dp.MPC(model, upright, planner, action_space=env.action_space, seed=0)
        >>> mpc.act(env.reset(seed=1)[0]) in (0, 1)
        True
    """

    actions: Any | None = None
    horizon: int = 20
    candidates: int = 200
    elites: int = 20
    iterations: int = 5
    smoothing: float = 0.1
    min_probability: float = 0.1
    result: Literal["best", "mode"] = "best"

    def __post_init__(self) -> None:
        if self.actions is not None:
            object.__setattr__(self, "actions", _choices(self.actions))
        super().__post_init__()

    def _for_space(self, action_space: Any) -> CategoricalCEM:
        """Refuses what is none of a Discrete space's actions, which are one-hot."""
        if not is_discrete(action_space):
            if self.actions is not None:
                return self
            raise ArgumentError(
                "actions: got None, must be the actions to choose from, such as [[-1.0], [1.0]], "
                "where the action_space is no Discrete"
            )
        if self.actions is None:
            return replace(self, actions=numbering_of("action_space", action_space).count)
        ones, zeros = self.actions == 1.0, self.actions == 0.0
        mixed = ~((ones | zeros).all(axis=1) & (ones.sum(axis=1) == 1))
        if mixed.any():
            row = int(mixed.argmax())
            raise ArgumentError(
                f"actions: row {row} is {self.actions[row]}, must be one-hot, as the actions of a "
                "Discrete space are; leave it out to choose among all of them"
            )
        return self

    def _between(self, low: Any, high: Any) -> CategoricalCEM:
        choices: Any = self.actions  # of the space, which `_for_space` has given
        between = ((choices >= low) & (choices <= high)).all(axis=1)
        if between.all():
            return self
        if not between.any():
            raise ArgumentError(f"actions: got none from {low} to {high}, must have some there")
        return replace(self, actions=choices[between])

    def _settings(self) -> CoreSettings:
        _arrays.choice("result", self.result, "best", "mode")
        return _core.CategoricalCem(
            **search_settings(self, "actions", "result"),
            returns_mode=self.result == "mode",
            # What the space has is not known before there is one; one action stands for it.
            choices=np.eye(1) if self.actions is None else self.actions,
        )


def _choices(actions: Any) -> NDArray[np.float64]:
    """Returns the rows to choose from, read-only."""
    choices = _arrays.any_array("actions", actions)
    if choices.ndim == 0:
        number = _arrays.count("actions", actions, 1)
        if number > MAX_ACTIONS:
            raise ArgumentError(f"actions: got {number}, must be at most {MAX_ACTIONS}")
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
    return choices
