"""Models as equations that people read: what is printed, evaluated again, is what is predicted."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dynaplan as dp


def terms_of(equation: str) -> tuple[str, list[tuple[float, dict[str, int]]]]:
    """Parses an equation: the name on the left, then coefficient and powers of each term."""
    left, right = equation.split("' = ")
    signed = re.sub(r" ([+-]) ", r"|\1", right).split("|")
    terms = []
    for text in signed:
        sign = -1.0 if text.startswith("-") else 1.0
        factors = text.lstrip("+-").split(" ")
        value, powers = 1.0, {}
        for factor in factors:
            name, _, power = factor.partition("^")
            if re.match(r"[\d.]", factor):
                value = float(factor)
            else:
                powers[name] = int(power or "1")
        terms.append((sign * value, powers))
    return left, terms


def evaluated(equation: str, values: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Returns the right side and the sum of the sizes of its terms, for each row."""
    total = size = np.zeros_like(next(iter(values.values())))
    for value, powers in terms_of(equation)[1]:
        term = value * np.prod([values[name] ** power for name, power in powers.items()], axis=0)
        total, size = total + term, size + np.abs(term)
    return total, size


def require_equal(model, equations, names, rows: np.ndarray, precision: int) -> None:
    values = dict(zip(names, rows.T, strict=True))
    expected = model.predict(rows[:, : model.state_dim], rows[:, model.state_dim :]).mean
    assert [terms_of(equation)[0] for equation in equations] == list(names[: model.state_dim])
    for state, equation in enumerate(equations):
        got, size = evaluated(equation, values)
        # Half of the last of the digits, of each term; and sums that float64 rounds.
        rounding = 0.5 * 10.0 ** (1 - precision) + 1e-9
        assert (np.abs(got - expected[:, state]) <= rounding * size + 1e-300).all()


def polynomial(degree: int, seed: int = 0, target: str = "change") -> dp.LinearGaussian:
    generator = np.random.default_rng(seed)
    states, actions = generator.normal(size=(80, 2)), generator.normal(size=(80, 1))
    pushed = states @ [[0.9, 0.2], [-0.3, 1.1]] + 0.4 * states[:, :1] * actions - 0.02
    noisy = pushed + 0.05 * generator.normal(size=(80, 2))
    data = dp.Transitions(states, actions, noisy)
    return dp.LinearGaussian.fit(data, features=dp.Polynomial(degree), target=target)


def test_a_pendulum_reads_as_in_a_book():
    model = dp.LinearModel([[1.0, 0.05], [-0.49, 0.995]], [[0.0], [0.15]], [0.0, -2.5])
    assert model.equations(["theta", "omega", "torque"]) == [
        "theta' = theta + 0.05 omega",
        "omega' = -0.49 theta + 0.995 omega + 0.15 torque - 2.5",
    ]


def test_default_names_precision_and_products():
    states, actions = np.random.default_rng(0).normal(size=(2, 60, 1))
    following = states - 1.23456 * states**2 * actions + 0.5 * actions**2
    model = dp.LinearGaussian.fit(
        dp.Transitions(states, actions, following), features=dp.Polynomial(3)
    )
    assert model.equations() == ["s0' = s0 + 0.5 a0^2 - 1.23 s0^2 a0"]
    assert model.equations(precision=5) == ["s0' = s0 + 0.5 a0^2 - 1.2346 s0^2 a0"]


def test_what_is_zero_is_so_in_print():
    assert dp.LinearModel([[0.0]], [[0.0]]).equations() == ["s0' = 0"]
    assert dp.LinearModel([[0.0]], [[-1.0]]).equations(["x", "u"]) == ["x' = -u"]
    assert dp.LinearModel([[0.0]], [[0.0]], [1.0]).equations() == ["s0' = 1"]


def test_known_numbers_are_printed_however_small_they_are():
    assert dp.LinearModel([[1.0]], [[1e-30]]).equations() == ["s0' = s0 + 1e-30 a0"]


@pytest.mark.parametrize("degree", [1, 2, 4])
@pytest.mark.parametrize("precision", [1, 3, 17])
@pytest.mark.parametrize("target", ["change", "absolute"])
def test_printed_equations_predict_to_the_digits_printed(degree, precision, target):
    model = polynomial(degree, target=target)
    equations = model.equations(precision=precision)
    rows = np.random.default_rng(1).normal(size=(50, 3))
    require_equal(model, equations, ["s0", "s1", "a0"], rows, precision)


def test_equations_of_huge_and_tiny_units_leave_no_term_out():
    plain = polynomial(2)
    generator = np.random.default_rng(0)
    states, actions = generator.normal(size=(80, 2)), generator.normal(size=(80, 1))
    following = plain.predict(states, actions).mean
    units = np.array([1e60, 1e-60])
    data = dp.Transitions(states * units, actions * 1e-20, following * units)
    model = dp.LinearGaussian.fit(data, features=dp.Polynomial(2))
    counts = [len(terms_of(e)[1]) for m in (plain, model) for e in m.equations()]
    assert counts == [10, 10, 10, 10]  # 9 features and the constant


def test_an_input_that_was_always_zero_has_no_term():
    states = np.linspace(-1.0, 1.0, 30)[:, None]
    data = dp.Transitions(states, np.zeros((30, 1)), 0.9 * states, episodes=np.arange(30))
    with pytest.warns(dp.RankDeficientWarning):
        model = dp.LinearGaussian.fit(data, features=dp.Polynomial(2))
    assert model.equations(["x", "u"]) == ["x' = 0.9 x"]


NUMBERS = st.floats(-1e6, 1e6).filter(lambda x: x == 0.0 or abs(x) > 1e-6)


@settings(max_examples=60, deadline=None)
@given(
    values=st.lists(NUMBERS, min_size=8, max_size=8),
    precision=st.integers(1, 17),
    row=st.lists(st.floats(-9, 9), min_size=3, max_size=3),
)
def test_any_linear_model_predicts_what_it_prints(values, precision, row):
    numbers = np.reshape(values, (2, 4))
    model = dp.LinearModel(numbers[:, :2], numbers[:, 2:3], numbers[:, 3])
    names = ["place", "speed", "push"]
    equations = model.equations(names, precision=precision)
    require_equal(model, equations, names, np.array([row]), precision)
    for state, equation in enumerate(equations):  # what is 0 is left out, and nothing else
        shown = [value for value, _ in terms_of(equation)[1] if value != 0.0]
        assert len(shown) == np.count_nonzero(numbers[state])


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"names": ["x", "y"]}, dp.ShapeError, "names: got 2, must be 3: 2 of states, then 1 of"),
        ({"names": ["x", "x", "u"]}, dp.ArgumentError, "names: got 'x' twice, must be different"),
        ({"names": ["x", "y z", "u"]}, dp.ArgumentError, "names: got 'y z', must be without spac"),
        ({"names": ["x", "", "u"]}, dp.ArgumentError, "names: got '', must be without spaces"),
        ({"names": "xyu"}, TypeError, "names: got 'xyu', must be a list of texts"),
        ({"names": ["x", 1, "u"]}, TypeError, "names: got 1, must be texts"),
        ({"names": 3}, TypeError, "names: got 3, must be a list of texts"),
        ({"precision": 0}, dp.ArgumentError, "precision: got 0, must be at least 1"),
        ({"precision": 18}, dp.ArgumentError, "precision: got 18, must be at most 17"),
        ({"precision": 2.0}, dp.ArgumentError, "precision: got 2.0, must be an integer"),
    ],
)
def test_what_is_refused(given, error, message):
    for model in (polynomial(1), dp.LinearModel(np.eye(2), [[0.0], [1.0]])):
        with pytest.raises(error, match=re.escape(message)):
            model.equations(**given)
