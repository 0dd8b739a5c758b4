"""`KalmanFilter`: the state of a linear system of which only some outputs are measured."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynaplan import _arrays, _texts
from dynaplan.data.angles import Angles
from dynaplan.errors import ArgumentError, NumericalError, ShapeError
from dynaplan.models.linear.covariances import covariance_factor, covariance_matrix
from dynaplan.models.linear.linear_gaussian import LinearGaussian
from dynaplan.models.linear.linear_model import LinearModel
from dynaplan.planners.lqr import lqr

__all__ = ["KalmanFilter"]

Float64 = NDArray[np.float64]
Covariance: TypeAlias = ArrayLike | Literal["steady"]


class _Belief(NamedTuple):
    """What is known of the state: its mean (S,), and L (S, S) with L L' its covariance."""

    mean: Float64
    factor: Float64


class KalmanFilter:
    """Estimates the state of a linear system from outputs that are measured with noise.

    The system is that of the model, s' = A s + B a + c + noise; measured is y = C s + noise.
    Before each action `update` takes in what is measured and returns the estimate to act on;
    `predict` then takes in the action. The covariance is kept as a factor L of L L', so that
    rounding never makes it negative, whatever the units. Not for use by two threads at once.

    Args:
        model: a `LinearModel` with its noise, or a `LinearGaussian` of degree 1.
        C: (Y, S) outputs that a state has.
        observation_noise: (Y, Y) covariance of the noise of the outputs, or (Y,) variances, in
            their units squared; positive definite.
        mean: (S,) of the state before the first observation. Default: where the system rests
            without actions.
        covariance: (S, S) covariance of that state, or (S,) variances; or "steady": the one to
            which the filter's own converges, so that the gain is the same at all steps. Default:
            that of the states which the noise of the model leads to in the long run, without
            actions.

    Attributes:
        model: as given.

    Raises:
        TypeError: `model` is another one.
        ShapeError: the shapes do not fit.
        ArgumentError: a number is not finite, a covariance is none, or the default of `mean` or
            `covariance` does not exist, since a mode of the model does not decay or nothing drives
            it.
        NumericalError: `covariance` is "steady", but there is no steady state.

    Source: Anderson & Moore 1979, "Optimal filtering", ch. 3, 4 and 6; Kailath, Sayed & Hassibi
    2000, "Linear estimation", ch. 12 (square-root form).

    Example:
        >>> cart = dp.LinearModel([[1.0, 0.1], [0.0, 1.0]], [[0.0], [0.1]], noise=[0.0, 1e-4])
        >>> place = dp.KalmanFilter(
        ...     cart, [[1.0, 0.0]], observation_noise=[0.01], mean=[0.0, 0.0], covariance=[1.0, 1.0]
        ... )
        >>> for y, action in [(0.1, 0.0), (0.2, 0.0), (0.3, 1.0)]:
        ...     state = place.update([y])
        ...     expected = place.predict([action])
        >>> state.round(2), expected.round(2)
        (array([0.27, 0.67]), array([0.33, 0.77]))
    """

    __slots__ = (
        "_angles",
        "_belief",
        "_first",
        "_log_likelihood",
        "_noise_factor",
        "_outputs",
        "_process_factor",
        "model",
    )

    def __init__(
        self,
        model: LinearModel | LinearGaussian,
        C: ArrayLike,
        *,
        observation_noise: ArrayLike,
        mean: ArrayLike | None = None,
        covariance: Covariance | None = None,
    ) -> None:
        is_linear = isinstance(model, LinearModel) or (
            isinstance(model, LinearGaussian)
            and getattr(model.features, "degree", None) == 1
            and model.prior is None
        )
        if not is_linear:
            got = _texts.shown(model)
            raise TypeError(
                f"model: got {got}, must be a LinearModel or a LinearGaussian of degree 1, "
                "without a prior"
            )
        self.model = model
        self._outputs = _outputs(C, model.state_dim)
        self._angles = _angles_of(self._outputs, model.angles)
        self._noise_factor = _noise_factor(observation_noise, len(self._outputs))
        self._process_factor = covariance_factor("model", model.noise_covariance)
        self._first = self._belief_of(mean, covariance)
        self._belief, self._log_likelihood = self._first, 0.0

    @property
    def mean(self) -> Float64:
        """(S,) the estimate of the state."""
        return self._belief.mean.copy()

    @property
    def covariance(self) -> Float64:
        """(S, S) covariance of the estimate's error."""
        covariance = self._belief.factor @ self._belief.factor.T
        return np.asarray(0.5 * (covariance + covariance.T), np.float64)

    @property
    def log_likelihood(self) -> float:
        """Logarithm of the density of all outputs seen since the start or the last `reset`."""
        return self._log_likelihood

    @property
    def steady_gain(self) -> Float64:
        """(S, Y): what an output that is larger by 1 adds to the estimate, in the long run.

        Raises:
            NumericalError: there is no steady state.
        """
        root, cross, _ = _observed(self._steady_factor(), self._outputs, self._noise_factor)
        return np.asarray(np.linalg.solve(root.T, cross.T).T, np.float64)

    def update(self, observation: ArrayLike) -> Float64:
        """Takes in what was measured.

        Args:
            observation: (Y,) the outputs; nan where one is missing. What is missing says nothing:
                the estimate is that from the others, and unchanged where all are missing.

        Returns:
            (S,) the estimate of the state in which they were measured.

        Raises:
            ShapeError: it has the wrong shape.
            ArgumentError: an output is infinite; nothing has changed then.
            NumericalError: the estimate overflows; likewise.
        """
        values = _arrays.vector("observation", observation, len(self._outputs))
        seen = ~np.isnan(values)
        if np.isinf(values).any():
            raise ArgumentError(
                f"observation: got {values}, must be finite, or nan where an output is missing"
            )
        mean, factor = self._belief
        outputs = self._outputs[seen]
        with np.errstate(over="ignore", invalid="ignore"):
            root, cross, after = _observed(factor, outputs, self._noise_factor[seen])
            apart = self._angles.short_way(values - self._outputs @ mean)[seen]
            surprise = np.linalg.solve(root, apart)
            density = -0.5 * float(surprise @ surprise + len(outputs) * np.log(2.0 * np.pi))
            density -= float(np.log(np.abs(np.diag(root))).sum())
            self._take(mean + cross @ surprise, after, self._log_likelihood + density)
        return self.mean

    def predict(self, action: ArrayLike) -> Float64:
        """Takes in an action: the estimate is from now on that of the state after it.

        Args:
            action: (A,) what acts during the step; with a delay not what was sent last, but what
                was sent that many steps before.

        Returns:
            (S,) the state expected, before the next observation.

        Raises:
            ShapeError: it has the wrong shape.
            ArgumentError: it is not finite; nothing has changed then.
            NumericalError: the estimate overflows, as of an unstable system that has not been
                observed for long; likewise.
        """
        values = _arrays.vector("action", action, self.model.action_dim)
        if not np.isfinite(values).all():
            raise ArgumentError(f"action: got {values}, must be finite")
        mean, factor = self._belief
        model = self.model
        with np.errstate(over="ignore", invalid="ignore"):
            parts = np.vstack([(model.A @ factor).T, self._process_factor.T])
            expected = model.A @ mean + model.B @ values + model.c
            self._take(expected, _lower(parts), self._log_likelihood)
        return self.mean

    def reset(self, *, mean: ArrayLike | None = None, covariance: Covariance | None = None) -> None:
        """Forgets all that was seen, for a new episode.

        Args:
            mean: (S,) of the state before its first observation. Default: that of the start.
            covariance: of that state, as for `KalmanFilter`. Default: likewise.

        Raises:
            ShapeError: the shapes do not fit.
            ArgumentError: a number is not finite, or `covariance` is none.
            NumericalError: `covariance` is "steady", but there is no steady state.
        """
        first = self._first
        self._belief = _Belief(
            first.mean if mean is None else self._mean_of(mean),
            first.factor if covariance is None else self._factor_of(covariance),
        )
        self._log_likelihood = 0.0

    def __repr__(self) -> str:
        sizes = {"state_dim": self.model.state_dim, "action_dim": self.model.action_dim}
        return _texts.call_text(type(self).__name__, **sizes, observation_dim=len(self._outputs))

    def _take(self, mean: Float64, factor: Float64, log_likelihood: float) -> None:
        """Adopts an estimate, unless it is not finite."""
        with np.errstate(over="ignore", invalid="ignore"):
            is_finite = np.isfinite([mean.sum(), (factor * factor).sum(), log_likelihood]).all()
        if not is_finite:
            raise NumericalError(
                "mean, covariance: the estimate overflows float64; reset, or choose other units"
            )
        mean = self.model.angles.wrapped(mean)
        self._belief, self._log_likelihood = _Belief(mean, factor), log_likelihood

    def _belief_of(self, mean: ArrayLike | None, covariance: Covariance | None) -> _Belief:
        """Returns the belief given, and where none is given that of the long run."""
        return _Belief(
            self._resting_mean() if mean is None else self._mean_of(mean),
            self._resting_factor() if covariance is None else self._factor_of(covariance),
        )

    def _mean_of(self, mean: ArrayLike) -> Float64:
        values = _arrays.vector("mean", mean, self.model.state_dim)
        if not np.isfinite(values).all():
            raise ArgumentError(f"mean: got {values}, must be finite")
        return np.array(values)

    def _factor_of(self, covariance: Covariance) -> Float64:
        if isinstance(covariance, str):
            if covariance != "steady":
                got = _texts.shown(covariance)
                raise ArgumentError(f'covariance: got {got}, must be an array or "steady"')
            return self._steady_factor()
        matrix = covariance_matrix("covariance", covariance, self.model.state_dim)
        return covariance_factor("covariance", matrix)

    def _steady_factor(self) -> Float64:
        """Returns the factor of the covariance before an observation in the steady state.

        To estimate is the dual of to control: its Riccati equation is the regulator's of A', C'.
        """
        model, noise = self.model, self._noise_factor
        try:
            dual = lqr(model.A.T, self._outputs.T, model.noise_covariance, noise @ noise.T)
        except NumericalError as error:
            raise NumericalError(
                "C, model: there is no steady state: a mode of the model that does not decay is "
                "not observed, or one that neither decays nor grows has no noise; observe more, or "
                "give the model noise there"
            ) from error
        return covariance_factor("covariance", dual.P)

    def _resting_mean(self) -> Float64:
        model = self.model
        if not np.abs(np.linalg.eigvals(model.A)).max() < 1.0:
            raise ArgumentError(
                "mean: got None, but the model does not come to rest by itself: a mode does not "
                "decay; give the mean and the covariance of the first state"
            )
        return np.asarray(np.linalg.solve(np.eye(model.state_dim) - model.A, model.c), np.float64)

    def _resting_factor(self) -> Float64:
        """Returns the factor of P = A P A' + noise, a Riccati equation in which nothing acts."""
        model = self.model
        noise = model.noise_covariance
        if not noise.any():
            raise ArgumentError(
                "covariance: got None, and the model has no noise, so that observations would "
                "change nothing; give the covariance of the first state, or the model noise"
            )
        try:
            spread = lqr(model.A.T, np.zeros((model.state_dim, 1)), noise, [1.0]).P
        except NumericalError as error:
            raise ArgumentError(
                "covariance: got None, but the states of the model spread without end: a mode does "
                "not decay; give the covariance of the first state"
            ) from error
        return covariance_factor("covariance", spread)


def _outputs(C: ArrayLike, state_dim: int) -> Float64:
    outputs = np.array(_arrays.numbers("C", C))
    if outputs.ndim != 2 or not len(outputs) or outputs.shape[1] != state_dim:
        raise ShapeError(f"C: got shape {outputs.shape}, must be (Y, {state_dim})")
    if not np.isfinite(outputs).all():
        raise ArgumentError(f"C: got {outputs}, must be finite")
    return outputs


def _noise_factor(noise: ArrayLike, size: int) -> Float64:
    """Returns (Y, Y), the lower factor of a covariance of full rank."""
    name = "observation_noise"
    factor = covariance_factor(name, covariance_matrix(name, noise, size))
    # The diagonal is what of each output's noise the ones before it do not say.
    if not (np.abs(np.diag(factor)) > 1e-7 * np.sqrt((factor**2).sum(axis=1))).all():
        raise ArgumentError(
            f"{name}: must be positive definite; of an exact sensor give the square of its "
            "resolution"
        )
    return factor


def _lower(rows: Float64) -> Float64:
    """Returns a lower L with L L' = rows' rows."""
    return np.asarray(np.linalg.qr(rows, mode="r"), np.float64).T


def _observed(
    factor: Float64, outputs: Float64, noise_factor: Float64
) -> tuple[Float64, Float64, Float64]:
    """Returns factors by an observation, all from one orthogonal transformation.

    Args:
        factor: (S, S) of the covariance P before.
        outputs: (K, S) rows of C.
        noise_factor: (K, Y) rows of the factor of the noise.

    Returns:
        G (K, K), lower, with G G' the covariance of the outputs; P C' G'^-1 (S, K), so that the
        gain is this times G^-1; and the factor (S, S) of the covariance afterwards.
    """
    count, noises = noise_factor.shape
    rows = np.zeros((noises + len(factor), count + len(factor)))
    rows[:noises, :count] = noise_factor.T
    rows[noises:, :count] = (outputs @ factor).T
    rows[noises:, count:] = factor.T
    lower = _lower(rows)
    return lower[:count, :count], lower[count:, :count], lower[count:, count:]


def _angles_of(outputs: Float64, angles: Angles) -> Angles:
    """Returns the outputs that are one of the states that are angles, whatever the unit."""
    found = {}
    for row, output in enumerate(outputs):
        states = np.flatnonzero(output)
        if len(states) == 1 and states[0] in angles.columns:
            place = int(np.searchsorted(angles.columns, states[0]))
            found[row] = float(abs(output[states[0]]) * angles.period[place])
    return Angles(found)
