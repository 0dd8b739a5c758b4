"""What observations of imagined states can show, and where these may begin."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dynaplan.errors import ArgumentError
from dynaplan.models.interface import angles_of, predicted

if TYPE_CHECKING:
    from gymnasium.spaces import Box

    from dynaplan.models.interface import Model

__all__ = ["narrower", "require_resolved", "starts_within"]

Float64 = NDArray[np.float64]
_FEW = 64  # states that are looked at
_EPISODE = 100  # steps after which an episode has left its start
_MAX_ROUNDING = 1e-3  # of how far apart observations are


def narrower(
    bounds: tuple[Float64, Float64], limits: tuple[Float64, Float64] | None
) -> tuple[Float64, Float64] | None:
    """Returns where states must be to lie within both, or None where that is anywhere."""
    low, high = bounds
    if limits is not None:
        # Where the two do not meet the bounds of the space win.
        low = np.clip(limits[0], low, high)
        high = np.clip(limits[1], low, high)
    return (low, high) if np.isfinite(low).any() or np.isfinite(high).any() else None


def starts_within(space: Box, bounds: tuple[Float64, Float64], starts: Float64) -> Float64:
    """Returns the states (N, S) to begin from, within the bounds, as the space observes them.

    Args:
        space: of the observations.
        bounds: (S,) the lowest and the highest float32 in it.
        starts: (N, S).

    Raises:
        ArgumentError: one is not finite in float32, or lies outside.
    """
    low, high = bounds
    with np.errstate(over="ignore"):
        rounded = starts.astype(np.float32)
    for wrong, wanted in (
        (~np.isfinite(rounded), "a finite float32"),
        # A start on a bound may be rounded beyond it.
        (
            np.nextafter(rounded, np.float32(np.inf)) < low,
            "at least the lowest observation",
        ),
        (
            np.nextafter(rounded, np.float32(-np.inf)) > high,
            "at most the highest observation",
        ),
    ):
        if wrong.any():
            row, column = np.argwhere(wrong)[0]
            raise ArgumentError(
                f"starts: row {row}, column {column} is {starts[row, column]}, must be {wanted}"
            )
    seen = starts if space.dtype == np.float64 else rounded.astype(np.float64)
    return np.asarray(np.clip(seen, low, high))


def require_resolved(
    model: Model, starts: Float64, actions: tuple[Float64, Float64], space: Box
) -> None:
    """Refuses observations too coarse to tell the states of an episode apart.

    Args:
        model: the dynamics.
        starts: (N, S) states to begin from.
        actions: (A,) lowest and highest.
        space: of the observations.

    Raises:
        ArgumentError: rounding is more than a thousandth of how far apart the starts lie and of how
            far an episode moves from them.
    """
    if space.dtype == np.float64:
        return
    few = starts[:: max(len(starts) // _FEW, 1)][:_FEW]
    size = abs(starts).max(axis=0)
    apart = np.ptp(starts, axis=0)
    # Half of the distance to the next number of each type.
    errors = [0.5 * np.spacing(size.astype(like.dtype)) for like in (space.low, starts)]
    if not (errors[0] > _MAX_ROUNDING * apart).any():
        return
    bounded = [np.where(np.isfinite(one), one, 0.0) for one in actions]
    reached = [predicted(model, few, np.tile(one, (len(few), 1))).mean for one in bounded]
    moves = [abs(angles_of(model).short_way(mean - few)).max(axis=0) for mean in reached]
    apart = apart + _EPISODE * np.maximum(*moves)
    unresolved = (errors[0] > _MAX_ROUNDING * apart) & (errors[1] <= _MAX_ROUNDING * apart)
    if unresolved.any():
        entry = int(np.argmax(unresolved))
        raise ArgumentError(
            f"observation_space: got dtype {space.dtype}, too coarse to tell states apart at "
            f"starts[:, {entry}] = {starts[0, entry]:g}; must be a Box of float64, or count states "
            "from a point nearby"
        )
