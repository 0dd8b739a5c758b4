"""`dp.imagine`, in the same form as the peers in `bench/peers`."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np

import dynaplan as dp
from bench.case import Prepared
from bench.imagination_workload import ACTOR, ELITES, MEMBERS, Imagination
from bench.network_workload import STATES
from bench.ours_networks import model_of
from bench.sac_workload import Spaces
from bench.workloads import FloatArray


def agent_of(inputs: Imagination) -> dp.SAC:
    """Returns an agent with the actor of the workload."""
    agent = dp.SAC(Spaces(), hidden=ACTOR, buffer_size=1, imagined_buffer_size=1, seed=0)
    core = agent._core
    numbers = core.numbers()
    parts = [[np.ascontiguousarray(w.T).ravel(), b] for w, b in inputs.actor()]
    numbers["actor"] = np.concatenate([part for layer in parts for part in layer])
    core.set_numbers(numbers)
    return agent


def imagine(inputs: Imagination, threads: int) -> Prepared:
    """One call, float32 inside, float64 in and out."""
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
    agent, reward = agent_of(inputs), dp.rewards.quadratic(np.ones(STATES))
    starts = inputs.starts.astype(np.float64)
    elite_members = list(range(ELITES))
    seed = 0

    def run() -> dp.Imagined:
        nonlocal seed
        seed += 1
        return dp.imagine(
            model,
            starts,
            agent,
            reward=reward,
            elite_members=elite_members,
            seed=seed,
            threads=threads,
        )

    def answer() -> FloatArray:
        made = run()
        return np.array([made.rewards.mean(), np.abs(made.actions).mean()])

    return Prepared(run, answer, note="dp.imagine, length 1")
