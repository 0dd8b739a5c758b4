"""`KnownDynamics`: what models of known dynamics share."""

from __future__ import annotations

from typing import SupportsIndex

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynaplan import _arrays, _core
from dynaplan.data.angles import Angles, AnglesLike
from dynaplan.errors import ArgumentError
from dynaplan.models.interface import Prediction
from dynaplan.models.jacobians import Jacobians, with_jacobians
from dynaplan.models.single_steps import Drawn, single_steps
from dynaplan.models.wrapping import with_angles

__all__ = ["KnownDynamics", "observed_range"]

Float64 = NDArray[np.float64]


def observed_range(
    observed: tuple[ArrayLike, ArrayLike] | None,
    state_dim: SupportsIndex,
    action_dim: SupportsIndex,
) -> tuple[Float64, Float64]:
    """Returns (S + A,) low and high that states and actions are known to take; None: infinities.

    Raises:
        ShapeError: they have the wrong shape.
        ArgumentError: they are no range, or a dimension is below 1.
    """
    size = _arrays.count("state_dim", state_dim, 1) + _arrays.count("action_dim", action_dim, 1)
    if observed is None:
        return np.full(size, -np.inf), np.full(size, np.inf)
    low, high = _arrays.pair("observed", observed)
    bounds = (
        _arrays.vector("observed low", low, size).copy(),
        _arrays.vector("observed high", high, size).copy(),
    )
    if not (bounds[0] <= bounds[1]).all():
        raise ArgumentError("observed: low must not exceed high, nor be nan")
    return bounds


class KnownDynamics:
    """What models of known dynamics share: abstract, see `FunctionModel` and `LinearModel`.

    Attributes:
        dynamics: what rollouts and planners run.
        angles: the states that are angles.
    """

    __slots__ = ("__weakref__", "_observed", "angles", "dynamics")

    def __init__(
        self,
        dynamics: _core.Dynamics,
        observed: tuple[ArrayLike, ArrayLike] | None,
        angles: AnglesLike = (),
    ) -> None:
        self.angles: Angles = Angles.of(angles, dynamics.state_dim)
        self.dynamics: _core.Dynamics = with_angles(dynamics, self.angles)
        self._observed = observed_range(observed, dynamics.state_dim, dynamics.action_dim)

    @property
    def state_dim(self) -> int:
        """Number of state dimensions, S."""
        return self.dynamics.state_dim

    @property
    def action_dim(self) -> int:
        """Number of action dimensions, A."""
        return self.dynamics.action_dim

    @property
    def observed_low(self) -> Float64:
        """(S + A,) smallest value that each input is known to take; -inf: not known."""
        return self._observed[0].copy()

    @property
    def observed_high(self) -> Float64:
        """(S + A,) largest value that each input is known to take; inf: not known."""
        return self._observed[1].copy()

    def predict(self, states: ArrayLike, actions: ArrayLike, *, threads: int = 1) -> Prediction:
        """Predicts the next states; both kinds of variance are 0.

        Args:
            states: (N, S), or one state (S,).
            actions: (N, A), or one action (A,).
            threads: threads to use.

        Returns:
            Arrays of shape (N, S); N is 1 for a single state.

        Raises:
            ShapeError: an array has the wrong shape.
            ArgumentError: a state or an action is not finite.
        """
        mean = self._steps(states, actions, "mean", 0, threads)
        return Prediction(mean, np.zeros_like(mean), np.zeros_like(mean))

    def _steps(
        self, states: ArrayLike, actions: ArrayLike, propagation: Drawn, seed: int, threads: int
    ) -> Float64:
        """Returns (N, S): each state one step later."""
        first = _arrays.finite_rows("states", states, self.state_dim)
        action_rows = _arrays.finite_rows("actions", actions, self.action_dim)
        _arrays.require_action_for_each(first, action_rows)
        count = _arrays.count("threads", threads)
        return single_steps(self.dynamics, first, action_rows, propagation, seed, count)

    def sample(
        self, states: ArrayLike, actions: ArrayLike, *, seed: int | None = None, threads: int = 1
    ) -> Float64:
        """Returns the prediction: there is no noise to draw.

        Args:
            states: (N, S), or one state (S,).
            actions: (N, A), or one action (A,).
            seed: not used.
            threads: threads to use.

        Returns:
            (N, S).
        """
        _arrays.seed_number(seed)
        return self.predict(states, actions, threads=threads).mean

    def with_jacobians(
        self, states: ArrayLike, actions: ArrayLike, *, threads: int = 1
    ) -> Jacobians:
        """Predicts next states with their derivatives by central differences.

        Each input is moved by 6e-6 of its size, or of 1 where it is smaller, to either side.

        Args:
            states: (N, S), or one state (S,).
            actions: (N, A), or one action (A,).
            threads: threads to use.

        Returns:
            Arrays with N first: next states (N, S), derivatives (N, S, S) and (N, S, A).
        """
        return with_jacobians(self, states, actions, threads=threads)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(state_dim={self.state_dim}, action_dim={self.action_dim})"
