"""A planning problem made ready, so that a call costs little more than the plan itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynaplan import _arrays, _core
from dynaplan.errors import ArgumentError, ShapeError
from dynaplan.models.interface import Model
from dynaplan.planners.limits import Limits
from dynaplan.planners.plan import Plan, PlanStats
from dynaplan.rewards.terms import Reward, Term
from dynaplan.rollouts.disagreement import disagreement_limit_of
from dynaplan.rollouts.rollout import spread_of, state_limits
from dynaplan.rollouts.score import TrajectoryScore, compiled
from dynaplan.terminations.terms import Termination

if TYPE_CHECKING:
    from dynaplan.planners.planner import Planner

__all__ = ["PlanMemory", "PlanProblem", "PlanSession", "Policy", "StateValue", "action_bounds"]

Float64 = NDArray[np.float64]
# Actions (N, A) for states (N, S).
Policy: TypeAlias = Callable[[NDArray[Any]], ArrayLike]
# Values (N,) of states (N, S).
StateValue: TypeAlias = Callable[[NDArray[Any]], ArrayLike]


@dataclass(frozen=True)
class PlanProblem:
    """What is planned for, whichever planner does it; the arguments of `planner.plan`."""

    model: Model
    reward: Reward
    action_space: Any
    termination: Termination | None = None
    limits: Limits | None = None
    terminal_value: StateValue | None = None
    policy: Policy | None = None
    policy_candidates: int = 1


@dataclass(slots=True)
class PlanMemory:
    """What one system carries from plan to plan.

    Attributes:
        core: the search's own memory.
        first: that of the planner which finds what this one begins from.
        warm_start: (steps, A), or None.
        kept_sequences: (K, steps, A), or None.
        skip: how many steps at the beginning of both have passed.
        previous_action: (A,) applied before the next plan's first step, or None.
    """

    core: _core.PlanMemory
    first: _core.PlanMemory | None = None
    warm_start: Float64 | None = None
    kept_sequences: Float64 | None = None
    skip: int = 0
    previous_action: Float64 | None = None


class PlanSession:
    """One planning problem under one planner's settings.

    Args:
        planner: the planner's settings.
        problem: what is planned for.
    """

    def __init__(self, planner: Planner, problem: PlanProblem) -> None:
        model, limits = problem.model, problem.limits
        planner._check_reward(problem.reward)
        first = planner._first_planner()
        self._first = None if first is None else PlanSession(first, problem)
        self.low, self.high = action_bounds(problem.action_space, model.action_dim)
        self.action_rate = None if limits is None else limits._rates_for(model.action_dim)
        self._model = model
        self._horizon = planner.horizon
        self._threads = planner.threads
        self._settings = planner._settings()
        self._policy = problem.policy
        self._policy_candidates = _arrays.integer("policy_candidates", problem.policy_candidates)
        if self._policy_candidates < 1:
            raise ArgumentError(
                f"policy_candidates: got {problem.policy_candidates}, must be at least 1"
            )
        allowed = None if limits is None else limits._states_for(model.state_dim)
        value = None if problem.terminal_value is None else _checked(problem.terminal_value)
        scored: tuple[_core.Reward | None, _core.Termination | None] | None
        scored = compiled(problem.reward, problem.termination)
        self._score: TrajectoryScore | None = None
        if scored is None:
            # A term's derivatives are wanted even where the termination is a Python function.
            scored = problem.reward._reward if isinstance(problem.reward, Term) else None, None
            self._score = TrajectoryScore(
                problem.reward,
                problem.termination,
                planner.discount,
                disagreement_limit=planner.disagreement_limit,
                allowed=allowed,
                terminal_value=value,
            )
        self._problem = _core.PlanProblem(
            model.dynamics,
            scored[0],
            self._score,
            value if self._score is None else None,
            scored[1],
            state_limits(model, planner.clip),
            allowed,
            self.action_rate,
            planner.discount,
            spread_of(planner.propagation, planner.particles, planner.risk),
            disagreement_limit_of(planner.disagreement_limit),
        )

    def plan(
        self, memory: PlanMemory, state: Float64, seed: int, call: int, time_limit: float | None
    ) -> Plan:
        """Plans from `state` (S,); `call` numbers the plans of one seed."""
        if self._first is None:
            return self._plan_alone(memory, state, seed, call, time_limit)
        return self._plan_in_two(self._first, memory, state, seed, call, time_limit)

    def _plan_alone(
        self, memory: PlanMemory, state: Float64, seed: int, call: int, time_limit: float | None
    ) -> Plan:
        begin = time.perf_counter()
        if self._score is not None:
            self._score.previous_action = memory.previous_action
        found = _core.plan(
            self._settings,
            memory.core,
            self._problem,
            state,
            self.low,
            self.high,
            memory.warm_start,
            memory.kept_sequences if self._policy is None else self._with_policy(memory, state),
            memory.previous_action,
            memory.skip,
            seed,
            call,
            self._threads,
            time_limit,
        )
        return _plan_of(found, begin)

    def _plan_in_two(  # noqa: PLR0917  # as `plan`
        self,
        first: PlanSession,
        memory: PlanMemory,
        state: Float64,
        seed: int,
        call: int,
        time_limit: float | None,
    ) -> Plan:
        """Plans from where another planner ended; half the time is for that one."""
        begin = time.perf_counter()
        if memory.first is None:
            memory.first = _core.PlanMemory()
        share = None if time_limit is None else 0.5 * time_limit
        found = first.plan(replace(memory, core=memory.first), state, seed, call, share)
        left = None
        if time_limit is not None:
            left = max(time_limit - (time.perf_counter() - begin), 1e-9)
        start = replace(memory, warm_start=found.actions, kept_sequences=None, skip=0)
        plan = self._plan_alone(start, state, seed, call, left)
        mine, theirs = plan.stats, found.stats
        stats = PlanStats(
            mine.candidates + theirs.candidates,
            mine.non_finite + theirs.non_finite,
            mine.rejected + theirs.rejected,
            mine.iterations + theirs.iterations,
            time.perf_counter() - begin,
        )
        return plan._replace(stats=stats, kept_sequences=found.kept_sequences)

    def plan_batch(
        self,
        memories: Sequence[PlanMemory],
        states: Float64,
        seed: int,
        call: int,
        time_limit: float | None,
    ) -> list[Plan]:
        """Plans for each state (N, S) with its own memory; system n has the seed + n.

        The same steps have passed for all. They share the planner's threads, unless Python is
        called while they plan.
        """
        settings = self._settings
        # A score knows one previous action only, and planners by derivatives are called one by one.
        if self._score is not None or isinstance(settings, _core.GradientPlanner):
            return [
                self.plan(memory, state, (seed + n) % 2**64, call, time_limit)
                for n, (memory, state) in enumerate(zip(memories, states, strict=True))
            ]
        begin = time.perf_counter()
        kept_sequences = [memory.kept_sequences for memory in memories]
        if self._policy is not None:
            kept_sequences = [
                self._with_policy(*pair) for pair in zip(memories, states, strict=True)
            ]
        found = _core.plan_batch(
            settings,
            [memory.core for memory in memories],
            self._problem,
            list(states),
            self.low,
            self.high,
            [memory.warm_start for memory in memories],
            kept_sequences,
            [memory.previous_action for memory in memories],
            memories[0].skip,
            seed,
            call,
            self._threads,
            time_limit,
        )
        return [_plan_of(one, begin) for one in found]

    def _with_policy(self, memory: PlanMemory, state: Float64) -> Float64:
        """Returns what the policy does from `state` in the model, after the kept_sequences.

        All begin `memory.skip` steps early, as the kept_sequences do.
        """
        assert self._policy is not None
        count, horizon = self._policy_candidates, self._horizon
        sequences = np.empty((count, horizon, self._model.action_dim))
        states = np.tile(state, (count, 1))
        for t in range(horizon):
            actions = np.asarray(self._policy(states), np.float64)
            if actions.shape != sequences[:, t].shape:
                raise ShapeError(
                    f"policy: returned shape {actions.shape}, must be {sequences[:, t].shape}, "
                    "one action per row of the batch"
                )
            sequences[:, t] = np.clip(actions, self.low, self.high)
            states = self._model.predict(states, sequences[:, t]).mean
        kept_sequences = (
            np.empty((0, 0, 0)) if memory.kept_sequences is None else memory.kept_sequences
        )
        steps = memory.skip + horizon
        joined = np.empty((len(kept_sequences) + count, steps, self._model.action_dim))
        for n, elite in enumerate(kept_sequences):
            kept = min(len(elite), steps)
            joined[n, :kept], joined[n, kept:] = elite[:kept], elite[-1]
        joined[len(kept_sequences) :, memory.skip :] = sequences
        joined[len(kept_sequences) :, : memory.skip] = 0.0
        return joined


def _plan_of(found: tuple[Any, ...], begin: float) -> Plan:
    actions, states, value, status, kept_sequences, spread, gains = found[:7]
    candidates, non_finite, rejected, iterations = found[7:]
    seconds = time.perf_counter() - begin
    stats = PlanStats(candidates, non_finite, rejected, iterations, seconds)
    return Plan(actions, states, value, status, stats, kept_sequences, spread, gains)


def _checked(terminal_value: StateValue) -> Callable[[NDArray[Any]], Float64]:
    """Returns the function with what it returns made (N,) numbers, or an error that says so."""
    if not callable(terminal_value):
        raise TypeError(
            f"terminal_value: got {type(terminal_value).__name__}, must be a function of states"
        )

    def value(states: NDArray[Any]) -> Float64:
        values = _arrays.numbers("terminal_value", terminal_value(states))
        if values.shape != (len(states),):
            raise ShapeError(
                f"terminal_value: returned shape {values.shape}, must be ({len(states)},), "
                "one number per row of the batch"
            )
        return values

    return value


def action_bounds(action_space: Any, action_dim: int) -> tuple[Float64, Float64]:
    """Returns (A,) lowest and highest actions of a Box, a Discrete or of a pair (low, high).

    A Discrete space's actions are told to models one-hot, so that they lie between 0 and 1.
    """
    if hasattr(action_space, "low") and hasattr(action_space, "high"):
        low, high = action_space.low, action_space.high
    elif hasattr(action_space, "n") and hasattr(action_space, "start"):
        low, high = np.zeros(int(action_space.n)), np.ones(int(action_space.n))
    elif isinstance(action_space, (tuple, list)) and len(action_space) == 2:
        low, high = action_space
    else:
        raise ArgumentError(
            f"action_space: got {type(action_space).__name__}, must be a Box, a Discrete or a pair "
            "(low, high)"
        )
    lowest = _arrays.vector("action_space.low", low, action_dim)
    highest = _arrays.vector("action_space.high", high, action_dim)
    if not (np.isfinite(lowest).all() and np.isfinite(highest).all()):
        raise ArgumentError(f"action_space: got {low} to {high}, must be finite")
    return lowest, highest
