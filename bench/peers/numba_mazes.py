"""Dyna-Q in the Dyna maze as one compiled numba function, the model in arrays."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from bench.case import Prepared
from bench.maze_workload import ACTIONS, GOAL, START, DynaMaze

compiled: Any = numba.njit(fastmath=True, error_model="numpy")


@compiled
def act(q, state, exploration):  # type: ignore[no-untyped-def]
    """Returns the next action, ties broken at random."""
    if np.random.random() < exploration:  # noqa: NPY002  # numba's own generator, the fastest it has
        return int(np.random.random() * ACTIONS)  # noqa: NPY002
    best, ties = q[state, 0], 1
    for action in range(1, ACTIONS):
        if q[state, action] > best:
            best, ties = q[state, action], 1
        elif q[state, action] == best:
            ties += 1
    left = int(np.random.random() * ties)  # noqa: NPY002
    for action in range(ACTIONS):
        if q[state, action] == best:
            if left == 0:
                return action
            left -= 1
    return 0


@compiled
def run(q, moves, model, visited, tried, counts, state, steps, planning_steps, settings):  # type: ignore[no-untyped-def] # noqa: PLR0917 (kernel)
    """Makes the steps of a call; returns the state after them. The reward follows from the move."""
    alpha, gamma, exploration = settings
    for _ in range(steps):
        action = act(q, state, exploration)
        following = moves[state, action]
        reward = 1.0 if following == GOAL else 0.0
        best = max(q[following, 0], q[following, 1], q[following, 2], q[following, 3])
        q[state, action] += alpha * (reward + gamma * best - q[state, action])
        if model[state, action] < 0:
            if counts[state] == 0:
                visited[counts[-1]] = state
                counts[-1] += 1
            tried[state, counts[state]] = action
            counts[state] += 1
        model[state, action] = following
        for _ in range(planning_steps):
            s = visited[int(np.random.random() * counts[-1])]  # noqa: NPY002
            a = tried[s, int(np.random.random() * counts[s])]  # noqa: NPY002
            f = model[s, a]
            r = 1.0 if f == GOAL else 0.0
            best = max(q[f, 0], q[f, 1], q[f, 2], q[f, 3])
            q[s, a] += alpha * (r + gamma * best - q[s, a])
        state = START if following == GOAL else following
    return state


def dyna_maze(inputs: DynaMaze, threads: int) -> Prepared:
    """Dyna-Q in numba, without the check of an index."""
    moves = inputs.next_states
    q = np.zeros(moves.shape)
    model, tried = np.full(moves.shape, -1), np.zeros(moves.shape, np.int64)
    visited, counts = np.zeros(len(moves), np.int64), np.zeros(len(moves) + 1, np.int64)
    settings = (inputs.learning_rate, inputs.discount, inputs.exploration)
    state = START

    def call() -> None:
        nonlocal state
        state = run(
            q,
            moves,
            model,
            visited,
            tried,
            counts,
            state,
            inputs.steps,
            inputs.planning_steps,
            settings,
        )

    return Prepared(call, lambda: q, note="one njit function")
