"""Errors beside what changes, noise taken out of both: how far ahead a model can be trusted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dynaplan.data.rows import numbered_groups
from dynaplan.rollouts.measurement_noise import MeasurementNoise
from dynaplan.rollouts.open_loop import Differences, Scale, add_by_group

__all__ = ["ErrorRatio", "draws_of", "error_ratio", "grouped", "growth", "interval"]
__all__ += ["resampled_ratio", "resampled_rmse", "state_ratio"]

_RESAMPLES = 200
_INTERVAL = (0.05, 0.95)
_MAX_GROUPS = 64  # of episodes; one of more of them is drawn as part of its group
_MAX_STARTS = 256  # of more, every other or third ...: neighbours err alike
_EXCURSION = 2.0  # times the squared error that is trusted: 0.71 of the change, not 0.5
_BINS = 32  # of ranks: about as fine as the median of so many starts is known

Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class ErrorRatio:
    """Median error and median change after k steps, squared and without noise.

    Attributes:
        error: (..., K).
        change: (..., K).
        is_lost: (..., K) whether the change is no more than the noise, where there is noise.
    """

    error: Float64
    change: Float64
    is_lost: NDArray[np.bool_]

    @property
    def ratio(self) -> Float64:
        """(..., K) error over change; infinite where the change is lost in the noise."""
        return np.sqrt(_over(self.error, self.change, self.is_lost))

    def trusted_steps(self, share: float) -> NDArray[np.int64]:
        """Returns (...) the last k at which the error is at most `share` of the change, or 0.

        That is so after k steps, and on the way there: of the sums of the squares over 1 ... k too,
        and nowhere is the error far above that share of the largest change so far. A first step in
        which next to nothing changes, and a short crossing, are then no obstacle; and a model that
        was wrong is not trusted where it happens to meet the system again.
        """
        nowhere = np.zeros_like(self.is_lost)
        with np.errstate(over="ignore"):
            sums = np.cumsum(self.error, axis=-1), np.cumsum(self.change, axis=-1)
        error_peak = np.maximum.accumulate(self.error, axis=-1)
        change_peak = np.maximum.accumulate(self.change, axis=-1)
        peaks = np.sqrt(_over(error_peak, change_peak, nowhere) / _EXCURSION)
        largest = np.maximum(self.ratio, np.sqrt(_over(*sums, nowhere)))
        largest = np.maximum(largest, peaks)
        steps = np.arange(1, largest.shape[-1] + 1)
        trusted: NDArray[np.int64] = np.where(largest <= share, steps, 0).max(axis=-1)
        return trusted


def error_ratio(
    errors: Differences,
    error_median: Float64,
    change_median: Float64,
    noise: MeasurementNoise,
    scale: Scale,
) -> tuple[ErrorRatio, Float64, Float64]:
    """Returns the ratio, and the noise (K,) in the squares of either median.

    An error holds the noise of the state that is compared with, and that of the start as far as the
    model passes it on; what the model amplifies beyond the noise itself is its own error. A change
    holds the noise of both states.
    """
    error_noise = _median_noise(noise.low + start_noise(errors, noise, scale), scale)
    change_noise = np.broadcast_to(_median_noise(2.0 * noise.high, scale), error_noise.shape)
    return (
        _without_noise(error_median, change_median, error_noise, change_noise),
        error_noise,
        change_noise,
    )


def resampled_ratio(
    errors: Differences,
    moved: Differences | Float64,
    noises: tuple[Float64, Float64],
    episodes: NDArray[np.int64],
    seed: int | None,
) -> ErrorRatio | None:
    """Returns the ratio for 200 draws of the episodes with replacement; None of one episode.

    Args:
        errors: of N starts.
        moved: of the same starts, or (K,) the median change of other data.
        noises: as `error_ratio` returned them.
        episodes: (N,) of the starts.
        seed: of the draws; None draws anew.

    Source: resampling of whole groups, within which rows depend on each other: Davison & Hinkley
    1997, "Bootstrap methods and their application", sec. 3.8.
    """
    groups = grouped(episodes)
    drawn = draws_of(int(groups.max()) + 1, seed)
    if drawn is None:
        return None
    change = _medians_of_draws(moved, groups, drawn) if isinstance(moved, Differences) else moved
    return _without_noise(_medians_of_draws(errors, groups, drawn), change, *noises)


def resampled_rmse(
    errors: Differences, groups: NDArray[np.int64], seed: int | None
) -> Float64 | None:
    """Returns (2, K, S) 5 and 95 % quantiles of the root mean squares over the same draws, or None.

    Args:
        errors: of N starts.
        groups: (N,) of the starts, as `grouped` numbers them.
        seed: of the draws; None draws anew.
    """
    squares = errors.group_squares
    drawn = draws_of(len(squares), seed)
    if drawn is None:
        return None
    counts = np.zeros(squares.shape[:2])
    add_by_group(counts, errors.reached, groups)
    endless = np.isinf(squares)  # which a group that is not drawn must not make nan
    with np.errstate(over="ignore", invalid="ignore"):
        total = np.tensordot(drawn, np.where(endless, 0.0, squares), axes=1)
        total[np.tensordot(drawn, endless.astype(float), axes=1) > 0.0] = np.inf
        means = total / (drawn @ counts)[:, :, None]
    low, high = interval(np.sqrt(np.concatenate([means, errors.mean_squares[None]])))
    return np.stack([low, high])


def grouped(ids: NDArray[np.int64]) -> NDArray[np.int64]:
    """Returns (N,) numbers from 0 of the groups that are drawn; of many ids several are one."""
    groups = numbered_groups(ids)
    count = int(groups.max()) + 1
    return groups if count <= _MAX_GROUPS else groups * _MAX_GROUPS // count


def draws_of(count: int, seed: int | None, resamples: int = _RESAMPLES) -> NDArray[np.int64] | None:
    """Returns (resamples, count): how often each group is drawn, with replacement; None of one."""
    if count == 1:
        return None
    return np.random.default_rng(seed).multinomial(count, [1.0 / count] * count, resamples)


def state_ratio(
    errors: Differences, changed: Float64, noise: MeasurementNoise, scale: Scale
) -> Float64:
    """Returns (K, S) error over change of each state, as root mean squares without the noise.

    Args:
        errors: of the model.
        changed: (K, S) mean squares of the changes.
        noise: of the states.
        scale: of the states; one that never varied has no ratio: nan.
    """
    high = np.broadcast_to(2.0 * noise.high, changed.shape)
    change = np.maximum(0.0, changed - high)
    passed = noise.low + start_noise(errors, noise, scale)
    error = np.maximum(0.0, errors.mean_squares - passed)
    ratio = np.sqrt(_over(error, change, (change == 0.0) & (high > 0.0)))
    return np.where(scale.weights > 0.0, ratio, np.nan)


def start_noise(errors: Differences, noise: MeasurementNoise, scale: Scale) -> Float64:
    """Returns (K, S) mean squares of what noise of the starts adds, at most as much as itself."""
    moved = np.where(np.isfinite(errors.start_noise), errors.start_noise, 0.0)
    total, most = moved @ scale.weights, float(noise.low @ scale.weights)
    share = np.divide(most, total, out=np.ones_like(total), where=total > most)
    return moved * share[:, None]


def growth(rmse: Float64) -> Float64:
    """Returns (S,) the mean factor a step by which (K, S) errors grow, while they are finite."""
    is_sound = np.isfinite(rmse) & (rmse > 0.0)
    last = np.where(is_sound.all(axis=0), len(rmse), np.argmin(is_sound, axis=0)) - 1
    factors = np.full(rmse.shape[1], np.nan)
    for state in np.flatnonzero(last > 0):
        steps = last[state]
        first, final = rmse[0, state], rmse[steps, state]
        factors[state] = np.exp((np.log(final) - np.log(first)) / steps)
    return factors


def _without_noise(
    error_median: Float64, change_median: Float64, error_noise: Float64, change_noise: Float64
) -> ErrorRatio:
    with np.errstate(over="ignore"):
        error = np.maximum(0.0, error_median**2 - error_noise)
        change = np.maximum(0.0, change_median**2 - change_noise)
    error, change = np.broadcast_arrays(error, change)
    return ErrorRatio(error, change, (change == 0.0) & (change_noise > 0.0))


def _over(error: Float64, change: Float64, is_lost: NDArray[np.bool_]) -> Float64:
    """Returns squared ratios; 0 of nothing to nothing."""
    never = np.where((error == 0.0) & ~is_lost, 0.0, np.inf)
    ratio = np.where(np.isnan(error) | np.isnan(change), np.nan, never)
    with np.errstate(over="ignore", invalid="ignore"):
        np.divide(error, change, out=ratio, where=(change > 0.0) & np.isfinite(error))
    return ratio


def _median_noise(noise: Float64, scale: Scale) -> Float64:
    """Returns (...) by how much noise of (..., S) variances raises the square of a median error.

    The mean of the squares is a sum of chi squared variables, near to one of as many degrees of
    freedom as have the same two moments (Satterthwaite 1946), and its median is
    (1 - 2 / (9 freedom))^3 of its mean (Wilson & Hilferty 1931).
    """
    parts = noise * scale.weights
    total, squares = parts.sum(axis=-1), (parts**2).sum(axis=-1)
    with np.errstate(invalid="ignore"):
        median = total * (1.0 - 2.0 * squares / (9.0 * total**2)) ** 3
    return np.where(total > 0.0, median, 0.0)


def _medians_of_draws(
    differences: Differences, groups: NDArray[np.int64], drawn: NDArray[np.int64]
) -> Float64:
    """Returns (draws, K) medians, each group of starts counted as often as it was drawn.

    Starts are ranked once, the ranks put into bins, and the bins counted for each group: a draw is
    then a product with the counts.
    """
    some = slice(None, None, -(-len(groups) // _MAX_STARTS))
    reached = differences.reached[some]
    values = np.where(reached, differences.size[some], np.nan).T.copy()  # (K, n)
    horizon, count = values.shape
    order = np.argsort(values, axis=1)  # nan last
    total = reached.sum(axis=0)[:, None]
    rank = np.arange(count)
    inside = rank < total
    bins = np.minimum(rank * _BINS // np.maximum(total, 1), _BINS - 1)
    places = (groups[some][order] * horizon + np.arange(horizon)[:, None]) * _BINS + bins
    group_count = drawn.shape[1]
    counts = np.bincount(places[inside], minlength=group_count * horizon * _BINS)
    up_to = counts.reshape(group_count, horizon, _BINS).cumsum(axis=2).astype(np.float32)
    found = drawn.astype(np.float32) @ up_to.reshape(group_count, -1)
    found = found.reshape(-1, horizon, _BINS)
    reach = found[:, :, -1:]
    middle = np.count_nonzero(found < 0.5 * reach, axis=2)
    ranks = ((np.arange(_BINS) + 0.5) * total / _BINS).astype(np.intp)
    typical = np.take_along_axis(values, np.take_along_axis(order, ranks, axis=1), axis=1)
    medians: Float64 = typical[np.arange(horizon), middle]
    return np.where(reach[:, :, 0] > 0.0, medians, np.nan)


def interval(values: NDArray[np.float64]) -> tuple[Float64, Float64]:
    """Returns the 5 and 95 % quantiles of (draws, ...) along the draws, without those of nan."""
    ordered = np.sort(values, axis=0)  # nan last
    last = np.maximum(0, np.count_nonzero(~np.isnan(values), axis=0) - 1)
    low, high = (
        np.take_along_axis(ordered, rounded(level * last).astype(np.intp)[None], axis=0)[0]
        for level, rounded in zip(_INTERVAL, (np.floor, np.ceil), strict=True)
    )
    return low, high
