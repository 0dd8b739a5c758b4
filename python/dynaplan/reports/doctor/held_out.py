"""What is wrong between the data to learn from and those held out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dynaplan import _tables
from dynaplan.data import rows
from dynaplan.data.angles import Angles
from dynaplan.data.transitions import Transitions
from dynaplan.reports.doctor.findings import Finding, Severity, named
from dynaplan.reports.doctor.ordering import has_few_states, row_keys
from dynaplan.reports.doctor.record import spread_of

__all__ = ["leakage", "outside_range"]

Float64 = NDArray[np.float64]
Bools = NDArray[np.bool_]
NO_HELD_OUT = "no held_out given"

_TWICE = 0.005  # of the held-out rows: as for rows twice in one log
# Of the held-out rows, next to one in time that is fitted. One cut in time makes one such row; of
# windows of 100 rows, 2 in 100 are. A fifth of them is no cut at all.
_NEXT, _MOSTLY_NEXT = 0.02, 0.2
# What was measured in a held-out row is as far from rows to learn from as what lies between two
# measurements, where it was not measured there too: of 400 rows the medians are 10 % off.
_NEARER = 0.3
_JUDGED, _MOST = 400, 50_000  # rows of which distances are measured, and to how many
# A row is outside by a quarter of the range, in any column: there a fit extrapolates, while the
# ends of the range hang on single rows. Some such rows are the rule where episodes are few.
_BEYOND, _OUTSIDE = 0.25, 0.1
# Parts of the rows to learn from, each judged beside the others: held-out rows may be outside as
# often, and twice as often by chance, without being of another kind. Where there are few episodes,
# each may be of its own kind, and it takes half of the rows to say more. Nearly all are too many.
_PARTS, _TIMES = 5, 2.0
_FEW_EPISODES, _OUTSIDE_OF_FEW, _NEARLY_ALL = 10, 0.5, 0.9


def leakage(data: Transitions, held_out: Transitions | None) -> list[Finding] | str:
    """Finds held-out rows that are among those to learn from, or beside them in time."""
    if held_out is None:
        return NO_HELD_OUT
    for find in (_twice, _next, _near):
        marks, evidence = find(data, held_out)
        if marks.any():
            both = np.intersect1d(data.groups, held_out.groups)
            groups = f", and {len(both)} groups are in both" if both.size else ""
            cure = (
                "Hold out whole episodes by data.split(fraction, seed=...): the error on these "
                "rows flatters the model."
            )
            few = find is _next and marks.mean() < _MOSTLY_NEXT
            severity: Severity = "warning" if few else "error"
            text = f"{evidence}{groups}."
            return [Finding("leakage", severity, (), text, cure, np.flatnonzero(marks))]
    return []


def outside_range(data: Transitions, held_out: Transitions | None) -> list[Finding] | str:
    """Finds held-out rows outside of the range of the data to learn from."""
    if held_out is None:
        return NO_HELD_OUT
    fitted, judged = (np.hstack([one.states, one.actions]) for one in (data, held_out))
    beyond = _beyond(judged, fitted, data.angles)
    outside = beyond.any(axis=1)
    share = float(outside.mean())
    if share <= _usual_share(fitted, data):
        return []
    shares = beyond.mean(axis=0)
    worst = int(np.argmax(shares))
    columns = tuple(
        ("states", int(place))
        if place < data.state_dim
        else ("actions", int(place) - data.state_dim)
        for place in np.argsort(-shares, kind="stable")
        if shares[place] >= 0.5 * shares[worst]
    )
    evidence = (
        f"{_tables.percent(share)} of the held-out rows are outside of the range to learn from by "
        f"more than {_BEYOND:.0%} of it, most of them in {named(columns[:1])} "
        f"({_tables.percent(float(shares[worst]))})."
    )
    cure = (
        "Record more there, or split by episodes drawn at random (data.split(fraction, seed=...)): "
        "what is measured is how well the model extrapolates."
    )
    return [Finding("outside_range", "warning", columns, evidence, cure, np.flatnonzero(outside))]


def _beyond(judged: Float64, fitted: Float64, angles: Angles) -> Bools:
    """Marks entries (N, columns) that are far outside of the range of the fitted ones."""
    low, high = angles.observed_range(fitted)
    judged = angles.near(judged, 0.5 * low + 0.5 * high)
    rounding = 4.0 * np.spacing(np.maximum(np.abs(low), np.abs(high)))
    with np.errstate(over="ignore"):
        width = np.maximum(_BEYOND * (high - low), rounding)  # also of what never varied
        beyond: Bools = np.maximum(low - judged, judged - high) > width
    return beyond


def _usual_share(fitted: Float64, data: Transitions) -> float:
    """Returns the largest share of held-out rows to be expected outside of the range."""
    groups = rows.numbered_groups(data.groups)
    count = int(groups.max()) + 1
    by = groups if count >= _PARTS else np.arange(len(data))
    parts = by * _PARTS // (int(by.max()) + 1)
    shares = [
        float(_beyond(fitted[parts == part], fitted[parts != part], data.angles).any(axis=1).mean())
        for part in np.unique(parts)
        if (parts != part).any()
    ]
    least = _OUTSIDE if count >= _FEW_EPISODES else _OUTSIDE_OF_FEW
    return min(_NEARLY_ALL, max(least, _TIMES * max(shares, default=0.0)))


def _twice(data: Transitions, held_out: Transitions) -> tuple[Bools, str]:
    fitted, judged = (
        row_keys(one.states, one.actions, one.next_states) for one in (data, held_out)
    )
    marks = np.isin(judged, fitted)
    count = np.count_nonzero(marks)
    few = count < max(2.0, _TWICE * len(marks)) or has_few_states(data)
    text = f"{count} of {len(marks)} held-out rows are among those to learn from, exactly"
    return marks & (not few), text


def _next(data: Transitions, held_out: Transitions) -> tuple[Bools, str]:
    keys = [row_keys(one) for one in (data.states, held_out.states)]
    after = [row_keys(one) for one in (data.next_states, held_out.next_states)]
    marks = np.isin(keys[1], after[0]) | np.isin(after[1], keys[0])
    count = np.count_nonzero(marks)
    few = count < max(3.0, _NEXT * len(marks)) or has_few_states(data)
    text = f"{count} of {len(marks)} held-out rows are the step before or after one to learn from"
    return marks & (not few), text


def _near(data: Transitions, held_out: Transitions) -> tuple[Bools, str]:
    """Marks rows with a state that was measured, a little otherwise, in rows to learn from too.

    These are rows twice but for rounding or noise, or steps before and after where states and next
    states are measured apart.
    """
    marks = np.zeros(len(held_out), np.bool_)
    spread = spread_of(data.states)
    varied = spread > 0.0
    if len(data) > _MOST or not varied.any():
        return marks, ""
    chosen = np.unique(np.linspace(0, len(held_out) - 1, _JUDGED).astype(np.intp))
    fitted, states, following = (
        values[:, varied] / spread[varied]
        for values in (data.states, held_out.states[chosen], held_out.next_states[chosen])
    )
    angles = data.angles.among(np.flatnonzero(varied), spread[varied])
    following = states + angles.short_way(following - states)
    if not all(np.isfinite(values).all() for values in (fitted, states, following)):
        return marks, ""
    between = _nearest(0.5 * states + 0.5 * following, fitted)
    for points in (states, following):
        away = _nearest(points, fitted)
        if np.median(away) < _NEARER * np.median(between):
            marks[chosen] = True
            ratio = _tables.number(float(np.median(away) / np.median(between)), 2)
            text = (
                f"what was measured in the held-out rows is {ratio} times as far from rows to "
                "learn from as what lies between two of their steps"
            )
            return marks, text
    return marks, ""


def _nearest(points: Float64, others: Float64) -> Float64:
    """Returns (points,) distances to the nearest of others."""
    squares = np.array([((others - point) ** 2).sum(axis=1).min() for point in points])
    return np.asarray(np.sqrt(squares))
