"""A mass that is pushed about, of which the place alone is observed."""

from __future__ import annotations

import numpy as np

import dynaplan as dp

STEP = 0.1
BOX = ([-1.0], [1.0])
A, B = np.array([[1.0, STEP], [0.0, 1.0]]), np.array([[0.5 * STEP**2], [STEP]])
PLACE = dp.rewards.quadratic([1.0, 0.0, 0.0])  # the present place, and what was before


def pushed(state: np.ndarray, action: float) -> np.ndarray:
    return A @ state + B[:, 0] * action


def places(rows: int = 300, seed: int = 0) -> dp.Transitions:
    """A mass that is pushed about, of which the place alone is seen."""
    rng = np.random.default_rng(seed)
    state, actions = np.zeros(2), rng.uniform(-1.0, 1.0, size=(rows, 1))
    path = [state]
    for action in actions[:, 0]:
        state = pushed(state, action)
        path.append(state)
    seen = np.array(path)[:, :1]
    return dp.Transitions(seen[:-1], actions, seen[1:], episodes=np.zeros(rows, int))
