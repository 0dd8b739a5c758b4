"""A Gaussian process by the textbook's formulas, in units of the data."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Posterior(NamedTuple):
    mean: np.ndarray
    variance: np.ndarray
    log_marginal_likelihood: float


def kernel(one, other, length_scales, signal_std):
    apart = (one[:, None, :] - other[None, :, :]) / length_scales
    return signal_std**2 * np.exp(-0.5 * (apart**2).sum(axis=2))


def posterior(inputs, targets, at, numbers) -> Posterior:
    """Of y = mean(targets) + f + noise: E y and var f at some inputs, and log p(targets).

    `numbers` are the length scales (inputs,) and the standard deviations of f and of the noise.

    Rasmussen & Williams 2006, eq. 2.25, 2.26 and 2.30.
    """
    length_scales, signal_std, noise_std = numbers
    middle, count = targets.mean(), len(targets)
    own = kernel(inputs, inputs, length_scales, signal_std) + noise_std**2 * np.eye(count)
    root = np.linalg.cholesky(own)
    white = np.linalg.solve(root, targets - middle)
    spread = np.linalg.solve(root, kernel(inputs, at, length_scales, signal_std))
    return Posterior(
        middle + spread.T @ white,
        signal_std**2 - (spread**2).sum(axis=0),
        -0.5 * white @ white - np.log(np.diag(root)).sum() - 0.5 * count * np.log(2 * np.pi),
    )


def loss(logarithms, inputs, targets):
    """What a fit minimises, of standardised inputs and targets, and its gradient.

    Minus the log marginal likelihood, and the walls of the bounds.
    """
    scales, signal, noise = np.exp(logarithms[:-2]), *np.exp(logarithms[-2:])
    of_signal = kernel(inputs, inputs, scales, signal)
    of_noise = noise**2 * np.eye(len(targets))
    try:
        likelihood = posterior(inputs, targets, inputs[:1], (scales, signal, noise))
    except np.linalg.LinAlgError:
        return 1e10, np.zeros_like(logarithms)
    inverse = np.linalg.inv(of_signal + of_noise)
    weights = inverse @ (targets - targets.mean())
    apart = (inputs[:, None, :] - inputs[None, :, :]) / scales
    slopes = [of_signal * apart[..., d] ** 2 for d in range(len(scales))]
    slopes += [2.0 * of_signal, 2.0 * of_noise]  # of the covariance, by each logarithm
    outer = np.outer(weights, weights) - inverse
    gradient = np.array([-0.5 * (outer * slope).sum() for slope in slopes])
    beyond = np.append(logarithms[:-1], logarithms[-2] - logarithms[-1])
    walls = np.log([*np.where(logarithms[:-2] < 0.0, 10.0, 100.0), 100.0, 1e4])
    pushes = 30.0 * (beyond / walls) ** 29 / walls
    gradient[:-1] += pushes[:-1]
    gradient[-2:] += pushes[-1] * np.array([1.0, -1.0])
    return ((beyond / walls) ** 30).sum() - likelihood.log_marginal_likelihood, gradient


def inputs_of(data):
    """(N, S + A), what a process without angles is given."""
    return np.hstack([data.states, data.actions])


def same(one, other, count=3) -> bool:
    """Whether two models predict the same bits."""
    states, actions = np.ones((count, one.state_dim)), np.ones((count, one.action_dim))
    pairs = zip(one.predict(states, actions), other.predict(states, actions), strict=True)
    return all(np.array_equal(a, b) for a, b in pairs)
