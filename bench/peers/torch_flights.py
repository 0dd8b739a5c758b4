"""PyTorch's networks on the flights: the best of a grid, chosen by the held-out rows."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import torch

from bench.case import Prepared
from bench.flights import Rows, Split, figures
from bench.workloads import FloatArray

HIDDEN = ((64, 64), (128, 128), (200, 200, 200))
LEARNING_RATES = (1e-3, 3e-3)
WEIGHT_DECAYS = (0.0, 1e-2)
BATCH = 32
EPOCHS = 300
PATIENCE = 40


class Standardised:
    """Rows as tensors in the units that the network sees."""

    def __init__(self, split: Split) -> None:
        inputs = np.hstack([split.train.states, split.train.actions])
        changes = split.train.next_states - split.train.states
        self.input = inputs.mean(axis=0), inputs.std(axis=0)
        self.target = changes.mean(axis=0), changes.std(axis=0)

    def of(self, rows: Rows) -> tuple[torch.Tensor, torch.Tensor]:
        """Returns the inputs and the targets."""
        x = (np.hstack([rows.states, rows.actions]) - self.input[0]) / self.input[1]
        y = (rows.next_states - rows.states - self.target[0]) / self.target[1]
        return torch.tensor(x, dtype=torch.float32), torch.tensor(y, dtype=torch.float32)


def network(inputs: int, hidden: tuple[int, ...], outputs: int) -> torch.nn.Sequential:
    """Returns linear layers with SiLU between them."""
    sizes = (inputs, *hidden)
    layers: list[torch.nn.Module] = []
    for before, after in pairwise(sizes):
        layers += [torch.nn.Linear(before, after), torch.nn.SiLU()]
    return torch.nn.Sequential(*layers, torch.nn.Linear(sizes[-1], outputs))


def trained(
    split: Split, hidden: tuple[int, ...], rate: float, decay: float, seed: int
) -> tuple[float, FloatArray]:
    """Returns the least held-out loss and what the network of that epoch predicts of the test."""
    torch.manual_seed(seed)
    standardised = Standardised(split)
    x, y = standardised.of(split.train)
    held_x, held_y = standardised.of(split.held_out)
    model = network(x.shape[1], hidden, y.shape[1])
    optimiser = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=decay)
    best, best_weights, since = np.inf, model.state_dict(), 0
    for _ in range(EPOCHS):
        for rows in torch.randperm(len(x)).split(BATCH):
            loss = (model(x[rows]) - y[rows]).square().mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        with torch.no_grad():
            held_out = float((model(held_x) - held_y).square().mean())
        since += 1
        if held_out < best:
            best, since = held_out, 0
            best_weights = {name: value.clone() for name, value in model.state_dict().items()}
        elif since >= PATIENCE:
            break
    model.load_state_dict(best_weights)
    with torch.no_grad():
        change = model(standardised.of(split.test)[0]).numpy()
    mean, scale = standardised.target
    return best, split.test.states + mean + scale * change


def tuned(inputs: list[Split], threads: int) -> Prepared:
    """For each split the network of the grid with the least held-out loss."""
    torch.set_num_threads(threads)
    grid = list(product(HIDDEN, LEARNING_RATES, WEIGHT_DECAYS))

    def run() -> dict[str, float]:
        errors = []
        for seed, split in enumerate(inputs):
            tried = [trained(split, *settings, seed) for settings in grid]
            errors.append(split.error(min(tried, key=lambda one: one[0])[1]))
        return figures(errors)

    return Prepared(
        run, reports="facts", note=f"AdamW, batches of {BATCH}, the best of {len(grid)}"
    )
