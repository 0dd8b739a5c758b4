"""The rows of a data set: turned into arrays, checked, selected, and numbered by episode."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynaplan.errors import ArgumentError, ShapeError

# A row goes on from the one before if no column differs by more than this share of the column's
# largest magnitude: far above the rounding of float32 logs (1e-7), far below a reset.
_SAME_STATE = 1e-5


def matrix(name: str, values: ArrayLike) -> NDArray[np.float64]:
    """Returns `values` as a new (N, columns) array, N >= 1 and columns >= 1."""
    array = _numbers(name, values)
    if array.shape[:1] == (0,):
        raise ShapeError(f"{name}: 0 transitions, expected at least one row")
    if array.ndim != 2:
        raise ShapeError(
            f"{name}: expected shape (N, columns) with one row per transition, got {array.shape}; "
            f"if there is one column use np.reshape({name}, (-1, 1)), "
            f"if there is one transition use np.reshape({name}, (1, -1))"
        )
    if array.shape[1] == 0:
        raise ShapeError(f"{name}: expected at least one column, got shape {array.shape}")
    with np.errstate(over="ignore"):  # a longdouble beyond float64 is found as an infinity
        return np.array(array, dtype=np.float64, order="C")


def vector(name: str, values: ArrayLike, count: int) -> NDArray[Any]:
    """Returns `values` as an array of shape (count,), in its own dtype."""
    array = _numbers(name, values)
    if array.shape != (count,):
        hint = f"; use np.ravel({name})" if array.shape == (count, 1) else ""
        raise ShapeError(
            f"{name}: expected shape ({count},), one per row of states, got {array.shape}{hint}"
        )
    return array


def flags(name: str, values: ArrayLike, count: int) -> NDArray[np.bool_]:
    """Returns `values` as a new (count,) array of bool."""
    array = vector(name, values, count)
    strange = np.flatnonzero((array != 0) & (array != 1))
    if strange.size:
        row = strange[0]
        raise ArgumentError(f"{name}: row {row} is {array[row]}, expected True, False, 1 or 0")
    return array.astype(np.bool_)


def episode_ids(values: ArrayLike, count: int) -> NDArray[np.int64]:
    """Returns `values` as a new (count,) array of int64 whose equal values stand together."""
    array = vector("episodes", values, count)
    if array.dtype.kind not in "iu":
        raise TypeError(
            f"episodes: expected integers, got an array of dtype {array.dtype}; "
            "convert it with .astype(np.int64)"
        )
    ids = array.astype(np.int64)
    row = _returning_row(ids)
    if row is not None:
        raise ArgumentError(
            f"episodes: row {row} is of episode {array[row]}, whose rows ended before another "
            "episode began; put the rows of each episode together, in their order in time"
        )
    return ids


def check_shapes(columns: Mapping[str, NDArray[Any]]) -> None:
    """Raises ShapeError unless states, actions and next states fit each other."""
    states = columns["states"].shape
    actions, next_states = columns["actions"].shape, columns["next_states"].shape
    if actions[0] != states[0]:
        raise ShapeError(
            f"actions: expected {states[0]} rows as in states, got {actions[0]} (shape {actions})"
        )
    if next_states != states:
        raise ShapeError(f"next_states: expected shape {states} as in states, got {next_states}")


def finite_rows(columns: Mapping[str, NDArray[Any]], *, drop: bool) -> NDArray[np.intp] | None:
    """Returns the rows whose numbers are all finite, or None if these are all rows.

    Raises:
        ArgumentError: there is a row that is not, and `drop` is False.
        ShapeError: no row is left.
    """
    if all(np.isfinite(values).all() for values in columns.values()):
        return None
    by_array = {
        name: np.isfinite(values).reshape(len(values), -1) for name, values in columns.items()
    }
    finite = np.logical_and.reduce([marks.all(axis=1) for marks in by_array.values()])
    if not drop:
        row = int(np.argmin(finite))
        name = next(name for name, marks in by_array.items() if not marks[row].all())
        column = int(np.argmin(by_array[name][row]))
        place = f"row {row}, column {column}" if columns[name].ndim == 2 else f"row {row}"
        value = columns[name].reshape(len(finite), -1)[row, column]
        raise ArgumentError(
            f"{name}: {place} is {value} ({np.count_nonzero(~finite)} of {len(finite)} rows are "
            "not finite); leave them out with Transitions(..., drop_nonfinite=True) "
            "or mend the logger"
        )
    if not finite.any():
        raise ShapeError(
            f"states: 0 transitions are left, all {len(finite)} rows hold a nan or an infinity"
        )
    return np.flatnonzero(finite)


def inferred_ids(
    states: NDArray[np.float64],
    next_states: NDArray[np.float64],
    terminations: NDArray[np.bool_],
    rows: NDArray[np.intp] | None,
) -> NDArray[np.int64]:
    """Numbers the episodes of data that came without: see `Transitions.episodes`.

    `rows` are the places the rows had in the data, if some were left out.
    """
    goes_on = (next_states[:-1] == states[1:]).all(axis=1)
    unequal = np.flatnonzero(~goes_on)
    if unequal.size:
        tolerance = _SAME_STATE * np.abs(states).max(axis=0)
        jumps = np.abs(next_states[unequal] - states[unequal + 1])
        goes_on[unequal] = (jumps <= tolerance).all(axis=1)
    goes_on &= ~terminations[:-1]
    if rows is not None:
        goes_on &= np.diff(rows) == 1
    return _numbered(~goes_on)


def selected_ids(ids: NDArray[np.int64], rows: NDArray[np.intp]) -> NDArray[np.int64]:
    """Returns the episode ids of `rows`, numbered anew if an episode lost its unbroken order."""
    chosen = ids[rows]
    changes = chosen[1:] != chosen[:-1]
    # Errors after k steps are computed along episodes, so a gap must end one.
    gaps = np.diff(rows) != 1
    if not (gaps & ~changes).any() and _returning_row(chosen) is None:
        return chosen
    return _numbered(gaps | changes)


def selected_rows(key: Any, count: int) -> NDArray[np.intp]:
    """Returns the indices that a key of `Transitions.__getitem__` stands for."""
    if isinstance(key, slice):
        return np.arange(*key.indices(count))
    try:
        return np.array([range(count)[operator.index(key)]])
    except TypeError:  # not an integer, hence a mask or indices
        chosen = np.asarray(key)
    # NumPy reads a tuple as one index per axis, which would be another thing than indices of rows.
    strange = isinstance(key, tuple) or chosen.ndim != 1
    if strange or (chosen.dtype.kind not in "biu" and chosen.size):
        raise IndexError(
            f"key: expected an integer, a slice, a mask of {count} rows or a 1-D array of "
            f"indices, got {key!r:.50}"
        )
    return np.arange(count)[chosen if chosen.size else []]


def begins(ids: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Returns (N,) marks of the rows at which an episode begins."""
    return np.concatenate([[True], ids[1:] != ids[:-1]])


def starts(ids: NDArray[np.int64]) -> NDArray[np.intp]:
    """Returns the rows at which an episode begins."""
    return np.flatnonzero(begins(ids))


def _numbers(name: str, values: ArrayLike) -> NDArray[Any]:
    if isinstance(values, np.ma.MaskedArray):  # np.asarray would bring the masked values back
        raise TypeError(
            f"{name}: expected a plain array, got a masked one; use {name}.filled(np.nan) "
            "with Transitions(..., drop_nonfinite=True) to leave the masked rows out"
        )
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise ShapeError(f"{name}: the rows do not form an array: {error}") from error
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name}: expected real numbers, got an array of dtype {array.dtype}")
    return array


def _returning_row(ids: NDArray[np.int64]) -> int | None:
    """Returns the first row of an episode that had ended before, or None."""
    heads = starts(ids)
    _, first = np.unique(ids[heads], return_index=True)
    if len(first) == len(heads):
        return None
    again = np.ones(len(heads), np.bool_)
    again[first] = False
    return int(heads[np.argmax(again)])


def _numbered(changes: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Returns ids from 0 for rows of which `changes` (N - 1,) tells where a new one begins."""
    return np.concatenate([[0], np.cumsum(changes)]).astype(np.int64)
