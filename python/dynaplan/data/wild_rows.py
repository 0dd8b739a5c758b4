"""Rows with a value far from all others, as of a sensor that fails for one step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dynaplan import _warnings
from dynaplan.data.angles import NO_ANGLES, Angles
from dynaplan.data.columns import Columns
from dynaplan.errors import SuspectDataWarning

__all__ = ["WildRows", "wild_rows"]

Float64 = NDArray[np.float64]

_FEWEST = 20  # values that vary, of which it can be told how they are spread
_SAMPLED = 16384  # rows from which quantiles are taken
_BEYOND = 10.0  # times the largest value to be expected
_SHARE = 0.01  # of the rows; what is more is a kind of motion
_NORMAL_MEDIAN = 0.6744897501960817  # of the size of a standard normal number
_NAMED = 10  # rows in a message
_AT_ONCE = 64  # rows that are reduced together: one by one takes ten times as long


@dataclass(frozen=True, slots=True, kw_only=True)
class WildRows:
    """Rows with a wild value.

    Attributes:
        rows: which ones.
        name: of the column of the wildest value, such as "state 2".
        column: ("states", 2) or ("actions", 0): the column itself.
        row: its row.
        value: itself.
        score: by how many robust standard deviations it is off the median.
    """

    rows: NDArray[np.intp]
    name: str = ""
    column: tuple[str, int] = ("states", 0)
    row: int = 0
    value: float = 0.0
    score: float = 0.0

    def warn(self) -> None:
        """Warns of the rows, if there are any.

        Warns:
            SuspectDataWarning: at the line outside of this package.
        """
        if not self.rows.size:
            return
        count, rows = len(self.rows), ", ".join(map(str, self.rows[:_NAMED].tolist()))
        rows += ", ..." if count > _NAMED else ""
        several = f"rows {rows} are" if count > 1 else f"row {rows} is"
        cut = f"data[np.delete(np.arange(len(data)), [{rows}])]"
        _warnings.warn(
            f"{self.name} is {self.value:.4g} in row {self.row}, {self.score:.2g} robust standard "
            f"deviations from its median: {several} unlike all others, and bend{'s' * (count == 1)}"
            f" a fit to all; leave {'them' if count > 1 else 'it'} out, as {cut}, or use "
            'fit a linear model or networks with loss="huber"',
            SuspectDataWarning,
        )


@np.errstate(over="ignore", invalid="ignore")  # of numbers at the ends of float64
def wild_rows(
    states: Float64,
    actions: Float64,
    next_states: Float64,
    angles: Angles = NO_ANGLES,
    labels: tuple[Sequence[str], Sequence[str]] | None = None,
) -> WildRows:
    """Finds rows with a value that is far beyond what the others let expect.

    How heavy the tails are is taken from the quantiles: the largest deviation from the median that
    is to be expected in all values of all columns is that of one in 100, times the ratio of it to
    that of one in 10 for each further factor of 10 (Weissman's estimator for tails of a power law).
    A value is wild ten times further out (more where there are few rows); and, of a state, if it
    gets there in one step from within, or back: what diverges in many steps is a motion. Where
    there are more of them than one row in 100 they are one too.

    Args:
        states: (N, S), finite.
        actions: (N, A), finite.
        next_states: (N, S), finite.
        angles: of the states; within a range no value is wild.
        labels: what states and actions are called. Default: by their numbers.

    Source: Weissman 1978, "Estimation of parameters and large quantiles based on the k largest
    observations".
    """
    states, next_states = angles.without_ranges(states), angles.without_ranges(next_states)
    most = max(4, int(_SHARE * len(states)))
    found: list[WildRows] = []
    columns = states.shape[1] + actions.shape[1]
    if labels is None:
        labels = Columns().labels(states.shape[1], actions.shape[1])
    sides = {"states": (states, next_states), "actions": (actions,)}
    for names, (kind, arrays) in zip(labels, sides.items(), strict=True):
        low, high = _extremes(arrays)
        for column in range(len(low)):
            spread = _spread_of(arrays[0][:, column], columns)
            if spread is None or spread.holds(low[column], high[column]):
                continue
            values = np.array([array[:, column] for array in arrays])
            limits = _limits_of(values, spread, columns)
            rows = spread.wild(values, limits)
            if 0 < len(rows) <= most:
                wild = spread.described(rows, values[:, rows])
                found.append(replace(wild, name=names[column], column=(kind, column)))
    if not found:
        return WildRows(rows=np.empty(0, np.intp))
    rows = np.unique(np.concatenate([one.rows for one in found]))
    return replace(max(found, key=lambda one: one.score), rows=rows)


@dataclass(frozen=True, slots=True)
class _Spread:
    """How the values of a column are spread.

    Attributes:
        median: of them.
        deviation: robust standard deviation.
        limit: deviation from the median beyond which a value is wild.
    """

    median: float
    deviation: float
    limit: float

    def holds(self, low: float, high: float) -> bool:
        """Returns whether nothing between low and high is wild."""
        return max(high - self.median, self.median - low) <= self.limit

    def wild(self, values: Float64, limits: Float64) -> NDArray[np.intp]:
        """Returns the rows of which one of the values (1 or 2, N) is wild, and no other is near.

        `limits` (1 or 2, 1) are those of the arrays that the values are from.
        """
        away = self._away(values)
        is_wild = (away > limits).any(axis=0)
        if len(away) > 1:
            is_wild &= (away <= limits / _BEYOND).any(axis=0)
        return np.flatnonzero(is_wild)

    def described(self, rows: NDArray[np.intp], values: Float64) -> WildRows:
        """Returns the rows with the wildest of their values (1 or 2, rows)."""
        away = self._away(values)
        which, place = np.unravel_index(int(np.argmax(away)), away.shape)
        return WildRows(
            rows=rows,
            row=int(rows[place]),
            value=float(values[which, place]),
            score=float(away[which, place] / self.deviation),
        )

    def _away(self, values: Float64) -> Float64:
        return np.abs(values - self.median)


def _spread_of(values: Float64, columns: int) -> _Spread | None:
    """Returns how the values (N,) of one of so many columns are spread; None: too few vary."""
    step = len(values) // _SAMPLED + 1
    few = values[::step]
    median = float(np.median(few))
    away = np.abs(few - median)
    away = away[away > 0.0]
    if len(away) < _FEWEST:
        return None
    # Of few, the one in 100 is the second largest: the largest may be what is looked for.
    places = [int(p * (len(away) - 1)) for p in (0.5, 0.9, 0.99)]
    half, tenth, hundredth = np.partition(away, places)[places]
    count = step * len(away)
    decades = max(0.0, np.log10(count * columns / 100.0))
    beyond = _BEYOND * (1.0 + 100.0 / count)
    limit = float(beyond * hundredth * (hundredth / tenth) ** decades)
    return _Spread(median, float(half / _NORMAL_MEDIAN), limit)


def _limits_of(values: Float64, spread: _Spread, columns: int) -> Float64:
    """Returns (1 or 2, 1) the limits of a column's values (1 or 2, N), whose first have the spread.

    Where states lead further than they begin, as those drawn at random of an unstable system do,
    it is the spread of the next states that counts.
    """
    limits = np.full((len(values), 1), spread.limit)
    for place, others in enumerate(values[1:], 1):
        own = _spread_of(others, columns)
        if own is not None:
            limits[place] = max(spread.limit, own.limit)
    return limits


def _extremes(arrays: tuple[Float64, ...]) -> tuple[Float64, Float64]:
    """Returns the smallest and largest values of the columns of all arrays."""
    low, high = [], []
    for array in arrays:
        rows, columns = array.shape
        whole = rows - rows % _AT_ONCE
        parts = [array[whole:]]
        if whole:
            wide = array[:whole].reshape(-1, _AT_ONCE * columns)
            ends = np.concatenate([wide.min(axis=0), wide.max(axis=0)])
            parts.append(ends.reshape(-1, columns))
        kept = np.concatenate(parts)
        low.append(kept.min(axis=0))
        high.append(kept.max(axis=0))
    return np.min(low, axis=0), np.max(high, axis=0)
