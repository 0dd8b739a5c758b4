"""Angles where data are read, models compared, logs examined, equations printed, physics known."""

from __future__ import annotations

import numpy as np
import pytest

import dynaplan as dp

TURN = 2.0 * np.pi
NAMES = ["theta", "omega", "u"]


def wrapped(angle):
    return np.remainder(angle + np.pi, TURN) - np.pi


def swing(states, actions):
    """A pendulum that passes over the top; the angle is kept from -pi to pi."""
    turned = states[:, 0] + 0.1 * states[:, 1]
    speed = states[:, 1] - 0.3 * np.sin(states[:, 0]) + 0.1 * actions[:, 0]
    return np.stack([wrapped(turned), speed], axis=1)


def free(states, actions):
    """What is known of it: without the pull."""
    turned = states[:, 0] + 0.1 * states[:, 1]
    return np.stack([wrapped(turned), states[:, 1] + 0.1 * actions[:, 0]], axis=1)


def paths(count=12, steps=25, seed=0):
    generator = np.random.default_rng(seed)
    states = [generator.uniform([-3.0, -4.0], [3.0, 4.0], (count, 2))]
    actions = generator.uniform(-1.0, 1.0, (steps, count, 1))
    for action in actions:
        states.append(swing(states[-1], action))
    return np.stack(states, axis=1), np.swapaxes(actions, 0, 1)


def log(**settings) -> dp.Transitions:
    settings = {"angles": [0], **settings}
    return dp.Transitions.from_trajectories(*paths(), **settings)


def quadratic(data, **settings) -> dp.LinearGaussian:
    return dp.LinearGaussian.fit(data, features=dp.Polynomial(2), **settings)


def known(**angles) -> dp.FunctionModel:
    return dp.FunctionModel(free, 2, 1, **angles)


def test_a_log_that_is_read_has_the_angles_that_are_named():
    states, actions = paths()
    columns = {
        "theta": states[:, :-1, 0].ravel(),
        "omega": states[:, :-1, 1].ravel(),
        "u": actions.ravel(),
        "run": np.repeat(np.arange(12), 25),
    }
    named = {"states": NAMES[:2], "actions": "u", "episode": "run", "angles": {0: (-np.pi, np.pi)}}
    whole = dp.Transitions.read(columns, **named)
    parts = list(dp.Transitions.read_batches(columns, rows=100, **named))
    assert whole.angles == {0: (-np.pi, np.pi)}
    assert dp.Transitions.concatenate(parts).angles == whole.angles
    assert len(np.unique(whole.segments)) == 12


def test_files_keep_angles_beside_names(tmp_path):
    data = log(state_names=NAMES[:2], action_names=NAMES[2:], angles={0: (-np.pi, np.pi)})
    data.save(tmp_path / "log")
    found = dp.load(tmp_path / "log")
    assert found == data
    assert found.angles == data.angles
    assert found.state_names == ("theta", "omega")


def test_a_comparison_counts_errors_the_short_way():
    train, held_out = log().split(0.3, seed=0)
    found = dp.compare(
        {"linear": dp.LinearGaussian.fit(train), "right": quadratic(train)}, held_out
    )
    assert found.chosen == "right"
    assert found.models["right"].error < 1e-6
    # By hand, from the first row of each episode.
    starts = [part.start for part in held_out.episode_slices]
    path, actions = held_out.states[starts], held_out.actions.reshape(len(starts), -1, 1)
    still = held_out.next_states.reshape(len(starts), -1, 2) - path[:, None]
    still[..., 0] = wrapped(still[..., 0])
    baseline = dp.evaluate(quadratic(train), held_out).baseline_rmse
    assert baseline[-1] == pytest.approx(np.sqrt((still[:, -1] ** 2).mean(axis=0)), rel=1e-9)
    assert actions.shape[1] == 25


def test_at_constant_velocity_a_wheel_is_predicted_over_the_end_of_its_range():
    path = wrapped(0.3 * np.arange(61.0))[:, None]
    wheel = dp.Transitions(path[:-1], np.zeros((60, 1)), path[1:], angles=[0])
    found = dp.compare({"still": dp.FunctionModel(lambda s, a: s, 1, 1)}, wheel, 5)
    # The first row knows no velocity: 1 of 56 to 60 starts errs as much as that nothing changes.
    assert found.baselines["constant velocity"] < 0.2


def test_selection_learns_and_measures_with_angles():
    learners = {"linear": dp.LinearGaussian.fit, "quadratic": quadratic}
    found = dp.select(log(), models=learners, horizon=10)
    assert found.chosen == "quadratic"
    assert found.model.angles == {0: (-np.pi, np.pi)}


def test_selection_refuses_angles_that_the_data_do_not_have():
    data = log(angles={})
    network = {"MLP": lambda data: dp.MLP.fit(data, angles=[0], hidden=(4,), epochs=1, seed=0)}
    found = dp.select(data, models=network, horizon=2)
    assert "must be said of the data" in found.comparison.models["MLP"].problem


def test_models_of_other_angles_are_not_compared():
    data = log(angles={})
    models = {"one": known(angles=[0]), "two": known(angles={1: 9.0})}
    with pytest.raises(dp.ArgumentError, match="'two' has Angles"):
        dp.compare(models, data)


@pytest.mark.parametrize("kind", ["function", "matrices"])
def test_a_prior_and_what_is_learned_add_up_over_the_end_of_the_range(kind):
    train, held_out = log().split(0.3, seed=0)
    prior = known(angles=[0])
    if kind == "matrices":
        prior = dp.LinearModel([[1.0, 0.1], [0.0, 1.0]], [[0.0], [0.1]], angles=[0])
    model = quadratic(train, prior=prior)
    mean = model.predict(held_out.states, held_out.actions).mean
    assert np.abs(mean - held_out.next_states).max() < 1e-9
    rolled = dp.rollout(model, held_out.states, held_out.actions[:, None])[:, 1]
    assert np.abs(rolled - mean).max() < 1e-12
    assert dp.evaluate(model, held_out, 20).trusted_horizon == 20
    assert model.equations(NAMES)[1].startswith("omega' = prior - 0.3 sin(theta)")


def test_derivatives_of_the_sum_do_not_see_the_end_of_the_range():
    model = quadratic(log(), prior=known(angles=[0]))
    states = np.array([[np.pi - 1e-9, 0.0], [-np.pi + 1e-9, 0.0], [np.pi - 0.1, 1.0 - 1e-9]])
    found = model.with_jacobians(states, np.zeros((3, 1)))
    pull = -0.3 * np.cos(states[:, 0])
    wanted = [[[1.0, 0.1], [slope, 1.0]] for slope in pull]
    assert np.abs(found.state - wanted).max() < 1e-6


def test_a_prior_with_other_angles_is_refused():
    for data, prior in ((log(), known()), (log(angles={}), known(angles=[0]))):
        with pytest.raises(dp.ArgumentError, match="prior: has Angles"):
            quadratic(data, prior=prior)
        with pytest.raises(dp.ArgumentError, match="prior: has Angles"):
            dp.MLP.fit(data, prior=prior, epochs=1, seed=0)


def test_a_network_beneath_which_physics_are_known_keeps_its_angles(tmp_path):
    train, held_out = log().split(0.3, seed=0)
    prior = dp.LinearModel([[1.0, 0.1], [0.0, 1.0]], [[0.0], [0.1]], angles=[0])
    model = dp.MLP.fit(train, prior=prior, hidden=(16,), epochs=60, seed=0)
    mean = model.predict(held_out.states, held_out.actions).mean
    errors = mean - held_out.next_states
    errors[:, 0] = wrapped(errors[:, 0])
    assert np.abs(errors).max() < 0.3  # the pull that the prior lacks is 0.3 at most
    assert np.abs(mean[:, 0]).max() <= np.pi
    model.save(tmp_path / "model")
    assert dp.load(tmp_path / "model").angles == model.angles == {0: (-np.pi, np.pi)}


def test_few_terms_of_an_angle_are_found_and_printed():
    found = quadratic(log(), threshold=0.01).equations(NAMES)
    assert found == [
        "theta' = theta + 0.1 omega",
        "omega' = -0.3 sin(theta) + omega + 0.1 u",
    ]
    degrees = np.array([180.0 / np.pi, 1.0])
    states, actions = paths()
    data = dp.Transitions.from_trajectories(states * degrees, actions, angles={0: (-180.0, 180.0)})
    assert quadratic(data, threshold=0.01).equations(NAMES) == [
        "theta' = theta + 5.73 omega",
        "omega' = -0.3 sin(0.0175 theta) + omega + 0.1 u",
    ]
    with pytest.raises(dp.ArgumentError, match='must be "change" with a threshold'):
        quadratic(data, threshold=0.01, target="absolute")
    with pytest.raises(dp.ArgumentError, match='must be "change" with a threshold'):
        dp.RecursiveLeastSquares(
            2, 1, features=dp.Polynomial(2), threshold=0.01, target="absolute", angles=[0]
        )


def test_features_of_a_function_learn_the_short_way():
    def curves(states, actions):
        return np.stack([states[:, 1], np.sin(states[:, 0]), actions[:, 0]], axis=1)

    train, held_out = log().split(0.3, seed=0)
    model = dp.LinearGaussian.fit(train, features=curves)
    assert model.coefficients == pytest.approx(
        np.array([[0.1, 0.0, 0.0, 0.0], [0.0, -0.3, 0.1, 0.0]]), abs=1e-9
    )
    assert dp.evaluate(model, held_out, 20).trusted_horizon == 20
    assert model.updated(held_out).angles == train.angles


def test_the_doctor_names_the_cure_and_is_silent_once_it_is_taken():
    states, actions = paths(count=40)
    plain = dp.Transitions.from_trajectories(states, actions)
    found = [one for one in dp.diagnose(plain).findings if one.kind == "wrapped_angle"]
    assert "Transitions(angles=[0])" in found[0].cure
    cured = dp.Transitions.from_trajectories(states, actions, angles=[0])
    assert dp.diagnose(cured).kinds == ()
    train, held_out = cured.split(0.3, seed=0)
    assert dp.diagnose(train, held_out).kinds == ()
    with pytest.raises(dp.ArgumentError, match="held_out: has Angles"):
        dp.diagnose(train, plain)


def test_an_even_turn_is_no_counter():
    path = wrapped(0.3 * np.arange(201.0))[:, None]
    noise = np.random.default_rng(0).normal(size=(200, 1))
    wheel = dp.Transitions(path[:-1], noise, path[1:], angles=[0])
    assert "time_column" not in dp.diagnose(wheel).kinds


def test_data_whose_angles_are_others_are_refused():
    model = dp.LinearGaussian.fit(log())
    of_speed = log(angles={1: 500.0})
    with pytest.raises(dp.ArgumentError, match=r"^held_out: got Angles.*, must be the model's"):
        model.calibrated(of_speed)
    of_angle = log(angles={0: 500.0})
    message = r"^reference: got Angles.*, must be .* as held_out"
    with pytest.raises(dp.ArgumentError, match=message):  # of a model that names none
        dp.evaluate(known(), of_angle, 3, reference=of_speed)
    with pytest.raises(dp.ArgumentError, match=message):
        dp.compare({"known": known()}, of_angle, 3, reference=of_speed)
    dp.evaluate(known(), of_angle, 3, reference=of_angle)


@pytest.mark.parametrize(("angles", "low", "period"), [([0], -np.pi, TURN), ({0: 360.0}, 0, 360)])
def test_what_was_observed_of_an_angle_is_an_arc_that_grows(angles, low, period):
    generator = np.random.default_rng(0)
    states = generator.normal(size=(50, 2))
    states[:, 0] = low + period * generator.uniform(0.3, 0.6, 50)
    model = dp.RecursiveLeastSquares(2, 1, angles=angles)
    for state in states:
        model.update(state, generator.normal(size=1), state)
    fit = model.model()
    assert fit.observed_low[:2] == pytest.approx(states.min(axis=0))
    assert fit.observed_high[:2] == pytest.approx(states.max(axis=0))
