"""What the planners earn where the model is the pendulum itself: nothing but the search can fail.

The reference: iCEM with 50 candidates in 3 iterations, 20 steps ahead, on the exact equations of
Pendulum-v1 earns -140.0 on the reset seeds 0 to 99 (standard deviation 80 an episode, nearly all of
which is where an episode starts), and a search four times as large no more. So the episodes are the
same here, and the comparison is paired.
"""

from __future__ import annotations

import warnings
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from numpy.typing import NDArray

import dynaplan as dp

Array = NDArray[np.float64]
AHEAD = 20
PLANNERS: dict[str, tuple[Any, float]] = {
    "ICEM": (dp.ICEM(horizon=AHEAD, candidates=50, iterations=3, clip=1.0), -142.0),
    "CEM": (dp.CEM(horizon=AHEAD, clip=1.0), -145.0),
    "MPPI": (dp.MPPI(horizon=AHEAD, clip=1.0), -145.0),
}


def true_steps(angle: Array, speed: Array, torque: Array) -> tuple[Array, Array]:
    """States (cos, sin, speed) and those after a step, by Pendulum-v1's equations without stops."""
    faster = speed + (15.0 * np.sin(angle) + 3.0 * torque) * 0.05
    further = angle + faster * 0.05
    states = np.stack([np.cos(angle), np.sin(angle), speed], axis=1)
    return states, np.stack([np.cos(further), np.sin(further), faster], axis=1)


@pytest.fixture(scope="module")
def pendulum() -> dp.LinearGaussian:
    """Pendulum-v1 to 1e-5 a step, as polynomials of degree 5; `clip=1` stops it at speed 8."""
    random = np.random.default_rng(0)
    angle, speed = random.uniform(-np.pi, np.pi, 60_000), random.uniform(-8.0, 8.0, 60_000)
    speed[:2] = -8.0, 8.0
    torque = random.uniform(-2.0, 2.0, 60_000)
    states, following = true_steps(angle, speed, torque)
    with warnings.catch_warnings():
        # cos^2 + sin^2 = 1 makes some monomials the same; the smallest coefficients do.
        warnings.simplefilter("ignore", dp.RankDeficientWarning)
        return dp.LinearGaussian.fit(
            dp.Transitions(states, torque[:, None], following), features=dp.Polynomial(5)
        )


def episode(model: Any, planner: Any, seed: int) -> float:
    """The return of 200 steps of the environment."""
    env = gym.make("Pendulum-v1")
    reward = dp.rewards.for_env(env)
    mpc = dp.MPC(model, reward, planner, action_space=env.action_space, seed=seed)
    state, _ = env.reset(seed=seed)
    total = 0.0
    for _ in range(200):
        state, earned, *_ = env.step(mpc.act(state).astype(np.float32))
        total += float(earned)
    env.close()
    return total


def test_the_model_is_the_environment(pendulum: dp.LinearGaussian) -> None:
    env = gym.make("Pendulum-v1").unwrapped
    random = np.random.default_rng(1)
    env.reset(seed=0)
    for _ in range(500):
        angle, speed = random.uniform(-np.pi, np.pi), random.uniform(-6.0, 6.0)
        torque = random.uniform(-2.0, 2.0, 1)
        env.state = np.array([angle, speed])
        truth = env.step(torque)[0]
        predicted = pendulum.predict([[np.cos(angle), np.sin(angle), speed]], [torque]).mean[0]
        np.testing.assert_allclose(predicted, truth, atol=2e-5)


def test_ten_episodes_earn_what_those_of_the_reference_do(pendulum: dp.LinearGaussian) -> None:
    # Of these starts the planner makes -132.5; other random numbers move that by 1 or 2.
    planner, _ = PLANNERS["ICEM"]
    returns = [episode(pendulum, planner, seed) for seed in range(10)]
    assert np.mean(returns) >= -137.0


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", PLANNERS)
def test_a_hundred_episodes_earn_what_was_promised(name: str, pendulum: dp.LinearGaussian) -> None:
    planner, least = PLANNERS[name]
    returns = [episode(pendulum, planner, seed) for seed in range(100)]
    assert np.mean(returns) >= least
