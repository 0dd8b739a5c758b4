"""The linear-Gaussian model, written out."""

from __future__ import annotations

from itertools import combinations_with_replacement

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def monomials(states: Array, actions: Array, degree: int) -> Array:
    """All products of 1 to `degree` inputs, (N, features), by degree, then lexicographic."""
    inputs = np.hstack([states, actions])
    columns = [
        np.prod(inputs[:, list(chosen)], axis=1)
        for d in range(1, degree + 1)
        for chosen in combinations_with_replacement(range(inputs.shape[1]), d)
    ]
    return np.column_stack(columns)


def design(states: Array, actions: Array, degree: int = 1, intercept: bool = True) -> Array:
    """Rows [features 1]."""
    features = monomials(states, actions, degree)
    return np.column_stack([features, np.ones(len(features))]) if intercept else features


def step(
    coefficients: Array, state: Array, action: Array, degree: int = 1, intercept: bool = True
) -> Array:
    """One step of one state."""
    return design(state[None], action[None], degree, intercept)[0] @ coefficients.T


def trajectory(coefficients: Array, state: Array, actions: Array, degree: int = 1) -> Array:
    """(H + 1, S) under `actions` (H, A), one step at a time."""
    states = [state]
    for action in actions:
        states.append(step(coefficients, states[-1], action, degree))
    return np.array(states)
