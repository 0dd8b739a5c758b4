"""PyTorch rolls out networks: eager with reused buffers, compiled whole, batched ensembles."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from bench.case import Prepared
from bench.network_workload import (
    LOG_VARIANCE_HIGH,
    LOG_VARIANCE_LOW,
    STATES,
    NetworkRollouts,
)
from bench.peers import torch_compile
from bench.peers.numpy import judged
from bench.peers.torch import as_float, cross_entropy_plan
from bench.planning_workload import NetworkPlanning
from bench.workloads import FloatArray

silu = torch.nn.functional.silu


def returns(inputs: NetworkRollouts, threads: int) -> Prepared:
    """Step by step, `addmm` into tensors made once, SiLU in place."""
    torch.set_num_threads(threads)
    layers = [(as_float(w[0]), as_float(b[0])) for w, b in inputs.layers()]
    start, actions = as_float(inputs.states), as_float(inputs.actions.transpose(1, 0, 2))
    count = actions.shape[1]
    joint = torch.empty(count, STATES + actions.shape[2])
    outputs = [torch.empty(count, len(b)) for _, b in layers]

    @torch.inference_mode()
    def run() -> FloatArray:
        state, total = joint[:, :STATES], torch.zeros(count)
        state.copy_(start)
        for t in range(len(actions)):
            joint[:, STATES:] = actions[t]
            x = joint
            for (weights, biases), output in zip(layers, outputs, strict=True):
                torch.addmm(biases, x, weights, out=output)
                x = silu(output, inplace=True) if output is not outputs[-1] else output
            state += x
            total -= state.square().sum(dim=1)
        return np.asarray(total.numpy())

    return Prepared(run, note="step by step, float32, inference mode")


def returns_compiled(inputs: NetworkRollouts, threads: int) -> Prepared:
    """All steps in one compiled graph."""
    torch.set_num_threads(threads)
    layers = [(as_float(w[0]), as_float(b[0])) for w, b in inputs.layers()]
    start, actions = as_float(inputs.states), as_float(inputs.actions.transpose(1, 0, 2))

    @torch.compile(fullgraph=True, dynamic=False)
    def rolled(state: torch.Tensor, actions: torch.Tensor) -> torch.Tensor:
        total = torch.zeros(len(state))
        for t in range(len(actions)):
            x = torch.cat([state, actions[t]], dim=1)
            for weights, biases in layers[:-1]:
                x = silu(torch.addmm(biases, x, weights))
            state = state + torch.addmm(layers[-1][1], x, layers[-1][0])
            total = total - state.square().sum(dim=1)
        return total

    @torch.inference_mode()
    def run() -> FloatArray:
        return np.asarray(rolled(start, actions).numpy())

    return Prepared(run, note="float32, horizon unrolled, inference mode")


def ensemble_step(inputs: NetworkRollouts) -> Callable[..., torch.Tensor]:
    """Returns a step of (K, rows, S + A) inputs to drawn changes (K, rows, S)."""
    layers = [(as_float(w), as_float(b)[:, None]) for w, b in inputs.layers()]
    softplus = torch.nn.functional.softplus

    def step(x: torch.Tensor, normals: torch.Tensor) -> torch.Tensor:
        for weights, biases in layers[:-1]:
            x = silu(torch.baddbmm(biases, x, weights), inplace=True)
        x = torch.baddbmm(layers[-1][1], x, layers[-1][0])
        states = inputs.state_dim
        value = LOG_VARIANCE_HIGH - softplus(LOG_VARIANCE_HIGH - x[..., states:])
        value = LOG_VARIANCE_LOW + softplus(value - LOG_VARIANCE_LOW)
        return torch.addcmul(x[..., :states], torch.exp(0.5 * value), normals)

    return step


def ensemble_returns(inputs: NetworkRollouts, threads: int) -> Prepared:
    """Batched products over the members; "ts1" shuffles the trajectories among them every step."""
    torch.set_num_threads(threads)
    step = ensemble_step(inputs)
    count, horizon, _ = inputs.actions.shape
    rows = count * inputs.particles
    start = as_float(inputs.states).expand(rows, -1)
    # Trajectories are ordered by particle, so that members in order get whole particles.
    actions = as_float(inputs.actions.transpose(1, 0, 2)).repeat(1, inputs.particles, 1)
    shuffles = inputs.propagation == "ts1"

    @torch.inference_mode()
    def run() -> FloatArray:
        state, total = start, torch.zeros(rows)
        for t in range(horizon):
            x = torch.cat([state, actions[t]], dim=1)
            normals = torch.randn(inputs.members, rows // inputs.members, STATES)
            if shuffles:
                order = torch.randperm(rows)
                drawn = step(x[order].view(inputs.members, -1, x.shape[1]), normals)
                state = state.index_add(0, order, drawn.view(rows, STATES))
            else:
                drawn = step(x.view(inputs.members, -1, x.shape[1]), normals)
                state = state + drawn.view(rows, STATES)
            total -= state.square().sum(dim=1)
        return np.asarray(total.view(inputs.particles, count).mean(dim=0).numpy())

    return Prepared(run, note="batched products, float32, inference mode")


def step(inputs: NetworkRollouts, threads: int) -> Prepared:
    """One state through a `Sequential` network."""
    torch.set_num_threads(threads)
    modules: list[torch.nn.Module] = []
    for weights, biases in inputs.layers():
        layer = torch.nn.Linear(weights.shape[1], weights.shape[2])
        layer.weight.data, layer.bias.data = as_float(weights[0].T), as_float(biases[0])
        modules += [layer, torch.nn.SiLU()]
    network = torch.nn.Sequential(*modules[:-1])
    state, action = as_float(inputs.states[:1]), as_float(inputs.actions[:1, 0])

    @torch.inference_mode()
    def run() -> FloatArray:
        return np.asarray((state + network(torch.cat([state, action], dim=1))).numpy())

    return Prepared(run, note="float32, inference mode")


def plan_returns(inputs: NetworkPlanning) -> Callable[[torch.Tensor], torch.Tensor]:
    """Returns what scores time-major actions (H, N, A): (N,) returns, step by step."""
    layers = [(as_float(w[0]), as_float(b[0])) for w, b in inputs.networks.layers()]
    start = as_float(inputs.state)

    def evaluate(actions: torch.Tensor) -> torch.Tensor:
        state = start.expand(actions.shape[1], -1)
        total = torch.zeros(actions.shape[1])
        for t in range(len(actions)):
            x = torch.cat([state, actions[t]], dim=1)
            for weights, biases in layers[:-1]:
                x = silu(torch.addmm(biases, x, weights))
            state = state + torch.addmm(layers[-1][1], x, layers[-1][0])
            total = total - state.square().sum(dim=1)
        return total

    return evaluate


def cem_network(inputs: NetworkPlanning, threads: int) -> Prepared:
    """Cross-entropy plan, eager."""
    torch.set_num_threads(threads)
    plan = torch.inference_mode()(cross_entropy_plan(plan_returns(inputs), inputs.budget, 6, 1.0))
    return Prepared(plan, judged(plan), note="float32, inference mode")


def cem_network_compiled(inputs: NetworkPlanning, threads: int) -> Prepared:
    """Cross-entropy plan, an iteration in one compiled graph."""
    torch.set_num_threads(threads)
    plan = torch_compile.cross_entropy_plan(plan_returns(inputs), inputs.budget, 6, 1.0)
    return Prepared(plan, judged(plan), note=torch_compile.NOTE)
