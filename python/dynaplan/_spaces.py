"""Spaces of Gymnasium, which is imported only when a function is called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynaplan.errors import ArgumentError, ShapeError

if TYPE_CHECKING:
    from gymnasium import Env
    from gymnasium.spaces import Box

__all__ = ["boxes", "fit_to_space"]


def boxes(env: Env[Any, Any]) -> tuple[Box, Box]:
    """Returns the spaces of observations and actions, which must be 1-D Boxes."""
    from gymnasium.spaces import Box  # noqa: PLC0415  # costs 0.3 s that an import must not

    if isinstance(env, str):
        raise TypeError(f"env: expected an environment, got {env!r}; use gymnasium.make({env!r})")
    if not hasattr(env, "observation_space") or not hasattr(env, "action_space"):
        raise TypeError(f"env: expected a Gymnasium environment, got {type(env).__name__}")
    boxes = []
    for name in ("observation_space", "action_space"):
        space = getattr(env, name)
        if not isinstance(space, Box):
            raise TypeError(f"env: expected its {name} to be a Box, got {space}")
        if len(space.shape) != 1:
            raise ShapeError(
                f"env: expected its {name} to have shape (dimensions,), got {space.shape}; "
                "bring it to one dimension with a wrapper, e.g. FlattenObservation"
            )
        boxes.append(space)
    return boxes[0], boxes[1]


def fit_to_space(action: ArrayLike, space: Box) -> NDArray[Any]:
    """Returns the action in the space's dtype and within its bounds."""
    values = np.asarray(action)
    if values.shape != space.shape:
        raise ShapeError(
            f"policy: expected an action of shape {space.shape}, got shape {values.shape}"
        )
    if not np.isfinite(values).all():
        raise ArgumentError(f"policy: expected a finite action, got {values}")
    return np.asarray(np.clip(values, space.low, space.high), dtype=space.dtype)
