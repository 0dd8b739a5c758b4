"""`SamplingPlanner`: the settings of all planners that score many candidates."""

from __future__ import annotations

from dataclasses import dataclass

from dynaplan.planners.interface import Planner
from dynaplan.rollouts.disagreement import DisagreementLimit, disagreement_limit_of
from dynaplan.rollouts.risk import Risk
from dynaplan.rollouts.rollout import MEAN, Propagation, spread_of

__all__ = ["SamplingPlanner"]


@dataclass(frozen=True, kw_only=True, eq=False)
class SamplingPlanner(Planner):
    """Draws candidates and scores them by rollouts; abstract, see `CEM`, `MPPI`, ...

    Args:
        propagation: how a distribution of states is carried from step to step, as in `rollout`.
            Default "mean": the cheapest. "tsinf" with particles is PETS's choice for an ensemble.
        particles: trajectories for each candidate. Default 1, all that "mean" needs; PETS has 20.
        risk: how the returns of a candidate's particles become one number. Default: their mean, as
            in PETS.
        disagreement_limit: how far the members of an ensemble may disagree along a candidate, and
            what happens beyond. Default: no limit.
        clip: keep predicted states within this multiple of the observed range. Default 2.0: far
            enough to plan beyond the data, near enough that a polynomial cannot run away.
            None: not clipped.
    """

    propagation: Propagation = "mean"
    particles: int = 1
    risk: Risk = MEAN
    disagreement_limit: DisagreementLimit | None = None
    clip: float | None = 2.0

    def __post_init__(self) -> None:
        super().__post_init__()
        spread_of(self.propagation, self.particles, self.risk)
        disagreement_limit_of(self.disagreement_limit)
