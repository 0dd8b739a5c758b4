"""Which kind of model is selected of systems whose truth is known, and that nothing leaks."""

from __future__ import annotations

import pickle
import re
import warnings
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dynaplan as dp
from dynaplan.rollouts import selection
from dynaplan.rollouts.default_learners import default_learners
from dynaplan.rollouts.folds import folds_of
from reference.dynamical_systems import driven, linear, nothing, pendulum
from reference.open_loop import of_step, open_loop_errors, predictor


def polynomial(degree):
    return lambda data: dp.LinearGaussian.fit(data, features=dp.Polynomial(degree))


POLYNOMIALS = {"linear": dp.LinearGaussian.fit, "quadratic": polynomial(2), "cubic": polynomial(3)}


def network(data):
    return dp.MLP.fit(data, hidden=(16,), epochs=30, seed=0)


def selected(data, horizon=10, models=POLYNOMIALS, **settings):
    return dp.select(data, models=models, horizon=horizon, **settings)


# --- what is chosen


@pytest.mark.parametrize("seed", range(4))
def test_of_a_linear_system_with_noise_the_linear_kind(seed):
    found = selected(driven(linear, 8, 40, noise=0.05, seed=seed))
    assert found.chosen == "linear"
    assert isinstance(found.model, dp.LinearGaussian)
    assert found.model.rows == 320  # all data
    np.testing.assert_allclose(found.model.A, [[0.95, 0.1], [-0.2, 0.9]], atol=0.05)


def test_of_a_pendulum_one_that_is_not_linear():
    data = driven(pendulum, 10, 50, noise=0.01, seed=1)
    found = selected(data, models={**POLYNOMIALS, "MLP": network})
    assert found.chosen in {"cubic", "MLP"}
    errors = {name: one.error for name, one in found.comparison.models.items()}
    assert errors[found.chosen] < 0.5 * errors["linear"]


def test_of_one_recording_too():
    assert selected(driven(pendulum, 1, 600, noise=0.01, spread=1.5, seed=1)).chosen == "cubic"
    assert selected(driven(linear, 1, 300, noise=0.05, seed=1)).chosen == "linear"


@pytest.mark.parametrize(("episodes", "rows"), [(1, 24), (3, 8), (6, 4)])
def test_of_a_few_rows_the_simple_one(episodes, rows):
    found = selected(driven(linear, episodes, rows, noise=0.02, seed=2))
    assert found.chosen == "linear"


@pytest.mark.parametrize("episodes", [1, 6])
@pytest.mark.parametrize("seed", range(3))
def test_of_noise_alone_none(episodes, seed):
    found = selected(driven(nothing, episodes, 240 // episodes, noise=1.0, seed=seed))
    assert found.chosen is None
    assert "There is nothing to learn that far ahead, or the data are too few" in found.reason
    with pytest.raises(dp.NumericalError, match="there is no model to use, as `select` chose none"):
        found.model  # noqa: B018


def test_of_a_random_walk_none():
    found = selected(driven(lambda state, action: state, 6, 40, noise=1.0, seed=0))
    assert found.chosen is None
    assert "'nothing changes'" in found.reason


@pytest.mark.parametrize(("rows", "text"), [(1, "1 row is"), (3, "3 rows are")])
def test_of_too_few_rows_to_hold_any_out_none(rows, text):
    found = selected(driven(linear, 1, rows))
    assert (found.chosen, found.comparison, found.folds) == (None, None, 0)
    assert str(found) == f"take none: {text} too few to hold any out"
    with pytest.raises(dp.NumericalError, match=text):
        found.model  # noqa: B018


def test_one_kind_alone_is_still_to_be_better_than_none():
    assert selected(driven(linear, 5, 20), models={"mine": dp.LinearGaussian.fit}).chosen == "mine"
    still = {"still": lambda data: dp.FunctionModel(lambda s, a: s, 2, 1)}
    assert selected(driven(linear, 5, 20), models=still).chosen is None


# --- the numbers


@pytest.mark.parametrize("episodes", [7, 3, 1])
def test_the_errors_are_those_of_plain_loops_over_the_folds(episodes):
    data, horizon = driven(pendulum, episodes, 60 // episodes * 2, noise=0.05, seed=3), 4
    found = selected(data, horizon, {"linear": dp.LinearGaussian.fit})
    folds = folds_of(data, horizon, 0)
    assert found.folds == len(folds.parts) == {7: 5, 3: 3, 1: 5}[episodes]
    spread = data.states.std(axis=0)
    errors, one_step = [[] for _ in range(horizon)], []
    units = folds.units.max() + 1
    squares, changes, starts = np.zeros((3, units, horizon))
    for fold in folds.parts:
        part, of = data[fold.held_out], folds.units[fold.held_out]
        found_errors = open_loop_errors(predictor(dp.LinearGaussian.fit(data[fold.train])), part, 4)
        moved = open_loop_errors(lambda state, action: state, part, horizon)
        one_step.extend(of_step(found_errors, 1))
        for (start, step), error in found_errors.items():
            errors[step - 1].append(error)
            squares[of[start], step - 1] += np.mean((error / spread) ** 2)
            changes[of[start], step - 1] += np.mean((moved[start, step] / spread) ** 2)
            starts[of[start], step - 1] += 1
    capped = np.where(starts > 0, np.minimum(squares / np.maximum(changes, 1e-300), 2.0), 0.0)
    expected = np.sqrt(np.mean((capped * starts).sum(axis=0) / starts.sum(axis=0)))
    one = found.comparison.models["linear"]
    np.testing.assert_allclose(one.error, expected, rtol=1e-9)
    check = one.evaluation
    np.testing.assert_allclose(
        check.rmse, [np.sqrt(np.mean(np.square(e), axis=0)) for e in errors], rtol=1e-9
    )
    np.testing.assert_allclose(
        check.one_step_rmse, np.sqrt(np.mean(np.square(one_step), axis=0)), rtol=1e-9
    )
    np.testing.assert_array_equal(check.starts, [len(e) for e in errors])
    assert found.comparison.rows == len(data)
    low, high = check.rmse_interval
    assert ((low <= check.rmse) & (check.rmse <= high)).all()


# --- folds


@given(
    sizes=st.lists(st.integers(1, 25), min_size=1, max_size=80),
    horizon=st.integers(1, 30),
    seed=st.integers(0, 3),
)
def test_folds_hold_out_each_row_once_and_no_group_in_part(sizes, horizon, seed):
    path = np.arange(sum(sizes) + 1.0)[:, None]
    ids = np.repeat(np.arange(len(sizes)), sizes)
    data = dp.Transitions(path[:-1], np.ones((len(ids), 1)), path[1:], episodes=ids, gaps="ignore")
    folds = folds_of(data, horizon, seed)
    if folds is None:
        assert len(sizes) == 1
        assert sizes[0] < 4
        return
    held_out = np.concatenate([fold.held_out for fold in folds.parts])
    np.testing.assert_array_equal(np.sort(held_out), np.arange(len(ids)))
    for fold in folds.parts:
        assert len(fold.train) > 0
        assert len(fold.held_out) > 0
        assert not set(folds.units[fold.held_out]) & set(folds.units[fold.train])
        if len(sizes) > 1:
            assert not set(ids[fold.held_out]) & set(ids[fold.train])
            assert len(fold.train) + len(fold.held_out) == len(ids)
        else:  # a gap on either side
            apart = np.abs(fold.train[:, None] - fold.held_out).min()
            assert apart > min(folds.steps, max(1, len(ids) // 20))
    assert folds.steps == min(horizon, max(sizes)) or len(sizes) == 1


def test_folds_of_groups_hold_out_about_as_many_rows():
    data = driven(linear, 23, 10)
    sizes = [len(fold.held_out) for fold in folds_of(data, 5, 0).parts]
    assert sizes == [50, 50, 50, 40, 40]
    orders = [folds_of(data, 5, seed).parts[0].held_out.tolist() for seed in (0, 0, 1)]
    assert orders[0] == orders[1] != orders[2]


@pytest.mark.parametrize("episodes", [1, 3, 8])
def test_no_learner_sees_what_it_is_tried_on(episodes):
    """Each learner keeps the rows that it was given; the last ones are all data."""
    data, seen = driven(linear, episodes, 120 // episodes, noise=0.1, seed=5), []

    def learn(train):
        seen.append({tuple(row) for row in np.hstack([train.states, train.next_states])})
        return dp.LinearGaussian.fit(train)

    found = selected(data, 5, {"spy": learn})
    folds = folds_of(data, 5, 0)
    assert len(seen) == found.folds + 1
    for rows, fold in zip(seen, folds.parts, strict=False):
        part = data[fold.held_out]
        held_out = {tuple(row) for row in np.hstack([part.states, part.next_states])}
        assert not rows & held_out
        if episodes == 1:
            # Nor the states at which a held-out piece begins and ends.
            ends = {row[:2] for row in rows} | {row[2:] for row in rows}
            assert not ends & ({row[:2] for row in held_out} | {row[2:] for row in held_out})
    assert len(seen[-1]) == len(data)


def test_a_learner_that_remembers_is_found_out():
    """A table of what was seen is perfect on its own data, and on others no better than nothing."""

    def remembering(train):
        known = {tuple(s): n for s, n in zip(train.states, train.next_states, strict=True)}
        step = lambda states, actions: np.array([known.get(tuple(s), s) for s in states])  # noqa: E731
        return dp.FunctionModel(step, 2, 1)

    data = driven(linear, 6, 20, noise=0.1, seed=0)
    assert dp.evaluate(remembering(data), data, 10).rmse.max() < 1e-12
    found = selected(data, 10, {"table": remembering})
    assert found.chosen is None
    assert found.comparison.models["table"].error == pytest.approx(1.0)


# --- the default kinds


def test_the_default_kinds_suit_the_rows():
    rng = np.random.default_rng(0)

    def data(rows, states=2):
        s = rng.normal(size=(rows, states))
        return dp.Transitions(s, s[:, :1], s)

    learners, left_out = default_learners(data(1000), 800, 0, 1)
    networks = ["MLP", "GaussianMLP", "Ensemble"]
    assert [*learners] == ["linear", "quadratic", "cubic", "GaussianProcess", *networks]
    assert not left_out
    learners, left_out = default_learners(data(40), 32, 0, 1)
    assert [*learners] == ["linear", "quadratic", "GaussianProcess"]
    assert left_out == {
        "cubic": "20 columns are too many for 32 rows",
        **dict.fromkeys(networks, "32 rows are too few for a network"),
    }
    _, left_out = default_learners(data(10_000, 20), 8_000, 0, 1)
    assert left_out == {
        "cubic": "2024 columns are more than 600",
        "GaussianProcess": "10000 rows are more than 1000",
    }
    sizes = {}
    for rows in (60, 400):
        learners, _ = default_learners(data(rows), rows, 0, 1)
        sizes[rows] = learners["MLP"](data(rows)).architecture.hidden
    assert sizes == {60: (32, 32), 400: (64, 64)}


def test_the_default_kinds_of_few_rows_choose_and_say_what_was_left_out():
    found = dp.select(driven(linear, 5, 8, noise=0.02), horizon=5)
    assert found.chosen == "linear"
    assert "MLP: not evaluated: 32 rows are too few for a network" in " ".join(str(found).split())


@pytest.mark.long
def test_the_default_kinds_of_a_pendulum_beat_the_linear_one():
    found = dp.select(driven(pendulum, 8, 50, spread=1.5, seed=1), horizon=20)
    errors = {name: one.error for name, one in found.comparison.models.items()}
    assert found.chosen in {"cubic", "GaussianProcess", "MLP", "GaussianMLP", "Ensemble"}
    assert errors[found.chosen] < 0.5 * errors["linear"]


# --- what fails, what ends early


def test_a_learner_that_fails_is_listed_and_one_that_is_wrong_is_not_hidden():
    def failing(data):
        raise dp.NumericalError("no solution")

    data = driven(linear, 6, 20, noise=0.05)
    found = selected(data, models={"failing": failing, **POLYNOMIALS})
    assert found.chosen == "linear"
    assert found.comparison.models["failing"].problem == "NumericalError: no solution"
    assert selected(data, models={"failing": failing}).chosen is None
    with pytest.raises(TypeError, match="models: 'none' returned no model: model: got None, must"):
        selected(data, models={"none": lambda data: None})
    with pytest.raises(KeyError):
        selected(data, models={"wrong": lambda data: {}["a"]})


def test_after_the_time_limit_no_other_fit_is_begun(monkeypatch):
    now, fits = [100.0], []
    monkeypatch.setattr(selection, "time", SimpleNamespace(monotonic=lambda: now[0]))

    def taking(name, seconds):
        def learn(data):
            fits.append(name)
            now[0] += seconds
            return dp.LinearGaussian.fit(data)

        return learn

    kinds = {"quick": taking("quick", 0.25), "slow": taking("slow", 1.0), "late": taking("late", 0)}
    found = selected(driven(linear, 6, 20, noise=0.05), models=kinds, time_limit=2.5)
    # 1.25 s, then two fits of the slow kind, and the last one of the chosen kind to all data.
    assert fits == ["quick"] * 5 + ["slow"] * 2 + ["quick"]
    assert found.chosen == "quick"
    for name in ("slow", "late"):
        problem = found.comparison.models[name].problem
        assert problem == "not done within the time limit of 2.5 s"
    none = selected(driven(linear, 6, 20), models={"slow": taking("slow", 9.0)}, time_limit=2.5)
    assert (none.chosen, none.reason) == (None, "none: no model could be evaluated")


def test_ctrl_c_ends_the_selection():
    calls = []

    def learn(data):
        calls.append(len(data))
        if len(calls) == 2:
            raise KeyboardInterrupt
        return dp.LinearGaussian.fit(data)

    with pytest.raises(KeyboardInterrupt):
        selected(driven(linear, 6, 20), models={"mine": learn})
    assert len(calls) == 2


def test_ctrl_c_in_the_training_of_a_network_ends_the_selection(run_python):
    child = run_python(
        """
import os, signal, threading
import numpy as np
import dynaplan as dp
states, actions = np.random.default_rng(0).normal(size=(2, 1000, 2))
data = dp.Transitions(states, actions, states + 0.1 * np.tanh(actions))
def told(epoch, training, held_out):
    if epoch == 2:
        threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
fits = []
def learn(train):
    fits.append(len(train))
    return dp.MLP.fit(train, epochs=1000000, patience=1000000, progress=told, seed=0)
try:
    dp.select(data, models={"MLP": learn, "other": learn})
except KeyboardInterrupt:
    print("fits", len(fits))
"""
    )
    assert child.stdout.strip() == "fits 1"


def test_what_a_fit_to_all_data_warns_of_is_said_once():
    data = driven(linear, 6, 20, noise=0.05)
    still = dp.Transitions(
        data.states, np.zeros((len(data), 1)), data.next_states, episodes=data.episodes
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = selected(still, models={"linear": dp.LinearGaussian.fit})
    assert found.chosen == "linear"
    assert [one.category for one in caught] == [dp.RankDeficientWarning]


# --- what it keeps


def test_same_seed_same_selection_and_it_pickles():
    data = driven(pendulum, 9, 20, noise=0.05, seed=1)
    one, two, other = (selected(data, 5, seed=seed) for seed in (3, 3, 4))
    assert repr(one) == repr(two)
    for name in POLYNOMIALS:
        first, second, third = (s.comparison.models[name] for s in (one, two, other))
        assert (first.error, first.error_interval) == (second.error, second.error_interval)
        assert first.error != third.error
    np.testing.assert_array_equal(one.model.coefficients, two.model.coefficients)
    again = pickle.loads(pickle.dumps(one))
    assert str(again) == str(one)
    assert again.chosen == one.chosen


def test_it_prints_as_a_comparison():
    text = str(selected(driven(linear, 6, 20, noise=0.05)))
    assert text.startswith("cross-validation, 5 folds\n3 models, 10 steps ahead, on 120 held-out")
    assert re.search(r"^\* linear ", text, re.M)
    assert max(map(len, text.splitlines())) <= 80


def test_wrong_arguments_are_refused_by_name():
    data = driven(linear, 6, 20)
    with pytest.raises(TypeError, match="data: got 'data', must be Transitions"):
        dp.select("data")
    with pytest.raises(TypeError, match="models: got list, must be a mapping from names to func"):
        dp.select(data, models=[dp.LinearGaussian.fit])
    with pytest.raises(TypeError, match="models: 'a': got 3, must be a function from data to a mo"):
        dp.select(data, models={"a": 3})
    with pytest.raises(TypeError, match="models: got the name 3, must be text"):
        dp.select(data, models={3: dp.LinearGaussian.fit})
    with pytest.raises(dp.ArgumentError, match="models: got none, must be at least one"):
        dp.select(data, models={})
    for wrong in (0.0, -1.0, np.inf, np.nan):
        with pytest.raises(dp.ArgumentError, match=r"time_limit: got .*, must be finite and above"):
            dp.select(data, time_limit=wrong)
