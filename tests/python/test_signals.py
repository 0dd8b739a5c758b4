"""Python's signal handlers run while a long call works, not only when it has ended."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
import pytest

import dynaplan as dp
from public_objects import BOX, maze

BETWEEN_SIGNALS = 0.01
# What is promised; on a busy machine the best of a few attempts.
LONGEST_WAIT = 0.1
ATTEMPTS = 5


def _data(rows: int, states: int, actions: int) -> dp.Transitions:
    rng = np.random.default_rng(0)
    s, a = rng.normal(size=(rows, states)), rng.uniform(-1, 1, size=(rows, actions))
    return dp.Transitions(s, a, 0.9 * s + 0.1 * np.tanh(s) + 0.1 * a[:, :1])


def _planning(planner: Any) -> Callable[[], Any]:
    model, reward = dp.LinearGaussian.fit(_data(50, 1, 1)), dp.rewards.quadratic([1.0])
    return lambda: planner.plan(model, reward, [0.5], action_space=BOX, seed=0)


def _polynomial_fit(rows: int, states: int) -> Callable[[], Any]:
    data = _data(rows, states, 1)
    return lambda: dp.LinearGaussian.fit(data, features=dp.Polynomial(4))


def _update_of_a_large_batch() -> Callable[[], Any]:
    agent = dp.SAC(gymnasium.make("Pendulum-v1"), hidden=(256, 256), batch_size=16_384, seed=0)
    states = np.random.default_rng(0).normal(size=(1000, 3))
    actions, ended = np.zeros((1000, 1)), np.zeros(1000, np.bool_)
    agent.observe(states, actions, states[:, 0], states, ended)
    return agent.update


def _prediction() -> Callable[[], Any]:
    data = _data(100_000, 4, 1)
    model = dp.Ensemble.fit(data[:100], members=5, hidden=(128, 128), epochs=1, seed=0)
    return lambda: model.predict(data.states, data.actions)


def _network_fit() -> Callable[[], Any]:
    data = _data(16_384, 4, 1)
    return lambda: dp.MLP.fit(data, hidden=(512, 512), batch_size=16_384, epochs=1, seed=0)


def _iterations_along_a_long_horizon() -> Callable[[], Any]:
    model = dp.Ensemble.fit(_data(100, 4, 1), members=5, hidden=(128, 128), epochs=1, seed=0)
    planner, reward = (
        dp.ILQR(horizon=3000, iterations=2, tolerance=0.0),
        dp.rewards.linear([1.0] * 4),
    )
    return lambda: planner.plan(model, reward, np.zeros(4), action_space=BOX, seed=0)


def _table_that_plans() -> Callable[[], Any]:
    agent = dp.DynaQ(maze(), planning_steps=3_000_000, seed=0)
    return lambda: agent.observe(0, 1, 0.0, 1, False)


# Each was deaf for .3 to 120 s.
LONG: dict[str, Callable[[], Callable[[], Any]]] = {
    "fit of many features": lambda: _polynomial_fit(3000, 7),
    "fit of more features than rows": lambda: _polynomial_fit(200, 5),
    "CEM": lambda: _planning(dp.CEM(horizon=200, candidates=300_000, iterations=1)),
    "MPPI": lambda: _planning(dp.MPPI(horizon=200, candidates=200_000, iterations=1)),
    "LQR": lambda: _planning(dp.LQR(horizon=50_000)),
    "ILQR": _iterations_along_a_long_horizon,
    "update": _update_of_a_large_batch,
    "predict": _prediction,
    "DynaQ": _table_that_plans,
    "network fit": _network_fit,
}


def _longest_wait(call: Callable[[], Any]) -> float:
    """The longest time between two runs of a handler that is due every 10 ms."""
    runs: list[float] = []
    before = signal.signal(signal.SIGALRM, lambda *_: runs.append(time.perf_counter()))
    runs.append(time.perf_counter())
    signal.setitimer(signal.ITIMER_REAL, BETWEEN_SIGNALS, BETWEEN_SIGNALS)
    try:
        call()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)
    runs.append(time.perf_counter())
    return float(np.diff(runs).max())


@pytest.mark.filterwarnings("ignore::dynaplan.RankDeficientWarning")
@pytest.mark.parametrize("name", LONG)
def test_handlers_run_during_long_calls(name: str) -> None:
    call = LONG[name]()
    waits: list[float] = []
    while not waits or (min(waits) > LONGEST_WAIT and len(waits) < ATTEMPTS):
        waits.append(_longest_wait(call))
    assert min(waits) <= LONGEST_WAIT


class Asked(Exception):
    """What a handler of the user's raises."""


def _raise(*_: Any) -> None:
    raise Asked


@pytest.mark.filterwarnings("ignore::dynaplan.RankDeficientWarning")
@pytest.mark.parametrize("name", LONG)
def test_what_a_handler_raises_comes_out_and_leaves_all_whole(name: str) -> None:
    call = LONG[name]()

    def call_again_and_again() -> None:
        for _ in range(1000):
            call()

    before = signal.signal(signal.SIGALRM, _raise)
    signal.setitimer(signal.ITIMER_REAL, 0.03)
    try:
        with pytest.raises(Asked):
            call_again_and_again()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)
    call()


def test_progress_is_reported_by_the_thread_that_called() -> None:
    callers: list[int] = []
    dp.MLP.fit(
        _data(50, 1, 1),
        hidden=(4,),
        epochs=3,
        seed=0,
        progress=lambda *_: callers.append(threading.get_ident()),
    )
    assert callers == [threading.get_ident()] * 3


def test_what_progress_raises_comes_out_of_the_fit() -> None:
    def refuse(*_: Any) -> None:
        raise Asked

    with pytest.raises(Asked):
        dp.MLP.fit(_data(50, 1, 1), hidden=(4,), epochs=3, seed=0, progress=refuse)
