"""Random shooting."""

from __future__ import annotations

from dataclasses import dataclass

from dynaplan import _core
from dynaplan.planners.noise import SequenceNoise
from dynaplan.planners.sampling import SamplingPlanner
from dynaplan.planners.settings import CoreSettings, search_settings, shared_settings_last

__all__ = ["RandomShooting"]


@shared_settings_last
@dataclass(frozen=True, kw_only=True)
class RandomShooting(SequenceNoise, SamplingPlanner):
    """Draws action sequences uniformly within the bounds and takes the best: the baseline.

    Args:
        horizon: steps planned ahead.
        candidates: sequences drawn. Default 1000; PETS uses 2000 to 2500 for its comparison.

    Each action is uniform within the bounds, which are its width, whatever the noise: its settings
    say how actions hang together along the horizon (a Gaussian copula).

    Raises:
        ArgumentError: a setting is out of range.

    Example:
        >>> dp.RandomShooting(candidates=2000).horizon
        20
    """

    horizon: int = 20
    candidates: int = 1000

    def _settings(self) -> CoreSettings:
        return _core.RandomShooting(**search_settings(self))
