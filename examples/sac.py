"""Learns to swing up a pendulum by soft actor-critic, without a model, and evaluates the policy.

Run: python examples/sac.py
"""

from __future__ import annotations

import gymnasium as gym
import numpy as np

import dynaplan as dp

STEPS = 5000
EPISODES = 5


def main() -> None:
    env = gym.make("Pendulum-v1")
    agent = dp.SAC(env, hidden=(64, 64), learning_rate=1e-3, seed=0)
    for episode in agent.run(STEPS):
        speed = episode.episode_steps / episode.seconds
        temperature = agent.temperature
        print(
            f"step {episode.steps:>5}: return {episode.episode_return:>6.0f}, "
            f"temperature {temperature:.3f}, {speed:.0f} steps a second"
        )
    totals = [episode_return(env, agent, seed=1000 + episode) for episode in range(EPISODES)]
    print(f"{EPISODES} episodes of the deterministic policy: mean return {np.mean(totals):.0f}")
    env.close()


def episode_return(env: gym.Env, agent: dp.SAC, seed: int) -> float:
    """Runs one episode of the deterministic policy; returns the sum of its rewards."""
    state, _ = env.reset(seed=seed)
    total, done = 0.0, False
    while not done:
        action = agent.act(state, deterministic=True).astype(np.float32)
        state, reward, terminated, truncated, _ = env.step(action)
        total, done = total + float(reward), terminated or truncated
    return total


if __name__ == "__main__":
    main()
