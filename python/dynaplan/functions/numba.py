"""Block functions from scalar ones, by numba: the loop over the lanes, compiled with the function.

numba is imported when the first function is made, and only then.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from dynaplan import _arrays, _callbacks, _core, _texts
from dynaplan.errors import ArgumentError
from dynaplan.functions.compiled import Kind, compiled_function
from dynaplan.functions.signatures import Signature

# The optional parameters of a scalar function.
_OPTIONAL = {
    "reward": ("step", "data"),
    "termination": ("step", "data"),
    "dynamics": ("data",),
}


@dataclass(frozen=True, slots=True)
class ScalarFunction:
    """A scalar function for the core, which each process compiles for itself.

    Args:
        kind: what it computes.
        function: a Python function that numba can compile, or one that it has compiled.
        dims: S and A.
        data: an array for its parameter `data`, or None.
        dtype: numpy.float32 or numpy.float64.
    """

    kind: Kind
    function: Any
    dims: tuple[int, int]
    data: Any
    dtype: Any

    def make(self) -> Any:
        """Returns the function, compiled to run over the lanes of a block, as a part of the core.

        Raises:
            TypeError: it is no function, numba cannot compile it, a termination returns no
                bool, or dynamics return something.
            ArgumentError: it has other parameters.
            ImportError: numba is not installed.
        """
        kind, function, data = self.kind, self.function, self.data
        _callbacks.require_function("function", function)
        name = _arrays.float_name("dtype", self.dtype)
        for size, argument in zip(self.dims, ("state_dim", "action_dim"), strict=True):
            _arrays.count(argument, size, 1)
        extras = _extras(kind, function)
        if (data is None) == ("data" in extras):
            raise ArgumentError(
                f"data: got {'None' if data is None else 'an array'}, must be an array if, and "
                "only if, the function has a parameter `data`"
            )
        array = np.zeros(0) if data is None else data
        if not isinstance(array, np.ndarray) or isinstance(array, np.ma.MaskedArray):
            raise TypeError(f"data: got {_texts.shown(data)}, must be a plain NumPy array")
        if array.dtype.hasobject:
            raise TypeError(f"data: got dtype {array.dtype}, must be numbers")
        errors = (
            AssertionError,
            NotImplementedError,
            TypeError,
            numba_module().core.errors.NumbaError,
        )
        try:
            call = _with_all(function, extras)
            block = block_function(Signature(kind, name), call, self.dims, array)
        except errors as error:
            raise TypeError(f"function: numba cannot compile it: {error}") from error
        returned = call.nopython_signatures[-1].return_type
        if kind == "termination" and not isinstance(returned, numba_module().types.Boolean):
            raise TypeError(
                f"function: returns {returned}, must return bool, such as a comparison gives"
            )
        if kind == "dynamics" and returned is not numba_module().types.none:
            raise TypeError(
                f"function: returns {returned}, must return nothing and write next_state instead"
            )
        found = compiled_function(kind, block, None, None if data is None else array, None)
        return getattr(_core, f"compiled_{kind}")(*found, *self.dims)


def _extras(kind: Kind, function: Any) -> tuple[str, ...]:
    """Returns which optional parameters a scalar function has."""
    try:
        names = list(inspect.signature(getattr(function, "py_func", function)).parameters)
    except (TypeError, ValueError):  # of some callables that are not written in Python
        got = _texts.shown(function)
        raise TypeError(f"function: got {got}, must be a function written in Python") from None
    fitting = [name for name in names[3:] if name in _OPTIONAL[kind]]
    if len(names) < 3 or names[3:] != fitting:
        optional = ", ".join(_OPTIONAL[kind])
        raise ArgumentError(
            f"function: got parameters ({', '.join(names)}), must be state, action and next_state, "
            f"and after them any of: {optional}"
        )
    return tuple(fitting)


def numba_module() -> Any:
    """Returns numba.

    Raises:
        ImportError: it is not installed.
    """
    try:
        import numba  # noqa: PLC0415  # optional
    except ImportError as error:
        raise ImportError("functions are compiled by numba: pip install numba") from error
    return numba


def _with_all(function: Any, extras: tuple[str, ...]) -> Any:
    """Returns the function, compiled, with all parameters although it uses fewer."""
    numba = numba_module()
    # Division by zero gives an infinity, as in NumPy, instead of an exception.
    is_compiled = hasattr(function, "py_func")
    scalar = function if is_compiled else numba.njit(function, error_model="numpy")
    wraps: dict[tuple[str, ...], Callable[..., Any]] = {
        (): lambda state, action, next_state, step, data: scalar(state, action, next_state),
        ("step",): lambda state, action, next_state, step, data: scalar(
            state, action, next_state, step
        ),
        ("data",): lambda state, action, next_state, step, data: scalar(
            state, action, next_state, data
        ),
        ("step", "data"): scalar,
        ("data", "step"): lambda state, action, next_state, step, data: scalar(
            state, action, next_state, data, step
        ),
    }
    wrap = wraps[extras]
    return scalar if wrap is scalar else numba.njit(wrap, error_model="numpy")


def block_function(
    signature: Signature, call: Any, dims: tuple[int, int], data: np.ndarray[Any, Any]
) -> Any:
    """Returns the function of a block, a `cfunc`, that runs `call` over the lanes.

    Args:
        signature: its type.
        call: compiled, of arrays (S,), (A,) and (S,), the step and the data.
        dims: S and A.
        data: which the user data point to.
    """
    numba = numba_module()
    carray = numba.carray
    (state_dim, action_dim), shape, dtype = dims, data.shape, data.dtype

    # The types that dp.signatures states; numba fills in what is free: dimensions, data, the call.
    def of_step(state, action, next_state, stride, lanes, step, user_data, result):  # type: ignore[no-untyped-def]  # noqa: PLR0917
        states = carray(state, (state_dim, stride))
        actions = carray(action, (action_dim, stride))
        next_states = carray(next_state, (state_dim, stride))
        results = carray(result, (lanes,))
        numbers = carray(user_data, shape, dtype)
        for k in range(lanes):
            results[k] = call(states[:, k], actions[:, k], next_states[:, k], step, numbers)

    def of_dynamics(state, action, stride, lanes, user_data, next_state):  # type: ignore[no-untyped-def]  # noqa: PLR0917
        states = carray(state, (state_dim, stride))
        actions = carray(action, (action_dim, stride))
        next_states = carray(next_state, (state_dim, stride))
        numbers = carray(user_data, shape, dtype)
        for k in range(lanes):
            call(states[:, k], actions[:, k], next_states[:, k], 0, numbers)

    block = of_dynamics if signature.kind == "dynamics" else of_step
    return numba.cfunc(signature.numba, error_model="numpy")(block)
