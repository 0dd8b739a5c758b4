"""Networks in NumPy and float64, layer by layer as the papers write them.

A network is anything with the attributes of `NetworkArrays`.
"""

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


def encoded(states, actions, angles):
    """Inputs before scaling: sin in place of each angle, the cosines, the actions."""
    shown = states.copy()
    shown[:, angles] = np.sin(states[:, angles])
    return np.hstack([shown, np.cos(states[:, angles]), actions])


def outputs(network, states, actions):
    """Returns (K, N, outputs) in float64, in the network's own units."""
    x = encoded(states, actions, list(network.angles))
    x = (x - network.input_mean) / network.input_scale
    f = ACTIVATIONS[network.activation]
    results = []
    for member in range(len(network.weights[0])):
        y = x
        for layer, (weights, bias) in enumerate(zip(network.weights, network.biases, strict=True)):
            y = y @ weights[member].astype(np.float64).T + bias[member]
            if layer + 1 < len(network.weights):
                y = f(y)
        results.append(y)
    return np.array(results)


def means_and_variances(network, states, actions):
    """Returns (K, N, T) means and variances of the targets in their units."""
    raw = outputs(network, states, actions)
    count = len(network.target_mean)
    means = raw[..., :count] * network.target_scale + network.target_mean
    if not network.probabilistic:
        return means, np.zeros_like(means)
    high = network.log_variance_high[:, None, :].astype(np.float64)
    low = network.log_variance_low[:, None, :].astype(np.float64)
    log_variance = high - np.logaddexp(0.0, high - raw[..., count:])
    log_variance = low + np.logaddexp(0.0, log_variance - low)
    return means, np.exp(log_variance) * network.target_scale**2
