"""`Plan`: what a planner returns."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dynaplan import _tables, _texts
from dynaplan.rollouts.known_region import KnownRegion
from dynaplan.rollouts.trust import Trust

__all__ = ["Plan", "PlanStats", "Status"]

_FIRST_STEPS = 5
_COLUMNS = 4  # of actions and of states, where the terminal is wide enough
_CELL = 11

Status = Literal["iterations", "converged", "stalled", "time_limit", "no_finite_candidate"]


class PlanStats(NamedTuple):
    """What a plan cost.

    Attributes:
        candidates: action sequences evaluated, over all iterations.
        non_finite: of these, how many had a return that is nan or infinite; they rank last.
        rejected: how many exceeded the disagreement limit or the limits of the states, where that
            rejects them; they rank after all that did not, those that violate less before others.
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
            that (see `CEM.tolerance`, `ILQR.tolerance`, `GradientPlanner.tolerance`); "stalled":
            `ILQR` gains no more although its derivatives promise more than the tolerance, as at a
            kink of the reward;
            "time_limit": the time ran out before that, and `actions` are the best so far;
            "no_finite_candidate": no candidate had a finite return, and
            `actions` are the start of the search, or, where candidates were rejected, the one that
            violates the limits least.
        stats: counts and time.
        kept_sequences: (K, H, A) sequences worth trying first in the next plan, best first, from
            planners that keep some; else K is 0.
        spread: (H, A) standard deviations at the end of the search, in the actions' units: how far
            it was from convergence. None from planners that draw from no Gaussian.
        gains: (H, A, S) feedback: at step t apply actions[t] + gains[t] (s - states[t]). None from
            planners that have none.
        known_region: where the model has data, for `trust`; None from a planner without `MPC`.
    """

    actions: NDArray[np.float64]
    states: NDArray[np.float64]
    value: float
    status: Status
    stats: PlanStats
    kept_sequences: NDArray[np.float64]
    spread: NDArray[np.float64] | None = None
    gains: NDArray[np.float64] | None = None
    known_region: KnownRegion | None = None

    @property
    def trust(self) -> Trust | None:
        """How much of the plan is on known ground, measured anew each time it is asked for.

        None from a planner without `MPC`.
        """
        region = self.known_region
        return None if region is None else region.trust(self.states, self.actions)

    def __repr__(self) -> str:
        return (
            f"Plan(status={self.status!r}, value={self.value:g}, horizon={len(self.actions)}, "
            f"first_action={_texts.brief(self.actions[0])})"
        )

    def __str__(self) -> str:
        horizon, stats = len(self.actions), self.stats
        lines = [
            *_tables.paragraph(
                f"plan of {horizon} steps: value {_tables.number(self.value, 5)}, "
                f"status {self.status!r}"
            ),
            *_tables.paragraph(
                f"{stats.candidates} candidates in {stats.iterations} iterations and "
                f"{1e3 * stats.seconds:.3g} ms; {stats.non_finite} not finite, "
                f"{stats.rejected} rejected"
            ),
        ]
        lines += _tables.lines(self._rows(), least=_CELL)
        if self.known_region is not None:
            lines.append(str(self.trust))
        return "\n".join(lines)

    def _rows(self) -> list[list[str]]:
        """Returns the cells of a few steps, of as many columns as fit beside each other."""
        horizon = len(self.actions)
        for most in range(_COLUMNS, 0, -1):
            heads = [*_heads("action", self.actions, most), *_heads("state", self.states, most)]
            if len("step") + _CELL * len(heads) <= _tables.line_width():
                break
        rows = [["step", *heads]]
        for step in sorted({*range(min(_FIRST_STEPS, horizon)), horizon // 2, horizon - 1}):
            actions, states = self.actions[step], self.states[step]
            rows.append([f"{step:>4}", *_cells(actions, most), *_cells(states, most)])
        blank = [""] * len(_heads("action", self.actions, most))
        rows.append([f"{horizon:>4}", *blank, *_cells(self.states[horizon], most)])
        return rows


def _heads(name: str, columns: NDArray[np.float64], most: int) -> list[str]:
    count = columns.shape[1]
    heads = [f"{name} {i}" for i in range(min(count, most))]
    return heads if count <= most else [*heads, f"... {count}"]


def _cells(values: NDArray[np.float64], most: int) -> list[str]:
    cells = [_tables.number(value) for value in values[:most]]
    return cells if len(values) <= most else [*cells, "..."]
