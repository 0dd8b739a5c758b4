"""Noise along a horizon, in plain NumPy and SciPy, from the definitions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.signal import savgol_filter

Array = NDArray[np.float64]


def coloured(white: Array, exponent: float) -> Array:
    """Returns white noise (..., H), its power filtered to f to the minus `exponent`.

    Timmer & Koenig 1995, as the package colorednoise has it: the frequency 0 has the power of the
    lowest above it.
    """
    steps = white.shape[-1]
    frequencies = np.maximum(np.fft.rfftfreq(steps), 1.0 / steps)
    return np.fft.irfft(np.fft.rfft(white) * frequencies ** (-exponent / 2), steps)


def along(white: Array, horizon: int, exponent: float, knots: int, window: int) -> Array:
    """Returns noise (N, horizon) of unit variance from white noise (N, drawn): one a knot, or H."""

    def shaped(rows: Array) -> Array:
        rows = coloured(rows, exponent)
        if knots:
            places = np.linspace(0.0, 1.0, horizon)
            rows = np.array([np.interp(places, np.linspace(0.0, 1.0, knots), row) for row in rows])
        return savgol_filter(rows, window, 2, mode="nearest") if window > 1 else rows

    of_each = shaped(np.eye(white.shape[-1]))
    return shaped(white) / np.linalg.norm(of_each, axis=0)


def covariance(horizon: int, exponent: float = 0.0, knots: int = 0, window: int = 1) -> Array:
    """Returns the (horizon, horizon) covariance of `along`."""
    of_each = along(np.eye(knots or horizon), horizon, exponent, knots, window)
    return of_each.T @ of_each
