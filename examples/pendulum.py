"""Swings a pendulum up after 200 random transitions.

Run: python examples/pendulum.py
"""

from __future__ import annotations

import time

import gymnasium as gym
import numpy as np

import dynaplan as dp

TRANSITIONS = 200
EPISODES = 3


def main() -> None:
    env = gym.make("Pendulum-v1")
    data = dp.collect(env, steps=TRANSITIONS, seed=0, episode_steps=50)
    train, held_out = data.split(0.25, seed=0)
    print(f"collected {data}")

    model = dp.LinearGaussian.fit(train, features=dp.Polynomial(2))
    print(f"fitted {model}\n")
    print(dp.evaluate(model, held_out, horizon=50))

    # The check is done: now use all rows.
    model = model.updated(held_out)
    reward = dp.rewards.for_env(env)
    mpc = dp.MPC(model, reward, dp.CEM(horizon=20), action_space=env.action_space, seed=0)
    print(f"\ncontrolling {EPISODES} episodes of 200 steps with {mpc.planner}")
    for episode in range(EPISODES):
        print(run_episode(env, mpc, seed=1000 + episode))
    env.close()


def run_episode(env: gym.Env, mpc: dp.MPC, seed: int) -> str:
    """Controls one episode and describes it in a line."""
    mpc.reset()
    state, _ = env.reset(seed=seed)
    total, seconds, truncated, upright = 0.0, [], False, 0
    while not truncated:
        begin = time.perf_counter()
        action = mpc.act(state)
        seconds.append(time.perf_counter() - begin)
        state, reward, _, truncated, _ = env.step(action)
        total += float(reward)
        upright += bool(state[0] > 0.95)  # the cosine of the angle, 1 at the top
    return (
        f"  seed {seed}: return {total:.0f}, upright for {upright} of {len(seconds)} steps, "
        f"median decision {1e3 * np.median(seconds):.2f} ms"
    )


if __name__ == "__main__":
    main()
