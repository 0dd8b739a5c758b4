"""NumPy: step by step over the whole batch, the condensed form, and its least squares.

NumPy's BLAS takes its thread count from the environment, which the runner sets before the import.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bench.case import Prepared
from bench.workloads import (
    PENDULUM_MAX_SPEED,
    PENDULUM_MAX_TORQUE,
    PENDULUM_TIME_STEP,
    FloatArray,
    LinearPlanning,
    LinearRollouts,
    PendulumPlanning,
    PlanBudget,
    Regression,
)

PLANS_TO_JUDGE = 20  # plans are random: the mean true return of this many is shown


def judged(plan: Callable[[], FloatArray]) -> Callable[[], FloatArray]:
    """Returns a function that stacks several plans, for the check beside the timing."""
    return lambda: np.stack([np.asarray(plan()) for _ in range(PLANS_TO_JUDGE)])


def cross_entropy_plan(
    evaluate: Callable[[FloatArray], FloatArray],
    budget: PlanBudget,
    action_dim: int,
    half_range: float,
) -> Callable[[], FloatArray]:
    """Returns a planner over time-major actions (H, N, A); its plan is the last mean (H, A).

    The mean, as in PETS and mbrl-lib: in 180 dimensions the best single sample is far worse.
    """
    generator = np.random.Generator(np.random.SFC64())
    shape = (budget.horizon, budget.candidates, action_dim)
    noise = np.empty(shape, dtype=np.float32)

    def plan() -> FloatArray:
        mean = np.zeros((budget.horizon, action_dim), dtype=np.float32)
        std = np.full_like(mean, budget.initial_std * half_range)
        for _ in range(budget.iterations):
            generator.standard_normal(dtype=np.float32, out=noise)
            actions = np.clip(mean[:, None] + std[:, None] * noise, -half_range, half_range)
            returns = evaluate(actions)
            top = np.argpartition(-returns, budget.elites)[: budget.elites]
            elites = actions[:, top]
            mean = budget.smoothing * mean + (1 - budget.smoothing) * elites.mean(axis=1)
            std = budget.smoothing * std + (1 - budget.smoothing) * elites.std(axis=1)
        return mean

    return plan


def cem_pendulum(inputs: PendulumPlanning, threads: int) -> Prepared:
    """Cross-entropy plan on the analytic pendulum, float32, rewards of all steps at the end."""
    budget = inputs.budget
    angles = np.empty((budget.horizon, budget.candidates), dtype=np.float32)
    speeds = np.empty_like(angles)
    turn = np.float32(2 * np.pi)

    def evaluate(actions: FloatArray) -> FloatArray:
        torques = actions[..., 0]
        kicks = torques * np.float32(3.0 * PENDULUM_TIME_STEP)
        angle = np.full(budget.candidates, inputs.angle, dtype=np.float32)
        speed = np.full(budget.candidates, inputs.speed, dtype=np.float32)
        for t in range(budget.horizon):
            angles[t], speeds[t] = angle, speed
            speed = speed + np.sin(angle) * np.float32(15.0 * PENDULUM_TIME_STEP) + kicks[t]
            np.clip(speed, -PENDULUM_MAX_SPEED, PENDULUM_MAX_SPEED, out=speed)
            angle = angle + speed * np.float32(PENDULUM_TIME_STEP)
        wrapped = angles - turn * np.rint(angles / turn)
        costs = wrapped * wrapped + np.float32(0.1) * speeds * speeds
        costs += np.float32(0.001) * torques * torques
        return np.asarray(-costs.sum(axis=0))

    plan = cross_entropy_plan(evaluate, budget, 1, PENDULUM_MAX_TORQUE)
    return Prepared(plan, judged(plan), note="float32, SFC64 normals")


def cem_linear(inputs: LinearPlanning, threads: int) -> Prepared:
    """Cross-entropy plan on the linear system, float32, one product [x u][A B]' a step."""
    budget, system = inputs.budget, inputs.system
    step = np.vstack([system.A.T, system.B.T]).astype(np.float32)
    drift = system.c.astype(np.float32)
    start = inputs.state.astype(np.float32)
    weights = inputs.state_weights.astype(np.float32)
    action_weights = inputs.action_weights.astype(np.float32)
    inputs_of_step = np.empty((budget.candidates, len(step)), dtype=np.float32)
    states = np.empty((budget.horizon, budget.candidates, system.state_dim), dtype=np.float32)

    def evaluate(actions: FloatArray) -> FloatArray:
        inputs_of_step[:, : system.state_dim] = start
        for t in range(budget.horizon):
            inputs_of_step[:, system.state_dim :] = actions[t]
            np.matmul(inputs_of_step, step, out=states[t])
            states[t] += drift
            inputs_of_step[:, : system.state_dim] = states[t]
        costs = np.einsum("tni,tni->n", states @ weights, states)
        costs += np.einsum("tni,tni->n", actions @ action_weights, actions)
        return np.asarray(-costs)

    plan = cross_entropy_plan(evaluate, budget, system.action_dim, 1.0)
    return Prepared(plan, judged(plan), note="float32, SFC64 normals")


def linear_returns(inputs: LinearRollouts, threads: int) -> Prepared:
    """Returns step by step over the whole batch, float32, work arrays reused."""
    system, (count, horizon, _) = inputs.system, inputs.actions.shape
    A, B, c = (part.astype(np.float32) for part in (system.A.T, system.B.T, system.c))
    weights = inputs.state_weights.astype(np.float32)
    action_weights = inputs.action_weights.astype(np.float32)
    state, following, weighted = (np.empty_like(inputs.states) for _ in range(3))

    def run() -> FloatArray:
        nonlocal state, following
        state[:] = inputs.states
        flat = inputs.actions.reshape(count * horizon, -1)
        costs = (
            np.einsum("ni,ni->n", flat @ action_weights, flat).reshape(count, horizon).sum(axis=1)
        )
        for t in range(horizon):
            np.matmul(state, A, out=following)
            following += inputs.actions[:, t] @ B
            following += c
            np.matmul(following, weights, out=weighted)
            costs += np.einsum("ni,ni->n", weighted, following)
            state, following = following, state
        return np.asarray(-costs)

    return Prepared(run, note="step by step, float32")


def condensed_factor(inputs: LinearRollouts) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Returns the factors of `return = -|[u s 1] L|^2`: of actions, of start state, of one."""
    system, horizon = inputs.system, inputs.actions.shape[1]
    size = horizon * system.action_dim + system.state_dim + 1
    # Row maps [u s 1] to the state; each step adds W in those coordinates.
    state_map = np.zeros((system.state_dim, size))
    state_map[:, size - 1 - system.state_dim : size - 1] = np.eye(system.state_dim)
    form = np.zeros((size, size))
    for t in range(horizon):
        state_map = system.A @ state_map
        columns = slice(t * system.action_dim, (t + 1) * system.action_dim)
        state_map[:, columns] += system.B
        state_map[:, -1] += system.c
        form += state_map.T @ inputs.state_weights @ state_map
        form[columns, columns] += inputs.action_weights
    values, vectors = np.linalg.eigh(form)
    factor = (vectors * np.sqrt(np.maximum(values, 0.0))).astype(np.float32)
    first = horizon * system.action_dim
    return factor[:first], factor[first:-1], factor[-1]


def linear_returns_condensed(inputs: LinearRollouts, threads: int) -> Prepared:
    """All steps in one product: the return is a quadratic form in actions and start state."""
    of_actions, of_state, of_one = (np.ascontiguousarray(f) for f in condensed_factor(inputs))
    flat = inputs.actions.reshape(len(inputs.actions), -1)
    product = np.empty((len(flat), of_actions.shape[1]), dtype=np.float32)

    def run() -> FloatArray:
        np.matmul(flat, of_actions, out=product)
        np.add(product, inputs.states @ of_state + of_one, out=product)
        return np.asarray(-np.einsum("ni,ni->n", product, product))

    return Prepared(run, note="factor not timed, float32")


def linear_trajectories(inputs: LinearRollouts, threads: int) -> Prepared:
    """Trajectories, time-major (H + 1, N, S) as suits NumPy, seen as (N, H + 1, S)."""
    system, (count, horizon, _) = inputs.system, inputs.actions.shape
    A, B, c = (part.astype(np.float32) for part in (system.A.T, system.B.T, system.c))
    shape = (horizon + 1, count, system.state_dim)
    reused = np.empty(shape, dtype=np.float32) if inputs.reuse_output else None

    def run() -> FloatArray:
        states = np.empty(shape, dtype=np.float32) if reused is None else reused
        states[0] = inputs.states
        for t in range(horizon):
            np.matmul(states[t], A, out=states[t + 1])
            states[t + 1] += inputs.actions[:, t] @ B
            states[t + 1] += c
        return np.asarray(states.transpose(1, 0, 2))

    return Prepared(run, note="time-major, float32")


def features_of(inputs: Regression) -> FloatArray:
    """Returns the rows [states actions 1], which every least-squares peer gets ready-made."""
    return np.column_stack([inputs.states, inputs.actions, np.ones(len(inputs.states))])


def least_squares(inputs: Regression, threads: int) -> Prepared:
    """`numpy.linalg.lstsq` (LAPACK gelsd) on ready-made features."""
    features, targets = features_of(inputs), inputs.next_states
    return Prepared(lambda: np.linalg.lstsq(features, targets, rcond=None)[0].T)


def normal_equations(inputs: Regression, threads: int) -> Prepared:
    """`solve(X'X, X'Y)` on ready-made features."""
    features, targets = features_of(inputs), inputs.next_states
    return Prepared(lambda: np.linalg.solve(features.T @ features, features.T @ targets).T)


def recursive_update(inputs: Regression, threads: int) -> Prepared:
    """Recursive least squares with the covariance form, one row a call."""
    rows = features_of(inputs)
    targets = inputs.next_states
    covariance = 1e6 * np.eye(rows.shape[1])
    coefficients = np.zeros((targets.shape[1], rows.shape[1]))
    row = 0

    def run() -> None:
        nonlocal row
        feature = rows[row]
        direction = covariance @ feature
        gain = direction / (1.0 + feature @ direction)
        coefficients[:] += np.outer(targets[row] - coefficients @ feature, gain)
        covariance[:] -= np.outer(gain, direction)
        row = (row + 1) % len(rows)

    def answer() -> FloatArray:
        for _ in range(len(rows)):
            run()
        return coefficients

    return Prepared(run, answer)
