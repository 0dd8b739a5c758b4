"""Columns that say nothing, or nothing new: constant, counting, dependent, in odd units."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dynaplan import _tables
from dynaplan.reports.doctor.findings import Columns, Finding, Severity, named
from dynaplan.reports.doctor.record import Record

__all__ = ["constant_columns", "dependent_columns", "time_columns", "units"]

Float64 = NDArray[np.float64]

# A state's changes are one number, but for rounding of the time stamp and of its logger.
_EVEN, _FEWEST_CHANGES = 1e-3, 10
# Beyond it float32, with its 7 digits, holds nothing of the smaller column where both are added.
_LARGEST_RATIO = 1e6
# Of the spread of a column: what least squares of the others leave is rounding of float32 then.
_LEFT = 1e-6


def constant_columns(record: Record) -> list[Finding] | str:
    """Finds columns that never vary."""
    if len(record.data) < 2:
        return "one row"
    found = []
    for name, values in _arrays(record):
        low, high = values.min(axis=0), values.max(axis=0)
        still = np.flatnonzero(high - low <= 4.0 * np.spacing(np.maximum(abs(low), abs(high))))
        if not still.size:
            continue
        columns = tuple((name, int(column)) for column in still)
        value = _tables.number(values[0, still[0]])
        evidence = (
            f"{named(columns)} never change{'s' * (len(still) == 1)} in {len(values)} rows "
            f"({name.removesuffix('s')} {still[0]} is {value})."
        )
        cure = (
            "Leave it out of the states, or record what makes it change: what it does is not known."
            if name == "states"
            else "Vary it while recording, or leave it out: a model cannot learn what it does."
        )
        severity: Severity = "warning" if name == "actions" else "note"
        found.append(Finding("constant_column", severity, columns, evidence, cure))
    return found


def time_columns(record: Record) -> list[Finding]:
    """Finds states that grow by the same amount in every step: time stamps, counters.

    An angle that turns evenly comes back.
    """
    changes = record.steps
    if len(changes) < _FEWEST_CHANGES:
        return []
    found = []
    typical = np.median(changes, axis=0)
    # The rounding of a large count is none of its steps.
    largest = np.abs(record.data.states[record.rows]).max(axis=0)
    off = np.abs(changes - typical).max(axis=0)
    even = off <= _EVEN * np.abs(typical) + 4.0 * np.spacing(largest)
    even[record.data.angles.columns] = False
    for state in np.flatnonzero(even & (np.abs(typical) > 16.0 * np.spacing(largest))):
        evidence = (
            f"state {state} changes by {_tables.number(typical[state])} in each of {len(changes)} "
            "steps, as a time stamp or a counter does."
        )
        cure = (
            "Leave it out of the states: it goes on beyond what a model has seen; pass it as "
            "diagnose(time=) instead."
        )
        found.append(Finding("time_column", "warning", (("states", int(state)),), evidence, cure))
    return found


def units(record: Record) -> list[Finding]:
    """Finds columns whose spreads are of entirely different sizes."""
    spreads = np.concatenate(record.spreads)
    varied = np.flatnonzero((spreads > 0.0) & np.isfinite(spreads))
    if len(varied) < 2:
        return []
    small, large = (varied[one(spreads[varied])] for one in (np.argmin, np.argmax))
    with np.errstate(over="ignore"):
        ratio = float(spreads[large] / spreads[small])
    if ratio <= _LARGEST_RATIO:
        return []
    pair = tuple(_column(record, int(place)) for place in (small, large))
    evidence = (
        f"the spread of {named(pair[1:])} is {_tables.number(spreads[large])}, "
        f"{_tables.number(ratio, 2)} times that of {named(pair[:1])}."
    )
    cure = "Give both in units in which they vary by about as much, such as mm in place of m."
    return [Finding("units", "note", pair, evidence, cure)]


def dependent_columns(record: Record) -> list[Finding]:
    """Finds states, or actions, that are exact linear functions of others.

    An action that is a function of the states is feedback, and so not among them. One of discrete
    actions always is one less all others, which a fit knows.
    """
    found = []
    for name, values, varied in zip(
        ("states", "actions"), (record.states, record.actions), record.varied, strict=True
    ):
        if name == "actions" and record.has_choices:
            continue
        if len(values) <= 2 * (values.shape[1] + 1) or not np.isfinite(values).all():
            continue
        for column, others in _dependent(values):
            numbers = [int(varied[one]) for one in (column, *others)]
            columns = tuple((name, number) for number in numbers)
            found.append(_dependence(columns))
    return found


def _dependence(columns: Columns) -> Finding:
    first, others = named(columns[:1]), named(columns[1:])
    if len(columns) == 2:
        evidence = (
            f"{first} is {others} times a constant, plus another, to {_LEFT:.0e} of its spread."
        )
    else:
        evidence = f"{first} is a linear function of {others}, to {_LEFT:.0e} of its spread."
    cure = (
        f"Leave {first} out: a fit cannot tell what each of them does, and warns with "
        "RankDeficientWarning."
    )
    return Finding("dependent_columns", "warning", columns, evidence, cure)


def _dependent(values: Float64) -> list[tuple[int, list[int]]]:
    """Returns the columns (M, P) that those before explain, each with the ones that do."""
    found = []
    kept: list[int] = []
    basis = np.ones((len(values), 1)) / np.sqrt(len(values))
    for column in range(values.shape[1]):
        left = values[:, column]
        for _ in range(2):  # the second time takes out what rounding left
            left = left - basis @ (basis.T @ left)
        if np.linalg.norm(left) > _LEFT * np.sqrt(len(values)):
            basis = np.hstack([basis, left[:, None] / np.linalg.norm(left)])
            kept.append(column)
            continue
        inputs = values[:, kept]
        weights = np.linalg.lstsq(inputs - inputs.mean(axis=0), values[:, column], rcond=None)[0]
        needed = np.flatnonzero(np.abs(weights) > 1e-3)  # the others are rounding
        found.append((column, [kept[one] for one in needed]))
    return found


def _arrays(record: Record) -> list[tuple[str, Float64]]:
    return [("states", record.data.states), ("actions", record.data.actions)]


def _column(record: Record, place: int) -> tuple[str, int]:
    """Returns the name of a column of states and actions side by side."""
    states = record.data.state_dim
    return ("states", place) if place < states else ("actions", place - states)
