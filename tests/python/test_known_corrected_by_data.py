"""A known model corrected by data: the closed form of Bayesian least squares, and its limits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dynaplan as dp

A, B, C = np.array([[0.9, 0.2], [-0.1, 0.7]]), np.array([[0.0], [0.5]]), np.array([0.1, -0.2])
NOISE = np.array([[4e-4, 1e-4], [1e-4, 9e-4]])
KNOWN = dp.LinearModel(A, B, C, noise=NOISE)


def recorded(rows, seed=0, noise=0.03):
    """Transitions of a system that is not quite the known one, around another origin."""
    generator = np.random.default_rng(seed)
    states = generator.normal(size=(rows, 2)) * [1.0, 0.3] + [2.0, -1.0]
    actions = 0.5 * states[:, :1] + generator.normal(size=(rows, 1))
    next_states = states @ (A + 0.1).T + actions @ (B * 1.3).T + C
    return dp.Transitions(states, actions, next_states + noise * generator.normal(size=(rows, 2)))


def posterior(data, rows, centre=None, deviation=None):
    """Coefficients (S, S + A + 1) and the inverse of the precision, by normal equations.

    The prior has the precision of `rows` rows whose inputs vary independently.
    """
    inputs = np.hstack([data.states, data.actions])
    centre = inputs.mean(axis=0) if centre is None else centre
    deviation = inputs.std(axis=0) if deviation is None else deviation
    ones = np.append(centre, 1.0)
    before = rows * (np.outer(ones, ones) + np.diag(np.append(deviation**2, 0.0)))
    x = np.column_stack([inputs, np.ones(len(inputs))])
    known = np.column_stack([A, B, C])
    inverse = np.linalg.inv(before + x.T @ x)
    return known + (inverse @ x.T @ (data.next_states - x @ known.T)).T, inverse


def coefficients(model):
    return np.column_stack([model.A, model.B, model.c])


@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 10**6),
    count=st.integers(2, 60),
    rows=st.floats(0.1, 1000.0),
)
def test_it_is_bayesian_least_squares(seed, count, rows):
    data = recorded(count, seed)
    expected, inverse = posterior(data, rows)
    model = KNOWN.updated(data, rows=rows)
    np.testing.assert_allclose(coefficients(model), expected, rtol=1e-6, atol=1e-7)
    # What is known of the noise is worth as much as the rest, unless that takes it all up.
    x = np.column_stack([data.states, data.actions, np.ones(count)])
    known = coefficients(KNOWN)
    inputs = np.hstack([data.states, data.actions])
    ones = np.append(inputs.mean(axis=0), 1.0)
    before = rows * (np.outer(ones, ones) + np.diag(np.append(inputs.var(axis=0), 0.0)))
    unexplained = data.next_states - x @ expected.T
    squares = unexplained.T @ unexplained + (expected - known) @ before @ (expected - known).T
    degrees = max(rows - 4.0, 0.0)
    noise = (degrees * NOISE + squares) / (degrees + count)
    assert model.degrees_of_freedom == pytest.approx(degrees + count, rel=1e-9)
    np.testing.assert_allclose(model.noise_covariance, noise, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(
        model.coefficient_covariance,
        np.multiply.outer(np.diag(noise), inverse),
        rtol=1e-5,
        atol=1e-7 * np.abs(inverse).max(),
    )


def test_few_data_leave_it_and_many_lead_to_least_squares():
    data = recorded(200)
    fitted = dp.LinearGaussian.fit(data)
    doubted, trusted = KNOWN.updated(data, rows=1e-9), KNOWN.updated(data, rows=1e9)
    np.testing.assert_allclose(coefficients(doubted), coefficients(fitted), rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(coefficients(trusted), coefficients(KNOWN), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(trusted.noise_covariance, NOISE, rtol=1e-4)
    states, actions = np.zeros((1, 2)), np.zeros((1, 1))
    assert trusted.predict(states, actions).epistemic.max() < 1e-10
    one = dp.LinearModel(A, B, C, observed=([-5.0] * 3, [5.0] * 3)).updated(data[:1], rows=1e6)
    np.testing.assert_allclose(coefficients(one), coefficients(KNOWN), rtol=1e-4, atol=1e-4)


def test_it_predicts_better_than_what_is_known_and_than_few_data():
    held_out = recorded(500, 99, noise=0.0)
    squares = {"known": [], "fitted": [], "both": []}
    for seed in range(20):
        data = recorded(12, seed, noise=0.3)
        models = KNOWN, dp.LinearGaussian.fit(data), KNOWN.updated(data, rows=8)
        for name, model in zip(squares, models, strict=True):
            found = model.predict(held_out.states, held_out.actions).mean
            squares[name].append(np.mean((found - held_out.next_states) ** 2))
    error = {name: np.sqrt(np.mean(found)) for name, found in squares.items()}
    assert error["both"] < 0.8 * min(error["known"], error["fitted"])


@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 10**6),
    powers=st.lists(st.integers(-6, 6), min_size=3, max_size=3),
    offsets=st.lists(st.floats(-5.0, 5.0), min_size=3, max_size=3),
    is_observed=st.booleans(),
)
def test_units_and_origins_do_not_matter(seed, powers, offsets, is_observed):
    data = recorded(12, seed)
    unit, offset = 10.0 ** np.array(powers), np.array(offsets)
    limits = np.array([[-3.0, -2.0, -1.0], [6.0, 1.0, 4.0]])
    plain = dp.LinearModel(A, B, C, noise=NOISE, observed=tuple(limits) if is_observed else None)
    # Inputs z = unit (x + offset): the same system in other numbers.
    inner, of_action = unit[:2], unit[2:]
    moved = inner * (C + offset[:2] - A @ offset[:2] - B @ offset[2:])
    other = dp.LinearModel(
        inner[:, None] * A / inner,
        inner[:, None] * B / of_action,
        moved,
        noise=inner[:, None] * NOISE * inner,
        observed=tuple(unit * (limits + offset)) if is_observed else None,
    )
    turned = dp.Transitions(
        inner * (data.states + offset[:2]),
        of_action * (data.actions + offset[2:]),
        inner * (data.next_states + offset[:2]),
    )
    models = plain.updated(data, rows=10), other.updated(turned, rows=10)
    at = np.random.default_rng(seed).normal(size=(5, 3))
    first = models[0].predict(at[:, :2], at[:, 2:])
    second = models[1].predict(
        inner * (at[:, :2] + offset[:2]), of_action * (at[:, 2:] + offset[2:])
    )
    np.testing.assert_allclose(second.mean / inner - offset[:2], first.mean, rtol=1e-6, atol=1e-6)
    for kind in ("aleatoric", "epistemic"):
        np.testing.assert_allclose(
            getattr(second, kind) / inner**2, getattr(first, kind), rtol=1e-5, atol=1e-12
        )


def test_it_goes_on_learning():
    early, late = recorded(10), recorded(40, seed=1)
    model = KNOWN.updated(early, rows=20)
    inputs = np.hstack([early.states, early.actions])
    together = early + late
    expected, _ = posterior(together, 20, inputs.mean(axis=0), inputs.std(axis=0))
    np.testing.assert_allclose(coefficients(model.updated(late)), expected, rtol=1e-7, atol=1e-8)
    recursive = dp.RecursiveLeastSquares.from_model(model)
    for state, action, after in zip(late.states, late.actions, late.next_states, strict=True):
        recursive.update(state, action, after)
    np.testing.assert_allclose(coefficients(recursive.model()), expected, rtol=1e-7, atol=1e-8)
    np.testing.assert_allclose(
        recursive.model().noise_covariance, model.updated(late).noise_covariance, rtol=1e-7
    )


def test_a_known_range_says_how_far_the_knowledge_reaches(tmp_path):
    low, high = np.array([-3.0, -2.0, -1.0]), np.array([5.0, 1.0, 4.0])
    known = dp.LinearModel(A, B, C, noise=NOISE, observed=(low, high))
    data = recorded(1)
    model = known.updated(data, rows=30)
    # Numbers spread evenly over a range vary by its length through the root of 12.
    expected, _ = posterior(data, 30, 0.5 * (low + high), (high - low) / np.sqrt(12.0))
    np.testing.assert_allclose(coefficients(model), expected, rtol=1e-8, atol=1e-9)
    np.testing.assert_array_equal(model.observed_high[:2], np.maximum(high[:2], data.states[0]))
    model.save(tmp_path / "model.safetensors")
    again = dp.load(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(coefficients(again), coefficients(model))
    # Of an input without a range the data say it, as of the others that vary.
    open_ended = dp.LinearModel(
        A, B, C, observed=(np.append(low[:2], -np.inf), np.append(high[:2], np.inf))
    )
    many = recorded(50)
    centre = np.append(0.5 * (low + high)[:2], many.actions.mean())
    deviation = np.append(((high - low) / np.sqrt(12.0))[:2], many.actions.std())
    expected, _ = posterior(many, 30, centre, deviation)
    np.testing.assert_allclose(
        coefficients(open_ended.updated(many, rows=30)), expected, rtol=1e-8, atol=1e-9
    )


def test_noise_that_is_not_known_is_that_of_the_data():
    silent = dp.LinearModel(A + 0.1, B * 1.3, C)  # the true one
    data = recorded(4000)
    for rows in (1.0, 1e6):
        model = silent.updated(data, rows=rows)
        assert model.degrees_of_freedom == pytest.approx(4000.0)
        np.testing.assert_allclose(np.diag(model.noise_covariance), 0.03**2, rtol=0.1)


def test_what_does_not_vary_is_named():
    data = recorded(20)
    still = dp.Transitions(data.states, np.full((20, 1), 0.1), data.next_states)
    with pytest.raises(dp.ArgumentError, match=r"data: action 0 is the same in all 20.*observed="):
        KNOWN.updated(still, rows=10)
    still = dp.Transitions(data.states * [1.0, 0.0], data.actions, data.next_states)
    with pytest.raises(dp.ArgumentError, match="data: state 1 is the same"):
        KNOWN.updated(still, rows=10)
    ranged = dp.LinearModel(A, B, C, observed=([-np.inf, -1.0, -1.0], [np.inf, 1.0, 1.0]))
    # Nothing was seen of its effect, which stays the known one.
    model = ranged.updated(still, rows=10)
    assert model.rank == model.columns


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"rows": 0}, dp.ArgumentError, "rows: got 0.0, must be above 0 and at most 1e"),
        ({"rows": np.inf}, dp.ArgumentError, "rows: got inf"),
        ({"rows": 1e12}, dp.ArgumentError, "rows: got 1000000000000.0, must be"),
        ({"rows": np.nan}, dp.ArgumentError, "rows: got nan"),
        ({"rows": True}, dp.ArgumentError, "rows"),
        ({"data": [1.0]}, TypeError, "data"),
        (
            {"data": dp.Transitions(np.ones((2, 1)), np.ones((2, 1)), np.ones((2, 1)))},
            dp.ShapeError,
            "data: got 1 states and 1 actions, must be 2 and 1",
        ),
    ],
)
def test_what_is_no_data_or_no_worth_is_refused(change, error, message):
    given = {"data": recorded(5), "rows": 10, **change}
    with pytest.raises(error, match=message):
        KNOWN.updated(**given)
