"""Risk measures: reduce the returns of a candidate's particles to one number, to rank candidates.

Each particle is one possible future under the same actions, with one return. Larger is better, so
a risk-averse measure looks at the small returns.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Literal

from dynaplan import _arrays
from dynaplan.errors import ArgumentError

__all__ = ["CVaR", "EpistemicPenalty", "Mean", "Risk", "Worst"]

Reduction = Literal["mean", "cvar", "worst", "epistemic_penalty"]


class Risk(ABC):
    """A measure that reduces several returns to one number; use the classes below."""

    @abstractmethod
    def _reduction(self) -> tuple[Reduction, float]:
        """Returns the reduction's name in the core, and its parameter."""


@dataclass(frozen=True)
class Mean(Risk):
    """The mean of the particles' returns: risk-neutral.

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
        fraction: the share, in (0, 1]. At 1 it is the mean of all, towards 0 the worst of them.
            fraction * P of the P particles count, the last one in part where that is no whole
            number.

    Raises:
        ArgumentError: `fraction` is out of range.

    Source: Rockafellar & Uryasev 2000, "Optimization of conditional value-at-risk".

    Example:
        >>> dp.CEM(propagation="sample", particles=20, risk=dp.risk.CVaR(0.1)).risk
        CVaR(fraction=0.1)
    """

    fraction: float

    def __post_init__(self) -> None:
        _arrays.positive_fraction("fraction", self.fraction)

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
    """The mean return minus a multiple of its epistemic standard deviation.

    That is the standard deviation, over the members of an ensemble, of each member's mean return:
    the model's uncertainty counts, the system's own noise does not. It needs propagation "tsinf",
    where a particle keeps its member, and the same number of particles for each member.

    Args:
        multiple: standard deviations to subtract, >= 0.

    Raises:
        ArgumentError: `multiple` is out of range.

    Example:
        >>> dp.risk.EpistemicPenalty(2.0)
        EpistemicPenalty(multiple=2.0)
    """

    multiple: float

    def __post_init__(self) -> None:
        if not 0.0 <= _arrays.real("multiple", self.multiple) < float("inf"):
            raise ArgumentError(f"multiple: got {self.multiple}, must be finite and at least 0")

    def _reduction(self) -> tuple[Reduction, float]:
        return "epistemic_penalty", self.multiple
