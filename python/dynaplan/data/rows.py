"""The rows of a data set: checked as arrays, selected, and numbered by episode."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynaplan import _arrays, _texts
from dynaplan.data.angles import Angles
from dynaplan.data.joins import apart, rounding_of
from dynaplan.errors import ArgumentError, ShapeError

# What numbers the rows beside `episodes`, and equals it in most data.
CUT_IDS = ("segments", "groups")


def matrix(name: str, values: ArrayLike) -> NDArray[Any]:
    """Returns `values` as an (N, columns) array, N >= 1 and columns >= 1, in its own dtype."""
    array = _numbers(name, values)
    if array.shape[:1] == (0,):
        raise ShapeError(f"{name}: got 0 transitions, must be at least one row")
    if array.ndim != 2:
        numbers = name == "actions" and array.ndim == 1 and array.dtype.kind in "iu"
        raise ShapeError(
            f"{name}: got shape {array.shape}, must be (N, columns) with one row per transition; "
            f"if there is one column use np.reshape({name}, (-1, 1)), "
            f"if there is one transition use np.reshape({name}, (1, -1))"
            + ", if they are numbers of actions pass discrete_actions="
            * numbers
        )
    if array.shape[1] == 0:
        raise ShapeError(f"{name}: got shape {array.shape}, must have at least one column")
    return array


def vector(name: str, values: ArrayLike, count: int) -> NDArray[Any]:
    """Returns `values` as an array of shape (count,), in its own dtype."""
    array = _numbers(name, values)
    if array.shape != (count,):
        hint = f"; use np.ravel({name})" if array.shape == (count, 1) else ""
        raise ShapeError(
            f"{name}: got shape {array.shape}, must be ({count},), one per row of states{hint}"
        )
    return array


def copied(array: NDArray[Any]) -> NDArray[np.float64]:
    """Returns a copy in float64, for after its shape was found to fit: a view may be huge."""
    with np.errstate(over="ignore"):  # a longdouble beyond float64 becomes an infinity
        return np.array(array, dtype=np.float64, order="C")


def flags(name: str, values: ArrayLike, count: int) -> NDArray[np.bool_]:
    """Returns `values` as a new (count,) array of bool."""
    array = vector(name, values, count)
    strange = np.flatnonzero((array != 0) & (array != 1))
    if strange.size:
        row = strange[0]
        raise ArgumentError(f"{name}: row {row} is {array[row]}, must be True, False, 1 or 0")
    return array.astype(np.bool_)


def episode_ids(values: ArrayLike, count: int) -> NDArray[np.int64]:
    """Returns `values` as a new (count,) array of int64 in which equal values are adjacent."""
    array = vector("episodes", values, count)
    if array.dtype.kind not in "iu":
        raise TypeError(
            f"episodes: got dtype {array.dtype}, must be integers; convert it with "
            ".astype(np.int64)"
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
            f"actions: got {actions[0]} rows (shape {actions}), must be {states[0]} as in states"
        )
    if next_states != states:
        raise ShapeError(f"next_states: got shape {next_states}, must be {states} as in states")


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
    angles: Angles,
) -> NDArray[np.int64]:
    """Numbers the episodes of data that came without: see `Transitions.episodes`.

    `rows` are the places the rows had in the data, if some were left out.
    """
    continues = (next_states[:-1] == states[1:]).all(axis=1)
    unequal = np.flatnonzero(~continues)
    if unequal.size:
        tolerance = rounding_of(states)
        with np.errstate(over="ignore"):
            jumps = apart(next_states, states, unequal, unequal + 1, angles)
        continues[unequal] = (jumps <= tolerance).all(axis=1)
    continues &= ~terminations[:-1]
    if rows is not None:
        continues &= np.diff(rows) == 1
    return _numbered(~continues)


def cut_ids(ids: NDArray[np.int64], rows: NDArray[np.intp]) -> NDArray[np.int64]:
    """Returns the ids, numbered anew from 0 if they are to change after some rows too."""
    if not rows.size:
        return ids
    changes = ids[1:] != ids[:-1]
    changes[rows] = True
    return _numbered(changes)


def check_cuts(cuts: Mapping[str, NDArray[Any]], episodes: NDArray[np.int64]) -> None:
    """Raises an error unless `segments` lie within episodes, and episodes within `groups`."""
    for name, ids in cuts.items():
        if ids.dtype != np.int64 or ids.shape != episodes.shape:
            raise ShapeError(f"{name}: got {ids.dtype} of shape {ids.shape}, must be as episodes")
        inner, outer = (ids, episodes) if name == "segments" else (episodes, ids)
        if (begins(outer) & ~begins(inner)).any():
            raise ArgumentError(f"{name}: got ids that do not fit the episodes")
        if name == "segments" and _returning_row(ids) is not None:
            raise ArgumentError(f"{name}: got rows that are apart, must be adjacent")


def numbered_groups(ids: NDArray[np.int64]) -> NDArray[np.int64]:
    """Returns the same groups, numbered from 0 as they first appear; they need not be adjacent."""
    heads = starts(ids)
    _, first, found = np.unique(ids[heads], return_index=True, return_inverse=True)
    numbers = np.argsort(np.argsort(first))[found.ravel()]
    return np.repeat(numbers.astype(np.int64), np.diff(heads, append=len(ids)))


def selected_ids(ids: NDArray[np.int64], rows: NDArray[np.intp]) -> NDArray[np.int64]:
    """Returns the episode ids of `rows`, numbered anew if an episode lost its unbroken order."""
    chosen = ids[rows]
    changes = chosen[1:] != chosen[:-1]
    # Errors after k steps are computed along episodes, so a gap must end one.
    gaps = np.diff(rows) != 1
    if not (gaps & ~changes).any() and _returning_row(chosen) is None:
        return chosen
    return _numbered(gaps | changes)


def joined_arrays(parts: Sequence[Mapping[str, NDArray[Any]]]) -> dict[str, NDArray[Any]]:
    """Returns the arrays of several data sets one below the other, with ids of which none merge."""
    arrays = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    for name in ("episodes", "segments"):
        begun = np.concatenate([begins(part[name]) for part in parts])
        arrays[name] = np.cumsum(begun, dtype=np.int64) - 1
    groups = [numbered_groups(part["groups"]) for part in parts]
    firsts = np.cumsum([0, *(group.max() + 1 for group in groups[:-1])])
    arrays["groups"] = np.concatenate(
        [first + group for first, group in zip(firsts, groups, strict=True)]
    )
    return arrays


def held_out_rows(
    groups: NDArray[np.int64], fraction: float, seed: int | None
) -> NDArray[np.bool_]:
    """Returns (N,) marks of whole groups that are about this share; of one alone, of its end."""
    group, count = numbered_groups(groups), len(groups)
    lengths = np.bincount(group)
    if len(lengths) == 1:
        held = min(max(round(fraction * count), 1), count - 1)
        return np.arange(count) >= count - held
    order = np.random.default_rng(seed).permutation(len(lengths))
    filled = np.cumsum(lengths[order])[:-1]
    chosen = int(np.argmin(np.abs(filled - fraction * count))) + 1
    held_out = np.zeros(len(lengths), np.bool_)
    held_out[order[:chosen]] = True
    return held_out[group]


def selected_rows(key: Any, count: int) -> NDArray[np.intp]:
    """Returns the row indices that a key of `Transitions.__getitem__` selects."""
    rows = np.arange(count)
    try:
        if isinstance(key, slice):
            return np.arange(*key.indices(count))
        # NumPy reads a tuple as one index per axis, which would be another thing than indices of
        # rows; and `np.asarray` brings back what is masked.
        if not isinstance(key, tuple) and not _arrays.has_masked(key):
            chosen = np.asarray(key)
            if chosen.ndim == 0 and chosen.dtype.kind in "iu":
                return np.array([rows[chosen]])
            if chosen.ndim == 1 and (chosen.dtype.kind in "biu" or not chosen.size):
                return np.array(rows[chosen if chosen.size else []])
    except (IndexError, OverflowError, TypeError, ValueError) as error:
        got = _texts.shown(key)
        raise IndexError(f"key: got {got}, must select of {count} rows: {error}") from error
    raise IndexError(
        f"key: got {_texts.shown(key)}, must be an integer, a slice, a mask of {count} rows "
        "or a 1-D array of indices"
    )


def begins(ids: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Returns (N,) marks of the rows at which an episode begins."""
    return np.concatenate([[True], ids[1:] != ids[:-1]])


def starts(ids: NDArray[np.int64]) -> NDArray[np.intp]:
    """Returns the rows at which an episode begins."""
    return np.flatnonzero(begins(ids))


def ends_of(ids: NDArray[np.int64]) -> NDArray[np.intp]:
    """Returns (N,): for each row, the first row beyond those of its episode or segment."""
    first = starts(ids)
    stops = np.append(first[1:], len(ids))
    return np.repeat(stops, stops - first)


def _numbers(name: str, values: ArrayLike) -> NDArray[Any]:
    if _arrays.has_masked(values):
        raise TypeError(
            f"{name}: got a masked array, must be a plain one; use {name}.filled(np.nan) with "
            "Transitions(..., drop_nonfinite=True) to leave the masked rows out"
        )
    return _arrays.real_array(name, values)


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
    """Returns ids from 0 for rows of which `changes` (N - 1,) marks where a new one begins."""
    return np.concatenate([[0], np.cumsum(changes)]).astype(np.int64)
