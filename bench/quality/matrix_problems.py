"""Problems made of products: a linear system, and an ensemble of networks that was learned."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file

from bench import workloads
from bench.quality.problems import Array, Car, CartPole, Pendulum, Problem
from bench.workloads import FloatArray

ENSEMBLE_FILE = Path(__file__).resolve().parent / "pendulum_ensemble.safetensors"


class Linear(Problem):
    """17 states, 6 actions in a box, and dense quadratic costs: those of `cem_linear`, 30 steps."""

    name = "linear"
    horizon = 30
    half_range = np.ones(6)

    def __init__(self) -> None:
        self.system = workloads.linear_system()
        self.state_weights = workloads.positive_definite(17, seed=7)
        self.action_weights = 0.1 * workloads.positive_definite(6, seed=11)

    @cached_property
    def constants(self) -> tuple[FloatArray, ...]:  # type: ignore[override]
        """A', B', c, W, R."""
        system = self.system
        return system.A.T, system.B.T, system.c, self.state_weights, self.action_weights

    def start(self, generator: np.random.Generator) -> FloatArray:
        """As `Problem.start`: so far away that a tenth to a third of the actions are at a bound."""
        return 10.0 * generator.standard_normal(17)

    def step(self, xp: Any, constants: Any, states: Array, actions: Array) -> Array:
        """As `Problem.step`."""
        A, B, c, _, _ = constants
        return states @ A + actions @ B + c

    def reward(self, xp: Any, constants: Any, next_states: Array, actions: Array) -> Array:
        """As `Problem.reward`."""
        _, _, _, W, R = constants
        of_states = ((next_states @ W) * next_states).sum(axis=-1)
        return -(of_states + ((actions @ R) * actions).sum(axis=-1))

    def returns(self, xp: Any, constants: Any, start: Array, actions: Array) -> Array:
        """As `Problem.returns`, with as few and as large products as there can be."""
        A, B, c, W, R = constants
        driven = actions @ B + c
        states, passed = start, []
        for drive in driven:
            states = states @ A + drive
            passed.append(states)
        joined = xp.stack(passed, axis=0)
        lost = ((joined @ W) * joined).sum(axis=-1) + ((actions @ R) * actions).sum(axis=-1)
        return -lost.sum(axis=0)


class LearnedEnsemble(Problem):
    """Five networks of 2 x 64 that learned Pendulum-v1 from 500 steps, by their members' mean.

    States are cos, sin and speed; 30 steps. `learned_ensemble.py` trains the networks.
    """

    name = "ensemble"
    horizon = 30
    half_range = np.array([2.0])

    @cached_property
    def constants(self) -> tuple[FloatArray, ...]:  # type: ignore[override]
        """Weights (K, inputs, outputs) and biases (K, 1, outputs) of each layer in turn.

        The scaling of inputs and targets is part of the first and the last layer, the mean over the
        members and the log-variances, which play no part, are not.
        """
        arrays = {
            name: array.astype(np.float64) for name, array in load_file(ENSEMBLE_FILE).items()
        }
        count = sum(name.startswith("weights.") for name in arrays)
        weights = [arrays[f"weights.{layer}"].transpose(0, 2, 1) for layer in range(count)]
        biases = [arrays[f"biases.{layer}"][:, None] for layer in range(count)]
        first = weights[0] / arrays["input_scale"][:, None]
        biases[0] = biases[0] - (arrays["input_mean"] @ first)[:, None]
        weights[0] = first
        targets = len(arrays["target_mean"])
        weights[-1] = weights[-1][..., :targets] * arrays["target_scale"]
        biases[-1] = biases[-1][..., :targets] * arrays["target_scale"] + arrays["target_mean"]
        return tuple(array for pair in zip(weights, biases, strict=True) for array in pair)

    def start(self, generator: np.random.Generator) -> FloatArray:
        """As `Problem.start`: any angle, slow."""
        angle, speed = generator.uniform([-np.pi, -1.0], [np.pi, 1.0])
        return np.array([np.cos(angle), np.sin(angle), speed])

    def step(self, xp: Any, constants: Any, states: Array, actions: Array) -> Array:
        """As `Problem.step`."""
        x = xp.concatenate([states, actions], axis=1)
        *hidden, last_weights, last_biases = constants
        for layer in range(0, len(hidden), 2):
            x = xp.matmul(x, hidden[layer]) + hidden[layer + 1]
            x = x / (1.0 + xp.exp(-x))
        return states + (xp.matmul(x, last_weights) + last_biases).mean(axis=0)

    def reward(self, xp: Any, constants: Any, next_states: Array, actions: Array) -> Array:
        """As `Problem.reward`: upright, slowly."""
        cosine, sine, speed = (next_states[..., i] for i in range(3))
        lost = (cosine - 1.0) ** 2 + sine**2 + 0.1 * speed**2
        return -(lost + 0.001 * actions[..., 0] ** 2)


def problem(name: str) -> Problem:
    """Returns the problem of this name."""
    return {one.name: one for one in PROBLEMS}[name]()


PROBLEMS: tuple[type[Problem], ...] = (Pendulum, CartPole, Car, Linear, LearnedEnsemble)
