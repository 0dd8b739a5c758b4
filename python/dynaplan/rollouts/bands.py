"""Bands of the states some steps ahead, from drawn trajectories, and how they are made to hold."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, TypeVar, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynaplan import _arrays, _texts
from dynaplan.data.angles import NO_ANGLES, Angles
from dynaplan.data.rows import ends_of
from dynaplan.data.transitions import Transitions
from dynaplan.errors import ArgumentError, NumericalError
from dynaplan.models.calibrated import (
    PROPAGATIONS,
    CalibratedModel,
    conformal_factors,
    fewest_rows,
)
from dynaplan.models.interface import Model, angles_of, known_of
from dynaplan.rollouts.arguments import fitting_angles
from dynaplan.rollouts.open_loop import STARTS_AT_ONCE, Ahead
from dynaplan.rollouts.rollout import Propagation, rollout

__all__ = ["BAND_LEVEL", "BAND_PARTICLES", "Bands", "are_inside", "band_factors_of", "bands"]
__all__ += ["calibrate_bands", "drawn_ahead", "drawn_bands", "scaled_bands"]

# Between the second smallest and the second largest of 39 draws lies a 40th with 36 of 40 chances.
BAND_PARTICLES = 39
BAND_LEVEL = 0.9
_STARTS_AT_ONCE = STARTS_AT_ONCE // BAND_PARTICLES
_ROUNDING = 1e-9  # of a state's size: errors that are rounding alone

Float64 = NDArray[np.float64]
_Calibrated = TypeVar("_Calibrated", bound=CalibratedModel)


class Bands(NamedTuple):
    """Where states are expected to be: each in its band with a chance of 90 %.

    Attributes:
        low: (N, H, S) lower ends after 1 ... H steps, in the states' units; that of an angle may
            lie beyond its range, as the upper one may.
        middle: (N, H, S) medians of the draws.
        high: (N, H, S) upper ends.
    """

    low: Float64
    middle: Float64
    high: Float64

    def __repr__(self) -> str:
        starts, steps, states = self.low.shape
        return f"Bands({starts} starts, {steps} steps, {states} states)"


def are_inside(found: Bands, states: Float64, angles: Angles = NO_ANGLES) -> NDArray[np.bool_]:
    """Returns (N, H, S) whether the states after each step lie within their bands."""
    states = angles.near(states, found.middle)
    inside: NDArray[np.bool_] = (states >= found.low) & (states <= found.high)
    return inside


def scaled_bands(drawn: Bands, factors: Float64) -> Bands:
    """Returns the bands with both half widths times factors (K, S), the last for all beyond."""
    low, middle, high = drawn
    steps = np.minimum(np.arange(low.shape[1]), len(factors) - 1)
    with np.errstate(over="ignore", invalid="ignore"):
        low = middle - factors[steps] * (middle - low)
        high = middle + factors[steps] * (high - middle)
    return Bands(low, middle, high)


def bands(
    model: Model,
    states: ArrayLike,
    actions: ArrayLike,
    *,
    propagation: Propagation = "sample",
    seed: int | None = None,
    threads: int = 1,
) -> Bands:
    """Predicts where states will be under given actions: 90 % bands at each step.

    They reach from the second smallest to the second largest of 39 drawn trajectories. Where the
    model has factors of `calibrate_bands` for this propagation, their half widths are scaled.

    Args:
        model: the dynamics.
        states: (N, S) initial states, or one (S,) for all; in the states' units.
        actions: (N, H, A) action sequences over H steps.
        propagation: how trajectories are drawn, as in `rollout`: "sample" (default), "ts1",
            "tsinf" or "moment".
        seed: seed of the draws; None draws anew.
        threads: threads to use. Default 1.

    Returns:
        The bands.

    Raises:
        ShapeError: an array has the wrong shape.
        ArgumentError: a state or action is not finite, or `propagation` draws nothing.

    Source: Chua et al. 2018, "Deep reinforcement learning in a handful of trials using
    probabilistic dynamics models", sec. 5 (propagation).

    Example:
        >>> s, a = np.random.default_rng(0).normal(size=(2, 100, 1))
        >>> model = dp.LinearGaussian.fit(dp.Transitions(s, a, 0.5 * s + a))
        >>> dp.bands(model, [1.0], np.zeros((1, 3, 1)), seed=0).middle[0, :, 0].round(6)
        array([0.5  , 0.25 , 0.125])
    """
    drawn = drawn_bands(model, states, actions, propagation, seed, threads)
    factors = band_factors_of(model, propagation)
    return drawn if factors is None else scaled_bands(drawn, factors)


def drawn_bands(  # noqa: PLR0917  # what `bands` is given, by position
    model: Model,
    states: ArrayLike,
    actions: ArrayLike,
    propagation: Propagation,
    seed: int | None,
    threads: int,
) -> Bands:
    """Returns the bands as they are drawn, whatever factors the model has."""
    _arrays.choice("propagation", propagation, *PROPAGATIONS)
    drawn = rollout(
        model,
        states,
        actions,
        propagation=propagation,
        particles=BAND_PARTICLES,
        seed=seed,
        dtype=np.float64,
        threads=threads,
    )[:, :, 1:]
    angles, middle = angles_of(model), BAND_PARTICLES // 2
    if angles:
        drawn = angles.near(drawn, _circular_means(angles, drawn))
    drawn.partition((1, middle, BAND_PARTICLES - 2), axis=1)
    found = Bands(drawn[:, 1], drawn[:, middle], drawn[:, -2])
    moved = angles.wrapped(found.middle) - found.middle
    return Bands(*(each + moved for each in found)) if angles else found


def drawn_ahead(  # noqa: PLR0917  # as `drawn_bands`
    model: Model,
    held_out: Transitions,
    ahead: Ahead,
    propagation: Propagation,
    seed: int | None,
    threads: int,
) -> Iterator[tuple[slice, NDArray[np.intp], Bands]]:
    """Gives some starts at a time: (n,), the rows (n, K) that follow, and the bands from them."""
    for first in range(0, len(held_out), _STARTS_AT_ONCE):
        some = slice(first, first + _STARTS_AT_ONCE)
        rows = ahead.rows(some)
        yield (
            some,
            rows,
            drawn_bands(
                model,
                held_out.states[some],
                held_out.actions[rows],
                propagation,
                None if seed is None else (seed + first) % 2**64,
                threads,
            ),
        )


def _circular_means(angles: Angles, drawn: Float64) -> Float64:
    """Returns (N, 1, H, S) means over the draws of what is an angle; of other states the first."""
    means = drawn[:, :1].copy()
    rate = 2.0 * np.pi / angles.period
    turns = drawn[..., angles.columns] * rate
    turns[~np.isfinite(turns)] = 0.0  # one that diverged is anywhere
    sines, cosines = (f(turns).mean(axis=1, keepdims=True) for f in (np.sin, np.cos))
    means[..., angles.columns] = np.arctan2(sines, cosines) / rate
    return means


def band_factors_of(model: Any, propagation: Propagation) -> Float64 | None:
    """Returns (K, S) the model's factors on bands that are drawn in this manner, or None."""
    if not isinstance(model, CalibratedModel):
        return None
    return model.band_factors.get(propagation)


def calibrate_bands(
    model: _Calibrated,
    held_out: Transitions,
    horizon: int | None = None,
    *,
    propagation: Propagation = "sample",
    seed: int | None = 0,
    threads: int = 1,
) -> _Calibrated:
    """Returns the same model with bands that hold on held-out data, at each step and state.

    Each half width of the 90 % bands k steps ahead is multiplied by the smallest factor with which
    the bands hold ceil(0.9 (n + 1)) of n held-out windows of k steps (split conformal prediction):
    the state after k steps from a fresh start of the same kind then lies in its band with a chance
    of 90 % at least, however wrong the model is. Rows of one episode that overlap would count the
    same errors several times, so the windows of k steps do not: in each episode they follow one
    another from a random row on. Windows one after another are still not independent of each other,
    so that held-out data of several episodes say more than as many rows of one.

    The factors are those of `bands` and `evaluate` with the same propagation, and in the model's
    file; beyond their last step that step's hold. Draws, rollouts and plans stay as they are:
    `calibrated` scales the noise itself, to be done first where both are wanted.

    Args:
        model: a `LinearGaussian`, `GaussianProcess`, `GaussianMLP` or `Ensemble`.
        held_out: transitions that the model was not fitted to, nor stopped by: other episodes,
            where there are several.
        horizon: the last step with factors of its own, K. At least 9 windows as long have to fit
            into the episodes: with fewer even the largest error seen is no bound of 90 %, and the
            factor would be unbounded. Default: the last step for which they do.
        propagation: how the trajectories of the bands are drawn, as in `rollout`. Default
            "sample". Factors for other propagations that the model has are kept.
        seed: seed of the draws and of where windows begin. Default 0; None draws anew.
        threads: threads to use. Default 1.

    Returns:
        A model of the same class.

    Raises:
        ArgumentError: there are too few windows of `horizon` steps, or `propagation` draws nothing.
        NumericalError: a state is predicted without spread, and wrongly.
        ShapeError: the data have other dimensions than the model.
        TypeError: `model` keeps no factors.

    Source: Lei et al. 2018, "Distribution-free predictive inference for regression" (split
    conformal, sec. 2.2); Stankeviciute, Alaa & van der Schaar 2021, "Conformal time-series
    forecasting" (a factor for each step).

    Example:
        >>> rng = np.random.default_rng(0)
        >>> s, a = rng.normal(size=(2, 300, 1))
        >>> noise = rng.standard_t(2, size=s.shape)  # Gaussian bands are no good for it
        >>> data, held_out = dp.Transitions(s, a, 0.5 * s + a + 0.1 * noise).split(0.5, seed=0)
        >>> model = dp.calibrate_bands(dp.LinearGaussian.fit(data), held_out)
        >>> model.band_factors["sample"].shape
        (1, 1)
    """
    if not isinstance(model, CalibratedModel):
        raise TypeError(
            f"model: got {_texts.shown(model)}, must be a LinearGaussian, "
            "GaussianProcess, GaussianMLP or Ensemble, which keep the factors"
        )
    plain = cast("Model", model)
    angles = fitting_angles("held_out", held_out, plain)
    _arrays.choice("propagation", propagation, *PROPAGATIONS)
    seed = _arrays.seed_number(seed)
    threads = _arrays.count("threads", threads, 1)
    windows = _windows(held_out, horizon, seed)
    scores = _scores(plain, (held_out, angles), len(windows), propagation, seed, threads)
    factors = []
    for step, starts in enumerate(windows):
        try:
            factors.append(conformal_factors(scores[starts, step], BAND_LEVEL))
        except NumericalError as error:
            raise NumericalError(f"{error} {step + 1} steps ahead") from None
    return model._with_band_factors({**model.band_factors, propagation: np.stack(factors)})


def _windows(held_out: Transitions, horizon: int | None, seed: int) -> list[NDArray[np.int64]]:
    """Returns the first rows of the windows of 1, 2, ... steps, as far as there are enough.

    Those of each segment lie one after another from a random place on, so that each row is as
    likely as any other to begin one (systematic sampling: Cochran 1977, ch. 8).
    """
    fewest = fewest_rows(BAND_LEVEL)
    stops = np.unique(ends_of(held_out.segments))
    firsts = np.append(0, stops[:-1])
    longest = int((stops - firsts).max())
    wanted = longest if horizon is None else _arrays.at_least(1, "horizon", horizon)
    windows: list[NDArray[np.int64]] = []
    while len(windows) < wanted:
        steps = len(windows) + 1
        begin = firsts + np.random.default_rng((seed, steps)).integers(steps, size=len(firsts))
        starts = np.concatenate(
            [np.arange(*ends, steps) for ends in zip(begin, stops - steps + 1, strict=True)]
        )
        if len(starts) < fewest:
            if horizon is None and windows:
                break
            cure = f"give at most {steps - 1} steps, or more" if windows else "give more"
            raise ArgumentError(
                f"held_out: got {len(starts)} windows of {steps} steps that do not overlap, must "
                f"be at least {fewest} for a level of {BAND_LEVEL}, as with fewer no factor is "
                f"large enough; {cure} held-out data"
            )
        windows.append(starts)
    return windows


def _scores(  # noqa: PLR0917  # called in one place
    model: Model,
    data: tuple[Transitions, Angles],
    horizon: int,
    propagation: Propagation,
    seed: int,
    threads: int,
) -> Float64:
    """Returns (N, K, S): by which factor the bands from each row would just reach what followed.

    Beyond the end of its segment a row has those of the steps before, which nothing reads.
    """
    held_out, angles = data
    ahead = Ahead.of(held_out, horizon)
    size = np.abs(held_out.next_states).max(axis=0)
    scores = np.empty((len(held_out), horizon, held_out.state_dim))
    # Lags are known until what they repeat was predicted: theirs are bands of no width till then.
    known = known_of(model).columns
    for some, rows, drawn in drawn_ahead(model, held_out, ahead, propagation, seed, threads):
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            errors = angles.short_way(held_out.next_states[rows] - drawn.middle)
            widths = np.where(errors < 0.0, drawn.middle - drawn.low, drawn.high - drawn.middle)
            found = np.abs(errors) / widths
        found[np.isnan(found)] = np.inf
        found = np.where(np.abs(errors) <= _ROUNDING * size, 0.0, found)
        found[..., known] = np.where(widths[..., known] > 0.0, found[..., known], 1.0)
        scores[some] = found
    return scores
