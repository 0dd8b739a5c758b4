"""iCEM as its authors describe it, in plain NumPy (Pinneri et al. 2020, algorithm 1)."""

from __future__ import annotations

import numpy as np

from reference.noise import along


def coloured(random, exponent, count, steps, dims):
    """Returns (count, steps, dims) noise of unit variance: white noise, filtered in frequency."""
    white = random.normal(size=(count * dims, steps))
    noise = along(white, steps, exponent, knots=0, window=1)
    return noise.reshape(count, dims, steps).transpose(0, 2, 1)


def maximise(
    value,
    low,
    high,
    steps,
    *,
    candidates,
    elites,
    iterations,
    smoothing,
    initial_std,
    exponent,
    decay,
    keep,
    seed,
):
    """Returns the value of the best sequence of the last iteration, or of the last mean."""
    random = np.random.default_rng(seed)
    half = (high - low) / 2
    mean = np.tile((low + high) / 2, (steps, 1))
    std = np.tile(initial_std * half, (steps, 1))
    kept = np.empty((0, steps, len(low)))
    count = candidates
    for iteration in range(iterations):
        if iteration > 0:
            count = max(2 * elites, int(count / decay))
        drawn = mean + std * coloured(random, exponent, count, steps, len(low))
        if iteration == iterations - 1:
            drawn[-1] = mean
        population = np.concatenate([np.clip(drawn, low, high), kept])
        values = value(population)
        order = np.argsort(-values)[:elites]
        best = population[order]
        mean = smoothing * mean + (1 - smoothing) * best.mean(axis=0)
        std = smoothing * std + (1 - smoothing) * best.std(axis=0)
        kept = best[: int(keep * elites)]
    return max(values.max(), value(mean[None])[0])
