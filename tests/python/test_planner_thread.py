"""A planner in a thread of its own: it never holds up the loop, loses no error, and ends."""

from __future__ import annotations

import math
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import dynaplan as dp
from dynaplan.control import planner_thread
from public_objects import BOX, controller, linear, reward
from thread_cases import Blocking, failing, paying

STATE = [0.5, -0.5]
SMALL = dp.CEM(horizon=6, candidates=16, elites=4, iterations=2)


def mpc_of(pays: Any = None, planner: dp.Planner = SMALL, **parts: Any) -> dp.MPC:
    settings: dict[str, Any] = {"trust": "ignore", "seed": 0, **parts}  # states far from the data
    return dp.MPC(linear(), pays or reward(), planner, action_space=BOX, **settings)


def thread_of(pays: Any = None, period: float = 0.02, **parts: Any) -> dp.PlannerThread:
    return dp.PlannerThread(mpc_of(pays, **parts), period=period)


def wait_for(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 60.0
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(1e-3)


def test_plans_follow_each_other_and_are_sent() -> None:
    with thread_of(period=0.005) as planner:
        assert not planner.wait_for_first(0.0)
        planner.observe(STATE)
        assert planner.wait_for_first(60.0)
        wait_for(lambda: planner.age < math.inf)
        assert planner.age >= 0.005
        sent = set()

        def sends() -> bool:
            planner.observe(np.random.default_rng(len(sent)).normal(size=2))
            action = planner.action()
            assert action.shape == (1,)
            assert abs(action[0]) <= 1.0
            sent.add(float(action[0]))
            return planner.plans_made >= 10

        wait_for(sends)
    assert len(sent) > 3
    assert planner.mpc.last_plan is not None


def test_neither_call_waits_for_a_plan() -> None:
    pays = Blocking()
    with thread_of(pays) as planner:
        planner.observe(STATE)
        assert pays.entered.wait(60.0)
        for _ in range(1000):  # would hang, were there a lock
            planner.observe(STATE)
            assert planner.action() == 0.0
        assert planner.holds == 1000
        assert not planner.wait_for_first(0.01)
        pays.go.set()
        assert planner.wait_for_first(60.0)


def test_calls_take_a_fraction_of_a_plan() -> None:
    # Plans of 20 ms, as the time limit cuts them; half of the calls take less than a quarter.
    large = dp.CEM(horizon=30, candidates=20_000, elites=50, iterations=10_000)
    mpc = mpc_of(planner=large)
    with dp.PlannerThread(mpc, period=0.02) as planner:
        planner.observe(STATE)
        assert planner.wait_for_first(60.0)
        times = []
        for n in range(300):
            begin = time.perf_counter()
            planner.observe(STATE)
            planner.action()
            times.append(time.perf_counter() - begin)
            if n % 3 == 0:
                time.sleep(1e-3)
        plan = planner.mpc.last_plan
        assert plan is not None
        assert plan.status == "time_limit"
        assert np.median(times) < 0.25 * plan.stats.seconds


def test_the_newest_state_wins_and_is_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(planner_thread, "_now", lambda: clock[0])
    pays, state = Blocking(), np.array(STATE)
    with thread_of(pays) as planner:
        planner.observe(state)
        assert pays.entered.wait(60.0)
        for value in (5.0, 7.0):
            state[:] = value
            planner.observe(state)
        state[:] = np.nan  # the caller's buffer, which it may fill as it likes
        clock[0] += 0.02
        pays.go.set()
        wait_for(lambda: planner.plans_made == 2)
        plan = planner.mpc.last_plan
        assert plan is not None
        # After the period that it has waited and the one to plan in, of x' = 0.9 x + 0.1 u.
        assert plan.states[0] == pytest.approx([0.81 * 7.0] * 2, abs=0.2)


def test_a_sleeping_loop_costs_nothing() -> None:
    with thread_of() as planner:
        planner.observe(STATE)
        assert planner.wait_for_first(60.0)
        before = time.process_time()
        time.sleep(0.3)
        assert time.process_time() - before < 0.15
        assert planner.plans_made == 1


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt, SystemExit])
def test_what_the_planner_raises_is_raised_in_the_loop(error: type[BaseException]) -> None:
    fails = [True]

    def pays(states: Any, actions: Any, next_states: Any) -> Any:
        if fails[0]:
            raise error("of the reward")
        return paying(states, actions, next_states)

    with thread_of(pays) as planner:
        planner.observe(STATE)
        with pytest.raises(error, match="of the reward") as caught:
            wait_for(planner.action)
        frames = [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
        assert frames.index("action") < frames.index("pays")
        planner.observe(STATE)
        with pytest.raises(error):
            planner.wait_for_first(60.0)
        planner.action()  # once is enough
        fails[0] = False
        planner.observe(STATE)
        assert planner.wait_for_first(60.0)


def test_a_numerical_error_is_raised_in_the_loop() -> None:
    limits = dp.Limits(state_low=[2.0, 2.0])
    with thread_of(limits=limits, on_failure="raise") as planner:
        planner.observe(STATE)
        with pytest.raises(dp.NumericalError, match="on_failure"):
            planner.wait_for_first(60.0)


def failed() -> dp.PlannerThread:
    """A planner of which an error is kept."""
    planner = thread_of(failing)
    planner.observe(STATE)
    assert planner._background.news.wait(60.0)
    return planner


def test_an_error_that_no_call_has_seen_is_raised_at_the_end() -> None:
    planner = failed()
    with pytest.raises(ZeroDivisionError):
        planner.close()
    planner.close()
    with pytest.raises(ZeroDivisionError), failed():
        pass


def test_the_loops_own_error_passes_and_shows_the_planners() -> None:
    with pytest.raises(KeyError, match="of the loop") as caught, failed():
        raise KeyError("of the loop")
    assert isinstance(caught.value.__context__, ZeroDivisionError)
    own = KeyError("of the loop")
    own.__context__ = ValueError("that came before")
    with pytest.raises(KeyError), failed():
        raise own
    assert isinstance(own.__context__, ValueError)
    assert isinstance(own.__context__.__context__, ZeroDivisionError)


def test_parts_are_exchanged_meanwhile() -> None:
    with thread_of() as planner:
        planner.observe(STATE)
        assert planner.wait_for_first(60.0)
        planner.mpc.change(reward=dp.rewards.linear([100.0, 0.0]), action_space=([0.2], [0.3]))

        def sends() -> Any:
            planner.observe(STATE)
            return planner.action() == pytest.approx(0.3)

        wait_for(sends)


def test_states_and_actions_come_and_go_in_many_threads() -> None:
    errors: list[BaseException] = []
    with thread_of(planner=dp.ILQR(horizon=6)) as planner:

        def use(seed: int) -> None:
            rng = np.random.default_rng(seed)
            try:
                for _ in range(200):
                    planner.observe(rng.normal(size=2))
                    assert abs(planner.action(rng.normal(size=2))[0]) <= 1.0
                    time.sleep(2e-4)
            except BaseException as error:
                errors.append(error)

        users = [threading.Thread(target=use, args=(seed,)) for seed in range(4)]
        for user in users:
            user.start()
        for user in users:
            user.join()
        assert not errors
        wait_for(lambda: planner.plans_made > 1)


def test_what_does_not_fit_is_refused_by_name() -> None:
    mpc, before = controller(), threading.active_count()
    with pytest.raises(TypeError, match="mpc: got LinearGaussian, must be an MPC"):
        dp.PlannerThread(linear(), period=0.1)  # type: ignore[arg-type]
    for wrong in (0.0, -1.0, math.inf, math.nan):
        with pytest.raises(dp.ArgumentError, match=r"period: got .*, must be finite and above 0"):
            dp.PlannerThread(mpc, period=wrong)
        with pytest.raises(dp.ArgumentError, match=r"step: got .*, must be finite and above 0"):
            dp.PlannerThread(mpc, period=0.1, step=wrong)
    with pytest.raises(dp.ArgumentError, match=r"period: got 1e-05, must be at least 0.0001 sec"):
        dp.PlannerThread(mpc, period=1e-5)
    with pytest.raises(dp.ArgumentError, match=r"period: got 0.7, must be at most 0.6 seconds, t"):
        dp.PlannerThread(mpc, period=0.7, step=0.1)
    for period, step in ((0.25, 0.1), (0.04, 0.1)):
        with pytest.raises(dp.ArgumentError, match=r"period: .*, must be a whole number of steps"):
            dp.PlannerThread(mpc, period=period, step=step)
    with thread_of() as planner:
        for call in (planner.observe, planner.action):
            with pytest.raises(dp.ShapeError, match=r"state: got shape \(3,\), must be \(2,\) or"):
                call([1.0, 2.0, 3.0])
            with pytest.raises(dp.ArgumentError, match=r"state: got \[0, nan\], must be finite"):
                call([0.0, math.nan])
        planner.observe(STATE)
        with pytest.raises(dp.ShapeError, match=r"state: got shape \(3, 2\), must be \(2,\) as in"):
            planner.observe(np.zeros((3, 2)))
        for wrong in (-1.0, math.nan):
            with pytest.raises(dp.ArgumentError, match=r"timeout: got .*, must be at least 0"):
                planner.wait_for_first(wrong)
        assert planner.wait_for_first(math.inf)
    assert threading.active_count() <= before
