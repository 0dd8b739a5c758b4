"""How far open-loop predictions, and the prediction that nothing changes, are off after k steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynaplan.data.angles import NO_ANGLES, Angles
from dynaplan.data.known_states import NO_KNOWN_STATES, KnownStates
from dynaplan.data.rows import ends_of
from dynaplan.data.transitions import Transitions
from dynaplan.models.interface import Model
from dynaplan.rollouts.rollout import rollout

__all__ = ["RUN_AWAY", "STARTS_AT_ONCE", "Ahead", "Differences", "Scale", "add_by_group"]
__all__ += ["changes", "open_loop_errors", "quantile", "squared"]

STARTS_AT_ONCE = 4096  # bounds the memory of the trajectories
RUN_AWAY = 100.0  # spreads of the data: no prediction any more
_MAX_NUDGED = 256
_MIN_NUDGED_SPACING = 8  # so that nudged starts add an eighth of the time at most

Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class Scale:
    """The lengths in which differences between states are counted.

    Attributes:
        unit: (S,) standard deviation of each state; of one that never varied another length.
        weights: (S,) of the states in the mean over them, 0 for those that never varied, and for
            known ones, which only repeat the errors of others.
        angles: the states whose differences go the short way round.
    """

    unit: Float64
    weights: Float64
    angles: Angles = NO_ANGLES

    @staticmethod
    def of(
        states: Float64,
        spread: Float64,
        angles: Angles = NO_ANGLES,
        known: KnownStates = NO_KNOWN_STATES,
    ) -> Scale:
        """Returns the scale of states (N, S) with this standard deviation (S,)."""
        learned = known.learned(len(spread))
        counted = (spread > 0.0) & learned
        if not counted.any():
            return Scale(np.ones_like(spread), learned / np.count_nonzero(learned), angles)
        largest = np.abs(states).max(axis=0)
        unit = np.where(spread > 0.0, spread, np.where(largest > 0.0, largest, 1.0))
        return Scale(unit, counted / np.count_nonzero(counted), angles)

    def size(self, squares: Float64) -> Float64:
        """Returns (...) root mean squares over the states of (..., S) squares in squared units."""
        with np.errstate(over="ignore", invalid="ignore"):
            size: Float64 = np.sqrt(squares @ self.weights)
        size[np.isnan(size)] = np.inf  # a diverged rollout is infinitely wrong
        return size


@dataclass(frozen=True)
class Ahead:
    """Which rows follow each row of a data set, up to the end of its segment.

    Attributes:
        ends: (N,) the first row beyond the segment of each row.
        steps: (K,) 0 ... K - 1.
        reached: (N, K) whether the segment is that long.
    """

    ends: NDArray[np.int64]
    steps: NDArray[np.int64]
    reached: NDArray[np.bool_]

    @staticmethod
    def of(data: Transitions, horizon: int) -> Ahead:
        """Returns what follows, at most `horizon` rows of it."""
        ends = ends_of(data.segments)
        left = ends - np.arange(len(data))
        steps = np.arange(min(horizon, int(left.max())))
        return Ahead(ends, steps, steps < left[:, None])

    def rows(self, some: slice) -> NDArray[np.int64]:
        """Returns (n, K) rows of the steps ahead of some rows; the last of a segment repeats."""
        rows: NDArray[np.int64] = np.arange(len(self.ends))[some, None] + self.steps
        return np.minimum(rows, self.ends[some, None] - 1)


@dataclass(frozen=True)
class Differences:
    """How far states are from what was predicted, after k steps.

    Attributes:
        size: (N, K) root mean squares over the states, in the scale's units.
        reached: (N, K) which of them lie within a segment.
        mean_squares: (K, S) of each state over the starts, in squared units.
        start_noise: (K, S) mean squares by which noise of the starts moves the predictions.
        group_squares: (G, K, S) sums of the squares of each group of starts, in squared units.
    """

    size: Float64
    reached: NDArray[np.bool_]
    mean_squares: Float64
    start_noise: Float64
    group_squares: Float64


def open_loop_errors(
    model: Model,
    data: Transitions,
    ahead: Ahead,
    scale: Scale,
    noise: Float64,
    *,
    groups: NDArray[np.int64],
    threads: int,
) -> Differences:
    """Rolls the model out from every row, under the actions that were applied.

    Args:
        model: the model.
        data: where it starts, and what it is compared with.
        ahead: what follows each row.
        scale: of the states.
        noise: (S,) variance of the noise in the states, in squared units. To see how far it moves
            the predictions, some starts are rolled out again with one state off by its deviation.
        groups: (N,) numbers of the groups that the starts are of, from 0.
        threads: threads to use.
    """
    size = np.empty(ahead.reached.shape)
    group_squares = np.zeros((int(groups.max()) + 1, len(ahead.steps), data.state_dim))
    nudges = _Nudges.of(noise, len(data))
    moved = np.zeros_like(group_squares[0])
    for first in range(0, len(data), STARTS_AT_ONCE):
        some = slice(first, first + STARTS_AT_ONCE)
        rows = ahead.rows(some)
        starts, actions = data.states[some], data.actions[rows]
        local = nudges.within(first, len(starts))
        if len(local):
            also = starts[local] + nudges.offsets(local + first) * scale.unit
            starts = np.concatenate([starts, also])
            actions = np.concatenate([actions, actions[local]])
        paths = rollout(model, starts, actions, threads=threads)[:, 1:]
        count, reached = len(rows), ahead.reached[some]
        if len(local):
            with np.errstate(invalid="ignore"):  # of two that diverge
                apart = paths[count:] - paths[local]
            moved += _summed(squared(apart, reached[local], scale))
        difference = squared(paths[:count] - data.next_states[rows], reached, scale)
        size[some] = scale.size(difference)
        add_by_group(group_squares, difference, groups[some])
    starts_left = ahead.reached.sum(axis=0)[:, None]
    nudged_left = np.maximum(1, ahead.reached[nudges.rows].sum(axis=0))[:, None]
    return Differences(
        size,
        ahead.reached,
        _no_nan(_summed(group_squares) / starts_left),
        nudges.axes.size * moved / nudged_left,
        _no_nan(group_squares),
    )


def changes(data: Transitions, ahead: Ahead, scale: Scale) -> Differences:
    """Returns how far the states move: how wrong it is that nothing changes."""
    size = np.empty(ahead.reached.shape)
    squares = np.zeros((len(ahead.steps), data.state_dim))
    for first in range(0, len(data), STARTS_AT_ONCE):
        some = slice(first, first + STARTS_AT_ONCE)
        stayed = data.next_states[ahead.rows(some)] - data.states[some, np.newaxis]
        difference = squared(stayed, ahead.reached[some], scale)
        size[some] = scale.size(difference)
        squares += _summed(difference)
    mean_squares = _no_nan(squares / ahead.reached.sum(axis=0)[:, None])
    return Differences(size, ahead.reached, mean_squares, np.zeros_like(squares), squares[None])


def quantile(values: Float64, reached: NDArray[np.bool_], *levels: float) -> list[Float64]:
    """Returns for each level (K,) quantiles of the columns of (N, K), where they are reached.

    They are values that occurred (the higher of two), so that infinite ones do not become nan.
    """
    ordered = np.where(reached, values, np.nan).T.copy()
    ordered.sort(axis=1)  # nan last
    last = reached.sum(axis=0) - 1
    columns = np.arange(len(last))
    return [ordered[columns, np.ceil(level * last).astype(np.intp)] for level in levels]


@dataclass(frozen=True)
class _Nudges:
    """Starts that are also rolled out with one of their states a little off.

    Attributes:
        rows: (M,) which ones, in their order.
        axes: the states that are noisy; the nudged starts take them in turns.
        deviation: (S,) by how much, in the scale's units.
    """

    rows: NDArray[np.intp]
    axes: NDArray[np.intp]
    deviation: Float64

    @staticmethod
    def of(noise: Float64, count: int) -> _Nudges:
        axes = np.flatnonzero(noise > 0.0)
        rows = np.arange(0, count, max(_MIN_NUDGED_SPACING, count // _MAX_NUDGED))
        whole = len(rows) // max(1, axes.size) * axes.size  # each state as often
        return _Nudges(rows[:whole], axes, np.sqrt(noise))

    def within(self, first: int, count: int) -> NDArray[np.intp]:
        """Returns which of the rows `first` ... are nudged, counted from there."""
        some = self.rows[(self.rows >= first) & (self.rows < first + count)]
        return some - first

    def offsets(self, rows: NDArray[np.intp]) -> Float64:
        """Returns (M, S) by how much these rows are moved."""
        axes = self.axes[np.searchsorted(self.rows, rows) % self.axes.size]
        offsets = np.zeros((len(rows), len(self.deviation)))
        offsets[np.arange(len(rows)), axes] = self.deviation[axes]
        return offsets


def squared(difference: Float64, reached: NDArray[np.bool_], scale: Scale) -> Float64:
    """Returns squares of differences (N, K, S) in squared units, 0 where not reached; in place."""
    difference[~reached] = 0.0
    scale.angles.short_way(difference)
    with np.errstate(over="ignore", invalid="ignore"):
        np.divide(difference, scale.unit, out=difference)
        np.square(difference, out=difference)
    return difference


def add_by_group(totals: Float64, values: NDArray[Any], groups: NDArray[np.int64]) -> None:
    """Adds values (n, ...) to the sums (G, ...) of the groups of their starts, in place."""
    runs = np.flatnonzero(np.concatenate([[True], groups[1:] != groups[:-1]]))
    with np.errstate(over="ignore", invalid="ignore"):  # of a prediction that diverges
        sums = np.add.reduceat(values, runs, axis=0, dtype=np.float64)
        np.add.at(totals, groups[runs], sums)


def _summed(squares: Float64) -> Float64:
    with np.errstate(over="ignore"):  # of a prediction that diverges
        total: Float64 = squares.sum(axis=0)
    return total


def _no_nan(squares: Float64) -> Float64:
    return np.where(np.isnan(squares), np.inf, squares)
