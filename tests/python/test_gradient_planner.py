"""The planner that follows gradients from several starts."""

from __future__ import annotations

import time
from dataclasses import replace

import gymnasium as gym
import numpy as np
import pytest

import dynaplan as dp
from reference.quadratic_program import LinearPlant
from reference.systems import exact_linear_model, scalar_model

BOX = ([-1.0], [1.0])
CART = ([[1.0, 0.1], [0.0, 1.0]], [[0.0], [0.1]])


def plan_of(planner, plant, limits=None, **arguments):
    m = plant.b.shape[1]
    return planner.plan(
        plant.model(),
        plant.reward(),
        plant.start,
        action_space=(-np.full(m, 0.5), np.full(m, 0.5)),
        limits=limits,
        seed=0,
        **arguments,
    )


@pytest.mark.parametrize("discount", [1.0, 0.8])
def test_a_wide_box_gives_the_plan_of_the_regulator(discount):
    model = exact_linear_model(*CART)
    reward = dp.rewards.quadratic([1.0, 0.1]) + dp.rewards.action_cost([0.1])
    call = (model, reward, [0.5, 0.0])
    best = dp.LQR(horizon=20, discount=discount).plan(*call, action_space=([-5.0], [5.0]))
    planner = dp.GradientPlanner(horizon=20, discount=discount, clip=None, iterations=200)
    plan = planner.plan(*call, action_space=([-5.0], [5.0]), seed=0)
    assert plan.status == "converged"
    assert plan.value == pytest.approx(best.value, rel=1e-4)
    np.testing.assert_allclose(plan.actions, best.actions, atol=0.05)
    assert plan.gains is None


def test_convex_problems_are_solved_within_half_a_percent():
    lacking = []
    for seed in range(20):
        plant = LinearPlant.random(seed, largest=1.1)
        best = plant.best_return(6, np.full(plant.b.shape[1], 0.5))
        plan = plan_of(dp.GradientPlanner(horizon=6, clip=None), plant)
        lacking.append((best - plan.value) / abs(best))
    assert min(lacking) >= -1e-8
    assert max(lacking) <= 5e-3
    assert np.median(lacking) <= 1e-4


@pytest.mark.parametrize("seed", range(6))
def test_rates_and_state_limits_cost_what_a_solver_says(seed):
    plant = LinearPlant.random(seed, largest=1.0)
    n, m = plant.b.shape
    rate = np.full(m, 0.1)
    best = plant.best_return(8, np.full(m, 0.5), rate=rate)
    plan = plan_of(
        dp.GradientPlanner(horizon=8, clip=None, iterations=150),
        plant,
        dp.Limits(action_rate=rate),
        previous_action=np.zeros(m),
    )
    changes = np.diff(plan.actions, axis=0, prepend=0.0)
    assert np.abs(changes).max() <= 0.1 + 1e-15
    assert best - 1e-3 * abs(best) <= plan.value <= best + 1e-8 * abs(best)
    free = plan_of(dp.GradientPlanner(horizon=8, clip=None, iterations=150), plant)
    highest = free.states[1:, 0].max()
    limited = np.full(n, np.inf)
    limited[0] = highest - 0.1 * abs(highest)
    best = plant.best_return(8, np.full(m, 0.5), state_high=limited)
    if best is None or limited[0] < plant.start[0]:
        return
    plan = plan_of(
        dp.GradientPlanner(horizon=8, clip=None, iterations=400),
        plant,
        dp.Limits(state_high=limited, state_low=np.full(n, -np.inf)),
    )
    assert (plan.states[1:] <= limited).all()
    assert plan.value <= best + 1e-6 * abs(best)
    assert plan.value >= best - 1e-4 * abs(best)


def test_accelerations_are_kept():
    plan = dp.GradientPlanner(horizon=12, clip=None).plan(
        exact_linear_model(*CART),
        dp.rewards.quadratic([1.0, 0.0], target=[1.0, 0.0]),
        [0.0, 0.0],
        action_space=BOX,
        limits=dp.Limits(action_acceleration=[0.1]),
        previous_action=[0.0],
        seed=0,
    )
    changes = np.diff(plan.actions[:, 0], prepend=0.0)
    assert np.abs(np.diff(changes, prepend=0.0)).max() <= 0.1 + 1e-12
    assert plan.actions.max() > 0.5
    assert plan.status == "iterations"  # nothing is known of its optimality


def test_a_constraint_is_gone_round():
    model = exact_linear_model(np.eye(2), 0.2 * np.eye(2))
    disc = dp.constraints.outside_disc(0.4, indices=[0, 1], centre=[0.0, 0.0])
    plan = dp.GradientPlanner(horizon=12, clip=None, iterations=200).plan(
        model,
        dp.rewards.quadratic([1.0, 1.0], target=[1.0, 0.0]),
        [-1.0, 0.05],
        action_space=([-1.0, -1.0], [1.0, 1.0]),
        limits=dp.Limits(constraints=disc),
        seed=0,
    )
    assert (np.linalg.norm(plan.states, axis=1) >= 0.4 - 1e-12).all()
    assert np.linalg.norm(plan.states[-1] - [1.0, 0.0]) < 0.1


def test_where_no_plan_is_allowed_the_one_that_violates_least_is_given():
    plan = dp.GradientPlanner(horizon=4, clip=None).plan(
        exact_linear_model([[1.0]], [[0.1]]),
        dp.rewards.quadratic([1.0], target=[9.0]),
        [2.0],
        action_space=BOX,
        limits=dp.Limits(state_high=[1.0]),
        seed=0,
    )
    assert plan.status == "no_finite_candidate"
    assert plan.value == -np.inf
    assert plan.stats.rejected == plan.stats.candidates
    np.testing.assert_allclose(plan.actions, -1.0)


def test_it_swings_the_pendulum_up_by_its_equations():
    def step(states, actions):
        angle = np.arctan2(states[:, 1], states[:, 0])
        speed = states[:, 2] + (15.0 * np.sin(angle) + 3.0 * actions[:, 0]) * 0.05
        after = angle + speed * 0.05
        return np.stack([np.cos(after), np.sin(after), speed], axis=1)

    env = gym.make("Pendulum-v1")
    mpc = dp.MPC(
        dp.FunctionModel(step, 3, 1),
        dp.rewards.for_env(env),
        dp.GradientPlanner(horizon=30, iterations=8, learning_rate=0.3, clip=None),
        action_space=env.action_space,
        seed=0,
    )
    state, _ = env.reset(seed=3)
    env.unwrapped.state = np.array([np.pi, 0.0])
    state = np.array([-1.0, 0.0, 0.0])
    for _ in range(100):
        state = env.step(mpc.act(state).astype(np.float32))[0]
    assert state[0] > 0.99
    assert abs(state[2]) < 0.5


def chain(links):
    """Masses in a row, each with an actuator of its own, tied by springs to their neighbours."""
    ties = -2.0 * np.eye(links) + np.eye(links, k=1) + np.eye(links, k=-1)
    a = np.block([[np.eye(links), 0.1 * np.eye(links)], [0.3 * ties, 0.97 * np.eye(links)]])
    return dp.LinearModel(a, np.vstack([np.zeros((links, links)), 0.2 * np.eye(links)]))


def test_of_twenty_actions_it_makes_more_than_sampling_in_the_same_time():
    model, start = (
        chain(20),
        np.concatenate([np.random.default_rng(0).normal(size=20), np.zeros(20)]),
    )
    reward = dp.rewards.quadratic(np.repeat([1.0, 0.1], 20)) + dp.rewards.action_cost(
        np.full(20, 0.01)
    )
    call = (model, reward, start)
    space = (-np.ones(20), np.ones(20))
    planner = dp.GradientPlanner(horizon=30, clip=None, candidates=1)
    planner.plan(*call, action_space=space, seed=0)
    plan = planner.plan(*call, action_space=space, seed=0)
    best = dp.ILQR(horizon=30, clip=None).plan(*call, action_space=space)
    sampled = dp.CEM(horizon=30, clip=None, iterations=100_000).plan(
        *call, action_space=space, seed=0, time_limit=plan.stats.seconds
    )
    assert plan.value >= best.value - 0.01 * abs(best.value)
    assert sampled.value < plan.value - 0.03 * abs(plan.value)


def test_several_starts_find_the_higher_of_two_hills():
    # Two basins of the last state; the start lies in the poorer one.
    def reward(states, actions, next_states):
        x = next_states[:, 0]
        return np.exp(-((x - 1.5) ** 2) / 0.1) * 2.0 + np.exp(-((x + 0.3) ** 2) / 0.5)

    call = (exact_linear_model([[0.0]], [[1.0]]), reward, [0.0])
    plans = [
        dp.GradientPlanner(horizon=1, candidates=n, clip=None).plan(
            *call, action_space=([-2.0], [2.0]), seed=0, warm_start=[[-0.2]]
        )
        for n in (1, 32)
    ]
    assert plans[0].actions[0, 0] == pytest.approx(-0.3, abs=0.01)
    assert plans[1].actions[0, 0] == pytest.approx(1.5, abs=0.01)
    assert plans[0].status == "converged"


def test_an_ensemble_is_followed_by_the_mean_of_its_members():
    generator = np.random.default_rng(0)
    states, actions = (
        generator.normal(size=(2, 200, 2))[:, :, :2],
        generator.uniform(-1, 1, (200, 1)),
    )
    states = states[0]
    data = dp.Transitions(states, actions, states @ np.transpose(CART[0]) + actions * [0.0, 0.1])
    model = dp.Ensemble.fit(data, members=3, hidden=(8,), epochs=20, seed=0)
    reward = dp.rewards.quadratic([1.0, 0.1], target=[0.5, 0.0])
    planner = dp.GradientPlanner(horizon=10)
    plan = planner.plan(model, reward, [0.0, 0.0], action_space=BOX, seed=0)
    scored = dp.returns(model, reward, [0.0, 0.0], plan.actions[None], clip=2.0)[0]
    assert plan.value == pytest.approx(float(scored), rel=1e-5)
    derived = dp.ILQR(horizon=10).plan(model, reward, [0.0, 0.0], action_space=BOX)
    assert plan.value >= derived.value - 0.01 * abs(derived.value)


def test_a_python_reward_a_termination_and_a_terminal_value_count_as_their_terms_do():
    model, space = exact_linear_model(*CART), BOX
    term = dp.rewards.quadratic([1.0, 0.1], target=[0.6, 0.0]) + dp.rewards.action_cost([0.01])

    def same(obs, act, next_obs):
        return term(obs, act, next_obs)

    arguments = {
        "action_space": space,
        "seed": 0,
        "terminal_value": lambda states: -4.0 * (states[:, 0] - 0.6) ** 2,
    }
    plans = [
        dp.GradientPlanner(horizon=15, clip=None).plan(model, reward, [0.0, 0.0], **arguments)
        for reward in (term, same)
    ]
    np.testing.assert_allclose(plans[0].actions, plans[1].actions, atol=1e-3)
    ends = dp.GradientPlanner(horizon=15, clip=None).plan(
        model,
        dp.rewards.linear([1.0, 0.0]),
        [0.0, 0.0],
        termination=lambda s, a, n: n[:, 0] > 0.2,
        **arguments,
    )
    assert np.isfinite(ends.value)


@pytest.mark.parametrize("limit", [1e-6, 0.02])
def test_a_deadline_is_kept_and_said(limit):
    planner = dp.GradientPlanner(horizon=50, iterations=1_000_000, tolerance=0.0, clip=None)
    begin = time.perf_counter()
    plan = planner.plan(
        exact_linear_model(*CART),
        dp.rewards.quadratic([1.0, 0.1], target=[1.0, 0.0]),
        [0.0, 0.0],
        action_space=BOX,
        time_limit=limit,
        seed=0,
    )
    assert plan.status == "time_limit"
    assert time.perf_counter() - begin < limit + 0.2
    assert np.isfinite(plan.value)


def test_a_warm_start_is_never_left_for_less():
    model, reward = exact_linear_model(*CART), dp.rewards.quadratic([1.0, 0.1], target=[1.0, 0.0])
    planner = dp.GradientPlanner(horizon=20, clip=None, iterations=2)
    value = -np.inf
    warm = None
    for _ in range(10):
        plan = planner.plan(model, reward, [0.0, 0.0], action_space=BOX, seed=0, warm_start=warm)
        assert plan.value >= value - 1e-8
        value, warm = plan.value, plan.actions


def test_the_unit_of_rewards_changes_nothing():
    model = exact_linear_model(*CART)
    plans = [
        dp.GradientPlanner(horizon=10, clip=None).plan(
            model,
            dp.rewards.quadratic([unit, 0.125 * unit], target=[1.0, 0.0]),
            [0.0, 0.0],
            action_space=BOX,
            seed=0,
        )
        for unit in (1.0, 2.0**-60, 2.0**60)
    ]
    for plan in plans[1:]:
        assert plan.status == plans[0].status
        np.testing.assert_allclose(plan.actions, plans[0].actions, atol=1e-9)


def test_no_finite_candidate_is_said_and_the_start_returned():
    plan = dp.GradientPlanner(horizon=2).plan(
        scalar_model(),
        lambda obs, act, next_obs: np.full(len(obs), np.nan),
        [0.0],
        action_space=([1.0], [3.0]),
        seed=0,
    )
    assert plan.status == "no_finite_candidate"
    np.testing.assert_array_equal(plan.actions, [[2.0], [2.0]])
    assert plan.stats.non_finite == plan.stats.candidates


def test_exceptions_of_a_reward_function_come_through_and_the_planner_works_on():
    calls = []

    def reward(obs, act, next_obs):
        calls.append(len(obs))
        if len(calls) == 2:
            raise KeyError("second")
        return -(next_obs[:, 0] ** 2)

    planner = dp.GradientPlanner(horizon=3, threads=2, candidates=20)
    mpc = dp.MPC(scalar_model(), reward, planner, action_space=BOX, seed=0)
    with pytest.raises(KeyError, match="second"):
        mpc.act([1.0])
    assert np.isfinite(mpc.act([1.0])).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"horizon": 0}, "horizon: got 0"),
        ({"candidates": 0}, "candidates: got 0"),
        ({"iterations": 0}, "iterations: got 0"),
        ({"learning_rate": 0.0}, "learning_rate: got 0"),
        ({"learning_rate": np.inf}, "learning_rate: got inf"),
        ({"initial_std": 0.0}, "initial_std: got 0"),
        ({"tolerance": -1.0}, "tolerance: got -1"),
        ({"clip": 0.0}, "clip: got 0"),
    ],
)
def test_settings_out_of_range_are_refused_at_once(settings, message):
    with pytest.raises(dp.ArgumentError, match=message):
        dp.GradientPlanner(**settings)


def test_what_has_no_derivatives_is_refused_with_the_cure():
    def by_step(obs, act, next_obs, *, step):
        return step * 1.0

    planner = dp.GradientPlanner(horizon=3)
    with pytest.raises(dp.ArgumentError, match="give it no parameter `step`"):
        planner.plan(scalar_model(), by_step, [0.0], action_space=BOX)
    with pytest.raises(dp.ShapeError, match="initial_std"):
        replace(planner, initial_std=(0.1, 0.2)).plan(
            scalar_model(), dp.rewards.quadratic([1.0]), [0.0], action_space=BOX
        )
