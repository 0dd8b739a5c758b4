"""pytorch-mppi: five `command` calls on one nominal sequence, as a plan has five iterations."""

from __future__ import annotations

import torch
from pytorch_mppi import MPPI

from bench.case import Prepared
from bench.peers.numpy import judged
from bench.peers.pytorch_models import (
    Step,
    linear_cost,
    linear_step,
    network_cost,
    network_step,
    pendulum_cost,
    pendulum_step,
)
from bench.peers.torch import as_float
from bench.planning_workload import NetworkPlanning
from bench.workloads import (
    PENDULUM_MAX_TORQUE,
    FloatArray,
    LinearPlanning,
    PendulumPlanning,
    PlanBudget,
)


def planned(
    step: Step,
    cost: Step,
    start: torch.Tensor,
    *,
    budget: PlanBudget,
    bounds: torch.Tensor,
) -> Prepared:
    """Returns the package's plan from a zero nominal sequence, temperature 1 (its default)."""
    nominal = torch.zeros(budget.horizon, len(bounds))
    controller = MPPI(
        step,
        cost,
        nx=len(start),
        noise_sigma=torch.diag((budget.initial_std * bounds) ** 2),
        num_samples=budget.candidates,
        horizon=budget.horizon,
        u_min=-bounds,
        u_max=bounds,
        U_init=nominal.clone(),
    )

    @torch.inference_mode()
    def plan() -> FloatArray:
        controller.U = nominal.clone()
        for _ in range(budget.iterations):
            controller.command(start, shift_nominal_trajectory=False)
        actions: FloatArray = controller.U.numpy()
        return actions

    return Prepared(plan, judged(plan), note="5 commands a plan, lambda 1, float32, inference mode")


def cem_pendulum(inputs: PendulumPlanning, threads: int) -> Prepared:
    """Plan on the analytic pendulum."""
    torch.set_num_threads(threads)
    start = torch.tensor([inputs.angle, inputs.speed])
    bounds = torch.tensor([PENDULUM_MAX_TORQUE])
    return planned(pendulum_step, pendulum_cost, start, budget=inputs.budget, bounds=bounds)


def cem_linear(inputs: LinearPlanning, threads: int) -> Prepared:
    """Plan on the linear system."""
    torch.set_num_threads(threads)
    step, cost, start = linear_step(inputs), linear_cost(inputs), as_float(inputs.state)
    bounds = torch.ones(inputs.system.action_dim)
    return planned(step, cost, start, budget=inputs.budget, bounds=bounds)


def cem_network(inputs: NetworkPlanning, threads: int) -> Prepared:
    """Plan with one network."""
    torch.set_num_threads(threads)
    start, bounds = as_float(inputs.state), torch.ones(6)
    return planned(network_step(inputs), network_cost, start, budget=inputs.budget, bounds=bounds)
