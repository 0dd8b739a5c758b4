"""Sequential thresholding on the rows themselves, term by term: slow and plain."""

from __future__ import annotations

import numpy as np

__all__ = ["features_of", "sequential_thresholding"]


def features_of(states, actions, exponents, intercept=True):
    """Returns (N, columns): the monomials of `exponents`, then the constant."""
    inputs = np.hstack([states, actions])
    columns = [np.prod(inputs**powers, axis=1) for powers in exponents]
    return np.column_stack(columns + [np.ones(len(inputs))] * intercept)


def sequential_thresholding(features, target, threshold):
    """Returns coefficients of one target, and its residuals over the degrees of freedom.

    A term is dropped if its root mean square is at most `threshold` times that of what all features
    explain.
    """
    sizes = np.sqrt((features**2).mean(axis=0))
    all_of_them = np.linalg.lstsq(features, target, rcond=None)[0]
    explained = np.sqrt(((features @ all_of_them) ** 2).mean())
    support, coefficients = np.full(features.shape[1], True), all_of_them
    while True:
        kept = support & (np.abs(coefficients) * sizes > threshold * explained)
        coefficients = np.zeros(len(kept))
        if kept.any():
            coefficients[kept] = np.linalg.lstsq(features[:, kept], target, rcond=None)[0]
        if (kept == support).all():
            residuals = target - features @ coefficients
            return coefficients, (residuals**2).sum() / (len(target) - kept.sum())
        support = kept
