"""What every model of the dynamics offers."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynaplan import _core, _texts

__all__ = ["Model", "Prediction"]

Float64 = NDArray[np.float64]


class Prediction(NamedTuple):
    """A model's prediction of the next states, with its uncertainty.

    Attributes:
        mean: (N, S), in the states' units.
        aleatoric: (N, S) variances of the system's own noise, in the units squared.
        epistemic: (N, S) variances due to what the model does not know, in the units squared;
            infinite where the input varies in directions that no training row covers.
    """

    mean: Float64
    aleatoric: Float64
    epistemic: Float64

    def __repr__(self) -> str:
        return _texts.object_text(self, *self._fields)


class Model(Protocol):
    """The interface of a model: what rollouts, planners and `evaluate` need, however it was fitted.

    Every model of dynaplan has it; `FunctionModel` and `CompiledModel` give it to functions.
    """

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
        """Predicts the next states, with both kinds of uncertainty.

        Args:
            states: (N, S), or one state (S,).
            actions: (N, A), or one action (A,).
            threads: threads to use.
        """

    def sample(
        self, states: ArrayLike, actions: ArrayLike, *, seed: int | None = None, threads: int = 1
    ) -> Float64:
        """Draws next states.

        Args:
            states: (N, S), or one state (S,).
            actions: (N, A), or one action (A,).
            seed: seed of the draw; None draws anew.
            threads: threads to use.

        Returns:
            (N, S).
        """
