"""Fifty steps of a real environment are enough for a linear model and its regulator."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest

import dynaplan as dp

pytest.importorskip("mujoco")


@pytest.mark.parametrize("seed", [20, 21])
def test_a_pole_is_balanced_after_fifty_steps(seed: int) -> None:
    env, rng = gym.make("InvertedPendulum-v5"), np.random.default_rng(seed)
    data = dp.collect(
        env, 50, policy=lambda _: rng.normal(0.0, 0.1, 1), seed=seed, episode_steps=None
    )
    assert data.terminations.any()  # random actions do not balance it
    model = dp.LinearGaussian.fit(data)
    regulator = dp.lqr(model.A, model.B, Q=[1.0, 1.0, 0.1, 0.1], R=[0.01], c=model.c)
    for episode in range(2):
        state, _ = env.reset(seed=100 + episode)
        total, is_over = 0.0, False
        while not is_over:
            action = np.clip(regulator.k - regulator.K @ state, -3.0, 3.0)
            state, reward, terminated, truncated, _ = env.step(action)
            total, is_over = total + float(reward), terminated or truncated
        assert total >= 950.0
    env.close()
