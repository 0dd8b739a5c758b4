from __future__ import annotations

import numpy as np
import pytest

import dynaplan as dp
from reference.linear import design
from reference.systems import linear_system, scalar_model


def test_forgetting_gives_the_exponentially_weighted_least_squares():
    data = linear_system(120, noise=0.3)
    rls = dp.RecursiveLeastSquares(3, 2, forgetting=0.95)
    for i in range(120):
        rls.update(data.states[i], data.actions[i], data.next_states[i])
    weights = np.sqrt(0.95 ** np.arange(119, -1, -1.0))[:, None]
    x = design(data.states, data.actions)
    expected = np.linalg.lstsq(weights * x, weights * data.next_states, rcond=None)[0]
    np.testing.assert_allclose(rls.model().coefficients, expected.T, atol=1e-12)
    assert rls.rows == pytest.approx((1 - 0.95**120) / 0.05)


def test_it_follows_a_system_that_changes():
    generator = np.random.default_rng(0)
    rls = dp.RecursiveLeastSquares(1, 1, forgetting=0.9)
    for step in range(400):
        gain = 0.5 if step < 200 else -0.3
        state, action = generator.normal(size=(2, 1))
        rls.update(state, action, gain * state + action)
    assert rls.model().A[0, 0] == pytest.approx(-0.3, abs=1e-8)


def test_it_continues_from_a_model():
    data = linear_system(100)
    rls = dp.RecursiveLeastSquares.from_model(dp.LinearGaussian.fit(data[:60]))
    for i in range(60, 100):
        rls.update(data.states[i], data.actions[i], data.next_states[i])
    whole = dp.LinearGaussian.fit(data)
    np.testing.assert_allclose(rls.model().coefficients, whole.coefficients, atol=1e-13)


def test_bad_input_is_refused_and_changes_nothing():
    rls = dp.RecursiveLeastSquares(2, 1)
    with pytest.raises(dp.ArgumentError, match="no transition"):
        rls.model()
    with pytest.raises(dp.ArgumentError, match="states: row 0, column 1 is nan"):
        rls.update([0.0, np.nan], [0.0], [0.0, 0.0])
    with pytest.raises(dp.ShapeError, match="state: got shape"):
        rls.update([0.0], [0.0], [0.0, 0.0])
    assert rls.rows == 0.0
    with pytest.raises(dp.ArgumentError, match="forgetting"):
        dp.RecursiveLeastSquares(1, 1, forgetting=0.0)
    with pytest.raises(dp.ArgumentError, match="forgetting"):
        dp.RecursiveLeastSquares.from_model(scalar_model(), forgetting=1.5)
