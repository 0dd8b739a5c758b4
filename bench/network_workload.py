"""Inputs of the network cases: networks with given weights, rollouts of them, and references."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from bench.workloads import FloatArray

STATES, ACTIONS = 17, 6


@dataclass(frozen=True)
class NetworkRollouts:
    """Rollouts of `s' = s + f(s, a)` with SiLU networks; a step earns minus the next state squared.

    Attributes:
        hidden: units of each hidden layer.
        members: networks; more than one are probabilistic, with `particles` for each candidate.
        states: (N, 17) start states, or one (1, 17) for all candidates of an ensemble.
        actions: (N, H, 6).
        particles: trajectories of each candidate.
        propagation: "mean", or "ts1" or "tsinf" for an ensemble.
        state_dim, action_dim: 17 states and 6 actions unless the workload says otherwise.
    """

    hidden: tuple[int, ...]
    members: int
    states: FloatArray
    actions: FloatArray
    particles: int = 1
    propagation: str = "mean"
    state_dim: int = STATES
    action_dim: int = ACTIONS

    @property
    def outputs(self) -> int:
        """Means, and for ensembles as many log-variances."""
        return self.state_dim * (2 if self.members > 1 else 1)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Units of each layer, inputs and outputs included."""
        return (self.state_dim + self.action_dim, *self.hidden, self.outputs)

    def layer(self, index: int) -> tuple[FloatArray, FloatArray]:
        """Returns weights (K, inputs, outputs) and biases (K, outputs) of one layer, float32."""
        generator = np.random.default_rng(index)
        inputs, outputs = self.sizes[index : index + 2]
        # The last layer is small: the change of the state in one step.
        scale = (0.1 if index == len(self.hidden) else 1.0) / np.sqrt(inputs)
        weights = scale * generator.standard_normal((self.members, inputs, outputs))
        biases = 0.1 * scale * generator.standard_normal((self.members, outputs))
        return weights.astype(np.float32), biases.astype(np.float32)

    def layers(self) -> list[tuple[FloatArray, FloatArray]]:
        """Returns all layers."""
        return [self.layer(index) for index in range(len(self.sizes) - 1)]


# Soft bounds of the log-variances, the same for all states.
LOG_VARIANCE_LOW, LOG_VARIANCE_HIGH = -8.0, -4.0


def step_flops(sizes: tuple[int, ...]) -> int:
    """FLOP of one step of one network: its products alone."""
    return sum(2 * inputs * outputs for inputs, outputs in itertools.pairwise(sizes))


def network_rollouts(count: int, horizon: int, hidden: tuple[int, ...]) -> NetworkRollouts:
    """Returns rollouts of one network, each from a state of its own, float32."""
    generator = np.random.default_rng(5)
    states = generator.standard_normal((count, STATES), dtype=np.float32)
    actions = generator.standard_normal((count, horizon, ACTIONS), dtype=np.float32)
    return NetworkRollouts(hidden, 1, states, actions)


def ensemble_rollouts(
    count: int, particles: int, horizon: int, hidden: tuple[int, ...], propagation: str
) -> NetworkRollouts:
    """Returns candidates of a plan with an ensemble of five, all from one state, float32."""
    generator = np.random.default_rng(5)
    states = generator.standard_normal((1, STATES), dtype=np.float32)
    actions = generator.standard_normal((count, horizon, ACTIONS), dtype=np.float32)
    return NetworkRollouts(hidden, 5, states, actions, particles, propagation)


def silu(x: FloatArray) -> FloatArray:
    """Returns x / (1 + e^-x)."""
    return np.asarray(x / (1.0 + np.exp(-x)))


def mean_returns(inputs: NetworkRollouts) -> FloatArray:
    """Returns (N,) returns of one network in float64: the reference."""
    layers = [(w[0].astype(np.float64), b[0].astype(np.float64)) for w, b in inputs.layers()]
    state = inputs.states.astype(np.float64)
    total = np.zeros(len(inputs.actions))
    for action in np.moveaxis(inputs.actions.astype(np.float64), 1, 0):
        x = np.hstack([state, action])
        for weights, biases in layers[:-1]:
            x = silu(x @ weights + biases)
        state = state + x @ layers[-1][0] + layers[-1][1]
        total -= np.sum(state * state, axis=1)
    return total
