from __future__ import annotations

import warnings

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


A, B = np.array([[0.9, 0.1], [-0.2, 0.8]]), np.array([[0.5], [1.0]])
AT_REST = [(np.zeros(2), np.zeros(1)), (np.array([0.3, -0.2]), np.array([0.7]))]
KINDS = ["exponential", "directional"]


def excite(rls, rows, a=A, seed=0):
    generator = np.random.default_rng(seed)
    for _ in range(rows):
        state, action = generator.normal(size=2), generator.normal(size=1)
        rls.update(state, action, a @ state + B @ action)


def rest(rls, rows, state, action):
    for _ in range(rows):
        rls.update(state, action, A @ state + B @ action)


@pytest.mark.parametrize(("state", "action"), AT_REST)
@pytest.mark.parametrize("intercept", [True, False])
def test_what_is_forgotten_at_rest_is_said_once(state, action, intercept):
    rls = dp.RecursiveLeastSquares(2, 1, forgetting=0.95, intercept=intercept)
    excite(rls, 100)
    rest(rls, 300, state, action)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_allclose(rls.model().B, B, atol=1e-5)
    rest(rls, 14_300, state, action)
    with pytest.warns(dp.RankDeficientWarning, match="state 0, state 1, action 0 have") as said:
        model = rls.model()
    assert len(said) == 1
    assert "of late" in str(said[0].message)
    assert said[0].filename == __file__
    assert model.rank < model.columns
    excite(rls, 400)
    np.testing.assert_allclose(rls.model().B, B, atol=1e-9)


def test_a_model_of_too_few_transitions_warns_as_a_fit_does():
    rls = dp.RecursiveLeastSquares(2, 1)
    excite(rls, 2)
    with pytest.warns(dp.RankDeficientWarning, match="rank 2 for 4 coefficients"):
        rls.model()


@pytest.mark.parametrize(("state", "action"), AT_REST)
@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("features", [dp.Identity(), dp.Polynomial(2)])
def test_directional_forgetting_keeps_what_rest_says_nothing_of(state, action, intercept, features):
    settings = {"forgetting": 0.95, "intercept": intercept, "features": features}
    rls = dp.RecursiveLeastSquares(2, 1, forgetting_kind="directional", **settings)
    excite(rls, 300)
    before = rls.model()
    rest(rls, 14_600, state, action)
    after = rls.model()
    assert after.rank == after.columns
    np.testing.assert_allclose(after.coefficients, before.coefficients, atol=1e-9)
    np.testing.assert_allclose(after.A, A, atol=1e-9)
    # Nothing is known less well than one transition of its own would tell, and all may change.
    information = after.factor[:-2, :-2].T @ after.factor[:-2, :-2]
    assert np.diag(np.linalg.inv(information)).max() < 1.0
    changed = A + np.array([[0.0, 0.2], [0.3, 0.0]])
    excite(rls, 200 * after.columns, changed, seed=1)
    np.testing.assert_allclose(rls.model().A, changed, atol=1e-3)


def test_directional_forgetting_holds_through_noise_where_exponential_forgetting_does_not():
    """At rest but for noise of 1e-4, in the states and in what is measured of them."""
    errors = {}
    for kind in KINDS:
        generator = np.random.default_rng(5)
        rls = dp.RecursiveLeastSquares(2, 1, forgetting=0.95, forgetting_kind=kind)
        excite(rls, 300)
        worst = 0.0
        for step in range(5000):
            state, action = 1e-4 * generator.normal(size=2), np.zeros(1)
            rls.update(state, action, A @ state + 1e-4 * generator.normal(size=2))
            if step % 100 == 99:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", dp.RankDeficientWarning)
                    worst = max(worst, np.abs(rls.model().A - A).max())
        errors[kind] = worst
    assert errors["directional"] < 1e-3
    assert errors["exponential"] > 0.3


def test_directional_forgetting_is_that_of_cao_and_schwartz_in_typical_units():
    """The information matrix by their formula, dense; the estimate by its gain."""
    generator = np.random.default_rng(3)
    units = np.array([1e-3, 1.0, 1e4, 1.0])  # the last of the constant
    rls = dp.RecursiveLeastSquares(2, 1, forgetting=0.9, forgetting_kind="directional")
    typical, information = np.zeros(4), np.zeros((4, 4))
    for step in range(300):
        inputs = np.append(generator.normal(size=3), 1.0) * units
        inputs[:3] *= step % 7 != 0  # at rest now and then, and at first
        following = A @ inputs[:2] + B @ inputs[2:3] + generator.normal(size=2)
        rls.update(inputs[:2], inputs[2:3], following)
        typical = np.where(typical == 0.0, np.abs(inputs), typical)
        scale = np.where(typical == 0.0, 1.0, typical)
        direction = inputs / scale**2
        along = information @ direction
        if direction @ along > 0.0:
            information -= 0.1 * np.outer(along, along) / (direction @ along)
        information += np.outer(inputs, inputs)
        share = inputs**2 / (inputs**2 + scale**2)
        typical = typical * (1.0 + 0.1 * share * (2.0 * share - 1.0))
        if step == 20:
            estimate = rls.model().coefficients.T
        if step > 20:
            gain = np.linalg.solve(information / units / units[:, None], inputs / units) / units
            estimate = estimate + np.outer(gain, following - inputs @ estimate)
    model = rls.model()
    found = model.factor[:4, :4].T @ model.factor[:4, :4] / units / units[:, None]
    np.testing.assert_allclose(found, information / units / units[:, None], rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(model.coefficients * units, estimate.T * units, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("kind", KINDS)
def test_units_change_no_digit_of_what_is_learned_recursively(kind):
    units = 2.0 ** np.array([300, -400, 200])
    models = []
    for unit in (np.ones(3), units):
        rls = dp.RecursiveLeastSquares(2, 1, forgetting=0.9, forgetting_kind=kind)
        generator = np.random.default_rng(4)
        for _ in range(100):
            inputs = generator.normal(size=3)
            following = A @ inputs[:2] + B @ inputs[2:] + 0.1 * generator.normal(size=2)
            rls.update(inputs[:2] * unit[:2], inputs[2:] * unit[2:], following * unit[:2])
        models.append(rls.model())
    scaled = models[1].coefficients / units[:2, None] * np.append(units, 1.0)
    np.testing.assert_array_equal(scaled, models[0].coefficients)


def test_without_forgetting_both_kinds_are_one_and_a_model_can_be_continued_with_either():
    data = linear_system(50)
    models = []
    for kind in KINDS:
        rls = dp.RecursiveLeastSquares(3, 2, forgetting_kind=kind)
        for i in range(50):
            rls.update(data.states[i], data.actions[i], data.next_states[i])
        models.append(rls.model())
    np.testing.assert_array_equal(models[0].factor, models[1].factor)
    more = dp.RecursiveLeastSquares.from_model(
        models[0], forgetting=0.9, forgetting_kind="directional"
    )
    assert repr(more) == (
        "RecursiveLeastSquares(Identity(), forgetting=0.9, forgetting_kind='directional', rows=50)"
    )
    for i in range(50):
        more.update(data.states[i], data.actions[i], data.next_states[i])
    assert more.rows == pytest.approx(
        50 * (1 - 0.1 / 6) ** 50 + sum((1 - 0.1 / 6) ** np.arange(50))
    )
    with pytest.raises(
        dp.ArgumentError, match=r'forgetting_kind: got \'x\', must be "exponential"'
    ):
        dp.RecursiveLeastSquares(1, 1, forgetting_kind="x")
    with pytest.raises(dp.ArgumentError, match="forgetting_kind"):
        dp.RecursiveLeastSquares.from_model(models[0], forgetting_kind=None)


def test_a_transition_whose_features_overflow_is_refused_and_changes_nothing():
    rls = dp.RecursiveLeastSquares(1, 1, features=dp.Polynomial(2))
    for step in range(10):
        rls.update([0.1 * step], [0.3 * (-1) ** step], [0.2 * step])
    before = rls.model()
    for state, following in (([1e200], [0.0]), ([1.7e308], [-1.7e308])):
        with pytest.raises(dp.NumericalError, match="overflow"):
            rls.update(state, [0.0], following)
    after = rls.model()
    np.testing.assert_array_equal(after.factor, before.factor)
    np.testing.assert_array_equal(after.observed_high, before.observed_high)
    assert rls.rows == 10.0
