"""Least squares on features that are a function of the user's."""

from __future__ import annotations

import copy
import pickle
import re
import time

import numpy as np
import pytest

import dynaplan as dp

STEP = 0.05


def physics(states, actions):
    angle, speed = states.T
    return np.column_stack([speed, np.sin(angle), speed * np.abs(speed), actions])


TRUTH = STEP * np.array([[1.0, 0.0, 0.0, 0.0], [0.0, 9.81, -0.3, 1.0]])  # of the change


def transitions(rows: int = 200, noise: float = 0.0, seed: int = 0) -> dp.Transitions:
    generator = np.random.default_rng(seed)
    states = generator.uniform([-3.0, -4.0], [3.0, 4.0], size=(rows, 2))
    actions = generator.uniform(-2.0, 2.0, size=(rows, 1))
    following = states + physics(states, actions) @ TRUTH.T
    following = following + noise * generator.normal(size=(rows, 2))
    return dp.Transitions(states, actions, following, episodes=np.arange(rows))


def squares(states, actions):
    """The features of `Polynomial(2)`, in their order."""
    inputs = np.hstack([states, actions])
    pairs = [inputs[:, i] * inputs[:, j] for i in range(3) for j in range(i, 3)]
    return np.column_stack([inputs, *pairs])


def test_terms_that_are_known_are_found_exactly():
    model = dp.LinearGaussian.fit(transitions(), features=physics)
    np.testing.assert_allclose(model.coefficients[:, :4], TRUTH, atol=1e-12)
    np.testing.assert_allclose(model.c, 0.0, atol=1e-12)
    assert (model.rank, model.columns, model.degrees_of_freedom) == (5, 5, 195.0)
    assert model.noise_covariance.max() < 1e-24
    sparse = dp.LinearGaussian.fit(transitions(noise=0.001), features=physics, threshold=0.01)
    assert ((sparse.coefficients[:, :4] == 0.0) == (TRUTH == 0.0)).all()
    assert not sparse.c.any()


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"ridge": 2.0},
        {"threshold": 0.1},
        {"intercept": False},
        {"weights": np.linspace(0.1, 2.0, 200)},
        {"loss": "huber"},
    ],
    ids=lambda settings: next(iter(settings), "plain"),
)
def test_monomials_of_ones_own_lead_to_the_polynomial_fit(settings):
    data = transitions(noise=0.05)
    built_in = dp.LinearGaussian.fit(data, features=dp.Polynomial(2), **settings)
    own = dp.LinearGaussian.fit(data, features=squares, **settings)
    query = data.states[:20], data.actions[:20]
    for mine, theirs in zip(own.predict(*query), built_in.predict(*query), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(own.noise_covariance, built_in.noise_covariance, rtol=1e-6)
    covariances = own.coefficient_covariance, built_in.coefficient_covariance
    np.testing.assert_allclose(*covariances, rtol=1e-6, atol=1e-15)
    expected = built_in.coefficients.copy()
    expected[:, :2] -= np.eye(2)
    np.testing.assert_allclose(own.coefficients, expected, rtol=1e-6, atol=1e-9)
    assert own.degrees_of_freedom == pytest.approx(built_in.degrees_of_freedom)
    assert (own.rank, own.columns) == (built_in.rank, built_in.columns)
    np.testing.assert_array_equal(own.observed_low, built_in.observed_low)
    np.testing.assert_array_equal(own.observed_high, built_in.observed_high)


def test_draws_rollouts_and_derivatives():
    data = transitions(noise=0.02)
    model = dp.LinearGaussian.fit(data, features=physics)
    draws = model.sample(np.zeros((20000, 2)), np.ones((20000, 1)), seed=1)
    np.testing.assert_allclose(
        draws.mean(axis=0), model.predict([0.0, 0.0], [1.0]).mean[0], atol=1e-3
    )
    np.testing.assert_allclose(np.cov(draws.T), model.noise_covariance, atol=2e-5)
    angle, speed = 0.4, -1.5
    jacobians = model.with_jacobians([angle, speed], [0.3])
    slopes = np.array([[0.0, 1.0], [np.cos(angle), 0.0], [0.0, 2.0 * abs(speed)], [0.0, 0.0]])
    expected = np.eye(2) + model.coefficients[:, :4] @ slopes
    np.testing.assert_allclose(jacobians.state[0], expected, atol=1e-8)
    np.testing.assert_allclose(jacobians.action[0], model.coefficients[:, 3:4], atol=1e-8)
    check = dp.evaluate(model, transitions(50, seed=3), horizon=1)
    assert check.error_median[0] < 0.1


def test_planners_control_with_it():
    model = dp.LinearGaussian.fit(transitions(60, noise=0.001), features=physics)
    reward = dp.rewards.quadratic([1.0, 0.1]) + dp.rewards.action_cost([0.001])
    for planner in (dp.ICEM(horizon=12), dp.ILQR(horizon=12)):
        mpc = dp.MPC(model, reward, planner, action_space=([-20.0], [20.0]), seed=0)
        state = np.array([[0.6, 0.0]])
        for _ in range(30):
            state = state + physics(state, mpc.act(state[0])[None]) @ TRUTH.T
        assert np.abs(state).max() < 0.1


def test_more_data_shards_copies_and_calibration():
    data = transitions(noise=0.02)
    model = dp.LinearGaussian.fit(data, features=physics)
    first, second = (
        dp.LinearGaussian.fit(part, features=physics) for part in (data[:80], data[80:])
    )
    for other in (first.updated(data[80:]), first.merged(second), copy.deepcopy(model)):
        np.testing.assert_allclose(other.coefficients, model.coefficients, rtol=1e-9, atol=1e-14)
        np.testing.assert_array_equal(other.observed_high, model.observed_high)
    careful = model.calibrated(transitions(100, noise=0.04, seed=5))
    assert (careful.calibration > 1.5).all()
    np.testing.assert_allclose(
        careful.noise_covariance.diagonal(),
        model.noise_covariance.diagonal() * careful.calibration**2,
        rtol=1e-9,
    )
    twin = pickle.loads(pickle.dumps(careful))
    rows = data.states[:5], data.actions[:5]
    for mine, theirs in zip(careful.predict(*rows), twin.predict(*rows), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    with pytest.raises(dp.ArgumentError, match="other: fitted with another function, must have"):
        model.merged(dp.LinearGaussian.fit(data, features=squares))
    with pytest.raises(dp.ArgumentError, match="other: fitted with other features, must have the"):
        model.merged(dp.LinearGaussian.fit(data))


def test_on_top_of_a_prior():
    def gravity(state, action):
        return state[1], 9.81 * np.sin(state[0])

    def rest(states, actions):
        return np.column_stack([states[:, 1] * np.abs(states[:, 1]), actions])

    known = dp.FunctionModel(
        lambda s, a: s + STEP * np.stack(gravity(s.T, a.T), axis=1), state_dim=2, action_dim=1
    )
    model = dp.LinearGaussian.fit(transitions(), features=rest, prior=known)
    np.testing.assert_allclose(model.coefficients[:, :2], TRUTH[:, 2:], atol=1e-12)
    data = transitions(20, seed=4)
    np.testing.assert_allclose(
        model.predict(data.states, data.actions).mean, data.next_states, atol=1e-12
    )
    path = dp.rollout(model, data.states, data.actions[:, None])
    np.testing.assert_allclose(path[:, 1], data.next_states, atol=1e-12)


def test_features_that_depend_on_each_other_are_warned_of():
    def circle(states, actions):
        return np.column_stack([np.sin(states[:, 0]) ** 2, np.cos(states[:, 0]) ** 2, actions])

    for data in (transitions(noise=0.01), rounded(transitions(noise=0.01))):
        with pytest.warns(dp.RankDeficientWarning, match="the features have rank 3 for 4 coeffic"):
            model = dp.LinearGaussian.fit(data, features=circle)
        assert np.abs(model.coefficients).max() < 10.0
        epistemic = model.predict([0.7, 0.0], [0.5]).epistemic
        assert (epistemic < 0.1).all()  # in no direction that the data have not seen


def rounded(data: dp.Transitions) -> dp.Transitions:
    arrays = (np.float32(a) for a in (data.states, data.actions, data.next_states))
    return dp.Transitions(*arrays, episodes=data.episodes)


def of(answer):
    return lambda states, actions: answer(states)


@pytest.mark.parametrize(
    ("function", "error", "message"),
    [
        (of(lambda s: s[:, 0]), dp.ShapeError, "features: returned shape (200,), must be (200, F)"),
        (of(lambda s: s[:5]), dp.ShapeError, "features: returned shape (5, 2), must be (200, F)"),
        (of(lambda s: (s, s)), TypeError, "features: returned a tuple, must be an array"),
        (of(lambda s: None), (TypeError, dp.ShapeError), "features: returned"),
        (of(lambda s: s.astype(str)), TypeError, "features: returned dtype"),
        (
            of(lambda s: np.full_like(s, np.nan)),
            dp.ArgumentError,
            "features: returned nan for row 0",
        ),
        (np.ndarray, TypeError, "features: got the class ndarray, must be Identity() or"),
    ],
)
def test_functions_that_are_none_of_batches(function, error, message):
    with pytest.raises(error, match=re.escape(message)):
        dp.LinearGaussian.fit(transitions(), features=function)


def test_what_is_refused():
    data = transitions()
    with pytest.raises(
        dp.ArgumentError, match='target: got "absolute", must be "change" with feat'
    ):
        dp.LinearGaussian.fit(data, features=physics, target="absolute")
    model = dp.LinearGaussian.fit(data, features=physics)
    for name in ("A", "B", "exponents"):
        with pytest.raises(dp.ArgumentError, match=f"{name}: not known where features are a func"):
            getattr(model, name)
    with pytest.raises(dp.ArgumentError, match="equations: not known where features are a func"):
        model.equations()
    with pytest.raises(dp.ArgumentError, match="model: got one whose features are a function"):
        dp.RecursiveLeastSquares.from_model(model)
    with pytest.raises(TypeError, match="must be a LinearModel or a LinearGaussian of degree 1"):
        dp.KalmanFilter(model, np.eye(2), observation_noise=[1.0, 1.0])
    count = [3]
    fickle = dp.LinearGaussian.fit(data, features=lambda s, a: np.hstack([s, a])[:, : count[0]])
    count[0] = 2
    for call in (
        lambda: fickle.predict([0.0, 0.0], [0.0]),
        lambda: fickle.updated(data),
        lambda: dp.rollout(fickle, [0.0, 0.0], np.zeros((1, 3, 1))),
    ):
        with pytest.raises(dp.ShapeError, match="features: returned 2 columns, must be 3 as in"):
            call()
    with pytest.raises(dp.ShapeError, match=r"data: got \(state_dim, action_dim\) \(1, 1\), must"):
        model.updated(dp.Transitions([[1.0]], [[1.0]], [[1.0]]))


def test_features_are_those_of_the_fit():
    states, actions = np.split(np.random.default_rng(0).normal(size=(40, 3)), [2], axis=1)
    data = dp.Transitions(states, actions, 0.5 * states, episodes=np.arange(40))
    of_powers = dp.LinearGaussian.fit(data)
    of_function = dp.LinearGaussian.fit(data, features=lambda s, a: np.hstack([s, a]))
    settings = ("change", True, 0.0, 0.0)
    with pytest.raises(TypeError, match=r"^features: got .*, must be those of the fit"):
        dp.LinearGaussian(of_powers._fit, lambda s, a: s, settings)
    with pytest.raises(TypeError, match=r"^features: got .*, must be those of the fit"):
        dp.LinearGaussian(of_function._fit, dp.Identity(), settings)


def test_particles_never_call_a_function_from_several_threads_at_once():
    inside, most = [0], [0]

    def watched(states, actions):
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        time.sleep(1e-4)  # which lets other threads in
        inside[0] -= 1
        return np.hstack([states, actions])

    model = dp.LinearGaussian.fit(transitions(noise=0.1), features=watched)
    planner = dp.CEM(horizon=3, propagation="sample", particles=8, threads=2)
    space = ([-1.0], [1.0])
    planner.plan(model, dp.rewards.quadratic([1.0, 0.1]), [0.5, 0.0], action_space=space, seed=0)
    assert most == [1]
