"""Model predictive control: plan, apply the first action, plan again."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynaplan import _arrays, _texts
from dynaplan._docstrings import shares_arguments
from dynaplan.control.changes import UNCHANGED, Unchanged, changed
from dynaplan.control.delay import states_after_delay
from dynaplan.control.explanation import Explanation, explain
from dynaplan.control.failure import FailureRule, OnFailure
from dynaplan.control.hand_over import HandOver
from dynaplan.control.memory import SystemMemory, correct_last_actions, skip_steps, state_rows
from dynaplan.control.past import Past
from dynaplan.control.trust import TrustMode, TrustRule
from dynaplan.models.interface import Model
from dynaplan.planners.action_delay import ActionDelay
from dynaplan.planners.defaults import default_planner
from dynaplan.planners.interface import Planner
from dynaplan.planners.limits import Limits
from dynaplan.planners.plan import Plan
from dynaplan.planners.problem import PlanProblem, Policy, Rewards, StateValue
from dynaplan.terminations.terms import Termination

__all__ = ["MPC"]

Float64 = NDArray[np.float64]
_MAX_DELAY = 10_000  # each action waits for the prediction of so many steps


@shares_arguments(Planner.plan)
class MPC:
    """A controller: at each step it plans from the current state and applies the first action.

    It alone holds what changes between plans: the warm start (the last plan, shifted by the steps
    that have passed), the actions sent, the count of random numbers used, and the planner's memory.
    `reset` clears them. One controller serves one control loop, of one system or of several of the
    same kind; give each thread its own. Of a model with a history (`Transitions.with_history`) it
    keeps what was before itself, and is given what is observed now alone.

    Args:
        reward: as for `planner.plan`; or a sequence of N, one for each of N systems, which may
            differ in targets, weights or all.
        planner: `CEM(...)`, `ICEM(...)`, `MPPI(...)` or another. Default: `CEM()`, for a Discrete
            space `CategoricalCEM()`.
        action_space: a Gymnasium Box, or a pair (low, high) of (A,) arrays; finite. Or a Discrete
            space, for a model that sees one-hot actions: then actions are its numbers here, in
            `previous_actions`, and where a `policy` or `on_failure` returns them.
        replan_every: steps from one plan to the next. In between, the actions of the last plan are
            applied, with its feedback gains where it has some. Default 1.
        delay_steps: steps from sending an action until it acts, or (A,), one number for each entry.
            Plans begin at the state predicted for when their first action will act, or the first
            entry of it does, under the actions already sent; rewards count each action there.
            Where it is not whole, such as 2.4, two actions share each step, 0.4 of the older one
            and 0.6 of the newer: exact for an integrator, of first order in the step otherwise.
            Default 0.
        previous_actions: (K, A) sent before the first `act`, the oldest first, or (N, K, A) for N
            systems; at least the largest of `delay_steps`. The last ones have yet to act, limits of
            rates and `action_change_cost` count from the last. Default: zeros, or the nearest
            actions within the bounds; discrete ones that are under way must be given.
        on_failure: what is sent where no candidate is allowed by the limits, or none has a finite
            return: "least violation", the plan that violates them least, back to what is allowed
            (where nothing is finite, the start of the search); "hold", the action sent last;
            "raise", nothing, but NumericalError; or a function of that `Plan` that returns the
            action (A,). The first such plan warns (`FailedPlanWarning`).
        trust: what happens where the model has no data, outside their range or where an ensemble
            disagrees (see `Trust`). "report" (default): the first plan that begins, or has most of
            its steps, more than half a range outside or in disagreement warns
            (`UntrustedPlanWarning`). "refuse": no plan begins off known ground
            (UntrustedStateError), candidates that leave it are rejected, and `on_failure` says what
            is sent where all do. "shorten": as "report", and plans are at most `trusted_horizon`
            long. "ignore": nothing. `plan.trust` tells in any case.
        trusted_horizon: steps that the model can be trusted to look ahead, as `evaluate` says;
            those beyond are not on known ground. Default: any number.
        seed: same seed, same actions to the bit, whatever the threads; None draws one. System n of
            several has the seed + n.

    Attributes:
        planner: the planner's settings.
        delay_steps: one number where it is the same for all actions, else (A,) numbers.
        last_plans: the last plan of each system; none before the first.

    Raises:
        ShapeError: the action space or the limits do not fit the model.
        ArgumentError: `action_space` is not one; `seed`, `replan_every`, `delay_steps` or
            the planner's `clip` is out of range.

    Example:
        >>> s, a = np.array([[0.0], [1.0], [0.5], [-1.0]]), np.array([[1.0], [0.0], [-1.0], [1.0]])
        >>> model = dp.LinearGaussian.fit(dp.Transitions(s, a, 0.5 * s + a))
        >>> reward = dp.rewards.quadratic([1.0])
        >>> mpc = dp.MPC(model, reward, dp.CEM(horizon=5), action_space=([-1.0], [1.0]), seed=0)
        >>> bool(abs(mpc.act([1.0])[0] + 0.5) < 0.1)
        True
    """

    def __init__(
        self,
        model: Model,
        reward: Rewards,
        planner: Planner | None = None,
        *,
        action_space: Any,
        termination: Termination | None = None,
        limits: Limits | None = None,
        terminal_value: StateValue | None = None,
        policy: Policy | None = None,
        policy_candidates: int = 1,
        replan_every: int = 1,
        delay_steps: float | Sequence[float] = 0,
        previous_actions: ArrayLike | None = None,
        on_failure: OnFailure = "least violation",
        trust: TrustMode = "report",
        trusted_horizon: int | None = None,
        seed: int | None = None,
    ) -> None:
        self.replan_every = _arrays.at_least(1, "replan_every", replan_every)
        self._seed = _arrays.seed_number(seed)
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
        action_dim = problem.model.action_dim
        self._delay = ActionDelay.of(delay_steps, action_dim, _MAX_DELAY)
        self.delay_steps = self._delay.given
        if not self._delay.is_even:
            problem = replace(problem, delay=self._delay)
        self._failure = FailureRule(on_failure)
        self._trust = TrustRule(trust, trusted_horizon)
        self._take(default_planner(action_space) if planner is None else planner, problem)
        before = self._prepared.sent_before(previous_actions, self._delay.queued)
        self._first_hand_over = HandOver(before, None, action_dim, self._delay.queued)
        box = self._prepared.low, self._prepared.high
        self._past = Past(problem.model, self._delay, box)
        self._shape = (self._past.observed,)
        self.reset()

    def _take(self, planner: Planner, problem: PlanProblem) -> None:
        planner = self._trust.allowed(planner)
        prepared = self._trust.prepared(planner, problem)  # first: a failure changes nothing
        self.planner, self._problem, self._prepared = planner, problem, prepared

    def __getstate__(self) -> dict[str, Any]:
        # Its systems are copied, as a copy shares no memory; what is prepared is prepared again.
        state = {name: value for name, value in vars(self).items() if name != "_prepared"}
        return state | {name: deepcopy(state[name]) for name in ("_systems", "_past")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._prepared = self._trust.prepared(self.planner, self._problem)

    def reset(
        self,
        *,
        previous_actions: ArrayLike | None = None,
        previous_observations: ArrayLike | None = None,
        warm_start: ArrayLike | None = None,
    ) -> None:
        """Forgets plans, actions sent and the count of plans, as at a new episode.

        Args:
            previous_actions: what was sent before, as for `MPC`; None: what `MPC` was given.
            previous_observations: (K, S) or (N, K, S) seen before, the oldest first, for a model
                with a history; None: the first one, again and again.
            warm_start: (H, A) or (N, H, A), rows as of a plan, to start the first plan from; None:
                the middle of the bounds.

        Raises:
            ShapeError: an array has the wrong shape, or there are fewer actions than are under way.
            ArgumentError: an action or observation is not finite, or the model has no history.

        Example:
            >>> s, a = np.eye(4, 1), np.eye(4, 1, -1)
            >>> model = dp.LinearGaussian.fit(dp.Transitions(s, a, 0.5 * s + a))
            >>> reward, limits = dp.rewards.quadratic([1.0]), dp.Limits(action_rate=[0.1])
            >>> mpc = dp.MPC(model, reward, dp.CEM(), action_space=([-1.0], [1.0]), limits=limits)
            >>> mpc.reset(previous_actions=[[0.2], [0.3]])  # sent by another controller
            >>> bool(0.2 <= mpc.act([1.0])[0] <= 0.4)
            True
        """
        before = self._prepared.one_hot("previous_actions", previous_actions)
        hand_over = self._first_hand_over.replaced(before, warm_start)
        self._past.forget(hand_over, previous_observations)
        self._hand_over = hand_over
        self._systems: list[SystemMemory] = []
        self._plans = 0
        self._failure.forget()
        self._trust.forget()

    @property
    def last_plans(self) -> tuple[Plan, ...]:
        """The last plan of each system; none before the first."""
        return tuple(system.plan for system in self._systems if system.plan is not None)

    @property
    def last_plan(self) -> Plan | None:
        """The last plan of the first system, or None before it."""
        return self._systems[0].plan if self._systems else None

    def act(
        self,
        state: ArrayLike,
        *,
        time_limit: float | None = None,
        reward: Rewards | None = None,
        previous_action: ArrayLike | None = None,
    ) -> Any:
        """Plans from `state`, where a plan is due, and returns the action to send now.

        Args:
            state: (S,), or (N, S) for N systems, as many as in the call before. For a model with a
                history what is observed now, without lags, at every step.
            time_limit: seconds that the plan may take, as in `planner.plan`.
            reward: another reward from now on, such as other weights, as `change(reward=...)`.
            previous_action: what was really sent last, where it differs from what the call before
                returned, in the same form.

        Returns:
            (A,) or (N, A), within the bounds and limits; for a Discrete space an int or (N,) of
            int. Whole plans are in `last_plan` and `last_plans`.

        Raises:
            ShapeError: an array has the wrong shape, or the reward or the termination does not fit
                the model.
            ArgumentError: the state or a bound is not finite; or the model has a history and the
                call before raised: `reset` hands over what was observed and sent, gap and all.
            UntrustedStateError: the state is outside the data, and `trust` is "refuse".
            NumericalError: the model diverges within the delay; or no plan is allowed, and
                `on_failure` is "raise".
        """
        if reward is not None:
            self.change(reward=reward)
        states = self._states(state)
        self._past.require_whole(sends=True)
        if previous_action is not None:
            sent = self._prepared.one_hot("previous_action", previous_action)
            differs = correct_last_actions(self._systems, sent)
            if differs and self._prepared.limits_changes:
                self._systems[0].steps_to_plan = 0  # what was planned may be too far from it
        starts = self._starts(self._past.states(states, self._systems))
        prepared, systems = self._prepared, self._systems
        if systems[0].steps_to_plan <= 0:
            self._make_plans(starts, time_limit, self.replan_every)
            self._plans = (self._plans + 1) % 2**32
        pairs = zip(systems, starts, strict=True)
        actions = [system.advance(start, prepared) for system, start in pairs]
        self._past.passes(systems)
        return prepared.numbered(actions[0].copy() if states.ndim == 1 else np.array(actions))

    def plan(
        self, state: ArrayLike, *, time_limit: float | None = None, reward: Rewards | None = None
    ) -> Any:
        """Plans from `state` without sending anything: what the next `act` would plan there.

        For a loop of your own: send as many of `plan.actions` as you like, then call `advance` with
        their number.

        Args:
            state: (S,), or (N, S) for N systems; as in `act`.
            time_limit: seconds that the plan may take, as in `planner.plan`.
            reward: another reward from now on.

        Returns:
            The plan, or a list of N. It begins where the first entry of an action sent now acts.

        Raises:
            ShapeError: an array has the wrong shape.
            ArgumentError: the state is not finite.
            UntrustedStateError: as of `act`.
        """
        if reward is not None:
            self.change(reward=reward)
        states = self._states(state)
        self._past.require_whole(sends=False)
        starts = self._starts(self._past.states(states, self._systems))
        self._make_plans(starts, time_limit, steps=0)
        plans = list(self.last_plans)
        return plans[0] if states.ndim == 1 else plans

    def advance(self, steps: int = 1) -> None:
        """Records that the first `steps` actions of the plan that `plan` made have been sent.

        Args:
            steps: at least 1, at most the horizon; for a model with a history 1, after `plan`.

        Raises:
            ArgumentError: `steps` is out of range, or there is no plan.
        """
        self._past.require_steps(_arrays.at_least(1, "steps", steps))
        skip_steps(self._systems, steps, self._prepared)
        self._past.passes(self._systems)
        self._plans = (self._plans + 1) % 2**32

    def change(
        self,
        *,
        model: Model | None = None,
        reward: Rewards | None = None,
        planner: Planner | None = None,
        action_space: Any = None,
        termination: Termination | Unchanged | None = UNCHANGED,
        limits: Limits | Unchanged | None = UNCHANGED,
        terminal_value: StateValue | Unchanged | None = UNCHANGED,
        policy: Policy | Unchanged | None = UNCHANGED,
    ) -> None:
        """Replaces parts of a running controller; the warm start and the actions sent are kept.

        The next `act` plans with them, even where no plan was due. A longer horizon repeats the
        warm start's last action; a shorter one cuts it. If an argument is refused nothing changes.

        Args:
            model: other dynamics, of the same sizes, such as those fitted to more data.
            reward: another reward, or one for each system: other weights, targets, references.
            planner: another planner, or the same with another horizon or other settings.
            action_space: another box.
            termination: another termination, or None.
            limits: other limits, or None; their bounds of actions count from the next action on.
            terminal_value: another value of the states where plans end, or None.
            policy: another policy to try, or None.

        Raises:
            ShapeError: a part does not fit the others.
            ArgumentError: a part is out of range, or the model has another history.
        """
        required = {"model": model, "reward": reward, "action_space": action_space}
        optional = {
            "termination": termination,
            "limits": limits,
            "terminal_value": terminal_value,
            "policy": policy,
        }
        problem = changed(self._problem, required, optional)
        self._take(self.planner if planner is None else planner, problem)
        for system in self._systems:
            system.steps_to_plan = 0
            if not isinstance(limits, Unchanged):
                system.memory.step = 0

    def explain(self, system: int = 0) -> Explanation:
        """Shows what the last plan expects: rewards by term and step, limits, disagreement.

        Args:
            system: which one's plan, where there are several.

        Raises:
            ArgumentError: there is no plan of that system.
        """
        return explain(self._problem, self._prepared, self._systems, system)

    def _states(self, state: ArrayLike) -> Float64:
        """Returns (S,) or (N, S), and makes a memory for each system before the first plan."""
        states = _arrays.numbers("state", state)
        if states.shape == self._shape and len(self._systems) == 1:  # what a fast loop does
            return states
        states = state_rows(states, self._past.observed, self._systems)
        if not self._systems:
            count = 1 if states.ndim == 1 else len(states)
            self._past.require_count(count)
            self._systems = self._hand_over.memories(count, self._prepared.low, self._prepared.high)
        return states

    def _starts(self, states: Float64) -> Sequence[Float64]:
        """Returns for each system the state in which the action sent now will act."""
        self._trust.require_known(states, self._prepared)
        rows = [states] if states.ndim == 1 else list(states)
        if not self._delay.ahead:
            return rows
        states = np.stack(rows)
        return list(states_after_delay(self._problem.model, states, self._systems, self._delay))

    def _make_plans(self, starts: Sequence[Float64], time_limit: float | None, steps: int) -> None:
        """Makes a plan for each system, of which this many steps are to be sent."""
        memories = [system.memory for system in self._systems]
        plans = self._prepared.plan_each(
            memories, starts, seed=self._seed, call=self._plans, time_limit=time_limit
        )
        # Before any is adopted.
        plans = self._failure.settled(plans, memories, self._prepared, self._trust)
        self._trust.report(plans)
        for system, plan in zip(self._systems, plans, strict=True):
            system.begin(plan, steps)

    def __repr__(self) -> str:
        return (
            f"MPC({type(self._problem.model).__name__}, {_texts.brief(self._problem.reward)}, "
            f"{_texts.brief(self.planner)}, replan_every={self.replan_every})"
        )
