"""Whether rows follow each other: jumps from a next state to the state of the row below.

Three faults look alike in a score, and in none of them is the model to blame: rows that were lost
or reordered, next states built from the wrong row, and next states that are the first state after
a reset.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dynaplan.data.angles import NO_ANGLES, Angles

__all__ = ["Joins", "apart", "measured_joins", "rounding_of"]

Float64 = NDArray[np.float64]
Bools = NDArray[np.bool_]

# Of states that are the same, one of them rounded to float32; and what is no jump to any score in
# units of the spread.
_ROUNDING, _SHARE_OF_RANGE = 2.0**-23, 1e-5
# Of the joins, where states are measured once: noise repeats itself less often, or not as nearly.
_EXACT, _ROUNDED = 0.05, 0.5
_DEVIATIONS = 8.0  # of normal noise, a billion joins have none beyond 6.5
# Noise with heavy tails has some such jumps: they are told if they are as many, or as large.
_MANY, _LARGE = 0.01, 4.0
_SAMPLED = 16384  # rows from which medians are taken
_OTHER_ROWS = (0, 2, -1)  # next states that were built from a row other than the one below
_RARE = 0.01  # share of the changes within episodes that are larger than what counts as a reset


@dataclass(frozen=True, slots=True, kw_only=True)
class Joins:
    """Where the rows of a data set do not follow each other.

    Attributes:
        count: joins: pairs of rows below each other in one episode.
        broken: rows that do not end where the row below begins, in its episode.
        gaps: (broken, S) by how much.
        shift: next states are exactly the states so many rows below, and not 1; None: they are not.
        resets: rows whose next state is the first one of another episode.
    """

    count: int
    broken: NDArray[np.intp]
    gaps: Float64
    shift: int | None
    resets: NDArray[np.intp]

    @property
    def cuts(self) -> NDArray[np.intp]:
        """Rows after which nothing follows: what lies on both sides of a reset stands alone."""
        return np.concatenate([self.broken, self.resets, self.resets[self.resets > 0] - 1])


def rounding_of(states: Float64) -> Float64:
    """Returns (S,) the largest difference that is none, wherever the origin is.

    A few wild values do not make it larger.
    """
    return np.add(*_roundings(states))


def _roundings(states: Float64) -> tuple[Float64, Float64]:
    """Returns (S,) the most that float32 rounds, and what is nothing beside the range."""
    few = states[_sampled(np.arange(len(states)))]
    low, high = np.quantile(few, [0.01, 0.99], axis=0, method="nearest")
    largest = np.maximum(np.abs(low), np.abs(high))
    return _ROUNDING * largest, _SHARE_OF_RANGE * high - _SHARE_OF_RANGE * low


@np.errstate(over="ignore")  # of numbers at the ends of float64
def measured_joins(
    states: Float64,
    next_states: Float64,
    terminations: Bools,
    ids: NDArray[np.int64],
    angles: Angles = NO_ANGLES,
) -> Joins:
    """Finds the rows that do not follow each other.

    Where at least one join in 20 is exact the states were measured once, and every other join is
    broken, but for rounding. Else both may be measured, with noise of their own. That noise is in
    the change over one step too: where a median join is wider than twice the median change, it is
    no noise, and all are broken. Else the noise is taken from the smaller of the two medians. A
    join is broken where it is eight deviations wide (more in few rows) and no less than the median
    change, and both the states and the next states have moved by half as much: a single wild
    measurement moves one of them.

    Args:
        states: (N, S), finite.
        next_states: (N, S), finite.
        terminations: (N,).
        ids: (N,) of episodes; equal ones are adjacent.
        angles: of the states.
    """
    inside = ids[1:] == ids[:-1]
    broken, shift = _rows_of(next_states[:-1] != states[1:], inside), None
    if broken.size:
        broken, shift = _broken((states, next_states, angles), ids, inside, broken)
    ends = np.flatnonzero(~inside | terminations[:-1])
    return Joins(
        count=int(np.count_nonzero(inside)),
        broken=broken,
        gaps=apart(next_states, states, broken, broken + 1, angles),
        shift=shift,
        resets=_resets(states, next_states, ends, angles),
    )


def _broken(
    path: tuple[Float64, Float64, Angles],
    ids: NDArray[np.int64],
    inside: Bools,
    unequal: NDArray[np.intp],
) -> tuple[NDArray[np.intp], int | None]:
    """Returns those of the unequal rows that neither rounding nor noise explains, and the shift."""
    states, next_states, angles = path
    count, sampled = int(np.count_nonzero(inside)), _sampled(unequal)
    widths = apart(next_states, states, sampled, sampled + 1, angles)
    of_floats, of_range = _roundings(states)
    limit, shift = of_floats + of_range, None
    differ = (widths > of_floats).any(axis=1).mean() * len(unequal)
    has_noise = len(unequal) > (1.0 - _EXACT) * count and differ > (1.0 - _ROUNDED) * count
    if has_noise:
        shift = _shift_of(states, next_states, ids)
        noise = None if shift is not None else _noise_limit(path, widths, count)
        has_noise = noise is not None
        limit = limit if noise is None else np.maximum(limit, noise)
    gaps = np.abs(angles.short_way(next_states[:-1] - states[1:]))
    broken = _rows_of(gaps > limit, inside)
    # The values there may be larger than elsewhere.
    of_floats = _ROUNDING * np.abs(next_states[broken])
    broken = broken[(gaps[broken] > of_floats).any(axis=1)]
    if has_noise:
        broken = _beyond_noise(path, broken, limit, count)
    return broken, shift


def _rows_of(marks: Bools, inside: Bools) -> NDArray[np.intp]:
    """Returns the rows (N - 1, S) with a mark that are inside an episode."""
    marked = np.zeros(len(marks), np.bool_)
    marked[np.flatnonzero(marks) // marks.shape[1]] = True
    return np.flatnonzero(marked & inside)


def apart(
    first: Float64,
    second: Float64,
    rows: NDArray[np.intp],
    others: NDArray[np.intp],
    angles: Angles,
) -> Float64:
    """Returns (rows, S) how far apart some rows of two arrays are."""
    return np.abs(angles.short_way(first[rows] - second[others]))


def _sampled(rows: NDArray[np.intp]) -> NDArray[np.intp]:
    """Returns some of the rows, evenly spaced."""
    return rows[:: len(rows) // _SAMPLED + 1]


def _shift_of(states: Float64, next_states: Float64, ids: NDArray[np.int64]) -> int | None:
    """Returns how many rows below the next states come from, where most are found there."""
    rows = _sampled(np.arange(len(states)))
    for shift in _OTHER_ROWS:
        there = rows[(rows + shift >= 0) & (rows + shift < len(ids))]
        there = there[ids[there] == ids[there + shift]]
        same = (next_states[there] == states[there + shift]).all(axis=1)
        if 2 * np.count_nonzero(same) > len(there) > 0:
            return shift
    return None


def _noise_limit(
    path: tuple[Float64, Float64, Angles], widths: Float64, count: int
) -> Float64 | None:
    """Returns (S,) what the noise of measuring a state twice does not reach; None if it is none."""
    states, next_states, angles = path
    sampled = _sampled(np.arange(len(states)))
    change = _typical(apart(next_states, states, sampled, sampled, angles))
    width = _typical(widths)
    few = 1.0 + 10.0 / count  # whose medians may be far from the truth
    if ((width > 2.0 * few * change) & np.isfinite(width)).any():
        return None
    limit: Float64 = np.maximum(_DEVIATIONS * few * 1.4826 * np.minimum(width, change), change)
    return limit


def _beyond_noise(
    path: tuple[Float64, Float64, Angles], broken: NDArray[np.intp], limit: Float64, count: int
) -> NDArray[np.intp]:
    """Returns the joins wider than the limit at which the states, and the next states, move too.

    A single wild measurement is in one of the two, and does not stay.
    """
    states, next_states, angles = path
    widths = apart(next_states, states, broken, broken + 1, angles)
    moved = widths > limit
    for each in (states, next_states):
        moved &= apart(each, each, broken, broken + 1, angles) >= 0.5 * widths
    if np.count_nonzero(moved.any(axis=1)) < max(2.0, _MANY * count):
        moved &= widths > _LARGE * limit
    return broken[moved.any(axis=1)]


def _typical(sizes: Float64) -> Float64:
    """Returns (S,) the median of those that are not 0, or infinity."""
    return np.array([np.median(size[size > 0.0]) if size.any() else np.inf for size in sizes.T])


def _resets(
    states: Float64, next_states: Float64, ends: NDArray[np.intp], angles: Angles
) -> NDArray[np.intp]:
    """Returns the rows at the end of an episode that lead to the first state of the next one.

    It must be exactly that state, which it also is where a long run was cut by hand; but then it is
    a change as any other. They are told from the rest if one in 8, and two, are larger than all but
    one change in 100.
    """
    none = ends[:0]
    ends = ends[(next_states[ends] == states[ends + 1]).all(axis=1)]
    others = np.setdiff1d(_sampled(np.arange(len(states))), ends)
    if not ends.size or not others.size:
        return none
    changes = apart(next_states, states, others, others, angles)
    level = np.quantile(changes, 1.0 - _RARE / states.shape[1], axis=0, method="higher")
    # Of one row alone it takes more to tell.
    factor = 1.5 if len(ends) > 1 else 4.0
    jumps = apart(next_states, states, ends, ends, angles) > np.maximum(
        factor * level, rounding_of(states)
    )
    found = np.count_nonzero(jumps.any(axis=1))
    return ends if found >= max(min(2, len(ends)), len(ends) / 8) else none
