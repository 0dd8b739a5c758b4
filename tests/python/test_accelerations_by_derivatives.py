"""Limits of the actions' second differences under LQR and ILQR, beside quadratic programs."""

from __future__ import annotations

import numpy as np
import pytest

import dynaplan as dp
from reference.gradient_plans import PLANNERS, best_plan, free_plan
from reference.quadratic_program import LinearPlant
from reference.systems import exact_linear_model

SEEDS = [*range(25), *(pytest.param(n, marks=pytest.mark.long) for n in range(25, 100))]


def second_differences(actions, change=0.0):
    before = np.zeros((2, actions.shape[1]))
    before[0] = -np.asarray(change)
    return np.diff(np.concatenate([before, actions]), 2, axis=0)


def require_best(planner, plant, bound, *, change=None, **limits):
    """A plan that is as good as that of the quadratic program, and keeps its accelerations."""
    plan = best_plan(planner, plant, bound, above=1e-8, change=change, **limits)
    acceleration = limits["action_acceleration"]
    faster = second_differences(plan.actions, 0.0 if change is None else change)
    assert (np.abs(faster) <= acceleration * (1 + 1e-9)).all()
    assert (np.abs(plan.actions) <= bound).all()
    return plan


@pytest.mark.parametrize("planner", PLANNERS)
@pytest.mark.parametrize("seed", SEEDS)
def test_an_acceleration_is_kept_as_the_quadratic_program_says(planner, seed):
    plant = LinearPlant.random(seed, 1.1)
    free = free_plan(plant)
    limit = 0.6 * np.abs(second_differences(free.actions)).max(axis=0)
    bound = 2.0 * np.abs(free.actions).max(axis=0)
    require_best(planner, plant, bound, action_acceleration=limit)


@pytest.mark.parametrize("planner", PLANNERS)
@pytest.mark.parametrize("seed", SEEDS)
def test_all_limits_are_kept_together(planner, seed):
    plant = LinearPlant.random(seed, 1.1)
    free, generator = free_plan(plant), np.random.default_rng(seed)
    m = plant.b.shape[1]
    acceleration = np.abs(second_differences(free.actions)).max(axis=0)
    acceleration = acceleration * generator.uniform(0.4, 0.9, m)
    rate = np.abs(np.diff(free.actions, axis=0, prepend=0.0)).max(axis=0)
    rate = rate * generator.uniform(0.6, 1.0, m)
    high = np.full(len(plant.a), np.inf)
    limited = int(free.states[1:].max(axis=0).argmax())
    high[limited] = generator.uniform(1.0, 1.5) * free.states[1:, limited].max() + 1e-2
    change = generator.uniform(-0.5, 0.5, m) * np.minimum(rate, acceleration)
    plan = require_best(
        planner,
        plant,
        np.abs(free.actions).max(axis=0),
        change=change,
        action_acceleration=acceleration,
        action_rate=rate,
        state_high=high,
    )
    assert (plan.states[1:] <= high).all()
    assert (np.abs(np.diff(plan.actions, axis=0, prepend=0.0)) <= rate * (1 + 1e-9)).all()


@pytest.mark.parametrize("horizon", [1, 2, 3, 40, 80, 100])
@pytest.mark.parametrize("limit", [0.1, 0.01, 0.005])
def test_one_that_binds_most_of_the_way_is_kept_as_well(horizon, limit):
    # As fast as may be to the other side and to rest: faster at first, then slower.
    plant = LinearPlant(np.eye(1), np.array([[0.05]]), np.ones(1), np.full(1, 0.0025), -np.ones(1))
    plan = dp.ILQR(horizon=horizon, clip=None).plan(
        plant.model(),
        plant.reward(),
        plant.start,
        action_space=([-1.0], [1.0]),
        limits=dp.Limits(action_rate=[0.1], action_acceleration=[limit]),
        previous_action=[0.0],
    )
    acceleration, rate = np.array([limit]), np.array([0.1])
    best = plant.best_return(horizon, np.ones(1), rate=rate, acceleration=acceleration)
    assert plan.value == pytest.approx(best, rel=1e-5)
    # The smaller the limit, the nearer to nothing is what the last of 100 bounds gains.
    assert plan.status == "converged" or (limit < 0.01 and plan.status == "stalled")


def test_a_plan_that_no_limiter_would_change_is_sent():
    model = exact_linear_model([[1.0]], [[0.2]])
    mpc = dp.MPC(
        model,
        dp.rewards.quadratic([1.0]) + dp.rewards.action_cost([0.1]),
        dp.ILQR(horizon=15, clip=None),
        action_space=([-1.0], [1.0]),
        limits=dp.Limits(action_rate=[0.2], action_acceleration=[0.05]),
    )
    sent, state = [0.0, 0.0], 3.0
    for n in range(40):
        sent.append(float(mpc.act([state])[0]))
        assert mpc.last_plan.actions[0, 0] == pytest.approx(sent[-1], abs=1e-9)
        state += 0.2 * sent[-1] + 0.02 * (-1) ** n
    assert np.abs(np.diff(sent[2:], 2)).max() <= 0.05 + 1e-9
    assert np.abs(sent).max() > 0.5  # it hurries
    assert abs(state) < 0.2


def test_what_cannot_be_kept_is_kept_as_well_as_can_be():
    # So fast that the bound comes first: as other planners do, it stays in the box.
    model = exact_linear_model([[1.0]], [[0.1]])
    reward = dp.rewards.quadratic([1.0]) + dp.rewards.action_cost([0.1])
    limits = dp.Limits(action_acceleration=[0.01])
    plans = [
        planner.plan(
            model,
            reward,
            [1.0],
            action_space=([-1.0], [1.0]),
            limits=limits,
            previous_action=[0.9],
            previous_change=[0.2],
        )
        for planner in (dp.ILQR(horizon=15, clip=None), dp.CEM(horizon=15, clip=None))
    ]
    assert (np.abs(plans[0].actions) <= 1.0).all()
    assert plans[0].value >= plans[1].value - 1e-3 * abs(plans[1].value)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_an_acceleration_of_0_keeps_the_action_as_it_is(sign):
    plan = dp.ILQR(horizon=10, clip=None).plan(
        exact_linear_model([[0.9]], [[0.5]]),
        dp.rewards.quadratic([1.0], target=[2.0 * sign]),
        [0.0],
        action_space=([-1.0], [1.0]),
        limits=dp.Limits(action_acceleration=[0.0]),
        previous_action=[0.25],
    )
    np.testing.assert_allclose(plan.actions, 0.25, atol=1e-12)
    assert np.isfinite(plan.value)


@pytest.mark.parametrize("acceleration", [None, 8.9])
def test_rates_do_not_keep_an_unstable_plant_from_being_steadied(acceleration):
    # Actions that are held to a rate for long leave open loops, which grow by 10^14 here.
    generator = np.random.default_rng([119, 7])
    n = int(generator.integers(1, 5))
    m = int(generator.integers(1, min(n, 2) + 1))
    a = generator.normal(size=(n, n))
    a *= generator.uniform(0.5, 2.0) / max(abs(np.linalg.eigvals(a)))
    b = generator.normal(size=(n, m))
    generator.uniform()
    q, r = generator.uniform(0.1, 2.0, n), generator.uniform(0.05, 1.0, m)
    plant = LinearPlant(a, b, q, r, generator.normal(size=n))
    bound, rate = np.full(m, 11.0), np.full(m, 14.0)
    limit = None if acceleration is None else np.full(m, acceleration)
    best = plant.best_return(50, bound, rate=rate, acceleration=limit)
    assert best is not None
    plan = dp.ILQR(horizon=50, clip=None).plan(
        plant.model(),
        plant.reward(),
        plant.start,
        action_space=(-bound, bound),
        limits=dp.Limits(action_rate=rate, action_acceleration=limit),
        previous_action=np.zeros(m),
    )
    assert plan.value == pytest.approx(best, rel=1e-4)
    assert plan.status == "converged"
