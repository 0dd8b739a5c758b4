"""Objects that are not what they seem, for the expressions of `hostile_values`."""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Any
from unittest import mock

import gymnasium
import numpy as np

import dynaplan as dp
from attack.calls_of_agents import sac
from public_objects import linear


class Fault(Exception):
    """What hostile objects raise: must reach the caller as it is."""


class FaultAtExit(BaseException):
    """The same, which `except Exception` does not catch."""


# One entry for each fault of the trial that runs.
RAISED: list[None] = []


def fault(*_: Any, **__: Any) -> Any:
    RAISED.append(None)
    raise Fault("of the attack")


def fault_at_exit(*_: Any, **__: Any) -> Any:
    RAISED.append(None)
    raise FaultAtExit("of the attack")


def raising(*names: str) -> Any:
    """An object of which these special methods raise."""
    return type("Raising", (), dict.fromkeys(names, fault))()


def answering(**answers: Any) -> Any:
    """An object of which these special methods return something."""
    methods = {name: lambda *_, answer=answer, **__: answer for name, answer in answers.items()}
    return type("Answering", (), methods)()


class Sequence:
    """A sequence of another length than it says."""

    def __init__(self, says: int, holds: int) -> None:
        self._says, self._holds = says, holds

    def __len__(self) -> int:
        return self._says

    def __getitem__(self, place: int) -> float:
        if not 0 <= place < self._holds:
            raise IndexError
        return 0.5


class One(enum.IntEnum):
    ONE = 1


class Text(str):
    __slots__ = ()


class Whole(int):
    """An int that says it is another one."""

    def __index__(self) -> int:
        return 2**62


class Kind(np.ndarray[Any, Any]):
    """A subclass as libraries with units have them."""


class Short(np.ndarray[Any, Any]):
    """A subclass that lies about its length."""

    def __len__(self) -> int:
        return 1


def itself() -> list[Any]:
    """A list that holds itself."""
    found: list[Any] = []
    found.append(found)
    return found


def deep(levels: int) -> list[Any]:
    found: list[Any] = []
    for _ in range(levels):
        found = [found]
    return found


def with_entry(array: Any, value: Any) -> Any:
    """The same array, of which the last entry is another one."""
    changed = np.array(array, np.result_type(np.asarray(value).dtype, np.float64))
    changed.flat[-1:] = value
    return changed


def read_only(array: Any) -> Any:
    copy = np.array(array)
    copy.flags.writeable = False
    return copy


def strided(array: Any) -> Any:
    return np.repeat(np.atleast_1d(array), 2, axis=-1)[..., ::2]


def unaligned(array: Any) -> Any:
    """Floats that begin at an odd address."""
    buffer = np.zeros(np.size(array) * 8 + 1, np.uint8)
    view = buffer[1:].view(np.float64).reshape(np.shape(array))
    view[...] = array
    return view


def length(batch: Any) -> int:
    """Rows of what a function was given."""
    return len(batch) if np.ndim(batch) else 1


KEPT: list[Any] = []


def kept(batch: Any, result: Any) -> Any:
    """Keeps what a function was given until the trial has ended; see `use_kept`."""
    KEPT.append(batch)
    return result


def use_kept() -> None:
    """Reads and writes what functions were given, after the call that owned it."""
    for batch in KEPT:
        if isinstance(batch, np.ndarray) and batch.size:
            float(np.sum(batch))
            if batch.flags.writeable:
                batch[...] = 0
    KEPT.clear()


def written(batch: Any, result: Any) -> Any:
    """Writes into what a function was given."""
    if isinstance(batch, np.ndarray) and batch.flags.writeable:
        batch[...] = np.nan
    return result


class Model:
    """A model of the user's own around dynamics that exist, with some members that are wrong."""

    def __init__(self, **members: Any) -> None:
        whole = linear()
        names = ("state_dim", "action_dim", "observed_low", "observed_high", "dynamics")
        names += ("predict", "sample")
        self.__dict__.update({name: getattr(whole, name) for name in names} | members)


def wide_model() -> dp.FunctionModel:
    return dp.FunctionModel(lambda states, actions: states, 3, 2)


def wide_data() -> dp.Transitions:
    return dp.Transitions(np.zeros((4, 3)), np.ones((4, 2)), np.zeros((4, 3)))


def wide_reward() -> dp.rewards.Term:
    return dp.rewards.quadratic([1.0, 1.0, 1.0])


class Env(gymnasium.Env[Any, Any]):
    """An environment of two states and one action with some answers that are wrong."""

    observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (2,), np.float32)
    action_space = gymnasium.spaces.Box(-1.0, 1.0, (1,))

    def __init__(self, reset: Any = None, step: Any = None, **members: Any) -> None:
        self._reset, self._step = reset, step
        self.__dict__.update(members)

    def reset(self, **_: Any) -> Any:
        whole = np.zeros(2, np.float32), {}
        return _answer(self._reset, whole)

    def step(self, action: Any) -> Any:
        whole = np.zeros(2, np.float32), 0.0, False, False, {}
        return _answer(self._step, whole)


def _answer(given: Any, whole: Any) -> Any:
    """What is given; of a dict, the whole with these entries changed."""
    if given is None:
        return whole
    if isinstance(given, dict):
        return tuple(given.get(place, entry) for place, entry in enumerate(whole))
    return given() if callable(given) else given


class Agent:
    """An agent of the user's own, with some methods that are wrong."""

    def __init__(self, **members: Any) -> None:
        whole = sac()
        names = ("act", "observe", "update")
        self.__dict__.update({name: getattr(whole, name) for name in names} | members)


def mock_of(**members: Any) -> Any:
    """An object that has every attribute."""
    return mock.MagicMock(**members)


def returning(answer: Any) -> Callable[..., Any]:
    return lambda *_, **__: answer
