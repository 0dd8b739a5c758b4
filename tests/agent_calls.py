"""Valid calls of environments, agents and loops, as `public_calls` has of the rest."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import dynaplan as dp
from dynaplan.envs import mazes
from public_objects import BOX, agent, data, dyna, ensemble, linear, maze, pendulum

PENDULUM_REWARD = {"reward": lambda: dp.rewards.for_env("Pendulum-v1")}
TERMINATION = {"termination": partial(dp.terminations.outside, [-9.0] * 3, [9.0] * 3)}
LEARN = {"learn": lambda: lambda data, previous: dp.LinearGaussian.fit(data)}
LOOP = {"env": pendulum, **PENDULUM_REWARD, **TERMINATION, "seed": 0}
IMAGINING = {
    "updates_per_step": 1,
    "rollouts_per_step": 10,
    "rollout_length": 1,
    "max_length": 2,
    "elite_members": 1,
    "disagreement_quantile": 0.9,
    "random_steps": 10,
    "refit_every": 10,
    "retained_fits": 1,
    "threads": 1,
}
TABULAR = {
    "env": maze,
    "learning_rate": 0.1,
    "discount": 0.9,
    "exploration": 0.1,
    "planning_steps": 5,
    "seed": 0,
}
END = {"terminal_value": lambda: lambda states: np.zeros(len(states))}
STEPS = {"random_steps": 20, "episode_steps": 20, "refit_every": 10}
STATE = [1.0, 0.0, 0.0]


def _of(make: Callable[[], Any], method: str) -> Callable[..., Any]:
    """The method of an object that is made when it is called."""

    def call(**given: Any) -> Any:
        return getattr(make(), method)(**given)

    return call


def _dyna() -> dp.Dyna:
    return dyna()[0]


def _agent() -> dp.SAC:
    """A new one each time, as a call may change it; with a transition to learn from."""
    made = agent.__wrapped__()
    made.observe(STATE, [0.0], 0.0, STATE, False)
    return made


def _envs() -> dp.ImaginedVectorEnv:
    box = {"action_space": BOX, "reward": dp.rewards.quadratic([1.0, 1.0]), "seed": 0}
    envs = dp.ImaginedVectorEnv(linear(), 2, data().states, **box)
    envs.reset()
    return envs


def _pets() -> dp.PETS:
    learn, known = LEARN["learn"](), PENDULUM_REWARD["reward"]()
    planner = dp.CEM(horizon=3, candidates=8, elites=2)
    return dp.PETS(pendulum(), learn=learn, reward=known, planner=planner, random_steps=20, seed=0)


CALLS: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
    "Dyna": (dp.Dyna, {**LOOP, **LEARN, **IMAGINING, "agent": agent}),
    "Dyna.learn": (_of(_dyna, "learn"), {"steps": 1}),
    "Dyna.restore": (_of(_dyna, "restore"), {"path": lambda: None}),
    "Dyna.run": (
        lambda **given: list(dyna()[0].run(**given)),
        {"steps": 1, "csv": lambda: None, "tensorboard": lambda: None},
    ),
    "Dyna.save": (_of(_dyna, "save"), {"path": lambda: None}),
    "DynaQ": (dp.DynaQ, TABULAR),
    "DynaQ.act": (
        lambda **given: dp.DynaQ(maze(), seed=0).act(**given),
        {"state": 0, "explore": True},
    ),
    "DynaQ.learn": (
        lambda total_timesteps: dp.DynaQ(maze(), seed=0).learn(total_timesteps),
        {"total_timesteps": 5},
    ),
    "DynaQ.observe": (
        lambda **given: dp.DynaQ(maze(), seed=0).observe(**given),
        {"state": 0, "action": 1, "reward": 0.5, "next_state": 1, "terminated": False},
    ),
    "DynaQ.run": (lambda steps: list(dp.DynaQ(maze(), seed=0).run(steps)), {"steps": 5}),
    "DynaQ.save": (lambda path: dp.DynaQ(maze()).save(path), {"path": lambda: None}),
    "DynaQPlus": (dp.DynaQPlus, {**TABULAR, "bonus": 1e-3}),
    "ImaginedVectorEnv": (
        dp.ImaginedVectorEnv,
        {
            "model": ensemble,
            "num_envs": 2,
            "starts": [[0.0, 0.0]],
            "action_space": BOX,
            "observation_space": lambda: _envs().single_observation_space,
            "reward": lambda: dp.rewards.quadratic([1.0, 1.0]),
            "termination": partial(dp.terminations.outside, [-9.0] * 2, [9.0] * 2),
            "max_episode_steps": 5,
            "disagreement_limit": partial(dp.DisagreementLimit, 9.0),
            "cut_reward": -1.0,
            "elite_members": 1,
            "clip": 2.0,
            "autoreset_mode": "NextStep",
            "seed": 0,
            "threads": 1,
        },
    ),
    "ImaginedVectorEnv.reset": (
        lambda **given: _envs().reset(**given),
        {"seed": 0, "options": lambda: {"reset_mask": np.array([True, False])}},
    ),
    "ImaginedVectorEnv.step": (
        lambda actions: _envs().step(actions),
        {"actions": [[0.0], [0.0]]},
    ),
    "LinearSchedule": (dp.LinearSchedule, {"minimum": 10, "fraction": 0.1}),
    "LinearSchedule.__call__": (dp.LinearSchedule(10, 0.1), {"steps": 5}),
    "MBPO": (dp.MBPO, {**LOOP, **LEARN, **IMAGINING, "angles": (), "agent": agent}),
    "PETS": (
        dp.PETS,
        {
            **LOOP,
            **LEARN,
            **STEPS,
            **END,
            "planner": dp.CEM,
            "random_episode_steps": 10,
            "random_hold": (1, 5),
            "evaluation_horizon": 5,
        },
    ),
    "PETS.controller": (
        lambda **given: _pets().controller(**given),
        {"model": lambda: dp.FunctionModel(lambda s, a: s, 3, 1), "seed": 0},
    ),
    "PETS.learn": (lambda steps: _pets().learn(steps), {"steps": 21}),
    "PETS.run": (
        lambda **given: list(_pets().run(**given)),
        {"steps": 1, "data": lambda: dp.collect(pendulum(), 20, seed=0)},
    ),
    "PrioritizedSweeping": (dp.PrioritizedSweeping, {**TABULAR, "threshold": 1e-3}),
    "RolloutLengthSchedule": (
        dp.RolloutLengthSchedule,
        {"begin": 1, "end": 2, "first": 1, "last": 5, "epoch_steps": 1000},
    ),
    "RolloutLengthSchedule.__call__": (dp.RolloutLengthSchedule(1, 2, 1, 5), {"steps": 5}),
    "SAC": (
        dp.SAC,
        {
            "env": pendulum,
            "learning_rate": 1e-3,
            "buffer_size": 1000,
            "learning_starts": 10,
            "batch_size": 8,
            "tau": 0.01,
            "discount": 0.9,
            "train_freq": 1,
            "gradient_steps": 1,
            "hidden": (4,),
            "activation": "relu",
            "target_entropy": -1.0,
            "temperature": 0.1,
            "real_ratio": 0.5,
            "imagined_buffer_size": 1000,
            "seed": 0,
            "threads": 1,
        },
    ),
    "SAC with a learned temperature": (dp.SAC, {"env": pendulum, "initial_temperature": 1.0}),
    "SAC.act": (
        lambda **given: _agent().act(**given),
        {"states": STATE, "deterministic": True},
    ),
    "SAC.learn": (
        lambda **given: _agent().learn(**given),
        {"total_timesteps": 1, "callback": lambda: lambda _: None},
    ),
    "SAC.observe": (
        lambda **given: _agent().observe(**given),
        {
            "state": STATE,
            "action": [0.0],
            "reward": 0.0,
            "next_state": STATE,
            "terminated": False,
        },
    ),
    "SAC.observe_imagined": (
        lambda **given: _agent().observe_imagined(**given),
        {
            "states": [STATE],
            "actions": [[0.0]],
            "rewards": [0.0],
            "next_states": [STATE],
            "terminated": [False],
            "replace": False,
        },
    ),
    "SAC.resize_imagined": (lambda size: _agent().resize_imagined(size), {"size": 100}),
    "SAC.run": (lambda steps: list(_agent().run(steps)), {"steps": 1}),
    "SAC.save": (
        lambda **given: _agent().save(**given),
        {"path": lambda: None, "replay": True},
    ),
    "SAC.update": (lambda count: _agent().update(count), {"count": 1}),
    "collect": (
        dp.collect,
        {
            "env": pendulum,
            "steps": 5,
            "policy": lambda: lambda state: [0.0],
            "seed": 0,
            "episode_steps": 5,
            "angles": {0: 4.0},
        },
    ),
    "collect at random": (dp.collect, {"env": pendulum, "steps": 5, "hold": (1, 2)}),
    "envs.mazes.Maze": (
        mazes.Maze,
        {
            "layout": ["S.", ".G"],
            "changed_layout": ["S.", "#G"],
            "switch_at": 10,
            "factor": 1,
            "render_mode": "ansi",
        },
    ),
    "envs.mazes.Maze.run": (
        _of(lambda: maze().unwrapped, "run"),
        {"agent": lambda: dp.DynaQ(maze(), seed=0), "steps": 5},
    ),
    "envs.mazes.Maze.step": (_of(lambda: maze().unwrapped, "step"), {"action": 1}),
    "load": (dp.load, {"path": lambda: None, "threads": 1}),
    "mbpo_paper": (
        dp.mbpo_paper,
        {"env": pendulum, "task": "hopper", **TERMINATION, "seed": 0, "threads": 1},
    ),
    "pets_cpu": (
        dp.pets_cpu,
        {**LOOP, **STEPS, **END, "angles": (), "horizon": 5, "clip": 2.0, "threads": 1},
    ),
    "pets_paper": (
        dp.pets_paper,
        {**LOOP, "task": "cartpole", "angles": (), "threads": 1},
    ),
}
