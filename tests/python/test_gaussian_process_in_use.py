"""`GaussianProcess` in use: copies, bands, planners, refusals, Ctrl-C, a cart and a pole."""

import copy
import pickle
import re

import numpy as np
import pytest

import dynaplan as dp
from dynaplan.rollouts.known_region import KnownRegion
from reference import gaussian_process as reference
from reference.systems import wave


@pytest.fixture(scope="module")
def model() -> dp.GaussianProcess:
    return dp.GaussianProcess.fit(wave(), seed=0)


def test_the_same_seed_gives_the_same_bits_for_any_threads():
    data = wave(150)
    one = dp.GaussianProcess.fit(data, seed=3, hyperparameter_rows=140)
    two = dp.GaussianProcess.fit(data, seed=3, hyperparameter_rows=140, threads=2)
    assert reference.same(one, two)
    fresh = wave(200, seed=1)
    for threads in (2, 4):
        got = one.predict(fresh.states, fresh.actions, threads=threads)
        np.testing.assert_array_equal(got.mean, one.predict(fresh.states, fresh.actions).mean)


def test_kernels_of_some_rows_are_nearly_those_of_all_and_all_rows_count():
    data = wave(300)
    some = dp.GaussianProcess.fit(data, seed=0, hyperparameter_rows=150)
    every = dp.GaussianProcess.fit(data, seed=0, hyperparameter_rows=300)
    np.testing.assert_allclose(some.noise_std, every.noise_std, rtol=0.2)
    assert some.rows == 300
    wanted = reference.posterior(
        reference.inputs_of(data),
        data.next_states[:, 0] - data.states[:, 0],
        np.zeros((1, 3)),
        (some.length_scales[0], some.signal_std[0], some.noise_std[0]),
    )
    np.testing.assert_allclose(some.predict([0.0, 0.0], [0.0]).mean[:, 0], wanted.mean, rtol=1e-8)


@pytest.mark.parametrize(
    "again", [copy.copy, copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))]
)
def test_copies_predict_the_same_bits(model, again):
    calibrated = dp.calibrate_bands(model.calibrated(wave(seed=1)), wave(seed=2), 1)
    for one in (model, calibrated):
        twin = again(one)
        assert reference.same(twin, one)
        assert twin.rows == 80
        assert twin.observed_disagreement == one.observed_disagreement
        assert np.array_equal(twin.observed_low, reference.inputs_of(wave()).min(axis=0))
        np.testing.assert_array_equal(
            twin.sample([0.0, 0.0], [0.0], seed=1), one.sample([0.0, 0.0], [0.0], seed=1)
        )
    assert set(again(calibrated).band_factors) == set(calibrated.band_factors)


def test_a_calibrated_model_scales_its_noise_and_nothing_else(model):
    calibrated = model.calibrated(wave(300, seed=1))
    np.testing.assert_allclose(calibrated.noise_std, model.noise_std * calibrated.calibration)
    one, other = (m.predict([0.5, 0.5], [0.1]) for m in (model, calibrated))
    np.testing.assert_array_equal(one.mean, other.mean)
    np.testing.assert_array_equal(one.epistemic, other.epistemic)
    np.testing.assert_allclose(other.aleatoric, one.aleatoric * calibrated.calibration**2)
    assert reference.same(calibrated.uncalibrated, model)
    assert model.uncalibrated is model


def test_disagreement_tells_rows_like_those_fitted_from_others(model):
    limit, dynamics = model.observed_disagreement, model.dynamics
    region = KnownRegion(model)
    assert region.disagreement_limit == limit
    fresh = wave(1000, seed=7)
    inside = dp._core.disagreement(dynamics, fresh.states, fresh.actions, 1)
    assert (inside <= limit).mean() > 0.95
    beyond = dp._core.disagreement(dynamics, fresh.states + np.array([0.0, 9.0]), fresh.actions, 1)
    assert (beyond > limit).all()
    changes = (wave().next_states - wave().states).var(axis=0)
    epistemic = model.predict(fresh.states, fresh.actions).epistemic
    np.testing.assert_allclose(inside, np.sqrt((epistemic / changes).mean(axis=1)), rtol=1e-9)


def test_planners_run_it(model):
    spread = {"propagation": "sample", "particles": 4}
    plan = dp.CEM(horizon=5, candidates=64, elites=8, **spread).plan(
        model,
        dp.rewards.quadratic([0.0, 1.0], target=[0.0, 0.5]),
        [0.0, 0.0],
        action_space=([-1.0], [1.0]),
        seed=0,
    )
    assert plan.stats.non_finite == 0
    assert plan.states[-1, 1] == pytest.approx(0.5, abs=0.2)


# --- refusals


def test_too_many_rows_are_refused_with_what_to_do():
    data = wave(120)
    with pytest.raises(
        dp.ArgumentError,
        match=r"^data: got 120 rows, must be at most max_rows = 50; fit some of them, as "
        r"data\[::3\], or an Ensemble",
    ):
        dp.GaussianProcess.fit(data, max_rows=50)
    assert dp.GaussianProcess.fit(data[::3], max_rows=50, starts=1, seed=0).rows == 40


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"max_rows": 0}, "max_rows: got 0, must be at least 1"),
        ({"max_rows": 5001}, "max_rows: got 5001, must be at most 5000"),
        ({"starts": 0}, "starts: got 0, must be at least 1"),
        ({"starts": 1001}, "starts: got 1001, must be from 1 to 1000"),
        ({"hyperparameter_rows": 0}, "hyperparameter_rows: got 0, must be at least 1"),
        ({"threads": 0}, "threads: got 0"),
        ({"seed": -1}, "seed: got -1"),
    ],
)
def test_arguments_out_of_range_are_refused(arguments, message):
    with pytest.raises(dp.ArgumentError, match=re.escape(message)):
        dp.GaussianProcess.fit(wave(20), **arguments)


def test_what_is_none_is_refused():
    with pytest.raises(TypeError, match="data: got"):
        dp.GaussianProcess.fit(np.zeros((3, 2)))
    with pytest.raises(TypeError, match="prior: got"):
        dp.GaussianProcess.fit(wave(20), prior="linear")
    with pytest.raises(TypeError, match=r"use GaussianProcess.fit\(data\)"):
        dp.GaussianProcess(wave(20), angle_inputs=None)


def test_files_of_other_numbers_are_refused(tmp_path, model):
    arrays, header = model._file_parts()
    wrong = {
        "inputs": arrays["inputs"][:, :2],
        "changes": arrays["changes"][1:],
        "noise_std": -arrays["noise_std"],
        "signal_std": 0.0 * arrays["signal_std"],
        "inverse_length_scales": -arrays["inverse_length_scales"],
        "calibration": np.zeros(2),
    }
    for name, array in wrong.items():
        dp.files.write_model_file(
            tmp_path / "model",
            "GaussianProcess",
            {**arrays, name: np.ascontiguousarray(array)},
            header,
        )
        with pytest.raises(dp.ModelFileError, match=name):
            dp.load(tmp_path / "model")


# --- Ctrl-C

INTERRUPTED = """
import os, signal, threading, time
import numpy as np
import dynaplan as dp

rng = np.random.default_rng(0)
states, actions = rng.normal(size=(1500, 3)), rng.normal(size=(1500, 2))
after = states + np.sin(2.0 * states) + 0.1 * rng.normal(size=(1500, 3))
data = dp.Transitions(states, actions, after, episodes=np.arange(1500))
sent = None

def send():
    global sent
    sent = time.perf_counter()
    os.kill(os.getpid(), signal.SIGINT)

# In the search on few rows, on more, and in the factors of all.
for wait, settings in ((0.05, {}), (0.3, {}), (0.4, {"hyperparameter_rows": 20, "starts": 1})):
    timer = threading.Timer(wait, send)
    timer.start()
    try:
        dp.GaussianProcess.fit(data, seed=0, **settings)
    except KeyboardInterrupt:
        late = time.perf_counter() - sent
        assert late < 0.1, (wait, late)
    else:
        raise AssertionError("it was not interrupted")
    timer.join()
small = dp.GaussianProcess.fit(data[:50], seed=0)
assert np.isfinite(small.predict(states[0], actions[0]).mean).all()
"""


def test_a_fit_is_interrupted_within_a_tenth_of_a_second(run_python):
    run_python(INTERRUPTED)


# --- what it is for


def cart_pole(states, actions):
    """Gymnasium's cart and pole, with any force from -10 to 10 N; steps of 0.02 s."""
    _, speed, angle, turn = states.T
    force = 10.0 * actions[:, 0]
    push = (force + 0.05 * turn**2 * np.sin(angle)) / 1.1
    spin = (9.8 * np.sin(angle) - np.cos(angle) * push) / (
        0.5 * (4.0 / 3.0 - 0.1 * np.cos(angle) ** 2 / 1.1)
    )
    after = [speed, push - 0.05 * spin * np.cos(angle) / 1.1, turn, spin]
    return states + 0.02 * np.stack(after, axis=1)


def cart_pole_steps(rows, seed):
    """Single steps from anywhere that an episode of `cart_pole_runs` may lead to."""
    rng = np.random.default_rng(seed)
    states = rng.uniform(-1.0, 1.0, (rows, 4)) * [1.0, 2.0, np.pi, 6.0]
    actions = rng.uniform(-1.0, 1.0, (rows, 1))
    return dp.Transitions(states, actions, cart_pole(states, actions), angles={2: 2.0 * np.pi})


def cart_pole_runs(count, steps, seed):
    rng = np.random.default_rng(seed)
    states = rng.uniform(-1.0, 1.0, (count, 4)) * [0.5, 0.5, 0.5, 0.5] + [0.0, 0.0, np.pi, 0.0]
    actions = np.repeat(rng.uniform(-1.0, 1.0, (count, steps // 5, 1)), 5, axis=1)
    path = [states]
    for t in range(steps):
        path.append(cart_pole(path[-1], actions[:, t]))
    return np.stack(path, axis=1), actions


@pytest.mark.long
def test_a_hundred_rows_of_a_cart_and_pole_do_as_well_as_an_ensemble_of_four_hundred(capsys):
    path, actions = cart_pole_runs(50, 50, seed=9)
    spread = path[:, 1:].std(axis=(0, 1))

    def error(model):
        predicted = dp.rollout(model, path[:, 0], actions)[:, 1:]
        return float(np.sqrt((((predicted - path[:, 1:]) / spread) ** 2).mean()))

    ours = [error(dp.GaussianProcess.fit(cart_pole_steps(100, seed), seed=0)) for seed in range(3)]
    theirs = [error(dp.Ensemble.fit(cart_pole_steps(400, seed), seed=0)) for seed in range(3)]
    with capsys.disabled():
        print(f"\nGaussianProcess of 100 rows: {ours}, Ensemble of 400: {theirs}")
    assert np.median(ours) < 0.3 * np.median(theirs)
