"""iCEM: as good as the authors' algorithm, with each of its parts, and without the peers' traps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import dynaplan as dp
from dynaplan.errors import ArgumentError, ShapeError
from reference import icem
from reference.systems import linear_system, scalar_model

BOX = ([-1.0], [1.0])


@pytest.fixture(scope="module")
def model():
    return dp.LinearGaussian.fit(linear_system(100))


def test_it_is_as_good_as_the_plain_version_with_the_same_settings(model):
    reward = dp.rewards.quadratic([1.0, 1.0, 1.0]) + dp.rewards.action_cost([0.1, 0.1])
    state, low, high = np.array([1.0, -2.0, 0.5]), np.full(2, -2.0), np.full(2, 1.0)
    planner = dp.ICEM(horizon=8, clip=None)
    ours = [
        planner.plan(model, reward, state, action_space=(low, high), seed=seed).value
        for seed in range(60)
    ]
    theirs = [
        icem.maximise(
            lambda actions: dp.returns(model, reward, state, actions),
            low,
            high,
            8,
            candidates=40,
            elites=10,
            iterations=3,
            smoothing=0.1,
            initial_std=0.5,
            exponent=2.0,
            decay=1.25,
            keep=0.3,
            seed=seed,
        )
        for seed in range(60)
    ]
    error = np.hypot(np.std(ours), np.std(theirs)) / np.sqrt(60)
    assert abs(np.mean(ours) - np.mean(theirs)) < 4 * error


def test_a_plan_costs_97_sequences_and_those_kept():
    model, reward = scalar_model(), dp.rewards.quadratic([1.0])
    plan = dp.ICEM().plan(model, reward, [1.0], action_space=BOX, seed=0)
    assert plan.stats.candidates == 40 + 32 + 25 + 3 + 3
    assert plan.kept_sequences.shape == (3, 30, 1)
    again = dp.ICEM().plan(
        model, reward, [1.0], action_space=BOX, kept_sequences=plan.kept_sequences[:, 1:], seed=1
    )
    assert again.stats.candidates == 40 + 32 + 25 + 3 * 3
    none = dp.ICEM(reuse_fraction=0.0).plan(model, reward, [1.0], action_space=BOX, seed=0)
    assert (none.stats.candidates, len(none.kept_sequences)) == (97, 0)


def test_the_population_never_falls_below_twice_the_elites():
    planner = dp.ICEM(
        candidates=50, elites=20, iterations=4, population_decay=3.0, reuse_fraction=0.0
    )
    plan = planner.plan(
        scalar_model(), dp.rewards.quadratic([1.0]), [1.0], action_space=BOX, seed=0
    )
    assert plan.stats.candidates == 50 + 3 * 40


def test_an_elite_of_the_plan_before_is_tried_first_and_kept_if_it_is_the_best(model):
    reward = dp.rewards.quadratic([1.0, 1.0, 1.0])
    space = (np.full(2, -1.0), np.full(2, 1.0))
    arguments = {"action_space": space, "seed": 1}
    good = dp.CEM(horizon=10, candidates=2000, iterations=20, min_std=1e-3).plan(
        model, reward, [1.0, 1.0, 1.0], **arguments
    )
    poor = dp.ICEM(horizon=10, candidates=4, elites=2, reuse_fraction=0.5)
    alone = poor.plan(model, reward, [1.0, 1.0, 1.0], **arguments)
    helped = poor.plan(
        model, reward, [1.0, 1.0, 1.0], kept_sequences=good.actions[None], **arguments
    )
    assert alone.value < good.value - 1e-3
    assert helped.value >= good.value - 1e-5
    # Steps that are not given are drawn, within the bounds.
    short = poor.plan(
        model, reward, [1.0, 1.0, 1.0], kept_sequences=good.actions[None, :4], **arguments
    )
    assert np.abs(short.actions).max() <= 1.0


def test_elites_do_not_survive_a_reset():
    model, reward = scalar_model(), dp.rewards.quadratic([1.0])
    controller = dp.MPC(model, reward, dp.ICEM(horizon=5), action_space=BOX, seed=3)
    first = controller.act([1.0])
    controller.act([0.5])
    assert controller.last_plan.stats.candidates == 97 + 9
    controller.reset()
    np.testing.assert_array_equal(controller.act([1.0]), first)
    assert controller.last_plan.stats.candidates == 97 + 6


def test_the_noise_lasts_longer_the_larger_its_exponent():
    """Counts how often the actions of candidates change sign, through a reward function."""
    flips = []

    def reward(obs, act, next_obs):
        actions = act.reshape(-1, 30)
        flips.append((np.diff(np.sign(actions), axis=1) != 0).mean())
        return np.zeros(len(act))

    for exponent in (0.0, 1.0, 3.0):
        planner = dp.ICEM(candidates=200, iterations=1, noise_exponent=exponent, reuse_fraction=0.0)
        planner.plan(scalar_model(), reward, [0.0], action_space=BOX, seed=0)
    first = flips[0 :: len(flips) // 3]
    assert first[0] == pytest.approx(0.5, abs=0.03)
    assert first[0] > first[1] + 0.1 > first[2] + 0.2


def test_it_holds_a_push_that_white_noise_would_shake_off():
    """A double integrator that must go far: noise that lasts finds it with the same budget."""
    random = np.random.default_rng(0)
    states, actions = random.normal(size=(50, 2)), random.normal(size=(50, 1))
    following = states @ np.array([[1.0, 0.0], [0.1, 1.0]]) + actions @ np.array([[0.0, 0.1]])
    model = dp.LinearGaussian.fit(dp.Transitions(states, actions, following))
    reward = dp.rewards.quadratic([1.0, 0.0], target=[5.0, 0.0])
    values = {
        exponent: np.mean(
            [
                dp.ICEM(noise_exponent=exponent, clip=None)
                .plan(model, reward, [0.0, 0.0], action_space=BOX, seed=seed)
                .value
                for seed in range(20)
            ]
        )
        for exponent in (0.0, 2.0)
    }
    assert values[2.0] > values[0.0] + 1.0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"elites": 41}, "elites: got 41"),
        ({"population_decay": 0.9}, "population_decay"),
        ({"reuse_fraction": 1.5}, "reuse_fraction"),
        ({"smoothing": 1.0}, "smoothing"),
        ({"min_std": 1.0}, "min_std"),
        ({"horizon": 0}, "horizon"),
        ({"iterations": 0}, "iterations"),
        ({"candidates": 2.5}, "candidates"),
    ],
)
def test_settings_out_of_range_are_refused_at_once(settings, message):
    with pytest.raises(ArgumentError, match=message):
        dp.ICEM(**settings)


def test_elites_that_do_not_fit_are_refused_by_name():
    model, reward = scalar_model(), dp.rewards.quadratic([1.0])
    planner = dp.ICEM(horizon=5)
    with pytest.raises(ShapeError, match=r"kept_sequences: got shape \(2, 5, 3\)"):
        planner.plan(model, reward, [1.0], action_space=BOX, kept_sequences=np.zeros((2, 5, 3)))
    long = np.random.default_rng(0).uniform(-1, 1, size=(2, 6, 1))
    plans = [
        planner.plan(model, reward, [1.0], action_space=BOX, kept_sequences=long[:, :steps], seed=0)
        for steps in (5, 6)
    ]
    np.testing.assert_array_equal(plans[0].actions, plans[1].actions)  # the sixth is left out
    elites = np.zeros((2, 5, 1))
    elites[0, 3] = np.nan
    with pytest.raises(ArgumentError, match="kept_sequences: entry 3 is nan"):
        planner.plan(model, reward, [1.0], action_space=BOX, kept_sequences=elites)


def test_threads_change_no_bit_with_elites_and_members(model):
    reward = dp.rewards.quadratic([1.0, 1.0, 1.0])
    space = (np.full(2, -1.0), np.full(2, 1.0))
    actions = []
    for threads in (1, 2, 4):
        planner = replace(dp.ICEM(candidates=333, horizon=7), threads=threads)
        controller = dp.MPC(model, reward, planner, action_space=space, seed=2)
        actions.append([controller.act([1.0, 0.0, 0.5]) for _ in range(3)])
    np.testing.assert_array_equal(actions[0], actions[1])
    np.testing.assert_array_equal(actions[0], actions[2])
