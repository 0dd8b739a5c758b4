"""What environments of Gymnasium must be: their spaces, their actions, their name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, cast

import numpy as np
from numpy.typing import ArrayLike

from dynaplan import _arrays, _texts
from dynaplan._discrete import numbering_of
from dynaplan._spaces import integer_dtype, is_discrete, rounded
from dynaplan._wrappers import cure_for_actions, cure_for_observations
from dynaplan.errors import ArgumentError, ShapeError

if TYPE_CHECKING:
    from gymnasium import Env
    from gymnasium.spaces import Box, Discrete

__all__ = ["action_dim", "boxes", "env_name", "fit_to_space", "require_environment", "spaces"]


def spaces(env: Env[Any, Any]) -> tuple[Box, Box | Discrete]:
    """Returns the spaces of observations, a 1-D Box, and of actions, a 1-D Box or a Discrete.

    Raises:
        TypeError: `env` is no environment, or has other spaces.
        ShapeError: a Box has another number of dimensions.
    """
    from gymnasium.spaces import Box, Discrete  # noqa: PLC0415  # costs 0.3 s that an import must not

    if isinstance(env, str):
        raise TypeError(f"env: got {env!r}, must be an environment: gymnasium.make({env!r})")
    require_environment(env)
    if hasattr(env, "single_observation_space"):
        count = getattr(env, "num_envs", "several")
        raise ShapeError(f"env: holds {count} environments at once, must be one")
    observations, actions = env.observation_space, env.action_space
    if not isinstance(observations, Box):
        _refuse(observations, "observation_space", "a Box", cure_for_observations(observations))
    if len(observations.shape) != 1:
        _refuse_shape(observations, "observation_space", cure_for_observations(observations))
    if not isinstance(actions, Box | Discrete):
        _refuse(actions, "action_space", "a Box or a Discrete", cure_for_actions(actions))
    if isinstance(actions, Box) and len(actions.shape) != 1:
        _refuse_shape(actions, "action_space", cure_for_actions(actions))
    return observations, actions


def boxes(env: Env[Any, Any]) -> tuple[Box, Box]:
    """Returns the spaces of observations and actions, which must be 1-D Boxes.

    Raises:
        TypeError, ShapeError: as of `spaces`, or the actions are discrete.
    """
    observations, actions = spaces(env)
    if is_discrete(actions):
        raise TypeError(
            f"env: its action_space is {actions}, must be a Box; with discrete actions plan, as "
            "PETS does"
        )
    return observations, cast("Box", actions)


def action_dim(space: Box | Discrete) -> int:
    """Returns A, how many numbers an action is to a model: as many as there are discrete ones."""
    if is_discrete(space):
        return numbering_of("env: its action_space", space).count
    return int(cast("Box", space).shape[0])


def require_environment(env: Any) -> None:
    """Refuses what has no spaces, or cannot be reset and stepped.

    Raises:
        TypeError: it is no environment.
    """
    has_methods = all(callable(getattr(env, name, None)) for name in ("reset", "step"))
    has_spaces = hasattr(env, "observation_space") and hasattr(env, "action_space")
    if not (has_methods and has_spaces) or isinstance(env, type):
        raise TypeError(f"env: got {_texts.shown(env)}, must be a Gymnasium environment")


def env_name(env: Any) -> str:
    """Returns the id of an environment, or its class where it has none."""
    return getattr(getattr(env, "spec", None), "id", None) or type(env).__name__


def fit_to_space(action: ArrayLike, space: Box | Discrete, actor: str = "policy") -> Any:
    """Returns the action as the environment takes it; `actor` chose it.

    For a Box it is an array in the space's dtype, clipped to its bounds and rounded to the nearest
    where it is of whole numbers; for a Discrete an int, which must be one of its numbers.
    """
    if is_discrete(space):
        return _number(action, cast("Discrete", space), actor)
    box = cast("Box", space)
    values = _arrays.numbers(actor, action, None)
    if values.shape != box.shape:
        raise ShapeError(
            f"{actor}: got an action of shape {values.shape}, must be of shape {box.shape}"
        )
    if not np.isfinite(values).all():
        raise ArgumentError(f"{actor}: got action {values}, must be finite")
    integers = integer_dtype(box)
    if integers is not None:
        return rounded(values, box.low, box.high, integers)
    with np.errstate(over="ignore"):  # only where there are no bounds
        fitted = np.asarray(np.clip(values, box.low, box.high), dtype=box.dtype)
    if not np.isfinite(fitted).all():
        raise ArgumentError(f"{actor}: got action {values}, must be finite in {box.dtype}")
    return fitted


def _number(action: Any, space: Discrete, actor: str) -> int:
    number = _arrays.integer(actor, action)
    first, last = int(space.start), int(space.start + space.n - 1)
    if not first <= number <= last:
        got = _texts.shown(number)
        raise ArgumentError(f"{actor}: got action {got}, must be an integer from {first} to {last}")
    return number


def _refuse(space: Any, name: str, wanted: str, cure: str) -> NoReturn:
    text = " ".join(str(space).split())
    raise TypeError(f"env: its {name} is {text}, must be {wanted}; {cure}")


def _refuse_shape(space: Box, name: str, cure: str) -> NoReturn:
    raise ShapeError(f"env: its {name} has shape {space.shape}, must have one dimension; {cure}")
