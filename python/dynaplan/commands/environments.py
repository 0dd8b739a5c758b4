"""The environment that `--env` names, and its reward."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

from dynaplan._environments import spaces
from dynaplan._spaces import is_discrete
from dynaplan.commands.refusals import RefusalError, refusing
from dynaplan.errors import ArgumentError, ShapeError
from dynaplan.rewards.terms import Reward
from dynaplan.tasks.environment import settings_that_show_the_reward
from dynaplan.tasks.rewards import for_env

__all__ = ["known_reward", "opened"]


@contextmanager
def opened(env_id: str, require: Callable[[Any], object] = spaces) -> Iterator[Any]:
    """Makes the environment and closes it at the end.

    Args:
        env_id: its id.
        require: refuses spaces that the command cannot use.

    Raises:
        RefusalError: there is no such environment, or its spaces are refused.
    """
    import gymnasium  # noqa: PLC0415  # slow, and --help needs none of it

    option = f"--env {env_id}"
    with refusing(option, gymnasium.error.Error, ImportError):
        env = gymnasium.make(env_id, **settings_that_show_the_reward(env_id))
    with closing(env):
        with refusing(option, TypeError, ShapeError):
            require(env)
        yield env


def known_reward(env: Any, env_id: str) -> Reward:
    """Returns the reward as a planner needs it.

    Raises:
        RefusalError: it is not known in closed form.
    """
    try:
        return for_env(env)
    except ArgumentError as error:
        learns = "" if is_discrete(env.action_space) else "the command mbpo learns it, and "
        raise RefusalError(
            f"--env {env_id}: its reward is not known in closed form; {learns}in Python "
            "dynaplan.MPC takes any reward function"
        ) from error
