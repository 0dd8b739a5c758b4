"""JAX trains an ensemble: 50 steps scanned in one jitted program."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from bench.case import Prepared
from bench.peers.jax import as_float, limit_threads
from bench.training_workload import (
    BATCHES,
    LEARNING_RATE,
    STATES,
    WEIGHT_DECAY,
    NetworkTraining,
)
from bench.workloads import FloatArray

Tree = Any  # ([weights], [biases], (low, high)), or moments in the same form


def member_loss(parameters: Tree, x: jax.Array, y: jax.Array) -> jax.Array:
    """Returns the likelihood loss of one network, without the penalty of its bounds."""
    weights, biases, (low, high) = parameters
    for layer, (w, b) in enumerate(zip(weights, biases, strict=True)):
        x = x @ w + b
        if layer + 1 < len(weights):
            x = jax.nn.silu(x)
    value = high - jax.nn.softplus(high - x[:, STATES:])
    value = low + jax.nn.softplus(value - low)
    loss: jax.Array = ((x[:, :STATES] - y) ** 2 * jnp.exp(-value) + value).mean()
    return loss


def objective(parameters: Tree, x: jax.Array, y: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Returns the sum over members with the penalty, and the (K,) losses without."""
    low, high = parameters[2]
    each = jax.vmap(member_loss)(parameters, x, y)
    return each.sum() + 0.01 * (high.sum() - low.sum()), each


def start(inputs: NetworkTraining) -> Tree:
    """Returns the parameters to begin with."""
    layers = range(len(inputs.sizes) - 1)
    weights = [as_float(inputs.initial(layer)) for layer in layers]
    biases = [jnp.zeros((inputs.members, inputs.sizes[layer + 1])) for layer in layers]
    shape = (inputs.members, STATES)
    return weights, biases, (jnp.full(shape, -10.0), jnp.full(shape, 0.5))


def training(inputs: NetworkTraining, threads: int) -> Prepared:
    """50 steps a call, going on from call to call; AdamW written out."""
    limit_threads(threads)
    x, y = (as_float(array) for array in inputs.standardised())
    decay = ([WEIGHT_DECAY] * len(inputs.sizes[1:]), [0.0] * len(inputs.sizes[1:]), (0.0, 0.0))

    def step(carry: Tree, rows: jax.Array) -> tuple[Tree, jax.Array]:
        count, parameters, first, second = carry
        gradient, each = jax.grad(objective, has_aux=True)(parameters, x[rows], y[rows])
        first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, first, gradient)
        second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, second, gradient)
        count = count + 1

        def moved(p: jax.Array, m: jax.Array, v: jax.Array, share: float) -> jax.Array:
            size = jnp.sqrt(v / (1 - 0.999**count)) + 1e-8
            step = LEARNING_RATE * m / (1 - 0.9**count) / size
            moved_to: jax.Array = p * (1 - LEARNING_RATE * share) - step
            return moved_to

        parameters = jax.tree.map(moved, parameters, first, second, decay)
        return (count, parameters, first, second), each

    program = jax.jit(lambda carry, rows: jax.lax.scan(step, carry, rows), donate_argnums=0)

    def fresh() -> Tree:
        parameters = start(inputs)
        zeros = jax.tree.map(jnp.zeros_like, parameters)
        return jnp.zeros(()), parameters, zeros, jax.tree.map(jnp.zeros_like, parameters)

    carry = fresh()
    calls = 0

    def run() -> None:
        nonlocal carry, calls
        calls += 1
        carry, each = program(carry, jnp.asarray(inputs.batches(calls)))
        each.block_until_ready()

    def answer() -> FloatArray:
        _, each = program(fresh(), jnp.asarray(inputs.batches(0)))
        return np.array([each[-BATCHES:].mean()])

    return Prepared(run, answer, note="one scan a call")
