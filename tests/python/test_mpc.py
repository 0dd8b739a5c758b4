"""What a controller does between plans: delays, several systems, changes while it runs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import dynaplan as dp
from reference.systems import scalar_model

BOX = ([-1.0], [1.0])
COST = dp.rewards.quadratic([1.0])
SMALL = dp.CEM(horizon=6, candidates=60, elites=6, iterations=3)


def controller(planner=SMALL, model=None, reward=COST, **settings):
    return dp.MPC(
        scalar_model() if model is None else model,
        reward,
        planner,
        action_space=BOX,
        **({"seed": 3} | settings),
    )


# Delays.


def test_with_a_delay_it_plans_from_the_state_its_action_will_meet():
    mpc = controller(delay_steps=2)
    sent = [0.0, 0.0]
    for state in (1.0, -0.4, 0.3):
        met = 0.5 * (0.5 * state + sent[-2]) + sent[-1]
        sent.append(mpc.act([state])[0])
        assert mpc.last_plan.states[0, 0] == pytest.approx(met, abs=1e-6)


def test_a_delayed_unstable_system_is_held_where_a_controller_unaware_of_it_fails():
    def run(delay_known: int) -> float:
        mpc = controller(
            model=scalar_model(1.25), delay_steps=delay_known, planner=dp.CEM(horizon=8)
        )
        state, on_their_way, path = 0.5, [0.0] * 2, []
        for _ in range(40):
            on_their_way.append(mpc.act([state])[0])
            state = 1.25 * state + on_their_way.pop(0)
            path.append(abs(state))
        return max(path[20:])

    assert run(2) < 0.1
    assert run(0) > 1.0


def test_before_the_first_action_what_is_on_its_way_is_within_the_bounds():
    mpc = dp.MPC(scalar_model(), COST, SMALL, action_space=([0.5], [1.0]), delay_steps=1, seed=0)
    mpc.act([0.0])
    assert mpc.last_plan.states[0, 0] == pytest.approx(0.5)


# Several steps to a plan.


def test_it_replans_every_few_steps_and_follows_the_plan_in_between():
    mpc = controller(replan_every=3)
    actions, plans = [], []
    for state in (1.0, 0.4, 0.1, 0.9, 0.5):
        actions.append(mpc.act([state])[0])
        plans.append(mpc.last_plan)
    assert plans[0] is plans[1] is plans[2]
    assert plans[3] is plans[4]
    assert plans[3] is not plans[2]
    np.testing.assert_array_equal(actions[:3], plans[0].actions[:3, 0])
    np.testing.assert_array_equal(actions[3:], plans[3].actions[:2, 0])


def test_the_plan_after_several_steps_starts_from_the_rest_of_the_one_before():
    single = dp.CEM(horizon=5, candidates=1, elites=1, iterations=1)  # its plan is its warm start
    mpc = controller(planner=SMALL, replan_every=2)
    for _ in range(2):
        mpc.act([1.0])
    before = mpc.last_plan.actions
    mpc.change(planner=single)
    mpc.act([0.3])
    np.testing.assert_allclose(mpc.last_plan.actions[:4], before[2:], atol=1e-7)
    np.testing.assert_allclose(mpc.last_plan.actions[4], before[-1], atol=1e-7)


def test_a_plan_shorter_than_the_interval_is_renewed_at_its_end():
    mpc = controller(planner=replace(SMALL, horizon=2), replan_every=10)
    plans = []
    for _ in range(4):
        mpc.act([1.0])
        plans.append(mpc.last_plan)
    assert plans[0] is plans[1]
    assert plans[1] is not plans[2]


def test_gains_correct_the_actions_between_plans_within_the_bounds():
    mpc = controller(replan_every=3)
    mpc.act([0.2])
    system = mpc._systems[0]
    gains = np.full((6, 1, 1), -0.5)
    system.plan = mpc.last_plan._replace(gains=gains)
    expected = system.plan.states[1, 0]
    got = mpc.act([expected + 0.2])[0]
    assert got == pytest.approx(system.plan.actions[1, 0] - 0.1)
    assert mpc.act([-100.0])[0] == 1.0


# Looking and acting.


def test_a_look_is_what_the_next_act_does_and_moves_nothing():
    mpc = controller()
    mpc.act([1.0])
    looks = [mpc.plan([0.5]) for _ in range(2)]
    np.testing.assert_array_equal(looks[0].actions, looks[1].actions)
    assert mpc.act([0.5])[0] == looks[0].actions[0, 0]
    twin = controller()
    twin.act([1.0])
    assert twin.act([0.5])[0] == looks[0].actions[0, 0]


def test_after_a_look_a_loop_of_ones_own_tells_how_far_it_went():
    mpc, twin = controller(replan_every=2), controller(replan_every=2)
    plan = mpc.plan([1.0])
    mpc.advance(2)
    np.testing.assert_array_equal([twin.act([1.0])[0] for _ in range(2)], plan.actions[:2, 0])
    assert mpc.act([0.4])[0] == twin.act([0.4])[0]
    with pytest.raises(dp.ArgumentError, match="steps: got 7, must be at most"):
        mpc.advance(7)
    with pytest.raises(dp.ArgumentError, match="steps"):
        controller().advance()


def test_what_was_really_sent_can_be_told():
    reward = dp.rewards.action_change_cost([1.0])
    mpc = controller(planner=dp.CEM(horizon=1, iterations=10), reward=reward)
    mpc.act([0.0])
    for sent in (-0.6, 0.3):
        assert mpc.act([0.0], previous_action=[sent])[0] == pytest.approx(sent, abs=0.02)


# Several systems.


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("planner", [SMALL, dp.ICEM(horizon=6), dp.MPPI(horizon=6)])
def test_each_of_several_systems_is_controlled_as_if_alone(planner, threads):
    settings = {"replan_every": 2, "delay_steps": 1}
    together = controller(planner=replace(planner, threads=threads), seed=10, **settings)
    alone = [controller(planner=planner, seed=10 + n, **settings) for n in range(5)]
    states = np.random.default_rng(0).normal(size=(6, 5, 1))
    for rows in states:
        got = together.act(rows)
        assert got.shape == (5, 1)
        np.testing.assert_array_equal(
            got, [mpc.act(row) for mpc, row in zip(alone, rows, strict=True)]
        )
    assert len(together.last_plans) == 5


def test_several_systems_under_a_python_reward():
    def reward(obs, act, next_obs):
        return -(next_obs[:, 0] ** 2) - (act[:, 0] - 0.1) ** 2

    together = controller(reward=reward, seed=0)
    alone = [controller(reward=reward, seed=n) for n in range(3)]
    for _ in range(3):
        states = [[1.0], [0.0], [-1.0]]
        np.testing.assert_array_equal(
            together.act(states), [mpc.act(row) for mpc, row in zip(alone, states, strict=True)]
        )


def test_another_number_of_systems_is_refused_until_a_reset():
    mpc = controller()
    mpc.act([[1.0], [2.0]])
    with pytest.raises(dp.ShapeError, match="state: got 3 systems, must be 2"):
        mpc.act([[1.0], [2.0], [3.0]])
    mpc.reset()
    assert mpc.act([[1.0], [2.0], [3.0]]).shape == (3, 1)


# Changes.


def test_a_longer_or_shorter_horizon_keeps_the_warm_start():
    single = dp.CEM(horizon=9, candidates=1, elites=1, iterations=1)
    for horizon in (9, 3):
        mpc = controller()
        mpc.act([1.0])
        before = mpc.last_plan.actions
        mpc.change(planner=replace(single, horizon=horizon))
        mpc.act([0.3])
        kept = min(horizon, 5)
        np.testing.assert_allclose(mpc.last_plan.actions[:kept], before[1 : kept + 1], atol=1e-7)
        assert len(mpc.last_plan.actions) == horizon


def test_an_elite_searchs_horizon_changes_while_it_runs():
    mpc = controller(planner=dp.ICEM(horizon=6))
    for horizon in (6, 3, 12):
        mpc.change(planner=dp.ICEM(horizon=horizon))
        assert np.isfinite(mpc.act([1.0])).all()
        assert len(mpc.last_plan.actions) == horizon


def test_targets_follow_the_call():
    mpc = controller(planner=dp.CEM(horizon=4, min_std=0.01))
    for target in (0.5, -0.5):
        state = 0.0
        for _ in range(5):
            reward = dp.rewards.quadratic([1.0], target=[target])
            state = 0.5 * state + mpc.act([state], reward=reward)[0]
        assert state == pytest.approx(target, abs=0.05)


def test_a_model_is_swapped_under_a_running_controller():
    mpc = controller(model=scalar_model(0.5), planner=dp.CEM(horizon=3, min_std=0.01))
    mpc.act([0.8])
    assert mpc.last_plan.states[1, 0] == pytest.approx(
        0.5 * 0.8 + mpc.last_plan.actions[0, 0], abs=1e-5
    )
    mpc.change(model=scalar_model(1.1))
    mpc.act([0.8])
    assert mpc.last_plan.states[1, 0] == pytest.approx(
        1.1 * 0.8 + mpc.last_plan.actions[0, 0], abs=1e-5
    )


def test_bounds_limits_and_terminations_are_changed_and_taken_away():
    mpc = controller(reward=dp.rewards.linear([1.0]))
    assert mpc.act([0.0])[0] > 0.8
    mpc.change(action_space=([-0.25], [0.25]))
    assert mpc.act([0.0])[0] == pytest.approx(0.25, abs=0.01)
    mpc.change(action_space=BOX, limits=dp.Limits(action_rate=[0.125]))
    assert mpc.act([0.0])[0] == pytest.approx(0.375, abs=0.01)
    mpc.change(limits=None)
    assert mpc.act([0.0])[0] > 0.8


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"reward": dp.rewards.quadratic([1.0, 2.0])}, dp.ShapeError),
        ({"action_space": ([0.0, 0.0], [1.0, 1.0])}, dp.ShapeError),
        ({"limits": dp.Limits(action_rate=[1.0, 1.0])}, dp.ShapeError),
        ({"terminal_value": 3}, TypeError),
        ({"termination": dp.terminations.outside([0, 0], [1, 1])}, dp.ShapeError),
    ],
)
def test_a_change_that_is_refused_changes_nothing(change, error):
    mpc, twin = controller(), controller()
    for each in (mpc, twin):
        each.act([1.0])
    with pytest.raises(error):
        mpc.change(**change)
    assert mpc.act([0.5])[0] == twin.act([0.5])[0]


def test_a_model_of_another_size_is_refused():
    generator = np.random.default_rng(0)
    s, a = generator.normal(size=(20, 2)), generator.normal(size=(20, 1))
    other = dp.LinearGaussian.fit(dp.Transitions(s, a, s))
    with pytest.raises(dp.ShapeError, match=r"model: got .*\(2, 1\), must be \(1, 1\)"):
        controller().change(model=other)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"replan_every": 0}, "replan_every: got 0"),
        ({"delay_steps": -1}, "delay_steps: got -1"),
        ({"replan_every": 1.5}, "replan_every: got 1.5"),
        ({"policy": lambda s: s, "policy_candidates": 0}, "policy_candidates: got 0"),
    ],
)
def test_settings_out_of_range_are_refused_at_once(settings, message):
    with pytest.raises(dp.ArgumentError, match=message):
        controller(**settings)


# Explanations.


def test_an_explanation_adds_up_to_the_plans_value():
    generator = np.random.default_rng(0)
    s, a = generator.normal(size=(60, 2)), generator.normal(size=(60, 1))
    model = dp.LinearGaussian.fit(dp.Transitions(s, a, 0.9 * s + a))
    reward = (
        dp.rewards.quadratic([1.0, 0.5])
        + dp.rewards.action_cost([0.1])
        + dp.rewards.action_change_cost([0.3])
    )
    mpc = dp.MPC(model, reward, dp.CEM(horizon=5), action_space=BOX, seed=0)
    for _ in range(2):
        mpc.act([3.0, 1.0])
    explained = mpc.explain()
    assert explained.terms == ("quadratic", "action_cost", "action_change_cost")
    assert explained.rewards.sum() == pytest.approx(mpc.last_plan.value, rel=1e-5)
    for name in explained.terms:
        assert name in str(explained)


def test_it_tells_which_limits_bind():
    mpc = controller(
        reward=dp.rewards.linear([1.0]),
        limits=dp.Limits(action_rate=[0.5], state_high=[1.5]),
        planner=replace(SMALL, candidates=300, elites=30),
    )
    mpc.act([0.0], previous_action=None)
    mpc.act([0.0], previous_action=[0.0])
    explained, plan = mpc.explain(), mpc.last_plan
    np.testing.assert_array_equal(explained.action_limits == 1, plan.actions >= 1.0)
    assert explained.rate_limits[0, 0] == 1
    assert not explained.states_outside.any()
    assert "at a rate" in str(explained)


def test_disagreement_and_spread_are_those_of_the_plan():
    generator = np.random.default_rng(0)
    s, a = generator.normal(size=(80, 1)), generator.normal(size=(80, 1))
    data = dp.Transitions(s, a, 0.9 * s + np.tanh(a))
    model = dp.Ensemble.fit(data, members=3, hidden=(8,), epochs=20, seed=0)
    mpc = dp.MPC(model, COST, SMALL, action_space=BOX, seed=0)
    mpc.act([1.0])
    explained = mpc.explain()
    assert (explained.disagreement > 0).all()
    assert explained.disagreement.shape == (6,)
    np.testing.assert_array_equal(explained.spread, mpc.last_plan.spread)
    assert (explained.spread >= 0.05 - 1e-6).all()  # CEM's floor, of half a width of 1


def test_python_rewards_are_explained_by_their_name():
    def near_zero(obs, act, next_obs):
        return -(next_obs[:, 0] ** 2)

    mpc = controller(reward=near_zero)
    mpc.act([1.0])
    explained = mpc.explain()
    assert explained.terms == ("near_zero",)
    assert explained.rewards.sum() == pytest.approx(mpc.last_plan.value, rel=1e-5)


def test_without_a_plan_there_is_nothing_to_explain():
    with pytest.raises(dp.ArgumentError, match="system: got 0"):
        controller().explain()


@pytest.mark.parametrize("planner", [dp.ILQR(horizon=10), dp.CEM(horizon=5)])
@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_a_state_that_is_not_finite_is_refused_where_no_plan_is_due(planner, wrong):
    model = dp.LinearModel([[1.0]], [[0.1]])
    reward, box = dp.rewards.quadratic([1.0]), ([-1.0], [1.0])
    mpc, other = (
        dp.MPC(model, reward, planner, action_space=box, seed=0, replan_every=3) for _ in range(2)
    )
    for controller in (mpc, other):
        controller.act([0.5])
    with pytest.raises(dp.ArgumentError, match=r"^state: .* is (nan|inf), must be finite"):
        mpc.act([wrong])
    for state in ([0.4], [0.3], [0.2]):  # as if it had not been called
        np.testing.assert_array_equal(mpc.act(state), other.act(state))
