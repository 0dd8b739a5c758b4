"""Dynamics of the core that keep angles in their ranges, and shift what is known exactly."""

from __future__ import annotations

from dynaplan import _core
from dynaplan.data.angles import Angles
from dynaplan.data.known_states import KnownStates

__all__ = ["with_angles", "with_known"]


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


def with_known(dynamics: _core.Dynamics, known: KnownStates, angles: Angles) -> _core.Dynamics:
    """Returns the dynamics with some of their states as exact shifts, or the same without any.

    Args:
        dynamics: any, which keep angles in their ranges.
        known: which of their states.
        angles: of their states: one that is copied may have been observed beyond its range.
    """
    if not known:
        return dynamics
    return with_angles(_core.shift_dynamics(dynamics, known.core_parts()), angles)
