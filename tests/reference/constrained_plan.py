"""Plans of linear plants under quadratic costs and constraints, by SLSQP of SciPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.optimize import minimize

from reference.quadratic_program import LinearPlant

Array = np.ndarray[Any, Any]
# Values (H,) that may not be above 0 of states (H, n), and their slopes (H, n).
Constraint = Callable[[Array], tuple[Array, Array]]


class ConstrainedPlan:
    """Plans of H steps as functions of the actions alone: the states are linear in them."""

    def __init__(
        self, plant: LinearPlant, horizon: int, bound: Array, constraints: list[Constraint]
    ) -> None:
        self.plant, self.horizon, self.bound = plant, horizon, bound
        self.constraints = constraints
        n, m = plant.b.shape
        self._free = np.zeros((horizon, n))
        self._gain = np.zeros((horizon, n, horizon, m))
        state = plant.start
        for t in range(horizon):
            state = plant.a @ state
            self._free[t] = state
            if t:
                self._gain[t] = np.einsum("ij,jkl->ikl", plant.a, self._gain[t - 1])
            self._gain[t, :, t] = plant.b
        self._flat = self._gain.reshape(horizon, n, horizon * m)

    def states(self, actions: Array) -> Array:
        """Returns (H, n) states after each step."""
        return self._free + self._flat @ np.ravel(actions)

    def cost(self, actions: Array) -> tuple[float, Array]:
        """Returns the cost and its slope."""
        states, rate = self.states(actions), np.tile(self.plant.r, self.horizon)
        flat = np.ravel(actions)
        slope = 2.0 * np.einsum("ti,tij->j", self.plant.q * states, self._flat) + 2.0 * rate * flat
        return float((self.plant.q * states**2).sum() + rate @ flat**2), slope

    def violation(self, actions: Array) -> float:
        """Returns the largest value of a constraint."""
        states = self.states(actions)
        return max(float(constraint(states)[0].max()) for constraint in self.constraints)

    def improved_freely(self) -> Array:
        """Returns the plan (H, m) that is best within the bounds alone."""
        flat = np.zeros(self.horizon * len(self.bound))
        bounds = [(-b, b) for b in np.tile(self.bound, self.horizon)]
        found = minimize(self.cost, flat, jac=True, method="L-BFGS-B", bounds=bounds)
        return np.reshape(found.x, (self.horizon, len(self.bound)))

    def improved(self, actions: Array) -> Array | None:
        """Returns the plan (H, m) that SLSQP reaches from one; None if it fails."""
        shape = actions.shape

        def rows(flat: Array) -> Array:
            states = self.states(flat)
            return -np.concatenate([constraint(states)[0] for constraint in self.constraints])

        def slopes(flat: Array) -> Array:
            states = self.states(flat)
            return -np.concatenate(
                [
                    np.einsum("ti,tij->tj", constraint(states)[1], self._flat)
                    for constraint in self.constraints
                ]
            )

        found = minimize(
            self.cost,
            np.ravel(actions),
            jac=True,
            method="SLSQP",
            bounds=[(-b, b) for b in np.tile(self.bound, self.horizon)],
            constraints=[{"type": "ineq", "fun": rows, "jac": slopes}],
            options={"maxiter": 500, "ftol": 1e-12},
        )
        return found.x.reshape(shape) if found.success else None


def half_plane(weights: Array, bound: float) -> Constraint:
    """weights^T x <= bound."""
    return lambda states: (states @ weights - bound, np.tile(weights, (len(states), 1)))


def signed_disc(centre: Array, radius: float, sign: float) -> Constraint:
    """The first two states inside a disc, by a sign of 1, or outside, by one of -1."""

    def values(states: Array) -> tuple[Array, Array]:
        gap = states[:, :2] - centre
        length = np.linalg.norm(gap, axis=1)
        slopes = np.zeros_like(states)
        slopes[:, :2] = sign * gap / length[:, None]
        return sign * (length - radius), slopes

    return values


def outside_box(low: Array, high: Array) -> Constraint:
    """The first two states outside a box: minus the distance to it, negative inside."""

    def values(states: Array) -> tuple[Array, Array]:
        above, below = states[:, :2] - high, low - states[:, :2]
        beyond = np.maximum(above, below)
        signs = np.where(above > below, 1.0, -1.0)
        outside = np.maximum(beyond, 0.0)
        length = np.linalg.norm(outside, axis=1)
        is_outside = length > 0.0
        slopes = np.zeros_like(states)
        nearest = beyond.argmax(axis=1)
        rows = np.arange(len(states))
        slopes[rows, nearest] = -signs[rows, nearest]
        slopes[is_outside, :2] = -(signs * outside)[is_outside] / length[is_outside, None]
        return -np.where(is_outside, length, beyond.max(axis=1)), slopes

    return values
