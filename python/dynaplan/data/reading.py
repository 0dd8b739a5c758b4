"""Logs from elsewhere as transitions: files and frames, whole or a part at a time."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, TypeVar

import numpy as np

from dynaplan import _arrays
from dynaplan._docstrings import shares_arguments
from dynaplan.data.angles import AnglesLike
from dynaplan.data.log import LogSteps, log_steps
from dynaplan.data.log_layout import COLUMNS, Layout, flat_layout
from dynaplan.data.log_rows import LogReader, LogRows
from dynaplan.data.minari import read_minari
from dynaplan.data.readers.source import HDF5, opened_table
from dynaplan.errors import ArgumentError, ShapeError

__all__ = ["FromLogs"]

if TYPE_CHECKING:

    class _Data(Protocol):
        _columns: Any

        def __init__(self, *arrays: Any, **settings: Any) -> None: ...
        def _arrays(self) -> dict[str, Any]: ...
        @classmethod
        def _of(cls, arrays: Mapping[str, Any], columns: Any) -> Any: ...
        @classmethod
        def from_trajectories(cls, *arrays: Any, **settings: Any) -> Any: ...


_T = TypeVar("_T", bound="_Data")
_Names: TypeAlias = Iterable[str] | str
_Gaps: TypeAlias = Literal["warn", "split", "ignore"]

_ROWS = 65536  # converted at once: bounds the memory of what is no number yet


class FromLogs:
    """What reads transitions from logs: a base of `Transitions`."""

    __slots__ = ()

    @classmethod
    def read(
        cls: type[_T],
        source: Any,
        *,
        states: _Names | None = None,
        actions: _Names | None = None,
        next_states: _Names | None = None,
        episode: str | None = None,
        time: str | None = None,
        rewards: str | None = None,
        terminations: str | None = None,
        truncations: str | None = None,
        discrete_actions: Any = None,
        drop_nonfinite: bool = False,
        gaps: _Gaps = "warn",
        units: Mapping[str, str] | None = None,
        angles: AnglesLike = (),
    ) -> _T:
        """Reads a log whose rows are measurements at successive times.

        The next states are those of the row below, within one episode: the last row of an episode
        gives no transition, as what followed is not known. The data keep the names of the columns.

        Args:
            source: a file: `.csv` (also `.tsv`, `.txt`: with commas, semicolons or tabs, and a line
                that names the columns), `.parquet`, `.arrow` and `.feather` (with pyarrow), `.h5`
                and `.hdf5` (with h5py), or a folder of Minari; or a frame of pandas, polars or
                pyarrow, or what streams Arrow batches; or a mapping from names to arrays.
                `pip install "dynaplan[data]"` brings both packages.
            states: names of the columns of the state. A column may hold k numbers in each row, as
                (R, k) arrays do. Default: those of a file in the flat layout of D4RL.
            actions: names of the columns of the action that was applied from this row to the next.
                Default: a system without actions; the data then hold one action that is always 0.
            next_states: names of the columns of the next state, in the order of `states`, of a log
                that has them. Each row is then a transition. Default: the states of the row below.
            episode: name of the column that tells the episodes apart, by integers or text. The rows
                of each stand together, in their order in time. Default: a new one begins after a
                termination or truncation, and where time goes back.
            time: name of the column of times: numbers, whose unit is that of `time_step`, or dates,
                which become seconds. A step that is not from half to one and a half times the
                median one leads over lost rows: see `gaps`. Default: all rows are equally far
                apart.
            rewards: name of the column of the reward of the action in the same row.
            terminations: name of the column that marks the rows whose action ended the system.
                Without `next_states` such a row is the last of its episode, and gives no
                transition.
            truncations: name of the column that marks the rows after which an episode was cut.
            discrete_actions: as in the class, for a single column of actions.
            drop_nonfinite: leave out what hangs on a row that lacks a value. Off by default, since
                a missing value often shows a fault in the logger. Episodes are cut there.
            gaps: "warn" (default) leaves out steps over lost rows, tells how many there are, and
                cuts the segments there; "split" cuts the episodes too, and says nothing; "ignore"
                takes steps of any length. Given `next_states`, also as in the class.
            units: as in the class.
            angles: as in the class; states by their place among `states`, from 0.

        Returns:
            The transitions; `time_step` is the median step of the `time` column.

        Raises:
            ArgumentError: there is no such column, a value is missing or is no number (the message
                names column and row), or the rows of an episode are apart.
            ShapeError: there is no transition in it, or columns differ in length.
            TypeError: the source, or a name, is none.
            ModelFileError: the file is damaged.
            OSError: the file does not exist or cannot be read.
            ImportError: the package that reads such a file is not installed.

        Warns:
            SuspectDataWarning: steps in time are uneven; else as in the class.

        Source: Fu et al. 2020, "D4RL: datasets for deep data-driven reinforcement learning"
        (layout).

        Example:
            >>> log = {"x": [0.0, 1.0, 1.5, 9.0, 8.0], "u": [1.0, 1.0, 0.0, 0.0, 0.0],
            ...        "run": ["a", "a", "a", "b", "b"]}
            >>> data = dp.Transitions.read(log, states=["x"], actions=["u"], episode="run")
            >>> data.next_states.ravel(), data.state_names
            (array([1. , 1.5, 8. ]), ('x',))
        """
        named = _columns(locals())
        drop = _settings(drop_nonfinite, gaps)
        if _is_folder(source):
            made: _T = read_minari(
                cls, Path(source), named, discrete_actions, drop=drop, units=units, angles=angles
            )
            return made
        reader = _reader(source, named)
        steps = _all_steps(reader, drop=drop, gaps=gaps)
        return _made(cls, reader, steps, discrete_actions, gaps=gaps, units=units, angles=angles)

    @classmethod
    @shares_arguments(read)
    def read_batches(  # noqa: D417  # shared
        cls: type[_T],
        source: Any,
        *,
        rows: int = _ROWS,
        states: _Names | None = None,
        actions: _Names | None = None,
        next_states: _Names | None = None,
        episode: str | None = None,
        time: str | None = None,
        rewards: str | None = None,
        terminations: str | None = None,
        truncations: str | None = None,
        discrete_actions: Any = None,
        drop_nonfinite: bool = False,
        gaps: _Gaps = "warn",
        units: Mapping[str, str] | None = None,
        angles: AnglesLike = (),
    ) -> Iterator[_T]:
        """Reads a log as `read` does, a part at a time: for logs that are larger than the memory.

        Together the parts hold the same transitions, as the last row of each part is the first one
        of the next. An episode that goes on in the next part is another episode there. The median
        step in time is that of the first part.

        Args:
            source: a file or frame as for `read`; no folder.
            rows: of the log that are read at once, at least 2. Default 65536.

        Returns:
            An iterator; what is wrong with a row is raised, or warned of, once that row is reached.

        Raises:
            ArgumentError: `rows` is below 2; else as `read` does.
            ShapeError, TypeError, ModelFileError, OSError, ImportError: as `read` does.

        Example:
            >>> log = {"x": 0.5 ** np.arange(9), "u": np.zeros(9)}
            >>> parts = dp.Transitions.read_batches(log, rows=4, states="x", actions="u")
            >>> [len(part) for part in parts]
            [3, 4, 1]
        """
        named = _columns(locals())
        count = _arrays.count("rows", rows, 2)
        drop = _settings(drop_nonfinite, gaps)
        if _is_folder(source):
            raise ArgumentError(f"source: {source} is a folder, must be a file; use read")
        reader = _reader(source, named)
        parts = _log_parts(reader, count, drop=drop, gaps=gaps)
        return (
            _made(cls, reader, part, discrete_actions, gaps=gaps, units=units, angles=angles)
            for part in parts
        )


def _all_steps(reader: LogReader, *, drop: bool, gaps: _Gaps) -> LogSteps:
    """Returns the transitions in all rows; the rows themselves are not kept."""
    parts = list(reader.parts(_ROWS))
    if not parts:
        raise ShapeError(f"source: {reader.table.title} has 0 rows, must be at least 2")
    rows = LogRows.joined(parts)
    del parts  # as much memory again
    steps = log_steps(reader, rows, 0, drop=drop, gaps=gaps)
    if not len(steps):
        raise _no_transition(reader, len(rows))
    return steps


def _log_parts(reader: LogReader, count: int, *, drop: bool, gaps: _Gaps) -> Iterator[LogSteps]:
    """Gives the transitions in so many rows at a time; the last row of a part begins the next."""
    first, found, time_step = 0, False, None
    before: LogRows | None = None
    for part in reader.parts(count):
        rows = part if before is None else LogRows.joined([before, part])
        begin = first - (before is not None)
        steps = log_steps(reader, rows, begin, drop=drop, gaps=gaps, time_step=time_step)
        time_step = steps.time_step
        first += len(part)
        before = None if reader.layout.next_states else rows.last()
        if len(steps):
            found = True
            yield steps
    if not found:
        raise _no_transition(reader, first)


def _columns(given: Mapping[str, Any]) -> dict[str, Any]:
    """Returns what names columns, by the argument that does."""
    return {name: given[name] for name in COLUMNS}


def _settings(drop_nonfinite: bool, gaps: str) -> bool:
    _arrays.choice("gaps", gaps, "warn", "split", "ignore")
    return _arrays.flag("drop_nonfinite", drop_nonfinite)


def _is_folder(source: Any) -> bool:
    return isinstance(source, str | os.PathLike) and os.path.isdir(source)


def _reader(source: Any, named: Mapping[str, Any]) -> LogReader:
    """Opens the source, and finds its columns."""
    if named["states"] is not None:
        layout = Layout.checked(named)
        table = opened_table(source, [name for _, name in layout.named()])
        layout.require(table)
        return LogReader(table, layout)
    table = opened_table(source, ())
    is_flat = isinstance(source, str | os.PathLike) and Path(source).suffix.lower() in HDF5
    others = [name for name, value in named.items() if value is not None]
    flat = flat_layout(table) if is_flat and not others else None
    if flat is None:
        listed = ", ".join(map(repr, table.names[:12])) or "none"
        raise ArgumentError(
            f"states: got None, must be names of columns; {table.title} has {listed}"
        )
    return LogReader(table, flat)


def _no_transition(reader: LogReader, rows: int) -> ShapeError:
    return ShapeError(
        f"source: {reader.table.title} has {rows} rows with 0 transitions among them, must be at "
        "least one: two rows of an episode, none of which lacks a value"
    )


def _made(
    cls: type[_T],
    reader: LogReader,
    steps: LogSteps,
    discrete_actions: Any,
    *,
    gaps: _Gaps,
    units: Mapping[str, str] | None,
    angles: AnglesLike,
) -> _T:
    arrays, labels = steps.arrays, reader.labels
    actions, action_names = arrays["actions"], labels["actions"] or None
    if discrete_actions is not None:
        if actions.shape[1] != 1 or not labels["actions"]:
            raise ArgumentError(
                f"discrete_actions: got {len(labels['actions'])} columns of actions, must be 1"
            )
        whole = (actions == np.rint(actions)).all() and (np.abs(actions) < 2.0**53).all()
        actions = actions[:, 0].astype(np.int64) if whole else actions[:, 0]
        action_names = None
    data = cls(
        arrays["states"],
        actions,
        arrays["next_states"],
        arrays.get("rewards"),
        arrays["terminations"],
        steps.segments,
        discrete_actions=discrete_actions,
        gaps=gaps,
        state_names=labels["states"] if reader.layout.are_names else None,
        action_names=action_names if reader.layout.are_names else None,
        units=units,
        time_step=steps.time_step,
        angles=angles,
    )
    ids = {"groups": steps.groups}
    if gaps != "split":
        ids["episodes"] = steps.episodes
    made: _T = cls._of(data._arrays() | ids, data._columns)
    return made
