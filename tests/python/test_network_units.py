"""Networks of data in any units that float64 and their own float32 allow."""

from __future__ import annotations

import numpy as np
import pytest

import dynaplan as dp

SMALL = {"hidden": (8,), "epochs": 8, "seed": 0}
FITS = {
    "MLP": dp.MLP.fit,
    "GaussianMLP": dp.GaussianMLP.fit,
    "Ensemble": lambda data, **settings: dp.Ensemble.fit(data, members=2, **settings),
}


def scaled(states=1.0, actions=1.0, rewards=1.0, rows=120):
    """Transitions in other units; in units of 1 they change by about 1/3."""
    generator = np.random.default_rng(0)
    s, a = generator.normal(size=(rows, 2)), generator.normal(size=(rows, 1))
    following = s + 0.5 * np.tanh(s @ [[0.9, -0.2], [0.1, 0.8]] + a * [0.5, 1.0])
    paid = (s[:, 0] * a[:, 0]) * rewards
    return dp.Transitions(s * states, a * actions, following * states, rewards=paid)


@pytest.mark.parametrize("kind", FITS)
@pytest.mark.parametrize("exponent", [-990, -600, -480, -100, -20, 20, 100, 480, 600, 990])
def test_predictions_are_in_the_units_of_the_data_to_the_bit(kind, exponent):
    unit = 2.0**exponent
    plain = FITS[kind](scaled(), rewards=True, **SMALL)
    data = scaled(unit, unit, unit)
    if kind != "MLP" and abs(exponent) > 500:
        with pytest.raises(dp.NumericalError, match="next_states: the change of column 0 varies"):
            FITS[kind](data, rewards=True, **SMALL)
        return
    model = FITS[kind](data, rewards=True, **SMALL)
    expected = plain.predict(scaled().states, scaled().actions)
    found = model.predict(data.states, data.actions)
    np.testing.assert_array_equal(found.mean / unit, expected.mean)
    np.testing.assert_array_equal(found.aleatoric / unit / unit, expected.aleatoric)
    np.testing.assert_array_equal(found.epistemic / unit / unit, expected.epistemic)
    reward = dp.rewards.predicted()
    sequences = scaled().actions[:, None]
    np.testing.assert_array_equal(
        dp.returns(model, reward, data.states, sequences * unit, dtype=np.float64) / unit,
        dp.returns(plain, reward, scaled().states, sequences, dtype=np.float64),
    )


def test_what_a_column_is_worth_is_not_measured_by_another():
    """States of 1e-290, 1 and 1e290 side by side, as if each were alone of its kind."""
    generator = np.random.default_rng(1)
    s, a = generator.normal(size=(200, 3)), generator.normal(size=(200, 1))
    following = s + 0.3 * np.tanh(s + a)
    units = 2.0 ** np.array([-963.0, 0.0, 963.0])
    plain = dp.MLP.fit(dp.Transitions(s, a, following), **SMALL)
    model = dp.MLP.fit(dp.Transitions(s * units, a, following * units), **SMALL)
    found = model.predict(s * units, a).mean / units
    np.testing.assert_array_equal(found, plain.predict(s, a).mean)


@pytest.mark.parametrize("kind", FITS)
def test_small_changes_of_states_that_stay_at_0_are_not_taken_for_none(kind):
    generator = np.random.default_rng(0)
    actions = generator.normal(size=(400, 1))
    states, changes = np.zeros((400, 1)), np.tanh(actions)
    unit, means = 2.0**-465, []
    for scale in (1.0, unit):
        data = dp.Transitions(states, actions, scale * changes)
        means.append(
            FITS[kind](data, hidden=(16,), epochs=60, seed=0).predict(states, actions).mean
        )
    np.testing.assert_array_equal(means[1] / unit, means[0])
    assert np.sqrt(((means[0] - changes) ** 2).mean()) < 0.4


@pytest.mark.parametrize("unit", [1e-250, 1e-100, 1.0, 1e100])
def test_a_target_that_varies_in_the_held_out_rows_alone_has_their_unit(unit):
    generator = np.random.default_rng(0)
    states, actions = np.zeros((60, 1)), generator.normal(size=(60, 1))
    training = dp.Transitions(states, actions, np.zeros((60, 1)))
    held_out = dp.Transitions(states[:9], actions[:9], unit * generator.normal(size=(9, 1)))
    model = dp.MLP.fit(training, held_out=held_out, **SMALL)
    assert np.abs(model.predict(states, actions).mean).max() < unit


@pytest.mark.parametrize(
    ("scales", "named"),
    [
        ((1e-310, 1.0, 1.0), "states: column 0 varies by"),
        ((1e307, 1.0, 1.0), "states: column 0 varies by"),
        ((1.0, 1e-310, 1.0), "actions: column 0 varies by"),
        ((1.0, 1e306, 1.0), "actions: column 0 varies by"),
        ((1.0, 1.0, 1e-310), "rewards: the reward varies by"),
        ((1.0, 1.0, 1e306), "rewards: the reward varies by"),
    ],
)
@pytest.mark.parametrize("kind", FITS)
def test_what_varies_by_too_little_or_too_much_is_refused_by_name(kind, scales, named):
    with pytest.raises(dp.NumericalError, match=f"{named} .*: choose another unit"):
        FITS[kind](scaled(*scales), rewards=True, **SMALL)


def test_changes_that_overflow_are_refused_by_name():
    states, actions = np.full((9, 1), 1.7e308), np.linspace(-1.0, 1.0, 9)[:, None]
    data = dp.Transitions(states, actions, -states, episodes=np.arange(9))
    with pytest.raises(dp.NumericalError, match="next_states: the change of column 0 overflows"):
        dp.MLP.fit(data, **SMALL)


@pytest.mark.parametrize("exponent", [-480, -110, -80, 80, 120, 480])
def test_disagreement_has_no_unit(exponent):
    """Also in float32, in which plans are sampled, where squares of 1e-25 are 0."""
    unit = 2.0**exponent
    results = []
    for scale in (1.0, unit):
        data = scaled(scale)
        model = dp.Ensemble.fit(data, members=3, **SMALL)
        limit = dp.DisagreementLimit.calibrated(model, data, quantile=0.5)
        planner = dp.RandomShooting(horizon=3, candidates=64, disagreement_limit=limit)
        results.append((limit, planner, model))
    limits = [limit.limit for limit, _, _ in results]
    assert limits[0] == limits[1] > 0.0
    if abs(exponent) > 120:
        return  # beyond float32
    rejected = []
    for _, planner, model in results:
        plan = planner.plan(
            model, dp.rewards.action_cost([1.0]), [0.0, 0.0], action_space=([-2.0], [2.0]), seed=0
        )
        rejected.append(plan.stats.rejected)
    assert rejected[0] == rejected[1] > 0
