"""What every model must do. A new model is one more entry of MODELS."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import dynaplan as dp
from reference.block_functions import dynamics_callback


def data(rows: int = 150) -> dp.Transitions:
    generator = np.random.default_rng(7)
    states, actions = generator.normal(size=(rows, 3)), generator.normal(size=(rows, 2))
    next_states = 0.5 * states + actions @ np.array([[1.0, 0.0, 0.3], [0.0, 1.0, 0.3]])
    return dp.Transitions(states, actions, next_states + 0.1 * generator.normal(size=(rows, 3)))


def system(states, actions):
    """The system of `data`, without its noise; the push is entry by entry, to round the same."""
    pushed = 0.3 * (actions[:, 0] + actions[:, 1])
    return 0.5 * states + np.stack([actions[:, 0], actions[:, 1], pushed], axis=1)


def curves(states, actions):
    return np.hstack([states, actions, np.sin(states[:, :1]), states[:, 1:2] * actions[:, :1]])


# What is known of it, roughly.
MATRICES = 0.4 * np.eye(3), [[0.9, 0.0], [0.0, 0.8], [0.0, 0.0]], [0.1, 0.0, 0.0]
KNOWN = dp.LinearModel(*MATRICES)
ROUND_KNOWN = dp.LinearModel(*MATRICES, angles={1: (-4.0, 4.0)})


def round_data() -> dp.Transitions:
    """The same, one state of which is an angle."""
    plain, angles = data(), {1: (-4.0, 4.0)}
    return dp.Transitions(plain.states, plain.actions, plain.next_states, angles=angles)


def known_data(rows: int = 150) -> dp.Transitions:
    """The same, with a state that is another one, and one that is an action, a step before."""
    plain = data(rows)
    after = np.column_stack([plain.next_states[:, 0], plain.states[:, 0], plain.actions[:, 1]])
    known = {1: 0, 2: ("action", 1)}
    return dp.Transitions(plain.states, plain.actions, after, known=known)


MODELS = {
    "linear": dp.LinearGaussian.fit,
    "linear with known states": lambda _: dp.LinearGaussian.fit(known_data()),
    "quadratic with known states and a prior": lambda _: dp.LinearGaussian.fit(
        known_data(), features=dp.Polynomial(2), prior=KNOWN
    ),
    "features of a function with known states": lambda _: dp.LinearGaussian.fit(
        known_data(), features=curves
    ),
    "network with known states": lambda _: dp.MLP.fit(
        known_data(), hidden=(16,), epochs=50, seed=0
    ),
    "ensemble with known states and a prior": lambda _: dp.Ensemble.fit(
        known_data(), members=3, hidden=(16,), epochs=50, seed=0, prior=KNOWN
    ),
    "quadratic": lambda d: dp.LinearGaussian.fit(d, features=dp.Polynomial(2)),
    "cubic with ridge": lambda d: dp.LinearGaussian.fit(d, features=dp.Polynomial(3), ridge=0.1),
    "sparse cubic": lambda d: dp.LinearGaussian.fit(d, features=dp.Polynomial(3), threshold=0.1),
    "quadratic with a prior": lambda d: dp.LinearGaussian.fit(
        d, features=dp.Polynomial(2), prior=KNOWN
    ),
    "features of a function": lambda d: dp.LinearGaussian.fit(d, features=curves),
    "ensemble with a prior": lambda d: dp.Ensemble.fit(
        d, members=3, hidden=(16,), epochs=100, seed=0, prior=KNOWN
    ),
    "network": lambda d: dp.MLP.fit(d, hidden=(16,), epochs=100, seed=0),
    "probabilistic network": lambda d: dp.GaussianMLP.fit(d, hidden=(16,), epochs=100, seed=0),
    "ensemble": lambda d: dp.Ensemble.fit(d, members=3, hidden=(16,), epochs=100, seed=0),
    "Gaussian process": lambda d: dp.GaussianProcess.fit(d, starts=2, seed=0),
    "Gaussian process with a prior": lambda d: dp.GaussianProcess.fit(
        d, starts=1, seed=0, prior=KNOWN
    ),
    "Gaussian process, calibrated": lambda d: dp.GaussianProcess.fit(
        d, starts=1, seed=0
    ).calibrated(d),
    "Gaussian process of an angle": lambda _: dp.GaussianProcess.fit(
        round_data(), starts=1, seed=0
    ),
    "Gaussian process of an angle with a prior": lambda _: dp.GaussianProcess.fit(
        round_data(), starts=1, seed=0, prior=ROUND_KNOWN
    ),
    "no intercept": lambda d: dp.LinearGaussian.fit(d, intercept=False, target="absolute"),
    "linear, calibrated": lambda d: dp.LinearGaussian.fit(d).calibrated(d),
    "ensemble, calibrated": lambda d: dp.Ensemble.fit(
        d, members=3, hidden=(16,), epochs=100, seed=0
    ).calibrated(d),
    "linear in an angle": lambda _: dp.LinearGaussian.fit(round_data()),
    "quadratic in an angle": lambda _: dp.LinearGaussian.fit(
        round_data(), features=dp.Polynomial(2)
    ),
    "sparse in an angle": lambda _: dp.LinearGaussian.fit(
        round_data(), features=dp.Polynomial(2), threshold=0.1
    ),
    "quadratic in an angle with a prior": lambda _: dp.LinearGaussian.fit(
        round_data(), features=dp.Polynomial(2), prior=ROUND_KNOWN
    ),
    "features of a function of an angle": lambda _: dp.LinearGaussian.fit(
        round_data(), features=curves
    ),
    "network of an angle with a prior": lambda _: dp.GaussianMLP.fit(
        round_data(), hidden=(16,), epochs=100, seed=0, prior=ROUND_KNOWN
    ),
    "network of an angle": lambda _: dp.GaussianMLP.fit(
        round_data(), hidden=(16,), epochs=100, seed=0
    ),
    "function of an angle": lambda _: dp.FunctionModel(system, 3, 2, angles={1: (-4.0, 4.0)}),
    "function": lambda _: dp.FunctionModel(system, 3, 2),
    "compiled": lambda _: dp.CompiledModel(dynamics_callback(system, 3, 2), 3, 2),
}


@pytest.fixture(params=MODELS, scope="module")
def model(request):
    return MODELS[request.param](data())


def test_shapes_and_ownership(model):
    prediction = model.predict(np.zeros((7, 3)), np.zeros((7, 2)))
    for array in (prediction.mean, prediction.aleatoric, prediction.epistemic):
        assert array.shape == (7, 3)
        assert array.flags.owndata
        assert array.flags.c_contiguous
    assert (prediction.aleatoric >= 0).all()
    assert (prediction.epistemic >= 0).all()
    assert (model.state_dim, model.action_dim) == (3, 2)


def test_a_batch_equals_its_rows_one_by_one(model):
    generator = np.random.default_rng(1)
    states, actions = generator.normal(size=(70, 3)), generator.normal(size=(70, 2))
    batch = model.predict(states, actions)
    for i in (0, 1, 15, 63, 64, 69):
        single = model.predict(states[i], actions[i])
        np.testing.assert_array_equal(single.mean[0], batch.mean[i])
        np.testing.assert_array_equal(single.epistemic[0], batch.epistemic[i])


def test_a_rollout_is_predict_fed_back(model):
    actions = 0.2 * np.random.default_rng(2).normal(size=(5, 9, 2))
    got = dp.rollout(model, np.full(3, 0.1), actions)
    state = np.full((5, 3), 0.1)
    for t in range(9):
        state = model.predict(state, actions[:, t]).mean
        np.testing.assert_allclose(got[:, t + 1], state, rtol=1e-10, atol=1e-12)


def test_threads_change_nothing(model):
    generator = np.random.default_rng(3)
    states, actions = generator.normal(size=(999, 3)), generator.normal(size=(999, 2))
    one, two = (model.predict(states, actions, threads=n) for n in (1, 2))
    np.testing.assert_array_equal(one.mean, two.mean)
    sequences = np.repeat(actions[:, None], 4, axis=1)
    for propagation in ("mean", "sample"):
        results = [
            dp.rollout(model, states, sequences, propagation=propagation, seed=1, threads=n)
            for n in (1, 2, 4)
        ]
        np.testing.assert_array_equal(results[0], results[1])
        np.testing.assert_array_equal(results[0], results[2])


def test_noise_of_samples_is_the_aleatoric_variance_and_the_members_differences(model):
    draws = model.sample(np.zeros((20000, 3)), np.zeros((20000, 2)), seed=0)
    prediction = model.predict(np.zeros(3), np.zeros(2))
    expected = prediction.aleatoric[0]
    # Draws are from the mixture of the members, or from all functions that the data allow.
    if isinstance(model, dp.Ensemble | dp.GaussianProcess):
        expected = expected + prediction.epistemic[0]
    rtol = 5 * np.sqrt(2 / 20000)
    np.testing.assert_allclose(draws.var(axis=0), expected, rtol=rtol, atol=1e-25)  # MLP: 0


def test_a_copy_predicts_the_same(model):
    twin = copy.deepcopy(model)
    np.testing.assert_array_equal(
        twin.predict(np.ones(3), np.ones(2)).mean, model.predict(np.ones(3), np.ones(2)).mean
    )


def test_a_saved_and_loaded_model_predicts_the_same(model, tmp_path):
    if isinstance(model, dp.FunctionModel | dp.CompiledModel):
        assert not hasattr(model, "save")  # there are no numbers to save
        return
    if getattr(model, "features", None) is curves:
        with pytest.raises(dp.ModelFileError, match="features: a function, which no file can hold"):
            model.save(tmp_path / "model")
        return
    model.save(tmp_path / "model")
    twin = dp.load(tmp_path / "model")
    mine, theirs = (m.predict(np.ones(3), np.ones(2)) for m in (model, twin))
    for kind in ("mean", "aleatoric", "epistemic"):
        np.testing.assert_array_equal(getattr(mine, kind), getattr(theirs, kind))


def test_held_out_data_are_predicted_better_than_by_nothing_changes(model):
    held_out = known_data(60) if getattr(model, "known", None) else data(60)
    check = dp.evaluate(model, held_out, horizon=1)
    assert check.error_median[0] < 0.5 * check.baseline_median[0]


def test_derivatives_are_those_of_central_differences(model):
    generator = np.random.default_rng(5)
    states, actions = 0.5 * generator.normal(size=(9, 3)), 0.5 * generator.normal(size=(9, 2))
    got = model.with_jacobians(states, actions)
    expected = model.predict(states, actions).mean
    np.testing.assert_allclose(got.next_states, expected, rtol=1e-12, atol=1e-15)
    assert got.state.shape == (9, 3, 3)
    assert got.action.shape == (9, 3, 2)
    inputs, exact = np.hstack([states, actions]), np.concatenate([got.state, got.action], axis=2)
    # The third derivative times step^2 / 6 and rounding / step: 1e-9 or so each. The weights of a
    # Gaussian process cancel, so that its rounding is some hundred times that of others.
    step = 1e-4 if isinstance(model, dp.GaussianProcess) else 3e-5
    for i in range(5):
        moved = [inputs + sign * step * np.eye(5)[i] for sign in (1, -1)]
        above, below = (model.predict(rows[:, :3], rows[:, 3:]).mean for rows in moved)
        np.testing.assert_allclose(exact[:, :, i], (above - below) / (2 * step), atol=1e-7)
