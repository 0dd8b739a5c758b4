"""`CalibratedModel`: models whose noise can be scaled until their bands hold on held-out data."""

from __future__ import annotations

import math
from abc import abstractmethod
from statistics import NormalDist
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from dynaplan import _arrays, _texts
from dynaplan.data.transitions import Transitions, require_transitions
from dynaplan.errors import ArgumentError, NumericalError, ShapeError
from dynaplan.models.fitted import FittedModel
from dynaplan.models.interface import Model, Prediction, predicted

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["CalibratedModel", "checked_calibration"]

Float64 = NDArray[np.float64]
# Of a state's size: errors that are rounding alone, of a state that is predicted without noise.
_ROUNDING = 1e-9
_LEAST = 1e-3  # a factor below leaves no noise to speak of, whatever the members disagree by
_RANGE = (1e-9, 1e9)  # of factors, whose squares float32 holds


class CalibratedModel(FittedModel):
    """A fitted model with noise whose size held-out data may correct: abstract.

    Attributes:
        calibration: (S,) factors on the standard deviations of the noise that `calibrated` found,
            or None.
    """

    __slots__ = ()

    calibration: Float64 | None

    def calibrated(self, held_out: Transitions, *, level: float = 0.9, threads: int = 1) -> Self:
        """Returns the same model with noise of the size that its errors on held-out data have.

        The standard deviation of each state's noise is multiplied by the smallest factor with which
        the one-step bands hold ceil((n + 1) level) of the n held-out rows (split conformal
        prediction): a fresh row of the same kind then lies within the band of `level` with at least
        that probability, however wrong the model is. Means stay as they are; predictions, draws,
        rollouts and planners use the new noise, and files keep it. What the members of an ensemble
        disagree by is not scaled: the noise makes up for it.

        Args:
            held_out: transitions that the model was not fitted to, nor stopped by: other episodes,
                where there are several.
            level: of the bands that are to hold, in (0, 1). Default 0.9. Those of other levels
                hold as well as the errors are Gaussian.
            threads: threads to use.

        Returns:
            The calibrated model; a calibration that this model has is replaced.

        Raises:
            ArgumentError: `level` is out of range, there are too few rows for it, or the model
                predicts no noise, as an `MLP`.
            ShapeError: `held_out` has other dimensions.
            NumericalError: a state is predicted without noise, and wrongly; or noise would have to
                shrink to less than what the ridge of a `LinearGaussian` leaves unexplained.
            TypeError: `held_out` is no Transitions.

        Source: Lei et al. 2018, "Distribution-free predictive inference for regression" (split
        conformal, sec. 2.2; scaled residuals, sec. 5.2).

        Example:
            >>> rng = np.random.default_rng(0)
            >>> s, a = rng.normal(size=(2, 300, 1))
            >>> noise = rng.standard_t(2, size=s.shape)  # Gaussian bands are no good for it
            >>> data, held_out = dp.Transitions(s, a, 0.5 * s + a + 0.1 * noise).split(0.5, seed=0)
            >>> model = dp.LinearGaussian.fit(data)
            >>> print(model.calibrated(held_out).calibration.round(2))
            [0.71]
        """
        require_transitions("held_out", held_out)
        model = cast("Model", self)
        dims, wanted = [(part.state_dim, part.action_dim) for part in (held_out, model)]
        if dims != wanted:
            raise ShapeError(
                f"held_out: got (state_dim, action_dim) {dims}, must be {wanted} as of the model"
            )
        level = _arrays.real("level", level)
        if not 0.0 < level < 1.0:
            raise ArgumentError(f"level: got {level}, must be in (0, 1)")
        plain = self.uncalibrated
        prediction = predicted(cast("Model", plain), held_out.states, held_out.actions, threads)
        errors = plain._errors(prediction, held_out.next_states)
        size = np.abs(held_out.next_states).max(axis=0)
        errors = np.where(np.abs(errors) <= _ROUNDING * size, 0.0, errors)
        return plain._with_calibration(
            _factors(errors, *plain._scaled_variances(prediction), level)
        )

    @property
    @abstractmethod
    def uncalibrated(self) -> Self:
        """The model as it was fitted: itself, where it was not `calibrated`."""

    def _errors(self, prediction: Prediction, next_states: Float64) -> Float64:
        """Returns (N, S): by how much the means are off."""
        return prediction.mean - next_states

    @abstractmethod
    def _scaled_variances(self, prediction: Prediction) -> tuple[Float64, Float64]:
        """Returns the variances that a factor on the noise scales, and those that it does not."""

    @abstractmethod
    def _with_calibration(self, factors: Float64) -> Self:
        """Returns this uncalibrated model with the standard deviations of its noise scaled."""


def _factors(errors: Float64, scaled: Float64, fixed: Float64, level: float) -> Float64:
    """Returns (S,): the smallest factors with which enough bands hold their errors.

    A band reaches z sqrt(factor^2 scaled + fixed) to either side, z the Gaussian's of the level.
    """
    count = len(errors)
    rank = math.ceil(round((count + 1) * level, 9))  # of binary fractions such as 0.9
    if rank > count:
        raise ArgumentError(
            f"held_out: got {count} rows, must be at least "
            f"{math.ceil(round(level / (1.0 - level), 9))} for a level of {level}"
        )
    reach = NormalDist().inv_cdf(0.5 + 0.5 * level)
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        lacking = (errors / reach) ** 2 - fixed
        squares = np.where(lacking > 0.0, lacking / scaled, 0.0)
    squares[np.isnan(squares) | np.isnan(errors)] = np.inf
    squares.partition(rank - 1, axis=0)
    factors: Float64 = np.maximum(np.sqrt(squares[rank - 1]), _LEAST)
    endless = np.flatnonzero(factors > _RANGE[1])
    if len(endless):
        raise NumericalError(
            f"held_out: the model is wrong in state {', '.join(map(str, endless))}, of which it "
            "predicts next to no noise, or it diverges: no factor makes its bands hold"
        )
    return factors


def checked_calibration(calibration: Float64, state_dim: int) -> Float64:
    """Returns the factors, not to be written to.

    Raises:
        ShapeError: they are not (S,).
        ArgumentError: one is out of range.
    """
    factors = np.array(_arrays.vector("calibration", calibration, state_dim))
    low, high = _RANGE
    if not ((factors >= low) & (factors <= high)).all():
        raise ArgumentError(
            f"calibration: got {_texts.brief(factors)}, must be from {low:g} to {high:g}"
        )
    factors.setflags(write=False)
    return factors
