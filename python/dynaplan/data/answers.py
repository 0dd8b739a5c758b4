"""What an environment answers to `reset` and `step`, checked: else it is refused as `env`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

import numpy as np

from dynaplan import _arrays, _texts
from dynaplan.errors import ArgumentError, ShapeError

if TYPE_CHECKING:
    from gymnasium import Env

__all__ = ["Observer", "first_observation", "observer", "parts_of_step", "refuse_step"]

# From what an environment observed to the same, checked.
Observer: TypeAlias = Callable[[Any], Any]


def observer(env: Env[Any, Any]) -> Observer:
    """Returns the check of an environment's observations: numbers of its Box, or an integer."""
    shape = env.observation_space.shape
    return _integer if shape is None or shape == () else _Array(shape)


def first_observation(env: Env[Any, Any], seed: int | None) -> Any:
    """Resets an environment and returns what it observed, unchecked.

    Raises:
        TypeError: it did not answer (observation, info).
    """
    answer = env.reset(seed=seed)
    if not isinstance(answer, tuple) or len(answer) != 2:
        raise TypeError(
            f"env: its reset returned {_kind(answer)}, must return (observation, info), as "
            "Gymnasium's do"
        )
    return answer[0]


def parts_of_step(answer: Any, observed: Observer) -> tuple[Any, float, bool, bool]:
    """Returns observation, reward, and whether the system terminated or was truncated.

    Reward and ends may be arrays of one entry.

    Raises:
        TypeError: the reward is no number, the ends are no bools, or a part is missing.
    """
    if not isinstance(answer, tuple) or len(answer) != 5:
        refuse_step(answer)
    observation, reward, terminated, truncated, _ = answer
    if type(reward) is not float:
        reward = float(_single("reward", reward, "biuf", "a number"))
    if type(terminated) is not bool:
        terminated = bool(_single("terminated", terminated, "b", "True or False"))
    if type(truncated) is not bool:
        truncated = bool(_single("truncated", truncated, "b", "True or False"))
    return observed(observation), reward, terminated, truncated


def refuse_step(answer: Any) -> NoReturn:
    """Raises the TypeError of a step that returned something else than its five parts."""
    raise TypeError(
        f"env: its step returned {_kind(answer)}, must return (observation, reward, terminated, "
        "truncated, info), as Gymnasium's do"
    )


class _Array:
    """Checks observations that are arrays of a shape."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self._shape = shape

    def __call__(self, observation: Any) -> Any:
        array = _arrays.numbers("env: its observation", observation, None)
        if array.shape != self._shape:
            raise ShapeError(
                f"env: its observation has shape {array.shape}, must have {self._shape} as its "
                "observation_space"
            )
        return array.copy()  # the environment may write the next one to the same array


def _integer(observation: Any) -> int:
    if type(observation) is int:
        return observation
    return _arrays.integer("env: its observation", observation)


def _single(name: str, value: Any, kinds: str, wanted: str) -> Any:
    """Returns the only entry of `value`, which must be of one of these kinds of dtype."""
    try:
        array = _arrays.any_array(name, value)
    except (ArgumentError, ShapeError, TypeError):
        array = np.empty(0)
    if array.size != 1 or array.dtype.kind not in kinds:
        raise TypeError(f"env: its {name} is {_texts.shown(value)}, must be {wanted}")
    return array.item()


def _kind(answer: Any) -> str:
    if isinstance(answer, tuple | list):
        return f"{len(answer)} values"
    return _texts.shown(answer)
