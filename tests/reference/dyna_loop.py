"""A small Dyna loop on the pendulum, for the tests of loops."""

from __future__ import annotations

from typing import Any

import gymnasium as gym

import dynaplan as dp


def pendulum() -> gym.Env[Any, Any]:
    return gym.make("Pendulum-v1")


def quadratic(data: dp.Transitions, _: Any) -> dp.LinearGaussian:
    return dp.LinearGaussian.fit(data, features=dp.Polynomial(2))


def loop(seed: int = 0, **changed: Any) -> dp.Dyna:
    env = pendulum()
    agent = dp.SAC(env, hidden=(16, 16), batch_size=32, real_ratio=0.2, seed=seed)
    given: dict[str, Any] = {
        "reward": dp.rewards.for_env(env),
        "updates_per_step": 2,
        "rollouts_per_step": 10,
        "random_steps": 60,
        "refit_every": 40,
        "seed": seed,
        "learn": quadratic,
    }
    return dp.Dyna(env, agent, **{**given, **changed})
