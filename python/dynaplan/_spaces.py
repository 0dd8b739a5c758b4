"""Spaces of Gymnasium, which is imported only when a function is called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dynaplan import _arrays, _texts
from dynaplan.errors import ArgumentError, ShapeError

if TYPE_CHECKING:
    from gymnasium.spaces import Box

__all__ = [
    "action_box",
    "box_of_floats",
    "float32_bounds",
    "integer_dtype",
    "is_discrete",
    "rounded",
]


def is_discrete(space: Any) -> bool:
    """Returns whether a space has a number of actions, from a first one on, as a Discrete has."""
    return hasattr(space, "n") and hasattr(space, "start")


def integer_dtype(space: Any) -> np.dtype[Any] | None:
    """Returns the dtype of a Box of whole numbers; None for any other space."""
    dtype = getattr(space, "dtype", None)
    is_whole = isinstance(dtype, np.dtype) and dtype.kind in "iu"
    return dtype if is_whole and hasattr(space, "low") and hasattr(space, "high") else None


def rounded(
    values: NDArray[Any], low: NDArray[Any], high: NDArray[Any], dtype: np.dtype[Any]
) -> NDArray[Any]:
    """Returns the nearest whole numbers of `dtype` between low and high.

    A cast alone would cut: .99 would be 0.
    """
    if values.dtype.kind == "f":
        values = np.rint(values)
    # Python has no number between the largest of 64 bits and the float next to it.
    is_low, is_high = values <= low, values >= high
    with np.errstate(invalid="ignore"):  # of those that a bound replaces
        whole = values.astype(dtype)
    return np.asarray(np.where(is_low, low, np.where(is_high, high, whole)), dtype)


def box_of_floats(name: str, space: Any, dim: int) -> Box:
    """Returns a space that must be a Box of floats of shape (dim,)."""
    return _box(name, space, dim, "f", "float32 or float64")


def _box(name: str, space: Any, dim: int, kinds: str, wanted: str) -> Box:
    from gymnasium.spaces import Box  # noqa: PLC0415  # costs 0.3 s that an import must not

    if not isinstance(space, Box):
        raise TypeError(f"{name}: got {_texts.shown(space)}, must be a Box")
    if space.shape != (dim,):
        raise ShapeError(f"{name}: got shape {space.shape}, must be ({dim},)")
    if space.dtype is None or space.dtype.kind not in kinds:
        raise ArgumentError(f"{name}: got dtype {space.dtype}, must be {wanted}")
    return space


def action_box(space: Any, dim: int) -> Box:
    """Returns a Box of floats or integers of shape (dim,), or makes one of float32 of a pair.

    Raises:
        TypeError, ShapeError, ArgumentError: it is neither a Box nor (low, high), or does not fit.
    """
    from gymnasium.spaces import Box  # noqa: PLC0415  # as above

    if not isinstance(space, tuple | list):
        return _box("action_space", space, dim, "iuf", "integers, float32 or float64")
    if len(space) != 2:
        raise ShapeError(f"action_space: got {len(space)} entries, must be (low, high)")
    low = _arrays.vector("action_space.low", space[0], dim)
    high = _arrays.vector("action_space.high", space[1], dim)
    if not (low <= high).all():
        raise ArgumentError(f"action_space: got low {low} above high {high} somewhere, or nan")
    return Box(
        _arrays.narrowed("action_space.low", low, np.float32),
        _arrays.narrowed("action_space.high", high, np.float32),
    )


def float32_bounds(space: Box) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns the lowest and the highest float32 within a Box; infinite where it has no bounds."""
    low, high = space.low.astype(np.float64), space.high.astype(np.float64)
    with np.errstate(over="ignore"):  # bounds beyond float32 are none
        lowest, highest = low.astype(np.float32), high.astype(np.float32)
        above = np.nextafter(lowest, np.float32(np.inf))
        below = np.nextafter(highest, np.float32(-np.inf))
    lowest = np.where(lowest < low, above, lowest)
    highest = np.where(highest > high, below, highest)
    return lowest.astype(np.float64), highest.astype(np.float64)
