"""The cross-entropy method on a function, written from its description."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def maximise(
    value: Callable[[Array], Array],
    mean: Array,
    std: Array,
    low: Array,
    high: Array,
    *,
    candidates: int,
    elites: int,
    iterations: int,
    smoothing: float,
    floor: Array,
    seed: int,
) -> tuple[Array, float]:
    """Returns the best (size,) vector seen and its value."""
    generator = np.random.default_rng(seed)
    best, best_value = mean, -np.inf
    for _ in range(iterations):
        drawn = np.clip(mean + std * generator.normal(size=(candidates, len(mean))), low, high)
        drawn[0] = np.clip(mean, low, high)
        values = value(drawn)
        if values.max() > best_value:
            best, best_value = drawn[values.argmax()], float(values.max())
        chosen = drawn[np.argsort(-values)[:elites]]
        mean = smoothing * mean + (1 - smoothing) * chosen.mean(axis=0)
        std = np.maximum(smoothing * std + (1 - smoothing) * chosen.std(axis=0), floor)
    return best, best_value
