"""`LinearModel`: a linear system that is known, not learned."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynaplan import _arrays, _core, files
from dynaplan.data.angles import Angles, AnglesLike
from dynaplan.data.transitions import Transitions, require_transitions
from dynaplan.errors import ArgumentError, ModelFileError, ShapeError
from dynaplan.models.fitted import FittedModel
from dynaplan.models.interface import Prediction
from dynaplan.models.known import KnownDynamics
from dynaplan.models.linear.covariances import covariance_factor, covariance_matrix
from dynaplan.models.linear.equations import PrintedEquations
from dynaplan.models.linear.linear_gaussian import LinearGaussian
from dynaplan.models.linear.prior import input_spread, known_rows

__all__ = ["LinearModel"]

Float64 = NDArray[np.float64]
_MAX_ROWS = 1e9  # of more, rounding leaves too little of what data can say
_UNKNOWN = np.finfo(np.float64).max  # stands for infinity in files, which hold finite numbers


class LinearModel(PrintedEquations, FittedModel, KnownDynamics):
    """A linear system that is known: s' = A s + B a + c + noise.

    Planners, `LQR`, `ILQR`, `rollout`, `evaluate` and `MPC` take it like a fitted model. Equations
    in continuous time become one by `discretise`.

    Args:
        A: (S, S).
        B: (S, A).
        c: (S,) constant part of the next state. Default: 0.
        noise: (S, S) covariance of the noise of a step, or (S,) variances, in the states' units
            squared. Default: none.
        observed: pair (low, high) of (S + A,), the range that states and actions are known to
            take, for the planners' `clip` and the `trust` of `MPC`. Default: not known, so that
            nothing is clipped and nothing is doubted.
        angles: the states that are angles, as `Transitions` takes them: next states are brought
            into their ranges, and differences go the short way round. Default: none.

    Attributes:
        dynamics: what rollouts and planners run.

    Raises:
        ShapeError: the shapes do not fit.
        ArgumentError: a number is not finite, `noise` is no covariance, or `observed` is no range.

    Example:
        >>> cart = dp.LinearModel([[1.0, 0.1], [0.0, 1.0]], [[0.0], [0.1]], noise=[0.0, 1e-4])
        >>> cart.predict([0.0, 1.0], [1.0])
        Prediction(mean=[[0.1, 1.1]], aleatoric=[[0, 0.0001]], epistemic=[[0, 0]])
        >>> reward = dp.rewards.quadratic([1.0, 0.1], [1.0, 0.0]) + dp.rewards.action_cost([0.1])
        >>> plan = dp.LQR().plan(cart, reward, [0.0, 0.0], action_space=([-1.0], [1.0]))
        >>> plan.status
        'converged'
    """

    __slots__ = ("_constant", "_covariance", "_inputs", "_states")

    def __init__(
        self,
        A: ArrayLike,
        B: ArrayLike,
        c: ArrayLike | None = None,
        *,
        noise: ArrayLike | None = None,
        observed: tuple[ArrayLike, ArrayLike] | None = None,
        angles: AnglesLike = (),
    ) -> None:
        self._states = _finite_matrix("A", A)
        size = len(self._states)
        if self._states.shape != (size, size):
            raise ShapeError(f"A: got shape {self._states.shape}, must be square")
        self._inputs = _finite_matrix("B", B)
        if len(self._inputs) != size:
            raise ShapeError(f"B: got {len(self._inputs)} rows, must be {size} as of A")
        constant = np.zeros(size) if c is None else _arrays.vector("c", c, size)
        self._constant = _finite("c", constant)
        given = np.zeros(size) if noise is None else noise
        self._covariance = covariance_matrix("noise", given, size)
        weights = np.ascontiguousarray(np.hstack([self._states, self._inputs]))
        factor = covariance_factor("noise", self._covariance)
        super().__init__(_core.linear_dynamics(weights, self._constant, factor), observed, angles)

    @property
    def A(self) -> Float64:
        """(S, S) effect of the states on the next ones."""
        return self._states.copy()

    @property
    def B(self) -> Float64:
        """(S, A) effect of the actions."""
        return self._inputs.copy()

    @property
    def c(self) -> Float64:
        """(S,) constant part of the next states."""
        return self._constant.copy()

    @property
    def noise_covariance(self) -> Float64:
        """(S, S) covariance of the noise of a step, in the states' units squared."""
        return self._covariance.copy()

    def predict(self, states: ArrayLike, actions: ArrayLike, *, threads: int = 1) -> Prediction:
        """Predicts the next states; the system is known, so that only its noise is uncertain.

        Args:
            states: (N, S), or one state (S,).
            actions: (N, A), or one action (A,).
            threads: threads to use.

        Returns:
            Arrays of shape (N, S); N is 1 for a single state.

        Raises:
            ShapeError: an array has the wrong shape.
            ArgumentError: a state or an action is not finite.
        """
        mean, _, none = super().predict(states, actions, threads=threads)
        return Prediction(mean, np.tile(np.diag(self._covariance), (len(mean), 1)), none)

    def sample(
        self, states: ArrayLike, actions: ArrayLike, *, seed: int | None = None, threads: int = 1
    ) -> Float64:
        """Draws next states: the mean prediction plus noise.

        Args:
            states: (N, S), or one state (S,).
            actions: (N, A), or one action (A,).
            seed: same seed, same draws; None draws anew.
            threads: threads to use.

        Returns:
            (N, S).

        Raises:
            ShapeError: an array has the wrong shape.
            ArgumentError: a state or an action is not finite.
        """
        return self._steps(states, actions, "sample", _arrays.seed_number(seed), threads)

    def updated(self, data: Transitions, *, rows: float) -> LinearGaussian:
        """Returns what is known, corrected by data: a model that can go on learning.

        The known A, B and c count like `rows` transitions that fit them exactly, and in which
        states and actions vary independently: over the range that is `observed`, or where none is
        known as much as in the data, each in its own unit. So does the noise, if there is any; if
        there is none it is taken from the data. Few data change little, and only where they have
        something to say; many data lead to least squares.

        Args:
            data: transitions of the real system.
            rows: how many transitions the knowledge is worth, above 0 and at most 1e9: at as many
                data each counts half.

        Returns:
            The fitted model. It takes in more data by `LinearGaussian.updated`, or one transition
            at a time by `RecursiveLeastSquares.from_model`.

        Raises:
            TypeError: `data` is none.
            ShapeError: it has other dimensions.
            ArgumentError: `rows` is out of range; or an input is the same in all transitions, and
                its range not known.
            NumericalError: the numbers overflow float64.

        Source: Gelman et al. 2013, "Bayesian data analysis", sec. 14.8 (prior information as
        additional data).

        Example:
            >>> known = dp.LinearModel([[0.5]], [[1.0]])
            >>> s, a = np.array([[0.0], [1.0], [0.5], [-1.0]]), np.array([[1], [0], [-1], [1]])
            >>> data = dp.Transitions(s, a, 0.7 * s + a)
            >>> known.updated(data, rows=4).A.round(2), known.updated(data, rows=400).A.round(2)
            (array([[0.59]]), array([[0.5]]))
        """
        require_transitions("data", data)
        size = self.state_dim
        given = data.states.shape[1], data.actions.shape[1]
        if given != (size, self.action_dim):
            raise ShapeError(
                f"data: got {given[0]} states and {given[1]} actions, must be {size} and "
                f"{self.action_dim}"
            )
        worth = _arrays.real("rows", rows)
        if not 0.0 < worth <= _MAX_ROWS:
            raise ArgumentError(f"rows: got {worth}, must be above 0 and at most {_MAX_ROWS:g}")
        change = np.column_stack([self._states - np.eye(size), self._inputs, self._constant])
        spread = input_spread(*self._observed, data)
        angles = self.angles or data.angles
        parts = change, self._covariance, spread, worth
        return known_rows(*parts, angles=angles, known=data.known).updated(data)

    def __reduce__(self) -> tuple[Any, ...]:
        make = partial(
            type(self), noise=self._covariance, observed=self._observed, angles=self.angles
        )
        return make, (self._states, self._inputs, self._constant)

    def _equation_terms(self) -> tuple[Float64, NDArray[np.intc], Float64 | None]:
        terms = np.column_stack([self._states, self._inputs, self._constant])
        return terms, np.eye(terms.shape[1] - 1, dtype=np.intc), None

    def _file_parts(self) -> tuple[files.Arrays, dict[str, Any]]:
        low, high = (np.clip(bound, -_UNKNOWN, _UNKNOWN) for bound in self._observed)
        return {
            "A": self._states,
            "B": self._inputs,
            "c": self._constant,
            "noise_covariance": self._covariance,
            "observed_low": low,
            "observed_high": high,
        }, {"angles": self.angles.to_lists()} if self.angles else {}

    @classmethod
    def _from_file_parts(
        cls, arrays: Mapping[str, NDArray[Any]], header: dict[str, Any]
    ) -> LinearModel:
        known = files.fields(header, "header", {"angles": list} if "angles" in header else {})
        for name in ("A", "B"):
            if name not in arrays or arrays[name].ndim != 2 or not arrays[name].size:
                raise ModelFileError(f"array {name!r}: must be there and a matrix")
        size, inputs = len(arrays["A"]), arrays["A"].shape[0] + arrays["B"].shape[1]
        shapes = {
            "A": (size, size),
            "B": (size, inputs - size),
            "c": (size,),
            "noise_covariance": (size, size),
            "observed_low": (inputs,),
            "observed_high": (inputs,),
        }
        files.named_arrays(arrays, {name: ("float64", shape) for name, shape in shapes.items()})
        bounds = (arrays["observed_low"], arrays["observed_high"])
        observed = [np.where(np.abs(b) == _UNKNOWN, np.copysign(np.inf, b), b) for b in bounds]
        return cls(
            arrays["A"],
            arrays["B"],
            arrays["c"],
            noise=arrays["noise_covariance"],
            observed=(observed[0], observed[1]),
            angles=Angles.of_lists(known.get("angles", []), size),
        )


def _finite(name: str, array: Float64) -> Float64:
    if not np.isfinite(array).all():
        raise ArgumentError(f"{name}: got {array}, must be finite")
    return np.array(array)


def _finite_matrix(name: str, values: ArrayLike) -> Float64:
    array = _arrays.numbers(name, values)
    if array.ndim != 2 or array.size == 0:
        raise ShapeError(f"{name}: got shape {array.shape}, must be a matrix")
    return _finite(name, array)
