"""JAX imagines transitions: one jitted program, batched products over the elites."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from bench.case import Prepared
from bench.imagination_workload import ELITES, Imagination
from bench.network_workload import ACTIONS, LOG_VARIANCE_HIGH, LOG_VARIANCE_LOW, STATES
from bench.peers.jax import as_float, limit_threads
from bench.workloads import FloatArray

Made = tuple[jax.Array, jax.Array, jax.Array, jax.Array]


def imagine(inputs: Imagination, threads: int) -> Prepared:
    """Starts are shuffled and dealt to the elites in equal shares."""
    limit_threads(threads)
    actor = [(as_float(w), as_float(b)) for w, b in inputs.actor()]
    layers = [
        (as_float(w[:ELITES]), as_float(b[:ELITES])[:, None]) for w, b in inputs.ensemble.layers()
    ]
    starts = as_float(inputs.starts)

    @jax.jit
    def step(starts: jax.Array, key: jax.Array) -> Made:
        key, of_order, of_noise = jax.random.split(key, 3)
        states = starts[jax.random.permutation(of_order, len(starts))]
        normals = jax.random.normal(of_noise, (len(starts), ACTIONS + STATES))
        x = states
        for weights, biases in actor[:-1]:
            x = jax.nn.relu(x @ weights + biases)
        x = x @ actor[-1][0] + actor[-1][1]
        deviation = jnp.exp(jnp.clip(x[:, ACTIONS:], -20.0, 2.0))
        actions = jnp.tanh(x[:, :ACTIONS] + deviation * normals[:, :ACTIONS])
        x = jnp.concatenate([states, actions], axis=1).reshape(ELITES, -1, STATES + ACTIONS)
        for weights, biases in layers[:-1]:
            x = jax.nn.silu(x @ weights + biases)
        x = (x @ layers[-1][0] + layers[-1][1]).reshape(len(starts), -1)
        value = LOG_VARIANCE_HIGH - jax.nn.softplus(LOG_VARIANCE_HIGH - x[:, STATES:])
        value = LOG_VARIANCE_LOW + jax.nn.softplus(value - LOG_VARIANCE_LOW)
        after = states + x[:, :STATES] + jnp.exp(0.5 * value) * normals[:, ACTIONS:]
        return actions, after, -(after * after).sum(axis=1), key

    key = jax.random.key(0, impl="rbg")

    def run() -> Made:
        nonlocal key
        made: Made = step(starts, key)
        key = made[3]
        return jax.block_until_ready(made)

    def answer() -> FloatArray:
        actions, _, rewards, _ = run()
        return np.array([float(rewards.mean()), float(jnp.abs(actions).mean())])

    return Prepared(run, answer, note="one program, batched products, float32, rbg normals")
