"""Inputs of the imagination case: starts, an ensemble of seven, and an actor."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from bench.network_workload import ACTIONS, STATES, NetworkRollouts, step_flops
from bench.workloads import FloatArray

MEMBERS, ELITES = 7, 5
HIDDEN = (200, 200, 200, 200)
ACTOR = (256, 256)


@dataclass(frozen=True)
class Imagination:
    """One-step rollouts from many states: an actor draws an action, an elite the next state.

    Attributes:
        ensemble: of which the first five members are the elites; its states are the starts.
    """

    ensemble: NetworkRollouts

    @property
    def starts(self) -> FloatArray:
        """(N, 17) float32."""
        return self.ensemble.states

    def actor(self) -> list[tuple[FloatArray, FloatArray]]:
        """Returns weights (inputs, outputs) and biases of each layer, to means and log-stds."""
        generator = np.random.default_rng(17)
        layers = []
        for inputs, outputs in itertools.pairwise((STATES, *ACTOR, 2 * ACTIONS)):
            weights = generator.standard_normal((inputs, outputs)) / np.sqrt(inputs)
            layers.append((weights.astype(np.float32), np.zeros(outputs, np.float32)))
        return layers


def imagination(count: int) -> Imagination:
    """Returns so many starts."""
    generator = np.random.default_rng(5)
    states = generator.standard_normal((count, STATES), dtype=np.float32)
    actions = np.empty((count, 1, ACTIONS), np.float32)
    return Imagination(NetworkRollouts(HIDDEN, MEMBERS, states, actions, 1, "ts1"))


def transition_flops() -> int:
    """FLOP of a transition: the products of the actor and of one member."""
    member = (STATES + ACTIONS, *HIDDEN, 2 * STATES)
    return step_flops((STATES, *ACTOR, 2 * ACTIONS)) + step_flops(member)
