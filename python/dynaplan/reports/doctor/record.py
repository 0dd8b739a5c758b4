"""A log as the checks look at it: which rows belong together, and an excerpt in common units."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dynaplan.data import rows
from dynaplan.data.joins import Joins, measured_joins
from dynaplan.data.transitions import Transitions
from dynaplan.data.wild_rows import WildRows, wild_rows

__all__ = ["Record", "is_one_hot", "spread_of"]

Float64 = NDArray[np.float64]
Rows = NDArray[np.intp]

# Of longer logs so many stretches of so many rows each are looked at, evenly spaced, where a check
# is a regression. A share is then known to 0.3 %, and delays need rows that follow each other.
_STRETCHES, _STRETCH = 32, 1024
# Of values whose differences are rounding: of float64, where one was subtracted from another.
_ROUNDING = 4 * float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Record:
    """A log with what several checks need to know of it, each worked out once.

    Attributes:
        data: the log.
        earlier_actions: of each action how many of its earlier values the states of the log hold;
            those of a history are no states of data.
    """

    data: Transitions
    earlier_actions: tuple[int, ...] = ()

    @cached_property
    def joins(self) -> Joins:
        """Where rows of an episode do not follow each other."""
        data = self.data
        path = data.states, data.next_states
        return measured_joins(*path, data.terminations, data.episodes, data.angles)

    @cached_property
    def wild(self) -> WildRows:
        """Rows with a wild value."""
        data = self.data
        return wild_rows(data.states, data.actions, data.next_states, data.angles)

    @cached_property
    def runs(self) -> NDArray[np.int64]:
        """(N,) ids of the unbroken runs of rows: segments, whether or not they were looked for."""
        return rows.cut_ids(self.data.segments, self.joins.cuts)

    @cached_property
    def rows(self) -> Rows:
        """(M,) rows of the excerpt, in their order, without wild ones and seams."""
        count = len(self.data)
        if count <= _STRETCHES * _STRETCH:
            chosen = np.arange(count)
        else:
            first = np.linspace(0, count - _STRETCH, _STRETCHES).astype(np.intp)
            chosen = (first[:, None] + np.arange(_STRETCH)).ravel()
        return np.setdiff1d(chosen, np.union1d(self.wild.rows, self.joins.resets))

    @cached_property
    def rows_before(self) -> Rows:
        """(M,) how many rows of its run are before each row of the excerpt."""
        heads = rows.starts(self.runs)
        return self.rows - heads[np.searchsorted(heads, self.rows, side="right") - 1]

    @cached_property
    def rows_after(self) -> Rows:
        """(M,) how many rows of its run are after each row of the excerpt."""
        ends = np.append(rows.starts(self.runs)[1:], len(self.data))
        return ends[np.searchsorted(ends, self.rows, side="right")] - 1 - self.rows

    @cached_property
    def spreads(self) -> tuple[Float64, Float64]:
        """(S,) of the states and (A,) of the actions in the excerpt; 0 of those that never vary.

        Of angles it is that about their circular mean. Known states, in which there is nothing to
        find that is not in others, count as if they never varied.
        """
        centred = self.data.angles.about_mean(self.data.states[self.rows])
        spreads = self.data.known.without(spread_of(centred))
        return spreads, spread_of(self.data.actions[self.rows])

    @cached_property
    def varied(self) -> tuple[Rows, Rows]:
        """Which states and which actions vary."""
        states, actions = (np.flatnonzero(spread > 0.0) for spread in self.spreads)
        return states, actions

    @cached_property
    def states(self) -> Float64:
        """(M, varied states) of the excerpt, in deviations from their mean."""
        columns, _ = self.varied
        return _scaled(self.data.states[self.rows][:, columns], self.spreads[0][columns])

    @cached_property
    def inputs(self) -> Float64:
        """(M, varied states + angles) for regressions: sines in place of angles, then cosines."""
        columns, _ = self.varied
        angles = self.data.angles.among(columns, np.ones(len(columns)))
        if not angles or self.too_large:
            return self.states
        turns = 2.0 * np.pi / angles.period
        turned = self.data.states[self.rows][:, columns[angles.columns]] * turns
        found, sines, cosines = self.states.copy(), np.sin(turned), np.cos(turned)
        found[:, angles.columns] = _scaled(sines, _or_one(spread_of(sines)))
        return np.hstack([found, _scaled(cosines, _or_one(spread_of(cosines)))])

    @cached_property
    def actions(self) -> Float64:
        """(M, varied actions) of the excerpt, in deviations from their mean."""
        _, columns = self.varied
        return _scaled(self.data.actions[self.rows][:, columns], self.spreads[1][columns])

    @cached_property
    def changes(self) -> Float64:
        """(M, varied states) changes over one step in the excerpt, in the states' spreads."""
        columns, _ = self.varied
        return self.steps[:, columns] / self.spreads[0][columns]

    @cached_property
    def steps(self) -> Float64:
        """(M, S) changes over one step in the excerpt, those of angles the short way round."""
        data = self.data
        with np.errstate(over="ignore"):  # of numbers at the ends of float64
            return data.angles.short_way(data.next_states[self.rows] - data.states[self.rows])

    @cached_property
    def too_large(self) -> bool:
        """Whether there are numbers beyond any scale, of which no regression is made."""
        arrays = self.states, self.actions, self.changes
        return not all(np.isfinite(values).all() for values in arrays)

    @cached_property
    def has_choices(self) -> bool:
        """Whether the actions are one-hot rows: discrete."""
        return is_one_hot(self.data.actions[self.rows])


def is_one_hot(actions: Float64) -> bool:
    """Returns whether rows (N, A) have one entry that is 1, and else zeros."""
    if actions.shape[1] < 2 or not len(actions):
        return False
    return bool(((actions == 0.0) | (actions == 1.0)).all() and (actions.sum(axis=1) == 1.0).all())


def spread_of(values: Float64) -> Float64:
    """Returns (columns,) standard deviations of (N, columns); 0 where all is but rounding."""
    if not len(values):
        return np.zeros(values.shape[1])
    largest = np.abs(values).max(axis=0)
    unit = np.where(largest > 0.0, largest, 1.0)
    scaled = values / unit
    spread = np.where(np.ptp(scaled, axis=0) > _ROUNDING, scaled.std(axis=0), 0.0)
    found: Float64 = unit * spread
    return found


def _or_one(spread: Float64) -> Float64:
    return np.where(spread > 0.0, spread, 1.0)


def _scaled(values: Float64, spread: Float64) -> Float64:
    with np.errstate(over="ignore", invalid="ignore"):
        centre = values[:1] + (values - values[:1]).mean(axis=0)
        scaled: Float64 = (values - centre) / spread
    return scaled
