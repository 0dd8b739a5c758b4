"""`estimate_delays`: how many steps late each action acts, as the data show it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import SupportsIndex

import numpy as np
from numpy.typing import NDArray

from dynaplan import _arrays, _tables, _texts
from dynaplan.data.history import without_history
from dynaplan.data.transitions import Transitions, require_transitions
from dynaplan.errors import ArgumentError
from dynaplan.reports.doctor.record import Record, spread_of
from dynaplan.reports.doctor.regression import LeastSquares, features

__all__ = ["DelayEstimate", "estimate_delays"]

Float64 = NDArray[np.float64]

_LARGEST = 1000  # steps; each is a column of the regression for each action
_ROUNDING = 1e-5  # of the spread of the changes: what is less may be the rounding of float32
# Of a t-test over 20 stretches of rows. In between an effect is neither evident nor excluded.
_EVIDENT, _NONE = 3.0, 2.0
# In log squared error: an effect that is less is none, or rounding.
_LEAST_GAIN = 1e-3
# Of the variance of an action that others, and the same one at other steps, leave unexplained:
# with less nobody can tell them apart.
_OWN = 0.01


@dataclass(frozen=True, eq=False)
class DelayEstimate:
    """How late actions act. Made by `estimate_delays`; it prints as a table.

    Attributes:
        delays: (A,) whole steps after which each action begins to act, 0 where it acts in the row
            that it stands in; None where the data do not decide.
        errors: (A, max_delay + 2) errors one step ahead on rows not fitted, where the action is
            known from so many steps ago on and before (from 0 on), as a multiple of the error where
            all is known; the last column is without the action. It rises above 1 after the delay.
        reasons: (A,) why it is not decided; empty where it is.
        action_names: what the actions are called.
    """

    delays: tuple[int | None, ...]
    errors: Float64
    reasons: tuple[str, ...]
    action_names: tuple[str, ...]

    @property
    def is_decided(self) -> bool:
        """Whether all delays are: then `MPC(delay_steps=...)` takes them."""
        return None not in self.delays

    def __str__(self) -> str:
        steps = self.errors.shape[1] - 1
        rows = [["error without the last", *map(str, range(steps)), "all", "delay"]]
        for name, errors, delay in zip(self.action_names, self.errors, self.delays, strict=True):
            cells = [_tables.number(value) for value in errors]
            rows.append([f"  {name}", *cells, "?" if delay is None else str(delay)])
        notes = [f"{n}: {why}" for n, why in zip(self.action_names, self.reasons, strict=True)]
        decided = zip(notes, self.reasons, strict=True)
        said = [line for note, why in decided if why for line in _tables.paragraph(note, "  ")]
        return "\n".join([*_tables.lines(rows), *said])

    def __repr__(self) -> str:
        return f"DelayEstimate(delays={_texts.brief(self.delays)})"


def estimate_delays(data: Transitions, max_delay: SupportsIndex = 8) -> DelayEstimate:
    """Estimates how many steps late each action acts, by errors on rows that were not fitted.

    The change of the states is regressed on the states (and the earlier ones of a history, and
    products of states where these help) and on the actions of the same step and of up to
    `max_delay` steps before. The delay of an action is that of the latest of its values without
    which rows that were not fitted are predicted evidently worse, all other actions being known at
    all steps. Actions that hardly change, or follow from each other or from the states, decide
    nothing; nor does a delay that is not whole: the nearest step before it is found.

    A plant that is late by d steps is modelled by shifting the log (`states[d:], actions[:-d]`) and
    `MPC(delay_steps=d)`, or by `data.with_history(actions=d)`.

    Args:
        data: transitions; at least 10 rows for each column of the regression, which have so many
            rows of their segment before them.
        max_delay: the largest delay to try, from 1 to 1000 steps. Default 8.

    Returns:
        The delays, with the errors that they were found by.

    Raises:
        TypeError: `data` is none.
        ArgumentError: `max_delay` is out of range, or the data are too few for it.

    Source: Ljung 1999, "System identification: theory for the user", sec. 16.5 (the order of a
    linear model, and its delay, by the errors on fresh data).

    Example:
        >>> rng = np.random.default_rng(0)
        >>> actions, state = rng.normal(size=(300, 1)), [np.zeros(1)]
        >>> for step in range(300):
        ...     acting = actions[max(step - 2, 0)]
        ...     state.append(0.9 * state[-1] + acting + 0.1 * rng.normal(size=1))
        >>> dp.estimate_delays(dp.Transitions(state[:-1], actions, state[1:])).delays
        (2,)
    """
    require_transitions("data", data)
    latest = _arrays.at_least(1, "max_delay", max_delay)
    if latest > _LARGEST:
        raise ArgumentError(f"max_delay: got {latest}, must be at most {_LARGEST}")
    with np.errstate(over="ignore", invalid="ignore"):  # of numbers at the ends of float64
        lags = _Lags.of(data, latest)
        found = [lags.judged(group) for group in range(len(lags.groups))]
    count = data.action_dim
    delays: list[int | None] = [None] * count
    reasons = ["it never varies"] * count
    errors = np.ones((count, latest + 2))
    for group, (delay, reason, ratios) in zip(lags.groups, found, strict=True):
        for action in group:
            delays[action], reasons[action], errors[action] = delay, reason, ratios
    labels = data._columns.labels(data.state_dim, count)[1]
    return DelayEstimate(tuple(delays), errors, tuple(reasons), tuple(labels))


@dataclass(frozen=True)
class _Lags:
    """A regression on states, and on each action now and some steps before.

    Attributes:
        groups: columns of the actions that are judged together, as discrete ones are.
        latest: the largest delay.
        fit: the regression.
        base: how many of its columns are no actions.
        places: for each group its columns among those of one delay.
        width: columns of one delay.
    """

    groups: tuple[tuple[int, ...], ...]
    latest: int
    fit: LeastSquares
    base: int
    places: tuple[NDArray[np.intp], ...]
    width: int

    @classmethod
    def of(cls, data: Transitions, latest: int) -> _Lags:
        """Returns it for data.

        Raises:
            ArgumentError: they are too few.
        """
        record = Record(without_history(data))
        kept, varied = record.rows_before >= latest, record.varied[1]
        rows, width = record.rows[kept], len(varied)
        earlier = _earlier_states(data, record)[kept]
        states = np.hstack([record.inputs[kept], earlier])
        columns = 1 + states.shape[1] + width * (1 + latest)
        found = [
            base
            for products in (False, True)
            if (base := features(states, width * (1 + latest), products=products)) is not None
        ]
        if not found or record.too_large or not len(record.varied[0]):
            raise ArgumentError(
                f"data: got {len(rows)} rows that have {latest} of their segment before them, must "
                f"be at least {10 * columns}, with states that vary; or try a smaller max_delay"
            )
        unit = record.spreads[1][varied]
        actions = record.data.actions[:, varied]
        actions = (actions - actions.mean(axis=0)) / unit
        acted = np.hstack([actions[rows - delay] for delay in range(1 + latest)])
        changes = record.changes[kept]
        changes = changes - changes.mean(axis=0)
        scale = changes.std(axis=0)
        changes = changes[:, scale > 0.0] / scale[scale > 0.0]
        numbers = varied.tolist()
        groups = [tuple(numbers)] if record.has_choices else [(number,) for number in numbers]
        places = tuple(np.searchsorted(varied, group) for group in groups)
        fits = [LeastSquares(np.hstack([base, acted]), changes) for base in found]
        losses = [_loss(fit, np.arange(fit.inputs.shape[1])) for fit in fits]
        best = int(np.argmin(losses))
        return cls(tuple(groups), latest, fits[best], found[best].shape[1], places, width)

    def judged(self, group: int) -> tuple[int | None, str, Float64]:
        """Returns the delay of a group or None, why it is not decided, and the errors."""
        steps = range(self.latest + 2)
        choices = [self._columns(group, first) for first in steps]
        losses = np.array([_loss(self.fit, columns) for columns in choices])
        ratios = np.exp(0.5 * (losses - losses[0]) / max(1, self.fit.targets.shape[1]))
        for delay in steps[:-1]:
            evidence = self._evidence(choices[delay], choices[delay + 1])
            if evidence > _EVIDENT:
                return delay, "", ratios
            if evidence > _NONE:
                return None, f"{delay} steps are neither evident nor excluded", ratios
            if self._is_explained(choices[delay], choices[delay + 1]):
                return None, "its values follow from others, or from the states", ratios
        return None, f"it has no evident effect within {self.latest} steps", ratios

    def _columns(self, group: int, first: int) -> NDArray[np.intp]:
        """Returns the columns with the actions of a group only from so many steps ago on."""
        left_out = np.concatenate(
            [self.base + delay * self.width + self.places[group] for delay in range(first)]
            or [np.empty(0, np.intp)]
        )
        return np.setdiff1d(np.arange(self.fit.inputs.shape[1]), left_out)

    def _evidence(self, more: NDArray[np.intp], fewer: NDArray[np.intp]) -> float:
        """Returns the t of what rows that were not fitted lose without some columns."""
        found = [self.fit.errors(columns) ** 2 for columns in (more, fewer)]
        unit = np.maximum(found[0].mean(axis=0), _ROUNDING**2)
        better, worse = (np.log1p(squares / unit).sum(axis=1) for squares in found)
        means = self.fit.block_means(worse - better)
        spread, gain = float(means.std(ddof=1)) / np.sqrt(len(means)), float(means.mean())
        return gain / spread if gain > _LEAST_GAIN and spread > 0.0 else 0.0

    def _is_explained(self, more: NDArray[np.intp], fewer: NDArray[np.intp]) -> bool:
        """Returns whether the columns that are only in `more` follow from the others."""
        own = self.fit.inputs[:, np.setdiff1d(more, fewer)]
        left = LeastSquares(self.fit.inputs, own).squares(fewer)
        return bool((left < _OWN * own.var(axis=0)).any())


def _loss(fit: LeastSquares, columns: NDArray[np.intp]) -> float:
    errors = np.maximum(np.sqrt(fit.squares(columns)), _ROUNDING)
    return float(2.0 * np.log(errors).sum())


def _earlier_states(data: Transitions, record: Record) -> Float64:
    """Returns (M, columns) the earlier observations of a history, in deviations from their mean."""
    observed = record.data.state_dim
    states_back = 0 if data.history is None else data.history[0]
    columns = np.arange(observed, observed * (1 + states_back))
    values = data.angles.about_mean(data.states[record.rows])[:, columns]
    spread = spread_of(values)
    varied: Sequence[int] = np.flatnonzero(spread > 0.0).tolist()
    found: Float64 = (values[:, varied] - values[:, varied].mean(axis=0)) / spread[varied]
    return found
