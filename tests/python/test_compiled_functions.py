"""Compiled rewards, terminations and dynamics: by every door the same numbers as built-in terms."""

from __future__ import annotations

import ctypes
import gc
import re
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import dynaplan as dp
from dynaplan import rewards, terminations
from dynaplan.functions import signatures
from reference.block_functions import c_library, compile_c, reward_callback
from reference.compiled_rewards import (
    BOUNDS,
    BOX,
    BUILT_IN,
    DIMS,
    DOORS,
    beyond,
    built_in,
    by_callback,
    by_ctypes,
    cost,
)
from reference.systems import linear_system


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return c_library(tmp_path_factory.mktemp("functions"))


@pytest.fixture(scope="module")
def model():
    return dp.LinearGaussian.fit(linear_system(100))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)
def test_every_door_gives_the_numbers_of_the_built_in_terms(door, dtype, library, model):
    term = door(library, dtype)
    gc.collect()  # only the term holds on to what was made for it
    generator = np.random.default_rng(0)
    states, next_states = generator.normal(size=(2, 77, 3))
    actions = generator.uniform(-1, 1, size=(200, 7, 2))
    exact = 1e-12 if dtype == "float64" else 2e-6
    np.testing.assert_allclose(
        term(states, actions[:77, 0], next_states),
        BUILT_IN(states, actions[:77, 0], next_states),
        rtol=exact,
        atol=exact,
    )
    for run, rtol in ((np.float64, exact), (np.float32, 5e-6)):
        expected = dp.returns(model, BUILT_IN, states[0], actions, dtype=run)
        got = [dp.returns(model, term, states[0], actions, dtype=run, threads=n) for n in (1, 2, 4)]
        np.testing.assert_allclose(got[0], expected, rtol=10 * rtol, atol=10 * rtol)
        assert (got[1] == got[0]).all()
        assert (got[2] == got[0]).all()
    planner = dp.CEM(horizon=7, candidates=200, elites=20, clip=None)
    plan = planner.plan(model, term, states[0], action_space=BOX, seed=0)
    same = planner.plan(model, BUILT_IN, states[0], action_space=BOX, seed=0)
    # Returns that differ in the last digit may rank otherwise, so that plans drift a little.
    assert plan.value == pytest.approx(same.value, rel=1e-3)
    np.testing.assert_allclose(plan.actions, same.actions, atol=0.05)


@pytest.mark.parametrize("planner", [dp.CEM, dp.ICEM, dp.MPPI, dp.RandomShooting])
def test_plans_are_the_same_bits_for_any_threads(planner, library, model):
    term = by_ctypes(library, "float32") + rewards.action_change_cost([0.1, 0.1])
    end = terminations.compiled(
        signatures.TERMINATION_FLOAT64.ctypes(("beyond_float64", library)), **DIMS
    )
    plans = [
        planner(horizon=8, candidates=300, threads=n).plan(
            model, term, np.ones(3), action_space=BOX, termination=end, seed=3
        )
        for n in (1, 2, 4)
    ]
    for plan in plans[1:]:
        assert (plan.actions == plans[0].actions).all()
        assert plan.value == plans[0].value


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_compiled_termination_is_the_built_in_one(dtype, library, model):
    signature = getattr(signatures, f"TERMINATION_{dtype.upper()}")
    end = terminations.compiled(signature.ctypes((f"beyond_{dtype}", library)), **DIMS)
    check_termination(end, model)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_scalar_termination_is_the_built_in_one(dtype, model):
    pytest.importorskip("numba")
    check_termination(terminations.from_numba(beyond, dtype=dtype, **DIMS), model)


def check_termination(end, model):
    generator = np.random.default_rng(0)
    states, next_states = generator.normal(size=(2, 300, 3))
    actions = generator.uniform(-1, 1, size=(300, 9, 2))
    assert end(states, actions[:, 0], next_states).dtype == np.bool_
    np.testing.assert_array_equal(
        end(states, actions[:, 0], next_states), BOUNDS(states, actions[:, 0], next_states)
    )
    np.testing.assert_array_equal(
        dp.rollout(model, states, actions, termination=end),
        dp.rollout(model, states, actions, termination=BOUNDS),
    )
    np.testing.assert_array_equal(
        dp.returns(model, BUILT_IN, states, actions, termination=end),
        dp.returns(model, BUILT_IN, states, actions, termination=BOUNDS),
    )

    np.testing.assert_allclose(
        dp.returns(model, built_in, states, actions, termination=end),
        dp.returns(model, BUILT_IN, states, actions, termination=BOUNDS),
        rtol=1e-12,
    )


def test_the_step_is_told(library, model):
    late = terminations.compiled(
        signatures.TERMINATION_FLOAT32.ctypes(("late_float32", library)), **DIMS
    )
    actions = np.random.default_rng(0).uniform(-1, 1, size=(40, 9, 2))
    short = dp.returns(model, BUILT_IN, np.ones(3), actions[:, :4])
    np.testing.assert_allclose(
        dp.returns(model, BUILT_IN, np.ones(3), actions, termination=late), short, rtol=1e-12
    )
    # And where a Python reward makes the termination be asked of rows of all steps at once.
    got = dp.returns(model, built_in, np.ones(3), actions, termination=late)
    np.testing.assert_allclose(got, short, rtol=1e-12)
    rows = np.zeros((6, 3)), np.zeros((6, 2)), np.zeros((6, 3))
    assert late(*rows).tolist() == [False] * 6
    assert late(*rows, steps=[0, 3, 1, 9, 2, 3]).tolist() == [0, 1, 0, 1, 0, 1]


def test_scalar_functions_may_ask_for_the_step_and_for_data(model):
    numba = pytest.importorskip("numba")
    targets = np.random.default_rng(0).normal(size=(5, 3))

    def track(state, action, next_state, data, step):
        total = 0.0
        for i in range(3):
            total -= (next_state[i] - data[min(step, 4), i]) ** 2
        return total

    actions = np.random.default_rng(1).uniform(-1, 1, size=(50, 8, 2))
    expected = dp.returns(model, rewards.quadratic([1.0] * 3, targets), np.zeros(3), actions)
    for function in (track, numba.njit(track)):
        term = rewards.from_numba(function, data=targets.copy(), **DIMS)
        np.testing.assert_allclose(
            dp.returns(model, term, np.zeros(3), actions), expected, rtol=1e-12
        )

    def by_step(state, action, next_state, step):
        return step * next_state[0]

    term = rewards.from_numba(by_step, **DIMS)
    same = rewards.scheduled(rewards.linear([1.0, 0.0, 0.0]), np.arange(8.0))
    np.testing.assert_allclose(
        dp.returns(model, term, np.zeros(3), actions),
        dp.returns(model, same, np.zeros(3), actions),
        rtol=1e-12,
    )

    def by_step_and_data(state, action, next_state, step, data):
        return step >= data[0]

    end = terminations.from_numba(by_step_and_data, data=np.array([3]), **DIMS)
    np.testing.assert_allclose(
        dp.returns(model, same, np.zeros(3), actions, termination=end),
        dp.returns(model, same, np.zeros(3), actions[:, :4]),
        rtol=1e-12,
    )


def test_division_by_zero_is_an_infinity_and_ranks_last(model):
    pytest.importorskip("numba")

    def inverse(state, action, next_state):
        return 1.0 / (action[0] - action[0])

    plan = dp.CEM(horizon=3).plan(
        model, rewards.from_numba(inverse, **DIMS), np.ones(3), action_space=BOX, seed=0
    )
    assert plan.status == "no_finite_candidate"
    assert np.isfinite(plan.actions).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_is_not_finite_ranks_last(dtype, library):
    states, actions = np.random.default_rng(0).normal(size=(2, 50, 1))
    model = dp.LinearGaussian.fit(dp.Transitions(states, actions, actions))
    signature = getattr(signatures, f"REWARD_{dtype.upper()}")
    term = rewards.compiled(signature.ctypes((f"bad_{dtype}", library)), state_dim=1, action_dim=1)
    got = dp.returns(model, term, [0.0], [[[2.0]], [[-2.0]], [[0.5]]])
    assert np.isnan(got[0])
    assert np.isposinf(got[1])
    assert got[2] == pytest.approx(-0.25)
    plan = dp.CEM(horizon=4, clip=None).plan(
        model, term, [0.0], action_space=([-3.0], [3.0]), seed=0
    )
    assert plan.stats.non_finite > 0
    assert np.isfinite(plan.value)
    assert np.abs(plan.actions).max() <= 1.0 + 1e-6


def test_user_data_may_change_between_plans(library, model):
    scale = np.array([2.0])
    function = signatures.REWARD_FLOAT32.ctypes(("cost_float32", library))
    actions = np.random.default_rng(0).uniform(-1, 1, size=(20, 5, 2))
    plain = dp.returns(model, rewards.compiled(function, **DIMS), np.ones(3), actions)
    number = ctypes.c_double(2.0)
    holders = [
        scale,
        scale.ctypes.data,
        scale.ctypes.data_as(ctypes.c_void_p),
        ctypes.pointer(number),
        number,
        (ctypes.c_double * 2)(2.0, 9.0),
    ]
    for user_data in holders:
        term = rewards.compiled(function, user_data=user_data, **DIMS)
        np.testing.assert_allclose(
            dp.returns(model, term, np.ones(3), actions), 2 * plain, rtol=1e-6
        )
    term = rewards.compiled(function, user_data=scale, **DIMS)
    mpc = dp.MPC(model, term, dp.CEM(horizon=5), action_space=BOX, seed=0)
    mpc.act(np.ones(3))
    first = mpc.last_plan.value
    mpc.reset()
    scale[0] = 4.0
    mpc.act(np.ones(3))
    assert mpc.last_plan.value == pytest.approx(2 * first, rel=1e-5)
    scipy = pytest.importorskip("scipy")
    low_level = scipy.LowLevelCallable(function, scale.ctypes.data_as(ctypes.c_void_p))
    term = rewards.compiled(low_level, **DIMS)
    np.testing.assert_allclose(dp.returns(model, term, np.ones(3), actions), 4 * plain, rtol=1e-6)
    with pytest.raises(dp.ArgumentError, match="user_data: got some, must be None"):
        rewards.compiled(low_level, user_data=scale, **DIMS)
    ffi = pytest.importorskip("cffi").FFI()
    term = rewards.compiled(function, user_data=ffi.new("double *", 2.0), **DIMS)
    gc.collect()
    np.testing.assert_allclose(dp.returns(model, term, np.ones(3), actions), 2 * plain, rtol=1e-6)


def test_owners_live_as_long_as_anything_uses_them(model):
    freed = []

    class Data(np.ndarray):
        def __del__(self):
            freed.append(1)

    def batch(states, actions, next_states):
        return -(next_states**2).sum(axis=1)

    data = np.ones(3).view(Data)
    term = rewards.compiled(reward_callback(batch, 3, 2), user_data=data, **DIMS)
    plan_with = rewards.terminal(term) * 2.0 + rewards.linear([0.0] * 3)
    mpc = dp.MPC(model, plan_with, dp.CEM(horizon=3), action_space=BOX, seed=0)
    del data, term, plan_with
    gc.collect()
    assert not freed
    assert np.isfinite(mpc.act(np.ones(3))).all()
    del mpc
    gc.collect()
    assert freed


def test_dynamics_that_return_their_result_are_refused():
    pytest.importorskip("numba")
    with pytest.raises(TypeError, match=r"function: returns .*, must return nothing and write"):
        dp.CompiledModel.from_numba(lambda state, action, next_state: state + action, 2, 2)


def test_without_numba_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "numba", None)
    for make in (rewards.from_numba, terminations.from_numba, dp.CompiledModel.from_numba):
        with pytest.raises(ImportError, match="pip install numba"):
            make(cost, **DIMS)


def test_the_constants_and_the_header_say_the_same():
    header = (Path(dp.get_include()) / "dynaplan_functions.h").read_text()
    without_comments = header.replace("\n", " ")
    for declaration in signatures.C_DECLARATIONS.splitlines():
        assert declaration in " ".join(without_comments.split())


def test_the_page_runs_in_full_where_its_tools_are(tmp_path, monkeypatch, capsys):
    """`test_docs.py` runs what needs NumPy alone."""
    for tool in ("numba", "cffi"):
        pytest.importorskip(tool)
    page = (Path(__file__).resolve().parents[2] / "docs/custom-functions.md").read_text()
    blocks = re.findall(r"^```(\w+)[^\n]*\n(.*?)^```$", page, re.DOTALL | re.M)
    (tmp_path / "cost.c").write_text(next(code for language, code in blocks if language == "c"))
    monkeypatch.chdir(tmp_path)
    compile_c(tmp_path / "cost.c", tmp_path / "cost.so")
    names = {"__name__": "__main__"}
    for language, code in blocks:
        if language == "python":
            exec(compile(code, "custom-functions.md", "exec"), names)
    values = [float(line) for line in capsys.readouterr().out.splitlines()[:6]]
    assert values == pytest.approx(values[:1] * 6, rel=1e-3)  # the same cost in every way


def test_eight_threads_of_python_plan_at_once(library, model):
    term = by_ctypes(library, "float32") + by_callback(library, "float64")
    planner = dp.CEM(horizon=4, candidates=100, elites=10, threads=2)
    expected = planner.plan(model, term, np.ones(3), action_space=BOX, seed=1)
    found = [None] * 8

    def plan(i):
        found[i] = planner.plan(model, term, np.ones(3), action_space=BOX, seed=1)

    workers = [threading.Thread(target=plan, args=(i,)) for i in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    for plan in found:
        assert (plan.actions == expected.actions).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_compiled_dynamics_are_the_formula(dtype, library):
    signature = getattr(signatures, f"DYNAMICS_{dtype.upper()}")
    model = dp.CompiledModel(signature.ctypes((f"decay_{dtype}", library)), **DIMS)
    gain = np.array([[1.0, 0.0], [2.0, 0.0], [0.0, 3.0]])
    same = dp.FunctionModel(lambda s, a: 0.9 * s + a @ gain.T, 3, 2)
    exact = 1e-12 if dtype == "float64" else 1e-5
    generator = np.random.default_rng(0)
    states, actions = generator.normal(size=(130, 3)), generator.normal(size=(130, 5, 2))
    expected = dp.rollout(same, states, actions)
    for threads in (1, 2, 4):
        got = dp.rollout(model, states, actions, threads=threads)
        np.testing.assert_allclose(got, expected, rtol=exact, atol=exact)
    plans = [
        dp.CEM(horizon=6, threads=n).plan(m, BUILT_IN, np.ones(3), action_space=BOX, seed=0)
        for m, n in ((same, 1), (model, 1), (model, 2), (model, 4))
    ]
    np.testing.assert_allclose(plans[1].actions, plans[0].actions, atol=2e-3)
    for plan in plans[2:]:
        assert (plan.actions == plans[1].actions).all()


def test_scalar_dynamics_with_data_by_numba():
    pytest.importorskip("numba")

    def pendulum(state, action, next_state, data):
        acceleration = data[0] * np.sin(state[0]) + data[1] * action[0]
        next_state[1] = state[1] + 0.05 * acceleration
        next_state[0] = state[0] + 0.05 * next_state[1]

    data = np.array([15.0, 3.0])
    model = dp.CompiledModel.from_numba(pendulum, 2, 1, data=data)
    gc.collect()
    state, action = np.array([2.0, -1.0]), np.array([1.5])
    speed = -1.0 + 0.05 * (15.0 * np.sin(2.0) + 4.5)
    np.testing.assert_allclose(
        model.predict(state, action).mean[0], [2.0 + 0.05 * speed, speed], rtol=1e-15
    )
    data[:] = 0.0
    np.testing.assert_allclose(model.predict(state, action).mean[0], [1.95, -1.0], rtol=1e-15)
