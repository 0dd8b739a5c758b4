"""Inputs of the cases that plan with networks, and what their plans are worth in float64."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from bench.network_workload import NetworkRollouts, mean_returns, silu
from bench.workloads import FloatArray, PlanBudget

REACHER_STATES, REACHER_ACTIONS = 10, 2
TIP = slice(8, 10)  # of Reacher-v5's observation: fingertip less target


@dataclass(frozen=True)
class NetworkPlanning:
    """Plan with networks; actions in [-1, 1].

    Attributes:
        budget: of a plan.
        networks: the model; their `states` and `actions` are empty.
        state: (S,) to plan from.
    """

    budget: PlanBudget
    networks: NetworkRollouts
    state: FloatArray


def cem_network(hidden: tuple[int, ...]) -> NetworkPlanning:
    """Returns a plan with one network, 17 states and 6 actions, minus the square of the next."""
    nothing = np.empty((0, 30, 6), np.float32)
    networks = NetworkRollouts(hidden, 1, np.empty((0, 17), np.float32), nothing)
    state = np.random.default_rng(13).standard_normal(17)
    return NetworkPlanning(PlanBudget(), networks, state)


def network_return(inputs: NetworkPlanning, plans: FloatArray) -> float:
    """Mean return in float64 of the plans (P, H, A), actions clipped."""
    states = np.tile(inputs.state, (len(plans), 1))
    rollouts = replace(inputs.networks, states=states, actions=np.clip(plans, -1.0, 1.0))
    return float(mean_returns(rollouts).mean())


def reacher(horizon: int = 30) -> NetworkPlanning:
    """Returns a plan with five networks of 2 x 64 of Reacher's size, a particle with each.

    The budget is iCEM's own: 40, 32 and 25 sequences.
    """
    networks = NetworkRollouts(
        (64, 64),
        5,
        np.empty((0, REACHER_STATES), np.float32),
        np.empty((0, horizon, REACHER_ACTIONS), np.float32),
        particles=5,
        propagation="tsinf",
        state_dim=REACHER_STATES,
        action_dim=REACHER_ACTIONS,
    )
    budget = PlanBudget(horizon, candidates=40, elites=10, iterations=3, min_std=0.0)
    state = np.random.default_rng(13).standard_normal(REACHER_STATES)
    return NetworkPlanning(budget, networks, state)


def reacher_returns(inputs: NetworkPlanning, states: FloatArray, plans: FloatArray) -> FloatArray:
    """Returns (P,): of plans (P, H, 2) from states (P, 10), over the means of all members."""
    layers = [
        (w.astype(np.float64), b.astype(np.float64)[:, None]) for w, b in inputs.networks.layers()
    ]
    actions = np.clip(plans, -1.0, 1.0).astype(np.float64)
    state = np.broadcast_to(states.astype(np.float64), (inputs.networks.members, *states.shape))
    total = np.zeros(len(plans))
    for action in np.moveaxis(actions, 1, 0):
        x = np.concatenate([state, np.broadcast_to(action, (len(state), *action.shape))], axis=2)
        for weights, biases in layers[:-1]:
            x = silu(x @ weights + biases)
        x = x @ layers[-1][0] + layers[-1][1]
        state = state + x[..., :REACHER_STATES]
        total -= np.linalg.norm(state[..., TIP], axis=2).mean(axis=0)
        total -= np.square(action).sum(axis=1)
    return total


def reacher_return(inputs: NetworkPlanning, plans: FloatArray) -> float:
    """Mean return in float64 of the plans (P, H, 2) from the one state."""
    return float(reacher_returns(inputs, np.tile(inputs.state, (len(plans), 1)), plans).mean())


@dataclass(frozen=True)
class DeadlinePlanning:
    """Plans that have so many seconds each, with a search that would go on for much longer."""

    planning: NetworkPlanning
    seconds: float
    plans: int


def deadlines(milliseconds: int, plans: int = 10_000) -> DeadlinePlanning:
    """Returns plans of Reacher's size under a deadline."""
    return DeadlinePlanning(reacher(), 1e-3 * milliseconds, plans)
