"""LQR and ILQR on plants that run away by themselves: closed forms and quadratic programs."""

from __future__ import annotations

import numpy as np
import pytest

import dynaplan as dp
from reference.quadratic_program import LinearPlant
from reference.systems import exact_linear_model

COST = dp.rewards.quadratic([1.0]) + dp.rewards.action_cost([1.0])
PLANNERS = {
    "lqr": lambda horizon: dp.LQR(horizon=horizon),
    "ilqr": lambda horizon: dp.ILQR(horizon=horizon, clip=None),
    "ilqr, clipped": lambda horizon: dp.ILQR(horizon=horizon),
}


@pytest.mark.parametrize("planner", PLANNERS)
@pytest.mark.parametrize("horizon", [20, 150, 1000])
@pytest.mark.parametrize(("gain", "start"), [(1.1, 0.5), (1.5, 0.5), (2.0, 0.3), (-1.8, 0.3)])
def test_the_regulator_is_found_where_no_bound_is_met(planner, horizon, gain, start):
    # The state after each step is paid for, so that the first one is given away: P - Q.
    regulator = dp.lqr([[gain]], [[1.0]], [[1.0]], [[1.0]])
    value = -(regulator.P[0, 0] - 1.0) * start**2
    model = exact_linear_model([[gain]], [[1.0]])
    plan = PLANNERS[planner](horizon).plan(model, COST, [start], action_space=([-1.0], [1.0]))
    assert plan.status == "converged"
    assert plan.value == pytest.approx(value, rel=1e-6)
    assert plan.actions[0, 0] == pytest.approx(-regulator.K[0, 0] * start, rel=1e-6)


def test_an_infinite_horizon_changes_nothing_where_the_end_is_far():
    model = exact_linear_model([[1.5]], [[1.0]])
    plan = dp.LQR(horizon=150, infinite_horizon=True).plan(
        model, COST, [0.5], action_space=([-1.0], [1.0])
    )
    assert plan.value == pytest.approx(-0.4075498305872591, rel=1e-9)


@pytest.mark.parametrize("horizon", [15, 100])
@pytest.mark.parametrize("seed", range(25))
def test_bounds_are_met_as_the_quadratic_program_says(horizon, seed):
    plant = LinearPlant.random(seed)
    model, reward = plant.model(), plant.reward()
    far = np.full(plant.b.shape[1], 1e6)
    free = dp.LQR(horizon=horizon).plan(model, reward, plant.start, action_space=(-far, far))
    share = np.random.default_rng(seed).uniform(0.75, 0.98)
    bound = share * np.abs(free.actions).max(axis=0)
    best = plant.best_return(horizon, bound)
    if best is None:
        pytest.skip("the reference is not solved")
    for planner in (dp.LQR(horizon=horizon), dp.ILQR(horizon=horizon, clip=None)):
        plan = planner.plan(model, reward, plant.start, action_space=(-bound, bound))
        assert plan.value >= best - 1e-6 * abs(best), planner
        assert plan.status == "converged", planner
