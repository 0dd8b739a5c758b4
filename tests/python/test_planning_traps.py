"""Faults that published planners have had, one test each."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import dynaplan as dp
from reference.systems import linear_system, scalar_model

Array = NDArray[np.float64]
BOX = ([-1.0], [1.0])
PLANNERS: dict[str, Any] = {
    "CEM": dp.CEM(horizon=3, candidates=200, elites=20),
    "ICEM": dp.ICEM(horizon=3, candidates=200),
    "MPPI": dp.MPPI(horizon=3, candidates=200),
    "MPPI, hot": dp.MPPI(horizon=3, candidates=200, temperature=100.0),
    "RandomShooting": dp.RandomShooting(horizon=3, candidates=600),
}
every_planner = pytest.mark.parametrize("planner", PLANNERS.values(), ids=PLANNERS)


@every_planner
def test_a_plan_of_nan_return_is_not_the_best(planner: Any) -> None:
    # mbrl-lib's optimizers put -1e-10 in the place of nan, more than any plan earns where all
    # rewards are negative.
    def reward(obs: Array, act: Array, next_obs: Array) -> Array:
        return np.where(act[:, 0] > 0.2, np.nan, -1000.0 - 10.0 * np.abs(act[:, 0] + 0.4))

    plan = planner.plan(scalar_model(), reward, [0.0], action_space=BOX, seed=0)
    assert plan.stats.non_finite > 0
    assert (plan.actions <= 0.2).all()
    assert -3015.0 < plan.value <= -3000.0


@every_planner
@pytest.mark.parametrize("infinity", [np.inf, -np.inf])
def test_nor_is_one_of_infinite_return(planner: Any, infinity: float) -> None:
    # The exponential weights of MPPI turn one infinite return into nan weights for all.
    def reward(obs: Array, act: Array, next_obs: Array) -> Array:
        return np.where(act[:, 0] > 0.2, infinity, -1000.0 - 10.0 * np.abs(act[:, 0] + 0.4))

    plan = planner.plan(scalar_model(), reward, [0.0], action_space=BOX, seed=0)
    assert (plan.actions <= 0.2).all()
    assert np.isfinite(plan.value)


def test_an_elite_whose_return_has_become_nan_is_not_kept() -> None:
    # mbrl-lib's iCEM appends the elites of the step before whatever they are worth now.
    def reward(obs: Array, act: Array, next_obs: Array) -> Array:
        return np.where(act[:, 0] > 0.9, np.nan, -1.0 - np.square(act[:, 0]))

    poor = np.full((4, 3, 1), 0.95)
    plan = dp.ICEM(horizon=3, initial_std=0.2).plan(
        scalar_model(), reward, [0.0], action_space=BOX, kept_sequences=poor, seed=0
    )
    assert len(plan.kept_sequences) > 0
    assert np.abs(plan.kept_sequences).max() < 0.9
    assert plan.value == pytest.approx(-3.0, abs=0.1)


@pytest.mark.parametrize("width", [0.02, 0.2, (0.02, 0.3)])
@pytest.mark.parametrize(
    "of",
    [
        lambda width: dp.CEM(
            horizon=6, candidates=4000, iterations=1, initial_std=width, min_std=0.0
        ),
        lambda width: dp.ICEM(
            horizon=6, candidates=4000, iterations=1, initial_std=width, reuse_fraction=0.0
        ),
        lambda width: dp.MPPI(horizon=6, candidates=4000, iterations=1, initial_std=width),
    ],
    ids=["CEM", "ICEM", "MPPI"],
)
def test_the_noise_is_as_wide_as_it_is_set_in_each_action_and_about_the_middle_of_its_bounds(
    of: Any, width: float | tuple[float, float]
) -> None:
    # mbrl-lib's MPPI scales its noise by sigma and the bounds, and uses the noise it had before:
    # sigma does nothing. pytorch-icem takes no sigma that has one entry for each of several
    # actions, and none of the packages centres its noise in bounds such as (-1, 3).
    seen = []

    def reward(obs: Array, act: Array, next_obs: Array) -> Array:
        seen.append(act.copy())
        return np.zeros(len(act))

    model = dp.LinearGaussian.fit(linear_system(100))
    low, high = np.array([-1.0, 10.0]), np.array([3.0, 10.4])
    of(width).plan(model, reward, np.zeros(3), action_space=(low, high), seed=0)
    drawn = seen[0].reshape(-1, 6, 2)
    half = (high - low) / 2
    std = half * width
    # 4,000 draws: a standard deviation to 1.1 %, a mean to 1.6 % of it; four times that is allowed.
    np.testing.assert_allclose(drawn.std(axis=0), np.tile(std, (6, 1)), rtol=0.045)
    np.testing.assert_allclose((drawn.mean(axis=0) - (low + half)) / std, 0.0, atol=0.065)


@every_planner
def test_nothing_of_an_episode_reaches_the_next(planner: Any) -> None:
    # mbrl-lib's iCEM keeps its elites and its MPPI the mean over a reset.
    reward = dp.rewards.quadratic([1.0], target=[0.4]) + dp.rewards.action_change_cost([0.3])
    mpc = dp.MPC(scalar_model(), reward, planner, action_space=BOX, trust="ignore", seed=4)
    fresh = [mpc.act([state])[0] for state in (0.5, -0.2, 0.1)]
    for _ in range(5):
        mpc.act([30.0])  # an episode that ends with the actions at a bound
    mpc.reset()
    assert [mpc.act([state])[0] for state in (0.5, -0.2, 0.1)] == fresh


def test_one_nan_return_takes_no_weight_from_the_others() -> None:
    # pytorch-mppi subtracts the least cost: with one nan among the costs every weight is nan.
    def clean(obs: Array, act: Array, next_obs: Array) -> Array:
        return 3.0 * act[:, 0]

    def with_one_nan(obs: Array, act: Array, next_obs: Array) -> Array:
        total = clean(obs, act, next_obs)
        if len(total) > 1:
            total[777] = np.nan
        return total

    planner = dp.MPPI(horizon=1, candidates=2000, iterations=1, initial_std=0.1, temperature=1.0)
    plans = [
        planner.plan(scalar_model(), reward, [0.0], action_space=BOX, seed=0)
        for reward in (clean, with_one_nan)
    ]
    assert plans[1].stats.non_finite == 1
    # One of 2,000 candidates of weights up to e^1.2: the average moves by a thousandth of 0.1.
    assert plans[1].actions[0, 0] == pytest.approx(plans[0].actions[0, 0], abs=5e-4)
    assert plans[1].actions[0, 0] != plans[0].actions[0, 0]
