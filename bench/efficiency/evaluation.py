"""One cell from its first real step to its last, evaluated apart."""

from __future__ import annotations

import importlib.metadata
import math
import time
import traceback
from collections.abc import Iterator
from typing import Any

import gymnasium
import numpy as np

from bench import machine
from bench.efficiency.method import Act, Cell, Snapshot
from bench.efficiency.tasks import Task, evaluation_seed
from dynaplan.data.driver import Driver

PACKAGES = ("numpy", "gymnasium", "mujoco", "dm_control", "stable_baselines3", "torch")
WHERE = ("processor", "cores", "system", "python", "dynaplan files")


class MethodError(Exception):
    """A method did not do what a method must."""


def outcome_of(cell: Cell) -> dict[str, Any]:
    """Runs a cell, whatever happens in it.

    Returns:
        What is stored of it: "status" is "done", "failed" (with its message and the evaluations
        until then), or "missing" where a package is not installed.
    """
    evaluations: list[dict[str, Any]] = []
    status, message = "done", ""
    try:
        for one in _evaluated(cell):
            evaluations.append(one)  # one by one: those before an error must stay
    except (ModuleNotFoundError, gymnasium.error.DependencyNotInstalled) as error:
        status, message = "missing", str(error)
    except Exception as error:
        status, message = "failed", "".join(traceback.format_exception(error)[-2:]).strip()
    return described(cell, status, message) | {"evaluations": evaluations, "where": _where()}


def described(cell: Cell, status: str, message: str) -> dict[str, Any]:
    """Returns an outcome without evaluations."""
    return {
        "task": cell.task.protocol(),
        "method": cell.method.name,
        "settings": cell.method.text(),
        "seed": cell.seed,
        "status": status,
        "message": message,
        "where": {},
        "evaluations": [],
    }


def _evaluated(cell: Cell) -> Iterator[dict[str, Any]]:
    """What the method learns, evaluated; only the time until the next snapshot counts."""
    task, steps, seconds = cell.task, 0, 0.0
    env, judge = task.make(), task.make()
    snapshots = cell.method.learn(task, env, cell.seed, cell.method.settings)
    while True:
        begin = time.perf_counter()
        snapshot = next(snapshots, None)
        seconds += time.perf_counter() - begin
        if snapshot is None:
            break
        if not steps < snapshot.steps <= task.steps:
            raise MethodError(f"{cell}: {snapshot.steps} steps after {steps} of {task.steps}")
        steps = snapshot.steps
        yield {"steps": steps, "seconds": seconds, **judged(snapshot, task, judge, cell.seed)}
    if steps != task.steps:
        raise MethodError(f"{cell}: it ended after {steps} of {task.steps} steps")
    env.close()
    judge.close()


def judged(snapshot: Snapshot, task: Task, env: Any, seed: int) -> dict[str, Any]:
    """Returns mean and standard deviation of the returns, and the facts that are numbers."""
    returns = [
        episode_return(env, snapshot.policy(number), evaluation_seed(seed, number))
        for number in range(task.episodes)
    ]
    if not np.isfinite(returns).all():
        raise MethodError(f"{task.name}: returns {returns} after {snapshot.steps} steps")
    facts = {name: float(value) for name, value in snapshot.facts.items() if math.isfinite(value)}
    return {"mean": float(np.mean(returns)), "sd": float(np.std(returns)), "facts": facts}


def episode_return(env: Any, act: Act, seed: int) -> float:
    """Returns the undiscounted return of one episode."""
    driver, total = Driver(env, env.action_space), 0.0
    driver.reset(seed)
    while driver.is_open:
        *_, reward, _ = driver.step(act(driver.observation))
        total += reward
    return total


def _where() -> dict[str, str]:
    """What the worker runs on and with."""
    facts = machine.facts("")
    versions = []
    for name in PACKAGES:
        try:
            versions.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    return {name: facts.get(name, "") for name in WHERE} | {"packages": ", ".join(versions)}
