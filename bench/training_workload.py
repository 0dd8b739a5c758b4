"""Inputs of the training cases: an ensemble, its data, and what a call does with them."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from bench.workloads import FloatArray

BATCH = 256
BATCHES = 10  # an epoch
EPOCHS = 5  # of one call
STEPS = BATCHES * EPOCHS
LEARNING_RATE = 1e-3
WEIGHT_DECAY = 1e-4
STATES, ACTIONS = 17, 6


@dataclass(frozen=True)
class NetworkTraining:
    """`members` networks, each on mini-batches of its own; Gaussian likelihood, AdamW.

    Attributes:
        states: (N, 17), about standard normal, as are all inputs and targets.
        actions: (N, 6).
        changes: (N, 17) of the states.
    """

    states: FloatArray
    actions: FloatArray
    changes: FloatArray
    hidden: tuple[int, ...]
    members: int

    @property
    def sizes(self) -> tuple[int, ...]:
        """Units of each layer, inputs and outputs (means, then log-variances) included."""
        return (STATES + ACTIONS, *self.hidden, 2 * STATES)

    def initial(self, layer: int) -> FloatArray:
        """Weights (K, inputs, outputs) to begin with, float32."""
        generator = np.random.default_rng(layer)
        inputs, outputs = self.sizes[layer : layer + 2]
        scale = 0.5 / np.sqrt(inputs)
        weights = scale * generator.standard_normal((self.members, inputs, outputs))
        return np.asarray(weights, dtype=np.float32)

    def standardised(self) -> tuple[FloatArray, FloatArray]:
        """Returns inputs (N, 23) and targets (N, 17), float32."""
        inputs = np.column_stack([self.states, self.actions])
        pair = [(x - x.mean(axis=0)) / x.std(axis=0) for x in (inputs, self.changes)]
        return np.asarray(pair[0], dtype=np.float32), np.asarray(pair[1], dtype=np.float32)

    def batches(self, seed: int) -> FloatArray:
        """Returns (steps, K, batch) rows of a call."""
        generator = np.random.default_rng(seed)
        rows = np.tile(np.arange(len(self.states)), (EPOCHS, self.members, 1))
        shuffled = generator.permuted(rows, axis=2).reshape(EPOCHS, self.members, BATCHES, BATCH)
        return np.ascontiguousarray(shuffled.swapaxes(1, 2).reshape(STEPS, self.members, BATCH))


def network_training(hidden: tuple[int, ...], members: int = 5) -> NetworkTraining:
    """Returns a smooth system with 17 states, 6 actions and noise."""
    generator = np.random.default_rng(23)
    rows = BATCH * BATCHES
    states = generator.standard_normal((rows, STATES))
    actions = generator.standard_normal((rows, ACTIONS))
    mixed = np.tanh(np.column_stack([states, actions]) @ generator.standard_normal((23, 40)) / 4)
    changes = mixed @ generator.standard_normal((40, STATES)) / 6
    changes += 0.1 * generator.standard_normal(changes.shape)
    return NetworkTraining(states, actions, changes, tuple(hidden), members)


def step_flops(sizes: tuple[int, ...], members: int) -> float:
    """FLOPs of the products of a step: forward, by weights, and by inputs but for the first."""
    pairs = list(itertools.pairwise(sizes))
    each = [(4 if layer == 0 else 6) * a * b for layer, (a, b) in enumerate(pairs)]
    return float(members * BATCH * sum(each))
