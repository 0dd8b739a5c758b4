"""Plans of a thread by a clock that stands still: which action is sent when, to the bit."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import dynaplan as dp
from dynaplan.control import planner_thread
from dynaplan.control.timed_plan import TimedPlan

Floats = NDArray[np.float64]

# Of the clock, in seconds, so long that no plan is cut short; the system is quicker.
STEP = 1.0
A = np.array([[1.0, 0.01], [0.02, 1.0]])  # falls over, if nobody acts
B = np.array([[0.0], [0.05]])
MODEL = dp.LinearModel(A, B)
REWARD = dp.rewards.quadratic([1.0, 0.1]) + dp.rewards.action_cost([0.01])
BOX = ([-3.0], [3.0])
START = np.array([0.5, 0.0])
CEM = dp.CEM(horizon=15, candidates=64, elites=8, iterations=3)
PLANNERS = {"CEM": CEM, "ILQR": dp.ILQR(horizon=15), "LQR": dp.LQR(horizon=15)}


class Clock:
    """Two clocks that stand still until they are set: the loop's, and that of the planner's thread.

    The thread's goes on in `made` alone, so that it plans there and nowhere else.
    """

    time = of_planner = 100.0

    def __call__(self) -> float:
        is_loop = threading.current_thread() is threading.main_thread()
        return self.time if is_loop else self.of_planner


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(planner_thread, "_now", clock)
    return clock


def mpc_of(planner: dp.Planner = CEM, **parts: Any) -> dp.MPC:
    return dp.MPC(MODEL, REWARD, planner, action_space=BOX, seed=1, **parts)


def moved(state: Floats, action: Floats) -> Floats:
    return state @ A.T + np.asarray(action) @ B.T


def made(clock: Clock, thread: dp.PlannerThread, count: int) -> None:
    """Lets the thread's clock go on until the next plan is due, and waits until it is made."""
    plans = thread._planner.plans
    clock.of_planner = max([clock.time, *(plan.begins + 1e-9 for plan in plans[:1])])
    thread._background.wake()
    deadline = time.monotonic() + 60.0
    while thread.plans_made < count:
        assert time.monotonic() < deadline, "the thread does not plan"
        time.sleep(1e-4)


def threaded(
    clock: Clock,
    mpc: dp.MPC,
    start: Floats,
    period: int,
    *,
    plant_delay: int = 0,
    lateness: Callable[[int], float] = lambda n: 0.0,
) -> list[Any]:
    """The actions of 30 steps, each asked for a tenth of a step after its state, sometimes later.

    The plant obeys at exact times, whenever the loop wakes up.
    """
    state, actions = start, []
    waiting = [np.zeros((*start.shape[:-1], 1))] * plant_delay
    began = clock.time
    with dp.PlannerThread(mpc, period=period * STEP, step=STEP) as planner:
        for n in range(30):
            clock.time = began + (n + lateness(n)) * STEP
            planner.observe(state)
            clock.time += 0.1 * STEP
            actions.append(planner.action())
            if n % period == 0:
                made(clock, planner, n // period + 1)
            waiting.append(np.asarray(actions[-1]))
            state = moved(state, waiting.pop(0))
        assert (planner.misses, planner.holds) == (0, period)
    return actions


def synchronous(mpc: dp.MPC, start: Floats, delay: int) -> list[Any]:
    state, actions = start, []
    waiting = [np.zeros((*start.shape[:-1], 1))] * delay
    for _ in range(30):
        actions.append(mpc.act(state))
        waiting.append(np.asarray(actions[-1]))
        state = moved(state, waiting.pop(0))
    return actions


@pytest.mark.parametrize(("period", "delay"), [(1, 0), (4, 0), (1, 2), (3, 2), (2, 1)])
@pytest.mark.parametrize("name", PLANNERS)
def test_it_is_the_controller_with_the_delay_of_a_period(
    clock: Clock, name: str, period: int, delay: int
) -> None:
    planner, late = PLANNERS[name], period + delay
    expected = synchronous(mpc_of(planner, delay_steps=late, replan_every=period), START, late)
    actions = threaded(clock, mpc_of(planner, delay_steps=delay), START, period, plant_delay=delay)
    # What is planned at a step is sent a period later; zeros until then.
    np.testing.assert_array_equal(actions[:period], np.zeros((period, 1)))
    # The feedback of plans with gains adds the rounding of where the system should be.
    tolerance = 0.0 if name == "CEM" else 1e-9
    np.testing.assert_allclose(actions[period:], expected[:-period], rtol=0.0, atol=tolerance)
    assert np.abs(expected).max() > 1.0


def test_several_systems_are_controlled_alike(clock: Clock) -> None:
    starts = np.array([START, -2.0 * START, [0.0, 1.0]])
    expected = synchronous(mpc_of(delay_steps=2, replan_every=2), starts, 2)
    actions = threaded(clock, mpc_of(), starts, 2)
    assert actions[0].shape == (3, 1)
    np.testing.assert_array_equal(actions[2:], expected[:-2])


def test_discrete_actions_are_numbers(clock: Clock) -> None:
    gymnasium = pytest.importorskip("gymnasium")
    model = dp.LinearModel([[1.0]], [[-0.1, 0.0, 0.1]])
    planner = dp.CategoricalCEM(actions=np.eye(3), horizon=5, candidates=32, elites=4)
    space = gymnasium.spaces.Discrete(3, start=5)
    mpc = dp.MPC(model, dp.rewards.quadratic([1.0]), planner, action_space=space, seed=0)
    with dp.PlannerThread(mpc, period=STEP) as thread:
        for n, state in enumerate([1.0, -1.0]):
            clock.time = 100.0 + 2 * n * STEP
            thread.observe([state])
            made(clock, thread, n + 1)
            clock.time += STEP
            action = thread.action()
            assert type(action) is int
            assert action == (5 if state > 0.0 else 7)
        assert isinstance(thread.action(), int)
    several = dp.MPC(model, dp.rewards.quadratic([1.0]), planner, action_space=space, seed=0)
    with dp.PlannerThread(several, period=STEP) as thread:
        clock.time += 1.0
        thread.observe([[1.0], [-1.0]])
        made(clock, thread, 1)
        clock.time += STEP
        np.testing.assert_array_equal(thread.action(), [5, 7])


@pytest.mark.parametrize("name", PLANNERS)
def test_a_loop_that_wakes_up_late_gets_every_action_once(clock: Clock, name: str) -> None:
    # Later by up to a third of a step: the loop is at the next step, whatever the plan's is.
    rng = np.random.default_rng(0)
    late = rng.uniform(0.0, 0.33, 30)
    mpc, firsts = mpc_of(PLANNERS[name]), []
    plan = mpc.plan

    def kept(*given: Any, **more: Any) -> Any:
        firsts.append(plan(*given, **more))
        return firsts[-1]

    mpc.plan = kept  # type: ignore[method-assign]
    actions = threaded(clock, mpc, START, 1, lateness=lambda n: float(late[n]))
    planned = np.array([one.actions[0] for one in firsts])
    tolerance = 0.0 if name == "CEM" else 0.5  # feedback corrects what the lateness has changed
    np.testing.assert_allclose(actions[1:], planned[:29], atol=tolerance)


def first_plan(clock: Clock, thread: dp.PlannerThread) -> dp.Plan:
    thread.observe(START)
    made(clock, thread, 1)
    plan = thread.mpc.last_plan
    assert plan is not None
    return plan


def test_each_moment_has_the_action_of_its_step(clock: Clock) -> None:
    with dp.PlannerThread(mpc_of(previous_actions=[[0.7]]), period=2 * STEP, step=STEP) as thread:
        assert thread.age == math.inf
        assert not thread.is_fresh
        assert thread.action() == 0.7
        plan = first_plan(clock, thread)
        np.testing.assert_allclose(plan.states[0], moved(moved(START, [0.7]), [0.7]), rtol=1e-6)
        for tick in range(1, 400):  # calls at twenty times the rate of the steps
            clock.time = 100.0 + tick * STEP / 20
            step = math.floor(tick / 20 - 2.0 + 0.5 / 20)  # that of the middle until the next call
            held = 0.7 if step < 0 else plan.actions[min(step, 14), 0]
            assert thread.action() == held
            age = clock.time - 100.0 if tick >= 40 else math.inf
            assert thread.age == pytest.approx(age)
            assert thread.is_fresh == (40 <= tick <= 100)
        assert thread.holds == 1 + 39 + (399 - 339)
        assert thread.plans_made == 1  # there was no other state
        assert thread.misses == 0


def test_feedback_counts_from_the_state_that_the_plan_expects_then(clock: Clock) -> None:
    mpc = mpc_of(dp.LQR(horizon=15))
    with dp.PlannerThread(mpc, period=2 * STEP, step=STEP) as thread:
        plan = first_plan(clock, thread)
        assert plan.gains is not None
        for step, share in ((0, 0.25), (3, 0.0), (3, 0.5), (9, 0.75)):
            clock.time = 100.0 + (2 + step + share) * STEP - 1e-9
            thread.action()
            clock.time += 2e-9  # the next call comes at once, so that no time is rounded
            expected = plan.states[step] + share * (plan.states[step + 1] - plan.states[step])
            state = expected + np.array([0.01, -0.02])
            by_hand = plan.actions[step] + plan.gains[step] @ (state - expected)
            np.testing.assert_allclose(thread.action(state), by_hand, atol=1e-6)
            assert by_hand != pytest.approx(plan.actions[step], abs=1e-3)
            thread.observe(state)  # the newest counts likewise
            np.testing.assert_allclose(thread.action(), by_hand, atol=1e-6)
            np.testing.assert_array_equal(thread.action([9.0, 9.0]), [-3.0])


def test_rates_are_kept_whatever_the_feedback_wants(clock: Clock) -> None:
    mpc = mpc_of(dp.ILQR(horizon=15), limits=dp.Limits(action_rate=[0.25]))
    rng = np.random.default_rng(1)
    with dp.PlannerThread(mpc, period=2 * STEP, step=STEP) as thread:
        steps = []
        for n in range(60):
            clock.time = 100.0 + n * STEP
            thread.observe(rng.normal(size=2))
            if n % 2 == 0:
                made(clock, thread, n // 2 + 1)
            sent = []
            for share in (0.01, 0.26, 0.51, 0.76):
                clock.time = 100.0 + (n + share) * STEP
                sent.append(float(thread.action(rng.normal(size=2))[0]))
            steps.append(sent)
    before = np.array([sent[-1] for sent in steps[:-1]])
    changes = np.abs(np.array(steps[1:]) - before[:, None])
    assert changes.max() == pytest.approx(0.25, rel=1e-12)


def test_no_plan_is_made_before_it_is_due(clock: Clock) -> None:
    with dp.PlannerThread(mpc_of(), period=2 * STEP, step=STEP) as thread:
        first_plan(clock, thread)
        for share in (0.5, 1.0, 1.99):
            clock.time = clock.of_planner = 100.0 + share * STEP
            thread.observe(share * START)
            thread._background.wake()
            time.sleep(0.01)
            assert thread.plans_made == 1
        clock.time = clock.of_planner = 100.0 + 2.0 * STEP
        thread._background.wake()
        made(clock, thread, 2)
        assert thread._planner.plans[0].observed == 100.0 + 1.99 * STEP


def test_a_plan_that_is_late_is_a_miss_and_begins_in_its_midst(clock: Clock) -> None:
    def slow(states: Any, actions: Any, next_states: Any) -> Any:
        clock.time = clock.of_planner = 100.0 + 3.2 * STEP
        return -np.square(next_states).sum(axis=1)

    mpc = dp.MPC(MODEL, slow, CEM, action_space=BOX, seed=0)
    with dp.PlannerThread(mpc, period=STEP) as thread:
        plan = first_plan(clock, thread)
        assert thread.misses == 1
        clock.time += 0.01 * STEP
        assert thread.action() == plan.actions[2]
        assert not thread.is_fresh


def test_states_expected_lie_on_lines_and_end_at_both_ends() -> None:
    path = np.array([[[0.0], [1.0], [3.0]]])
    plan = TimedPlan(10.0, 11.0, 1.0, np.zeros((1, 1, 1)), path, None)
    moments = {9.0: 0.0, 10.0: 0.0, 10.5: 0.5, 11.0: 1.0, 11.25: 1.5, 12.0: 3.0, 99.0: 3.0}
    for moment, state in moments.items():
        np.testing.assert_array_equal(plan.expected(moment), [[state]])
    assert [plan.step_at(moment) for moment in (10.9, 11.0, 11.9, 13.0)] == [-1, 0, 0, 2]


def test_it_goes_on_where_a_controller_was(clock: Clock) -> None:
    mpc = mpc_of(previous_actions=[[1.0]])
    last = mpc.act(START)
    with dp.PlannerThread(mpc, period=STEP) as thread:
        np.testing.assert_array_equal(thread.action(), last)
        plan = first_plan(clock, thread)
        np.testing.assert_allclose(plan.states[0], moved(START, last), rtol=1e-6)
    assert np.isfinite(mpc.act(START)).all()  # closed, it is the caller's again


def test_each_of_several_systems_has_its_own_action_before() -> None:
    mpc = mpc_of(previous_actions=[[[0.5]], [[-0.5]]])
    with dp.PlannerThread(mpc, period=STEP) as thread:
        np.testing.assert_array_equal(thread.action(), [[0.5], [-0.5]])
    with dp.PlannerThread(mpc_of(), period=STEP) as thread:
        assert thread.action().shape == (1,)
        assert thread.action(np.zeros((3, 2))).shape == (3, 1)


@pytest.mark.parametrize("name", ["CEM", "ILQR"])
def test_a_loop_of_twenty_times_the_rate_earns_what_the_controller_does(
    clock: Clock, name: str
) -> None:
    fine = 20
    a = np.eye(2) + (A - np.eye(2)) / fine
    value = 0.0
    with dp.PlannerThread(mpc_of(PLANNERS[name]), period=STEP) as thread:
        state = START
        for n in range(60 * fine):
            clock.time = 100.0 + n * STEP / fine
            thread.observe(state)
            if n % fine == 0:
                made(clock, thread, n // fine + 1)
                value -= float(state @ [state[0], 0.1 * state[1]])
            state = a @ state + B[:, 0] / fine * thread.action()
        assert thread.misses == 0
    mpc, state, waiting, expected = mpc_of(PLANNERS[name], delay_steps=1), START, np.zeros(1), 0.0
    for _ in range(60):
        expected -= float(state @ [state[0], 0.1 * state[1]])
        action, state = mpc.act(state), moved(state, waiting)
        waiting = action
    assert value == pytest.approx(expected, rel=0.03)
