"""What `Transitions` say of their columns beside the numbers."""

from __future__ import annotations

from dynaplan.data.angles import Angles
from dynaplan.data.columns import Columns
from dynaplan.data.known_states import KnownStates

__all__ = ["KnownColumns"]


class KnownColumns:
    """What is known of the columns: a base of `Transitions`."""

    __slots__ = ()

    _columns: Columns

    @property
    def state_names(self) -> tuple[str, ...] | None:
        """Names of the states, or None."""
        return self._columns.state_names

    @property
    def action_names(self) -> tuple[str, ...] | None:
        """Names of the actions, or None."""
        return self._columns.action_names

    @property
    def units(self) -> dict[str, str]:
        """The units that are known, by the names of the columns."""
        return dict(self._columns.units)

    @property
    def time_step(self) -> float | None:
        """Time from one row to the next, or None."""
        return self._columns.time_step

    @property
    def angles(self) -> Angles:
        """The states that are angles: a mapping from their indices to (low, high) or a period."""
        return self._columns.angles

    @property
    def known(self) -> KnownStates:
        """The states that are exact shifts: a mapping from their indices to those of the sources.

        A source is the index of a state, or ("action", index).
        """
        return self._columns.known

    @property
    def history(self) -> tuple[int, int] | None:
        """How many earlier observations and actions the states hold, or None: no history."""
        return self._columns.known.history
