"""A problem of a planner as the core has it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dynaplan import _core
from dynaplan.errors import ShapeError
from dynaplan.models.interface import Model, known_of
from dynaplan.planners.known_limits import known_disagreement, known_states
from dynaplan.planners.problem import PlanProblem, checked_value
from dynaplan.planners.settings import PlannerSettings
from dynaplan.rewards.terms import Reward, Term
from dynaplan.rollouts.disagreement import disagreement_limit_of
from dynaplan.rollouts.known_region import KnownRegion
from dynaplan.rollouts.rollout import spread_of, state_limits
from dynaplan.rollouts.score import TrajectoryScore, compiled
from dynaplan.rollouts.violations import StepLimits

__all__ = ["BoundProblem", "bound_problem"]

Float64 = NDArray[np.float64]


class BoundProblem(NamedTuple):
    """A problem with one reward as the core has it, and the reward's score if it is in Python."""

    problem: _core.PlanProblem
    score: TrajectoryScore | None


def bound_problem(
    reward: Reward,
    planner: PlannerSettings,
    problem: PlanProblem,
    *,
    limits: StepLimits | None,
    rates: tuple[Float64 | None, Float64 | None],
    region: KnownRegion | None,
    is_by_derivatives: bool,
) -> BoundProblem:
    """Returns a problem with one of its rewards.

    Args:
        reward: the one.
        planner: whose rollouts they are.
        problem: the problem.
        limits: what each step must keep, or None.
        rates: (A,) most that an action, and its change, may change by from step to step, or None.
        region: candidates that leave it are rejected; None: it does not matter.
        is_by_derivatives: whether the planner knows the mean prediction alone.
    """
    model, kept = problem.model, limits
    limit = planner.disagreement_limit
    if region is not None:
        kept = known_states(region, kept)
        if not is_by_derivatives:
            limit = known_disagreement(region, limit)
    value = None if problem.terminal_value is None else checked_value(problem.terminal_value)
    scored: tuple[_core.Reward | None, _core.Termination | None] | None
    scored = compiled(reward, problem.termination)
    score: TrajectoryScore | None = None
    if kept is not None and not kept.are_compiled and not is_by_derivatives:
        scored = None
    if scored is None:
        # A term's derivatives are wanted even where the termination is a Python function.
        scored = reward._reward if isinstance(reward, Term) else None, None
        score = TrajectoryScore(
            reward,
            problem.termination,
            planner.discount,
            disagreement_limit=limit,
            limits=None if is_by_derivatives else kept,
            terminal_value=value,
        )
    try:
        bound = _core.PlanProblem(  # by position: keywords would cost a fifth of the smallest plan
            model.dynamics,
            scored[0],
            score,
            value,
            scored[1],
            state_limits(model, planner.clip),
            None if kept is None else kept.states,
            () if kept is None else kept.core_constraints(),
            *rates,
            planner.discount,
            spread_of(planner.propagation, planner.particles, planner.risk),
            disagreement_limit_of(limit),
            None if problem.delay is None else problem.delay.remaining,
        )
    except ShapeError as error:
        raise ShapeError(f"{error}{_cure(str(error), model)}") from None
    return BoundProblem(bound, score)


def _cure(message: str, model: Model) -> str:
    """Returns what is to be added where a reward is that of what a history has observed."""
    known = known_of(model)
    if known.history is None or not message.startswith("reward:"):
        return ""
    count = known.observation_dim(model.state_dim, model.action_dim)
    return (
        "; one of what is observed alone must be given as a function, "
        f"lambda obs, act, after: reward(obs[:, :{count}], act, after[:, :{count}])"
    )
