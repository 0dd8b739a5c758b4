"""PyTorch, eager: step by step with reused buffers, least squares, plans with `topk`."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch

from bench.case import Prepared
from bench.peers.numpy import features_of, judged
from bench.workloads import (
    PENDULUM_MAX_SPEED,
    PENDULUM_MAX_TORQUE,
    PENDULUM_TIME_STEP,
    FloatArray,
    LinearPlanning,
    LinearRollouts,
    PendulumPlanning,
    PlanBudget,
    Regression,
)

TWO_PI = 2.0 * float(np.pi)


def as_float(array: FloatArray) -> torch.Tensor:
    """Returns a contiguous float32 tensor."""
    return torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32))


def improved(
    mean: torch.Tensor,
    std: torch.Tensor,
    actions: torch.Tensor,
    returns: torch.Tensor,
    budget: PlanBudget,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Returns the next mean and std (H, A) from time-major actions (H, N, A)."""
    top = torch.topk(returns, budget.elites).indices
    elites = actions.index_select(1, top)
    keep = budget.smoothing
    new_std, new_mean = torch.std_mean(elites, dim=1, correction=0)
    return keep * mean + (1 - keep) * new_mean, keep * std + (1 - keep) * new_std


def pendulum_returns(actions: torch.Tensor, start: PendulumPlanning) -> torch.Tensor:
    """Returns (N,) returns of time-major torques (H, N, 1)."""
    torques = actions[..., 0]
    kicks = (3.0 * PENDULUM_TIME_STEP) * torques
    angle = torch.full_like(torques[0], start.angle)
    speed = torch.full_like(torques[0], start.speed)
    angles, speeds = [], []
    for t in range(len(torques)):
        angles.append(angle)
        speeds.append(speed)
        speed = torch.add(speed + kicks[t], torch.sin(angle), alpha=15.0 * PENDULUM_TIME_STEP)
        speed = torch.clamp(speed, -PENDULUM_MAX_SPEED, PENDULUM_MAX_SPEED)
        angle = torch.add(angle, speed, alpha=PENDULUM_TIME_STEP)
    all_angles, all_speeds = torch.stack(angles), torch.stack(speeds)
    wrapped = all_angles - TWO_PI * torch.round(all_angles / TWO_PI)
    costs = wrapped.square() + 0.1 * all_speeds.square() + 0.001 * torques.square()
    return -costs.sum(dim=0)


class LinearOperands(NamedTuple):
    """The linear planning problem as float32 tensors; `step` is [A B]' of shape (S + A, S)."""

    start: torch.Tensor
    step: torch.Tensor
    drift: torch.Tensor
    weights: torch.Tensor
    action_weights: torch.Tensor


def linear_operands(inputs: LinearPlanning) -> LinearOperands:
    """Returns the tensors of a linear planning problem."""
    system = inputs.system
    return LinearOperands(
        start=as_float(inputs.state),
        step=as_float(np.vstack([system.A.T, system.B.T])),
        drift=as_float(system.c),
        weights=as_float(inputs.state_weights),
        action_weights=as_float(inputs.action_weights),
    )


def linear_plan_returns(actions: torch.Tensor, given: LinearOperands) -> torch.Tensor:
    """Returns (N,) returns of time-major actions (H, N, A), rewards of all steps at the end."""
    horizon, candidates, _ = actions.shape
    state_dim = len(given.start)
    drive = actions @ given.step[state_dim:] + given.drift
    states, state = [], given.start.expand(candidates, -1)
    for t in range(horizon):
        state = torch.addmm(drive[t], state, given.step[:state_dim])
        states.append(state)
    all_states = torch.stack(states)
    costs = ((all_states @ given.weights) * all_states).sum(dim=(0, 2))
    return -(costs + ((actions @ given.action_weights) * actions).sum(dim=(0, 2)))


def cross_entropy_plan(
    evaluate: Callable[[torch.Tensor], torch.Tensor],
    budget: PlanBudget,
    action_dim: int,
    half_range: float,
) -> Callable[[], FloatArray]:
    """Returns an eager planner; its plan is the last mean (H, A)."""

    def plan() -> FloatArray:
        mean = torch.zeros(budget.horizon, action_dim)
        std = torch.full_like(mean, budget.initial_std * half_range)
        for _ in range(budget.iterations):
            noise = torch.randn(budget.horizon, budget.candidates, action_dim)
            actions = torch.addcmul(mean[:, None], std[:, None], noise).clamp_(
                -half_range, half_range
            )
            mean, std = improved(mean, std, actions, evaluate(actions), budget)
        return np.asarray(mean.numpy())

    return plan


def cem_pendulum(inputs: PendulumPlanning, threads: int) -> Prepared:
    """Cross-entropy plan on the analytic pendulum."""
    torch.set_num_threads(threads)
    plan = cross_entropy_plan(
        lambda actions: pendulum_returns(actions, inputs), inputs.budget, 1, PENDULUM_MAX_TORQUE
    )
    plan = torch.inference_mode()(plan)
    return Prepared(plan, judged(plan), note="float32, inference mode")


def cem_linear(inputs: LinearPlanning, threads: int) -> Prepared:
    """Cross-entropy plan on the linear system."""
    torch.set_num_threads(threads)
    operands = linear_operands(inputs)
    plan = cross_entropy_plan(
        lambda actions: linear_plan_returns(actions, operands),
        inputs.budget,
        inputs.system.action_dim,
        1.0,
    )
    plan = torch.inference_mode()(plan)
    return Prepared(plan, judged(plan), note="float32, inference mode")


def linear_returns(inputs: LinearRollouts, threads: int) -> Prepared:
    """Returns step by step, work tensors reused, one product [x u][A B]' a step."""
    torch.set_num_threads(threads)
    system = inputs.system
    A, B, c = as_float(system.A.T), as_float(system.B.T), as_float(system.c)
    weights, action_weights = as_float(inputs.state_weights), as_float(inputs.action_weights)
    start, actions = as_float(inputs.states), as_float(inputs.actions)
    state, following, weighted = (torch.empty_like(start) for _ in range(3))
    horizon = actions.shape[1]

    @torch.inference_mode()
    def run() -> FloatArray:
        nonlocal state, following
        state.copy_(start)
        costs = ((actions @ action_weights) * actions).sum(dim=(1, 2))
        for t in range(horizon):
            torch.addmm(c, actions[:, t], B, out=following)
            following.addmm_(state, A)
            torch.mm(following, weights, out=weighted)
            costs += weighted.mul_(following).sum(dim=1)
            state, following = following, state
        return np.asarray(costs.neg_().numpy())

    return Prepared(run, note="step by step, float32, inference mode")


def linear_trajectories(inputs: LinearRollouts, threads: int) -> Prepared:
    """Trajectories, time-major (H + 1, N, S) as suits torch, seen as (N, H + 1, S)."""
    torch.set_num_threads(threads)
    system = inputs.system
    A, B, c = as_float(system.A.T), as_float(system.B.T), as_float(system.c)
    start, actions = as_float(inputs.states), as_float(inputs.actions)
    count, horizon, _ = actions.shape
    reused = torch.empty(horizon + 1, count, system.state_dim) if inputs.reuse_output else None

    @torch.inference_mode()
    def run() -> FloatArray:
        states = torch.empty(horizon + 1, count, system.state_dim) if reused is None else reused
        states[0] = start
        for t in range(horizon):
            torch.addmm(c, actions[:, t], B, out=states[t + 1])
            states[t + 1].addmm_(states[t], A)
        return np.asarray(states.transpose(0, 1).numpy())

    return Prepared(run, note="time-major, float32, inference mode")


def normal_equations(inputs: Regression, threads: int) -> Prepared:
    """`X'X`, `X'Y` and a Cholesky solve on ready-made features."""
    torch.set_num_threads(threads)
    features, targets = torch.from_numpy(features_of(inputs)), torch.from_numpy(inputs.next_states)

    @torch.inference_mode()
    def run() -> FloatArray:
        factor = torch.linalg.cholesky(features.T @ features)
        return np.asarray(torch.cholesky_solve(features.T @ targets, factor).T.numpy())

    return Prepared(run)


def normal_equations_chunked(inputs: Regression, threads: int) -> Prepared:
    """The same as a batch of small products, [X Y] ready-made: MKL spreads it over the cores."""
    torch.set_num_threads(threads)
    columns = features_of(inputs).shape[1]
    joint = torch.from_numpy(np.column_stack([features_of(inputs), inputs.next_states]))
    # 1,000 rows of 42 doubles (336 KB) stay in a core's L2 while they are squared.
    whole = len(joint) // 1000 * 1000
    chunks, rest = joint[:whole].view(-1, 1000, joint.shape[1]), joint[whole:]

    @torch.inference_mode()
    def run() -> FloatArray:
        moments = torch.bmm(chunks[..., :columns].transpose(1, 2), chunks).sum(dim=0)
        moments.addmm_(rest[:, :columns].T, rest)
        factor = torch.linalg.cholesky(moments[:, :columns])
        return np.asarray(torch.cholesky_solve(moments[:, columns:], factor).T.numpy())

    return Prepared(run, note="batched products of 1,000 rows")


def least_squares(inputs: Regression, threads: int) -> Prepared:
    """`torch.linalg.lstsq` with its default driver (gelsy) on ready-made features."""
    torch.set_num_threads(threads)
    features, targets = torch.from_numpy(features_of(inputs)), torch.from_numpy(inputs.next_states)

    @torch.inference_mode()
    def run() -> FloatArray:
        return np.asarray(torch.linalg.lstsq(features, targets).solution.T.numpy())

    return Prepared(run, note="driver gelsy")
