"""`Plan`: what a planner returns."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Plan", "PlanStats", "Status"]

Status = Literal["iterations", "converged", "time_limit", "no_finite_candidate"]


class PlanStats(NamedTuple):
    """What a plan cost.

    Attributes:
        candidates: action sequences evaluated, over all iterations.
        non_finite: of these, how many had a return that is nan or infinite; they rank last.
        rejected: how many exceeded the disagreement limit or the limits of the states, where that
            rejects them; they rank last too.
        iterations: refinements that were finished.
        seconds: wall-clock time.
    """

    candidates: int
    non_finite: int
    rejected: int
    iterations: int
    seconds: float


class Plan(NamedTuple):
    """An action sequence and what the model expects of it.

    Attributes:
        actions: (H, A), within the bounds and limits.
        states: (H + 1, S) mean prediction under `actions`, the given state first.
        value: the predicted return of `actions`; with particles, their returns reduced by the risk.
        status: "iterations": all iterations were made; "converged": the search converged before
            that (see `CEM.tolerance`); "time_limit": the time ran out before that, and `actions`
            are the best so far; "no_finite_candidate": no candidate had a finite return, and
            `actions` are the start of the search.
        stats: counts and time.
        kept_sequences: (K, H, A) sequences worth trying first in the next plan, best first, from
            planners that keep some; else K is 0.
        spread: (H, A) standard deviations at the end of the search, in the actions' units: how far
            it was from convergence. None from planners that draw from no Gaussian.
        gains: (H, A, S) feedback: at step t apply actions[t] + gains[t] (s - states[t]). None from
            planners that have none.
    """

    actions: NDArray[np.float64]
    states: NDArray[np.float64]
    value: float
    status: Status
    stats: PlanStats
    kept_sequences: NDArray[np.float64]
    spread: NDArray[np.float64] | None = None
    gains: NDArray[np.float64] | None = None
