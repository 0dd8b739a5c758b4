"""Functions of the user's: what is none is refused by name, and what one returns is checked."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynaplan import _arrays, _texts
from dynaplan.errors import ShapeError

__all__ = ["bools", "numbers", "require_function", "require_no_tuple"]


def require_function(name: str, function: Any, wanted: str = "a function") -> None:
    """Refuses what is no function, such as a class, which would make an object for each batch.

    Raises:
        TypeError: it cannot be called, or is a class.
    """
    if not callable(function) or isinstance(function, type):
        raise TypeError(f"{name}: got {_texts.shown(function)}, must be {wanted}")


def require_no_tuple(name: str, values: Any) -> None:
    """Refuses a tuple, which the equations of one state return, from a function of batches.

    With as many rows as columns NumPy would make an array of it that fits, and is transposed.

    Raises:
        TypeError: it is a tuple.
    """
    if isinstance(values, tuple):
        raise TypeError(
            f"{name}: returned a tuple, must be an array with one row for each state; equations of "
            "one state and action go into FunctionModel.from_equations, or into discretise with "
            "state_dim and action_dim"
        )


def numbers(name: str, values: ArrayLike, shape: tuple[int, ...], each: str) -> NDArray[np.float64]:
    """Returns real numbers of a shape, in float64.

    Args:
        name: of the argument that the function is.
        values: what it returned.
        shape: that it must have.
        each: what is to be returned for each row of the batch, for the message.

    Raises:
        TypeError: they are no real numbers, or some of them are masked.
        ShapeError: they have another shape.
    """
    array = _arrays.any_array(name, values)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name}: returned {_text(array)}, must be real numbers of shape {shape}")
    _require_shape(name, array, shape, each)
    return _arrays.numbers(name, array)


def bools(name: str, values: ArrayLike, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Returns bools of a shape; numbers are none, whatever their value.

    Args:
        name: of the argument that the function is.
        values: what it returned.
        shape: that it must have.

    Raises:
        TypeError: they are no bools, or some of them are masked.
        ShapeError: they have another shape.
    """
    array = _arrays.any_array(name, values)
    if array.dtype != np.bool_ and array.size:  # nothing has the dtype of floats
        raise TypeError(
            f"{name}: returned {_text(array)}, must be bool of shape {shape}, such as a "
            "comparison gives"
        )
    _require_shape(name, array, shape, "bool")
    return np.asarray(array, np.bool_, order="C")


def _text(array: NDArray[Any]) -> str:
    if not array.ndim:
        return _texts.shown(array.item())
    return f"dtype {array.dtype} and shape {array.shape}"


def _require_shape(name: str, array: NDArray[Any], shape: tuple[int, ...], each: str) -> None:
    if array.shape != shape:
        raise ShapeError(
            f"{name}: returned shape {array.shape}, must be {shape}, one {each} per row of the "
            "batch"
        )
