"""Errors one step ahead, the bands that should hold them, and root mean squares of any size."""

from __future__ import annotations

from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dynaplan.data.angles import Angles
from dynaplan.data.transitions import Transitions
from dynaplan.models.interface import Model, predicted

__all__ = ["OneStep", "deviation_of", "one_step_errors"]

_LEVELS = (0.5, 0.9, 0.95)

Float64 = NDArray[np.float64]


class OneStep(NamedTuple):
    """What a model predicts one step ahead, beside what followed.

    Attributes:
        errors: (N, S) predicted less actual next states, in the states' units; of angles the short
            way round.
        deviations: (N, S) standard deviations of the predictions, 0 where there is no band.
    """

    errors: Float64
    deviations: Float64

    @property
    def rmse(self) -> Float64:
        """(S,) root mean square errors."""
        return _root_mean_square(self.errors)

    @property
    def coverage(self) -> dict[float, Float64]:
        """For each level, (S,) share of the rows within the band; nan of a state without one."""
        has_band = (self.deviations > 0.0).any(axis=0)
        coverage: dict[float, Float64] = {}
        for level in _LEVELS:
            width = NormalDist().inv_cdf(0.5 + 0.5 * level)
            inside = (np.abs(self.errors) <= width * self.deviations).mean(axis=0)
            coverage[level] = np.where(has_band, inside, np.nan)
        return coverage


def one_step_errors(model: Model, held_out: Transitions, angles: Angles, threads: int) -> OneStep:
    """Returns the errors of a model at each row."""
    prediction = predicted(model, held_out.states, held_out.actions, threads)
    return OneStep(
        angles.short_way(prediction.mean - held_out.next_states),
        np.sqrt(prediction.aleatoric + prediction.epistemic),
    )


def deviation_of(values: Float64) -> Float64:
    """Returns the standard deviation of each column, also where squares overflow or vanish."""
    unit = _unit(values)
    deviation: Float64 = unit * (values / unit).std(axis=0)
    return deviation


def _root_mean_square(values: Float64) -> Float64:
    unit = _unit(values)
    with np.errstate(over="ignore"):  # of a prediction that diverges
        size: Float64 = unit * np.sqrt(((values / unit) ** 2).mean(axis=0))
    return size


def _unit(values: Float64) -> Float64:
    """Returns powers of two about as large as the columns, so that dividing by them is exact."""
    largest = np.abs(values).max(axis=0)
    measurable = (largest > 0.0) & np.isfinite(largest)
    exponent = np.where(measurable, np.frexp(largest)[1], 0)
    unit: Float64 = np.ldexp(1.0, np.clip(exponent, -1022, 1023))
    return unit
