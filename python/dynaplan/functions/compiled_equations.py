"""Equations of one state and one action, compiled by numba with the steps that they are part of."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from dynaplan import _arrays, _core, _texts
from dynaplan.errors import ArgumentError
from dynaplan.functions.compiled import compiled_function
from dynaplan.functions.equations import Steps, require_equations
from dynaplan.functions.numba import block_function, numba_module
from dynaplan.functions.signatures import Signature

__all__ = ["CompiledEquations"]

_MAX_DIM = 256  # each entry is compiled by itself
# The two ways in which numba's messages name a line.
_PLACE = r'File "([^"]+)", line (\d+)|at (\S+) \((\d+)\)'


@dataclass(frozen=True, slots=True)
class CompiledEquations:
    """Equations for the core, which each process compiles for itself, to work in float64.

    Args:
        name: of the argument that the function is.
        function: the equations, or what numba has compiled of them.
        dims: S and A.
        dtype: numpy.float32 or numpy.float64, of the states and actions of a block.
        steps: what the rates of change that the function returns are summed up by; None: it
            returns the next state.
    """

    name: str
    function: Any
    dims: tuple[int, int]
    dtype: Any
    steps: Steps | None

    def make(self) -> Any:
        """Returns the dynamics, as a part of the core.

        Raises:
            TypeError: it is no function, it returns no tuple of S numbers, or numba cannot compile
                it.
            ArgumentError: it has other parameters, or a dimension is out of range.
            ImportError: numba is not installed.
        """
        require_equations(self.name, self.function)
        number = _arrays.float_name("dtype", self.dtype)
        dims = _dim("state_dim", self.dims[0]), _dim("action_dim", self.dims[1])
        call = _stepping(self._compiled(dims), dims, self.steps)
        block = block_function(Signature("dynamics", number), call, dims, np.zeros(0))
        return _core.compiled_dynamics(
            *compiled_function("dynamics", block, None, None, None), *dims
        )

    def _compiled(self, dims: tuple[int, int]) -> Any:
        """Returns the function, compiled for tuples of float64, that returns such a tuple."""
        numba = numba_module()
        types = numba.types
        states, actions = (types.UniTuple(types.float64, size) for size in dims)
        scalar = self.function
        plain = getattr(scalar, "py_func", scalar)
        try:
            if plain is scalar:
                # Division by zero gives an infinity, as in NumPy, instead of an exception.
                scalar = numba.njit(scalar, error_model="numpy")
            scalar.compile((states, actions))
        except Exception as error:  # numba lets pass whatever its passes stumble over
            raise TypeError(
                f"{self.name}: numba cannot compile it{_place(error, plain)}: {error}"
            ) from error
        returned = scalar.overloads[states, actions].signature.return_type
        size, of = dims[0], (types.Integer, types.Float, types.Boolean)
        is_tuple = isinstance(returned, types.BaseTuple) and len(returned) == size
        if not is_tuple or not all(isinstance(entry, of) for entry in returned):
            raise TypeError(
                f"{self.name}: returns {returned}, must return a tuple of {size} numbers"
            )
        # Its entries may be integers too: the signature makes all of them float64.
        in_float64 = numba.njit(states(states, actions), error_model="numpy")
        return in_float64(lambda state, action: scalar(state, action))  # noqa: PLW0108  # is new


def _dim(name: str, value: Any) -> int:
    size = _arrays.at_least(1, name, value)
    if size > _MAX_DIM:
        raise ArgumentError(f"{name}: got {_texts.shown(size)}, must be at most {_MAX_DIM}")
    return size


def _place(error: Exception, function: Any) -> str:
    """Returns the line of the function's file that numba's message names first; else its own.

    What the message names before that may be lines of numba's.
    """
    code = getattr(function, "__code__", None)
    if code is None:
        return ""
    file = os.path.basename(code.co_filename)
    for path, line, other, number in re.findall(_PLACE, str(error)):
        if os.path.basename(path or other) == file:
            return f" (line {line or number} of {file})"
    return f" (the function at line {code.co_firstlineno} of {file})"


def _stepping(scalar: Any, dims: tuple[int, int], steps: Steps | None) -> Any:
    """Returns a compiled `call` of `block_function`, from equations that are compiled."""
    njit = numba_module().njit(error_model="numpy")
    size, actions_size = dims
    states_of, actions_of = _tuple_of(size), _tuple_of(actions_size)
    if steps is None:

        def step_of(state, action):  # type: ignore[no-untyped-def]
            return scalar(state, action)

    elif steps.method == "euler":
        dt, count = steps.dt, steps.count
        moved = _moved(size)

        def step_of(state, action):  # type: ignore[no-untyped-def]
            for _ in range(count):
                state = moved(state, dt, scalar(state, action))
            return state

    else:
        step_of = _runge_kutta(scalar, size, steps)
    step = njit(step_of)

    def call(state, action, next_state, number, data):  # type: ignore[no-untyped-def]
        after = step(states_of(state), actions_of(action))
        for i in range(size):
            next_state[i] = after[i]

    return njit(call)


def _runge_kutta(scalar: Any, size: int, steps: Steps) -> Any:
    """Returns what `Steps.of` does by "rk4", on tuples."""
    half, dt, sixth, count = 0.5 * steps.dt, steps.dt, steps.dt / 6.0, steps.count
    moved = _moved(size)

    def step_of(state, action):  # type: ignore[no-untyped-def]
        for _ in range(count):
            first = scalar(state, action)
            second = scalar(moved(state, half, first), action)
            third = scalar(moved(state, half, second), action)
            fourth = scalar(moved(state, dt, third), action)
            slopes = moved(moved(moved(first, 2.0, second), 2.0, third), 1.0, fourth)
            state = moved(state, sixth, slopes)
        return state

    return step_of


def _moved(size: int) -> Any:
    """Returns a compiled function of tuples that makes s + h k."""
    from numba.cpython.unsafe.tuple import tuple_setitem  # noqa: PLC0415  # optional

    def moved(s, h, k):  # type: ignore[no-untyped-def]
        result = s
        for i in range(size):
            result = tuple_setitem(result, i, s[i] + h * k[i])
        return result

    return numba_module().njit(moved, error_model="numpy")


def _tuple_of(size: int) -> Any:
    """Returns a compiled function that makes a tuple of an array of this size."""
    from numba.np.unsafe.ndarray import to_fixed_tuple  # noqa: PLC0415  # optional

    def tuple_of(values):  # type: ignore[no-untyped-def]
        return to_fixed_tuple(values, size)

    return numba_module().njit(tuple_of)
