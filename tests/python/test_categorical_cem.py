"""Discrete actions: as good as trying every sequence, in a box of one-hot actions or any set."""

from __future__ import annotations

import itertools
from dataclasses import replace

import gymnasium
import numpy as np
import pytest

import dynaplan as dp
from reference.systems import linear_system, scalar_model

CHOICES = np.array([[-1.0], [0.0], [0.5]])
SPACE = ([-1.0], [0.5])


def best_of_all(model, reward, state, choices, horizon):
    """The optimum by brute force."""
    sequences = np.array(list(itertools.product(choices, repeat=horizon)))
    totals = dp.returns(model, reward, state, sequences)
    return totals.max(), sequences[totals.argmax()]


@pytest.mark.parametrize("state", [-1.3, 0.2, 2.0])
def test_it_finds_the_best_of_all_sequences(state):
    model = scalar_model(1.1)
    reward = dp.rewards.quadratic([1.0], target=[0.3]) + dp.rewards.action_cost([0.1])
    planner = dp.CategoricalCEM(actions=CHOICES, horizon=6, candidates=300, elites=30, clip=None)
    plan = planner.plan(model, reward, [state], action_space=SPACE, seed=0)
    value, actions = best_of_all(model, reward, [state], CHOICES, 6)
    assert plan.value == pytest.approx(value, rel=1e-5)
    np.testing.assert_array_equal(plan.actions, actions)


def test_choices_of_several_entries():
    model = dp.LinearGaussian.fit(linear_system(100))
    reward = dp.rewards.quadratic([1.0, 1.0, 1.0])
    choices = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, -1.0], [0.3, 0.3]])
    space = (np.full(2, -1.0), np.full(2, 1.0))
    planner = dp.CategoricalCEM(actions=choices, horizon=5, candidates=400, elites=40)
    plan = planner.plan(model, reward, np.ones(3), action_space=space, seed=0)
    value, actions = best_of_all(model, reward, np.ones(3), choices, 5)
    assert plan.value == pytest.approx(value, rel=1e-4)
    np.testing.assert_array_equal(plan.actions, actions)


def test_every_action_is_one_of_the_choices_also_where_nothing_is_finite():
    planner = dp.CategoricalCEM(actions=CHOICES, horizon=4)
    for result in ("best", "mode"):
        plan = replace(planner, result=result).plan(
            scalar_model(),
            lambda s, a, n: np.full(len(s), np.nan),
            [0.0],
            action_space=SPACE,
            seed=0,
        )
        assert plan.status == "no_finite_candidate"
        assert np.isin(plan.actions, CHOICES).all()


def test_nan_never_wins():
    planner = dp.CategoricalCEM(actions=CHOICES, horizon=1, candidates=50, elites=5)
    plan = planner.plan(
        scalar_model(),
        lambda s, a, n: np.where(a[:, 0] == 0.5, np.nan, a[:, 0]),
        [0.0],
        action_space=SPACE,
        seed=0,
    )
    assert plan.actions[0, 0] == 0.0
    assert plan.stats.non_finite > 0


def test_the_same_bits_for_any_number_of_threads():
    planner = dp.CategoricalCEM(actions=CHOICES, candidates=300, elites=30)
    reward = dp.rewards.quadratic([1.0], target=[0.4])
    plans = [
        replace(planner, threads=n).plan(
            scalar_model(1.2), reward, [1.0], action_space=SPACE, seed=7
        )
        for n in (1, 2, 4)
    ]
    for plan in plans[1:]:
        np.testing.assert_array_equal(plan.actions, plans[0].actions)


def test_a_warm_start_is_tried_as_it_is():
    model, reward = scalar_model(1.1), dp.rewards.quadratic([1.0], target=[0.3])
    _, best = best_of_all(model, reward, [1.0], CHOICES, 6)
    poor = dp.CategoricalCEM(actions=CHOICES, horizon=6, candidates=1, elites=1, iterations=1)
    plan = poor.plan(model, reward, [1.0], action_space=SPACE, warm_start=best, seed=0)
    np.testing.assert_array_equal(plan.actions, best)


def test_a_discrete_space_is_controlled_by_numbers():
    # One-hot actions push by -1, 0 or 1; the space counts from 5.
    space = gymnasium.spaces.Discrete(3, start=5)
    generator = np.random.default_rng(0)
    chosen = np.eye(3)[generator.integers(3, size=60)]
    states = generator.normal(size=(60, 1))
    data = dp.Transitions(states, chosen, states + 0.2 * chosen @ [[-1.0], [0.0], [1.0]])
    model = dp.LinearGaussian.fit(data)
    mpc = dp.MPC(
        model,
        dp.rewards.quadratic([1.0]),
        dp.CategoricalCEM(actions=3, horizon=5),
        action_space=space,
        seed=0,
    )
    assert mpc.act([1.0]) == 5
    assert isinstance(mpc.act([1.0]), int)
    mpc.reset()
    np.testing.assert_array_equal(mpc.act([[1.0], [-1.0], [0.0]]), [5, 7, 6])


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"actions": 0}, dp.ArgumentError, "actions: got 0"),
        ({"actions": 2.5}, dp.ArgumentError, "actions: got 2.5"),
        ({"actions": [[]]}, dp.ShapeError, "actions: got none"),
        ({"actions": [1.0, 2.0]}, dp.ShapeError, "actions: got shape"),
        ({"actions": [[np.inf]]}, dp.ArgumentError, "actions: row 0 is inf"),
        ({"actions": 2, "elites": 999}, dp.ArgumentError, "elites: got 999"),
        ({"actions": 2, "min_probability": 2.0}, dp.ArgumentError, "min_probability: got 2"),
        ({"actions": 2, "result": "mean"}, dp.ArgumentError, "result: got 'mean'"),
    ],
)
def test_settings_out_of_range_are_refused_at_once(arguments, error, message):
    with pytest.raises(error, match=message):
        dp.CategoricalCEM(**arguments)


def test_choices_outside_the_bounds_are_refused():
    planner = dp.CategoricalCEM(actions=[[-1.0], [0.0], [2.0]])
    with pytest.raises(dp.ArgumentError, match=r"actions: got 2\.0 in row 2, .* -1\.0 to 1\.0"):
        planner.plan(
            scalar_model(), dp.rewards.quadratic([1.0]), [0.0], action_space=([-1.0], [1.0])
        )


@pytest.mark.parametrize(
    "planner",
    [dp.CEM, dp.ICEM, dp.MPPI, dp.RandomShooting, dp.GradientPlanner, dp.ILQR, dp.LQR],
)
def test_planners_of_continuous_actions_refuse_a_discrete_space(planner):
    reward = dp.rewards.quadratic([1.0])
    with pytest.raises(dp.ArgumentError, match=r"action_space: .*CategoricalCEM\(\) chooses"):
        dp.MPC(scalar_model(), reward, planner(), action_space=gymnasium.spaces.Discrete(1))


def test_what_does_not_go_together_is_refused():
    planner = dp.CategoricalCEM(actions=[[1.0, 2.0]])
    with pytest.raises(dp.ShapeError, match=r"actions: got shape \(1, 2\), must be \(1, 1\)"):
        planner.plan(scalar_model(), dp.rewards.quadratic([1.0]), [0.0], action_space=SPACE)
    with pytest.raises(dp.ArgumentError, match=r"limits\.action_rate"):
        dp.CategoricalCEM(actions=CHOICES).plan(
            scalar_model(),
            dp.rewards.quadratic([1.0]),
            [0.0],
            action_space=SPACE,
            limits=dp.Limits(action_rate=[1.0]),
        )
