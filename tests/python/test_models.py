from __future__ import annotations

import copy
import pickle
import warnings

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given, settings
from hypothesis import strategies as st

import dynaplan as dp
from reference.linear import design
from reference.systems import five_transitions, linear_system


def test_five_transitions_give_the_worked_example_to_the_digit():
    # X'X = [[6.25, -2.5], [-2.5, 3.25]], det 14.0625, X'Y = [0.625, 2].
    without = dp.LinearGaussian.fit(five_transitions(), intercept=False)
    assert without.A[0, 0] == pytest.approx(0.5, abs=1e-15)
    assert without.B[0, 0] == pytest.approx(1.0, abs=1e-15)
    with_intercept = dp.LinearGaussian.fit(five_transitions())
    assert with_intercept.A[0, 0] == pytest.approx(0.5, abs=1e-15)
    assert with_intercept.B[0, 0] == pytest.approx(1.0, abs=1e-15)
    assert with_intercept.c[0] == pytest.approx(0.0, abs=1e-15)
    assert with_intercept.degrees_of_freedom == 2
    gram = without.factor[:2, :2].T @ without.factor[:2, :2]
    np.testing.assert_allclose(gram, [[6.25, -2.5], [-2.5, 3.25]], rtol=1e-14)


@given(
    rows=st.integers(1, 400),
    state_dim=st.integers(1, 5),
    action_dim=st.integers(1, 3),
    degree=st.integers(1, 2),
    intercept=st.booleans(),
    target=st.sampled_from(["change", "absolute"]),
    seed=st.integers(0, 1000),
)
@settings(max_examples=60, deadline=None)
def test_coefficients_are_those_of_lstsq(  # noqa: PLR0917  # hypothesis draws each
    rows, state_dim, action_dim, degree, intercept, target, seed
):
    data = linear_system(rows, state_dim, action_dim, seed=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dp.RankDeficientWarning)
        model = dp.LinearGaussian.fit(
            data, features=dp.Polynomial(degree), intercept=intercept, target=target
        )
    x = design(data.states, data.actions, degree, intercept)
    y = data.next_states - (data.states if target == "change" else 0.0)
    expected, _, rank, _ = np.linalg.lstsq(x, y, rcond=None)
    if target == "change":
        expected[:state_dim] += np.eye(state_dim)
    assert model.rank == rank
    # Least norm where rows are too few: then lstsq and we must still agree.
    scale = 1.0 + np.abs(expected).max()
    condition = np.linalg.cond(x) if rank == x.shape[1] else 1e4
    np.testing.assert_allclose(model.coefficients, expected.T, atol=1e-13 * condition * scale)


def test_noise_and_coefficient_covariance_are_the_textbook_ones():
    data = linear_system(200, noise=0.3)
    model = dp.LinearGaussian.fit(data)
    x = design(data.states, data.actions)
    residual = data.next_states - x @ model.coefficients.T
    np.testing.assert_allclose(
        model.noise_covariance, residual.T @ residual / (200 - 6), rtol=1e-10
    )
    inverse = np.linalg.inv(x.T @ x)
    for output in range(3):
        expected = model.noise_covariance[output, output] * inverse
        np.testing.assert_allclose(model.coefficient_covariance[output], expected, rtol=1e-9)


def test_the_estimate_is_unbiased_with_the_stated_covariance():
    # 4,000 noisy repeats of the same design: the mean of the estimates and their covariance.
    generator = np.random.default_rng(5)
    states, actions = generator.normal(size=(2, 30, 1))
    truth = np.array([0.5, 1.0, -0.2])
    x = design(states, actions)
    sigma, repeats = 0.3, 4000
    estimates = np.empty((repeats, 3))
    variances = np.empty(repeats)
    for i in range(repeats):
        next_states = (x @ truth)[:, None] + sigma * generator.normal(size=(30, 1))
        model = dp.LinearGaussian.fit(dp.Transitions(states, actions, next_states))
        estimates[i] = model.coefficients[0]
        variances[i] = model.noise_covariance[0, 0]
    covariance = sigma**2 * np.linalg.inv(x.T @ x)
    standard_error = np.sqrt(np.diag(covariance) / repeats)
    assert (np.abs(estimates.mean(axis=0) - truth) < 4 * standard_error).all()
    sample = np.cov(estimates.T)
    size = np.sqrt(np.outer(np.diag(covariance), np.diag(covariance)))
    # An entry of a sample covariance has a standard error of at most sqrt(2 / repeats) of its size.
    assert (np.abs(sample - covariance) < 4 * np.sqrt(2 / repeats) * size).all()
    assert variances.mean() == pytest.approx(sigma**2, rel=4 * np.sqrt(2 / 27 / repeats))


@pytest.mark.parametrize("rows", [60, 3000])
def test_condition_number_1e6_against_fifty_digits(rows):
    mpmath = pytest.importorskip("mpmath")
    generator = np.random.default_rng(rows)
    left, _ = np.linalg.qr(generator.normal(size=(rows, 5)))
    right, _ = np.linalg.qr(generator.normal(size=(5, 5)))
    x = left @ np.diag(np.logspace(0, -6, 5)) @ right
    truth = generator.normal(size=(5, 3))
    y = x @ truth + 1e-3 * generator.normal(size=(rows, 3))
    data = dp.Transitions(x[:, :3], x[:, 3:], y)
    model = dp.LinearGaussian.fit(data, intercept=False, target="absolute")
    with mpmath.workdps(50):
        exact_x = mpmath.matrix(x.tolist())
        gram = exact_x.T * exact_x
        moments = exact_x.T * mpmath.matrix(y.tolist())
        exact = np.array((mpmath.inverse(gram) * moments).tolist(), dtype=float)
    error = np.linalg.norm(model.coefficients - exact.T) / np.linalg.norm(exact)
    assert np.linalg.cond(x) == pytest.approx(1e6, rel=1e-3)
    assert error <= 1e-9
    normal = scipy.linalg.solve(x.T @ x, x.T @ y, assume_a="sym")
    normal_error = np.linalg.norm(normal - exact) / np.linalg.norm(exact)
    assert error < normal_error  # what orthogonal transformations are for


def test_weights_count_like_repeated_rows():
    data = linear_system(40)
    counts = np.random.default_rng(1).integers(0, 4, 40)
    weighted = dp.LinearGaussian.fit(data, weights=counts)
    repeated = dp.LinearGaussian.fit(data[np.repeat(np.arange(40), counts)])
    np.testing.assert_allclose(weighted.coefficients, repeated.coefficients, atol=1e-13)
    assert weighted.rows == np.count_nonzero(counts)


@pytest.mark.parametrize("intercept", [True, False])
def test_ridge_is_the_penalty_on_standardised_features(intercept):
    data = linear_system(50, noise=0.5)
    ridge = 3.0
    model = dp.LinearGaussian.fit(data, ridge=ridge, intercept=intercept, target="absolute")
    x = np.hstack([data.states, data.actions]) * np.array([1.0] * 5)
    centre = x.mean(axis=0) if intercept else np.zeros(5)
    scale = np.sqrt(((x - centre) ** 2).mean(axis=0))
    z = (x - centre) / scale
    y = data.next_states - (data.next_states.mean(axis=0) if intercept else 0.0)
    expected = np.linalg.solve(z.T @ z + ridge * np.eye(5), z.T @ y) / scale[:, None]
    np.testing.assert_allclose(np.hstack([model.A, model.B]), expected.T, atol=1e-12)
    hat = z @ np.linalg.solve(z.T @ z + ridge * np.eye(5), z.T)
    expected_freedom = 50 - np.trace(hat) - (1 if intercept else 0)
    assert model.degrees_of_freedom == pytest.approx(expected_freedom)


def test_an_input_that_never_varied_is_named_and_the_rest_is_right():
    data = linear_system(100)
    actions = data.actions.copy()
    actions[:, 1] = 0.7
    stuck = dp.Transitions(data.states, actions, data.next_states)
    with pytest.warns(dp.RankDeficientWarning, match="action 1 never varied"):
        model = dp.LinearGaussian.fit(stuck)
    x = design(stuck.states, stuck.actions)
    y = stuck.next_states - stuck.states
    expected = np.linalg.lstsq(x, y, rcond=None)[0]
    expected[:3] += np.eye(3)
    np.testing.assert_allclose(model.coefficients, expected.T, atol=1e-12)
    assert model.rank == 5
    seen = model.predict(stuck.states[:3], stuck.actions[:3])
    assert np.isfinite(seen.epistemic).all()
    unseen = model.predict(stuck.states[0], [0.0, 0.9])
    assert np.isinf(unseen.epistemic).all()


def test_inputs_that_move_together_are_named():
    data = linear_system(100)
    states = np.hstack([data.states, data.states[:, :1] + data.states[:, 1:2]])
    tied = dp.Transitions(
        states, data.actions, np.hstack([data.next_states, data.next_states[:, :1]])
    )
    with pytest.warns(dp.RankDeficientWarning, match="state 0, state 1, state 3 did not vary"):
        dp.LinearGaussian.fit(tied)


def test_squares_of_a_rounded_cosine_and_sine_are_not_fitted_to_their_rounding():
    # Float32 observations hold cos^2 + sin^2 = 1 to 1e-7 only; a coefficient fitted to that
    # difference would be of the order 1e5 and ruin every rollout. No warning: this is the map's.
    generator = np.random.default_rng(0)
    angle = generator.uniform(-np.pi, np.pi, 201)
    states = np.column_stack([np.cos(angle), np.sin(angle)]).astype(np.float32)
    actions = generator.normal(size=(200, 1)).astype(np.float32)
    model = dp.LinearGaussian.fit(
        dp.Transitions(states[:-1], actions, states[1:]), features=dp.Polynomial(2)
    )
    assert model.rank == model.columns - 1
    assert np.abs(model.coefficients).max() < 2.0
    assert np.isfinite(model.predict(states[:5], actions[:5]).epistemic).all()


def test_one_transition_is_fitted_and_its_noise_said_to_be_unknown():
    data = dp.Transitions([[1.0]], [[2.0]], [[3.0]])
    with pytest.warns(dp.RankDeficientWarning, match="never varied"):
        model = dp.LinearGaussian.fit(data)
    np.testing.assert_allclose(model.predict([1.0], [2.0]).mean, [[3.0]])
    assert model.degrees_of_freedom == 0
    assert np.isinf(model.predict([1.0], [2.0]).epistemic).all()


def test_predict_adds_the_two_variances_of_the_textbook():
    data = linear_system(60, noise=0.4)
    model = dp.LinearGaussian.fit(data)
    states, actions = np.ones((130, 3)), np.linspace(-1, 1, 260).reshape(130, 2)
    prediction = model.predict(states, actions)
    x = design(states, actions)
    np.testing.assert_allclose(prediction.mean, x @ model.coefficients.T, atol=1e-12)
    assert (prediction.aleatoric == np.diagonal(model.noise_covariance)).all()
    for output in range(3):
        expected = np.einsum("ni,ij,nj->n", x, model.coefficient_covariance[output], x)
        np.testing.assert_allclose(prediction.epistemic[:, output], expected, rtol=1e-10)


def test_samples_have_the_fitted_mean_and_covariance():
    model = dp.LinearGaussian.fit(linear_system(60, noise=0.4))
    draws = model.sample(np.ones((20000, 3)), np.ones((20000, 2)), seed=1)
    error = draws - model.predict(np.ones(3), np.ones(2)).mean
    covariance = model.noise_covariance
    size = np.sqrt(np.diagonal(covariance))
    assert (np.abs(error.mean(axis=0)) < 4 * size / np.sqrt(20000)).all()
    tolerance = 4 * np.sqrt(2 / 20000) * np.outer(size, size)
    assert (np.abs(np.cov(error.T) - covariance) < tolerance).all()
    assert (
        draws == model.sample(np.ones((20000, 3)), np.ones((20000, 2)), seed=1, threads=2)
    ).all()


def test_updating_and_merging_equal_one_fit_and_leave_the_model_as_it_was():
    data = linear_system(500)
    whole = dp.LinearGaussian.fit(data)
    first, second = dp.LinearGaussian.fit(data[:123]), dp.LinearGaussian.fit(data[123:])
    before = first.coefficients
    for model in (first.updated(data[123:]), first.merged(second), second.merged(first)):
        np.testing.assert_allclose(model.coefficients, whole.coefficients, atol=1e-13)
        np.testing.assert_allclose(model.noise_covariance, whole.noise_covariance, rtol=1e-12)
        assert model.rows == 500
    assert (first.coefficients == before).all()


def test_a_copy_and_a_pickle_are_the_same_model():
    model = dp.LinearGaussian.fit(linear_system(50), features=dp.Polynomial(2), ridge=0.1)
    for again in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert (again.coefficients == model.coefficients).all()
        assert again.merged(model).rows == 100
        assert repr(again) == repr(model)


def test_settings_that_differ_or_are_out_of_range_are_refused_by_name():
    data = linear_system(50)
    model = dp.LinearGaussian.fit(data)
    with pytest.raises(dp.ArgumentError, match="ridge: got -1"):
        dp.LinearGaussian.fit(data, ridge=-1.0)
    with pytest.raises(dp.ArgumentError, match="target"):
        dp.LinearGaussian.fit(data, target="delta")  # type: ignore[arg-type]
    with pytest.raises(dp.ArgumentError, match="weights: row 3"):
        dp.LinearGaussian.fit(data, weights=np.where(np.arange(50) == 3, -1.0, 1.0))
    with pytest.raises(dp.ShapeError, match="weights"):
        dp.LinearGaussian.fit(data, weights=np.ones(49))
    with pytest.raises(dp.ArgumentError, match="0 for all rows"):
        dp.LinearGaussian.fit(data, weights=np.zeros(50))
    with pytest.raises(dp.ArgumentError, match="threads: got 0"):
        dp.LinearGaussian.fit(data, threads=0)
    with pytest.raises(dp.ArgumentError, match="same features"):
        model.merged(dp.LinearGaussian.fit(data, features=dp.Polynomial(2)))
    with pytest.raises(dp.ShapeError, match="other"):
        model.merged(dp.LinearGaussian.fit(linear_system(50, 2, 1)))
    with pytest.raises(dp.ShapeError):
        model.updated(linear_system(50, 2, 1))
    with pytest.raises(dp.ShapeError, match=r"states: got shape \(4, 2\)"):
        model.predict(np.ones((4, 2)), np.ones((4, 2)))
    with pytest.raises(dp.ShapeError, match="actions"):
        model.predict(np.ones((4, 3)), np.ones((5, 2)))
    with pytest.raises(dp.ArgumentError, match="degree"):
        dp.Polynomial(0)
    with pytest.raises(dp.ArgumentError, match="degree"):
        dp.Polynomial(1.5)  # type: ignore[arg-type]


def test_data_whose_residuals_are_too_large_to_square_are_refused():
    states, actions, next_states = np.random.default_rng(0).normal(size=(3, 9, 1))
    data = dp.Transitions(1e200 * states, actions, 1e200 * next_states)
    with pytest.raises(dp.NumericalError, match="overflow"):
        dp.LinearGaussian.fit(data)


@given(offset=st.sampled_from([0.0, 1e3, 1e6]), scale=st.sampled_from([1e-8, 1.0, 1e8]))
@settings(max_examples=9, deadline=None)
def test_rank_does_not_depend_on_units(offset, scale):
    data = linear_system(200)
    states = data.states * np.array([scale, 1.0, 1.0]) + np.array([0.0, offset, 0.0])
    model = dp.LinearGaussian.fit(dp.Transitions(states, data.actions, data.next_states))
    assert model.rank == 6


@pytest.mark.parametrize("value", ["quadratic", 2, None, dp.Polynomial])
def test_features_are_checked_by_name(value):
    s, a = np.random.default_rng(0).normal(size=(2, 10, 1))
    with pytest.raises(TypeError, match=r"^features: got .*, must be Identity"):
        dp.LinearGaussian.fit(dp.Transitions(s, a, s + a), features=value)
    with pytest.raises(TypeError, match=r"^features: got .*, must be Identity"):
        dp.RecursiveLeastSquares(1, 1, features=value)


@pytest.mark.parametrize("name", ["ridge", "intercept", "threads"])
def test_numbers_of_a_linear_fit_are_checked_by_name(name):
    s, a = np.random.default_rng(0).normal(size=(2, 10, 1))
    for value in ("1", None, [1.0], 1j):
        with pytest.raises(dp.ArgumentError, match=f"^{name}: got .*, must be"):
            dp.LinearGaussian.fit(dp.Transitions(s, a, s + a), **{name: value})
