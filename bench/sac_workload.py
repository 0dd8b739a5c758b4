"""Inputs of the soft actor-critic cases: a full replay, and what one update costs."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np

from bench.workloads import FloatArray

BATCH = 256
UPDATES = 50  # of one call
STATES, ACTIONS = 17, 6
LEARNING_RATE = 3e-4
DISCOUNT = 0.99
TAU = 0.005
BEFORE_ANSWER = 200  # updates from new weights before those whose loss is the answer


@dataclass(frozen=True)
class SacUpdates:
    """Transitions to learn from, actions in [-1, 1], rewards about -1; float32.

    Attributes:
        states: (N, 17), about standard normal, as are the next states.
        actions: (N, 6).
        rewards: (N,).
        next_states: (N, 17).
        terminated: (N,) bools, a twentieth of them true.
    """

    states: FloatArray
    actions: FloatArray
    rewards: FloatArray
    next_states: FloatArray
    terminated: np.ndarray[Any, np.dtype[np.bool_]]
    hidden: tuple[int, ...]


class Spaces(gym.Env[Any, Any]):
    """What agents ask of an environment before they are given its transitions."""

    observation_space = gym.spaces.Box(-np.inf, np.inf, (STATES,))
    action_space = gym.spaces.Box(-1.0, 1.0, (ACTIONS,))

    def reset(self, **_: Any) -> tuple[FloatArray, dict[str, Any]]:
        """Returns a state; nobody steps on from it."""
        return np.zeros(STATES, np.float32), {}


def sac_updates(hidden: tuple[int, ...]) -> SacUpdates:
    """Returns 20,000 transitions of a smooth system."""
    generator = np.random.default_rng(29)
    rows = 20_000
    states = generator.standard_normal((rows, STATES))
    actions = generator.uniform(-1.0, 1.0, (rows, ACTIONS))
    mixed = np.column_stack([states, actions]) @ generator.standard_normal((23, STATES)) / 4
    next_states = np.tanh(mixed) + 0.1 * generator.standard_normal(states.shape)
    rewards = -(states**2).mean(axis=1) - 0.1 * (actions**2).sum(axis=1)
    terminated = generator.random(rows) < 0.05
    return SacUpdates(
        states=np.asarray(states, np.float32),
        actions=np.asarray(actions, np.float32),
        rewards=np.asarray(rewards, np.float32),
        next_states=np.asarray(next_states, np.float32),
        terminated=terminated,
        hidden=tuple(hidden),
    )


def update_flops(hidden: tuple[int, ...]) -> float:
    """FLOPs of the products of an update: what the algorithm needs, nothing more.

    Forward: the actor on states and next states, both targets, both critics twice. Backward: both
    critics by weights and by their hidden layers, both by the actions, the actor.
    """

    def products(sizes: tuple[int, ...]) -> list[int]:
        return [a * b for a, b in itertools.pairwise(sizes)]

    actor = products((STATES, *hidden, 2 * ACTIONS))
    critic = products((STATES + ACTIONS, *hidden, 1))
    forward = 2 * sum(actor) + 6 * sum(critic)
    by_actions = ACTIONS * critic[0] // (STATES + ACTIONS)
    backward = 2 * (sum(critic) + sum(critic[1:]) + sum(critic[1:]) + by_actions)
    backward += sum(actor) + sum(actor[1:])
    return 2.0 * BATCH * (forward + backward)
