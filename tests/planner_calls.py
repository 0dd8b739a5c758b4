"""Valid calls of planners, control and the regulator, as `public_calls` has of the rest."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import dynaplan as dp
from public_objects import BOX, controller, data, kalman, linear, reward

TERMINATION = partial(dp.terminations.outside, [-9.0, -9.0], [9.0, 9.0])
PROBLEM = {"model": linear, "reward": reward, "action_space": BOX, "termination": TERMINATION}
PARTS = {
    "limits": dp.Limits,
    "terminal_value": lambda: lambda states: np.zeros(len(states)),
    "policy": lambda: lambda states: np.zeros((len(states), 1)),
}
SHARED = {"horizon": 3, "discount": 0.9, "threads": 1}
SAMPLED = {
    **SHARED,
    "candidates": 8,
    "propagation": "mean",
    "particles": 1,
    "risk": dp.risk.Mean,
    "disagreement_limit": partial(dp.DisagreementLimit, 1.0),
    "clip": 2.0,
}
REFITS = {"elites": 2, "iterations": 2, "smoothing": 0.1}
NOISE = {"noise_exponent": 2.0, "knots": 2, "smoothing_window": 5}
GAUSSIAN = {**REFITS, **NOISE, "initial_std": 0.5, "min_std": 0.1}
EYE = np.eye(2)


def _mpc() -> dp.MPC:
    """A new one each time, as a call may change it."""
    return controller.__wrapped__()


def _mpc_of_history() -> dp.MPC:
    model = dp.LinearGaussian.fit(data().with_history(states=1))
    return dp.MPC(model, reward_of_history, dp.CEM(horizon=3), action_space=BOX, seed=0)


def reward_of_history(states: Any, actions: Any, next_states: Any) -> Any:
    return -(next_states[:, 0] ** 2)


def _advanced(steps: Any) -> None:
    mpc = _mpc()
    mpc.plan([0.5, -0.5])
    mpc.advance(steps)


def _delayed_regulator() -> dp.Regulator:
    return dp.lqr([[1.1]], [[1.0]], [[1.0]], [[1.0]], horizon=2, delay_steps=1)


def _threaded(call: str) -> Callable[..., Any]:
    """A call of a new thread, which is ended after it; what it raises of a plan is raised."""

    def called(**given: Any) -> Any:
        with dp.PlannerThread(_mpc(), period=0.1) as planner:
            planner.observe([0.5, -0.5])
            return getattr(planner, call)(**given)

    return called


def _thread(**given: Any) -> None:
    dp.PlannerThread(**given).close()


CALLS: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
    "CEM": (
        dp.CEM,
        {**SAMPLED, **GAUSSIAN, "result": "best", "truncated": False, "tolerance": 0.0},
    ),
    "CategoricalCEM": (
        dp.CategoricalCEM,
        {
            **SAMPLED,
            **REFITS,
            "actions": [[-1.0], [1.0]],
            "min_probability": 0.1,
            "result": "best",
        },
    ),
    "GradientPlanner": (
        dp.GradientPlanner,
        {
            **SHARED,
            "clip": 2.0,
            "candidates": 8,
            "iterations": 5,
            "learning_rate": 0.1,
            "initial_std": 0.5,
            "tolerance": 1e-3,
        },
    ),
    "ICEM": (
        dp.ICEM,
        {
            **SAMPLED,
            **GAUSSIAN,
            "population_decay": 1.2,
            "reuse_fraction": 0.3,
        },
    ),
    "ILQR": (
        dp.ILQR,
        {
            **SHARED,
            "clip": 2.0,
            "iterations": 5,
            "tolerance": 1e-6,
            "start": dp.CEM,
            "step_sizes": 4,
            "regularisation": 0.0,
            "min_regularisation": 1e-6,
            "max_regularisation": 1e10,
            "regularisation_factor": 2.0,
        },
    ),
    "KalmanFilter": (
        dp.KalmanFilter,
        {
            "model": lambda: dp.LinearModel(0.9 * EYE, EYE, noise=[0.1, 0.1]),
            "C": EYE,
            "observation_noise": EYE,
            "mean": np.zeros(2),
            "covariance": EYE,
        },
    ),
    "KalmanFilter.predict": (lambda action: kalman().predict(action), {"action": [0.0]}),
    "KalmanFilter.reset": (
        lambda **given: kalman().reset(**given),
        {"mean": np.zeros(2), "covariance": EYE},
    ),
    "KalmanFilter.update": (
        lambda observation: kalman().update(observation),
        {"observation": [0.0, 0.0]},
    ),
    "LQR": (dp.LQR, {**SHARED, "infinite_horizon": False}),
    "Limits": (
        dp.Limits,
        {
            "action_low": [[-0.5], [-0.25]],
            "action_high": [[0.5], [0.25]],
            "action_rate": [0.1],
            "action_acceleration": [0.1],
            "state_low": [-1.0, -1.0],
            "state_high": [1.0, 1.0],
            "constraints": partial(dp.constraints.half_plane, [1.0, 1.0], 2.0),
        },
    ),
    "MPC": (
        dp.MPC,
        {
            **PROBLEM,
            **PARTS,
            "planner": partial(dp.CEM, horizon=3),
            "policy_candidates": 1,
            "replan_every": 1,
            "delay_steps": 0.5,
            "previous_actions": [[0.0], [0.0]],
            "on_failure": "hold",
            "trust": "report",
            "trusted_horizon": 3,
            "seed": 0,
        },
    ),
    "MPC.act": (
        lambda **given: _mpc().act(**given),
        {"state": [0.0, 0.0], "time_limit": 1.0, "reward": reward, "previous_action": [0.0]},
    ),
    "MPC.advance": (_advanced, {"steps": 1}),
    "MPC.change": (
        lambda **given: _mpc().change(**given),
        {**PROBLEM, **PARTS, "planner": partial(dp.CEM, horizon=3)},
    ),
    "MPC.explain": (lambda **given: _mpc().explain(**given), {"system": 0}),
    "MPC.plan": (
        lambda **given: _mpc().plan(**given),
        {"state": [0.0, 0.0], "time_limit": 1.0, "reward": reward},
    ),
    "MPC.reset": (
        lambda **given: _mpc().reset(**given),
        {"previous_actions": [[0.0]], "warm_start": np.zeros((3, 1))},
    ),
    "MPC.reset of a history": (
        lambda **given: _mpc_of_history().reset(**given),
        {"previous_observations": [[0.0, 0.0]]},
    ),
    "MPPI": (
        dp.MPPI,
        {
            **SAMPLED,
            **NOISE,
            "iterations": 2,
            "initial_std": 0.5,
            "std_decay": 0.7,
            "temperature": 1.0,
            "standardise": True,
            "effective_samples": 4.0,
            "control_cost": 0.5,
            "control_target": 0.1,
        },
    ),
    "Planner.plan": (
        lambda **given: dp.CEM(horizon=3).plan(**given),
        {
            **PROBLEM,
            **PARTS,
            "state": [0.0, 0.0],
            "warm_start": np.zeros((3, 1)),
            "previous_action": [0.0],
            "previous_change": [0.0],
            "policy_candidates": 1,
            "kept_sequences": np.zeros((1, 3, 1)),
            "time_limit": 1.0,
            "seed": 0,
        },
    ),
    "PlannerThread": (_thread, {"mpc": _mpc, "period": 0.2, "step": 0.1}),
    "PlannerThread.action": (_threaded("action"), {"state": [0.0, 0.0]}),
    "PlannerThread.observe": (_threaded("observe"), {"state": [0.0, 0.0]}),
    "PlannerThread.wait_for_first": (_threaded("wait_for_first"), {"timeout": 60.0}),
    "RandomShooting": (dp.RandomShooting, {**SAMPLED, **NOISE}),
    "Regulator.act": (
        lambda **given: _delayed_regulator().act(**given),
        {"state": [1.0], "step": 0, "previous_actions": [[0.1]]},
    ),
    "lqr": (
        dp.lqr,
        {
            "A": EYE,
            "B": EYE,
            "Q": EYE,
            "R": EYE,
            "N": np.zeros((2, 2)),
            "c": np.zeros(2),
            "state_target": np.zeros(2),
            "action_target": np.zeros(2),
            "horizon": 3,
            "Q_final": EYE,
            "discount": 0.9,
            "delay_steps": 1.5,
        },
    ),
    "tune": (
        dp.tune,
        {
            **PROBLEM,
            "period": 0.5,
            "states": lambda: data().states[:1],
            "planner": partial(dp.CEM, horizon=3),
            "horizons": (3,),
            "iterations": (1,),
            "share": 0.7,
            "time_limit": 0.1,
            "seed": 0,
        },
    ),
}
