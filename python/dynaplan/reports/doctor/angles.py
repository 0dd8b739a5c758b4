"""Angles that jump by a whole turn where they are wrapped."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from dynaplan import _tables
from dynaplan.reports.doctor.findings import Finding
from dynaplan.reports.doctor.record import Record

__all__ = ["wrapped_angles"]

Float64 = NDArray[np.float64]

# Of the range of a column: a jump of half of it is one of a turn if nothing else is as large as a
# quarter, as what turns by as much in a step cannot be told to be one.
_JUMP, _USUAL = 0.5, 0.25
# A jump is off the period, and begins and ends off the ends of the range, by no more than 1.5
# times what 99 of 100 changes are, as it is mostly where an angle turns fast that it is wrapped;
# and by 2 % of the range for noise.
_REACH, _MOST_CHANGES, _NOISE = 1.5, 0.99, 0.02
_FEWEST, _MOST = 2, 0.25  # jumps, and their share of the rows
# Of the values, in the middle half of the range: an angle passes there, what switches does not.
_BETWEEN = 0.1
_SAME = 0.02  # of the period: as well as it is known from some jumps of an angle that moves
_TEXTS = {"2 pi": "2.0 * np.pi", "pi": "np.pi", "360": "360.0", "180": "180.0"}
_KNOWN = {"2 pi": 2.0 * math.pi, "360": 360.0, "pi": math.pi, "180": 180.0}


def wrapped_angles(record: Record) -> list[Finding]:
    """Finds states that jump by their whole range, and go on there as they came, undeclared.

    All jumps begin near one end of the range and lead near the other; and once the period is added,
    what is left of each is no larger than other changes. The period is the median of what the jump
    and the change in the row before (or below) come to together.
    """
    found = []
    for state in np.setdiff1d(record.varied[0], record.data.angles.columns).tolist():
        values = record.data.states[record.rows, state]
        following = record.data.next_states[record.rows, state]
        period = _period(values, following, record)
        if period is None:
            continue
        jumps = _jumps(values, following)
        rows = record.rows[jumps]
        known = [name for name, one in _KNOWN.items() if abs(period - one) < _SAME * one]
        usual = np.abs(following - values)[~jumps].max()
        evidence = (
            f"state {state} jumps from one end of its range to the other in {len(rows)} rows, and "
            f"changes by {_tables.number(usual)} at most in others: an angle with a period of "
            f"{_tables.number(period)}{f' ({known[0]})' if known else ''}, wrapped."
        )
        ends = min(values.min(), following.min()), max(values.max(), following.max())
        cure = (
            f"Say it: Transitions(angles={_argument(state, ends, period, known)}), so that "
            "differences go the short way round; every model fitted to the data then knows it."
        )
        found.append(Finding("wrapped_angle", "error", (("states", state),), evidence, cure, rows))
    return found


def _argument(state: int, ends: tuple[float, float], period: float, known: list[str]) -> str:
    """Returns what to pass as `angles`: the state, with a range that holds all of its values."""
    low, high = map(float, ends)
    if known:
        whole, text = _KNOWN[known[0]], _TEXTS[known[0]]
        reach = 1e-6 * whole
        if -0.5 * whole - reach <= low and high <= 0.5 * whole + reach:
            return (
                f"[{state}]"
                if known[0] == "2 pi"
                else f"{{{state}: (-0.5 * {text}, 0.5 * {text})}}"
            )
        if -reach <= low and high <= whole + reach:
            return f"{{{state}: (0.0, {text})}}"
        period = whole
    return f"{{{state}: ({low!r}, {max(low + period, high)!r})}}"


def _jumps(values: Float64, following: Float64) -> NDArray[np.bool_]:
    low = min(values.min(), following.min())
    high = max(values.max(), following.max())
    with np.errstate(over="ignore", invalid="ignore"):
        jumps: NDArray[np.bool_] = np.abs(following - values) > _JUMP * (high - low)
    return jumps


def _period(values: Float64, following: Float64, record: Record) -> float | None:
    """Returns the period of a state that is an angle, wrapped; None if it is none."""
    low = min(values.min(), following.min())
    width = max(values.max(), following.max()) - low
    with np.errstate(over="ignore"):
        changes = following - values
    jumps = _jumps(values, following)
    count = np.count_nonzero(jumps)
    if not _FEWEST <= count <= _MOST * len(jumps) or not np.isfinite(width):
        return None
    usual = np.abs(changes[~jumps])
    between = np.abs((values - low) / width - 0.5) < 0.25
    if usual.max() > _USUAL * width or between.mean() < _BETWEEN:
        return None
    places = np.flatnonzero(jumps)
    period = float(np.median(np.abs(_undone(changes, jumps, places, record))))
    left = np.abs(np.abs(changes[places]) - period)
    ends = np.abs(np.stack([values[places], following[places]]) - low - 0.5 * width)
    reach = _REACH * float(np.quantile(usual, _MOST_CHANGES)) + _NOISE * width
    holds = (left <= reach) & (ends >= 0.5 * width - reach).all(axis=0)
    is_range = width - reach <= period <= width + reach
    return period if is_range and holds.mean() > 0.9 else None


def _undone(
    changes: Float64, jumps: NDArray[np.bool_], places: NDArray[np.intp], record: Record
) -> Float64:
    """Returns (jumps,) how far the jumps are, less the change that is expected there."""
    expected = np.full((2, len(places)), np.nan)
    for which, step in enumerate((-1, 1)):
        near = np.clip(places + step, 0, len(changes) - 1)
        runs = record.runs[record.rows]
        usable = (runs[near] == runs[places]) & ~jumps[near] & (near != places)
        usable &= record.rows[near] == record.rows[places] + step
        expected[which, usable] = changes[near[usable]]
    has = np.isfinite(expected)
    mean = np.where(has, expected, 0.0).sum(axis=0) / np.maximum(has.sum(axis=0), 1)
    return np.asarray(changes[places] - mean)
