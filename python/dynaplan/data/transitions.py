"""Transitions: what a system did, in arrays that cannot change afterwards."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynaplan import _arrays, _texts
from dynaplan._discrete import numbering_of
from dynaplan.data import rows
from dynaplan.data.angles import AnglesLike
from dynaplan.data.columns import Columns
from dynaplan.data.files import write_arrays
from dynaplan.data.history import WithHistory
from dynaplan.data.joins import measured_joins
from dynaplan.data.known_columns import KnownColumns
from dynaplan.data.known_states import KnownLike
from dynaplan.data.reading import FromLogs
from dynaplan.data.suspect_joins import warn_of_joins
from dynaplan.data.trajectories import FromTrajectories
from dynaplan.data.wild_rows import wild_rows
from dynaplan.errors import ArgumentError, ShapeError

__all__ = ["ARRAYS", "Gaps", "Transitions", "require_transitions"]

Gaps: TypeAlias = Literal["warn", "split", "ignore"]

ARRAYS = (
    "states",
    "actions",
    "next_states",
    "rewards",
    "terminations",
    "episodes",
    "segments",
    "groups",
)


@dataclass(frozen=True, slots=True, init=False, eq=False, repr=False)
class Transitions(FromLogs, FromTrajectories, WithHistory, KnownColumns):
    """N steps of a system: `actions` applied in `states` led to `next_states`.

    The arrays are copies: C-contiguous, owned and read-only. Anything that `np.asarray` converts
    to real numbers is accepted.

    Attributes:
        states: (N, S) float64, in the system's own units; one row even where N is 1.
        actions: (N, A) float64; one-hot rows where they are discrete.
        next_states: (N, S) float64.
        rewards: (N,) float64, or None where the data hold none.
        terminations: (N,) bool: the system ended in `next_states`. A time limit is no
            termination. Default: all False.
        episodes: (N,) int64: the rows of one episode follow each other in time and are
            adjacent. Default: a new episode begins after a termination and wherever a row does
            not start in the state in which the row before ended; shuffled rows are thus episodes
            of one row each. Pass zeros if all rows are one episode although the measured
            `next_states` differ from the `states` of the row below.
        segments: (N,) int64: the episodes, cut also where a row does not end in the state in which
            the row below begins. What looks several steps ahead stays within one segment.
        groups: (N,) int64: the episode that a row came from, which selections and cuts keep:
            `split` never takes rows of one group apart.

    Args:
        states: (N, S), N >= 1, S >= 1.
        actions: (N, A), A >= 1; with `discrete_actions` (N,) integers.
        next_states: (N, S).
        rewards: (N,) or None.
        terminations: (N,) of bool, or of numbers that are all 0 or 1.
        episodes: (N,) integers.
        drop_nonfinite: leave out the rows that hold a nan or an infinity. Off by default, since
            they often show a fault in the logger. An episode that loses a row in its middle
            becomes two, and all episodes are then numbered from 0.
        discrete_actions: n, if `actions` are the numbers 0 to n - 1 of actions; or their Discrete
            space, whose numbers may begin elsewhere. The data then hold one-hot rows (N, n), as
            `collect` records and models and planners see them. Default: actions are quantities.
        gaps: what happens where rows of one episode do not follow each other, as where rows were
            lost. "warn" (default) tells how many, and cuts the segments there; "split" cuts the
            episodes too; "ignore" does not look. A jump is one of more than rounding, 1e-5 of the
            state's range. Where fewer than one join in 20 is exact, states and next states are
            taken to be measured with noise of their own, and a jump is one of 8 deviations of
            that noise (from the medians of the differences and of the changes over one step), and
            at least the median change. Every other row left out is not told from noise.
        state_names: S different names, which tables and warnings print. Default: numbers.
        action_names: A different names.
        units: of named columns, such as {"speed": "m/s"}.
        time_step: time from row to row, above 0; in seconds unless the log says otherwise.
        angles: the states that are angles, whose differences go the short way round: their indices,
            where they are in radians from -pi to pi; `{0: (0.0, 360.0)}` for another range, or
            `{0: 360.0}`, the period, where values count full turns on. Models fitted to the data
            know it, and predict within the range. Default: none.
        known: the states that are exact shifts, which are not learned: `{2: 0, 3: ("action", 0)}`
            says that the next value of state 2 is that of state 0 now, of state 3 that of action 0.
            Models fitted to the data know it. Default: none. See `with_history`.

    Raises:
        ShapeError: an array has the wrong number of dimensions, rows or columns, or no row.
        TypeError: an array does not hold real numbers, or `episodes` or discrete actions are no
            integers.
        ArgumentError: a value is not finite (the message names the first row and column), a
            termination is neither 0 nor 1, the rows of an episode are not adjacent, an action is
            not one of the discrete ones, a known state is not as it must be, or `gaps` is none of
            the three.

    Warns:
        SuspectDataWarning: rows of an episode do not follow each other (see `gaps`), or rows at
            the end of episodes lead to the first state of the next one, as where next states were
            built by shifting a log that holds resets. These are no steps of the system and should
            be left out. Or single rows have a value far beyond what the tails of the others let
            expect, to which a state jumps in one step.

    Example:
        >>> data = dp.Transitions([[0.0], [1.0]], [[1.0], [0.0]], [[1.0], [0.5]])
        >>> len(data), data.state_dim, data.action_dim
        (2, 1, 1)
        >>> log = dp.Transitions([[0.0], [1.0]], [0, 2], [[1.0], [0.5]], discrete_actions=3)
        >>> log.actions
        array([[1., 0., 0.],
               [0., 0., 1.]])
    """

    states: NDArray[np.float64]
    actions: NDArray[np.float64]
    next_states: NDArray[np.float64]
    rewards: NDArray[np.float64] | None
    terminations: NDArray[np.bool_]
    episodes: NDArray[np.int64]
    segments: NDArray[np.int64]
    groups: NDArray[np.int64]
    _columns: Columns

    def __init__(  # noqa: PLR0917  # the usual order of (s, a, s', r, end)
        self,
        states: ArrayLike,
        actions: ArrayLike,
        next_states: ArrayLike,
        rewards: ArrayLike | None = None,
        terminations: ArrayLike | None = None,
        episodes: ArrayLike | None = None,
        *,
        drop_nonfinite: bool = False,
        discrete_actions: Any = None,
        gaps: Gaps = "warn",
        state_names: Iterable[str] | None = None,
        action_names: Iterable[str] | None = None,
        units: Mapping[str, str] | None = None,
        time_step: float | None = None,
        angles: AnglesLike = (),
        known: KnownLike | None = None,
    ) -> None:
        of_columns = Columns.checked(state_names, action_names, units, time_step)
        _arrays.choice("gaps", gaps, "warn", "split", "ignore")
        drop = _arrays.flag("drop_nonfinite", drop_nonfinite)
        columns = {"states": rows.matrix("states", states)}
        count = len(columns["states"])
        if discrete_actions is None:
            columns["actions"] = rows.matrix("actions", actions)
        else:
            numbering = numbering_of("discrete_actions", discrete_actions)
            columns["actions"] = rows.vector("actions", actions, count)
        columns["next_states"] = rows.matrix("next_states", next_states)
        if rewards is not None:
            columns["rewards"] = rows.vector("rewards", rewards, count)
        rows.check_shapes(columns)
        if discrete_actions is not None:
            columns["actions"] = numbering.one_hot("actions", columns["actions"])
        dims = columns["states"].shape[1], columns["actions"].shape[1]
        of_columns = of_columns.for_dims(*dims, angles, known)
        numbers = {name: rows.copied(values) for name, values in columns.items()}
        ended = np.zeros(count, np.bool_)
        if terminations is not None:
            ended = rows.flags("terminations", terminations, count)
        ids = None if episodes is None else rows.episode_ids(episodes, count)

        kept = rows.finite_rows(numbers, drop=drop)
        if kept is not None:
            numbers = {name: values[kept] for name, values in numbers.items()}
            ended = ended[kept]
        of_columns.angles.require_within(numbers)
        of_columns.known.require_met(numbers, of_columns.angles)
        groups, path = ids, (numbers["states"], numbers["next_states"])
        if ids is None:
            ids = rows.inferred_ids(*path, ended, kept, of_columns.angles)
        elif kept is not None:
            groups, ids = ids[kept], rows.selected_ids(ids, kept)
        labels = of_columns.labels(*dims)
        learned = [of_columns.known.without(values) for values in path]  # lags say nothing new
        wild_rows(learned[0], numbers["actions"], learned[1], of_columns.angles, labels).warn()
        segments = ids
        if gaps != "ignore":
            joins = measured_joins(*path, ended, ids, of_columns.angles)
            warn_of_joins(joins, *path, of_columns.angles, labels[0], cut=gaps == "split")
            segments = rows.cut_ids(ids, joins.cuts)
        self._own(
            of_columns,
            **numbers,
            terminations=ended,
            episodes=segments if gaps == "split" else ids,
            segments=segments,
            groups=ids if groups is None else groups,
        )

    def _own(self, columns: Columns, **arrays: NDArray[Any]) -> None:
        object.__setattr__(self, "_columns", columns)
        for name in ARRAYS:
            array = arrays.get(name)
            if array is not None:
                array.flags.writeable = False
            object.__setattr__(self, name, array)

    @classmethod
    def _of(cls, arrays: Mapping[str, NDArray[Any]], columns: Columns) -> Transitions:
        """Wraps arrays that need no check: whole rows of other transitions."""
        made = object.__new__(cls)
        made._own(
            columns,
            **{name: np.require(array, None, ("C", "OWNDATA")) for name, array in arrays.items()},
        )
        return made

    def _arrays(self) -> dict[str, Any]:
        values = {name: getattr(self, name) for name in ARRAYS}
        return {name: array for name, array in values.items() if array is not None}

    def __reduce__(self) -> tuple[Any, ...]:
        # The default would bring the arrays back writable.
        return Transitions._of, (self._arrays(), self._columns)

    @property
    def state_dim(self) -> int:
        """Number of state dimensions, S."""
        return int(self.states.shape[1])

    @property
    def action_dim(self) -> int:
        """Number of action dimensions, A."""
        return int(self.actions.shape[1])

    @property
    def episode_slices(self) -> list[slice]:
        """One slice of rows per episode, in the order of the rows."""
        starts = rows.starts(self.episodes)
        ends = [*starts[1:].tolist(), len(self)]
        return [slice(start, end) for start, end in zip(starts.tolist(), ends, strict=True)]

    def __len__(self) -> int:
        return len(self.states)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Transitions):
            return NotImplemented
        mine, theirs = self._arrays(), other._arrays()
        alike = mine.keys() == theirs.keys() and self._columns == other._columns
        return alike and all(np.array_equal(mine[name], theirs[name]) for name in mine)

    __array_ufunc__ = None  # arrays are not added to data
    __hash__ = None  # type: ignore[assignment]  # equal by value, and too long to hash

    def __repr__(self) -> str:
        rewards = "" if self.rewards is None else ", with rewards"
        return (
            f"Transitions({len(self)} rows, state_dim={self.state_dim}, "
            f"action_dim={self.action_dim}, {len(rows.starts(self.episodes))} episodes{rewards}"
            f"{self._columns.text()})"
        )

    def __getitem__(self, key: int | slice | ArrayLike) -> Transitions:
        """Returns the selected rows: one (int), a slice, a (N,) mask, or an array of indices.

        Episode ids are kept where every episode keeps its rows together; otherwise each unbroken
        run of rows becomes an episode and all are numbered from 0. Their groups stay.

        Raises:
            IndexError: an index is out of range, or the key is none of the above.
            ShapeError: no row is selected.
        """
        selected = rows.selected_rows(key, len(self))
        if not selected.size:
            raise ShapeError(f"key: selects 0 of {len(self)} transitions, must select at least one")
        arrays = {name: array[selected] for name, array in self._arrays().items()}
        arrays["episodes"] = rows.selected_ids(self.episodes, selected)
        arrays["segments"] = rows.selected_ids(self.segments, selected)
        return Transitions._of(arrays, self._columns)

    def split(self, fraction: float, seed: int | None = None) -> tuple[Transitions, Transitions]:
        """Splits into data to learn from and data to check the model with.

        Where there are several episodes, whole ones are held out, as they were before any cut
        (`groups`), drawn at random, as many as bring the held-out rows nearest to `fraction`, and
        at least one on each side. A single one is cut in time and its end held out: neighbouring
        rows are so alike that a random choice of rows would flatter the model.

        Args:
            fraction: share of the rows to hold out, 0 < fraction < 1.
            seed: seed of the draw of episodes; None draws anew at each call.

        Returns:
            `(train, held_out)`, each with its rows in their order in time.

        Raises:
            ArgumentError: `fraction` is out of range, or there is only one transition.

        Example:
            >>> path = np.arange(5.0)[:, None]
            >>> data = dp.Transitions(path[:-1], np.ones((4, 1)), path[1:])
            >>> train, held_out = data.split(0.25)
            >>> len(train), len(held_out)
            (3, 1)
        """
        fraction = _arrays.real("fraction", fraction)
        if not 0.0 < fraction < 1.0:
            raise ArgumentError(f"fraction: got {fraction}, must be above 0 and below 1")
        number = None if seed is None else _arrays.at_least(0, "seed", seed)
        count = len(self)
        if count == 1:
            raise ArgumentError("a single transition cannot be split; collect at least 2")
        mask = rows.held_out_rows(self.groups, fraction, number)
        return self[~mask], self[mask]

    @staticmethod
    def concatenate(parts: Iterable[Transitions]) -> Transitions:
        """Puts the rows of several data sets one below the other.

        Episodes are always numbered anew from 0, so that episodes of two parts never merge, even
        if they had the same number or the second continues where the first ended.

        Args:
            parts: at least one data set, all with the same dimensions, and all with rewards or
                all without.

        Raises:
            ShapeError: the parts differ in `state_dim` or `action_dim`.
            TypeError: a part is not a `Transitions`.
            ArgumentError: there is no part, some have rewards and some have none, or their names,
                units, time steps, angles or known states differ.
        """
        if isinstance(parts, Transitions | np.ndarray) or not isinstance(parts, Iterable):
            raise TypeError(f"parts: got {_texts.shown(parts)}, must be a list of Transitions")
        parts = list(parts)
        if not parts:
            raise ArgumentError("parts: got none, must be at least one Transitions")
        for index, part in enumerate(parts):
            if not isinstance(part, Transitions):
                got = _texts.shown(part)
                raise TypeError(f"parts: item {index} is {got}, must be Transitions")
            for name in ("state_dim", "action_dim"):
                mine, first = getattr(part, name), getattr(parts[0], name)
                if mine != first:
                    raise ShapeError(f"parts: {name} is {first} in item 0 and {mine} in {index}")
            if (part.rewards is None) != (parts[0].rewards is None):
                having, lacking = (0, index) if part.rewards is None else (index, 0)
                raise ArgumentError(
                    f"parts: item {having} has rewards and item {lacking} has none; "
                    "give rewards to all parts or to none"
                )
        arrays = rows.joined_arrays([part._arrays() for part in parts])
        return Transitions._of(arrays, Columns.joined([part._columns for part in parts]))

    def __add__(self, other: Transitions) -> Transitions:
        if not isinstance(other, Transitions):
            return NotImplemented
        return Transitions.concatenate([self, other])

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the data to `path`, an uncompressed `.npz` that `dynaplan.load` reads.

        The name is used as it is, with no suffix added. The file appears complete or not at all:
        it is written beside its place under another name and then moved.

        Args:
            path: name of the file; an existing file is replaced.

        Raises:
            OSError: the folder does not exist or cannot be written to.
        """
        arrays = self._arrays()
        # As most data have them: no more than their episodes say.
        for name in rows.CUT_IDS:
            if np.array_equal(arrays[name], self.episodes):
                del arrays[name]
        write_arrays(path, arrays | self._columns.arrays())


def require_transitions(name: str, data: Any) -> None:
    """Refuses what is no data set.

    Raises:
        TypeError: it is no `Transitions`.
    """
    if not isinstance(data, Transitions):
        raise TypeError(f"{name}: got {_texts.shown(data)}, must be Transitions")
