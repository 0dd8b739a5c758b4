from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dynaplan as dp
from reference.linear import trajectory
from reference.systems import linear_system, scalar_model


@given(
    count=st.integers(1, 300),
    horizon=st.integers(1, 12),
    degree=st.integers(1, 2),
    single=st.booleans(),
    dtype=st.sampled_from([np.float32, np.float64]),
)
@settings(max_examples=40, deadline=None)
def test_trajectories_and_returns_equal_the_plain_loop(count, horizon, degree, single, dtype):
    model = dp.LinearGaussian.fit(linear_system(100), features=dp.Polynomial(degree))
    generator = np.random.default_rng(count)
    states = 0.3 * generator.normal(size=(1 if single else count, 3))
    actions = 0.3 * generator.normal(size=(count, horizon, 2))
    got = dp.rollout(model, states.astype(dtype), actions.astype(dtype))
    assert got.shape == (count, horizon + 1, 3)
    assert got.dtype == dtype
    expected = np.array(
        [
            trajectory(model.coefficients, states[0 if single else n], actions[n], degree)
            for n in range(count)
        ]
    )
    tolerance = 2e-5 if dtype == np.float32 else 1e-12
    scale = np.abs(expected).max()
    np.testing.assert_allclose(got, expected, atol=tolerance * max(1.0, scale))
    reward = dp.rewards.quadratic([1.0, 0.5, 0.0], target=[0.1, 0.2, 0.3])
    weighed = ((expected[:, 1:] - [0.1, 0.2, 0.3]) ** 2 * [1.0, 0.5, 0.0]).sum(axis=(1, 2))
    returns = dp.returns(model, reward, states.astype(dtype), actions.astype(dtype))
    assert returns.dtype == dtype
    np.testing.assert_allclose(returns, -weighed, atol=10 * tolerance * max(1.0, scale**2))


@pytest.mark.parametrize(
    ("wrong", "steps", "relative"),
    [(0.05, 1, 0.0454545), (0.05, 5, 0.2075296), (0.05, 10, 0.3719906)],
)
def test_the_compounding_error_table(wrong, steps, relative):
    # Truth 1.1 s, model 1.05 s, from s = 1: the error after n steps is 1.1^n - 1.05^n.
    truth, model = scalar_model(1.1), scalar_model(1.1 - wrong)
    actions = np.zeros((1, steps, 1))
    real = dp.rollout(truth, [1.0], actions)[0, :, 0]
    predicted = dp.rollout(model, [1.0], actions)[0, :, 0]
    errors = (real - predicted)[1:]
    table = [0.05, 0.1075, 0.173375, 0.24859375, 0.3342284375]
    np.testing.assert_allclose(errors[:5], table[:steps], atol=1e-12)
    assert errors[-1] / real[-1] == pytest.approx(relative, abs=1e-7)


def test_inputs_may_be_lists_strided_read_only_or_integers():
    model = scalar_model()
    plain = dp.rollout(model, [1.0], np.zeros((2, 3, 1)))
    assert (dp.rollout(model, [1], [[[0], [0], [0]]] * 2) == plain).all()
    strided = np.zeros((4, 6, 2))[::2, ::2, :1]
    assert (dp.rollout(model, np.ones((4, 2))[::2, :1], strided) == plain).all()
    frozen = np.zeros((2, 3, 1))
    frozen.flags.writeable = False
    assert (dp.rollout(model, [1.0], frozen) == plain).all()
    fortran = np.asfortranarray(np.zeros((2, 3, 1)))
    assert (dp.rollout(model, [1.0], fortran) == plain).all()
    assert dp.rollout(model, [1.0], np.zeros((1, 1, 1)), dtype=np.float32).dtype == np.float32


def test_out_is_written_and_must_fit():
    model = scalar_model()
    actions = np.ones((3, 4, 1))
    out = np.full((3, 5, 1), np.nan)
    assert dp.rollout(model, [0.0], actions, out=out) is out
    assert (out == dp.rollout(model, [0.0], actions)).all()
    with pytest.raises(dp.ShapeError, match="out: got shape"):
        dp.rollout(model, [0.0], actions, out=np.empty((3, 4, 1)))
    for wrong in (np.empty((3, 5, 1), np.float32), np.empty((5, 3, 1)).transpose(1, 0, 2)):
        with pytest.raises(dp.ArgumentError, match="out: got"):
            dp.rollout(model, [0.0], actions, out=wrong)
    out.flags.writeable = False
    with pytest.raises(dp.ArgumentError, match="out: got"):
        dp.rollout(model, [0.0], actions, out=out)


def test_sampled_rollouts_are_the_same_for_a_seed_whatever_the_threads():
    model = dp.LinearGaussian.fit(linear_system(50, noise=0.5))
    actions = np.zeros((333, 7, 2))
    one = dp.rollout(model, np.zeros(3), actions, propagation="sample", seed=4)
    for threads in (2, 4):
        again = dp.rollout(
            model, np.zeros(3), actions, propagation="sample", seed=4, threads=threads
        )
        assert (again == one).all()
    other = dp.rollout(model, np.zeros(3), actions, propagation="sample", seed=5)
    assert not (other == one).any(axis=(0, 1))[0] or (other != one).mean() > 0.8
    fresh = [dp.rollout(model, np.zeros(3), actions, propagation="sample") for _ in range(2)]
    assert (fresh[0] != fresh[1]).any()


def test_the_variance_of_sampled_rollouts_adds_up_along_the_way():
    # s' = 0.5 s + noise: variance sigma^2 (1 + 1/4 + 1/16 + ...) after k steps.
    generator = np.random.default_rng(0)
    states, actions = generator.normal(size=(2, 4000, 1))
    next_states = 0.5 * states + actions + 0.2 * generator.normal(size=states.shape)
    model = dp.LinearGaussian.fit(dp.Transitions(states, actions, next_states))
    drawn = dp.rollout(model, [0.0], np.zeros((40000, 3, 1)), propagation="sample", seed=1)
    sigma2, gain2 = model.noise_covariance[0, 0], model.A[0, 0] ** 2
    for step, expected in enumerate(np.cumsum(sigma2 * gain2 ** np.arange(3)), start=1):
        assert drawn[:, step, 0].var() == pytest.approx(expected, rel=4 * np.sqrt(2 / 40000))


def test_termination_built_in_and_as_a_function_agree():
    model = scalar_model(2.0)
    actions = np.zeros((3, 6, 1))
    states = np.array([[1.0], [-0.1], [4.0]])
    built_in = dp.terminations.outside([-5.0], [5.0])
    reward = dp.rewards.quadratic([1.0])

    def function(obs, act, next_obs):
        return np.abs(next_obs[:, 0]) > 5.0

    expected = dp.rollout(model, states, actions, termination=built_in)
    np.testing.assert_allclose(expected[0, :, 0], [1, 2, 4, 8, 8, 8, 8], rtol=1e-13)
    got = dp.rollout(model, states, actions, termination=function)
    np.testing.assert_allclose(got, expected, rtol=1e-13)
    for discount in (1.0, 0.9):
        one = dp.returns(model, reward, states, actions, termination=built_in, discount=discount)
        two = dp.returns(model, reward, states, actions, termination=function, discount=discount)
        np.testing.assert_allclose(one, two, rtol=1e-12)


def test_clip_keeps_states_within_a_multiple_of_what_was_seen():
    model = scalar_model(2.0)
    low, high = model.observed_low[0], model.observed_high[0]
    got = dp.rollout(model, [1.0], np.zeros((1, 30, 1)), clip=1.5)
    middle, reach = (low + high) / 2, 0.75 * (high - low)
    assert got.max() == pytest.approx(middle + reach)


def test_functions_as_rewards_equal_built_in_terms():
    model = dp.LinearGaussian.fit(linear_system(100))
    actions = np.random.default_rng(1).normal(size=(50, 8, 2))
    term = dp.rewards.quadratic([1.0, 2.0, 0.0]) + dp.rewards.action_change_cost([0.5, 0.0])

    def function(obs, act, next_obs):
        return -(next_obs**2 @ np.array([1.0, 2.0, 0.0]))

    plain = dp.rewards.quadratic([1.0, 2.0, 0.0])
    np.testing.assert_allclose(
        dp.returns(model, function, np.ones(3), actions, discount=0.95),
        dp.returns(model, plain, np.ones(3), actions, discount=0.95),
        rtol=1e-12,
    )
    never = dp.returns(
        model,
        term,
        np.ones(3),
        actions,
        previous_action=[1.0, 1.0],
        termination=lambda obs, act, next_obs: np.zeros(len(obs), bool),
    )
    fused = dp.returns(model, term, np.ones(3), actions, previous_action=[1.0, 1.0])
    np.testing.assert_allclose(never, fused, rtol=1e-12)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"actions": np.zeros((2, 3))}, dp.ShapeError, r"actions: got shape \(2, 3\)"),
        ({"actions": np.zeros((0, 3, 1))}, dp.ShapeError, "0 candidates"),
        ({"actions": np.zeros((2, 0, 1))}, dp.ShapeError, "horizon of 0"),
        ({"actions": np.zeros((2, 3, 4))}, dp.ShapeError, "actions: got shape"),
        ({"states": np.zeros((3, 1))}, dp.ShapeError, r"states: got shape \(3, 1\)"),
        (
            {"states": [np.nan]},
            dp.ArgumentError,
            "states: candidate 0, entry 0 is nan, must be finite",
        ),
        ({"actions": np.full((2, 3, 1), np.inf)}, dp.ArgumentError, "actions: candidate 0"),
        ({"threads": 0}, dp.ArgumentError, "threads: got 0"),
        ({"clip": -1.0}, dp.ArgumentError, "clip: got -1"),
        ({"seed": -1}, dp.ArgumentError, "seed: got -1"),
        ({"dtype": np.int32}, dp.ArgumentError, "dtype"),
        ({"propagation": "ts2"}, dp.ArgumentError, "propagation: got 'ts2'"),
        ({"actions": np.zeros((2, 3, 1), complex)}, TypeError, "must be real numbers"),
        ({"actions": [[["a"]]]}, TypeError, "must be real numbers"),
    ],
)
def test_bad_input_is_refused_by_name(arguments, error, message):
    call = {"states": [0.0], "actions": np.zeros((2, 3, 1))} | arguments
    with pytest.raises(error, match=message):
        dp.rollout(scalar_model(), **call)


def test_returns_refuse_what_does_not_fit():
    model = scalar_model()
    actions = np.zeros((2, 3, 1))
    with pytest.raises(dp.ShapeError, match="a quadratic term for 2 states"):
        dp.returns(model, dp.rewards.quadratic([1.0, 1.0]), [0.0], actions)
    with pytest.raises(dp.ShapeError, match="reward: returned shape"):
        dp.returns(model, lambda o, a, n: np.zeros(1), [0.0], actions)
    with pytest.raises(TypeError, match="reward"):
        dp.returns(model, 3.0, [0.0], actions)  # type: ignore[arg-type]
    with pytest.raises(dp.ArgumentError, match="discount"):
        dp.returns(model, dp.rewards.quadratic([1.0]), [0.0], actions, discount=1.5)
    with pytest.raises(ZeroDivisionError):
        dp.returns(model, lambda o, a, n: 1 // 0, [0.0], actions)


def test_threads_of_python_may_share_a_model():
    model = dp.LinearGaussian.fit(linear_system(100))
    actions = np.random.default_rng(0).normal(size=(500, 20, 2))
    expected = dp.rollout(model, np.ones(3), actions)
    results = [None] * 8

    def work(i):
        results[i] = dp.rollout(model, np.ones(3), actions, threads=1 + i % 2)

    workers = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    for result in results:
        assert (result == expected).all()
