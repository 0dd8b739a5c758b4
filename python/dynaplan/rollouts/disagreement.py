"""A limit on the disagreement of an ensemble, beyond which a plan must not rely on the model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from dynaplan import _arrays, _core, _texts
from dynaplan.data.transitions import Transitions
from dynaplan.errors import ArgumentError
from dynaplan.models.interface import Model, require_model
from dynaplan.rollouts.arguments import require_fitting

__all__ = ["DisagreementLimit", "disagreement_limit_of"]

OnExceeding = Literal["reject", "stop"]


@dataclass(frozen=True)
class DisagreementLimit:
    """A limit on how far the members of an ensemble may disagree, and the consequence beyond it.

    At each step of each particle the members' mean predictions are compared. Their disagreement is
    the square root of their variance, averaged over the states in units of the targets' scale; it
    costs a prediction by every member.

    Args:
        limit: the largest disagreement allowed, >= 0, unitless; see `calibrated`.
        on_exceeding: "reject" (default): a candidate with any particle beyond the limit has a
            return of -inf, ranks last and is counted in `plan.stats.rejected`. "stop": the
            particle stays in the state before that step, with no reward from then on; only for
            rewards that are never negative, since stopping would otherwise be the best choice.

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
        _arrays.choice("on_exceeding", self.on_exceeding, "reject", "stop")
        _arrays.real("limit", self.limit)
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
        """Sets the limit so that nearly all held-out transitions lie within it.

        Args:
            model: an ensemble of several members.
            held_out: transitions that the model was not fitted to.
            quantile: the share of them that lies within the limit, in [0, 1]. Default 0.99: one
                outlier in a hundred does not set the limit.
            on_exceeding: "reject" or "stop", as for the class. Default "reject".
            threads: threads to use. Default 1.

        Returns:
            The limit at that quantile.

        Raises:
            ArgumentError: `quantile` is out of range, or the model's predictions never disagree.
            ShapeError: the data have other dimensions than the model.
            TypeError: `model` is no model, or `held_out` no transitions.

        Example:
            >>> s, a = np.random.default_rng(0).normal(size=(2, 60, 1))
            >>> train, held_out = dp.Transitions(s, a, 0.5 * s + a).split(0.3, seed=0)
            >>> model = dp.Ensemble.fit(train, members=2, hidden=(4,), epochs=2, seed=0)
            >>> limit = dp.DisagreementLimit.calibrated(model, held_out, quantile=0.9)
            >>> limit.on_exceeding
            'reject'
        """
        share = _arrays.share("quantile", quantile)
        require_model(model)
        require_fitting("held_out", held_out, model)
        disagreement = _core.disagreement(
            model.dynamics,
            held_out.states,
            held_out.actions,
            _arrays.count("threads", threads, 1),
        )
        if not disagreement.any():
            raise ArgumentError(
                "model: got one whose predictions never disagree, must be an ensemble of several "
                "members"
            )
        return cls(float(np.quantile(disagreement, share)), on_exceeding)


def disagreement_limit_of(
    disagreement_limit: DisagreementLimit | None,
) -> _core.DisagreementLimit | None:
    """Returns the limit as the core reads it; None where there is none.

    Raises:
        TypeError: it is no `DisagreementLimit`.
    """
    if disagreement_limit is None:
        return None
    if not isinstance(disagreement_limit, DisagreementLimit):
        got = _texts.shown(disagreement_limit)
        raise TypeError(f"disagreement_limit: got {got}, must be a DisagreementLimit or None")
    return _core.DisagreementLimit(
        disagreement_limit.limit, disagreement_limit.on_exceeding == "reject"
    )
