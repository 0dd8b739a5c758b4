"""Linear fits that a few rows cannot bend: Huber's loss, by reweighted least squares."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from dynaplan.data.wild_rows import wild_rows
from dynaplan.errors import NumericalError
from dynaplan.models.linear.regression_rows import Rows
from dynaplan.models.linear.settings import Fit

__all__ = ["WeightedFit", "huber_fit"]

Float64 = NDArray[np.float64]
# From data and the weights (N,) of their rows to the least-squares fit.
WeightedFit: TypeAlias = Callable[[Rows, Float64 | None], Fit]

_CUTOFF = 1.345  # deviations: 95 % of the efficiency of least squares where the noise is normal
_NORMAL_MEDIAN = 0.6744897501960817  # of the size of a standard normal number
_NORMAL_SHARE = 0.8214  # of a normal variance that is left after the weights
_LEVERAGE = 5.0  # deviations from the median of an input from which on a row counts as far
_CONVERGED = 1e-10  # deviations by which predictions still change
_SETTLED = 50  # iterations after which the scale is held, as from then on there is one minimum
_ITERATIONS = 500
_EXACT = 1e-8  # of a change: data with less noise have none


def huber_fit(fit: WeightedFit, data: Rows, weights: Float64 | None, degree: int) -> Fit:
    """Returns the fit that minimises the sum of Huber's loss of the rows' residuals.

    A row's residual is the root mean square over the states that ever have one, each in units of
    its own scale, the median absolute residual / 0.6745; of one state it is that of Huber's
    regression. Rows whose inputs are far from the others have a lower cutoff (Schweppe's form):
    they would else pull the fit to themselves until they have no residual. Rows with wild values
    are left out. The weights are then multiplied by a constant so that the noise is that of the
    scales.

    Args:
        fit: a weighted least-squares fit.
        data: transitions.
        weights: (N,) of the rows, >= 0, or None: all 1.
        degree: of the features in the inputs.

    Raises:
        NumericalError: it does not converge.

    Source: Huber 1981, "Robust statistics", ch. 7; Hill 1977, "Robust regression when there are
    outliers in the carriers", for Schweppe's form.
    """
    given = np.ones(len(data)) if weights is None else weights
    wild = wild_rows(data.states, data.actions, data.next_states).rows
    counted = given > 0.0
    counted[wild] = False
    if not counted.any():
        return fit(data, given)  # which refuses the weights, or knows no better
    data, given = data[counted], given[counted]
    cutoff = _CUTOFF * _leverage_factors(np.hstack([data.states, data.actions]), degree)
    found = fit(data, given * (cutoff / _CUTOFF) ** 2)
    if found.degrees_of_freedom.min() <= 0.0:
        return found  # each row is met, or there is no telling which should not be
    residuals = _residuals(found, data)
    smallest = _EXACT * _scales(data.next_states - data.states)
    for iteration in range(_ITERATIONS):
        if iteration < _SETTLED:
            scales = np.maximum(_scales(residuals), smallest)
        sizes = _sizes(residuals, scales)
        robust = np.minimum(1.0, cutoff / np.maximum(sizes, cutoff))
        left = float((given * np.minimum(sizes, cutoff) * sizes).sum())
        wanted = float(found.degrees_of_freedom.min()) * float(given.mean())
        is_known = 0.0 < left < np.inf and wanted > 0.0
        constant = min(wanted / left, 1.0 / _NORMAL_SHARE) if is_known else 1.0
        found = fit(data, given * robust * constant)
        before, residuals = residuals, _residuals(found, data)
        if _sizes(residuals - before, scales).max() <= _CONVERGED:
            return found
    raise NumericalError(
        f'loss: "huber" did not converge in {_ITERATIONS} iterations; fit with more ridge, or '
        "fewer features"
    )


def _residuals(found: Fit, data: Rows) -> Float64:
    residuals: Float64 = data.next_states - found.predict(data.states, data.actions, 1)[0]
    return residuals


def _scales(values: Float64) -> Float64:
    """Returns (S,) robust standard deviations about 0; where most are 0, their mean size."""
    sizes = np.abs(values)
    medians = np.median(sizes, axis=0) / _NORMAL_MEDIAN
    return np.where(medians > 0.0, medians, sizes.mean(axis=0))


def _sizes(values: Float64, scales: Float64) -> Float64:
    """Returns (N,) the root mean square over the states, in units of the scales."""
    changing = scales > 0.0  # what never changes has no residual
    count = max(1, np.count_nonzero(changing))
    with np.errstate(over="ignore"):
        sizes: Float64 = np.sqrt(
            ((values / np.where(changing, scales, 1.0)) ** 2).sum(axis=1) / count
        )
    return sizes


def _leverage_factors(inputs: Float64, degree: int) -> Float64:
    """Returns (N,) factors on the cutoff: 1, or less for rows that are far from the others."""
    away = np.abs(inputs - np.median(inputs, axis=0))
    scales = _scales(away)
    farthest = (away / np.where(scales > 0.0, scales, 1.0)).max(axis=1)
    factors: Float64 = (_LEVERAGE / np.maximum(farthest, _LEVERAGE)) ** degree
    return factors
