"""Errors of several models from the same starts: which differences are more than chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dynaplan.rollouts.error_ratio import draws_of, grouped, interval
from dynaplan.rollouts.open_loop import RUN_AWAY, add_by_group

__all__ = ["Draws", "ModelErrors", "drawn_units", "pieces_of", "units_of"]

_MIN_UNITS = 5
_PIECES = 16
_DRAWS = 1000
# No more is counted of an episode in which a model fails, so that one does not decide all. As much
# as this, since the ratio of two squares of equal size, each of few starts, is then 1 on average:
# log 3 for chi squared ones of two degrees of freedom.
_MAX_SQUARE = 2.0
_LARGEST = 1e140  # whose squares can be summed up
_ROUNDING = 1e-12  # squared; an error of a millionth is none

Float64 = NDArray[np.float64]


def units_of(ids: NDArray[np.int64], steps: int) -> NDArray[np.int64]:
    """Returns (N,) numbers from 0 of what is drawn with replacement: groups of rows, or pieces.

    Groups are taken whole where there are five or more; of fewer, pieces of at least as many rows
    as steps are looked ahead, some sixteen in all.

    Args:
        ids: (N,) of the groups.
        steps: K.
    """
    units = grouped(ids)
    sizes = np.bincount(units)
    if len(sizes) >= _MIN_UNITS:
        return units
    length = max(steps, -(-len(ids) // _PIECES))
    return pieces_of(units, np.maximum(1, sizes // length))


def pieces_of(groups: NDArray[np.int64], pieces: NDArray[np.int64]) -> NDArray[np.int64]:
    """Returns (N,) numbers from 0 of pieces.

    Args:
        groups: (N,) of the rows, numbered from 0. The rows of one need not be adjacent.
        pieces: (G,) into which each is cut.
    """
    sizes = np.bincount(groups)
    order = np.argsort(groups, kind="stable")
    places = np.empty(len(groups), np.int64)
    places[order] = np.concatenate([np.arange(size) for size in sizes])
    first = np.concatenate([[0], np.cumsum(pieces)[:-1]])
    found: NDArray[np.int64] = first[groups] + places * pieces[groups] // sizes[groups]
    return found


@dataclass(frozen=True)
class ModelErrors:
    """The errors of one model, or of a baseline, over all steps ahead.

    Attributes:
        sums: (U, K) mean squared errors of each unit over its mean squared changes after as many
            steps, at most 2, times the number of starts.
        counts: (U, K) number of starts.
        run_away: share of the starts from which the error exceeds 100 spreads of the data.
    """

    sums: Float64
    counts: Float64
    run_away: float

    @staticmethod
    def of(
        size: Float64, change: Float64, reached: NDArray[np.bool_], units: NDArray[np.int64]
    ) -> ModelErrors:
        """Sums errors up.

        Args:
            size: (N, K) root mean squares of the errors over the states, in spreads of the data.
            change: (N, K) the same of the changes from the same starts.
            reached: (N, K) which of them lie within a segment.
            units: (N,) as of `units_of`.
        """
        errors, changes = (_by_unit(values, reached, units) for values in (size, change))
        counts = _by_unit(np.ones_like(size), reached, units)
        changes = np.maximum(changes, _ROUNDING * counts)  # of a system at rest
        ratio = np.divide(errors, changes, out=np.zeros_like(errors), where=counts > 0.0)
        away = ((size > RUN_AWAY) & reached).any(axis=1)
        return ModelErrors(np.minimum(ratio, _MAX_SQUARE) * counts, counts, float(away.mean()))

    def square(self, drawn: Float64) -> Float64:
        """Returns (draws,) the mean over the steps of the mean squared errors after each.

        Args:
            drawn: (draws, U) how often each unit is drawn. A step that no unit of a draw reaches
                does not count.
        """
        sums, counts = drawn @ self.sums, drawn @ self.counts
        means = np.divide(sums, counts, out=np.zeros_like(sums), where=counts > 0.0)
        square: Float64 = means.sum(axis=1) / np.maximum(1, np.count_nonzero(counts, axis=1))
        return square

    @property
    def error(self) -> float:
        """The root of that over all starts: 1 is as wrong as that nothing changes."""
        return float(np.sqrt(self.square(np.ones((1, len(self.sums))))[0]))


def _by_unit(size: Float64, reached: NDArray[np.bool_], units: NDArray[np.int64]) -> Float64:
    """Returns (U, K) sums of squares."""
    sums = np.zeros((int(units.max()) + 1, size.shape[1]))
    with np.errstate(over="ignore"):
        add_by_group(sums, np.where(reached, np.minimum(size, _LARGEST) ** 2, 0.0), units)
    return sums


class Draws(NamedTuple):
    """Units drawn with replacement, the same for every model.

    Attributes:
        drawn: (draws, U) how often each was drawn, or None of one unit.
    """

    drawn: Float64 | None

    def interval(self, errors: ModelErrors) -> tuple[float, float] | None:
        """Returns 5 and 95 % quantiles of the error over the draws."""
        if self.drawn is None:
            return None
        low, high = interval(np.sqrt(self.square(errors)))
        return min(float(low), errors.error), max(float(high), errors.error)

    def square(self, errors: ModelErrors) -> Float64:
        """Returns (draws,) mean squared errors; of one unit the one that there is."""
        drawn = np.ones((1, len(errors.sums))) if self.drawn is None else self.drawn
        return errors.square(drawn)

    def as_good(self, errors: ModelErrors, others: ModelErrors) -> float:
        """Returns the share of the draws in which errors are no larger than those of another."""
        return float((self.square(errors) <= self.square(others) + _ROUNDING).mean())


def drawn_units(units: NDArray[np.int64], seed: int | None) -> Draws:
    """Draws units with replacement.

    Source: paired draws of whole groups: Davison & Hinkley 1997, "Bootstrap methods and their
    application", sec. 3.8.
    """
    drawn = draws_of(int(units.max()) + 1, seed, _DRAWS)
    return Draws(None if drawn is None else drawn.astype(np.float64))
