"""Constraints under LQR and ILQR, beside sequential quadratic programs."""

from __future__ import annotations

import numpy as np
import pytest

import dynaplan as dp
from reference.constrained_plan import ConstrainedPlan, half_plane, signed_disc
from reference.gradient_plans import HORIZON, PLANNERS, free_plan, mass_on_its_way
from reference.quadratic_program import LinearPlant

# A few in the quick suite, as the reference takes its time.
SEEDS = [*range(12), *(pytest.param(n, marks=pytest.mark.long) for n in range(12, 100))]


def plan_within(planner, plant, bound, constraints):
    return planner.plan(
        plant.model(),
        plant.reward(),
        plant.start,
        action_space=(-bound, bound),
        limits=dp.Limits(constraints=constraints),
    )


def require_best(plan, program):
    """Of convex constraints: the plan is as good as the program's, and keeps them."""
    best = program.improved(np.zeros_like(plan.actions))
    if best is None or program.violation(best) > 1e-6:
        pytest.skip("no plan keeps the constraint")
    value = -program.cost(best)[0]
    assert value + 1e-6 * abs(value) >= plan.value >= value - 1e-4 * abs(value)
    assert plan.status == "converged"
    assert program.violation(plan.actions) <= 1e-9


@pytest.mark.parametrize("planner", PLANNERS)
@pytest.mark.parametrize("seed", SEEDS)
def test_half_planes_are_kept_as_the_program_says(planner, seed):
    # Of one direction, between where the free plan leads at most and where it rests.
    plant = LinearPlant.random(seed, 1.2)
    free = free_plan(plant)
    generator = np.random.default_rng(seed)
    weights = generator.normal(size=len(plant.a))
    high = generator.uniform(0.5, 0.95) * max((free.states[1:] @ weights).max(), 0.0) + 1e-3
    bound = 3.0 * np.abs(free.actions).max(axis=0)
    constraint = dp.constraints.half_plane(weights, high)
    plan = plan_within(PLANNERS[planner], plant, bound, constraint)
    require_best(plan, ConstrainedPlan(plant, HORIZON, bound, [half_plane(weights, high)]))


def way_past(seed, sign):
    """A mass in the plane on its way to the origin, and a disc about half-way."""
    generator = np.random.default_rng(seed)
    plant, across = mass_on_its_way(generator)
    start = plant.start
    if sign < 0.0:
        centre = 0.5 * start[:2] + generator.choice([-1, 1]) * generator.uniform(0.1, 0.4) * across
        return plant, centre, generator.uniform(0.3, 0.7)
    # One that holds start and end, and that the free plan leaves on one side.
    centre = 0.5 * start[:2] - 2.0 * across
    return plant, centre, np.hypot(*(start[:2] - centre)) + generator.uniform(0.01, 0.1)


@pytest.mark.parametrize("seed", SEEDS)
def test_inside_a_disc_a_plan_is_as_good_as_the_program_says(seed):
    plant, centre, radius = way_past(seed, 1.0)
    bound = np.full(2, 6.0)
    constraint = dp.constraints.inside_disc(radius, indices=[0, 1], centre=centre)
    plan = plan_within(PLANNERS["ilqr"], plant, bound, constraint)
    program = ConstrainedPlan(plant, HORIZON, bound, [signed_disc(centre, radius, 1.0)])
    require_best(plan, program)


@pytest.mark.parametrize("seed", SEEDS)
def test_past_a_disc_no_program_finds_a_better_plan_nearby(seed):
    plant, centre, radius = way_past(seed, -1.0)
    bound = np.full(2, 6.0)
    constraint = dp.constraints.outside_disc(radius, indices=[0, 1], centre=centre)
    plan = plan_within(PLANNERS["ilqr"], plant, bound, constraint)
    program = ConstrainedPlan(plant, HORIZON, bound, [signed_disc(centre, radius, -1.0)])
    assert plan.status == "converged"
    assert program.violation(plan.actions) <= 1e-9
    better = program.improved(plan.actions)
    if better is not None and program.violation(better) <= 1e-9:
        assert plan.value >= -program.cost(better)[0] - 1e-4 * abs(plan.value)
