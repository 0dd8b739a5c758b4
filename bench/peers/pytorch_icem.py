"""pytorch-icem: one `command` with five iterations, with its own defaults otherwise.

Version 0.1.0 compares the number of *dimensions* of sigma with the number of actions and so cannot
be built for more than one action; it is built for one and widened through its public attributes.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from pytorch_icem.icem import iCEM

from bench.case import Prepared
from bench.peers.numpy import judged
from bench.peers.pytorch_models import (
    Step,
    linear_cost,
    linear_step,
    network_cost,
    network_step,
    particles_step,
    pendulum_cost,
    pendulum_step,
    reacher_cost,
)
from bench.peers.torch import as_float
from bench.peers.torch_networks import ensemble_step
from bench.planning_workload import NetworkPlanning
from bench.workloads import (
    PENDULUM_MAX_TORQUE,
    FloatArray,
    LinearPlanning,
    PendulumPlanning,
    PlanBudget,
)

PACKAGE_NOISE_BETA = 3.0  # coloured noise, the package's default
WHITE = 0.0


def planned(
    step: Step,
    cost: Step,
    start: torch.Tensor,
    *,
    budget: PlanBudget,
    bounds: torch.Tensor,
    noise_beta: float,
) -> Prepared:
    """Returns the package's plan from a fresh distribution."""
    controller = iCEM(
        step,
        lambda states, actions: cost(states, actions).sum(dim=-1),
        nx=len(start),
        nu=1,
        sigma=budget.initial_std,
        num_samples=budget.candidates,
        num_elites=budget.elites,
        horizon=budget.horizon,
        alpha=budget.smoothing,
        noise_beta=noise_beta,
        warmup_iters=budget.iterations,
        online_iters=budget.iterations,
    )
    controller.nu = len(bounds)
    controller.sigma = budget.initial_std * bounds

    @torch.inference_mode()
    def plan() -> FloatArray:
        controller.reset()
        controller.command(start, shift_nominal_trajectory=False)
        actions: FloatArray = controller.kept_elites[0].numpy()
        return actions

    colour = f"coloured noise beta {noise_beta:g}" if noise_beta else "white noise"
    return Prepared(
        plan, judged(plan), note=f"{colour}, keeps half of the elites, float32, inference mode"
    )


def pendulum(inputs: PendulumPlanning, threads: int, noise_beta: float) -> Prepared:
    """Plan on the analytic pendulum."""
    torch.set_num_threads(threads)
    start = torch.tensor([inputs.angle, inputs.speed])
    bounds = torch.tensor([PENDULUM_MAX_TORQUE])
    budget = inputs.budget
    return planned(
        pendulum_step, pendulum_cost, start, budget=budget, bounds=bounds, noise_beta=noise_beta
    )


def linear(inputs: LinearPlanning, threads: int, noise_beta: float) -> Prepared:
    """Plan on the linear system."""
    torch.set_num_threads(threads)
    step, cost, start = linear_step(inputs), linear_cost(inputs), as_float(inputs.state)
    bounds = torch.ones(inputs.system.action_dim)
    return planned(step, cost, start, budget=inputs.budget, bounds=bounds, noise_beta=noise_beta)


def cem_pendulum(inputs: PendulumPlanning, threads: int) -> Prepared:
    """Plan on the analytic pendulum, the package's coloured noise."""
    return pendulum(inputs, threads, PACKAGE_NOISE_BETA)


def cem_pendulum_white(inputs: PendulumPlanning, threads: int) -> Prepared:
    """Plan on the analytic pendulum, white noise (`torch.randn`)."""
    return pendulum(inputs, threads, WHITE)


def cem_linear(inputs: LinearPlanning, threads: int) -> Prepared:
    """Plan on the linear system, the package's coloured noise."""
    return linear(inputs, threads, PACKAGE_NOISE_BETA)


def cem_linear_white(inputs: LinearPlanning, threads: int) -> Prepared:
    """Plan on the linear system, white noise (`torch.randn`)."""
    return linear(inputs, threads, WHITE)


def cem_network(inputs: NetworkPlanning, threads: int) -> Prepared:
    """Plan with one network, the package's coloured noise."""
    torch.set_num_threads(threads)
    return planned(
        network_step(inputs),
        network_cost,
        as_float(inputs.state),
        budget=inputs.budget,
        bounds=torch.ones(6),
        noise_beta=PACKAGE_NOISE_BETA,
    )


def icem_budget(inputs: NetworkPlanning, threads: int) -> Prepared:
    """Plan with five networks; 3 iterations of 32 sequences, 96 where ours draws 97."""
    torch.set_num_threads(threads)
    networks = inputs.networks
    return planned(
        particles_step(networks, ensemble_step(networks)),
        reacher_cost(networks),
        as_float(inputs.state).repeat(networks.members),
        budget=replace(inputs.budget, candidates=32),
        bounds=torch.ones(networks.action_dim),
        noise_beta=PACKAGE_NOISE_BETA,
    )
