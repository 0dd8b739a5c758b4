"""Sensors that stick, that have few levels, or whose noise hides what changes in a step."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dynaplan import _tables
from dynaplan.data import rows
from dynaplan.reports.doctor.findings import LEAVE_OUT, Finding, Severity
from dynaplan.reports.doctor.record import Record
from dynaplan.rollouts.measurement_noise import measurement_noise

__all__ = ["noisy_sensors", "quantised_sensors", "stuck_sensors"]

Float64 = NDArray[np.float64]
Rows = NDArray[np.intp]

# Rows with the same value in a sensor that hardly ever gives one twice: of 64 bits none does.
_STUCK, _RARE = 8, 0.01
# Of one that often does: as many as happen once in a hundred logs, if they end at random.
_CHANCE = 0.01
_STILL = 0.5  # of the rows: what is still for longer is no sensor, but a setting
_MOVING = 0.8  # of these rows have another column that moves; else the plant is at rest
_ACTIONS = 3  # other ones in these rows, each of which would move the only state of a plant
_MANY_STUCK = 0.01  # of the rows: a fit is bent by as many
# A rounded value is off by step / sqrt(12), a change by step / sqrt(6): beyond a fifth of what
# changes commonly it is mostly what a model fails to predict.
_LEVELS, _STEPS_PER_CHANGE = 6, 2.0
_EVEN = 1e-3
_OFF_LEVEL = 0.05  # of a step: rounding, where the step is known from all levels together
# Of the variance of the changes, by a lower bound that is at most half of what a fit leaves: of
# noise alone it comes to a half, and where it is a third, noise is the larger part.
_NOISE = 0.3


def stuck_sensors(record: Record) -> list[Finding]:
    """Finds states that have one and the same value for a while, while others move."""
    data = record.data
    still = data.next_states == data.states
    shares = still.mean(axis=0)
    found = []
    for state in np.flatnonzero((shares > 0.0) & (shares < _STILL)).tolist():
        first, lengths = _stretches(still[:, state], record.runs)
        long = np.flatnonzero(lengths >= _least(lengths, len(data), data.state_dim))
        if not long.size:
            continue
        stuck = [
            np.arange(first[one], first[one] + lengths[one])
            for one in long
            if not _is_limit(data.states[:, state], first, first[one])
            and _others_move(record, still, state, first[one], lengths[one])
        ]
        if stuck:
            found.append(_stuck(record, state, stuck))
    return found


def quantised_sensors(record: Record) -> list[Finding]:
    """Finds states with few levels: one step between two of them is much beside the changes."""
    found = []
    for place, state in enumerate(record.varied[0].tolist()):
        values = np.unique(record.data.states[record.rows, state])
        step = _step_of(values)
        change = float(record.changes[:, place].std() * record.spreads[0][state])
        even = _EVEN * abs(float(record.steps[:, state].mean()))  # a counter is no sensor
        if not even < change < _STEPS_PER_CHANGE * step:
            continue
        evidence = (
            f"state {state} has {len(values)} levels, {_tables.number(step)} apart, and its "
            f"changes over one step have a deviation of {_tables.number(change)}."
        )
        cure = (
            "Log the sensor with more digits, or take longer steps (every k-th row with the mean "
            "action), in which it changes by more."
        )
        severity: Severity = "warning" if change < 0.5 * _STEPS_PER_CHANGE * step else "note"
        columns = (("states", state),)
        found.append(Finding("quantised_sensor", severity, columns, evidence, cure))
    return found


def noisy_sensors(record: Record) -> list[Finding] | str:
    """Finds states whose changes over one step are mostly noise of the sensor."""
    data = record.data
    ends = rows.ends_of(record.runs)
    if not len(record.varied[0]) or np.count_nonzero(ends - np.arange(len(data)) > 1) < 30:
        return "too few rows that follow each other"
    spread = record.spreads[0]
    noise = measurement_noise(data, ends, spread, data.angles).low
    found = []
    for place, state in enumerate(record.varied[0].tolist()):
        with np.errstate(over="ignore"):
            variance = float(record.changes[:, place].var())
        share = min(1.0, 2.0 * float(noise[state]) / variance) if variance > 0.0 else 0.0
        if share <= _NOISE:
            continue
        deviation = float(np.sqrt(noise[state]) * spread[state])
        change = float(np.sqrt(variance) * spread[state])
        evidence = (
            f"state {state} is measured with a noise of {_tables.number(deviation)} or more, while "
            f"it changes by {_tables.number(change)} over one step: {_tables.percent(share)} of "
            "the variance of its changes is noise, at least."
        )
        cure = (
            "Filter the states before fitting (dp.KalmanFilter where a model is known), add "
            "earlier measurements to the state, or take longer steps."
        )
        columns = (("states", state),)
        found.append(Finding("noisy_sensor", "warning", columns, evidence, cure))
    return found


def _step_of(values: Float64) -> float:
    """Returns how far apart levels (L,) are, of which some may be missing; 0 if they are none."""
    gaps = np.diff(values)
    if len(values) < _LEVELS or not np.isfinite(gaps).all():
        return 0.0
    steps = np.round(gaps / gaps.min())
    step = float(gaps.sum() / steps.sum())
    return step if np.abs(gaps - steps * step).max() <= _OFF_LEVEL * step else 0.0


def _stretches(still: NDArray[np.bool_], runs: NDArray[np.int64]) -> tuple[Rows, Rows]:
    """Returns first rows and lengths of the stretches of marked rows, within runs."""
    joined = still[1:] & still[:-1] & (runs[1:] == runs[:-1])
    first = np.flatnonzero(still & ~np.concatenate([[False], joined]))
    last = np.flatnonzero(still & ~np.concatenate([joined, [False]]))
    return first, last - first + 1


def _least(lengths: Rows, count: int, columns: int) -> float:
    """Returns how many rows with one value are not due to chance."""
    short = lengths[lengths < _STUCK]
    if short.sum() < _RARE * count:
        return _STUCK
    usual = lengths[lengths <= 5.0 * np.median(lengths)].mean()
    again = 1.0 - 1.0 / max(usual, 1.0 + 1e-9)
    return float(max(_STUCK, np.log(_CHANCE / (count * columns)) / np.log(again)))


def _is_limit(values: Float64, first: Rows, row: int) -> bool:
    """Returns whether the value of a row is an end of the range, where it stays more than once."""
    value = values[row]
    at_end = value in {values.min(), values.max()}
    return bool(at_end and np.count_nonzero(values[first] == value) > 1)


def _others_move(
    record: Record, still: NDArray[np.bool_], state: int, first: int, length: int
) -> bool:
    """Returns whether other states move in a stretch of rows; where there are none, the actions."""
    here = slice(first, first + length)
    others = [other for other in record.varied[0].tolist() if other != state]
    if others:
        return bool((~still[here][:, others].all(axis=1)).mean() >= _MOVING)
    actions = record.data.actions[here]
    return bool(np.count_nonzero((actions[1:] != actions[:-1]).any(axis=1)) >= _ACTIONS)


def _stuck(record: Record, state: int, stretches: list[Rows]) -> Finding:
    longest = max(stretches, key=len)
    stuck = np.concatenate(stretches)
    share = len(stuck) / len(record.data)
    value = _tables.number(record.data.states[longest[0], state])
    many = f", and in {len(stuck)} rows in all" if len(stretches) > 1 else ""
    evidence = (
        f"state {state} stays at {value} for {len(longest)} rows from row {longest[0]} on, while "
        f"others move{many} ({_tables.percent(share)} of the rows)."
    )
    cure = f"{LEAVE_OUT}."
    severity: Severity = "error" if share > _MANY_STUCK else "warning"
    return Finding("stuck_sensor", severity, (("states", state),), evidence, cure, stuck)
