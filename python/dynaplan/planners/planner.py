"""What all planners share: their common settings and the call."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from dynaplan import _arrays, _core, _texts
from dynaplan.errors import ArgumentError, ShapeError
from dynaplan.models.interface import Model
from dynaplan.planners.limits import Limits
from dynaplan.planners.plan import Plan
from dynaplan.planners.session import PlanMemory, PlanProblem, PlanSession, Policy, StateValue
from dynaplan.rewards.terms import Reward
from dynaplan.rollouts.disagreement import DisagreementLimit
from dynaplan.rollouts.risk import Risk
from dynaplan.rollouts.rollout import MEAN, Propagation, spread_of
from dynaplan.terminations.terms import Termination

__all__ = ["Planner", "Settings"]

Settings: TypeAlias = _core.SamplingPlanner | _core.GradientPlanner


class Planner(ABC):
    """What all planners share; the final classes below hold the settings.

    A planner without settings for them goes by the mean prediction of one particle, anywhere.
    """

    horizon: int
    candidates: int = 1
    propagation: Propagation = "mean"
    particles: int = 1
    risk: Risk = MEAN
    disagreement_limit: DisagreementLimit | None = None
    discount: float
    clip: float | None = None
    threads: int

    @abstractmethod
    def _settings(self) -> Settings:
        """Returns the settings the core reads, validated."""

    def _first_planner(self) -> Planner | None:
        """Returns the planner that finds what this one begins from, if any."""
        return None

    def _check_reward(self, reward: Reward) -> None:  # noqa: B027  # most planners take any
        """Refuses a reward that this planner cannot plan for."""

    def _check_shared_settings(self) -> None:
        spread_of(self.propagation, self.particles, self.risk)
        if _arrays.integer("threads", self.threads) < 1:
            raise ArgumentError(f"threads: got {self.threads}, must be at least 1")
        if not 0.0 < self.discount <= 1.0:
            raise ArgumentError(f"discount: got {self.discount}, must be in (0, 1]")
        if self.clip is not None and not 0.0 < self.clip < np.inf:
            raise ArgumentError(f"clip: got {self.clip}, must be finite and above 0, or None")

    def plan(
        self,
        model: Model,
        reward: Reward,
        state: ArrayLike,
        *,
        action_space: Any,
        warm_start: ArrayLike | None = None,
        previous_action: ArrayLike | None = None,
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
            previous_action: (A,) applied last, for `action_change_cost`.
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
                a plan. With a Python reward all candidates of an iteration are one block.
                Default: all iterations are made.
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
            termination,
            limits,
            terminal_value,
            policy,
            policy_candidates,
        )
        previous = None
        if previous_action is not None:
            previous = _arrays.vector("previous_action", previous_action, model.action_dim)
        start = None if warm_start is None else _arrays.numbers("warm_start", warm_start)
        if start is not None and start.shape != (self.horizon, model.action_dim):
            raise ShapeError(
                f"warm_start: got shape {start.shape}, must be {(self.horizon, model.action_dim)}"
            )
        memory = PlanMemory(
            _core.PlanMemory(),
            warm_start=start,
            kept_sequences=None
            if kept_sequences is None
            else _arrays.numbers("kept_sequences", kept_sequences),
            previous_action=previous,
        )
        return PlanSession(self, problem).plan(
            memory,
            _arrays.vector("state", state, model.state_dim),
            _arrays.seed_number(seed),
            0,
            time_limit,
        )

    def __init_subclass__(cls, **settings: Any) -> None:
        super().__init_subclass__(**settings)
        cls.__repr__ = Planner.__repr__  # type: ignore[method-assign]  # not that of a dataclass

    def __repr__(self) -> str:
        return _texts.settings_text(self, "horizon", "candidates")
