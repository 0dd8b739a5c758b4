"""The methods that are compared, each with the settings it is judged with."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import dynaplan as dp
from bench.efficiency import baseline_sac, learners
from bench.efficiency.method import Method

SMALL = {"hidden": (64, 64), "learning_rate": 1e-3}  # as the agent of dp.MBPO has them
WIDE = {"hidden": (128, 128), "learning_rate": 3e-4}
LOCOMOTION = ("Hopper-v5", "HalfCheetah-v5", "Swimmer-v5")
MODEL_FREE = {"HalfCheetah-v5": 20_000}  # half the task's steps: too few for its threshold by far
_GIVEN = ("env", "reward", "termination", "seed", "threads", "agent", "learn")


def spelled(function: Callable[..., Any], **changed: Any) -> dict[str, Any]:
    """Returns all settings of a method of the library, with their defaults, some changed."""
    parameters = inspect.signature(function).parameters
    defaults = {name: one.default for name, one in parameters.items() if name not in _GIVEN}
    return defaults | changed


def _mbpo(name: str, pendulum_steps: int, *tasks: str, **changed: Any) -> Method:
    return Method(
        name,
        "dp.MBPO with its own agent (dp.SAC of two layers of 64, learning rate 1e-3, a tenth of a"
        " batch real) and its own ensemble of seven networks",
        learners.mbpo,
        spelled(dp.MBPO, **changed),
        tasks,
        budgets={"Pendulum-v1": pendulum_steps, "InvertedPendulum-v5": 1_000},
    )


def _sac(name: str, gradient_steps: int, networks: dict[str, Any], whose: str) -> Method:
    return Method(
        name,
        f"dp.SAC with the networks and the learning rate {whose}",
        learners.sac,
        spelled(dp.SAC, **networks, gradient_steps=gradient_steps),
        LOCOMOTION if networks is WIDE else (),
        MODEL_FREE,
    )


_ALL = (
    Method(
        "least_squares_cem",
        "dp.PETS around dp.LinearGaussian with dp.Polynomial(2) and dp.CEM as it comes; learns"
        " after each episode",
        learners.least_squares_cem,
        {"random_steps": 50, "episode_steps": 50},
        tasks=("Pendulum-v1", "InvertedPendulum-v5"),
        budgets={"Pendulum-v1": 500, "InvertedPendulum-v5": 500},
    ),
    Method(
        "pets",
        "dp.pets_cpu as it comes, with its own five networks and its own dp.ICEM",
        learners.pets,
        spelled(dp.pets_cpu),
        budgets={
            "Pendulum-v1": 500,
            "InvertedPendulum-v5": 500,
            "dm_control/cartpole-swingup": 2_500,
            "Reacher-v5": 1_500,
            "Pusher-v5": 3_000,
            "Hopper-v5": 10_000,
            "HalfCheetah-v5": 10_000,
            "Swimmer-v5": 10_000,
        },
    ),
    Method(
        "pets_ahead",
        "dp.PETS with the networks of dp.pets_cpu, for steps so short that much must be planned"
        " ahead: actions that last, wide noise, the mean of the members",
        learners.pets_ahead,
        {
            "planner": {
                "horizon": 100,
                "candidates": 100,
                "elite_members": 15,
                "iterations": 5,
                "initial_std": 1.0,
                "noise_exponent": 2.0,
                "clip": 1.2,
            },
            "random_steps": 250,
            "random_episode_steps": 125,
            "random_hold": (5, 40),
            "episode_steps": 500,
            "refit_every": dp.LinearSchedule(50, 0.1),
            "evaluation_horizon": 50,
        },
        tasks=("dm_control/cartpole-swingup",),
        budgets={"dm_control/cartpole-swingup": 3_000},
    ),
    _mbpo("mbpo", 2_000, updates_per_step=40),
    _mbpo("mbpo_disagreement", 2_000, "Pusher-v5", updates_per_step=40, disagreement_quantile=0.95),
    *(
        _mbpo(f"mbpo_k{count}", steps, "Pendulum-v1", updates_per_step=count)
        for count, steps in ((0, 5_000), (1, 5_000), (5, 3_000), (20, 2_000))
    ),
    Method(
        "mbpo_128",
        "dp.MBPO for tasks of many joints: a wider agent that learns more slowly, of one imagined"
        " step, drawn from the last four fits",
        learners.mbpo,
        spelled(
            dp.MBPO,
            agent={**WIDE, "real_ratio": 0.1},
            updates_per_step=20,
            max_length=1,
            refit_every=250,
            retained_fits=4,
        ),
        LOCOMOTION,
    ),
    _sac("sac", 1, SMALL, "that dp.MBPO gives its agent"),
    _sac("sac_20", 20, SMALL, "that dp.MBPO gives its agent"),
    _sac("sac_128", 1, WIDE, "of the agent of mbpo_128"),
    _sac("sac_128_20", 20, WIDE, "of the agent of mbpo_128"),
    Method(
        "sb3_sac",
        "stable_baselines3.SAC with its own defaults (two layers of 256, learning rate 3e-4, 1"
        " update a step, 100 random steps)",
        baseline_sac.sb3_sac,
        {},
        budgets=MODEL_FREE,
    ),
)
METHODS = {method.name: method for method in _ALL}
