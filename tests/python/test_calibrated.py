"""Noise that is scaled until the bands hold on held-out data."""

from __future__ import annotations

import copy
import pickle
from statistics import NormalDist

import numpy as np
import pytest
from scipy import stats

import dynaplan as dp
import model_files
from dynaplan import files

SIZES = np.array([0.1, 1e-3])
SHORT = {"hidden": (8,), "epochs": 10, "seed": 0}


def heavy(rows: int, seed: int) -> dp.Transitions:
    """A bent system with heavy-tailed noise, of which no model here has the right idea."""
    generator = np.random.default_rng(seed)
    states, actions = generator.normal(size=(rows, 2)), generator.normal(size=(rows, 1))
    noise = SIZES * generator.standard_t(2.5, size=(rows, 2)) * (1.0 + np.abs(states[:, :1]))
    bent = 0.05 * SIZES * states**2
    return dp.Transitions(states, actions, 0.5 * states + actions + bent + noise)


FITS = {
    "linear": dp.LinearGaussian.fit,
    "polynomial, little ridge": lambda data: dp.LinearGaussian.fit(
        data, features=dp.Polynomial(2), ridge=1e-5
    ),
    "Gaussian process": lambda data: dp.GaussianProcess.fit(data, starts=1, seed=0),
    "probabilistic network": lambda data: dp.GaussianMLP.fit(data, **SHORT),
    "ensemble": lambda data: dp.Ensemble.fit(data, **SHORT, members=3),
}


@pytest.fixture(scope="module", params=FITS)
def model(request):
    return FITS[request.param](heavy(200, seed=0))


def within(model, data, level=0.9):
    """(N, S) whether each next state lies in the one-step band."""
    prediction = model.predict(data.states, data.actions)
    deviation = np.sqrt(prediction.aleatoric + prediction.epistemic)
    # The factor is the ratio of one row, which is on the edge of its band but for rounding.
    reach = NormalDist().inv_cdf(0.5 + 0.5 * level) * deviation * (1.0 + 1e-5)
    return np.abs(data.next_states - prediction.mean) <= reach


@pytest.mark.parametrize(("rows", "level", "rank"), [(199, 0.9, 180), (9, 0.9, 9), (60, 0.5, 31)])
def test_as_many_held_out_rows_lie_in_the_bands_as_conformal_prediction_says(
    model, rows, level, rank
):
    held_out = heavy(rows, seed=1)
    calibrated = model.calibrated(held_out, level=level)
    np.testing.assert_array_equal(within(calibrated, held_out, level).sum(axis=0), rank)


def test_the_factor_is_that_of_the_formula():
    model, held_out = FITS["linear"](heavy(200, seed=0)), heavy(99, seed=1)
    prediction = model.predict(held_out.states, held_out.actions)
    deviation = np.sqrt(prediction.aleatoric + prediction.epistemic)
    scores = np.abs(held_out.next_states - prediction.mean) / deviation
    expected = np.sort(scores, axis=0)[90 - 1] / stats.norm.ppf(0.95)  # ceil(0.9 x 100)
    np.testing.assert_allclose(model.calibrated(held_out).calibration, expected, rtol=1e-12)


def test_fresh_rows_lie_in_the_bands_as_often_as_they_should(model):
    calibrated, fresh = model.calibrated(heavy(199, seed=1)), heavy(20_000, seed=2)
    # Given the held-out rows the count of fresh ones is beta-binomial (Vovk 2012).
    low, high = stats.betabinom(len(fresh), 180, 20).ppf([1e-5, 1.0 - 1e-5])
    counts = within(calibrated, fresh).sum(axis=0)
    assert (counts >= low).all()
    assert (counts <= high).all()


def test_over_many_held_out_sets_the_coverage_is_exact():
    model, fresh = FITS["linear"](heavy(200, seed=0)), heavy(2000, seed=2)
    shares = [
        within(model.calibrated(heavy(19, seed=seed)), fresh).mean() for seed in range(3, 303)
    ]
    # Beta(18, 2) has the mean 18 / 20 and a standard deviation of 0.065; two states each.
    assert np.mean(shares) == pytest.approx(0.9, abs=4.0 * 0.065 / np.sqrt(300))


def test_noise_is_scaled_and_nothing_else(model):
    calibrated = model.calibrated(heavy(199, seed=1))
    data = heavy(50, seed=2)
    before, after = (m.predict(data.states, data.actions) for m in (model, calibrated))
    np.testing.assert_array_equal(after.mean, before.mean)
    squares = calibrated.calibration**2
    np.testing.assert_allclose(after.aleatoric / before.aleatoric, np.tile(squares, (50, 1)), 1e-5)
    if isinstance(model, dp.LinearGaussian):  # what is unknown is in proportion to the noise
        expected = np.tile(squares, (50, 1))
        np.testing.assert_allclose(after.epistemic / before.epistemic, expected, rtol=1e-9)
        np.testing.assert_allclose(
            calibrated.noise_covariance,
            np.diag(calibrated.calibration)
            @ model.noise_covariance
            @ np.diag(calibrated.calibration),
            rtol=1e-9,
        )
        np.testing.assert_array_equal(calibrated.coefficients, model.coefficients)
        np.testing.assert_array_equal(calibrated.factor, model.factor)
    else:
        np.testing.assert_array_equal(after.epistemic, before.epistemic)
    assert model.calibration is None


def test_draws_have_the_new_noise(model):
    calibrated = model.calibrated(heavy(199, seed=1))
    state, action = np.zeros((20_000, 2)), np.zeros((20_000, 1))
    prediction = calibrated.predict(state[:1], action[:1])
    variance = prediction.aleatoric[0]
    if not isinstance(model, dp.LinearGaussian):
        variance = variance + prediction.epistemic[0]
    for drawn in (
        calibrated.sample(state, action, seed=0),
        dp.rollout(calibrated, state, action[:, None], propagation="sample", seed=0)[:, 1],
    ):
        # The variance of 20,000 Gaussian draws is off by a hundredth; mixtures have more.
        np.testing.assert_allclose(drawn.var(axis=0), variance, rtol=0.08)


def test_an_evaluation_shows_the_coverage_before_and_after(model):
    calibrated, fresh = model.calibrated(heavy(199, seed=1)), heavy(400, seed=2)
    before, after = (dp.evaluate(m, fresh, horizon=1) for m in (model, calibrated))
    assert before.coverage_uncalibrated is None
    for level, shares in before.coverage.items():
        np.testing.assert_array_equal(after.coverage_uncalibrated[level], shares)
    assert (np.abs(after.coverage[0.9] - 0.9) < 0.08).all()
    lines = str(after).splitlines()
    assert sum(line.startswith("  uncalibrated ") for line in lines) == 3
    assert "uncalibrated" not in str(before)


def test_copies_and_files_keep_it(model, tmp_path):
    calibrated = model.calibrated(heavy(199, seed=1))
    calibrated.save(tmp_path / "model")
    data = heavy(10, seed=2)
    expected = calibrated.predict(data.states, data.actions)
    twins = [
        dp.load(tmp_path / "model"),
        copy.deepcopy(calibrated),
        pickle.loads(pickle.dumps(calibrated)),
    ]
    for twin in twins:
        np.testing.assert_array_equal(twin.calibration, calibrated.calibration)
        for mine, theirs in zip(expected, twin.predict(data.states, data.actions), strict=True):
            np.testing.assert_array_equal(theirs, mine)
        plain = twin.uncalibrated
        assert plain.calibration is None
        np.testing.assert_array_equal(
            plain.predict(data.states, data.actions).aleatoric,
            model.predict(data.states, data.actions).aleatoric,
        )
    twins[0].save(tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == (tmp_path / "model").read_bytes()
    assert model.uncalibrated is model


def test_another_calibration_replaces_the_first(model):
    once, other = heavy(199, seed=1), heavy(99, seed=2)
    twice = model.calibrated(once).calibrated(other)
    np.testing.assert_array_equal(twice.calibration, model.calibrated(other).calibration)


def test_more_data_make_it_void():
    model = FITS["linear"](heavy(200, seed=0))
    calibrated, more = model.calibrated(heavy(199, seed=1)), heavy(50, seed=2)
    for mine, theirs in (
        (calibrated.updated(more), model.updated(more)),
        (calibrated.merged(model), model.merged(model)),
    ):
        assert mine.calibration is None
        np.testing.assert_array_equal(mine.noise_covariance, theirs.noise_covariance)
    network = FITS["probabilistic network"](heavy(200, seed=0))
    mine, theirs = (
        dp.GaussianMLP.fit(more, **SHORT, initial=initial)
        for initial in (network.calibrated(heavy(199, seed=1)), network)
    )
    assert mine.calibration is None
    np.testing.assert_array_equal(mine.history.training, theirs.history.training)


def test_a_learned_reward_keeps_its_noise():
    data = heavy(200, seed=0)
    data = dp.Transitions(data.states, data.actions, data.next_states, data.states[:, 0])
    model = dp.GaussianMLP.fit(data, **SHORT, rewards=True)
    arrays = [m._parameters.log_variance_low for m in (model, model.calibrated(heavy(199, seed=1)))]
    assert (arrays[0] != arrays[1]).tolist() == [[True, True, False]]


def test_an_angle_is_off_by_the_short_way_round():
    generator = np.random.default_rng(0)
    angles, actions = generator.uniform(-3.0, 3.0, (200, 1)), generator.normal(size=(200, 1))
    after = angles + 0.1 * actions + 0.01 * generator.normal(size=(200, 1))
    data = dp.Transitions(angles, actions, after)
    turned = dp.Transitions(angles, actions, after + 2.0 * np.pi)
    model = dp.GaussianMLP.fit(data, **SHORT, angles=[0])
    factors = [model.calibrated(part).calibration for part in (data, turned)]
    np.testing.assert_allclose(*factors, rtol=1e-9)


def test_what_is_predicted_exactly_needs_no_noise():
    data = heavy(200, seed=0)
    exact = np.column_stack([data.next_states[:, 0], data.states[:, 0] + data.states[:, 1]])
    first, second = (
        dp.Transitions(part.states, part.actions, part.next_states)
        for part in dp.Transitions(data.states, data.actions, exact).split(0.5, seed=0)
    )
    factors = dp.LinearGaussian.fit(first).calibrated(second).calibration
    assert factors[1] == 1e-3
    assert factors[0] > 0.1


def test_what_cannot_be_calibrated_is_refused_by_name():
    data = heavy(200, seed=0)
    model = dp.LinearGaussian.fit(data)
    with pytest.raises(dp.ArgumentError, match="held_out: got 8 rows, must be at least 9 for"):
        model.calibrated(heavy(8, seed=1))
    for level in (0.0, 1.0, np.nan):
        with pytest.raises(dp.ArgumentError, match="level: got"):
            model.calibrated(data, level=level)
    with pytest.raises(dp.ShapeError, match=r"held_out: got \(state_dim, action_dim\) \(1, 1\)"):
        model.calibrated(dp.Transitions([[0.0]], [[0.0]], [[0.0]]))
    with pytest.raises(TypeError, match=r"held_out: got \[1.0\], must be Transitions"):
        model.calibrated([1.0])
    for silent in (
        dp.MLP.fit(data, **SHORT),
        dp.Ensemble.fit(data, **SHORT, members=2, probabilistic=False),
    ):
        with pytest.raises(dp.ArgumentError, match="predicts no noise whose size"):
            silent.calibrated(data)
    exact = dp.LinearGaussian.fit(dp.Transitions(data.states, data.actions, 0.5 * data.states))
    with pytest.raises(dp.NumericalError, match="the model is wrong in state 0, 1, of which"):
        exact.calibrated(data)
    ridged = dp.LinearGaussian.fit(data, ridge=10.0)
    quiet = ridged.predict(data.states, data.actions).mean
    with pytest.raises(dp.NumericalError, match="than what ridge 10 leaves unexplained"):
        ridged.calibrated(dp.Transitions(data.states, data.actions, quiet))


@pytest.mark.parametrize("kind", ["quadratic", "GaussianMLP"])
@pytest.mark.parametrize(
    ("factors", "message"),
    [
        ([0.0, 1.0], "calibration: got"),
        ([1.0, 1e300], "calibration: got"),
        ([1.0], "array 'calibration': got float64 of shape"),
    ],
)
def test_a_file_with_another_calibration_is_refused(tmp_path, kind, factors, message):
    made = {**model_files.MODELS, **model_files.NETWORKS}[kind]()
    arrays, header = made._file_parts()
    path = tmp_path / "model"
    parts = {**arrays, "calibration": np.array(factors)}
    files.write_model_file(path, type(made).__name__, parts, header)
    with pytest.raises(dp.ModelFileError, match=message):
        dp.load(path)


def test_a_file_of_means_cannot_have_a_calibration(tmp_path):
    made = model_files.NETWORKS["MLP"]()
    arrays, header = made._file_parts()
    path = tmp_path / "model"
    files.write_model_file(path, "MLP", {**arrays, "calibration": np.ones(2)}, header)
    with pytest.raises(dp.ModelFileError, match="MLP predicts no noise"):
        dp.load(path)
