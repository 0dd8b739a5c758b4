"""Past boxes under ILQR, whose corners have no derivatives, beside sequential programs."""

from __future__ import annotations

import numpy as np
import pytest

import dynaplan as dp
from reference.constrained_plan import ConstrainedPlan, outside_box
from reference.gradient_plans import HORIZON, MOVE, PUSH, mass_on_its_way
from reference.quadratic_program import LinearPlant

BOUND = np.full(2, 6.0)
COUNTS = [4, pytest.param(100, marks=pytest.mark.long)]


def way_past_a_box(seed):
    """A mass in the plane on its way to the origin, and a box about half-way."""
    generator = np.random.default_rng(seed)
    plant, across = mass_on_its_way(generator)
    start = plant.start
    centre = 0.5 * start[:2] + generator.uniform(-0.3, 0.3) * across
    half = generator.uniform(0.2, 0.6, 2)
    return plant, centre - half, centre + half


def plan_past(plant, low, high, margin=0.0, **arguments):
    return dp.ILQR(horizon=HORIZON, clip=None).plan(
        plant.model(),
        plant.reward(),
        plant.start,
        action_space=(-BOUND, BOUND),
        limits=dp.Limits(
            constraints=dp.constraints.outside_box(low, high, indices=[0, 1], margin=margin)
        ),
        **arguments,
    )


def starts_for(program, seed):
    """Straight ahead, and swerving to either side."""
    generator = np.random.default_rng(seed)
    turn = np.sin(np.linspace(0.0, 2.0 * np.pi, HORIZON))[:, None]
    straight = program.improved_freely()
    yield straight
    for _ in range(4):
        yield np.clip(straight + 3.0 * turn * generator.normal(size=2), -BOUND, BOUND)


def best_of_several(program, seed):
    found = [program.improved(start) for start in starts_for(program, seed)]
    costs = [
        program.cost(actions)[0]
        for actions in found
        if actions is not None and program.violation(actions) <= 1e-7
    ]
    return -min(costs) if costs else None


@pytest.mark.parametrize("count", COUNTS)
def test_a_plan_past_a_box_is_as_good_as_the_best_of_several_programs(count):
    worse = 0
    for seed in range(count):
        plant, low, high = way_past_a_box(seed)
        program = ConstrainedPlan(plant, HORIZON, BOUND, [outside_box(low, high)])
        plan = plan_past(plant, low, high)
        assert program.violation(plan.actions) <= 1e-9
        best = best_of_several(program, seed)
        if best is not None and plan.value < best - 1e-3 * abs(best):
            worse += 1
        if plan.status == "converged":  # then no program finds a better one nearby
            better = program.improved(plan.actions)
            if better is not None and program.violation(better) <= 1e-9:
                assert plan.value >= -program.cost(better)[0] - 1e-4 * abs(plan.value)
    assert worse <= count // 20


@pytest.mark.parametrize("seed", range(10))
def test_a_margin_rounds_the_corners(seed):
    # The nearer the margin is to none, the nearer is the plan to the one without.
    plant, low, high = way_past_a_box(seed)
    plans = [plan_past(plant, low, high, margin=margin) for margin in (0.0, 1e-3, 0.1)]
    values = [plan.value for plan in plans]
    assert values[1] == pytest.approx(values[0], rel=5e-3)
    assert values[0] >= values[2] - 1e-3 * abs(values[2])
    clear = dp.constraints.outside_box(low, high, indices=[0, 1], margin=0.1)
    states, actions = plans[2].states, plans[2].actions
    assert (clear(states[:-1], actions, states[1:]) <= 0.0).all()


def test_two_boxes_are_passed_each_on_its_better_side():
    start = np.array([4.0, 0.0, 0.0, 0.0])
    costs = np.array([1.0, 1.0, 0.1, 0.1]), np.full(2, 0.01)
    plant = LinearPlant(MOVE, PUSH, *costs, start)
    boxes = [([2.5, -0.2], [3.0, 1.0]), ([1.0, -1.0], [1.5, 0.2])]
    plan = dp.ILQR(horizon=30, clip=None).plan(
        plant.model(),
        plant.reward(),
        plant.start,
        action_space=(-BOUND, BOUND),
        limits=dp.Limits(
            constraints=[dp.constraints.outside_box(*box, indices=[0, 1]) for box in boxes]
        ),
    )
    places = plan.states[1:, :2]
    for low, high in boxes:
        assert not ((places > low) & (places < high)).all(axis=1).any()
    past_first = places[(places[:, 0] > 2.5) & (places[:, 0] < 3.0), 1]
    past_second = places[(places[:, 0] > 1.0) & (places[:, 0] < 1.5), 1]
    assert (past_first <= -0.2).all()
    assert (past_second >= 0.2).all()
    assert plan.status == "converged"


def test_a_plan_that_is_past_the_box_already_stays_on_its_side():
    plant, low, high = way_past_a_box(3)
    first = plan_past(plant, low, high)
    again = plan_past(plant, low, high, warm_start=first.actions)
    assert again.value == pytest.approx(first.value, rel=1e-4)
    assert again.stats.candidates < first.stats.candidates
