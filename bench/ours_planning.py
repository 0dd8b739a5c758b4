"""dynaplan plans with networks, with next to nothing, and against the clock."""

from __future__ import annotations

import gc
import time
from typing import Any

import numpy as np

import dynaplan as dp
from bench.case import Prepared
from bench.ours import planner_of
from bench.ours_networks import model_of
from bench.peers.numpy import judged
from bench.planning_workload import DeadlinePlanning, NetworkPlanning, reacher_returns
from bench.workloads import FloatArray

Space = tuple[FloatArray, FloatArray]
TOLERANCE = 0.2e-3  # seconds that a plan may be late beyond the machine's own jitter
PLANS_TO_VALUE = 1000  # of which the mean return is shown


def unit_box(actions: int) -> Space:
    """Returns bounds of -1 and 1."""
    return -np.ones(actions), np.ones(actions)


def cem_network_plan(inputs: NetworkPlanning, threads: int) -> Prepared:
    """`planner.plan`, no warm start."""
    model, reward = model_of(inputs.networks), dp.rewards.quadratic(np.ones(17))
    planner = planner_of(inputs.budget, threads, clip=None)

    def plan() -> FloatArray:
        return planner.plan(model, reward, inputs.state, action_space=unit_box(6)).actions

    return Prepared(plan, judged(plan), note="clip=None, planner.plan")


def cem_network_act(inputs: NetworkPlanning, threads: int) -> Prepared:
    """`MPC.act`, warm-started as in use."""
    model, reward = model_of(inputs.networks), dp.rewards.quadratic(np.ones(17))
    planner = planner_of(inputs.budget, threads, clip=None)
    mpc = dp.MPC(model, reward, planner, action_space=unit_box(6))

    def plan() -> FloatArray:
        return planner.plan(model, reward, inputs.state, action_space=unit_box(6)).actions

    return Prepared(lambda: mpc.act(inputs.state), judged(plan), note="clip=None, MPC.act")


def reacher_controller(
    inputs: NetworkPlanning, threads: int, iterations: int, seed: int | None = None
) -> dp.MPC:
    """Returns a controller with iCEM, a particle with each member, and Reacher's reward."""
    planner = dp.ICEM(
        horizon=inputs.budget.horizon,
        candidates=inputs.budget.candidates,
        elites=inputs.budget.elites,
        iterations=iterations,
        propagation="tsinf",
        particles=inputs.networks.members,
        clip=None,
        threads=threads,
    )
    model, reward = model_of(inputs.networks), dp.rewards.for_env("Reacher-v5")
    return dp.MPC(model, reward, planner, action_space=unit_box(2), seed=seed)


def icem_budget(inputs: NetworkPlanning, threads: int) -> Prepared:
    """`MPC.act` with `dp.ICEM` as it comes, warm-started as in use."""
    mpc = reacher_controller(inputs, threads, inputs.budget.iterations)

    def first_plan() -> FloatArray:
        fresh = reacher_controller(inputs, threads, inputs.budget.iterations)
        fresh.act(inputs.state)
        assert fresh.last_plan is not None
        return fresh.last_plan.actions

    note = 'dp.ICEM(propagation="tsinf", particles=5), MPC.act'
    return Prepared(lambda: mpc.act(inputs.state), judged(first_plan), note=note)


def smallest_problem() -> tuple[Any, Any, Any, Space, FloatArray]:
    """Returns model, reward, planner, bounds and state of a plan of one candidate and one step."""
    states, actions = np.random.default_rng(0).normal(size=(2, 20, 1))
    model = dp.LinearGaussian.fit(dp.Transitions(states, actions, 0.5 * states + actions))
    planner = dp.CEM(horizon=1, candidates=1, elites=1, iterations=1, clip=None)
    return model, dp.rewards.quadratic([1.0]), planner, unit_box(1), np.array([0.3])


def plan_call_act(_inputs: object, _threads: int) -> Prepared:
    """`MPC.act`."""
    model, reward, planner, space, state = smallest_problem()
    mpc = dp.MPC(model, reward, planner, action_space=space, seed=0)
    return Prepared(lambda: mpc.act(state), note="MPC.act")


def plan_call_plan(_inputs: object, _threads: int) -> Prepared:
    """`planner.plan`, which makes the problem ready anew in each call."""
    model, reward, planner, space, state = smallest_problem()
    return Prepared(
        lambda: planner.plan(model, reward, state, action_space=space, seed=0),
        note="planner.plan: bounds, settings and memory are made anew",
    )


def late(inputs: DeadlinePlanning, threads: int) -> Prepared:
    """Plans under a deadline and loops that spin until the same time, in turns.

    A loop that only looks at the clock is late where the machine took the core away; a plan may be
    late for that reason too. The two maxima are of as many tries.
    """
    mpc = reacher_controller(inputs.planning, threads, iterations=1000, seed=0)
    states = np.random.default_rng(17).standard_normal((inputs.plans, len(inputs.planning.state)))
    budget, clock = inputs.seconds, time.perf_counter

    def run() -> dict[str, Any]:
        plans_late, spins_late = np.empty(inputs.plans), np.empty(inputs.plans)
        kept: list[FloatArray] = []
        cut = 0
        gc.collect()
        gc.disable()
        try:
            for n, state in enumerate(states):
                mpc.reset()
                deadline = clock() + budget
                mpc.act(state, budget=budget)
                plans_late[n] = clock() - deadline
                deadline = clock() + budget
                while clock() < deadline:
                    pass
                spins_late[n] = clock() - deadline
                assert mpc.last_plan is not None
                cut += mpc.last_plan.status == "budget"
                if n < PLANS_TO_VALUE:
                    kept.append(mpc.last_plan.actions)
        finally:
            gc.enable()
        values = reacher_returns(inputs.planning, states[: len(kept)], np.stack(kept))
        allowed = float(spins_late.max()) + TOLERANCE
        return {
            "plans": inputs.plans,
            "cut short": cut,
            "median late, us": 1e6 * float(np.median(plans_late)),
            "p99 late, us": 1e6 * float(np.percentile(plans_late, 99)),
            "most late, us": 1e6 * float(plans_late.max()),
            "spin, p99 late, us": 1e6 * float(np.percentile(spins_late, 99)),
            "spin, most late, us": 1e6 * float(spins_late.max()),
            "plans later than 0.2 ms": int((plans_late > TOLERANCE).sum()),
            "spins later than 0.2 ms": int((spins_late > TOLERANCE).sum()),
            "plans later than jitter + 0.2 ms": int((plans_late > allowed).sum()),
            "mean return": float(values.mean()),
        }

    return Prepared(run, reports="facts", note="MPC.act(state, budget=), reset before each plan")
