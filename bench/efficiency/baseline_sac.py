"""How Stable-Baselines3's soft actor-critic learns a task; the package is optional."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bench.efficiency.method import Settings, Snapshot
from bench.efficiency.tasks import Task


def sb3_sac(task: Task, env: Any, seed: int, settings: Settings) -> Iterator[Snapshot]:
    """`stable_baselines3.SAC`, which continues within an episode."""
    import torch
    from stable_baselines3 import SAC

    torch.set_num_threads(1)
    agent = SAC("MlpPolicy", env, seed=seed, device="cpu", **settings)
    while agent.num_timesteps < task.steps:
        more = min(task.evaluate_every, task.steps - agent.num_timesteps)
        agent.learn(more, reset_num_timesteps=False, log_interval=10**9)
        loss = agent.logger.name_to_value.get("train/critic_loss", float("nan"))
        yield Snapshot(
            agent.num_timesteps,
            lambda _number: lambda state: agent.predict(state, deterministic=True)[0],
            {"critic loss": float(loss)},
        )
