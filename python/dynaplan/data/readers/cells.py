"""Cells of a column as numbers, times and names of episodes; what is none of them is named."""

from __future__ import annotations

import math
from datetime import datetime, timedelta, timezone
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynaplan import _texts
from dynaplan.data.readers.table import Table
from dynaplan.errors import ArgumentError

__all__ = ["Clock", "column_numbers", "episode_keys", "missing_key", "run_starts"]

Float64 = NDArray[np.float64]

_MISSING = {"", "nan", "na", "n/a", "null", "none", "<na>", "nat"}
_TRUTHS = {"true": 1.0, "false": 0.0}


def column_numbers(argument: str, name: str, values: Any, table: Table, first: int = 0) -> Float64:
    """Returns the values of a column as (N, k) numbers; nan where one is missing.

    Args:
        argument: for which the column is read.
        name: of the column.
        values: one number for each row, or a list or array of k of them.
        table: that the column is from.
        first: row of the first value.

    Raises:
        ArgumentError: a value is no number; the message names its row.
    """
    array = values if isinstance(values, np.ndarray) else np.asarray(values)
    if array.dtype.kind in "biuf" and array.ndim in (1, 2):
        with np.errstate(over="ignore", invalid="ignore"):  # a nan of float32 may signal
            return array.astype(np.float64, copy=False).reshape(len(array), -1)
    if array.dtype.kind in "OUS" and array.ndim == 1:
        if any(isinstance(value, list | tuple | np.ndarray) for value in array[:1]):
            return _lists(argument, name, array, table, first)
        return _converted(argument, name, array.tolist(), table, first)[:, None]
    raise ArgumentError(
        f"{argument}: column {name!r} of {table.title} holds {array.dtype} of shape "
        f"{array.shape}, must be numbers"
    )


def _lists(argument: str, name: str, array: NDArray[Any], table: Table, first: int) -> Float64:
    """Returns (N, k) of a column that holds k numbers in each row."""
    width = len(array[0])
    numbers = np.full((len(array), width), np.nan)
    for row, value in enumerate(array):
        try:
            if len(value) == width:
                numbers[row] = value
                continue
        except (TypeError, ValueError):
            if missing_key(value):
                continue
        raise ArgumentError(
            f"{argument}: column {name!r}, {table.place(first + row)} of {table.title} is no list "
            f"of {width} numbers as the first row"
        )
    return numbers


def _converted(argument: str, name: str, values: list[Any], table: Table, first: int) -> Float64:
    try:
        if "_" not in "".join(values):  # which `float` takes, as in 1_000, and a log does not mean
            return np.array(list(map(float, values)), np.float64)
    except (TypeError, ValueError, OverflowError):  # some are missing, or are no text
        pass
    return np.array(
        [_number(argument, name, value, table, first + row) for row, value in enumerate(values)],
        np.float64,
    )


def _number(argument: str, name: str, value: Any, table: Table, row: int) -> float:
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    hint = ""
    if isinstance(value, str):
        text = value.strip().lower()
        if text in _MISSING:
            return math.nan
        if text in _TRUTHS:
            return _TRUTHS[text]
        if text.count(",") == 1 and "." not in text:
            hint = '; a decimal comma is read by pandas.read_csv(..., decimal=",")'
    try:
        if missing_key(value):
            return math.nan
        if not (isinstance(value, str) and "_" in value):
            return float(value)
    except (TypeError, ValueError, OverflowError):
        pass
    raise ArgumentError(
        f"{argument}: column {name!r}, {table.place(row)} of {table.title} is "
        f"{_texts.shown(value)}, must be a number{hint}"
    )


def missing_key(value: Any) -> bool:
    """Returns whether a value says that there is none."""
    if value is None or type(value).__name__ in {"NAType", "NaTType"}:
        return True
    if isinstance(value, str):
        return value.strip().lower() in _MISSING
    return isinstance(value, float) and math.isnan(value)


def run_starts(values: Any) -> NDArray[np.intp]:
    """Returns the rows that have another value than the row above, and maybe some others."""
    changes = np.ones(len(values), np.bool_)
    try:
        unequal = np.asarray(values[1:] != values[:-1], np.bool_)
        changes[1:] = unequal
    except (TypeError, ValueError):  # of values that do not say, or rows of several
        pass
    return np.flatnonzero(changes)


def episode_keys(values: Any) -> list[Any]:
    """Returns what the episode of each row is called: integers, text or truth values; None: none.

    Numbers that a frame holds as floats since one is missing are integers again.
    """
    array = values if isinstance(values, np.ndarray) else np.asarray(values)
    keys: list[Any] = array.tolist()
    if array.dtype.kind in "iub":
        return keys
    return [None if missing_key(key) else _key(key) for key in keys]


def _key(key: Any) -> Any:
    if isinstance(key, str):
        text = key.strip()
        digits = text.removeprefix("-")
        whole = digits.isascii() and digits.isdigit() and str(int(digits[:19])) == digits
        return int(text) if whole else text
    if isinstance(key, float) and key.is_integer():
        return int(key)
    try:
        hash(key)
    except TypeError:
        return repr(key)
    return key


class Clock:
    """Makes seconds of a time column: since its first value, so that none of their digits is lost.

    Numbers keep their own unit, dates and durations become seconds.
    """

    def __init__(self) -> None:
        self._origin: Any = None

    def seconds(self, name: str, values: Any, table: Table, first: int = 0) -> Float64:
        """Returns (N,) times; nan where one is missing.

        Raises:
            ArgumentError: a value is no time; the message names its row.
        """
        array = values if isinstance(values, np.ndarray) else np.asarray(values)
        if array.ndim == 2 and array.shape[1] == 1:
            array = array[:, 0]
        if array.dtype.kind in "mM" and array.ndim == 1:
            return self._of_dates(array)
        if array.dtype.kind in "iu" and array.ndim == 1:
            if self._origin is None and len(array):
                self._origin = int(array[0])
            # Nanoseconds since 1970 have more digits than a float.
            return (array.astype(np.int64) - np.int64(self._origin or 0)).astype(np.float64)
        if array.dtype.kind in "OUS" and array.ndim == 1:
            dates = [_date(value) for value in array.tolist()]
            are_integers = all(date is None or type(date) is int for date in dates)
            if are_integers or any(isinstance(date, datetime | timedelta) for date in dates):
                return self._of_objects(name, dates, array, table, first)
        numbers = column_numbers("time", name, array, table, first)
        if numbers.shape[1] != 1:
            raise ArgumentError(
                f"time: column {name!r} of {table.title} has {numbers.shape[1]} numbers in a row, "
                "must be one"
            )
        return np.ascontiguousarray(numbers[:, 0])

    def _of_dates(self, array: NDArray[Any]) -> Float64:
        known = array[~np.isnat(array)]
        if self._origin is None and len(known):
            self._origin = known[0]
        if self._origin is None:
            return np.full(len(array), np.nan)
        return np.asarray((array - self._origin) / np.timedelta64(1, "s"), np.float64)

    def _of_objects(
        self, name: str, dates: list[Any], array: NDArray[Any], table: Table, first: int
    ) -> Float64:
        seconds = np.empty(len(dates))
        for row, date in enumerate(dates):
            if self._origin is None and date is not None:
                self._origin = date
            try:
                since = None if date is None else date - self._origin
                if isinstance(since, timedelta):
                    since = since.total_seconds()
                seconds[row] = math.nan if since is None else since
            except (TypeError, AttributeError, ValueError, OverflowError) as error:
                raise ArgumentError(
                    f"time: column {name!r}, {table.place(first + row)} of {table.title} is "
                    f"{_texts.shown(array[row])}, must be a date as the others"
                ) from error
        return seconds


def _date(value: Any) -> Any:
    """Returns a date of a text, None of a missing value, all else as it is."""
    if missing_key(value):
        return None
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(timezone.utc)  # of one zone Python subtracts what clocks show
    if isinstance(value, str) and "-" in value[4:8]:
        try:
            return datetime.fromisoformat(value.strip().replace("Z", "+00:00"))
        except ValueError:
            return value
    return value
