"""The loop of an agent that learns while it acts: step, observe, update, repeat."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dynaplan import _texts
from dynaplan._spaces import boxes, fit_to_space
from dynaplan.agents.sac.settings import UpdateStatistics
from dynaplan.errors import ArgumentError, ShapeError

if TYPE_CHECKING:
    from gymnasium import Env

    from dynaplan.agents.sac.sac import SAC

__all__ = ["AgentEpisode", "episodes", "require_spaces"]


@dataclass(frozen=True, slots=True)
class AgentEpisode:
    """One episode of an agent in its environment.

    Attributes:
        steps: real steps of the agent so far, those of earlier runs included.
        episode: 1, 2, ... in this run.
        episode_steps: steps in this episode; the last one is cut short when the steps end.
        episode_return: sum of its rewards, exploration included.
        updates: means over the updates during it, or None if there were none.
        seconds: wall-clock time of the episode, updates included.
    """

    steps: int
    episode: int
    episode_steps: int
    episode_return: float
    updates: UpdateStatistics | None
    seconds: float

    def __repr__(self) -> str:
        return _texts.object_text(self, "steps", "episode", "episode_steps", "episode_return")


def episodes(agent: SAC, env: Env[Any, Any], total_timesteps: int) -> Iterator[AgentEpisode]:
    """Runs `agent` for so many steps; an episode comes out after each."""
    end = agent.steps + total_timesteps
    seed: int | None = agent.settings.seed % 2**32  # all that Gymnasium takes
    number = 0
    while agent.steps < end:
        number += 1
        yield _episode(agent, env, seed, end, number)
        seed = None  # later resets go on with the environment's own generator


def _episode(
    agent: SAC, env: Env[Any, Any], seed: int | None, end: int, number: int
) -> AgentEpisode:
    begin, first, total = time.perf_counter(), agent.steps, 0.0
    reports: list[UpdateStatistics] = []
    settings = agent.settings
    observation, _ = env.reset(seed=seed)
    over = False
    while not over and agent.steps < end:
        if agent.steps < settings.learning_starts:
            wanted = agent.explore()
        else:
            wanted = agent.act(observation)
        action = fit_to_space(wanted, env.action_space)  # type: ignore[arg-type]
        after, reward, terminated, truncated, _ = env.step(action)
        # A time limit ends the episode, and not what could still have been earned: it is not told.
        agent.observe(observation, action, float(reward), after, bool(terminated))
        observation, total = after, total + float(reward)
        over = bool(terminated or truncated)
        if agent.steps > settings.learning_starts and agent.steps % settings.train_freq == 0:
            reports.append(agent.update(settings.gradient_steps))
    return AgentEpisode(
        steps=agent.steps,
        episode=number,
        episode_steps=agent.steps - first,
        episode_return=total,
        updates=_mean(reports),
        seconds=time.perf_counter() - begin,
    )


def require_spaces(
    env: Env[Any, Any], state_dim: int, bounds: tuple[NDArray[np.float64], NDArray[np.float64]]
) -> None:
    """Checks that an environment has an agent's states and actions.

    Raises:
        ShapeError, ArgumentError, TypeError: its spaces are other ones.
    """
    observations, actions = boxes(env)
    low, high = bounds
    if observations.shape != (state_dim,) or actions.shape != low.shape:
        raise ShapeError(
            f"env: has observations of shape {observations.shape} and actions of shape "
            f"{actions.shape}, must have ({state_dim},) and {low.shape} for this agent"
        )
    if not (np.array_equal(actions.low, low) and np.array_equal(actions.high, high)):
        raise ArgumentError(
            f"env: actions from {actions.low} to {actions.high}, must be from {low} to {high} for "
            "this agent"
        )


def _mean(reports: list[UpdateStatistics]) -> UpdateStatistics | None:
    """Joins reports of equally many updates each."""
    if not reports:
        return None

    def mean(name: str) -> float:
        return float(np.mean([getattr(report, name) for report in reports]))

    return UpdateStatistics(
        updates=sum(report.updates for report in reports),
        critic_loss=mean("critic_loss"),
        actor_loss=mean("actor_loss"),
        value=mean("value"),
        entropy=mean("entropy"),
        temperature=mean("temperature"),
    )
