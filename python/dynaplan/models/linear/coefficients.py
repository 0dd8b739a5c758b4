"""What least squares found: the coefficients, their covariance, and the data's factor."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dynaplan import _core
from dynaplan.data.angles import Angles
from dynaplan.data.known_states import KnownStates
from dynaplan.errors import ArgumentError
from dynaplan.models.interface import Model
from dynaplan.models.linear.angle_inputs import AngleInputs
from dynaplan.models.linear.equations import PrintedEquations
from dynaplan.models.linear.function_fit import FunctionFit
from dynaplan.models.linear.settings import Fit

__all__ = ["FittedCoefficients"]

Float64 = NDArray[np.float64]


class FittedCoefficients(PrintedEquations):
    """The coefficients of a fit by least squares: abstract, see `LinearGaussian`."""

    __slots__ = ()

    _fit: Fit
    _angle_inputs: AngleInputs
    _noisy: Fit  # the same with the noise that `calibrated` found
    intercept: bool
    prior: Model | None

    @property
    def state_dim(self) -> int:
        """Number of state dimensions, S."""
        return self._fit.state_dim

    @property
    def action_dim(self) -> int:
        """Number of action dimensions, A."""
        return self._fit.action_dim - self._angle_inputs.cosines

    @property
    def angles(self) -> Angles:
        """The states that are angles, as the data said it."""
        return self._angle_inputs.angles

    @property
    def known(self) -> KnownStates:
        """The states that are exact shifts, as the data said it."""
        return self._angle_inputs.known

    @property
    def coefficients(self) -> Float64:
        """(S, columns): of the features in their order, then the intercept; of s' itself.

        With a prior: of the rest, s' - prior(s, a). Of features that are a function: of s' - s.
        With sines and cosines, those of an angle are of its change. That of a known state is 1, of
        the state or the action that it takes the value of: 0 if that is given as sine and cosine.
        """
        weights = self._weights
        return np.column_stack([weights, self._fit.intercept]) if self.intercept else weights

    @property
    def exponents(self) -> NDArray[np.intc]:
        """(features, S + A): the power of each input in each feature; cosines precede actions."""
        return self._polynomial("exponents").exponents()

    @property
    def A(self) -> Float64:
        """(S, S) coefficients of the states themselves, or of an angle's sine in its place."""
        self._polynomial("A")
        return self._weights[:, : self.state_dim].copy()

    @property
    def B(self) -> Float64:
        """(S, A) coefficients of the actions themselves."""
        self._polynomial("B")
        first = self.state_dim + self._angle_inputs.cosines
        return self._weights[:, first : first + self.action_dim].copy()

    @property
    def c(self) -> Float64:
        """(S,) intercept, 0 where none was fitted."""
        return self._fit.intercept

    @property
    def noise_covariance(self) -> Float64:
        """(S, S) covariance of the noise, in the states' units."""
        return self._noisy.noise_covariance

    @property
    def coefficient_covariance(self) -> Float64:
        """(S, columns, columns): for each next state, the covariance of its coefficients.

        Its noise variance times the (pseudo-)inverse of X^T X, with X the rows of [features 1]; of
        a sparse fit those that were not dropped, of which alone there is any uncertainty.
        """
        variances, spreads = np.diagonal(self._noisy.noise_covariance), self._fit.spreads
        if len(spreads) == 1:
            spreads = spreads * self.state_dim
        return np.stack([_scaled_square(*pair) for pair in zip(spreads, variances, strict=True)])

    @property
    def factor(self) -> Float64:
        """(columns + S, columns + S) upper triangular factor of [features 1 | targets]."""
        return self._fit.factor

    @property
    def observed_low(self) -> Float64:
        """(S + A,) smallest value of each input in the data."""
        return self._angle_inputs.observed(self._fit.input_low, self.state_dim, highest=False)

    @property
    def observed_high(self) -> Float64:
        """(S + A,) largest value of each input in the data."""
        return self._angle_inputs.observed(self._fit.input_high, self.state_dim, highest=True)

    def _equation_terms(self) -> tuple[Float64, NDArray[np.intc], Float64 | None]:
        self._polynomial("equations")
        largest = np.maximum(np.abs(self._fit.input_low), np.abs(self._fit.input_high))
        return np.column_stack([self._weights, self._fit.intercept]), self.exponents, largest

    def _polynomial(self, name: str) -> _core.LinearGaussianFit:
        """Returns the fit, which must be of polynomials."""
        if isinstance(self._fit, FunctionFit):
            raise ArgumentError(f"{name}: not known where features are a function")
        return self._fit

    @property
    def _known_part(self) -> str:
        return "" if self.prior is None else "prior"

    @property
    def _shifts(self) -> KnownStates:
        return self.known

    @property
    def _angle_rates(self) -> dict[int, float]:
        return self._angle_inputs.rates

    @property
    def _weights(self) -> Float64:
        weights = self._fit.weights
        if isinstance(self._fit, FunctionFit):
            return weights
        if self.prior is None:
            weights = self._angle_inputs.coefficients(weights)
        else:  # it predicts the state plus that
            weights[:, : self.state_dim] -= np.eye(self.state_dim)
        return self._angle_inputs.shifted(weights)


def _scaled_square(spread: Float64, variance: float) -> Float64:
    """Returns variance * spread spread'."""
    with np.errstate(over="ignore"):
        unscaled = spread @ spread.T
    if np.isfinite(unscaled).all():
        return np.asarray(variance * unscaled)
    root = np.sqrt(variance) * spread
    return np.asarray(root @ root.T)
