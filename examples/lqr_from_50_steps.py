"""Balances a pole after 50 real steps: least squares, then the Riccati equation of that model.

Run: python examples/lqr_from_50_steps.py   (needs pip install "dynaplan[mujoco]")
"""

from __future__ import annotations

import importlib.util

import gymnasium as gym
import numpy as np

import dynaplan as dp

STEPS = 50
EPISODES = 5


def main() -> None:
    if importlib.util.find_spec("mujoco") is None:
        print('skipped: MuJoCo is missing; pip install "dynaplan[mujoco]"')
        return
    env = gym.make("InvertedPendulum-v5")  # cart, pole and their speeds; falls within 20 steps
    rng = np.random.default_rng(20)
    # Small pushes: the data must be close to upright, where the system is nearly linear.
    data = dp.collect(env, STEPS, lambda state: rng.normal(0.0, 0.1, 1), 20, episode_steps=None)
    print(f"{STEPS} steps of small random pushes: the pole fell {data.terminations.sum()} times")

    model = dp.LinearGaussian.fit(data)
    print(f"modes of the system: {np.abs(np.linalg.eigvals(model.A)).round(3)}")
    regulator = dp.lqr(model.A, model.B, Q=[1.0, 1.0, 0.1, 0.1], R=[0.01], c=model.c)
    closed = model.A - model.B @ regulator.K
    print(f"under the regulator: {np.abs(np.linalg.eigvals(closed)).round(3)}")

    low, high = env.action_space.low, env.action_space.high
    for episode in range(EPISODES):
        state, _ = env.reset(seed=1000 + episode)
        total, done = 0.0, False
        while not done:
            action = np.clip(regulator.k - regulator.K @ state, low, high)
            state, reward, terminated, truncated, _ = env.step(action)
            total, done = total + float(reward), terminated or truncated
        print(f"episode {episode}: return {total:.0f} of 1000")
    env.close()


if __name__ == "__main__":
    main()
