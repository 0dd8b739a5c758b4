"""Regulators of systems on which actions act late."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynaplan import _arrays
from dynaplan.errors import NumericalError, ShapeError
from dynaplan.planners.action_delay import ActionDelay
from dynaplan.planners.regulator import Regulator

__all__ = ["MAX_DELAY", "delayed", "with_queue_as_state"]

MAX_DELAY = 100  # the value is a matrix of all actions under way, and takes their cube to make

Float64 = NDArray[np.float64]


def with_queue_as_state(problem: tuple[Any, ...], delay: ActionDelay) -> tuple[Any, ...]:
    """Returns the problem in which the state is followed by `delay.queue`, which costs nothing.

    Args:
        problem: A, B, Q, R, N, c, targets of state and action, and the discount.
        delay: of the actions; what all of them are late is left to `delayed`.

    Raises:
        ShapeError: the shapes do not fit.
        ArgumentError: an entry of B is not finite.
    """
    A, B, Q, R, N, c, state_target, action_target, discount = problem
    states, actions = len(A), B.shape[1]
    for name, part, shape in (
        ("A", A, (states, states)),
        ("B", B, (states, actions)),
        ("Q", Q, (states, states)),
        ("N", N, (states, actions)),
        ("c", c, (states,)),
        ("state_target", state_target, (states,)),
    ):
        if part.shape != shape:
            raise ShapeError(f"{name}: got shape {part.shape}, must be {shape}")
    _arrays.finite_rows("B", B, actions)  # before it becomes a part of A
    places = {entry: states + n for n, entry in enumerate(delay.queue)}
    size = states + len(places)
    whole, enters = np.zeros((size, size)), np.zeros((size, actions))
    whole[:states, :states] = A
    for action, (steps, fraction) in enumerate(zip(*delay.remaining, strict=True)):
        for ago, share in ((steps - 1, 1.0 - fraction), (steps, fraction)):
            if share == 0.0:
                continue
            if ago < 0:
                enters[:states, action] += share * B[:, action]
            else:
                whole[:states, places[ago, action]] += share * B[:, action]
    for (ago, action), place in places.items():
        if ago == 0:
            enters[place, action] = 1.0
        else:
            whole[place, places[ago - 1, action]] = 1.0
    below = size - states
    costs, mixed = np.pad(Q, ((0, below), (0, below))), np.pad(N, ((0, below), (0, 0)))
    targets = np.pad(c, (0, below)), np.pad(state_target, (0, below)), action_target
    return (whole, enters, costs, R, mixed, *targets, discount)


def delayed(regulator: Regulator, problem: tuple[Any, ...], delay: ActionDelay) -> Regulator:
    """Returns the regulator of the same problem where all actions act some steps later.

    What is sent now acts on the state that those under way lead to, which is known: there the
    action of the regulator is the best. That is the exact solution for (s, the actions under way),
    without a Riccati equation of their size.

    Args:
        regulator: of the problem without what all actions are late, `delay.ahead`.
        problem: A, B, Q, R, N, c, targets of state and action, and the discount.
        delay: of the actions.

    Raises:
        NumericalError: the gains or the costs overflow float64.

    Source: Kleinman 1969, "Optimal control of linear systems with time-delay and observation
    noise" (in discrete time without noise).
    """
    A, B, Q, R, N, c, state_target, action_target, discount = problem
    states, actions = B.shape
    size = states + delay.queued * actions
    costs = np.block([[Q, N], [N.T, R]])
    targets = np.concatenate([state_target, action_target])
    value, slope, weight = np.zeros((size, size)), np.zeros(size), 1.0
    # The state after some steps is `effect` times (s, the actions under way), and `drift`.
    effect, drift = np.eye(states, size), np.zeros(states)
    # Likewise what is sent, and what of it acts.
    sent = np.eye(size)[:, states:].reshape(size, delay.queued, actions)
    acting = np.moveaxis(delay.until_plan(sent), 0, -1)
    with np.errstate(over="ignore", invalid="ignore"):
        for step, acts in enumerate(acting):
            action = sent[:, delay.queued - delay.ahead + step].T
            both, offset = np.vstack([effect, action]), np.concatenate([drift, np.zeros(actions)])
            value += weight * (both.T @ costs @ both)
            slope += weight * (both.T @ (costs @ (offset - targets)))
            effect, drift = A @ effect + B @ acts, A @ drift + c
            weight *= discount
        left = [sent[:, -1 - ago, entry] for ago, entry in delay.queue]
        effect, drift = np.vstack([effect, *left]), np.pad(drift, (0, len(left)))
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
