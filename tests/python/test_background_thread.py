"""The thread of a planner ends: when it is told, forgotten, or the interpreter ends."""

from __future__ import annotations

import copy
import gc
import os
import pickle
import threading
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dynaplan as dp
from public_objects import BOX, linear
from thread_cases import Blocking, failing, paying

STATE = [0.5, -0.5]
NAME = "dynaplan planner thread"
SAME_PACKAGE = {"PYTHONPATH": str(Path(dp.__file__).parents[1])}


def thread_of(pays: Any = paying, period: float = 0.02) -> dp.PlannerThread:
    planner = dp.CEM(horizon=6, candidates=16, elites=4, iterations=2)
    mpc = dp.MPC(linear(), pays, planner, action_space=BOX, seed=0)
    return dp.PlannerThread(mpc, period=period)


def failed() -> dp.PlannerThread:
    """A planner of which an error is kept."""
    planner = thread_of(failing)
    planner.observe(STATE)
    assert planner._background.news.wait(60.0)
    return planner


def wait_for(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 60.0
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(1e-3)


def alive() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == NAME]


def test_it_ends_after_the_plan_under_way_and_says_so() -> None:
    pays = Blocking()
    planner = thread_of(pays)
    planner.observe(STATE)
    assert pays.entered.wait(60.0)
    timer = threading.Timer(0.05, pays.go.set)
    timer.start()
    planner.close()
    timer.join()
    assert planner.plans_made == 1
    assert not planner._background._thread.is_alive()
    planner.close()
    calls: dict[str, Callable[[], Any]] = {
        "action": planner.action,
        "observe": lambda: planner.observe(STATE),
        "wait_for_first": lambda: planner.wait_for_first(1.0),
    }
    for name, call in calls.items():
        with pytest.raises(RuntimeError, match=f"^{name}: the planner thread is closed; make"):
            call()
    assert np.isfinite(planner.mpc.act(STATE)).all()


def test_whoever_waits_is_told_of_the_end() -> None:
    planner = thread_of()
    results: list[bool] = []
    waiter = threading.Thread(target=lambda: results.append(planner.wait_for_first(60.0)))
    waiter.start()
    time.sleep(0.02)
    planner.close()
    waiter.join(30.0)
    assert results in ([False], [])  # or it came too late to wait
    assert not waiter.is_alive()


class User:
    """An object whose own method its planner calls."""

    planner: dp.PlannerThread

    def pays(self, states: Any, actions: Any, next_states: Any) -> Any:
        return paying(states, actions, next_states)


@pytest.mark.parametrize("state", ["idle", "planning", "failed", "in a cycle"])
def test_a_planner_that_nobody_uses_ends(state: str) -> None:
    before, pays = len(alive()), Blocking()
    kept: Any
    if state == "planning":
        kept = thread_of(pays)
        kept.observe(STATE)
        assert pays.entered.wait(60.0)
    elif state == "failed":
        kept = failed()
    elif state == "in a cycle":
        kept = User()
        kept.planner = thread_of(kept.pays)
        kept.planner.observe(STATE)
        assert kept.planner.wait_for_first(60.0)
    else:
        kept = thread_of()
    there = weakref.ref(kept)
    gc.collect()
    assert len(alive()) == before + 1
    del kept
    pays.go.set()
    wait_for(lambda: gc.collect() >= 0 and there() is None and len(alive()) == before)


CODE = """
import time
import numpy as np
import dynaplan as dp

def pays(states, actions, next_states):
    time.sleep(SECONDS)
    return -np.square(next_states).sum(axis=1)

model = dp.LinearModel(0.9 * np.eye(2), np.ones((2, 1)))
large = dp.CEM(horizon=30, candidates=20_000, elites=50, iterations=10_000)
mpc = dp.MPC(model, REWARD, large, action_space=([-1.0], [1.0]))
planner = dp.PlannerThread(mpc, period=0.2, step=0.1)
planner.observe([1.0, 1.0])
time.sleep(0.1)
print("end of the program")
"""


@pytest.mark.parametrize("pays", ["dp.rewards.quadratic([1.0, 1.0])", "pays"])
def test_the_interpreter_ends_in_the_midst_of_a_plan(run_python: Any, pays: str) -> None:
    code = CODE.replace("REWARD", pays).replace("SECONDS", "0.05")
    result = run_python(code, environment=SAME_PACKAGE)
    assert result.stdout == "end of the program\n"
    assert not result.stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_process_is_told(run_python: Any) -> None:
    code = """
import os
import numpy as np
import dynaplan as dp

mpc = dp.MPC(dp.LinearModel([[0.9]], [[0.1]]), dp.rewards.quadratic([1.0]), dp.LQR(),
             action_space=([-1.0], [1.0]))
planner = dp.PlannerThread(mpc, period=0.01)
planner.observe([1.0])
assert planner.wait_for_first(60.0)
child = os.fork()
if not child:
    try:
        planner.action()
    except RuntimeError as error:
        assert "forked" in str(error) and str(error).startswith("action: "), error
        planner.close()
        with dp.PlannerThread(mpc, period=0.01) as another:
            another.observe([1.0])
            os._exit(0 if another.wait_for_first(60.0) else 1)
    os._exit(2)
assert os.waitpid(child, 0)[1] == 0
planner.action()
planner.close()
"""
    run_python(code, environment=SAME_PACKAGE)


@pytest.mark.parametrize("way", [copy.copy, copy.deepcopy, pickle.dumps])
def test_a_thread_is_neither_copied_nor_pickled(way: Callable[[Any], Any]) -> None:
    with (
        thread_of() as planner,
        pytest.raises(TypeError, match="PlannerThread: its thread is neither copied nor pickled"),
    ):
        way(planner)
