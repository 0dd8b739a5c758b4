"""From the rows of a log to transitions: to the row below, within one episode, over no gap."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynaplan.data import rows as row_ids
from dynaplan.data.log_rows import LogReader, LogRows
from dynaplan.data.time_steps import TimeSteps
from dynaplan.errors import ArgumentError

__all__ = ["LogSteps", "log_steps"]

Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSteps:
    """Transitions in a log, as arrays of `Transitions`.

    Attributes:
        arrays: states, actions, next states, terminations, and rewards where there are some.
        groups: (N,) of episodes, as logged.
        episodes: (N,) the same, cut where rows were left out.
        segments: (N,) the same, cut also at gaps in time.
        time_step: median, or None.
    """

    arrays: dict[str, NDArray[Any]]
    groups: NDArray[np.int64]
    episodes: NDArray[np.int64]
    segments: NDArray[np.int64]
    time_step: float | None

    def __len__(self) -> int:
        return len(self.groups)


def log_steps(
    reader: LogReader,
    rows: LogRows,
    first: int,
    *,
    drop: bool,
    gaps: str,
    time_step: float | None = None,
) -> LogSteps:
    """Finds the transitions in rows of a log.

    Args:
        reader: that gave the rows.
        rows: at least one.
        first: number of the first of them.
        drop: whether rows that lack a value are left out.
        gaps: as in `Transitions`.
        time_step: median of the rows before, or None.

    Raises:
        ArgumentError: a value is missing, and is not to be left out.

    Warns:
        SuspectDataWarning: the steps in time are uneven.
    """
    logged = bool(rows.next_states.shape[1])
    ids = row_ids.cut_ids(rows.episodes, _ends(reader, rows))
    follows = ids[1:] == ids[:-1]
    is_gap = np.zeros(len(rows), np.bool_)
    if rows.times.shape[1]:
        steps = TimeSteps(rows.times[:, 0], follows, time_step)
        time_step = steps.median
        if gaps != "ignore":
            is_gap[:-1] = steps.are_unusual
        if gaps == "warn":
            steps.warn(first)
    goes_on = np.ones(len(rows), np.bool_) if logged else np.append(follows, False) & ~is_gap
    lacks = _lacking(reader, rows, goes_on, first, drop=drop, logged=logged)
    kept = np.flatnonzero(goes_on & ~lacks)
    below = rows.next_states.take(kept, 0) if logged else rows.states.take(kept + 1, 0)
    # Without actions the data have one that is always 0, which every model takes.
    has_actions = rows.actions.shape[1] > 0
    applied = rows.actions.take(kept, 0) if has_actions else np.zeros((len(kept), 1))
    arrays: dict[str, NDArray[Any]] = {
        "states": rows.states.take(kept, 0),  # which is faster than an index
        "actions": applied,
        "next_states": below,
        "terminations": rows.terminations[kept],
    }
    if rows.rewards.shape[1]:
        arrays["rewards"] = rows.rewards[kept, 0]
    groups = ids[kept]
    episodes = row_ids.cut_ids(groups, _between(lacks, kept, groups))
    return LogSteps(
        arrays=arrays,
        groups=groups,
        episodes=episodes,
        segments=row_ids.cut_ids(episodes, _between(is_gap, kept, groups)),
        time_step=time_step,
    )


def _ends(reader: LogReader, rows: LogRows) -> NDArray[np.intp]:
    """Returns the rows after which another episode begins, although the log does not name it so."""
    ends = (rows.terminations | rows.truncations)[:-1]
    if reader.layout.episode is None and rows.times.shape[1]:
        ends |= rows.times[1:, 0] < rows.times[:-1, 0]  # the clock was set back
    return np.flatnonzero(ends)


def _lacking(
    reader: LogReader, rows: LogRows, goes_on: Bools, first: int, *, drop: bool, logged: bool
) -> Bools:
    """Marks the rows whose transition lacks a value.

    Raises:
        ArgumentError: there is one, and it is not to be left out.
    """
    # The state of a row is needed where its transition is, or the one that leads there.
    leads = goes_on if logged else goes_on | np.append(False, goes_on[:-1])
    lacks, named = np.zeros(len(rows), np.bool_), ""
    lacking = lacks.copy()
    for kind, needed in (
        ("states", leads),
        ("next_states", goes_on),
        ("actions", goes_on),
        ("rewards", goes_on),
        ("times", leads),
    ):
        numbers = getattr(rows, kind)
        if np.isfinite(numbers).all():
            continue
        marks = ~np.isfinite(numbers) & needed[:, None]
        bad = marks.any(axis=1)
        lacks |= bad
        if kind in ("states", "times") and not logged:
            lacks[:-1] |= bad[1:] & goes_on[:-1]
        lacking |= bad
        if bad.any() and not named:
            row = int(np.argmax(bad))
            column = int(np.argmax(marks[row]))
            value = numbers[row, column]
            got = "missing" if np.isnan(value) else str(value)
            named = (
                f"{kind.removesuffix('s') if kind == 'times' else kind}: column "
                f"{reader.labels[kind][column]!r}, {reader.table.place(first + row)} of "
                f"{reader.table.title} is {got}"
            )
    nameless = rows.nameless & leads
    if nameless.any():
        lacks |= nameless
        lacks[:-1] |= nameless[1:]
        lacking |= nameless
        place = reader.table.place(first + int(np.argmax(nameless)))
        named = named or f"episode: {place} of {reader.table.title} is missing"
    if named and not drop:
        count = np.count_nonzero(lacking)
        more = f" ({count} rows lack a value)" if count > 1 else ""
        raise ArgumentError(
            f"{named}{more}; leave such rows out with drop_nonfinite=True, or mend the logger"
        )
    return lacks


def _between(marks: Bools, kept: NDArray[np.intp], ids: NDArray[np.int64]) -> NDArray[np.intp]:
    """Returns the places in `kept` between which and the next one, of the same id, is a mark."""
    before = np.concatenate([[0], np.cumsum(marks)])
    return np.flatnonzero((before[kept[1:]] != before[kept[:-1]]) & (ids[1:] == ids[:-1]))
