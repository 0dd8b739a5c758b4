"""Sparse polynomials: which terms are kept, and what is said of them."""

from __future__ import annotations

import copy
import re

import numpy as np
import pytest

import dynaplan as dp
from reference.sparse_regression import features_of, sequential_thresholding

LORENZ = {"sigma": 10.0, "rho": 28.0, "beta": 8.0 / 3.0}


def logistic(rows: int = 60, rate: float = 3.7) -> dp.Transitions:
    """x' = r x (1 - x) and an action that does nothing."""
    states = np.empty((rows + 1, 1))
    states[0] = 0.4
    for i in range(rows):
        states[i + 1] = rate * states[i] * (1.0 - states[i])
    actions = np.random.default_rng(0).uniform(-1, 1, size=(rows, 1))
    return dp.Transitions(states[:-1], actions, states[1:], episodes=np.zeros(rows, int))


def lorenz_rates(s: np.ndarray) -> np.ndarray:
    x, y, z = s.T
    first = LORENZ["sigma"] * (y - x)
    return np.stack([first, x * (LORENZ["rho"] - z) - y, x * y - LORENZ["beta"] * z], axis=1)


def lorenz(rows: int = 400, noise: float = 0.0, units: tuple = (1.0, 1.0, 1.0)) -> dp.Transitions:
    """Euler steps of 0.01 from states around the attractor, pushed along y."""
    generator = np.random.default_rng(1)
    states = generator.normal(size=(rows, 3)) * [8.0, 9.0, 8.0] + [0.0, 0.0, 24.0]
    actions = generator.uniform(-5, 5, size=(rows, 1))
    following = states + 0.01 * lorenz_rates(states) + actions * [0.0, 0.05, 0.0]
    following = following + noise * generator.normal(size=following.shape)
    return dp.Transitions(states * units, actions, following * units, episodes=np.arange(rows))


def duffing(rows: int = 300, noise: float = 0.0) -> dp.Transitions:
    """Euler steps of 0.05 of x'' = -0.3 x' + x - x^3 + a."""
    generator = np.random.default_rng(2)
    states = generator.uniform(-1.5, 1.5, size=(rows, 2))
    actions = generator.uniform(-1, 1, size=(rows, 1))
    x, speed, push = *states.T, actions[:, 0]
    rates = np.stack([speed, -0.3 * speed + x - x**3 + push], axis=1)
    following = states + 0.05 * rates + noise * generator.normal(size=(rows, 2))
    return dp.Transitions(states, actions, following, episodes=np.arange(rows))


def support_of(model: dp.LinearGaussian) -> list[set[tuple[int, ...]]]:
    """The powers of the terms of each next state; () is the constant."""
    powers = [*map(tuple, model.exponents.tolist()), ()]
    return [
        {powers[i] for i in np.flatnonzero(row - (np.arange(len(row)) == state))}
        for state, row in enumerate(model.coefficients)
    ]


LORENZ_TERMS = [
    {(1, 0, 0, 0), (0, 1, 0, 0)},
    {(1, 0, 0, 0), (0, 1, 0, 0), (1, 0, 1, 0), (0, 0, 0, 1)},
    {(0, 0, 1, 0), (1, 1, 0, 0)},
]
DUFFING_TERMS = [{(0, 1, 0)}, {(1, 0, 0), (0, 1, 0), (3, 0, 0), (0, 0, 1)}]


def test_the_logistic_map_is_recovered_and_reads_as_it_is_written():
    model = dp.LinearGaussian.fit(logistic(), features=dp.Polynomial(5), threshold=0.01)
    assert support_of(model) == [{(1, 0), (2, 0)}]
    assert model.A[0, 0] == pytest.approx(3.7, rel=1e-9)
    assert model.equations(["x", "u"]) == ["x' = 3.7 x - 3.7 x^2"]
    assert model.c[0] == 0.0
    assert model.degrees_of_freedom == 58.0
    assert model.noise_covariance[0, 0] < 1e-24


@pytest.mark.parametrize("noise", [0.0, 1e-3])
def test_equations_of_motion_are_recovered_with_and_without_noise(noise):
    model = dp.LinearGaussian.fit(lorenz(noise=noise), features=dp.Polynomial(3), threshold=0.02)
    assert support_of(model) == LORENZ_TERMS
    if noise == 0.0:
        expected = [
            "x' = 0.9 x + 0.1 y",
            "y' = 0.28 x + 0.99 y + 0.05 u - 0.01 x z",
            "z' = 0.973 z + 0.01 x y",
        ]
        assert model.equations(["x", "y", "z", "u"]) == expected
    else:
        assert np.sqrt(np.diag(model.noise_covariance)) == pytest.approx([noise] * 3, rel=0.1)
        assert model.coefficients[1, 3] == pytest.approx(0.05, abs=1e-4)
    model = dp.LinearGaussian.fit(duffing(noise=noise), features=dp.Polynomial(4), threshold=0.05)
    assert support_of(model) == DUFFING_TERMS


def test_units_and_the_sizes_of_states_do_not_decide_which_terms_are_kept():
    plain = dp.LinearGaussian.fit(lorenz(noise=0.01), features=dp.Polynomial(3), threshold=0.02)
    for units in ((1e-6, 1.0, 1e6), (1e3, 1e-9, 1.0), (1e40, 1e-40, 1e20)):
        data = lorenz(noise=0.01, units=units)
        model = dp.LinearGaussian.fit(data, features=dp.Polynomial(3), threshold=0.02)
        assert support_of(model) == support_of(plain)
        by = np.array(units)
        expected = plain.A * by[:, None] / by
        np.testing.assert_allclose(model.A, expected, rtol=1e-6, atol=0.0)


@pytest.mark.parametrize("threshold", [0.001, 0.02, 0.1, 0.4, 0.9])
def test_the_rows_themselves_lead_to_the_same_fit(threshold):
    data = duffing(noise=0.02)
    model = dp.LinearGaussian.fit(data, features=dp.Polynomial(3), threshold=threshold)
    features = features_of(data.states, data.actions, model.exponents)
    for state, row in enumerate(model.coefficients):
        change = data.next_states[:, state] - data.states[:, state]
        expected, variance = sequential_thresholding(features, change, threshold)
        expected[state] += 1.0
        assert ((expected == 0.0) == (row == 0.0)).all()
        np.testing.assert_allclose(row, expected, rtol=1e-8)
        assert model.noise_covariance[state, state] == pytest.approx(variance, rel=1e-9)


# From PySINDy 2.1.0: `STLSQ(threshold=threshold, alpha=ridge, max_iter=100, unbias=False)`, fitted
# to the features of `duffing(noise=0.02)` over their root mean squares and, one by one, to the
# changes over the root mean square of what all features explain; its coefficients brought back.
PYSINDY = {
    (0.05, 0.0, True): (
        {
            1: 0.049091656368052794,
            3: 0.004211588859798512,
            9: 0.001967640187746085,
            10: -0.004974268688188319,
            12: -0.006089393657616394,
            13: 0.005124971959604317,
            15: 0.002769169694060257,
            19: -0.00596265482969106,
        },
        {
            0: 0.05199547654753281,
            1: -0.011866251024855988,
            2: 0.050907441919541156,
            4: 0.0030560440424365768,
            6: 0.0026375134506913403,
            8: 0.006430575885416963,
            9: -0.051938413350131364,
            10: -0.002851540529771872,
            16: -0.005657305128403519,
            19: -0.005413618418740811,
        },
    ),
    (0.1, 0.0, True): (
        {
            1: 0.05277357875530404,
            3: 0.004322444781463484,
            10: -0.004881472980011495,
            19: -0.005728623689530698,
        },
        {
            0: 0.05058922194401197,
            1: -0.014249538053764669,
            2: 0.04789698606047133,
            9: -0.05097533813028923,
        },
    ),
    (0.1, 3.0, False): (
        {1: 0.04405061217963818, 15: 0.003541019826086105},
        {
            0: 0.04333021878210282,
            1: -0.014049434855747457,
            2: 0.0474000503276462,
            9: -0.04599430394254278,
        },
    ),
}


@pytest.mark.parametrize("settings", PYSINDY)
def test_pysindy_keeps_the_same_terms_with_the_same_coefficients(settings):
    threshold, ridge, intercept = settings
    model = dp.LinearGaussian.fit(
        duffing(noise=0.02),
        features=dp.Polynomial(3),
        threshold=threshold,
        ridge=ridge,
        intercept=intercept,
    )
    change = model.coefficients
    change[:, :2] -= np.eye(2)
    for row, expected in zip(change, PYSINDY[settings], strict=True):
        assert set(np.flatnonzero(row)) == set(expected)
        np.testing.assert_allclose(row[list(expected)], list(expected.values()), rtol=1e-8)


def test_what_is_uncertain_is_that_of_ordinary_least_squares_on_the_terms_kept():
    data = duffing(noise=0.02)
    model = dp.LinearGaussian.fit(data, features=dp.Polynomial(3), threshold=0.05)
    features = features_of(data.states, data.actions, model.exponents)
    query = features_of(np.array([[0.5, -0.2]]), np.array([[0.3]]), model.exponents)[0]
    found = model.predict([0.5, -0.2], [0.3])
    for state, terms in enumerate(support_of(model)):
        kept = [tuple(powers) in terms for powers in model.exponents.tolist()] + [() in terms]
        change = data.next_states[:, state] - data.states[:, state]
        residual = np.linalg.lstsq(features[:, kept], change, rcond=None)[1]
        variance = residual[0] / (len(data) - np.count_nonzero(kept))
        inverse = np.linalg.inv(features[:, kept].T @ features[:, kept])
        epistemic = variance * query[kept] @ inverse @ query[kept]
        assert found.aleatoric[0, state] == pytest.approx(variance, rel=1e-9)
        assert found.epistemic[0, state] == pytest.approx(epistemic, rel=1e-8)
        covariance = model.coefficient_covariance[state]
        np.testing.assert_allclose(covariance[np.ix_(kept, kept)], variance * inverse, rtol=1e-7)
        others = [not one for one in kept]
        assert not covariance[others].any()
        assert not covariance[:, others].any()
    # As from rows alone: the terms of the states have degrees of freedom of their own.
    residuals = data.next_states - model.predict(data.states, data.actions).mean
    freedom = [len(data) - len(terms) for terms in support_of(model)]
    product = (residuals[:, 0] * residuals[:, 1]).sum() / np.sqrt(freedom[0] * freedom[1])
    assert model.noise_covariance[0, 1] == pytest.approx(product, rel=1e-8)
    assert model.degrees_of_freedom == min(freedom)


def test_states_of_few_terms_are_predicted_better_than_by_all_terms():
    """Of noisy data the dense fit learns noise in 34 coefficients, the sparse one in 4."""
    truth = lorenz(2000)
    data = lorenz(120, noise=0.01)
    errors = [
        np.abs(
            dp.LinearGaussian.fit(data, features=dp.Polynomial(3), threshold=threshold)
            .predict(truth.states, truth.actions)
            .mean
            - truth.next_states
        ).mean()
        for threshold in (0.0, 0.05)
    ]
    assert errors[1] < 0.5 * errors[0]


def test_more_data_other_data_and_recursion_sparsify_anew():
    whole = duffing(noise=0.005)
    settings = {"features": dp.Polynomial(3), "threshold": 0.05}
    model = dp.LinearGaussian.fit(whole, **settings)
    first, second = (dp.LinearGaussian.fit(part, **settings) for part in (whole[:90], whole[90:]))
    recursive = dp.RecursiveLeastSquares(2, 1, **settings)
    for row in range(len(whole)):
        recursive.update(whole.states[row], whole.actions[row], whole.next_states[row])
    for other in (
        first.updated(whole[90:]),
        first.merged(second),
        recursive.model(),
        copy.deepcopy(recursive).model(),
        dp.RecursiveLeastSquares.from_model(model).model(),
    ):
        assert support_of(other) == support_of(model) == DUFFING_TERMS
        np.testing.assert_allclose(other.coefficients, model.coefficients, rtol=1e-9)
        np.testing.assert_allclose(other.noise_covariance, model.noise_covariance, rtol=1e-8)
    with pytest.raises(dp.ArgumentError, match=r"must have the same features, .* and threshold"):
        model.merged(dp.LinearGaussian.fit(whole, features=dp.Polynomial(3)))


def test_a_file_and_a_copy_keep_what_was_dropped(tmp_path):
    model = dp.LinearGaussian.fit(duffing(noise=0.02), features=dp.Polynomial(3), threshold=0.05)
    model.save(tmp_path / "sparse")
    for twin in (dp.load(tmp_path / "sparse"), copy.deepcopy(model)):
        assert twin.threshold == 0.05
        np.testing.assert_array_equal(twin.coefficients, model.coefficients)
        np.testing.assert_array_equal(twin.noise_covariance, model.noise_covariance)


@pytest.mark.parametrize("states", [1, 2])
def test_calibrated_noise_leaves_the_terms_as_they_are(states):
    whole = duffing(noise=0.02)
    inputs = np.hstack([whole.states[:, states:], whole.actions])  # of one state the other is one
    kept = whole.states[:, :states], inputs, whole.next_states[:, :states]
    data = dp.Transitions(*kept, episodes=whole.episodes)
    model = dp.LinearGaussian.fit(data[:200], features=dp.Polynomial(3), threshold=0.1)
    careful = model.calibrated(data[200:])
    np.testing.assert_array_equal(careful.coefficients, model.coefficients)
    deviations = np.sqrt(np.diag(careful.noise_covariance) / np.diag(model.noise_covariance))
    np.testing.assert_allclose(deviations, careful.calibration, rtol=1e-9)
    rows = data.states[:3], data.actions[:3]
    np.testing.assert_array_equal(careful.predict(*rows).mean, model.predict(*rows).mean)


def test_noise_below_what_dropped_terms_leave_is_refused():
    data = duffing(noise=0.02)
    model = dp.LinearGaussian.fit(data, features=dp.Polynomial(3), threshold=0.4)
    mean = model.predict(data.states, data.actions).mean
    quiet = dp.Transitions(data.states, data.actions, mean, episodes=data.episodes)
    with pytest.raises(dp.NumericalError, match="than what the dropped terms leave unexplained"):
        model.calibrated(quiet)


def test_with_hubers_loss_faults_choose_no_terms():
    data = duffing(noise=0.005)
    wrong = data.next_states.copy()
    wrong[::30] += [1.0, -2.0]
    faulty = dp.Transitions(data.states, data.actions, wrong, episodes=data.episodes)
    model = dp.LinearGaussian.fit(faulty, features=dp.Polynomial(3), threshold=0.05, loss="huber")
    assert support_of(model) == DUFFING_TERMS
    assert (np.sqrt(np.diag(model.noise_covariance)) < 0.01).all()  # by squares it is 0.2 and 0.4


def test_what_data_leave_open_is_warned_of_all_the_same():
    states = np.linspace(-1.0, 1.0, 30)[:, None]
    data = dp.Transitions(states, np.zeros((30, 1)), 0.9 * states, episodes=np.arange(30))
    with pytest.warns(dp.RankDeficientWarning, match="action 0 never varied"):
        model = dp.LinearGaussian.fit(data, features=dp.Polynomial(2), threshold=0.01)
    assert model.equations(["x", "u"]) == ["x' = 0.9 x"]
    assert model.predict([0.5], [1.0]).epistemic[0, 0] == np.inf
    assert model.predict([0.5], [0.0]).epistemic[0, 0] < np.inf


def test_a_state_that_never_changes_keeps_no_term():
    generator = np.random.default_rng(3)
    states, actions = generator.normal(size=(2, 50, 1))
    data = dp.Transitions(states, actions, states, episodes=np.arange(50))
    model = dp.LinearGaussian.fit(data, features=dp.Polynomial(2), threshold=0.1)
    assert model.equations() == ["s0' = s0"]
    assert model.degrees_of_freedom == 50.0
    assert not model.noise_covariance.any()
    assert not model.predict([1.0], [1.0]).epistemic.any()


def test_derivatives_and_rollouts_are_those_of_the_terms_kept():
    model = dp.LinearGaussian.fit(duffing(), features=dp.Polynomial(4), threshold=0.05)
    got = model.with_jacobians([[0.7, -0.4]], [[0.2]])
    np.testing.assert_allclose(got.state[0], [[1.0, 0.05], [0.05 - 0.15 * 0.49, 0.985]], rtol=1e-9)
    np.testing.assert_allclose(got.action[0], [[0.0], [0.05]], rtol=1e-9, atol=0.0)
    path = dp.rollout(model, [0.5, 0.0], np.zeros((1, 200, 1)))[0]
    state = np.array([0.5, 0.0])
    for step in range(200):
        x, speed = state
        state = state + 0.05 * np.array([speed, -0.3 * speed + x - x**3])
        np.testing.assert_allclose(path[step + 1], state, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("threshold", [-0.1, 1.0, np.nan, np.inf])
def test_what_is_refused(threshold):
    message = re.escape("must be in [0, 1)")
    with pytest.raises(dp.ArgumentError, match=f"threshold: got .*{message}"):
        dp.LinearGaussian.fit(duffing(), threshold=threshold)
    with pytest.raises(dp.ArgumentError, match=f"threshold: got .*{message}"):
        dp.RecursiveLeastSquares(2, 1, threshold=threshold)
    with pytest.raises(dp.ArgumentError, match="threshold: got 'few', must be a number"):
        dp.LinearGaussian.fit(duffing(), threshold="few")
