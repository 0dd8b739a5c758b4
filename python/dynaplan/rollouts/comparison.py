"""`compare`: several models on the same held-out data, and which of them to take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynaplan import _arrays, _texts
from dynaplan.data.transitions import Transitions
from dynaplan.errors import ArgumentError
from dynaplan.models.interface import Model, require_model
from dynaplan.rollouts.arguments import (
    common_angles,
    knowing_in_common,
    knowing_the_same,
    with_reference,
)
from dynaplan.rollouts.baselines import NO_CHANGE, baseline_sizes
from dynaplan.rollouts.choice import chosen_of
from dynaplan.rollouts.comparison_text import comparison_text
from dynaplan.rollouts.error_ratio import grouped
from dynaplan.rollouts.evaluation import Evaluation, evaluation_of
from dynaplan.rollouts.held_out_errors import HeldOutErrors, Yardstick, held_out_errors
from dynaplan.rollouts.model_size import FAILURES, fitted_numbers, step_nanoseconds
from dynaplan.rollouts.open_loop import Ahead, Differences
from dynaplan.rollouts.paired_errors import ModelErrors, drawn_units, units_of

__all__ = ["Candidate", "ComparedModel", "Comparison", "HeldOut", "compare", "problem_text"]
__all__ += ["require_named"]

# What numbers may be to blame for; other exceptions are of code, and not kept from the caller.

Float64 = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ComparedModel:
    """One model of a comparison. Made by `compare` and `select`.

    Attributes:
        name: its name.
        evaluation: its errors by state and step, as of `evaluate`; None where it failed.
        error: the root of the mean, over the episodes and all steps ahead, of the mean squared
            error over the mean squared change of the same episode after as many steps: 1 is as
            wrong as that nothing changes, and no more than 1.41 is counted of one episode. States
            count by their standard deviations. Episodes are the `units` below. nan where it failed.
        error_interval: 5 and 95 % quantiles of `error` over 1000 draws, with replacement, of the
            held-out episodes, or of pieces of them where there are fewer than five; None of a
            single piece, or where it failed.
        as_good: the share of these draws in which it is at least as good as the best; nan where it
            failed.
        run_away: the share of the starts from which it runs away: beyond 100 times the spread of
            the data; nan where it failed.
        fitted_numbers: how many numbers its fit has found; 0 of known dynamics, None of a class of
            one's own.
        step_nanoseconds: time of a step, measured: of one trajectory at a time, and of each of 500.
            Another each time, and nothing else depends on it.
        problem: why it could not be evaluated, or None.
    """

    name: str
    evaluation: Evaluation | None
    error: float
    error_interval: tuple[float, float] | None
    as_good: float
    run_away: float
    fitted_numbers: int | None
    step_nanoseconds: tuple[float, float]
    problem: str | None

    def __repr__(self) -> str:
        shown = {"problem": self.problem} if self.problem else {"error": self.error}
        return _texts.call_text("ComparedModel", self.name, **shown)


@dataclass(frozen=True, eq=False)
class Comparison:
    """Several models on the same held-out data; it prints as a table. Made by `compare`.

    Attributes:
        models: each by its name, also those that failed.
        baselines: `error` of predictions without a model: "nothing changes", "the mean" of the
            reference states, and "constant velocity", the last change once more at each step.
        chosen: the name of the model to take: the simplest that is not distinguishably worse than
            the best. None where none is better than all baselines.
        best: the name of the model with the smallest error, or None where all failed.
        reason: why that one, in a sentence.
        rows: held-out rows.
        episodes: held-out episodes.
        steps: steps ahead, K.
        units: episodes, or pieces of them, that were drawn; 1 where nothing says what is chance.
    """

    models: Mapping[str, ComparedModel]
    baselines: Mapping[str, float]
    chosen: str | None
    best: str | None
    reason: str
    rows: int
    episodes: int
    steps: int
    units: int

    def __repr__(self) -> str:
        return (
            f"Comparison({len(self.models)} models, {self.steps} steps ahead, "
            f"chosen={_texts.brief(self.chosen)})"
        )

    def __str__(self) -> str:
        return comparison_text(self)


def compare(
    models: Mapping[str, Model],
    held_out: Transitions,
    horizon: int = 50,
    *,
    share: float = 0.5,
    reference: Transitions | None = None,
    seed: int | None = 0,
    threads: int = 1,
) -> Comparison:
    """Measures several models on the same held-out data, and says which one to take.

    Every model is rolled out open loop from every held-out row, as `evaluate` does. What decides is
    the error over all steps ahead (`ComparedModel.error`), in pairs: held-out episodes are drawn
    anew with replacement, the same for all models. The one to take is the simplest, by the numbers
    that were fitted, that is at least as good as the best in a tenth of the draws and does not run
    away from more starts. Predictions without a model count as still simpler: where one of them is
    as good as the model in a tenth of the draws, none is taken.
    Where the data are too few to draw from, it is the simplest within 10 % of the smallest error,
    and it must be 10 % below the baselines.

    Args:
        models: models by name, fitted to other data than the held-out ones.
        held_out: transitions that no model was fitted to; several episodes, where there are.
        horizon: steps to look ahead, >= 1; at most the longest held-out segment. Default 50. Take
            as many as you plan ahead: what is best one step ahead need not be best later.
        share: of the change, up to which errors are trusted, as in `evaluate`. Default 0.5.
        reference: data that give the spread of the states and their change, as in `evaluate`.
            Default: the held-out data.
        seed: seed of the draws. Default 0; None draws anew.
        threads: threads to use. Default 1.

    Returns:
        The comparison. A model that fails is in it, with the reason.

    Raises:
        ArgumentError: there is no model, `horizon` or `share` is out of range, or the angles of the
            data and of the models differ, or the known states of the data.
        ShapeError: the data or the reference have other dimensions than a model.
        TypeError: `models` is no mapping from names to models, or data are no Transitions.

    Source: the simplest within the noise of the best: Breiman et al. 1984, "Classification and
    regression trees", sec. 3.4.3, with paired draws in place of a standard error.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> s, a = rng.normal(size=(2, 200, 1))
        >>> train, held_out = dp.Transitions(s, a, np.sin(s) + a).split(0.5, seed=0)
        >>> models = {"linear": dp.LinearGaussian.fit(train),
        ...           "cubic": dp.LinearGaussian.fit(train, features=dp.Polynomial(3))}
        >>> dp.compare(models, held_out).chosen
        'cubic'
    """
    _require_models(models)
    share = _arrays.positive_fraction("share", share)
    horizon = _arrays.at_least(1, "horizon", horizon)
    angles = common_angles("held_out", held_out, models)
    of_itself = reference is None or reference is held_out
    held_out = knowing_in_common("held_out", held_out, models)
    if reference is None or of_itself:
        reference = held_out
    else:
        angles = with_reference(angles, common_angles("reference", reference, models))
        reference = knowing_in_common("reference", reference, models)
        held_out, reference = knowing_the_same(held_out, reference)
    number = _arrays.seed_number(seed)  # the same draws for all models
    threads = _arrays.count("threads", threads, 1)
    ahead = Ahead.of(held_out, horizon)
    steps = len(ahead.steps)
    yardstick = Yardstick.of(reference, steps, angles)
    data = HeldOut(
        yardstick=yardstick,
        moved=yardstick.moved if reference is held_out else None,
        reached=ahead.reached,
        baselines=baseline_sizes(held_out, ahead, yardstick.scale, angles.mean(reference.states)),
        units=units_of(held_out.groups, steps),
        episodes=len(held_out.episode_slices),
    )
    groups = grouped(held_out.episodes)
    candidates = []
    for name, model in models.items():
        try:
            errors = held_out_errors(model, held_out, ahead, yardstick, groups, threads)
        except FAILURES as error:
            candidates.append(Candidate(name, problem=problem_text(error)))
            continue
        times = step_nanoseconds(model, held_out)
        candidates.append(Candidate(name, errors, fitted_numbers(model), times))
    return data.compared(candidates, share=share, seed=number)


@dataclass(frozen=True)
class Candidate:
    """What is known of a model before it is compared with others."""

    name: str
    errors: HeldOutErrors | None = None
    fitted_numbers: int | None = None
    step_nanoseconds: tuple[float, float] = (np.nan, np.nan)
    problem: str | None = None


@dataclass(frozen=True)
class HeldOut:
    """The held-out data of a comparison.

    Attributes:
        yardstick: what errors are measured by.
        moved: how far the states move from the same starts, where these are the reference.
        reached: (N, K) which steps from which starts lie within a segment.
        baselines: (N, K) errors of each.
        units: (N,) numbers of the units that are drawn.
        episodes: how many there are.
    """

    yardstick: Yardstick
    moved: Differences | None
    reached: NDArray[np.bool_]
    baselines: Mapping[str, Float64]
    units: NDArray[np.int64]
    episodes: int

    def compared(
        self, candidates: list[Candidate], *, share: float, seed: int | None
    ) -> Comparison:
        """Returns the comparison of models from these starts."""
        able = {one.name: one.errors for one in candidates if one.errors is not None}
        errors = {name: self._errors(found.ahead.size) for name, found in able.items()}
        baselines = {name: self._errors(size) for name, size in self.baselines.items()}
        draws = drawn_units(self.units, seed)
        simplest = sorted((one for one in candidates if one.name in able), key=_numbers)
        choice = chosen_of(errors, baselines, [one.name for one in simplest], draws)
        models = {}
        for one in candidates:
            found = errors.get(one.name)
            models[one.name] = ComparedModel(
                name=one.name,
                evaluation=None if found is None else self._evaluated(one, share, seed),
                error=np.nan if found is None else found.error,
                error_interval=None if found is None else draws.interval(found),
                as_good=choice.as_good.get(one.name, np.nan),
                run_away=np.nan if found is None else found.run_away,
                fitted_numbers=one.fitted_numbers,
                step_nanoseconds=one.step_nanoseconds,
                problem=one.problem,
            )
        return Comparison(
            models=models,
            baselines={name: found.error for name, found in baselines.items()},
            chosen=choice.chosen,
            best=choice.best,
            reason=choice.reason,
            rows=len(self.reached),
            episodes=self.episodes,
            steps=self.reached.shape[1],
            units=int(self.units.max()) + 1,
        )

    def _errors(self, size: Float64) -> ModelErrors:
        return ModelErrors.of(size, self.baselines[NO_CHANGE], self.reached, self.units)

    def _evaluated(self, one: Candidate, share: float, seed: int | None) -> Evaluation:
        assert one.errors is not None
        return evaluation_of(
            one.errors,
            self.yardstick,
            moved=self.moved,
            share=share,
            seed=seed,
            episodes=self.episodes,
        )


def problem_text(error: BaseException) -> str:
    """Returns why a model failed, on one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def _numbers(one: Candidate) -> float:
    """Returns the size of a model; one that is not known counts as the largest."""
    return np.inf if one.fitted_numbers is None else one.fitted_numbers


def require_named(models: Any, wanted: str) -> None:
    """Refuses what is no mapping from names to something.

    Raises:
        TypeError: it is none, or a name is no text.
        ArgumentError: it is empty.
    """
    if not isinstance(models, Mapping):
        got = _texts.shown(models)
        raise TypeError(f"models: got {got}, must be a mapping from names to {wanted}")
    if not models:
        raise ArgumentError("models: got none, must be at least one")
    for name in models:
        if not isinstance(name, str):
            raise TypeError(f"models: got the name {_texts.shown(name)}, must be text")


def _require_models(models: Any) -> None:
    require_named(models, "models")
    for name, model in models.items():
        try:
            require_model(model, "predict")
        except TypeError as error:
            raise TypeError(f"models: {name!r}: {error}") from None
