"""PyTorch makes updates of soft actor-critic: straightforward, and with compiled losses."""

from __future__ import annotations

import copy
import itertools
import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch.nn import functional

from bench.case import Prepared
from bench.sac_workload import (
    ACTIONS,
    BATCH,
    BEFORE_ANSWER,
    DISCOUNT,
    LEARNING_RATE,
    STATES,
    TAU,
    UPDATES,
    SacUpdates,
)

Tensors = Sequence[torch.Tensor]
Loss = Callable[..., tuple[torch.Tensor, torch.Tensor]]


def network(sizes: Sequence[int]) -> list[torch.Tensor]:
    """Returns weights and biases layer by layer, as `torch.nn.Linear` begins."""
    found = []
    for inputs, outputs in itertools.pairwise(sizes):
        bound = 1.0 / math.sqrt(inputs)
        for shape in ((outputs, inputs), (outputs,)):
            found.append((torch.rand(shape) * 2.0 - 1.0) * bound)
    return found


def run(parameters: Tensors, x: torch.Tensor) -> torch.Tensor:
    """Returns the outputs of a network."""
    for layer in range(0, len(parameters), 2):
        x = functional.linear(x, parameters[layer], parameters[layer + 1])
        if layer + 2 < len(parameters):
            x = functional.relu(x)
    return x


def policy(actor: Tensors, states: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Returns actions drawn from a squashed Gaussian, and the logarithms of their densities."""
    mean, log_std = torch.split(run(actor, states), ACTIONS, dim=1)
    log_std = log_std.clamp(-20.0, 2.0)
    noise = torch.randn_like(mean)
    u = mean + log_std.exp() * noise
    log_normal = -0.5 * noise.square() - log_std - 0.5 * math.log(2.0 * math.pi)
    log_slope = 2.0 * (math.log(2.0) - u - functional.softplus(-2.0 * u))
    return torch.tanh(u), (log_normal - log_slope).sum(dim=1)


def smaller(critics: Sequence[Tensors], x: torch.Tensor) -> torch.Tensor:
    """Returns the smaller of both values."""
    return torch.minimum(run(critics[0], x)[:, 0], run(critics[1], x)[:, 0])


def critic_loss(
    critics: Sequence[Tensors],
    targets: Sequence[Tensors],
    actor: Tensors,
    temperature: torch.Tensor,
    batch: Tensors,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Returns half the sum of both mean squared errors."""
    states, actions, rewards, after, ended = batch
    with torch.no_grad():
        next_actions, log_prob = policy(actor, after)
        value = smaller(targets, torch.cat([after, next_actions], dim=1)) - temperature * log_prob
        wanted = rewards + (1.0 - ended) * DISCOUNT * value
    x = torch.cat([states, actions], dim=1)
    first, second = (functional.mse_loss(run(critic, x)[:, 0], wanted) for critic in critics)
    loss = 0.5 * (first + second)
    return loss, loss.detach()


def actor_loss(
    critics: Sequence[Tensors], actor: Tensors, temperature: torch.Tensor, states: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Returns the policy's loss, and the mean of its log-probabilities."""
    actions, log_prob = policy(actor, states)
    value = smaller(critics, torch.cat([states, actions], dim=1))
    return (temperature * log_prob - value).mean(), log_prob.detach().mean()


class Learner:
    """Networks, optimisers and one update."""

    def __init__(self, inputs: SacUpdates, losses: tuple[Loss, Loss]) -> None:
        torch.manual_seed(0)
        self.losses = losses
        self.data = [
            torch.from_numpy(x)
            for x in (inputs.states, inputs.actions, inputs.rewards, inputs.next_states)
        ]
        self.data.append(torch.from_numpy(inputs.terminated).float())
        self.actor = network([STATES, *inputs.hidden, 2 * ACTIONS])
        self.critics = [network([STATES + ACTIONS, *inputs.hidden, 1]) for _ in range(2)]
        self.targets = copy.deepcopy(self.critics)
        self.slow = [*self.targets[0], *self.targets[1]]
        self.fast = [*self.critics[0], *self.critics[1]]
        self.log_temperature = torch.zeros(())
        for parameter in (*self.actor, *self.fast, self.log_temperature):
            parameter.requires_grad_(True)
        self.adams = [
            torch.optim.Adam(group, lr=LEARNING_RATE, fused=True)
            for group in (self.actor, self.fast, [self.log_temperature])
        ]

    def update(self) -> torch.Tensor:
        """Makes one update; returns the loss of the critics."""
        rows = torch.randint(len(self.data[0]), (BATCH,))
        batch = [column[rows] for column in self.data]
        temperature = self.log_temperature.detach().exp()
        actor, critics, log_temperature = self.adams
        loss, shown = self.losses[0](self.critics, self.targets, self.actor, temperature, batch)
        critics.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        critics.step()
        loss, log_prob = self.losses[1](
            [[p.detach() for p in critic] for critic in self.critics],
            self.actor,
            temperature,
            batch[0],
        )
        actor.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        actor.step()
        self.log_temperature.grad = ACTIONS - log_prob
        log_temperature.step()
        with torch.no_grad():
            torch._foreach_lerp_(self.slow, self.fast, TAU)
        return shown


def prepared(inputs: SacUpdates, threads: int, compiles: bool) -> Prepared:
    """50 updates a call; rows drawn and gathered in each."""
    torch.set_num_threads(threads)
    losses: tuple[Loss, Loss] = (critic_loss, actor_loss)
    if compiles:
        compiled = [torch.compile(one, fullgraph=True, dynamic=False) for one in losses]
        losses = (compiled[0], compiled[1])
    learner = Learner(inputs, losses)

    def call(one: Learner) -> float:
        found = [one.update() for _ in range(UPDATES)]
        return float(torch.stack(found).mean())

    def answer() -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        new = Learner(inputs, losses)
        for _ in range(BEFORE_ANSWER):
            new.update()
        return np.array([call(new)])

    return Prepared(lambda: call(learner), answer, note="fused Adam, one pass of Polyak averaging")


def eager(inputs: SacUpdates, threads: int) -> Prepared:
    """Autograd of the losses as they stand."""
    return prepared(inputs, threads, False)


def compiled(inputs: SacUpdates, threads: int) -> Prepared:
    """Both losses through `torch.compile`, forward and backward."""
    return prepared(inputs, threads, True)
