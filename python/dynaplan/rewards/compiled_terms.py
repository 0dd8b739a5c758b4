"""Rewards that are the user's own compiled functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynaplan import _arrays, _core
from dynaplan._recipes import Unportable
from dynaplan.functions.compiled import compiled_function
from dynaplan.functions.numba import ScalarFunction
from dynaplan.rewards.terms import Term

__all__ = ["compiled", "from_numba"]

Dtype = type[np.float32] | type[np.float64]


def compiled(
    function: Any,
    *,
    state_dim: int,
    action_dim: int,
    dtype: Dtype | None = None,
    user_data: Any = None,
    owner: object = None,
) -> Term:
    """Makes a term of a compiled function on blocks, such as C, Cython or numba's `@cfunc` give.

    It has the type `dp.signatures.REWARD_FLOAT32` or `REWARD_FLOAT64`, in C
    `void f(const float *state, const float *action, const float *next_state, int64_t stride,
    int64_t lanes, int64_t step, void *user_data, float *reward)`: it writes the reward of each lane
    k of `lanes`; entry i of its state is `state[i * stride + k]`. It is called from several threads
    at once, without the GIL, and may not raise. A nan or an infinity makes a candidate rank last.
    Either type serves planners, which run in float32, and float64 returns; numbers are converted.

    Args:
        function: numba's `@cfunc`, a ctypes or cffi function pointer, a `scipy.LowLevelCallable`,
            a capsule of Cython's, or an address; kept alive as long as the term.
        state_dim: S, number of states that the function reads.
        action_dim: A, number of actions that it reads.
        dtype: numpy.float32 or numpy.float64, its numbers; needed only where the function does not
            carry its own type.
        user_data: passed to the function: a NumPy array, something of ctypes or cffi, or an
            address; kept alive. Its contents may change between plans, such as a target.
        owner: what must stay alive besides, such as the library that cffi opened.

    Raises:
        TypeError: `function` is no compiled function.
        ArgumentError: the function is of another type, or has none and `dtype` is missing.

    Example:
        >>> import ctypes
        >>> def cost(state, action, next_state, stride, lanes, step, user_data, reward):
        ...     for k in range(lanes):
        ...         reward[k] = -(next_state[k] ** 2) - abs(next_state[stride + k])
        >>> slow = dp.signatures.REWARD_FLOAT64.ctypes(cost)  # a real one comes from a library
        >>> dp.rewards.compiled(slow, state_dim=2, action_dim=1)([[0, 0]], [[0]], [[2.0, 1.0]])
        array([-5.])
    """
    found = compiled_function("reward", function, dtype, user_data, owner)
    states = _arrays.count("state_dim", state_dim)
    actions = _arrays.count("action_dim", action_dim)
    name = getattr(function, "__name__", "compiled")
    text = f"compiled({name})"
    reward = Unportable(_core.compiled_reward(*found, states, actions), text)
    return Term(reward, name, text=text)


def from_numba(
    function: Callable[..., Any],
    *,
    state_dim: int,
    action_dim: int,
    data: NDArray[Any] | None = None,
    dtype: Dtype = np.float64,
) -> Term:
    """Compiles a reward of one step, written in Python, with numba: as fast as one written in C.

    Args:
        function: `f(state, action, next_state) -> float` on arrays (S,), (A,), (S,); plain Python
            that numba can compile, or an `@njit` function. It may have the parameters `step` (an
            integer) and `data` besides. Division by zero gives an infinity; it may not raise.
        state_dim: S.
        action_dim: A.
        data: array for the parameter `data`. Its contents may change between plans.
        dtype: numpy.float32 or numpy.float64, of the arrays. Default numpy.float64: numba's
            own arithmetic is in float64 wherever a constant such as 0.1 is involved.

    Raises:
        ImportError: numba is not installed: `pip install numba`.
        ArgumentError: the function has other parameters.

    Example:
        >>> def cost(state, action, next_state):
        ...     return -abs(next_state[0] - 1.0) - 0.5 * action[0] ** 2
        >>> dp.rewards.from_numba(cost, state_dim=1, action_dim=1)([[0]], [[2.0]], [[4.0]])
        array([-5.])
    """
    scalar = ScalarFunction("reward", function, (state_dim, action_dim), data, dtype)
    name = getattr(function, "__name__", "function")
    return Term(scalar, name, text=f"from_numba({name})")
