"""Equations in continuous time as steps of a fixed length."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple, TypeAlias, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynaplan import _arrays, _callbacks, _core, _texts
from dynaplan.errors import ArgumentError, Error, NumericalError, ShapeError
from dynaplan.models.linear.linear_model import LinearModel

__all__ = ["Rates", "discretise"]

Float64 = NDArray[np.float64]
# Rates of change (N, S) of states (N, S) under actions (N, A).
Rates: TypeAlias = Callable[[NDArray[Any], NDArray[Any]], ArrayLike]
Matrices: TypeAlias = tuple[ArrayLike, ArrayLike] | tuple[ArrayLike, ArrayLike, ArrayLike]
Method: TypeAlias = Literal["zoh", "tustin", "euler", "rk4"]
_MAX_SUBSTEPS = 1_000_000
_OF_MATRICES = ("zoh", "tustin", "euler", "rk4")
_OF_FUNCTIONS = ("rk4", "euler")


@overload
def discretise(
    system: Matrices, dt: float, *, method: Method | None = None, substeps: int = 1
) -> LinearModel: ...
@overload
def discretise(
    system: Rates, dt: float, *, method: Method | None = None, substeps: int = 1
) -> Callable[[NDArray[Any], NDArray[Any]], Float64]: ...


def discretise(
    system: Rates | Matrices, dt: float, *, method: Method | None = None, substeps: int = 1
) -> Any:
    """Makes steps of a fixed length of equations in continuous time; actions are held in between.

    Args:
        system: matrices (A, B) or (A, B, c) of ds/dt = A s + B a + c, with shapes (S, S), (S, A)
            and (S,); or a function `f(states (N, S), actions (N, A)) -> (N, S)` that returns ds/dt.
        dt: length of a step, in the unit of time of the equations.
        method: "zoh", exact for matrices; "tustin", the trapezoidal rule; "euler", one step along
            the first rate of change; "rk4", the classical Runge-Kutta method. Default: "zoh" of
            matrices, "rk4" of a function, which has no other but "euler".
        substeps: into so many equal parts a step is cut: each halves the error of "euler", and
            makes that of "rk4" a sixteenth. Default 1.

    Returns:
        A `LinearModel` of matrices; of a function, one of states and actions that returns the next
        states, for `FunctionModel`.

    Raises:
        ShapeError: the shapes do not fit; later: the function returned another shape.
        ArgumentError: `dt` is not above 0, a number is not finite, or the method is not known.
        NumericalError: a step of the matrices overflows or, with "tustin", does not exist.

    Source: Franklin, Powell & Workman 1998, "Digital control of dynamic systems", ch. 4 and 6;
    Higham 2005, "The scaling and squaring method for the matrix exponential revisited".

    Example:
        >>> model = dp.discretise(([[0.0, 1.0], [0.0, 0.0]], [[0.0], [1.0]]), 0.1)
        >>> model.B
        array([[0.005],
               [0.1  ]])
        >>> def pendulum(states, actions):
        ...     angle, speed = states.T
        ...     return np.stack([speed, np.sin(angle) + actions[:, 0]], axis=1)
        >>> step = dp.discretise(pendulum, 0.05)
        >>> dp.FunctionModel(step, 2, 1).predict([0.1, 0.0], [0.0]).mean.round(6)
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
    if isinstance(system, (tuple, list)):
        kind = "zoh" if method is None else _known("method", method, _OF_MATRICES)
        return _of_matrices(system, length / parts, kind, parts)
    _callbacks.require_function("system", system, "a pair of matrices or a function")
    return _Steps(
        system,
        length / parts,
        "rk4" if method is None else _known("method", method, _OF_FUNCTIONS),
        parts,
    )


def _known(name: str, method: str, known: tuple[str, ...]) -> str:
    if not (isinstance(method, str) and method in known):
        names = ", ".join(repr(one) for one in known)
        raise ArgumentError(f"{name}: got {_texts.shown(method)}, must be one of {names}")
    return method


class _Steps(NamedTuple):
    """A step of equations given as a function."""

    rates: Rates
    dt: float
    method: str
    substeps: int

    def __call__(self, states: NDArray[Any], actions: NDArray[Any]) -> Float64:
        state = np.asarray(states, np.float64)
        for _ in range(self.substeps):
            if self.method == "euler":
                state = state + self.dt * self._rates(state, actions)
                continue
            first = self._rates(state, actions)
            second = self._rates(state + 0.5 * self.dt * first, actions)
            third = self._rates(state + 0.5 * self.dt * second, actions)
            fourth = self._rates(state + self.dt * third, actions)
            state = state + self.dt / 6.0 * (first + 2.0 * second + 2.0 * third + fourth)
        return state

    def _rates(self, states: Float64, actions: NDArray[Any]) -> Float64:
        return _callbacks.numbers("system", self.rates(states, actions), states.shape, "rates")


def _of_matrices(system: Matrices, dt: float, method: str, substeps: int) -> LinearModel:
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
    return LinearModel(step[:size, :size], step[:size, size:-1], step[:size, -1])


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
