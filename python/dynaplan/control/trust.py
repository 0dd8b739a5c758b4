"""What a controller does where its model has no data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from dynaplan import _arrays, _warnings
from dynaplan.errors import ArgumentError, UntrustedPlanWarning, UntrustedStateError
from dynaplan.planners.interface import Planner
from dynaplan.planners.plan import Plan
from dynaplan.planners.prepared import PreparedPlanner
from dynaplan.planners.problem import PlanProblem
from dynaplan.planners.settings import require_planner
from dynaplan.rollouts.known_region import KnownRegion
from dynaplan.rollouts.trust import TOLERATED

__all__ = ["TrustMode", "TrustRule"]

Float64 = NDArray[np.float64]
_MODES = ("report", "refuse", "shorten", "ignore")
TrustMode: TypeAlias = Literal["report", "refuse", "shorten", "ignore"]
_ENOUGH = 0.5  # of a plan's steps; the later ones matter less, as they are planned again
_REPORTED = 0.5  # ranges outside the data: no planner plans beyond, by its default clip=2
# Where a plan begins is seen at once. To look along it, and to ask an ensemble's members, costs a
# tenth of the smallest plans: at the first, and at each of so many.
_PLANS_BETWEEN = 8


class TrustRule:
    """Decides what becomes of states and plans that are not on known ground.

    Args:
        trust: "report": the first plan of which that is true by far warns; "refuse": no plan begins
            at such a state, and none enters one; "shorten": as "report", and plans are at most
            `trusted_horizon` long; "ignore": nothing.
        trusted_horizon: steps that the model is trusted to look ahead, or None.

    Raises:
        ArgumentError: `trust` is another text; `trusted_horizon` is negative, or does not say
            how short.
    """

    def __init__(self, trust: TrustMode, trusted_horizon: int | None) -> None:
        self._mode = _arrays.choice("trust", trust, *_MODES)
        self._trusted_horizon = trusted_horizon
        if trusted_horizon is not None:
            self._trusted_horizon = _arrays.at_least(0, "trusted_horizon", trusted_horizon)
        if self._mode == "shorten" and not self._trusted_horizon:
            raise ArgumentError(
                f"trusted_horizon: got {self._trusted_horizon}, must be at least 1 where trust is "
                '"shorten": what evaluate(model, held_out).trusted_horizon says of the model'
            )
        self.forget()

    def forget(self) -> None:
        """Makes the next plan that leaves known ground the first one, as at a new episode."""
        self._warned, self._reported = False, 0

    def allowed(self, planner: Planner) -> Planner:
        """Returns the planner with a horizon that is trusted.

        Raises:
            ArgumentError: the horizon is too long, and that is to be refused.
            TypeError: it is no planner.
        """
        require_planner(planner)
        longest, steps = self._trusted_horizon, planner.horizon
        if longest is None or steps <= longest or self._mode in {"report", "ignore"}:
            return planner
        if self._mode == "refuse":
            raise ArgumentError(
                f"planner.horizon: got {steps}, must be at most trusted_horizon = {longest}, as "
                'trust="refuse" refuses to look further ahead'
            )
        shorter: Planner = replace(cast("Any", planner), horizon=longest)
        return shorter

    def prepared(self, planner: Planner, problem: PlanProblem) -> PreparedPlanner:
        """Returns the planner prepared for a problem, within what is known where that is asked."""
        model, horizon = problem.model, self._trusted_horizon
        prepared = PreparedPlanner(
            planner,
            problem,
            known_region=KnownRegion(model, horizon),
            keeps_to_known=self._mode == "refuse",
        )
        self._reached = KnownRegion(model, horizon, _REPORTED)
        return prepared

    def require_known(self, states: Float64, planner: PreparedPlanner) -> None:
        """Refuses measured states (S,) or (N, S) that are not on known ground, if it is to refuse.

        Raises:
            UntrustedStateError: one is not.
        """
        region = planner.known_region
        assert region is not None
        if self._mode != "refuse" or not region.has_outside(states):
            return
        if not np.isfinite(states).all():  # refused by name, wherever the data are
            return
        rows = np.atleast_2d(states)
        system = next(n for n, row in enumerate(rows) if region.has_outside(row))
        where = "" if states.ndim == 1 else f" of system {system}"
        raise UntrustedStateError(
            f'state{where}: {_outside(region, rows[system])}; trust="refuse" says not to act'
        )

    def refuses(self, plan: Plan) -> str:
        """Returns why a plan is to be refused; empty: it is not."""
        region = plan.known_region
        if self._mode != "refuse" or region is None:
            return ""
        known = region.known_steps(plan.states, plan.actions)
        return "" if known.all() else _counted(known)

    def report(self, plans: Sequence[Plan]) -> None:
        """Warns, once, of a plan that begins or mostly lies far from the data."""
        if self._warned or self._mode in {"refuse", "ignore"}:
            return
        region, is_looked_along = self._reached, self._reported % _PLANS_BETWEEN == 0
        self._reported += 1
        for plan in plans:
            if region.has_outside(plan.states[0]) or (
                is_looked_along and region.known_steps(plan.states, plan.actions).mean() < _ENOUGH
            ):
                self._warned = True
                _warnings.warn(_report(plan), UntrustedPlanWarning)
                return


def _report(plan: Plan) -> str:
    region = plan.known_region
    assert region is not None
    trust = region.trust(plan.states, plan.actions)
    outside = len(trust.states_outside)
    reasons = [_outside(region, plan.states[0])] if outside else []
    reasons.append(_counted(trust.known))
    for name, excess in (("state", trust.state_excess), ("action", trust.action_excess)):
        farthest = excess.max(axis=0)
        reasons += [
            f"{name}[{i}] is up to {farthest[i]:.2g} ranges outside along it"
            for i in np.flatnonzero(farthest > TOLERATED)
        ]
    if trust.disagreement is not None:
        reasons.append(
            f"the members disagree by up to {trust.disagreement.max():.3g}, on their data by "
            f"{trust.disagreement_limit:.3g}"
        )
    return (
        f"{'; '.join(reasons)}. The plan is used nevertheless, from now on without a further "
        'warning until reset(); plan.trust says more, trust="refuse" keeps to known ground'
    )


def _counted(known: NDArray[np.bool_]) -> str:
    return f"{np.count_nonzero(known)} of the plan's {len(known)} steps are on known ground"


def _outside(region: KnownRegion, state: Float64) -> str:
    """Names the entries of a state (S,) that are not on known ground, and says how far they are."""
    excess, parts = region.excess(state), []
    for i in np.flatnonzero(region.states_outside(state)):
        low, high = region.low[i], region.high[i]
        if np.isinf(excess[i]):
            parts.append(f"state[{i}] is {state[i]:.4g}, in the data always {low:.4g}")
        else:
            parts.append(
                f"state[{i}] is {state[i]:.4g}, in the data {low:.4g} to {high:.4g} "
                f"({excess[i]:.2g} ranges outside)"
            )
    return ", ".join(parts)
