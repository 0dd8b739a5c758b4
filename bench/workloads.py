"""Inputs shared by ours and every peer: the same numbers in every process, by literal seeds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[Any]  # float32 or float64, as the workload says

PENDULUM_MAX_SPEED = 8.0
PENDULUM_MAX_TORQUE = 2.0
PENDULUM_TIME_STEP = 0.05


@dataclass(frozen=True)
class LinearSystem:
    """`x' = A x + B u + c` with `A (S, S)`, `B (S, A)`, `c (S,)`, float64."""

    A: FloatArray
    B: FloatArray
    c: FloatArray

    @property
    def state_dim(self) -> int:
        """Number of states."""
        return int(self.A.shape[0])

    @property
    def action_dim(self) -> int:
        """Number of actions."""
        return int(self.B.shape[1])


@dataclass(frozen=True)
class LinearRollouts:
    """Rollouts of a linear system with the reward `-(x' W x) - (u' R u)`, x the next state.

    Attributes:
        system: the model.
        states: (N, S) start states.
        actions: (N, H, A).
        state_weights: (S, S) dense, symmetric, positive definite.
        action_weights: (A, A) likewise.
        reuse_output: whether trajectories go to one array given again and again.
    """

    system: LinearSystem
    states: FloatArray
    actions: FloatArray
    state_weights: FloatArray
    action_weights: FloatArray
    reuse_output: bool = False


@dataclass(frozen=True)
class PlanBudget:
    """Work of one cross-entropy plan; normals are fresh in every iteration."""

    horizon: int = 30
    candidates: int = 500
    elites: int = 50
    iterations: int = 5
    smoothing: float = 0.1
    initial_std: float = 0.5  # in units of half the action range, as in dp.CEM
    min_std: float = 0.05


@dataclass(frozen=True)
class PendulumPlanning:
    """Plan from one state of Pendulum-v1 (angle 0 is upright)."""

    budget: PlanBudget
    angle: float = 2.5
    speed: float = 0.5


@dataclass(frozen=True)
class LinearPlanning:
    """Plan for a linear system with a quadratic reward; actions in [-1, 1]."""

    budget: PlanBudget
    system: LinearSystem
    state: FloatArray
    state_weights: FloatArray
    action_weights: FloatArray


@dataclass(frozen=True)
class Regression:
    """`next_states = states A' + actions B' + c + noise`, rows in time order or not, float64."""

    states: FloatArray
    actions: FloatArray
    next_states: FloatArray
    coefficients: (
        FloatArray | None
    )  # (S, S + A + 1), columns [A B c]; None: only a reference exists


def linear_system(state_dim: int = 17, action_dim: int = 6, seed: int = 3) -> LinearSystem:
    """Returns a dense stable system: spectral radius 0.95, actions that matter, a small drift."""
    generator = np.random.default_rng(seed)
    dense = generator.standard_normal((state_dim, state_dim)) / np.sqrt(state_dim)
    radius = float(np.max(np.abs(np.linalg.eigvals(dense))))
    return LinearSystem(
        A=dense * (0.95 / radius),
        B=0.3 * generator.standard_normal((state_dim, action_dim)),
        c=0.01 * generator.standard_normal(state_dim),
    )


def positive_definite(size: int, seed: int) -> FloatArray:
    """Returns a dense (size, size) weight matrix with eigenvalues around 1."""
    root = np.random.default_rng(seed).standard_normal((size, size)) / np.sqrt(size)
    return np.asarray(root @ root.T + 0.1 * np.eye(size))


def linear_rollouts(
    count: int = 16384,
    horizon: int = 50,
    state_dim: int = 17,
    action_dim: int = 6,
    reuse_output: bool = False,
) -> LinearRollouts:
    """Returns float32 start states and actions, each rollout from a state of its own."""
    generator = np.random.default_rng(5)
    return LinearRollouts(
        system=linear_system(state_dim, action_dim),
        states=generator.standard_normal((count, state_dim), dtype=np.float32),
        actions=generator.standard_normal((count, horizon, action_dim), dtype=np.float32),
        state_weights=positive_definite(state_dim, seed=7),
        action_weights=0.1 * positive_definite(action_dim, seed=11),
        reuse_output=reuse_output,
    )


def pendulum_planning() -> PendulumPlanning:
    """Returns the plan of the pendulum cases."""
    return PendulumPlanning(PlanBudget())


def linear_planning() -> LinearPlanning:
    """Returns the plan of the 17-state case."""
    system = linear_system()
    return LinearPlanning(
        budget=PlanBudget(),
        system=system,
        state=np.random.default_rng(13).standard_normal(system.state_dim),
        state_weights=positive_definite(system.state_dim, seed=7),
        action_weights=0.1 * positive_definite(system.action_dim, seed=11),
    )


def regression(
    rows: int, noise: float = 1e-6, condition: float = 1.0, action_dim: int = 7, seed: int = 17
) -> Regression:
    """Returns 17 states and 7 actions as 24 features, 17 targets.

    Args:
        rows: number of transitions.
        noise: standard deviation of the noise; small, so that the true coefficients are known.
        condition: condition number of the feature matrix (without intercept). Above 1 the columns
            are mixed by an orthogonal matrix and scaled, and the coefficients are not returned:
            only a least-squares solution in higher precision is the right answer then.
        action_dim: number of actions.
        seed: of features and noise.
    """
    generator = np.random.default_rng(seed)
    system = linear_system(17, action_dim)
    size = 17 + action_dim
    features = generator.standard_normal((rows, size))
    if condition > 1.0:
        mixing, _ = np.linalg.qr(generator.standard_normal((size, size)))
        features = features * np.geomspace(1.0, 1.0 / condition, size) @ mixing
    coefficients = np.column_stack([system.A, system.B, system.c])
    next_states = features @ coefficients[:, :-1].T + system.c
    next_states += noise * generator.standard_normal(next_states.shape)
    return Regression(
        states=np.ascontiguousarray(features[:, :17]),
        actions=np.ascontiguousarray(features[:, 17:]),
        next_states=next_states,
        coefficients=coefficients if condition == 1.0 else None,
    )


def five_rows() -> Regression:
    """Returns five exact rows (state, action, next state) of `x' = 0.5 x + u`."""
    rows = np.array([(0, 1, 1), (1, 0, 0.5), (0.5, -1, -0.75), (-1, 1, 0.5), (2, -0.5, 0.5)])
    return Regression(rows[:, :1], rows[:, 1:2], rows[:, 2:], np.array([[0.5, 1.0, 0.0]]))


def pendulum_return(start: PendulumPlanning, actions: FloatArray) -> FloatArray:
    """Returns the true return (N,) of torques (N, H) from `start`, by Pendulum-v1's equations."""
    angle = np.full(len(actions), start.angle)
    speed = np.full(len(actions), start.speed)
    total = np.zeros(len(actions))
    for torque in np.clip(actions, -PENDULUM_MAX_TORQUE, PENDULUM_MAX_TORQUE).T:
        wrapped = (angle + np.pi) % (2 * np.pi) - np.pi
        total -= wrapped**2 + 0.1 * speed**2 + 0.001 * torque**2
        speed = speed + (15.0 * np.sin(angle) + 3.0 * torque) * PENDULUM_TIME_STEP
        speed = np.clip(speed, -PENDULUM_MAX_SPEED, PENDULUM_MAX_SPEED)
        angle = angle + speed * PENDULUM_TIME_STEP
    return total


def linear_returns(
    system: LinearSystem,
    states: FloatArray,
    actions: FloatArray,
    state_weights: FloatArray,
    action_weights: FloatArray,
) -> FloatArray:
    """Returns (N,) returns in float64, step by step: the reference of the linear cases."""
    state = np.asarray(states, dtype=np.float64)
    total = np.zeros(len(actions))
    for action in np.moveaxis(np.asarray(actions, dtype=np.float64), 1, 0):
        state = state @ system.A.T + action @ system.B.T + system.c
        total -= np.sum((state @ state_weights) * state, axis=1)
        total -= np.sum((action @ action_weights) * action, axis=1)
    return total


def linear_trajectories(inputs: LinearRollouts) -> FloatArray:
    """Returns (N, H + 1, S) trajectories in float64: the reference of that case."""
    system, states = inputs.system, [np.asarray(inputs.states, dtype=np.float64)]
    for action in np.moveaxis(np.asarray(inputs.actions, dtype=np.float64), 1, 0):
        states.append(states[-1] @ system.A.T + action @ system.B.T + system.c)
    return np.stack(states, axis=1)


def relative_error(answer: FloatArray, reference: FloatArray) -> float:
    """Returns the largest difference over the largest reference value; inf where shapes differ."""
    if np.shape(answer) != np.shape(reference):
        return float("inf")
    return float(np.max(np.abs(answer - reference)) / np.max(np.abs(reference)))
