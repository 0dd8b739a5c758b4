"""Compiled functions that do not fit are refused, by name and before they are ever called."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest

import dynaplan as dp
from dynaplan import rewards, terminations
from dynaplan.functions import signatures
from reference.block_functions import c_library
from reference.compiled_rewards import (
    BOX,
    DIMS,
    cost,
)
from reference.systems import linear_system


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return c_library(tmp_path_factory.mktemp("functions"))


@pytest.fixture(scope="module")
def model():
    return dp.LinearGaussian.fit(linear_system(100))


def test_a_wrong_function_is_refused_and_said_why(library):
    numba = pytest.importorskip("numba")

    def compiled(function, **settings):
        return rewards.compiled(function, **(DIMS | settings))

    right = signatures.REWARD_FLOAT32.ctypes(("cost_float32", library))
    for wrong, text in [
        (None, "got NoneType"),
        (cost, "got function"),
        ("cost", "got str"),
        (True, "got a bool"),
        (1.5, "got float"),
        (numba.njit(cost), "must be made by @numba.cfunc"),
        (library, "got CDLL"),
    ]:
        with pytest.raises(TypeError, match=text):
            compiled(wrong)
    for wrong in (0, -5):
        with pytest.raises(dp.ArgumentError, match="must be the address"):
            compiled(wrong, dtype=np.float32)
    with pytest.raises(dp.ArgumentError, match="null pointer"):
        compiled(signatures.REWARD_FLOAT32.ctypes(0))
    with pytest.raises(dp.ArgumentError, match="does not carry its own type"):
        compiled(library.cost_float32)
    with pytest.raises(dp.ArgumentError, match="dtype: got int64"):
        compiled(right, dtype=np.int64)
    with pytest.raises(dp.ArgumentError, match="got float64, must be float32 as the function"):
        compiled(right, dtype=np.float64)
    with pytest.raises(dp.ShapeError, match="at least 1"):
        compiled(right, state_dim=0)
    with pytest.raises(dp.ArgumentError, match=r"action_dim: got 1\.5"):
        compiled(right, action_dim=1.5)
    for wrong_data in ("data", object()):
        with pytest.raises(TypeError, match="user_data: got"):
            compiled(right, user_data=wrong_data)
    with pytest.raises(dp.ArgumentError, match="must be a C-contiguous array"):
        compiled(right, user_data=np.zeros((4, 4))[:, ::2])
    # Of another kind: what is of one kind is taken by that alone.
    makers = {
        "reward": rewards.compiled,
        "termination": terminations.compiled,
        "dynamics": dp.CompiledModel,
    }
    kinds = {"reward": "cost", "termination": "beyond", "dynamics": "decay"}
    for kind, name in kinds.items():
        for dtype in ("float32", "float64"):
            signature = getattr(signatures, f"{kind}_{dtype}".upper())
            function = signature.ctypes((f"{name}_{dtype}", library))
            for maker, make in makers.items():
                if maker == kind:
                    make(function, **DIMS)
                    continue
                with pytest.raises(dp.ArgumentError, match=f"function: got type void.*{dtype}"):
                    make(function, **DIMS)


def test_signatures_that_a_function_says_itself_are_checked(library):
    numba = pytest.importorskip("numba")
    ffi = pytest.importorskip("cffi").FFI()
    scipy = pytest.importorskip("scipy")
    wrong = signatures.REWARD_FLOAT32.numba.replace("int64, int64, int64", "int64, int32, int64")

    @numba.cfunc(wrong)
    def narrow(state, action, next_state, stride, lanes, step, user_data, reward):  # noqa: PLR0917
        pass

    with pytest.raises(dp.ArgumentError, match=r"int64, int32, int64.* must be .*REWARD_FLOAT32"):
        rewards.compiled(narrow, **DIMS)
    with pytest.raises(dp.ArgumentError, match="int32"):
        rewards.compiled(scipy.LowLevelCallable(narrow.ctypes), **DIMS)
    with pytest.raises(dp.ArgumentError, match="function: got type int"):
        rewards.compiled(ffi.cast("int (*)(float *)", 1234), **DIMS)
    with pytest.raises(TypeError, match="must be a pointer to a function"):
        rewards.compiled(ffi.new("float *"), **DIMS)
    # What is the same to C is taken by any name, and user data may be a pointer to anything.
    same = (
        "void (*)(float const *, const float *, float *, long long, int64_t, ptrdiff_t, double *,"
        " float *)"
    )
    address = ctypes.cast(library.cost_float32, ctypes.c_void_p).value
    rewards.compiled(ffi.cast(same, address), **DIMS)
    rewards.compiled(ffi.cast("void *", address), dtype=np.float32, **DIMS)
    cython = (
        "void (float const *, float const *, float *, __pyx_t_int64, long, long, void *, float *)"
    )
    new_capsule = ctypes.pythonapi.PyCapsule_New
    new_capsule.restype = ctypes.py_object
    new_capsule.argtypes = (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)
    names = [cython.replace("__pyx_t_int64", "long").encode(), cython.encode()]
    rewards.compiled(new_capsule(address, names[0], None), **DIMS)
    with pytest.raises(dp.ArgumentError, match="__pyx_t_int64"):
        rewards.compiled(new_capsule(address, names[1], None), **DIMS)


def test_functions_of_other_sizes_do_not_go_with_the_model(library, model):
    term = rewards.compiled(
        signatures.REWARD_FLOAT32.ctypes(("cost_float32", library)), state_dim=4, action_dim=2
    )
    with pytest.raises(
        dp.ShapeError, match="for 4 states and 2 actions, must be for the model's 3"
    ):
        dp.CEM(horizon=3).plan(model, term, np.ones(3), action_space=BOX)
    end = terminations.compiled(
        signatures.TERMINATION_FLOAT32.ctypes(("beyond_float32", library)),
        state_dim=3,
        action_dim=1,
    )
    with pytest.raises(dp.ShapeError, match="for 3 states and 1 action, must be"):
        dp.rollout(model, np.ones(3), np.zeros((1, 2, 2)), termination=end)
    with pytest.raises(dp.ShapeError, match="for 4 states and"):
        term(np.zeros((2, 3)), np.zeros((2, 2)), np.zeros((2, 3)))


def test_scalar_functions_that_do_not_fit_are_refused():
    pytest.importorskip("numba")

    def from_numba(function, **settings):
        return rewards.from_numba(function, **(DIMS | settings))

    for wrong in (lambda s, a: 0.0, lambda s, a, n, time: 0.0, lambda s, a, n, step, more: 0.0):
        with pytest.raises(dp.ArgumentError, match="function: got parameters"):
            from_numba(wrong)
    with pytest.raises(dp.ArgumentError, match="function: got parameters"):
        dp.CompiledModel.from_numba(lambda s, a, n, step: None, 3, 2)
    with pytest.raises(dp.ArgumentError, match=r"data: got .*, must be an array if"):
        from_numba(lambda s, a, n, data: 0.0)
    with pytest.raises(dp.ArgumentError, match=r"data: got .*, must be an array if"):
        from_numba(cost, data=np.zeros(3))
    with pytest.raises(TypeError, match=r"data: got .*, must be a plain NumPy array"):
        from_numba(lambda s, a, n, data: data[0], data=[1.0])
    with pytest.raises(TypeError, match="function: got None"):
        from_numba(None)
    with pytest.raises(dp.ArgumentError, match="dtype: got int32"):
        from_numba(cost, dtype=np.int32)
    with pytest.raises(dp.ArgumentError, match="state_dim: got 0"):
        from_numba(cost, state_dim=0)


def test_a_signature_is_one_of_six():
    assert signatures.Signature("reward", "float64") == signatures.REWARD_FLOAT64
    for kind, dtype in (("cost", "float32"), ("reward", "float16")):
        with pytest.raises(dp.ArgumentError, match=r'must be "(reward|float32)"'):
            signatures.Signature(kind, dtype)
