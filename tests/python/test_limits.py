"""Limits on rates and states: kept by every planner, to the last bit, also across plans."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dynaplan as dp
from reference.systems import linear_system, scalar_model

BOX = ([-1.0], [1.0])
PLANNERS = {
    "cem": dp.CEM(horizon=6, candidates=40, elites=5, iterations=3),
    "cem, mean": dp.CEM(horizon=6, candidates=40, elites=5, iterations=3, result="mean"),
    "icem": dp.ICEM(horizon=6),
    "mppi": dp.MPPI(horizon=6, candidates=40, effective_samples=5.0),
    "random shooting": dp.RandomShooting(horizon=6, candidates=40),
}


@pytest.fixture(scope="module")
def integrator():
    generator = np.random.default_rng(0)
    s, a = generator.normal(size=(30, 1)), generator.normal(size=(30, 1))
    return dp.LinearGaussian.fit(dp.Transitions(s, a, s + a))


@given(
    planner=st.sampled_from(sorted(PLANNERS)),
    rate=st.floats(0.0, 3.0, width=32),
    previous=st.floats(-1.0, 1.0),
    low=st.floats(-3.0, -1.0),
    target=st.floats(-50.0, 50.0),
)
@settings(max_examples=150, deadline=None)
def test_rates_are_kept_to_the_last_bit(planner, rate, previous, low, target):
    plan = PLANNERS[planner].plan(
        scalar_model(),
        dp.rewards.quadratic([1.0], target=[target]),
        [0.5],
        action_space=([low], [1.0]),
        limits=dp.Limits(action_rate=[rate]),
        previous_action=[previous],
        seed=3,
    )
    before = np.concatenate([[[previous]], plan.actions[:-1]])
    assert (plan.actions >= before - rate).all()
    assert (plan.actions <= before + rate).all()
    assert (plan.actions >= low).all()
    assert (plan.actions <= 1.0).all()


@pytest.mark.parametrize("planner", PLANNERS)
def test_a_far_goal_is_approached_as_fast_as_the_rate_allows(planner):
    # Everything wants to go up: the best sequence climbs by the rate at every step.
    plan = PLANNERS[planner].plan(
        scalar_model(),
        dp.rewards.quadratic([1.0], target=[1e4]),
        [0.0],
        action_space=BOX,
        limits=dp.Limits(action_rate=[0.125]),
        previous_action=[0.0],
        seed=0,
    )
    np.testing.assert_allclose(plan.actions[:3, 0], [0.125, 0.25, 0.375], atol=0.1)


def test_without_an_action_before_the_first_is_free():
    plan = dp.CEM(horizon=3, candidates=200).plan(
        scalar_model(),
        dp.rewards.quadratic([1.0], target=[9.0]),
        [0.0],
        action_space=BOX,
        limits=dp.Limits(action_rate=[0.01]),
        seed=0,
    )
    assert plan.actions[0, 0] > 0.9


def test_limits_that_do_not_bind_change_nothing():
    model = dp.LinearGaussian.fit(linear_system(100))
    reward, space = dp.rewards.quadratic([1.0, 1.0, 1.0]), (np.full(2, -1.0), np.full(2, 1.0))
    free = dp.Limits(action_rate=[np.inf, np.inf], state_low=np.full(3, -np.inf))
    for planner in (dp.CEM(clip=None), dp.ICEM(), dp.MPPI(), dp.RandomShooting()):
        plans = [
            planner.plan(model, reward, np.ones(3), action_space=space, limits=limits, seed=1)
            for limits in (None, free)
        ]
        # Not to the bit: without limits a quadratic reward is summed in other coordinates.
        np.testing.assert_allclose(plans[0].actions, plans[1].actions, atol=1e-4)


def test_a_box_that_was_narrowed_comes_before_the_rate():
    plan = dp.CEM(horizon=2, candidates=20, elites=2).plan(
        scalar_model(),
        dp.rewards.quadratic([1.0]),
        [0.0],
        action_space=([-0.2], [0.2]),
        limits=dp.Limits(action_rate=[0.1]),
        previous_action=[0.9],
        seed=0,
    )
    assert plan.actions[0, 0] == 0.2


@pytest.mark.parametrize("planner", PLANNERS)
@pytest.mark.parametrize("is_function", [False, True])
def test_no_plan_enters_states_that_are_not_allowed(planner, is_function, integrator):
    # Up pays, but only up to 0.75.
    def up(obs, act, next_obs):
        return next_obs[:, 0]

    reward = up if is_function else dp.rewards.linear([1.0])
    plan = PLANNERS[planner].plan(
        integrator,
        reward,
        [0.0],
        action_space=([-0.5], [0.5]),
        limits=dp.Limits(state_high=[0.75]),
        seed=0,
    )
    assert plan.stats.rejected > 0
    assert plan.status != "no_finite_candidate"
    assert (plan.states[1:] <= 0.75 + 1e-6).all()
    assert plan.value > 1.0


def test_functions_and_terms_reject_the_same_candidates(integrator):
    planner = dp.CEM(horizon=5, candidates=100, elites=10)
    terms = (dp.rewards.linear([1.0]), dp.terminations.outside([-0.3], [np.inf]))
    for reward, termination in (
        terms,
        (lambda s, a, n: n[:, 0], terms[1]),
        (terms[0], lambda s, a, n: n[:, 0] < -0.3),
    ):
        plan = planner.plan(
            integrator,
            reward,
            [0.0],
            action_space=([-0.5], [0.5]),
            termination=termination,
            limits=dp.Limits(state_low=[-0.6], state_high=[0.75]),
            seed=0,
        )
        seen = (plan.stats.rejected, plan.actions.tolist())
        if reward is terms[0] and termination is terms[1]:
            expected = seen
        assert seen[0] == expected[0]
        np.testing.assert_allclose(seen[1], expected[1], atol=1e-5)


def test_the_worst_particle_decides(integrator):
    generator = np.random.default_rng(0)
    s, a = generator.normal(size=(200, 1)), generator.normal(size=(200, 1))
    noisy = dp.LinearGaussian.fit(
        dp.Transitions(s, a, s + a + 0.2 * generator.normal(size=(200, 1)))
    )
    arguments = {
        "action_space": ([-0.5], [0.5]),
        "limits": dp.Limits(state_high=[0.75]),
        "seed": 0,
    }
    reward = dp.rewards.linear([1.0])
    one = dp.CEM(horizon=5).plan(noisy, reward, [0.0], **arguments)
    many = dp.CEM(horizon=5, propagation="sample", particles=20).plan(
        noisy, reward, [0.0], **arguments
    )
    assert many.stats.rejected > one.stats.rejected
    assert many.states[1:].max() < one.states[1:].max() - 0.1


def test_where_every_candidate_is_rejected_that_is_said(integrator):
    plan = dp.CEM(horizon=3).plan(
        integrator,
        dp.rewards.linear([1.0]),
        [5.0],
        action_space=([-0.5], [0.5]),
        limits=dp.Limits(state_high=[0.75]),
        seed=0,
    )
    assert plan.status == "no_finite_candidate"
    assert plan.stats.rejected == plan.stats.candidates
    assert np.isfinite(plan.actions).all()


def test_the_state_planned_from_does_not_count(integrator):
    plan = dp.CEM(horizon=3).plan(
        integrator,
        dp.rewards.linear([1.0]),
        [1.0],
        action_space=([-0.5], [0.5]),
        limits=dp.Limits(state_high=[0.75]),
        seed=0,
    )
    assert plan.status == "iterations"
    assert plan.actions[0, 0] <= -0.25 + 1e-6


def test_rates_hold_along_a_control_loop():
    for settings_ in ({}, {"delay_steps": 2}, {"replan_every": 3}):
        mpc = dp.MPC(
            scalar_model(),
            dp.rewards.quadratic([1.0]),
            dp.CEM(horizon=5, candidates=50, elites=5),
            action_space=BOX,
            limits=dp.Limits(action_rate=[0.25]),
            seed=0,
            **settings_,
        )
        actions = [mpc.act([3.0 * (-1) ** n])[0] for n in range(12)]
        assert (np.abs(np.diff(actions)) <= 0.25).all()
        assert max(np.abs(np.diff(actions))) > 0.1


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"action_rate": [-1.0]}, dp.ArgumentError, "action_rate: got"),
        ({"action_rate": [np.nan]}, dp.ArgumentError, "action_rate: got"),
        ({"state_low": [1.0], "state_high": [0.0]}, dp.ArgumentError, "state_low"),
        ({"state_low": [1.0], "state_high": [2.0, 2.0]}, dp.ShapeError, "state_high: got shape"),
        ({"state_low": [[1.0]]}, dp.ShapeError, "state_low"),
        ({"action_rate": "fast"}, TypeError, "action_rate"),
    ],
)
def test_limits_out_of_range_are_refused_at_once(arguments, error, message):
    with pytest.raises(error, match=message):
        dp.Limits(**arguments)


def test_limits_that_do_not_fit_the_model_are_refused_by_name():
    for limits, name in (
        (dp.Limits(action_rate=[1.0, 1.0]), "limits.action_rate"),
        (dp.Limits(state_low=[1.0, 1.0]), "limits.state_low"),
    ):
        with pytest.raises(dp.ShapeError, match=name):
            dp.CEM().plan(
                scalar_model(),
                dp.rewards.quadratic([1.0]),
                [0.0],
                action_space=BOX,
                limits=limits,
            )


def test_a_penalty_leads_the_way_back_where_a_limit_is_passed_already(integrator):
    reward = dp.rewards.linear([0.1]) + dp.rewards.excess([10.0], high=[0.75])
    plan = dp.CEM(horizon=8, min_std=0.01).plan(
        integrator, reward, [2.0], action_space=([-0.5], [0.5]), seed=0
    )
    # Down as fast as it can, then up to where one more unit costs what it earns: 0.1 / 20 beyond.
    np.testing.assert_allclose(plan.actions[:2, 0], -0.5, atol=0.02)
    assert plan.states[-1, 0] == pytest.approx(0.755, abs=0.1)
    descended = dp.ILQR(horizon=8, clip=None).plan(
        integrator, reward, [2.0], action_space=([-0.5], [0.5])
    )
    assert descended.value >= plan.value - 1e-6
    assert descended.states[-1, 0] == pytest.approx(0.755, abs=1e-3)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([-1.0],), dp.ArgumentError, "weights: got -1"),
        (([np.inf],), dp.ArgumentError, "weights: got inf"),
        (([1.0, 1.0], [0.0]), dp.ShapeError, "weights|low|high"),
        (([1.0], [1.0], [0.0]), dp.ArgumentError, "low"),
    ],
)
def test_a_penalty_out_of_range_is_refused_at_once(arguments, error, message):
    names = ("weights", "low", "high")
    with pytest.raises(error, match=message):
        dp.rewards.excess(**dict(zip(names, arguments, strict=False)))
