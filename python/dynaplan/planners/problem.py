"""What a plan is for, and what one system carries from plan to plan."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynaplan import _arrays, _callbacks, _core, _spaces, _texts
from dynaplan._wrappers import cure_for_actions
from dynaplan.errors import ArgumentError, ShapeError
from dynaplan.models.interface import Model, require_model
from dynaplan.planners.action_delay import ActionDelay
from dynaplan.planners.limits import Limits
from dynaplan.rewards.terms import Reward
from dynaplan.rollouts.arguments import require_reward, require_termination
from dynaplan.terminations.terms import Termination

__all__ = [
    "PlanMemory",
    "PlanProblem",
    "Policy",
    "Rewards",
    "StateValue",
    "action_bounds",
    "checked_value",
]

Float64 = NDArray[np.float64]
# One for all systems, or one for each.
Rewards: TypeAlias = Reward | Sequence[Reward]
# Actions (N, A) for states (N, S).
Policy: TypeAlias = Callable[[NDArray[Any]], ArrayLike]
# Values (N,) of states (N, S).
StateValue: TypeAlias = Callable[[NDArray[Any]], ArrayLike]


@dataclass(frozen=True)
class PlanProblem:
    """What a plan is for, whichever planner makes it: arguments of `Planner.plan`.

    `delay` is that of an `MPC` whose actions are not all late by the same whole steps.

    Raises:
        TypeError: a part is an object of another kind.
    """

    model: Model
    reward: Rewards
    action_space: Any
    termination: Termination | None = None
    limits: Limits | None = None
    terminal_value: StateValue | None = None
    policy: Policy | None = None
    policy_candidates: int = 1
    delay: ActionDelay | None = None

    def __post_init__(self) -> None:
        require_model(self.model, *([] if self.policy is None else ["predict"]))
        for reward in self.rewards:
            require_reward(reward)
        require_termination(self.termination)
        if self.delay is not None and _spaces.is_discrete(self.action_space):
            raise ArgumentError(
                f"delay_steps: got {self.delay.given}, must be one whole number for the actions of "
                "a Discrete space, of which no part acts alone"
            )
        if not isinstance(self.limits, Limits | None):
            raise TypeError(f"limits: got {_texts.shown(self.limits)}, must be Limits or None")
        for name in ("terminal_value", "policy"):
            function = getattr(self, name)
            if function is not None:
                _callbacks.require_function(name, function, "a function of states")

    @property
    def rewards(self) -> tuple[Reward, ...]:
        """The reward of each system, or the one of all."""
        if isinstance(self.reward, (list, tuple)) and self.reward:
            return tuple(self.reward)
        return (cast("Reward", self.reward),)

    def require_systems(self, count: int) -> None:
        """Raises ShapeError unless there is one reward, or one for each of `count` systems."""
        if len(self.rewards) not in {1, count}:
            raise ShapeError(
                f"reward: got {len(self.rewards)} rewards, must be one for all systems or one for "
                f"each of the {count}"
            )


@dataclass(slots=True)
class PlanMemory:
    """What one system carries from plan to plan.

    Attributes:
        core: the search's own memory.
        first: the memory of the planner whose plan is improved, if there is one.
        warm_start: (steps, A), or None.
        kept_sequences: (K, steps, A), or None.
        skip: how many steps at the beginning of both have passed.
        previous_action: (A,) applied before the next plan's first step, or None.
        earlier_action: (A,) applied before that one, or None.
        step: how many actions were sent since the limits were given; the next plan begins there.
        under_way: (A,) each, the actions sent that have yet to act, the oldest first.
    """

    core: _core.PlanMemory
    first: _core.PlanMemory | None = None
    warm_start: Float64 | None = None
    kept_sequences: Float64 | None = None
    skip: int = 0
    previous_action: Float64 | None = None
    earlier_action: Float64 | None = None
    step: int = 0
    under_way: list[Float64] = field(default_factory=list)

    @property
    def previous_change(self) -> Float64 | None:
        """(A,) by which the previous action differs from the one before it; None: by nothing."""
        if self.previous_action is None or self.earlier_action is None:
            return None
        return self.previous_action - self.earlier_action

    def sends(self, action: Float64) -> None:
        """Records that an action is sent."""
        self.earlier_action, self.previous_action = self.previous_action, action

    def __reduce__(self) -> tuple[Any, ...]:
        # What the search holds is scratch.
        carried = (self.warm_start, self.kept_sequences, self.skip)
        sent = (self.previous_action, self.earlier_action, self.step, self.under_way)
        return _plan_memory, (*carried, *sent)


def _plan_memory(*carried: Any) -> PlanMemory:
    """Makes a memory again: for copies and other processes."""
    return PlanMemory(_core.PlanMemory(), None, *carried)


def action_bounds(action_space: Any, action_dim: int) -> tuple[Float64, Float64]:
    """Returns (A,) lowest and highest actions of a Box, a Discrete or of a pair (low, high).

    Models see a Discrete space's actions one-hot, so that they lie between 0 and 1.
    """
    if hasattr(action_space, "low") and hasattr(action_space, "high"):
        low, high = action_space.low, action_space.high
        if np.ndim(low) > 1:
            shape = np.shape(low)
            raise ShapeError(
                f"action_space: got shape {shape}, must be ({action_dim},){_cure(action_space)}"
            )
    elif _spaces.is_discrete(action_space):
        if int(action_space.n) != action_dim:
            raise ShapeError(
                f"action_space: got {action_space.n} actions, must be {action_dim} as of the model"
            )
        low, high = np.zeros(action_dim), np.ones(action_dim)
    elif isinstance(action_space, (tuple, list)) and len(action_space) == 2:
        low, high = action_space
    else:
        raise ArgumentError(
            f"action_space: got {type(action_space).__name__}, must be a Box, a Discrete or a pair "
            f"(low, high){_cure(action_space)}"
        )
    lowest = _arrays.vector("action_space.low", low, action_dim)
    highest = _arrays.vector("action_space.high", high, action_dim)
    # For a few numbers NumPy takes longer to begin than Python to end.
    if not all(map(math.isfinite, [*lowest.tolist(), *highest.tolist()])):
        raise ArgumentError(f"action_space: got {low} to {high}, must be finite")
    return lowest, highest


def _cure(action_space: Any) -> str:
    """Which wrapper makes an environment with such a space usable; nothing for what is no space."""
    gymnasium = sys.modules.get("gymnasium")  # imported already if the space comes from it
    if gymnasium is None or not isinstance(action_space, gymnasium.Space):
        return ""
    return f"; {cure_for_actions(action_space)}"


def checked_value(terminal_value: StateValue) -> Callable[[NDArray[Any]], Float64]:
    """Returns the function with a check that it returns (N,) numbers."""

    def value(states: NDArray[Any]) -> Float64:
        shape = (len(states),)
        return _callbacks.numbers("terminal_value", terminal_value(states), shape, "number")

    return value
