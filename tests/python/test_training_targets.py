"""Targets that are learned beside others: each stops for itself."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

import dynaplan as dp

ROWS = 1000


def moved(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return x + 0.3 * np.sin(3.0 * x)


def beside_noise(noise_states: int, seed: int) -> dp.Transitions:
    """x' = x + 0.3 sin(3 x), beside states that are drawn anew at each step."""
    generator = np.random.default_rng(seed)
    x = generator.uniform(-2.0, 2.0, ROWS)
    states = np.column_stack([x, generator.normal(size=(ROWS, noise_states))])
    following = np.column_stack([moved(x), generator.normal(size=(ROWS, noise_states))])
    return dp.Transitions(states, np.zeros((ROWS, 1)), following)


def error_of_x(model: dp.Model, noise_states: int) -> float:
    generator = np.random.default_rng(99)
    x = np.linspace(-2.0, 2.0, 401)
    states = np.column_stack([x, generator.normal(size=(401, noise_states))])
    predicted = model.predict(states, np.zeros((401, 1))).mean[:, 0]
    return float(np.sqrt(np.mean((predicted - moved(x)) ** 2)))


@pytest.mark.parametrize("noise_states", [1, 3])
@pytest.mark.parametrize("seed", [0, 1])
def test_a_law_is_learned_beside_noise_as_if_it_were_alone(noise_states, seed):
    alone = error_of_x(dp.Ensemble.fit(beside_noise(0, seed), seed=seed), 0)
    model = dp.Ensemble.fit(beside_noise(noise_states, seed), seed=seed)
    assert error_of_x(model, noise_states) < 1.5 * max(alone, 0.0015)
    # The noise too: what is drawn anew moves to its mean, whatever it was.
    states = np.column_stack([np.zeros(401), np.random.default_rng(5).normal(size=401)])
    states = np.column_stack([states, np.zeros((401, noise_states - 1))])
    following = model.predict(states, np.zeros((401, 1))).mean[:, 1]
    # That it stays would be wrong by a variance of 2; the noise drawn is 1 of it.
    assert 1.0 + np.mean(following**2) < 1.7


def test_what_cannot_be_learned_is_predicted_by_its_mean():
    generator = np.random.default_rng(0)
    states = generator.normal(size=(300, 2))
    change = generator.normal([3.0, -1.0], size=(300, 2))
    data = dp.Transitions(states, np.zeros((300, 1)), states + change)
    model = dp.MLP.fit(data, seed=0)
    predicted = model.predict(states, np.zeros((300, 1))).mean - states
    assert np.sqrt(np.mean((predicted - change.mean(axis=0)) ** 2)) < 0.3
    probabilistic = dp.GaussianMLP.fit(data, seed=0).predict(states, np.zeros((300, 1)))
    assert np.mean(probabilistic.aleatoric) == pytest.approx(1.0, abs=0.25)
