"""Rows that are no step of the system: seams between recordings, and steps that were lost."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dynaplan import _tables
from dynaplan.data.joins import apart
from dynaplan.data.suspect_joins import largest
from dynaplan.reports.doctor.findings import LEAVE_OUT, Finding
from dynaplan.reports.doctor.ordering import has_few_states
from dynaplan.reports.doctor.record import Record
from dynaplan.reports.doctor.usual_steps import OF_STATES, UsualSteps, usual_steps_of

__all__ = ["unusual_steps"]

Float64 = NDArray[np.float64]
Bools = NDArray[np.bool_]
Rows = NDArray[np.intp]

_FEWEST = 100  # rows of which it can be told what steps of the system are like
# Most states are off by 8 times what 9 of 10 rows keep to: of normal noise that is 13 deviations.
# One or two states may do so by heavy tails alone, and are off further.
_OFF, _OFF_FEW = 8.0, 25.0
# A quarter of the seams or more lead twice as far as all but one step in 100: what leads less far
# may be two steps.
_LARGER = 2.0
_SOME, _SHARE, _MANY = 2, 0.25, 0.08  # of such rows; of all: what is more is a kind of motion
# What is left of a row goes where the step went, for another 0.6 of it or more (less may be a bad
# fit; beyond 4 it is a jump), by 8 deviations, with less than a third of its square across.
_FURTHER, _DEVIATIONS, _ACROSS = (0.6, 4.0), 8.0, 0.3
_LOST, _MANY_LOST = 0.005, 0.25  # of the rows: fewer are no matter, more are a kind of motion


def unusual_steps(record: Record) -> list[Finding]:
    """Finds rows that lead across a reset, or over several steps at once.

    At the end of an episode a row may lead exactly to the first state of the next one. Within a log
    in one piece, rows are judged beside a fit of the changes: at a reset most states are far off
    together, and some jump. Where rows were lost, and next states taken from the rows below, the
    change goes on as it began, for as far as two steps or more.
    """
    found = _between_episodes(record)
    if len(record.rows) < _FEWEST or not len(record.varied[0]) or record.too_large:
        return found
    usual = usual_steps_of(record)
    if usual is None or has_few_states(record.data):
        return found
    far = _far(usual)
    jumps = np.count_nonzero(far & _jumps(record, far))
    if jumps >= _SOME and jumps >= _SHARE * np.count_nonzero(far) and far.mean() <= _MANY:
        return [*found, _within_episodes(record, record.rows[far])]
    return [*found, *_lost(record, usual, far)]


def _between_episodes(record: Record) -> list[Finding]:
    resets = record.joins.resets
    if not resets.size:
        return []
    evidence = (
        f"{len(resets)} rows lead from the end of an episode to the first state of the next one; "
        f"{_largest_jump(record, resets)}."
    )
    return [Finding("seams", "error", (), evidence, f"{LEAVE_OUT}.", resets)]


def _within_episodes(record: Record, rows: Rows) -> Finding:
    evidence = (
        f"{len(rows)} rows within episodes are no step as the others are, in {OF_STATES:.0%} of "
        f"the states or more, as where a recording was begun anew; {_largest_jump(record, rows)}."
    )
    cure = f"{LEAVE_OUT}, or pass episodes and leave out the last row of each."
    return Finding("seams", "error", (), evidence, cure, rows)


def _lost(record: Record, usual: UsualSteps, far: Bools) -> list[Finding]:
    further, goes_on = _further(record, usual)
    marks = goes_on | far
    share = float(marks.mean())
    if not max(_LOST, _SOME / len(marks)) <= share <= _MANY_LOST:
        return []
    steps = ""
    if goes_on.any():
        median = float(np.median(1.0 + further[goes_on]))
        steps = f", but go as far as {_tables.number(median, 2)} of them in the median"
    evidence = (
        f"{np.count_nonzero(marks)} of {len(marks)} rows ({_tables.percent(share)}) are no step as "
        f"the others are{steps}."
    )
    cure = (
        f"{LEAVE_OUT}: rows were lost, and the next states taken from the rows below; log a "
        "counter to see where."
    )
    return [Finding("lost_steps", "error", (), evidence, cure, record.rows[marks])]


def _far(usual: UsualSteps) -> Bools:
    """Marks the rows (M,) at which most states are far off together."""
    states = usual.left.shape[1]
    limits = np.maximum(_OFF if states > 2 else _OFF_FEW, usual.tails)
    return np.asarray((usual.off > limits).sum(axis=1) >= OF_STATES * states)


def _jumps(record: Record, far: Bools) -> Bools:
    """Marks the rows (M,) that lead further than two steps do."""
    if far.all():
        return far
    usual = np.sqrt((record.changes[~far] ** 2).mean(axis=0))
    lengths = ((record.changes / np.where(usual > 0.0, usual, 1.0)) ** 2).sum(axis=1)
    return np.asarray(lengths > _LARGER**2 * np.quantile(lengths[~far], 0.99))


def _further(record: Record, usual: UsualSteps) -> tuple[Float64, Bools]:
    """Returns (M,) by how many more steps each row goes on as it began, and where it clearly does.

    The step that was lost is taken to be the mean of those that are predicted for the row and for
    the row below.
    """
    rows, predicted = record.rows, usual.predicted
    below = np.minimum(np.arange(len(rows)) + 1, len(rows) - 1)
    follows = (record.runs[rows[below]] == record.runs[rows])[:, None]
    step = np.where(follows, 0.5 * (predicted + predicted[below]), predicted)
    tiny = np.finfo(np.float64).tiny
    length = np.maximum((step**2).sum(axis=1), tiny)
    further = (usual.left * step).sum(axis=1) / length
    across = ((usual.left - further[:, None] * step) ** 2).sum(axis=1)
    whole = np.maximum((usual.left**2).sum(axis=1), tiny)
    clear = (further > _FURTHER[0]) & (further < _FURTHER[1])
    clear &= further * np.sqrt(length) > _DEVIATIONS
    return further, np.asarray(clear & (across < _ACROSS * whole))


def _largest_jump(record: Record, rows: Rows) -> str:
    data = record.data
    with np.errstate(over="ignore"):
        changes = apart(data.next_states, data.states, rows, rows, data.angles)
    row, state, size = largest(changes, data.states)
    return f"state {state} jumps most, by {size}, in row {rows[row]}"
