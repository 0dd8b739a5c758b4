"""PyTorch imagines transitions: eager and compiled, batched products over the elites."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from bench.case import Prepared
from bench.imagination_workload import ELITES, Imagination
from bench.network_workload import ACTIONS, LOG_VARIANCE_HIGH, LOG_VARIANCE_LOW, STATES
from bench.peers.torch import as_float
from bench.workloads import FloatArray

Made = tuple[torch.Tensor, torch.Tensor, torch.Tensor]
softplus = torch.nn.functional.softplus


def step_of(inputs: Imagination) -> Callable[[torch.Tensor, torch.Tensor], Made]:
    """Returns a function of shuffled starts and normals to actions, next states and rewards.

    The starts, shuffled, are dealt to the elites in equal shares, so that the products are batched:
    quicker than a draw of a member for each, and the same for each on its own.
    """
    actor = [(as_float(w), as_float(b)) for w, b in inputs.actor()]
    layers = [
        (as_float(w[:ELITES]), as_float(b[:ELITES])[:, None]) for w, b in inputs.ensemble.layers()
    ]

    def step(states: torch.Tensor, normals: torch.Tensor) -> Made:
        x = states
        for weights, biases in actor[:-1]:
            x = torch.relu_(torch.addmm(biases, x, weights))
        x = torch.addmm(actor[-1][1], x, actor[-1][0])
        deviation = torch.exp(x[:, ACTIONS:].clamp(-20.0, 2.0))
        actions = torch.tanh(torch.addcmul(x[:, :ACTIONS], deviation, normals[:, :ACTIONS]))
        x = torch.cat([states, actions], dim=1).view(ELITES, -1, STATES + ACTIONS)
        for weights, biases in layers[:-1]:
            x = torch.nn.functional.silu(torch.baddbmm(biases, x, weights), inplace=True)
        x = torch.baddbmm(layers[-1][1], x, layers[-1][0]).view(len(states), -1)
        value = LOG_VARIANCE_HIGH - softplus(LOG_VARIANCE_HIGH - x[:, STATES:])
        value = LOG_VARIANCE_LOW + softplus(value - LOG_VARIANCE_LOW)
        change = torch.addcmul(x[:, :STATES], torch.exp(0.5 * value), normals[:, ACTIONS:])
        after = states + change
        return actions, after, -after.square().sum(dim=1)

    return step


def imagined(
    inputs: Imagination, step: Callable[[torch.Tensor, torch.Tensor], Made], note: str
) -> Prepared:
    """Returns the measured call."""
    starts = as_float(inputs.starts)

    @torch.inference_mode()
    def run() -> Made:
        states = starts[torch.randperm(len(starts))]
        return step(states, torch.randn(len(starts), ACTIONS + STATES))

    def answer() -> FloatArray:
        actions, _, rewards = run()
        return np.array([float(rewards.mean()), float(actions.abs().mean())])

    return Prepared(run, answer, note=note)


def eager(inputs: Imagination, threads: int) -> Prepared:
    """Eager."""
    torch.set_num_threads(threads)
    return imagined(inputs, step_of(inputs), "batched products, float32, inference mode")


def compiled(inputs: Imagination, threads: int) -> Prepared:
    """Compiled."""
    torch.set_num_threads(threads)
    step = torch.compile(step_of(inputs), fullgraph=True, dynamic=False)
    return imagined(inputs, step, "batched products, compiled, float32, inference mode")
