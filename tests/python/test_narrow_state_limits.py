"""Limits of states that leave next to no room: beside quadratic programs, and by sampling."""

from __future__ import annotations

import numpy as np
import pytest

import dynaplan as dp
from reference.gradient_plans import PLANNERS, best_plan
from reference.quadratic_program import LinearPlant

MOVE, PUSH = np.array([[1.0, 0.1], [0.0, 1.0]]), np.array([[0.005], [0.1]])


@pytest.mark.parametrize("planner", PLANNERS)
@pytest.mark.parametrize("width", [0.1, 1e-3, 1e-5, 1e-7, 1e-9, 0.0])
@pytest.mark.parametrize("unit", [1.0, 1e-4, 1e4])
def test_a_speed_is_held_between_two_limits(planner, width, unit):
    start = unit * np.array([-2.0, 0.3])
    plant = LinearPlant(MOVE, PUSH, np.array([1.0, 0.1]), np.array([0.01]), start)
    low = np.array([-np.inf, unit * 0.5])
    high = np.array([np.inf, unit * (0.5 + width)])
    limits = {"state_low": low, "state_high": high}
    plan = best_plan(planner, plant, np.array([10.0 * unit]), above=1e-4, **limits)
    assert (plan.states[1:, 1] >= low[1] - 1e-8 * unit).all()
    assert (plan.states[1:, 1] <= high[1] + 1e-8 * unit).all()
    if width >= 1e-7:  # exactly
        assert (plan.states[1:, 1] >= low[1]).all()
        assert (plan.states[1:, 1] <= high[1]).all()


@pytest.mark.parametrize("planner", PLANNERS)
@pytest.mark.parametrize("seed", range(25))
@pytest.mark.parametrize("width", [1e-4, 0.0])
def test_a_state_of_a_random_plant_is_held(planner, seed, width):
    plant = LinearPlant.random(seed, 1.1)
    held = int(np.abs(plant.b).max(axis=1).argmax())
    low, high = np.full(len(plant.a), -np.inf), np.full(len(plant.a), np.inf)
    low[held] = 0.5 * plant.start[held]
    high[held] = low[held] + width
    bound = np.full(plant.b.shape[1], 20.0)
    best_plan(planner, plant, bound, above=1e-4, state_low=low, state_high=high)


@pytest.mark.parametrize("planner", [dp.CEM, dp.ICEM, dp.MPPI])
def test_sampling_says_that_nothing_it_draws_keeps_a_limit_without_room(planner):
    plant = LinearPlant(MOVE, PUSH, np.array([1.0, 0.1]), np.array([0.01]), np.array([-2.0, 0.3]))
    plan = planner(horizon=10, clip=None, candidates=200).plan(
        plant.model(),
        plant.reward(),
        plant.start,
        action_space=([-10.0], [10.0]),
        limits=dp.Limits(state_low=[-np.inf, 0.5], state_high=[np.inf, 0.5]),
        seed=0,
    )
    assert plan.status == "no_finite_candidate"
    assert plan.stats.rejected == plan.stats.candidates
    # The one that is outside by the least.
    assert np.abs(plan.states[1:, 1] - 0.5).mean() < 0.2


def test_a_state_that_no_action_can_hold_is_reported():
    # A place cannot be where it must within a step: it takes two.
    plant = LinearPlant(MOVE, PUSH, np.array([1.0, 0.1]), np.array([0.01]), np.array([-2.0, 0.3]))
    place = np.array([1.0, np.inf])
    plan = dp.ILQR(horizon=10, clip=None).plan(
        plant.model(),
        plant.reward(),
        plant.start,
        action_space=([-1.0], [1.0]),
        limits=dp.Limits(state_low=[1.0, -np.inf], state_high=place),
    )
    assert plan.status == "no_finite_candidate"
    np.testing.assert_allclose(plan.actions[:5], 1.0, atol=0.05)  # towards it
