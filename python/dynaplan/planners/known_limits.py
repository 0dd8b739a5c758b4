"""Limits of a search that keeps to where the model has data."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from dynaplan.errors import ArgumentError
from dynaplan.planners.action_bounds import ActionBounds
from dynaplan.rollouts.disagreement import DisagreementLimit
from dynaplan.rollouts.known_region import KnownRegion
from dynaplan.rollouts.violations import StepLimits

__all__ = ["known_action_bounds", "known_actions", "known_disagreement", "known_states"]

Bounds = tuple[NDArray[np.float64], NDArray[np.float64]]


def known_actions(region: KnownRegion, bounds: Bounds) -> Bounds:
    """Returns the lowest and highest actions (A,) that are within bounds and known.

    Raises:
        ArgumentError: there are none.
    """
    return _common("action_space", bounds, region.action_bounds)


def known_action_bounds(region: KnownRegion, bounds: ActionBounds) -> ActionBounds:
    """Returns the bounds of each step that are within others and known.

    Raises:
        ArgumentError: there are none at some step.
    """
    low, high = _common("limits", (bounds.low, bounds.high), region.action_bounds)
    return replace(bounds, low=low, high=high)


def known_states(region: KnownRegion, limits: StepLimits | None) -> StepLimits | None:
    """Returns limits that keep to states that are known, too; None: there is nothing to keep.

    Raises:
        ArgumentError: no state is known and within the limits.
    """
    if not np.isfinite(region.state_bounds).any():
        return limits
    if limits is None or limits.states is None:
        states = region.state_bounds
    else:
        states = _common("limits", limits.states, region.state_bounds)
    return StepLimits(states) if limits is None else replace(limits, states=states)


def known_disagreement(
    region: KnownRegion, limit: DisagreementLimit | None
) -> DisagreementLimit | None:
    """Returns the smaller of a planner's limit and that of the data."""
    most = region.disagreement_limit
    if most is None or (limit is not None and limit.limit <= most):
        return limit
    return DisagreementLimit(most) if limit is None else replace(limit, limit=most)


def _common(name: str, bounds: Bounds, known: Bounds) -> Bounds:
    low, high = np.maximum(bounds[0], known[0]), np.minimum(bounds[1], known[1])
    if (low > high).any():
        raise ArgumentError(
            f"{name}: got {bounds[0]} to {bounds[1]}, must have some in common with the data of "
            f'the model, {known[0]} to {known[1]}, as trust="refuse" rejects all others'
        )
    return low, high
