"""The Kalman filter: conditioning of joint Gaussians, closed forms, SciPy's Riccati equation."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dynaplan as dp

linalg = pytest.importorskip("scipy.linalg")
stats = pytest.importorskip("scipy.stats")

nan = np.nan


def random_system(seed, states=3, actions=2, outputs=2, radius=0.9):
    """A model whose fastest mode is `radius`, its outputs, and their noise."""
    generator = np.random.default_rng(seed)
    a = generator.normal(size=(states, states))
    a *= radius / np.abs(np.linalg.eigvals(a)).max()
    root, noise_root = (
        generator.normal(size=(states, states)),
        generator.normal(size=(outputs,) * 2),
    )
    model = dp.LinearModel(
        a,
        generator.normal(size=(states, actions)),
        generator.normal(size=states),
        noise=root @ root.T,
    )
    noise = noise_root @ noise_root.T + 0.1 * np.eye(outputs)
    return model, generator.normal(size=(outputs, states)), noise


def records(seed, steps, outputs=2, actions=2, missing=0.0):
    generator = np.random.default_rng(seed + 1)
    observations = generator.normal(size=(steps, outputs))
    observations[generator.random(observations.shape) < missing] = nan
    return observations, generator.normal(size=(steps, actions))


def filtered(kalman, observations, actions):
    """The estimates after each observation; the actions act in between."""
    estimates = []
    for k, observation in enumerate(observations):
        if k:
            kalman.predict(actions[k - 1])
        estimates.append(kalman.update(observation))
    return np.array(estimates)


def conditioned(model, outputs, noise, first, record):
    """The last state given all observations, and their density, from one Gaussian of all at once.

    All states are linear in the first one and in the noise of the steps, all outputs in the states.
    """
    (mean, covariance), (observations, actions) = first, record
    steps, size = len(observations), model.state_dim
    means = [mean]
    for action in actions[: steps - 1]:
        means.append(model.A @ means[-1] + model.B @ action + model.c)
    sources = linalg.block_diag(covariance, *[model.noise_covariance] * (steps - 1))
    effect = np.zeros((steps * size, steps * size))
    for k in range(steps):
        for j in range(k + 1):
            power = np.linalg.matrix_power(model.A, k - j)
            effect[k * size : (k + 1) * size, j * size : (j + 1) * size] = power
    states = effect @ sources @ effect.T
    read = np.kron(np.eye(steps), outputs)
    seen = ~np.isnan(observations.ravel())
    read, values = read[seen], observations.ravel()[seen]
    spread = read @ states @ read.T + np.kron(np.eye(steps), noise)[np.ix_(seen, seen)]
    expected = read @ np.concatenate(means)
    last = np.zeros((size, steps * size))
    last[:, -size:] = np.eye(size)
    gain = np.linalg.solve(spread, read @ states @ last.T).T
    return (
        means[-1] + gain @ (values - expected),
        last @ states @ last.T - gain @ read @ states @ last.T,
        stats.multivariate_normal(expected, spread).logpdf(values) if len(values) else 0.0,
    )


@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 10**6),
    steps=st.integers(1, 6),
    missing=st.sampled_from([0.0, 0.4, 1.0]),
)
def test_it_is_the_gaussian_of_all_outputs_and_states_conditioned(seed, steps, missing):
    model, outputs, noise = random_system(seed)
    mean, covariance = np.array([1.0, -2.0, 0.5]), np.diag([1.0, 4.0, 0.25])
    observations, actions = records(seed, steps, missing=missing)
    kalman = dp.KalmanFilter(
        model, outputs, observation_noise=noise, mean=mean, covariance=covariance
    )
    estimates = filtered(kalman, observations, actions)
    expected = conditioned(model, outputs, noise, (mean, covariance), (observations, actions))
    scale = np.abs(expected[0]).max()
    np.testing.assert_allclose(estimates[-1], expected[0], rtol=1e-10, atol=1e-10 * scale)
    np.testing.assert_array_equal(kalman.mean, estimates[-1])
    scale = np.abs(expected[1]).max()
    np.testing.assert_allclose(kalman.covariance, expected[1], rtol=1e-10, atol=1e-10 * scale)
    assert kalman.log_likelihood == pytest.approx(expected[2], rel=1e-10, abs=1e-10)


def test_a_constant_is_the_weighted_mean_of_what_was_seen():
    constant = dp.LinearModel([[1.0]], [[0.0]])
    kalman = dp.KalmanFilter(
        constant, [[1.0]], observation_noise=[0.5], mean=[3.0], covariance=[2.0]
    )
    for y in (1.0, 2.0, nan, 4.0):
        kalman.update([y])
        kalman.predict([0.0])
    # Precisions add up: 1 / 2 before, 1 / 0.5 of each.
    assert kalman.covariance[0, 0] == pytest.approx(1.0 / (0.5 + 3 * 2.0), rel=1e-13)
    assert kalman.mean[0] == pytest.approx((3.0 * 0.5 + 7.0 * 2.0) / 6.5, rel=1e-13)


@pytest.mark.parametrize(("a", "q", "r"), [(1.0, 0.3, 2.0), (0.5, 1.0, 1.0), (1.7, 1e-6, 10.0)])
def test_the_steady_state_in_one_dimension(a, q, r):
    # P = a^2 P r / (P + r) + q, a quadratic equation in P.
    half = 0.5 * (q + (a * a - 1.0) * r)
    spread = half + np.sqrt(half * half + q * r)
    model = dp.LinearModel([[a]], [[1.0]], noise=[q])
    kalman = dp.KalmanFilter(model, [[1.0]], observation_noise=[r], mean=[0.0], covariance="steady")
    assert kalman.covariance[0, 0] == pytest.approx(spread, rel=1e-9)
    assert kalman.steady_gain[0, 0] == pytest.approx(spread / (spread + r), rel=1e-9)
    for _ in range(50):
        kalman.update([1.0])
        kalman.predict([0.0])
    assert kalman.covariance[0, 0] == pytest.approx(spread, rel=1e-9)


@settings(deadline=None, max_examples=8)
@given(seed=st.integers(0, 10**6), radius=st.floats(0.1, 1.3))
def test_the_steady_state_is_scipys_and_all_others_lead_to_it(seed, radius):
    model, outputs, noise = random_system(seed, radius=radius)
    expected = linalg.solve_discrete_are(model.A.T, outputs.T, model.noise_covariance, noise)
    spread = outputs @ expected @ outputs.T + noise
    gain = np.linalg.solve(spread, outputs @ expected).T
    settled = dp.KalmanFilter(
        model, outputs, observation_noise=noise, mean=np.zeros(3), covariance="steady"
    )
    scale = np.abs(expected).max()
    np.testing.assert_allclose(settled.covariance, expected, rtol=1e-7, atol=1e-7 * scale)
    np.testing.assert_allclose(settled.steady_gain, gain, rtol=1e-7, atol=1e-7 * np.abs(gain).max())
    # The gain is what an output that is larger by 1 adds.
    first = settled.update(np.zeros(2))
    settled.reset()
    np.testing.assert_allclose(
        settled.update([1.0, 0.0]) - first, settled.steady_gain[:, 0], rtol=1e-9, atol=1e-12
    )
    other = dp.KalmanFilter(
        model, outputs, observation_noise=noise, mean=np.zeros(3), covariance=100.0 * np.eye(3)
    )
    for _ in range(400):
        other.update([0.0, 0.0])
        other.predict([0.0, 0.0])
    np.testing.assert_allclose(other.covariance, expected, rtol=1e-6, atol=1e-6 * scale)


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10**6))
def test_it_begins_with_the_states_of_the_long_run(seed):
    model, outputs, noise = random_system(seed, radius=0.95)
    kalman = dp.KalmanFilter(model, outputs, observation_noise=noise)
    spread = linalg.solve_discrete_lyapunov(model.A, model.noise_covariance)
    scale = np.abs(spread).max()
    np.testing.assert_allclose(kalman.covariance, spread, rtol=1e-9, atol=1e-9 * scale)
    resting = model.predict(kalman.mean, np.zeros(2)).mean[0]
    np.testing.assert_allclose(resting, kalman.mean, rtol=1e-9, atol=1e-9)


@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 10**6),
    state_powers=st.lists(st.integers(-9, 9), min_size=3, max_size=3),
    output_powers=st.lists(st.integers(-9, 9), min_size=2, max_size=2),
    offset=st.floats(-10.0, 10.0),
)
def test_units_and_origins_do_not_matter(seed, state_powers, output_powers, offset):
    model, outputs, noise = random_system(seed)
    observations, actions = records(seed, 8, missing=0.2)
    plain = dp.KalmanFilter(model, outputs, observation_noise=noise)
    unit, output_unit = 10.0 ** np.array(state_powers), 10.0 ** np.array(output_powers)
    # States z = unit (s + offset), outputs w = output_unit (C s + C offset).
    moved = model.c + offset - model.A @ np.full(3, offset)
    other = dp.KalmanFilter(
        dp.LinearModel(
            unit[:, None] * model.A / unit,
            unit[:, None] * model.B,
            unit * moved,
            noise=unit[:, None] * model.noise_covariance * unit,
        ),
        output_unit[:, None] * outputs / unit,
        observation_noise=output_unit[:, None] * noise * output_unit,
    )
    estimates = filtered(plain, observations, actions)
    shifted = output_unit * (observations + outputs @ np.full(3, offset))
    found = filtered(other, shifted, actions) / unit - offset
    np.testing.assert_allclose(found, estimates, rtol=1e-8, atol=1e-8)
    scale = np.abs(plain.covariance).max()
    covariance = other.covariance / unit[:, None] / unit
    np.testing.assert_allclose(covariance, plain.covariance, rtol=1e-8, atol=1e-8 * scale)
    # A density is one in the outputs' units.
    seen = (~np.isnan(observations)).sum(axis=0)
    in_units = other.log_likelihood + seen @ np.log(output_unit)
    assert in_units == pytest.approx(plain.log_likelihood, rel=1e-8, abs=1e-6)


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10**6), order=st.permutations(range(3)))
def test_outputs_of_independent_noise_may_come_in_any_order(seed, order):
    model, outputs, _ = random_system(seed, outputs=3)
    variances = np.array([0.1, 1.0, 5.0])
    values = np.random.default_rng(seed).normal(size=3)
    together = dp.KalmanFilter(model, outputs, observation_noise=variances)
    together.update(values)
    apart = dp.KalmanFilter(model, outputs, observation_noise=variances)
    for k in order:
        apart.update(np.where(np.arange(3) == k, values, nan))
    swapped = dp.KalmanFilter(model, outputs[order], observation_noise=variances[order])
    swapped.update(values[order])
    for other in (apart, swapped):
        np.testing.assert_allclose(other.mean, together.mean, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(other.covariance, together.covariance, rtol=1e-9, atol=1e-9)
        assert other.log_likelihood == pytest.approx(together.log_likelihood, rel=1e-9)


@settings(deadline=None, max_examples=25)
@given(
    seed=st.integers(0, 10**6),
    variance=st.sampled_from([1e-20, 1e-8, 1.0, 1e8]),
    start=st.sampled_from([0.0, 1e-12, 1.0, 1e16]),
)
def test_the_covariance_is_one_however_exact_the_sensors(seed, variance, start):
    model, outputs, noise = random_system(seed, radius=1.02)
    kalman = dp.KalmanFilter(
        model,
        outputs,
        observation_noise=variance * noise,
        mean=np.zeros(3),
        covariance=start * np.eye(3),
    )
    observations, actions = records(seed, 60, missing=0.3)
    for observation, action in zip(observations, actions, strict=True):
        kalman.update(observation)
        kalman.predict(action)
        covariance = kalman.covariance
        np.testing.assert_array_equal(covariance, covariance.T)
        scale = np.sqrt(np.diag(covariance))
        assert np.linalg.eigvalsh(covariance / scale[:, None] / scale)[0] > -1e-14
        assert np.isfinite(kalman.mean).all()
    # What is drawn from it needs a factor, which `LinearModel` demands of its noise too.
    dp.LinearModel(model.A, model.B, noise=kalman.covariance)


@pytest.mark.parametrize("variance", [1e-4, 1e-8])
def test_what_an_exact_sensor_leaves_open_keeps_its_digits(variance):
    constants = dp.LinearModel(np.eye(2), np.zeros((2, 1)))
    kalman = dp.KalmanFilter(
        constants,
        [[1.0, 1.0]],
        observation_noise=[variance],
        mean=[0.0, 0.0],
        covariance=[1e8, 1e8],
    )
    deviation = np.sqrt(variance)
    first = kalman.update([3.0])
    assert kalman.covariance[0, 0] == pytest.approx(0.5e8, rel=1e-9)
    # The sum is known as well as it was measured, so that a second look counts as much as the
    # first; (1 - gain) P, the textbook's formula, has rounded that to 1e8 times 1e-16, or to 0.
    second = kalman.update([3.0 + deviation])
    assert np.sum(second - first) == pytest.approx(0.5 * deviation, rel=1e-3)


def test_a_controller_acts_on_what_the_filter_makes_of_places_alone():
    cart = dp.LinearModel([[1.0, 0.1], [0.0, 0.98]], [[0.005], [0.1]], noise=[1e-6, 1e-5])
    reward = dp.rewards.quadratic([1.0, 0.1], [1.0, 0.0]) + dp.rewards.action_cost([0.01])
    mpc = dp.MPC(cart, reward, dp.LQR(horizon=20), action_space=([-2.0], [2.0]), seed=0)
    kalman = dp.KalmanFilter(
        cart, [[1.0, 0.0]], observation_noise=[1e-4], mean=[0.0, 0.0], covariance=[1.0, 1.0]
    )
    generator = np.random.default_rng(0)
    state, errors, normalised = np.array([0.3, -0.5]), [], []
    for k in range(150):
        state_seen = kalman.update(state[:1] + 0.01 * generator.normal(size=1))
        error = state_seen - state
        errors.append(error)
        normalised.append(error @ np.linalg.solve(kalman.covariance, error))
        action = mpc.act(state_seen)
        kalman.predict(action)
        state = cart.sample(state, action, seed=k)[0]
    assert abs(state[0] - 1.0) < 0.1
    assert np.abs(np.array(errors)[20:, 1]).max() < 0.1  # of the speed, which nothing measures
    # Errors of two dimensions, each in units of its covariance, are 2 on average.
    assert np.mean(normalised) == pytest.approx(2.0, abs=0.7)


def test_it_takes_fitted_models():
    generator = np.random.default_rng(0)
    states, actions = generator.normal(size=(50, 2)), generator.normal(size=(50, 1))
    data = dp.Transitions(states, actions, states @ [[0.5, 0.1], [0.0, 0.9]] + actions)
    fitted = dp.LinearGaussian.fit(data)
    known = dp.LinearModel(fitted.A, fitted.B, fitted.c, noise=fitted.noise_covariance)
    given = {"observation_noise": [0.1], "mean": [0.0, 0.0], "covariance": [1.0, 1.0]}
    filters = [dp.KalmanFilter(model, [[1.0, 0.0]], **given) for model in (fitted, known)]
    for one in filters:
        one.update([0.3])
        one.predict([0.2])
    np.testing.assert_array_equal(filters[0].mean, filters[1].mean)
    with pytest.raises(TypeError, match=r"model: got .*degree 1"):
        dp.KalmanFilter(
            dp.LinearGaussian.fit(data, features=dp.Polynomial(2)), [[1.0, 0.0]], **given
        )


def test_it_forgets_and_begins_again():
    model, outputs, noise = random_system(0)
    kalman = dp.KalmanFilter(model, outputs, observation_noise=noise)
    observations, actions = records(0, 5)
    first = filtered(kalman, observations, actions)
    likelihood = kalman.log_likelihood
    kalman.reset()
    assert kalman.log_likelihood == 0.0
    np.testing.assert_array_equal(filtered(kalman, observations, actions), first)
    assert kalman.log_likelihood == likelihood
    kalman.reset(mean=[1.0, 2.0, 3.0], covariance=[0.0, 0.0, 0.0])
    np.testing.assert_array_equal(kalman.update(observations[0]), [1.0, 2.0, 3.0])
    kalman.reset()
    np.testing.assert_array_equal(kalman.update(observations[0]), first[0])


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"C": [1.0, 0.0]}, dp.ShapeError, r"C: got shape \(2,\), must be \(Y, 2\)"),
        ({"C": [[nan, 0.0]]}, dp.ArgumentError, "C: got .*must be finite"),
        ({"observation_noise": [1.0, 1.0]}, dp.ShapeError, "observation_noise: got shape"),
        ({"observation_noise": [0.0]}, dp.ArgumentError, "observation_noise: .*resolution"),
        ({"observation_noise": [-1.0]}, dp.ArgumentError, "observation_noise: .*negative"),
        ({"mean": [0.0]}, dp.ShapeError, "mean: got shape"),
        ({"mean": [np.inf, 0.0]}, dp.ArgumentError, "mean: got .*finite"),
        ({"mean": None}, dp.ArgumentError, "mean: got None.*does not decay; give the mean"),
        ({"covariance": None}, dp.ArgumentError, "covariance: got None.*does not decay; give"),
        ({"covariance": [1.0, -1.0]}, dp.ArgumentError, "covariance: got variances"),
        ({"covariance": "stationary"}, dp.ArgumentError, "covariance: got 'stationary'"),
        ({"C": [[0.0, 1.0]], "covariance": "steady"}, dp.NumericalError, "no steady state"),
        ({"model": "cart"}, TypeError, "model: got 'cart'"),
    ],
)
def test_what_makes_no_filter_is_refused(change, error, message):
    given = {
        "model": dp.LinearModel([[1.0, 0.1], [0.0, 1.0]], [[0.0], [0.1]], noise=[0.0, 1e-4]),
        "C": [[1.0, 0.0]],
        "observation_noise": [0.1],
        "mean": [0.0, 0.0],
        "covariance": [1.0, 1.0],
    }
    dp.KalmanFilter(**given)
    with pytest.raises(error, match=message):
        dp.KalmanFilter(**{**given, **change})


def test_a_model_without_noise_needs_a_covariance():
    decaying = dp.LinearModel([[0.5]], [[1.0]])
    with pytest.raises(dp.ArgumentError, match="covariance: got None, and the model has no noise"):
        dp.KalmanFilter(decaying, [[1.0]], observation_noise=[1.0])
    kalman = dp.KalmanFilter(decaying, [[1.0]], observation_noise=[1.0], covariance=[3.0])
    assert kalman.update([1.0])[0] == pytest.approx(0.75)


def test_what_is_refused_on_the_way_changes_nothing():
    model = dp.LinearModel([[1e200]], [[1.0]], noise=[1.0])
    kalman = dp.KalmanFilter(model, [[1.0]], observation_noise=[1.0], mean=[0.5], covariance=[1.0])
    before = pickle.dumps(kalman)
    for call, value, error, message in [
        (kalman.update, [np.inf], dp.ArgumentError, "observation: got .*inf.*nan where"),
        (kalman.update, [1.0, 2.0], dp.ShapeError, "observation: got shape"),
        (kalman.update, [1e200], dp.NumericalError, "overflows"),
        (kalman.predict, [nan], dp.ArgumentError, "action: got .*must be finite"),
        (kalman.predict, [[0.0]], dp.ShapeError, "action: got shape"),
        (kalman.predict, [0.0], dp.NumericalError, "overflows.*reset"),
    ]:
        with pytest.raises(error, match=message):
            call(value)
        assert pickle.dumps(kalman) == before
