"""Spaces of Gymnasium, which is imported only when a function is called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynaplan import _arrays, _texts
from dynaplan.errors import ArgumentError, ShapeError

if TYPE_CHECKING:
    from gymnasium import Env
    from gymnasium.spaces import Box

__all__ = ["action_box", "box_of_floats", "boxes", "env_name", "fit_to_space", "float32_bounds"]
__all__ += ["is_discrete", "require_environment"]


def is_discrete(space: Any) -> bool:
    """Returns whether a space has a number of actions, from a first one on, as a Discrete has."""
    return hasattr(space, "n") and hasattr(space, "start")


def boxes(env: Env[Any, Any]) -> tuple[Box, Box]:
    """Returns the spaces of observations and actions, which must be 1-D Boxes."""
    from gymnasium.spaces import Box  # noqa: PLC0415  # costs 0.3 s that an import must not

    if isinstance(env, str):
        raise TypeError(f"env: got {env!r}, must be an environment: gymnasium.make({env!r})")
    require_environment(env)
    boxes = []
    for name in ("observation_space", "action_space"):
        space = getattr(env, name)
        if not isinstance(space, Box):
            raise TypeError(f"env: its {name} is {space}, must be a Box")
        if len(space.shape) != 1:
            raise ShapeError(
                f"env: its {name} has shape {space.shape}, must have one dimension; "
                "use a wrapper such as FlattenObservation"
            )
        boxes.append(space)
    return boxes[0], boxes[1]


def require_environment(env: Any) -> None:
    """Refuses what has no spaces, or cannot be reset and stepped.

    Raises:
        TypeError: it is no environment.
    """
    has_methods = all(callable(getattr(env, name, None)) for name in ("reset", "step"))
    has_spaces = hasattr(env, "observation_space") and hasattr(env, "action_space")
    if not (has_methods and has_spaces) or isinstance(env, type):
        raise TypeError(f"env: got {_texts.shown(env)}, must be a Gymnasium environment")


def env_name(env: Any) -> str:
    """Returns the id of an environment, or its class where it has none."""
    return getattr(getattr(env, "spec", None), "id", None) or type(env).__name__


def fit_to_space(action: ArrayLike, space: Box, actor: str = "policy") -> NDArray[Any]:
    """Returns the action in the space's dtype and within its bounds; `actor` chose it."""
    values = _arrays.numbers(actor, action, None)
    if values.shape != space.shape:
        raise ShapeError(
            f"{actor}: got an action of shape {values.shape}, must be of shape {space.shape}"
        )
    with np.errstate(over="ignore"):  # only where there are no bounds
        fitted = np.asarray(np.clip(values, space.low, space.high), dtype=space.dtype)
    if not (np.isfinite(values).all() and np.isfinite(fitted).all()):
        raise ArgumentError(f"{actor}: got action {values}, must be finite")
    return fitted


def box_of_floats(name: str, space: Any, dim: int) -> Box:
    """Returns a space that must be a Box of floats of shape (dim,)."""
    from gymnasium.spaces import Box  # noqa: PLC0415  # as above

    if not isinstance(space, Box):
        raise TypeError(f"{name}: got {_texts.shown(space)}, must be a Box")
    if space.shape != (dim,):
        raise ShapeError(f"{name}: got shape {space.shape}, must be ({dim},)")
    if space.dtype is None or space.dtype.kind != "f":
        raise ArgumentError(f"{name}: got dtype {space.dtype}, must be float32 or float64")
    return space


def action_box(space: Any, dim: int) -> Box:
    """Returns a Box of floats of shape (dim,), or makes one of float32 of a pair (low, high)."""
    from gymnasium.spaces import Box  # noqa: PLC0415  # as above

    if not isinstance(space, tuple | list):
        return box_of_floats("action_space", space, dim)
    if len(space) != 2:
        raise ShapeError(f"action_space: got {len(space)} entries, must be (low, high)")
    low = _arrays.vector("action_space.low", space[0], dim)
    high = _arrays.vector("action_space.high", space[1], dim)
    if not (low <= high).all():
        raise ArgumentError(f"action_space: got low {low} above high {high} somewhere, or nan")
    return Box(low.astype(np.float32), high.astype(np.float32))


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
