"""`PlannerThread`: plans in a thread of its own, beside a control loop that never waits for one."""

from __future__ import annotations

import math
import threading
import time
from types import TracebackType
from typing import Any, NoReturn

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynaplan import _arrays, _texts
from dynaplan.control.background_thread import BackgroundThread
from dynaplan.control.mpc import MPC
from dynaplan.control.past import require_no_history
from dynaplan.control.timed_plan import Sender, Sight, plan_at
from dynaplan.control.timed_planner import TimedPlanner
from dynaplan.errors import ArgumentError, ShapeError

__all__ = ["PlannerThread"]

Float64 = NDArray[np.float64]
_now = time.perf_counter


class PlannerThread:
    """Plans in a thread of its own, so that a control loop of any rate never waits for a plan.

    The loop hands over states with `observe` and reads the action to send with `action`; both
    return at once. Every `period` the thread plans from the newest state, unless that is older than
    1,000 steps. A plan begins to act one period after its state was observed, when it is ready: it
    is made from the state predicted for then, under the actions sent meanwhile. `MPC.delay_steps`
    counts the plant's own delay alone.

    An action holds for a `step` of the model; at each moment the loop gets that of the step in
    which the middle of the time until its next call lies. Plans with gains (`ILQR`, `LQR`) correct
    it for the difference between the state and the one that the plan expects at that moment.
    Before the first plan begins, and after the last step of one that no other has followed, the
    action sent last is held; before the first, that is the last of `MPC(previous_actions=)`, zeros
    by default, as the first plan takes it to be.

    What the planner raises is kept, and raised by the loop's next `action`, `wait_for_first` or
    `close`; then it plans on. While Python code runs in a plan, such as a reward in Python, the
    loop's own Python waits for it; a loop that spins instead of sleeping delays the plans likewise.

    The thread ends with `close`, at the end of a `with` block, when the object is no longer used,
    or with the interpreter: at once, or after the plan under way. It does not survive a fork.

    Args:
        mpc: the controller; until the thread is closed nobody else may call its `act`, `plan`,
            `advance` or `reset`. Parts may be exchanged with its `change`; the next plan has them.
            Its `replan_every` is not used.
        period: seconds from one plan to the next, a whole number of steps and at most the
            planner's horizon. A plan is cut short where it would take longer, as with `time_limit`.
        step: seconds of a step of the model. Default: the period.

    Attributes:
        mpc: the controller; its `last_plan` is the newest one.
        period: seconds.
        step: seconds.

    Raises:
        TypeError: `mpc` is no MPC.
        ArgumentError: `period` or `step` is out of range, or they do not fit each other; or the
            model has a history, as states may be handed over at any time.

    Source: Findeisen and Allgöwer 2004, "Computational delay in nonlinear model predictive
    control", IFAC Proceedings Volumes 37 (1).

    Example:
        >>> model = dp.LinearModel([[1.0]], [[0.1]])
        >>> reward = dp.rewards.quadratic([1.0])
        >>> mpc = dp.MPC(model, reward, dp.LQR(), action_space=([-1.0], [1.0]))
        >>> with dp.PlannerThread(mpc, period=0.1) as planner:
        ...     planner.observe([5.0])
        ...     planner.wait_for_first(10.0)
        True
        >>> mpc.last_plan.actions[0].round(9)
        array([-1.])
    """

    def __init__(self, mpc: MPC, *, period: float, step: float | None = None) -> None:
        if not isinstance(mpc, MPC):
            raise TypeError(f"mpc: got {_texts.shown(mpc)}, must be an MPC")
        require_no_history("mpc", mpc._problem.model)
        self.mpc = mpc
        self._planner = TimedPlanner(mpc, period, period if step is None else step)
        self.period, self.step = self._planner.period, self._planner.step
        self._sender = Sender(self._planner.sent_before)
        self._shape: tuple[int, ...] = ()  # of the states, once there is one
        self._called = -math.inf  # when the loop asked for an action last
        self._half_hold = 0.0  # seconds until the middle of the time for which it is sent
        self._plans_made = self._misses = self._holds = 0
        # Between the threads objects go as a whole, by one assignment each, so that there are no
        # locks.
        self._newest: Sight | None = None
        self._planned_from: Sight | None = None
        self._waits_for_state = True
        self._background = BackgroundThread(self._plan, "planner thread")

    def observe(self, state: ArrayLike) -> None:
        """Hands over the newest state, observed now, and returns at once.

        Args:
            state: (S,), or (N, S) for N systems, as many as in the call before.

        Raises:
            ShapeError: it has the wrong shape.
            ArgumentError: it is not finite.
            RuntimeError: the thread is closed, or the process was forked.
        """
        self._background.require("observe")
        self._newest = Sight(self._states(state), _now())
        if self._waits_for_state:
            self._background.wake()

    def action(self, state: ArrayLike | None = None) -> Any:
        """Returns the action to send now, at once.

        Args:
            state: (S,) or (N, S) now, for the feedback of plans with gains; it is not handed over.
                None: the newest that was.

        Returns:
            (A,) or (N, A), within the bounds and rates; for a Discrete space an int or (N,) of int.
            Before the first state (A,), unless `MPC` was given previous actions of N systems.

        Raises:
            ShapeError: the state has the wrong shape.
            ArgumentError: it is not finite.
            RuntimeError: the thread is closed, or the process was forked.
            Exception: what the planner raised since the call before, of whatever class.
        """
        self._background.require("action")
        self._raise_error()
        now = _now()
        sight = self._newest if state is None else Sight(self._states(state), now)
        self._half_hold = 0.5 * min(now - self._called, self.step)
        self._called = now
        plans, moment = self._planner.plans, now + self._half_hold
        self._holds += not self._sender.send(plans, moment, sight, self.mpc._prepared)
        return self._answer(self._sender.last)

    def wait_for_first(self, timeout: float) -> bool:
        """Waits until the first plan is finished; it begins one period after its state.

        Args:
            timeout: seconds to wait at most.

        Returns:
            Whether there is a plan.

        Raises:
            ArgumentError: the timeout is negative or nan.
            RuntimeError: the thread is closed, or the process was forked.
            Exception: what the planner raised, of whatever class.
        """
        seconds = _arrays.real("timeout", timeout)
        if not seconds >= 0.0:
            raise ArgumentError(f"timeout: got {_texts.shown(timeout)}, must be at least 0")
        self._background.require("wait_for_first")
        if not self._planner.plans:
            self._background.news.wait(min(seconds, threading.TIMEOUT_MAX))
        self._raise_error()
        return bool(self._planner.plans)

    @property
    def age(self) -> float:
        """Seconds since the state was observed that the plan in use was made from; inf: no plan.

        Where all is in time it is from one period to two.
        """
        now = _now()
        plan = plan_at(self._planner.plans, now + self._half_hold)
        return math.inf if plan is None else now - plan.observed

    @property
    def is_fresh(self) -> bool:
        """Whether there is a plan in use, whose age is at most two periods and one step."""
        return self.age <= 2.0 * self.period + self.step

    @property
    def plans_made(self) -> int:
        """How many plans were finished."""
        return self._plans_made

    @property
    def misses(self) -> int:
        """How many of the plans were finished only after they should have begun."""
        return self._misses

    @property
    def holds(self) -> int:
        """How many calls of `action` were answered for want of a plan: with the last action."""
        return self._holds

    def close(self) -> None:
        """Ends the thread, after the plan under way; calls after the first do nothing.

        Raises:
            Exception: what the planner raised since the last `action`, of whatever class.
        """
        self._background.end()
        self._raise_error()

    def __enter__(self) -> PlannerThread:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self.close()
            return
        self._background.end()
        first = error  # the loop's error passes; what the planner raised is shown with it
        while first.__context__ is not None:
            first = first.__context__
        first.__context__ = self._background.take_error()

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError(
            "PlannerThread: its thread is neither copied nor pickled; close it, copy its `mpc` and "
            "make another"
        )

    def __repr__(self) -> str:
        return _texts.call_text("PlannerThread", self.mpc, period=self.period, step=self.step)

    def _raise_error(self) -> None:
        error = self._background.take_error()
        if error is not None:
            raise error

    def _states(self, state: ArrayLike) -> Float64:
        """Returns (N, S), a copy, as the caller may write on into its own."""
        states = np.array(_arrays.numbers("state", state), ndmin=1)
        size = self.mpc._past.observed
        if states.ndim > 2 or states.shape[-1] != size or not states.size:
            raise ShapeError(f"state: got shape {states.shape}, must be ({size},) or (N, {size})")
        if self._shape not in ((), states.shape):
            raise ShapeError(
                f"state: got shape {states.shape}, must be {self._shape} as in the call before"
            )
        if not np.isfinite(states).all():
            raise ArgumentError(f"state: got {_texts.brief(states)}, must be finite")
        self._shape = states.shape
        return states.reshape(-1, size)

    def _answer(self, actions: Float64) -> Any:
        """Returns (N, A) in the form that the states have, or numbers of a Discrete space."""
        count = 1 if len(self._shape) < 2 else self._shape[0]
        if len(actions) < count:  # before the first plan, where all systems have the same
            actions = np.repeat(actions, count, axis=0)
        is_single = len(actions) == 1 and len(self._shape) < 2
        return self.mpc._prepared.numbered(actions[0].copy() if is_single else actions.copy())

    def _plan(self) -> float | None:
        """Plans where that is due; returns the seconds until it is, None: with the next state."""
        self._waits_for_state = True  # before the look, so that no state comes unseen in between
        sight = self._newest
        if sight is None or sight is self._planned_from:
            return None
        self._waits_for_state = False
        now, plans = _now(), self._planner.plans
        if plans and now < plans[0].begins:
            return plans[0].begins - now
        self._planned_from = sight
        if self._planner.plan(sight, now):
            self._misses += _now() > self._planner.plans[0].begins
            self._plans_made += 1
            self._background.news.set()
        return 0.0
