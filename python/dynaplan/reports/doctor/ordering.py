"""Rows as they were recorded: few, with gaps, wild values, rows twice, uneven time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dynaplan import _tables
from dynaplan.data.suspect_joins import largest
from dynaplan.data.transitions import Transitions
from dynaplan.reports.doctor.findings import LEAVE_OUT, Finding, Severity
from dynaplan.reports.doctor.record import Record

__all__ = [
    "duplicate_rows",
    "few_rows",
    "gaps",
    "has_few_states",
    "repeated",
    "row_keys",
    "uneven_time",
    "wild_values",
]

Float64 = NDArray[np.float64]
Rows = NDArray[np.intp]

# Rows for each coefficient of a linear model: its error one step ahead is then a twentieth above
# what it could be (of p coefficients fitted to n rows by least squares, p / 2n).
_ROWS_PER_COEFFICIENT = 10
# Of the rows twice in a log: fewer are no matter to a fit. Of numbers that a sensor measured, none
# ever is. Beyond a quarter, a fit is one of fewer rows than it seems.
_REPEATED, _MANY_REPEATED = 0.005, 0.25
_COMMON = 0.1  # of the rows: where so many have the state of a row above, states are few
# A step is uneven if it is off the median by a fifth: a state's change is off by as much. 2 in 100
# of them are as many as noise of a size that nobody notices; a lost row doubles a step.
_OFF, _SHARE_OFF = 0.2, 0.02
_MULTIPLIERS = (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9)  # Steele, Lea & Flood 2014, SplitMix64
_AT_ONCE = 4096  # rows, which the cache holds


def few_rows(record: Record) -> list[Finding]:
    """Finds that there are few rows for the coefficients of a linear model."""
    data = record.data
    count, columns = len(data), data.state_dim + data.action_dim + 1
    if count >= _ROWS_PER_COEFFICIENT * columns:
        return []
    evidence = (
        f"{count} rows for the {columns} coefficients of each state in a linear model "
        f"({data.state_dim} states, {data.action_dim} actions, 1 intercept), which want "
        f"{_ROWS_PER_COEFFICIENT} each."
    )
    cure = (
        f"Collect {_ROWS_PER_COEFFICIENT * columns} rows or more, or fit fewer columns; until then "
        "LinearGaussian.fit(ridge=...) keeps the coefficients small."
    )
    return [Finding("few_rows", "error" if count < columns else "warning", (), evidence, cure)]


def gaps(record: Record) -> list[Finding]:
    """Finds rows that do not follow each other."""
    found = record.joins
    if not found.broken.size:
        return []
    row, state, size = largest(found.gaps, record.data.states)
    evidence = (
        f"{len(found.broken)} of {found.count} rows do not end where the row below begins, in the "
        f"same episode; state {state} jumps most, by {size}, after row {found.broken[row]}."
    )
    if found.shift is None:
        cure = (
            'Pass gaps="split" to Transitions, which cuts the episodes where rows are missing or '
            "out of order."
        )
        return [Finding("gaps", "warning", (), evidence, cure, found.broken)]
    below = {
        0: "the states themselves",
        2: "the states two rows below",
        -1: "the states one row above",
    }
    evidence = f"{evidence[:-1]}, and the next states are {below[found.shift]}."
    cure = "Take as next_states the states one row below, of the same episode."
    return [Finding("wrong_next_states", "error", (), evidence, cure, found.broken)]


def wild_values(record: Record) -> list[Finding]:
    """Finds rows with a value far beyond what the others let expect."""
    wild = record.wild
    if not wild.rows.size:
        return []
    count = len(wild.rows)
    evidence = (
        f"{count} row{'s have' if count > 1 else ' has'} a value unlike all others: {wild.name} is "
        f"{wild.value:.4g} in row {wild.row}, {wild.score:.2g} robust standard deviations from its "
        "median."
    )
    cure = f'{LEAVE_OUT}, or use fit(loss="huber").'
    return [Finding("wild_values", "error", (wild.column,), evidence, cure, wild.rows)]


def duplicate_rows(record: Record) -> list[Finding]:
    """Finds rows that are in the log more than once."""
    data = record.data
    again = repeated(row_keys(data.states, data.actions, data.next_states))
    share = len(again) / len(data)
    if len(again) < 2 or share < _REPEATED:
        return []
    rest = bool((data.states[again] == data.next_states[again]).all())
    evidence = (
        f"{len(again)} of {len(data)} rows ({_tables.percent(share)}) are the same as a row above, "
        f"in every state and action{', and in none of them a state changes' if rest else ''}."
    )
    cure = f"{LEAVE_OUT}, so that they count once and are not in both parts of a split."
    severity: Severity = "warning" if share > _MANY_REPEATED else "note"
    return [Finding("duplicate_rows", severity, (), evidence, cure, again)]


def uneven_time(record: Record, time: Float64 | None) -> list[Finding] | str:
    """Finds steps that are not of the same length, or go back in time."""
    if time is None:
        return "no time= given"
    inside = record.data.episodes[1:] == record.data.episodes[:-1]
    starts = np.flatnonzero(inside)
    if len(starts) < 2:
        return "no rows that follow each other"
    with np.errstate(over="ignore"):
        steps = time[starts + 1] - time[starts]
    back = starts[steps <= 0.0]
    if back.size:
        evidence = (
            f"the time does not go on after {len(back)} of {len(starts)} rows, first after row "
            f"{back[0]}, by {_tables.number(steps[steps <= 0.0][0])}."
        )
        cure = "Put the rows of each episode in their order in time, each once."
        return [Finding("uneven_time", "error", (), evidence, cure, back)]
    usual = float(np.median(steps))
    off = np.abs(steps - usual) > _OFF * usual
    if off.mean() <= _SHARE_OFF:
        return []
    evidence = (
        f"{np.count_nonzero(off)} of {len(steps)} steps ({_tables.percent(off.mean())}) are more "
        f"than {_OFF:.0%} off their median of {_tables.number(usual)}: from "
        f"{_tables.number(steps.min())} to {_tables.number(steps.max())}."
    )
    cure = (
        "Interpolate the log to even steps, or leave out the rows of uneven ones: a model learns "
        "one length of step."
    )
    return [Finding("uneven_time", "warning", (), evidence, cure, starts[off])]


def has_few_states(data: Transitions) -> bool:
    """Returns whether states come again and again, as those of a maze: what repeats says little."""
    return len(repeated(row_keys(data.states))) > _COMMON * len(data)


def row_keys(*arrays: Float64) -> NDArray[np.uint64]:
    """Returns (N,) numbers that are the same for rows that are, and differ for any others.

    Of 5 million rows two that differ get the same number by chance once in a million logs.
    """
    keys = np.zeros(len(arrays[0]), np.uint64)
    for first in range(0, len(keys), _AT_ONCE):
        part = slice(first, first + _AT_ONCE)
        _mix(keys[part], [column for array in arrays for column in array[part].T])
    return keys


def _mix(keys: NDArray[np.uint64], columns: list[Float64]) -> None:
    first, second = (np.uint64(one) for one in _MULTIPLIERS)
    for column in columns:
        keys ^= (column + 0.0).view(np.uint64)  # no minus at zero
        keys *= first
        keys ^= keys >> np.uint64(31)
        keys *= second
        keys ^= keys >> np.uint64(29)


def repeated(keys: NDArray[np.uint64]) -> Rows:
    """Returns the rows whose key a row above has."""
    in_order = np.sort(keys)
    if (in_order[1:] != in_order[:-1]).all():  # in most logs, and faster than where they are
        return np.empty(0, np.intp)
    order = np.argsort(keys, kind="stable")
    same = keys[order[1:]] == keys[order[:-1]]
    return np.sort(order[1:][same])
