"""Torch dynamics and costs as pytorch-mppi and pytorch-icem take them: one step of the batch."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from bench.peers.torch import as_float
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
