"""Policies as PyTorch modules; imported only when one is asked for."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from dynaplan.agents.policy import Policy
from dynaplan.models.formats.torch_networks import sequential

__all__ = ["Actor"]


class Actor(nn.Module):
    """Gives the deterministic action of a state, in the environment's units.

    `network` is the bare network, whose outputs become actions in [-1, 1] by tanh.

    Args:
        policy: what it is made of.
    """

    def __init__(self, policy: Policy) -> None:
        super().__init__()
        for name in ("centre", "half_range"):
            self.register_buffer(name, torch.tensor(getattr(policy, name)))
        self.network = sequential(policy.layers, policy.activation)

    def forward(self, states: Any) -> Any:
        """Maps (N, S) to (N, A)."""
        return self.centre + self.half_range * self.network(states).tanh()
