"""The iterative linear-quadratic regulator with bounds on the actions."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

from dynaplan import _core, _texts
from dynaplan.errors import ArgumentError
from dynaplan.planners.differentiable import require_differentiable
from dynaplan.planners.interface import Planner
from dynaplan.planners.settings import CoreSettings, search_settings, shared_settings_last
from dynaplan.rewards.terms import Reward

__all__ = ["ILQR"]


@shared_settings_last
@dataclass(frozen=True, kw_only=True)
class ILQR(Planner):
    """Improves a plan by the model's exact derivatives, within the bounds, to a local optimum.

    Each iteration expands model and reward along the plan, finds the best change of all actions by
    a backward pass (one box-constrained quadratic problem per step), and tries fractions of that
    change on the model itself. A few iterations do what sampling needs thousands of candidates
    for, and `plan.gains` says how to react between plans. But it goes to the nearest optimum,
    however poor: for a task such as a swing-up start from a planner that searches,
    `ILQR(start=ICEM(...))`; the result is never worth less, by the model's mean prediction, than
    that planner's.

    Derivatives of built-in rewards are exact, but for the curvature of a distance, whose tip a
    Newton step would fly past: there it is that of a quadratic which is nowhere above the reward.
    Those of `rewards.predicted` and of Python functions are central differences over 1e-4 of the
    range of each state and action, in float64, those of a terminal value over 5e-3 of the range of
    each state; the function is called once with all points of an iteration. Where a reward jumps
    (`inside`, `within`) its slope is 0, and the search is blind to the jump. Steps after a
    termination count as nothing, but the derivatives do not see that an action could cause the end
    or delay it: candidates are still judged by it.

    Args:
        horizon: steps planned ahead.
        iterations: largest number of improvements. Default 50; a warm start needs a handful. With
            limits of states or accelerations, for each adjustment of their prices, at most 20 of
            them, and with those of accelerations at least four times the horizon, as each step
            may turn out to be at its limit; where the start leads through a box, past each of its
            faces.
        tolerance: the plan has converged where the changes that its derivatives ask for, within the
            bounds, promise less than this fraction of the return. Default 1e-7.
        start: the planner whose plan is improved, such as `ICEM(...)`; `horizon`, `discount`,
            `clip` and `threads` of this planner hold for it too, and it gets half of a time_limit.
            It must plan by the mean prediction. Default: none; the search starts from the best of
            the warm start, the middle of the bounds, no action, the sequences and the policy's
            actions given, and the regulator of the model near the first state.
        step_sizes: largest number of fractions of a step that are tried: 1, 1/2, 1/4, ..., eight
            at a time.
        regularisation: initial price of changing an action by half the width of its bounds, in
            units of the reward. Default 0, as convex problems need none.
        min_regularisation: the smallest one above 0. Default 1e-6, as in MuJoCo MPC.
        max_regularisation: beyond it the search ends. Default 1e10.
        regularisation_factor: by which the factor on it grows with each failure and falls with
            each success. Default 2.
        clip: keep predicted states within this multiple of the observed range. Default 2.0. A state
            that is clipped has no derivatives. None: not clipped.
        threads: threads per plan. They share the derivatives of the steps, so that more than one
            pays off only for long horizons and large networks; the result is the same for any
            number.

    Raises:
        ArgumentError: a setting is out of range, or `start` does not plan by the mean prediction.

    Source: Tassa, Mansard & Todorov 2014, "Control-limited differential dynamic programming";
    the regularisation's schedule: Tassa, Erez & Todorov 2012, "Synthesis and stabilization of
    complex behaviors through online trajectory optimization".

    Example:
        >>> dp.ILQR(horizon=20, start=dp.ICEM(candidates=60)).iterations
        50
    """

    horizon: int = 30
    iterations: int = 50
    tolerance: float = 1e-7
    start: Planner | None = None
    step_sizes: int = 16
    regularisation: float = 0.0
    min_regularisation: float = 1e-6
    max_regularisation: float = 1e10
    regularisation_factor: float = 2.0
    clip: float | None = 2.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.start is None:
            return
        if not isinstance(self.start, Planner):
            raise TypeError(f"start: got {_texts.shown(self.start)}, must be a planner")
        if self.start.propagation != "mean" or self.start.disagreement_limit is not None:
            raise ArgumentError(
                f'start: got propagation "{self.start.propagation}" and disagreement_limit '
                f'{self.start.disagreement_limit}, must be "mean" and None: '
                "ILQR improves the return of the mean prediction, anywhere"
            )
        self._first_planner()

    def _check_reward(self, reward: Reward) -> None:
        require_differentiable(reward, "ILQR")

    def _first_planner(self) -> Planner | None:
        start: Any = self.start
        if start is None:
            return None
        shared = {"horizon", "discount", "clip", "threads"} & {
            field.name for field in fields(start)
        }
        first: Planner = replace(start, **{name: getattr(self, name) for name in shared})
        return first

    def _settings(self) -> CoreSettings:
        return _core.Ilqr(**search_settings(self, "start"))
