"""The loop over the steps of an environment: reset, clip, step; and what an episode was.

Knows Gymnasium's interface alone: any object with its `reset` and `step` will do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from dynaplan._spaces import fit_to_space

if TYPE_CHECKING:
    from gymnasium import Env
    from gymnasium.spaces import Box

__all__ = ["Driver", "Episode", "Row"]

# A real transition: state, action as applied, next state, reward, and whether the system ended.
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
        seconds: wall-clock time it took, learning included.
    """

    steps: int
    episode: int
    episode_steps: int
    episode_return: float
    terminated: bool
    finished: bool
    seconds: float


class Driver:
    """Drives an environment, an episode after the other.

    Args:
        env: the environment; left open.
        action_space: what actions are clipped to; None: they are applied as they are.

    Attributes:
        observation: where the environment is; there is none before the first `reset`.
        is_open: whether an episode is under way.
        terminated: whether the system ended in the last step.
        episode_steps: steps since the last reset.
        episode_return: sum of the rewards since then.
    """

    __slots__ = (
        "_env_step",
        "_space",
        "env",
        "episode_return",
        "episode_steps",
        "is_open",
        "observation",
        "terminated",
    )

    observation: Any

    def __init__(self, env: Env[Any, Any], action_space: Box | None) -> None:
        self.env = env
        self._env_step = env.step
        self._space = action_space
        self.is_open = self.terminated = False
        self.episode_steps = 0
        self.episode_return = 0.0

    def reset(self, seed: int | None = None) -> None:
        """Begins an episode.

        Args:
            seed: of the environment; None: its generator continues.
        """
        self.observation, _ = self.env.reset(seed=seed)
        self.is_open, self.terminated = True, False
        self.episode_steps = 0
        self.episode_return = 0.0

    def step(self, action: Any) -> Row:
        """Makes a step.

        Args:
            action: what is wanted; it is clipped to the action space.

        Raises:
            ShapeError: the action has another shape than the space.
            ArgumentError: it is not finite.
        """
        before = self.observation
        if self._space is not None:
            action = fit_to_space(action, self._space)
        after, reward, terminated, truncated, _ = self._env_step(action)
        self.observation = after
        self.is_open = not (terminated or truncated)
        self.terminated = ended = bool(terminated)
        self.episode_steps += 1
        paid = float(reward)
        self.episode_return += paid
        return before, action, after, paid, ended
