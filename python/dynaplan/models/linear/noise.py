"""The noise of a linear fit, brought to another size."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynaplan.errors import NumericalError
from dynaplan.models.linear.settings import Fit

__all__ = ["with_noise_scaled"]

Float64 = NDArray[np.float64]


def with_noise_scaled(
    fit: Fit, factors: Float64, ridge: float, threshold: float
) -> tuple[Any, ...]:
    """Returns the state of the same fit, but for the standard deviations (S,) of its noise.

    The noise is the sum of what is left of the targets in the corner of the factor and, where the
    coefficients do not meet the rows above exactly, of what they leave there. The rows above make
    the coefficients and stay; the corner makes up for the rest.

    Args:
        fit: with degrees of freedom.
        factors: on the standard deviations, above 0.
        ridge: of the fit.
        threshold: of the fit.

    Raises:
        NumericalError: the noise is to be less than the coefficients leave.
    """
    size, factor, *others = fit.state()
    freedom = np.sqrt(np.maximum(fit.degrees_of_freedom, 0.0))
    scaled = factor.copy()
    corner = scaled[-size:, -size:]
    if threshold == 0.0 and ridge == 0.0 and fit.rank == fit.columns:  # they are met exactly
        corner *= factors
        return (size, scaled, *others)
    residuals = freedom[:, None] * fit.noise_covariance * freedom
    # What is met exactly, as a known state is, has no noise and needs none.
    noisy = np.flatnonzero(np.diag(residuals) > 0.0)
    chosen = np.ix_(noisy, noisy)
    above = residuals - corner.T @ corner
    wanted = (factors[:, None] * residuals * factors - above)[chosen]
    unit = np.sqrt(np.diag(residuals))[noisy]
    try:
        lower = np.linalg.cholesky(wanted / unit / unit[:, None])
    except np.linalg.LinAlgError:
        cause, cure = (f"ridge {ridge:g} leaves", "ridge")
        if threshold > 0.0:
            cause, cure = ("the dropped terms leave", "threshold")
        raise NumericalError(
            f"calibrated: the noise would have to shrink by {factors}, to less than what {cause} "
            f"unexplained; fit with less {cure}"
        ) from None
    corner[:] = 0.0
    corner[chosen] = lower.T * unit
    return (size, scaled, *others)
