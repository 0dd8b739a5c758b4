from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dynaplan as dp
from dynaplan import rewards
from reference import pendulum


def test_pendulum_pays_what_the_environment_pays():
    env = gym.make("Pendulum-v1")
    reward = rewards.for_env(env)
    data = dp.collect(env, steps=4000, seed=3)
    paid = reward(data.states, data.actions, data.next_states)
    # Gymnasium computes with the exact angle, we with float32 observations of it.
    np.testing.assert_allclose(paid, data.rewards, atol=4e-6)
    expected = pendulum.reward(data.states, data.actions, data.next_states)
    np.testing.assert_allclose(paid, expected, atol=1e-12)
    beyond = reward(data.states[:5], np.full((5, 1), 9.0), data.next_states[:5])
    clipped = reward(data.states[:5], np.full((5, 1), 2.0), data.next_states[:5])
    np.testing.assert_array_equal(beyond, clipped)


def test_an_unknown_environment_is_named_with_what_to_do():
    with pytest.raises(dp.ArgumentError, match=r"MountainCar-v0 is not known .* pass a function"):
        rewards.for_env("MountainCar-v0")


@given(
    dim=st.integers(1, 9), seed=st.integers(0, 1000), of=st.sampled_from(["state", "next_state"])
)
@settings(max_examples=30, deadline=None)
def test_quadratic_is_the_form_written_out(dim, seed, of):
    generator = np.random.default_rng(seed)
    root = generator.normal(size=(dim, dim))
    target = generator.normal(size=dim)
    states, next_states = generator.normal(size=(2, 70, dim))
    for weights in (root @ root.T, np.diag(root @ root.T)):
        got = rewards.quadratic(weights, target, of=of)(states, np.zeros((70, 1)), next_states)
        x = (states if of == "state" else next_states) - target
        matrix = weights if weights.ndim == 2 else np.diag(weights)
        np.testing.assert_allclose(got, -np.einsum("ni,ij,nj->n", x, matrix, x), rtol=1e-9)


def test_sums_add_and_terms_stay_usable():
    one, two = rewards.quadratic([1.0]), rewards.action_cost([2.0])
    both = one + two + one
    row = [[1.0]], [[3.0]], [[2.0]]
    assert one(*row) == -4
    assert two(*row) == -18
    assert both(*row) == -26
    assert sum([one, two, one])(*row) == -26
    with pytest.raises(TypeError):
        one + 1.0


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: rewards.quadratic([[1.0, 2.0], [2.0, 1.0]]), dp.ArgumentError, "semi-definite"),
        (lambda: rewards.quadratic([[1.0, 2.0]]), dp.ShapeError, "weights"),
        (lambda: rewards.quadratic([np.nan]), dp.ArgumentError, "finite"),
        (lambda: rewards.quadratic([1.0], target=[1.0, 2.0]), dp.ShapeError, "weights"),
        (lambda: rewards.quadratic([1.0], of="both"), dp.ArgumentError, "of"),
        (lambda: rewards.angle(1.0), dp.ArgumentError, "index, cos, sin"),
        (lambda: rewards.angle(1.0, index=0, cos=1, sin=2), dp.ArgumentError, "index, cos, sin"),
        (lambda: rewards.angle(1.0, index=-1), dp.ArgumentError, "index: got -1"),
        (lambda: rewards.angle(np.inf, index=0), dp.ArgumentError, "weight"),
        (lambda: rewards.action_cost([1.0], low=[1.0], high=[0.0]), dp.ArgumentError, "low"),
        (lambda: rewards.action_cost([1.0], low=[1.0, 2.0]), dp.ShapeError, "low"),
    ],
)
def test_terms_that_make_no_sense_are_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_a_term_that_does_not_fit_the_batch_is_refused():
    with pytest.raises(dp.ShapeError, match="got an angle term of state 3"):
        rewards.angle(1.0, index=3)([[0.0]], [[0.0]], [[0.0]])
    with pytest.raises(dp.ShapeError, match="next_states"):
        rewards.quadratic([1.0])([[0.0]], [[0.0]], [[0.0], [1.0]])


def test_outside_marks_what_is_outside():
    outside = dp.terminations.outside([-1.0, -np.inf], [1.0, 2.0])
    after = [[0.0, 0.0], [1.5, 0.0], [0.0, 3.0], [np.nan, 0.0]]
    np.testing.assert_array_equal(outside(after, after, after), [False, True, True, True])
    with pytest.raises(dp.ArgumentError, match=r"low: got 1\.0, must be at most high = 0\.0"):
        dp.terminations.outside([1.0], [0.0])
    with pytest.raises(dp.ShapeError):
        dp.terminations.outside([1.0], [2.0, 3.0])
