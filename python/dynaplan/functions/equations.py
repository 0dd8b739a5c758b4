"""Equations of one state and one action, written once: for whole batches, and to be compiled.

`f(state, action)` unpacks two tuples and returns a tuple. The entries are arrays, one number for
each row of a batch, where NumPy runs it, and numbers where `compiled_equations` has compiled it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dynaplan import _arrays, _callbacks, _texts
from dynaplan.errors import ArgumentError, ShapeError

__all__ = ["ColumnFunction", "Equations", "OnRows", "Steps", "require_equations"]

Float64 = NDArray[np.float64]
# S numbers of a state and A of an action to S numbers.
Equations: TypeAlias = Callable[[Any, Any], tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class ColumnFunction:
    """Equations on columns: states (S, N) and actions (A, N) to (S, N).

    Args:
        name: of the argument that the function is.
        function: the equations.
    """

    name: str
    function: Equations

    def __call__(self, states: Float64, actions: Float64) -> Float64:
        """Returns (S, N).

        Raises:
            TypeError: the function returned no tuple of real numbers.
            ShapeError: it returned another number of them, or of rows.
        """
        # Of copies, since what the function changes in place is not to change what called it.
        values = self.function(tuple(states.copy()), tuple(actions.copy()))
        size, rows = states.shape
        if not isinstance(values, tuple):
            got = _texts.shown(values)
            raise TypeError(f"{self.name}: returned {got}, must be a tuple of {size} numbers")
        if len(values) != size:
            raise ShapeError(
                f"{self.name}: returned {len(values)} numbers, must be a tuple of {size}"
            )
        result = np.empty((size, rows))
        for entry, value in zip(result, values, strict=True):
            entry[:] = self._numbers(value, rows)
        return result

    def _numbers(self, value: Any, rows: int) -> NDArray[Any]:
        array = _arrays.any_array(self.name, value)
        if array.dtype.kind not in "biuf":
            got = _texts.shown(value)
            raise TypeError(f"{self.name}: returned a tuple with {got}, must be real numbers")
        if array.shape not in {(), (rows,)}:
            raise ShapeError(
                f"{self.name}: returned a tuple with shape {array.shape}, must be numbers, or "
                f"({rows},) as what it was given"
            )
        return array


@dataclass(frozen=True, slots=True)
class OnRows:
    """A function on columns as one on batches: states (N, S) and actions (N, A) to (N, S)."""

    function: Callable[[Float64, Float64], Float64]

    def __call__(self, states: NDArray[Any], actions: NDArray[Any]) -> Float64:
        """Returns (N, S)."""
        columns = (np.ascontiguousarray(rows.T, np.float64) for rows in (states, actions))
        return np.ascontiguousarray(self.function(*columns).T)


@dataclass(frozen=True, slots=True)
class Steps:
    """How equations of rates of change become a step: by which method, of which parts.

    Args:
        method: "euler" or "rk4".
        dt: length of each part.
        count: how many parts there are.
    """

    method: str
    dt: float
    count: int

    def of(
        self, rates: Callable[[Float64, NDArray[Any]], Float64], states: Float64, actions: Any
    ) -> Float64:
        """Returns the states a step later, of the shape of `states`."""
        state, dt = states, self.dt
        for _ in range(self.count):
            if self.method == "euler":
                state = state + dt * rates(state, actions)
                continue
            first = rates(state, actions)
            second = rates(state + 0.5 * dt * first, actions)
            third = rates(state + 0.5 * dt * second, actions)
            fourth = rates(state + dt * third, actions)
            state = state + dt / 6.0 * (first + 2.0 * second + 2.0 * third + fourth)
        return state


def require_equations(name: str, function: Any) -> None:
    """Refuses what is no function of a state and an action.

    Raises:
        TypeError: it is no function, or one whose parameters are not known.
        ArgumentError: it has other parameters.
    """
    _callbacks.require_function(name, function)
    try:
        parameters = inspect.signature(getattr(function, "py_func", function)).parameters
    except (TypeError, ValueError):  # of some callables that are not written in Python
        got = _texts.shown(function)
        raise TypeError(f"{name}: got {got}, must be a function written in Python") from None
    try:
        inspect.Signature(list(parameters.values())).bind("state", "action")
    except TypeError:
        got = ", ".join(parameters)
        raise ArgumentError(f"{name}: got parameters ({got}), must be state and action") from None
