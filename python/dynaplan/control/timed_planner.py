"""`TimedPlanner`: plans for when they will be ready, under what is sent until then."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynaplan import _arrays, _texts
from dynaplan.control.mpc import MPC
from dynaplan.control.timed_plan import Sender, Sight, TimedPlan, timed
from dynaplan.errors import ArgumentError, NumericalError
from dynaplan.models.interface import Model
from dynaplan.rollouts.rollout import rollout

__all__ = ["TimedPlanner"]

Float64 = NDArray[np.float64]
_SHORTEST_PERIOD = 1e-4  # seconds; what surrounds the smallest plan takes as long
_KEPT = 4  # plans; the loop uses one of two, states that have waited are from the time before
_OLDEST = 1000  # steps that a state may have waited; each is predicted
_SHARE = 0.9  # of the time until a plan must be ready; the rest is for what surrounds it


class TimedPlanner:
    """Makes plans that begin a period after their states were observed.

    Until then the systems move on under what is sent meanwhile: they are predicted with the model,
    under the actions of the plans before and their feedback, and a plan begins where that ends.

    Args:
        mpc: makes the plans; nobody else may act with it meanwhile.
        period: seconds from one plan to the next, a whole number of steps.
        step: seconds of a step of the model.

    Raises:
        ArgumentError: a time is out of range, or they do not fit each other or the horizon.

    Attributes:
        period: in seconds.
        step: in seconds.
        plans: the last ones, newest first; replaced as a whole.
    """

    def __init__(self, mpc: MPC, period: float, step: float) -> None:
        self.period, self.step = _seconds("period", period), _seconds("step", step)
        self._steps = _whole_steps(self.period, self.step, mpc.planner.horizon)
        self._mpc = mpc
        self._memory = max(mpc._delay.queued, 2)  # how many actions before a plan matter to it
        self.plans: tuple[TimedPlan, ...] = ()
        self._sent: list[Float64] = []  # (N, A) of each step, the oldest first
        self._sent_until = 0.0  # when the last of these steps ends
        self._warm_start_begins = 0.0  # when the plan does that the next one starts from
        self._limits = mpc._problem.limits  # of the last plan

    @property
    def sent_before(self) -> Float64:
        """(N, A) sent last, as the controller has it; N is 1 where it is the same for all."""
        mpc = self._mpc
        if mpc._systems:
            return np.stack([system.last_action for system in mpc._systems])
        return mpc._hand_over.actions(mpc._prepared.low, mpc._prepared.high)[:, -1]

    def plan(self, sight: Sight, now: float) -> bool:
        """Plans from what was observed; returns False, without a plan, where that is too old.

        Raises:
            NumericalError: the model diverges before the plan begins, or no plan is allowed.
        """
        step, waited = self.step, now - sight.time
        if waited > _OLDEST * step:
            return False
        steps = self._steps
        if waited > 0.5 * self.period:  # too little is left of the period
            steps += math.ceil(waited / step)
        begins = sight.time + steps * step
        self._look_back(sight)
        lead = self._look_ahead(sight, steps)
        self._hand_over(begins)
        states = lead[:, steps]
        state = states[0] if len(states) == 1 else states
        made = self._mpc.plan(state, time_limit=_SHARE * (begins - now))
        plans = made if isinstance(made, list) else [made]
        plan = timed(
            plans,
            lead[:, :-1],
            observed=sight.time,
            begins=begins,
            step=step,
            bounds=self._mpc._prepared.bounds_ahead,
            first=self._mpc._systems[0].plan_step,
        )
        self.plans = (plan, *self.plans[: _KEPT - 1])
        return True

    def _look_back(self, sight: Sight) -> None:
        """Brings what was sent up to the moment of the observation."""
        if not self._sent:
            single = len(sight.states) == 1
            self._mpc._states(sight.states[0] if single else sight.states)  # makes the memories
            self._sent = list(np.stack([s.last_actions for s in self._mpc._systems], axis=1))
            self._sent_until = self._warm_start_begins = sight.time
            return
        ahead = round((self._sent_until - sight.time) / self.step)
        if ahead > 0:  # what was going to be sent then is looked at anew
            del self._sent[-ahead:]
        sender = Sender(self._sent[-1])
        for n in range(max(ahead, -self._memory), 0):
            moment = sight.time + (n + 0.5) * self.step
            sender.send(self.plans, moment, None, self._mpc._prepared)
            self._sent.append(sender.last)
        self._sent_until = sight.time

    def _look_ahead(self, sight: Sight, steps: int) -> Float64:
        """Returns (N, steps + delay + 1, S): from the observation until the plan's actions act."""
        model, delay = self._mpc._problem.model, self._mpc._delay
        sent, states, path = list(self._sent), sight.states, [sight.states]
        sender = Sender(sent[-1])
        for n in range(steps):
            time = sight.time + n * self.step
            expected = Sight(states, time)
            sender.send(self.plans, time + 0.5 * self.step, expected, self._mpc._prepared)
            sent.append(sender.last)
            states = _next(model, states, delay.at_once(np.stack(sent[-1 - delay.queued :], 1)))
            path.append(states)
        acting = delay.until_plan(np.stack(sent, 1))
        for step in range(delay.ahead):
            path.append(_next(model, path[-1], acting[:, step]))
        self._sent = sent[-steps - self._memory :]
        self._sent_until = sight.time + steps * self.step
        return np.stack(path, axis=1)

    def _hand_over(self, begins: float) -> None:
        """Tells the controller what will have been sent when its next plan begins."""
        systems = self._mpc._systems
        steps = round((begins - self._warm_start_begins) / self.step)
        passed = min(steps, *(system.steps_left for system in systems))
        if passed > 0:
            self._mpc.advance(passed)
        self._count(steps, passed)
        self._warm_start_begins = begins
        actions = np.stack(self._sent[-self._memory :], axis=1)
        for system, sent in zip(systems, actions, strict=True):
            system.correct_sent(sent)

    def _count(self, steps: int, passed: int) -> None:
        """Counts the steps of the limits, also those beyond the plan; from 0 for other limits."""
        limits = self._mpc._problem.limits
        for system in self._mpc._systems:
            if system.plan is None or limits is not self._limits:
                system.memory.step = 0
            else:
                system.memory.step += max(steps, 0) - max(passed, 0)
        self._limits = limits


def _next(model: Model, states: Float64, actions: Float64) -> Float64:
    """Returns (N, S) states after one step."""
    after: Float64 = rollout(model, states, actions[:, np.newaxis])[:, 1]
    if not np.isfinite(after).all():
        raise NumericalError(
            "period: the model predicts a state that is not finite before a plan begins, from "
            "which there is none"
        )
    return after


def _seconds(name: str, value: Any) -> float:
    seconds = _arrays.real(name, value)
    if not 0.0 < seconds < math.inf:
        raise ArgumentError(f"{name}: got {_texts.shown(value)}, must be finite and above 0")
    return seconds


def _whole_steps(period: float, step: float, horizon: int) -> int:
    """Returns how many steps a period has."""
    if period < _SHORTEST_PERIOD:
        raise ArgumentError(f"period: got {period}, must be at least {_SHORTEST_PERIOD} seconds")
    steps = period / step
    if steps > horizon + 0.5:
        raise ArgumentError(
            f"period: got {period}, must be at most {horizon * step:g} seconds, the planner's "
            f"horizon of {horizon} steps of {step} seconds"
        )
    if abs(steps - round(steps)) > 1e-6 * steps:
        raise ArgumentError(f"period: got {period}, must be a whole number of steps of {step}")
    return round(steps)
