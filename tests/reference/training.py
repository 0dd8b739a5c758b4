"""The training of networks in plain NumPy and torch, slow and independent of the core."""

from __future__ import annotations

import numpy as np

from reference.network import encoded


def targets_of(data, angles, rewards):
    """Returns (N, T): the changes of the states, angles the short way round, then the rewards."""
    change = data.next_states - data.states
    change[:, angles] = np.arctan2(np.sin(change[:, angles]), np.cos(change[:, angles]))
    return np.column_stack([change, data.rewards]) if rewards else change


def philox(counter, key):
    """Four words of Philox4x32-10 (Salmon et al. 2011), in plain integers."""
    mask = 0xFFFFFFFF
    c, (k0, k1) = list(counter), key
    for _ in range(10):
        first, second = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [second >> 32 ^ c[1] ^ k0, second & mask, first >> 32 ^ c[3] ^ k1, first & mask]
        k0, k1 = k0 + 0x9E3779B9 & mask, k1 + 0xBB67AE85 & mask
    return c


def integers(seed, member, use):
    """Yields the words that the training draws for one use."""
    block = 0
    while True:
        yield from philox([block, 0, use * 4 + 3, member], (seed & 0xFFFFFFFF, seed >> 32))
        block += 1


def orders(rows, seed, member, epochs, bootstrap):
    """Yields the order of the rows in each epoch: Fisher and Yates, on the order before."""
    order = list(range(rows))
    if bootstrap:
        words = integers(seed, member, 1)
        order = [next(words) * rows >> 32 for _ in range(rows)]
    for epoch in range(epochs):
        words = integers(seed, member, 2 + epoch)
        for last in range(rows - 1, 0, -1):
            other = next(words) * (last + 1) >> 32
            order[last], order[other] = order[other], order[last]
        yield list(order)


def torch_member(start, data, member, settings):
    """Trains one member with torch from the weights in `start`; returns its parameters by layer.

    `settings`: epochs, batch_size, learning_rate, weight_decay of each layer, warm_up, bootstrap,
    seed.
    """
    import torch

    torch.set_num_threads(1)  # tiny products: threads only wait for each other

    angles = list(start.angles)
    x = (encoded(data.states, data.actions, angles) - start.input_mean) / start.input_scale
    y = (targets_of(data, angles, start.rewards) - start.target_mean) / start.target_scale
    x, y = torch.tensor(x, dtype=torch.float32), torch.tensor(y, dtype=torch.float32)
    weights = [torch.tensor(w[member], requires_grad=True) for w in start.weights]
    biases = [torch.tensor(b[member], requires_grad=True) for b in start.biases]
    bounds = []
    if start.probabilistic:
        for array in (start.log_variance_low, start.log_variance_high):
            bounds.append(torch.tensor(array[member], requires_grad=True))
    optimiser = torch.optim.AdamW(
        [
            *(
                {"params": [layer], "weight_decay": decay}
                for layer, decay in zip(weights, settings["weight_decay"], strict=True)
            ),
            {"params": [*biases, *bounds], "weight_decay": 0.0},
        ],
        lr=settings["learning_rate"],
    )
    f = {"silu": torch.nn.functional.silu, "tanh": torch.tanh, "relu": torch.relu}[start.activation]
    softplus = torch.nn.functional.softplus
    count = y.shape[1]
    size = settings["batch_size"]
    shuffles = orders(len(x), settings["seed"], member, settings["epochs"], settings["bootstrap"])
    for epoch, order in enumerate(shuffles):
        for first in range(0, len(x), size):
            rows = order[first : first + size]
            out = x[rows]
            for layer, (w, b) in enumerate(zip(weights, biases, strict=True)):
                out = torch.nn.functional.linear(out, w, b)
                if layer + 1 < len(weights):
                    out = f(out)
            error = (out[:, :count] - y[rows]) ** 2
            if start.probabilistic and epoch >= settings["warm_up"]:
                low, high = bounds
                value = high - softplus(high - out[:, count:])
                value = low + softplus(value - low)
                penalty = 0.01 * (high - low).clamp(min=1.0).sum()
                loss = (error * torch.exp(-value) + value).mean() + penalty
            else:
                loss = error.mean()
            optimiser.zero_grad()
            loss.backward()
            for parameter in [*weights, *biases, *bounds]:
                if parameter.grad is None:  # the bounds in the warm-up: Adam's moments decay on
                    parameter.grad = torch.zeros_like(parameter)
            optimiser.step()
    return [p.detach().numpy() for p in weights], [p.detach().numpy() for p in [*biases, *bounds]]
