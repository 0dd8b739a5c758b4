"""How accurate a model is, and how far ahead it can be trusted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from dynaplan import _arrays, _texts
from dynaplan.data.transitions import Transitions
from dynaplan.models.calibrated import CalibratedModel
from dynaplan.models.interface import Model, predicted, require_model
from dynaplan.rollouts.arguments import require_fitting
from dynaplan.rollouts.bands import (
    BAND_PARTICLES,
    are_inside,
    band_factors_of,
    drawn_bands,
    scaled_bands,
)
from dynaplan.rollouts.error_ratio import (
    error_ratio,
    growth,
    interval,
    resampled_ratio,
    state_ratio,
)
from dynaplan.rollouts.evaluation_text import evaluation_text
from dynaplan.rollouts.measurement_noise import measurement_noise
from dynaplan.rollouts.open_loop import Ahead, Scale, changes, open_loop_errors, quantile
from dynaplan.rollouts.rollout import Propagation

__all__ = ["Evaluation", "evaluate"]

_LEVELS = (0.5, 0.9, 0.95)
_STARTS_AT_ONCE = 4096  # bounds the memory of the trajectories

Float64 = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The result of `evaluate`; it prints as a summary.

    Errors after k steps are root mean squares over the state's entries, each divided by its
    standard deviation in the reference data: an error of 1 is as large as the spread of the data.
    The reference data are the held-out data unless others were given.

    What sensors add to the states is in errors and in changes alike, and says nothing about the
    model. Where the data show it (see `noise_floor`), it is taken out of `ratio`, `state_ratio` and
    all that is trusted; the other errors are as measured.

    Attributes:
        one_step_rmse: (S,) in the states' units.
        spread: (S,) standard deviation of the reference states, in their units.
        noise_floor: (S,) standard deviation of the noise that the sensors add to the reference
            states, in their units, estimated from the data alone and rather too small; 0 where none
            is evident.
        steps: (K,) 1 ... K.
        starts: (K,) number of starts whose segment is at least that long.
        episodes: number of held-out episodes.
        error_median: (K,) median over the starts.
        error_90: (K,) 90 % quantile over the starts.
        baseline_median: (K,) the same for the prediction that nothing changes, in the reference.
        ratio: (K,) `error_median` over `baseline_median`, both without the noise; infinite where
            the noise is all that changes.
        ratio_interval: (2, K) 5 and 95 % quantiles of `ratio` over 200 draws of the held-out
            episodes with replacement. Of few episodes they are rough, and rather too close
            together; of one nothing is known, and this is None.
        rmse: (K, S) root mean square error of each state, in its unit; infinite where a prediction
            diverges.
        state_ratio: (K, S) the same over that of the prediction that nothing changes, both without
            the noise; nan for a state that never varied in the reference.
        growth: (S,) the factor by which `rmse` grows in a step, on average over all K; nan where
            there is only one step, or no error.
        coverage: for each level, (S,) share of held-out rows within the model's one-step band; nan
            for a state that the model predicts without one, as an `MLP` does.
        band_coverage: (K,) share of the entries of the states after k steps that lie within the
            90 % bands of drawn trajectories, or None without `propagation`. 0.9 is calibrated;
            less means that the model is overconfident that far ahead.
        share: the largest `ratio` that is trusted.
        trusted_horizon: the last k at which `ratio` is at most `share`, after k steps and for the
            sums of the squares over the steps up to there; 0 if there is none. A few steps above it
            on the way, as the first ones may be where little changes in a step, do not end the
            trust, but an error does that is more than 1.4 times `share` of the largest change so
            far.
        trusted_interval: 5 and 95 % quantiles of the trusted horizon over the draws of episodes, or
            None of one episode.
        coverage_uncalibrated: `coverage` of the model before `calibrated`, where it was.
        band_coverage_uncalibrated: `band_coverage` before `calibrate_bands`, where it was made for
            this propagation.
        state_names: names of the states in the held-out data, or None.
        units: those that the held-out data have, by the names of the columns.
    """

    one_step_rmse: Float64
    spread: Float64
    noise_floor: Float64
    steps: NDArray[np.int64]
    starts: NDArray[np.int64]
    episodes: int
    error_median: Float64
    error_90: Float64
    baseline_median: Float64
    ratio: Float64
    ratio_interval: Float64 | None
    rmse: Float64
    state_ratio: Float64
    growth: Float64
    coverage: Mapping[float, Float64]
    band_coverage: Float64 | None
    share: float
    trusted_horizon: int
    trusted_interval: tuple[int, int] | None
    coverage_uncalibrated: Mapping[float, Float64] | None = None
    band_coverage_uncalibrated: Float64 | None = None
    state_names: tuple[str, ...] | None = None
    units: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        return (
            f"Evaluation(trusted_horizon={self.trusted_horizon} of {len(self.steps)} steps, "
            f"one_step_rmse={_texts.brief(self.one_step_rmse)})"
        )

    def __str__(self) -> str:
        return evaluation_text(self)


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
            that nothing changes, in (0, 1], noise of the sensors taken out of both. Default 0.5.
        reference: data that give the spread of the states and their change over k steps. Default:
            the held-out data. Pass all data where the held-out data are few: a system that happens
            to be at rest in them makes any error large by comparison.
        propagation: how 39 trajectories are drawn from each start to check the bands after k steps:
            "sample" draws each next state; "ts1" draws it from a member chosen anew at each step,
            "tsinf" from the member that a particle keeps; "moment" redraws the particles from their
            Gaussian after each step. It takes 39 times as long. Default None: the bands are checked
            one step ahead only.
        seed: seed of the draws, of trajectories and of episodes. Default 0: the same evaluation
            each time; None draws anew.
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
    scale = Scale.of(reference.states, spread)
    rmse, coverage = _one_step(model, held_out, threads)
    ahead = Ahead.of(held_out, horizon)
    last = len(ahead.steps)
    behind = ahead if reference is held_out else Ahead.of(reference, last)
    noise = measurement_noise(reference, behind.ends, spread)
    errors = open_loop_errors(model, held_out, ahead, scale, noise.low, threads=threads)
    moved = changes(reference, behind, scale)
    error_median, error_90 = quantile(errors.size, errors.reached, 0.5, 0.9)
    # Beyond the longest segment of the reference its last figure holds on.
    later = ((0, last - len(behind.steps)), (0, 0))
    [change_median] = quantile(moved.size, moved.reached, 0.5)
    change_median = np.pad(change_median, later[0], mode="edge")
    ratio, *noises = error_ratio(errors, error_median, change_median, noise, scale)
    trusted = int(ratio.trusted_steps(share))
    draws = resampled_ratio(
        errors,
        moved if reference is held_out else change_median,
        (noises[0], noises[1]),
        held_out.episodes,
        seed,
    )
    low, high, trusted_interval = None, None, None
    if draws is not None:
        low, high = interval(np.concatenate([draws.ratio, ratio.ratio[None]]))
        shortest, longest = interval(draws.trusted_steps(share).astype(np.float64))
        trusted_interval = min(int(shortest), trusted), max(int(longest), trusted)
    state_rmse = scale.unit * np.sqrt(errors.mean_squares)
    band_coverage, band_coverage_uncalibrated = (
        (None, None)
        if propagation is None
        else _band_coverage(model, held_out, ahead, propagation, seed, threads)
    )
    return Evaluation(
        one_step_rmse=rmse,
        spread=spread,
        noise_floor=spread * np.sqrt(noise.low),
        steps=np.arange(1, last + 1),
        starts=ahead.reached.sum(axis=0),
        episodes=len(held_out.episode_slices),
        error_median=error_median,
        error_90=error_90,
        baseline_median=change_median,
        ratio=ratio.ratio,
        ratio_interval=None if low is None or high is None else np.stack([low, high]),
        rmse=state_rmse,
        state_ratio=state_ratio(
            errors, np.pad(moved.mean_squares, later, mode="edge"), noise, scale
        ),
        growth=growth(state_rmse),
        coverage=coverage,
        band_coverage=band_coverage,
        band_coverage_uncalibrated=band_coverage_uncalibrated,
        share=share,
        trusted_horizon=trusted,
        trusted_interval=trusted_interval,
        coverage_uncalibrated=(
            _one_step(model.uncalibrated, held_out, threads)[1]
            if isinstance(model, CalibratedModel) and model.calibration is not None
            else None
        ),
        state_names=held_out.state_names,
        units=held_out.units,
    )


def _one_step(
    model: Model, held_out: Transitions, threads: int
) -> tuple[Float64, dict[float, Float64]]:
    prediction = predicted(model, held_out.states, held_out.actions, threads)
    error = prediction.mean - held_out.next_states
    deviation = np.sqrt(prediction.aleatoric + prediction.epistemic)
    has_band = (deviation > 0.0).any(axis=0)
    coverage: dict[float, Float64] = {}
    for level in _LEVELS:
        width = NormalDist().inv_cdf(0.5 + 0.5 * level)
        inside = (np.abs(error) <= width * deviation).mean(axis=0)
        coverage[level] = np.where(has_band, inside, np.nan)
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


def _band_coverage(  # noqa: PLR0917  # called in one place
    model: Model,
    held_out: Transitions,
    ahead: Ahead,
    propagation: Propagation,
    seed: int | None,
    threads: int,
) -> tuple[Float64, Float64 | None]:
    """Returns (K,): the share of entries of the states within the bands of drawn trajectories.

    With the model's factors on its bands, and without, where it has some.
    """
    reached = ahead.reached
    count, horizon = reached.shape
    factors = band_factors_of(model, propagation)
    as_drawn, scaled = np.zeros((2, horizon))
    starts_at_once = _STARTS_AT_ONCE // BAND_PARTICLES
    for first in range(0, count, starts_at_once):
        some = slice(first, first + starts_at_once)
        rows = ahead.rows(some)
        drawn = drawn_bands(
            model,
            held_out.states[some],
            held_out.actions[rows],
            propagation,
            None if seed is None else (seed + first) % 2**64,
            threads,
        )
        actual = held_out.next_states[rows]
        as_drawn += (are_inside(drawn, actual).mean(axis=2) * reached[some]).sum(axis=0)
        if factors is not None:
            held = scaled_bands(drawn, factors)
            scaled += (are_inside(held, actual).mean(axis=2) * reached[some]).sum(axis=0)
    starts = reached.sum(axis=0)
    if factors is None:
        return as_drawn / starts, None
    return scaled / starts, as_drawn / starts
