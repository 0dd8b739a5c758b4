"""dynaplan's networks, in the same form as the peers in `bench/peers`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np

import dynaplan as dp
from bench.case import Prepared
from bench.network_workload import (
    LOG_VARIANCE_HIGH,
    LOG_VARIANCE_LOW,
    STATES,
    NetworkRollouts,
)
from bench.workloads import FloatArray
from dynaplan import _core


@dataclass(frozen=True)
class GivenNetworks:
    """What rollouts ask of a model, made of given weights instead of a fit."""

    parameters: _core.NetworkParameters
    dynamics: _core.Dynamics
    state_dim: int
    action_dim: int
    observed_low: FloatArray
    observed_high: FloatArray


def model_of(inputs: NetworkRollouts) -> dp.MLP:
    """Returns the networks of a workload; scaling does nothing."""
    layers = inputs.layers()
    states, actions = inputs.state_dim, inputs.action_dim
    bound = np.ones((inputs.members, states), np.float32)
    parameters = _core.NetworkParameters(
        states,
        actions,
        [],
        list(inputs.hidden),
        "silu",
        inputs.members > 1,
        False,
        np.zeros(states + actions),
        np.ones(states + actions),
        np.zeros(states),
        np.ones(states),
        [np.ascontiguousarray(weights.transpose(0, 2, 1)) for weights, _ in layers],
        [biases for _, biases in layers],
        LOG_VARIANCE_LOW * bound if inputs.members > 1 else None,
        LOG_VARIANCE_HIGH * bound if inputs.members > 1 else None,
    )
    unknown = np.full(states + actions, np.inf)
    dynamics = parameters.dynamics()
    return cast(dp.MLP, GivenNetworks(parameters, dynamics, states, actions, -unknown, unknown))


def returns(inputs: NetworkRollouts, threads: int) -> Prepared:
    """`dp.returns`, float32."""
    model = model_of(inputs)
    reward = dp.rewards.quadratic(np.ones(STATES))
    propagation: Any = inputs.propagation
    seed = 0

    def run() -> FloatArray:
        nonlocal seed
        seed += 1
        return dp.returns(
            model,
            reward,
            inputs.states,
            inputs.actions,
            propagation=propagation,
            particles=inputs.particles,
            dtype=np.float32,
            seed=seed,
            threads=threads,
        )

    return Prepared(run, note=f'dp.returns(propagation="{inputs.propagation}")')


def step(inputs: NetworkRollouts, _threads: int) -> Prepared:
    """The compiled prediction of one state, as `model.predict` calls it, float64."""
    networks = cast(GivenNetworks, model_of(inputs)).parameters
    state = inputs.states[:1].astype(np.float64)
    action = inputs.actions[:1, 0].astype(np.float64)
    return Prepared(lambda: networks.predict(state, action, 1)[0], note="mean and variances")
