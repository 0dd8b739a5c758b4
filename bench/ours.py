"""dynaplan itself, in the same form as the peers in `bench/peers`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np

import dynaplan as dp
from bench.case import Prepared
from bench.peers.numpy import judged
from bench.workloads import (
    FloatArray,
    LinearPlanning,
    LinearRollouts,
    LinearSystem,
    PendulumPlanning,
    PlanBudget,
    Regression,
)

ROWS_TO_RECOVER = 400  # noise-free rows from which a known linear system is fitted exactly


def model_of(system: LinearSystem) -> dp.LinearGaussian:
    """Returns the model of a known system, by a fit to noise-free rows (exact to rounding)."""
    generator = np.random.default_rng(19)
    states = generator.standard_normal((ROWS_TO_RECOVER, system.state_dim))
    actions = generator.standard_normal((ROWS_TO_RECOVER, system.action_dim))
    next_states = states @ system.A.T + actions @ system.B.T + system.c
    return dp.LinearGaussian.fit(dp.Transitions(states, actions, next_states))


def quadratic_reward(inputs: LinearRollouts | LinearPlanning) -> Any:
    """Returns `-(x' W x) - (u' R u)` of the next state x."""
    of_state = dp.rewards.quadratic(inputs.state_weights, of="next_state")
    return of_state + dp.rewards.action_cost(inputs.action_weights)


def planner_of(budget: PlanBudget, threads: int, clip: float | None = 2.0) -> dp.CEM:
    """Returns the planner with the budget every peer gets; `clip` as in `CEM`, 2.0 its default."""
    return dp.CEM(
        horizon=budget.horizon,
        candidates=budget.candidates,
        elites=budget.elites,
        iterations=budget.iterations,
        smoothing=budget.smoothing,
        initial_std=budget.initial_std,
        min_std=budget.min_std,
        clip=clip,
        threads=threads,
    )


def learned_pendulum() -> tuple[dp.LinearGaussian, Any, gymnasium.spaces.Box]:
    """Returns a model of Pendulum-v1 from 200 steps, its reward and its action space."""
    env = gymnasium.make("Pendulum-v1")
    data = dp.collect(env, steps=200, seed=0)
    model = dp.LinearGaussian.fit(data, features=dp.Polynomial(2))
    space = env.action_space
    assert isinstance(space, gymnasium.spaces.Box)
    return model, dp.rewards.for_env("Pendulum-v1"), space


def observation(inputs: PendulumPlanning) -> FloatArray:
    """Returns (cos, sin, speed) of the start state."""
    return np.array([np.cos(inputs.angle), np.sin(inputs.angle), inputs.speed])


def cem_pendulum_plan(inputs: PendulumPlanning, threads: int) -> Prepared:
    """`planner.plan` on a learned quadratic-feature model, no warm start, fresh normals."""
    model, reward, space = learned_pendulum()
    planner, state = planner_of(inputs.budget, threads), observation(inputs)

    def plan() -> FloatArray:
        return planner.plan(model, reward, state, action_space=space).actions

    return Prepared(plan, judged(plan), note="learned model, Polynomial(2), planner.plan")


def cem_pendulum_act(inputs: PendulumPlanning, threads: int) -> Prepared:
    """`MPC.act` on a learned quadratic-feature model, warm-started as in use."""
    model, reward, space = learned_pendulum()
    planner, state = planner_of(inputs.budget, threads), observation(inputs)
    mpc = dp.MPC(model, reward, planner, action_space=space)

    def first_plan() -> FloatArray:
        fresh = dp.MPC(model, reward, planner, action_space=space)
        fresh.act(state)
        assert fresh.last_plan is not None
        return fresh.last_plan.actions

    return Prepared(
        lambda: mpc.act(state), judged(first_plan), note="learned model, Polynomial(2), MPC.act"
    )


def cem_linear_plan(inputs: LinearPlanning, threads: int) -> Prepared:
    """`planner.plan` on the linear system; no peer clips states, so neither does it."""
    model, reward = model_of(inputs.system), quadratic_reward(inputs)
    planner, state = planner_of(inputs.budget, threads, clip=None), inputs.state
    space = gymnasium.spaces.Box(-1.0, 1.0, (inputs.system.action_dim,))

    def plan() -> FloatArray:
        return planner.plan(model, reward, state, action_space=space).actions

    return Prepared(plan, judged(plan), note="clip=None, planner.plan")


def cem_linear_act(inputs: LinearPlanning, threads: int) -> Prepared:
    """`MPC.act` on the linear system, warm-started as in use."""
    model, reward = model_of(inputs.system), quadratic_reward(inputs)
    planner, state = planner_of(inputs.budget, threads, clip=None), inputs.state
    space = gymnasium.spaces.Box(-1.0, 1.0, (inputs.system.action_dim,))
    mpc = dp.MPC(model, reward, planner, action_space=space)

    def first_plan() -> FloatArray:
        return planner.plan(model, reward, state, action_space=space).actions

    return Prepared(lambda: mpc.act(state), judged(first_plan), note="clip=None, MPC.act")


def linear_returns(inputs: LinearRollouts, threads: int) -> Prepared:
    """`dp.returns` in float32, by the dtype of the actions."""
    model, reward = model_of(inputs.system), quadratic_reward(inputs)
    states, actions = inputs.states, inputs.actions
    return Prepared(lambda: dp.returns(model, reward, states, actions, threads=threads))


def linear_trajectories(inputs: LinearRollouts, threads: int) -> Prepared:
    """`dp.rollout` in float32, to a fresh array or to one given with `out=`."""
    model = model_of(inputs.system)
    states, actions = inputs.states, inputs.actions
    count, horizon, _ = actions.shape
    shape = (count, horizon + 1, inputs.system.state_dim)
    out = np.empty(shape, dtype=np.float32) if inputs.reuse_output else None

    def run() -> FloatArray:
        return dp.rollout(model, states, actions, threads=threads, out=out)

    return Prepared(run, note="out=" if inputs.reuse_output else "fresh array")


def coefficients_of(model: dp.LinearGaussian) -> FloatArray:
    """Returns (S, S + A + 1), columns [A B c]."""
    return np.column_stack([model.A, model.B, model.c])


def fitted(inputs: Regression, threads: int) -> Callable[[], dp.LinearGaussian]:
    """Returns a fit of the next state itself, transitions constructed beforehand."""
    data = dp.Transitions(inputs.states, inputs.actions, inputs.next_states)
    return lambda: dp.LinearGaussian.fit(data, target="absolute", threads=threads)


def least_squares(inputs: Regression, threads: int) -> Prepared:
    """`LinearGaussian.fit` with intercept, residual covariance and all."""
    fit = fitted(inputs, threads)
    return Prepared(fit, lambda: coefficients_of(fit()), note="target absolute, with covariances")


def small_fit(inputs: Regression, threads: int) -> Prepared:
    """`LinearGaussian.fit` of five rows with its default settings."""
    data = dp.Transitions(inputs.states, inputs.actions, inputs.next_states)
    return Prepared(
        lambda: dp.LinearGaussian.fit(data), lambda: coefficients_of(dp.LinearGaussian.fit(data))
    )


def recursive_update(inputs: Regression, threads: int) -> Prepared:
    """`RecursiveLeastSquares.update`, one row a call, going round the data."""
    states, actions, next_states = inputs.states, inputs.actions, inputs.next_states
    filtered = dp.RecursiveLeastSquares(states.shape[1], actions.shape[1])
    row = 0

    def run() -> None:
        nonlocal row
        filtered.update(states[row], actions[row], next_states[row])
        row = (row + 1) % len(states)

    def answer() -> FloatArray:
        for _ in range(len(states)):
            run()
        return coefficients_of(filtered.model())

    return Prepared(run, answer)
