"""`Angles`: which states are angles, so that what is a turn apart is the same."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, SupportsIndex, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynaplan import _arrays, _texts
from dynaplan.errors import ArgumentError

__all__ = ["NO_ANGLES", "AngleRange", "Angles", "AnglesLike"]

Float64 = NDArray[np.float64]
# (low, high), or the period of one that counts full turns on.
AngleRange: TypeAlias = tuple[float, float] | float
AnglesLike: TypeAlias = (
    "Angles | Mapping[int, tuple[float, float] | float] | Sequence[SupportsIndex] | SupportsIndex"
)

_RADIANS = (-math.pi, math.pi)
_ROUNDING = 1e-6  # of a period: what rounding to float32 leaves beyond an end of the range


class Angles(Mapping[int, AngleRange]):
    """The states that are angles, each with its range or its period; immutable.

    A mapping from the state's index to (low, high), the ends of the range that its values lie in, a
    period apart; or to the period alone, of an angle that counts full turns on. What lies within a
    range stays as it is, both ends included, so that it does not matter which of the two a system
    leaves out.

    Attributes:
        columns: (K,) the states, ascending.
        low: (K,) lower ends; -inf where there is no range.
        high: (K,) upper ends; inf where there is no range.
        period: (K,) in the states' units.
    """

    __slots__ = ("_ranges", "columns", "high", "low", "period")

    def __init__(self, ranges: Mapping[int, AngleRange]) -> None:
        self._ranges = dict(sorted(ranges.items()))
        ends = [_ends(given) for given in self._ranges.values()]
        self.columns = np.array(list(self._ranges), np.intp)
        self.low, self.high, self.period = np.array(ends, np.float64).reshape(-1, 3).T.copy()

    @staticmethod
    def of(given: AnglesLike, state_dim: int, name: str = "angles") -> Angles:
        """Returns the angles that an argument names.

        Args:
            given: states in radians from -pi to pi; or a mapping from states to ranges or periods.
                A state counted from the end is the same state.
            state_dim: S.
            name: of the argument.

        Raises:
            ArgumentError: one is none of the states, or there twice; or its range is none.
            TypeError: it is neither integers nor a mapping.
        """
        if isinstance(given, Mapping):
            items = [
                (_arrays.count(name, key), _range(name, value)) for key, value in given.items()
            ]
        else:
            items = [(column, _RADIANS) for column in _arrays.counts(name, given)]
        ranges: dict[int, AngleRange] = {}
        for column, value in items:
            place = column + state_dim if column < 0 else column
            if not 0 <= place < state_dim or place in ranges:
                wanted = f"states from 0 to {state_dim - 1}, each once"
                raise ArgumentError(f"{name}: got {_texts.shown(column)}, must be {wanted}")
            ranges[place] = value
        return Angles(ranges) if ranges else NO_ANGLES

    def __getitem__(self, key: int) -> AngleRange:
        return self._ranges[key]

    def __iter__(self) -> Iterator[int]:
        return iter(self._ranges)

    def __len__(self) -> int:
        return len(self._ranges)

    def __hash__(self) -> int:
        return hash(tuple(self._ranges.items()))

    def __reduce__(self) -> tuple[Any, ...]:
        return Angles, (self._ranges,)

    def __repr__(self) -> str:
        return f"Angles({self._ranges!r})"

    def among(self, columns: NDArray[np.intp], unit: Float64) -> Angles:
        """Returns those among some columns, with their periods in the columns' units."""
        places = {int(column): place for place, column in enumerate(columns)}
        periods = zip(self.columns.tolist(), self.period.tolist(), strict=True)
        return Angles({places[c]: p / float(unit[places[c]]) for c, p in periods if c in places})

    def have_periods_of(self, other: Angles) -> bool:
        """Returns whether both are the same states, with the same periods."""
        same = np.array_equal(self.columns, other.columns)
        return same and bool(np.allclose(self.period, other.period, rtol=1e-9, atol=0.0))

    def require_within(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Refuses states and next states (N, S) with an angle beyond its range, but for rounding.

        Raises:
            ArgumentError: there is one; the message names the first row.
        """
        for name in ("states", "next_states"):
            values, reach = arrays[name][:, self.columns], _ROUNDING * self.period
            outside = np.argwhere((values < self.low - reach) | (values > self.high + reach))
            if not len(outside):
                continue
            row, place = outside[0]
            column, period = self.columns[place], self.period[place]
            raise ArgumentError(
                f"{name}: row {row}, column {column} is {values[row, place]:.6g}, must be from "
                f"{self.low[place]:.6g} to {self.high[place]:.6g} as an angle; give its range, as "
                f"angles={{{column}: (low, high)}}, or its period alone, as "
                f"angles={{{column}: {period:.6g}}}, if it counts full turns on"
            )

    def short_way(self, differences: Float64) -> Float64:
        """Returns differences (..., S) of states, those of angles the short way round; in place.

        Into (-period / 2, period / 2], and exactly: no digit is lost. What is not finite stays.
        """
        for column, period in zip(self.columns, self.period, strict=True):
            given = differences[..., column]
            differences[..., column] = _short_way(given, period)
        return differences

    def wrapped(self, states: Float64) -> Float64:
        """Returns states (..., S) with the angles brought into their ranges; a copy if there are.

        What is within its range stays as it is, either end included, and so does a nan.
        """
        if not self.has_ranges:
            return states
        result: Float64 = states.copy()
        for place in np.flatnonzero(np.isfinite(self.low)):
            low, high, period = self.low[place], self.high[place], self.period[place]
            values = result[..., self.columns[place]]
            with np.errstate(invalid="ignore"):
                rest = np.fmod(values, period)
                turned = np.clip(rest - period * np.floor((rest - low) / period), low, high)
                outside = (values < low) | (values > high)
            result[..., self.columns[place]] = np.where(outside, turned, values)
        return result

    def near(self, states: Float64, others: Float64) -> Float64:
        """Returns states with the angles turned to within half a period of those of others."""
        if not len(self):
            return states
        result = states.copy()
        differences = states - others
        apart = self.short_way(differences.copy())[..., self.columns]
        is_near = apart == differences[..., self.columns]
        turned = np.where(is_near, states[..., self.columns], others[..., self.columns] + apart)
        result[..., self.columns] = turned
        return result

    def mean(self, states: Float64) -> Float64:
        """Returns (S,) the mean of states (N, S), the circular one of angles."""
        found: Float64 = states.mean(axis=0)
        turns = states[:, self.columns] * (2.0 * np.pi / self.period)
        means = np.arctan2(np.sin(turns).mean(axis=0), np.cos(turns).mean(axis=0))
        found[self.columns] = means * (self.period / (2.0 * np.pi))
        return found

    def about_mean(self, states: Float64) -> Float64:
        """Returns states (N, S) with the angles taken from their circular mean on."""
        if not len(self):
            return states
        result = states.copy()
        result[:, self.columns] -= self.mean(states)[self.columns]
        return self.short_way(result)

    def without_ranges(self, states: Float64) -> Float64:
        """Returns states (N, S) with 0 for the angles that have a range."""
        if not self.has_ranges:
            return states
        result = states.copy()
        result[:, self.columns[np.isfinite(self.low)]] = 0.0
        return result

    def observed_range(self, inputs: Float64) -> tuple[Float64, Float64]:
        """Returns the smallest and largest value of each column of inputs (N, S + ...).

        Of an angle that has a range they are the ends of the shortest arc that holds all of its
        values, of which the upper one may lie beyond the range.
        """
        low, high = inputs.min(axis=0), inputs.max(axis=0)
        for place in np.flatnonzero(np.isfinite(self.low)):
            column = self.columns[place]
            low[column], high[column] = _arc(inputs[:, column], self.period[place])
        return low, high

    def to_lists(self) -> list[list[float]]:
        """Returns them as a file keeps them: index and range, or index and period."""
        return [
            [float(column), *(given if isinstance(given, tuple) else (given,))]
            for column, given in self._ranges.items()
        ]

    @staticmethod
    def of_lists(lists: Sequence[Sequence[float]], state_dim: int) -> Angles:
        """Returns those that `to_lists` gave, checked.

        Raises:
            ArgumentError, TypeError: they are none.
        """
        ranges: dict[int, AngleRange] = {}
        for row in lists:
            is_row = isinstance(row, Sequence) and len(row) in (2, 3)
            if not is_row or any(type(value) is not float for value in row) or row[0] % 1.0 != 0.0:
                raise ArgumentError("angles: must be lists of a state and its range or its period")
            ranges[int(row[0])] = row[1] if len(row) == 2 else (row[1], row[2])
        if len(ranges) < len(lists) or list(ranges) != sorted(ranges) or min(ranges, default=0) < 0:
            raise ArgumentError("angles: must be states, ascending")
        return Angles.of(ranges, state_dim)

    def to_array(self) -> Float64:
        """Returns (K, 3) state, low and high; or state, nan and period where there is no range."""
        rows = [row if len(row) == 3 else [row[0], math.nan, row[1]] for row in self.to_lists()]
        return np.array(rows, np.float64).reshape(-1, 3)

    @staticmethod
    def of_array(rows: ArrayLike, state_dim: int) -> Angles:
        """Returns those that `to_array` gave, checked.

        Raises:
            ArgumentError: they are none.
        """
        values = np.asarray(rows, np.float64)
        if values.ndim != 2 or values.shape[1] != 3:
            raise ArgumentError(f"angles: got shape {values.shape}, must be (angles, 3)")
        lists = [[row[0], row[2]] if math.isnan(row[1]) else row for row in values.tolist()]
        return Angles.of_lists(lists, state_dim)

    @property
    def has_ranges(self) -> bool:
        """Whether some of them are kept in a range."""
        return bool(np.isfinite(self.low).any())

    @property
    def core_periods(self) -> list[float]:
        """The periods as the core's networks take them: none, where all are in radians."""
        return [] if (self.period == 2.0 * math.pi).all() else self.period.tolist()

    def core_parts(self) -> list[tuple[int, float, float, float]]:
        """Returns them as the core takes them: state, low, high and period of each."""
        columns = (self.columns.tolist(), self.low.tolist(), self.high.tolist())
        return list(zip(*columns, self.period.tolist(), strict=True))


NO_ANGLES = Angles({})


def _ends(given: AngleRange) -> tuple[float, float, float]:
    if isinstance(given, tuple):
        return (*given, given[1] - given[0])
    return -math.inf, math.inf, given


def _range(name: str, given: Any) -> AngleRange:
    if isinstance(given, list | tuple | np.ndarray) and np.ndim(given):
        low, high = (_arrays.real(name, end) for end in _arrays.pair(name, given))
        if math.isfinite(low) and math.isfinite(high) and 0.0 < high - low < math.inf:
            return low, high
        raise ArgumentError(f"{name}: got ({low}, {high}), must be finite, with low below high")
    period = _arrays.real(name, given)
    if not 0.0 < period < math.inf:
        raise ArgumentError(f"{name}: got a period of {period}, must be finite and above 0")
    return period


def _short_way(differences: Float64, period: float) -> Float64:
    # The rest is exact, and so is the sum of numbers so near to each other.
    with np.errstate(invalid="ignore"):
        rest = np.fmod(differences, period)
    short = np.where(rest > 0.5 * period, rest - period, rest)
    short = np.where(rest <= -0.5 * period, rest + period, short)
    return np.where(np.isfinite(differences), short, differences)


def _arc(values: Float64, period: float) -> tuple[float, float]:
    ordered = np.unique(np.remainder(values, period))
    gaps = np.diff(ordered, append=ordered[0] + period)
    widest = int(np.argmax(gaps))
    least, most = float(values.min()), float(values.max())
    length = period - float(gaps[widest]) if gaps[widest] >= 0.125 * period else period
    if most - least <= length * (1.0 + 1e-9):
        return least, most
    if length == period:
        return least, least + period
    first = float(ordered[(widest + 1) % len(ordered)])
    first += period * math.ceil((least - first) / period - 1e-9)
    return first, first + length
