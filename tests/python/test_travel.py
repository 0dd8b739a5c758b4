"""A controller travels to spawned workers, joblib, Ray, and environments in other processes."""

from __future__ import annotations

import copy
import multiprocessing
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import gymnasium
import numpy as np
import pytest

import dynaplan as dp
from public_objects import BOX, linear, reward

STATE = np.array([0.5, -0.5])
PLANNER = dp.ICEM(horizon=5, candidates=16, elites=4)


# Functions of a module, as pickle wants them.
def step(states: Any, actions: Any) -> Any:
    return 0.9 * states + 0.1 * actions


def pays(states: Any, actions: Any, next_states: Any) -> Any:
    return -(next_states**2).sum(axis=1)


def value(states: Any) -> Any:
    return -(states**2).sum(axis=1)


def _mpc(**parts: Any) -> dp.MPC:
    parts = {"model": linear(), "reward": reward(), "action_space": BOX, "seed": 3} | parts
    mpc = dp.MPC(parts.pop("model"), parts.pop("reward"), PLANNER, **parts)
    mpc.act(STATE)
    return mpc


def _same(there: Any, here: Any) -> bool:
    return bool(np.array_equal(np.asarray(there), np.asarray(here)))


def _act_thrice(mpc: dp.MPC) -> list[Any]:
    return [mpc.act(STATE * k) for k in range(3)]


@pytest.mark.parametrize(
    "make",
    [
        _mpc,
        lambda: _mpc(model=dp.FunctionModel(step, 2, 1), reward=pays, terminal_value=value),
    ],
)
def test_a_spawned_worker_acts_alike(make: Callable[[], dp.MPC]) -> None:
    mpc = make()
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        there = pool.apply(_act_thrice, (mpc,))
    assert _same(there, _act_thrice(mpc))


def test_joblib_takes_a_controller() -> None:
    joblib = pytest.importorskip("joblib")
    mpc = _mpc(reward=lambda s, a, n: -(n**2).sum(axis=1))
    there = joblib.Parallel(n_jobs=2)(joblib.delayed(_act_thrice)(mpc) for _ in range(2))
    here = _act_thrice(mpc)
    assert _same(there, [here, here])


@pytest.mark.long
def test_ray_takes_a_controller() -> None:
    ray = pytest.importorskip("ray")
    # Its workers cannot import this file.
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
    ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False)
    try:
        mpc = _mpc(reward=lambda s, a, n: -(n**2).sum(axis=1))
        there = ray.get(ray.remote(_act_thrice).remote(mpc))
        assert _same(there, _act_thrice(mpc))
    finally:
        ray.shutdown()
        ray.cloudpickle.unregister_pickle_by_value(sys.modules[__name__])


class Controlled(gymnasium.Env[Any, Any]):
    """A system under a controller of its own."""

    observation_space = gymnasium.spaces.Box(-9.0, 9.0, (2,))
    action_space = gymnasium.spaces.Box(-1.0, 1.0, (1,))

    def __init__(self, mpc: dp.MPC) -> None:
        self.mpc = mpc

    def reset(self, *, seed: Any = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self.mpc.reset()
        self.state = np.ones(2, np.float32)
        return self.state, {}

    def step(self, action: Any) -> Any:
        self.state = np.float32(0.9) * self.state + np.float32(0.1 * self.mpc.act(self.state)[0])
        return self.state, 0.0, False, False, {}


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_environments_in_other_processes_take_a_controller(method: str) -> None:
    vec_env = pytest.importorskip("stable_baselines3.common.vec_env")
    mpc = _mpc()
    alone = Controlled(copy.deepcopy(mpc))
    alone.reset()
    here = [alone.step(None)[0] for _ in range(3)]
    envs = vec_env.SubprocVecEnv([partial(Controlled, mpc)] * 2, start_method=method)
    try:
        envs.reset()
        there = [envs.step(np.zeros((2, 1)))[0] for _ in range(3)]
    finally:
        envs.close()
    for mine, theirs in zip(here, there, strict=True):
        assert _same(theirs, [mine, mine])
