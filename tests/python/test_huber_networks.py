"""Networks by Huber's loss: no row that bends them, and noise of the size that most rows have."""

from __future__ import annotations

import copy
import pickle
import warnings
from typing import Any

import numpy as np
import pytest

import dynaplan as dp

FITS = {
    "MLP": dp.MLP.fit,
    "GaussianMLP": dp.GaussianMLP.fit,
    "Ensemble": lambda data, **settings: dp.Ensemble.fit(data, members=3, **settings),
}
USUAL = {"MLP": "squared_error", "GaussianMLP": "gaussian", "Ensemble": "gaussian"}


def following(states: Any, actions: Any) -> Any:
    """The system without noise."""
    return states + 0.3 * np.sin(2.0 * states) + 0.2 * actions


def log(
    seed: int, *, noise: float = 0.05, faults: float = 0.0, size: float = 2.0, wild: Any = None
) -> dp.Transitions:
    """1,000 rows, a share of them off by so many deviations of the change; one may be wild."""
    rng = np.random.default_rng(seed)
    states, actions = rng.uniform(-2.0, 2.0, size=(2, 1000, 1))
    next_states = following(states, actions) + noise * rng.normal(size=states.shape)
    hit = rng.random(1000) < faults
    next_states[hit] += size * rng.choice([-1.0, 1.0, 1.0], size=(np.count_nonzero(hit), 1))
    if wild is not None:
        next_states[500] = wild
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dp.SuspectDataWarning)
        return dp.Transitions(states, actions, next_states, episodes=np.arange(1000))


def rmse(model: Any) -> float:
    """Beside the system without noise."""
    rng = np.random.default_rng(99)
    states, actions = rng.uniform(-2.0, 2.0, size=(2, 500, 1))
    error = model.predict(states, actions).mean - following(states, actions)
    return float(np.sqrt((error**2).mean()))


@pytest.mark.parametrize("kind", FITS)
def test_a_tenth_of_the_rows_being_wrong_costs_little(kind: str) -> None:
    fit = FITS[kind]
    clean = rmse(fit(log(0), seed=0))
    data = log(0, faults=0.1)
    robust = rmse(fit(data, loss="huber", seed=0))
    assert robust < 2.0 * clean + 0.01
    assert robust < 0.5 * rmse(fit(data, seed=0))


@pytest.mark.parametrize("kind", FITS)
@pytest.mark.parametrize("wild", [50.0, 1e6, 1e12])
def test_a_wild_row_costs_nothing(kind: str, wild: float) -> None:
    fit = FITS[kind]
    assert rmse(fit(log(1, wild=wild), loss="huber", seed=0)) < 1.5 * rmse(fit(log(1), seed=0))


@pytest.mark.parametrize("kind", ["GaussianMLP", "Ensemble"])
def test_noise_is_that_of_most_rows(kind: str) -> None:
    grid = np.linspace(-1.5, 1.5, 50)[:, None]
    for faults, off in [(0.0, 0.15), (0.05, 0.5)]:
        model = FITS[kind](log(2, faults=faults), loss="huber", seed=0)
        noise = np.sqrt(model.predict(grid, np.zeros_like(grid)).aleatoric)
        assert np.median(noise) == pytest.approx(0.05, rel=off)
    usual = FITS[kind](log(2, faults=0.05), seed=0)
    assert np.sqrt(np.median(usual.predict(grid, np.zeros_like(grid)).aleatoric)) > 0.2


@pytest.mark.parametrize("kind", FITS)
def test_normal_noise_costs_as_much_as_by_the_usual_loss(kind: str) -> None:
    errors = [
        [rmse(FITS[kind](log(seed), loss=loss, seed=seed)) for seed in range(3)]
        for loss in ("huber", USUAL[kind])
    ]
    assert np.mean(errors[0]) < 1.3 * np.mean(errors[1])


def test_units_are_no_matter() -> None:
    data = log(3, faults=0.1)
    small = dp.Transitions(
        data.states, data.actions, data.states + 1e-9 * (data.next_states - data.states)
    )
    usual, scaled = (dp.MLP.fit(one, loss="huber", seed=0) for one in (data, small))
    change = usual.predict([0.5], [0.5]).mean - 0.5
    np.testing.assert_allclose(scaled.predict([0.5], [0.5]).mean - 0.5, 1e-9 * change, rtol=1e-4)


@pytest.mark.parametrize("kind", FITS)
def test_a_model_keeps_how_it_was_fitted(kind: str, tmp_path: Any) -> None:
    fit, data = FITS[kind], log(4, faults=0.1)
    settings = {"loss": "huber", "epochs": 30, "seed": 0}
    model = fit(data, **settings)
    assert model.settings.loss == "huber"
    assert fit(data, epochs=1, seed=0).settings.loss == USUAL[kind]
    model.save(tmp_path / "model.dp")
    inputs = [[0.3]], [[0.7]]
    mean = model.predict(*inputs).mean
    for other in (
        dp.load(tmp_path / "model.dp"),
        pickle.loads(pickle.dumps(model)),
        copy.deepcopy(model),
        fit(data, threads=3, **settings),
    ):
        assert other.settings == model.settings
        np.testing.assert_array_equal(other.predict(*inputs).mean, mean)
    more = fit(data, initial=model, **settings)
    assert np.isfinite(more.predict(*inputs).mean).all()


@pytest.mark.parametrize("kind", FITS)
def test_targets_that_are_exact_or_constant_are_learned(kind: str) -> None:
    rng = np.random.default_rng(5)
    states, actions = rng.normal(size=(300, 2)), rng.normal(size=(300, 1))
    next_states = states + np.hstack([np.zeros((300, 1)), 0.1 * actions])
    data = dp.Transitions(states, actions, next_states, episodes=np.arange(300))
    model = FITS[kind](data, loss="huber", hidden=(), seed=0)
    mean = model.predict(states[:50], actions[:50]).mean
    np.testing.assert_allclose(mean, next_states[:50], atol=2e-3)
    np.testing.assert_allclose(mean[:, 0], next_states[:50, 0], rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", FITS)
@pytest.mark.parametrize("held_out", [0.0, "data"])
def test_without_held_out_rows_and_with_some_that_are_wild(kind: str, held_out: Any) -> None:
    given = log(7, faults=0.1, wild=1e9) if held_out == "data" else held_out
    model = FITS[kind](log(6, faults=0.1), loss="huber", held_out=given, epochs=60, seed=0)
    assert rmse(model) < 0.1


@pytest.mark.parametrize("kind", FITS)
@pytest.mark.parametrize("loss", ["", "Huber", None, 1, "absolute"])
def test_other_losses_are_refused(kind: str, loss: Any) -> None:
    with pytest.raises(dp.ArgumentError, match=rf'^loss: .*must be "{USUAL[kind]}" or "huber"'):
        FITS[kind](log(0), loss=loss)


@pytest.mark.parametrize("kind", FITS)
@pytest.mark.parametrize("size", [1e3, 1e6, 1e9])
def test_more_wild_rows_than_a_warning_names_cost_little(kind: str, size: float) -> None:
    clean, rng = log(8), np.random.default_rng(1)
    hit = rng.choice(1000, 25, replace=False)
    next_states = clean.next_states.copy()
    next_states[hit] += size * rng.normal(size=(25, 1))
    data = dp.Transitions(clean.states, clean.actions, next_states, episodes=np.arange(1000))
    assert rmse(FITS[kind](data, loss="huber", seed=0)) < 2.0 * rmse(FITS[kind](clean, seed=0))


def test_a_wild_reward_or_action_costs_nothing() -> None:
    clean = log(9)
    for kind in ("rewards", "actions"):
        columns = {"rewards": -(clean.states[:, 0] ** 2), "actions": clean.actions.copy()}
        columns[kind][500] = 1e6
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", dp.SuspectDataWarning)
            data = dp.Transitions(
                clean.states,
                columns["actions"],
                clean.next_states,
                columns["rewards"],
                episodes=np.arange(1000),
            )
        model = dp.MLP.fit(data, loss="huber", rewards=True, seed=0)
        states, actions = clean.states[:200], clean.actions[:200]
        reward = model._parameters.predict(states, actions, 1)[3]
        assert np.sqrt(np.mean((np.ravel(reward) + states[:, 0] ** 2) ** 2)) < 0.05
        assert rmse(model) < 0.05


def test_angles_that_wrap_and_rewards_that_are_rare_are_not_wild() -> None:
    rng = np.random.default_rng(10)
    angle = np.cumsum(rng.uniform(0.01, 0.03, 2001))
    wrapped = np.mod(angle + np.pi, 2.0 * np.pi)[:, None] - np.pi
    rare = (rng.random(2000) < 0.02).astype(float)
    data = dp.Transitions(
        wrapped[:-1], rng.normal(size=(2000, 1)), wrapped[1:], rare, episodes=np.zeros(2000, int)
    )
    model = dp.MLP.fit(data, loss="huber", angles=[0], rewards=True, epochs=2, held_out=0, seed=0)
    assert model.rows == 2000
