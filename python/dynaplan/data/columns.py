"""What is known of columns beside their numbers: names, units, the time step, angles, shifts."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynaplan import _arrays, _tables, _texts
from dynaplan.data.angles import NO_ANGLES, Angles, AnglesLike
from dynaplan.data.known_states import NO_KNOWN_STATES, KnownLike, KnownStates
from dynaplan.errors import ArgumentError, ShapeError

__all__ = ["Columns", "listed_names"]

_MAX_NAME = 200  # characters
_MAX_NAMES = 65536  # in a list, which may be without end
_NEAR = 0.05  # of a time step
_MAX_TEXT = 40  # of all names in a `repr`


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """What is known of the columns of a data set.

    Attributes:
        state_names: S names, or None.
        action_names: A names, or None.
        units: pairs of a name and its unit.
        time_step: time from one row to the next, or None.
        angles: the states that are angles.
        known: the states that are exact shifts.
    """

    state_names: tuple[str, ...] | None = None
    action_names: tuple[str, ...] | None = None
    units: tuple[tuple[str, str], ...] = ()
    time_step: float | None = None
    angles: Angles = NO_ANGLES
    known: KnownStates = NO_KNOWN_STATES

    @staticmethod
    def checked(
        state_names: Iterable[str] | None,
        action_names: Iterable[str] | None,
        units: Mapping[str, str] | None,
        time_step: float | None,
    ) -> Columns:
        """Returns what a user says of the columns.

        Raises:
            TypeError: names or units are no text.
            ArgumentError: a name is there twice, a unit is that of no column, or the time step is
                not positive.
        """
        states = _names("state_names", state_names)
        actions = _names("action_names", action_names)
        if time_step is not None:
            time_step = _arrays.real("time_step", time_step)
            if not 0.0 < time_step < np.inf:
                raise ArgumentError(f"time_step: got {time_step}, must be positive and finite")
        return Columns(
            state_names=states,
            action_names=actions,
            units=_units(units, (*(states or ()), *(actions or ()))),
            time_step=time_step,
        )

    def for_dims(
        self, state_dim: int, action_dim: int, angles: AnglesLike, known: KnownLike | None
    ) -> Columns:
        """Returns the same with the states that are angles, and those that are known.

        Raises:
            ShapeError: there are names, and not one for each column.
            ArgumentError: an angle is none of the states, or its range is none; or a known state
                is none of them, or takes the value of none.
            TypeError: angles are neither integers nor a mapping, or what is known is no mapping.
        """
        for argument, names, count in (
            ("state_names", self.state_names, state_dim),
            ("action_names", self.action_names, action_dim),
        ):
            if names is not None and len(names) != count:
                kind = argument.removesuffix("_names")
                raise ShapeError(
                    f"{argument}: got {len(names)} names, must be {count}, one for each {kind}"
                )
        return replace(
            self,
            angles=Angles.of(angles, state_dim),
            known=KnownStates.of(known, state_dim, action_dim),
        )

    def labels(self, state_dim: int, action_dim: int) -> tuple[list[str], list[str]]:
        """Returns what states and actions are called: by their names, or as "state 0"."""
        states = self.state_names or [f"state {i}" for i in range(state_dim)]
        return list(states), list(self.action_names or [f"action {i}" for i in range(action_dim)])

    def text(self) -> str:
        """Returns what the `repr` of data adds: nothing where nothing is known."""
        parts = [
            f"{kind} {', '.join(names)}"
            for kind, names in (("states", self.state_names), ("actions", self.action_names))
            if names is not None
        ]
        if self.time_step is not None:
            parts.append(f"time_step={self.time_step:g}")
        return "".join(f", {_tables.name(part, _MAX_TEXT)}" for part in parts)

    @staticmethod
    def joined(parts: Sequence[Columns]) -> Columns:
        """Returns what is known of data sets one below the other: what none contradicts.

        Raises:
            ArgumentError: two parts have other names, units, angles or known states, or time steps
                not within 5 %.
        """
        found: dict[str, Any] = {}
        for number, part in enumerate(parts):
            if part.angles != parts[0].angles:
                raise ArgumentError(f"parts: item {number} has other angles than item 0")
            if part.known != parts[0].known:
                raise ArgumentError(f"parts: item {number} has other known states than item 0")
        for name in Columns.__slots__:
            values = [getattr(part, name) for part in parts]
            known = [number for number, value in enumerate(values) if value]
            for number in known:
                first = known[0]
                if not _are_alike(values[number], values[first]):
                    raise ArgumentError(
                        f"parts: {name} are {_texts.shown(values[first])} in item {first} and "
                        f"{_texts.shown(values[number])} in {number}"
                    )
            if known:
                found[name] = values[known[0]]
        return Columns(**found)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Returns what a file keeps; nothing where nothing is known."""
        kept: dict[str, NDArray[Any]] = {}
        for name in Columns.__slots__:
            value = getattr(self, name)
            if value:
                is_own = isinstance(value, Angles | KnownStates)
                kept[name] = value.to_array() if is_own else np.array(value)
        return kept

    @staticmethod
    def kept(arrays: Mapping[str, NDArray[Any]], state_dim: int, action_dim: int) -> dict[str, Any]:
        """Returns what `arrays` gave, as a user says it and not yet checked.

        Raises:
            ArgumentError, TypeError: angles or known states are none.
        """
        values = {name: array.tolist() for name, array in arrays.items()}
        if "units" in values:
            values["units"] = dict(values["units"])
        if "angles" in values:
            values["angles"] = Angles.of_array(arrays["angles"], state_dim)
        if "known" in values:
            values["known"] = KnownStates.of_array(arrays["known"], state_dim, action_dim)
        return values


def _are_alike(one: Any, other: Any) -> bool:
    """Returns whether both say the same; steps in time, which are measured, nearly the same."""
    if isinstance(one, float):
        return math.isclose(one, other, rel_tol=_NEAR)
    return bool(one == other)


def listed_names(argument: str, names: Iterable[str]) -> list[str]:
    """Returns names as a list; what is no text is refused by the name of the argument."""
    if isinstance(names, str | bytes | Mapping) or not isinstance(names, Iterable):
        raise TypeError(f"{argument}: got {_texts.shown(names)}, must be a list of names")
    try:
        listed = list(islice(names, _MAX_NAMES + 1))
    except Exception as error:  # of the object's own iteration
        raise TypeError(
            f"{argument}: got {_texts.shown(names)}, must be a list of names"
        ) from error
    if len(listed) > _MAX_NAMES:
        raise ArgumentError(f"{argument}: got more than {_MAX_NAMES} names, must be fewer")
    for name in listed:
        if not isinstance(name, str):
            got = _texts.shown(name)
            raise TypeError(f"{argument}: got {got} in the list, must be names, which are text")
    return listed


def _names(argument: str, names: Iterable[str] | None) -> tuple[str, ...] | None:
    if names is None:
        return None
    listed = listed_names(argument, names)
    for name in listed:
        if not 0 < len(name) <= _MAX_NAME or not name.isprintable():
            raise ArgumentError(
                f"{argument}: got {_texts.shown(name)}, must be text on one line, of 1 to "
                f"{_MAX_NAME} characters"
            )
    twice = next((name for n, name in enumerate(listed) if name in listed[:n]), None)
    if twice is not None:
        raise ArgumentError(f"{argument}: {twice!r} is there twice, must be different names")
    return tuple(map(str, listed))


def _units(units: Mapping[str, str] | None, names: Sequence[str]) -> tuple[tuple[str, str], ...]:
    if units is None:
        return ()
    if not isinstance(units, Mapping):
        raise TypeError(f"units: got {_texts.shown(units)}, must map names of columns to units")
    for name, unit in units.items():
        if not isinstance(unit, str) or not unit.isprintable() or len(unit) > _MAX_NAME:
            raise TypeError(f"units: got {_texts.shown(unit)} of {name!r}, must be text")
        if name not in names:
            known = ", ".join(map(repr, names)) or "state_names= and action_names= are not given"
            raise ArgumentError(f"units: {name!r} is no column; there are {known}")
    return tuple(sorted((str(name), str(unit)) for name, unit in units.items()))
