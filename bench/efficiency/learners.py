"""How dynaplan's methods learn a task, from the first real step to the last."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import dynaplan as dp
from bench.efficiency.method import Act, Settings, Snapshot
from bench.efficiency.tasks import Task
from dynaplan.data.driver import Driver
from dynaplan.models.interface import Model


def known(task: Task, env: Any) -> dict[str, Any]:
    """Returns what a model-based method knows of the environment: its ends, and the reward."""
    reward = dp.rewards.for_env(env) if task.reward_known else None
    return {"reward": reward, "termination": dp.terminations.for_env(env)}


def agent_facts(updates: dp.UpdateStatistics | None) -> dict[str, float]:
    """Returns what an agent reports of its updates."""
    if updates is None:
        return {}
    return {
        "critic loss": updates.critic_loss,
        "value": updates.value,
        "temperature": updates.temperature,
    }


def mbpo(task: Task, env: Any, seed: int, settings: Settings) -> Iterator[Snapshot]:
    """`dp.MBPO`, run in parts; the settings may have those of another agent."""
    of_loop = {name: value for name, value in settings.items() if name != "agent"}
    agent = dp.SAC(env, **settings["agent"], seed=seed) if "agent" in settings else None
    loop = dp.MBPO(env, agent=agent, **known(task, env), **of_loop, seed=seed)
    while loop.steps < task.steps:
        for it in loop.run(min(task.evaluate_every, task.steps - loop.steps)):
            facts = {"model error": it.model_error, "length": float(it.length)}
        yield Snapshot(loop.steps, _actor(loop.agent), facts | agent_facts(it.updates))


def sac(task: Task, env: Any, seed: int, settings: Settings) -> Iterator[Snapshot]:
    """What `dp.SAC.run` does, with a look at the agent within episodes, too."""
    agent = dp.SAC(env, **settings, seed=seed)
    updates: dp.UpdateStatistics | None = None
    driver = Driver(env, env.action_space)
    while agent.steps < task.steps:
        if not driver.is_open:
            driver.reset(None if agent.steps else seed)  # later, its own generator continues
        starting = agent.steps < agent.settings.learning_starts
        wanted = agent.explore() if starting else agent.act(driver.observation)
        state, action, after, reward, terminated = driver.step(wanted)
        agent.observe(state, action, reward, after, terminated)
        if agent.steps > agent.settings.learning_starts:
            updates = agent.update(agent.settings.gradient_steps)
        if agent.steps % task.evaluate_every == 0 or agent.steps == task.steps:
            yield Snapshot(agent.steps, _actor(agent), agent_facts(updates))


def _actor(agent: dp.SAC) -> Any:
    def act(state: Any) -> Any:
        return agent.act(state, deterministic=True)

    return lambda _number: act


def pets(task: Task, env: Any, seed: int, settings: Settings) -> Iterator[Snapshot]:
    """`dp.pets_cpu`."""
    return _episodes(task, dp.pets_cpu(env, **known(task, env), **settings, seed=seed))


def pets_ahead(task: Task, env: Any, seed: int, settings: Settings) -> Iterator[Snapshot]:
    """`dp.PETS` with the networks of `dp.pets_cpu`, and a search of its own."""
    given = known(task, env)
    learn = dp.pets_cpu(env, **given, seed=seed).settings.learn
    of_planner = dict(settings["planner"])
    of_loop = {name: value for name, value in settings.items() if name != "planner"}
    loop = dp.PETS(env, learn=learn, planner=dp.ICEM(**of_planner), **given, **of_loop, seed=seed)
    return _episodes(task, loop)


def least_squares_cem(task: Task, env: Any, seed: int, settings: Settings) -> Iterator[Snapshot]:
    """The same loop around least squares."""

    def learn(data: dp.Transitions, _previous: Model | None) -> Model:
        return dp.LinearGaussian.fit(data, features=dp.Polynomial(2))

    loop = dp.PETS(env, learn=learn, planner=dp.CEM(), **known(task, env), **settings, seed=seed)
    return _episodes(task, loop)


def _episodes(task: Task, loop: dp.PETS) -> Iterator[Snapshot]:
    """Looks at the ends of episodes, since a loop of planning stops at no other place."""
    due = task.evaluate_every
    for it in loop.run(task.steps):
        if it.steps < min(due, task.steps):
            continue
        due = it.steps + task.evaluate_every
        facts: dict[str, float] = {}
        if it.evaluation is not None:
            facts["model error"] = float(it.evaluation.error_median[0])
            facts["trusted horizon"] = float(it.evaluation.trusted_horizon)
        yield Snapshot(it.steps, _planner(loop, it.model), facts)


def _planner(loop: dp.PETS, model: Model) -> Any:
    def policy(number: int) -> Act:
        act: Act = loop.controller(model, seed=number).act
        return act

    return policy
