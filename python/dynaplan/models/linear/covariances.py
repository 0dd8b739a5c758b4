"""Covariances: checked where they are given, and their factors."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynaplan import _arrays
from dynaplan.errors import ArgumentError, ShapeError

__all__ = ["covariance_factor", "covariance_matrix"]

Float64 = NDArray[np.float64]


def covariance_matrix(name: str, values: ArrayLike, size: int) -> Float64:
    """Returns (size, size), symmetric to the bit; a vector of variances is its diagonal.

    Raises:
        ShapeError: another shape.
        ArgumentError: a number is not finite, or they are no covariance as far as its entries show.
    """
    array = _arrays.numbers(name, values)
    if array.shape not in {(size,), (size, size)}:
        raise ShapeError(f"{name}: got shape {array.shape}, must be ({size}, {size}) or ({size},)")
    if not np.isfinite(array).all():
        raise ArgumentError(f"{name}: got {array}, must be finite")
    array = np.diag(array) if array.ndim == 1 else array.copy()
    variances = np.diag(array)
    if (variances < 0.0).any():
        raise ArgumentError(f"{name}: got variances {variances}, must not be negative")
    scale = np.sqrt(variances)
    largest = scale[:, None] * scale
    if (np.abs(array - array.T) > 1e-9 * largest).any():
        raise ArgumentError(f"{name}: must be symmetric")
    if (np.abs(array) > largest * (1 + 1e-9)).any():
        raise ArgumentError(
            f"{name}: must be a covariance: an entry exceeds what its variances allow"
        )
    return np.ascontiguousarray(array if (array == array.T).all() else 0.5 * array + 0.5 * array.T)


def covariance_factor(name: str, covariance: Float64) -> Float64:
    """Returns a lower L with L L' the covariance, which need not have full rank.

    Of the correlations, so that no entry's unit decides what is next to nothing.

    Raises:
        ArgumentError: it is negative in some direction.
    """
    scale = np.sqrt(np.diag(covariance))
    inverse = np.divide(1.0, scale, out=np.zeros_like(scale), where=scale > 0.0)
    values, vectors = np.linalg.eigh(inverse[:, None] * covariance * inverse)
    if values[0] < -1e-9 * len(scale):
        raise ArgumentError(
            f"{name}: must be a covariance: one of its directions has a negative one"
        )
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    _, upper = np.linalg.qr(root.T)
    return np.ascontiguousarray(scale[:, None] * upper.T)
