"""What a linear fit makes small."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dynaplan import _arrays, _core
from dynaplan.data.transitions import Transitions
from dynaplan.models.linear.huber import huber_fit

__all__ = ["Loss", "fit_by"]

Loss: TypeAlias = Literal["squared_error", "huber"]
Float64 = NDArray[np.float64]


def fit_by(
    loss: Loss,
    data: Transitions,
    weights: Float64 | None,
    settings: tuple[int, bool, bool, float, float, int],
) -> _core.LinearGaussianFit:
    """Returns the fit with the smallest loss.

    Args:
        loss: of residuals.
        data: transitions.
        weights: (N,) of the rows, or None: all 1.
        settings: degree of the features, whether there is an intercept, whether the change is
            fitted, ridge, threshold, threads.

    Raises:
        ArgumentError: there is no such loss, or a setting is out of range.
    """

    def fit(rows: Transitions, row_weights: Float64 | None) -> _core.LinearGaussianFit:
        degree, intercept, change, ridge, threshold, threads = settings
        return _core.LinearGaussianFit.fit(
            rows.states,
            rows.actions,
            rows.next_states,
            row_weights,
            degree,
            intercept,
            change,
            ridge,
            threshold,
            threads,
        )

    if _arrays.choice("loss", loss, "squared_error", "huber") == "squared_error":
        return fit(data, weights)
    fit(data, weights)  # what is refused is refused for all rows
    return huber_fit(fit, data, weights, settings[0])
