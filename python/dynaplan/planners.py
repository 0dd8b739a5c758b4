"""Planners: action sequences that a model predicts to be worth most.

A planner is its settings, frozen; what changes from call to call lives in `MPC`.
"""

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
from dynaplan.rewards import Reward
from dynaplan.risk import Risk
from dynaplan.rollouts import MEAN, Propagation, spread_of, state_limits
from dynaplan.terminations import Termination
from dynaplan.trajectory_score import TrajectoryScore, compiled

__all__ = ["CEM", "Plan", "PlanSession", "PlanStats", "Planner", "RandomShooting"]

Status = Literal["iterations", "no_finite_candidate"]
Settings: TypeAlias = _core.CemSettings | _core.RandomShootingSettings


@dataclass(frozen=True, slots=True)
class PlanStats:
    """What a plan cost.

    Attributes:
        candidates: action sequences evaluated, over all iterations.
        non_finite: of these, how many had a return that is nan or infinite; they rank last.
        rejected: how many left known ground, where that rejects them; they rank last too.
        iterations: refinements made.
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
        status: "iterations": all iterations were made; "no_finite_candidate": not one candidate
            had a finite return, and `actions` are the start of the search.
        stats: counts and time.
    """

    actions: NDArray[np.float64]
    states: NDArray[np.float64]
    value: float
    status: Status
    stats: PlanStats


class Planner(ABC):
    """What all planners share; the final classes below hold the settings."""

    horizon: int
    candidates: int
    propagation: Propagation
    particles: int
    risk: Risk
    known_ground: KnownGround | None
    discount: float
    clip: float | None
    threads: int

    @abstractmethod
    def _settings(self) -> Settings:
        """Returns the settings the core reads, validated."""

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
            seed: same seed, same plan to the bit; None draws anew.

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
            seed=_arrays.seed_number(seed),
            call=0,
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
        self.previous_action: NDArray[Any] | None = None
        if previous_action is not None:
            self.set_previous_action(
                _arrays.vector("previous_action", previous_action, model.action_dim)
            )
        limits = state_limits(model, planner.clip)
        spread = spread_of(planner.propagation, planner.particles, planner.risk)
        ground = ground_of(planner.known_ground)
        scored = compiled(reward, termination)
        if scored is not None:
            self._problem = _core.PlanProblem(
                model.dynamics,
                scored[0],
                None,
                scored[1],
                limits,
                planner.discount,
                spread,
                ground,
            )
        else:
            self._score = TrajectoryScore(
                reward, termination, planner.discount, self.previous_action, planner.known_ground
            )
            self._problem = _core.PlanProblem(
                model.dynamics, None, self._score, None, limits, 1.0, spread, ground
            )

    def set_previous_action(self, action: NDArray[Any] | None) -> None:
        """Tells which action (A,) is applied before the next plan's first step."""
        self.previous_action = action
        if self._score is not None:
            self._score.previous_action = action

    def plan(
        self, state: NDArray[Any], warm_start: NDArray[Any] | None, *, seed: int, call: int
    ) -> Plan:
        """Plans from `state` (S,); `call` numbers the plans of one seed."""
        begin = time.perf_counter()
        actions, states, value, status, candidates, *last, iterations = self._settings.plan(
            self._memory,
            self._problem,
            state,
            self.low,
            self.high,
            warm_start,
            self.previous_action,
            seed,
            call,
            self._threads,
        )
        non_finite, rejected = last
        seconds = time.perf_counter() - begin
        stats = PlanStats(candidates, non_finite, rejected, iterations, seconds)
        return Plan(actions, states, value, status, stats)


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


@dataclass(frozen=True, kw_only=True)
class CEM(Planner):
    """The cross-entropy method: draw candidates from a Gaussian, refit it to the best, repeat.

    Args:
        horizon: steps planned ahead. Default 22, a second of Pendulum-v1: enough to see a swing
            pay, not so far that the errors of a model of 200 transitions decide.
        candidates: sequences per iteration. Default 500, as in PETS.
        elites: how many of them the Gaussian is refitted to. Default 50, a tenth.
        iterations: refits. Default 5, as in PETS.
        smoothing: share of the old mean and standard deviation that is kept, in [0, 1). Default
            0.1, as in PETS and iCEM.
        initial_std: standard deviation at the start, times half the width of the bounds. Default
            0.5, as in PETS and iCEM.
        min_std: floor of the standard deviation, likewise. Default 0.05, as in TD-MPC, so that a
            warm-started search does not die out.
        result: "best": the best sequence seen, the mean of the last Gaussian included; "mean":
            that mean, smoother.
        propagation: how a distribution of states is carried from step to step, as in `rollout`.
            Default "mean": the cheapest. "tsinf" with particles is PETS's choice for an ensemble.
        particles: trajectories for each candidate. Default 1, all that "mean" needs; PETS has 20.
        risk: what their returns come to. Default: their mean, as in PETS.
        known_ground: where the model may be trusted, and what leaving it costs. Default: anywhere.
        discount: weight of each step relative to the one before, in (0, 1].
        clip: keep predicted states within this multiple of the observed range. Default 2.0: far
            enough to plan beyond the data, near enough that a polynomial cannot run away.
            None: not clipped.
        threads: threads per plan. Default 1: planners run beside other work; the result is the
            same for any number.

    Raises:
        ArgumentError: a setting is out of range.

    Source: Rubinstein 1999; Chua et al. 2018, "Deep reinforcement learning in a handful of
    trials using probabilistic dynamics models" (PETS).

    Example:
        >>> dp.CEM(horizon=15).candidates
        500
    """

    horizon: int = 22
    candidates: int = 500
    elites: int = 50
    iterations: int = 5
    smoothing: float = 0.1
    initial_std: float = 0.5
    min_std: float = 0.05
    result: Literal["best", "mean"] = "best"
    propagation: Propagation = "mean"
    particles: int = 1
    risk: Risk = MEAN
    known_ground: KnownGround | None = None
    discount: float = 1.0
    clip: float | None = 2.0
    threads: int = 1

    def __post_init__(self) -> None:
        self._check_shared_settings()
        self._settings()

    def _settings(self) -> Settings:
        if self.result not in ("best", "mean"):
            raise ArgumentError(f'result: got {self.result!r}, must be "best" or "mean"')
        return _core.CemSettings(
            _arrays.integer("horizon", self.horizon),
            _arrays.integer("candidates", self.candidates),
            _arrays.integer("elites", self.elites),
            _arrays.integer("iterations", self.iterations),
            self.smoothing,
            self.initial_std,
            self.min_std,
            self.result == "mean",
        )


@dataclass(frozen=True, kw_only=True)
class RandomShooting(Planner):
    """Draws action sequences uniformly within the bounds and takes the best: the baseline.

    Args:
        horizon: steps planned ahead.
        candidates: sequences drawn. Default 1000; PETS uses 2000 to 2500 for its comparison.
        propagation: as in `CEM`.
        particles: as in `CEM`.
        risk: as in `CEM`.
        known_ground: as in `CEM`.
        discount: weight of each step relative to the one before, in (0, 1].
        clip: as in `CEM`.
        threads: threads per plan.

    Raises:
        ArgumentError: a setting is out of range.

    Example:
        >>> dp.RandomShooting(candidates=2000).horizon
        20
    """

    horizon: int = 20
    candidates: int = 1000
    propagation: Propagation = "mean"
    particles: int = 1
    risk: Risk = MEAN
    known_ground: KnownGround | None = None
    discount: float = 1.0
    clip: float | None = 2.0
    threads: int = 1

    def __post_init__(self) -> None:
        self._check_shared_settings()
        self._settings()

    def _settings(self) -> Settings:
        return _core.RandomShootingSettings(
            _arrays.integer("horizon", self.horizon),
            _arrays.integer("candidates", self.candidates),
        )
