"""Models of data with known states: these are shifted exactly, and nothing of them is learned."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import dynaplan as dp

FEATURES = {"linear": dp.Identity(), "quadratic": dp.Polynomial(2)}


def driven(rows: int, noise: float = 0.0, seed: int = 0) -> dp.Transitions:
    """y[t + 1] = 1.5 y[t] - 0.7 y[t - 1] + 0.5 u[t] + 0.2 u[t - 1], of which y alone is seen."""
    rng = np.random.default_rng(seed)
    pushes, places = rng.normal(size=rows), np.zeros(rows + 2)
    for t in range(rows):
        before = pushes[t - 1] if t else 0.0
        places[t + 2] = 1.5 * places[t + 1] - 0.7 * places[t] + 0.5 * pushes[t] + 0.2 * before
        places[t + 2] += noise * rng.normal()
    path = places[1:, None]
    return dp.Transitions(path[:-1], pushes[:, None], path[1:], episodes=np.zeros(rows, int))


def learners() -> dict:
    short = {"hidden": (8,), "epochs": 20, "seed": 0}
    return {
        "linear": dp.LinearGaussian.fit,
        "absolute, ridge": lambda d: dp.LinearGaussian.fit(d, target="absolute", ridge=0.1),
        "quadratic": lambda d: dp.LinearGaussian.fit(d, features=dp.Polynomial(2)),
        "sparse": lambda d: dp.LinearGaussian.fit(d, features=dp.Polynomial(2), threshold=0.02),
        "huber": lambda d: dp.LinearGaussian.fit(d, loss="huber"),
        "function": lambda d: dp.LinearGaussian.fit(d, features=lambda s, a: np.hstack([s, a])),
        "prior": lambda d: dp.LinearGaussian.fit(
            d, prior=dp.LinearModel(np.eye(3), np.ones((3, 1)))
        ),
        "recursive": recursive,
        "MLP": lambda d: dp.MLP.fit(d, **short),
        "GaussianMLP": lambda d: dp.GaussianMLP.fit(d, **short),
        "Ensemble": lambda d: dp.Ensemble.fit(d, **short, members=3),
        "Gaussian process": lambda d: dp.GaussianProcess.fit(d, seed=0),
    }


def recursive(data: dp.Transitions) -> dp.LinearGaussian:
    found = dp.RecursiveLeastSquares(data.state_dim, data.action_dim, known=data.known)
    for row in zip(data.states, data.actions, data.next_states, strict=True):
        found.update(*row)
    return found.model()


@pytest.fixture(scope="module")
def seen() -> dp.Transitions:
    return driven(300, noise=0.05).with_history(states=1, actions=1)


@pytest.fixture(params=learners(), scope="module")
def model(request, seen):
    return learners()[request.param](seen)


def test_known_states_are_exact_and_certain(model, seen) -> None:
    assert model.known == seen.known
    found = model.predict(seen.states, seen.actions)
    assert np.array_equal(found.mean[:, 1], seen.states[:, 0])
    assert np.array_equal(found.mean[:, 2], seen.actions[:, 0])
    assert not found.aleatoric[:, 1:].any()
    assert not found.epistemic[:, 1:].any()
    drawn = model.sample(seen.states, seen.actions, seed=0)
    assert np.array_equal(drawn[:, 1:], found.mean[:, 1:])
    assert found.mean[:, 0].std() > 0.0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("propagation", ["mean", "sample"])
def test_rollouts_shift_to_the_bit_whatever_the_threads(model, seen, dtype, propagation) -> None:
    rng = np.random.default_rng(3)
    starts, actions = seen.states[:100], rng.normal(size=(100, 20, 1))
    drawn = {"propagation": propagation, "seed": 5, "dtype": dtype}
    if propagation == "sample":
        drawn["particles"] = 2
    paths = [dp.rollout(model, starts, actions, **drawn, threads=n) for n in (1, 3)]
    assert np.array_equal(*paths)
    path = paths[0].reshape(-1, *paths[0].shape[-2:])
    sent = np.repeat(actions.astype(dtype), len(path) // 100, axis=0)
    assert np.array_equal(path[:, 1:, 1], path[:, :-1, 0].astype(dtype))
    assert np.array_equal(path[:, 1:, 2], sent[..., 0])


def test_derivatives_of_known_states_are_exact(model, seen) -> None:
    found = dp.with_jacobians(model, seen.states[:50], seen.actions[:50])
    state, action = found.state, found.action
    assert np.abs(state[:, 1:] - [[1.0, 0.0, 0.0], [0.0, 0.0, 0.0]]).max() < 1e-9
    assert np.abs(action[:, 1:] - [[0.0], [1.0]]).max() < 1e-9


def test_copies_keep_what_is_known(model, seen) -> None:
    if callable(getattr(model, "features", None)):
        pytest.skip("a function made here cannot be pickled")
    other = pickle.loads(pickle.dumps(model))
    assert other.known == model.known
    mean = model.predict(seen.states, seen.actions).mean
    assert np.array_equal(other.predict(seen.states, seen.actions).mean, mean)


def test_files_keep_what_is_known(model, seen, tmp_path) -> None:
    if callable(getattr(model, "features", None)):
        pytest.skip("no file holds a function")
    model.save(tmp_path / "model")
    other = dp.load(tmp_path / "model")
    assert other.known == model.known
    assert other.known.history == (1, 1)
    mean = model.predict(seen.states, seen.actions).mean
    assert np.array_equal(other.predict(seen.states, seen.actions).mean, mean)


@pytest.mark.parametrize("features", FEATURES.values(), ids=FEATURES)
def test_a_free_run_of_what_is_seen_in_part_is_that_of_the_system(features) -> None:
    # y and y[-1] and u[-1] are all of its state, so that nothing is left but rounding.
    seen = driven(400).with_history(states=1, actions=1)
    model = dp.LinearGaussian.fit(seen[:250], features=features)
    starts = slice(260, 270)
    actions = np.stack([seen.actions[row : row + 100] for row in range(260, 270)])
    path = dp.rollout(model, seen.states[starts], actions, dtype=np.float64)
    wanted = np.stack([seen.next_states[row : row + 100] for row in range(260, 270)])
    assert np.abs(path[:, 1:] - wanted).max() < 1e-9


def test_learned_shifts_run_away_where_known_ones_do_not() -> None:
    seen = driven(400, noise=0.02).with_history(states=1, actions=1)
    plain = dp.Transitions(
        seen.states, seen.actions, seen.next_states, episodes=np.zeros(len(seen), int)
    )
    settings = {"hidden": (16,), "epochs": 60, "seed": 0}
    errors = []
    for data in (plain, seen):
        model = dp.MLP.fit(data[:250], **settings)
        check = dp.evaluate(model, seen[250:], 30)
        errors.append(check.error_median[-1])
    assert errors[1] < errors[0]


def test_coefficients_and_equations_are_those_of_the_shift(seen) -> None:
    for model in (dp.LinearGaussian.fit(seen), dp.LinearGaussian.fit(seen, target="absolute")):
        assert np.array_equal(model.A[1:], [[1.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
        assert np.array_equal(model.B[1:], [[0.0], [1.0]])
        assert not model.c[1:].any()
        assert not model.noise_covariance[1:].any()
        assert model.equations(["y", "y1", "u1", "u"])[1:] == ["y1' = y", "u1' = u"]
    prior = dp.LinearModel(0.5 * np.eye(3), np.zeros((3, 1)))
    lines = dp.LinearGaussian.fit(seen, prior=prior).equations(["y", "y1", "u1", "u"])
    assert lines[0].startswith("y' = prior")
    assert lines[1:] == ["y1' = y", "u1' = u"]


def test_a_lag_of_an_angle_is_printed_as_itself() -> None:
    rng = np.random.default_rng(0)
    turns = np.cumsum(0.3 * rng.normal(size=201))
    angle = np.remainder(turns + np.pi, 2.0 * np.pi)[:, None] - np.pi
    data = dp.Transitions(angle[:-1], np.diff(turns)[:, None], angle[1:], angles=[0])
    model = dp.LinearGaussian.fit(data.with_history(states=1), features=dp.Polynomial(2))
    assert model.equations(["theta", "theta1", "u"])[1] == "theta1' = theta"
    path = dp.rollout(model, [3.0, 2.9], np.ones((1, 20, 1)), dtype=np.float64)[0]
    assert np.abs(path).max() <= np.pi
    assert np.array_equal(path[1:, 1], path[:-1, 0])


def test_more_data_and_other_fits_must_agree(seen) -> None:
    model = dp.LinearGaussian.fit(seen[:150])
    whole = dp.LinearGaussian.fit(seen)
    updated = model.updated(seen[150:])
    merged = model.merged(dp.LinearGaussian.fit(seen[150:]))
    for other in (updated, merged):
        assert other.known == seen.known
        assert np.allclose(other.coefficients, whole.coefficients, atol=1e-9)
    plain = dp.Transitions(seen.states, seen.actions, seen.next_states, gaps="ignore")
    with pytest.raises(dp.ArgumentError, match="must be KnownStates"):
        dp.LinearGaussian.fit(plain).updated(seen)
    with pytest.raises(dp.ArgumentError, match="must have KnownStates"):
        dp.LinearGaussian.fit(plain).merged(model)
    assert model.updated(plain[150:]).known == seen.known
    with pytest.raises(dp.ArgumentError, match="held_out: got KnownStates"):
        dp.MLP.fit(seen, held_out=plain, epochs=1)


def test_recursive_least_squares_of_known_states_is_the_fit(seen) -> None:
    for target in ("change", "absolute"):
        start = dp.LinearGaussian.fit(seen[:100], target=target)
        found = dp.RecursiveLeastSquares.from_model(start)
        rest = seen[100:]
        for row in zip(rest.states, rest.actions, rest.next_states, strict=True):
            found.update(*row)
        whole = dp.LinearGaussian.fit(seen, target=target)
        assert np.allclose(found.model().coefficients, whole.coefficients, atol=1e-9)
        assert pickle.loads(pickle.dumps(found)).model().known == seen.known


def test_known_physics_takes_over_what_the_data_know(seen) -> None:
    roughly = dp.LinearModel(np.zeros((3, 3)), np.zeros((3, 1)), noise=[0.1, 0.1, 0.1])
    model = roughly.updated(seen, rows=5.0)
    assert model.known == seen.known
    assert model.equations()[1:] == ["s1' = s0", "s2' = a0"]
    assert not model.noise_covariance[1:].any()


def test_calibration_leaves_known_states_certain(seen) -> None:
    fits = {name: learners()[name] for name in ("linear", "absolute, ridge", "sparse", "Ensemble")}
    for fit in fits.values():
        model = fit(seen[:200]).calibrated(seen[200:])
        assert np.array_equal(model.calibration[1:], [1.0, 1.0])
        assert not model.predict(seen.states, seen.actions).aleatoric[:, 1:].any()
    bands = dp.calibrate_bands(dp.LinearGaussian.fit(seen[:200]), seen[200:], 5)
    factors = bands.band_factors["sample"]
    assert factors.shape == (5, 3)
    assert np.array_equal(factors[0, 1:], [1.0, 1.0])
    assert np.array_equal(factors[:, 2], np.ones(5))


def test_networks_learn_the_same_with_and_without_constant_targets() -> None:
    # A target that never changes must weigh nothing: with the same inputs and seed, the first
    # state's loss is that of a fit in which the others are known.
    rng = np.random.default_rng(0)
    states, actions = rng.normal(size=(300, 3)), rng.normal(size=(300, 1))
    after = states.copy()
    after[:, 0] += np.sin(states[:, 1]) + 0.1 * actions[:, 0]
    still = dp.Transitions(states, actions, after)
    after = np.column_stack([after[:, 0], states[:, 0], actions[:, 0]])
    known = dp.Transitions(states, actions, after, known={1: 0, 2: ("action", 0)})
    fits = [dp.MLP.fit(data, hidden=(8,), epochs=30, seed=0) for data in (still, known)]
    assert np.array_equal(fits[0].history.held_out, fits[1].history.held_out)
    means = [fit.predict(states, actions).mean[:, 0] for fit in fits]
    assert np.array_equal(*means)


def test_no_other_runtime_gets_known_states(seen) -> None:
    model = dp.MLP.fit(seen, hidden=(4,), epochs=1, seed=0)
    with pytest.raises(dp.ArgumentError, match="known states"):
        model.to_onnx()


def unsaid(data: dp.Transitions) -> dp.Transitions:
    """The same rows, of which nothing is known."""
    arrays = data.states, data.actions, data.next_states
    return dp.Transitions(*arrays, episodes=data.episodes, gaps="ignore")


def test_rows_that_contradict_what_is_known_are_not_taken_in(seen) -> None:
    model = dp.LinearGaussian.fit(seen[:100])
    again = model.updated(unsaid(seen[100:]))
    assert np.array_equal(again.coefficients, model.updated(seen[100:]).coefficients)
    moved = seen.next_states.copy()
    moved[7, 1] += 1.0
    arrays = seen.states, seen.actions, moved
    wrong = dp.Transitions(*arrays, episodes=seen.episodes, gaps="ignore")
    with pytest.raises(dp.ArgumentError, match=r"data: in row 7 the next state 1 is .* state 0 is"):
        model.updated(wrong)
    with pytest.raises(dp.ShapeError, match="data: got"):
        model.updated(driven(20))
    found = dp.RecursiveLeastSquares.from_model(model)
    with pytest.raises(dp.ArgumentError, match="next_state: in row 0 the next state 1 is"):
        found.update(seen.states[7], seen.actions[7], moved[7])
    assert found.rows == model.rows
    assert np.array_equal(found.model().coefficients, model.coefficients)


@pytest.mark.parametrize("learner", ["linear", "MLP"])
def test_a_prior_must_know_what_the_data_know(seen, learner) -> None:
    kinds = {"linear": dp.LinearGaussian, "MLP": dp.MLP}
    more = {} if learner == "linear" else {"hidden": (8,), "epochs": 1, "seed": 0}

    def fit(data, **rest):
        return kinds[learner].fit(data, **more, **rest)

    own = fit(seen)
    other = driven(300, noise=0.05).with_history(actions=2)
    for data in (other, unsaid(seen)):
        with pytest.raises(dp.ArgumentError, match=r"prior: has .* must have .* with_history"):
            fit(data, prior=own)
    corrected = fit(seen, prior=own)
    assert corrected.known == seen.known
    if learner == "linear":
        assert corrected.updated(unsaid(seen)).known == seen.known
        return
    for data in (other, unsaid(seen)):
        with pytest.raises(dp.ArgumentError, match=r"initial: has .* must have .* with_history"):
            fit(data, initial=own)


def test_rows_at_the_ends_of_float64_are_compared_without_a_warning() -> None:
    states, after = np.array([[1e308, 0.0], [0.0, 1e308]]), np.array([[1.0, -1e308], [1.0, 0.0]])
    with pytest.raises(dp.ArgumentError, match=r"known: in row 0 the next state 1 is -1e.308"):
        dp.Transitions(states, np.zeros((2, 1)), after, known={1: 0}, gaps="ignore")
