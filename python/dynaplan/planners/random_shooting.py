"""Random shooting."""

from __future__ import annotations

from dataclasses import dataclass

from dynaplan import _arrays, _core
from dynaplan.planners.planner import Planner, Settings
from dynaplan.rollouts.disagreement import DisagreementLimit
from dynaplan.rollouts.risk import Risk
from dynaplan.rollouts.rollout import MEAN, Propagation

__all__ = ["RandomShooting"]


@dataclass(frozen=True, kw_only=True)
class RandomShooting(Planner):
    """Draws action sequences uniformly within the bounds and takes the best: the baseline.

    Args:
        horizon: steps planned ahead.
        candidates: sequences drawn. Default 1000; PETS uses 2000 to 2500 for its comparison.
        propagation: as in `CEM`.
        particles: as in `CEM`.
        risk: as in `CEM`.
        disagreement_limit: as in `CEM`.
        discount: weight of each step relative to the one before, in (0, 1].
        clip: as in `CEM`.
        threads: threads per plan.

    Raises:
        ArgumentError: a setting is out of range.

    Example:
        >>> dp.RandomShooting(candidates=2000).horizon
        20
    """

    horizon: int = 20
    candidates: int = 1000
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
        return _core.RandomShooting(
            _arrays.integer("horizon", self.horizon),
            _arrays.integer("candidates", self.candidates),
        )
