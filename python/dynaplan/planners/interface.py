"""`Planner`: what every planner offers, whatever its method."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from dynaplan import _arrays, _core, _texts
from dynaplan._settings import checked_settings
from dynaplan.errors import ArgumentError, ShapeError
from dynaplan.models.interface import Model
from dynaplan.planners.limits import Limits
from dynaplan.planners.plan import Plan
from dynaplan.planners.prepared import PreparedPlanner
from dynaplan.planners.problem import PlanMemory, PlanProblem, Policy, StateValue
from dynaplan.planners.settings import PlannerSettings
from dynaplan.rewards.terms import Reward
from dynaplan.terminations.terms import Termination

__all__ = ["Planner"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Planner(PlannerSettings):
    """Finds the actions that a model predicts to be worth most; abstract, see `CEM`, `ILQR`, ...

    A planner is its settings, frozen: what lasts from plan to plan lives in `MPC`. Annotate with
    this class whatever takes any planner. A new planner is a frozen, keyword-only dataclass derived
    from it: it has a field `horizon`, a field for each setting of its own, and the method
    `_settings`, which hands them to the compiled search; the page on extending dynaplan shows the
    steps.

    Args:
        discount: weight of each step relative to the one before, in (0, 1]. Default 1.
        threads: threads per plan. Default 1, as planners run beside other work; the result is the
            same for any number.

    Raises:
        ArgumentError: a setting is out of range.
    """

    discount: float = 1.0
    threads: int = 1

    def __post_init__(self) -> None:
        checked_settings(self)
        if self.threads < 1:
            raise ArgumentError(f"threads: got {self.threads}, must be at least 1")
        _arrays.positive_fraction("discount", self.discount)
        if self.clip is not None and not 0.0 < self.clip < np.inf:
            raise ArgumentError(f"clip: got {self.clip}, must be finite and above 0, or None")
        self._settings()  # the core checks the rest

    def plan(
        self,
        model: Model,
        reward: Reward,
        state: ArrayLike,
        *,
        action_space: Any,
        warm_start: ArrayLike | None = None,
        previous_action: ArrayLike | None = None,
        previous_change: ArrayLike | None = None,
        termination: Termination | None = None,
        limits: Limits | None = None,
        terminal_value: StateValue | None = None,
        policy: Policy | None = None,
        policy_candidates: int = 1,
        kept_sequences: ArrayLike | None = None,
        time_limit: float | None = None,
        seed: int | None = None,
    ) -> Plan:
        """Plans once from one state.

        In a control loop use `MPC`, which keeps memory, warm start and random numbers in order.

        Args:
            model: the dynamics.
            reward: a term, a sum of terms, or a function `f(obs, act, next_obs)` on batches.
            state: (S,).
            action_space: a Gymnasium Box, or a pair (low, high) of (A,) arrays; finite.
            warm_start: (H, A) to start from; None: the middle of the bounds.
            previous_action: (A,) applied last, for limits of rates and `action_change_cost`; None:
                the first action may be any.
            previous_change: (A,) by which that one differs from the action before it, for a limit
                of accelerations; None: by nothing.
            termination: where predicted episodes end.
            limits: how fast actions may change, and which states must not be entered.
            terminal_value: what is still to come where the plan ends, such as a critic's value: a
                function of states (N, S) that returns (N,), called once per iteration with all
                candidates. It counts, discounted, where the episode has not ended.
            policy: a function of states (N, S) that returns actions (N, A), whose sequences in the
                model are tried as candidates.
            policy_candidates: how many such sequences; more than one for a policy that draws.
            kept_sequences: (K, steps, A) sequences to try first, such as the kept_sequences of the
                plan before less their first step; the steps that lack to the horizon are drawn,
                those beyond are left out.
            time_limit: seconds that the plan may take. No block of candidates is begun that would
                end later, going by the slowest so far; the first one always is, so that there is
                a plan. Python functions are asked about as many candidates at once as there is
                time for, going by calls that are measured first; a `policy` takes half of the
                time at most. Default: all iterations are made.
            seed: same seed, same plan to the bit, unless a time_limit cuts it short; None draws
                anew.

        Returns:
            The plan; its actions are finite for any finite input.

        Raises:
            ShapeError: an array has the wrong shape, or the reward does not fit the model.
            ArgumentError: an input is not finite, or a bound is not a bound.
        """
        problem = PlanProblem(
            model,
            reward,
            action_space,
            termination=termination,
            limits=limits,
            terminal_value=terminal_value,
            policy=policy,
            policy_candidates=policy_candidates,
        )
        actions = model.action_dim
        memory = PlanMemory(_core.PlanMemory())
        if warm_start is not None:
            memory.warm_start = _arrays.numbers("warm_start", warm_start)
            if memory.warm_start.shape != (self.horizon, actions):
                raise ShapeError(
                    f"warm_start: got shape {memory.warm_start.shape}, "
                    f"must be {(self.horizon, actions)}"
                )
        if kept_sequences is not None:
            kept = _arrays.numbers("kept_sequences", kept_sequences)
            if kept.ndim != 3 or kept.shape[1] == 0 or kept.shape[2] != actions:
                raise ShapeError(
                    f"kept_sequences: got shape {kept.shape}, must be (K, steps, {actions})"
                )
            memory.kept_sequences = kept
        if previous_action is not None:
            memory.previous_action = _arrays.vector("previous_action", previous_action, actions)
        if previous_change is not None:
            change = _arrays.vector("previous_change", previous_change, actions)
            if memory.previous_action is None:
                raise ArgumentError(
                    "previous_change: got one, must be None without previous_action"
                )
            if not np.isfinite(change).all():
                raise ArgumentError(f"previous_change: got {change}, must be finite")
            memory.earlier_action = memory.previous_action - change
        problem.require_systems(1)
        return PreparedPlanner(self, problem).plan(
            memory,
            _arrays.vector("state", state, model.state_dim),
            seed=_arrays.seed_number(seed),
            call=0,
            time_limit=time_limit,
        )

    def __init_subclass__(cls, **settings: Any) -> None:
        super().__init_subclass__(**settings)
        cls.__repr__ = Planner.__repr__  # type: ignore[method-assign]  # not that of a dataclass

    def __repr__(self) -> str:
        return _texts.settings_text(self, "horizon", "candidates")
