"""Limits of states and of rates under LQR and ILQR, beside quadratic programs."""

from __future__ import annotations

import numpy as np
import pytest

import dynaplan as dp
from reference.gradient_plans import PLANNERS, best_plan, free_plan
from reference.quadratic_program import LinearPlant
from reference.systems import exact_linear_model


@pytest.mark.parametrize("planner", PLANNERS)
@pytest.mark.parametrize("seed", range(100))
def test_states_keep_a_limit_as_the_quadratic_program_says(planner, seed):
    plant = LinearPlant.random(seed, 1.2)
    free = free_plan(plant)
    generator = np.random.default_rng(seed)
    # Of one state, between where the free plan leads at most and where it rests.
    high = np.full(len(plant.a), np.inf)
    limited = int(free.states[1:].max(axis=0).argmax())
    high[limited] = generator.uniform(0.5, 0.95) * free.states[1:, limited].max() + 1e-3
    bound = 3.0 * np.abs(free.actions).max(axis=0)
    plan = best_plan(planner, plant, bound, state_high=high)
    assert (plan.states[1:] <= high).all()


@pytest.mark.parametrize("planner", PLANNERS)
@pytest.mark.parametrize("seed", range(25))
def test_actions_keep_a_rate_as_the_quadratic_program_says(planner, seed):
    plant = LinearPlant.random(seed, 1.1)
    free = free_plan(plant)
    changes = np.diff(free.actions, axis=0, prepend=0.0)
    rate = 0.6 * np.abs(changes).max(axis=0)
    plan = best_plan(planner, plant, 2.0 * np.abs(free.actions).max(axis=0), action_rate=rate)
    assert (np.abs(np.diff(plan.actions, axis=0, prepend=0.0)) <= rate * (1 + 1e-12)).all()


@pytest.mark.parametrize("horizon", [20, 40, 80])
@pytest.mark.parametrize("rate", [0.1, 0.025, 1e-300])
def test_a_rate_that_binds_most_of_the_way_is_kept_as_well(horizon, rate):
    plant = LinearPlant(np.eye(1), np.array([[0.05]]), np.ones(1), np.full(1, 0.0025), -np.ones(1))
    plan = dp.ILQR(horizon=horizon, clip=None).plan(
        plant.model(),
        plant.reward(),
        plant.start,
        action_space=([-10.0], [10.0]),
        limits=dp.Limits(action_rate=[rate]),
        previous_action=[0.0],
    )
    best = plant.best_return(horizon, np.array([10.0]), rate=np.array([max(rate, 1e-12)]))
    assert plan.value == pytest.approx(best, rel=1e-6)
    assert plan.status == ("converged" if rate > 1e-9 else "stalled")  # what is left is rounding


@pytest.mark.parametrize("horizon", [40, 80])
@pytest.mark.parametrize("fastest", [0.3, 0.1, 0.02])
@pytest.mark.parametrize("rate", [None, 0.5])
def test_a_speed_that_binds_most_of_the_way_is_kept_as_well(horizon, fastest, rate):
    move, push = np.array([[1.0, 0.05], [0.0, 1.0]]), np.array([[0.0], [0.05]])
    costs = np.array([1.0, 0.01]), np.array([0.001])
    plant = LinearPlant(move, push, *costs, np.array([-1.0, 0.0]))
    high, rates = np.array([np.inf, fastest]), None if rate is None else np.array([rate])
    plan = dp.ILQR(horizon=horizon, clip=None).plan(
        plant.model(),
        plant.reward(),
        plant.start,
        action_space=([-3.0], [3.0]),
        limits=dp.Limits(state_high=high, action_rate=rates),
        previous_action=[0.0],
    )
    best = plant.best_return(horizon, np.array([3.0]), state_high=high, rate=rates)
    assert (plan.states[1:, 1] <= fastest).all()
    assert plan.value == pytest.approx(best, rel=1e-5)
    assert plan.status == "converged"


def test_from_outside_it_comes_straight_back():
    model = exact_linear_model([[1.0]], [[0.01]])
    plan = dp.ILQR(horizon=10, clip=None).plan(
        model,
        dp.rewards.linear([1.0]),
        [3.2],
        action_space=([-10.0], [10.0]),
        limits=dp.Limits(state_high=[3.0]),
    )
    assert plan.status == "no_finite_candidate"
    assert plan.value == -np.inf
    np.testing.assert_allclose(plan.actions[:2, 0], -10.0, atol=0.1)


def test_a_nonlinear_model_keeps_its_limits():
    # A pendulum that is swung up with a limit of its speed.
    def step(states, actions):
        angle, speed = states.T
        faster = speed + 0.05 * (9.81 * np.sin(angle) + 3.0 * actions[:, 0])
        return np.column_stack([angle + 0.05 * faster, faster])

    arguments = {
        "model": dp.FunctionModel(step, 2, 1),
        "reward": dp.rewards.quadratic([1.0, 0.01], target=[np.pi, 0.0]),
        "state": [0.3, 0.0],
        "action_space": ([-2.0], [2.0]),
    }
    free = dp.ILQR(horizon=40).plan(**arguments)
    fastest = 0.8 * free.states[:, 1].max()
    plan = dp.ILQR(horizon=40).plan(
        **arguments, limits=dp.Limits(state_high=[np.inf, fastest], action_rate=[1.0])
    )
    assert plan.states[1:, 1].max() <= fastest
    assert np.abs(np.diff(plan.actions, axis=0)).max() <= 1.0
    assert plan.value <= free.value
    assert np.isfinite(plan.value)


def test_a_rate_is_kept_to_the_last_bit_where_there_is_no_time():
    model = exact_linear_model([[1.0]], [[1.0]])
    plan = dp.ILQR(horizon=20, clip=None, iterations=1).plan(
        model,
        dp.rewards.quadratic([1.0], target=[5.0]),
        [0.0],
        action_space=([-1.0], [1.0]),
        limits=dp.Limits(action_rate=[0.125]),
        previous_action=[0.0],
        time_limit=1e-7,
    )
    before = np.concatenate([[[0.0]], plan.actions[:-1]])
    assert (plan.actions >= before - 0.125).all()
    assert (plan.actions <= before + 0.125).all()


def test_a_controller_corrects_within_rates():
    model = exact_linear_model([[1.0]], [[0.5]])
    mpc = dp.MPC(
        model,
        dp.rewards.quadratic([1.0]) + dp.rewards.action_cost([0.1]),
        dp.ILQR(horizon=10, clip=None),
        action_space=([-1.0], [1.0]),
        limits=dp.Limits(action_rate=[0.1]),
        replan_every=4,
    )
    sent, state = [0.0], 3.0
    for n in range(20):
        sent.append(float(mpc.act([state])[0]))
        state += 0.5 * sent[-1] + 0.2 * (-1) ** n
    assert np.abs(np.diff(sent)).max() <= 0.1 + 1e-12


UP_TO = dp.Limits(state_high=[0.5])


@pytest.mark.parametrize("reward", ["built-in", "Python"])
def test_a_start_worth_nothing_says_nothing_of_the_price_of_a_limit(reward):
    model = exact_linear_model([[1.0]], [[0.1]])
    rewards = {"built-in": dp.rewards.linear([1.0]), "Python": lambda s, a, n: n[:, 0]}
    plan = dp.ILQR(horizon=8, clip=None).plan(
        model, rewards[reward], [0.0], action_space=([-10.0], [10.0]), limits=UP_TO
    )
    assert plan.value == pytest.approx(4.0, rel=1e-5)
    assert (plan.states[1:] <= 0.5).all()
    assert plan.stats.rejected == 0


def test_an_allowed_plan_that_is_known_is_never_given_up():
    model = exact_linear_model([[1.0]], [[0.1]])
    for time_limit in np.geomspace(1e-7, 1e-3, 40):
        plan = dp.ILQR(horizon=30, clip=None).plan(
            model,
            dp.rewards.quadratic([1.0], target=[1.0]),
            [0.0],
            action_space=([-10.0], [10.0]),
            limits=UP_TO,
            warm_start=np.full((30, 1), 0.1),
            time_limit=time_limit,
        )
        assert plan.status != "no_finite_candidate"
        assert plan.value >= -22.0  # the warm start's
        assert (plan.states[1:] <= 0.5).all()


def test_a_nonconvex_plan_is_no_worse_than_the_one_it_starts_from():
    model = dp.FunctionModel(
        lambda s, a: s + 0.1 * np.column_stack([np.cos(a[:, 0]), np.sin(a[:, 0])]), 2, 1
    )
    reward = dp.rewards.distance(1.0, indices=[0, 1], target=[-1.664, 1.331])
    limits = dp.Limits(state_low=[-0.359, -1.153], state_high=[1.321, 0.135])
    arguments = {"action_space": ([-3.2], [3.2]), "limits": limits}
    start = dp.CEM(horizon=12, clip=None, candidates=200, elites=20)
    for seed in range(10):
        found = start.plan(model, reward, [0.0, 0.0], **arguments, seed=seed)
        plan = dp.ILQR(horizon=12, clip=None, start=start).plan(
            model, reward, [0.0, 0.0], **arguments, seed=seed
        )
        assert plan.value >= found.value - 1e-5 * abs(found.value)


def test_actions_held_by_a_rate_about_zero_stay_held():
    step = 0.05
    model = exact_linear_model([[1.0, step], [0.0, 1.0]], [[step * step / 2], [step]])
    reward = dp.rewards.quadratic([0.1, 0.1]) + dp.rewards.action_cost([1e-3])
    values = [
        dp.LQR(horizon=40).plan(
            model,
            reward,
            [0.3384378621019076, 0.353140709225536],
            action_space=([-1.0], [1.0]),
            limits=dp.Limits(action_rate=[rate]),
            previous_action=[0.0],
        )
        for rate in (0.1, 0.1000001)
    ]
    assert [plan.status for plan in values] == ["converged", "converged"]
    assert values[0].value == pytest.approx(values[1].value, abs=1e-5)


def test_states_after_an_end_are_not_charged():
    model = exact_linear_model([[1.0]], [[0.1]], [0.3])
    reward = dp.rewards.quadratic([1.0], target=[0.7]) + dp.rewards.action_cost([0.01])
    for ends in (dp.terminations.outside([-np.inf], [0.5]), lambda s, a, n: n[:, 0] > 0.5):
        plan = dp.ILQR(horizon=30, clip=None).plan(
            model,
            reward,
            [0.0],
            action_space=([-1.0], [1.0]),
            limits=dp.Limits(state_high=[1.0]),
            termination=ends,
        )
        assert plan.value == pytest.approx(-0.1, rel=1e-6)
        assert plan.status == "converged"


def test_a_reward_without_derivatives_is_best_within_its_limits_too():
    # Its differences are taken also where they lead beyond the limit.
    def cost(*arguments):
        action, next_state, lanes, values = (arguments[i] for i in (1, 2, 4, 7))
        for k in range(lanes):
            values[k] = -((next_state[k] - 5.0) ** 2) - 0.01 * action[k] ** 2

    compiled = dp.rewards.compiled(
        dp.signatures.REWARD_FLOAT64.ctypes(cost), state_dim=1, action_dim=1, dtype=np.float64
    )
    built_in = dp.rewards.quadratic([1.0], target=[5.0]) + dp.rewards.action_cost([0.01])
    plans = [
        dp.ILQR(horizon=15, clip=None).plan(
            exact_linear_model([[1.0]], [[0.2]]),
            reward,
            [0.0],
            action_space=([-3.0], [3.0]),
            limits=dp.Limits(state_high=[2.0]),
        )
        for reward in (built_in, compiled)
    ]
    assert [plan.status for plan in plans] == ["converged", "converged"]
    assert plans[1].value == pytest.approx(plans[0].value, rel=1e-6)
    assert plans[1].states.max() <= 2.0
