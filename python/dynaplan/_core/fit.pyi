"""Least squares."""

from typing import Any, Final, overload

import numpy as np
from numpy.typing import NDArray

from dynaplan._core._arrays import _Float64
from dynaplan._core.models import Dynamics

# What `LinearGaussianFit.state` gives and `from_state` takes; opaque.
_State = tuple[Any, ...]

class LinearGaussianFit:
    """The triangular factor of a regression with its solution; immutable."""

    @staticmethod
    def fit(
        states: _Float64,
        actions: _Float64,
        next_states: _Float64,
        weights: _Float64 | None,
        degree: int,
        intercept: bool,
        predicts_change: bool,
        ridge: float,
        threshold: float,
        threads: int,
    ) -> LinearGaussianFit: ...
    def updated(
        self,
        states: _Float64,
        actions: _Float64,
        next_states: _Float64,
        weights: _Float64 | None,
        threads: int,
    ) -> LinearGaussianFit: ...
    def merged(self, other: LinearGaussianFit) -> LinearGaussianFit: ...
    def predict(
        self, states: _Float64, actions: _Float64, threads: int
    ) -> tuple[_Float64, _Float64, _Float64]: ...
    def dynamics(self) -> Dynamics: ...
    def state(self) -> _State: ...
    @staticmethod
    def from_state(
        state: _State,
        degree: int,
        intercept: bool,
        predicts_change: bool,
        ridge: float,
        threshold: float,
    ) -> LinearGaussianFit: ...
    def exponents(self) -> NDArray[np.intc]: ...
    state_dim: Final[int]
    action_dim: Final[int]
    weights: Final[_Float64]
    intercept: Final[_Float64]
    noise_covariance: Final[_Float64]
    spreads: Final[list[_Float64]]
    null_basis: Final[_Float64]
    rank: Final[int]
    columns: Final[int]
    degrees_of_freedom: Final[_Float64]
    rows: Final[float]
    factor: Final[_Float64]
    input_low: Final[_Float64]
    input_high: Final[_Float64]

class RecursiveLeastSquares:
    """A regression that takes in one transition at a time, in place."""

    @overload
    def __init__(
        self,
        state_dim: int,
        action_dim: int,
        degree: int,
        intercept: bool,
        predicts_change: bool,
        ridge: float,
        threshold: float,
        forgetting: float,
        directional: bool,
    ) -> None: ...
    @overload
    def __init__(self, fit: LinearGaussianFit, forgetting: float, directional: bool) -> None: ...
    def update(self, state: _Float64, action: _Float64, next_state: _Float64) -> None: ...
    def fit(self) -> LinearGaussianFit: ...
    def state(self) -> tuple[Any, ...]: ...
    def restore(self, state: tuple[Any, ...]) -> None: ...
    @property
    def state_dim(self) -> int: ...
    @property
    def action_dim(self) -> int: ...
    @property
    def rows(self) -> float: ...
