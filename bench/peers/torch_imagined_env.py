"""The networks of the environments in PyTorch, all the rest in NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from bench.case import Prepared
from bench.imagined_env_workload import ELITES, ImaginedEnv
from bench.peers.numpy_imagined_env import of_forward
from bench.peers.torch import as_float
from bench.workloads import FloatArray

silu = torch.nn.functional.silu


def step(inputs: ImaginedEnv, threads: int) -> Prepared:
    """Batched products over the elites, which are dealt shuffled environments in equal shares."""
    torch.set_num_threads(threads)
    layers = [
        (as_float(w[:ELITES]), as_float(b[:ELITES])[:, None]) for w, b in inputs.ensemble.layers()
    ]

    @torch.inference_mode()
    def forward(states: FloatArray, actions: FloatArray, members: Any) -> FloatArray:
        rows = torch.from_numpy(np.concatenate([states, actions], axis=1))
        if len(rows) < 2 * ELITES:  # too few to deal out: the drawn member of each
            x = rows[:, None]
            for weights, biases in layers[:-1]:
                x = silu(torch.baddbmm(biases[members], x, weights[members]))
            last = torch.baddbmm(layers[-1][1][members], x, layers[-1][0][members])
            return np.asarray(last[:, 0].numpy())
        order = torch.randperm(len(rows))
        share = -(-len(rows) // ELITES)
        padded = order.repeat(2)[: share * ELITES]
        x = rows[padded].view(ELITES, share, -1)
        for weights, biases in layers[:-1]:
            x = silu(torch.baddbmm(biases, x, weights))
        x = torch.baddbmm(layers[-1][1], x, layers[-1][0])
        out = torch.empty(len(rows), x.shape[-1])
        out[order] = x.view(share * ELITES, -1)[: len(rows)]
        return np.asarray(out.numpy())

    return of_forward(inputs, forward, "batched products, float32, inference mode")
