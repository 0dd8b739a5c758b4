"""What a linear fit makes small."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dynaplan import _arrays
from dynaplan.models.linear.huber import WeightedFit, huber_fit
from dynaplan.models.linear.regression_rows import Rows
from dynaplan.models.linear.settings import Fit

__all__ = ["Loss", "fit_by"]

Loss: TypeAlias = Literal["squared_error", "huber"]
Float64 = NDArray[np.float64]


def fit_by(loss: Loss, fit: WeightedFit, data: Rows, weights: Float64 | None, degree: int) -> Fit:
    """Returns the fit with the smallest loss.

    Args:
        loss: of residuals.
        fit: by weighted least squares.
        data: transitions.
        weights: (N,) of the rows, or None: all 1.
        degree: of the features in the inputs.

    Raises:
        ArgumentError: there is no such loss.
    """
    if _arrays.choice("loss", loss, "squared_error", "huber") == "squared_error":
        return fit(data, weights)
    fit(data, weights)  # what is refused is refused for all rows
    return huber_fit(fit, data, weights, degree)
