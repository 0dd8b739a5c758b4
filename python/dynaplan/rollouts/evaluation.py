"""How accurate a model is, and how far ahead it can be trusted."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dynaplan import _arrays, _texts
from dynaplan.data.transitions import Transitions
from dynaplan.models.calibrated import CalibratedModel
from dynaplan.models.interface import Model, require_model
from dynaplan.rollouts.arguments import fitting_angles, knowing, knowing_the_same, with_reference
from dynaplan.rollouts.band_coverage import band_coverage as coverage_of_bands
from dynaplan.rollouts.error_ratio import (
    error_ratio,
    grouped,
    growth,
    interval,
    resampled_ratio,
    resampled_rmse,
    state_ratio,
)
from dynaplan.rollouts.evaluation_columns import evaluation_columns, frame_of
from dynaplan.rollouts.evaluation_picture import evaluation_figure, write_figure
from dynaplan.rollouts.evaluation_text import evaluation_text
from dynaplan.rollouts.held_out_errors import HeldOutErrors, Yardstick, held_out_errors
from dynaplan.rollouts.one_step import one_step_errors
from dynaplan.rollouts.open_loop import Ahead, Differences, quantile
from dynaplan.rollouts.rollout import Propagation

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Evaluation", "evaluate", "evaluation_of"]

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
        spread: (S,) standard deviation of the reference states, in their units; of angles about
            their circular mean, as all differences of angles go the short way round.
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
        rmse_interval: (2, K, S) 5 and 95 % quantiles of `rmse` over the same draws as those of
            `ratio_interval`, or None.
        baseline_rmse: (K, S) `rmse` of the prediction that nothing changes, in the reference.
        state_ratio: (K, S) `rmse` over that of the prediction that nothing changes, both without
            the noise; nan for a state that never varied in the reference, and for a known one.
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
        known_states: those that are exact shifts in the reference data, such as lags: they only
            repeat the errors of others, and count in none of the figures over the states.
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
    rmse_interval: Float64 | None
    baseline_rmse: Float64
    state_ratio: Float64
    growth: Float64
    coverage: Mapping[float, Float64]
    band_coverage: Float64 | None
    share: float
    trusted_horizon: int
    trusted_interval: tuple[int, int] | None
    coverage_uncalibrated: Mapping[float, Float64] | None = None
    band_coverage_uncalibrated: Float64 | None = None
    known_states: tuple[int, ...] = ()
    state_names: tuple[str, ...] | None = None
    units: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        return (
            f"Evaluation(trusted_horizon={self.trusted_horizon} of {len(self.steps)} steps, "
            f"one_step_rmse={_texts.brief(self.one_step_rmse)})"
        )

    def __str__(self) -> str:
        return evaluation_text(self)

    def to_dict(self) -> dict[str, NDArray[np.float64] | NDArray[np.int64]]:
        """Returns the errors after k steps as a long table: arrays of K S entries by column.

        Returns:
            The columns `step` (from 1) and `state` (from 0), the first state's entries first, then
            `starts`; in the state's unit `rmse`, `rmse_low` and `rmse_high` (of `rmse_interval`,
            nan where it is None), `baseline_rmse`, `noise_floor` and `spread`; `state_ratio` and
            `growth`.

        Example:
            >>> s, a = np.random.default_rng(0).normal(size=(2, 100, 1))
            >>> data = dp.Transitions(s, a, 0.5 * s + a)
            >>> columns = dp.evaluate(dp.LinearGaussian.fit(data), data).to_dict()
            >>> columns["step"], columns["state"]
            (array([1]), array([0]))
        """
        return evaluation_columns(self)

    def to_frame(self) -> pd.DataFrame:
        """Returns the errors after k steps as a pandas DataFrame, with the columns of `to_dict`.

        Returns:
            One row for each step of each state.

        Raises:
            ImportError: pandas is not installed.
        """
        return frame_of(evaluation_columns(self))

    def plot(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        states: Sequence[int] | None = None,
        ax: Axes | Sequence[Axes] | None = None,
    ) -> Figure:
        """Draws how the error of each state grows with the steps ahead.

        A panel for each state shows `rmse` with the band of `rmse_interval`, `baseline_rmse`,
        `noise_floor` where there is any, and the trusted horizon with its interval.

        Args:
            path: name of the picture to write, which ends in .png, .pdf or .svg; an existing file
                is replaced. Default: none is written.
            states: which states to draw. Default: the first twelve that are not known.
            ax: axes of matplotlib to draw into, one for each state. Default: a new figure.

        Returns:
            The figure, which belongs to no window.

        Raises:
            ArgumentError: there is no such state, or `path` ends otherwise.
            ImportError: matplotlib is not installed (extra `plot`).
            OSError: the file cannot be written.
            ShapeError: there are not as many axes as states.
            TypeError: `ax` are no axes.
        """
        figure = evaluation_figure(self, states, ax)
        if path is not None:
            write_figure(figure, path)
        return figure


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
        ArgumentError: `horizon` or `share` is out of range, `propagation` draws nothing, or the
            data have other angles than the model or the reference, or other known states than the
            reference.
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
    angles = fitting_angles("held_out", held_out, model)
    of_itself = reference is None or reference is held_out
    held_out = knowing("held_out", held_out, model)
    if reference is None or of_itself:
        reference = held_out
    else:
        angles = with_reference(angles, fitting_angles("reference", reference, model))
        held_out, reference = knowing_the_same(held_out, knowing("reference", reference, model))
    if propagation is not None:
        _arrays.choice("propagation", propagation, "sample", "ts1", "tsinf", "moment")
    if seed is not None:
        seed = _arrays.seed_number(seed)
    threads = _arrays.count("threads", threads, 1)
    ahead = Ahead.of(held_out, horizon)
    last = len(ahead.steps)
    yardstick = Yardstick.of(reference, last, angles)
    groups = grouped(held_out.episodes)
    errors = held_out_errors(model, held_out, ahead, yardstick, groups, threads)
    covered, uncalibrated = (
        (None, None)
        if propagation is None
        else coverage_of_bands(model, held_out, (ahead, angles), propagation, seed, threads)
    )
    return evaluation_of(
        errors,
        yardstick,
        moved=yardstick.moved if reference is held_out else None,
        share=share,
        seed=seed,
        episodes=len(held_out.episode_slices),
        band_coverage=covered,
        band_coverage_uncalibrated=uncalibrated,
        coverage_uncalibrated=(
            one_step_errors(model.uncalibrated, held_out, angles, threads).coverage
            if isinstance(model, CalibratedModel) and model.calibration is not None
            else None
        ),
    )


def evaluation_of(
    errors: HeldOutErrors,
    yardstick: Yardstick,
    *,
    moved: Differences | None,
    share: float,
    seed: int | None,
    episodes: int,
    coverage_uncalibrated: Mapping[float, Float64] | None = None,
    band_coverage: Float64 | None = None,
    band_coverage_uncalibrated: Float64 | None = None,
) -> Evaluation:
    """Returns what errors come to beside their yardstick.

    Args:
        errors: of a model.
        yardstick: of the reference data, for as many steps at least.
        moved: how far the states move from the same starts, where these are the reference.
        share: of the change, up to which an error is trusted.
        seed: of the draws of groups.
        episodes: held-out episodes.
        coverage_uncalibrated: see `Evaluation`, as for the other two.
        band_coverage: along the way.
        band_coverage_uncalibrated: before the bands were calibrated.
    """
    seed = _arrays.seed_number(seed)  # the same draws for all intervals
    ahead, noise, scale = errors.ahead, yardstick.noise, yardstick.scale
    last = ahead.size.shape[1]
    change_median = yardstick.change_median[:last]
    change_squares = yardstick.change_squares[:last]
    error_median, error_90 = quantile(ahead.size, ahead.reached, 0.5, 0.9)
    ratio, *noises = error_ratio(ahead, error_median, change_median, noise, scale)
    trusted = int(ratio.trusted_steps(share))
    draws = resampled_ratio(
        ahead,
        change_median if moved is None else moved,
        (noises[0], noises[1]),
        errors.groups,
        seed,
    )
    low, high, trusted_interval = None, None, None
    if draws is not None:
        low, high = interval(np.concatenate([draws.ratio, ratio.ratio[None]]))
        shortest, longest = interval(draws.trusted_steps(share).astype(np.float64))
        trusted_interval = min(int(shortest), trusted), max(int(longest), trusted)
    state_rmse = scale.unit * np.sqrt(ahead.mean_squares)
    rmse_interval = resampled_rmse(ahead, errors.groups, seed)
    return Evaluation(
        one_step_rmse=errors.one_step.rmse,
        spread=yardstick.spread,
        noise_floor=yardstick.spread * np.sqrt(noise.low),
        steps=np.arange(1, last + 1),
        starts=ahead.reached.sum(axis=0),
        episodes=episodes,
        error_median=error_median,
        error_90=error_90,
        baseline_median=change_median,
        ratio=ratio.ratio,
        ratio_interval=None if low is None or high is None else np.stack([low, high]),
        rmse=state_rmse,
        rmse_interval=None if rmse_interval is None else scale.unit * rmse_interval,
        baseline_rmse=scale.unit * np.sqrt(change_squares),
        state_ratio=state_ratio(ahead, change_squares, noise, scale),
        growth=growth(state_rmse),
        coverage=errors.one_step.coverage,
        share=share,
        trusted_horizon=trusted,
        trusted_interval=trusted_interval,
        coverage_uncalibrated=coverage_uncalibrated,
        band_coverage=band_coverage,
        band_coverage_uncalibrated=band_coverage_uncalibrated,
        known_states=yardstick.known_states,
        state_names=yardstick.state_names,
        units=yardstick.units,
    )
