"""The cross-entropy method."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dynaplan import _arrays, _core
from dynaplan.errors import ArgumentError
from dynaplan.planners.planner import Planner, Settings
from dynaplan.rollouts.disagreement import DisagreementLimit
from dynaplan.rollouts.risk import Risk
from dynaplan.rollouts.rollout import MEAN, Propagation

__all__ = ["CEM"]


@dataclass(frozen=True, kw_only=True)
class CEM(Planner):
    """The cross-entropy method: draw candidates from a Gaussian, refit it to the best, repeat.

    Args:
        horizon: steps planned ahead. Default 22, a second of Pendulum-v1: enough to see a swing
            pay, not so far that the errors of a model of 200 transitions decide.
        candidates: sequences per iteration. Default 500, as in PETS.
        elites: how many of them the Gaussian is refitted to. Default 50, a tenth.
        iterations: refits. Default 5, as in PETS, for rewards with many hills. Where there is one,
            many small steps go further: on convex problems 20 of 125 candidates come within 1 % of
            the optimum four steps ahead, 5 of 500 three steps ahead.
        smoothing: share of the old mean and standard deviation that is kept, in [0, 1). Default
            0.1, as in PETS and iCEM.
        initial_std: standard deviation at the start, times half the width of the bounds. Default
            0.5, as in PETS and iCEM.
        min_std: floor of the standard deviation, likewise. Default 0.05, as in TD-MPC, so that a
            warm-started search does not die out.
        result: "best": the best sequence seen, the mean of the last Gaussian included; "mean":
            that mean, smoother.
        truncated: draw from the Gaussian cut off at two standard deviations, and none wider than
            half the way to the nearer bound, as PETS does; so nothing is drawn beyond the bounds.
            Default False: draws beyond are set on the bounds, where the best actions often are.
        tolerance: stop before `iterations` when no standard deviation is above this many half
            widths of the bounds. Default 0: all are made.
        propagation: how a distribution of states is carried from step to step, as in `rollout`.
            Default "mean": the cheapest. "tsinf" with particles is PETS's choice for an ensemble.
        particles: trajectories for each candidate. Default 1, all that "mean" needs; PETS has 20.
        risk: what their returns come to. Default: their mean, as in PETS.
        disagreement_limit: where the model may be trusted, and what leaving it costs. Default:
            anywhere.
        discount: weight of each step relative to the one before, in (0, 1].
        clip: keep predicted states within this multiple of the observed range. Default 2.0: far
            enough to plan beyond the data, near enough that a polynomial cannot run away.
            None: not clipped.
        threads: threads per plan. Default 1: planners run beside other work; the result is the
            same for any number.

    Raises:
        ArgumentError: a setting is out of range.

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
    initial_std: float = 0.5
    min_std: float = 0.05
    result: Literal["best", "mean"] = "best"
    truncated: bool = False
    tolerance: float = 0.0
    propagation: Propagation = "mean"
    particles: int = 1
    risk: Risk = MEAN
    disagreement_limit: DisagreementLimit | None = None
    discount: float = 1.0
    clip: float | None = 2.0
    threads: int = 1

    def __post_init__(self) -> None:
        self._check_shared_settings()
        self._settings()

    def _settings(self) -> Settings:
        if self.result not in ("best", "mean"):
            raise ArgumentError(f'result: got {self.result!r}, must be "best" or "mean"')
        return _core.Cem(
            _arrays.integer("horizon", self.horizon),
            _arrays.integer("candidates", self.candidates),
            _arrays.integer("elites", self.elites),
            _arrays.integer("iterations", self.iterations),
            self.smoothing,
            self.initial_std,
            self.min_std,
            self.result == "mean",
            bool(self.truncated),
            self.tolerance,
        )
