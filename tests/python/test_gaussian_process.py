"""`GaussianProcess`: the textbook's numbers, and sound kernels of any data."""

import numpy as np
import pytest
import scipy.optimize

import dynaplan as dp
from reference import gaussian_process as reference
from reference.systems import WAVE_NOISE, wave


@pytest.fixture(scope="module")
def model() -> dp.GaussianProcess:
    return dp.GaussianProcess.fit(wave(), seed=0)


# --- the numbers


@pytest.mark.filterwarnings("ignore::dynaplan.RankDeficientWarning")
@pytest.mark.parametrize("rows", [2, 3, 7, 80])
def test_predictions_and_likelihood_are_numpys(rows):
    data, fresh = wave(rows), wave(50, seed=1)
    model = dp.GaussianProcess.fit(data, seed=0)
    got = model.predict(fresh.states, fresh.actions)
    for d in range(2):
        wanted = reference.posterior(
            reference.inputs_of(data),
            data.next_states[:, d] - data.states[:, d],
            reference.inputs_of(fresh),
            (model.length_scales[d], model.signal_std[d], model.noise_std[d]),
        )
        scale = model.signal_std[d]
        change = got.mean[:, d] - fresh.states[:, d]
        np.testing.assert_allclose(change, wanted.mean, rtol=1e-14, atol=1e-8 * scale)
        np.testing.assert_allclose(got.epistemic[:, d], wanted.variance, atol=1e-8 * scale**2)
        likelihood = model.log_marginal_likelihood[d]
        assert likelihood == pytest.approx(wanted.log_marginal_likelihood, abs=1e-6, rel=1e-8)
    np.testing.assert_array_equal(got.aleatoric, np.tile(model.noise_std**2, (50, 1)))


@pytest.mark.parametrize("rows", [15, 60])
def test_no_search_from_ten_other_starts_finds_a_better_kernel(rows):
    data = wave(rows, seed=rows)
    model = dp.GaussianProcess.fit(data, seed=0)
    inputs, rng = reference.inputs_of(data), np.random.default_rng(1)
    units = inputs.std(axis=0)
    inputs = (inputs - inputs.mean(axis=0)) / units
    for d in range(2):
        change = data.next_states[:, d] - data.states[:, d]
        targets = (change - change.mean()) / change.std()
        deviations = model.signal_std[d] / change.std(), model.noise_std[d] / change.std()
        found = np.log([*model.length_scales[d] / units, *deviations])
        ours, _ = reference.loss(found, inputs, targets)
        low, high = [-3.0] * 3 + [-4.0, -7.0], [4.5] * 3 + [4.0, 1.0]
        others = [
            scipy.optimize.minimize(
                reference.loss,
                rng.uniform([-1.0] * 3 + [-1.0, -4.0], [2.0] * 3 + [1.0, 0.0]),
                args=(inputs, targets),
                method="L-BFGS-B",
                jac=True,
                bounds=list(zip(low, high, strict=True)),
            ).fun
            for _ in range(10)
        ]
        assert ours < min(others) + 0.01


def test_the_noise_and_what_has_no_effect_are_found():
    model = dp.GaussianProcess.fit(wave(200), seed=0)
    np.testing.assert_allclose(model.noise_std, WAVE_NOISE, rtol=0.15)
    scales = model.length_scales
    # The first state's change hangs on the second state alone, the second's on it and the action.
    assert min(scales[0, 0], scales[0, 2]) > 10.0 * scales[0, 1]
    assert scales[1, 0] > 5.0 * max(scales[1, 1], scales[1, 2])


def test_bands_hold_on_fresh_rows(model):
    fresh = wave(2000, seed=5)
    got = model.predict(fresh.states, fresh.actions)
    z = (fresh.next_states - got.mean) / np.sqrt(got.aleatoric + got.epistemic)
    inside = (np.abs(z) < 1.645).mean(axis=0)
    assert (inside > 0.85).all()
    assert (inside < 0.95).all()


def test_little_is_known_far_from_the_rows(model):
    near, far = model.predict([[0.0, 0.0], [500.0, 500.0]], [[0.0], [500.0]]).epistemic
    assert (near < 0.1 * model.signal_std**2).all()
    np.testing.assert_allclose(far, model.signal_std**2)


def test_samples_have_the_variance_of_both_kinds(model):
    at = np.array([[3.0, 3.0]]), np.array([[1.5]])
    drawn = model.sample(*(np.repeat(rows, 20_000, axis=0) for rows in at), seed=0)
    got = model.predict(*at)
    assert (got.epistemic > 0.01 * got.aleatoric).all()  # it would be missed
    error = np.sqrt(2.0 / 20_000)
    variance = (got.aleatoric + got.epistemic)[0]
    np.testing.assert_allclose(drawn.var(axis=0), variance, rtol=5 * error)
    np.testing.assert_allclose(
        drawn.mean(axis=0), got.mean[0], atol=5 * np.sqrt(variance.max() / 20_000)
    )


# --- data that are not well behaved


def test_rows_that_are_there_twice_or_often(model):
    once = wave()
    twice = dp.Transitions.concatenate([once, once])
    again = dp.GaussianProcess.fit(twice, seed=0).predict(once.states, once.actions)
    assert np.isfinite(again.mean).all()
    point = once[np.zeros(30, int)]
    with pytest.warns(dp.RankDeficientWarning):
        flat = dp.GaussianProcess.fit(point, seed=0)
    np.testing.assert_allclose(
        flat.predict([9.0, 9.0], [9.0]).mean - 9.0, [point.next_states[0] - point.states[0]]
    )


def test_a_constant_change_is_predicted_as_constant_with_next_to_no_noise(tmp_path):
    data = wave(noise=0.0)
    next_states = np.stack([data.states[:, 0] + 0.25, data.next_states[:, 1]], axis=1)
    model = dp.GaussianProcess.fit(dp.Transitions(data.states, data.actions, next_states), seed=0)
    got = model.predict([[40.0, 1.0], [-3.0, 2.0]], [[0.0], [5.0]])
    np.testing.assert_allclose(got.mean[:, 0], [40.25, -2.75], rtol=1e-14)
    assert (got.aleatoric[:, 0] + got.epistemic[:, 0] < 1e-28).all()
    assert np.isinf(model.length_scales[0]).all()
    model.save(tmp_path / "model")
    assert reference.same(dp.load(tmp_path / "model"), model)


def test_an_input_that_never_varied_is_named_and_has_no_effect():
    data = wave()
    constant = dp.Transitions(data.states, np.full((80, 1), 3.0), data.next_states)
    with pytest.warns(dp.RankDeficientWarning, match="^action 0 never varied: "):
        model = dp.GaussianProcess.fit(constant, seed=0)
    assert reference.same(model, model)
    one, other = (model.predict([1.0, 1.0], [a]) for a in (3.0, -80.0))
    np.testing.assert_array_equal(one.mean, other.mean)
    assert np.isinf(model.length_scales[:, 2]).all()


@pytest.mark.parametrize(("origin", "unit"), [(1e6, 1.0), (-1e6, 1e-3), (0.0, 1e120), (3.0, 1e-90)])
def test_origins_and_units_do_not_matter(model, origin, unit):
    """Of the states; the model is the same in other coordinates."""
    data, fresh = wave(), wave(40, seed=1)

    def moved(states):
        return unit * (states + origin)

    rows = moved(data.states), data.actions, moved(data.next_states)
    other = dp.GaussianProcess.fit(dp.Transitions(*rows), seed=0)
    got = other.predict(moved(fresh.states), fresh.actions)
    wanted = model.predict(fresh.states, fresh.actions)
    lost = 1e-9 * (1.0 + abs(origin))  # digits of the change, and what the search makes of them
    atol = max(1e-4, lost) * model.signal_std.max()
    np.testing.assert_allclose(got.mean / unit - origin, wanted.mean, rtol=0.0, atol=atol)
    np.testing.assert_allclose(got.epistemic / unit**2, wanted.epistemic, rtol=0.02, atol=atol**2)
    np.testing.assert_allclose(other.noise_std / unit, model.noise_std, rtol=1e-2)


def test_columns_of_huge_or_vanishing_spread_are_refused():
    data = wave(20)
    with pytest.raises(dp.NumericalError, match="input 0 varies by"):
        dp.GaussianProcess.fit(dp.Transitions(1e200 * data.states, data.actions, data.states))


# --- angles and priors


def swinging(rows, seed=0) -> dp.Transitions:
    """A pendulum at any angle from -pi to pi, single steps."""
    rng = np.random.default_rng(seed)
    states = np.stack([rng.uniform(-np.pi, np.pi, rows), rng.uniform(-4.0, 4.0, rows)], axis=1)
    actions = rng.uniform(-2.0, 2.0, (rows, 1))
    speed = states[:, 1] + 0.05 * (15.0 * np.sin(states[:, 0]) + 3.0 * actions[:, 0])
    angle = np.remainder(states[:, 0] + 0.05 * speed + np.pi, 2.0 * np.pi) - np.pi
    return dp.Transitions(states, actions, np.stack([angle, speed], axis=1), angles=[0])


def test_an_angle_is_learned_around_the_whole_turn():
    data, fresh = swinging(100), swinging(500, seed=1)
    model = dp.GaussianProcess.fit(data, seed=0)
    assert model.angles == data.angles
    assert model.length_scales.shape == (2, 4)  # sin, speed, cos, action
    error = data.angles.short_way(
        model.predict(fresh.states, fresh.actions).mean - fresh.next_states
    )
    assert np.sqrt((error**2).mean(axis=0)).max() < 0.02
    one, other = (model.predict([angle, 1.0], [0.0]).mean for angle in (np.pi, -np.pi))
    np.testing.assert_allclose(data.angles.short_way(one - other), 0.0, atol=1e-9)
    wrapped = dp.rollout(model, [3.0, 4.0], np.zeros((1, 50, 1)))[0, :, 0]
    assert (np.abs(wrapped) <= np.pi).all()
    assert model.observed_high[0] - model.observed_low[0] <= 2.0 * np.pi


def test_a_prior_is_what_the_process_learns_the_rest_of():
    data, fresh = wave(30), wave(300, seed=1)
    prior = dp.FunctionModel(
        lambda s, a: np.stack([s[:, 0], 0.7 * s[:, 1] + a[:, 0]], axis=1), 2, 1
    )
    known = dp.GaussianProcess.fit(data, prior=prior, seed=0)
    rest = dp.Transitions(
        data.states,
        data.actions,
        data.states + data.next_states - prior.predict(data.states, data.actions).mean,
    )
    of_rest = dp.GaussianProcess.fit(rest, seed=0).predict(fresh.states, fresh.actions)
    got = known.predict(fresh.states, fresh.actions)
    sum_of_both = of_rest.mean + prior.predict(fresh.states, fresh.actions).mean - fresh.states
    np.testing.assert_allclose(got.mean, sum_of_both, atol=1e-9)
    np.testing.assert_allclose(got.epistemic, of_rest.epistemic, rtol=1e-6)
    assert "prior=FunctionModel" in repr(known)
    with pytest.raises(dp.ModelFileError, match="prior: a FunctionModel is a function"):
        known.save("unused")


def test_one_row_is_refused():
    data = dp.Transitions([[0.0, 1.0]], [[1.0]], [[0.5, 1.0]])
    with pytest.raises(dp.ArgumentError, match="data: got 1 row, must be at least 2"):
        dp.GaussianProcess.fit(data)


def test_an_input_that_varies_by_rounding_alone_is_named():
    rng = np.random.default_rng(0)
    states = np.column_stack([1e6 + 1e-8 * rng.normal(size=40), rng.normal(size=40)])
    after = states + np.column_stack([np.zeros(40), np.sin(states[:, 1])])
    data = dp.Transitions(states, rng.normal(size=(40, 1)), after, episodes=np.arange(40))
    with pytest.warns(dp.RankDeficientWarning, match="state 0"):
        dp.GaussianProcess.fit(data, seed=0)
