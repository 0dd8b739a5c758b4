"""What all planners share: the plan, the call, and a problem made ready for many calls."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynaplan import _arrays, _core
from dynaplan.errors import ArgumentError
from dynaplan.known_ground import KnownGround, ground_of
from dynaplan.models import Model
from dynaplan.rewards import Reward, Term
from dynaplan.risk import Risk
from dynaplan.rollouts import MEAN, Propagation, spread_of, state_limits
from dynaplan.terminations import Termination
from dynaplan.trajectory_score import TrajectoryScore, compiled

__all__ = ["Plan", "PlanSession", "PlanStats", "Planner"]

Status = Literal["iterations", "converged", "budget", "no_finite_candidate"]
Settings: TypeAlias = (
    _core.CemSettings
    | _core.Icem
    | _core.Mppi
    | _core.RandomShootingSettings
    | _core.IlqrSettings
    | _core.LqrSettings
)


@dataclass(frozen=True, slots=True)
class PlanStats:
    """What a plan cost.

    Attributes:
        candidates: action sequences evaluated, over all iterations.
        non_finite: of these, how many had a return that is nan or infinite; they rank last.
        rejected: how many left known ground, where that rejects them; they rank last too.
        iterations: refinements that were finished.
        seconds: wall-clock time.
    """

    candidates: int
    non_finite: int
    rejected: int
    iterations: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Plan:
    """An action sequence and what the model expects of it.

    Attributes:
        actions: (H, A), within the bounds.
        states: (H + 1, S) mean prediction under `actions`, the given state first.
        value: the predicted return of `actions`; with particles, what the risk makes of theirs.
        status: "iterations": all iterations were made; "converged": the search had settled before
            (`tolerance`); "budget": the time was up before, and `actions` are the best so far;
            "no_finite_candidate": not one candidate had a finite return, and `actions` are the
            start of the search.
        stats: counts and time.
        elites: (K, H, A) sequences worth trying first in the next plan, best first, from planners
            that keep some; else K is 0.
        gains: (H, A, S) feedback about the plan, from planners by derivatives, else None: in a
            state near states[t] the best action is actions[t] + gains[t] @ (state - states[t]),
            set back within the bounds.
    """

    actions: NDArray[np.float64]
    states: NDArray[np.float64]
    value: float
    status: Status
    stats: PlanStats
    elites: NDArray[np.float64]
    gains: NDArray[np.float64] | None = None


class Planner(ABC):
    """What all planners share; the final classes below hold the settings.

    A planner without settings for them goes by the mean prediction of one particle, anywhere.
    """

    horizon: int
    candidates: int = 1
    propagation: Propagation = "mean"
    particles: int = 1
    risk: Risk = MEAN
    known_ground: KnownGround | None = None
    discount: float
    clip: float | None = None
    threads: int

    @abstractmethod
    def _settings(self) -> Settings:
        """Returns the settings the core reads, validated."""

    def _first_planner(self) -> Planner | None:
        """Returns the planner that finds what this one begins from, if any."""
        return None

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
        elites: ArrayLike | None = None,
        budget: float | None = None,
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
            elites: (K, steps, A) sequences for `ICEM` to try first, such as the elites of the plan
                before less their first step; the steps that lack to the horizon are drawn.
            budget: seconds that the plan may take. No block of candidates is begun that would
                end later, going by the slowest so far; the first one always is, so that there is
                a plan. With a Python reward all candidates of an iteration are one block.
                Default: all iterations are made.
            seed: same seed, same plan to the bit, unless a budget cuts it short; None draws anew.

        Returns:
            The plan; its actions are finite for any finite input.

        Raises:
            ShapeError: an array has the wrong shape, or the reward does not fit the model.
            ArgumentError: an input is not finite, or a bound is not a bound.
        """
        session = PlanSession(self, model, reward, action_space, termination, previous_action)
        start = None if warm_start is None else _arrays.numbers("warm_start", warm_start)
        return session.plan(
            _arrays.vector("state", state, model.state_dim),
            start,
            None if elites is None else _arrays.numbers("elites", elites),
            seed=_arrays.seed_number(seed),
            call=0,
            budget=budget,
        )


class PlanSession:
    """One planning problem made ready, so that a call costs little more than the plan itself.

    Args:
        planner: the planner's settings.
        model: the dynamics.
        reward: any reward.
        action_space: a Box, or (low, high).
        termination: any termination, or None.
        previous_action: (A,) applied before the first plan, or None.
    """

    def __init__(  # noqa: PLR0917  # private to the package: called in two places
        self,
        planner: Planner,
        model: Model,
        reward: Reward,
        action_space: Any,
        termination: Termination | None,
        previous_action: ArrayLike | None = None,
    ) -> None:
        self.low, self.high = action_bounds(action_space, model.action_dim)
        self._threads = planner.threads
        self._settings = planner._settings()
        self._memory = _core.PlanMemory()
        self._score: TrajectoryScore | None = None
        self._first: PlanSession | None = None
        if (first := planner._first_planner()) is not None:
            self._first = PlanSession(first, model, reward, action_space, termination)
        self.previous_action: NDArray[Any] | None = None
        if previous_action is not None:
            self.set_previous_action(
                _arrays.vector("previous_action", previous_action, model.action_dim)
            )
        limits = state_limits(model, planner.clip)
        spread = spread_of(planner.propagation, planner.particles, planner.risk)
        ground = ground_of(planner.known_ground)
        scored: tuple[Any, Any] | None = compiled(reward, termination)
        if scored is None:
            self._score = TrajectoryScore(
                reward, termination, planner.discount, self.previous_action, planner.known_ground
            )
            # A term's derivatives are wanted even where the termination is a Python function.
            scored = reward._reward if isinstance(reward, Term) else None, None
        self._problem = _core.PlanProblem(
            model.dynamics,
            scored[0],
            self._score,
            scored[1],
            limits,
            planner.discount,
            spread,
            ground,
        )

    def set_previous_action(self, action: NDArray[Any] | None) -> None:
        """Tells which action (A,) is applied before the next plan's first step."""
        self.previous_action = action
        if self._score is not None:
            self._score.previous_action = action
        if self._first is not None:
            self._first.set_previous_action(action)

    def plan(
        self,
        state: NDArray[Any],
        warm_start: NDArray[Any] | None,
        kept: NDArray[Any] | None,
        *,
        seed: int,
        call: int,
        budget: float | None,
    ) -> Plan:
        """Plans from `state` (S,); `call` numbers the plans of one seed."""
        begin = time.perf_counter()
        first = None
        if self._first is not None:
            # Half the time is for finding where to begin.
            share = None if budget is None else 0.5 * budget
            first = self._first.plan(state, warm_start, kept, seed=seed, call=call, budget=share)
            warm_start, kept = first.actions, None
            if budget is not None:
                budget = max(budget - (time.perf_counter() - begin), 1e-9)
        found = _core.plan(
            self._settings,
            self._memory,
            self._problem,
            state,
            self.low,
            self.high,
            warm_start,
            kept,
            self.previous_action,
            seed,
            call,
            self._threads,
            budget,
        )
        actions, states, value, status, elites, gains = found[:6]
        counts = found[6:]
        if first is not None:
            elites = first.elites
            before = first.stats
            counts = (
                counts[0] + before.candidates,
                counts[1] + before.non_finite,
                counts[2] + before.rejected,
                counts[3] + before.iterations,
            )
        stats = PlanStats(*counts, time.perf_counter() - begin)
        return Plan(actions, states, value, status, stats, elites, gains)


def action_bounds(action_space: Any, action_dim: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Returns (A,) lowest and highest actions of a Box or of a pair (low, high)."""
    if hasattr(action_space, "low") and hasattr(action_space, "high"):
        low, high = action_space.low, action_space.high
    elif isinstance(action_space, (tuple, list)) and len(action_space) == 2:
        low, high = action_space
    else:
        raise ArgumentError(
            f"action_space: got {type(action_space).__name__}, must be a Box or a pair (low, high)"
        )
    lowest = _arrays.vector("action_space.low", low, action_dim)
    highest = _arrays.vector("action_space.high", high, action_dim)
    if not (np.isfinite(lowest).all() and np.isfinite(highest).all()):
        raise ArgumentError(f"action_space: got {low} to {high}, must be finite")
    return lowest, highest
