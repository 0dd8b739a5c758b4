"""Fits by Huber's loss: the minimum that scipy finds, and no row that bends them."""

from __future__ import annotations

import pickle
import warnings
from typing import Any

import numpy as np
import pytest
from scipy.optimize import least_squares, minimize

import dynaplan as dp
from dynaplan.errors import SuspectDataWarning

CUTOFF, NORMAL_MEDIAN = 1.345, 0.6744897501960817


def path(count: int, seed: int, noise: float, dim: int = 1, glitch: float | None = None) -> Any:
    """x' = .9 x + u with heavy-tailed noise; one measurement in the middle may be a glitch."""
    rng = np.random.default_rng(seed)
    actions = rng.uniform(-1.0, 1.0, size=(count, 1))
    states = np.zeros((count + 1, dim))
    for row in range(count):
        states[row + 1] = 0.9 * states[row] + actions[row] + noise * rng.standard_t(3, dim)
    if glitch is not None:
        states[count // 2] = glitch
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SuspectDataWarning)
        return dp.Transitions(states[:-1], actions, states[1:], episodes=np.zeros(count, int))


def columns_of(data: dp.Transitions) -> Any:
    return np.column_stack([data.states, data.actions, np.ones(len(data))])


def residuals_of(model: dp.LinearGaussian, data: dp.Transitions) -> Any:
    return data.next_states - model.predict(data.states, data.actions).mean


@pytest.mark.parametrize("target", ["change", "absolute"])
@pytest.mark.parametrize("seed", range(3))
def test_it_is_the_minimum_that_scipy_finds_at_the_median_absolute_residual(
    seed: int, target: Any
) -> None:
    data = path(300, seed, 0.3)
    model = dp.LinearGaussian.fit(data, loss="huber", target=target)
    # Huber's regression: the scale is that of the residuals at the minimum itself.
    scale = np.median(np.abs(residuals_of(model, data))) / NORMAL_MEDIAN
    columns = columns_of(data)
    found = least_squares(
        lambda beta: columns @ beta - data.next_states[:, 0],
        np.zeros(3),
        loss="huber",
        f_scale=CUTOFF * scale,
        xtol=1e-15,
        ftol=1e-15,
        gtol=1e-15,
    )
    np.testing.assert_allclose(model.coefficients[0], found.x, rtol=0.0, atol=1e-6)
    assert np.abs(found.x - dp.LinearGaussian.fit(data).coefficients[0]).max() > 1e-3


def test_of_several_states_a_row_counts_by_its_root_mean_square() -> None:
    data = path(200, 0, 0.3, dim=2)
    model = dp.LinearGaussian.fit(data, loss="huber")
    scales = np.median(np.abs(residuals_of(model, data)), axis=0) / NORMAL_MEDIAN
    columns = columns_of(data)

    def loss(beta: Any) -> float:
        residuals = (data.next_states - columns @ beta.reshape(4, 2)) / scales
        sizes = np.sqrt((residuals**2).mean(axis=1))
        within = np.minimum(sizes, CUTOFF)
        return float((within * (sizes - 0.5 * within)).sum())

    start = model.coefficients.T.ravel()
    found = minimize(loss, start + 0.1, method="BFGS", options={"gtol": 1e-9})
    np.testing.assert_allclose(model.coefficients.T.ravel(), found.x, rtol=0.0, atol=2e-6)
    assert loss(start) <= found.fun + 1e-12


@pytest.mark.parametrize("noise", [0.01, 0.1])
@pytest.mark.parametrize("glitch", [8.0, 50.0, -1e3, 1e6, 1e12])
@pytest.mark.parametrize("features", [dp.Identity(), dp.Polynomial(2)], ids=["linear", "quadratic"])
def test_one_wild_row_bends_nothing(noise: float, glitch: float, features: Any) -> None:
    clean, bent = path(1000, 0, noise), path(1000, 0, noise, glitch=glitch)
    fresh = path(1000, 1, noise)

    def rmse(data: dp.Transitions, **settings: Any) -> float:
        model = dp.LinearGaussian.fit(data, features=features, **settings)
        return float(dp.evaluate(model, fresh, 1).one_step_rmse[0])

    assert rmse(bent, loss="huber") < 1.01 * rmse(clean)
    if abs(glitch) >= 1e3:
        assert rmse(bent) > 3.0 * rmse(clean)


def test_data_without_noise_are_fitted_as_they_are_but_for_the_glitch() -> None:
    for glitch in (8.0, 1e6):
        model = dp.LinearGaussian.fit(path(500, 0, 0.0, glitch=glitch), loss="huber")
        np.testing.assert_allclose(model.coefficients, [[0.9, 1.0, 0.0]], rtol=0.0, atol=1e-8)


def test_the_noise_is_that_of_most_rows() -> None:
    rng = np.random.default_rng(0)
    states, actions = rng.normal(size=(5000, 2)), rng.normal(size=(5000, 1))
    after = 0.9 * states + actions + [0.1, 0.3] * rng.normal(size=(5000, 2))
    plain = dp.LinearGaussian.fit(dp.Transitions(states, actions, after))
    robust = dp.LinearGaussian.fit(dp.Transitions(states, actions, after), loss="huber")
    np.testing.assert_allclose(
        robust.noise_covariance.diagonal(), plain.noise_covariance.diagonal(), rtol=0.06
    )
    np.testing.assert_allclose(robust.coefficients, plain.coefficients, atol=0.01)
    np.testing.assert_allclose(
        robust.coefficient_covariance, plain.coefficient_covariance, rtol=0.2, atol=1e-6
    )
    after[::50] += 5.0  # one row in 50
    bent = dp.LinearGaussian.fit(dp.Transitions(states, actions, after), loss="huber")
    assert (bent.noise_covariance.diagonal() < 1.5 * plain.noise_covariance.diagonal()).all()
    assert np.abs(bent.coefficients - plain.coefficients).max() < 0.02


def test_weights_of_rows_and_huber_go_together() -> None:
    data = path(200, 0, 0.3)
    counts = np.random.default_rng(0).integers(0, 3, 200)
    model = dp.LinearGaussian.fit(data, weights=counts, loss="huber")
    residuals = residuals_of(model, data)[:, 0]
    scale = np.median(np.abs(residuals[counts > 0])) / NORMAL_MEDIAN
    robust = np.minimum(1.0, CUTOFF * scale / np.maximum(np.abs(residuals), 1e-12))
    # At the minimum the weighted residuals are orthogonal to the regressors.
    gradient = columns_of(data).T @ (counts * robust * residuals)
    assert np.abs(gradient).max() < 1e-6
    assert model.rows == np.count_nonzero(counts)


def test_units_do_not_matter() -> None:
    data = path(300, 0, 0.3, dim=2, glitch=50.0)
    model = dp.LinearGaussian.fit(data, loss="huber")
    units = np.array([1e-12, 1e12])
    scaled = dp.Transitions(
        units * data.states, data.actions, units * data.next_states, episodes=data.episodes
    )
    other = dp.LinearGaussian.fit(scaled, loss="huber")
    np.testing.assert_allclose(other.A * units / units[:, None], model.A, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(other.B / units[:, None], model.B, rtol=1e-6)


def test_a_robust_model_is_a_model_like_any_other() -> None:
    data = path(300, 0, 0.3)
    model = dp.LinearGaussian.fit(data, loss="huber")
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.coefficients, model.coefficients)
    assert model.updated(path(50, 1, 0.3)).rows == 350
    few = dp.Transitions([[0.0], [1.0], [0.5]], [[1.0], [0.0], [-1.0]], [[1.0], [0.5], [-0.75]])
    with pytest.warns(dp.RankDeficientWarning):
        exact = dp.LinearGaussian.fit(few, loss="huber")
    np.testing.assert_allclose(exact.A, [[0.5]], atol=1e-9)


def test_what_is_refused() -> None:
    data = path(20, 0, 0.3)
    with pytest.raises(dp.ArgumentError, match="loss: got 'l1', must be \"squared_error\" or"):
        dp.LinearGaussian.fit(data, loss="l1")  # type: ignore[arg-type]
    for loss in ("squared_error", "huber"):
        with pytest.raises(dp.ArgumentError, match="weights"):
            dp.LinearGaussian.fit(data, weights=np.zeros(20), loss=loss)
        with pytest.raises(dp.ArgumentError, match="ridge"):
            dp.LinearGaussian.fit(data, ridge=-1.0, loss=loss)
