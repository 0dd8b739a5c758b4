"""What all agents with tables share: acting, learning, the loop over episodes, files."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar, SupportsFloat, SupportsIndex

import numpy as np
from numpy.typing import NDArray

from dynaplan import _arrays, _core, files
from dynaplan._environments import require_environment
from dynaplan._wrappers import cure_for_tables
from dynaplan.agents.tabular.files import Arrays, from_parts, parts
from dynaplan.data.driver import Episode, episodes
from dynaplan.errors import ModelFileError

if TYPE_CHECKING:
    from gymnasium import Env
    from gymnasium.spaces import Discrete
    from typing_extensions import Self

__all__ = ["TabularAgent", "discrete_spaces"]


class TabularAgent(ABC):
    """What `DynaQ`, `DynaQPlus` and `PrioritizedSweeping` have in common."""

    _NAMES: ClassVar[tuple[str, ...]] = (
        "learning_rate",
        "discount",
        "exploration",
        "planning_steps",
    )

    def __init__(
        self,
        env: Env[Any, Any],
        *,
        learning_rate: float,
        discount: float,
        exploration: float,
        planning_steps: int,
        seed: int | None,
    ) -> None:
        states, actions = discrete_spaces(env)
        self.env = env
        self._seed = _arrays.seed_number(seed)
        self._shape = (int(states.n), int(actions.n))
        self._has_run = False
        self._agent = self._compiled(
            _core.TabularSettings(
                int(states.start),
                int(states.n),
                int(actions.start),
                int(actions.n),
                _arrays.real("learning_rate", learning_rate),
                _arrays.real("discount", discount),
                _arrays.real("exploration", exploration),
                _arrays.count("planning_steps", planning_steps),
                self._seed,
            )
        )

    @abstractmethod
    def _compiled(self, settings: _core.TabularSettings) -> _core.TabularAgent:
        """Returns the agent of the compiled core."""

    def __reduce__(self) -> tuple[Any, ...]:
        settings = {name: getattr(self, name) for name in self._NAMES} | {"seed": self.seed}
        made = (type(self), self.env, settings, self._agent.record(), self._has_run)
        return _restored, made

    @property
    def learning_rate(self) -> float:
        """How far a value moves towards its target, alpha."""
        return self._agent.learning_rate

    @property
    def discount(self) -> float:
        """What a reward is worth a step later, gamma."""
        return self._agent.discount

    @property
    def exploration(self) -> float:
        """How often `act` draws from all actions, epsilon; may be changed at any time."""
        return self._agent.exploration

    @exploration.setter
    def exploration(self, exploration: float) -> None:
        self._agent.exploration = _arrays.real("exploration", exploration)

    @property
    def planning_steps(self) -> int:
        """Imagined steps after each real one, n."""
        return self._agent.planning_steps

    @property
    def seed(self) -> int:
        """Seed of the environment's first reset and of all draws."""
        return self._seed

    @property
    def q(self) -> NDArray[np.float64]:
        """A copy of the values, (states, actions); what comes after a termination is worth 0."""
        return self._agent.values()

    @property
    def steps(self) -> int:
        """Real steps so far."""
        return self._agent.steps

    @property
    def updates(self) -> int:
        """Updates of values so far, after real steps and imagined ones."""
        return self._agent.updates

    def policy(self) -> NDArray[np.int64]:
        """Returns the best action of each state, (states,); the first of several as good ones."""
        return self._agent.policy()

    def act(self, state: SupportsIndex, *, explore: bool = True) -> int:
        """Returns the next action: the best so far, or at times one drawn from all.

        Args:
            state: as the environment gives it.
            explore: draw from all actions with probability `exploration`. False: the best one;
                several as good ones are equally likely.

        Raises:
            ArgumentError: the state is not in the environment's space.
        """
        number, explores = _arrays.integer("state", state), _arrays.flag("explore", explore)
        return self._agent.act(number, explores)

    def observe(
        self,
        state: SupportsIndex,
        action: SupportsIndex,
        reward: SupportsFloat,
        next_state: SupportsIndex,
        terminated: bool,
    ) -> None:
        """Learns from a real step, then from imagined ones.

        Args:
            state: where the action was taken.
            action: what was done there.
            reward: of that step, finite.
            next_state: where it led.
            terminated: whether the environment ended there, for good; a time limit is no end.

        Raises:
            ArgumentError: a number is not in its space, or the reward is not finite; nothing has
                changed then.
        """
        self._agent.observe(
            _arrays.integer("state", state),
            _arrays.integer("action", action),
            _arrays.real("reward", reward),
            _arrays.integer("next_state", next_state),
            _arrays.flag("terminated", terminated),
        )

    def run(self, steps: int) -> Iterator[Episode]:
        """Acts and learns in the environment; an episode comes out as each one ends.

        The environment is reset first, with the agent's seed in the first run. The last episode is
        cut short when the steps end.

        Args:
            steps: real steps to make, besides those of earlier runs; >= 1.

        Returns:
            The episodes, counted from 1.

        Raises:
            ArgumentError: `steps` is out of range, the environment gives a state that is not in
                its space, or a reward that is not finite.
        """
        return self._episodes(_arrays.at_least(1, "steps", steps))

    def learn(self, total_timesteps: int) -> Self:
        """Acts and learns in the environment, as `run` does, and returns the agent itself.

        Args:
            total_timesteps: real steps to make, besides those of earlier runs; >= 1.

        Raises:
            ArgumentError: as in `run`.
        """
        for _ in self.run(_arrays.at_least(1, "total_timesteps", total_timesteps)):
            pass
        return self

    def _episodes(self, steps: int) -> Iterator[Episode]:
        seed = None if self._has_run else self.seed
        self._has_run = True
        agent = self._agent
        yield from episodes(
            self.env, None, agent.act, agent.observe, steps, seed=seed, steps_before=self.steps
        )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the agent to `path`, a safetensors file that `dynaplan.load` reads.

        The file holds settings, values, the model, and the state of the random numbers: loaded
        again, the agent acts and learns as if it had never stopped, to the bit. The environment is
        not saved.

        Args:
            path: name of the file, used as it is; an existing file is replaced.

        Raises:
            OSError: the folder does not exist or cannot be written to.
        """
        settings = {name: getattr(self, name) for name in self._NAMES}
        arrays, header = parts(self._agent.record(), self._shape, settings, self.seed)
        files.write_model_file(path, type(self).__name__, arrays, header)

    @classmethod
    def _from_file(
        cls, name: str, arrays: Arrays, header: dict[str, Any], env: Env[Any, Any]
    ) -> Self:
        """Makes the agent of a file of this name.

        Raises:
            ModelFileError: the parts make no such agent, or one for another number of states or
                actions.
            TypeError: the environment's spaces are not Discrete.
        """
        states, actions = discrete_spaces(env)
        try:
            shape = (int(states.n), int(actions.n))
            record, settings, seed = from_parts(arrays, header, shape, cls._NAMES)
            agent = cls(env, **settings, seed=seed)
            agent._agent.restore(record)
        except (TypeError, ValueError) as error:
            raise ModelFileError(f"{name}: not usable as {cls.__name__}: {error}") from error
        agent._has_run = agent.steps > 0
        return agent

    def __repr__(self) -> str:
        settings = ", ".join(f"{name}={getattr(self, name)!r}" for name in self._NAMES)
        states, actions = self._shape
        return f"{type(self).__name__}({states} states, {actions} actions, {settings})"


def _restored(
    kind: type[TabularAgent],
    env: Env[Any, Any],
    settings: dict[str, Any],
    record: tuple[Any, ...],
    has_run: bool,
) -> TabularAgent:
    """Makes an agent again: for copies and other processes."""
    agent = kind(env, **settings)
    agent._agent.restore(record)
    agent._has_run = has_run
    return agent


def discrete_spaces(env: Env[Any, Any]) -> tuple[Discrete, Discrete]:
    """Returns the spaces of observations and actions, which must be Discrete."""
    from gymnasium.spaces import Discrete  # noqa: PLC0415  # costs 0.3 s that an import must not

    if isinstance(env, str):
        raise TypeError(f"env: got {env!r}, must be an environment; use gymnasium.make({env!r})")
    require_environment(env)
    spaces = []
    for name in ("observation_space", "action_space"):
        space = getattr(env, name)
        if not isinstance(space, Discrete):
            cure = cure_for_tables(name, space)
            raise TypeError(f"env: got {name} {space}, must be Discrete{cure}")
        spaces.append(space)
    return spaces[0], spaces[1]
