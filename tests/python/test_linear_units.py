"""Least squares of data in any units, weights and penalties of any size."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import dynaplan as dp
from reference.linear import design

A, B = np.array([[0.9, 0.1], [-0.2, 0.8]]), np.array([[0.5], [1.0]])


def arrays(rows, noise=0.1):
    generator = np.random.default_rng(rows)
    states, actions = generator.normal(size=(rows, 2)), generator.normal(size=(rows, 1))
    following = states @ A.T + actions @ B.T + noise * generator.normal(size=(rows, 2))
    return states, actions, following


def scaled(rows, states, actions, noise=0.1):
    """Transitions in other units."""
    s, a, following = arrays(rows, noise)
    return dp.Transitions(s * states, a * actions, following * states)


exponents = st.integers(-480, 480)


@given(
    rows=st.sampled_from([5, 40, 500]),
    of_states=st.tuples(exponents, exponents),
    of_actions=exponents,
    ridge=st.sampled_from([0.0, 0.5]),
    target=st.sampled_from(["change", "absolute"]),
)
@example(rows=5, of_states=(0, -402), of_actions=0, ridge=0.5, target="change")
@example(rows=8, of_states=(-451, -14), of_actions=-458, ridge=0.5, target="absolute")
@example(rows=11, of_states=(-5, -290), of_actions=-441, ridge=0.5, target="change")
@example(rows=15, of_states=(-395, -406), of_actions=46, ridge=0.5, target="change")
@settings(deadline=None)
def test_no_bit_depends_on_the_units_of_the_data(rows, of_states, of_actions, ridge, target):
    units = 2.0 ** np.array([*of_states, of_actions, 0])
    expected = dp.LinearGaussian.fit(scaled(rows, 1.0, 1.0), ridge=ridge, target=target)
    data = scaled(rows, units[:2], units[2])
    found = dp.LinearGaussian.fit(data, ridge=ridge, target=target)
    coefficients = found.coefficients / units[:2, None] * units
    # What was fitted is the change, to which the identity is added: that rounds in other places.
    np.testing.assert_allclose(coefficients, expected.coefficients, rtol=1e-14, atol=1e-16)
    np.testing.assert_array_equal(
        found.noise_covariance / units[:2] / units[:2, None], expected.noise_covariance
    )
    np.testing.assert_array_equal(found.factor / [*units, *units[:2]], expected.factor)
    assert found.rank == expected.rank == 4


@pytest.mark.parametrize("rows", [40, 500])
@pytest.mark.parametrize(
    ("states", "actions"),
    [(1e-160, 1.0), (1e-200, 1.0), (1e-300, 1e-300), (1.0, 1e200), (1.0, 1e-250), (1e-250, 1e50)],
)
def test_squares_that_overflow_or_vanish_are_no_obstacle(rows, states, actions):
    s, a, following = arrays(rows)
    expected = np.linalg.lstsq(design(s, a), following, rcond=None)[0].T
    found = dp.LinearGaussian.fit(scaled(rows, states, actions))
    assert found.rank == 4
    np.testing.assert_allclose(found.A, expected[:, :2], rtol=1e-12)
    np.testing.assert_allclose(found.B * actions / states, expected[:, 2:3], rtol=1e-12)
    np.testing.assert_allclose(found.c / states, expected[:, 3], rtol=1e-12)
    prediction = found.predict(s * states, a * actions).mean
    np.testing.assert_allclose(prediction / states, design(s, a) @ expected.T, atol=1e-12)
    halves = scaled(rows, states, actions)
    joined = dp.LinearGaussian.fit(halves[: rows // 2]).updated(halves[rows // 2 :])
    np.testing.assert_allclose(joined.coefficients, found.coefficients, rtol=1e-11)


def test_the_covariance_of_coefficients_is_finite_where_only_its_factors_are_not():
    plain, other = (dp.LinearGaussian.fit(scaled(40, unit, 1.0)) for unit in (1.0, 2.0**-516))
    expected = plain.coefficient_covariance[0, :2, :2]
    np.testing.assert_allclose(other.coefficient_covariance[0, :2, :2], expected, rtol=1e-3)


@pytest.mark.parametrize("unit", [1e-200, 1e140])
def test_a_model_of_any_units_survives_its_file(unit, tmp_path):
    model = dp.LinearGaussian.fit(scaled(40, unit, 1.0))
    model.save(tmp_path / "model")
    loaded = dp.load(tmp_path / "model")
    np.testing.assert_array_equal(loaded.coefficients, model.coefficients)
    np.testing.assert_array_equal(loaded.noise_covariance, model.noise_covariance)


@pytest.mark.parametrize("scale", [1e160, 1e200, 1e300, 1e307])
def test_residuals_whose_squares_are_no_numbers_are_an_error(scale):
    with pytest.raises(dp.NumericalError, match=r"transitions: .* overflow"):
        dp.LinearGaussian.fit(scaled(40, scale / 4.0, 1.0))


@pytest.mark.parametrize(
    ("states", "actions"), [(1e-200, 1e200), (1e-310, 1.0), (1.0, 1e-310), (1e-307, 1e-307)]
)
def test_what_cannot_be_told_in_float64_is_an_error(states, actions):
    """A coefficient of 1e-400, and inputs without digits."""
    with pytest.raises(dp.NumericalError, match="vanish"):
        dp.LinearGaussian.fit(scaled(40, states, actions))


@pytest.mark.parametrize("ridge", [1e100, 1e200, 1e300, 1.7e308])
@pytest.mark.parametrize("rows", [20, 500])
def test_the_largest_penalties_leave_the_mean_change(ridge, rows):
    data = scaled(rows, 1.0, 1.0)
    model = dp.LinearGaussian.fit(data, ridge=ridge)
    change = data.next_states - data.states
    np.testing.assert_array_equal(model.A, np.eye(2))
    assert np.abs(model.B).max() < 10.0 * rows / ridge
    np.testing.assert_allclose(model.c, change.mean(axis=0), rtol=1e-12)
    expected = np.cov(change, rowvar=False)
    np.testing.assert_allclose(model.noise_covariance, expected, rtol=1e-12)
    assert model.degrees_of_freedom == pytest.approx(rows - 1)


@pytest.mark.parametrize("ridge", [1e-300, 5e-324])
def test_the_smallest_penalties_change_nothing(ridge):
    plain, found = (dp.LinearGaussian.fit(scaled(40, 1.0, 1.0), ridge=r) for r in (0.0, ridge))
    np.testing.assert_allclose(found.coefficients, plain.coefficients, rtol=1e-13)
    assert found.degrees_of_freedom == pytest.approx(36.0)


@pytest.mark.parametrize("weight", [1e-320, 1e-200, 1e200, 1.7e308])
def test_a_common_weight_changes_the_noise_alone(weight):
    data = scaled(40, 1.0, 1.0)
    plain = dp.LinearGaussian.fit(data)
    found = dp.LinearGaussian.fit(data, weights=np.full(40, weight))
    np.testing.assert_allclose(found.coefficients, plain.coefficients, rtol=1e-12)
    # Numbers as small as 1e-322 have one digit or two.
    tolerance = 1e-12 if weight > 1e-300 else 0.05
    np.testing.assert_allclose(
        np.diag(found.noise_covariance) / weight, np.diag(plain.noise_covariance), rtol=tolerance
    )


@pytest.mark.parametrize("scale", [1e-100, 1e-60, 1e60, 1e100])
def test_cubes_of_data_in_any_units_are_fitted_while_they_are_numbers(scale):
    s, a, _ = arrays(200)
    following = s + 0.3 * s[:, ::-1] * a - 0.2 * s**3
    expected = np.linalg.lstsq(design(s, a, 3), following - s, rcond=None)[0].T
    data = dp.Transitions(s * scale, a * scale, following * scale)
    model = dp.LinearGaussian.fit(data, features=dp.Polynomial(3))
    degrees = np.append(model.exponents.sum(axis=1), 0)
    found = model.coefficients.copy()
    found[:, :2] -= np.eye(2)
    np.testing.assert_allclose(found * scale ** (degrees - 1.0), expected, atol=1e-12)


@pytest.mark.parametrize(
    ("scale", "message"), [(1e-110, r"features: .* vanish"), (1e110, r"transitions: .* overflow")]
)
def test_cubes_that_are_no_numbers_are_an_error(scale, message):
    with pytest.raises(dp.NumericalError, match=message):
        dp.LinearGaussian.fit(scaled(200, scale, scale), features=dp.Polynomial(3))


@pytest.mark.parametrize("unit", [1e-100, 1e-20, 1e-8, 1e8, 1e20, 1e100])
@pytest.mark.parametrize("rows", [60, 500])
def test_what_was_never_moved_has_no_part_in_the_rest_whatever_the_units(unit, rows):
    """Beside a constant action, states in units far apart are as if it were not there."""
    s, a, following = arrays(rows)
    units = np.array([unit, 1.0])
    for constant in (0.0, 3.0):
        both = np.hstack([a, np.full((rows, 1), constant)])
        data = dp.Transitions(s * units, both, following * units)
        with pytest.warns(dp.RankDeficientWarning, match="action 1 never varied"):
            found = dp.LinearGaussian.fit(data)
        expected = dp.LinearGaussian.fit(dp.Transitions(s, a, following))
        np.testing.assert_allclose(found.A / units[:, None] * units, expected.A, rtol=1e-10)
        np.testing.assert_allclose(found.B[:, :1] / units[:, None], expected.B, rtol=1e-10)
        mean = found.predict(s * units, both).mean / units
        np.testing.assert_allclose(mean, expected.predict(s, a).mean, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("exponent", [-1000, -600, 400, 500])
def test_an_evaluation_does_not_depend_on_units(exponent):
    unit = 2.0**exponent
    plain, other = (
        dp.evaluate(
            dp.LinearGaussian.fit(scaled(100, scale, 1.0)), scaled(60, scale, 1.0), horizon=1
        )
        for scale in (1.0, unit)
    )
    np.testing.assert_allclose(other.one_step_rmse / unit, plain.one_step_rmse, rtol=1e-12)
    np.testing.assert_allclose(other.spread / unit, plain.spread, rtol=1e-14)
    np.testing.assert_allclose(other.error_median, plain.error_median, rtol=1e-12)
    np.testing.assert_allclose(other.baseline_median, plain.baseline_median, rtol=1e-12)
    assert other.trusted_horizon == plain.trusted_horizon == 1


def test_no_warning_of_numpy_escapes_where_states_vanish():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data = scaled(60, 1e-200, 1.0)
        dp.evaluate(dp.LinearGaussian.fit(data), data, horizon=1)
