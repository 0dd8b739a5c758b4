"""The best plan of a linear plant under quadratic costs and limits, by an interior-point method."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import clarabel
import numpy as np
from scipy import sparse

import dynaplan as dp
from reference.systems import exact_linear_model


@dataclass(frozen=True)
class LinearPlant:
    """x' = A x + B u with the cost of each next state q x^2 and of each action r u^2."""

    a: np.ndarray[Any, Any]
    b: np.ndarray[Any, Any]
    q: np.ndarray[Any, Any]
    r: np.ndarray[Any, Any]
    start: np.ndarray[Any, Any]

    @classmethod
    def random(cls, seed: int, largest: float = 2.0) -> LinearPlant:
        """Makes one whose largest eigenvalue is between 0.5 and `largest`."""
        generator = np.random.default_rng(seed)
        n = int(generator.integers(1, 7))
        m = int(generator.integers(1, min(n, 3) + 1))
        a = generator.normal(size=(n, n))
        a *= generator.uniform(0.5, largest) / max(abs(np.linalg.eigvals(a)))
        b = generator.normal(size=(n, m))
        q, r = generator.uniform(0.1, 2.0, n), generator.uniform(0.05, 1.0, m)
        return cls(a, b, q, r, generator.normal(size=n))

    def model(self) -> dp.LinearGaussian:
        """Returns the model that dynaplan fits to it."""
        return exact_linear_model(self.a, self.b)

    def reward(self) -> dp.Reward:
        """Returns its costs as a reward."""
        return dp.rewards.quadratic(self.q) + dp.rewards.action_cost(self.r)

    def best_return(
        self,
        horizon: int,
        bound: np.ndarray[Any, Any],
        *,
        low: np.ndarray[Any, Any] | None = None,
        state_low: np.ndarray[Any, Any] | None = None,
        state_high: np.ndarray[Any, Any] | None = None,
        rate: np.ndarray[Any, Any] | None = None,
        acceleration: np.ndarray[Any, Any] | None = None,
        change: np.ndarray[Any, Any] | None = None,
    ) -> float | None:
        """Returns the best return of actions in [low, bound]; None where none is found.

        Args:
            horizon: H.
            bound: (m,) or (H, m) largest actions.
            low: likewise the smallest ones; None: -bound.
            state_low: (n,) smallest states after the first, `-inf` where free.
            state_high: (n,) largest states after the first, `inf` where free.
            rate: (m,) largest change of the actions, the one before the first being 0.
            acceleration: (m,) largest change of that change; after the last step actions can still
                be stopped before their bounds.
            change: (m,) by which the action before the first differs from the one before it; 0.
        """
        n, m = self.b.shape
        both = n + m
        step_cost = sparse.diags(np.concatenate([2.0 * self.r, 2.0 * self.q]))
        cost = sparse.block_diag([step_cost] * horizon)
        dynamics = sparse.lil_matrix((horizon * n, horizon * both))
        right = np.zeros(horizon * n)
        right[:n] = self.a @ self.start
        for t in range(horizon):
            row, column = t * n, t * both
            dynamics[row : row + n, column : column + m] = -self.b
            dynamics[row : row + n, column + m : column + both] = np.eye(n)
            if t:
                dynamics[row : row + n, column - n : column] = -self.a
        eye, none = sparse.eye(horizon), sparse.csc_matrix
        actions = sparse.kron(eye, sparse.hstack([sparse.eye(m), none((m, n))])).tocsr()
        below = bound if low is None else -low
        sides = [np.broadcast_to(side, (horizon, m)).ravel() for side in (bound, below)]
        rows, limits = [dynamics, actions, -actions], [right, *sides]
        states = sparse.kron(eye, sparse.hstack([none((n, m)), sparse.eye(n)])).tocsr()
        for sign, limit in ((1.0, state_high), (-1.0, state_low)):
            if limit is None:
                continue
            is_limited = np.tile(np.isfinite(limit), horizon)
            rows.append(sign * states[is_limited])
            limits.append(sign * np.tile(limit, horizon)[is_limited])
        shift = sparse.kron(sparse.eye(horizon, k=-1), sparse.eye(m))
        changes = actions - shift @ actions
        if rate is not None:
            rows += [changes, -changes]
            limits += [np.tile(rate, horizon)] * 2
        if acceleration is not None:
            faster = changes - shift @ changes
            first = np.zeros(horizon * m)
            first[:m] = 0.0 if change is None else change
            rows += [faster, -faster]
            limits += [
                np.tile(acceleration, horizon) + first,
                np.tile(acceleration, horizon) - first,
            ]
            # v + (v - b) + (v - 2 b) + ..., as many as may be positive, is no more than is left.
            steps = np.arange(1, 3 + int(np.sqrt(4.0 * (bound / acceleration).max())))
            last, before = actions[-m:], (shift @ actions).tocsr()[-m:]
            for count in steps:
                slower = bound / count + 0.5 * acceleration * (count - 1)
                speed = last - (1.0 - 1.0 / count) * before
                rows += [speed, -speed]
                limits += [slower] * 2
        settings = clarabel.DefaultSettings()
        settings.verbose = False
        settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = 1e-10
        inequalities = sum(len(limit) for limit in limits[1:])
        solution = clarabel.DefaultSolver(
            sparse.triu(cost).tocsc(),
            np.zeros(horizon * both),
            sparse.vstack(rows).tocsc(),
            np.concatenate(limits),
            [clarabel.ZeroConeT(horizon * n), clarabel.NonnegativeConeT(inequalities)],
            settings,
        ).solve()
        return -solution.obj_val if str(solution.status) == "Solved" else None
