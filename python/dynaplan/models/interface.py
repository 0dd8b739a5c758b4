"""What every model of the dynamics offers."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynaplan import _core

__all__ = ["Model", "Prediction"]

Float64 = NDArray[np.float64]


class Prediction(NamedTuple):
    """What a model says of the next states, and how sure it is.

    Attributes:
        mean: (N, S), in the states' units.
        aleatoric: (N, S) variances of the system's own noise, in the units squared.
        epistemic: (N, S) variances of what the model does not know, in the units squared;
            infinite where the input reaches into directions that no training row has seen.
    """

    mean: Float64
    aleatoric: Float64
    epistemic: Float64


class Model(Protocol):
    """What rollouts, planners and `evaluate` ask of a model, whatever it is fitted by."""

    @property
    def state_dim(self) -> int:
        """Number of state dimensions, S."""

    @property
    def action_dim(self) -> int:
        """Number of action dimensions, A."""

    @property
    def observed_low(self) -> Float64:
        """(S + A,) smallest value of each input in the data."""

    @property
    def observed_high(self) -> Float64:
        """(S + A,) largest value of each input in the data."""

    @property
    def dynamics(self) -> _core.Dynamics:
        """The compiled dynamics that rollouts and planners run."""

    def predict(self, states: ArrayLike, actions: ArrayLike, *, threads: int = 1) -> Prediction:
        """Predicts the next states, with both kinds of uncertainty."""

    def sample(
        self, states: ArrayLike, actions: ArrayLike, *, seed: int | None = None, threads: int = 1
    ) -> Float64:
        """Draws next states."""
