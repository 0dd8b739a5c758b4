"""Limits that a plan must keep, beside the box of its actions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynaplan import _arrays, _texts
from dynaplan.errors import ArgumentError, ShapeError
from dynaplan.rewards.terms import Reward, Term
from dynaplan.rollouts.arguments import require_reward
from dynaplan.rollouts.violations import Constraint, StepLimits

__all__ = ["Limits"]

Float64 = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Limits:
    """Bounds of actions by step, how fast they may change, and states a plan must not enter.

    Args:
        action_low: (A,) or (H, A) smallest actions allowed, in their units, within the box of the
            action space, `-inf` where that alone holds; one row for each step, the last one for all
            later steps. Steps count from the first action that is sent after the limits were given:
            `MPC` moves on by a row with each step, from row 0 at its first plan, after `reset` and
            after `change(limits=...)`; `planner.plan` begins with row 0. Searches draw between the
            bounds of each step, as wide as these are apart; where the two are equal the action is
            fixed. For a Discrete space 1 forces an action. Default: the box.
        action_high: (A,) or (H, A) largest actions allowed, likewise; for a Discrete space 0 rules
            an action out. Default: the box.
        action_rate: (A,) largest change of each action from one step to the next, in the actions'
            units, `inf` where free; also from the action applied last, where one is known.
            Candidates are drawn as such actions can follow, and made to keep it before they are
            rolled out. Where the last action lies outside the box by more, the box comes first.
            Before bounds that tighten actions give way in time.
        action_acceleration: (A,) largest change of that change, the second difference of the
            actions, in their units, `inf` where free; also from the two actions applied last, as
            far as they are known. Actions slow down in time for the bounds. The box and the rate
            come first where not all can be kept. Default: no limit.
        state_low: (S,) smallest states allowed, `-inf` where free. Default: no limit.
        state_high: (S,) largest states allowed, `inf` where free. Default: no limit. Where it is
            `state_low`, or next to it, `ILQR` and `LQR` hold the state there, to 1e-8 of how far
            away it begins; what planners that sample draw is hardly ever within.
        constraints: functions of a step that may not be above 0, one or several: those of
            `dp.constraints`, other terms of `dp.rewards`, such as `rewards.from_numba` makes of a
            function of one step, or Python functions `f(obs, act, next_obs)` of whole batches that
            return (N,). Default: none.

    A candidate that predicts a state outside, or a constraint above 0, in any of its particles, is
    rejected: it ranks after all that are not, and is counted in `plan.stats.rejected`. The state
    that planning starts from does not count, as no plan can change it. If every candidate is
    rejected the plan's status is "no_finite_candidate", and it is the one that is outside by the
    least and for the shortest: from outside it leads straight back. `MPC(on_failure=...)` says what
    is sent then.

    `ILQR`, `LQR` and `GradientPlanner` find plans that keep constraints by derivatives: exact ones
    of terms, and differences where there are none. They lead to the best plan nearby, on one side
    of an obstacle; `ILQR` and `LQR`, past an `outside_box` that their start leads through, to the
    best past one of its faces. Planners that sample find their way round, also as the `start` of an
    `ILQR`.

    Raises:
        ShapeError: `state_low` and `state_high` differ in size, or bounds of actions have no rows.
        ArgumentError: a rate or an acceleration is negative or nan, a bound of actions is nan, or
            `state_low` exceeds `state_high` somewhere.
        TypeError: a constraint is neither a term nor a function.

    Example:
        >>> dp.Limits(action_rate=[0.1]).action_rate
        array([0.1])
        >>> off = dp.Limits(action_high=[[1.0], [0.0], [0.0], [1.0]])  # off at two of the steps
        >>> s, a = np.eye(4, 1), np.eye(4, 1, -1)
        >>> model = dp.LinearGaussian.fit(dp.Transitions(s, a, s + a))
        >>> reward, space = dp.rewards.quadratic([1.0], target=[9.0]), ([0.0], [1.0])
        >>> plan = dp.ILQR(horizon=5).plan(model, reward, [0.0], action_space=space, limits=off)
        >>> plan.actions[:, 0].round(3)
        array([1., 0., 0., 1., 1.])
    """

    action_low: Any = None
    action_high: Any = None
    action_rate: Any = None
    action_acceleration: Any = None
    state_low: Any = None
    state_high: Any = None
    constraints: Any = None

    def __post_init__(self) -> None:
        bounds = {name: self._steps(name) for name in ("action_low", "action_high")}
        changes = {name: self._largest(name) for name in ("action_rate", "action_acceleration")}
        low = None if self.state_low is None else self._vector("state_low", self.state_low)
        high = None if self.state_high is None else self._vector("state_high", self.state_high)
        if low is not None or high is not None:
            low = np.full_like(high, -np.inf) if low is None else low
            high = np.full_like(low, np.inf) if high is None else high
            if low.shape != high.shape:
                raise ShapeError(
                    f"state_high: got shape {high.shape}, must be {low.shape} as state_low"
                )
            if not (low <= high).all():
                raise ArgumentError(f"state_low: got {low}, must be at most state_high {high}")
        states = {"state_low": low, "state_high": high}
        for name, value in (bounds | changes | states).items():
            if value is not None:
                value.setflags(write=False)
            object.__setattr__(self, name, value)
        object.__setattr__(
            self, "constraints", tuple(_flat("constraints", self.constraints)) or None
        )

    def _largest(self, name: str) -> Float64 | None:
        value = getattr(self, name)
        if value is None:
            return None
        largest = self._vector(name, value)
        if not (largest >= 0.0).all():
            raise ArgumentError(f"{name}: got {largest}, must be at least 0")
        return largest

    def _steps(self, name: str) -> Float64 | None:
        """Returns (R, A) bounds of actions, or None."""
        value = getattr(self, name)
        if value is None:
            return None
        rows = np.array(_arrays.step_targets(name, value))
        if np.isnan(rows).any():
            raise ArgumentError(f"{name}: got {rows}, must not be nan")
        return rows

    @staticmethod
    def _vector(name: str, values: ArrayLike) -> Float64:
        return np.array(_arrays.vector(name, values))

    @property
    def _bound_actions(self) -> bool:
        return self.action_low is not None or self.action_high is not None

    def _rates_for(self, action_dim: int) -> Float64 | None:
        """Returns (A,) rates, or None; checks that they fit the model."""
        if self.action_rate is None:
            return None
        return _arrays.vector("limits.action_rate", self.action_rate, action_dim)

    def _accelerations_for(self, action_dim: int) -> Float64 | None:
        """Returns (A,) accelerations, or None; checks that they fit the model."""
        if self.action_acceleration is None:
            return None
        return _arrays.vector("limits.action_acceleration", self.action_acceleration, action_dim)

    def _step_limits_for(self, state_dim: int, action_dim: int) -> StepLimits | None:
        """Returns what each step must keep, or None; checks that it fits the model."""
        states = None
        if self.state_low is not None:
            states = (
                _arrays.vector("limits.state_low", self.state_low, state_dim),
                _arrays.vector("limits.state_high", self.state_high, state_dim),
            )
        constraints = tuple(
            Constraint(function, f"limits.constraints[{n}]")
            for n, function in enumerate(self.constraints or ())
        )
        if states is None and not constraints:
            return None
        for constraint in constraints:
            _check(constraint, state_dim, action_dim)
        return StepLimits(states, constraints)

    def __repr__(self) -> str:
        return _texts.object_text(self)


def _flat(name: str, constraints: Any) -> Iterator[Reward]:
    """Yields one constraint, or those of a sequence, in which there may be others."""
    if constraints is None:
        return
    if isinstance(constraints, (list, tuple)):
        for n, one in enumerate(constraints):
            if one is None:
                raise TypeError(f"{name}[{n}]: got None, must be a term or a function")
            yield from _flat(f"{name}[{n}]", one)
        return
    require_reward(constraints, name)
    yield constraints


def _check(constraint: Constraint, state_dim: int, action_dim: int) -> None:
    """Refuses a constraint that does not fit the model, or returns something else."""
    state, action = np.zeros((1, state_dim)), np.zeros((1, action_dim))
    if not isinstance(constraint.function, Term):
        constraint.values(state, action, state, 0)
        return
    try:
        constraint.values(state, action, state, 0)
    except (ArgumentError, ShapeError) as error:  # which names the term a reward
        raise type(error)(f"{constraint.name}: {error}") from error
