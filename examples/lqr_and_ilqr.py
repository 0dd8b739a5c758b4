"""Gradient-based planning: exact on a linear system, from a sampled plan on a learned pendulum.

Run: python examples/lqr_and_ilqr.py
"""

from __future__ import annotations

import time

import gymnasium as gym
import numpy as np

import dynaplan as dp

A = np.array([[1.0, 0.1], [0.0, 1.0]])  # position, speed
B = np.array([[0.005], [0.1]])


def linear_system() -> None:
    """A cart brought to rest: gains from the Riccati equation, and the effect of bounds."""
    regulator = dp.lqr(A, B, Q=[1.0, 0.1], R=[0.1])
    print(f"infinite horizon: action = -K s with K = {regulator.K.round(3)}")
    print(f"modes of A - B K: {np.abs(np.linalg.eigvals(A - B @ regulator.K)).round(3)}")

    rng = np.random.default_rng(0)
    states, actions = rng.normal(size=(100, 2)), rng.uniform(-1.0, 1.0, size=(100, 1))
    model = dp.LinearGaussian.fit(dp.Transitions(states, actions, states @ A.T + actions @ B.T))
    reward = dp.rewards.quadratic([1.0, 0.1], of="state") + dp.rewards.action_cost([0.1])
    start = [2.0, 0.0]
    for limit in (100.0, 1.0):
        planner = dp.LQR(horizon=40, infinite_horizon=True)
        plan = planner.plan(model, reward, start, action_space=([-limit], [limit]))
        bound = int((np.abs(plan.actions) == limit).sum())
        print(
            f"bounds of {limit:g}: first action {plan.actions[0, 0]:.3f}, {bound} steps at a bound"
        )


def pendulum() -> None:
    """Swing-up on a model of 400 transitions: by sampling, by gradients, and by both in turn."""
    env = gym.make("Pendulum-v1")
    data = dp.collect(env, steps=400, seed=0, episode_steps=50)
    model = dp.LinearGaussian.fit(data, features=dp.Polynomial(2))
    reward = dp.rewards.for_env(env)
    sampler = dp.ICEM(horizon=25)
    planners = {
        "ICEM": sampler,
        "ILQR": dp.ILQR(horizon=25),
        "ILQR from ICEM": dp.ILQR(horizon=25, start=sampler),
    }
    print("\nPendulum-v1, mean return of three episodes, and time per decision:")
    for name, planner in planners.items():
        mpc = dp.MPC(model, reward, planner, action_space=env.action_space, seed=0)
        returns, seconds = [], []
        for seed in (1001, 1002, 1003):
            mpc.reset()
            state, _ = env.reset(seed=seed)
            total = 0.0
            for _ in range(200):
                begin = time.perf_counter()
                action = mpc.act(state)
                seconds.append(time.perf_counter() - begin)
                state, step_reward, *_ = env.step(action.astype(np.float32))
                total += float(step_reward)
            returns.append(total)
        print(f"{name:>15}: {np.mean(returns):7.1f}, {1e3 * np.median(seconds):.2f} ms")
    env.close()


def main() -> None:
    linear_system()
    pendulum()


if __name__ == "__main__":
    main()
