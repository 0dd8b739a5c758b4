"""How the noise of a search runs along the horizon: settings that all planners share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["GaussianNoise", "SequenceNoise"]


@dataclass(frozen=True, kw_only=True, eq=False)
class SequenceNoise:
    """Noise along the horizon, of unit variance at every step whatever the settings; abstract.

    They work one after another: colour, then knots, then smoothing. What limits on the rate of
    actions want comes last.

    Args:
        noise_exponent: how the power of the noise falls with its frequency f along the horizon, or
            along the knots: as f to the minus this; or (A,), one exponent for each action. 0 is
            white, each step drawn on its own; 2 and more hold an action for long. Default 0; of
            `ICEM` 2.
        knots: number of steps, evenly spaced from the first to the last, at which the noise is
            drawn; between them it is their weighted mean, by the distances, scaled to the same
            variance. 1: one draw for the whole horizon. Default 0: at every step.
        smoothing_window: steps, odd and from 5 to less than twice the horizon, through which
            parabolas are fitted that smooth the noise (Savitzky & Golay 1964). Default 1: not
            smoothed.
    """

    noise_exponent: float | Sequence[float] = 0.0
    knots: int = 0
    smoothing_window: int = 1


@dataclass(frozen=True, kw_only=True, eq=False)
class GaussianNoise(SequenceNoise):
    """The same noise, as wide as the search wants it; abstract.

    Args:
        initial_std: standard deviation at the start, times half the width of the bounds; or (A,),
            one for each action. Default 0.5, as in PETS and iCEM.
    """

    initial_std: float | Sequence[float] = 0.5
