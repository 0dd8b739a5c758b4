"""iLQR: exact where the answer is known, within the bounds, and better than what it begins from."""

from __future__ import annotations

from dataclasses import replace

import gymnasium as gym
import numpy as np
import pytest

import dynaplan as dp
from reference import pendulum
from reference.systems import exact_linear_model, linear_system, scalar_model

BOX = ([-1.0], [1.0])
WIDE = ([-100.0], [100.0])
A, B = np.array([[1.0, 1.0], [0.0, 1.0]]), np.array([[0.0], [1.0]])


@pytest.fixture(scope="module")
def env():
    return gym.make("Pendulum-v1")


@pytest.fixture(scope="module")
def data(env):
    return dp.collect(env, steps=400, seed=0, episode_steps=50)


@pytest.fixture(scope="module", params=["polynomial", "network"])
def learned(request, data):
    if request.param == "polynomial":
        return dp.LinearGaussian.fit(data, features=dp.Polynomial(2))
    return dp.MLP.fit(data, hidden=(32, 32), epochs=300, seed=0)


@pytest.mark.parametrize("discount", [1.0, 0.9])
def test_a_linear_quadratic_problem_is_solved_in_one_iteration(discount):
    model = exact_linear_model(A, B, [0.1, -0.2])
    reward = dp.rewards.quadratic([1.0, 0.5], [1.0, 0.0], of="state")
    reward = reward + dp.rewards.action_cost([0.3])
    start = np.array([-3.0, 2.0])
    exact = dp.lqr(
        A,
        B,
        [1.0, 0.5],
        [0.3],
        c=[0.1, -0.2],
        state_target=[1.0, 0.0],
        horizon=25,
        Q_final=[0.0, 0.0],
        discount=discount,
    )
    planner = dp.ILQR(horizon=25, clip=None, iterations=1, discount=discount)
    plan = planner.plan(model, reward, start, action_space=WIDE)
    state = start
    for t in range(25):
        action = exact.k[t] - exact.K[t] @ state
        np.testing.assert_allclose(plan.states[t], state, rtol=1e-10, atol=1e-10)
        np.testing.assert_allclose(plan.actions[t], action, rtol=1e-10, atol=1e-10)
        np.testing.assert_allclose(plan.gains[t], -exact.K[t], rtol=1e-10, atol=1e-10)
        state = A @ state + B @ action + [0.1, -0.2]
    more = replace(planner, iterations=50).plan(model, reward, start, action_space=WIDE)
    assert (more.status, more.stats.iterations) == ("converged", 0)


def dense_problem(model, rewards_of, start, horizon, actions):
    """Hessian and gradient of the cost of all actions, by differences that a quadratic makes exact.

    `rewards_of` (N, H * A) gives the returns.
    """
    size = horizon * actions
    unit = np.eye(size)
    pairs = np.array([i + j for i in unit for j in unit])
    points = np.concatenate([np.zeros((1, size)), unit, -unit, pairs])
    costs = -rewards_of(points)
    zero, plus, minus = costs[0], costs[1 : size + 1], costs[size + 1 : 2 * size + 1]
    both = costs[2 * size + 1 :].reshape(size, size)
    return both - plus[:, None] - plus[None, :] + zero, 0.5 * (plus - minus)


@pytest.mark.parametrize("seed", range(4))
def test_with_bounds_it_solves_the_whole_quadratic_programme(seed):
    """Against a dense solver: bounded least squares in all actions at once."""
    optimize = pytest.importorskip("scipy.optimize")
    model = dp.LinearGaussian.fit(linear_system(100, noise=0.0))
    generator = np.random.default_rng(seed)
    target, start, last = (generator.normal(size=size) for size in (3, 3, 2))
    reward = dp.rewards.quadratic([1.0, 2.0, 0.5], 0.5 * target) + dp.rewards.action_cost(
        [0.1, 0.02]
    )
    if seed % 2:
        reward = reward + dp.rewards.action_change_cost([0.3, 0.1])
    space, horizon = (np.array([-0.3, -1.0]), np.array([0.5, 0.1])), 8

    def returns(flat):
        sequences = flat.reshape(len(flat), horizon, 2)
        return dp.returns(model, reward, start, sequences, previous_action=last, discount=0.95)

    hessian, gradient = dense_problem(model, returns, start, horizon, 2)
    root = np.linalg.cholesky(hessian).T
    bounds = np.tile(space[0], horizon), np.tile(space[1], horizon)
    exact = optimize.lsq_linear(root, np.linalg.solve(root.T, -gradient), bounds, tol=1e-15)
    planner = dp.ILQR(horizon=horizon, clip=None, discount=0.95, tolerance=1e-14)
    plan = planner.plan(model, reward, start, action_space=space, previous_action=last)
    held = (plan.actions <= space[0]) | (plan.actions >= space[1])
    assert 0 < held.sum() < held.size
    np.testing.assert_allclose(plan.actions.ravel(), exact.x, atol=1e-6)
    assert plan.value == pytest.approx(returns(plan.actions.reshape(1, -1))[0], rel=1e-10)
    assert (plan.gains[held] == 0.0).all()


def test_it_agrees_with_osqp(env):
    osqp, sparse = pytest.importorskip("osqp"), pytest.importorskip("scipy.sparse")
    model, start = exact_linear_model(A, B), np.array([6.0, 0.0])
    reward = dp.rewards.quadratic([1.0, 0.1]) + dp.rewards.action_cost([0.1])

    def returns(flat):
        return dp.returns(model, reward, start, flat.reshape(len(flat), 12, 1))

    hessian, gradient = dense_problem(model, returns, start, 12, 1)
    solver = osqp.OSQP()
    solver.setup(
        sparse.csc_matrix(hessian),
        gradient,
        sparse.eye(12, format="csc"),
        np.full(12, -1.0),
        np.full(12, 1.0),
        eps_abs=1e-10,
        eps_rel=1e-10,
        max_iter=100_000,
        polishing=True,
        verbose=False,
    )
    exact = solver.solve(raise_error=True).x
    plan = dp.ILQR(horizon=12, clip=None, tolerance=1e-14).plan(
        model, reward, start, action_space=BOX
    )
    assert (np.abs(plan.actions) == 1.0).any()
    np.testing.assert_allclose(plan.actions.ravel(), exact, atol=1e-6)


REWARDS = {
    "pendulum": dp.rewards.for_env("Pendulum-v1"),
    "tolerance": dp.rewards.tolerance(0, low=0.9, high=1.0, margin=1.0)
    * dp.rewards.tolerance(0, margin=2.0, of="action"),
    "distance": dp.rewards.distance(1.0, indices=[0, 1], target=[1.0, 0.1]),
    "change": dp.rewards.change(0, weight=20.0) + dp.rewards.action_change_cost([0.1]),
}


@pytest.mark.parametrize("name", REWARDS)
def test_no_single_action_can_be_bettered(learned, name):
    """A local optimum: moving any action a little either way, within the bounds, gains nothing."""
    reward, start = REWARDS[name], np.array([np.cos(0.5), np.sin(0.5), 0.3])
    planner = dp.ILQR(horizon=12, iterations=200, tolerance=1e-12, clip=None)
    plan = planner.plan(learned, reward, start, action_space=([-2.0], [2.0]))
    moved = np.tile(plan.actions, (25, 1, 1))
    for t in range(12):
        moved[2 * t, t] += 1e-3
        moved[2 * t + 1, t] -= 1e-3
    values = dp.returns(learned, reward, start, np.clip(moved, -2.0, 2.0))
    assert plan.value == pytest.approx(values[-1], rel=1e-9, abs=1e-12)
    assert values.max() <= plan.value + 1e-9


def test_a_function_and_a_term_that_pay_the_same_are_planned_for_alike(learned):
    start = np.array([np.cos(0.4), np.sin(0.4), 0.0])
    planner = dp.ILQR(horizon=15, tolerance=1e-12)
    plans = [
        planner.plan(learned, reward, start, action_space=([-2.0], [2.0]))
        for reward in (REWARDS["pendulum"], pendulum.reward)
    ]
    np.testing.assert_allclose(plans[0].actions, plans[1].actions, atol=1e-5)
    np.testing.assert_allclose(plans[0].gains, plans[1].gains, rtol=1e-3, atol=1e-3)
    assert plans[1].value == pytest.approx(plans[0].value, rel=1e-9)


def test_a_reward_function_is_called_twice_an_iteration():
    calls = []

    def reward(obs, act, next_obs):
        calls.append(len(obs))
        return -(next_obs[:, 0] ** 2) - 0.1 * act[:, 0] ** 4

    planner = dp.ILQR(horizon=6, clip=None)
    plan = planner.plan(scalar_model(), reward, [1.0], action_space=BOX)
    # The three starts; all points of all steps (1 + 2 + 4 a step) and the roll-out of the regulator
    # at the first state; then such points, and eight candidates, in each iteration.
    assert calls[:5] == [18, 42, 6, 42, 48]
    assert len(calls) <= 3 + 2 * plan.stats.iterations + 2


def test_the_predicted_reward_is_differentiated_too():
    generator = np.random.default_rng(0)
    states, actions = generator.uniform(-1, 1, (400, 1)), generator.uniform(-1, 1, (400, 1))
    following = 0.9 * states + 0.5 * actions
    paid = -((states[:, 0] - 0.5) ** 2) - 0.1 * actions[:, 0] ** 2
    data = dp.Transitions(states, actions, following, rewards=paid)
    model = dp.MLP.fit(data, hidden=(32,), rewards=True, epochs=300, seed=0)
    planner = dp.ILQR(horizon=6, tolerance=1e-10)
    plan = planner.plan(model, dp.rewards.predicted(), [0.0], action_space=BOX)
    truth = dp.rewards.quadratic([1.0], [0.5], of="state") + dp.rewards.action_cost([0.1])
    true_model = exact_linear_model([[0.9]], [[0.5]])
    best = dp.LQR(horizon=6).plan(true_model, truth, [0.0], action_space=BOX)
    np.testing.assert_allclose(plan.actions, best.actions, atol=0.1)


def test_gains_say_how_the_best_plan_changes_with_the_state(learned):
    reward, space = REWARDS["pendulum"], ([-2.0], [2.0])
    start = np.array([np.cos(0.1), np.sin(0.1), 0.0])
    planner = dp.ILQR(horizon=15, tolerance=1e-14, iterations=200, clip=None)
    plan = planner.plan(learned, reward, start, action_space=space)
    away = 1e-4 * np.array([0.3, -1.0, 2.0])
    moved = planner.plan(learned, reward, start + away, action_space=space)
    predicted = plan.gains[0] @ away
    # The gain leaves out second derivatives of the dynamics: near, not equal.
    np.testing.assert_allclose(moved.actions[0] - plan.actions[0], predicted, rtol=0.1)


def test_it_keeps_a_pendulum_upright(env, learned):
    mpc = dp.MPC(
        learned, REWARDS["pendulum"], dp.ILQR(horizon=20), action_space=env.action_space, seed=0
    )
    env.reset(seed=0)
    for angle in (0.3, -0.4):
        mpc.reset()
        env.unwrapped.state = np.array([angle, 0.0])
        state = env.unwrapped._get_obs()
        for _ in range(80):
            state, *_ = env.step(mpc.act(state).astype(np.float32))
        assert state[0] > 0.99
        assert abs(state[2]) < 0.1


def test_it_swings_up_from_where_sampling_found_the_basin(env, learned):
    reward, totals = REWARDS["pendulum"], {}
    sampler = dp.ICEM(horizon=25, candidates=40)
    for name, planner in (("sampled", sampler), ("both", dp.ILQR(horizon=25, start=sampler))):
        mpc = dp.MPC(learned, reward, planner, action_space=env.action_space, seed=0)
        totals[name] = []
        for seed in (1001, 1002, 1003):
            mpc.reset()
            state, _ = env.reset(seed=seed)
            total = 0.0
            for _ in range(200):
                state, paid, *_ = env.step(mpc.act(state).astype(np.float32))
                total += float(paid)
            totals[name].append(total)
            assert state[0] > 0.99  # upright
    assert np.mean(totals["both"]) > np.mean(totals["sampled"])


@pytest.mark.parametrize("seed", range(5))
def test_the_hand_over_is_never_worth_less_than_what_was_found(learned, seed):
    sampler = dp.ICEM(horizon=20, candidates=20, elites=5, iterations=2)
    start, space = np.array([-1.0, 0.0, 0.5]), ([-2.0], [2.0])
    found = sampler.plan(learned, REWARDS["pendulum"], start, action_space=space, seed=seed)
    worth = dp.returns(learned, REWARDS["pendulum"], start, found.actions[None], clip=2.0)[0]
    planner = dp.ILQR(horizon=20, start=sampler, iterations=3)
    plan = planner.plan(learned, REWARDS["pendulum"], start, action_space=space, seed=seed)
    assert plan.value > worth
    assert plan.kept_sequences.shape == found.kept_sequences.shape
    assert plan.stats.candidates > found.stats.candidates
    assert found.stats.iterations <= plan.stats.iterations <= found.stats.iterations + 3


def test_the_start_is_made_to_plan_the_same_problem():
    planner = dp.ILQR(horizon=7, discount=0.9, clip=None, start=dp.CEM(horizon=22), threads=2)
    first = planner._first_planner()
    assert (first.horizon, first.discount, first.clip, first.threads) == (7, 0.9, None, 2)
    plan = planner.plan(
        scalar_model(), dp.rewards.quadratic([1.0]), [1.0], action_space=BOX, seed=0
    )
    assert plan.actions.shape == (7, 1)


def test_a_price_on_changes_looks_at_the_action_applied_last():
    for previous in (-0.6, 0.3):
        plan = dp.ILQR(horizon=1).plan(
            scalar_model(),
            dp.rewards.action_change_cost([1.0]),
            [0.0],
            action_space=BOX,
            previous_action=[previous],
        )
        assert plan.actions[0, 0] == pytest.approx(previous, abs=1e-9)
    # Where none came before, the first step is free.
    reward = dp.rewards.action_change_cost([1.0]) + dp.rewards.quadratic([1.0], [2.0])
    plan = dp.ILQR(horizon=1).plan(scalar_model(), reward, [0.0], action_space=WIDE)
    assert plan.actions[0, 0] == pytest.approx(2.0, abs=1e-9)


@pytest.mark.parametrize("compiled", [True, False])
def test_what_comes_after_an_end_counts_for_nothing(compiled):
    # s' = s + a from 0, 1 paid a step less the distance to 3; beyond 1.5 it is over.
    model = exact_linear_model([[1.0]], [[1.0]])
    reward = dp.rewards.linear([0.0], offset=1.0) + dp.rewards.quadratic([0.01], [3.0])
    term = dp.terminations.outside([-9.0], [1.5])
    termination = term if compiled else lambda obs, act, next_obs: next_obs[:, 0] > 1.5
    planner = dp.ILQR(horizon=6, clip=None)
    plan = planner.plan(model, reward, [0.0], action_space=BOX, termination=termination)
    free = planner.plan(model, reward, [0.0], action_space=BOX)
    assert free.states[-1, 0] > 2.9
    assert plan.states[-2, 0] <= 1.5  # it does not end before the last step
    again = dp.returns(model, reward, [0.0], plan.actions[None], termination=term)
    assert plan.value == pytest.approx(again[0], rel=1e-12)
    assert plan.value > 5.0
    # From where it is over at once, all actions are worth the same from the second step on.
    over = planner.plan(model, reward, [9.0], action_space=BOX, termination=termination)
    assert (over.gains[1:] == 0.0).all()


def test_no_clipped_state_is_left_behind(data):
    """The plan by the model that is clipped is worth what `returns` says with the same clip."""
    model = dp.LinearGaussian.fit(data, features=dp.Polynomial(2))
    start, space = np.array([-1.0, 0.0, 7.0]), ([-2.0], [2.0])
    for clip in (0.5, 1.0, 2.0):
        plan = dp.ILQR(horizon=20, clip=clip).plan(
            model, REWARDS["pendulum"], start, action_space=space
        )
        again = dp.returns(model, REWARDS["pendulum"], start, plan.actions[None], clip=clip)
        assert plan.value == pytest.approx(again[0], rel=1e-9)
