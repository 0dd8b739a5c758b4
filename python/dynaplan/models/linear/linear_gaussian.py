"""`LinearGaussian`: linear and polynomial dynamics, fitted by least squares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynaplan import _arrays, _core, _texts
from dynaplan.data.transitions import Transitions, require_transitions
from dynaplan.models.calibrated import CalibratedModel, checked_band_factors, checked_calibration
from dynaplan.models.interface import Model, Prediction, agreed_known
from dynaplan.models.linear import files
from dynaplan.models.linear.angle_inputs import NO_ANGLE_INPUTS, AngleInputs
from dynaplan.models.linear.coefficients import FittedCoefficients
from dynaplan.models.linear.features import Identity, checked_features, is_function
from dynaplan.models.linear.losses import Loss, fit_by
from dynaplan.models.linear.noise import with_noise_scaled
from dynaplan.models.linear.parts import require_parts
from dynaplan.models.linear.regression_rows import Rows
from dynaplan.models.linear.settings import (
    Features,
    Fit,
    Settings,
    Target,
    fit_of,
    fit_rows,
    merged_fit,
    predicts_change,
    require_change,
)
from dynaplan.models.linear.undetermined import warn_of_undetermined
from dynaplan.models.priors import require_prior, require_same_prior, rest_of
from dynaplan.models.single_steps import drawn_steps

__all__ = ["LinearGaussian"]

Float64 = NDArray[np.float64]


class LinearGaussian(FittedCoefficients, CalibratedModel):
    """s' = A s + B a + c + noise, or s' = W phi(s, a) + c + noise, with Gaussian noise.

    A model that exists is fitted: use `LinearGaussian.fit`. It is immutable and may be shared by
    threads. It keeps the triangular factor of its data, so that more data can be appended
    (`updated`) or another fit joined (`merged`) without loss.

    Attributes:
        state_dim: S.
        action_dim: A.
        features: the feature map.
        target: "change" or "absolute", what was fitted.
        intercept: whether a constant was fitted; its values are `c`.
        ridge: the penalty used.
        threshold: below which terms were dropped, as a share.
        rows: transitions fitted (those of positive weight).
        rank: rank of the regression; `columns` if every coefficient is determined.
        columns: regression columns, the intercept included.
        degrees_of_freedom: rows less the rank (with ridge: less the trace of the hat matrix);
            the noise covariance is the sum of squared residuals divided by them. Of a sparse fit
            each next state has its own, rows less its terms, and these are the fewest.
        prior: the model of what was known, or None. With one the coefficients are those of the
            rest, s' - prior(s, a).
        calibration: (S,) factors of `calibrated` on the standard deviations of the noise, and with
            them of the coefficients, or None. More data make it and `band_factors` void.
    """

    __slots__ = (
        "__weakref__",
        "_angle_inputs",
        "_dynamics",
        "_fit",
        "_noisy",
        "band_factors",
        "calibration",
        "columns",
        "degrees_of_freedom",
        "features",
        "intercept",
        "prior",
        "rank",
        "ridge",
        "rows",
        "target",
        "threshold",
    )

    def __init__(
        self,
        fit: Fit,
        features: Features,
        settings: Settings,
        calibration: Float64 | None = None,
        band_factors: Mapping[str, Float64] | None = None,
        *,
        angle_inputs: AngleInputs = NO_ANGLE_INPUTS,
        prior: Model | None = None,
    ) -> None:
        require_parts(fit, features, settings, angle_inputs)
        self._fit, self._angle_inputs = fit, angle_inputs
        if prior is not None:
            require_prior(prior, self, self.angles, self.known)
            require_change(settings[0], "a prior")
        self.prior = prior
        self._dynamics: _core.Dynamics | None = None
        self.features = features if is_function(features) else checked_features(features)
        self.target, self.intercept, self.ridge, self.threshold = settings
        self.rows: float = fit.rows
        self.rank: int = fit.rank
        self.columns: int = fit.columns
        self.degrees_of_freedom: float = float(fit.degrees_of_freedom.min())
        self.calibration: Float64 | None = None
        self.band_factors = checked_band_factors(band_factors, fit.state_dim)
        self._noisy = fit
        if calibration is not None:
            self.calibration = checked_calibration(calibration, fit.state_dim)
            scaled = with_noise_scaled(fit, self.calibration, self.ridge, self.threshold)
            self._noisy = fit_of(scaled, features, settings)

    @classmethod
    def fit(
        cls,
        data: Transitions,
        *,
        features: Features = Identity(),  # noqa: B008  # frozen, so safe to share
        target: Target = "change",
        intercept: bool = True,
        ridge: float = 0.0,
        threshold: float = 0.0,
        weights: ArrayLike | None = None,
        loss: Loss = "squared_error",
        prior: Model | None = None,
        threads: int = 1,
    ) -> LinearGaussian:
        """Fits the model by least squares.

        The rows [features 1 | targets] are reduced to their triangular factor by orthogonal
        transformations, never through the normal equations of the raw data.

        Args:
            data: transitions, at least one. Of their `angles` a polynomial takes the sines and
                cosines, all else the values: choose a range that ends far from its place.
            features: `Identity()` for a linear model, `Polynomial(degree)` for a polynomial one; or
                a function of yours, `f(states (N, S), actions (N, A)) -> (N, F)` for any N, whose
                rows do not depend on each other: s' = s + W f(s, a) + c. In rollouts it is called
                once per time step with all candidates. Such a model can be pickled as far as the
                function can, and not be saved.
            target: fit the change of the state (default: the model then predicts no change where
                there are no data) or the next state itself. At full rank both give the same model.
            intercept: fit a constant c too. Default True; False for a system known to rest at 0.
            ridge: weight of the squared coefficients of standardised features, without the
                intercept; unitless, >= 0. Default 0: ordinary least squares.
            threshold: drops terms, for a sparse model of the few that matter: those whose root mean
                square over the data is at most this share, in [0, 1), of that of all the change
                (or next state) that the features explain; the others are fitted again until none
                is dropped, for each next state on its own. Unitless, and the same whatever the
                units. Their coefficients are exactly 0. Default 0: none is dropped. Start with
                0.02.
            weights: (N,) weights of the rows, >= 0: a row of weight 2 counts like two rows in the
                coefficients. Default: all 1.
            loss: "squared_error" (default), or "huber": rows whose residual is beyond 1.345 robust
                standard deviations count less, wild ones not at all; the noise is that of most
                rows. Costs some 20 fits. Not for states that few rows change, as a contact does:
                those rows would count as faults.
            prior: what is known of the system: any model of it, such as `discretise` makes of
                equations. The data then teach the rest, by which the next states differ from its
                mean predictions, and the model predicts the sum. Noise and uncertainty are those
                of the rest. It has the same `angles` as the data. Default: nothing is known.
            threads: threads to use; the result is the same for any number.

        Returns:
            The fitted model.

        Raises:
            ArgumentError: an argument is out of range, or the prior predicts what is not finite.
            TypeError: `data` or `features` is none, or `prior` no model.
            ShapeError: `weights` has the wrong shape, or `prior` other dimensions.
            NumericalError: the squares of residuals, coefficients, or products of the features
                overflow or vanish in float64; or "huber" does not converge.

        Warns:
            RankDeficientWarning: the data do not determine the effect of some input; it names
                those that never varied. The coefficients are then those of least norm. That one-hot
                actions add up to 1 is no reason to warn.

        Source: Golub & Van Loan 2013, sec. 5.3 and 5.5 (least squares by orthogonal factors,
        rank-deficient problems); Brunton, Proctor & Kutz 2016, "Discovering governing equations
        from data by sparse identification of nonlinear dynamical systems" (sequential thresholding;
        there it is the coefficients that are compared).

        Example:
            >>> data = dp.Transitions([[0.], [1.], [.5], [-1.], [2.]],
            ...                       [[1.], [0.], [-1.], [1.], [-.5]],
            ...                       [[1.], [.5], [-.75], [.5], [.5]])
            >>> model = dp.LinearGaussian.fit(data)
            >>> print(model.A.round(12), model.B.round(12))
            [[0.5]] [[1.]]
        """
        require_transitions("data", data)
        predicts_change(target)
        intercept, ridge = _arrays.flag("intercept", intercept), _arrays.real("ridge", ridge)
        settings = target, intercept, ridge, _arrays.real("threshold", threshold)
        threads = _arrays.count("threads", threads)
        row_weights = None if weights is None else _arrays.vector("weights", weights, len(data))
        if is_function(features):
            require_change(target, "features that are a function")
        else:
            checked_features(features)
        if prior is not None:
            require_prior(prior, data, data.angles, data.known)
        seen = AngleInputs.unseen(features, data.angles, data.known).having_seen(data.states)
        if seen.sine_cosine and threshold:
            require_change(target, "a threshold and angles")

        def fit(rows: Rows, of_rows: Float64 | None) -> Fit:
            return fit_rows(rows, of_rows, features, settings, threads)

        rest = seen.rows(rest_of(prior, data, threads), predicts_change=target == "change")
        found = fit_by(loss, fit, rest, row_weights, getattr(features, "degree", 1))
        return cls(found, features, settings, angle_inputs=seen, prior=prior)._warned()

    def updated(
        self, data: Transitions, *, weights: ArrayLike | None = None, threads: int = 1
    ) -> LinearGaussian:
        """Returns the model of the data so far and new ones; this model does not change.

        Args:
            data: more transitions, of the same dimensions.
            weights: (N,) weights of the new rows, or None: all 1.
            threads: threads to use.

        Raises:
            ShapeError: the dimensions differ.
            ArgumentError: the angles or the known states do, or the rows contradict these.
        """
        require_transitions("data", data)
        row_weights = None if weights is None else _arrays.vector("weights", weights, len(data))
        threads = _arrays.count("threads", threads)
        if self.prior is not None:
            require_prior(self.prior, data, data.angles or self.angles, data.known or self.known)
        agreed_known("data", data, self)
        rest, is_change = rest_of(self.prior, data, threads), self.target == "change"
        rows = self._angle_inputs.rows(rest, predicts_change=is_change)
        fit = self._fit.updated(rows.states, rows.actions, rows.next_states, row_weights, threads)
        return self._like(fit, self._angle_inputs.having_seen(data.states))

    def merged(self, other: LinearGaussian) -> LinearGaussian:
        """Returns the model of both data sets, as if fitted to all rows at once.

        Args:
            other: a model fitted with the same settings and prior, for example on another
                machine's shard.

        Raises:
            ShapeError: the dimensions differ.
            ArgumentError: the settings, the angles or the known states differ.
        """
        require_linear_gaussian("other", other)
        both = self._angle_inputs.joined(other._angle_inputs)
        fit = merged_fit(self._fit, other._fit)
        seen = np.stack([self.observed_low, self.observed_high])
        rows = seen[:, : self.state_dim], seen[:, self.state_dim :]
        require_same_prior("other", other, self.prior, *rows)
        return self._like(fit, both)

    def _like(self, fit: Fit, seen: AngleInputs) -> LinearGaussian:
        parts = fit, self.features, self._settings
        return LinearGaussian(*parts, angle_inputs=seen, prior=self.prior)._warned()

    def _warned(self, *, of_late: bool = False) -> LinearGaussian:
        """Warns of what the data leave open; `of_late` if they are what a recursion remembers."""
        warn_of_undetermined(self._fit, self._angle_inputs, of_late=of_late)
        return self

    @property
    def dynamics(self) -> _core.Dynamics:
        """The compiled dynamics that rollouts and planners run."""
        if self._dynamics is None:
            self._dynamics = self._angle_inputs.dynamics(self._noisy, self.prior)
        return self._dynamics

    def predict(self, states: ArrayLike, actions: ArrayLike, *, threads: int = 1) -> Prediction:
        """Predicts the next states, with both kinds of uncertainty.

        Args:
            states: (N, S), or one state (S,).
            actions: (N, A), or one action (A,).
            threads: threads to use.

        Returns:
            Arrays of shape (N, S); N is 1 for a single state.

        Raises:
            ShapeError: an array has the wrong shape.
            ArgumentError: a state or an action is not finite.

        Source: Hastie, Tibshirani & Friedman 2009, sec. 3.2 (covariance of the coefficients).
        """
        state_rows = _arrays.rows("states", states, self.state_dim)
        action_rows = _arrays.rows("actions", actions, self.action_dim)
        rows = state_rows, action_rows
        count = _arrays.count("threads", threads)
        return self._angle_inputs.prediction(self._noisy, self.prior, *rows, count)

    def sample(
        self, states: ArrayLike, actions: ArrayLike, *, seed: int | None = None, threads: int = 1
    ) -> Float64:
        """Draws next states: the mean prediction plus noise of the fitted covariance.

        Args:
            states: (N, S), or one state (S,).
            actions: (N, A), or one action (A,).
            seed: same seed, same draws; None draws anew.
            threads: threads to use.

        Returns:
            (N, S).
        """
        return drawn_steps(self, states, actions, seed, threads)

    def __repr__(self) -> str:
        known = "" if self.prior is None else f", prior={type(self.prior).__name__}"
        features = _texts.brief(self.features) if is_function(self.features) else self.features
        return (
            f"LinearGaussian({features}, state_dim={self.state_dim}, "
            f"action_dim={self.action_dim}, rows={self.rows:g}, rank={self.rank} of {self.columns}"
            f"{known})"
        )

    @property
    def uncalibrated(self) -> LinearGaussian:
        """The model as it was fitted: itself, where it was not `calibrated`."""
        return self if self.calibration is None and not self.band_factors else self._with()

    def _with_calibration(self, factors: Float64) -> LinearGaussian:
        return self._with(factors)

    def _with_band_factors(self, factors: Mapping[str, Float64]) -> LinearGaussian:
        return self._with(self.calibration, factors)

    def _with(self, *factors: Any) -> LinearGaussian:
        parts, seen = (self._fit, self.features, self._settings), self._angle_inputs
        return LinearGaussian(*parts, *factors, angle_inputs=seen, prior=self.prior)

    def _scaled_variances(self, prediction: Prediction) -> tuple[Float64, Float64]:
        # What is not known of the coefficients is in proportion to the noise.
        total = prediction.aleatoric + prediction.epistemic
        return total, np.zeros_like(total)

    @property
    def _settings(self) -> Settings:
        return self.target, self.intercept, self.ridge, self.threshold

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, self._parts

    @property
    def _parts(self) -> tuple[Any, ...]:
        parts = self._fit.state(), self.features, self._settings
        return (*parts, self.calibration, self.band_factors, self._angle_inputs, self.prior)

    def _file_parts(self) -> tuple[files.Arrays, dict[str, Any]]:
        return files.parts(*self._parts[:-1])

    def _with_prior(self, prior: Model) -> LinearGaussian:
        return _restored(*self._parts[:-1], prior)

    @classmethod
    def _from_file_parts(cls, arrays: files.Arrays, header: dict[str, Any]) -> LinearGaussian:
        return _restored(*files.from_parts(arrays, header), None)


def require_linear_gaussian(name: str, model: Any) -> None:
    """Raises TypeError where it is another model, or none."""
    if not isinstance(model, LinearGaussian):
        raise TypeError(f"{name}: got {_texts.shown(model)}, must be a LinearGaussian")


def _restored(
    state: tuple[Any, ...],
    features: Features,
    settings: Settings,
    *others: Any,
) -> LinearGaussian:
    """Makes a model again from its factor: for copies and other processes."""
    *factors, seen, prior = others
    parts = fit_of(state, features, settings), features, settings, *factors
    return LinearGaussian(*parts, angle_inputs=seen, prior=prior)
