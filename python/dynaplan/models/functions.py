"""Models made of a user's function: known equations, a simulator, another library."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynaplan import _arrays, _callbacks, _core
from dynaplan._recipes import Recipe, Unportable
from dynaplan.data.angles import Angles, AnglesLike
from dynaplan.errors import ArgumentError
from dynaplan.functions.compiled import compiled_function
from dynaplan.functions.compiled_equations import CompiledEquations
from dynaplan.functions.equations import ColumnFunction, Equations, OnRows, require_equations
from dynaplan.functions.numba import ScalarFunction
from dynaplan.models.known import KnownDynamics, observed_range

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["CompiledModel", "FunctionModel", "compiled_model"]

Dtype = type[np.float32] | type[np.float64]
_Kind = TypeVar("_Kind", bound="CompiledModel")


class FunctionModel(KnownDynamics):
    """A model that is a Python function on batches: next states from states and actions.

    In rollouts and planners the function is called once per time step with all candidates of an
    iteration (up to 16,384), in float64; with a `time_limit`, with as many as there is time for.
    The GIL is held while it runs and at no other time.
    `evaluate`, planners and `MPC` take it like any other model; it cannot be saved to a file.

    Args:
        function: `f(states (N, S), actions (N, A)) -> (N, S)`, for any N; the rows of a batch must
            not depend on each other.
        state_dim: S.
        action_dim: A.
        observed: pair (low, high) of (S + A,), the range that states and actions are known to
            take, for the planners' `clip` and the `trust` of `MPC`. Default: not known, so that
            nothing is clipped and nothing is doubted.
        angles: the states that are angles, as `Transitions` takes them: next states are brought
            into their ranges, and differences go the short way round. Default: none.

    Attributes:
        dynamics: what rollouts and planners run.

    Raises:
        ShapeError: `observed` has the wrong shape; later, from a rollout: the function returned
            another shape.
        ArgumentError: a dimension is below 1, or `observed` is no range.

    Example:
        >>> def cart(states, actions):
        ...     return states @ np.array([[1.0, 0.0], [0.1, 1.0]]) + 0.1 * actions * [0.0, 1.0]
        >>> model = dp.FunctionModel(cart, state_dim=2, action_dim=1)
        >>> model.predict([0.0, 1.0], [1.0]).mean
        array([[0.1, 1.1]])
        >>> model.with_jacobians([0.0, 1.0], [1.0]).action.round(6)
        array([[[0. ],
                [0.1]]])
    """

    __slots__ = ("function",)

    def __init__(
        self,
        function: Callable[[NDArray[Any], NDArray[Any]], ArrayLike],
        state_dim: int,
        action_dim: int,
        *,
        observed: tuple[ArrayLike, ArrayLike] | None = None,
        angles: AnglesLike = (),
    ) -> None:
        _callbacks.require_function("function", function)
        self.function = function
        dims = [_arrays.count("state_dim", state_dim), _arrays.count("action_dim", action_dim)]
        if min(dims) < 1:
            raise ArgumentError(f"state_dim, action_dim: got {dims}, must be at least 1")
        super().__init__(_core.python_dynamics(_Checked(function), *dims), observed, angles)

    @classmethod
    def from_equations(
        cls,
        function: Equations,
        state_dim: int,
        action_dim: int,
        *,
        observed: tuple[ArrayLike, ArrayLike] | None = None,
        angles: AnglesLike = (),
    ) -> Self:
        """Makes a model of the equations of one step, written for one state and one action.

        `CompiledModel.from_equations` compiles the same function.

        Args:
            function: `f(state, action) -> next state`: it is given a tuple of S and one of A
                entries, and returns a tuple of S. The entries are arrays with one number for each
                row of a batch, so that what works entry by entry is right: `+`, `np.cos`,
                `np.where`, `np.hypot`; and neither `if` nor `np.sum`.
            state_dim: S.
            action_dim: A.
            observed: as for `FunctionModel`.
            angles: as for `FunctionModel`.

        Raises:
            ArgumentError: the function has other parameters, or a dimension is below 1; later,
                from a rollout, ShapeError or TypeError: it returned something else.

        Example:
            >>> def cart(state, action):
            ...     place, speed = state
            ...     (push,) = action
            ...     return place + 0.1 * speed, speed + 0.1 * push
            >>> model = dp.FunctionModel.from_equations(cart, state_dim=2, action_dim=1)
            >>> model.predict([0.0, 1.0], [1.0]).mean
            array([[0.1, 1.1]])
        """
        require_equations("function", function)
        on_rows = OnRows(ColumnFunction("function", function))
        return cls(on_rows, state_dim, action_dim, observed=observed, angles=angles)

    def __reduce__(self) -> tuple[Any, ...]:
        # A copy's function is its own, where it can be copied, such as an object that is called.
        make = partial(type(self), observed=self._observed, angles=self.angles)
        return make, (self.function, self.state_dim, self.action_dim)


class _Checked:
    """A function on batches, with a check of the shape that it returns."""

    __slots__ = ("function",)

    def __init__(self, function: Callable[..., ArrayLike]) -> None:
        self.function = function

    def __call__(self, states: NDArray[Any], actions: NDArray[Any]) -> NDArray[Any]:
        next_states = self.function(states, actions)
        _callbacks.require_no_tuple("model", next_states)
        return _callbacks.numbers("model", next_states, states.shape, "next state")


class CompiledModel(KnownDynamics):
    """A model that is a compiled function on blocks, from C, Cython or numba's `@cfunc`.

    It has the type `dp.signatures.DYNAMICS_FLOAT32` or `DYNAMICS_FLOAT64`, in C
    `void f(const float *state, const float *action, int64_t stride, int64_t lanes,
    void *user_data, float *next_state)`: it writes the next state of each lane k of `lanes`; entry
    i of its state is `state[i * stride + k]`, and so in `next_state`. It is called from several
    threads at once, without the GIL, and may not raise. It cannot be saved to a file.

    Args:
        function: numba's `@cfunc`, a ctypes or cffi function pointer, a `scipy.LowLevelCallable`,
            a capsule of Cython's, or an address; kept alive as long as the model.
        state_dim: S, number of states that the function reads and writes.
        action_dim: A, number of actions that it reads.
        dtype: numpy.float32 or numpy.float64; needed only where the function does not carry its
            own type.
        user_data: passed to the function: a NumPy array, an object of ctypes or cffi, or an
            address; kept alive. Its contents may change between plans.
        owner: what else must stay alive, such as the library that cffi opened.
        observed: as for `FunctionModel`.
        angles: as for `FunctionModel`.

    Attributes:
        dynamics: what rollouts and planners run.

    Raises:
        TypeError: `function` is not a compiled function.
        ShapeError: a dimension is below 1, or `observed` has the wrong shape.
        ArgumentError: the function is of another type, or carries none and `dtype` is missing;
            `observed` is no range.

    Example:
        >>> def decay(state, action, stride, lanes, user_data, next_state):
        ...     for k in range(lanes):
        ...         next_state[k] = 0.5 * state[k] + action[k]
        >>> slow = dp.signatures.DYNAMICS_FLOAT64.ctypes(decay)  # a real one is from a library
        >>> dp.CompiledModel(slow, state_dim=1, action_dim=1).predict([2.0], [3.0]).mean
        array([[4.]])
    """

    __slots__ = ("_recipe",)

    def __init__(
        self,
        function: Any,
        state_dim: int,
        action_dim: int,
        *,
        dtype: Dtype | None = None,
        user_data: Any = None,
        owner: object = None,
        observed: tuple[ArrayLike, ArrayLike] | None = None,
        angles: AnglesLike = (),
    ) -> None:
        compiled = compiled_function("dynamics", function, dtype, user_data, owner)
        dims = _arrays.count("state_dim", state_dim), _arrays.count("action_dim", action_dim)
        name = getattr(function, "__name__", "function")
        dynamics = _core.compiled_dynamics(*compiled, *dims)
        self._take(Unportable(dynamics, f"CompiledModel({name})"), observed, angles)

    def _take(
        self, recipe: Recipe, observed: tuple[ArrayLike, ArrayLike] | None, angles: AnglesLike
    ) -> Self:
        self._recipe = recipe
        super().__init__(recipe.make(), observed, angles)
        return self

    def __copy__(self) -> Self:
        return self  # immutable

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return compiled_model, (type(self), self._recipe, self._observed, self.angles)

    @classmethod
    def from_equations(
        cls,
        function: Equations,
        state_dim: int,
        action_dim: int,
        *,
        dtype: Dtype = np.float64,
        observed: tuple[ArrayLike, ArrayLike] | None = None,
        angles: AnglesLike = (),
    ) -> Self:
        """Compiles the equations of one step, as `FunctionModel.from_equations` takes them.

        numba compiles them. Both models predict the same, up to rounding; this one computes without
        Python, in all threads.

        Args:
            function: `f(state, action) -> next state` on tuples of S and of A numbers; plain Python
                that numba can compile, or an `@njit` function. The numbers are float64; those that
                it finds outside itself stay what they are now.
            state_dim: S, at most 256.
            action_dim: A, at most 256.
            dtype: numpy.float32 or numpy.float64, in which the rollout keeps the states. Default
                numpy.float64.
            observed: as for `FunctionModel`.
            angles: as for `FunctionModel`.

        Raises:
            ImportError: numba is not installed: `pip install numba`.
            TypeError: numba cannot compile the function; the message has the line. Or it returns
                no tuple of S numbers.
            ArgumentError: the function has other parameters, or an argument is out of range.

        Example:
            >>> def cart(state, action):
            ...     place, speed = state
            ...     (push,) = action
            ...     return place + 0.1 * speed, speed + 0.1 * push
            >>> model = dp.CompiledModel.from_equations(cart, state_dim=2, action_dim=1)
            >>> model.predict([0.0, 1.0], [1.0]).mean
            array([[0.1, 1.1]])
        """
        recipe = CompiledEquations("function", function, (state_dim, action_dim), dtype, None)
        return compiled_model(cls, recipe, observed, angles)

    @classmethod
    def from_numba(
        cls,
        function: Callable[..., Any],
        state_dim: int,
        action_dim: int,
        *,
        data: NDArray[Any] | None = None,
        dtype: Dtype = np.float64,
        observed: tuple[ArrayLike, ArrayLike] | None = None,
        angles: AnglesLike = (),
    ) -> Self:
        """Compiles one step of a system, written in Python, by numba.

        Args:
            function: `f(state, action, next_state)` on arrays (S,), (A,), (S,), which writes the
                last; plain Python that numba can compile, or an `@njit` function. It may have one
                more parameter, `data`.
            state_dim: S.
            action_dim: A.
            data: array for the parameter `data`. Its contents may change between plans.
            dtype: numpy.float32 or numpy.float64, of the arrays. Default numpy.float64.
            observed: as for `FunctionModel`.
            angles: as for `FunctionModel`.

        Raises:
            ImportError: numba is not installed: `pip install numba`.
            ArgumentError: the function has other parameters.

        Example:
            >>> def decay(state, action, next_state):
            ...     next_state[0] = 0.5 * state[0] + action[0]
            >>> dp.CompiledModel.from_numba(decay, 1, 1).predict([2.0], [3.0]).mean
            array([[4.]])
        """
        scalar = ScalarFunction("dynamics", function, (state_dim, action_dim), data, dtype)
        return compiled_model(cls, scalar, observed, angles)


def compiled_model(
    kind: type[_Kind],
    recipe: Recipe,
    observed: tuple[ArrayLike, ArrayLike] | None,
    angles: AnglesLike = (),
) -> _Kind:
    """Makes a model of what a recipe compiles; again, too, in another process."""
    if isinstance(recipe, ScalarFunction | CompiledEquations):
        observed_range(observed, *recipe.dims)  # refused before a second of compiling
        Angles.of(angles, recipe.dims[0])
    return kind.__new__(kind)._take(recipe, observed, angles)
