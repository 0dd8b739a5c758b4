"""Arguments become arrays here, from anything `np.asarray` takes, as the core reads them."""

from __future__ import annotations

import operator
import secrets
from typing import Any, SupportsIndex

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynaplan.errors import ArgumentError, ShapeError


def numbers(
    name: str, values: ArrayLike, dtype: type[np.floating[Any]] = np.float64
) -> NDArray[Any]:
    """Returns `values` as a C-contiguous array of `dtype`; integers and floats only."""
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise ShapeError(f"{name}: the rows do not form an array: {error}") from error
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name}: got dtype {array.dtype}, must be real numbers")
    return np.ascontiguousarray(array, dtype) if array.ndim else array.astype(dtype)


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
    array = np.asarray(values)
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
        raise ArgumentError(f"seed: got {seed}, must be from 0 to 2**64 - 1")
    return number


def integer(name: str, value: SupportsIndex) -> int:
    """Returns `value` as an int; a float is refused, even a whole one, and so is a truth value."""
    try:
        if not isinstance(value, bool | np.bool_):
            return operator.index(value)
    except TypeError:
        pass
    raise ArgumentError(f"{name}: got {value!r}, must be an integer")


def flag(name: str, value: Any) -> bool:
    """Returns `value` as a bool; anything but True and False is refused by name."""
    if not isinstance(value, bool | np.bool_):
        raise ArgumentError(f"{name}: got {value!r}, must be True or False")
    return bool(value)


def real(name: str, value: Any) -> float:
    """Returns `value` as a float; text, arrays, None and truth values are refused by name."""
    number = np.asarray(value) if not isinstance(value, str | bytes | None) else None
    if number is None or number.ndim or number.dtype.kind not in "iuf":
        raise ArgumentError(f"{name}: got {value!r}, must be a number")
    return float(value)


def at_least(smallest: int, name: str, value: SupportsIndex) -> int:
    """Returns `value` as an int; raises ArgumentError if it is none, or smaller than that."""
    number = integer(name, value)
    if number < smallest:
        raise ArgumentError(f"{name}: got {number}, must be at least {smallest}")
    return number
