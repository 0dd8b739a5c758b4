"""Torch dynamics and costs as pytorch-mppi and pytorch-icem take them: one step of the batch."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from bench.network_workload import NetworkRollouts
from bench.peers.torch import as_float
from bench.planning_workload import TIP, NetworkPlanning
from bench.workloads import (
    PENDULUM_MAX_SPEED,
    PENDULUM_MAX_TORQUE,
    PENDULUM_TIME_STEP,
    LinearPlanning,
)

Step = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
TWO_PI = 2.0 * float(np.pi)


def pendulum_step(state: torch.Tensor, action: torch.Tensor) -> torch.Tensor:
    """Returns the next (angle, speed) (..., 2); the packages may pass torques out of range."""
    angle, speed = state[..., 0], state[..., 1]
    torque = torch.clamp(action[..., 0], -PENDULUM_MAX_TORQUE, PENDULUM_MAX_TORQUE)
    kick = (15.0 * torch.sin(angle) + 3.0 * torque) * PENDULUM_TIME_STEP
    speed = torch.clamp(speed + kick, -PENDULUM_MAX_SPEED, PENDULUM_MAX_SPEED)
    return torch.stack((angle + speed * PENDULUM_TIME_STEP, speed), dim=-1)


def pendulum_cost(state: torch.Tensor, action: torch.Tensor) -> torch.Tensor:
    """Returns the cost of each (state, action); these packages cost the state after the step."""
    angle, speed = state[..., 0], state[..., 1]
    wrapped = angle - TWO_PI * torch.round(angle / TWO_PI)
    return wrapped.square() + 0.1 * speed.square() + 0.001 * action[..., 0].square()


def linear_step(inputs: LinearPlanning) -> Step:
    """Returns the step of the linear system with actions clamped to [-1, 1]."""
    system = inputs.system
    A, B, c = as_float(system.A.T), as_float(system.B.T), as_float(system.c)
    return lambda state, action: torch.addmm(torch.addmm(c, action.clamp(-1.0, 1.0), B), state, A)


def linear_cost(inputs: LinearPlanning) -> Step:
    """Returns the quadratic cost of next state and action."""
    weights, action_weights = as_float(inputs.state_weights), as_float(inputs.action_weights)

    def cost(state: torch.Tensor, action: torch.Tensor) -> torch.Tensor:
        of_state = ((state @ weights) * state).sum(dim=-1)
        return of_state + ((action @ action_weights) * action).sum(dim=-1)

    return cost


def network_step(inputs: NetworkPlanning) -> Step:
    """Returns the step of one network with actions clamped to [-1, 1]."""
    layers = [(as_float(w[0]), as_float(b[0])) for w, b in inputs.networks.layers()]

    def step(state: torch.Tensor, action: torch.Tensor) -> torch.Tensor:
        x = torch.cat([state, action.clamp(-1.0, 1.0)], dim=1)
        for weights, biases in layers[:-1]:
            x = torch.nn.functional.silu(torch.addmm(biases, x, weights), inplace=True)
        return state + torch.addmm(layers[-1][1], x, layers[-1][0])

    return step


def network_cost(state: torch.Tensor, _action: torch.Tensor) -> torch.Tensor:
    """Returns the square of the state after the step."""
    return state.square().sum(dim=-1)


def particles_step(networks: NetworkRollouts, change: Callable[..., torch.Tensor]) -> Step:
    """Returns a step of states (N, K * S), in which each of K particles stays with one network.

    Args:
        networks: K networks.
        change: from inputs (K, N, S + A) and normals (K, N, S) to drawn changes.
    """
    members, states = networks.members, networks.state_dim

    def step(state: torch.Tensor, action: torch.Tensor) -> torch.Tensor:
        each = state.view(-1, members, states).transpose(0, 1)
        pushed = action.clamp(-1.0, 1.0).expand(members, -1, -1)
        normals = torch.randn(each.shape)
        moved = each + change(torch.cat([each, pushed], dim=2), normals)
        return moved.transpose(0, 1).reshape(state.shape)

    return step


def reacher_cost(networks: NetworkRollouts) -> Step:
    """Returns Reacher's cost of states (..., K * S) and actions, averaged over the particles."""

    def cost(state: torch.Tensor, action: torch.Tensor) -> torch.Tensor:
        each = state.reshape(*state.shape[:-1], networks.members, networks.state_dim)
        away: torch.Tensor = torch.sqrt(each[..., TIP].square().sum(dim=-1)).mean(dim=-1)
        return away + action.clamp(-1.0, 1.0).square().sum(dim=-1)

    return cost
