"""The terms that end an episode, built in or compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynaplan import _arrays, _core, _texts
from dynaplan._recipes import CoreCall, Recipe, Unportable, part_of_recipe
from dynaplan.functions.compiled import compiled_function
from dynaplan.functions.numba import ScalarFunction

__all__ = [
    "Term",
    "Termination",
    "TerminationFunction",
    "compiled",
    "from_numba",
    "inside",
    "outside",
]

Dtype = type[np.float32] | type[np.float64]

# Of the same arguments as a reward function.
TerminationFunction: TypeAlias = Callable[..., ArrayLike]


class Term:
    """A built-in termination; immutable.

    Calling it marks the rows of a batch that end an episode, so that it can be checked against
    logged data or a real environment.

    Args:
        recipe: how the compiled termination is made; the functions of this module have it.
        text: the call that makes it, in brief, as its `repr`.
    """

    __slots__ = ("__weakref__", "_recipe", "_termination", "_text")

    def __init__(self, recipe: Recipe, text: str = "termination") -> None:
        self._recipe = recipe
        self._termination = part_of_recipe(recipe, _core.Termination, "dp.terminations")
        self._text = text

    def __repr__(self) -> str:
        return self._text

    def __copy__(self) -> Term:
        return self  # immutable

    def __deepcopy__(self, memo: dict[int, Any]) -> Term:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._recipe, self._text)

    def __call__(
        self,
        states: ArrayLike,
        actions: ArrayLike,
        next_states: ArrayLike,
        *,
        steps: ArrayLike | None = None,
    ) -> NDArray[np.bool_]:
        """Returns where an episode ends.

        Args:
            states: (N, S).
            actions: (N, A).
            next_states: (N, S).
            steps: (N,) the step of the horizon at which each row occurs, for compiled functions
                that use it. Default: all are step 0.

        Returns:
            (N,) of bool.

        Raises:
            ShapeError: an array has the wrong shape, or the term does not fit it.
        """
        return self._termination.ended(
            _arrays.step_rows("states", states),
            _arrays.step_rows("actions", actions),
            _arrays.step_rows("next_states", next_states),
            None if steps is None else _arrays.step_numbers("steps", steps),
        )


Termination: TypeAlias = Term | TerminationFunction


def outside(low: ArrayLike, high: ArrayLike) -> Term:
    """Ends an episode where the next state leaves the box [low, high] in any entry, or is nan.

    Args:
        low: (S,), -inf where unbounded.
        high: (S,), inf where unbounded.

    Raises:
        ShapeError: `low` and `high` differ in size.
        ArgumentError: `low` exceeds `high` somewhere.

    Example:
        >>> dp.terminations.outside([-1.0], [1.0])([[0.0]], [[0.0]], [[2.0]])
        array([ True])
    """
    box = _arrays.vector("low", low), _arrays.vector("high", high)
    return Term(CoreCall("outside_termination", *box), _texts.call_text("outside", low, high))


def inside(low: ArrayLike, high: ArrayLike) -> Term:
    """Ends an episode where the next state reaches the box [low, high], as a goal.

    Args:
        low: (S,), -inf where unbounded.
        high: (S,), inf where unbounded.

    Raises:
        ShapeError: `low` and `high` differ in size.
        ArgumentError: `low` exceeds `high` somewhere.

    Example:
        >>> dp.terminations.inside([0.5], [np.inf])([[0.0]], [[0.0]], [[2.0]])
        array([ True])
    """
    box = _arrays.vector("low", low), _arrays.vector("high", high)
    return Term(CoreCall("inside_termination", *box), _texts.call_text("inside", low, high))


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

    It has the type `dp.signatures.TERMINATION_FLOAT32` or `TERMINATION_FLOAT64`, in C
    `void f(const float *state, const float *action, const float *next_state, int64_t stride,
    int64_t lanes, int64_t step, void *user_data, uint8_t *ended)`: it sets `ended[k]` to 1 in each
    lane k of `lanes` that ends with the step. It is called from several threads at
    once, without the GIL, and may not raise.

    Args:
        function: numba's `@cfunc`, a ctypes or cffi function pointer, a `scipy.LowLevelCallable`,
            a capsule of Cython's, or an address; kept alive as long as the term.
        state_dim: S, number of states that the function reads.
        action_dim: A, number of actions that it reads.
        dtype: numpy.float32 or numpy.float64, its numbers; needed only where the function does not
            carry its own type.
        user_data: passed to the function, and kept alive: a NumPy array, an object of ctypes or
            cffi, or an address.
        owner: what must stay alive besides, such as the library that cffi opened.

    Raises:
        TypeError: `function` is no compiled function.
        ArgumentError: the function is of another type, or has none and `dtype` is missing.

    Example:
        >>> def beyond(state, action, next_state, stride, lanes, step, user_data, ended):
        ...     for k in range(lanes):
        ...         ended[k] = abs(next_state[k]) > 1.0
        >>> slow = dp.signatures.TERMINATION_FLOAT64.ctypes(beyond)  # a real one: from a library
        >>> dp.terminations.compiled(slow, state_dim=1, action_dim=1)([[0]], [[0]], [[2.0]])
        array([ True])
    """
    found = compiled_function("termination", function, dtype, user_data, owner)
    states = _arrays.count("state_dim", state_dim)
    actions = _arrays.count("action_dim", action_dim)
    text = f"compiled({getattr(function, '__name__', 'function')})"
    return Term(Unportable(_core.compiled_termination(*found, states, actions), text), text)


def from_numba(
    function: Callable[..., Any],
    *,
    state_dim: int,
    action_dim: int,
    data: NDArray[Any] | None = None,
    dtype: Dtype = np.float64,
) -> Term:
    """Compiles a termination, written in Python for one step, with numba.

    Args:
        function: `f(state, action, next_state) -> bool` on arrays (S,), (A,), (S,), plain
            Python that numba can compile, or an `@njit` function. It may have the parameters `step`
            (an integer) and `data` besides.
        state_dim: S.
        action_dim: A.
        data: array for the parameter `data`. Its contents may change between plans.
        dtype: numpy.float32 or numpy.float64, of the arrays. Default numpy.float64.

    Raises:
        ImportError: numba is not installed: `pip install numba`.
        ArgumentError: the function has other parameters.

    Example:
        >>> def beyond(state, action, next_state):
        ...     return abs(next_state[0]) > 1.0
        >>> dp.terminations.from_numba(beyond, state_dim=1, action_dim=1)([[0]], [[0]], [[2.0]])
        array([ True])
    """
    scalar = ScalarFunction("termination", function, (state_dim, action_dim), data, dtype)
    return Term(scalar, f"from_numba({getattr(function, '__name__', 'function')})")
