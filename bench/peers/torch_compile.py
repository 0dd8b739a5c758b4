"""`torch.compile` (inductor, C++): whole unrolled iterations of a plan."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from bench.case import Prepared
from bench.peers.numpy import judged
from bench.peers.torch import (
    improved,
    linear_operands,
    linear_plan_returns,
    pendulum_returns,
)
from bench.workloads import (
    PENDULUM_MAX_TORQUE,
    FloatArray,
    LinearPlanning,
    PendulumPlanning,
    PlanBudget,
)

NOTE = "float32, horizon unrolled, inference mode"


def cross_entropy_plan(
    evaluate: Callable[[torch.Tensor], torch.Tensor],
    budget: PlanBudget,
    action_dim: int,
    half_range: float,
) -> Callable[[], FloatArray]:
    """Returns a planner whose iteration is one compiled call; its plan is the last mean."""

    @torch.compile(fullgraph=True, dynamic=False)
    def iteration(
        mean: torch.Tensor, std: torch.Tensor, noise: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        actions = (mean[:, None] + std[:, None] * noise).clamp(-half_range, half_range)
        return improved(mean, std, actions, evaluate(actions), budget)

    @torch.inference_mode()
    def plan() -> FloatArray:
        mean = torch.zeros(budget.horizon, action_dim)
        std = torch.full_like(mean, budget.initial_std * half_range)
        noise = torch.randn(budget.iterations, budget.horizon, budget.candidates, action_dim)
        for i in range(budget.iterations):
            mean, std = iteration(mean, std, noise[i])
        return np.asarray(mean.numpy())

    return plan


def cem_pendulum(inputs: PendulumPlanning, threads: int) -> Prepared:
    """Cross-entropy plan on the analytic pendulum."""
    torch.set_num_threads(threads)
    plan = cross_entropy_plan(
        lambda actions: pendulum_returns(actions, inputs), inputs.budget, 1, PENDULUM_MAX_TORQUE
    )
    return Prepared(plan, judged(plan), note=NOTE)


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
    return Prepared(plan, judged(plan), note=NOTE)
