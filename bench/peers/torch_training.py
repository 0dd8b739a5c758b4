"""PyTorch trains an ensemble: batched products by hand, compiled, and `torch.func.vmap`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch

from bench.case import Prepared
from bench.training_workload import (
    BATCHES,
    LEARNING_RATE,
    STATES,
    STEPS,
    WEIGHT_DECAY,
    NetworkTraining,
)
from bench.workloads import FloatArray

Tensors = Sequence[torch.Tensor]
LossOf = Callable[[Tensors, torch.Tensor, torch.Tensor], torch.Tensor]


def bounded(raw: torch.Tensor, low: torch.Tensor, high: torch.Tensor) -> torch.Tensor:
    """Returns log-variances between two soft bounds."""
    softplus = torch.nn.functional.softplus
    value = high - softplus(high - raw)
    return low + softplus(value - low)


def losses(parameters: Tensors, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Returns the (K,) losses of an ensemble on (K, B, inputs), one product a layer."""
    *layers, low, high = parameters
    for layer in range(0, len(layers), 2):
        x = torch.baddbmm(layers[layer + 1], x, layers[layer])
        if layer + 2 < len(layers):
            x = torch.nn.functional.silu(x)
    value = bounded(x[..., STATES:], low, high)
    likelihood = (x[..., :STATES] - y).square() * torch.exp(-value) + value
    return likelihood.mean(dim=(1, 2)) + 0.01 * (high.sum(dim=(1, 2)) - low.sum(dim=(1, 2)))


def member_loss(parameters: Tensors, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Returns the loss of one network on (B, inputs)."""
    *layers, low, high = parameters
    for layer in range(0, len(layers), 2):
        x = torch.addmm(layers[layer + 1][0], x, layers[layer])
        if layer + 2 < len(layers):
            x = torch.nn.functional.silu(x)
    value = bounded(x[..., STATES:], low, high)
    likelihood = (x[..., :STATES] - y).square() * torch.exp(-value) + value
    return likelihood.mean() + 0.01 * (high.sum() - low.sum())


def start(inputs: NetworkTraining) -> list[torch.Tensor]:
    """Returns weights and biases by layer, then the bounds, (K, ..) each."""
    tensors = []
    for layer in range(len(inputs.sizes) - 1):
        tensors.append(torch.from_numpy(inputs.initial(layer)))
        tensors.append(torch.zeros(inputs.members, 1, inputs.sizes[layer + 1]))
    tensors.append(torch.full((inputs.members, 1, STATES), -10.0))
    tensors.append(torch.full((inputs.members, 1, STATES), 0.5))
    return tensors


def optimiser(parameters: Tensors) -> torch.optim.Optimizer:
    """Returns AdamW in one fused pass; biases and bounds do not decay."""
    weights = list(parameters[:-2:2])
    others = [*parameters[1:-2:2], *parameters[-2:]]
    return torch.optim.AdamW(
        [
            {"params": weights, "weight_decay": WEIGHT_DECAY},
            {"params": others, "weight_decay": 0.0},
        ],
        lr=LEARNING_RATE,
        fused=True,
    )


def trained(inputs: NetworkTraining, threads: int, form: str) -> Prepared:
    """50 steps a call, going on from call to call; rows gathered by index in each step."""
    torch.set_num_threads(threads)
    x, y = (torch.from_numpy(array) for array in inputs.standardised())
    gradient: Callable[..., tuple[torch.Tensor, ...]] | None = None
    total: LossOf = lambda p, u, v: losses(p, u, v).sum()  # noqa: E731
    if form == "compile":
        total = torch.compile(total, fullgraph=True, dynamic=False)
    elif form == "vmap":
        gradient = torch.func.vmap(torch.func.grad_and_value(member_loss))

    def steps(parameters: list[torch.Tensor], adam: torch.optim.Optimizer, seed: int) -> float:
        rows = torch.from_numpy(inputs.batches(seed))
        last = 0.0
        for step in range(STEPS):
            u, v = x[rows[step]], y[rows[step]]
            if gradient is None:
                loss = total(parameters, u, v)
                adam.zero_grad(set_to_none=True)
                loss.backward()  # type: ignore[no-untyped-call]
            else:
                with torch.no_grad():
                    found, each = gradient(parameters, u, v)
                loss = each.sum()
                for parameter, slope in zip(parameters, found, strict=True):
                    parameter.grad = slope
            adam.step()
            if step >= STEPS - BATCHES:
                spread = parameters[-1].detach().sum() - parameters[-2].detach().sum()
                last += float(loss.detach() - 0.01 * spread) / inputs.members / BATCHES
        return last

    def fresh() -> tuple[list[torch.Tensor], torch.optim.Optimizer]:
        parameters = [tensor.requires_grad_(True) for tensor in start(inputs)]
        return parameters, optimiser(parameters)

    parameters, adam = fresh()
    calls = 0

    def run() -> None:
        nonlocal calls
        calls += 1
        steps(parameters, adam, calls)

    def answer() -> FloatArray:
        return np.array([steps(*fresh(), 0)])

    return Prepared(run, answer, note="batched products, fused AdamW")


def eager(inputs: NetworkTraining, threads: int) -> Prepared:
    """`baddbmm` a layer, autograd."""
    return trained(inputs, threads, "eager")


def compiled(inputs: NetworkTraining, threads: int) -> Prepared:
    """The same loss through `torch.compile`, forward and backward."""
    return trained(inputs, threads, "compile")


def vmap(inputs: NetworkTraining, threads: int) -> Prepared:
    """`torch.func.vmap` of the gradient of one member."""
    return trained(inputs, threads, "vmap")
