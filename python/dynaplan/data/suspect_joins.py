"""What is said of rows that do not follow each other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dynaplan import _warnings
from dynaplan.data.angles import Angles
from dynaplan.data.joins import Joins, apart
from dynaplan.errors import SuspectDataWarning

__all__ = ["largest", "warn_of_joins"]

Float64 = NDArray[np.float64]


def warn_of_joins(
    joins: Joins,
    states: Float64,
    next_states: Float64,
    angles: Angles,
    names: Sequence[str],
    *,
    cut: bool,
) -> None:
    """Warns of joins that are broken, and of next states that are the first ones after a reset.

    Args:
        joins: as measured.
        states: (N, S) of the same data.
        next_states: (N, S).
        angles: of the states.
        names: S, what the states are called.
        cut: whether the episodes are cut at broken joins, so that there is nothing to say of them.

    Warns:
        SuspectDataWarning: at the line outside of this package.
    """
    texts = []
    if joins.broken.size and (not cut or joins.shift is not None):
        texts.append(_text_of_broken(joins, states, names))
    if joins.resets.size:
        with np.errstate(over="ignore"):
            changes = apart(next_states, states, joins.resets, joins.resets, angles)
        texts.append(_text_of_resets(joins.resets, states, changes, names))
    for text in texts:
        _warnings.warn(text, SuspectDataWarning)


def _text_of_broken(joins: Joins, states: Float64, names: Sequence[str]) -> str:
    row, state, size = largest(joins.gaps, states)
    found = (
        f"next_states: {len(joins.broken)} of {joins.count} rows do not end where the row below "
        f"begins, in the same episode; {names[state]} jumps most, by {size}, from row "
        f"{joins.broken[row]} to row {joins.broken[row] + 1}"
    )
    if joins.shift is not None:
        below = {0: "states themselves", 2: "states two rows below", -1: "states one row above"}
        return f"{found}. They are the {below[joins.shift]}, must be those one row below"
    return (
        f'{found}. Rows are missing or out of order: use Transitions(..., gaps="split"), which '
        'cuts the episodes there; or gaps="ignore", if they do follow each other'
    )


def _text_of_resets(
    rows: NDArray[np.intp], states: Float64, changes: Float64, names: Sequence[str]
) -> str:
    row, state, size = largest(changes, states)
    return (
        f"next_states: {len(rows)} rows lead from the end of an episode to the first state of the "
        f"next one, which is no step of the system; {names[state]} jumps most, by {size}, in row "
        f"{rows[row]}. Leave these rows out, as data[~ends] with ends the episodes' last rows, or "
        "give the true last states"
    )


def largest(sizes: Float64, states: Float64) -> tuple[int, int, str]:
    """Returns row and column of the largest size in units of the states' spread, and its text."""
    unit = np.abs(states).max(axis=0)
    unit[unit == 0.0] = 1.0
    spread = unit * (states / unit).std(axis=0)
    # A state that never varied has no scale: any jump of it is the largest.
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        relative = np.where(sizes > 0.0, sizes / spread, 0.0)
    row, state = np.unravel_index(int(np.argmax(relative)), relative.shape)
    text = f"{sizes[row, state]:.4g}"
    if spread[state] > 0.0:
        text += f" ({relative[row, state]:.2g} standard deviations)"
    return int(row), int(state), text
