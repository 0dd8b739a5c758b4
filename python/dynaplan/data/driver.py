"""The loop over the steps of an environment: reset, clip, step; and what an episode was.

Knows Gymnasium's interface alone: any object with its `reset` and `step` will do. `episodes` is the
whole loop for an agent that acts and observes; a `Driver` makes one step at a time, for loops that
have something to decide between two steps.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from dynaplan._discrete import numbering_of
from dynaplan._environments import fit_to_space
from dynaplan._spaces import is_discrete
from dynaplan.data.answers import first_observation, observer, parts_of_step, refuse_step

if TYPE_CHECKING:
    from gymnasium import Env
    from gymnasium.spaces import Box, Discrete

__all__ = ["Driver", "Episode", "Row", "episodes"]

# A real transition: state, action as applied, one-hot where it is discrete, next state, reward, and
# whether the system ended.
Row: TypeAlias = tuple[Any, Any, Any, float, bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """One episode in an environment, or the part of it that was made.

    Attributes:
        steps: real steps so far, those of earlier runs included.
        episode: its number.
        episode_steps: real steps in this episode.
        episode_return: sum of its rewards, exploration included.
        terminated: whether the system ended it; False at a time limit, and where it was cut short.
        finished: whether the environment ended it, by a termination or a time limit; False where
            it was cut short, as when the steps of a run ended first.
        seconds: wall-clock time it took, learning included; two episodes may be equal without it.
    """

    steps: int
    episode: int
    episode_steps: int
    episode_return: float
    terminated: bool
    finished: bool
    seconds: float = field(compare=False)


def episodes(  # all of it differs between agents
    env: Env[Any, Any],
    action_space: Box | None,
    act: Callable[[Any], Any],
    observe: Callable[[Any, Any, Any, Any, Any], Any],
    steps: int,
    *,
    seed: int | None,
    steps_before: int,
) -> Iterator[Episode]:
    """Makes so many steps; an episode comes out as each ends, the last one cut short if need be.

    Args:
        env: the environment; it is reset before each episode, and left open.
        action_space: what actions are clipped to; None: they are applied as they are.
        act: function from an observation to an action.
        observe: takes state, action as applied, reward, next state, and whether the system ended.
        steps: how many, >= 1.
        seed: of the first reset; later ones continue with the environment's own generator.
        steps_before: what `Episode.steps` begins at.
    """
    # Agents with tables make a million steps a second here: no attributes, no calls but these.
    apply, observed = env.step, observer(env)
    begin, number, first, total = time.perf_counter(), 1, 0, 0.0
    state = observed(first_observation(env, seed))
    for made in range(1, steps + 1):
        action = act(state)
        if action_space is not None:
            action = fit_to_space(action, action_space)
        answer: Any = apply(action)
        if not isinstance(answer, tuple) or len(answer) != 5:
            refuse_step(answer)
        after, reward, terminated, truncated, _ = answer
        # What is plainly right, as of an environment with tables, is taken without a call.
        is_plain = type(after) is int and type(reward) is float
        if not is_plain or type(terminated) is not bool or type(truncated) is not bool:
            after, reward, terminated, truncated = parts_of_step(answer, observed)
        observe(state, action, reward, after, terminated)
        state, total = after, total + reward
        if terminated or truncated or made == steps:
            yield Episode(
                steps=steps_before + made,
                episode=number,
                episode_steps=made - first,
                episode_return=total,
                terminated=terminated,
                finished=terminated or truncated,
                seconds=time.perf_counter() - begin,
            )
            if made < steps:
                begin, number, first, total = time.perf_counter(), number + 1, made, 0.0
                state = observed(first_observation(env, None))


class Driver:
    """Drives an environment a step at a time.

    Args:
        env: the environment; left open.
        action_space: what actions are clipped to, or a Discrete: numbers, which must be its own.
        actor: the argument that chooses actions, for messages.

    Attributes:
        observation: where the environment is; there is none before the first `reset`.
        is_open: whether an episode is under way.
        terminated: whether the system ended in the last step.
        episode_steps: steps since the last reset.
    """

    observation: Any

    def __init__(
        self, env: Env[Any, Any], action_space: Box | Discrete, actor: str = "policy"
    ) -> None:
        self.env = env
        self._action_space, self._actor = action_space, actor
        self._observed = observer(env)
        self._numbering = None
        if is_discrete(action_space):
            self._numbering = numbering_of("env: its action_space", action_space)
        self.is_open = self.terminated = False
        self.episode_steps = 0

    def reset(self, seed: int | None = None) -> None:
        """Begins an episode.

        Args:
            seed: of the environment; None: its generator continues.
        """
        self.observation = self._observed(first_observation(self.env, seed))
        self.is_open, self.terminated = True, False
        self.episode_steps = 0

    def step(self, action: Any) -> Row:
        """Makes a step.

        Args:
            action: what is wanted: (A,), which is clipped to the action space, or a number.

        Raises:
            ShapeError: the action has another shape than the space.
            ArgumentError: it is not finite, or the number of no action.
            TypeError: the environment answered with what is no step, or no observation of its own.
        """
        before = self.observation
        applied = fit_to_space(action, self._action_space, self._actor)
        answer = self.env.step(applied)
        self.observation, reward, terminated, truncated = parts_of_step(answer, self._observed)
        self.is_open, self.terminated = not (terminated or truncated), terminated
        self.episode_steps += 1
        if self._numbering is not None:
            applied = self._numbering.one_hot(self._actor, applied)
        return before, applied, self.observation, reward, terminated
