"""Valid calls of agents, environments and loops; see `calls_of_models`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from typing import Any

import numpy as np

import dynaplan as dp
from agent_calls import IMAGINING
from attack.calls_of_models import Row, batch_end, batch_reward, box_env, end, more, on
from attack.calls_of_planners import FUNCTIONS, POLICY, SMALL
from dynaplan.envs.mazes import Maze
from public_objects import BOX, agent, data, ensemble, linear, reward


def first(iterations: Iterator[Any]) -> list[Any]:
    return list(islice(iterations, 2))


def sac(env: Any = None, **settings: Any) -> dp.SAC:
    given: dict[str, Any] = {"hidden": (4,), "batch_size": 4, "buffer_size": 64, "seed": 0}
    env = box_env() if env is None else env
    return dp.SAC(env, **{**given, "imagined_buffer_size": 64, "learning_starts": 3, **settings})


def taught() -> dp.SAC:
    agent = sac()
    agent.observe([[0.1, 0.2]] * 4, [[0.1]] * 4, [1.0] * 4, [[0.1, 0.2]] * 4, [False] * 4)
    return agent


def learner() -> Callable[..., Any]:
    return lambda data, previous: dp.LinearGaussian.fit(data)


def pets() -> dp.PETS:
    return dp.PETS(
        box_env(),
        learn=learner(),
        reward=reward(),
        planner=dp.CEM(**SMALL, elites=2),
        random_steps=6,
        refit_every=4,
        episode_steps=4,
        seed=0,
    )


def dyna(make: Callable[..., Any]) -> Any:
    given: dict[str, Any] = {"agent": sac(), "learn": learner(), "reward": reward(), "seed": 0}
    numbers: dict[str, Any] = {"updates_per_step": 1, "rollouts_per_step": 4, "random_steps": 6}
    numbers |= {"rollout_length": 1, "refit_every": 6, "elite_members": None}
    return make(box_env(), **given, **numbers)


def kept(make: Callable[..., Any]) -> Any:
    """A loop that can be saved, as it has begun."""
    loop = dyna(make)
    loop.learn(6)
    return loop


def restored(make: Callable[..., Any]) -> Callable[..., Any]:
    def call(path: Any) -> None:
        loop = dyna(make)
        loop.learn(6)
        loop.save("a.loop")
        dyna(make).restore(path)

    return call


def loaded(**arguments: Any) -> Any:
    taught().save("an.agent")
    return dp.load(**arguments)


def vector() -> dp.ImaginedVectorEnv:
    envs = dp.ImaginedVectorEnv(
        linear(), 2, [[0.1, 0.2]], action_space=BOX, reward=reward(), seed=0
    )
    envs.reset()
    return envs


def stepped(**arguments: Any) -> Any:
    envs = dp.ImaginedVectorEnv(**arguments)
    envs.reset()
    return [envs.step(np.zeros((envs.num_envs, 1))) for _ in range(2)]


def small_maze() -> Maze:
    maze = Maze(["S.", ".G"])
    maze.reset(seed=0)
    return maze


def walked(**arguments: Any) -> Any:
    maze = Maze(**arguments)
    maze.reset(seed=0)
    return maze.step(1), maze.render()


def _agents() -> dict[str, Row]:
    rows: dict[str, Row] = {}
    others = {"DynaQ": {}, "DynaQPlus": {"bonus": 0.1}, "PrioritizedSweeping": {"threshold": 0.1}}
    for name, settings in others.items():
        make = getattr(dp, name)
        rows[name] = (
            lambda make=make, **arguments: make(**arguments).learn(5),
            {**more("DynaQ")[1], **settings, "env": small_maze},
        )
        agent = partial(lambda make: make(small_maze(), seed=0), make)
        rows[f"{name}.act"] = on(agent, "act"), {"state": 0, "explore": True}
        rows[f"{name}.observe"] = (
            on(agent, "observe"),
            {"state": 0, "action": 1, "reward": 0.5, "next_state": 2, "terminated": False},
        )
        rows[f"{name}.run"] = lambda steps, agent=agent: first(agent().run(steps)), {"steps": 5}
        rows[f"{name}.learn"] = on(agent, "learn"), {"total_timesteps": 5}
        rows[f"{name}.save"] = on(agent, "save"), {"path": "an.agent"}
    one = {"state": [0.1, 0.2], "action": [0.1], "reward": 1.0, "next_state": [0.1, 0.2]}
    several = {"states": [[0.1, 0.2]] * 2, "actions": [[0.1]] * 2, "rewards": [1.0] * 2}
    rows |= {
        "SAC": (
            lambda **arguments: dp.SAC(**arguments).learn(5),
            {
                **more("SAC")[1],
                "env": box_env,
                "buffer_size": 64,
                "learning_starts": 2,
                "tau": 0.1,
                "discount": 0.9,
                "train_freq": 1,
                "gradient_steps": 1,
                "activation": "relu",
                "target_entropy": -1.0,
                "temperature": 0.1,
                "initial_temperature": 1.0,
                "imagined_buffer_size": 64,
            },
        ),
        "SAC.act": (on(sac, "act"), {"states": [0.1, 0.2], "deterministic": True}),
        "SAC.observe": (on(sac, "observe"), {**one, "terminated": False}),
        "SAC.observe_imagined": (
            on(sac, "observe_imagined"),
            {
                **several,
                "next_states": [[0.1, 0.2]] * 2,
                "terminated": [False] * 2,
                "replace": True,
            },
        ),
        "SAC.resize_imagined": (on(taught, "resize_imagined"), {"size": 4}),
        "SAC.update": (on(taught, "update"), {"count": 1}),
        "SAC.run": (lambda steps: first(sac().run(steps)), {"steps": 5}),
        "SAC.learn": (
            on(sac, "learn"),
            {"total_timesteps": 12, "callback": lambda: lambda episode: None},
        ),
        "SAC.save": (on(taught, "save"), {"path": "an.agent", "replay": True}),
    }
    return rows


def _loops() -> dict[str, Row]:
    rows: dict[str, Row] = {
        "PETS": (dp.PETS, {**more("PETS")[1], "termination": lambda: batch_end}),
        "PETS run": (
            lambda **arguments: first(dp.PETS(**arguments).run(12)),
            {
                "env": box_env,
                "learn": learner,
                "reward": lambda: batch_reward,
                "planner": partial(dp.CEM, **SMALL, elites=2),
                "termination": lambda: batch_end,
                "terminal_value": POLICY["terminal_value"],
                "random_steps": 8,
                "random_episode_steps": 4,
                "random_hold": (1, 2),
                "episode_steps": lambda: lambda steps: 4,
                "refit_every": partial(dp.LinearSchedule, 4, 0.5),
                "evaluation_horizon": 2,
                "seed": 0,
            },
        ),
        "PETS.controller": (on(pets, "controller"), {"model": linear, "seed": 0}),
        "PETS.run": (
            lambda **arguments: first(pets().run(**arguments)),
            {"steps": 8, "data": data},
        ),
        "PETS.learn": (on(pets, "learn"), {"steps": 8}),
        "Dyna": (dp.Dyna, {**more("Dyna")[1], "rollout_length": "trusted", "termination": end}),
        "Dyna run": (
            lambda **arguments: first(dp.Dyna(box_env(), sac(), **arguments, seed=0).run(9)),
            {
                **{name: IMAGINING[name] for name in ("updates_per_step", "max_length", "threads")},
                "learn": lambda: lambda data, previous: ensemble(),
                "reward": lambda: batch_reward,
                "termination": lambda: batch_end,
                "rollouts_per_step": 4,
                "elite_members": 1,
                "rollout_length": partial(dp.RolloutLengthSchedule, 1, 2, 1, 2, 4),
                "disagreement_quantile": 0.9,
                "random_steps": 4,
                "refit_every": 4,
                "retained_fits": 1,
            },
        ),
        "MBPO": (
            dp.MBPO,
            {
                **more("MBPO")[1],
                "rollout_length": "trusted",
                "termination": end,
                "agent": agent,
                "learn": learner,
            },
        ),
        "mbpo_paper": (
            dp.mbpo_paper,
            {"env": box_env, "task": "hopper", "termination": end, "seed": 0, "threads": 1},
        ),
        "pets_cpu": (
            dp.pets_cpu,
            {
                "env": box_env,
                "reward": reward,
                "termination": end,
                "terminal_value": POLICY["terminal_value"],
                "angles": (1,),
                "horizon": 3,
                "clip": 2.0,
                "random_steps": 6,
                "episode_steps": 4,
                "refit_every": 4,
                "seed": 0,
                "threads": 1,
            },
        ),
        "pets_paper": (
            dp.pets_paper,
            {
                "env": box_env,
                "task": "cartpole",
                "reward": reward,
                "termination": end,
                "angles": (1,),
                "seed": 0,
                "threads": 1,
            },
        ),
    }
    for name in ("Dyna", "MBPO"):
        make = partial(dyna, getattr(dp, name))
        rows[f"{name}.run"] = (
            lambda make=make, **arguments: first(make().run(**arguments)),
            {"steps": 8, "csv": "a.csv"},
        )
        rows[f"{name}.learn"] = on(make, "learn"), {"steps": 8}
        rows[f"{name}.save"] = on(partial(kept, getattr(dp, name)), "save"), {"path": "a.loop"}
        rows[f"{name}.restore"] = restored(getattr(dp, name)), {"path": "a.loop"}
    return rows


def _environments() -> dict[str, Row]:
    imagined = {
        **more("ImaginedVectorEnv")[1],
        "termination": end,
        "observation_space": None,
        "disagreement_limit": partial(dp.DisagreementLimit, 1.0),
        "cut_reward": 0.0,
        "elite_members": 1,
        "autoreset_mode": "NextStep",
        "threads": 1,
    }
    return {
        "ImaginedVectorEnv": (stepped, {**imagined, "model": ensemble}),
        "ImaginedVectorEnv with functions": (
            stepped,
            {**imagined, **FUNCTIONS, "disagreement_limit": None, "elite_members": None},
        ),
        "ImaginedVectorEnv.reset": (on(vector, "reset"), {"seed": 0, "options": {}}),
        "ImaginedVectorEnv.reset of some": (
            lambda mask: vector().reset(options={"reset_mask": mask}),
            {"mask": np.ones(2, bool)},
        ),
        "ImaginedVectorEnv.step": (on(vector, "step"), {"actions": np.zeros((2, 1))}),
        "Maze": (
            walked,
            {
                "layout": ("S.", ".G"),
                "changed_layout": ("S#", ".G"),
                "switch_at": 1,
                "factor": 2,
                "render_mode": "rgb_array",
            },
        ),
        "Maze.reset": (on(small_maze, "reset"), {"seed": 0, "options": {}}),
        "Maze.step": (on(small_maze, "step"), {"action": 1}),
        "Maze.run": (
            on(small_maze, "run"),
            {"agent": lambda: dp.DynaQ(small_maze(), seed=0), "steps": 5},
        ),
        "collect": more("collect", env=box_env, policy=lambda: lambda state: [0.0], hold=(1, 10)),
        "collect at random": more("collect at random", env=box_env),
        "load": (loaded, {"path": "an.agent", "env": box_env, "threads": 1}),
        "load of transitions": (
            lambda path: (data().save("a.transitions"), dp.load(path)),
            {"path": "a.transitions"},
        ),
        "LinearSchedule": (
            lambda **arguments: dp.LinearSchedule(**arguments)(100),
            {"minimum": 10, "fraction": 0.1},
        ),
        "LinearSchedule.__call__": (dp.LinearSchedule(10, 0.1), {"steps": 100}),
        "RolloutLengthSchedule": (
            lambda **arguments: dp.RolloutLengthSchedule(**arguments)(1500),
            {"begin": 1, "end": 2, "first": 1, "last": 5, "epoch_steps": 1000},
        ),
        "RolloutLengthSchedule.__call__": (
            dp.RolloutLengthSchedule(1, 2, 1, 5),
            {"steps": 1500},
        ),
    }


AGENT_CALLS: dict[str, Row] = {**_agents(), **_loops(), **_environments()}
