"""Arguments become arrays and numbers here, as the core reads them; others are refused by name."""

from __future__ import annotations

import math
import operator
import secrets
import sys
from collections import deque
from collections.abc import Iterable, Mapping
from itertools import chain, islice
from numbers import Real
from typing import Any, Literal, SupportsIndex

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynaplan._texts import shown
from dynaplan.errors import ArgumentError, ShapeError

_MAX_COUNT = 2**31 - 1  # of a C int, by which the core counts
_MAX_DIMS = 64  # of NumPy's arrays
_WIDER: dict[Any, str] = {np.float64: "g", np.float32: "gd"}  # characters of wider floats
_MAX_INTEGERS = 65536  # in a list, which may be without end
_FEW = 16
_LISTS = (list, tuple, deque)
_PLAIN = {bool, float, int, np.ndarray}


def numbers(
    name: str, values: ArrayLike, dtype: type[np.floating[Any]] | None = np.float64
) -> NDArray[Any]:
    """Returns `values` as a C-contiguous array of `dtype`, or of its own; real numbers only."""
    if type(values) is np.ndarray:
        flags = values.flags
        if flags.c_contiguous and flags.aligned and dtype is not None and values.dtype == dtype:
            return values  # what a fast loop passes must not pay for the others
    array = real_array(name, values)
    if dtype is None:
        dtype = array.dtype.type
    elif array.dtype.char in _WIDER[dtype]:
        return narrowed(name, array, dtype)
    converted = np.asarray(array, dtype, order="C")
    return converted if converted.flags.aligned else converted.copy()


def real_array(name: str, values: ArrayLike) -> NDArray[Any]:
    """Returns `values` as an array of real numbers, not copied if it is one."""
    array = any_array(name, values)
    if array.dtype.kind not in "biuf" or (array.dtype.kind == "b" and not array.ndim):
        got = f"dtype {array.dtype}" if array.ndim else shown(values)
        raise TypeError(f"{name}: got {got}, must be real numbers")
    return array


def any_array(name: str, values: ArrayLike) -> NDArray[Any]:
    """Returns `values` as an array of any dtype; what no array holds is refused by name."""
    if type(values) is not np.ndarray and has_masked(values):
        raise TypeError(f"{name}: got a masked array, must be a plain one, without masked entries")
    try:
        return np.asarray(values)
    except ValueError as error:
        raise ShapeError(f"{name}: the rows do not form an array: {error}") from error
    except Exception as error:  # of the object's own conversion
        raise TypeError(f"{name}: got {shown(values)}, must be an array: {error}") from error


def narrowed(name: str, array: NDArray[Any], dtype: type[np.floating[Any]]) -> NDArray[Any]:
    """Returns `array` in a smaller dtype; numbers that would become infinite are refused."""
    with np.errstate(over="ignore"):
        narrowed = np.array(array, dtype, order="C")
    if (np.isinf(narrowed) & ~np.isinf(array)).any():
        raise ArgumentError(f"{name}: got a number that is too large for {dtype.__name__}")
    return narrowed


def has_masked(values: Any) -> bool:
    """Returns whether something is masked in an array, or in those that a list holds.

    `np.asarray` would bring back what the mask hides.
    """
    ma = sys.modules.get("numpy.ma")
    if ma is None:  # NumPy loads it with the first masked array
        return False
    if type(values) is list and _PLAIN.issuperset(map(type, values)):
        return False  # the usual list is not to be looked through
    level = [values]
    for _ in range(_MAX_DIMS):
        lists = []
        for kind in set(map(type, level)) - _PLAIN:
            if issubclass(kind, _LISTS):
                lists.append(kind)
            elif issubclass(kind, ma.MaskedArray) and any(map(_is_masked, level)):
                return True
        if not lists:
            return False
        inside = level if len(level) == 1 else [value for value in level if type(value) in lists]
        level = list(chain.from_iterable(inside))
    return False


def _is_masked(value: Any) -> bool:
    if not isinstance(value, np.ma.MaskedArray):
        return False
    mask = np.ma.getmask(value)
    return mask.dtype != np.bool_ or bool(mask.any())  # of records the mask is one too


def rows(name: str, values: ArrayLike, columns: int) -> NDArray[Any]:
    """Returns (N, columns); a single row (columns,) becomes (1, columns)."""
    array = numbers(name, values)
    shape = array.shape
    if shape == (columns,):
        return array[None]
    if len(shape) != 2 or shape[1] != columns:
        raise ShapeError(f"{name}: got shape {shape}, must be (N, {columns}) or ({columns},)")
    return array


def finite_rows(name: str, values: ArrayLike, columns: int) -> NDArray[np.float64]:
    """Returns (N, columns) as `rows` does; a nan or an infinity is refused."""
    array: NDArray[np.float64] = rows(name, values, columns)
    # For so few NumPy takes longer to begin than Python to end.
    if array.size <= _FEW and math.isfinite(sum(array.ravel().tolist())):
        return array
    if np.count_nonzero(np.isfinite(array)) < array.size:
        row, column = np.argwhere(~np.isfinite(array))[0]
        value = array[row, column]
        raise ArgumentError(f"{name}: row {row}, column {column} is {value}, must be finite")
    return array


def require_action_for_each(states: NDArray[Any], actions: NDArray[Any]) -> None:
    """Raises ShapeError unless there are as many rows of actions as of states."""
    if len(states) != len(actions):
        raise ShapeError(
            f"actions: got {len(actions)} rows, must be as many as the {len(states)} states"
        )


def step_rows(name: str, values: ArrayLike) -> NDArray[Any]:
    """Returns (N, columns), any number of columns; a single row must be written as one."""
    array = numbers(name, values)
    if array.ndim != 2 or array.shape[1] == 0:
        raise ShapeError(f"{name}: got shape {array.shape}, must have one row per step")
    return array


def step_targets(name: str, values: ArrayLike) -> NDArray[Any]:
    """Returns (steps, n): one row for each step; (n,), the same at all steps, becomes one row."""
    array = np.atleast_1d(numbers(name, values))
    if array.ndim > 2 or not array.size:
        raise ShapeError(f"{name}: got shape {array.shape}, must be (n,), or (steps, n)")
    return array if array.ndim == 2 else array[None]


def step_numbers(name: str, values: ArrayLike) -> NDArray[np.int64]:
    """Returns (N,) integers: which step of the horizon each row of a batch is."""
    array = numbers(name, values, None)
    if array.dtype.kind not in "iu":
        raise ArgumentError(f"{name}: got dtype {array.dtype}, must be integers")
    return np.ascontiguousarray(array, np.int64)


def vector(name: str, values: ArrayLike, size: int | None = None) -> NDArray[Any]:
    """Returns (size,), or any number of entries above 0; a scalar becomes (1,)."""
    array = np.atleast_1d(numbers(name, values))
    fits = len(array) > 0 if size is None else len(array) == size
    if array.ndim != 1 or not fits:
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
    if type(value) is int:
        return value
    try:
        number = operator.index(value)
    except Exception:  # of the object's own conversion
        number = None
    if number is None or isinstance(value, bool | np.timedelta64) or has_masked(value):
        raise ArgumentError(f"{name}: got {shown(value)}, must be an integer")
    return number


def count(name: str, value: SupportsIndex, smallest: int | None = None) -> int:
    """Returns `value` as an int that the core can count by, and that is not below the smallest."""
    number = integer(name, value) if smallest is None else at_least(smallest, name, value)
    if abs(number) > _MAX_COUNT:
        raise ArgumentError(f"{name}: got {shown(number)}, must be at most {_MAX_COUNT} in size")
    return number


def counts(name: str, values: Iterable[SupportsIndex] | SupportsIndex) -> tuple[int, ...]:
    """Returns several ints that the core can count by; a single one becomes a tuple of one."""
    if isinstance(values, str | bytes | Mapping):
        raise TypeError(f"{name}: got {shown(values)}, must be integers")
    is_one = not isinstance(values, Iterable) or getattr(values, "ndim", 1) == 0
    given: Any = [values] if is_one else values
    try:
        several = list(islice(given, _MAX_INTEGERS + 1))
    except Exception as error:  # of the object's own conversion
        raise TypeError(f"{name}: got {shown(values)}, must be integers: {error}") from error
    if len(several) > _MAX_INTEGERS:
        raise ArgumentError(f"{name}: got more than {_MAX_INTEGERS} integers, must be fewer")
    return tuple(count(name, value) for value in several)


def at_least(smallest: int, name: str, value: SupportsIndex) -> int:
    """Returns `value` as an int; raises ArgumentError if it is none, or smaller than that."""
    number = integer(name, value)
    if number < smallest:
        raise ArgumentError(f"{name}: got {shown(number)}, must be at least {smallest}")
    return number


def real(name: str, value: Any) -> float:
    """Returns `value` as a float; text, arrays, None and truth values are refused by name."""
    if type(value) is float:
        return value
    is_array = isinstance(value, np.ndarray) and not value.ndim and value.dtype.kind in "iuf"
    is_number = isinstance(value, Real) and not isinstance(value, bool | np.timedelta64)
    if not (is_array and not has_masked(value)) and not is_number:
        raise ArgumentError(f"{name}: got {shown(value)}, must be a number")
    try:
        number = float(value)
    except Exception:  # too large, or of the object's own conversion
        number = math.inf
    if math.isinf(number) and value != number:
        raise ArgumentError(f"{name}: got {shown(value)}, must be a number that a float holds")
    return number


def share(name: str, value: Any) -> float:
    """Returns `value` as a float in [0, 1]."""
    number = real(name, value)
    if not 0.0 <= number <= 1.0:
        raise ArgumentError(f"{name}: got {shown(value)}, must be in [0, 1]")
    return number


def pair(name: str, values: Any) -> tuple[Any, Any]:
    """Returns both entries of a list or a tuple, or the rows of an array."""
    is_several = isinstance(values, list | tuple) or (
        isinstance(values, np.ndarray) and values.ndim
    )
    if not is_several or len(values) != 2:
        raise TypeError(f"{name}: got {shown(values)}, must be a pair (low, high)")
    low, high = values
    return low, high


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
    except Exception:  # NumPy and ctypes raise almost anything for what is no dtype
        found = ""
    if found == "float32":
        return "float32"
    if found == "float64":
        return "float64"
    got = found or shown(dtype)
    raise ArgumentError(f"{name}: got {got}, must be numpy.float32 or numpy.float64")
