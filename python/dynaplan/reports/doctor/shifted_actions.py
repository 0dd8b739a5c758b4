"""Actions that stand in the wrong row: they act some rows later, or some rows before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dynaplan import _tables
from dynaplan.reports.doctor.findings import Columns, Finding, Severity
from dynaplan.reports.doctor.record import Record
from dynaplan.reports.doctor.regression import LeastSquares, features, unexplained

__all__ = ["shifted_actions"]

Float64 = NDArray[np.float64]

_LATEST, _EARLIEST = 8, -2  # rows; of the first, fewer where episodes are short
_FEWEST = 60  # rows
# Of the spread of the changes: what is less may be the rounding of float32.
_ROUNDING = 1e-5
# The right row explains so much more in log error: 3 % of the error at least. A fit is worse by as
# little where a state was measured with noise, and past actions tell of it.
_LEAST_GAIN = 0.06
_HARMLESS = 0.9  # of the error: where as much is left, a fit to the wrong rows is hardly worse
# Of an action's deviation: where the states leave less of it unexplained, it is feedback, and the
# one in a row below shows the state that the row led to, as an action that came too late would.
_FREE = 0.3
# Of what the right row explains beyond the wrong one, the wrong one beyond the right: nothing, were
# it not for noise. Under feedback an action shows what the state was, and both explain something.
_LEFT_OVER = 0.25
# A t-test over 20 stretches of rows: of the 10 other rows tried, in 4 % of all logs one is beyond
# by chance, and of those few leave nothing to be explained by the row itself.
_SIGNIFICANT = 3.0


def shifted_actions(record: Record) -> list[Finding] | str:
    """Finds columns of actions that explain the changes of the states far better from another row.

    The changes of some rows are predicted as least squares of others say, from the states, their
    products if these help, and each action as it is in the row or in one some rows above or below.
    A delay of the plant looks the same as a log that pairs actions with the wrong rows. Discrete
    actions are shifted together.
    """
    latest = _latest(record)
    if latest < 1:
        return "too few rows that follow each other"
    if not len(record.varied[1]) or not len(record.varied[0]):
        return "no states or actions that vary"
    if record.too_large:
        return "numbers too large"
    free = _free_actions(record)
    trials = [
        trial
        for trial in (
            _Trial.of(record, latest, free, products=products) for products in (False, True)
        )
        if trial is not None
    ]
    if not trials:
        return "too few rows"
    trial = min(trials, key=_Trial.least_loss)
    shifts = trial.best()
    found = []
    late = [  # but where a model sees the action that acts
        0 if 0 < own <= min(map(record.earlier_actions.__getitem__, group)) else own
        for group, own in zip(trial.groups, shifts, strict=True)
    ]
    for shift in sorted(set(late) - {0}):
        moved = [group for group, own in zip(trial.groups, late, strict=True) if own == shift]
        columns = tuple(("actions", column) for group in moved for column in group)
        pairs = zip(shifts, late, strict=True)
        without = trial.errors(
            tuple(0 if found_late == shift else own for own, found_late in pairs)
        )
        found.append(_described(columns, shift, trial.errors(shifts) / without))
    return found


def _described(columns: Columns, shift: int, ratios: Float64) -> Finding:
    """Returns the finding; `ratios` (S,) are errors with the right rows by those with the row."""
    rows = f"{abs(shift)} row{'s' * (abs(shift) > 1)}"
    several = len(columns) > 1
    names = f"action{'s' * several} {', '.join(str(column) for _, column in columns)}"
    where = f"{rows} later" if shift > 0 else f"{rows} before"
    right, least = "above" if shift > 0 else "below", float(ratios.min())
    evidence = (
        f"{names} explain{'s' * (not several)} the changes of the states {where}: taken from "
        f"{rows} {right}, the error on rows not fitted is {_tables.number(100.0 * least, 2)} % of "
        "what it is with those of the row itself, in the state where they say most."
    )
    cut = (
        f"states[{shift}:], actions[:-{shift}], next_states[{shift}:]"
        if shift > 0
        else f"states[:{shift}], actions[{-shift}:], next_states[:{shift}]"
    )
    late = f"; if the plant is late, MPC(delay_steps={shift}) too" if shift > 0 else ""
    severity: Severity = "error" if least < _HARMLESS else "warning"
    cure = f"Pair each state with the action that acts, as {cut} of each episode{late}."
    return Finding("shifted_actions", severity, columns, evidence, cure)


def _free_actions(record: Record) -> NDArray[np.bool_]:
    """Returns (actions that vary,) which of them are no feedback from the states of their row."""
    bases = [features(record.inputs, 0, products=products) for products in (False, True)]
    return np.array(
        [
            min((unexplained(base, own) for base in bases if base is not None), default=1.0)
            >= _FREE
            for own in record.actions.T
        ]
    )


def _latest(record: Record) -> int:
    """Returns the largest delay to try: one for which half of the rows remain, 0 if there is none.

    Half: of 24 rows that an episode may have, a delay of 8 leaves 14.
    """
    for latest in range(_LATEST, 0, -1):
        left = np.count_nonzero((record.rows_before >= latest) & (record.rows_after >= -_EARLIEST))
        if left >= max(_FEWEST, 0.5 * len(record.rows)):
            return latest
    return 0


@dataclass(frozen=True)
class _Trial:
    """Regressions on states and actions, with each group of actions from any row.

    Attributes:
        groups: columns of the actions that are shifted together.
        earliest: for each group the smallest delay, which is negative or 0.
        latest: the largest delay.
        fit: the regressions.
        base: how many of its columns are no actions.
        places: for each group its columns among those of the fit, for delay 0.
        width: columns of the fit for one delay.
    """

    groups: tuple[tuple[int, ...], ...]
    earliest: tuple[int, ...]
    latest: int
    fit: LeastSquares
    base: int
    places: tuple[NDArray[np.intp], ...]
    width: int

    @classmethod
    def of(
        cls, record: Record, latest: int, free: NDArray[np.bool_], *, products: bool
    ) -> _Trial | None:
        _, varied = record.varied
        kept = (record.rows_before >= latest) & (record.rows_after >= -_EARLIEST)
        rows = record.rows[kept]
        centre, spread = record.data.actions[rows[:1]], record.spreads[1]
        shifted = [
            ((record.data.actions[rows - delay] - centre) / np.where(spread > 0.0, spread, 1.0))[
                :, varied
            ]
            for delay in range(_EARLIEST, latest + 1)
        ]
        base = features(record.inputs[kept], len(varied), products=products)
        if base is None:
            return None
        changes = record.changes[kept]
        unit = changes.std(axis=0)
        moving = unit > 0.0
        changes = (changes[:, moving] - changes[:, moving].mean(axis=0)) / unit[moving]
        numbers = varied.tolist()
        groups = [tuple(numbers)] if record.has_choices else [(number,) for number in numbers]
        first = base.shape[1] - _EARLIEST * len(varied)
        columns = [np.searchsorted(varied, group) for group in groups]
        earliest = tuple(_EARLIEST if free[own].all() else 0 for own in columns)
        places = tuple(first + own for own in columns)
        fit = LeastSquares(np.hstack([base, *shifted]), changes)
        return cls(tuple(groups), earliest, latest, fit, base.shape[1], places, len(varied))

    def columns(self, *choices: Sequence[int]) -> NDArray[np.intp]:
        """Returns the columns of the fit with the delays (groups,) of all the choices."""
        chosen = [np.arange(self.base)]
        for shifts in choices:
            for places, shift in zip(self.places, shifts, strict=True):
                chosen.append(places + shift * self.width)
        return np.unique(np.concatenate(chosen))

    def errors(self, *choices: Sequence[int]) -> Float64:
        """Returns (states,) roots of the mean squares of the errors."""
        return np.maximum(np.sqrt(self.fit.squares(self.columns(*choices))), _ROUNDING)

    def best(self) -> tuple[int, ...]:
        """Returns a delay for each group: first one for all, then of each by itself."""
        none = self._all(0)
        best = min(map(self._all, self._delays), key=self._loss)
        best = best if self._is_better(best, none) else none
        for _ in self.groups:
            tried = [
                (*best[:place], delay, *best[place + 1 :])
                for place in range(len(best))
                for delay in self._delays
                if delay != best[place] and delay >= self.earliest[place]
            ]
            other = min(tried, key=self._loss)
            if len(best) == 1 or not self._is_better(other, best):
                break
            best = other
        return best

    def least_loss(self) -> float:
        """Returns the loss with the best of the delays that are the same for all."""
        return min(map(self._loss, map(self._all, self._delays)))

    @property
    def _delays(self) -> range:
        return range(_EARLIEST, self.latest + 1)

    def _all(self, delay: int) -> tuple[int, ...]:
        return tuple(max(delay, earliest) for earliest in self.earliest)

    def _loss(self, *choices: Sequence[int]) -> float:
        return float(2.0 * np.log(self.errors(*choices)).sum())

    def _is_better(self, shifts: tuple[int, ...], others: tuple[int, ...]) -> bool:
        """Returns whether delays explain more than others, and all that these do."""
        if shifts == others:
            return False
        both = self._loss(shifts, others)
        gain, left = self._loss(others) - both, self._loss(shifts) - both
        if gain < _LEAST_GAIN or left > _LEFT_OVER * gain:
            return False
        unit = self.errors(shifts) ** 2
        better, worse = (
            np.log1p(self.fit.errors(self.columns(choice)) ** 2 / unit).sum(axis=1)
            for choice in (shifts, others)
        )
        means = self.fit.block_means(worse - better)
        return bool(means.mean() > _SIGNIFICANT * means.std(ddof=1) / np.sqrt(len(means)))
