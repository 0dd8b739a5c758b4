"""One reward by every door that compiled functions come through."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest

from dynaplan import rewards, terminations
from dynaplan.functions import signatures
from reference.block_functions import reward_callback

BOX = ([-1.0, -1.0], [1.0, 1.0])
DIMS = {"state_dim": 3, "action_dim": 2}
BUILT_IN = (
    rewards.quadratic([1.0, 0.0, 0.0], [0.3, 0.0, 0.0])
    + rewards.quadratic([0.0, 0.0, 0.5], of="state")
    + rewards.action_cost([0.0, 0.1])
)
BOUNDS = terminations.outside([-np.inf, -1.5, -np.inf], [np.inf, 1.5, np.inf])


def cost(state, action, next_state):
    gap = next_state[0] - 0.3
    return -(gap * gap + 0.5 * state[2] * state[2] + 0.1 * action[1] * action[1])


def built_in(obs, act, next_obs):
    """The same reward for a planner that knows a Python function only."""
    return BUILT_IN(obs, act, next_obs)


def beyond(state, action, next_state):
    return abs(next_state[1]) > 1.5


def by_ctypes(library, dtype):
    function = getattr(signatures, f"REWARD_{dtype.upper()}").ctypes((f"cost_{dtype}", library))
    return rewards.compiled(function, **DIMS)


def by_bare_ctypes(library, dtype):
    return rewards.compiled(library[f"cost_{dtype}"], dtype=np.dtype(dtype), **DIMS)


def by_address(library, dtype):
    address = ctypes.cast(library[f"cost_{dtype}"], ctypes.c_void_p).value
    return rewards.compiled(address, dtype=np.dtype(dtype), owner=library, **DIMS)


def by_cffi(library, dtype):
    cffi = pytest.importorskip("cffi")
    ffi = cffi.FFI()
    ffi.cdef(signatures.C_DECLARATIONS)
    address = ctypes.cast(library[f"cost_{dtype}"], ctypes.c_void_p).value
    return rewards.compiled(ffi.cast(f"dynaplan_reward_{dtype} *", address), **DIMS)


def by_cffi_library(library, dtype):
    cffi = pytest.importorskip("cffi")
    ffi = cffi.FFI()
    ffi.cdef(signatures.C_DECLARATIONS + f"\ndynaplan_reward_{dtype} cost_{dtype};")
    opened = ffi.dlopen(library._name)
    return rewards.compiled(getattr(opened, f"cost_{dtype}"), owner=opened, **DIMS)


def by_low_level_callable(library, dtype):
    scipy = pytest.importorskip("scipy")
    function = getattr(signatures, f"REWARD_{dtype.upper()}").ctypes((f"cost_{dtype}", library))
    return rewards.compiled(scipy.LowLevelCallable(function), **DIMS)


def by_cfunc(library, dtype):
    numba = pytest.importorskip("numba")

    @numba.cfunc(getattr(signatures, f"REWARD_{dtype.upper()}").numba)
    def block(state, action, next_state, stride, lanes, step, user_data, reward):  # noqa: PLR0917
        for k in range(lanes):
            gap = next_state[k] - 0.3
            far, push = state[2 * stride + k], action[stride + k]
            reward[k] = -(gap * gap + 0.5 * far * far + 0.1 * push * push)

    return rewards.compiled(block, **DIMS)


def by_numba(library, dtype):
    pytest.importorskip("numba")
    return rewards.from_numba(cost, dtype=np.dtype(dtype).type, **DIMS)


def by_callback(library, dtype):
    def batch(states, actions, next_states):
        return cost(states.T, actions.T, next_states.T)

    return rewards.compiled(
        reward_callback(batch, 3, 2, getattr(signatures, f"REWARD_{dtype.upper()}")), **DIMS
    )


DOORS = [
    by_ctypes,
    by_bare_ctypes,
    by_address,
    by_cffi,
    by_cffi_library,
    by_low_level_callable,
    by_cfunc,
    by_numba,
    by_callback,
]
