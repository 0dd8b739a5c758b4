"""Which columns of a log hold what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dynaplan import _texts
from dynaplan.data.columns import listed_names
from dynaplan.data.readers.table import Table
from dynaplan.errors import ArgumentError, ShapeError

__all__ = ["COLUMNS", "Layout", "flat_layout"]

_LISTS = ("states", "actions", "next_states")
_SINGLE = ("episode", "time", "rewards", "terminations", "truncations")

COLUMNS = (*_LISTS, *_SINGLE)  # arguments of `read`


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Names of the columns of a log.

    Attributes:
        states: at least one.
        actions: none for a system without actions.
        next_states: as many as states, or none: next states are those of the row below.
        episode: or None.
        time: or None.
        rewards: or None.
        terminations: or None.
        truncations: or None.
        are_names: whether the columns are called as the user called them.
    """

    states: tuple[str, ...]
    actions: tuple[str, ...] = ()
    next_states: tuple[str, ...] = ()
    episode: str | None = None
    time: str | None = None
    rewards: str | None = None
    terminations: str | None = None
    truncations: str | None = None
    are_names: bool = True

    @staticmethod
    def checked(names: Mapping[str, Any]) -> Layout:
        """Returns what a user names, by the arguments of `read`.

        Raises:
            TypeError: a name is no text.
            ShapeError: there are not as many next states as states.
            ArgumentError: a column is named twice.
        """
        found: dict[str, Any] = {name: _listed(name, names[name]) for name in _LISTS}
        if not found["states"]:
            raise ShapeError("states: got no column, must name at least one")
        if found["next_states"] and len(found["next_states"]) != len(found["states"]):
            raise ShapeError(
                f"next_states: got {len(found['next_states'])} columns, must be "
                f"{len(found['states'])} as states"
            )
        used: dict[str, str] = {}
        for argument, listed in found.items():
            for name in listed:
                if name in used:
                    raise ArgumentError(
                        f"{argument}: column {name!r} is among the {used[name]} already, must be "
                        "named once"
                    )
                used[name] = argument
        for name in _SINGLE:
            if names[name] is not None and not isinstance(names[name], str):
                got = _texts.shown(names[name])
                raise TypeError(f"{name}: got {got}, must be the name of a column")
            found[name] = names[name]
        return Layout(**found)

    def require(self, table: Table) -> None:
        """Raises ArgumentError, with what is near, unless the table has each column once."""
        for argument, name in self.named():
            table.require(argument, name)

    def named(self) -> list[tuple[str, str]]:
        """Returns pairs of an argument and a column, without columns that are named before."""
        pairs = [(kind, name) for kind in _LISTS for name in getattr(self, kind)]
        singles = ((kind, getattr(self, kind)) for kind in _SINGLE)
        return pairs + [(kind, name) for kind, name in singles if name is not None]


def flat_layout(table: Table) -> Layout | None:
    """Returns the layout of a file as those of D4RL, or None of another one.

    Source: Fu et al. 2020, "D4RL: datasets for deep data-driven reinforcement learning".
    """
    if not {"observations", "actions"} <= set(table.names):
        return None

    def known(name: str) -> str | None:
        return name if name in table.names else None

    return Layout(
        states=("observations",),
        actions=("actions",),
        next_states=("next_observations",) if known("next_observations") else (),
        rewards=known("rewards"),
        terminations=known("terminals"),
        truncations=known("timeouts"),
        are_names=False,
    )


def _listed(argument: str, names: Any) -> tuple[str, ...]:
    """Returns names as a tuple; one alone may stand without a list."""
    if names is None:
        return ()
    if isinstance(names, str):
        return (names,)
    return tuple(listed_names(argument, names))
