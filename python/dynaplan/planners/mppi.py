"""Model predictive path integral control."""

from __future__ import annotations

from dataclasses import dataclass

from dynaplan import _arrays, _core
from dynaplan.planners.planner import Planner, Settings
from dynaplan.rollouts.disagreement import DisagreementLimit
from dynaplan.rollouts.risk import Risk
from dynaplan.rollouts.rollout import MEAN, Propagation

__all__ = ["MPPI"]


@dataclass(frozen=True, kw_only=True)
class MPPI(Planner):
    """Path integral control: the plan moves to the average of all candidates, weighted by return.

    Candidates are the plan so far with noise added; each weighs e^(return / temperature). The
    result is the average, which is smoother than any candidate.

    Args:
        horizon: steps planned ahead.
        candidates: sequences per iteration. Default 500.
        iterations: times that the plan moves. Default 5; 1 is the classic form, which leaves the
            rest to the next control step.
        std: standard deviation of the noise, times half the width of the bounds.
        std_decay: factor on it from one iteration to the next, in (0, 1]. Default 0.7: the first
            iterations find the basin, the last ones settle in it. 1 keeps the noise.
        temperature: in units of the return: a candidate worth that much less weighs e times less.
            Default None: chosen anew in every iteration such that the weights amount to
            `effective_samples` candidates, so that the scale of the reward does not matter.
        effective_samples: 1 / sum of squared weights where no temperature is given, from 1 to
            candidates. Default 10, as many as `ICEM` has elites.
        control_cost: weight in [0, 1] of temperature x (plan - middle of the bounds) x noise /
            std^2, which each candidate pays; 1 is the information-theoretic form. Needs a
            temperature. Default 0: costs of actions are left to the reward.
        knots: the noise is drawn at so many steps, evenly spaced, and joined by straight lines.
            Default 0: at every step.
        smoothing_window: steps, odd; the plan is smoothed by parabolas through so many (Savitzky &
            Golay 1964). Default 1: not smoothed.
        propagation: how a distribution of states is carried from step to step, as in `rollout`.
            Default "mean": the cheapest. "tsinf" with particles is PETS's choice for an ensemble.
        particles: as in `CEM`.
        risk: as in `CEM`.
        disagreement_limit: as in `CEM`.
        discount: weight of each step relative to the one before, in (0, 1].
        clip: as in `CEM`.
        threads: threads per plan.

    Raises:
        ArgumentError: a setting is out of range.

    Source: Williams et al. 2017, "Information theoretic MPC for model-based reinforcement
    learning".

    Example:
        >>> dp.MPPI(temperature=0.1, iterations=1).candidates
        500
    """

    horizon: int = 20
    candidates: int = 500
    iterations: int = 5
    std: float = 0.5
    std_decay: float = 0.7
    temperature: float | None = None
    effective_samples: float = 10.0
    control_cost: float = 0.0
    knots: int = 0
    smoothing_window: int = 1
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
        return _core.Mppi(
            _arrays.integer("horizon", self.horizon),
            _arrays.integer("candidates", self.candidates),
            _arrays.integer("iterations", self.iterations),
            self.std,
            self.std_decay,
            self.temperature,
            self.effective_samples,
            self.control_cost,
            _arrays.integer("knots", self.knots),
            _arrays.integer("smoothing_window", self.smoothing_window),
        )
