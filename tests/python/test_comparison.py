"""Models on the same held-out data: numbers as of plain loops, and a choice that is sound."""

from __future__ import annotations

import pickle
import re
from functools import cache

import numpy as np
import pytest

import dynaplan as dp
from public_objects import data as small_data
from public_objects import ensemble
from reference.dynamical_systems import driven, linear, nothing, pendulum
from reference.open_loop import of_step, open_loop_errors, predictor

HORIZON = 8


@cache
def held_out():
    return driven(pendulum, 6, 20, noise=0.02, seed=1)


@cache
def models():
    train = driven(pendulum, 6, 40, noise=0.02, seed=0)
    return {
        "linear": dp.LinearGaussian.fit(train),
        "cubic": dp.LinearGaussian.fit(train, features=dp.Polynomial(3)),
        "still": dp.FunctionModel(lambda s, a: s, 2, 1),
    }


def function(gain):
    return dp.FunctionModel(lambda s, a: gain * s, state_dim=2, action_dim=1)


def ratios(predict, data, horizon):
    """(episodes, K) mean squared errors over mean squared changes, at most 2, and their starts."""
    spread = data.states.std(axis=0)
    found, starts = np.zeros((2, len(data.episode_slices), horizon))
    for row, episode in enumerate(data.episode_slices):
        errors = open_loop_errors(predict, data[episode], horizon)
        changes = open_loop_errors(lambda state, action: state, data[episode], horizon)
        for step in range(1, horizon + 1):
            error, change = (np.mean((of_step(e, step) / spread) ** 2) for e in (errors, changes))
            found[row, step - 1] = min(error / change, 2.0)
            starts[row, step - 1] = len(of_step(errors, step))
    return found, starts


# --- the numbers


@pytest.mark.parametrize("name", ["linear", "cubic", "still"])
def test_the_error_is_that_of_plain_loops(name):
    found = dp.compare(models(), held_out(), HORIZON)
    ratio, starts = ratios(predictor(models()[name]), held_out(), HORIZON)
    expected = np.sqrt(np.mean((ratio * starts).sum(axis=0) / starts.sum(axis=0)))
    np.testing.assert_allclose(found.models[name].error, expected, rtol=1e-10)
    assert (found.rows, found.episodes, found.steps, found.units) == (120, 6, HORIZON, 6)


def test_the_baselines_are_those_of_plain_loops():
    data = held_out()
    found = dp.compare(models(), data, HORIZON).baselines
    assert list(found) == ["nothing changes", "the mean", "constant velocity"]
    assert found["nothing changes"] == pytest.approx(1.0)
    mean, spread = data.states.mean(axis=0), data.states.std(axis=0)
    squares = np.zeros((3, 6, HORIZON))  # sums over the starts of each episode
    for row, episode in enumerate(data.episode_slices):
        for start in range(episode.start, episode.stop):
            state = data.states[start]
            velocity = state - data.states[start - 1] if start > episode.start else 0.0 * state
            for k in range(1, min(HORIZON, episode.stop - start) + 1):
                actual = data.next_states[start + k - 1]
                for i, guess in enumerate((state, mean, state + k * velocity)):
                    squares[i, row, k - 1] += np.mean(((guess - actual) / spread) ** 2)
    capped = np.minimum(squares / squares[0], 2.0)  # episodes are equally long
    np.testing.assert_allclose([*found.values()], np.sqrt(capped.mean(axis=(1, 2))), rtol=1e-10)


def test_each_evaluation_is_that_of_evaluate():
    found = dp.compare(models(), held_out(), HORIZON, share=0.4, seed=3)
    for name, model in models().items():
        alone = dp.evaluate(model, held_out(), HORIZON, share=0.4, seed=3)
        check = found.models[name].evaluation
        for column, values in alone.to_dict().items():
            np.testing.assert_array_equal(check.to_dict()[column], values)
        np.testing.assert_array_equal(check.ratio_interval, alone.ratio_interval)
        assert str(check) == str(alone)


def test_intervals_and_chances_are_those_of_episodes_drawn_in_pairs():
    found = dp.compare(models(), held_out(), HORIZON, seed=0).models
    drawn = np.random.default_rng(5).integers(6, size=(4000, 6))
    draws = {}
    for name in ("linear", "cubic"):
        ratio, _ = ratios(predictor(models()[name]), held_out(), HORIZON)
        draws[name] = ratio[drawn].mean(axis=(1, 2))
        expected = np.quantile(np.sqrt(draws[name]), [0.05, 0.95])
        # 5 % quantiles of 1,000 draws are known to some 1 % of the draws.
        np.testing.assert_allclose(found[name].error_interval, expected, rtol=0.05)
    assert found["cubic"].as_good == 1.0
    chance = np.mean(draws["linear"] <= draws["cubic"])
    assert found["linear"].as_good == pytest.approx(chance, abs=0.03)


def test_the_size_of_a_model_is_the_numbers_that_were_fitted():
    data = small_data()  # two states, one action
    given = {
        "linear": dp.LinearGaussian.fit(data),
        "quadratic": dp.LinearGaussian.fit(data, features=dp.Polynomial(2)),
        "process": dp.GaussianProcess.fit(data, starts=1, seed=0),
        "MLP": dp.MLP.fit(data, hidden=(4,), epochs=1, seed=0),
        "GaussianMLP": dp.GaussianMLP.fit(data, hidden=(4,), epochs=1, seed=0),
        "Ensemble": ensemble(),  # of two, which predict the reward too
        "known": dp.LinearModel(np.eye(2), np.ones((2, 1))),
        "own": Own(dp.LinearGaussian.fit(data)),
    }
    sizes = {n: m.fitted_numbers for n, m in dp.compare(given, data, 3).models.items()}
    assert sizes == {
        "linear": 2 * (3 + 1),
        "quadratic": 2 * (9 + 1),
        "process": 2 * (len(data) + 3 + 2),
        "MLP": (3 + 1) * 4 + (4 + 1) * 2,
        "GaussianMLP": (3 + 1) * 4 + (4 + 1) * 4,
        "Ensemble": 2 * ((3 + 1) * 4 + (4 + 1) * 6),
        "known": 0,
        "own": None,
    }


class Own:
    """A class of a user's own."""

    def __init__(self, model):
        self.model = model

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.model, name)


def test_times_are_measured_where_float32_holds_the_data():
    found = dp.compare({"a": function(0.5)}, small_data(), 2).models["a"]
    assert all(0.0 < time < np.inf for time in found.step_nanoseconds)
    states = np.array([[1e200, 1.0], [2e200, 2.0], [3e200, 0.0]])
    huge = dp.Transitions(states, np.zeros((3, 1)), 0.5 * states, episodes=[0, 1, 2])
    found = dp.compare({"a": function(0.5)}, huge, 2).models["a"]
    assert np.isnan(found.step_nanoseconds).all()
    assert found.error < 1e-12


# --- the choice


def test_of_a_linear_system_the_linear_model_is_taken_although_another_may_be_lucky():
    train = driven(linear, 12, 60, noise=0.1, seed=0)
    given = {
        "quadratic": dp.LinearGaussian.fit(train, features=dp.Polynomial(2)),
        "linear": dp.LinearGaussian.fit(train),
    }
    tests = [driven(linear, 6, 20, noise=0.1, seed=seed) for seed in range(100, 112)]
    found = [dp.compare(given, test, 10) for test in tests]
    assert [one.best for one in found].count("quadratic") > 0
    # Of those that are no worse, one in ten is distinguishably so by chance.
    assert [one.chosen for one in found].count("linear") >= 10
    [lucky, *_] = [one for one in found if one.best == "quadratic" and one.chosen == "linear"]
    assert lucky.models["linear"].as_good >= 0.1
    expected = "linear: the simplest that is not distinguishably worse than quadratic, which has"
    assert lucky.reason.startswith(expected)


def test_of_a_pendulum_the_polynomial_is_taken():
    found = dp.compare(models(), held_out(), HORIZON)
    assert found.chosen == found.best == "cubic"
    assert found.reason == "cubic: the smallest error, and no simpler one is as good"
    alone = dp.compare({"cubic": models()["cubic"]}, held_out(), HORIZON)
    expected = "cubic: the only model that could be evaluated, and better than without one"
    assert alone.reason == expected


def test_known_dynamics_are_the_simplest():
    given = {
        "linear": dp.LinearGaussian.fit(driven(linear, 8, 40, noise=0.05, seed=0)),
        "truth": dp.FunctionModel(
            lambda s, a: s @ np.array([[0.95, -0.2], [0.1, 0.9]]) + a * [0.0, 0.2], 2, 1
        ),
    }
    assert dp.compare(given, driven(linear, 6, 40, noise=0.05, seed=2), 10).chosen == "truth"


def test_where_there_is_nothing_to_learn_none_is_taken():
    for seed in range(5):
        train, test = (driven(nothing, 6, 30, noise=1.0, seed=s) for s in (seed, seed + 50))
        given = {
            "linear": dp.LinearGaussian.fit(train),
            "quadratic": dp.LinearGaussian.fit(train, features=dp.Polynomial(2)),
        }
        found = dp.compare(given, test, 5)
        assert found.chosen is None
        assert found.best in given
        assert "distinguishably better than the prediction 'the mean'" in found.reason
        assert "nothing to learn that far ahead, or the data are too few" in found.reason


def test_a_model_that_runs_away_is_not_taken_for_being_simple():
    # It is perfect but for starts of one of twelve episodes, whom a third of the draws lack.
    test = driven(linear, 12, 20, noise=0.1, spread=1.0, seed=0)
    limit = np.abs(test.states[:, 0]).max() * 0.999
    truth = np.array([[0.95, -0.2], [0.1, 0.9]])

    def wild(states, actions):
        steps = states @ truth + actions * [0.0, 0.2]
        return np.where(np.abs(states[:, :1]) > limit, 1e9, steps)

    fitted = dp.LinearGaussian.fit(driven(linear, 20, 50, noise=0.1, seed=1))
    found = dp.compare({"wild": dp.FunctionModel(wild, 2, 1), "linear": fitted}, test, 10)
    assert 0.0 < found.models["wild"].run_away < 0.1
    assert found.models["wild"].as_good > 0.1
    assert found.chosen == "linear"
    assert "wild: runs away from" in str(found)


@pytest.mark.parametrize("rows", [4, 30])
def test_a_single_episode_is_cut_into_pieces_where_it_is_long(rows):
    test = driven(linear, 1, rows, noise=0.05, seed=3)
    given = {"linear": dp.LinearGaussian.fit(driven(linear, 4, 40, noise=0.05, seed=0))}
    found = dp.compare(given, test, 4)
    assert found.units == {4: 1, 30: 7}[rows]
    assert found.chosen == "linear"
    interval = found.models["linear"].error_interval
    if rows == 4:
        assert interval is None
        assert "no interval: the held-out data are too few" in flat(found)
    else:
        assert interval[0] < found.models["linear"].error < interval[1]
        assert "intervals of 7 pieces of the data" in flat(found)


def test_models_can_be_compared_by_a_single_row():
    row = dp.Transitions([[0.0]], [[1.0]], [[1.0]])
    found = dp.compare({"known": dp.LinearModel(np.eye(1), np.ones((1, 1)))}, row)
    assert (found.chosen, found.models["known"].error) == ("known", 0.0)
    # A state that never varied has no spread to count errors by.
    assert re.search(r"^\* known +0 +- +- +>=1 +- +0\b", str(found), re.M)


def test_of_one_piece_the_simplest_within_a_tenth_is_taken():
    test = driven(linear, 1, 5, seed=3)
    near, far = function(1.0), function(1.5)
    truth = dp.LinearGaussian.fit(driven(linear, 4, 40, seed=0))
    assert dp.compare({"near": near, "truth": truth}, test, 5).chosen == "truth"
    found = dp.compare({"near": near, "far": far}, test, 5)
    assert found.chosen is None  # `near` is the prediction that nothing changes


# --- what fails


def failing(states, actions):
    raise ZeroDivisionError("of the function's own")


def test_what_fails_is_listed_with_its_reason():
    given = {"failing": dp.FunctionModel(failing, 2, 1), **models()}
    found = dp.compare(given, held_out(), HORIZON)
    assert list(found.models) == list(given)
    one = found.models["failing"]
    assert one.problem == "ZeroDivisionError: of the function's own"
    assert one.evaluation is None
    assert np.isnan([one.error, one.as_good, one.run_away]).all()
    assert found.chosen == "cubic"
    assert "failing: not evaluated: ZeroDivisionError: of the function's own" in flat(found)
    alone = dp.compare({"failing": given["failing"]}, held_out(), HORIZON)
    assert (alone.chosen, alone.best) == (None, None)
    assert alone.reason == "none: no model could be evaluated"
    assert "ZeroDivisionError" in str(alone)


def test_a_model_whose_step_cannot_be_timed_is_compared_all_the_same():
    def of_many(states, actions):
        if len(states) == 1:
            raise ValueError("for batches alone")
        return 0.9 * states

    found = dp.compare({"of many": dp.FunctionModel(of_many, 2, 1), **models()}, held_out(), 2)
    assert found.models["of many"].problem is None
    assert np.isnan(found.models["of many"].step_nanoseconds[0])
    assert found.chosen == "cubic"


def test_terms_that_were_dropped_are_no_numbers_of_a_model():
    states, actions = np.split(np.random.default_rng(0).normal(size=(200, 3)), [2], axis=1)
    following = np.column_stack([0.9 * states[:, 0] + 0.1 * states[:, 1] ** 2, 0.5 * actions[:, 0]])
    data = dp.Transitions(states, actions, following, episodes=np.arange(200))
    cubic = dp.Polynomial(3)
    sparse = dp.LinearGaussian.fit(data, features=cubic, threshold=0.01)
    found = dp.compare({"sparse": sparse, "all": dp.LinearGaussian.fit(data, features=cubic)}, data)
    # Of the changes: -0.1 x and 0.1 y^2; -y and 0.5 u.
    assert found.models["sparse"].fitted_numbers == 4
    assert found.models["all"].fitted_numbers == 40


def test_a_fault_in_a_function_is_not_kept_from_the_caller():
    def wrong(states, actions):
        return undefined  # noqa: F821

    with pytest.raises(NameError, match="undefined"):
        dp.compare({"wrong": dp.FunctionModel(wrong, 2, 1)}, held_out(), HORIZON)


def test_wrong_arguments_are_refused_by_name():
    with pytest.raises(TypeError, match="models: got list, must be a mapping from names to models"):
        dp.compare([models()["linear"]], held_out())
    with pytest.raises(dp.ArgumentError, match="models: got none, must be at least one"):
        dp.compare({}, held_out())
    with pytest.raises(TypeError, match="models: got the name 3, must be text"):
        dp.compare({3: models()["linear"]}, held_out())
    with pytest.raises(TypeError, match="models: 'a': model: got the class MLP, must be a model"):
        dp.compare({"a": dp.MLP}, held_out())
    wide = dp.FunctionModel(lambda s, a: s, 3, 1)
    with pytest.raises(dp.ShapeError, match=r"held_out: got \(2, 1\) states and actions"):
        dp.compare({**models(), "wide": wide}, held_out())


# --- how it prints, and what it keeps


def flat(text):
    return " ".join(str(text).split())


@pytest.mark.parametrize("width", [60, 80, 120])
def test_it_prints_within_the_terminal(width, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(width))
    given = {
        **models(),
        "a model with a name that is longer than any table is wide " * 3: function(9.0),
    }
    text = str(dp.compare(given, held_out(), HORIZON))
    lines = text.splitlines()
    assert max(map(len, lines)) <= width
    assert lines == [line.rstrip() for line in lines]
    assert lines[0] == "4 models, 8 steps ahead, on 120 held-out rows of 6 episodes"
    assert re.search(r"^\* cubic +0\.\d+ +0\.\d+ to 0\.\d+", text, re.M)
    assert "take cubic: the smallest error, and no simpler one is as good" in flat(text)
    assert "error without a model: nothing changes 1, the mean" in flat(text)


def test_same_seed_same_comparison_and_it_pickles():
    given = {name: models()[name] for name in ("linear", "cubic")}
    one, two, other = (dp.compare(given, held_out(), HORIZON, seed=s) for s in (0, 0, 1))
    assert repr(one) == repr(two) == "Comparison(2 models, 8 steps ahead, chosen='cubic')"
    for name in given:
        assert one.models[name].error_interval == two.models[name].error_interval
        assert one.models[name].error_interval != other.models[name].error_interval
        assert one.models[name].error == other.models[name].error
    again = pickle.loads(pickle.dumps(one))
    assert str(again) == str(one)
