"""A task and methods for the efficiency suite that take milliseconds; processes import them."""

from __future__ import annotations

import os
import time
from functools import partial
from pathlib import Path

import gymnasium
import numpy as np
from bench.efficiency.method import Method, Snapshot
from bench.efficiency.tasks import Task


class Lever(gymnasium.Env):
    """Pays the action, five steps long; counts its steps."""

    observation_space = gymnasium.spaces.Box(-1.0, 1.0, (1,))
    action_space = gymnasium.spaces.Box(-10.0, 10.0, (1,))
    made: list[Lever] = []  # noqa: RUF012  # of this process, for tests to look at

    def __init__(self):
        self.steps = 0
        self.seeds = []
        Lever.made.append(self)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.seeds.append(seed)
        self.left = 5
        return np.zeros(1, np.float32), {}

    def step(self, action):
        self.steps += 1
        self.left -= 1
        return np.zeros(1, np.float32), float(action[0]), False, self.left == 0, {}


def rising(task, env, seed, settings):
    """Pulls a bit harder after every ten steps, and a bit as the seed says."""
    rng = np.random.default_rng(seed)
    steps = 0
    while steps < task.steps:
        if steps % 5 == 0:
            env.reset()
        env.step(env.action_space.low)
        steps += 1
        if steps % task.evaluate_every == 0:
            pull = settings["slope"] * steps + rng.uniform(0.0, 0.01)
            yield Snapshot(steps, partial(policy, pull), {"pull": pull, "nothing": np.nan})


def policy(pull, _number):
    return lambda _state: [pull]


def slow(task, env, seed, settings):
    """Takes its time, and says that it began."""
    for snapshot in rising(task, env, seed, settings):
        folder = Path(settings["began"])
        (folder / f"{seed}.{os.getpid()}").touch()
        if seed >= settings["from_seed"]:
            time.sleep(60.0)
        yield snapshot


def raising(task, env, seed, settings):
    """Fails after its first evaluation where the seed is odd."""
    for snapshot in rising(task, env, seed, settings):
        yield snapshot
        if seed % 2:
            raise RuntimeError(f"seed {seed} is odd")


def stopping(task, env, seed, settings):
    """Ends before its time."""
    yield next(rising(task, env, seed, settings))


def dying(task, env, seed, settings):
    """Takes its process with it."""
    os._exit(3)
    yield


def uninstalled(task, env, seed, settings):
    """Needs a package that nobody has."""
    import a_package_that_nobody_has  # noqa: F401

    yield


LEVER = Task(
    "toy/Lever",
    Lever,
    steps=50,
    evaluate_every=10,
    episodes=3,
    threshold=10.0,  # of five steps: a pull of 2
    reward_known=True,
    published="Nothing.",
)
TASKS = {LEVER.name: LEVER}
METHODS = {
    "steep": Method("steep", "rises fast", rising, {"slope": 0.1}),
    "flat": Method("flat", "rises slowly", rising, {"slope": 0.05}),
    "raising": Method("raising", "fails", raising, {"slope": 0.1}),
    "stopping": Method("stopping", "ends early", stopping, {"slope": 0.1}),
    "dying": Method("dying", "dies", dying, {}),
    "uninstalled": Method("uninstalled", "needs a package", uninstalled, {}),
    "elsewhere": Method("elsewhere", "is for another task", rising, {}, tasks=("other",)),
}
