"""Systems driven in episodes, whose truth is known: linear, a pendulum, and noise alone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

import dynaplan as dp

Array = NDArray[np.float64]
Step = Callable[[Array, Array], Array]


def linear(state: Array, action: Array) -> Array:
    """A damped oscillation that is pushed."""
    return np.array([[0.95, 0.1], [-0.2, 0.9]]) @ state + np.array([0.0, 0.2]) * action


def pendulum(state: Array, action: Array) -> Array:
    """Angle and speed of a rod of 1 m with friction, 20 times a second, by semi-implicit Euler."""
    speed = state[1] + 0.05 * (-9.81 * np.sin(state[0]) - 0.5 * state[1] + 6.0 * action[0])
    return np.array([state[0] + 0.05 * speed, speed])


def nothing(state: Array, action: Array) -> Array:
    """What is left is the noise."""
    return np.zeros_like(state)


def driven(
    step: Step, episodes: int, rows: int, *, noise: float = 0.0, spread: float = 1.0, seed: int = 0
) -> dp.Transitions:
    """Episodes from Gaussian starts under random actions, each held for five steps."""
    rng = np.random.default_rng(seed)
    parts = []
    for _ in range(episodes):
        path = [spread * rng.normal(size=2)]
        actions = np.repeat(rng.uniform(-1.0, 1.0, (rows // 5 + 1, 1)), 5, axis=0)[:rows]
        for action in actions:
            path.append(step(path[-1], action) + noise * rng.normal(size=2))
        states = np.array(path)
        parts.append(dp.Transitions(states[:-1], actions, states[1:], episodes=[0] * rows))
    return dp.Transitions.concatenate(parts)
