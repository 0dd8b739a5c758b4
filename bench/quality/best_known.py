"""`python -m bench.quality.best_known` finds the best known values and writes `best_known.json`.

Linear plans are quadratic programs, solved by clarabel. For the other problems each value is the
best of long searches by NumPy's cross-entropy method, improved by SciPy's L-BFGS-B, and of iLQR
from many random plans and from long path-integral searches; all are judged in float64. Values that
are stored and better are kept, so that more searches (`--first-seed`) can only improve them.
"""

from __future__ import annotations

import argparse
import copy
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import clarabel
import numpy as np
from scipy import optimize, sparse

import dynaplan as dp
from bench.peers.numpy_quality import CrossEntropySearch
from bench.quality.matrix_problems import PROBLEMS, Linear, problem
from bench.quality.problems import (
    CONTROLLED,
    DEVELOPMENT,
    EPISODE_STEPS,
    EPISODES,
    MEASURED,
    STARTS,
    Problem,
)
from bench.quality.settings import CrossEntropy
from bench.quality.shares import FILE, stored
from bench.workloads import FloatArray

SEARCH = CrossEntropy(candidates=1000, iterations=100, elite_share=0.05, initial_std=1.0)
FAR = dp.MPPI(candidates=1000, iterations=40, initial_std=1.0, std_decay=0.95, clip=None)
SEARCHES, DESCENTS = 4, 24  # from each start
RELATIVE_STEP = 1e-6  # of the half range, in central differences


def longer(given: Problem, steps: int) -> Problem:
    """Returns the same problem over another number of steps."""
    asked = copy.copy(given)
    asked.horizon = steps
    return asked


def quadratic_program(given: Linear, start: FloatArray) -> float:
    """Returns the best return of the linear problem from one state."""
    system, steps = given.system, given.horizon
    states, actions = system.state_dim, system.action_dim
    both = states + actions
    cost = sparse.block_diag(
        [2.0 * sparse.block_diag([given.action_weights, given.state_weights])] * steps
    )
    dynamics = sparse.lil_matrix((steps * states, steps * both))
    right = np.tile(system.c, steps)
    right[:states] += system.A @ start
    for t in range(steps):
        row, column = t * states, t * both
        dynamics[row : row + states, column : column + actions] = -system.B
        dynamics[row : row + states, column + actions : column + both] = np.eye(states)
        if t:
            dynamics[row : row + states, column - states : column] = -system.A
    of_step = sparse.hstack([sparse.eye(actions), sparse.csc_matrix((actions, states))])
    chosen = sparse.kron(sparse.eye(steps), of_step)
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = 1e-10
    limits = np.tile(given.half_range, 2 * steps)
    solution = clarabel.DefaultSolver(
        sparse.triu(cost).tocsc(),
        np.zeros(steps * both),
        sparse.vstack([dynamics, chosen, -chosen]).tocsc(),
        np.concatenate([right, limits]),
        [clarabel.ZeroConeT(len(right)), clarabel.NonnegativeConeT(len(limits))],
        settings,
    ).solve()
    if str(solution.status) != "Solved":
        raise RuntimeError(f"clarabel: {solution.status}")
    return -float(solution.obj_val)


def improved(given: Problem, start: FloatArray, plan: FloatArray) -> FloatArray:
    """Returns the plan (H, A) that L-BFGS-B reaches within the bounds, by central differences."""
    half = np.tile(given.half_range, given.horizon)
    nudges = RELATIVE_STEP * np.diag(half)
    shape = (-1, given.horizon, given.action_dim)

    def lost(flat: FloatArray) -> tuple[float, FloatArray]:
        tried = np.concatenate([flat[None], flat + nudges, flat - nudges])
        # Not clipped by `judged`, which would halve the differences at the bounds.
        actions = np.moveaxis(tried.reshape(shape), 1, 0)
        values = np.asarray(given.returns(np, given.constants, start, actions))
        after, before = np.split(values[1:], 2)
        return -float(values[0]), -(after - before) / (2.0 * RELATIVE_STEP * half)

    options = {"maxiter": 500, "ftol": 1e-12, "gtol": 1e-9}
    bounds = optimize.Bounds(-half, half)
    found = optimize.minimize(
        lost, plan.ravel(), jac=True, method="L-BFGS-B", bounds=bounds, options=options
    )
    return np.asarray(found.x.reshape(shape[1:]))


def random_plan(given: Problem, generator: np.random.Generator) -> FloatArray:
    """Returns a plan (H, A) that is linear between a few random actions."""
    knots = int(generator.integers(2, 9))
    places = np.linspace(0, knots - 1, given.horizon)
    drawn = generator.uniform(-1.0, 1.0, (knots, given.action_dim)) * given.half_range
    columns = [np.interp(places, np.arange(knots), column) for column in drawn.T]
    return np.column_stack(columns)


def plans(given: Problem, start: FloatArray, first_seed: int) -> Iterator[FloatArray]:
    """Yields plans (H, A), most of them locally best."""
    from bench.ours_quality import function_parts, native_parts

    search = CrossEntropySearch(given, SEARCH)
    for seed in range(first_seed, first_seed + SEARCHES):
        search.reset(seed)
        yield improved(given, start, search.plan(start).astype(np.float64))
    parts = native_parts(given) if given.name == "ensemble" else function_parts(given)
    planner = dp.ILQR(horizon=given.horizon, iterations=200, clip=None)
    space = (-given.half_range, given.half_range)
    generator = np.random.default_rng(first_seed)
    warm_starts = [random_plan(given, generator) for _ in range(DESCENTS)]
    for seed in range(first_seed, first_seed + SEARCHES):
        for knots in (0, 5, 8, 12):
            search_far = replace(FAR, horizon=given.horizon, knots=knots)
            found = search_far.plan(*parts, start, action_space=space, seed=seed)
            warm_starts.append(found.actions)
    for warm in warm_starts:
        yield planner.plan(*parts, start, action_space=space, warm_start=warm, seed=0).actions


def best_value(given: Problem, start: FloatArray, first_seed: int) -> float:
    """Returns the best value found from one state."""
    if isinstance(given, Linear):
        return quadratic_program(given, start)
    found = list(plans(given, start, first_seed))
    values = given.judged(start, np.stack(found))
    best = int(np.argmax(values))
    again = given.judged(start, improved(given, start, found[best])[None])
    return float(max(values[best], again[0]))


def main(arguments: list[str] | None = None) -> None:
    """Searches and writes the file."""
    names = [one.name for one in PROBLEMS]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problem", action="append", choices=names, help="default: all")
    parser.add_argument("--first-seed", type=int, default=0, help="of the searches (default 0)")
    settings = parser.parse_args(arguments)
    for name in settings.problem or names:
        given = problem(name)
        asked = {given.horizon: STARTS} | ({EPISODE_STEPS: EPISODES} if name in CONTROLLED else {})
        for steps, starts in asked.items():
            for which in (MEASURED, DEVELOPMENT):
                some = given.starts(which)[:starts]
                best = [best_value(longer(given, steps), s, settings.first_seed) for s in some]
                print(name, steps, which, np.round(best, 4), flush=True)
                keep(name, which, steps, best)


def keep(name: str, which: str, steps: int, best: list[float]) -> None:
    """Writes the better of these values and those that are stored."""
    stored.cache_clear()
    values: dict[str, Any] = stored() if FILE.exists() else {}
    of_starts = values.setdefault(name, {}).setdefault(which, {})
    before = of_starts.get(str(steps), [-np.inf] * len(best))
    of_starts[str(steps)] = [max(pair) for pair in zip(before, best, strict=True)]
    FILE.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
