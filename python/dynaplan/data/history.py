"""Histories: states that hold what was observed and done some steps before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, SupportsIndex, TypeVar

import numpy as np
from numpy.typing import NDArray

from dynaplan import _arrays, _texts
from dynaplan.data import rows
from dynaplan.data.columns import Columns
from dynaplan.data.known_states import KnownStates, StateSource, lags_of
from dynaplan.errors import ArgumentError, ShapeError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Protocol

    class _Data(Protocol):
        @property
        def _columns(self) -> Columns: ...
        @property
        def states(self) -> NDArray[np.float64]: ...
        @property
        def actions(self) -> NDArray[np.float64]: ...
        @property
        def next_states(self) -> NDArray[np.float64]: ...
        @property
        def segments(self) -> NDArray[np.int64]: ...
        def __getitem__(self, key: Any) -> Any: ...
        def _arrays(self) -> dict[str, Any]: ...
        @classmethod
        def _of(cls, arrays: Mapping[str, Any], columns: Columns) -> Any: ...


__all__ = ["WithHistory", "without_history"]

_T = TypeVar("_T", bound="_Data")
_MAX_LAGS = 1000  # each of which is an input of every model


class WithHistory:
    """What makes data with a history of data without: a base of `Transitions`."""

    __slots__ = ()

    def with_history(self: _T, *, states: SupportsIndex = 0, actions: SupportsIndex = 0) -> _T:
        """Returns data whose states also hold what was observed, and done, some steps before.

        For sensors that see only part of what a system remembers, such as positions without
        speeds, or a plant that acts late. The new state is [x_t, x_t-1, ..., x_t-p, u_t-1, ...,
        u_t-q]; what it holds of earlier steps is known exactly (`known`) and not learned. Models
        fitted to the data shift it so in rollouts and plans, and `MPC` keeps it by itself.

        Args:
            states: p, how many earlier observations. Default 0.
            actions: q, how many earlier actions. Default 0.

        Returns:
            The data with S (1 + p) + A q states, without the rows that begin a segment and lack a
            past: max(p, q) rows each. Names get their lag, as "x[-1]".

        Raises:
            ArgumentError: both are 0, one is negative or above 1000, or the data have a history
                already.
            ShapeError: no segment is that long.

        Source: Ljung 1999, "System identification: theory for the user", sec. 4.2 (ARX models).

        Example:
            >>> place = np.cumsum(np.cumsum(np.ones(8)))[:, None]  # of a mass under a steady push
            >>> data = dp.Transitions(place[:-1], np.ones((7, 1)), place[1:])
            >>> seen = data.with_history(states=1)
            >>> seen.states[0], seen.next_states[0], seen.known
            (array([3., 1.]), array([6., 3.]), KnownStates({1: 0}, history=(1, 0)))
        """
        history = _lag_count("states", states), _lag_count("actions", actions)
        if history == (0, 0):
            raise ArgumentError("states: got 0 and 0 actions, must be at least 1 of either")
        before = self._columns
        if before.known.history is not None:
            raise ArgumentError(
                f"states: the data have a history of {before.known.history} already; begin with "
                "those that have none"
            )
        observed, action_dim = self.states.shape[1], self.actions.shape[1]
        begun = rows.starts(self.segments)
        place = np.arange(len(self.segments))
        place -= np.repeat(begun, np.diff(begun, append=len(place)))
        kept = np.flatnonzero(place >= max(history))
        if not kept.size:
            raise ShapeError(
                f"states: no segment has more than {max(history)} rows, so that no row has a past "
                f"of {history[0]} states and {history[1]} actions"
            )
        now = np.arange(1 + history[0])
        then = [self.states[kept - lag] for lag in now]
        then += [self.actions[kept - lag] for lag in range(1, 1 + history[1])]
        after = [self.next_states[kept], *(self.states[kept - lag] for lag in now[:-1])]
        after += [self.actions[kept - lag] for lag in range(history[1])]
        arrays = self[kept]._arrays()
        arrays |= {"states": np.hstack(then), "next_states": np.hstack(after)}
        made: _T = self._of(arrays, _with_lags(before, observed, action_dim, history))
        return made


def _lag_count(name: str, given: SupportsIndex) -> int:
    count = _arrays.at_least(0, name, given)
    if count > _MAX_LAGS:
        raise ArgumentError(f"{name}: got {_texts.shown(count)}, must be at most {_MAX_LAGS}")
    return count


def _with_lags(
    columns: Columns, observed: int, action_dim: int, history: tuple[int, int]
) -> Columns:
    """Returns what is known of the states with their lags."""
    lags = range(1, 1 + history[0])
    sources: dict[int, StateSource] = {**columns.known, **lags_of(observed, action_dim, history)}
    angles = dict(columns.angles)
    for lag in lags:
        angles |= {lag * observed + state: given for state, given in columns.angles.items()}
    names, units = columns.state_names, dict(columns.units)
    if names is not None:
        actions = columns.labels(observed, action_dim)[1]
        lagged = [(name, lag) for lag in lags for name in names]
        lagged += [(name, lag) for lag in range(1, 1 + history[1]) for name in actions]
        _require_free((*names, *(f"{name}[-{lag}]" for name, lag in lagged)), lagged)
        units |= {f"{name}[-{lag}]": units[name] for name, lag in lagged if name in units}
        names = (*names, *(f"{name}[-{lag}]" for name, lag in lagged))
    known = Columns.checked(names, columns.action_names, units, columns.time_step)
    of_lags = KnownStates(sources, history)
    return known.for_dims(
        observed * (1 + history[0]) + action_dim * history[1], action_dim, angles, of_lags
    )


def _require_free(names: Sequence[str], lagged: Sequence[tuple[str, int]]) -> None:
    for name, lag in lagged:
        if names.count(text := f"{name}[-{lag}]") > 1:
            raise ArgumentError(
                f"state_names: {text!r} would be there twice, as that is what {name!r} is called "
                f"{lag} step{'s' * (lag > 1)} before; give other names, or none"
            )


def without_history(data: _T) -> _T:
    """Returns data without the lags in their states, those that have a history; others as they are.

    Args:
        data: transitions.
    """
    columns, action_dim = data._columns, data.actions.shape[1]
    if columns.known.history is None:
        return data
    observed = columns.known.observation_dim(data.states.shape[1], action_dim)
    arrays = data._arrays()
    arrays |= {name: arrays[name][:, :observed] for name in ("states", "next_states")}
    names = None if columns.state_names is None else columns.state_names[:observed]
    named = (*(names or ()), *(columns.action_names or ()))
    units = {name: unit for name, unit in columns.units if name in named}
    kept = Columns.checked(names, columns.action_names, units, columns.time_step)
    angles = {state: one for state, one in columns.angles.items() if state < observed}
    known = {  # what takes the value of a lag is not known without it
        state: source
        for state, source in columns.known.items()
        if state < observed and not (isinstance(source, int) and source >= observed)
    }
    made: _T = data._of(arrays, kept.for_dims(observed, action_dim, angles, known))
    return made
