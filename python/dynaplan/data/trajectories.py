"""Lists of trajectories as transitions, none of which leads from one trajectory to another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynaplan import _arrays, _texts
from dynaplan.data.angles import AnglesLike
from dynaplan.errors import ShapeError

if TYPE_CHECKING:

    class _Data(Protocol):
        def __init__(self, *arrays: Any, **settings: Any) -> None: ...


__all__ = ["FromTrajectories"]

_T = TypeVar("_T", bound="_Data")


class FromTrajectories:
    """What makes transitions of trajectories: a base of `Transitions`."""

    __slots__ = ()

    @classmethod
    def from_trajectories(
        cls: type[_T],
        states: Iterable[ArrayLike],
        actions: Iterable[ArrayLike] | None = None,
        *,
        rewards: Iterable[ArrayLike] | None = None,
        terminations: ArrayLike | None = None,
        drop_nonfinite: bool = False,
        discrete_actions: Any = None,
        state_names: Iterable[str] | None = None,
        action_names: Iterable[str] | None = None,
        units: Mapping[str, str] | None = None,
        time_step: float | None = None,
        angles: AnglesLike = (),
    ) -> _T:
        """Makes transitions of several trajectories, each of them an episode.

        The next states are the states one row below in the same trajectory, so that no transition
        leads from one trajectory to another.

        Args:
            states: for each trajectory (T + 1, S), T >= 1, which may differ; or one array
                (B, T + 1, S).
            actions: for each trajectory (T, A), or (T + 1, A), whose last row is left out, as the
                state that it led to is not known. With `discrete_actions` (T,) or (T + 1,).
                Default: a system without actions; the data then hold one action that is always 0.
            rewards: for each trajectory (T,), or (T + 1,), whose last one is left out.
            terminations: (B,) of bool: whether the system ended in the last state of each
                trajectory. Default: in none.
            drop_nonfinite: as in the class.
            discrete_actions: as in the class.
            state_names: as in the class.
            action_names: as in the class.
            units: as in the class.
            time_step: as in the class.
            angles: as in the class.

        Raises:
            ShapeError: there is no trajectory, or the arrays of one do not fit each other; the
                message names it.
            TypeError: an array does not hold real numbers.
            ArgumentError: as in the class.

        Example:
            >>> states = [[[0.0], [1.0], [1.5]], [[4.0], [2.0]]]
            >>> data = dp.Transitions.from_trajectories(states, [[[1.0], [1.0]], [[0.0]]])
            >>> data.next_states.ravel(), data.episodes
            (array([1. , 1.5, 2. ]), array([0, 0, 1]))
        """
        paths = [_path(number, path) for number, path in enumerate(_listed("states", states))]
        if not paths:
            raise ShapeError("states: got 0 trajectories, must be at least one")
        _require_alike("states", paths)
        lengths = [len(path) - 1 for path in paths]
        if actions is None:
            applied = [np.zeros((length, 1)) for length in lengths]
        else:
            applied = _steps("actions", actions, lengths, 1 if discrete_actions is not None else 2)
        ends = np.cumsum(lengths)
        ended = None
        if terminations is not None:
            ended = np.zeros(ends[-1])
            ended[ends - 1] = _flags(terminations, len(paths))
        return cls(
            np.concatenate([path[:-1] for path in paths]),
            np.concatenate(applied),
            np.concatenate([path[1:] for path in paths]),
            None if rewards is None else np.concatenate(_steps("rewards", rewards, lengths, 1)),
            ended,
            np.repeat(np.arange(len(paths)), lengths),
            drop_nonfinite=drop_nonfinite,
            discrete_actions=discrete_actions,
            state_names=state_names,
            action_names=action_names,
            units=units,
            time_step=time_step,
            angles=angles,
        )


def _listed(name: str, arrays: Iterable[ArrayLike]) -> list[Any]:
    """Returns the arrays of all trajectories as a list."""
    if isinstance(arrays, str | bytes | Mapping) or not isinstance(arrays, Iterable):
        raise TypeError(f"{name}: got {_texts.shown(arrays)}, must be a list of arrays")
    if isinstance(arrays, np.ndarray | memoryview):
        arrays = array = _arrays.real_array(name, arrays)
        wanted = 3 if name == "states" else 2
        if array.ndim < wanted:
            raise ShapeError(
                f"{name}: got one array of shape {array.shape}, must be a list of trajectories; "
                f"if it is a single one use [{name}]"
            )
    try:
        return list(arrays)
    except Exception as error:  # of the object's own iteration
        raise TypeError(f"{name}: got {_texts.shown(arrays)}, must be a list: {error}") from error


def _path(number: int, states: ArrayLike) -> NDArray[Any]:
    """Returns the states (T + 1, S) of a trajectory."""
    path = _arrays.real_array(f"states: trajectory {number}", states)
    if path.ndim != 2 or len(path) < 2 or not path.shape[1]:
        hint = "; use np.reshape(..., (-1, 1)) if there is one state" if path.ndim == 1 else ""
        raise ShapeError(
            f"states: trajectory {number} has shape {path.shape}, must be (T + 1, S) with at least "
            f"two states{hint}"
        )
    return path


def _steps(
    name: str, arrays: Iterable[ArrayLike], lengths: list[int], dims: int
) -> list[NDArray[Any]]:
    """Returns the T first rows of each trajectory's array, which has T or T + 1."""
    given = _listed(name, arrays)
    if len(given) != len(lengths):
        raise ShapeError(f"{name}: got {len(given)} trajectories, must be {len(lengths)} as states")
    steps = []
    for number, (values, length) in enumerate(zip(given, lengths, strict=True)):
        array = _arrays.real_array(f"{name}: trajectory {number}", values)
        if array.ndim != dims or len(array) not in (length, length + 1):
            columns = ", A" if dims == 2 else ","
            are_numbers = dims == 2 and array.ndim == 1 and array.dtype.kind in "iu"
            raise ShapeError(
                f"{name}: trajectory {number} has shape {array.shape}, must be "
                f"({length}{columns}), or ({length + 1}{columns}) whose last one is left out"
                + "; if they are numbers of actions pass discrete_actions="
                * are_numbers
            )
        steps.append(array[:length])
    _require_alike(name, steps)
    return steps


def _require_alike(name: str, arrays: list[NDArray[Any]]) -> None:
    """Raises ShapeError unless all arrays have as many columns."""
    for number, array in enumerate(arrays):
        if array.shape[1:] != arrays[0].shape[1:]:
            raise ShapeError(
                f"{name}: trajectory {number} has {array.shape[1]} columns, must be "
                f"{arrays[0].shape[1]} as in trajectory 0"
            )


def _flags(terminations: ArrayLike, count: int) -> NDArray[Any]:
    flags = _arrays.real_array("terminations", terminations)
    if flags.shape != (count,):
        raise ShapeError(
            f"terminations: got shape {flags.shape}, must be ({count},), one for each trajectory"
        )
    return flags
