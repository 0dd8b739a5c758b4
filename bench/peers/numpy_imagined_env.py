"""A vector environment of an ensemble as NumPy and PyTorch users write one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from bench.case import Prepared
from bench.imagined_env_workload import ELITES, EPISODE_STEPS, ImaginedEnv
from bench.network_workload import LOG_VARIANCE_HIGH, LOG_VARIANCE_LOW, STATES, silu
from bench.workloads import FloatArray

# From states, actions and the member of each environment to means and log-variances.
Forward = Callable[[FloatArray, FloatArray, Any], FloatArray]


class Env:
    """Environments that step, end and begin anew.

    Args:
        inputs: of the workload.
        forward: what the networks say.
    """

    def __init__(self, inputs: ImaginedEnv, forward: Forward) -> None:
        self._forward = forward
        self._starts = inputs.ensemble.states
        self._rng = np.random.Generator(np.random.SFC64(0))
        count = len(inputs.actions)
        self._states = self._starts[self._rng.integers(len(self._starts), size=count)]
        self._ages = np.zeros(count, np.int64)

    def step(self, actions: FloatArray) -> tuple[Any, ...]:
        """Returns observations, rewards, terminations, truncations and infos."""
        count = len(actions)
        members = self._rng.integers(ELITES, size=count)
        said = self._forward(self._states, actions, members)
        value = LOG_VARIANCE_HIGH - np.logaddexp(0.0, LOG_VARIANCE_HIGH - said[:, STATES:])
        value = LOG_VARIANCE_LOW + np.logaddexp(0.0, value - LOG_VARIANCE_LOW)
        noise = self._rng.standard_normal((count, STATES), dtype=np.float32)
        after = self._states + said[:, :STATES] + np.exp(0.5 * value) * noise
        rewards = -np.einsum("ij,ij->i", after, after)
        self._ages += 1
        truncated = self._ages >= EPISODE_STEPS
        infos: dict[str, Any] = {}
        if truncated.any():
            infos["final_obs"] = after.copy()
            drawn = self._rng.integers(len(self._starts), size=np.count_nonzero(truncated))
            after[truncated] = self._starts[drawn]
            self._ages[truncated] = 0
        self._states = after.astype(np.float32)
        return self._states.copy(), rewards, np.zeros(count, np.bool_), truncated, infos


def of_forward(inputs: ImaginedEnv, forward: Forward, note: str) -> Prepared:
    """Returns the measured call."""
    env = Env(inputs, forward)

    def run() -> tuple[Any, ...]:
        return env.step(inputs.actions)

    def answer() -> FloatArray:
        return np.array([run()[1].mean() for _ in range(2 * EPISODE_STEPS)])

    return Prepared(run, answer, note=note)


def step(inputs: ImaginedEnv, _threads: int) -> Prepared:
    """All in NumPy: the rows of each member in turn."""
    layers = inputs.ensemble.layers()

    def forward(states: FloatArray, actions: FloatArray, members: Any) -> FloatArray:
        rows = np.concatenate([states, actions], axis=1)
        out = np.empty((len(rows), 2 * STATES), np.float32)
        for member in np.unique(members):
            own = np.flatnonzero(members == member)
            x = rows[own]
            for weights, biases in layers[:-1]:
                x = silu(x @ weights[member] + biases[member])
            out[own] = x @ layers[-1][0][member] + layers[-1][1][member]
        return out

    return of_forward(inputs, forward, "float32, the rows of each member in turn")
