"""What linear models are given of angles and known states, and what they make of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from dynaplan import _arrays, _core
from dynaplan.data.angles import NO_ANGLES, Angles
from dynaplan.data.known_states import NO_KNOWN_STATES, KnownStates
from dynaplan.data.transitions import Transitions
from dynaplan.errors import ArgumentError
from dynaplan.models.interface import Model, Prediction
from dynaplan.models.linear.features import Polynomial
from dynaplan.models.linear.regression_rows import Rows
from dynaplan.models.linear.settings import Features
from dynaplan.models.priors import dynamics_with, with_prior_mean
from dynaplan.models.wrapping import with_angles, with_known

__all__ = ["NO_ANGLE_INPUTS", "AngleInputs"]

Float64 = NDArray[np.float64]


class Fit(Protocol):
    """What predicts from states and actions as `AngleInputs` gives them."""

    def predict(self, states: Float64, actions: Float64, threads: int) -> tuple[Any, Any, Any]:
        """Returns next states (N, S), and both kinds of variance."""

    def dynamics(self) -> _core.Dynamics:
        """Returns what rollouts run."""


@dataclass(frozen=True, eq=False)
class AngleInputs:
    """The angles of a linear model or a Gaussian process, and its known states.

    Polynomials and Gaussian processes are given the sine in place of each angle, and the cosines
    before the actions; the next state's entry in the sine's place is then the sine and the angle's
    change. A linear model, and features that are a function, are given the angles themselves. The
    change goes the short way round for all. Known states are fitted as if they never changed, so
    that nothing is learned of them, and shifted wherever the fit predicts.

    Attributes:
        angles: of the states.
        low: (K,) where the arc begins in which each was observed.
        high: (K,) where it ends.
        sine_cosine: whether sines and cosines are given.
        known: the states that are exact shifts.
    """

    angles: Angles
    low: Float64
    high: Float64
    sine_cosine: bool
    known: KnownStates = NO_KNOWN_STATES

    @staticmethod
    def unseen(
        features: Features, angles: Angles, known: KnownStates = NO_KNOWN_STATES
    ) -> AngleInputs:
        """Returns those of a model with these features, before there are data."""
        if not angles:
            return replace(NO_ANGLE_INPUTS, known=known) if known else NO_ANGLE_INPUTS
        sine_cosine = isinstance(features, Polynomial) and features.degree > 1
        low, high = np.full((2, len(angles)), [[np.inf], [-np.inf]])
        return AngleInputs(angles, low, high, sine_cosine=sine_cosine, known=known)

    @property
    def cosines(self) -> int:
        """Number of inputs between the states and the actions."""
        return len(self.angles) if self.sine_cosine else 0

    @property
    def rates(self) -> dict[int, float]:
        """To radians, of each angle that is given as sine and cosine."""
        if not self.sine_cosine:
            return {}
        rates = 2.0 * np.pi / self.angles.period
        return dict(zip(self.angles, rates.tolist(), strict=True))

    def having_seen(self, states: Float64) -> AngleInputs:
        """Returns the same with states (N, S) among those observed."""
        values = states[:, self.angles.columns]
        if ((self.low <= values) & (values <= self.high)).all():
            return self
        low, high = self.angles.observed_range(states)
        columns = self.angles.columns
        return self._with_arcs(low[columns], high[columns])

    def joined(self, other: AngleInputs) -> AngleInputs:
        """Returns what two models have seen.

        Raises:
            ArgumentError: their angles or known states differ.
        """
        for mine, its in ((self.angles, other.angles), (self.known, other.known)):
            if its != mine:
                raise ArgumentError(f"other: has {its}, must have {mine} as this model")
        return self._with_arcs(other.low, other.high)

    def _with_arcs(self, low: Float64, high: Float64) -> AngleInputs:
        period, has_range = self.angles.period, np.isfinite(self.angles.low)
        with np.errstate(invalid="ignore"):
            turns = np.round(0.5 * (self.low + self.high - low - high) / period)
        turns[~(has_range & np.isfinite(turns))] = 0.0  # or nothing was seen before
        first = np.minimum(self.low, low + turns * period)
        last = np.maximum(self.high, high + turns * period)
        last = np.where(has_range, np.minimum(last, first + period), last)
        return replace(self, low=first, high=last)

    def rows(self, data: Transitions, *, predicts_change: bool = True) -> Rows:
        """Returns transitions as the core fits them, with nothing to learn of known states.

        Args:
            data: the transitions.
            predicts_change: whether the change is fitted: else the next state, which is then 0.

        Raises:
            ArgumentError: the data have other angles or known states.
        """
        for its, mine in ((data.angles, self.angles), (data.known, self.known)):
            if its and its != mine:
                raise ArgumentError(f"data: got {its}, must be {mine} as of the model")
        states, actions, after = data.states, data.actions, data.next_states
        if self.angles:
            change = self.angles.short_way(after - states)
            states, actions = self.given(states, actions)
            after = states + change
        if predicts_change:
            return Rows(states, actions, self.known.at_rest(after, states))
        return Rows(states, actions, self.known.without(after))

    def given(self, states: Float64, actions: Float64) -> tuple[Float64, Float64]:
        """Returns states and actions as the core is given them."""
        if not self.sine_cosine:
            return states, actions
        columns, rate = self.angles.columns, 2.0 * np.pi / self.angles.period
        seen = states.copy()
        seen[:, columns] = np.sin(rate * states[:, columns])
        cosines = np.cos(rate * states[:, columns])
        return seen, np.ascontiguousarray(np.hstack([cosines, actions]))

    def prediction(
        self, fit: Fit, prior: Model | None, states: Float64, actions: Float64, threads: int
    ) -> Prediction:
        """Returns what a model with this fit and prior predicts from states and actions.

        Raises:
            ArgumentError: a state or an action is not finite.
            ShapeError: there are more of one than of the other.
        """
        mean, *variances = self._predict(fit, states, actions, threads)
        mean = with_prior_mean(prior, mean, states, actions, threads)
        mean = self.known.put_into(mean, states, actions)
        return Prediction(self.angles.wrapped(mean), *variances)

    def _predict(
        self, fit: Fit, states: Float64, actions: Float64, threads: int
    ) -> tuple[Float64, Float64, Float64]:
        """Returns next states (N, S), not yet in their ranges, and both kinds of variance.

        Known states are yet to be set.
        """
        if not self.sine_cosine:
            mean, *variances = fit.predict(states, actions, threads)
            return mean, *self._of_learned(variances)
        _arrays.finite_rows("states", states, states.shape[1])
        _arrays.require_action_for_each(states, actions)
        columns = self.angles.columns
        given = self.given(states, actions)
        mean, *variances = fit.predict(*given, threads)
        mean[:, columns] += states[:, columns] - given[0][:, columns]
        return mean, *self._of_learned(variances)

    def _of_learned(self, variances: list[Float64]) -> tuple[Float64, Float64]:
        """Returns both kinds of variance (N, S), 0 of known states."""
        aleatoric, epistemic = (self.known.without(variance) for variance in variances)
        return aleatoric, epistemic

    def dynamics(self, fit: Fit, prior: Model | None) -> _core.Dynamics:
        """Returns what rollouts and planners run."""
        rest = fit.dynamics()
        if prior is None or self.sine_cosine:
            rest = with_angles(rest, self.angles, sine_cosine=self.sine_cosine)
        if prior is not None:
            rest = with_angles(dynamics_with(prior, rest), self.angles)
        return with_known(rest, self.known, self.angles)

    def coefficients(self, weights: Float64) -> Float64:
        """Returns those of the next states, or of an angle's change where its sine is an input."""
        if self.sine_cosine:
            columns = self.angles.columns
            weights[columns, columns] -= 1.0
        return weights

    def shifted(self, weights: Float64) -> Float64:
        """Returns the coefficients (S, features) with those of known states, in place.

        They are 1 of the state or the action that it takes the value of; where that is an angle of
        which the sine is an input, 0.
        """
        weights[self.known.columns] = 0.0
        first_action = len(weights) + self.cosines
        for state, source, is_action in self.known.core_parts():
            if is_action or source not in self.rates:
                weights[state, first_action * is_action + source] = 1.0
        return weights

    def observed(self, inputs: Float64, state_dim: int, *, highest: bool) -> Float64:
        """Returns (S + A,) the ends of the range of states and actions, of those of the inputs."""
        if not self.angles:
            return inputs
        ends = np.delete(inputs, np.arange(state_dim, state_dim + self.cosines))
        ends[self.angles.columns] = self.high if highest else self.low
        return ends

    def names(self, state_dim: int, action_dim: int) -> list[str]:
        """Returns what the inputs are called in messages."""
        names = [f"state {i}" for i in range(state_dim)]
        if self.sine_cosine:
            for column in self.angles:
                names[column] = f"the sine of state {column}"
            names += [f"the cosine of state {column}" for column in self.angles]
        return names + [f"action {i}" for i in range(action_dim)]


_NONE = np.empty(0)
NO_ANGLE_INPUTS = AngleInputs(NO_ANGLES, _NONE, _NONE, sine_cosine=False)
