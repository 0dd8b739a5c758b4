"""Numba: compiled loops over candidates, `fastmath`, two threads by `prange`.

Rollouts come in two forms: one rollout an iteration, as one would write it first, and tiles of
lanes held in small arrays, as one writes it after profiling. Normals come from NumPy's ziggurat.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np

from bench.case import Prepared
from bench.peers.numpy import judged
from bench.workloads import (
    PENDULUM_MAX_SPEED,
    PENDULUM_MAX_TORQUE,
    PENDULUM_TIME_STEP,
    FloatArray,
    LinearPlanning,
    LinearRollouts,
    PendulumPlanning,
    PlanBudget,
)

compiled: Any = numba.njit(fastmath=True, parallel=True, error_model="numpy")
inlined: Any = numba.njit(fastmath=True, error_model="numpy")

LANES = 64  # 17 states x 64 lanes (4.3 KB) stay in L1; 16 and 32 were slower in short trials
GAIN = np.float32(15.0 * PENDULUM_TIME_STEP)
KICK = np.float32(3.0 * PENDULUM_TIME_STEP)
STEP = np.float32(PENDULUM_TIME_STEP)
SPEED = np.float32(PENDULUM_MAX_SPEED)
TURN = np.float32(2.0 * np.pi)
SPEED_COST = np.float32(0.1)
TORQUE_COST = np.float32(0.001)


@compiled
def sample(mean, std, noise, half_range, actions):  # type: ignore[no-untyped-def]
    """Writes clipped actions (N, H, A)."""
    count, horizon, action_dim = noise.shape
    for n in numba.prange(count):
        for t in range(horizon):
            for i in range(action_dim):
                value = mean[t, i] + std[t, i] * noise[n, t, i]
                actions[n, t, i] = min(max(value, -half_range), half_range)


@inlined
def refine(actions, top, keep, mean, std):  # type: ignore[no-untyped-def]
    """Moves mean and std (H, A) towards those of the elites."""
    share = np.float32(1.0 / len(top))
    for t in range(mean.shape[0]):
        for i in range(mean.shape[1]):
            total, squares = np.float32(0.0), np.float32(0.0)
            for n in top:
                total += actions[n, t, i]
            centre = total * share
            for n in top:
                squares += (actions[n, t, i] - centre) ** 2
            mean[t, i] = keep * mean[t, i] + (1 - keep) * centre
            std[t, i] = keep * std[t, i] + (1 - keep) * np.sqrt(squares * share)


@compiled
def pendulum_returns(actions, angle_0, speed_0, returns):  # type: ignore[no-untyped-def]
    """Writes (N,) returns of torques (N, H, 1)."""
    for n in numba.prange(actions.shape[0]):
        angle, speed, total = angle_0, speed_0, np.float32(0.0)
        for t in range(actions.shape[1]):
            torque = actions[n, t, 0]
            wrapped = angle - TURN * np.rint(angle / TURN)
            total -= wrapped * wrapped + SPEED_COST * speed * speed + TORQUE_COST * torque * torque
            speed = min(max(speed + GAIN * np.sin(angle) + KICK * torque, -SPEED), SPEED)
            angle += STEP * speed
        returns[n] = total


@inlined
def matrix_times_tile(matrix, tile, result, accumulate):  # type: ignore[no-untyped-def]
    """`result = matrix @ tile` or `+=`, lanes innermost so that the loop becomes vector code."""
    for i in range(matrix.shape[0]):
        if not accumulate:
            result[i, :] = np.float32(0.0)
        for j in range(matrix.shape[1]):
            weight = matrix[i, j]
            for lane in range(LANES):
                result[i, lane] += weight * tile[j, lane]


@compiled
def tiled_rollouts(A, B, c, W, R, states, actions, returns):  # type: ignore[no-untyped-def] # noqa: PLR0917 (kernel)
    """Writes (N,) returns of states (N, S) and actions (N, H, A), LANES rollouts at a time."""
    (state_dim, action_dim), count = B.shape, len(states)
    for tile in numba.prange(-(-count // LANES)):
        first = min(tile * LANES, max(count - LANES, 0))  # the last tile overlaps the one before
        lanes = min(LANES, count)
        state = np.zeros((state_dim, LANES), np.float32)
        following = np.empty((state_dim, LANES), np.float32)
        weighted = np.empty((state_dim, LANES), np.float32)
        action = np.zeros((action_dim, LANES), np.float32)
        total = np.zeros(LANES, np.float32)
        for lane in range(lanes):
            state[:, lane] = states[first + lane]
        for t in range(actions.shape[1]):
            for lane in range(lanes):
                for i in range(action_dim):
                    action[i, lane] = actions[first + lane, t, i]
            for i in range(state_dim):
                following[i, :] = c[i]
            matrix_times_tile(A, state, following, True)
            matrix_times_tile(B, action, following, True)
            matrix_times_tile(W, following, weighted, False)
            for i in range(state_dim):
                for lane in range(LANES):
                    total[lane] -= weighted[i, lane] * following[i, lane]
            matrix_times_tile(R, action, weighted[:action_dim], False)
            for i in range(action_dim):
                for lane in range(LANES):
                    total[lane] -= weighted[i, lane] * action[i, lane]
            state, following = following, state
        returns[first : first + lanes] = total[:lanes]


@compiled
def single_rollouts(A, B, c, W, R, states, actions, returns):  # type: ignore[no-untyped-def] # noqa: PLR0917 (kernel)
    """Writes (N,) returns, one rollout at a time; A, B, W, R by columns for unit-stride loops."""
    action_dim, state_dim = B.shape
    for n in numba.prange(actions.shape[0]):
        state = states[n].copy()
        following = np.empty(state_dim, np.float32)
        weighted = np.empty(state_dim, np.float32)
        total = np.float32(0.0)
        for t in range(actions.shape[1]):
            following[:] = c
            for j in range(state_dim):
                for i in range(state_dim):
                    following[i] += A[j, i] * state[j]
            for j in range(action_dim):
                for i in range(state_dim):
                    following[i] += B[j, i] * actions[n, t, j]
            weighted[:] = np.float32(0.0)
            for j in range(state_dim):
                for i in range(state_dim):
                    weighted[i] += W[j, i] * following[j]
            for i in range(state_dim):
                total -= weighted[i] * following[i]
            for i in range(action_dim):
                for j in range(action_dim):
                    total -= actions[n, t, i] * R[i, j] * actions[n, t, j]
            state, following = following, state
        returns[n] = total


@compiled
def single_trajectories(A, B, c, states, actions, result):  # type: ignore[no-untyped-def] # noqa: PLR0917 (kernel)
    """Writes (N, H + 1, S) trajectories, one rollout at a time."""
    action_dim, state_dim = B.shape
    for n in numba.prange(actions.shape[0]):
        result[n, 0] = states[n]
        for t in range(actions.shape[1]):
            following = c.copy()
            for j in range(state_dim):
                for i in range(state_dim):
                    following[i] += A[j, i] * result[n, t, j]
            for j in range(action_dim):
                for i in range(state_dim):
                    following[i] += B[j, i] * actions[n, t, j]
            result[n, t + 1] = following


def cross_entropy_plan(
    evaluate: Callable[[FloatArray, FloatArray], None],
    budget: PlanBudget,
    action_dim: int,
    half_range: float,
) -> Callable[..., FloatArray]:
    """Returns a planner over actions (N, H, A); its plan is the last mean (H, A).

    The planner takes the mean to start from, zeros if none is given.
    """
    generator = np.random.Generator(np.random.SFC64())
    noise = np.empty((budget.candidates, budget.horizon, action_dim), dtype=np.float32)
    actions = np.empty_like(noise)
    returns = np.empty(budget.candidates, dtype=np.float32)
    bound, keep = np.float32(half_range), np.float32(budget.smoothing)

    def plan(warm_start: FloatArray | None = None) -> FloatArray:
        mean = np.zeros((budget.horizon, action_dim), dtype=np.float32)
        if warm_start is not None:
            mean[:] = warm_start
        std = np.full_like(mean, budget.initial_std * half_range)
        for _ in range(budget.iterations):
            generator.standard_normal(dtype=np.float32, out=noise)
            sample(mean, std, noise, bound, actions)
            evaluate(actions, returns)
            top = np.argpartition(-returns, budget.elites)[: budget.elites]
            refine(actions, top, keep, mean, std)
        return mean

    return plan


def as_float(*arrays: FloatArray) -> tuple[FloatArray, ...]:
    """Returns contiguous float32 copies."""
    return tuple(np.ascontiguousarray(array, dtype=np.float32) for array in arrays)


def cem_pendulum(inputs: PendulumPlanning, threads: int) -> Prepared:
    """Cross-entropy plan on the analytic pendulum."""
    numba.set_num_threads(threads)
    angle, speed = np.float32(inputs.angle), np.float32(inputs.speed)

    def evaluate(actions: FloatArray, returns: FloatArray) -> None:
        pendulum_returns(actions, angle, speed, returns)

    plan = cross_entropy_plan(evaluate, inputs.budget, 1, PENDULUM_MAX_TORQUE)
    return Prepared(plan, judged(plan), note="float32, SFC64 normals")


def pendulum_controller(budget: PlanBudget) -> Callable[[float, float], FloatArray]:
    """Returns a controller on the true equations, each plan starting from the last one, shifted."""
    start = np.zeros(2, dtype=np.float32)
    warm_start: FloatArray | None = None

    def evaluate(actions: FloatArray, returns: FloatArray) -> None:
        pendulum_returns(actions, start[0], start[1], returns)

    plan = cross_entropy_plan(evaluate, budget, 1, PENDULUM_MAX_TORQUE)

    def act(angle: float, speed: float) -> FloatArray:
        nonlocal warm_start
        start[:] = angle, speed
        actions = plan(warm_start)
        warm_start = np.concatenate([actions[1:], actions[-1:]])
        return np.asarray(actions[0])

    return act


def cem_linear(inputs: LinearPlanning, threads: int) -> Prepared:
    """Cross-entropy plan on the linear system, rollouts by tiles of lanes."""
    numba.set_num_threads(threads)
    system = inputs.system
    operands = as_float(system.A, system.B, system.c, inputs.state_weights, inputs.action_weights)
    (states,) = as_float(np.tile(inputs.state, (inputs.budget.candidates, 1)))

    def evaluate(actions: FloatArray, returns: FloatArray) -> None:
        tiled_rollouts(*operands, states, actions, returns)

    plan = cross_entropy_plan(evaluate, inputs.budget, system.action_dim, 1.0)
    return Prepared(plan, judged(plan), note=f"float32, SFC64 normals, tiles of {LANES} lanes")


def linear_returns(inputs: LinearRollouts, threads: int) -> Prepared:
    """Returns, one rollout an iteration of the parallel loop."""
    numba.set_num_threads(threads)
    system = inputs.system
    operands = as_float(
        system.A.T, system.B.T, system.c, inputs.state_weights, inputs.action_weights
    )
    returns = np.empty(len(inputs.actions), dtype=np.float32)

    def run() -> FloatArray:
        single_rollouts(*operands, inputs.states, inputs.actions, returns)
        return returns

    return Prepared(run, note="step by step, float32")


def linear_returns_tiled(inputs: LinearRollouts, threads: int) -> Prepared:
    """Returns by tiles of lanes."""
    numba.set_num_threads(threads)
    system = inputs.system
    operands = as_float(system.A, system.B, system.c, inputs.state_weights, inputs.action_weights)
    returns = np.empty(len(inputs.actions), dtype=np.float32)

    def run() -> FloatArray:
        tiled_rollouts(*operands, inputs.states, inputs.actions, returns)
        return returns

    return Prepared(run, note=f"tiles of {LANES} lanes, float32")


def linear_trajectories(inputs: LinearRollouts, threads: int) -> Prepared:
    """Trajectories, one rollout an iteration of the parallel loop."""
    numba.set_num_threads(threads)
    system, (count, horizon, _) = inputs.system, inputs.actions.shape
    operands = as_float(system.A.T, system.B.T, system.c)
    shape = (count, horizon + 1, system.state_dim)
    reused = np.empty(shape, dtype=np.float32) if inputs.reuse_output else None

    def run() -> FloatArray:
        result = np.empty(shape, dtype=np.float32) if reused is None else reused
        single_trajectories(*operands, inputs.states, inputs.actions, result)
        return result

    return Prepared(run, note="float32")
