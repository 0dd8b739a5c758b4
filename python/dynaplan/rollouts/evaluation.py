"""How accurate a model is, and how far ahead it can be trusted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from dynaplan import _arrays, _texts
from dynaplan.data.rows import ends_of
from dynaplan.data.transitions import Transitions
from dynaplan.models.calibrated import CalibratedModel
from dynaplan.models.interface import Model, predicted, require_model
from dynaplan.rollouts.arguments import require_fitting
from dynaplan.rollouts.rollout import Propagation, rollout

__all__ = ["Evaluation", "evaluate"]

_LEVELS = (0.5, 0.9, 0.95)
_STARTS_AT_ONCE = 4096  # bounds the memory of the trajectories
# Between the second smallest and the second largest of 39 draws lies a 40th with 36 of 40 chances.
_BAND_PARTICLES = 39
_BAND_LEVEL = 0.9
_PRINTED_STEPS = (1, 2, 3, 5, 10, 20, 30, 50, 100, 200, 500, 1000)

Float64 = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The result of `evaluate`; it prints as a summary.

    Errors after k steps are root mean squares over the state's entries, each divided by its
    standard deviation in the reference data: an error of 1 is as large as the spread of the data.
    The reference data are the held-out data unless others were given.

    Attributes:
        one_step_rmse: (S,) in the states' units.
        spread: (S,) standard deviation of the reference states, in their units.
        steps: (K,) 1 ... K.
        starts: (K,) number of starts whose segment is at least that long.
        error_median: (K,) median over the starts.
        error_90: (K,) 90 % quantile over the starts.
        baseline_median: (K,) the same for the prediction that nothing changes, in the reference.
        coverage: for each level, (S,) share of held-out rows within the model's one-step band.
        band_coverage: (K,) share of the entries of the states after k steps that lie within the
            90 % bands of drawn trajectories, or None without `propagation`. 0.9 is calibrated;
            less means that the model is overconfident that far ahead.
        share: the largest error that is trusted, as a share of the baseline.
        trusted_horizon: the last k up to which the median error stays within `share` of the
            baseline; 0 if it does not even after one step.
        coverage_uncalibrated: `coverage` of the model before `calibrated`, where it was.
    """

    one_step_rmse: Float64
    spread: Float64
    steps: NDArray[np.int64]
    starts: NDArray[np.int64]
    error_median: Float64
    error_90: Float64
    baseline_median: Float64
    coverage: Mapping[float, Float64]
    band_coverage: Float64 | None
    share: float
    trusted_horizon: int
    coverage_uncalibrated: Mapping[float, Float64] | None = None

    def __repr__(self) -> str:
        return (
            f"Evaluation(trusted_horizon={self.trusted_horizon} of {len(self.steps)} steps, "
            f"one_step_rmse={_texts.brief(self.one_step_rmse)})"
        )

    def __str__(self) -> str:
        lines = ["one step      " + "".join(f"{f'state {i}':>11}" for i in range(len(self.spread)))]
        lines.append("  rmse        " + _cells(self.one_step_rmse))
        lines.append("  data spread " + _cells(self.spread))
        for level, shares in self.coverage.items():
            lines.append(f"  in {level:>4.0%} band" + _shares(shares))
            if self.coverage_uncalibrated is not None:
                lines.append("  uncalibrated" + _shares(self.coverage_uncalibrated[level]))
        bands = "" if self.band_coverage is None else f"   in {_BAND_LEVEL:.0%} band"
        lines.append("after k steps   error   90 %   nothing changes   starts" + bands)
        last = int(self.steps[-1])
        for step in sorted({k for k in _PRINTED_STEPS if k < last} | {last}):
            i = step - 1
            lines.append(
                f"{step:>13}{self.error_median[i]:>8.3f}{self.error_90[i]:>7.3f}"
                f"{self.baseline_median[i]:>18.3f}{self.starts[i]:>9}"
                + ("" if self.band_coverage is None else f"{self.band_coverage[i]:>14.1%}")
            )
        reach = "at least " if self.trusted_horizon == last else ""
        lines.append("(errors in standard deviations of the data)")
        lines.append(
            f"trusted horizon: {reach}{self.trusted_horizon} steps "
            f"(median error <= {self.share:.0%} of 'nothing changes')"
        )
        return "\n".join(lines)


def _shares(values: Float64) -> str:
    return "".join(f"{value:>11.1%}" for value in values)


def _cells(values: Float64) -> str:
    return "".join(f"{value:>11.4g}" for value in values)


def evaluate(
    model: Model,
    held_out: Transitions,
    horizon: int = 50,
    *,
    share: float = 0.5,
    reference: Transitions | None = None,
    propagation: Propagation | None = None,
    seed: int | None = 0,
    threads: int = 1,
) -> Evaluation:
    """Measures the accuracy of a model on data that it was not fitted to.

    From every transition of every held-out episode the model is rolled out open loop under the
    actions that were applied, and compared with the states that followed, up to the end of its
    segment: never across lost rows.

    Args:
        model: the model.
        held_out: transitions that the model was not fitted to.
        horizon: steps to look ahead, >= 1; at most the longest held-out segment. Default 50.
        share: an error is trusted while it is at most this share of the error of the prediction
            that nothing changes, in (0, 1]. Default 0.5.
        reference: data that give the spread of the states and their change over k steps. Default:
            the held-out data. Pass all data where the held-out data are few: a system that happens
            to be at rest in them makes any error large by comparison.
        propagation: how 39 trajectories are drawn from each start to check the bands after k steps:
            "sample" draws each next state; "ts1" draws it from a member chosen anew at each step,
            "tsinf" from the member that a particle keeps; "moment" redraws the particles from their
            Gaussian after each step. It takes 39 times as long. Default None: the bands are checked
            one step ahead only.
        seed: seed of the draws. Default 0: the same evaluation each time; None draws anew.
        threads: threads to use. Default 1.

    Returns:
        The evaluation; its arrays are attributes.

    Raises:
        ShapeError: the data or the reference have other dimensions than the model.
        ArgumentError: `horizon` or `share` is out of range, or `propagation` draws nothing.
        TypeError: `model` is no model, or the data or the reference are not Transitions.

    Source: the compounding of one-step errors: Talvitie 2014, "Model regularization for stable
    sample rollouts"; Janner et al. 2019, "When to trust your model".

    Example:
        >>> s, a = np.random.default_rng(0).normal(size=(2, 100, 1))
        >>> train, held_out = dp.Transitions(s, a, 0.5 * s + a).split(0.2, seed=0)
        >>> dp.evaluate(dp.LinearGaussian.fit(train), held_out).trusted_horizon
        1
    """
    require_model(model, "predict")
    horizon = _arrays.at_least(1, "horizon", horizon)
    share = _arrays.positive_fraction("share", share)
    require_fitting("held_out", held_out, model)
    if reference is None:
        reference = held_out
    else:
        require_fitting("reference", reference, model)
    if propagation is not None:
        _arrays.choice("propagation", propagation, "sample", "ts1", "tsinf", "moment")
    if seed is not None:
        seed = _arrays.seed_number(seed)
    threads = _arrays.count("threads", threads, 1)
    # The deviation of equal numbers may come out as 1e-17 of them, which is no scale.
    varied = reference.states.max(axis=0) > reference.states.min(axis=0)
    spread = np.where(varied, _deviation(reference.states), 0.0)
    # A state that never varied has no scale.
    scale = np.where(varied, spread, np.inf) if varied.any() else np.ones_like(spread)
    rmse, coverage = _one_step(model, held_out, threads)
    errors, reached = _open_loop(model, held_out, horizon, scale, threads)
    starts = reached.sum(axis=0)
    error_median = _quantile(errors, reached, 0.5)
    baseline_median = _baseline(reference, len(starts), scale)
    trusted = error_median <= share * baseline_median
    return Evaluation(
        one_step_rmse=rmse,
        spread=spread,
        steps=np.arange(1, len(starts) + 1),
        starts=starts,
        error_median=error_median,
        error_90=_quantile(errors, reached, 0.9),
        baseline_median=baseline_median,
        coverage=coverage,
        band_coverage=(
            None
            if propagation is None
            else _band_coverage(model, held_out, reached, propagation, seed, threads)
        ),
        share=share,
        trusted_horizon=len(starts) if trusted.all() else int(np.argmin(trusted)),
        coverage_uncalibrated=(
            _one_step(model.uncalibrated, held_out, threads)[1]
            if isinstance(model, CalibratedModel) and model.calibration is not None
            else None
        ),
    )


def _one_step(
    model: Model, held_out: Transitions, threads: int
) -> tuple[Float64, dict[float, Float64]]:
    prediction = predicted(model, held_out.states, held_out.actions, threads)
    error = prediction.mean - held_out.next_states
    deviation = np.sqrt(prediction.aleatoric + prediction.epistemic)
    coverage: dict[float, Float64] = {}
    for level in _LEVELS:
        width = NormalDist().inv_cdf(0.5 + 0.5 * level)
        coverage[level] = (np.abs(error) <= width * deviation).mean(axis=0)
    return _root_mean_square(error), coverage


def _deviation(values: Float64) -> Float64:
    """Returns the standard deviation of each column, also where squares overflow or vanish."""
    unit = _unit(values)
    deviation: Float64 = unit * (values / unit).std(axis=0)
    return deviation


def _root_mean_square(values: Float64) -> Float64:
    unit = _unit(values)
    with np.errstate(over="ignore"):  # of a prediction that diverges
        size: Float64 = unit * np.sqrt(((values / unit) ** 2).mean(axis=0))
    return size


def _unit(values: Float64) -> Float64:
    """Returns powers of two about as large as the columns, so that dividing by them is exact."""
    largest = np.abs(values).max(axis=0)
    measurable = (largest > 0.0) & np.isfinite(largest)
    exponent = np.where(measurable, np.frexp(largest)[1], 0)
    unit: Float64 = np.ldexp(1.0, np.clip(exponent, -1022, 1023))
    return unit


def _open_loop(
    model: Model, held_out: Transitions, horizon: int, scale: Float64, threads: int
) -> tuple[Float64, NDArray[np.bool_]]:
    """Returns (N, K) errors, and which of them lie within an episode."""
    ends, steps, reached = _ahead(held_out, horizon)
    errors = np.empty(reached.shape)
    for first in range(0, len(held_out), _STARTS_AT_ONCE):
        some = slice(first, first + _STARTS_AT_ONCE)
        rows = _rows_ahead(ends, some, steps)
        states = held_out.states[some]
        predicted = rollout(model, states, held_out.actions[rows], threads=threads)[:, 1:]
        errors[some] = _scaled_error(predicted - held_out.next_states[rows], scale)
    return errors, reached


def _baseline(reference: Transitions, horizon: int, scale: Float64) -> Float64:
    """Returns (K,) the median error of the prediction that nothing changes.

    Where no episode of the reference is so long, that after its longest.
    """
    ends, steps, reached = _ahead(reference, horizon)
    changes = np.empty(reached.shape)
    for first in range(0, len(reference), _STARTS_AT_ONCE):
        some = slice(first, first + _STARTS_AT_ONCE)
        rows = _rows_ahead(ends, some, steps)
        stayed = reference.states[some, np.newaxis] - reference.next_states[rows]
        changes[some] = _scaled_error(stayed, scale)
    medians = _quantile(changes, reached, 0.5)
    return np.pad(medians, (0, horizon - len(medians)), mode="edge")


def _ahead(
    data: Transitions, horizon: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Returns (N,) the ends of the rows' segments, (K,) steps, and (N, K) which lie within."""
    ends = ends_of(data.segments)
    left = ends - np.arange(len(data))
    steps = np.arange(min(horizon, int(left.max())))
    return ends, steps, steps < left[:, None]


def _rows_ahead(
    ends: NDArray[np.int64], some: slice, steps: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Returns (starts, K) rows of the steps ahead of some rows; the last of the segment repeats."""
    rows: NDArray[np.int64] = np.arange(len(ends))[some, None] + steps
    return np.minimum(rows, ends[some, None] - 1)


def _band_coverage(  # noqa: PLR0917  # called in one place
    model: Model,
    held_out: Transitions,
    reached: NDArray[np.bool_],
    propagation: Propagation,
    seed: int | None,
    threads: int,
) -> Float64:
    """Returns (K,): the share of entries of the states within the bands of drawn trajectories."""
    count, horizon = reached.shape
    ends, steps = ends_of(held_out.segments), np.arange(horizon)
    inside = np.zeros(horizon)
    starts_at_once = _STARTS_AT_ONCE // _BAND_PARTICLES
    for first in range(0, count, starts_at_once):
        some = slice(first, first + starts_at_once)
        rows = _rows_ahead(ends, some, steps)
        drawn = rollout(
            model,
            held_out.states[some],
            held_out.actions[rows],
            propagation=propagation,
            particles=_BAND_PARTICLES,
            seed=None if seed is None else seed + first,
            threads=threads,
        )[:, :, 1:]
        drawn.partition((1, _BAND_PARTICLES - 2), axis=1)
        actual = held_out.next_states[rows]
        within = (actual >= drawn[:, 1]) & (actual <= drawn[:, -2])
        inside += (within.mean(axis=2) * reached[some]).sum(axis=0)
    coverage: Float64 = inside / reached.sum(axis=0)
    return coverage


def _scaled_error(difference: Float64, scale: Float64) -> Float64:
    measured = max(1, np.count_nonzero(np.isfinite(scale)))
    with np.errstate(over="ignore", invalid="ignore"):
        error: Float64 = np.sqrt(((difference / scale) ** 2).sum(axis=-1) / measured)
    return np.where(np.isnan(error), np.inf, error)  # a diverged rollout is infinitely wrong


def _quantile(values: Float64, reached: NDArray[np.bool_], level: float) -> Float64:
    # "higher" is a value that occurred, so that infinite errors do not become nan.
    columns = zip(values.T, reached.T, strict=True)
    return np.array(
        [np.quantile(column[there], level, method="higher") for column, there in columns]
    )
