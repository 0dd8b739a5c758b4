"""Equations of one state, written once: NumPy, numba and a function of batches say the same."""

from __future__ import annotations

import inspect
import pickle
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dynaplan as dp

DIMS = {"state_dim": 4, "action_dim": 2}


def car(state, action):
    _, _, heading, speed = state
    acceleration, steering = action
    turning = speed / 2.7 * np.tan(steering)
    return speed * np.cos(heading), speed * np.sin(heading), turning, acceleration


def car_of_batches(states, actions):
    _, _, heading, speed = states.T
    acceleration, steering = actions.T
    turning = speed / 2.7 * np.tan(steering)
    return np.stack(
        [speed * np.cos(heading), speed * np.sin(heading), turning, acceleration], axis=1
    )


def cart(state, action):
    """A step in discrete time, with what is left as it is, what is a whole number, and a limit."""
    place, speed, _ = state
    push = np.where(np.abs(action[0]) > 1.0, np.sign(action[0]), action[0])
    return place + 0.1 * speed, speed + 0.1 * push, 7


def cases(rows=200, states=4, actions=2):
    generator = np.random.default_rng(0)
    return 3.0 * generator.normal(size=(rows, states)), generator.normal(size=(rows, actions))


@settings(deadline=None, max_examples=20)
@given(
    rows=st.sampled_from([1, 2, 4, 50]),
    method=st.sampled_from(["rk4", "euler"]),
    substeps=st.integers(1, 4),
    dt=st.floats(1e-3, 0.3),
)
def test_numpy_runs_them_like_a_function_of_batches(rows, method, substeps, dt):
    settled = {"method": method, "substeps": substeps}
    model = dp.discretise(car, dt, **DIMS, **settled)
    assert isinstance(model, dp.FunctionModel)
    states, actions = cases(rows)
    expected = dp.discretise(car_of_batches, dt, **settled)(states, actions)
    np.testing.assert_allclose(
        model.predict(states, actions).mean, expected, rtol=1e-13, atol=1e-13
    )


@pytest.mark.parametrize(("method", "substeps"), [("rk4", 1), ("rk4", 3), ("euler", 2)])
def test_numba_compiles_the_same_numbers(method, substeps):
    pytest.importorskip("numba")
    made = {**DIMS, "method": method, "substeps": substeps}
    compiled = dp.discretise(car, 0.05, **made, compiled=True)
    assert isinstance(compiled, dp.CompiledModel)
    expected = dp.discretise(car, 0.05, **made).predict(*cases()).mean
    for threads in (1, 2):
        found = compiled.predict(*cases(), threads=threads).mean
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_steps_in_discrete_time_go_both_ways(dtype):
    model = dp.FunctionModel.from_equations(cart, 3, 1, observed=([-1.0] * 4, [1.0] * 4))
    states, actions = cases(50, 3, 1)
    found = model.predict(states, actions).mean
    expected = [
        states[:, 0] + 0.1 * states[:, 1],
        states[:, 1] + 0.1 * np.clip(actions[:, 0], -1, 1),
    ]
    np.testing.assert_allclose(found, np.stack([*expected, np.full(50, 7.0)], axis=1), rtol=1e-14)
    assert model.observed_high.tolist() == [1.0] * 4
    pytest.importorskip("numba")
    compiled = dp.CompiledModel.from_equations(
        cart, 3, 1, dtype=dtype, observed=([-1.0] * 4, [1.0] * 4)
    )
    exact = 1e-6 if dtype == np.float32 else 1e-13
    np.testing.assert_allclose(
        compiled.predict(states, actions).mean, found, rtol=exact, atol=exact
    )
    assert compiled.observed_high.tolist() == [1.0] * 4


def test_what_numba_has_compiled_already_is_taken():
    numba = pytest.importorskip("numba")
    jitted = numba.njit(car)
    expected = dp.discretise(car, 0.1, **DIMS).predict(*cases()).mean
    for compiled in (False, True):
        model = dp.discretise(jitted, 0.1, **DIMS, compiled=compiled)
        np.testing.assert_allclose(model.predict(*cases()).mean, expected, rtol=1e-12, atol=1e-12)


def test_what_a_function_changes_in_place_is_its_own():
    def rates(state, action):
        place, speed = state
        speed += action[0]  # of a number, a new one; of an array, the same
        place *= 0.0
        return speed, -place

    def plain(state, action):
        return state[1] + action[0], 0.0 * state[0]

    states, actions = cases(20, 2, 1)
    kept = states.copy()
    found = dp.discretise(rates, 0.1, state_dim=2, action_dim=1).predict(states, actions).mean
    expected = dp.discretise(plain, 0.1, state_dim=2, action_dim=1).predict(states, actions).mean
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(states, kept)


def test_planners_and_derivatives_take_either():
    pytest.importorskip("numba")
    models = [dp.discretise(car, 0.1, **DIMS, compiled=compiled) for compiled in (False, True)]
    reward = dp.rewards.quadratic([1.0, 1.0, 0.1, 0.1], [2.0, 1.0, 0.0, 1.0])
    state, box = [0.0, 0.0, 0.0, 1.0], ([-1.0, -0.5], [1.0, 0.5])
    for planner in (dp.MPPI(horizon=8, candidates=64), dp.ILQR(horizon=8)):
        plans = [planner.plan(m, reward, state, action_space=box, seed=0) for m in models]
        # A compiled model may be planned with in float32.
        np.testing.assert_allclose(plans[0].actions, plans[1].actions, rtol=1e-4, atol=1e-4)
    derivatives = [model.with_jacobians(*cases(5)) for model in models]
    for by in ("state", "action"):
        one, other = (getattr(found, by) for found in derivatives)
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-8)


def test_they_travel_to_other_processes():
    for model in (dp.discretise(car, 0.1, **DIMS), dp.FunctionModel.from_equations(cart, 3, 1)):
        twin = pickle.loads(pickle.dumps(model))
        given = cases(5, model.state_dim, model.action_dim)
        np.testing.assert_array_equal(twin.predict(*given).mean, model.predict(*given).mean)


def too_few(state, action):
    return (state[0],)


def an_array(state, action):
    return np.array([state[0], action[0]])


def nothing(state, action):
    pass


def complex_numbers(state, action):
    return 1j * state[0], state[1]


def a_part(state, action):
    return (state[0], (action[0], 1.0))


WRONG = {
    too_few: (dp.ShapeError, "returned 1 numbers, must be a tuple of 2"),
    an_array: (TypeError, r"returned an array of shape \(2, 3\), must be a tuple of 2 numbers"),
    nothing: (TypeError, "returned None, must be a tuple of 2 numbers"),
    complex_numbers: (TypeError, "returned a tuple with an array .*must be real numbers"),
}


@pytest.mark.parametrize("function", WRONG, ids=lambda one: one.__name__)
def test_what_returns_no_tuple_of_numbers_is_refused(function):
    error, message = WRONG[function]
    states, actions = cases(3, 2, 1)
    step = dp.FunctionModel.from_equations(function, 2, 1)
    with pytest.raises(error, match=f"^function: {message}"):
        step.predict(states, actions)
    rates = dp.discretise(function, 0.1, state_dim=2, action_dim=1)
    with pytest.raises(error, match=f"^system: {message}"):
        rates.predict(states, actions)


def test_a_tuple_of_other_shapes_is_refused():
    def sums(state, action):
        return state[0][:2], state[1]

    model = dp.FunctionModel.from_equations(sums, 2, 1)
    with pytest.raises(dp.ShapeError, match=r"function: returned a tuple with shape \(2,\), must"):
        model.predict(*cases(3, 2, 1))


@pytest.mark.parametrize("function", [*WRONG, a_part], ids=lambda one: one.__name__)
def test_numba_refuses_them_before_anything_runs(function):
    pytest.importorskip("numba")
    with pytest.raises(TypeError, match=r"^system: returns .*, must return a tuple of 2"):
        dp.discretise(function, 0.1, state_dim=2, action_dim=1, compiled=True)


def unpacks_too_many(state, action):
    place, speed, _ = state  # the line that is told
    return place, speed


def calls_python(state, action):
    place = state[0]
    return place, sys.getrefcount(place)  # the line that is told


def mixes_keys(state, action):
    gains = {1: 0.5, "two": 0.7}  # the line that is told
    return state[0], gains[1]


@pytest.mark.parametrize("function", [unpacks_too_many, calls_python, mixes_keys])
def test_what_numba_cannot_compile_is_told_with_its_line(function):
    pytest.importorskip("numba")
    source, first = inspect.getsourcelines(function)
    line = first + next(k for k, text in enumerate(source) if "the line that is told" in text)
    with pytest.raises(
        TypeError, match=rf"^function: numba cannot compile it \(line {line} of .*equations\.py\)"
    ):
        dp.CompiledModel.from_equations(function, 2, 1)


@pytest.mark.parametrize("rows", [1, 4])
def test_functions_of_batches_and_of_one_state_are_not_taken_for_each_other(rows):
    def scalars(state, action):
        a, b, c, d = state
        return a, b, c, d

    states, actions = np.ones((4, 4)), np.ones((4, 2))  # as many rows as columns
    for model in (
        dp.FunctionModel(scalars, 4, 2),
        dp.FunctionModel(dp.discretise(scalars, 1.0), 4, 2),
    ):
        with pytest.raises(TypeError, match=r"returned a tuple, .*from_equations, or .*state_dim"):
            model.predict(states, actions)
    model = dp.discretise(lambda states, actions: np.asarray(states), 0.1, **DIMS)
    with pytest.raises(TypeError, match=r"^system: returned .*must be a tuple of 4 numbers"):
        model.predict(states[:rows], actions[:rows])


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"state_dim": None}, dp.ArgumentError, "state_dim: got None, must be given with"),
        ({"action_dim": None}, dp.ArgumentError, "action_dim: got None, must be given with"),
        ({"state_dim": 0}, dp.ArgumentError, "state_dim"),
        ({"method": "zoh"}, dp.ArgumentError, "method: got 'zoh', must be one of 'rk4'"),
        ({"compiled": 1}, dp.ArgumentError, "compiled: got 1, must be True or False"),
        ({"observed": ([0.0], [1.0])}, dp.ShapeError, "observed"),
        ({"system": lambda state: state}, dp.ArgumentError, r"system: got parameters \(state\)"),
        ({"system": max}, TypeError, "system: got .*written in Python"),
        (
            {"system": ([[1.0]], [[1.0]])},
            dp.ArgumentError,
            "state_dim: got 4, must be left out for a system of matrices",
        ),
        (
            {"state_dim": None, "action_dim": None, "compiled": True},
            dp.ArgumentError,
            "compiled: got True, must be left out for a system of batches",
        ),
        (
            {"state_dim": None, "action_dim": None, "observed": ([0.0], [1.0])},
            dp.ArgumentError,
            "observed: got .*, must be left out for a system of batches",
        ),
    ],
)
def test_arguments_that_do_not_go_together_are_refused(change, error, message):
    given = {"system": car, "dt": 0.1, **DIMS}
    dp.discretise(**given)
    with pytest.raises(error, match=message):
        dp.discretise(**{**given, **change})


def test_matrices_keep_the_range_that_is_known():
    model = dp.discretise(([[0.0]], [[1.0]]), 0.1, observed=([-1.0, -2.0], [1.0, 2.0]))
    assert model.observed_low.tolist() == [-1.0, -2.0]


def test_what_numba_stumbles_over_is_told_with_the_function():
    pytest.importorskip("numba")

    def misspelt(state, action):
        return np.linalg.norn(state), state[0]

    line = misspelt.__code__.co_firstlineno
    with pytest.raises(TypeError, match=rf"\(the function at line {line} of .*no attribute 'norn'"):
        dp.CompiledModel.from_equations(misspelt, 2, 1)


def test_numba_has_its_own_limits():
    pytest.importorskip("numba")
    with pytest.raises(dp.ArgumentError, match="state_dim: got 257, must be at most 256"):
        dp.CompiledModel.from_equations(cart, 257, 1)
    with pytest.raises(dp.ArgumentError, match="dtype: got int32"):
        dp.CompiledModel.from_equations(cart, 3, 1, dtype=np.int32)
    with pytest.raises(TypeError, match="function: got None, must be a function"):
        dp.CompiledModel.from_equations(None, 3, 1)
