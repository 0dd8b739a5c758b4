"""`dp.ImaginedVectorEnv`, in the same form as the peers in `bench/peers`."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np

import dynaplan as dp
from bench.case import Prepared
from bench.imagined_env_workload import ELITES, EPISODE_STEPS, MEMBERS, ImaginedEnv
from bench.network_workload import ACTIONS, STATES
from bench.ours_networks import model_of
from bench.workloads import FloatArray


def step(inputs: ImaginedEnv, threads: int) -> Prepared:
    """One step of all environments, with the arrays that Gymnasium wants."""
    networks: Any = model_of(inputs.ensemble)
    model = cast(
        dp.Ensemble,
        SimpleNamespace(
            dynamics=networks.dynamics,
            state_dim=networks.state_dim,
            action_dim=networks.action_dim,
            architecture=SimpleNamespace(members=MEMBERS),
        ),
    )
    envs = dp.ImaginedVectorEnv(
        model,
        len(inputs.actions),
        inputs.ensemble.states,
        action_space=(-np.ones(ACTIONS), np.ones(ACTIONS)),
        reward=dp.rewards.quadratic(np.ones(STATES)),
        max_episode_steps=EPISODE_STEPS,
        elite_members=list(range(ELITES)),
        clip=None,
        autoreset_mode="SameStep",
        threads=threads,
    )
    envs.reset(seed=0)

    def run() -> Any:
        return envs.step(inputs.actions)

    def answer() -> FloatArray:
        return np.array([run()[1].mean() for _ in range(2 * EPISODE_STEPS)])

    return Prepared(run, answer, note="ImaginedVectorEnv.step")
