"""JAX searches for good plans: the cross-entropy method by hand, one program a plan."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from bench.case import Prepared
from bench.peers.jax import Triple, as_float, limit_threads
from bench.quality.matrix_problems import Linear
from bench.quality.measuring import Task
from bench.quality.problems import Columned, Problem, columns_of
from bench.quality.settings import COMPILED, CrossEntropy
from bench.workloads import FloatArray

Programs = Callable[..., Triple]
UNROLL = 5


def returns_of(problem: Problem) -> Callable[[jax.Array, jax.Array], jax.Array]:
    """Returns what gives (N,) returns of a start (S,) and time-major actions (H, N, A), by scans.

    Whole horizons compile for a long time and are no faster.
    """
    constants = tuple(as_float(array) for array in problem.constants)

    def by_columns(given: Columned, start: jax.Array, actions: jax.Array) -> jax.Array:
        def step(state: Any, now: jax.Array) -> Any:
            state = tuple(given.move(jnp, state, columns_of(now)))
            return state, given.earned(jnp, state, columns_of(now))

        zeros = jnp.zeros(actions.shape[1])
        first = tuple(zeros + entry for entry in start)
        rewards: jax.Array = jax.lax.scan(step, first, actions, unroll=UNROLL)[1]
        return rewards.sum(axis=0)

    def linear(start: jax.Array, actions: jax.Array) -> jax.Array:
        A, B, c, W, R = constants

        def step(states: jax.Array, drive: jax.Array) -> Any:
            states = states @ A + drive
            return states, states

        first = jnp.broadcast_to(start, (actions.shape[1], len(start)))
        states = jax.lax.scan(step, first, actions @ B + c, unroll=UNROLL)[1]
        lost = jnp.sum((states @ W) * states, axis=(0, 2))
        return -(lost + jnp.sum((actions @ R) * actions, axis=(0, 2)))

    def by_rows(start: jax.Array, actions: jax.Array) -> jax.Array:
        def step(states: jax.Array, now: jax.Array) -> Any:
            states = problem.step(jnp, constants, states, now)
            return states, problem.reward(jnp, constants, states, now)

        first = jnp.broadcast_to(start, (actions.shape[1], len(start)))
        rewards: jax.Array = jax.lax.scan(step, first, actions)[1]
        return rewards.sum(axis=0)

    if isinstance(problem, Linear):
        return linear
    return partial(by_columns, problem) if isinstance(problem, Columned) else by_rows


def program_of(problem: Problem, setting: CrossEntropy) -> Programs:
    """Returns the jitted plan of all settings with these numbers of candidates and of elites.

    It takes a key, the start, the mean, the number of iterations, and, unless None, what makes the
    noise coloured; it returns the key, the mean, and the mean shifted by a step.
    """
    evaluate, bounds = returns_of(problem), as_float(problem.half_range)
    keep = setting.smoothing
    drawn = (problem.horizon, setting.candidates, problem.action_dim)

    @jax.jit
    def plan(
        key: jax.Array,
        start: jax.Array,
        mean: jax.Array,
        iterations: int,
        colour: jax.Array | None,
    ) -> Triple:
        def iteration(_: int, carry: Triple) -> Triple:
            key, mean, std = carry
            key, now = jax.random.split(key)
            noise = jax.random.normal(now, drawn)
            if colour is not None:
                noise = jnp.einsum("ts,sna->tna", colour, noise)
            actions = jnp.clip(mean[:, None] + std[:, None] * noise, -bounds, bounds)
            returns = evaluate(start, actions)
            elites = actions[:, jax.lax.top_k(returns, setting.elites)[1]]
            mean = keep * mean + (1 - keep) * elites.mean(axis=1)
            std = keep * std + (1 - keep) * elites.std(axis=1)
            return key, mean, std

        first = (key, mean, jnp.zeros_like(mean) + setting.initial_std * bounds)
        key, mean, _ = jax.lax.fori_loop(0, iterations, iteration, first)
        return key, mean, jnp.concatenate([mean[1:], mean[-1:]])

    return plan


class CrossEntropySearch:
    """A `Searcher`; its plan is the last mean."""

    def __init__(self, problem: Problem, setting: CrossEntropy, program: Programs) -> None:
        self.program, self.iterations = program, setting.iterations
        self.shape = (problem.horizon, problem.action_dim)
        self.colour = None
        if setting.noise_exponent:
            self.colour = as_float(setting.colour(problem.horizon))
        self.reset(0)

    def reset(self, seed: int) -> None:
        """As `Searcher.reset`."""
        self.key = jax.random.key(seed, impl="rbg")
        self.mean = jnp.zeros(self.shape)

    def plan(self, state: FloatArray) -> FloatArray:
        """As `Searcher.plan`."""
        start = as_float(state)
        self.key, mean, self.mean = self.program(
            self.key, start, self.mean, self.iterations, self.colour
        )
        return np.asarray(mean)


def cem(task: Task, threads: int) -> Prepared:
    """The cross-entropy method, a program for each number of candidates."""
    limit_threads(threads)
    programs: dict[tuple[int, int], Programs] = {}

    def searcher(setting: CrossEntropy) -> CrossEntropySearch:
        shape = (setting.candidates, setting.elites)
        if shape not in programs:
            programs[shape] = program_of(task.problem, setting)
        return CrossEntropySearch(task.problem, setting, programs[shape])

    return task.prepared(searcher, COMPILED, "float32, rbg normals, one program a plan")
