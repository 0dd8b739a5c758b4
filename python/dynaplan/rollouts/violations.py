"""How far the steps of trajectories violate what a plan must keep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynaplan.rewards.terms import Reward, Term
from dynaplan.rollouts.steps import Steps, step_arrays, step_values, takes_step

__all__ = ["Constraint", "StepLimits"]

Float64 = NDArray[np.float64]
_MAX_BEYOND = 1e6  # limits' units: of a state that is nan, or as far outside as can be told


@dataclass(frozen=True)
class Constraint:
    """A function of a step that may not be above 0.

    Args:
        function: a term, or a Python function of whole batches.
        name: of the argument that it is, for messages.
    """

    function: Reward
    name: str

    @property
    def takes_step(self) -> bool:
        """Whether the function has a parameter `step`."""
        return takes_step(self.function)

    def values(self, states: Float64, actions: Float64, next_states: Float64, step: int) -> Float64:
        """Returns (N,) of steps (N, S), (N, A), (N, S), all of one place on the horizon.

        What the core calls of a Python function.
        """
        numbers = np.full(len(states), step)
        return self.along(Steps(states, actions, next_states, numbers, step + 1), None, None)

    def along(
        self, steps: Steps, actions: NDArray[Any] | None, previous_action: NDArray[Any] | None
    ) -> Float64:
        """Returns (N * H,) of the steps of trajectories, made under actions (N, H, A) if known."""
        return step_values(self.function, steps, actions, previous_action, name=self.name)


@dataclass(frozen=True)
class StepLimits:
    """What the steps of a plan must keep; trajectories that do not are rejected.

    Args:
        states: (S,) lowest and highest states, or None.
        constraints: functions that may not be above 0.
    """

    states: tuple[Float64, Float64] | None = None
    constraints: tuple[Constraint, ...] = ()

    @property
    def are_compiled(self) -> bool:
        """Whether the core runs all of them by itself."""
        return all(isinstance(one.function, Term) for one in self.constraints)

    def core_constraints(self) -> tuple[Any, ...]:
        """Returns the constraints as the core has them: compiled, or what stands for them."""
        return tuple(
            one.function._reward if isinstance(one.function, Term) else one
            for one in self.constraints
        )

    def violations(
        self,
        trajectories: NDArray[Any],
        steps: Steps,
        actions: NDArray[Any],
        previous_action: NDArray[Any] | None,
    ) -> Float64:
        """Returns (N, H): how far each step violates them, in units that do not depend on theirs.

        Args:
            trajectories: (N, H + 1, S), all from one state.
            steps: their steps.
            actions: (N, H, A).
            previous_action: (A,) applied before the first step, or None.
        """
        count, horizon = actions.shape[:2]
        total = np.zeros((count, horizon))
        if self.states is not None:
            total += _outside(trajectories, *self.states)
        if not self.constraints:
            return total
        start = trajectories[:1, :1]
        stays = step_arrays(np.repeat(start, 2, axis=1), np.zeros_like(actions[:1, :1]))
        for constraint in self.constraints:
            values = constraint.along(steps, actions, previous_action).reshape(count, horizon)
            at_start = constraint.along(stays._replace(horizon=horizon), None, None)
            total += _excess(values, _first_length(abs(at_start)))
        return total


def _outside(trajectories: NDArray[Any], low: Float64, high: Float64) -> Float64:
    """Returns (N, H): how far states are outside, in units of the first state's distance."""
    first = trajectories[0, 0]
    unit = _first_length(
        np.minimum(abs(first - low), abs(high - first)), high - low, abs(low), abs(high)
    )
    after = trajectories[:, 1:].astype(np.float64)
    inside = (after >= low) & (after <= high)
    with np.errstate(invalid="ignore"):
        beyond = np.where(inside, 0.0, np.maximum(low - after, after - high))
    return np.asarray(_excess(beyond, unit).sum(axis=2))


def _excess(values: Float64, unit: Float64) -> Float64:
    """Returns by how many units values are above 0; a nan as many as can be told."""
    least = np.finfo(np.float32).tiny  # however little it is, it counts as something in float32
    with np.errstate(over="ignore"):
        beyond = values / unit
    beyond = np.where(beyond < _MAX_BEYOND, np.maximum(beyond, least), _MAX_BEYOND)
    return np.where(values <= 0.0, 0.0, beyond)


def _first_length(*lengths: Float64) -> Float64:
    """Returns the first that is a length, element by element; 1 where none is."""
    is_length = [(length > 0.0) & np.isfinite(length) for length in lengths]
    return np.select(is_length, list(lengths), 1.0)
