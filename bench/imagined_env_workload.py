"""Inputs of the case of imagined environments: an ensemble of seven, and actions for all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bench.network_workload import ACTIONS, STATES, NetworkRollouts, step_flops
from bench.workloads import FloatArray

MEMBERS, ELITES = 7, 5
HIDDEN = (64, 64)
STARTS = 1000
EPISODE_STEPS = 100


@dataclass(frozen=True)
class ImaginedEnv:
    """Environments in which one of the elites, drawn at each step, draws the next state.

    Attributes:
        ensemble: of which the first five members are the elites; its states are the starts.
        actions: (N, 6) float32 of all steps, as a policy would give them.
    """

    ensemble: NetworkRollouts
    actions: FloatArray


def imagined_env(count: int) -> ImaginedEnv:
    """Returns so many environments."""
    generator = np.random.default_rng(5)
    starts = generator.standard_normal((STARTS, STATES), dtype=np.float32)
    unused = np.empty((count, 1, ACTIONS), np.float32)
    actions = generator.uniform(-1.0, 1.0, (count, ACTIONS)).astype(np.float32)
    return ImaginedEnv(NetworkRollouts(HIDDEN, MEMBERS, starts, unused, 1, "ts1"), actions)


def env_step_flops() -> int:
    """FLOP of a step of one environment: the products of one member."""
    return step_flops((STATES + ACTIONS, *HIDDEN, 2 * STATES))
