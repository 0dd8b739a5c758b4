"""What a fit warns of where actions are discrete: not of one-hot rows, but of all that is open."""

from __future__ import annotations

import warnings

import gymnasium
import numpy as np
import pytest

import dynaplan as dp

RNG = np.random.default_rng(0)
STATES = RNG.normal(size=(200, 2))
NUMBERS = RNG.integers(3, size=200)


def warnings_of(states, numbers, degree, *, intercept=True, count=3):
    data = dp.Transitions(states, numbers, 0.9 * states, discrete_actions=count)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        dp.LinearGaussian.fit(data, features=dp.Polynomial(degree), intercept=intercept)
    return [str(warning.message) for warning in caught]


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("degree", [1, 2, 3])
@pytest.mark.parametrize("count", [2, 3])
def test_one_hot_rows_leave_nothing_open(degree, intercept, count):
    assert warnings_of(STATES, NUMBERS % count, degree, intercept=intercept, count=count) == []


@pytest.mark.parametrize(
    ("name", "degree"),
    [("CartPole-v1", 1), ("CartPole-v1", 2), ("Acrobot-v1", 1), ("Acrobot-v1", 2)],
)
def test_environments_with_discrete_actions_are_fitted_in_silence(name, degree):
    # Acrobot's cosines and sines add up to 1, too, but for the rounding of float32.
    data = dp.collect(gymnasium.make(name), 300, seed=0)
    model = dp.LinearGaussian.fit(data, features=dp.Polynomial(degree))
    assert model.rank < model.columns
    prediction = model.predict(data.states, data.actions)
    assert np.isfinite(prediction.epistemic).all()
    spread = (data.next_states - data.states).std(axis=0)
    assert np.median(abs(prediction.mean - data.next_states) / spread) < 0.1


@pytest.mark.parametrize("degree", [1, 2])
def test_an_action_that_never_occurred_is_named(degree):
    [message] = warnings_of(STATES, NUMBERS % 2, degree)
    assert "action 2 never varied" in message


@pytest.mark.parametrize("degree", [1, 2])
def test_a_state_that_depends_on_another_is_named(degree):
    states = np.column_stack([STATES[:, 0], -3.0 * STATES[:, 0]])
    [message] = warnings_of(states, NUMBERS, degree)
    assert "but state 0, state 1 did not vary independently" in message


def test_a_state_that_depends_on_another_under_one_action_is_named_where_it_matters():
    states = STATES.copy()
    states[NUMBERS == 1, 1] = states[NUMBERS == 1, 0]
    assert warnings_of(states, NUMBERS, 1) == []  # the slopes are the same for all actions
    [message] = warnings_of(states, NUMBERS, 2)
    assert "state 0, state 1 did not vary independently" in message


@pytest.mark.parametrize("degree", [1, 2])
def test_an_action_that_shows_in_a_state_is_named(degree):
    states = np.column_stack([STATES[:, 0], NUMBERS == 1])
    [message] = warnings_of(states, NUMBERS, degree)
    assert "state 1, action 0, action 1, action 2 did not vary independently" in message


def test_shares_of_a_mixture_are_no_discrete_actions():
    shares = RNG.dirichlet(np.ones(3), size=200)
    data = dp.Transitions(STATES, shares, 0.9 * STATES)
    with pytest.warns(dp.RankDeficientWarning, match="action 0, action 1, action 2 did not vary"):
        dp.LinearGaussian.fit(data)


def test_an_update_speaks_of_all_rows():
    half = dp.Transitions(STATES[:50], NUMBERS[:50] % 2, STATES[:50], discrete_actions=3)
    rest = dp.Transitions(STATES[50:], NUMBERS[50:], STATES[50:], discrete_actions=3)
    with pytest.warns(dp.RankDeficientWarning, match="action 2 never varied"):
        model = dp.LinearGaussian.fit(half)
    model.updated(rest)
