"""One update of soft actor-critic by PyTorch's autograd and Adam: the twin of the core's."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import torch

ACTIVATIONS = {"relu": torch.relu, "tanh": torch.tanh, "silu": torch.nn.functional.silu}


def tensors(flat, sizes):
    """Weights and biases of each layer, from the numbers that the core lays out one by one."""
    found, at = [], 0
    for inputs, outputs in pairwise(sizes):
        for shape in ((outputs, inputs), (outputs,)):
            size = math.prod(shape)
            found.append(torch.tensor(np.array(flat[at : at + size]).reshape(shape)))
            at += size
    assert at == len(flat)
    return found


def flattened(parameters):
    return np.concatenate([p.detach().numpy().ravel() for p in parameters])


class Twin:
    """All that an agent learns, as tensors; `update` is the algorithm as its paper states it.

    Args:
        numbers, logarithm: of the core, before its first update.
    """

    def __init__(self, numbers, logarithm, *, states, actions, hidden, activation, settings):
        self.actions, self.activation = actions, ACTIVATIONS[activation]
        self.settings = settings
        actor = [states, *hidden, 2 * actions]
        critic = [states + actions, *hidden, 1]
        self.actor = tensors(numbers["actor"], actor)
        self.critics = [tensors(numbers[f"critic_{k}"], critic) for k in (0, 1)]
        self.targets = [tensors(numbers[f"critic_{k}.target"], critic) for k in (0, 1)]
        self.logarithm = torch.tensor(logarithm, dtype=torch.float64)
        learned = [self.actor, [*self.critics[0], *self.critics[1]], [self.logarithm]]
        for group in learned:
            for parameter in group:
                parameter.requires_grad_(True)
        self.optimisers = [torch.optim.Adam(group, settings["learning_rate"]) for group in learned]

    def run(self, parameters, x):
        for layer in range(0, len(parameters), 2):
            x = torch.nn.functional.linear(x, parameters[layer], parameters[layer + 1])
            if layer + 2 < len(parameters):
                x = self.activation(x)
        return x

    def value(self, networks, states, actions):
        inputs = torch.cat([states, actions], dim=1)
        return torch.stack([self.run(network, inputs)[:, 0] for network in networks])

    def policy(self, states, noise):
        """Actions and the logarithms of their densities, by torch's own distributions."""
        mean, raw = self.run(self.actor, states).split(self.actions, dim=1)
        normal = torch.distributions.Normal(mean, raw.clamp(-20.0, 2.0).exp())
        tanh = torch.distributions.transforms.TanhTransform()
        u = mean + normal.stddev * noise
        actions = tanh(u)
        log_prob = normal.log_prob(u) - tanh.log_abs_det_jacobian(u, actions)
        return actions, log_prob.sum(dim=1)

    def update(self, batch):
        """Makes one update; returns the losses of critics and actor, and the entropy."""
        batch = {name: torch.tensor(part) for name, part in batch.items()}
        for name in ("rewards", "terminated"):
            batch[name] = batch[name][:, 0]
        temperature = self.logarithm.detach().exp().float()
        with torch.no_grad():
            actions, log_prob = self.policy(batch["next_states"], batch["next_noise"])
            value = self.value(self.targets, batch["next_states"], actions).amin(dim=0)
            after = self.settings["discount"] * (value - temperature * log_prob)
            wanted = batch["rewards"] + (1.0 - batch["terminated"]) * after
        values = self.value(self.critics, batch["states"], batch["actions"])
        critic_loss = 0.5 * sum(torch.nn.functional.mse_loss(value, wanted) for value in values)
        self.step(1, critic_loss)
        actions, log_prob = self.policy(batch["states"], batch["noise"])
        value = self.value(self.critics, batch["states"], actions).amin(dim=0)
        actor_loss = (temperature * log_prob - value).mean()
        self.step(0, actor_loss)
        surplus = log_prob.detach().double().mean() + self.settings["target_entropy"]
        self.step(2, -self.logarithm * surplus)
        tau = self.settings["tau"]
        with torch.no_grad():
            for critic, target in zip(self.critics, self.targets, strict=True):
                for fast, slow in zip(critic, target, strict=True):
                    slow.mul_(1.0 - tau).add_(tau * fast)
        return critic_loss.item(), actor_loss.item(), -log_prob.mean().item()

    def step(self, group, loss):
        for optimiser in self.optimisers:
            optimiser.zero_grad()
        loss.backward()
        self.optimisers[group].step()

    def numbers(self):
        named = {"actor": self.actor}
        for k in (0, 1):
            named |= {f"critic_{k}": self.critics[k], f"critic_{k}.target": self.targets[k]}
        return {name: flattened(parameters) for name, parameters in named.items()}
