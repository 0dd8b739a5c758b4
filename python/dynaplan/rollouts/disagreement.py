"""Known ground: where the members of an ensemble agree, so that a plan may lean on the model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from dynaplan import _core
from dynaplan.data.transitions import Transitions
from dynaplan.errors import ArgumentError
from dynaplan.models.interface import Model

__all__ = ["DisagreementLimit", "disagreement_limit_of"]

OnExceeding = Literal["reject", "stop"]


@dataclass(frozen=True)
class DisagreementLimit:
    """A limit on how far the members may disagree, and what becomes of a candidate beyond it.

    At each step of each particle the members' mean predictions are compared: the root of their
    variance, averaged over the states in units of the targets' scale. That costs a prediction by
    every member.

    Args:
        limit: the largest disagreement that is still known ground, >= 0; see `calibrated`.
        on_exceeding: "reject" (default): a candidate of which any particle leaves has a return of
            -inf, ranks last and is counted in `plan.stats.rejected`. "stop": the particle stays
            where it left and earns nothing from that step on; for rewards that are not negative,
            as leaving would otherwise be worth most.

    Raises:
        ArgumentError: an argument is out of range.

    Source: Kidambi et al. 2020, "MOReL: model-based offline reinforcement learning" (halting where
    an ensemble disagrees).

    Example:
        >>> limit = dp.DisagreementLimit(limit=0.5)
        >>> dp.CEM(disagreement_limit=limit).disagreement_limit.on_exceeding
        'reject'
    """

    limit: float
    on_exceeding: OnExceeding = "reject"

    def __post_init__(self) -> None:
        if self.on_exceeding not in ("reject", "stop"):
            raise ArgumentError(
                f'on_exceeding: got {self.on_exceeding!r}, must be "reject" or "stop"'
            )
        disagreement_limit_of(self)

    @classmethod
    def calibrated(
        cls,
        model: Model,
        held_out: Transitions,
        *,
        quantile: float = 0.99,
        on_exceeding: OnExceeding = "reject",
        threads: int = 1,
    ) -> DisagreementLimit:
        """Sets the limit so that nearly all held-out transitions are known ground.

        Args:
            model: an ensemble.
            held_out: transitions that were not fitted.
            quantile: the share of them whose disagreement the limit allows, in [0, 1]. Default
                0.99: one stray transition in a hundred does not set the limit.
            on_exceeding: as above.
            threads: threads to use.

        Returns:
            The known ground of that limit.

        Raises:
            ArgumentError: `quantile` is out of range, or the model's predictions never disagree.
            ShapeError: the data have other dimensions than the model.
        """
        if not 0.0 <= quantile <= 1.0:
            raise ArgumentError(f"quantile: got {quantile}, must be in [0, 1]")
        disagreement = _core.disagreement(
            model.dynamics, held_out.states, held_out.actions, threads
        )
        if not disagreement.any():
            raise ArgumentError(
                "model: its predictions never disagree; must be an ensemble of several members"
            )
        return cls(float(np.quantile(disagreement, quantile)), on_exceeding)


def disagreement_limit_of(
    disagreement_limit: DisagreementLimit | None,
) -> _core.DisagreementLimit | None:
    """Returns what the core is told of known ground; None where all ground is known."""
    if disagreement_limit is None:
        return None
    return _core.DisagreementLimit(
        disagreement_limit.limit, disagreement_limit.on_exceeding == "reject"
    )
