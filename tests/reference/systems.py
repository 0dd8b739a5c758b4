"""Small systems whose truth is known, for the tests to learn from."""

from __future__ import annotations

import numpy as np

import dynaplan as dp


def linear_system(
    rows: int, state_dim: int = 3, action_dim: int = 2, noise: float = 0.1, seed: int = 0
) -> dp.Transitions:
    """Transitions of a random linear system with a constant push and white noise."""
    generator = np.random.default_rng(seed)
    truth = np.random.default_rng(99)
    a = truth.normal(size=(state_dim, state_dim)) / (2 * state_dim)
    b = truth.normal(size=(state_dim, action_dim))
    c = truth.normal(size=state_dim)
    states = generator.normal(size=(rows, state_dim))
    actions = generator.normal(size=(rows, action_dim))
    next_states = states @ a.T + actions @ b.T + c
    next_states += noise * generator.normal(size=next_states.shape)
    return dp.Transitions(states, actions, next_states)


def five_transitions() -> dp.Transitions:
    """The worked example: s' = 0.5 s + a."""
    states = np.array([[0.0], [1.0], [0.5], [-1.0], [2.0]])
    actions = np.array([[1.0], [0.0], [-1.0], [1.0], [-0.5]])
    return dp.Transitions(states, actions, np.array([[1.0], [0.5], [-0.75], [0.5], [0.5]]))


def scalar_model(gain: float = 0.5) -> dp.LinearGaussian:
    """s' = gain s + a, exactly."""
    generator = np.random.default_rng(0)
    states, actions = generator.normal(size=(2, 20, 1))
    return dp.LinearGaussian.fit(dp.Transitions(states, actions, gain * states + actions))


def exact_linear_model(a, b, constant=None) -> dp.LinearGaussian:
    """s' = a s + b action + constant, to the last digits."""
    a, b = np.asarray(a, float), np.asarray(b, float)
    push = np.zeros(len(a)) if constant is None else np.asarray(constant, float)
    generator = np.random.default_rng(0)
    states = generator.normal(size=(60, len(a)))
    actions = generator.normal(size=(60, b.shape[1]))
    return dp.LinearGaussian.fit(
        dp.Transitions(states, actions, states @ a.T + actions @ b.T + push)
    )


# Standard deviations of the noise of `wave`.
WAVE_NOISE = np.array([0.05, 0.2])


def wave(rows: int = 80, seed: int = 0, noise: float = 1.0) -> dp.Transitions:
    """Two states and an action; smooth, and no polynomial."""
    rng = np.random.default_rng(seed)
    states, actions = rng.uniform(-2.0, 2.0, (rows, 2)), rng.uniform(-1.0, 1.0, (rows, 1))
    next_states = np.stack(
        [states[:, 0] + np.sin(2.0 * states[:, 1]), 0.7 * states[:, 1] + actions[:, 0]], axis=1
    )
    next_states += noise * WAVE_NOISE * rng.normal(size=(rows, 2))
    return dp.Transitions(states, actions, next_states)
