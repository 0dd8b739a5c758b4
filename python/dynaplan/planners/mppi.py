"""Model predictive path integral control."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dynaplan import _core
from dynaplan.planners.noise import GaussianNoise
from dynaplan.planners.sampling import SamplingPlanner
from dynaplan.planners.settings import CoreSettings, search_settings, shared_settings_last

__all__ = ["MPPI"]


@shared_settings_last
@dataclass(frozen=True, kw_only=True)
class MPPI(GaussianNoise, SamplingPlanner):
    """Path integral control: the plan moves to the average of all candidates, weighted by return.

    Candidates are the plan so far with noise added; each weighs e^(return / temperature). The
    result is the average, which is smoother than any candidate.

    Args:
        horizon: steps planned ahead.
        candidates: sequences per iteration. Default 500.
        iterations: times that the plan moves. Default 5; 1 is the original form, which leaves the
            rest to the next control step.
        std_decay: factor on the standard deviation from one iteration to the next, in (0, 1]; or
            (iterations - 1,), one for each after the first. Default 0.7: the first iterations find
            the basin, the last ones settle in it. 1 keeps the noise.
        temperature: in units of the return: a candidate worth that much less weighs e times less.
            Default None: chosen in every iteration such that the effective sample size is
            `effective_samples`, so that the scale of the reward does not matter.
        standardise: the temperature is in standard deviations of the candidates' returns, so that
            the scale of the reward does not matter. Default False.
        effective_samples: 1 / sum of squared weights where no temperature is given, from 1 to
            candidates. Default 10, as many as `ICEM` has elites.
        control_cost: weight in [0, 1] of temperature x (plan - `control_target`) x noise / std^2,
            which each candidate pays; 1 is the information-theoretic form. For noise that is not
            white the inverse of its covariance along the horizon takes the place of 1 / std^2.
            Needs a temperature. Default 0: costs of actions are left to the reward.
        control_target: the action that this counts from, in the actions' units, such as the thrust
            that hovers: one number for all, or (A,). Default None: the middle of the bounds, to
            which a control cost then pulls.

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
    std_decay: float | Sequence[float] = 0.7
    temperature: float | None = None
    standardise: bool = False
    effective_samples: float = 10.0
    control_cost: float = 0.0
    control_target: float | Sequence[float] | None = None

    def _settings(self) -> CoreSettings:
        return _core.Mppi(**search_settings(self))
