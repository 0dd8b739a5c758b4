"""Networks in NumPy and float64, layer by layer as the papers write them."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

ACTIVATIONS = {
    "silu": lambda x: x / (1.0 + np.exp(-x)),
    "tanh": np.tanh,
    "relu": lambda x: np.maximum(x, 0.0),
}


def random_network(seed: int = 0, **changes: Any) -> dict[str, Any]:
    """The arguments of a network: 3 states and 2 actions unless said otherwise."""
    random = np.random.default_rng(seed)
    shape = {"state_dim": 3, "action_dim": 2, "angles": [], "hidden": [8, 5], "activation": "silu"}
    shape |= {"probabilistic": False, "rewards": False}
    members = changes.pop("members", 1)
    shape |= changes
    inputs = shape["state_dim"] + len(shape["angles"]) + shape["action_dim"]
    targets = shape["state_dim"] + shape["rewards"]
    sizes = [inputs, *shape["hidden"], targets * (1 + shape["probabilistic"])]
    layers = list(pairwise(sizes))

    def float32(*size: int) -> np.ndarray:
        return random.normal(size=size).astype(np.float32)

    bounds = {"low": None, "high": None}
    if shape["probabilistic"]:
        bounds = {"low": float32(members, targets) - 5, "high": float32(members, targets) + 2}
    return {
        **shape,
        "input_mean": random.normal(size=inputs),
        "input_scale": random.uniform(0.5, 2.0, size=inputs),
        "target_mean": random.normal(size=targets),
        "target_scale": random.uniform(0.5, 2.0, size=targets),
        "weights": [float32(members, n, m) / np.float32(np.sqrt(m)) for m, n in layers],
        "biases": [float32(members, n) for _, n in layers],
        "log_variance_low": bounds["low"],
        "log_variance_high": bounds["high"],
    }


def targets_of(network: dict[str, Any], states: np.ndarray, actions: np.ndarray) -> np.ndarray:
    """(N, targets): means of the changes of the states, and of the reward, of the first member."""
    states, angles = np.asarray(states, np.float64), list(network["angles"])
    seen = states.copy()
    seen[:, angles] = np.sin(states[:, angles])
    x = np.hstack([seen, np.cos(states[:, angles]), actions])
    x = (x - network["input_mean"]) / network["input_scale"]
    layers = list(zip(network["weights"], network["biases"], strict=True))
    for weights, biases in layers[:-1]:
        x = ACTIVATIONS[network["activation"]](x @ weights[0].T.astype(np.float64) + biases[0])
    x = x @ layers[-1][0][0].T.astype(np.float64) + layers[-1][1][0]
    targets = network["state_dim"] + network["rewards"]
    return x[:, :targets] * network["target_scale"] + network["target_mean"]
