"""Bands some steps ahead, and factors with which they hold on held-out data."""

from __future__ import annotations

import copy
import pickle

import gymnasium as gym
import numpy as np
import pytest
from scipy import stats

import dynaplan as dp
from dynaplan import files
from dynaplan.rollouts.bands import BAND_PARTICLES, _windows, are_inside, drawn_bands

AHEAD = 4


def heavy(episodes: int, seed: int, steps: int = 12) -> dp.Transitions:
    """Episodes of s' = 0.8 s + a + noise with heavy tails, of which Gaussians have no idea."""
    generator = np.random.default_rng(seed)
    states = generator.normal(size=(episodes, 2))
    rows = []
    for _ in range(steps):
        actions = generator.normal(size=(episodes, 1))
        noise = np.array([0.1, 0.02]) * generator.standard_t(2.5, size=(episodes, 2))
        rows.append((states, actions, 0.8 * states + actions + noise))
        states = rows[-1][2]
    columns = [
        np.stack(part, axis=1).reshape(episodes * steps, -1) for part in zip(*rows, strict=True)
    ]
    return dp.Transitions(*columns, episodes=np.repeat(np.arange(episodes), steps))


@pytest.fixture(scope="module")
def model():
    return dp.LinearGaussian.fit(heavy(30, seed=0))


def coverage(model, data, horizon=AHEAD):
    return dp.evaluate(model, data, horizon, propagation="sample").band_coverage


def test_bands_are_the_order_statistics_of_drawn_trajectories(model):
    states, actions = np.array([[0.5, -0.5]]), np.ones((1, 3, 1))
    found = dp.bands(model, states, actions, seed=3)
    drawn = dp.rollout(
        model, states, actions, propagation="sample", particles=BAND_PARTICLES, seed=3
    )
    ranked = np.sort(drawn[0, :, 1:], axis=0)
    np.testing.assert_array_equal(found.low[0], ranked[1])
    np.testing.assert_array_equal(found.middle[0], ranked[19])
    np.testing.assert_array_equal(found.high[0], ranked[-2])


def test_gaussian_noise_is_covered_as_it_is_known_to_be(model):
    # s' = 0.8 s + a + e: after k steps the variance is that of e times (1 - 0.64^k) / 0.36.
    plant = dp.LinearModel([[0.8]], [[1.0]], noise=[0.01])  # a variance
    found = dp.bands(plant, np.zeros((2000, 1)), np.zeros((2000, 6, 1)), seed=0)
    deviation = 0.1 * np.sqrt((1.0 - 0.64 ** np.arange(1, 7)) / 0.36)
    half = (found.high - found.low)[..., 0].mean(axis=0) / 2.0
    # The second largest of 39 Gaussian draws lies 1.70 deviations out on average.
    expected = stats.norm.expect(
        lambda x: 39 * 38 * x * stats.norm.cdf(x) ** 37 * stats.norm.sf(x), lb=-9, ub=9
    )
    np.testing.assert_allclose(half, expected * deviation, rtol=0.02)


def test_each_step_and_state_holds_as_often_as_it_should(model):
    calibrated = dp.calibrate_bands(model, heavy(1500, seed=1), AHEAD)
    fresh = heavy(3000, seed=2)
    starts = np.arange(0, len(fresh), 12)  # one of each episode
    rows = starts[:, None] + np.arange(AHEAD)
    arguments = (fresh.states[starts], fresh.actions[rows])
    found = are_inside(dp.bands(calibrated, *arguments, seed=5), fresh.next_states[rows]).mean(
        axis=0
    )
    assert found.shape == (AHEAD, 2)
    np.testing.assert_allclose(found, 0.9, atol=0.02)
    before = are_inside(drawn_bands(model, *arguments, "sample", 5, 1), fresh.next_states[rows])
    assert np.abs(before.mean(axis=0) - 0.9).max() > 0.02


def test_the_factor_is_the_ranked_ratio_of_errors_to_half_widths(model):
    held_out = heavy(19, seed=1, steps=1)
    factors = dp.calibrate_bands(model, held_out, seed=7).band_factors["sample"]
    drawn = drawn_bands(model, held_out.states, held_out.actions[:, None], "sample", 7, 1)
    errors = held_out.next_states - drawn.middle[:, 0]
    sides = np.where(errors < 0, drawn.middle - drawn.low, drawn.high - drawn.middle)[:, 0]
    assert factors.shape == (1, 2)
    np.testing.assert_allclose(factors[0], np.sort(np.abs(errors) / sides, axis=0)[18 - 1])


def test_beyond_the_last_step_its_factor_holds(model):
    calibrated = dp.calibrate_bands(model, heavy(100, seed=1), 2)
    arguments = (np.zeros((1, 2)), np.zeros((1, 5, 1)))
    scaled, drawn = (dp.bands(m, *arguments, seed=0) for m in (calibrated, model))
    factors = calibrated.band_factors["sample"][[0, 1, 1, 1, 1]]
    np.testing.assert_allclose(
        scaled.high - scaled.middle, factors * (drawn.high - drawn.middle), rtol=1e-9
    )
    np.testing.assert_array_equal(scaled.middle, drawn.middle)


def test_an_evaluation_shows_the_bands_before_and_after(model):
    calibrated, fresh = dp.calibrate_bands(model, heavy(400, seed=1), AHEAD), heavy(200, seed=2)
    before, after = (dp.evaluate(m, fresh, 6, propagation="sample") for m in (model, calibrated))
    assert before.band_coverage_uncalibrated is None
    np.testing.assert_array_equal(after.band_coverage_uncalibrated, before.band_coverage)
    np.testing.assert_allclose(after.band_coverage[:AHEAD], 0.9, atol=0.03)
    assert "uncalibrated" in str(after)
    assert "uncalibrated" not in str(before)
    other = dp.evaluate(calibrated, fresh, 2, propagation="moment")
    assert other.band_coverage_uncalibrated is None  # the factors are of other bands


def test_an_ensemble_of_225_rows_of_the_pendulum_is_made_to_hold():
    env = gym.make("Pendulum-v1")
    data, held_out, fresh = (
        dp.collect(env, steps=steps, seed=seed, episode_steps=length)
        for steps, seed, length in ((225, 0, 75), (8000, 1, 40), (4000, 2, 40))
    )
    model = dp.Ensemble.fit(data, hidden=(32, 32), epochs=100, seed=0)
    calibrated = dp.calibrate_bands(model, held_out, 20, propagation="tsinf")
    check = dp.evaluate(calibrated, fresh, 20, propagation="tsinf")
    assert check.band_coverage_uncalibrated[[4, 9, 19]].max() < 0.8
    np.testing.assert_allclose(check.band_coverage, 0.9, atol=0.04)


def test_windows_do_not_overlap_and_begin_anywhere():
    held_out = heavy(40, seed=1, steps=30)
    seen = [_windows(held_out, 10, seed)[9] for seed in range(200)]
    for starts in seen:
        assert (starts % 30 <= 20).all()
        within = np.diff(starts)[np.diff(starts // 30) == 0]
        assert (within == 10).all()
    counts = np.bincount(np.concatenate(seen) % 30, minlength=21)
    # Each of the 21 places is as likely as any other: 8,000 windows in ten phases.
    assert stats.chi2.sf(((counts - 800) ** 2 / 720).sum(), 21) > 1e-4


def test_copies_and_files_keep_the_factors(model, tmp_path):
    calibrated = model.calibrated(heavy(30, seed=3))
    calibrated = dp.calibrate_bands(calibrated, heavy(60, seed=1), 3)
    calibrated = dp.calibrate_bands(calibrated, heavy(60, seed=1), 2, propagation="moment")
    calibrated.save(tmp_path / "model")
    for twin in (
        dp.load(tmp_path / "model"),
        copy.deepcopy(calibrated),
        pickle.loads(pickle.dumps(calibrated)),
    ):
        assert list(twin.band_factors) == ["sample", "moment"]
        for name, factors in calibrated.band_factors.items():
            np.testing.assert_array_equal(twin.band_factors[name], factors)
        np.testing.assert_array_equal(twin.calibration, calibrated.calibration)
    dp.load(tmp_path / "model").save(tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == (tmp_path / "model").read_bytes()
    assert calibrated.uncalibrated.band_factors == {}
    assert calibrated.calibrated(heavy(30, seed=3)).band_factors == {}
    assert calibrated.updated(heavy(3, seed=4)).band_factors == {}
    assert not calibrated.band_factors["sample"].flags.writeable


def test_networks_keep_them_too(tmp_path):
    network = dp.GaussianMLP.fit(heavy(20, seed=0), hidden=(8,), epochs=5, seed=0)
    calibrated = dp.calibrate_bands(network, heavy(60, seed=1), 3, propagation="ts1")
    calibrated.save(tmp_path / "model")
    for twin in (dp.load(tmp_path / "model"), copy.deepcopy(calibrated)):
        np.testing.assert_array_equal(twin.band_factors["ts1"], calibrated.band_factors["ts1"])
    again = dp.GaussianMLP.fit(heavy(20, seed=0), hidden=(8,), epochs=5, seed=0, initial=calibrated)
    assert again.band_factors == {}


def test_seeds_and_threads(model):
    held_out = heavy(60, seed=1)
    first, again, other, threaded = (
        dp.calibrate_bands(model, held_out, 3, **given).band_factors["sample"]
        for given in ({}, {}, {"seed": 1}, {"threads": 2})
    )
    np.testing.assert_array_equal(again, first)
    np.testing.assert_array_equal(threaded, first)
    assert (other != first).any()


def test_too_few_windows_are_refused_with_the_cure(model):
    held_out = heavy(8, seed=1, steps=12)
    with pytest.raises(
        dp.ArgumentError, match=r"held_out: got \d windows of \d+ steps that do not"
    ):
        dp.calibrate_bands(model, held_out, 12)
    longest = len(dp.calibrate_bands(model, held_out).band_factors["sample"])
    assert 3 <= longest <= 11
    with pytest.raises(dp.ArgumentError, match=f"give at most {longest} steps, or more held-out"):
        dp.calibrate_bands(model, held_out, longest + 1)
    with pytest.raises(dp.ArgumentError, match=r"got 8 windows of 1 steps .* give more held-out"):
        dp.calibrate_bands(model, heavy(8, seed=1, steps=1))


def test_what_has_no_bands_is_refused_by_name(model):
    held_out = heavy(60, seed=1)
    with pytest.raises(TypeError, match=r"model: got .*, must be a LinearGaussian"):
        dp.calibrate_bands(dp.LinearModel(np.eye(2), np.ones((2, 1))), held_out)
    with pytest.raises(dp.ArgumentError, match="propagation: got 'mean'"):
        dp.calibrate_bands(model, held_out, propagation="mean")
    with pytest.raises(dp.ArgumentError, match="horizon: got 0"):
        dp.calibrate_bands(model, held_out, 0)
    with pytest.raises(dp.NumericalError, match=r"model is wrong in state 0, 1.* 1 steps ahead"):
        dp.calibrate_bands(dp.MLP.fit(heavy(5, seed=0), hidden=(4,), epochs=2, seed=0), held_out)


@pytest.mark.parametrize(
    ("name", "factors", "message"),
    [
        ("sample", np.zeros((2, 2)), "band_factors: got"),
        ("sample", np.ones((2, 3)), "band_factors: got shape"),
        ("sample", np.ones(2), "band_factors: got shape"),
        ("mean", np.ones((2, 2)), "does not belong"),
    ],
)
def test_a_file_with_other_factors_is_refused(model, tmp_path, name, factors, message):
    arrays, header = model._file_parts()
    path = tmp_path / "model"
    parts = {**arrays, f"band_factors.{name}": factors}
    files.write_model_file(path, "LinearGaussian", parts, header)
    with pytest.raises(dp.ModelFileError, match=message):
        dp.load(path)


def test_the_largest_seed_is_one_for_all_starts():
    # Those of the blocks of starts count on from it, and begin anew.
    data = dp.Transitions(*np.random.default_rng(0).normal(size=(3, 130, 1)))
    model = dp.LinearGaussian.fit(data)
    check = dp.evaluate(model, data, 3, propagation="sample", seed=2**64 - 1)
    assert (check.band_coverage > 0.5).all()
