"""Planners after a fork and in many threads at once make the plans that one thread makes alone."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import dynaplan as dp
from reference.systems import linear_system

SPACE = (np.array([-2.0, -1.0]), np.array([1.0, 1.5]))
PLANNERS = {
    "cem": dp.CEM(horizon=8, candidates=300, elites=30),
    "icem": dp.ICEM(horizon=8, candidates=200),
    "mppi": dp.MPPI(horizon=8, candidates=300),
    "random shooting": dp.RandomShooting(horizon=8, candidates=600),
}
WORKERS = 8
STEPS = 8


@pytest.fixture(scope="module")
def models() -> dict[str, Any]:
    data = linear_system(100)
    return {
        "polynomial": dp.LinearGaussian.fit(data, features=dp.Polynomial(2)),
        "networks": dp.Ensemble.fit(data, members=2, hidden=(16,), epochs=20, seed=0),
    }


def compiled_reward() -> Any:
    return dp.rewards.quadratic([1.0, 1.0, 1.0]) + dp.rewards.action_cost([0.1, 0.1])


def python_reward(obs: Any, act: Any, next_obs: Any) -> Any:
    return -np.square(next_obs).sum(axis=1) - 0.1 * np.square(act).sum(axis=1)


def episode(model: Any, reward: Any, planner: Any, seed: int) -> NDArray[np.float64]:
    """The actions of a controller that is given the states of a loop, (STEPS, A)."""
    mpc = dp.MPC(model, reward, planner, action_space=SPACE, seed=seed)
    states = np.random.default_rng(seed).normal(size=(STEPS, 3))
    return np.array([mpc.act(state) for state in states])


def at_once(count: int, work: Callable[[int], Any]) -> list[Any]:
    """What `work(0)` to `work(count - 1)` return, each run in a thread of its own, all at once."""
    results: list[Any] = [None] * count
    barrier = threading.Barrier(count)

    def run(index: int) -> None:
        barrier.wait()
        try:
            results[index] = work(index)
        except Exception as error:
            results[index] = error

    threads = [threading.Thread(target=run, args=(index,)) for index in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("model", ["polynomial", "networks"])
@pytest.mark.parametrize("name", PLANNERS)
def test_eight_threads_with_one_planner_and_one_model_plan_as_one_would(
    name: str, model: str, threads: int, models: dict[str, Any]
) -> None:
    planner, reward = replace(PLANNERS[name], threads=threads), compiled_reward()
    alone = [episode(models[model], reward, planner, seed) for seed in range(WORKERS)]
    together = at_once(WORKERS, lambda seed: episode(models[model], reward, planner, seed))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(other, one)


def test_eight_threads_share_a_reward_in_python(models: dict[str, Any]) -> None:
    def work(seed: int) -> NDArray[np.float64]:
        return episode(models["polynomial"], python_reward, PLANNERS["cem"], seed)

    alone = [work(seed) for seed in range(WORKERS)]
    for one, other in zip(alone, at_once(WORKERS, work), strict=True):
        np.testing.assert_array_equal(other, one)


def test_planner_plan_itself_may_be_called_from_threads(models: dict[str, Any]) -> None:
    planner, reward = PLANNERS["icem"], compiled_reward()

    def work(seed: int) -> NDArray[np.float64]:
        plans = [
            planner.plan(models["networks"], reward, np.ones(3), action_space=SPACE, seed=seed)
            for _ in range(STEPS)
        ]
        return np.array([plan.actions for plan in plans])

    alone = [work(seed) for seed in range(WORKERS)]
    for one, other in zip(alone, at_once(WORKERS, work), strict=True):
        np.testing.assert_array_equal(other, one)


FORK = """
import os, signal, threading
import numpy as np
import dynaplan as dp

random = np.random.default_rng(0)
states, actions = random.normal(size=(100, 3)), random.normal(size=(100, 2))
data = dp.Transitions(states, actions, 0.9 * states + 0.1 * actions @ random.normal(size=(2, 3)))
space = (-np.ones(2), np.ones(2))
reward = dp.rewards.quadratic([1.0, 1.0, 1.0])
models = [
    dp.LinearGaussian.fit(data, features=dp.Polynomial(2)),
    dp.Ensemble.fit(data, members=2, hidden=(16,), epochs=5, seed=0, threads=2),
]
planners = [
    dp.CEM(horizon=8, candidates=300, elites=30, threads=2),
    dp.ICEM(horizon=8, candidates=200, threads=2),
    dp.MPPI(horizon=8, candidates=300, threads=2),
    dp.RandomShooting(horizon=8, candidates=600, threads=2),
]

def controllers():
    return [
        dp.MPC(model, reward, planner, action_space=space, seed=1)
        for model in models for planner in planners
    ]

def act(given):
    return np.array([mpc.act(state) for mpc in given for state in states[:3]])

begun = controllers()
act(begun)  # the pool of this thread has run, and each controller has a plan behind it
{more}
child = os.fork()
if child == 0:
    signal.alarm(30)  # ends the child if it hangs
    np.save("child.npy", np.stack([act(begun), act(controllers())]))
    os._exit(0)
_, status = os.waitpid(child, 0)
assert status == 0, f"the child ended with status {status} (14 = it hung)"
ours = np.stack([act(begun), act(controllers())])
assert np.array_equal(np.load("child.npy"), ours), "the child plans otherwise than its parent"
"""
IN_ANOTHER_THREAD = """
other = threading.Thread(target=lambda: act(controllers()))  # with a pool of its own
other.start()
other.join()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.skipif(sys.platform == "darwin", reason="macOS's own libraries do not bear a fork")
@pytest.mark.parametrize("more", ["", IN_ANOTHER_THREAD], ids=["one thread", "two threads"])
def test_a_child_goes_on_planning_after_a_fork(run_python: Any, more: str) -> None:
    run_python(FORK.replace("{more}", more), environment={"OPENBLAS_NUM_THREADS": "1"})
