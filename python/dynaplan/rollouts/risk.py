"""Risk: what the returns of a candidate's particles come to, so that candidates can be ranked.

Each particle is one possible future under the same actions; its return is one number. A risk makes
one number of them. What is larger is better, so a careful one looks at the small returns.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Literal

from dynaplan.errors import ArgumentError

__all__ = ["CVaR", "EpistemicPenalty", "Mean", "Risk", "Worst"]

Reduction = Literal["mean", "cvar", "worst", "epistemic_penalty"]


class Risk(ABC):
    """What makes one number of several returns; use the classes below."""

    @abstractmethod
    def _reduction(self) -> tuple[Reduction, float]:
        """Returns the core's name of the reduction and its parameter."""


@dataclass(frozen=True)
class Mean(Risk):
    """The mean of the particles' returns: no risk is minded.

    Example:
        >>> dp.CEM(propagation="sample", particles=20).risk
        Mean()
    """

    def _reduction(self) -> tuple[Reduction, float]:
        return "mean", 1.0


@dataclass(frozen=True)
class CVaR(Risk):
    """The conditional value at risk: the mean of the worst share of the returns.

    Args:
        fraction: the share, in (0, 1]. 1 is the mean of all; towards 0 it is the worst of them. Of
            P particles fraction * P count, the last of them in part where that is no whole number.

    Raises:
        ArgumentError: `fraction` is out of range.

    Source: Rockafellar & Uryasev 2000, "Optimization of conditional value-at-risk".

    Example:
        >>> dp.CEM(propagation="sample", particles=20, risk=dp.risk.CVaR(0.1)).risk
        CVaR(fraction=0.1)
    """

    fraction: float

    def __post_init__(self) -> None:
        if not 0.0 < self.fraction <= 1.0:
            raise ArgumentError(f"fraction: got {self.fraction}, must be in (0, 1]")

    def _reduction(self) -> tuple[Reduction, float]:
        return "cvar", self.fraction


@dataclass(frozen=True)
class Worst(Risk):
    """The smallest of the particles' returns.

    Example:
        >>> dp.CEM(propagation="sample", particles=20, risk=dp.risk.Worst()).risk
        Worst()
    """

    def _reduction(self) -> tuple[Reduction, float]:
        return "worst", 1.0


@dataclass(frozen=True)
class EpistemicPenalty(Risk):
    """The mean return less a multiple of its epistemic standard deviation.

    That is the standard deviation over the members of an ensemble of each member's mean return:
    what the model does not know counts, the system's own noise does not. It needs propagation
    "tsinf", where a particle keeps its member, and as many particles for each member.

    Args:
        multiple: standard deviations to take off, >= 0.

    Raises:
        ArgumentError: `multiple` is out of range.

    Example:
        >>> dp.risk.EpistemicPenalty(2.0)
        EpistemicPenalty(multiple=2.0)
    """

    multiple: float

    def __post_init__(self) -> None:
        if not 0.0 <= self.multiple < float("inf"):
            raise ArgumentError(f"multiple: got {self.multiple}, must be finite and at least 0")

    def _reduction(self) -> tuple[Reduction, float]:
        return "epistemic_penalty", self.multiple
