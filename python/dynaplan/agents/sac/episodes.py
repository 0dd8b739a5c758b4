"""The loop of an agent that learns while it acts: step, observe, update, repeat."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from dynaplan import _texts
from dynaplan._docstrings import shares_arguments
from dynaplan._environments import boxes
from dynaplan.agents.sac.settings import SACSettings, UpdateStatistics
from dynaplan.data.driver import Episode, episodes
from dynaplan.errors import ArgumentError, ShapeError

if TYPE_CHECKING:
    from gymnasium import Env

__all__ = ["AgentEpisode", "agent_episodes", "require_spaces"]


@shares_arguments(Episode)
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class AgentEpisode(Episode):
    """One episode of an agent in its environment.

    Attributes:
        updates: means over the updates during it, or None if there were none.
    """

    updates: UpdateStatistics | None

    def __repr__(self) -> str:
        return _texts.object_text(self, "steps", "episode", "episode_steps", "episode_return")


class _Agent(Protocol):
    """What the loop needs to know of the agent."""

    @property
    def settings(self) -> SACSettings: ...
    @property
    def steps(self) -> int: ...
    def explore(self) -> Any: ...
    def act(self, states: Any) -> Any: ...
    def observe(
        self, state: Any, action: Any, reward: Any, next_state: Any, terminated: Any, /
    ) -> None: ...
    def update(self, count: int, /) -> UpdateStatistics: ...


def agent_episodes(agent: _Agent, env: Env[Any, Any], steps: int) -> Iterator[AgentEpisode]:
    """Makes so many steps with `agent`, which learns; an episode comes out after each."""
    settings = agent.settings
    reports: list[UpdateStatistics] = []

    def act(state: Any) -> Any:
        return agent.explore() if agent.steps < settings.learning_starts else agent.act(state)

    def observe(state: Any, action: Any, reward: Any, after: Any, terminated: Any) -> None:
        # A time limit ends the episode, but not what could still follow: it is left out.
        agent.observe(state, action, reward, after, terminated)
        if agent.steps > settings.learning_starts and agent.steps % settings.train_freq == 0:
            reports.append(agent.update(settings.gradient_steps))

    played = episodes(
        env,
        boxes(env)[1],
        act,
        observe,
        steps,
        seed=settings.seed % 2**32,  # all that Gymnasium takes
        steps_before=agent.steps,
    )
    for episode in played:
        shared = {field.name: getattr(episode, field.name) for field in fields(episode)}
        yield AgentEpisode(**shared, updates=_mean(reports))
        reports.clear()


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
