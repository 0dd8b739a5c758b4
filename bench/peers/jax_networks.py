"""JAX rolls out networks: one jitted program with a scan over time."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from bench.case import Prepared
from bench.network_workload import (
    LOG_VARIANCE_HIGH,
    LOG_VARIANCE_LOW,
    STATES,
    NetworkRollouts,
)
from bench.peers.jax import as_float, cross_entropy_plan, limit_threads, ready
from bench.peers.numpy import judged
from bench.planning_workload import NetworkPlanning

Layers = list[tuple[jax.Array, jax.Array]]
Pair = tuple[jax.Array, jax.Array]
Triple = tuple[jax.Array, jax.Array, jax.Array]


def rolled_out(layers: Layers, start: jax.Array, actions: jax.Array) -> jax.Array:
    """Returns (N,) returns of time-major actions (H, N, A) from (N, S)."""

    def step(carry: Pair, action: jax.Array) -> tuple[Pair, None]:
        state, total = carry
        x = jnp.concatenate([state, action], axis=1)
        for weights, biases in layers[:-1]:
            x = jax.nn.silu(x @ weights + biases)
        state = state + x @ layers[-1][0] + layers[-1][1]
        return (state, total - (state * state).sum(axis=1)), None

    return jax.lax.scan(step, (start, jnp.zeros(len(start))), actions)[0][1]


def returns(inputs: NetworkRollouts, threads: int) -> Prepared:
    """All steps in one program."""
    limit_threads(threads)
    layers = [(as_float(w[0]), as_float(b[0])) for w, b in inputs.layers()]
    start, actions = as_float(inputs.states), as_float(inputs.actions.transpose(1, 0, 2))
    rolled = jax.jit(lambda start, actions: rolled_out(layers, start, actions))
    return Prepared(ready(lambda: rolled(start, actions)), note="one scan, float32")


def cem_network(inputs: NetworkPlanning, threads: int) -> Prepared:
    """Cross-entropy plan in one program."""
    limit_threads(threads)
    layers = [(as_float(w[0]), as_float(b[0])) for w, b in inputs.networks.layers()]
    start = as_float(inputs.state)

    def evaluate(actions: jax.Array) -> jax.Array:
        return rolled_out(layers, jnp.tile(start, (actions.shape[1], 1)), actions)

    plan = cross_entropy_plan(evaluate, inputs.budget, 6, 1.0)
    return Prepared(plan, judged(plan), note="one program, scan over time, float32, rbg normals")


def ensemble_returns(inputs: NetworkRollouts, threads: int) -> Prepared:
    """One program; "ts1" shuffles the trajectories among the members every step."""
    limit_threads(threads)
    layers = [(as_float(w), as_float(b)[:, None]) for w, b in inputs.layers()]
    count = len(inputs.actions)
    rows = count * inputs.particles
    start = jnp.broadcast_to(as_float(inputs.states), (rows, STATES))
    actions = as_float(inputs.actions.transpose(1, 0, 2))
    shuffles = inputs.propagation == "ts1"

    def change(x: jax.Array, key: jax.Array) -> jax.Array:
        x = x.reshape(inputs.members, -1, x.shape[1])
        for weights, biases in layers[:-1]:
            x = jax.nn.silu(x @ weights + biases)
        x = x @ layers[-1][0] + layers[-1][1]
        value = LOG_VARIANCE_HIGH - jax.nn.softplus(LOG_VARIANCE_HIGH - x[..., STATES:])
        value = LOG_VARIANCE_LOW + jax.nn.softplus(value - LOG_VARIANCE_LOW)
        mean = x[..., :STATES]
        drawn: jax.Array = mean + jnp.exp(0.5 * value) * jax.random.normal(key, mean.shape)
        return drawn.reshape(rows, STATES)

    @jax.jit
    def rolled(key: jax.Array) -> Pair:
        def step(carry: Triple, action: jax.Array) -> tuple[Triple, None]:
            state, total, key = carry
            key, of_noise, of_order = jax.random.split(key, 3)
            x = jnp.concatenate([state, jnp.tile(action, (inputs.particles, 1))], axis=1)
            if shuffles:
                order = jax.random.permutation(of_order, rows)
                state = state.at[order].add(change(x[order], of_noise))
            else:
                state = state + change(x, of_noise)
            return (state, total - (state * state).sum(axis=1), key), None

        first = (start, jnp.zeros(rows), key)
        _, total, key = jax.lax.scan(step, first, actions)[0]
        return total.reshape(inputs.particles, count).mean(axis=0), key

    key = jax.random.key(0, impl="rbg")

    def run() -> jax.Array:
        nonlocal key
        total: jax.Array
        total, key = rolled(key)
        return total

    return Prepared(ready(run), note="one scan, float32, rbg normals")


def step(inputs: NetworkRollouts, threads: int) -> Prepared:
    """One state through a jitted network."""
    limit_threads(threads)
    layers = [(as_float(w[0]), as_float(b[0])) for w, b in inputs.layers()]
    state, action = inputs.states[:1], inputs.actions[:1, 0]

    @jax.jit
    def following(state: jax.Array, action: jax.Array) -> jax.Array:
        x = jnp.concatenate([state, action], axis=1)
        for weights, biases in layers[:-1]:
            x = jax.nn.silu(x @ weights + biases)
        return state + x @ layers[-1][0] + layers[-1][1]

    return Prepared(ready(lambda: following(state, action)), note="float32, jitted")
