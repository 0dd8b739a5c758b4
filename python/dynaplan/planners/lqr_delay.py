"""Regulators of systems on which actions act late."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynaplan.errors import NumericalError
from dynaplan.planners.regulator import Regulator

__all__ = ["MAX_DELAY", "delayed"]

MAX_DELAY = 100  # the value is a matrix of all actions under way, and takes their cube to make

Float64 = NDArray[np.float64]


def delayed(regulator: Regulator, problem: tuple[Any, ...], steps: int) -> Regulator:
    """Returns the regulator of the same problem where each action acts `steps` later.

    What is sent now acts on the state that those under way lead to, which is known: there the
    undelayed action is the best. That is the exact solution for (s, the actions under way),
    without a Riccati equation of their size.

    Args:
        regulator: of the problem without delay.
        problem: A, B, Q, R, N, c, targets of state and action, and the discount.
        steps: d, at least 1.

    Raises:
        NumericalError: the gains or the costs overflow float64.

    Source: Kleinman 1969, "Optimal control of linear systems with time-delay and observation
    noise" (in discrete time without noise).
    """
    A, B, Q, R, N, c, state_target, action_target, discount = problem
    states, actions = B.shape
    size = states + steps * actions
    costs = np.block([[Q, N], [N.T, R]])
    targets = np.concatenate([state_target, action_target])
    value, slope, weight = np.zeros((size, size)), np.zeros(size), 1.0
    # The state after some steps is `effect` times (s, the actions under way), and `drift`.
    effect, drift = np.eye(states, size), np.zeros(states)
    with np.errstate(over="ignore", invalid="ignore"):
        for begin in range(states, size, actions):
            action = np.eye(actions, size, begin)
            both, offset = np.vstack([effect, action]), np.concatenate([drift, np.zeros(actions)])
            value += weight * (both.T @ costs @ both)
            slope += weight * (both.T @ (costs @ (offset - targets)))
            effect, drift = A @ effect + B @ action, A @ drift + c
            weight *= discount
        value = value + weight * (effect.T @ regulator.P @ effect)
        slope = slope + weight * ((regulator.P @ drift + regulator.p) @ effect)
        gains, offsets = regulator.K @ effect, regulator.k - regulator.K @ drift
        value = 0.5 * (value + np.swapaxes(value, -1, -2))
    found = Regulator(gains, offsets, value, slope)
    if not all(np.isfinite(part).all() for part in found):
        raise NumericalError(
            "delay_steps: gains or costs to come overflow float64; shorten the delay, or choose "
            "other units of states or costs"
        )
    return found
