"""Rows that lead from the end of one recording to the begin of another."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dynaplan.data.suspect_joins import largest
from dynaplan.reports.doctor.findings import LEAVE_OUT, Finding
from dynaplan.reports.doctor.ordering import has_few_states
from dynaplan.reports.doctor.record import Record
from dynaplan.reports.doctor.regression import features

__all__ = ["seams"]

Float64 = NDArray[np.float64]
Rows = NDArray[np.intp]

_FEWEST = 100  # rows of which it can be told what steps of the system are like
# Of the rows, these are taken to be steps: a reset after 20 steps or more leaves as many.
_STEPS, _ROUNDS = 0.9, 3
# A reset moves most of the states: so many are off by 8 times what 9 of 10 rows are off by. Of
# normal noise that is 13 deviations. One or two states may do so by heavy tails alone, and are off
# further.
_OF_STATES, _OFF, _OFF_FEW = 0.6, 8.0, 25.0
# Some are larger changes too than all but one step in 100: else they are no matter to a fit.
_LARGER = 1.5
_LEAST = 1e-6  # of the deviation of the changes: what is less is rounding
_SOME, _MANY = 2, 0.08  # rows, and their share: what is more is a kind of motion


def seams(record: Record) -> list[Finding]:
    """Finds rows that lead across a reset: at the end of an episode, or within a log in one piece.

    The former lead exactly to the first state of the next episode. The latter are told by least
    squares of the changes on states and actions, from which the tenth of the rows that fits worst
    is left out, three times: most states are far off there together.
    """
    return [*_between_episodes(record), *_within_episodes(record)]


def _between_episodes(record: Record) -> list[Finding]:
    resets = record.joins.resets
    if not resets.size:
        return []
    evidence = (
        f"{len(resets)} rows lead from the end of an episode to the first state of the next one; "
        f"{_largest_jump(record, resets)}."
    )
    return [Finding("seams", "error", (), evidence, f"{LEAVE_OUT}.", resets)]


def _within_episodes(record: Record) -> list[Finding]:
    if len(record.rows) < _FEWEST or not len(record.varied[0]) or record.too_large:
        return []
    off = _off(record)
    states = off.shape[1]
    limits = np.maximum(_OFF if states > 2 else _OFF_FEW, _tails(off))
    far = (off > limits).sum(axis=1) >= _OF_STATES * states
    if not far.any() or far.all() or has_few_states(record.data):
        return []
    changes = np.abs(record.changes)
    large = changes > _LARGER * np.quantile(changes[~far], 0.99, axis=0)
    if np.count_nonzero(far & large.any(axis=1)) < _SOME or far.mean() > _MANY:
        return []
    rows = record.rows[far]
    evidence = (
        f"{len(rows)} rows within episodes are no step as the others are, in {_OF_STATES:.0%} of "
        f"the states or more, as where a recording was begun anew; {_largest_jump(record, rows)}."
    )
    cure = f"{LEAVE_OUT}, or pass episodes and leave out the last row of each."
    return [Finding("seams", "error", (), evidence, cure, rows)]


def _off(record: Record) -> Float64:
    """Returns (M, states) how far each step is off, in units of what 9 of 10 are off by at most."""
    states, actions, changes = record.states, record.actions, record.changes
    bases = [features(states, actions.shape[1], products=products) for products in (False, True)]
    usable = [np.hstack([base, actions]) for base in bases if base is not None]
    if not usable:
        return np.zeros_like(changes)
    inputs = usable[-1]
    size = changes.std(axis=0)
    size = np.where(size > 0.0, size, 1.0)
    targets, kept = changes / size, np.arange(len(changes))
    for _ in range(_ROUNDS):
        found = np.linalg.lstsq(inputs[kept], targets[kept], rcond=1e-10)[0]
        off = np.abs(targets - inputs @ found)
        off /= np.maximum(np.quantile(off, _STEPS, axis=0), _LEAST)
        score = np.sort(off, axis=1)[:, -int(np.ceil(_OF_STATES * off.shape[1]))]
        kept = np.flatnonzero(score <= np.quantile(score, _STEPS))
    return np.asarray(off)


def _tails(off: Float64) -> Float64:
    """Returns (states,) how far the worst of the rows is off by heavy tails, those of a power law.

    From one in 2 rows to one in 10 grows what a row is off by at most; and so on to one in all.
    """
    half, most = np.maximum(np.quantile(off, [0.5, _STEPS], axis=0), _LEAST)
    further = np.log(0.1 * len(off)) / np.log(5.0)
    return np.asarray((most / half) ** further)


def _largest_jump(record: Record, rows: Rows) -> str:
    data = record.data
    with np.errstate(over="ignore"):
        changes = np.abs(data.next_states[rows] - data.states[rows])
    row, state, size = largest(changes, data.states)
    return f"state {state} jumps most, by {size}, in row {rows[row]}"
