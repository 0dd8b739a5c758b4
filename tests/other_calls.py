"""Valid calls of models, planners, control, agents and loops, as `public_calls` has of the rest."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import dynaplan as dp
from public_objects import BOX, agent, controller, data, linear, maze, pendulum, reward

FIT = {"hidden": (4,), "epochs": 1, "seed": 0, "threads": 1, "held_out": 0.2, "rewards": False}
FIT |= {"batch_size": 8, "learning_rate": 1e-3, "weight_decay": 0.0, "activation": "silu"}
PLANNED = {"model": linear, "reward": reward, "action_space": BOX, "seed": 0}
SHARED = {"horizon": 3, "discount": 0.9, "threads": 1, "clip": 2.0}
SAMPLED = {**SHARED, "candidates": 8, "propagation": "mean", "particles": 1}
SAMPLED |= {"risk": dp.risk.Mean, "disagreement_limit": partial(dp.DisagreementLimit, 1.0)}
EYE = np.eye(2)


def _learner() -> Callable[..., Any]:
    return lambda data, previous: dp.LinearGaussian.fit(data)


LOOP = {"env": pendulum, "reward": lambda: dp.rewards.for_env("Pendulum-v1"), "seed": 0}
IMAGINED = {"updates_per_step": 1, "rollouts_per_step": 10, "rollout_length": 1, "max_length": 2}
IMAGINED |= {"elite_members": 1, "disagreement_quantile": 0.9, "random_steps": 10}
IMAGINED |= {"refit_every": 10, "retained_fits": 1, "threads": 1}

CALLS: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
    "CEM": (
        dp.CEM,
        {
            **SAMPLED,
            "elites": 2,
            "iterations": 2,
            "smoothing": 0.1,
            "initial_std": 0.5,
            "min_std": 0.1,
            "result": "best",
            "truncated": False,
            "tolerance": 0.0,
        },
    ),
    "CategoricalCEM": (
        dp.CategoricalCEM,
        {
            **SAMPLED,
            "actions": [[-1.0], [1.0]],
            "elites": 2,
            "iterations": 2,
            "min_probability": 0.1,
        },
    ),
    "Dyna": (dp.Dyna, {**LOOP, **IMAGINED, "agent": agent, "learn": _learner}),
    "DynaQ": (
        dp.DynaQ,
        {
            "env": maze,
            "learning_rate": 0.1,
            "discount": 0.9,
            "exploration": 0.1,
            "planning_steps": 5,
            "seed": 0,
        },
    ),
    "Ensemble.fit": (dp.Ensemble.fit, {**FIT, "data": data, "members": 2}),
    "FunctionModel": (
        dp.FunctionModel,
        {"function": lambda: lambda s, a: s, "state_dim": 2, "action_dim": 1},
    ),
    "GaussianMLP.fit": (dp.GaussianMLP.fit, {**FIT, "data": data}),
    "ICEM": (
        dp.ICEM,
        {
            **SAMPLED,
            "elites": 2,
            "iterations": 2,
            "noise_exponent": 2.0,
            "population_decay": 1.2,
            "reuse_fraction": 0.3,
        },
    ),
    "ILQR": (
        dp.ILQR,
        {**SHARED, "iterations": 5, "tolerance": 1e-6, "start": dp.CEM, "step_sizes": 4},
    ),
    "ImaginedVectorEnv": (
        dp.ImaginedVectorEnv,
        {**PLANNED, "num_envs": 2, "starts": [[0.0, 0.0]], "max_episode_steps": 5, "clip": 2.0},
    ),
    "LQR": (dp.LQR, {"horizon": 3, "infinite_horizon": False, "discount": 0.9, "threads": 1}),
    "Limits": (
        dp.Limits,
        {"action_rate": [0.1], "state_low": [-1.0, -1.0], "state_high": [1.0, 1.0]},
    ),
    "LinearGaussian.fit": (
        dp.LinearGaussian.fit,
        {
            "data": data,
            "features": dp.Identity,
            "target": "change",
            "intercept": True,
            "ridge": 0.0,
            "threads": 1,
        },
    ),
    "LinearGaussian.predict": (
        lambda **arguments: linear().predict(**arguments),
        {"states": [0.0, 0.0], "actions": [0.0], "threads": 1},
    ),
    "LinearGaussian.sample": (
        lambda **arguments: linear().sample(**arguments),
        {"states": [0.0, 0.0], "actions": [0.0], "seed": 0, "threads": 1},
    ),
    "LinearSchedule": (dp.LinearSchedule, {"minimum": 10, "fraction": 0.1}),
    "MBPO": (dp.MBPO, {**LOOP, **IMAGINED, "angles": ()}),
    "MLP.fit": (dp.MLP.fit, {**FIT, "data": data}),
    "MPC": (
        dp.MPC,
        {**PLANNED, "planner": partial(dp.CEM, horizon=3), "replan_every": 1, "delay_steps": 0},
    ),
    "MPC.act": (
        lambda **arguments: controller().act(**arguments),
        {"state": [0.0, 0.0], "time_limit": 1.0},
    ),
    "MPPI": (
        dp.MPPI,
        {**SAMPLED, "iterations": 2, "std": 0.5, "std_decay": 0.7, "effective_samples": 4.0},
    ),
    "PETS": (
        dp.PETS,
        {
            **LOOP,
            "learn": _learner,
            "planner": dp.CEM,
            "random_steps": 20,
            "random_episode_steps": 10,
            "random_hold": (1, 5),
            "episode_steps": 20,
            "refit_every": 10,
            "evaluation_horizon": 5,
        },
    ),
    "Planner.plan": (
        lambda **arguments: dp.CEM(horizon=3).plan(**arguments),
        {
            **PLANNED,
            "state": [0.0, 0.0],
            "warm_start": np.zeros((3, 1)),
            "previous_action": [0.0],
            "limits": dp.Limits,
            "time_limit": 1.0,
            "policy_candidates": 1,
        },
    ),
    "Polynomial": (dp.Polynomial, {"degree": 2}),
    "RandomShooting": (dp.RandomShooting, SAMPLED),
    "RecursiveLeastSquares": (
        dp.RecursiveLeastSquares,
        {
            "state_dim": 2,
            "action_dim": 1,
            "features": dp.Identity,
            "target": "change",
            "intercept": True,
            "ridge": 0.0,
            "forgetting": 0.9,
        },
    ),
    "SAC": (
        dp.SAC,
        {
            "env": pendulum,
            "hidden": (4,),
            "learning_rate": 1e-3,
            "batch_size": 8,
            "real_ratio": 0.5,
            "seed": 0,
            "threads": 1,
        },
    ),
    "collect": (
        dp.collect,
        {
            "env": pendulum,
            "steps": 5,
            "policy": lambda: lambda state: [0.0],
            "seed": 0,
            "episode_steps": 5,
        },
    ),
    "collect at random": (dp.collect, {"env": pendulum, "steps": 5, "hold": (1, 2)}),
    "load": (dp.load, {"path": lambda: None}),
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
        },
    ),
    "with_jacobians": (
        dp.with_jacobians,
        {"model": linear, "states": [0.0, 0.0], "actions": [0.0], "threads": 1},
    ),
}

# Arguments that take some wrong value, or refuse one without their name; a list to be emptied.
GAPS: dict[str, str] = {
    "CEM": "clip disagreement_limit discount initial_std min_std result smoothing tolerance "
    "truncated",
    "CategoricalCEM": "clip disagreement_limit discount min_probability",
    "Dyna": "agent disagreement_quantile elite_members learn reward",
    "DynaQ": "discount exploration learning_rate",
    "Ensemble.fit": "activation data held_out hidden learning_rate rewards threads weight_decay",
    "FunctionModel": "function",
    "GaussianMLP.fit": "activation data held_out hidden learning_rate rewards threads weight_decay",
    "ICEM": "clip disagreement_limit discount noise_exponent population_decay reuse_fraction",
    "ILQR": "clip discount tolerance",
    "ImaginedVectorEnv": "model",
    "LQR": "discount infinite_horizon",
    "Limits": "action_rate",
    "LinearGaussian.fit": "data features intercept ridge target threads",
    "LinearGaussian.predict": "threads",
    "LinearGaussian.sample": "threads",
    "LinearSchedule": "fraction",
    "MBPO": "angles disagreement_quantile elite_members reward",
    "MLP.fit": "activation data held_out hidden learning_rate rewards threads weight_decay",
    "MPC": "model planner",
    "MPC.act": "time_limit",
    "MPPI": "clip disagreement_limit discount effective_samples std std_decay",
    "PETS": "episode_steps learn planner random_episode_steps random_hold refit_every reward",
    "Planner.plan": "limits model previous_action time_limit",
    "Polynomial": "degree",
    "RandomShooting": "clip disagreement_limit discount",
    "RecursiveLeastSquares": "action_dim features forgetting intercept ridge state_dim target",
    "SAC": "hidden learning_rate real_ratio",
    "collect": "episode_steps policy seed steps",
    "collect at random": "hold steps",
    "lqr": "discount",
    "with_jacobians": "model threads",
}
