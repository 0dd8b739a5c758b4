"""Networks as PyTorch modules; imported only when one is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from dynaplan import _texts
from dynaplan.errors import ArgumentError
from dynaplan.models.networks.arrays import NetworkArrays, NetworkUnits

__all__ = ["NextState", "linear_layers", "numbers_of", "sequential", "units_of"]

# An activation that is not here cannot be converted to or from PyTorch; nothing else depends on it.
ACTIVATIONS: dict[str, type[Any]] = {"silu": nn.SiLU, "tanh": nn.Tanh, "relu": nn.ReLU}


class NextState(nn.Module):
    """Gives the next state from [state, action], in the units of the data.

    `network` is the bare network, from standardised inputs to standardised changes; the buffers
    hold the standardisation.

    Args:
        network: a single one that predicts no variance.
    """

    def __init__(self, network: NetworkArrays) -> None:
        super().__init__()
        self.state_dim, self.rewards = network.state_dim, network.rewards
        self.angles = list(network.angles)
        for name in ("input_mean", "input_scale", "target_mean", "target_scale"):
            self.register_buffer(name, torch.tensor(getattr(network, name), dtype=torch.float32))
        layers = zip(network.weights, network.biases, strict=True)
        self.network = sequential(
            [(weights[0], biases[0]) for weights, biases in layers], network.activation
        )

    def forward(self, state_action: Any) -> Any:
        """Maps (N, S + A) to (N, S), or with rewards to that and (N,)."""
        states, actions = state_action.tensor_split([self.state_dim], dim=-1)
        angles = states[..., self.angles]
        seen = states.clone()
        seen[..., self.angles] = angles.sin()
        inputs = torch.cat([seen, angles.cos(), actions], dim=-1)
        outputs = self.network((inputs - self.input_mean) / self.input_scale)
        targets = outputs * self.target_scale + self.target_mean
        next_states = states + targets[..., : self.state_dim]
        return (next_states, targets[..., self.state_dim]) if self.rewards else next_states


def sequential(
    layers: Sequence[tuple[NDArray[Any], NDArray[Any]]], activation: str
) -> nn.Sequential:
    """Returns linear layers, of weights (outputs, inputs) and biases (outputs,), joined up."""
    items: list[Any] = []
    for weights, biases in layers:
        # Without the random weights that Linear draws from the caller's generator.
        linear = nn.utils.skip_init(nn.Linear, weights.shape[1], weights.shape[0])
        with torch.no_grad():
            linear.weight.copy_(torch.tensor(weights))
            linear.bias.copy_(torch.tensor(biases))
        items += [linear, ACTIVATIONS[activation]()]
    return nn.Sequential(*items[:-1])


def linear_layers(module: nn.Sequential) -> tuple[list[Any], str]:
    """Returns the linear layers of a Sequential and the activation that stands between them."""
    if not isinstance(module, nn.Module):
        raise TypeError(f"module: got {_texts.shown(module)}, must be a torch.nn.Module")
    items = _flattened(module)
    is_linear = [type(item) is nn.Linear for item in items]
    if len(items) % 2 == 0 or not all(is_linear[::2]):
        raise ArgumentError(
            f"module: {_names(items)}, must be Linear and an activation in turn, Linear first and "
            "last"
        )
    between = {type(item) for item in items[1::2]}
    known = [name for name, kind in ACTIVATIONS.items() if between <= {kind}]
    if not known:
        raise ArgumentError(
            f"module: {_names(items)}, must have the same activation everywhere, one of "
            f"{', '.join(kind.__name__ for kind in ACTIVATIONS.values())}"
        )
    return items[::2], known[0]


def numbers_of(linear: Any) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Returns the weights (outputs, inputs) and biases (outputs,) of a linear layer."""
    weights = _array(linear.weight)
    no_bias = np.zeros(len(weights), np.float32)
    return weights, no_bias if linear.bias is None else _array(linear.bias)


def units_of(module: NextState) -> NetworkUnits:
    """Returns what the module says of its bare network."""
    return NetworkUnits(
        angles=module.angles,
        rewards=module.rewards,
        input_mean=_array(module.input_mean),
        input_scale=_array(module.input_scale),
        target_mean=_array(module.target_mean),
        target_scale=_array(module.target_scale),
    )


def _array(tensor: Any) -> NDArray[np.float32]:
    return np.array(tensor.detach().to("cpu", torch.float32).numpy())


def _flattened(module: nn.Module) -> list[nn.Module]:
    if type(module) is not nn.Sequential:
        return [module]
    return [item for child in module for item in _flattened(child)]


def _names(items: list[nn.Module]) -> str:
    return "got (" + ", ".join(type(item).__name__ for item in items) + ")"
