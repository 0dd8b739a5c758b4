"""Learns to balance a pole from a few hundred real steps and many more that a model imagines.

After each real step soft actor-critic makes forty updates on transitions that an ensemble of
networks predicted, no further ahead than it can be trusted on steps that it has not seen.

Run: python examples/mbpo_inverted_pendulum.py   (needs pip install "dynaplan[mujoco]")
"""

from __future__ import annotations

import importlib.util
import time

import gymnasium as gym
import numpy as np

import dynaplan as dp

STEPS = 1000
EPISODES = 5


def main() -> None:
    if importlib.util.find_spec("mujoco") is None:
        print('skipped: MuJoCo is missing; pip install "dynaplan[mujoco]"')
        return
    env = gym.make("InvertedPendulum-v5")  # reward 1 per step until the pole falls, 1000 at most
    mbpo = dp.MBPO(
        env,
        reward=dp.rewards.for_env(env),
        termination=dp.terminations.for_env(env),
        seed=0,
    )
    begin = time.perf_counter()
    falls: list[int] = []
    for it in mbpo.run(STEPS):
        if not it.finished:
            print(f"{it.steps:>4} real steps: the pole has been up for {it.episode_steps}")
            break
        falls.append(it.episode_steps)
        if sum(falls) < STEPS / 10:
            continue  # at first it falls within ten steps
        trust = f"{it.length} steps" if it.length else "no step"
        print(
            f"{it.steps:>4} real steps: it fell after {np.mean(falls):>5.1f} steps on average; "
            f"the model is trusted for {trust}"
        )
        falls = []
    seconds = time.perf_counter() - begin
    print(f"{mbpo.agent.updates} updates of the agent; {seconds:.0f} s in all")
    totals = [episode_return(env, mbpo.agent, seed=1000 + episode) for episode in range(EPISODES)]
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
