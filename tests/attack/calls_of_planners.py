"""Valid calls of planners and of the controller; see `calls_of_models`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from gymnasium.spaces import Discrete

import dynaplan as dp
from attack.calls_of_models import Row, batch_end, batch_reward, end, function_model, more, on
from planner_calls import PROBLEM, SAMPLED
from public_objects import BOX, ensemble, linear, reward

SMALL: dict[str, Any] = {"horizon": 3, "candidates": 8}
FUNCTIONS = {"reward": lambda: batch_reward, "termination": lambda: batch_end}
POLICY = {
    "policy": lambda: lambda states: states[:, :1],
    "policy_candidates": 1,
    "terminal_value": lambda: lambda states: states[:, 0],
}


def planning(
    make: Callable[..., Any], model: Callable[[], Any] = linear, **planned: Any
) -> Callable[..., Any]:
    """Makes a planner and plans with it."""

    def call(**arguments: Any) -> Any:
        given = {**planned, "reward": reward(), "state": [0.1, 0.2], "action_space": BOX, "seed": 0}
        return make(**arguments).plan(model(), **given)

    return call


def controller() -> dp.MPC:
    planner = dp.CEM(**SMALL, elites=2)
    return dp.MPC(linear(), reward(), planner, action_space=BOX, seed=0)


REST = dp.rewards.quadratic([1.0, 1.0])


def wide() -> dp.LinearModel:
    return dp.LinearModel(np.eye(2), np.ones((2, 2)))


def numbered() -> dp.MPC:
    planner = dp.CategoricalCEM(**SMALL, elites=2)
    mpc = dp.MPC(wide(), REST, planner, action_space=Discrete(2), seed=0)
    mpc.act([0.1, 0.2])
    return mpc


def planned() -> dp.MPC:
    mpc = controller()
    mpc.act([0.1, 0.2])
    return mpc


# Settings with which a planner plans quickly.
SIZES = {"horizon", "candidates", "elites", "actions", "effective_samples"}


def _planners() -> dict[str, Row]:
    regularisation = {"regularisation": 0.0, "min_regularisation": 1e-6}
    regularisation |= {"max_regularisation": 1e10, "regularisation_factor": 2.0}
    settings: dict[str, tuple[Any, dict[str, Any]]] = {
        "CEM": (dp.CEM, SMALL),
        "CategoricalCEM": (dp.CategoricalCEM, {**SMALL, "smoothing": 0.1, "result": "mode"}),
        "ICEM": (dp.ICEM, {**SMALL, "smoothing": 0.1, "initial_std": 0.5, "min_std": 0.0}),
        "MPPI": (dp.MPPI, {**SMALL, "control_cost": 0.0}),
        "RandomShooting": (dp.RandomShooting, SMALL),
        "GradientPlanner": (dp.GradientPlanner, {"iterations": 3, "candidates": 3}),
        "ILQR": (dp.ILQR, {**regularisation, "start": partial(dp.CEM, **SMALL, elites=2)}),
    }
    given = {
        **more("Planner.plan")[1],
        **POLICY,
        "termination": end,
        "kept_sequences": np.zeros((2, 3, 1)),
    }
    rows: dict[str, Row] = {}
    for name, (make, others) in settings.items():
        arguments = {**more(name)[1], **others}
        rows[name] = planning(make), arguments
        sizes = {key: arguments[key] for key in SIZES & set(arguments)}
        rows[f"{name}.plan"] = on(partial(make, **sizes), "plan"), given
    return rows


def _more_planning() -> dict[str, Row]:
    small_cem = partial(dp.CEM, **SMALL, elites=2)
    with_functions = {**more("Planner.plan")[1], **POLICY, **FUNCTIONS, "model": function_model}
    mpc = {**more("MPC")[1], **POLICY, "termination": end, "limits": dp.Limits}
    return {
        "LQR": (planning(dp.LQR), more("LQR")[1]),
        "MPPI with a temperature": (
            planning(dp.MPPI),
            {**SMALL, "effective_samples": 4.0, "temperature": 0.1, "control_cost": 0.1},
        ),
        "ILQR alone": (planning(dp.ILQR), {"horizon": 3, "step_sizes": 4, "tolerance": 1e-3}),
        "CEM.plan with functions": (on(small_cem, "plan"), with_functions),
        "CEM on an ensemble": (
            planning(dp.CEM, model=ensemble),
            {**SAMPLED, **SMALL, "propagation": "tsinf", "particles": 4, "elites": 2},
        ),
        "LQR.plan": (
            on(partial(dp.LQR, horizon=3), "plan"),
            {
                **PROBLEM,
                "seed": 0,
                "state": [0.1, 0.2],
                "previous_action": [0.1],
                "previous_change": [0.1],
                "time_limit": 1.0,
                "policy_candidates": 1,
                **dict.fromkeys(("termination", "limits", "terminal_value", "policy")),
                **dict.fromkeys(("warm_start", "kept_sequences")),
            },
        ),
        "Limits": (
            lambda **arguments: planning(small_cem, limits=dp.Limits(**arguments))(),
            more("Limits")[1],
        ),
        "MPC": (lambda **arguments: dp.MPC(**arguments).act([0.1, 0.2]), mpc),
        "MPC with functions": (
            lambda **arguments: dp.MPC(**arguments).act([0.1, 0.2]),
            {**mpc, **FUNCTIONS, "model": function_model, "planner": small_cem, "delay_steps": 2},
        ),
        "MPC with numbers": (
            lambda **arguments: dp.MPC(wide(), REST, **arguments).act([0.1, 0.2]),
            {
                "action_space": partial(Discrete, 2, start=5),
                "planner": partial(dp.CategoricalCEM, **SMALL, elites=2),
                "previous_actions": [5, 6],
                "delay_steps": 2,
                "policy": lambda: lambda states: np.full(len(states), 5),
                "on_failure": lambda: lambda plan: 5,
                "seed": 0,
            },
        ),
        "MPC.act of numbers": (
            on(numbered, "act"),
            {"state": [0.1, 0.2], "previous_action": 1},
        ),
        "MPC.act": (
            on(planned, "act"),
            {"state": [0.1, 0.2], "time_limit": 1.0, "reward": reward, "previous_action": [0.1]},
        ),
        "MPC.act of several": (on(controller, "act"), {"state": [[0.1, 0.2], [0.3, 0.4]]}),
        "MPC.plan": (
            on(planned, "plan"),
            {"state": [0.1, 0.2], "time_limit": 1.0, "reward": lambda: batch_reward},
        ),
        "MPC.advance": (advanced, {"steps": 1}),
        "MPC.explain": (on(planned, "explain"), {"system": 0}),
        "MPC.change": (
            changed,
            {
                "model": linear,
                "reward": reward,
                "planner": small_cem,
                "action_space": BOX,
                "termination": end,
                "limits": dp.Limits,
                **{name: POLICY[name] for name in ("policy", "terminal_value")},
            },
        ),
        "tune": (
            dp.tune,
            {
                "period": 0.5,
                "model": linear,
                "reward": reward,
                "action_space": BOX,
                "states": [[0.1, 0.2]],
                "planner": small_cem,
                "termination": end,
                "horizons": (2,),
                "iterations": (1,),
                "share": 0.7,
                "time_limit": 0.01,
                "seed": 0,
            },
        ),
    }


def advanced(**arguments: Any) -> None:
    mpc = controller()
    mpc.plan([0.1, 0.2])
    mpc.advance(**arguments)


def changed(**arguments: Any) -> Any:
    mpc = planned()
    mpc.change(**arguments)
    return mpc.act([0.1, 0.2])


PLANNING_CALLS: dict[str, Row] = {**_planners(), **_more_planning()}
