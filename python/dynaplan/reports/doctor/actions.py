"""Actions from which their effect cannot be learned: functions of the state, at their bounds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dynaplan import _tables
from dynaplan.reports.doctor.findings import Finding, Severity, named
from dynaplan.reports.doctor.record import Record
from dynaplan.reports.doctor.regression import features, unexplained

__all__ = ["closed_loop", "saturated_actions"]

Float64 = NDArray[np.float64]

_FEWEST = 40  # rows in which an action is free to move
# Of an action's deviation, which the states do not explain: the errors of its effect are 20 times
# those of an action that is drawn at random. An excitation of a tenth is thus no finding.
_FREE, _EXACT = 0.05, 1e-5
# Of the rows at one bound: as of normal noise cut at a deviation. Half of them at bounds: what is
# between is hardly seen.
_AT_BOUND, _MOSTLY, _LEVELS = 0.15, 0.5, 8
_VISITS = 3  # stretches at a bound: where an action is held, its largest value may be one of them


def closed_loop(record: Record) -> list[Finding] | str:
    """Finds actions that follow from the states, so that nobody can tell what each of them does.

    Each action is predicted from the states, their products if these help, and the other actions,
    in rows that were not fitted. Rows at a bound, where a controller is cut off, are left out.
    """
    _, varied = record.varied
    if not len(varied) or not len(record.varied[0]):
        return "no states or actions that vary"
    if record.too_large:
        return "numbers too large"
    if record.has_choices:
        return "actions are discrete"
    found: dict[int, float] = {}
    for place, column in enumerate(varied.tolist()):
        own = record.actions[:, place]
        low, high = _at_bounds(own)
        free = np.flatnonzero(~(low | high))
        others = np.delete(record.actions[free], place, axis=1)
        lefts = [
            unexplained(np.hstack([base, others]), own[free])
            for base in (
                features(record.inputs[free], others.shape[1], products=products)
                for products in (False, True)
            )
            if base is not None and len(free) >= _FEWEST
        ]
        if lefts and min(lefts) < _FREE:
            found[column] = min(lefts)
    if not found:
        return []
    columns = tuple(("actions", column) for column in found)
    left = min(found.values())
    share = f"all but {_tables.percent(left)}" if left > _EXACT else "all, but for rounding,"
    evidence = (
        f"{share} of the deviation of {named(columns[:1])} follows from the states"
        f"{' and other actions' * (len(varied) > 1)}: no fit can tell what "
        f"{'it does' if len(columns) == 1 else 'they do'}."
    )
    cure = (
        "Add noise to the actions while recording, a tenth of their range or more, or hold random "
        "actions for some steps as dp.collect does."
    )
    return [Finding("closed_loop", "error", columns, evidence, cure)]


def saturated_actions(record: Record) -> list[Finding] | str:
    """Finds actions that are at a bound for much of the time.

    A few levels, as of an on-off valve, are no bounds.
    """
    if record.has_choices:
        return "actions are discrete"
    columns, shares = [], []
    for place, column in enumerate(record.varied[1].tolist()):
        own = record.actions[:, place]
        low, high = (
            marks.mean() if _visits(marks) >= _VISITS else 0.0 for marks in _at_bounds(own)
        )
        if max(low, high) >= _AT_BOUND and len(np.unique(own)) > _LEVELS:
            columns.append(("actions", column))
            shares.append(low + high)
    if not columns:
        return []
    share = max(shares)
    worst = columns[int(np.argmax(shares))]
    evidence = (
        f"{named((worst,))} is exactly at its bounds in {_tables.percent(share)} of the rows."
    )
    cure = (
        "Make sure that what was applied is recorded, not what was asked for, and record smaller "
        "actions too."
    )
    severity: Severity = "warning" if share > _MOSTLY else "note"
    return [Finding("saturated_actions", severity, tuple(columns), evidence, cure)]


def _at_bounds(values: Float64) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Returns which values (M,) are the smallest, and the largest; none if these are single."""
    low, high = values == values.min(), values == values.max()
    return low & (np.count_nonzero(low) > 1), high & (np.count_nonzero(high) > 1)


def _visits(marks: NDArray[np.bool_]) -> int:
    """Returns how many unbroken stretches of the marks (M,) there are."""
    return int(np.count_nonzero(np.diff(marks.astype(np.int8), prepend=0) == 1))
