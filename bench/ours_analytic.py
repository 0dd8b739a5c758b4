"""dynaplan plans with the pendulum's own equations, compiled by numba, as the peers do.

A module of its own: where numba is missing its rows are skipped.
"""

from __future__ import annotations

import math
from typing import Any

import numba  # noqa: F401  # what from_numba needs, asked for here so that the row is skipped
import numpy as np

import dynaplan as dp
from bench.case import Prepared
from bench.ours import planner_of
from bench.peers.numpy import judged
from bench.workloads import (
    PENDULUM_MAX_SPEED,
    PENDULUM_MAX_TORQUE,
    PENDULUM_TIME_STEP,
    FloatArray,
    PendulumPlanning,
)
from dynaplan import CompiledModel

TURN = 2.0 * math.pi


def step(state: Any, action: Any, next_state: Any) -> None:
    """Pendulum-v1 as angle and speed; bounds keep the torque in range."""
    kick = (15.0 * math.sin(state[0]) + 3.0 * action[0]) * PENDULUM_TIME_STEP
    speed = min(max(state[1] + kick, -PENDULUM_MAX_SPEED), PENDULUM_MAX_SPEED)
    next_state[0] = state[0] + speed * PENDULUM_TIME_STEP
    next_state[1] = speed


def earned(state: Any, action: Any, _next_state: Any) -> Any:
    """Pendulum-v1's reward, of the state before the step."""
    angle = state[0] - TURN * math.floor(state[0] / TURN + 0.5)
    return -(angle * angle + 0.1 * state[1] * state[1] + 0.001 * action[0] * action[0])


def problem(inputs: PendulumPlanning) -> tuple[Any, Any, Any, FloatArray]:
    """Returns model, reward, bounds and start."""
    model = CompiledModel.from_numba(step, 2, 1, dtype=np.float32)
    reward = dp.rewards.from_numba(earned, state_dim=2, action_dim=1, dtype=np.float32)
    space = ([-PENDULUM_MAX_TORQUE], [PENDULUM_MAX_TORQUE])
    return model, reward, space, np.array([inputs.angle, inputs.speed])


def cem_pendulum_plan(inputs: PendulumPlanning, threads: int) -> Prepared:
    """`planner.plan`, no warm start."""
    model, reward, space, state = problem(inputs)
    planner = planner_of(inputs.budget, threads, clip=None)

    def plan() -> FloatArray:
        return planner.plan(model, reward, state, action_space=space).actions

    return Prepared(plan, judged(plan), note="true equations by numba, planner.plan")


def cem_pendulum_act(inputs: PendulumPlanning, threads: int) -> Prepared:
    """`MPC.act`, warm-started as in use."""
    model, reward, space, state = problem(inputs)
    planner = planner_of(inputs.budget, threads, clip=None)
    mpc = dp.MPC(model, reward, planner, action_space=space)

    def first_plan() -> FloatArray:
        return planner.plan(model, reward, state, action_space=space).actions

    return Prepared(
        lambda: mpc.act(state), judged(first_plan), note="true equations by numba, MPC.act"
    )
