"""Stable-Baselines3 and SBX (its JAX sibling) make updates of soft actor-critic."""

from __future__ import annotations

import importlib.metadata
from typing import Any

import numpy as np

from bench.case import Prepared
from bench.sac_workload import (
    BATCH,
    BEFORE_ANSWER,
    DISCOUNT,
    LEARNING_RATE,
    TAU,
    UPDATES,
    SacUpdates,
    Spaces,
)


def agent(kind: Any, inputs: SacUpdates) -> Any:
    """Returns an agent whose replay is full."""
    from stable_baselines3.common.logger import Logger

    one = kind(
        "MlpPolicy",
        Spaces(),
        learning_rate=LEARNING_RATE,
        batch_size=BATCH,
        tau=TAU,
        gamma=DISCOUNT,
        buffer_size=len(inputs.states),
        policy_kwargs={"net_arch": list(inputs.hidden)},
        seed=0,
        device="cpu",
    )
    one.set_logger(Logger(None, []))
    for row in range(len(inputs.states)):
        one.replay_buffer.add(
            inputs.states[row],
            inputs.next_states[row],
            inputs.actions[row],
            inputs.rewards[row : row + 1],
            inputs.terminated[row : row + 1],
            [{}],
        )
    return one


def prepared(kind: Any, inputs: SacUpdates, note: str) -> Prepared:
    """50 updates a call of `train`, as in `learn` with 50 gradient steps."""
    one = agent(kind, inputs)

    def answer() -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        new = agent(kind, inputs)
        for _ in range(BEFORE_ANSWER // UPDATES):
            new.train(UPDATES, BATCH)
        losses = []  # SBX reports that of the last update alone
        for _ in range(UPDATES):
            new.train(1, BATCH)
            losses.append(float(new.logger.name_to_value["train/critic_loss"]))
        return np.array([np.mean(losses)])

    return Prepared(lambda: one.train(UPDATES, BATCH), answer, note=note)


def sb3(inputs: SacUpdates, threads: int) -> Prepared:
    """`stable_baselines3.SAC.train`."""
    import torch
    from stable_baselines3 import SAC

    torch.set_num_threads(threads)
    return prepared(SAC, inputs, "SAC.train(50)")


def sbx(inputs: SacUpdates, threads: int) -> Prepared:
    """`sbx.SAC.train`, one compiled loop of all updates."""
    from bench.peers.jax import limit_threads

    limit_threads(threads)
    from sbx import SAC

    version = importlib.metadata.version("sbx-rl")
    return prepared(SAC, inputs, f"sbx-rl {version}, SAC.train(50), jitted as a whole")
