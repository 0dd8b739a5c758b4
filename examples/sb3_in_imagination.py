"""Trains PPO of Stable-Baselines3 in a learned model, and evaluates it in the real environment.

PPO is model-free and needs a few hundred thousand steps. Here they are imagined: only the 400
steps of random torques from which the model is fitted are real.

Run: python examples/sb3_in_imagination.py   (needs pip install stable-baselines3)
"""

from __future__ import annotations

import importlib.util
import time

import gymnasium as gym
import numpy as np

import dynaplan as dp

REAL_STEPS = 400
IMAGINED_STEPS = 65_536  # between two evaluations
EVALUATIONS = 5
EPISODES = 5


def imagined_pendulums(env: gym.Env, num_envs: int) -> dp.ImaginedVectorEnv:
    """Fits a model to random torques, and makes a vector environment of it."""
    data = dp.collect(env, steps=REAL_STEPS, seed=0, episode_steps=50)
    return dp.ImaginedVectorEnv(
        dp.LinearGaussian.fit(data, features=dp.Polynomial(2)),
        num_envs,
        starts=data.states,  # real states
        action_space=env.action_space,
        observation_space=env.observation_space,
        reward=dp.rewards.for_env(env),
        max_episode_steps=25,  # short: errors compound
        autoreset_mode="SameStep",  # as Stable-Baselines3 resets
        seed=0,
    )


def main() -> None:
    if importlib.util.find_spec("stable_baselines3") is None:
        print("skipped: Stable-Baselines3 is missing; pip install stable-baselines3")
        return
    import stable_baselines3  # noqa: PLC0415  # checked above

    from dynaplan.envs.sb3 import SB3VecEnv  # noqa: PLC0415  # likewise

    env = gym.make("Pendulum-v1")
    agent = stable_baselines3.PPO(
        "MlpPolicy",
        SB3VecEnv(imagined_pendulums(env, 64)),
        n_steps=64,
        batch_size=512,
        gamma=0.95,
        learning_rate=1e-3,
        device="cpu",
        seed=0,
    )
    print(f"{REAL_STEPS} real steps; return of {EPISODES} real episodes:")
    print(f"{0:>7} imagined steps: {mean_return(env, agent):6.0f}")
    begin = time.perf_counter()
    for _ in range(EVALUATIONS):
        agent.learn(IMAGINED_STEPS, reset_num_timesteps=False)
        seconds = time.perf_counter() - begin
        steps = agent.num_timesteps
        print(f"{steps:>7} imagined steps: {mean_return(env, agent):6.0f}, after {seconds:.0f} s")
    env.close()


def mean_return(env: gym.Env, agent: object) -> float:
    """Returns the mean return of the deterministic policy in the real environment."""
    totals = []
    for episode in range(EPISODES):
        state, _ = env.reset(seed=1000 + episode)
        total, done = 0.0, False
        while not done:
            action, _ = agent.predict(state, deterministic=True)
            state, reward, terminated, truncated, _ = env.step(action)
            total, done = total + float(reward), terminated or truncated
        totals.append(total)
    return float(np.mean(totals))


if __name__ == "__main__":
    main()
