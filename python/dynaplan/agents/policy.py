"""`Policy`: a deterministic policy in NumPy's arrays, on its way to other libraries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Policy"]


@dataclass(frozen=True, eq=False)
class Policy:
    """action = centre + half_range * tanh(network(state)).

    Attributes:
        layers: float32 weights (outputs, inputs) and biases (outputs,), from (S,) to (A,).
        activation: between them.
        centre: (A,) float32, of the box of actions.
        half_range: (A,) float32.
    """

    layers: Sequence[tuple[NDArray[np.float32], NDArray[np.float32]]]
    activation: str
    centre: NDArray[np.float32]
    half_range: NDArray[np.float32]

    @classmethod
    def of_actor(
        cls,
        layers: Sequence[tuple[NDArray[Any], NDArray[Any]]],
        activation: str,
        bounds: tuple[NDArray[np.float64], NDArray[np.float64]],
    ) -> Policy:
        """Takes the means of an actor that gives (means, logarithms of standard deviations)."""
        low, high = bounds
        weights, biases = layers[-1]
        return cls(
            [*layers[:-1], (weights[: len(low)], biases[: len(low)])],
            activation,
            np.asarray(0.5 * (low + high), np.float32),
            np.asarray(0.5 * (high - low), np.float32),
        )
