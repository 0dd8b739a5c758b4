"""The cross-entropy method."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dynaplan import _arrays, _core
from dynaplan.planners.noise import GaussianNoise
from dynaplan.planners.sampling import SamplingPlanner
from dynaplan.planners.settings import CoreSettings, search_settings, shared_settings_last

__all__ = ["CEM"]


@shared_settings_last
@dataclass(frozen=True, kw_only=True)
class CEM(GaussianNoise, SamplingPlanner):
    """The cross-entropy method: draw candidates from a Gaussian, refit it to the best, repeat.

    Args:
        horizon: steps planned ahead. Default 22, a second of Pendulum-v1: enough to see a swing
            pay off, not so far that the errors of a model of 200 transitions decide.
        candidates: sequences per iteration. Default 500, as in PETS.
        elites: how many of them the Gaussian is refitted to. Default 50, a tenth.
        iterations: refits. Default 5, as in PETS, for returns with many local optima. Where there
            is one, many small iterations get further: on convex problems 20 of 125 candidates come
            within 1 % of the optimum four steps ahead, 5 of 500 three steps ahead.
        smoothing: share of the old mean and standard deviation that is kept, in [0, 1). Default
            0.1, as in PETS and iCEM.
        min_std: smallest standard deviation, times half the width of the bounds. Default 0.05, as
            in TD-MPC, so that a warm-started search keeps exploring.
        result: "best": the best sequence seen, the mean of the last Gaussian included; "mean":
            that mean, smoother.
        truncated: draw from the Gaussian cut off at two standard deviations, which are at most half
            the distance to the nearer bound, as in PETS; so nothing is drawn beyond the bounds.
            Default False: draws beyond are clipped to the bounds, where the best actions often are.
            Only for white noise: what is drawn again stands alone.
        tolerance: stop early when no standard deviation exceeds this many half widths of the
            bounds. Default 0: all iterations are made.

    Raises:
        ArgumentError: a setting is out of range.

    With `noise_exponent=2` it draws as `ICEM(population_decay=1, reuse_fraction=0)` does with the
    same settings and seed, but for the mean, which is a candidate too: here the first of each
    iteration; there the last of the last iteration, and from a warm start the first of all.

    Source: Rubinstein 1999; Chua et al. 2018, "Deep reinforcement learning in a handful of
    trials using probabilistic dynamics models" (PETS).

    Example:
        >>> dp.CEM(horizon=15).candidates
        500
    """

    horizon: int = 22
    candidates: int = 500
    elites: int = 50
    iterations: int = 5
    smoothing: float = 0.1
    min_std: float = 0.05
    result: Literal["best", "mean"] = "best"
    truncated: bool = False
    tolerance: float = 0.0

    def _settings(self) -> CoreSettings:
        _arrays.choice("result", self.result, "best", "mean")
        return _core.Cem(**search_settings(self, "result"), returns_mean=self.result == "mean")
