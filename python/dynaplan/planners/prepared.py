"""A planner prepared for one problem, so that a call costs little more than the plan itself."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynaplan import _arrays, _core
from dynaplan._discrete import Numbering, numbering_of
from dynaplan._spaces import integer_dtype, is_discrete
from dynaplan.errors import ArgumentError
from dynaplan.models.interface import angles_of
from dynaplan.planners.action_bounds import ActionBounds
from dynaplan.planners.action_delay import acting_along, with_queue, without_queue
from dynaplan.planners.bound_problem import bound_problem
from dynaplan.planners.known_limits import known_action_bounds, known_actions
from dynaplan.planners.plan import Plan, PlanStats
from dynaplan.planners.policy_sequences import PolicySequences
from dynaplan.planners.problem import PlanMemory, PlanProblem, action_bounds
from dynaplan.planners.settings import PlannerSettings, require_planner
from dynaplan.rollouts.known_region import KnownRegion
from dynaplan.rollouts.rollout import rollout
from dynaplan.rollouts.violations import StepLimits

__all__ = ["PreparedPlanner"]

Float64 = NDArray[np.float64]


class PreparedPlanner:
    """One planner's settings with one problem, checked against each other.

    Args:
        planner: the planner's settings.
        problem: what is planned for.
        known_region: where the model has data, for `Plan.trust`; None: it is not asked for.
        keeps_to_known: whether candidates that leave that region are rejected.

    Attributes:
        low: (A,) lowest actions of the space.
        high: (A,) highest actions of the space.
        bounds: those of each step, within these.
        bounds_ahead: the same, but from where later ones can be reached in time.
        action_rate: (A,) most that an action may change by from step to step, or None.
        step_limits: what each step must keep, or None.
        known_region: as given.
        limits_changes: whether that, or how fast that changes, is limited.
        numbering: of discrete actions, or None.
        integers: the dtype of a Box of whole numbers, or None.
    """

    def __init__(
        self,
        planner: PlannerSettings,
        problem: PlanProblem,
        *,
        known_region: KnownRegion | None = None,
        keeps_to_known: bool = False,
    ) -> None:
        require_planner(planner)
        model, limits = problem.model, problem.limits
        for reward in problem.rewards:
            planner._check_reward(reward)
        planner = planner._for_space(problem.action_space)
        first = planner._first_planner()
        self._first = None
        if first is not None:
            self._first = PreparedPlanner(
                first, problem, known_region=known_region, keeps_to_known=keeps_to_known
            )
        self.low, self.high = action_bounds(problem.action_space, model.action_dim)
        self.numbering: Numbering | None = None
        if is_discrete(problem.action_space):
            self.numbering = numbering_of("action_space", problem.action_space)
        self.integers = integer_dtype(problem.action_space)
        box = self.low, self.high
        self.bounds = ActionBounds.of(
            box,
            limits,
            is_discrete=self.numbering is not None,
            is_whole=self.integers is not None,
        )
        self.known_region = known_region
        # What is sent in place of a plan may be any action; what is planned, known ones alone.
        self._within = known_region if keeps_to_known else None
        self._box, searched = box, self.bounds
        if self._within is not None:
            self._box = known_actions(self._within, self._box)
            searched = known_action_bounds(self._within, searched)
            planner = planner._between(*self._within.action_bounds)
        self.step_limits: StepLimits | None = None
        if limits is not None:
            self.step_limits = limits._step_limits_for(model.state_dim, model.action_dim)
        self.action_rate = None if limits is None else limits._rates_for(model.action_dim)
        accelerations = None if limits is None else limits._accelerations_for(model.action_dim)
        self._has_accelerations = accelerations is not None
        self.limits_changes = self.action_rate is not None or self._has_accelerations
        self.bounds_ahead = self.bounds.ahead_of(self.action_rate)
        self._searched = searched.ahead_of(self.action_rate)
        self._has_step_bounds = limits is not None and limits._bound_actions
        self._require_systems = problem.require_systems
        self._model, self._delay = model, problem.delay
        self.angles = angles_of(model)
        self._horizon = planner.horizon
        self._threads = planner.threads
        self._settings = planner._settings()
        self._policy = PolicySequences.of(problem, planner.horizon, searched, self.one_hot)
        self._bound = [
            bound_problem(
                reward,
                planner,
                problem,
                limits=self.step_limits,
                rates=(self.action_rate, accelerations),
                region=self._within,
                is_by_derivatives=isinstance(self._settings, _core.GradientPlanner),
            )
            for reward in problem.rewards
        ]

    def plan(
        self,
        memory: PlanMemory,
        state: Float64,
        *,
        seed: int,
        call: int,
        time_limit: float | None,
        system: int = 0,
    ) -> Plan:
        """Plans from `state` (S,); `call` numbers the plans of one seed."""
        if time_limit is not None:
            time_limit = _arrays.real("time_limit", time_limit)
        begin = time.perf_counter()
        if self._first is None:
            return self._plan_alone(memory, state, seed, call, time_limit=time_limit, system=system)
        # Another planner's plan comes first, in half the time; this one improves it.
        if memory.first is None:
            memory.first = _core.PlanMemory()
        first = self._first.plan(
            replace(memory, core=memory.first),
            state,
            seed=seed,
            call=call,
            time_limit=None if time_limit is None else 0.5 * time_limit,
            system=system,
        )
        start = replace(memory, warm_start=first.actions, kept_sequences=None, skip=0)
        if time_limit is not None:
            time_limit = max(time_limit - (time.perf_counter() - begin), 1e-9)
        plan = self._plan_alone(start, state, seed, call, time_limit=time_limit, system=system)
        mine, theirs = plan.stats, first.stats
        stats = PlanStats(
            mine.candidates + theirs.candidates,
            mine.non_finite + theirs.non_finite,
            mine.rejected + theirs.rejected,
            mine.iterations + theirs.iterations,
            time.perf_counter() - begin,
        )
        return plan._replace(stats=stats, kept_sequences=first.kept_sequences)

    def _plan_alone(
        self,
        memory: PlanMemory,
        state: Float64,
        seed: int,
        call: int,
        *,
        time_limit: float | None,
        system: int,
    ) -> Plan:
        begin = time.perf_counter()
        bound = self._bound[min(system, len(self._bound) - 1)]
        if bound.score is not None:
            bound.score.previous_action = memory.previous_action
        sequences = self._sequences(memory, state, time_limit)
        if time_limit is not None and time_limit > 0.0 and self._policy is not None:
            time_limit = max(time_limit - (time.perf_counter() - begin), 1e-9)
        parts = _core.plan(  # by position: keywords would cost a fifth of the smallest plan
            self._settings,
            memory.core,
            bound.problem,
            with_queue(self._delay, state, memory.under_way),
            *self._box,
            *self._step_bounds(memory, self._searched),
            memory.warm_start,
            sequences,
            memory.previous_action,
            self._change_before(memory),
            memory.skip,
            seed,
            call,
            self._threads,
            time_limit,
        )
        return self._plan_of(parts, begin)

    def _step_bounds(
        self, memory: PlanMemory, bounds: ActionBounds
    ) -> tuple[Float64 | None, Float64 | None]:
        """Returns (n, A) lowest and highest actions of the steps to plan; None: those of the box.

        Accelerations look ahead beyond the plan, to slow down in time.
        """
        if not self._has_step_bounds:
            return None, None
        count = None if self._has_accelerations else self._horizon
        return bounds.rows(memory.step, count)

    def _change_before(self, memory: PlanMemory) -> Float64 | None:
        return memory.previous_change if self._has_accelerations else None

    def held(self, action: Float64, state: Float64, memory: PlanMemory) -> tuple[Float64, Float64]:
        """Returns (H, A) actions that go to `action` as fast as the limits allow, and their states.

        Args:
            action: (A,) wanted at all steps.
            state: (S,) where they begin.
            memory: the actions sent before.
        """
        steps = range(memory.step, memory.step + self._horizon)
        actions = _core.limited_actions(
            self._bound[0].problem,
            self.low,
            self.high,
            *self._step_bounds(memory, self.bounds_ahead),
            memory.previous_action,
            self._change_before(memory),
            np.stack([self.bounds.nearest(action, step) for step in steps]),
        )
        acting = acting_along(self._delay, memory.under_way, actions)
        return actions, np.array(rollout(self._model, state, acting[None])[0], np.float64)

    def plan_each(
        self,
        memories: Sequence[PlanMemory],
        states: Sequence[Float64],
        *,
        seed: int,
        call: int,
        time_limit: float | None,
    ) -> list[Plan]:
        """Plans for each state (S,): one alone, or as `plan_batch` does.

        Raises:
            ShapeError: there are several rewards, but not one for each.
        """
        self._require_systems(len(memories))
        if len(memories) > 1:
            return self.plan_batch(
                memories, np.stack(states), seed=seed, call=call, time_limit=time_limit
            )
        return [self.plan(memories[0], states[0], seed=seed, call=call, time_limit=time_limit)]

    def plan_batch(
        self,
        memories: Sequence[PlanMemory],
        states: Float64,
        *,
        seed: int,
        call: int,
        time_limit: float | None,
    ) -> list[Plan]:
        """Plans for each state (N, S) with its own memory; system n has the seed + n.

        The same steps have passed for all. They share the planner's threads, unless Python is
        called while they plan.
        """
        if time_limit is not None:
            time_limit = _arrays.real("time_limit", time_limit)
        settings = self._settings
        # A score knows one previous action only; gradient-based planners are called one by one.
        has_score = any(bound.score is not None for bound in self._bound)
        begin = time.perf_counter()
        count = len(memories)

        def share(plans: int) -> float | None:
            """Seconds for the first of so many plans, one after another."""
            if time_limit is None or not time_limit > 0.0:
                return time_limit  # which is refused
            return max(time_limit - (time.perf_counter() - begin), 1e-9) / plans

        if has_score or isinstance(settings, _core.GradientPlanner):
            return [
                self.plan(
                    memory,
                    state,
                    seed=(seed + n) % 2**64,
                    call=call,
                    time_limit=share(count - n),
                    system=n,
                )
                for n, (memory, state) in enumerate(zip(memories, states, strict=True))
            ]
        sequences = [
            self._sequences(memory, state, share(count - n))
            for n, (memory, state) in enumerate(zip(memories, states, strict=True))
        ]
        step_low, step_high = self._step_bounds(memories[0], self._searched)
        plans = _core.plan_batch(
            planner=settings,
            memories=[memory.core for memory in memories],
            problems=[bound.problem for bound in self._bound],
            states=[
                with_queue(self._delay, state, memory.under_way)
                for state, memory in zip(states, memories, strict=True)
            ],
            low=self._box[0],
            high=self._box[1],
            step_low=step_low,
            step_high=step_high,
            warm_starts=[memory.warm_start for memory in memories],
            kept_sequences=sequences,
            previous_actions=[memory.previous_action for memory in memories],
            previous_changes=[self._change_before(memory) for memory in memories],
            skip=memories[0].skip,
            seed=seed,
            call=call,
            threads=self._threads,
            time_limit=share(1),
        )
        return [self._plan_of(parts, begin) for parts in plans]

    def _plan_of(self, parts: tuple[Any, ...], begin: float) -> Plan:
        actions, states, value, status, kept_sequences, spread, gains = parts[:7]
        candidates, non_finite, rejected, iterations = parts[7:]
        states = without_queue(self._delay, states)
        gains = None if gains is None else without_queue(self._delay, gains)
        seconds = time.perf_counter() - begin
        stats = PlanStats(candidates, non_finite, rejected, iterations, seconds)
        region = self.known_region
        return Plan(actions, states, value, status, stats, kept_sequences, spread, gains, region)

    def _sequences(
        self, memory: PlanMemory, state: Float64, time_limit: float | None
    ) -> Float64 | None:
        """Returns the sequences to try first: those kept, then the policy's from `state`.

        The policy takes half of the time limit at most.
        """
        if self._policy is None:
            return memory.kept_sequences
        half = None if time_limit is None else 0.5 * time_limit
        return self._policy.sequences(
            memory.kept_sequences,
            memory.skip,
            state,
            step=memory.step,
            sent=memory.under_way,
            time_limit=half,
        )

    def one_hot(self, name: str, actions: Any) -> Any:
        """Returns the one-hot rows of discrete actions; others, and None, as they are."""
        if self.numbering is None or actions is None:
            return actions
        return self.numbering.one_hot(name, actions)

    def sent_before(self, actions: Any, delay_steps: int) -> Any:
        """Returns the rows of the actions sent before the first plan, or None.

        Raises:
            ArgumentError: discrete actions are under way, and not known: none of them is zero.
        """
        if self.numbering is not None and actions is None and delay_steps > 0:
            raise ArgumentError(
                f"previous_actions: got None, must be the {delay_steps} discrete actions under way"
            )
        return self.one_hot("previous_actions", actions)

    def whole(self, actions: Float64) -> Float64:
        """Returns planned actions rounded to the nearest, where only whole numbers can be sent."""
        return actions if self.integers is None else np.rint(actions)

    def numbered(self, actions: Float64) -> Any:
        """Returns actions (..., A) as they are sent: numbers (...) of discrete ones, integers.

        Args:
            actions: one-hot where they are discrete; whole where they must be.
        """
        if self.integers is not None:
            return actions.astype(self.integers)
        return actions if self.numbering is None else self.numbering.numbers(actions)
