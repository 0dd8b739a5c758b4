"""ILQR where the reward has a kink: the tip of a distance is the best place, and is reached."""

from __future__ import annotations

import numpy as np
import pytest

import dynaplan as dp
from reference.systems import exact_linear_model

SPACE = ([-1.0, -1.0], [1.0, 1.0])


@pytest.fixture(scope="module")
def model():
    """Two places, each moved by a tenth of its action."""
    return exact_linear_model(np.eye(2), 0.1 * np.eye(2))


@pytest.mark.parametrize("horizon", [5, 10, 20, 50])
@pytest.mark.parametrize("start", [(0.5, 0.5), (0.5, 0.25), (-0.37, 0.11)])
@pytest.mark.parametrize("unit", [1.0, 1e-9, 1e9])
def test_the_tip_is_reached_as_fast_as_the_bounds_allow(horizon, start, unit, model):
    steps = np.arange(1, horizon + 1)
    left = [np.maximum(abs(place) - 0.1 * steps, 0.0) for place in start]
    best = -np.hypot(*left).sum() * unit
    plan = dp.ILQR(horizon=horizon, clip=None).plan(
        model,
        dp.rewards.distance(1.0, indices=[0, 1], target=[0.0, 0.0]),
        unit * np.array(start),
        action_space=tuple(unit * np.array(SPACE)),
    )
    assert plan.value == pytest.approx(best, rel=1e-7)
    assert plan.status == "converged"


def test_a_target_off_the_origin_is_reached_too(model):
    target = [1e3, -1e3]
    plan = dp.ILQR(horizon=10, clip=None).plan(
        model,
        dp.rewards.distance(2.0, indices=[0, 1], target=target),
        [1e3 + 0.25, -1e3],
        action_space=SPACE,
    )
    assert plan.value == pytest.approx(-2.0 * (0.15 + 0.05), abs=1e-6)


def test_it_is_no_worse_than_a_long_search():
    # A double integrator with a price on its speed, for which there is no closed form.
    model = exact_linear_model(
        [[1, 0, 0.1, 0], [0, 1, 0, 0.1], [0, 0, 1, 0], [0, 0, 0, 1]],
        [[0.005, 0], [0, 0.005], [0.1, 0], [0, 0.1]],
    )
    reward = dp.rewards.distance(1.0, indices=[0, 1], target=[1.0, 0.5])
    reward = reward + dp.rewards.quadratic([0.0, 0.0, 0.01, 0.01])
    space = ([-2.0, -2.0], [2.0, 2.0])
    search = dp.CEM(horizon=20, clip=None, candidates=2000, iterations=40, min_std=1e-4)
    found = search.plan(model, reward, np.zeros(4), action_space=space, seed=0)
    plan = dp.ILQR(horizon=20, clip=None).plan(model, reward, np.zeros(4), action_space=space)
    assert plan.value > found.value


@pytest.mark.parametrize("near", [1e-3, 1e-6, 1e-9, 1e-12])
def test_it_leaves_a_tip_that_is_not_the_best_place(near, model):
    # What pulls away is stronger than the distance, which bends so much that the expansion promises
    # nothing beside what each step costs anyhow.
    reward = dp.rewards.distance(1.0, indices=[0, 1], target=[0.0, 0.0])
    plan = dp.ILQR(horizon=10, clip=None).plan(
        model,
        reward + dp.rewards.linear([3.0, 0.0], offset=-100.0),
        [near, 0.0],
        action_space=SPACE,
        warm_start=np.zeros((10, 2)),
    )
    steps = np.arange(1, 11)
    assert plan.value + 1e3 == pytest.approx(2.0 * (near + 0.1 * steps).sum(), rel=1e-6)
    assert plan.status == "converged"
