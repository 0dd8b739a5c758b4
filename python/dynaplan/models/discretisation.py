"""Equations in continuous time as steps of a fixed length."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, cast, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynaplan import _arrays, _callbacks, _core, _texts
from dynaplan.data.angles import AnglesLike
from dynaplan.errors import ArgumentError, Error, NumericalError, ShapeError
from dynaplan.functions.compiled_equations import CompiledEquations
from dynaplan.functions.equations import (
    ColumnFunction,
    Equations,
    OnRows,
    Steps,
    require_equations,
)
from dynaplan.models.functions import CompiledModel, FunctionModel, compiled_model
from dynaplan.models.linear.linear_model import LinearModel

__all__ = ["Rates", "discretise"]

Float64 = NDArray[np.float64]
# Rates of change (N, S) of states (N, S) under actions (N, A).
Rates: TypeAlias = Callable[[NDArray[Any], NDArray[Any]], ArrayLike]
Matrices: TypeAlias = tuple[ArrayLike, ArrayLike] | tuple[ArrayLike, ArrayLike, ArrayLike]
Observed: TypeAlias = tuple[ArrayLike, ArrayLike]
Method: TypeAlias = Literal["zoh", "tustin", "euler", "rk4"]
_MAX_SUBSTEPS = 1_000_000
_OF_MATRICES = ("zoh", "tustin", "euler", "rk4")
_OF_FUNCTIONS = ("rk4", "euler")


@overload
def discretise(
    system: Matrices,
    dt: float,
    *,
    method: Method | None = None,
    substeps: int = 1,
    observed: Observed | None = None,
    angles: AnglesLike = (),
) -> LinearModel: ...
@overload
def discretise(
    system: Rates, dt: float, *, method: Method | None = None, substeps: int = 1
) -> Callable[[NDArray[Any], NDArray[Any]], Float64]: ...
@overload
def discretise(
    system: Equations,
    dt: float,
    *,
    method: Method | None = None,
    substeps: int = 1,
    state_dim: int,
    action_dim: int,
    compiled: bool = False,
    observed: Observed | None = None,
    angles: AnglesLike = (),
) -> FunctionModel | CompiledModel: ...


def discretise(
    system: Matrices | Rates | Equations,
    dt: float,
    *,
    method: Method | None = None,
    substeps: int = 1,
    state_dim: int | None = None,
    action_dim: int | None = None,
    compiled: bool = False,
    observed: Observed | None = None,
    angles: AnglesLike = (),
) -> Any:
    """Makes steps of a fixed length of equations in continuous time; actions are held in between.

    Args:
        system: matrices (A, B) or (A, B, c) of ds/dt = A s + B a + c, with shapes (S, S), (S, A)
            and (S,); or, with `state_dim` and `action_dim`, equations `f(state, action)` of one
            state, which return the tuple of the S entries of ds/dt, as
            `FunctionModel.from_equations` takes them; or, without, a function of batches
            `f(states (N, S), actions (N, A)) -> (N, S)` that returns ds/dt.
        dt: length of a step, in the unit of time of the equations.
        method: "zoh", exact for matrices; "tustin", the trapezoidal rule; "euler", one step along
            the first rate of change; "rk4", the classical Runge-Kutta method. Default: "zoh" of
            matrices, "rk4" of a function, which has no other but "euler".
        substeps: into so many equal parts a step is cut: each halves the error of "euler", and
            makes that of "rk4" a sixteenth. Default 1.
        state_dim: S, of equations of one state.
        action_dim: A, likewise.
        compiled: compile the equations and their steps, by numba. Default False: NumPy runs them,
            which gives the same numbers up to rounding.
        observed: as for `FunctionModel`; not of a function of batches.
        angles: likewise.

    Returns:
        A `LinearModel` of matrices. Of equations of one state a `FunctionModel`, or where they are
        compiled a `CompiledModel`. Of a function of batches another, of states and actions, that
        returns the next states, for `FunctionModel`.

    Raises:
        ShapeError: the shapes do not fit; later: the function returned another shape.
        ArgumentError: `dt` is not above 0, a number is not finite, the method is not known, or an
            argument does not go with such a system.
        TypeError: `system` is none, or numba cannot compile it: the message has the line.
        ImportError: numba is to compile, and is not installed: `pip install numba`.
        NumericalError: a step of the matrices overflows or, with "tustin", does not exist.

    Source: Franklin, Powell & Workman 1998, "Digital control of dynamic systems", ch. 4 and 6;
    Higham 2005, "The scaling and squaring method for the matrix exponential revisited".

    Example:
        >>> model = dp.discretise(([[0.0, 1.0], [0.0, 0.0]], [[0.0], [1.0]]), 0.1)
        >>> model.B
        array([[0.005],
               [0.1  ]])
        >>> def pendulum(state, action):
        ...     angle, speed = state
        ...     (torque,) = action
        ...     return speed, np.sin(angle) + torque
        >>> model = dp.discretise(pendulum, 0.05, state_dim=2, action_dim=1)
        >>> model.predict([0.1, 0.0], [0.0]).mean.round(6)
        array([[0.100125, 0.004994]])
    """
    length = _arrays.real("dt", dt)
    if not (length > 0.0 and np.isfinite(length)):
        raise ArgumentError(f"dt: got {length}, must be finite and above 0")
    parts = _arrays.at_least(1, "substeps", substeps)
    if parts > _MAX_SUBSTEPS:
        raise ArgumentError(
            f"substeps: got {_texts.shown(substeps)}, must be at most {_MAX_SUBSTEPS}"
        )
    to_compile = _arrays.flag("compiled", compiled)
    known = {"observed": observed, "angles": angles}
    of_one_state = {"state_dim": state_dim, "action_dim": action_dim}
    if isinstance(system, (tuple, list)):
        _require_none("of matrices", **of_one_state, compiled=compiled or None)
        kind = "zoh" if method is None else _known("method", method, _OF_MATRICES)
        return _of_matrices(system, length / parts, kind, parts, known)
    _callbacks.require_function("system", system, "a pair of matrices or a function")
    kind = "rk4" if method is None else _known("method", method, _OF_FUNCTIONS)
    steps = Steps(kind, length / parts, parts)
    if state_dim is None and action_dim is None:
        _require_none(
            "of batches, without state_dim and action_dim",
            compiled=compiled or None,
            observed=observed,
            angles=None if isinstance(angles, tuple) and not angles else angles,
        )
        return _Stepped(_CheckedRates(cast(Rates, system)), steps)
    for name, size in of_one_state.items():
        if size is None:
            raise ArgumentError(f"{name}: got None, must be given with the other dimension")
    return _of_equations(cast(Equations, system), (state_dim, action_dim), steps, to_compile, known)


def _known(name: str, method: str, known: tuple[str, ...]) -> str:
    if not (isinstance(method, str) and method in known):
        names = ", ".join(repr(one) for one in known)
        raise ArgumentError(f"{name}: got {_texts.shown(method)}, must be one of {names}")
    return method


def _require_none(kind: str, **given: Any) -> None:
    for name, value in given.items():
        if value is not None:
            got = _texts.shown(value)
            raise ArgumentError(f"{name}: got {got}, must be left out for a system {kind}")


@dataclass(frozen=True, slots=True)
class _Stepped:
    """A step by a function of rates, whatever the shape of the states that it takes."""

    rates: Callable[[Float64, NDArray[Any]], Float64]
    steps: Steps

    def __call__(self, states: NDArray[Any], actions: NDArray[Any]) -> Float64:
        return self.steps.of(self.rates, np.asarray(states, np.float64), actions)


@dataclass(frozen=True, slots=True)
class _CheckedRates:
    """A function of batches, with a check of what it returns."""

    rates: Rates

    def __call__(self, states: Float64, actions: NDArray[Any]) -> Float64:
        found = self.rates(states, actions)
        _callbacks.require_no_tuple("system", found)
        return _callbacks.numbers("system", found, states.shape, "rates")


def _of_equations(
    system: Equations,
    dims: tuple[Any, Any],
    steps: Steps,
    to_compile: bool,
    known: dict[str, Any],
) -> FunctionModel | CompiledModel:
    require_equations("system", system)
    if to_compile:
        recipe = CompiledEquations("system", system, dims, np.float64, steps)
        return compiled_model(CompiledModel, recipe, **known)
    step = _Stepped(ColumnFunction("system", system), steps)
    return FunctionModel(OnRows(step), *dims, **known)


def _of_matrices(
    system: Matrices, dt: float, method: str, substeps: int, known: dict[str, Any]
) -> LinearModel:
    if len(system) not in {2, 3}:
        raise ShapeError(f"system: got {len(system)} matrices, must be (A, B) or (A, B, c)")
    try:
        given = LinearModel(*system)
    except (Error, TypeError) as error:
        raise type(error)(f"system: {error}") from error
    size = given.state_dim
    columns = size + given.action_dim + 1
    # d/dt (s, a, 1), of which a and 1 stay as they are.
    rates = np.zeros((columns, columns))
    rates[:size] = np.hstack([given.A, given.B, given.c[:, None]])
    with np.errstate(over="ignore", invalid="ignore"):
        step = np.linalg.matrix_power(_transition(dt * rates, size, method), substeps)
    if not np.isfinite(step).all():
        raise NumericalError(f"system: a step of {dt * substeps:g} overflows; shorten dt")
    return LinearModel(step[:size, :size], step[:size, size:-1], step[:size, -1], **known)


def _transition(rates: Float64, size: int, method: str) -> Float64:
    """Returns what a step multiplies (s, a, 1) with; `rates` are those of the whole step."""
    identity = np.eye(len(rates))
    if method == "zoh":
        return _core.matrix_exponential(rates)
    if method == "euler":
        return identity + rates
    if method == "rk4":
        return identity + rates @ (
            identity + rates / 2 @ (identity + rates / 3 @ (identity + rates / 4))
        )
    # The actions and the constant do not change, so that the rule solves for the states alone.
    half = 0.5 * rates[:size, :size]
    implicit = np.eye(size) - half
    step = identity.copy()
    try:
        step[:size] = np.linalg.solve(
            implicit, np.hstack([np.eye(size) + half, rates[:size, size:]])
        )
    except np.linalg.LinAlgError as error:
        raise NumericalError("system: 'tustin' has no step of this length; change dt") from error
    return step
