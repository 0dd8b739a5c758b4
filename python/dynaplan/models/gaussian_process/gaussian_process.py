"""`GaussianProcess`: dynamics from few rows, with what the rows leave open."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynaplan import _arrays, _core, _texts, _warnings
from dynaplan.data.angles import Angles
from dynaplan.data.known_states import KnownStates
from dynaplan.data.transitions import Transitions, require_transitions
from dynaplan.errors import ArgumentError, RankDeficientWarning
from dynaplan.models.calibrated import CalibratedModel, checked_band_factors, checked_calibration
from dynaplan.models.gaussian_process import files
from dynaplan.models.interface import Model, Prediction
from dynaplan.models.linear.angle_inputs import AngleInputs
from dynaplan.models.priors import require_prior, rest_of, unlearned
from dynaplan.models.single_steps import drawn_steps

__all__ = ["MAX_ROWS", "GaussianProcess"]

Float64 = NDArray[np.float64]
MAX_ROWS = 2000
_MOST_ROWS = 5000  # of the core
_NEARLY_ALL = 0.99  # as of `DisagreementLimit.calibrated`


class GaussianProcess(CalibratedModel):
    """s' = s + m + f(s, a) + noise, each state's f a Gaussian process of its own.

    For few rows, some 20 to 2,000: what is known of f at an input follows from the rows near it,
    and so does how little is known far from all of them. The kernel is the squared exponential with
    a length scale for each input, m the mean change. Use `GaussianProcess.fit`.

    A model that exists is fitted. It is immutable and may be shared by threads. It standardises
    inside, and sees sin and cos of the states that are angles. Draws, as of `sample` and of
    rollouts, have the variance of the noise and that of f; each step's is drawn on its own. A step
    costs in proportion to the rows, a draw to their square, and it is computed in float64 whatever
    is asked for. Bands many steps ahead are thus too narrow where f is not well known:
    `dp.calibrate_bands` widens them.

    Attributes:
        state_dim: number of state dimensions, S.
        action_dim: number of action dimensions, A.
        angles: the states that are angles, as the data said it.
        known: the states that are exact shifts, as the data said it.
        rows: transitions fitted.
        observed_disagreement: how little the others say of a row that is left out, in the unit of
            `DisagreementLimit.limit`: of 99 % of the rows it is at most that. None: not known, as
            where no change depends on anything.
        prior: the model of what was known, beneath which the rest was learned, or None.
        calibration: (S,) factors of `calibrated` on the standard deviations of the noise, or None.
        band_factors: (K, S) factors of `calibrate_bands` on the half widths of the bands 1 ... K
            steps ahead, for each propagation; empty where they were not looked for.
    """

    __slots__ = (
        "__weakref__",
        "_angle_inputs",
        "_dynamics",
        "_fit",
        "_noisy",
        "action_dim",
        "band_factors",
        "calibration",
        "observed_disagreement",
        "prior",
        "rows",
        "state_dim",
    )

    def __init__(
        self,
        fit: _core.GaussianProcess,
        calibration: Float64 | None = None,
        band_factors: Mapping[str, Float64] | None = None,
        *,
        angle_inputs: AngleInputs,
        prior: Model | None = None,
    ) -> None:
        if not isinstance(fit, _core.GaussianProcess):
            raise TypeError(f"fit: got {_texts.shown(fit)}; use GaussianProcess.fit(data)")
        if not isinstance(angle_inputs, AngleInputs):
            got = _texts.shown(angle_inputs)
            raise TypeError(f"angle_inputs: got {got}, must be those of a fit")
        self._fit, self._angle_inputs = fit, angle_inputs
        self._dynamics: _core.Dynamics | None = None
        self.state_dim: int = fit.state_dim
        self.action_dim: int = fit.action_dim - angle_inputs.cosines
        self.rows: int = len(fit.inputs)
        left_out = fit.left_out_disagreement
        is_known = np.isfinite(left_out).all()  # not of numbers at the ends of float64
        largest = float(np.quantile(left_out, _NEARLY_ALL)) if is_known else np.inf
        # Where nothing is open there is no scale.
        self.observed_disagreement: float | None = largest if 0.0 < largest < np.inf else None
        if prior is not None:
            require_prior(prior, self, self.angles, self.known)
        self.prior = prior
        self.calibration: Float64 | None = None
        self.band_factors = checked_band_factors(band_factors, self.state_dim)
        self._noisy = fit
        if calibration is not None:
            self.calibration = checked_calibration(calibration, self.state_dim)
            self._noisy = fit.with_noise(fit.noise_std * self.calibration)

    @classmethod
    def fit(
        cls,
        data: Transitions,
        *,
        prior: Model | None = None,
        max_rows: int = MAX_ROWS,
        hyperparameter_rows: int = 400,
        starts: int = 4,
        seed: int | None = None,
        threads: int = 1,
    ) -> GaussianProcess:
        """Fits the model: the kernels that make the data likeliest, given which all follows.

        Length scales, signal and noise of each state maximise the log marginal likelihood, by a
        quasi-Newton search with exact gradients from several starts; then f is conditioned on all
        rows. They stay within sound bounds, which act as walls: a length scale from a tenth to 100
        times the standard deviation of its input, a signal from a hundredth to 100 times that of
        the change of the state, and from 1e-4 to 1e4 times the noise.

        Args:
            data: transitions, at least two; from some 20 on there is something to learn. Their
                angles are given as sine and cosine, and change the short way round.
            prior: what is known of the system: any model of it, such as `discretise` makes of
                equations. The process then learns the rest, by which the next states differ from
                its mean predictions, and the model predicts the sum. It has the same `angles` as
                the data. Default: nothing is known.
            max_rows: more are refused, from 1 to 5,000: time grows with their cube, memory and the
                time of a draw with their square. Default 2,000: seconds for each state. In a loop
                whose data grow, fit some, such as the latest, `data[-1000:]`.
            hyperparameter_rows: the kernels are looked for on so many of the rows, drawn at random,
                where there are more. Default 400: more change them little, and take long.
            starts: of the search, for each state. Default 4; more find a better end now and then.
            seed: seed of the starts and of the draw of rows; None draws one.
            threads: threads to use, at most one a state; the result is the same for any number.

        Returns:
            The fitted model.

        Raises:
            ArgumentError: there are more than `max_rows` rows, or only one, an argument is out of
                range, or the prior predicts what is not finite.
            TypeError: `data` is none, or `prior` no model.
            ShapeError: `prior` has other dimensions.
            NumericalError: a column varies by less than 1e-150 or more than 1e150.
            KeyboardInterrupt: Ctrl-C was pressed.

        Warns:
            RankDeficientWarning: an input never varied; it then has no effect on predictions, nor
                on what is known of them.

        Source: Rasmussen & Williams 2006, "Gaussian processes for machine learning", algorithm 2.1
        and sec. 5.4; Deisenroth & Rasmussen 2011, "PILCO", for models of changes and for the
        bounds.

        Example:
            >>> rng = np.random.default_rng(0)
            >>> s, a = rng.uniform(-2.0, 2.0, size=(2, 60, 1))
            >>> noise = 0.05 * rng.normal(size=s.shape)
            >>> model = dp.GaussianProcess.fit(dp.Transitions(s, a, np.sin(s) + a + noise), seed=0)
            >>> near, far = model.predict([[1.0], [9.0]], [[0.0], [0.0]]).epistemic[:, 0]
            >>> print(model.noise_std.round(2), near < 0.01 < far)
            [0.05] True
        """
        require_transitions("data", data)
        most = _arrays.count("max_rows", max_rows, 1)
        if most > _MOST_ROWS:
            raise ArgumentError(f"max_rows: got {most}, must be at most {_MOST_ROWS}")
        if len(data) < 2:
            raise ArgumentError("data: got 1 row, must be at least 2: one tells no spread")
        if len(data) > most:
            raise ArgumentError(
                f"data: got {len(data)} rows, must be at most max_rows = {most}; fit some of them, "
                f"as data[::{-(-len(data) // most)}], or an Ensemble, whose steps cost the same "
                "however many there are"
            )
        some = _arrays.count("hyperparameter_rows", hyperparameter_rows, 1)
        starts, threads = _arrays.count("starts", starts, 1), _arrays.count("threads", threads)
        number = _arrays.seed_number(seed)
        if prior is not None:
            require_prior(prior, data, data.angles, data.known)
        seen = _angle_inputs(data.angles, data.known).having_seen(data.states)
        rest = unlearned(rest_of(prior, data, threads), data.known)
        changes = data.angles.short_way(rest.next_states - rest.states)
        inputs = np.hstack(seen.given(data.states, data.actions))
        sizes = np.maximum(np.abs(data.states), np.abs(data.next_states)).max(axis=0)
        fit = _core.GaussianProcess.fit(inputs, changes, sizes, starts, some, number, threads)
        model = cls(fit, angle_inputs=seen, prior=prior)
        model._warn_of_constant_inputs()
        return model

    def _warn_of_constant_inputs(self) -> None:
        """Warns of inputs that say nothing."""
        inverse = self._fit.inverse_length_scales
        constant = np.ptp(self._fit.inputs, axis=0) == 0.0
        if inverse.any():  # else no change depends on anything; or it varies by rounding alone
            constant |= ~inverse.any(axis=0)
        names = self._angle_inputs.names(self.state_dim, self.action_dim)
        if never_varied := [name for name, same in zip(names, constant, strict=True) if same]:
            text = f"{', '.join(never_varied)} never varied: predictions do not depend on it"
            _warnings.warn(text, RankDeficientWarning)

    @property
    def angles(self) -> Angles:
        """The states that are angles."""
        return self._angle_inputs.angles

    @property
    def known(self) -> KnownStates:
        """The states that are exact shifts, such as the lags of a history, as the data said it."""
        return self._angle_inputs.known

    @property
    def length_scales(self) -> Float64:
        """(S, inputs) over which each state's f varies along each input, in the inputs' units.

        Inputs are the states with sin in place of each angle, the cosines of the angles, the
        actions. Infinite: the input has no effect, as it never varied or the change does not.
        """
        with np.errstate(divide="ignore", over="ignore"):
            scales: Float64 = 1.0 / self._fit.inverse_length_scales
        return scales

    @property
    def signal_std(self) -> Float64:
        """(S,) standard deviation of each state's f where nothing is known, in its units."""
        return self._fit.signal_std

    @property
    def noise_std(self) -> Float64:
        """(S,) standard deviation of each state's noise in its units, as `calibrated`."""
        return self._noisy.noise_std

    @property
    def log_marginal_likelihood(self) -> Float64:
        """(S,) log p(changes of the state | states, actions) of all rows, as fitted."""
        return self._fit.log_marginal_likelihood

    @property
    def observed_low(self) -> Float64:
        """(S + A,) smallest value of each input in the data."""
        low = self._fit.inputs.min(axis=0)
        return self._angle_inputs.observed(low, self.state_dim, highest=False)

    @property
    def observed_high(self) -> Float64:
        """(S + A,) largest value of each input in the data."""
        high = self._fit.inputs.max(axis=0)
        return self._angle_inputs.observed(high, self.state_dim, highest=True)

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
            Arrays of shape (N, S); N is 1 for a single state. `aleatoric` is the variance of the
            noise, `epistemic` that of f given the data.

        Raises:
            ShapeError: an array has the wrong shape.
            ArgumentError: a state or an action is not finite.
        """
        state_rows = _arrays.rows("states", states, self.state_dim)
        action_rows = _arrays.rows("actions", actions, self.action_dim)
        rows = state_rows, action_rows
        count = _arrays.count("threads", threads)
        return self._angle_inputs.prediction(self._noisy, self.prior, *rows, count)

    def sample(
        self, states: ArrayLike, actions: ArrayLike, *, seed: int | None = None, threads: int = 1
    ) -> Float64:
        """Draws next states: the mean prediction plus a draw of both kinds of uncertainty.

        Args:
            states: (N, S), or one state (S,).
            actions: (N, A), or one action (A,).
            seed: same seed, same draws; None draws anew.
            threads: threads to use.

        Returns:
            (N, S); each row is drawn on its own, also where rows are alike.
        """
        return drawn_steps(self, states, actions, seed, threads)

    def __repr__(self) -> str:
        known = "" if self.prior is None else f", prior={type(self.prior).__name__}"
        return (
            f"GaussianProcess(state_dim={self.state_dim}, action_dim={self.action_dim}, "
            f"rows={self.rows}{known})"
        )

    @property
    def uncalibrated(self) -> GaussianProcess:
        """The model as it was fitted: itself, where it was not `calibrated`."""
        return self if self.calibration is None and not self.band_factors else self._with()

    def _with_calibration(self, factors: Float64) -> GaussianProcess:
        return self._with(factors)

    def _with_band_factors(self, factors: Mapping[str, Float64]) -> GaussianProcess:
        return self._with(self.calibration, factors)

    def _with(self, *factors: Any) -> GaussianProcess:
        seen, prior = self._angle_inputs, self.prior
        return GaussianProcess(self._fit, *factors, angle_inputs=seen, prior=prior)

    def _scaled_variances(self, prediction: Prediction) -> tuple[Float64, Float64]:
        return prediction.aleatoric, prediction.epistemic

    def _with_prior(self, prior: Model) -> GaussianProcess:
        factors = self.calibration, self.band_factors
        return GaussianProcess(self._fit, *factors, angle_inputs=self._angle_inputs, prior=prior)

    @property
    def _parts(self) -> tuple[Any, ...]:
        factors = self.calibration, self.band_factors
        return files.arrays_of(self._fit), *factors, self._angle_inputs, self.prior

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, self._parts

    def _file_parts(self) -> tuple[files.Arrays, dict[str, Any]]:
        return files.parts(*self._parts[:-1])

    @classmethod
    def _from_file_parts(cls, arrays: files.Arrays, header: dict[str, Any]) -> GaussianProcess:
        *parts, angles, known = files.from_parts(arrays, header)
        low, high = (arrays.get(f"angle_{end}", np.empty(0)) for end in ("low", "high"))
        return _restored(*parts, _angle_inputs(angles, known, low, high), None)


def _angle_inputs(
    angles: Angles, known: KnownStates, low: Float64 | None = None, high: Float64 | None = None
) -> AngleInputs:
    """Returns those of a model that has seen angles from `low` to `high` (K,), or none yet."""
    least = np.full(len(angles), np.inf) if low is None else low
    most = np.full(len(angles), -np.inf) if high is None else high
    return AngleInputs(angles, least, most, sine_cosine=bool(angles), known=known)


def _restored(arrays: files.Arrays, *others: Any) -> GaussianProcess:
    """Makes a model again from its numbers: for copies and other processes."""
    *factors, seen, prior = others
    fit = _core.GaussianProcess.from_arrays(**arrays)
    return GaussianProcess(fit, *factors, angle_inputs=seen, prior=prior)
