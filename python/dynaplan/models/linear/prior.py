"""What is known of a linear system before there are data, as transitions that say the same."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from dynaplan import _core
from dynaplan.data.angles import Angles
from dynaplan.data.known_states import KnownStates
from dynaplan.data.transitions import Transitions
from dynaplan.errors import ArgumentError
from dynaplan.models.linear.angle_inputs import AngleInputs
from dynaplan.models.linear.covariances import covariance_factor
from dynaplan.models.linear.features import Identity
from dynaplan.models.linear.linear_gaussian import LinearGaussian

__all__ = ["input_spread", "known_rows"]

Float64 = NDArray[np.float64]


def input_spread(
    low: Float64, high: Float64, data: Transitions
) -> tuple[Float64, Float64, Float64, Float64]:
    """Returns mean and standard deviation of each input (S + A,), and the range that it takes.

    Those of numbers spread evenly over a range that is known; else those of the data.

    Args:
        low: (S + A,) known, or -inf.
        high: (S + A,) known, or inf.
        data: transitions.

    Raises:
        ArgumentError: an input has no known range and is the same in all transitions.
    """
    inputs = np.hstack([data.states, data.actions])
    known = np.isfinite(low) & np.isfinite(high) & (low < high)
    low, high = np.where(known, low, inputs.min(axis=0)), np.where(known, high, inputs.max(axis=0))
    same = low == high
    if same.any():
        index = int(np.argmax(same))
        size = data.states.shape[1]
        name = f"state {index}" if index < size else f"action {index - size}"
        raise ArgumentError(
            f"data: {name} is the same in all {len(data)} transitions, so that nothing says how "
            "far what is known of its effect reaches; collect more, or give LinearModel(observed=)"
        )
    middle, half = 0.5 * low + 0.5 * high, 0.5 * high - 0.5 * low
    within = (inputs - middle) / half  # whose squares do not overflow
    centre = np.where(known, middle, middle + half * within.mean(axis=0))
    deviation = half * np.where(known, 1.0 / np.sqrt(3.0), within.std(axis=0))
    return centre, deviation, low, high


def known_rows(
    coefficients: Float64,
    noise: Float64,
    spread: tuple[Float64, Float64, Float64, Float64],
    rows: float,
    *,
    angles: Angles,
    known: KnownStates,
) -> LinearGaussian:
    """Returns the model that so many transitions of a known system lead to, whatever the number.

    They are taken to have inputs that vary independently, and to fit the known coefficients with
    residuals of the known covariance.

    Args:
        coefficients: (S, S + A + 1) of states, actions and 1 in the change of the state.
        noise: (S, S) covariance; 0 where it is not known.
        spread: what `input_spread` returns.
        rows: how many, above 0.
        angles: of the states.
        known: the states that are exact shifts, of which nothing else counts.
    """
    coefficients, noise = coefficients.copy(), known.without(known.without(noise).T)
    coefficients[known.columns] = 0.0
    centre, deviation, low, high = spread
    targets, columns = coefficients.shape
    # What the rows [inputs 1] amount to: those of each input's deviation, and that of the means.
    inputs = np.zeros((columns, columns))
    inputs[:-1, :-1] = np.diag(deviation)
    inputs[-1] = np.append(centre, 1.0)
    # Without residuals the coefficients take up all that these rows say of the noise.
    count = float(max(rows, columns)) if noise.any() else float(columns)
    residuals = np.sqrt(count - columns) * covariance_factor("noise", noise).T
    with np.errstate(over="ignore", invalid="ignore"):
        inputs *= np.sqrt(rows)
        whole = np.zeros((columns + targets, columns + targets))
        whole[:columns] = np.hstack([inputs, inputs @ coefficients.T])
        whole[columns:, columns:] = residuals
    factor = np.ascontiguousarray(np.linalg.qr(whole, mode="r"))
    fit = _core.LinearGaussianFit.from_state(
        (targets, factor, count, low, high, False), 1, True, True, 0.0, 0.0
    )
    seen = AngleInputs.unseen(Identity(), angles, known)
    if angles:
        seen = replace(seen, low=low[angles.columns], high=high[angles.columns])
    return LinearGaussian(fit, Identity(), ("change", True, 0.0, 0.0), angle_inputs=seen)
