"""Dynamics of the core that keep angles in their ranges."""

from __future__ import annotations

from dynaplan import _core
from dynaplan.data.angles import Angles

__all__ = ["with_angles"]


def with_angles(
    dynamics: _core.Dynamics, angles: Angles, *, sine_cosine: bool = False
) -> _core.Dynamics:
    """Returns the dynamics with some of their states as angles, or the same if nothing changes.

    Args:
        dynamics: any.
        angles: of their states.
        sine_cosine: whether they are given the sine in place of each angle, and the cosines before
            the actions.
    """
    if not sine_cosine and not angles.has_ranges:
        return dynamics
    return _core.angle_dynamics(dynamics, angles.core_parts(), sine_cosine)
