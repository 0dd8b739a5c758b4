"""`select`: the kind of model that suits the data, by cross-validation over episodes."""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynaplan import _arrays, _callbacks, _tables, _texts
from dynaplan.data.transitions import Transitions, require_transitions
from dynaplan.errors import ArgumentError, NumericalError, RankDeficientWarning
from dynaplan.models.interface import Model, known_of, require_model
from dynaplan.rollouts.arguments import fitting_angles
from dynaplan.rollouts.baselines import BASELINES, baseline_sizes
from dynaplan.rollouts.comparison import (
    Candidate,
    Comparison,
    HeldOut,
    problem_text,
    require_named,
)
from dynaplan.rollouts.default_learners import DataLearner, default_learners
from dynaplan.rollouts.folds import Fold, Folds, folds_of
from dynaplan.rollouts.held_out_errors import HeldOutErrors, Yardstick, held_out_errors
from dynaplan.rollouts.model_size import FAILURES, fitted_numbers, step_nanoseconds
from dynaplan.rollouts.open_loop import Ahead

__all__ = ["Selection", "select"]

Float64 = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Selection:
    """Which kind of model suits the data; it prints as a table. Made by `select`.

    Attributes:
        chosen: the name of the kind, or None where none is worth it.
        reason: why that one, or why none, in a sentence.
        comparison: all kinds by their errors on data that each did not see, or None where the data
            are too few to hold any out.
        folds: how often a part of the data was held out.
    """

    chosen: str | None
    reason: str
    comparison: Comparison | None
    folds: int
    _model: Model | None

    @property
    def model(self) -> Model:
        """The chosen kind, fitted to all data.

        Raises:
            NumericalError: none was chosen: the message says why.
        """
        if self._model is None:
            raise NumericalError(
                f"there is no model to use, as `select` chose {self.reason}; collect more data, or "
                "give fewer steps ahead (horizon=)"
            )
        return self._model

    def __repr__(self) -> str:
        count = 0 if self.comparison is None else len(self.comparison.models)
        return f"Selection({_texts.brief(self.chosen)} of {count} models, folds={self.folds})"

    def __str__(self) -> str:
        if self.comparison is None:
            return "\n".join(_tables.paragraph(f"take {self.reason}", "  "))
        return f"cross-validation, {self.folds} folds\n{self.comparison}"


def select(
    data: Transitions,
    *,
    models: Mapping[str, DataLearner] | None = None,
    horizon: int = 50,
    share: float = 0.5,
    seed: int | None = 0,
    time_limit: float | None = None,
    threads: int = 1,
) -> Selection:
    """Finds out which kind of model suits the data, and fits it to all of them.

    The data are held out in turns, up to five times: whole `groups` where there are several, else
    pieces of the one recording, with rows between that are not learned from either. Each kind is
    fitted to the rest, rolled out open loop on what it did not see, and compared with the others
    over all data, as `compare` does.

    Args:
        data: transitions; several episodes, where there are.
        models: functions from data to a model, by name. Default: from simple to flexible "linear",
            "quadratic" and "cubic" (`LinearGaussian`; polynomials where there are two rows for each
            column), up to 1,000 rows "GaussianProcess", and from 50 rows on "MLP", "GaussianMLP"
            and "Ensemble", with two layers of 32, 64 or 128 units.
        horizon: steps to look ahead, >= 1; at most the longest segment, of a single recording at
            most a tenth of it. Default 50. Take as many as you plan ahead.
        share: of the change, up to which errors are trusted, as in `evaluate`. Default 0.5.
        seed: seed of the folds, the draws and the default networks. Default 0: the same choice
            each time; None draws anew.
        time_limit: seconds after which no other fit is begun, but for that of the chosen kind to
            all data; kinds that are not done by then are listed as such. The choice then depends
            on the machine. Default None: no limit.
        threads: threads to use. Default 1.

    Returns:
        The selection. Where no kind is better than predictions without a model, none is chosen,
        and `model` raises.

    Raises:
        ArgumentError: there is no learner, or an argument is out of range.
        TypeError: `data` are no Transitions, or a learner is no function or returns no model.
        KeyboardInterrupt: Ctrl-C was pressed.

    Source: cross-validation, and the simplest within the noise of the best: Hastie, Tibshirani &
    Friedman 2009, "The elements of statistical learning", sec. 7.10.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> s, a = rng.normal(size=(2, 200, 1))
        >>> data = dp.Transitions(s, a, 0.5 * s + a + 0.1 * rng.normal(size=s.shape))
        >>> learners = {"linear": dp.LinearGaussian.fit,
        ...             "MLP": lambda data: dp.MLP.fit(data, hidden=(8,), epochs=20, seed=0)}
        >>> found = dp.select(data, models=learners)
        >>> found.chosen, found.model.B.round(1)
        ('linear', array([[1.]]))
    """
    require_transitions("data", data)
    horizon = _arrays.at_least(1, "horizon", horizon)
    share = _arrays.positive_fraction("share", share)
    number, threads = _arrays.seed_number(seed), _arrays.count("threads", threads, 1)
    if models is not None:
        _require_learners(models)
    clock = _Clock.of(time_limit)
    folds = folds_of(data, horizon, number)
    if folds is None:
        count = "1 row is" if len(data) == 1 else f"{len(data)} rows are"
        return Selection(None, f"none: {count} too few to hold any out", None, 0, None)
    left_out: Mapping[str, str] = {}
    learners = models
    if learners is None:
        fewest = min(len(fold.train) for fold in folds.parts)
        learners, left_out = default_learners(data, fewest, number, threads)
    trials = _Trials.of(data, folds, threads, clock)
    candidates = [trials.candidate(name, learn) for name, learn in learners.items()]
    candidates += [Candidate(name, problem=why) for name, why in left_out.items()]
    comparison = trials.held_out.compared(candidates, share=share, seed=number)
    chosen = comparison.chosen
    model = None if chosen is None else _learned(chosen, learners[chosen], data)
    return Selection(chosen, comparison.reason, comparison, len(folds.parts), model)


@dataclass(frozen=True)
class _Clock:
    """When no other fit is begun."""

    end: float
    time_limit: float | None

    @staticmethod
    def of(time_limit: float | None) -> _Clock:
        if time_limit is None:
            return _Clock(np.inf, None)
        if not 0.0 < _arrays.real("time_limit", time_limit) < np.inf:
            raise ArgumentError(
                f"time_limit: got {_texts.shown(time_limit)}, must be finite and above 0"
            )
        return _Clock(time.monotonic() + time_limit, time_limit)

    @property
    def is_over(self) -> bool:
        return time.monotonic() >= self.end


@dataclass(frozen=True)
class _Trials:
    """The folds of the data, in which every kind of model is tried."""

    data: Transitions
    folds: Folds
    held_out: HeldOut
    groups: tuple[NDArray[np.int64], ...]  # of the held-out rows of each fold
    threads: int
    clock: _Clock

    @staticmethod
    def of(data: Transitions, folds: Folds, threads: int, clock: _Clock) -> _Trials:
        yardstick = Yardstick.of(data, folds.steps, data.angles)
        groups, baselines, reached, units = [], [], [], []
        for fold in folds.parts:
            part = data[fold.held_out]
            ahead = Ahead.of(part, folds.steps)
            mean = data.angles.mean(data.states[fold.train])
            later = ((0, 0), (0, folds.steps - len(ahead.steps)))
            sizes = baseline_sizes(part, ahead, yardstick.scale, mean)
            baselines.append({name: np.pad(size, later) for name, size in sizes.items()})
            reached.append(np.pad(ahead.reached, later))
            units.append(folds.units[fold.held_out])
            groups.append(np.unique(units[-1], return_inverse=True)[1].ravel())
        held_out = HeldOut(
            yardstick=yardstick,
            moved=None,
            reached=np.concatenate(reached),
            baselines={name: np.concatenate([b[name] for b in baselines]) for name in BASELINES},
            units=np.concatenate(units),
            episodes=len(data.episode_slices),
        )
        return _Trials(data, folds, held_out, tuple(groups), threads, clock)

    def candidate(self, name: str, learn: DataLearner) -> Candidate:
        """Returns the errors of a kind of model on all data, each row held out once."""
        parts: list[HeldOutErrors] = []
        for fold, groups in zip(self.folds.parts, self.groups, strict=True):
            if self.clock.is_over:
                limit = _tables.number(self.clock.time_limit or 0.0)
                return Candidate(name, problem=f"not done within the time limit of {limit} s")
            try:
                model, errors = self._errors(name, learn, fold, groups)
            except FAILURES as error:
                return Candidate(name, problem=problem_text(error))
            parts.append(errors)
        times = step_nanoseconds(model, self.data)
        return Candidate(name, HeldOutErrors.joined(parts), fitted_numbers(model), times)

    def _errors(
        self, name: str, learn: DataLearner, fold: Fold, groups: NDArray[np.int64]
    ) -> tuple[Model, HeldOutErrors]:
        part = self.data[fold.held_out]
        with warnings.catch_warnings():  # what matters is said of the fit to all data
            warnings.simplefilter("ignore", RankDeficientWarning)
            model = _learned(name, learn, self.data[fold.train])
        ahead = Ahead.of(part, self.folds.steps)
        yardstick = self.held_out.yardstick
        return model, held_out_errors(model, part, ahead, yardstick, groups, self.threads)


def _learned(name: str, learn: DataLearner, data: Transitions) -> Model:
    """Returns the model that a learner makes of data.

    Raises:
        TypeError: it returned something else.
        ShapeError: the model has other dimensions than the data.
        ArgumentError: it has other angles or known states.
        KeyboardInterrupt: Ctrl-C ended the training of a network early.
    """
    model = learn(data)
    try:
        require_model(model, "predict")
    except TypeError as error:
        raise TypeError(f"models: {name!r} returned no model: {error}") from None
    angles = fitting_angles("data", data, model)
    if angles and not data.angles:
        raise ArgumentError(
            f"models: {name!r} has {angles}, must be said of the data: Transitions(angles=)"
        )
    if (known := known_of(model)) and not data.known:
        raise ArgumentError(
            f"models: {name!r} has {known}, must be said of the data: Transitions(known=)"
        )
    if getattr(getattr(model, "history", None), "interrupted", False):
        raise KeyboardInterrupt
    return model


def _require_learners(models: Any) -> None:
    require_named(models, "functions of data")
    for name, learn in models.items():
        _callbacks.require_function(f"models: {name!r}", learn, "a function from data to a model")
