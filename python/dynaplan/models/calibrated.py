"""`CalibratedModel`: models whose noise can be scaled until their bands hold on held-out data."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from dynaplan import _arrays, _texts
from dynaplan.data.transitions import Transitions, require_transitions
from dynaplan.errors import ArgumentError, NumericalError, ShapeError
from dynaplan.models.fitted import FittedModel
from dynaplan.models.interface import (
    Model,
    Prediction,
    agreed_angles,
    agreed_known,
    known_of,
    predicted,
)

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["PROPAGATIONS", "CalibratedModel", "band_arrays", "band_factors_in"]
__all__ += ["checked_band_factors", "checked_calibration", "conformal_factors", "fewest_rows"]

PROPAGATIONS = ("sample", "ts1", "tsinf", "moment")  # that draw
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
        band_factors: (K, S) factors on the half widths of the bands 1 ... K steps ahead that
            `calibrate_bands` found, for each propagation with which they are drawn.
    """

    __slots__ = ()

    calibration: Float64 | None
    band_factors: Mapping[str, Float64]

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
            The calibrated model; a calibration that this model has is replaced, and factors of
            `calibrate_bands` are dropped.

        Raises:
            ArgumentError: `level` is out of range, there are too few rows for it, the model
                predicts no noise, as an `MLP`, or `held_out` has other angles or
                known states.
            ShapeError: `held_out` has other dimensions.
            NumericalError: a state is predicted without noise, and wrongly; or noise would have to
                shrink to less than what the ridge or the threshold of a `LinearGaussian` leaves
                unexplained.
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
        angles = agreed_angles("held_out", held_out.angles, model)
        errors = angles.short_way(prediction.mean - held_out.next_states)
        size = np.abs(held_out.next_states).max(axis=0)
        agreed_known("held_out", held_out, model)
        known = known_of(model)
        errors = known.without(np.where(np.abs(errors) <= _ROUNDING * size, 0.0, errors))
        factors = _factors(errors, *plain._scaled_variances(prediction), level)
        factors[known.columns] = 1.0  # which have no noise
        return plain._with_calibration(factors)

    @property
    @abstractmethod
    def uncalibrated(self) -> Self:
        """The model as it was fitted: itself, where it was not `calibrated`."""

    @abstractmethod
    def _with_band_factors(self, factors: Mapping[str, Float64]) -> Self:
        """Returns this model with other factors on its bands."""

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
    if count < fewest_rows(level):
        raise ArgumentError(
            f"held_out: got {count} rows, must be at least {fewest_rows(level)} for a level of "
            f"{level}"
        )
    reach = NormalDist().inv_cdf(0.5 + 0.5 * level)
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        lacking = (errors / reach) ** 2 - fixed
        squares = np.where(lacking > 0.0, lacking / scaled, 0.0)
    squares[np.isnan(squares) | np.isnan(errors)] = np.inf
    return conformal_factors(np.sqrt(squares), level)


def fewest_rows(level: float) -> int:
    """Returns from how many rows on one of them is a bound for a fresh one with that chance."""
    return math.ceil(round(level / (1.0 - level), 9))  # of binary fractions such as 0.9


def conformal_factors(scores: Float64, level: float) -> Float64:
    """Returns (S,) of scores (N, S) the ceil((N + 1) level)-th smallest, N being enough.

    Raises:
        NumericalError: it is infinite, or too large to be a factor.
    """
    rank = math.ceil(round((len(scores) + 1) * level, 9))
    ranked = np.partition(scores, rank - 1, axis=0)[rank - 1]
    factors: Float64 = np.maximum(ranked, _LEAST)
    endless = np.flatnonzero(factors > _RANGE[1])
    if len(endless):
        raise NumericalError(
            f"held_out: the model is wrong in state {', '.join(map(str, endless))}, of which it "
            "predicts next to no noise, or it diverges: no factor makes its bands hold"
        )
    return factors


def checked_band_factors(given: Mapping[str, Float64] | None, state_dim: int) -> dict[str, Float64]:
    """Returns the factors of each propagation, not to be written to.

    Raises:
        ArgumentError: one is out of range, or a propagation draws nothing.
        ShapeError: some are not (K, S) with a K above 0.
        TypeError: they are no mapping.
    """
    if given is not None and not isinstance(given, Mapping):
        got = _texts.shown(given)
        raise TypeError(f"band_factors: got {got}, must be a mapping from propagations to arrays")
    checked: dict[str, Float64] = {}
    for propagation, values in (given or {}).items():
        _arrays.choice("band_factors", propagation, *PROPAGATIONS)
        factors = np.array(_arrays.numbers("band_factors", values))
        if factors.ndim != 2 or factors.shape[1] != state_dim or not len(factors):
            raise ShapeError(
                f"band_factors: got shape {factors.shape}, must be (steps, {state_dim})"
            )
        low, high = _RANGE
        if not ((factors >= low) & (factors <= high)).all():
            raise ArgumentError(
                f"band_factors: got {_texts.brief(factors)}, must be from {low:g} to {high:g}"
            )
        factors.setflags(write=False)
        checked[propagation] = factors
    return checked


def band_arrays(factors: Mapping[str, Float64]) -> dict[str, Float64]:
    """Returns the arrays of a file that keep them."""
    return {f"band_factors.{name}": factors[name] for name in PROPAGATIONS if name in factors}


def band_factors_in(
    arrays: Mapping[str, NDArray[Any]], wanted: dict[str, tuple[str, tuple[int, ...]]]
) -> dict[str, Float64]:
    """Returns those that a file has, and adds their arrays to those wanted of it."""
    found = {}
    for propagation in PROPAGATIONS:
        array = arrays.get(f"band_factors.{propagation}")
        if array is not None:
            wanted[f"band_factors.{propagation}"] = "float64", array.shape
            found[propagation] = array
    return found


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
