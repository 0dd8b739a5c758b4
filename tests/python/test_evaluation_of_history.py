"""Known states count in no figure of an evaluation, and in no finding of the doctor."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest

import dynaplan as dp


def pair(noise: float = 0.0, rows: int = 600, seed: int = 0) -> tuple[dp.Transitions, ...]:
    """An angle and a speed under pushes: as they are, and with the lags of two steps."""
    rng = np.random.default_rng(seed)
    pushes, path = rng.normal(size=(rows, 1)), [np.zeros(2)]
    for push in pushes[:, 0]:
        place, speed = path[-1]
        speeds = 0.97 * speed - 0.3 * np.sin(place) + 0.3 * push
        path.append(np.array([place + 0.1 * speed, speeds]) + 0.02 * rng.normal(size=2))
    seen = np.array(path) + noise * rng.normal(size=(rows + 1, 2))
    episodes = np.arange(rows) // 100
    data = dp.Transitions(seen[:-1], pushes, seen[1:], episodes=episodes)
    return data, data.with_history(states=2, actions=1)


def places() -> dp.Transitions:
    """The angle alone, with noise."""
    data, _ = pair(0.1)
    arrays = (array[:, :1] for array in (data.states, data.actions, data.next_states))
    return dp.Transitions(*arrays, episodes=data.episodes, gaps="ignore")


def split(data: dp.Transitions) -> tuple[dp.Transitions, dp.Transitions]:
    return data[data.groups < 4], data[data.groups >= 4]


class OfFirst:
    """A model of the states with their lags that predicts what another one does of the states."""

    def __init__(self, model, data: dp.Transitions) -> None:
        self.known, self.state_dim, self.action_dim = data.known, data.state_dim, data.action_dim
        self.observed_low = self.observed_high = np.zeros(data.state_dim + data.action_dim)
        weights = np.zeros((data.state_dim, data.state_dim))
        weights[:2, :2] = model.A
        inputs = np.zeros((data.state_dim, 1))
        inputs[:2] = model.B
        for state, source in data.known.items():
            if isinstance(source, int):
                weights[state, source] = 1.0
            else:
                inputs[state, source[1]] = 1.0
        constant = np.append(model.c, np.zeros(data.state_dim - 2))
        inside = dp.LinearModel(weights, inputs, constant)
        self.dynamics, self.predict, self.sample = inside.dynamics, inside.predict, inside.sample


def test_the_same_predictions_are_trusted_as_far_with_and_without_lags() -> None:
    plain, seen = pair()
    model = dp.LinearGaussian.fit(split(plain)[0])
    held_out = split(seen)[1]
    # The rows that both have.
    same = split(plain)[1][np.isin(split(plain)[1].states[:, 0], held_out.states[:, 0])]
    check = dp.evaluate(model, same, 20)
    other = dp.evaluate(OfFirst(model, seen), held_out, 20)
    assert other.trusted_horizon == check.trusted_horizon
    for name in ("error_median", "error_90", "ratio", "baseline_median"):
        assert np.allclose(getattr(other, name), getattr(check, name), rtol=1e-6)
    assert np.allclose(other.rmse[:, :2], check.rmse, rtol=1e-6)
    assert other.known_states == (2, 3, 4, 5, 6)
    assert np.isnan(other.state_ratio[:, 2:]).all()
    compared = dp.compare({"linear": OfFirst(model, seen)}, held_out, 20)
    alone = dp.compare({"linear": model}, same, 20)
    assert compared.models["linear"].error == pytest.approx(alone.models["linear"].error, rel=1e-6)


def test_known_states_are_in_no_table() -> None:
    _, seen = pair()
    train, held_out = split(seen)
    check = dp.evaluate(dp.LinearGaussian.fit(train), held_out, 10, propagation="sample")
    lines = str(check).splitlines()
    assert lines[0].split() == ["one", "step", "state", "0", "state", "1"]
    assert "state 2" not in str(check)
    assert len(check.rmse[0]) == 7
    assert not check.one_step_rmse[2:].any()
    assert np.isnan(check.coverage[0.9][2:]).all()
    assert np.isfinite(check.band_coverage).all()
    text = str(dp.compare({"linear": dp.LinearGaussian.fit(train)}, held_out, 10))
    assert "state 1" in text
    assert "state 2" not in text


def test_bands_are_judged_by_what_is_learned() -> None:
    rng = np.random.default_rng(0)
    pushes, path = rng.normal(size=(2000, 1)), [np.zeros(1)]
    for push in pushes:
        path.append(0.9 * path[-1] + push + 0.3 * rng.normal(size=1))
    states = np.array(path)
    data = dp.Transitions(states[:-1], pushes, states[1:], episodes=np.arange(2000) // 100)
    train, held_out = data.with_history(states=2, actions=2).split(0.5, seed=0)
    model = dp.LinearGaussian.fit(train)
    for propagation in ("sample", "moment"):
        check = dp.evaluate(model, held_out, 5, propagation=propagation)
        assert np.abs(check.band_coverage - 0.9).max() < 0.05


def test_the_noise_of_the_sensors_is_found_in_what_is_observed() -> None:
    plain, seen = pair(noise=0.1, rows=2000)
    model = dp.LinearGaussian.fit(seen, ridge=1e-6)
    floor = dp.evaluate(model, seen, 5).noise_floor
    assert not floor[2:].any()
    wanted = dp.evaluate(dp.LinearGaussian.fit(plain), plain, 5).noise_floor
    assert np.allclose(floor[:2], wanted, rtol=0.1, atol=1e-3)


def test_the_doctor_finds_nothing_new_in_lags() -> None:
    for noise in (0.0, 0.02):
        plain, seen = pair(noise)
        found = [dp.diagnose(data).kinds for data in (plain, seen, plain.with_history(states=1))]
        assert found[0] == found[1] == found[2]
    train, held_out = split(seen)
    assert dp.diagnose(train, held_out).kinds == dp.diagnose(*split(plain)).kinds
    stacked = dp.Transitions(seen.states, seen.actions, seen.next_states, episodes=seen.episodes)
    assert "dependent_columns" not in dp.diagnose(stacked).kinds


def test_a_delay_that_the_history_holds_is_no_fault() -> None:
    rng = np.random.default_rng(0)
    pushes, path = rng.normal(size=(400, 1)), [np.zeros(1)]
    for row in range(400):
        path.append(0.9 * path[-1] + pushes[max(0, row - 2)] + 0.1 * rng.normal(size=1))
    states = np.array(path)
    data = dp.Transitions(states[:-1], pushes, states[1:], episodes=np.zeros(400, int))
    assert "shifted_actions" in dp.diagnose(data).kinds
    assert "shifted_actions" in dp.diagnose(data.with_history(actions=1)).kinds
    assert "shifted_actions" not in dp.diagnose(data.with_history(actions=2)).kinds
    for lags in (1, 2):  # the same, said in another way
        seen = data.with_history(actions=lags)
        stacked = unsaid(seen, dict(seen.known))
        assert stacked.history is None
        assert ("shifted_actions" in dp.diagnose(stacked).kinds) == (lags == 1)


def test_the_history_of_one_action_is_no_excuse_for_another() -> None:
    rng = np.random.default_rng(0)
    pushes, path = rng.normal(size=(400, 2)), [np.zeros(1)]
    for row in range(400):
        late = pushes[max(0, row - 1)] if row else np.zeros(2)
        path.append(0.9 * path[-1] + late @ [1.0, 0.7] + 0.1 * rng.normal(size=1))
    states = np.array(path)
    data = dp.Transitions(states[:-1], pushes, states[1:], episodes=np.zeros(400, int))
    lags = data.with_history(actions=1)
    arrays = (array[:, :2] for array in (lags.states, lags.actions, lags.next_states))
    first = dp.Transitions(*arrays, known={1: ("action", 0)}, episodes=lags.episodes)
    assert "shifted_actions" in dp.diagnose(first).kinds
    assert "shifted_actions" not in dp.diagnose(lags).kinds


def test_select_takes_data_with_a_history() -> None:
    _, seen = pair(rows=400)
    models = {
        "linear": dp.LinearGaussian.fit,
        "quadratic": lambda d: dp.LinearGaussian.fit(d, features=dp.Polynomial(2)),
    }
    found = dp.select(seen, horizon=10, models=models)
    assert found.model.known == seen.known


def test_what_is_not_fitted_is_not_counted() -> None:
    _, seen = pair()
    model = dp.LinearGaussian.fit(seen)
    compared = dp.compare({"linear": model}, seen, 3).models["linear"]
    assert compared.fitted_numbers == 2 * model.columns


def unsaid(data: dp.Transitions, known=None) -> dp.Transitions:
    """The same rows, of which nothing is known."""
    arrays = data.states, data.actions, data.next_states
    return dp.Transitions(*arrays, episodes=data.episodes, gaps="ignore", known=known)


def compared(model, *args, **more):
    return dp.compare({"": model}, *args, **more)


def of_silence() -> tuple[dict, dict]:
    """What each check says of data that know what the model knows, and of the same that do not."""
    plain, _ = pair(0.1)
    train, held_out = split(plain.with_history(states=2, actions=1))
    model = dp.LinearGaussian.fit(train)
    plain_model = dp.LinearGaussian.fit(unsaid(train), ridge=1e-6)

    def found(data, reference):
        drawn = {"propagation": "sample", "seed": 0}
        return {
            "evaluate": asdict(dp.evaluate(model, data, 5, **drawn)),
            "reference": asdict(dp.evaluate(model, data, 5, reference=data, **drawn)),
            "silent": asdict(dp.evaluate(plain_model, data, 5, reference=train)),
            "other": asdict(dp.evaluate(plain_model, held_out, 5, reference=reference)),
            "compare": compared(model, data, 5).models[""].error,
            "calibrated": model.calibrated(data).calibration.tolist(),
            "bands": dp.calibrate_bands(model, data, 2, seed=0).band_factors["sample"].tolist(),
        }

    return found(held_out, train), found(unsaid(held_out), unsaid(train))


def test_what_the_model_knows_is_known_of_data_that_do_not_say_it() -> None:
    said, silent = of_silence()
    np.testing.assert_equal(silent, said)
    assert silent["evaluate"]["known_states"] == (2, 3, 4, 5, 6)


def checks() -> dict:
    """What takes a model and held-out data."""
    return {
        "evaluate": lambda model, data: dp.evaluate(model, data, 3),
        "compare": lambda model, data: compared(model, data, 3),
        "bands": lambda model, data: dp.calibrate_bands(model, data, 2),
        "calibrated": lambda model, data: model.calibrated(data),
    }


@pytest.mark.parametrize("check", checks())
def test_data_must_know_what_the_model_knows(check) -> None:
    plain = places()
    ours, other = plain.with_history(states=1, actions=1), plain.with_history(states=2)
    model = dp.LinearGaussian.fit(ours)
    call = checks()[check]
    with pytest.raises(
        dp.ArgumentError, match=r"held_out: got KnownStates\(\{1: 0, 2: 1\}.*model's"
    ):
        call(model, other)
    with pytest.raises(dp.ArgumentError, match=r"held_out: in row 0 the next state 2 is"):
        call(model, unsaid(other))
    call(model, unsaid(ours, {1: 0, 2: ("action", 0)}))  # the same without a history


def test_reference_data_and_models_must_know_the_same() -> None:
    plain = places()
    ours, other = plain.with_history(states=1, actions=1), plain.with_history(states=2)
    silent = dp.LinearGaussian.fit(unsaid(ours), ridge=1e-6)
    for check in (dp.evaluate, compared):
        with pytest.raises(dp.ArgumentError, match=r"reference: got .* must be .* as held_out"):
            check(silent, ours, 3, reference=other)
        with pytest.raises(dp.ArgumentError, match="reference: in row 0 the next state 2 is"):
            check(silent, ours, 3, reference=unsaid(other))
    states = np.zeros((30, 3))
    rest = dp.Transitions(states, np.zeros((30, 1)), states, episodes=np.arange(30) // 10)
    models = {"a": dp.LinearGaussian.fit(ours), "b": dp.LinearGaussian.fit(other)}
    with pytest.raises(dp.ArgumentError, match=r"models: 'b' has .* must be .* as 'a'"):
        dp.compare(models, rest, 3)
    found = dp.select(unsaid(ours), horizon=3, models={"a": lambda _: models["a"]})
    assert "must be said of the data: Transitions(known=)" in found.comparison.models["a"].problem
