"""JAX: one jitted program a plan, a rollout or a fit, on the CPU backend."""

from __future__ import annotations

import os
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from bench.case import Prepared
from bench.peers.numpy import features_of, judged
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

Pair = tuple[jax.Array, jax.Array]
Triple = tuple[jax.Array, jax.Array, jax.Array]

TWO_PI = 2.0 * float(np.pi)
UNROLL = 30  # the whole horizon: no slower than 1 or 5 in short trials


def limit_threads(threads: int) -> None:
    """Pins the process to one core for one thread: XLA has no dependable setting of its own.

    Must run before the first JAX operation, which starts XLA's pool.
    """
    if threads == 1 and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def as_float(array: FloatArray) -> jax.Array:
    """Returns a float32 device array."""
    return jnp.asarray(array, dtype=jnp.float32)


def ready(function: Callable[[], jax.Array]) -> Callable[[], FloatArray]:
    """Returns a function that waits for the result and views it as NumPy."""
    return lambda: np.asarray(function().block_until_ready())


def cross_entropy_plan(
    evaluate: Callable[[jax.Array], jax.Array],
    budget: PlanBudget,
    action_dim: int,
    half_range: float,
) -> Callable[[], FloatArray]:
    """Returns a planner in one program; its plan is the last mean (H, A)."""
    shape = (budget.horizon, budget.candidates, action_dim)
    keep = budget.smoothing

    def iteration(_: int, carry: Triple) -> Triple:
        key, mean, std = carry
        key, now = jax.random.split(key)
        noise = jax.random.normal(now, shape)
        actions = jnp.clip(mean[:, None] + std[:, None] * noise, -half_range, half_range)
        elites = actions[:, jax.lax.top_k(evaluate(actions), budget.elites)[1]]
        mean = keep * mean + (1 - keep) * elites.mean(axis=1)
        std = keep * std + (1 - keep) * elites.std(axis=1)
        return key, mean, std

    @jax.jit
    def plan(key: jax.Array) -> Pair:
        mean = jnp.zeros((budget.horizon, action_dim))
        std = jnp.full_like(mean, budget.initial_std * half_range)
        key, mean, _ = jax.lax.fori_loop(0, budget.iterations, iteration, (key, mean, std))
        return mean, key

    key = jax.random.key(0, impl="rbg")

    def run() -> FloatArray:
        nonlocal key
        mean, key = plan(key)
        return np.asarray(mean)

    return run


def cem_pendulum(inputs: PendulumPlanning, threads: int) -> Prepared:
    """Cross-entropy plan on the analytic pendulum."""
    limit_threads(threads)

    def evaluate(actions: jax.Array) -> jax.Array:
        def step(carry: Triple, torque: jax.Array) -> tuple[Triple, None]:
            angle, speed, total = carry
            wrapped = angle - TWO_PI * jnp.round(angle / TWO_PI)
            total = total - (wrapped**2 + 0.1 * speed**2 + 0.001 * torque**2)
            speed = speed + (15.0 * jnp.sin(angle) + 3.0 * torque) * PENDULUM_TIME_STEP
            speed = jnp.clip(speed, -PENDULUM_MAX_SPEED, PENDULUM_MAX_SPEED)
            return (angle + speed * PENDULUM_TIME_STEP, speed, total), None

        zeros = jnp.zeros(actions.shape[1])
        carry = (zeros + inputs.angle, zeros + inputs.speed, zeros)
        return jax.lax.scan(step, carry, actions[..., 0], unroll=UNROLL)[0][2]

    plan = cross_entropy_plan(evaluate, inputs.budget, 1, PENDULUM_MAX_TORQUE)
    return Prepared(plan, judged(plan), note="float32, rbg normals")


def cem_linear(inputs: LinearPlanning, threads: int) -> Prepared:
    """Cross-entropy plan on the linear system."""
    limit_threads(threads)
    system = inputs.system
    A, B, c = as_float(system.A.T), as_float(system.B.T), as_float(system.c)
    weights, action_weights = as_float(inputs.state_weights), as_float(inputs.action_weights)
    start = as_float(inputs.state)

    def evaluate(actions: jax.Array) -> jax.Array:
        def step(state: jax.Array, drive: jax.Array) -> tuple[jax.Array, jax.Array]:
            state = state @ A + drive
            return state, state

        first = jnp.broadcast_to(start, (actions.shape[1], len(start)))
        states = jax.lax.scan(step, first, actions @ B + c, unroll=UNROLL)[1]
        costs = jnp.sum((states @ weights) * states, axis=(0, 2))
        return -(costs + jnp.sum((actions @ action_weights) * actions, axis=(0, 2)))

    plan = cross_entropy_plan(evaluate, inputs.budget, system.action_dim, 1.0)
    return Prepared(plan, judged(plan), note="float32, rbg normals")


def linear_returns(inputs: LinearRollouts, threads: int) -> Prepared:
    """Returns step by step in one program."""
    limit_threads(threads)
    system = inputs.system
    A, B, c = as_float(system.A.T), as_float(system.B.T), as_float(system.c)
    weights, action_weights = as_float(inputs.state_weights), as_float(inputs.action_weights)
    start, actions = as_float(inputs.states), as_float(inputs.actions)

    @jax.jit
    def returns(state: jax.Array, actions: jax.Array) -> jax.Array:
        def step(carry: Pair, action: jax.Array) -> tuple[Pair, None]:
            state, total = carry
            state = state @ A + action @ B + c
            costs = jnp.sum((state @ weights) * state, axis=1)
            costs += jnp.sum((action @ action_weights) * action, axis=1)
            return (state, total - costs), None

        first = (state, jnp.zeros(len(state)))
        return jax.lax.scan(step, first, actions.transpose(1, 0, 2))[0][1]

    return Prepared(ready(lambda: returns(start, actions)), note="step by step, float32")


def linear_trajectories(inputs: LinearRollouts, threads: int) -> Prepared:
    """Trajectories in one program, time-major, seen as (N, H + 1, S)."""
    limit_threads(threads)
    system = inputs.system
    A, B, c = as_float(system.A.T), as_float(system.B.T), as_float(system.c)
    start, actions = as_float(inputs.states), as_float(inputs.actions)

    @jax.jit
    def trajectories(state: jax.Array, actions: jax.Array) -> jax.Array:
        steps = actions.transpose(1, 0, 2)
        states = jnp.zeros((len(steps) + 1, *state.shape), state.dtype).at[0].set(state)

        def step(t: jax.Array, states: jax.Array) -> jax.Array:
            return states.at[t + 1].set(states[t] @ A + steps[t] @ B + c)

        # A loop that updates in place: faster in short trials than a scan and a concatenation.
        return jnp.asarray(jax.lax.fori_loop(0, len(steps), step, states))

    run = ready(lambda: trajectories(start, actions))
    return Prepared(lambda: run().transpose(1, 0, 2), note="time-major, float32, always fresh")


def normal_equations(inputs: Regression, threads: int) -> Prepared:
    """`X'X`, `X'Y` and a Cholesky solve in one program, float64."""
    limit_threads(threads)
    jax.config.update("jax_enable_x64", True)  # type: ignore[no-untyped-call]
    features, targets = jnp.asarray(features_of(inputs)), jnp.asarray(inputs.next_states)

    @jax.jit
    def fit(features: jax.Array, targets: jax.Array) -> jax.Array:
        factor = jax.scipy.linalg.cho_factor(features.T @ features)
        return jax.scipy.linalg.cho_solve(factor, features.T @ targets).T

    return Prepared(ready(lambda: fit(features, targets)))
