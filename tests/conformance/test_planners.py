"""What every planner must do. A new planner is one more entry of PLANNERS."""

from __future__ import annotations

import numpy as np
import pytest

import dynaplan as dp

PLANNERS = {
    "cem": dp.CEM(horizon=2, candidates=800, elites=80, iterations=10, min_std=0.001, clip=None),
    "cem, mean": dp.CEM(horizon=2, iterations=10, min_std=0.001, result="mean", clip=None),
    "icem": dp.ICEM(horizon=2, candidates=100, iterations=10, clip=None),
    "mppi": dp.MPPI(horizon=2, iterations=10, clip=None),
    "cem, coloured": dp.CEM(horizon=2, iterations=10, noise_exponent=2.0, clip=None),
    "mppi, knots": dp.MPPI(horizon=2, iterations=10, knots=2, noise_exponent=(1.0,), clip=None),
    "gradient": dp.GradientPlanner(horizon=2, clip=None),
    "ilqr": dp.ILQR(horizon=2, clip=None),
    "ilqr from icem": dp.ILQR(horizon=2, clip=None, start=dp.ICEM(candidates=20)),
    "lqr": dp.LQR(horizon=2),
    "random shooting": dp.RandomShooting(horizon=2, candidates=20000, clip=None),
    "random shooting, coloured": dp.RandomShooting(
        horizon=2, candidates=20000, noise_exponent=1.0, clip=None
    ),
}
SPACE = ([-1.5], [1.5])


@pytest.fixture(params=PLANNERS)
def planner(request):
    return PLANNERS[request.param]


@pytest.fixture(scope="module")
def model():
    generator = np.random.default_rng(0)
    states, actions = generator.normal(size=(30, 1)), generator.normal(size=(30, 1))
    return dp.LinearGaussian.fit(dp.Transitions(states, actions, 1.1 * states + actions))


def test_it_solves_a_linear_quadratic_problem_within_one_percent(planner, model):
    # s' = 1.1 s + a, reward -(s'^2 + a^2), two steps from s = 1. By hand: the last step is worth
    # -k s^2 with k = 1.21 / 2; the first minimises (1 + k) (1.1 + a)^2 + a^2.
    k = 1.21 / 2
    optimum = -1.21 * (1 + k) / (2 + k)
    reward = dp.rewards.quadratic([1.0]) + dp.rewards.action_cost([1.0])
    plan = planner.plan(model, reward, [1.0], action_space=SPACE, seed=0)
    assert optimum * 1.01 <= plan.value <= optimum * (1 - 1e-5)
    assert plan.actions[0, 0] == pytest.approx(-1.1 * (1 + k) / (2 + k), abs=0.1)


def test_it_stays_in_the_box(planner, model):
    greedy = dp.rewards.quadratic([1.0], target=[100.0])
    plan = planner.plan(model, greedy, [0.0], action_space=SPACE, seed=0)
    assert (np.abs(plan.actions) <= 1.5).all()
    assert plan.actions[0, 0] > 1.3


def test_it_survives_nan_and_is_deterministic(planner, model):
    if isinstance(planner, dp.LQR):
        pytest.skip("plans built-in quadratic rewards alone; test_lqr.py has its extremes")

    def reward(obs, act, next_obs):
        return np.where(next_obs[:, 0] > 1.0, np.nan, next_obs[:, 0])

    plans = [planner.plan(model, reward, [0.0], action_space=SPACE, seed=5) for _ in range(2)]
    assert np.isfinite(plans[0].actions).all()
    np.testing.assert_array_equal(plans[0].actions, plans[1].actions)
    assert plans[0].stats.non_finite > 0


@pytest.mark.parametrize("candidates", [1, 2])
@pytest.mark.parametrize("place", [0.0, 1e9])  # in float64 far from the origin
def test_it_plans_with_next_to_no_candidates(planner, model, candidates, place):
    # Fewer than the lanes in which the result is scored; this runs under the address sanitizer too.
    from dataclasses import fields, replace

    names = {field.name for field in fields(planner)}
    if "candidates" not in names:
        pytest.skip("draws no candidates")
    few = {"candidates": candidates, "propagation": "sample", "particles": 3}
    few |= {"elites": 1, "effective_samples": 1.0}
    few = {name: value for name, value in few.items() if name in names}
    reward = dp.rewards.quadratic([1.0], target=[place])
    plans = [
        replace(planner, **few).plan(model, reward, [place], action_space=SPACE, seed=5)
        for _ in range(2)
    ]
    assert np.isfinite(plans[0].value)
    np.testing.assert_array_equal(plans[0].actions, plans[1].actions)


def test_threads_change_nothing(planner, model):
    from dataclasses import replace

    reward = dp.rewards.quadratic([1.0])
    plans = [
        replace(planner, threads=n).plan(model, reward, [1.0], action_space=SPACE, seed=5)
        for n in (1, 2, 4)
    ]
    for plan in plans[1:]:
        np.testing.assert_array_equal(plan.actions, plans[0].actions)
