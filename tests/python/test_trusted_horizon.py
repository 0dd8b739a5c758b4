"""How far a model is trusted where sensors are noisy, and how sure that is."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy.stats import chi2

import dynaplan as dp
from dynaplan.loops.schedules import rollout_length_at
from dynaplan.rollouts import error_ratio as ratios
from dynaplan.rollouts.open_loop import Differences, Scale

STEP = 2 * np.pi * 0.25 / 100.0  # radians: a quarter of a turn a second, at 100 Hz
TURN = np.array([[np.cos(STEP), np.sin(STEP)], [-np.sin(STEP), np.cos(STEP)]])


def function(matrix):
    return dp.FunctionModel(lambda s, a: s @ np.transpose(matrix), state_dim=2, action_dim=1)


def oscillations(noise, rows=400, episodes=4, seed=0, apart=False):
    """An oscillator whose states of deviation 1 / sqrt(2) are measured with that noise."""
    rng = np.random.default_rng(seed)
    parts = []
    for _ in range(episodes):
        angle = rng.uniform(0.0, 2.0 * np.pi) + STEP * np.arange(rows + 1)
        path = np.stack([np.sin(angle), np.cos(angle)], axis=1)
        seen = path + noise * rng.normal(size=path.shape)
        again = path + noise * rng.normal(size=path.shape) if apart else seen
        parts.append((seen[:-1], again[1:]))
    states, following = map(np.concatenate, zip(*parts, strict=True))
    ids = np.repeat(np.arange(episodes), rows)
    return dp.Transitions(states, np.zeros((len(ids), 1)), following, episodes=ids)


def walk(gain, noise, rows, seed, alternating=0.0):
    rng = np.random.default_rng(seed)
    path = [rng.normal(size=1)]
    for step in range(rows):
        path.append(gain * path[-1] + alternating * (-1) ** step + noise * rng.normal(size=1))
    path = np.array(path)
    return dp.Transitions(path[:-1], rng.normal(size=(rows, 1)), path[1:], episodes=[0] * rows)


def raw_ratio(check):
    return check.error_median / check.baseline_median


# --- noise of the sensors


@pytest.mark.parametrize(("rows", "episodes"), [(1000, 1), (400, 4), (200, 1), (200, 6)])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_true_system_is_trusted_however_noisy_its_sensors(rows, episodes, seed):
    noise = 0.015 * np.sqrt(0.5)
    check = dp.evaluate(function(TURN), oscillations(noise, rows, episodes, seed), 100)
    assert raw_ratio(check)[0] > 0.5  # of what is measured, the first step fails
    assert check.ratio[4] < 0.6 * raw_ratio(check)[4]
    assert check.trusted_horizon == 100
    assert check.trusted_interval == (None if episodes == 1 else (100, 100))


@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize("noise", [0.01, 0.1])
def test_the_noise_of_the_sensors_is_found_and_rather_too_small(noise, apart):
    data = oscillations(noise, 1000, 4, apart=apart)
    found = dp.evaluate(function(TURN), data, 5).noise_floor
    assert (found > 0.9 * noise).all()
    assert (found < 1.03 * noise).all()  # two standard errors of a deviation from 4,000 rows


@pytest.mark.parametrize("noise", [0.01, 0.1, 0.5])
def test_noise_excuses_no_bad_model(noise):
    data = oscillations(noise, seed=3)
    bad = {
        "three times too fast": np.linalg.matrix_power(TURN, 3),
        "backwards": TURN.T,
        "the mean": np.zeros((2, 2)),
        "nothing changes": np.eye(2),
        "unstable": 1.5 * TURN,
    }
    trusted = {name: dp.evaluate(function(m), data, 100).trusted_horizon for name, m in bad.items()}
    assert trusted == dict.fromkeys(bad, 0)


def test_what_a_model_makes_of_the_noise_beyond_its_size_is_its_error():
    data = oscillations(0.05, seed=4)
    # Right in the mean, but it doubles the noise of the second state within the first.
    unstable = np.array([[1.0, 2.0], [0.0, 1.0]])
    check = dp.evaluate(function(unstable), data, 20)
    assert check.trusted_horizon == 0


@pytest.mark.parametrize("seed", range(8))
def test_pure_noise_is_never_trusted(seed):
    rng = np.random.default_rng(seed)
    path = rng.normal(size=(301, 2))
    data = dp.Transitions(
        path[:-1], rng.normal(size=(300, 1)), path[1:], episodes=np.arange(300) // 60
    )
    for model in (dp.LinearGaussian.fit(data), function(np.zeros((2, 2)))):
        check = dp.evaluate(model, data, 30)
        assert check.trusted_horizon == 0
        assert (check.ratio > 0.5).all()


@pytest.mark.parametrize("gain", [0.2, 0.8, 0.99])
def test_the_noise_of_the_system_is_not_taken_for_that_of_a_sensor(gain):
    data = walk(gain, 1.0, 1000, 0)
    check = dp.evaluate(dp.LinearGaussian.fit(data), data, 10)
    np.testing.assert_array_equal(check.noise_floor, 0.0)


def test_an_error_that_alternates_is_not_taken_for_noise():
    data = walk(0.95, 0.02, 400, 0, alternating=0.1)
    check = dp.evaluate(dp.LinearGaussian.fit(data), data, 10)
    np.testing.assert_array_equal(check.noise_floor, 0.0)


def test_a_system_that_is_not_linear_is_not_taken_for_noise():
    rng = np.random.default_rng(0)
    path = [np.zeros(2)]
    actions = np.repeat(rng.uniform(-1.0, 1.0, 60), 10)[:, None]
    for [action] in actions:  # a pendulum, pushed for ten steps each
        angle, speed = path[-1]
        speed += 0.05 * (-9.81 * np.sin(angle) - 0.1 * speed + 8.0 * action)
        path.append(np.array([angle + 0.05 * speed, speed]))
    path = np.array(path)
    data = dp.Transitions(path[:-1], actions, path[1:])
    check = dp.evaluate(dp.LinearGaussian.fit(data), data, 10)
    np.testing.assert_array_equal(check.noise_floor, 0.0)
    np.testing.assert_allclose(check.ratio, raw_ratio(check), rtol=0.1)


def test_what_is_measured_stays_as_it_was():
    clean, noisy = oscillations(0.0), oscillations(0.1)
    check = dp.evaluate(function(TURN), clean, 20)
    np.testing.assert_array_equal(check.noise_floor, 0.0)
    check = dp.evaluate(function(TURN), noisy, 20)
    # Both states of either step: 2 R in each of two states, whose root mean square has a median of
    # sqrt(chi2 / 2) of two degrees of freedom.
    size = 0.1 * np.sqrt(2.0) / check.spread.mean()
    expected = size * np.sqrt(chi2(2).median() / 2.0)
    np.testing.assert_allclose(check.error_median, expected, rtol=0.07)
    np.testing.assert_allclose(check.rmse, 0.1 * np.sqrt(2.0), rtol=0.07)


@pytest.mark.parametrize("states", [1, 2, 5, 30])
def test_the_median_of_noise_is_that_of_chi_squared(states):
    scale = Scale(np.ones(states), np.full(states, 1.0 / states))
    found = ratios._median_noise(np.full(states, 3.0), scale)
    # Wilson & Hilferty are 3.4 % off at one degree of freedom, 1.4 % at two.
    assert found == pytest.approx(3.0 * chi2(states).median() / states, rel=0.035)
    one = np.zeros(states)
    one[0] = states
    alone = ratios._median_noise(one, scale)
    assert alone == pytest.approx(chi2(1).median(), rel=0.035)


def test_the_length_of_imagined_rollouts_does_not_flip():
    data = oscillations(0.015 * np.sqrt(0.5), 3000, 1)
    lengths, raw = [], []
    for fit in range(2, 12):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", dp.RankDeficientWarning)  # no action
            model = dp.LinearGaussian.fit(data[: 250 * fit])
        fresh, everything = data[250 * fit : 250 * (fit + 1)], data[: 250 * (fit + 1)]
        check = dp.evaluate(model, fresh, 5, reference=everything)
        lengths.append(rollout_length_at("trusted", 250 * fit, check, 5))
        raw.append(raw_ratio(check)[0])
    assert min(raw) > 0.5
    assert lengths == [5] * 10


@pytest.mark.parametrize("exponent", [-300, 40, 300])
def test_noise_and_trust_do_not_depend_on_units_nor_threads(exponent):
    data = oscillations(0.02, 100, 3, seed=6)
    plain = dp.evaluate(function(TURN), data, 30)
    unit = 2.0**exponent
    scaled = dp.Transitions(
        unit * data.states, data.actions, unit * data.next_states, episodes=data.episodes
    )
    other = dp.evaluate(function(TURN), scaled, 30, threads=2)
    assert (plain.noise_floor > 0.0).all()
    np.testing.assert_allclose(other.noise_floor / unit, plain.noise_floor, rtol=1e-9)
    np.testing.assert_allclose(other.ratio, plain.ratio, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(other.ratio_interval, plain.ratio_interval, rtol=1e-7, atol=1e-9)
    assert other.trusted_interval == plain.trusted_interval
    np.testing.assert_array_equal(
        dp.evaluate(function(TURN), data, 30, threads=2).ratio_interval, plain.ratio_interval
    )


def test_few_rows_tell_of_no_noise():
    data = oscillations(0.1, 25, 1)
    np.testing.assert_array_equal(dp.evaluate(function(TURN), data, 5).noise_floor, 0.0)


# --- the last lasting crossing, and how sure it is


def ratio_of(*ratio, change=1.0):
    ratio = np.array(ratio)
    change = np.broadcast_to(change, ratio.shape)
    return ratios.ErrorRatio((ratio * change) ** 2, change**2, np.zeros(len(ratio), bool))


@pytest.mark.parametrize(
    ("ratio", "change", "trusted"),
    [
        ((0.1, 0.2, 0.4, 0.6, 0.9), 1.0, 3),
        ((0.5,), 1.0, 1),
        ((0.51,), 1.0, 0),
        # Of a first step that changes little, nothing is to be concluded.
        ((0.8, 0.3, 0.2, 0.3, 0.9), (0.1, 1.0, 2.0, 3.0, 4.0), 4),
        # A crossing that does not last: the sums over the way stay below.
        ((0.1, 0.1, 0.6, 0.2, 0.7), 1.0, 4),
        # Wrong all the way, and right by chance.
        ((0.9, 0.9, 0.9, 0.9, 0.1), 1.0, 0),
        ((1.0, 1.0, *[0.1] * 20), 1.0, 0),
        ((0.1, np.inf, 0.1), 1.0, 1),
        ((0.0, 0.0), 0.0, 2),
    ],
)
def test_the_trusted_horizon_is_the_last_lasting_crossing(ratio, change, trusted):
    with np.errstate(invalid="ignore"):
        assert ratio_of(*ratio, change=change).trusted_steps(0.5) == trusted


def test_the_interval_is_that_of_resampled_episodes():
    rng = np.random.default_rng(1)
    episodes, rows, horizon = 8, 20, 6
    spread = rng.uniform(0.2, 2.0, episodes)  # episodes differ
    size = np.abs(rng.normal(size=(episodes * rows, horizon))) * np.repeat(spread, rows)[:, None]
    size *= np.arange(1.0, horizon + 1.0)
    reached = np.tile(np.arange(rows)[:, None] < rows - np.arange(horizon), (episodes, 1))
    unused = np.zeros((horizon, 1))
    errors = Differences(size, reached, unused, unused, unused[None])
    ids = np.repeat(np.arange(episodes), rows)
    none = np.zeros(horizon)
    draws = ratios.resampled_ratio(errors, np.ones(horizon), (none, none), ids, 0)
    low, high = ratios.interval(draws.ratio)
    drawn = rng.integers(episodes, size=(2000, episodes))
    rows_of = np.arange(episodes * rows).reshape(episodes, rows)
    medians = np.array(
        [
            np.nanmedian(np.where(reached, size, np.nan)[rows_of[one].ravel()], axis=0)
            for one in drawn
        ]
    )
    expected = np.quantile(medians, [0.05, 0.95], axis=0)
    np.testing.assert_allclose([low, high], expected, rtol=0.2)
    np.testing.assert_array_equal(
        draws.ratio,
        ratios.resampled_ratio(errors, np.ones(horizon), (none, none), ids, 0).ratio,
    )
    assert not np.array_equal(
        draws.ratio,
        ratios.resampled_ratio(errors, np.ones(horizon), (none, none), ids, 1).ratio,
    )


def test_episodes_that_differ_widen_the_interval():
    # Half of the episodes are of a system that turns the other way.
    right, wrong = oscillations(0.0, 60, 4, seed=1), oscillations(0.0, 60, 4, seed=2)
    backwards = dp.Transitions(
        wrong.states[:, ::-1], wrong.actions, wrong.next_states[:, ::-1], episodes=wrong.episodes
    )
    model = function(TURN)
    alike, mixed = (dp.evaluate(model, data, 30) for data in (right, right + backwards))
    assert alike.trusted_interval == (30, 30)
    assert alike.episodes == 4
    assert mixed.trusted_interval == (0, 30)
    assert mixed.episodes == 8
    assert (mixed.ratio_interval[0] <= mixed.ratio).all()
    assert (mixed.ratio_interval[1] >= mixed.ratio).all()


def test_of_one_episode_nobody_knows_how_sure_it_is():
    check = dp.evaluate(function(TURN), oscillations(0.0, 60, 1), 30)
    assert check.trusted_interval is None
    assert check.ratio_interval is None
    assert check.episodes == 1
    assert "one held-out episode: how sure is not known" in " ".join(str(check).split())


# --- gaps, states that never vary, states one by one


@pytest.mark.filterwarnings("ignore::dynaplan.SuspectDataWarning")
def test_no_prediction_crosses_a_gap():
    data = oscillations(0.01, 100, 2, seed=5)
    joined = dp.Transitions(data.states, data.actions, data.next_states, episodes=[0] * 200)
    apart, together = (dp.evaluate(function(TURN), one, 50) for one in (data, joined))
    np.testing.assert_array_equal(together.starts, apart.starts)
    np.testing.assert_array_equal(together.error_90, apart.error_90)
    np.testing.assert_array_equal(together.baseline_median, apart.baseline_median)
    np.testing.assert_allclose(together.rmse, apart.rmse, rtol=1e-14)  # summed up by episodes


@pytest.mark.filterwarnings("ignore::dynaplan.SuspectDataWarning")
def test_rows_in_no_order_are_segments_of_one_each():
    data = oscillations(0.0, 200, 1)
    mixed = np.random.default_rng(0).permutation(200)
    shuffled = dp.Transitions(
        data.states[mixed], data.actions[mixed], data.next_states[mixed], episodes=[0] * 200
    )
    check = dp.evaluate(function(TURN), shuffled, 50)
    # But for the few that happen to lie beside a neighbour, within what the system moves in steps.
    assert check.starts[0] == 200
    assert check.starts[1:].sum() < 20


@pytest.mark.parametrize("shift", [0.0, 1e-3, 1e100])
def test_a_state_that_never_varies_has_no_ratio_and_spoils_none(shift):
    data = oscillations(0.01, 100, 3)
    constant = np.full((len(data), 1), 5.0)
    padded = dp.Transitions(
        np.hstack([data.states, constant]),
        data.actions,
        np.hstack([data.next_states, constant]),
        episodes=data.episodes,
    )
    model = dp.FunctionModel(
        lambda s, a: np.hstack([s[:, :2] @ TURN.T, s[:, 2:] + shift]), state_dim=3, action_dim=1
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check = dp.evaluate(model, padded, 20)
        str(check)
    plain = dp.evaluate(function(TURN), data, 20)
    assert np.isnan(check.state_ratio[:, 2]).all()
    np.testing.assert_allclose(check.state_ratio[:, :2], plain.state_ratio)
    np.testing.assert_allclose(check.rmse[:, 2], shift * np.arange(1, 21))
    assert check.noise_floor[2] == 0.0
    if shift < 1.0:
        np.testing.assert_allclose(check.ratio, plain.ratio)
        assert check.trusted_horizon == plain.trusted_horizon


def test_states_are_measured_one_by_one():
    rng = np.random.default_rng(0)
    states = rng.normal(size=(60, 2))
    actions = np.zeros((60, 1))
    data = dp.Transitions(states, actions, states * [0.5, 0.9])
    model = dp.FunctionModel(lambda s, a: s * [0.5, 0.8], state_dim=2, action_dim=1)
    check = dp.evaluate(model, data, 1)
    expected = [0.0, 0.1 * np.sqrt(np.mean(states[:, 1] ** 2))]
    np.testing.assert_allclose(check.rmse, [expected], atol=1e-15)
    np.testing.assert_allclose(check.state_ratio, [[0.0, 1.0]], atol=1e-12)
    assert np.isnan(check.growth).all()  # of one step


def test_growth_is_the_factor_per_step():
    path = 0.1 * 1.1 ** np.arange(31.0)[:, None]
    data = dp.Transitions(path[:-1], np.zeros((30, 1)), path[1:])
    model = dp.FunctionModel(lambda s, a: 1.1 * s + 1e-6, state_dim=1, action_dim=1)
    check = dp.evaluate(model, data, 12)
    # After k steps the error is 1e-6 (1.1^k - 1) / 0.1, from wherever.
    np.testing.assert_allclose(check.rmse[:, 0], 1e-5 * (1.1 ** np.arange(1, 13) - 1), rtol=1e-6)
    np.testing.assert_allclose(check.growth, ((1.1**12 - 1) / 0.1) ** (1 / 11), rtol=1e-6)
    away = ratios.growth(np.array([[1.0, 0.0], [2.0, 1.0], [np.inf, 2.0]]))
    np.testing.assert_array_equal(away, [2.0, np.nan])
