"""Arguments become arrays and numbers here, as the core reads them; others are refused by name."""

from __future__ import annotations

import operator
import secrets
from typing import Any, Literal, SupportsIndex

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynaplan._texts import shown
from dynaplan.errors import ArgumentError, ShapeError

_MAX_COUNT = 2**31 - 1  # of a C int, by which the core counts


def numbers(
    name: str, values: ArrayLike, dtype: type[np.floating[Any]] | None = np.float64
) -> NDArray[Any]:
    """Returns `values` as a C-contiguous array of `dtype`, or of its own; real numbers only."""
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise ShapeError(f"{name}: the rows do not form an array: {error}") from error
    if array.dtype.kind not in "biuf":
        got = f"dtype {array.dtype}" if array.ndim else shown(values)
        raise TypeError(f"{name}: got {got}, must be real numbers")
    wanted = array.dtype if dtype is None else dtype
    return np.ascontiguousarray(array, wanted) if array.ndim else array.astype(wanted)


def rows(name: str, values: ArrayLike, columns: int) -> NDArray[Any]:
    """Returns (N, columns); a single row (columns,) becomes (1, columns)."""
    array = numbers(name, values)
    shape = array.shape
    if shape == (columns,):
        return array[None]
    if len(shape) != 2 or shape[1] != columns:
        raise ShapeError(f"{name}: got shape {shape}, must be (N, {columns}) or ({columns},)")
    return array


def step_rows(name: str, values: ArrayLike) -> NDArray[Any]:
    """Returns (N, columns), any number of columns; a single row must be written as one."""
    array = numbers(name, values)
    if array.ndim != 2:
        raise ShapeError(f"{name}: got shape {array.shape}, must have one row per step")
    return array


def step_targets(name: str, values: ArrayLike) -> NDArray[Any]:
    """Returns (steps, n): one row for each step; (n,), the same at all steps, becomes one row."""
    array = np.atleast_1d(numbers(name, values))
    if array.ndim > 2:
        raise ShapeError(f"{name}: got shape {array.shape}, must be (n,), or (steps, n)")
    return array if array.ndim == 2 else array[None]


def step_numbers(name: str, values: ArrayLike) -> NDArray[np.int64]:
    """Returns (N,) integers: which step of the horizon each row of a batch is."""
    array = numbers(name, values, None)
    if array.dtype.kind not in "iu":
        raise ArgumentError(f"{name}: got dtype {array.dtype}, must be integers")
    return np.ascontiguousarray(array, np.int64)


def vector(name: str, values: ArrayLike, size: int | None = None) -> NDArray[Any]:
    """Returns (size,); a scalar becomes (1,)."""
    array = np.atleast_1d(numbers(name, values))
    if array.ndim != 1 or (size is not None and len(array) != size):
        wanted = "(n,)" if size is None else f"({size},)"
        raise ShapeError(f"{name}: got shape {array.shape}, must be {wanted}")
    return array


def seed_number(seed: int | None) -> int:
    """Returns `seed` as an unsigned 64-bit number; None draws a fresh one."""
    if seed is None:
        return secrets.randbits(64)
    number = integer("seed", seed)
    if not 0 <= number < 2**64:
        raise ArgumentError(f"seed: got {shown(number)}, must be from 0 to 2**64 - 1")
    return number


def integer(name: str, value: SupportsIndex) -> int:
    """Returns `value` as an int; a float is refused, even a whole one, and so are truth values."""
    try:
        number = operator.index(value)
    except TypeError:
        raise ArgumentError(f"{name}: got {shown(value)}, must be an integer") from None
    if isinstance(value, bool):
        raise ArgumentError(f"{name}: got {value}, must be an integer")
    return number


def count(name: str, value: SupportsIndex) -> int:
    """Returns `value` as an int that the core can count by."""
    number = integer(name, value)
    if abs(number) > _MAX_COUNT:
        raise ArgumentError(f"{name}: got {shown(number)}, must be at most {_MAX_COUNT} in size")
    return number


def at_least(smallest: int, name: str, value: SupportsIndex) -> int:
    """Returns `value` as an int; raises ArgumentError if it is none, or smaller than that."""
    number = integer(name, value)
    if number < smallest:
        raise ArgumentError(f"{name}: got {number}, must be at least {smallest}")
    return number


def real(name: str, value: Any) -> float:
    """Returns `value` as a float; text, arrays, None and truth values are refused by name."""
    number = np.asarray(value) if not isinstance(value, str | bytes | list | tuple | None) else None
    if number is None or number.ndim or number.dtype.kind not in "iuf":
        raise ArgumentError(f"{name}: got {shown(value)}, must be a number")
    return float(value)


def positive_fraction(name: str, value: Any) -> float:
    """Returns `value` as a float in (0, 1]."""
    number = real(name, value)
    if not 0.0 < number <= 1.0:
        raise ArgumentError(f"{name}: got {shown(value)}, must be in (0, 1]")
    return number


def flag(name: str, value: Any) -> bool:
    """Returns `value` as a bool; only True and False are, not whatever has a truth value."""
    if not isinstance(value, bool | np.bool_):
        raise ArgumentError(f"{name}: got {shown(value)}, must be True or False")
    return bool(value)


def choice(name: str, value: Any, *choices: str) -> str:
    """Returns `value`, which must be one of the names."""
    if isinstance(value, str) and value in choices:
        return value
    *others, last = (f'"{one}"' for one in choices)
    raise ArgumentError(f"{name}: got {shown(value)}, must be {', '.join(others)} or {last}")


def float_name(name: str, dtype: Any) -> Literal["float32", "float64"]:
    """Returns "float32" or "float64", which `dtype` must mean."""
    try:
        found = "" if dtype is None else np.dtype(dtype).name  # None means float64 to NumPy
    except (TypeError, ValueError):
        found = ""
    if found == "float32":
        return "float32"
    if found == "float64":
        return "float64"
    got = found or shown(dtype)
    raise ArgumentError(f"{name}: got {got}, must be numpy.float32 or numpy.float64")
