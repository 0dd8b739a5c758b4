"""The noise of the sensors in recorded states, told from the noise of the system by its traces."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dynaplan.data.angles import Angles
from dynaplan.data.transitions import Transitions

__all__ = ["MeasurementNoise", "measurement_noise"]

_MAX_ROWS = 4096  # the last ones; more would only sharpen a figure known to some 4 % by then
_MIN_PAIRS = 30
_ROWS_PER_COLUMN = 8
_MAX_COLUMNS = 64
_SIGNIFICANT = 3.0  # standard errors
_DEVIATION_OF_MEDIAN = 1.4826  # of a Gaussian (Hampel 1974)
_LEAST = 1e-10  # of the spread squared; below it may be the rounding of float32

Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class MeasurementNoise:
    """Bounds of the variance of white noise in each state, in units of the spread squared.

    Attributes:
        low: (S,) what is taken out of errors; 0 where no noise is evident.
        high: (S,) what is taken out of changes; where nothing tells the noise of the sensor from
            that of the system, all that is not predictable one step ahead.
    """

    low: Float64
    high: Float64


def measurement_noise(
    data: Transitions, ends: NDArray[np.int64], spread: Float64, angles: Angles
) -> MeasurementNoise:
    """Estimates the noise of the sensors from the data alone, whatever the model.

    Next states are regressed on states and actions, with their products where the rows are enough.
    What is left of the step from t is e_t = w_t + n_{t+1} - A n_t, with the noise w of the system
    and n of the sensor. White w leaves no trace in the next step, but n_{t+1} is in e_t and in
    e_{t+1}, so that E[e_{t+1} e_t'] = -A R with the variances R of n. Where states and next states
    are measured apart, half the variance of their differences adds to it.

    Known states are none: what is in them was noise before, and the noise of those that they repeat
    is found in these.

    A system that the regression does not describe leaves remains that last for several steps. They
    have the other sign, and so does a coefficient that noise in the inputs has made too small;
    those that alternate are told by the steps two apart, in which the sensor leaves no trace
    either. So errors of the regression make the noise too small and not too large. The bounds are
    a standard error to either side, or as much as the steps two apart say where that is more; the
    lower one is at most half the square of what commonly remains.

    Args:
        data: the transitions.
        ends: (N,) the first row beyond the segment of each row.
        spread: (S,) standard deviations of the states; 0 for those that never varied.
        angles: which of them are angles; they count from their circular mean.

    Source: Mehra 1970, "On the identification of variances and adaptive Kalman filtering";
    Odelson, Rajamani & Rawlings 2006, "A new autocovariance least-squares method for estimating
    noise covariances"; errors in the inputs of a regression: Fuller 1987, "Measurement error
    models", sec. 1.1.
    """
    low, high = np.zeros((2, data.state_dim))
    recent = slice(max(0, len(data) - _MAX_ROWS), None)
    rows = np.arange(len(data))[recent]
    left = ends[recent] - rows
    varied = np.flatnonzero((spread > 0.0) & data.known.learned(data.state_dim))
    pairs = np.flatnonzero(left > 1)
    if len(pairs) < _MIN_PAIRS:
        return MeasurementNoise(low, high)
    begin, reached = data.states[recent], data.next_states[recent]
    if angles:
        change = angles.short_way(reached - begin)
        begin = angles.about_mean(begin)
        reached = begin + change
    offset, unit = _centre(begin[:, varied]), spread[varied]
    states, following = (_scaled(values[:, varied], offset, unit) for values in (begin, reached))
    if not np.isfinite(following).all():  # beyond any scale of the states
        return MeasurementNoise(low, high)
    lowest, highest = _from_remains(states, data.actions[recent], following, left)
    apart = angles.among(varied, unit).short_way(following[pairs] - states[pairs + 1])
    if apart.any():
        variance = 0.5 * (_DEVIATION_OF_MEDIAN * np.median(np.abs(apart), axis=0)) ** 2
        error = variance / np.sqrt(len(pairs))
        lowest, highest = lowest + np.maximum(0.0, variance - error), highest + variance + error
    low[varied], high[varied] = np.where(lowest > _LEAST, lowest, 0.0), highest
    return MeasurementNoise(low, high)


def _from_remains(
    states: Float64, actions: Float64, following: Float64, left: NDArray[np.int64]
) -> tuple[Float64, Float64]:
    """Returns (S,) low and high of the noise that consecutive steps have in common."""
    inputs = _inputs(states, actions)
    if inputs is None:
        none = np.zeros(states.shape[1])
        return none, none
    change = following - states
    coefficients = np.zeros((inputs.shape[1], change.shape[1]))
    gram = inputs.T @ inputs
    inverse = np.linalg.pinv(gram, rcond=1e-12, hermitian=True)
    for _ in range(2):  # the second time mends what the squared condition lost
        coefficients += inverse @ (inputs.T @ (change - inputs @ coefficients))
    remains = change - inputs @ coefficients
    count = states.shape[1]
    jacobian = np.eye(count) + coefficients[1 : 1 + count].T  # products are 0 in the mean
    variance = (remains**2).sum(axis=0) / (len(remains) - inputs.shape[1])
    found, error = _in_common(remains, jacobian, left, 1)
    doubt = np.maximum(error, np.abs(_in_common(remains, jacobian, left, 2)[0]))
    evident = found > _SIGNIFICANT * error
    # Where noise is at times much larger than commonly, errors are judged by what is common.
    common = 0.5 * (_DEVIATION_OF_MEDIAN * np.median(np.abs(remains), axis=0)) ** 2
    low = np.where(evident, np.clip(found - doubt, 0.0, common), 0.0)
    return low, np.minimum(variance, np.maximum(found, 0.0) + error)


def _in_common(
    remains: Float64, jacobian: Float64, left: NDArray[np.int64], lag: int
) -> tuple[Float64, Float64]:
    """Returns (S,) the R that best explains E[e_{t + lag} e_t'] = -A R, and its standard error."""
    pairs = np.flatnonzero(left > lag)
    seen = np.maximum((jacobian**2).sum(axis=0), np.finfo(np.float64).tiny)
    if not len(pairs):
        return np.zeros(len(seen)), np.full(len(seen), np.inf)
    each = -(remains[pairs + lag] @ jacobian) * remains[pairs]
    with np.errstate(over="ignore"):
        return each.mean(axis=0) / seen, each.std(axis=0) / seen / np.sqrt(len(pairs))


def _inputs(states: Float64, actions: Float64) -> Float64 | None:
    """Returns (N, P): 1, states and actions, and their products; None if the rows are too few."""
    largest = np.abs(actions).max(axis=0)
    actions = actions / np.where(largest > 0.0, largest, 1.0)
    actions = actions - actions.mean(axis=0)
    linear = np.hstack([states, actions])
    count, columns = linear.shape
    first, second = np.triu_indices(columns)
    with_products = 1 + columns + len(first)
    if 1 + columns > count // _ROWS_PER_COLUMN:
        return None
    parts = [np.ones((count, 1)), linear]
    if with_products <= min(_MAX_COLUMNS, count // _ROWS_PER_COLUMN):
        products = linear[:, first] * linear[:, second]
        parts.append(products - products.mean(axis=0))
    return np.hstack(parts)


def _centre(values: Float64) -> Float64:
    largest = np.abs(values).max(axis=0)
    unit = np.where(largest > 0.0, largest, 1.0)
    centre: Float64 = unit * (values / unit).mean(axis=0)
    return centre


def _scaled(values: Float64, centre: Float64, unit: Float64) -> Float64:
    with np.errstate(over="ignore"):
        return (values - centre) / unit
