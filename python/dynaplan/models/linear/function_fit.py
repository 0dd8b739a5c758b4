"""Least squares on features that are a function of the user's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynaplan import _arrays, _callbacks, _core
from dynaplan.errors import ArgumentError, ShapeError
from dynaplan.models.linear.covariances import covariance_factor

__all__ = ["FeatureFunction", "FunctionFit"]

Float64 = NDArray[np.float64]
FeatureFunction: TypeAlias = Callable[[NDArray[Any], NDArray[Any]], ArrayLike]  # (N, S), (N, A)
_Core: TypeAlias = _core.LinearGaussianFit


class FunctionFit:
    """A regression of the change of the state on a function's values, as `LinearGaussianFit`.

    The core fits the changes as next states of actions that are the features, from states that are
    all 0: columns of zeros, which get no coefficient and explain nothing.

    Args:
        function: `f(states (N, S), actions (N, A)) -> (N, F)`.
        core: the fit of the core.
        seen: (2, S + A) smallest and largest value of each input.
    """

    __slots__ = ("_core", "_function", "_seen")

    def __init__(self, function: FeatureFunction, core: _Core, seen: Float64) -> None:
        self._function, self._core, self._seen = function, core, seen

    @classmethod
    def fit(
        cls,
        function: FeatureFunction,
        rows: tuple[Float64, Float64, Float64, Float64 | None],
        settings: tuple[bool, float, float],
        threads: int,
    ) -> FunctionFit:
        """Fits states, actions, next states and weights; settings: intercept, ridge, threshold."""
        seen = np.hstack(rows[:2])
        regression = _regression(function, *rows)
        core = _Core.fit(*regression, 1, settings[0], False, *settings[1:], threads)
        return cls(function, core, np.stack([seen.min(axis=0), seen.max(axis=0)]))

    @classmethod
    def from_state(
        cls, function: FeatureFunction, state: tuple[Any, ...], settings: tuple[bool, float, float]
    ) -> FunctionFit:
        """Returns the fit with this state, which another one had."""
        *core_state, seen = state
        core = _Core.from_state(tuple(core_state), 1, settings[0], False, *settings[1:])
        return cls(function, core, seen)

    def state(self) -> tuple[Any, ...]:
        """Returns all that it is made of besides its settings."""
        return (*self._core.state(), self._seen)

    def updated(
        self,
        states: Float64,
        actions: Float64,
        next_states: Float64,
        weights: Float64 | None,
        threads: int,
    ) -> FunctionFit:
        """Returns the fit of the data so far and more."""
        _require_dims(states, actions, self)
        regression = _regression(self._function, states, actions, next_states, weights)
        _require_count(regression[1], self.weights.shape[1])
        seen = np.hstack([states, actions])
        low = np.minimum(self._seen[0], seen.min(axis=0))
        high = np.maximum(self._seen[1], seen.max(axis=0))
        core = self._core.updated(*regression, threads)
        return FunctionFit(self._function, core, np.stack([low, high]))

    def merged(self, other: FunctionFit) -> FunctionFit:
        """Returns the fit of both data sets."""
        if other._function is not self._function:
            raise ArgumentError("other: fitted with another function, must have the same features")
        low = np.minimum(self._seen[0], other._seen[0])
        high = np.maximum(self._seen[1], other._seen[1])
        return FunctionFit(self._function, self._core.merged(other._core), np.stack([low, high]))

    def predict(
        self, states: Float64, actions: Float64, threads: int
    ) -> tuple[Float64, Float64, Float64]:
        """Returns mean, aleatoric and epistemic variances."""
        _arrays.finite_rows("states", states, self.state_dim)
        _arrays.finite_rows("actions", actions, self.action_dim)
        _arrays.require_action_for_each(states, actions)
        features = _values(self._function, states, actions)
        _require_count(features, self.weights.shape[1])
        nowhere = np.zeros_like(states)
        change, aleatoric, epistemic = self._core.predict(nowhere, features, threads)
        return states + change, aleatoric, epistemic

    def dynamics(self) -> _core.Dynamics:
        """Returns the function and its coefficients as rollouts and planners run them."""
        size, inputs = self.state_dim, self.state_dim + self.action_dim
        lower = covariance_factor("features", self.noise_covariance)
        rest = _core.linear_dynamics(np.eye(size, inputs), np.zeros(size), lower)
        mean = _NextStates(self._function, self.weights, self.intercept)
        return _core.residual_dynamics(_core.python_dynamics(mean, size, self.action_dim), rest)

    @property
    def state_dim(self) -> int:
        """S."""
        return self._core.state_dim

    @property
    def action_dim(self) -> int:
        """A."""
        return int(self._seen.shape[1]) - self.state_dim

    @property
    def rows(self) -> float:
        """Rows of positive weight."""
        return self._core.rows

    @property
    def rank(self) -> int:
        """Rank of the features."""
        return self._core.rank

    @property
    def columns(self) -> int:
        """Features, and the intercept."""
        return self._core.columns - self.state_dim

    @property
    def degrees_of_freedom(self) -> Float64:
        """(S,) of each next state."""
        return self._core.degrees_of_freedom

    @property
    def weights(self) -> Float64:
        """(S, F) of the features in the change of the state."""
        return np.ascontiguousarray(self._core.weights[:, self.state_dim :])

    @property
    def intercept(self) -> Float64:
        """(S,) constant part of the change."""
        return self._core.intercept

    @property
    def noise_covariance(self) -> Float64:
        """(S, S)."""
        return self._core.noise_covariance

    @property
    def spreads(self) -> list[Float64]:
        """(columns, rank) for all next states, or for each."""
        return [spread[self.state_dim :] for spread in self._core.spreads]

    @property
    def factor(self) -> Float64:
        """(columns + S, columns + S) of [features 1 | changes]."""
        return np.ascontiguousarray(self._core.factor[self.state_dim :, self.state_dim :])

    @property
    def input_low(self) -> Float64:
        """(S + A,)."""
        return np.array(self._seen[0])

    @property
    def input_high(self) -> Float64:
        """(S + A,)."""
        return np.array(self._seen[1])


class _NextStates:
    """The mean next states of whole batches."""

    __slots__ = ("_constant", "_function", "_weights")

    def __init__(self, function: FeatureFunction, weights: Float64, constant: Float64) -> None:
        self._function, self._weights, self._constant = function, weights, constant

    def __call__(self, states: Float64, actions: Float64) -> Float64:
        features = _values(self._function, states, actions)
        _require_count(features, self._weights.shape[1])
        # Row by row, so that it rounds the same in batches of any size.
        change = np.einsum("nf,sf->ns", features, self._weights)
        return np.asarray(states + (change + self._constant))


def _values(function: FeatureFunction, states: Float64, actions: Float64) -> Float64:
    """Returns (N, F) features."""
    given = function(states, actions)
    _callbacks.require_no_tuple("features", given)
    array = _arrays.any_array("features", given)
    if array.ndim != 2 or len(array) != len(states) or not array.shape[1]:
        raise ShapeError(
            f"features: returned shape {array.shape}, must be ({len(states)}, F), one row of "
            "features per row of the batch"
        )
    return _callbacks.numbers("features", array, array.shape, "row of features")


def _regression(
    function: FeatureFunction,
    states: Float64,
    actions: Float64,
    next_states: Float64,
    weights: Float64 | None,
) -> tuple[Float64, Float64, Float64, Float64 | None]:
    """Returns what the core fits: nowhere, features, changes and weights."""
    features = _values(function, states, actions)
    wrong = np.flatnonzero(~np.isfinite(features).all(axis=1))
    if len(wrong):
        row = wrong[0]
        value = features[row][~np.isfinite(features[row])][0]
        raise ArgumentError(f"features: returned {value} for row {row} of the data, must be finite")
    if all((np.float32(inputs) == inputs).all() for inputs in (states, actions)):
        # Inputs of seven digits make features of seven, by which the core then judges the rank.
        features = np.asarray(np.float32(features), np.float64)
    return np.zeros_like(states), features, next_states - states, weights


def _require_dims(states: Float64, actions: Float64, fit: FunctionFit) -> None:
    given, wanted = (states.shape[1], actions.shape[1]), (fit.state_dim, fit.action_dim)
    if given != wanted:
        raise ShapeError(f"data: got (state_dim, action_dim) {given}, must be {wanted}")


def _require_count(features: Float64, count: int) -> None:
    if features.shape[1] != count:
        raise ShapeError(
            f"features: returned {features.shape[1]} columns, must be {count} as in the fit"
        )
