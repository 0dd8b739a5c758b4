"""Plans with a reward and a termination of one's own, on a linear system.

A cart on a rail must reach position 1 quickly, but must not move faster than 0.6.

Run: python examples/custom_reward.py
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

import dynaplan as dp

Array = NDArray[np.float64]

A = np.array([[1.0, 0.1], [0.0, 0.95]])  # position, speed
B = np.array([[0.0], [0.1]])
SPEED_LIMIT = 0.6


def step(state: Array, action: Array) -> Array:
    """The real system; the model learns it from data."""
    return state @ A.T + action @ B.T


def reward(obs: Array, act: Array, next_obs: Array) -> Array:
    """(N, 2), (N, 1), (N, 2) to (N,): 1 for each step alive, minus the distance and the effort."""
    return 1.0 - np.abs(next_obs[:, 0] - 1.0) - 0.01 * act[:, 0] ** 2


def too_fast(obs: Array, act: Array, next_obs: Array) -> NDArray[np.bool_]:
    """Ends the episode; since the reward of a step is positive, the planner avoids that."""
    return np.abs(next_obs[:, 1]) > SPEED_LIMIT


def main() -> None:
    rng = np.random.default_rng(0)
    states, actions = rng.normal(size=(100, 2)), rng.uniform(-1.0, 1.0, size=(100, 1))
    noise = 0.001 * rng.normal(size=states.shape)
    model = dp.LinearGaussian.fit(dp.Transitions(states, actions, step(states, actions) + noise))
    print(f"learned A =\n{model.A.round(3)}")

    for name, termination in (("without a limit", None), ("with the limit", too_fast)):
        mpc = dp.MPC(
            model,
            reward,
            dp.CEM(horizon=20, candidates=300, elites=30),
            action_space=([-1.0], [1.0]),
            termination=termination,
            seed=0,
        )
        path = [np.zeros(2)]
        for _ in range(60):
            path.append(step(path[-1], mpc.act(path[-1])))
        positions, speeds = np.array(path).T
        arrived = int(np.argmax(positions > 0.95))
        print(
            f"{name}: top speed {speeds.max():.2f}, within 0.05 after {arrived} steps, "
            f"ends at {positions[-1]:.3f}"
        )


if __name__ == "__main__":
    main()
