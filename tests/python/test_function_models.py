"""Dynamics that are Python functions on batches, in everything that takes a model."""

from __future__ import annotations

import copy
import os
import threading
import warnings
import weakref

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.classic_control.pendulum import angle_normalize

import dynaplan as dp
from reference.block_functions import dynamics_callback

GAIN = np.array([[0.9, 0.2, 0.0], [0.0, 0.8, 0.1], [-0.1, 0.0, 1.0]])
PUSH = np.array([[0.1, 0.0], [0.0, 0.3], [0.2, 0.1]])
REWARD = dp.rewards.quadratic([1.0, 0.5, 0.2], [0.5, 0.0, -0.5])
BOX = ([-1.0, -1.0], [1.0, 1.0])


def linear(states, actions):
    """Entry by entry: a matrix product rounds otherwise for other numbers of rows."""
    columns = [
        sum(GAIN[d, i] * states[:, i] for i in range(3))
        + sum(PUSH[d, j] * actions[:, j] for j in range(2))
        for d in range(3)
    ]
    return np.stack(columns, axis=1)


@pytest.fixture(scope="module")
def model():
    return dp.FunctionModel(linear, 3, 2)


@pytest.fixture(scope="module")
def learned():
    """The same system as a model of the core."""
    generator = np.random.default_rng(0)
    states, actions = generator.normal(size=(60, 3)), generator.normal(size=(60, 2))
    return dp.LinearGaussian.fit(dp.Transitions(states, actions, linear(states, actions)))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rollouts_and_returns_are_those_of_the_same_linear_model(model, learned, dtype):
    generator = np.random.default_rng(1)
    states = generator.normal(size=(333, 3)).astype(dtype)
    actions = generator.uniform(-1, 1, size=(333, 7, 2)).astype(dtype)
    exact = 1e-11 if dtype == np.float64 else 1e-5
    path = dp.rollout(model, states, actions)
    assert path.dtype == dtype
    np.testing.assert_allclose(path, dp.rollout(learned, states, actions), atol=exact)
    for settings in (
        {},
        {"discount": 0.9, "previous_action": [0.1, 0.2]},
        {"particles": 3, "propagation": "sample", "seed": 0},
        {"termination": dp.terminations.outside([-2.0] * 3, [2.0] * 3)},
        {"termination": lambda s, a, n: np.abs(n).max(axis=1) > 2.0},
    ):
        reward = REWARD + dp.rewards.action_change_cost([1.0, 0.1])
        got = [dp.returns(model, reward, states, actions, threads=n, **settings) for n in (1, 4)]
        np.testing.assert_allclose(
            got[0],
            dp.returns(learned, reward, states, actions, **settings),
            rtol=100 * exact,
            atol=100 * exact,
        )
        assert (got[0] == got[1]).all()


@pytest.mark.parametrize("planner", [dp.CEM, dp.ICEM, dp.MPPI, dp.RandomShooting])
def test_plans_are_those_of_the_same_linear_model(planner, model, learned):
    settings = {"horizon": 8, "candidates": 300, "clip": None}
    expected = planner(**settings).plan(learned, REWARD, np.ones(3), action_space=BOX, seed=0)
    plans = [
        planner(threads=n, **settings).plan(model, REWARD, np.ones(3), action_space=BOX, seed=0)
        for n in (1, 2, 4)
    ]
    assert plans[0].value == pytest.approx(expected.value, rel=1e-3)
    np.testing.assert_allclose(plans[0].actions, expected.actions, atol=0.05)
    for plan in plans[1:]:
        assert (plan.actions == plans[0].actions).all()


def test_it_is_called_once_a_step_with_all_candidates():
    calls = []

    def counted(states, actions):
        calls.append((states.shape, actions.shape, states.dtype, states.flags.owndata))
        return linear(states, actions)

    model = dp.FunctionModel(counted, 3, 2)
    dp.CEM(horizon=6, candidates=500, iterations=1, threads=2).plan(
        model, REWARD, np.ones(3), action_space=BOX, seed=0
    )
    assert calls[:6] == [((500, 3), (500, 2), np.float64, True)] * 6
    assert {shape[0][0] for shape in calls[6:]} == {1}  # the result
    assert len(calls) <= 6 * 4
    calls.clear()
    dp.rollout(model, np.zeros(3), np.zeros((40000, 1, 2)), threads=2)
    assert sorted(shape[0][0] for shape in calls) == [40000 - 2 * 16384, 16384, 16384]


def test_batches_may_be_kept_and_inputs_written_to():
    kept = []

    def step(states, actions):
        kept.append(states)
        states *= 0.5
        return states

    path = dp.rollout(dp.FunctionModel(step, 1, 1), [8.0], np.zeros((3, 2, 1)))
    np.testing.assert_array_equal(path[:, :, 0], [[8.0, 4.0, 2.0]] * 3)
    np.testing.assert_array_equal(kept[0], [[4.0]] * 3)


def test_derivatives_are_differences(model):
    generator = np.random.default_rng(2)
    states, actions = 5.0 * generator.normal(size=(40, 3)), generator.normal(size=(40, 2))
    got = dp.with_jacobians(model, states, actions, threads=2)
    np.testing.assert_allclose(got.next_states, linear(states, actions), rtol=1e-14)
    np.testing.assert_allclose(got.state, np.broadcast_to(GAIN, (40, 3, 3)), atol=1e-9)
    np.testing.assert_allclose(got.action, np.broadcast_to(PUSH, (40, 3, 2)), atol=1e-9)


def test_the_pendulum_swings_up_with_its_own_equations():
    """Gymnasium's Pendulum-v1, in the observations cos, sin, speed."""

    def pendulum(states, actions):
        angle = np.arctan2(states[:, 1], states[:, 0])
        torque = np.clip(actions[:, 0], -2.0, 2.0)
        speed = np.clip(states[:, 2] + 0.05 * (15.0 * np.sin(angle) + 3.0 * torque), -8.0, 8.0)
        angle = angle + 0.05 * speed
        return np.stack([np.cos(angle), np.sin(angle), speed], axis=1)

    env = gym.make("Pendulum-v1")
    model = dp.FunctionModel(pendulum, 3, 1)
    data = dp.collect(env, steps=100, seed=0)
    np.testing.assert_allclose(
        model.predict(data.states, data.actions).mean, data.next_states, atol=2e-6
    )
    check = dp.evaluate(model, data, horizon=20)
    assert check.trusted_horizon == 20
    mpc = dp.MPC(
        model,
        dp.rewards.for_env(env),
        dp.CEM(horizon=25, candidates=200, elites=20),
        action_space=env.action_space,
        seed=0,
    )
    state, _ = env.reset(seed=3)
    for _ in range(100):
        state, *_ = env.step(mpc.act(state).astype(np.float32))
    assert abs(angle_normalize(np.arctan2(state[1], state[0]))) < 0.1


def test_without_an_observed_range_nothing_is_clipped():
    def grow(states, actions):
        return 2.0 * states + actions

    actions = np.zeros((1, 6, 1))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        free = dp.FunctionModel(grow, 1, 1)
        assert dp.rollout(free, [1.0], actions, clip=2.0)[0, -1, 0] == 64.0
        half = dp.FunctionModel(grow, 1, 1, observed=([-np.inf, -1.0], [1.0, 1.0]))
        assert dp.rollout(half, [1.0], actions, clip=2.0)[0, -1, 0] == 64.0
    bounded = dp.FunctionModel(grow, 1, 1, observed=([-1.0, -1.0], [1.0, 1.0]))
    assert dp.rollout(bounded, [1.0], actions, clip=2.0)[0, -1, 0] == 2.0
    np.testing.assert_array_equal(bounded.observed_low, [-1.0, -1.0])
    np.testing.assert_array_equal(free.observed_high, [np.inf, np.inf])


class OfMineError(Exception):
    """Raised by a user's function."""


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_an_exception_comes_through_wherever_it_is_raised(threads):
    def fails(states, actions):
        if len(states) < 1000 or states[0, 0] > 2.5:
            raise OfMineError("from the model")
        return states + 1.0

    model = dp.FunctionModel(fails, 1, 1)
    for count in (10, 40000):
        with pytest.raises(OfMineError, match="from the model"):
            dp.rollout(model, [0.0], np.zeros((count, 5, 1)), threads=threads)
    with pytest.raises(OfMineError):
        dp.CEM(horizon=3, threads=threads).plan(
            model, dp.rewards.quadratic([1.0]), [0.0], action_space=([-1.0], [1.0])
        )
    with pytest.raises(OfMineError):
        model.predict([0.0], [0.0])
    with pytest.raises(OfMineError):
        model.with_jacobians(np.zeros((100, 1)), np.zeros((100, 1)), threads=threads)


def test_what_a_function_returns_must_be_next_states():
    actions = np.zeros((4, 2, 2))
    for wrong, error, text in [
        (lambda s, a: s[:, :2], dp.ShapeError, r"returned shape \(4, 2\), must be \(4, 3\)"),
        (lambda s, a: s[0], dp.ShapeError, "returned shape"),
        (lambda s, a: None, TypeError, "model: returned None"),
        (lambda s, a: "no", TypeError, "model: returned 'no'"),
        (lambda s, a: s + 1j, TypeError, "must be real numbers"),
        (lambda s: s, TypeError, "positional argument"),
    ]:
        with pytest.raises(error, match=text):
            dp.rollout(dp.FunctionModel(wrong, 3, 2), np.zeros(3), actions)
    lists = dp.FunctionModel(lambda s, a: (s + 1).astype(np.float32)[::1].tolist(), 3, 2)
    assert (dp.rollout(lists, np.zeros(3), actions)[:, 1] == 1.0).all()


def test_what_is_no_model_is_refused():
    for wrong in (None, 3, "f"):
        with pytest.raises(TypeError, match="function: got"):
            dp.FunctionModel(wrong, 1, 1)
    with pytest.raises(dp.ArgumentError, match="state_dim, action_dim"):
        dp.FunctionModel(linear, 0, 1)
    with pytest.raises(dp.ArgumentError, match=r"state_dim: got 1\.5"):
        dp.FunctionModel(linear, 1.5, 1)
    with pytest.raises(dp.ShapeError, match="observed low"):
        dp.FunctionModel(linear, 3, 2, observed=([0.0], [1.0]))
    with pytest.raises(dp.ArgumentError, match="observed"):
        dp.FunctionModel(linear, 1, 1, observed=([0.0, 0.0], [np.nan, 1.0]))
    model = dp.FunctionModel(linear, 3, 2)
    with pytest.raises(dp.ShapeError):
        model.predict(np.zeros(2), np.zeros(2))
    with pytest.raises(dp.ShapeError, match="actions: got 2 rows"):
        model.predict(np.zeros((3, 3)), np.zeros((2, 2)))
    with pytest.raises(dp.ArgumentError, match="states: row 0, column 0 is nan, must be finite"):
        model.predict([np.nan, 0.0, 0.0], np.zeros(2))


def test_next_states_that_are_not_finite_rank_last():
    def fragile(states, actions):
        return np.where(actions > 0.5, np.nan, states + actions)

    plan = dp.CEM(horizon=4, clip=None).plan(
        dp.FunctionModel(fragile, 1, 1),
        dp.rewards.quadratic([1.0], [2.0]),
        [0.0],
        action_space=([-1.0], [1.0]),
        seed=0,
    )
    assert plan.stats.non_finite > 0
    assert np.isfinite(plan.value)
    assert plan.actions.max() <= 0.5


def test_eight_threads_plan_at_once(model):
    planner = dp.CEM(horizon=4, candidates=100, elites=10, threads=2)
    arguments = (model, lambda s, a, n: -(n**2).sum(axis=1), np.ones(3))
    expected = planner.plan(*arguments, action_space=BOX, seed=1)
    found = [None] * 8

    def plan(i):
        found[i] = planner.plan(*arguments, action_space=BOX, seed=1)

    workers = [threading.Thread(target=plan, args=(i,)) for i in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    for one in found:
        assert (one.actions == expected.actions).all()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_child_plans_with_functions(model):
    compiled = dp.CompiledModel(dynamics_callback(linear, 3, 2), 3, 2)
    planner = dp.CEM(horizon=3, candidates=200, threads=2)

    def plans():
        return [
            planner.plan(m, REWARD, np.ones(3), action_space=BOX, seed=0).actions
            for m in (model, compiled)
        ]

    expected = plans()
    child = os.fork()
    if child == 0:
        same = False
        try:
            same = all((a == b).all() for a, b in zip(plans(), expected, strict=True))
        finally:
            os._exit(0 if same else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_model_and_its_function_are_let_go():
    def step(states, actions):
        return states

    model = dp.FunctionModel(step, 1, 1)
    watched = weakref.ref(model), weakref.ref(step)
    mpc = dp.MPC(
        model, dp.rewards.quadratic([1.0]), dp.CEM(horizon=2), action_space=([-1.0], [1.0])
    )
    del model, step
    mpc.act([0.0])
    assert watched[1]() is not None
    del mpc
    assert watched[0]() is None
    assert watched[1]() is None


def test_copies_predict_the_same(model):
    for twin in (copy.copy(model), copy.deepcopy(model)):
        assert (twin.predict([1, 2, 3], [1, 2]).mean == model.predict([1, 2, 3], [1, 2]).mean).all()
    assert repr(model) == "FunctionModel(state_dim=3, action_dim=2)"
