"""Recursive least squares: a linear model that tracks its system, one transition at a time."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynaplan import _arrays, _core
from dynaplan._docstrings import shares_arguments
from dynaplan.data.angles import Angles, AnglesLike
from dynaplan.data.known_states import KnownLike, KnownStates
from dynaplan.errors import ArgumentError
from dynaplan.models.linear.angle_inputs import AngleInputs
from dynaplan.models.linear.features import Identity, Polynomial, checked_features
from dynaplan.models.linear.function_fit import FunctionFit
from dynaplan.models.linear.linear_gaussian import LinearGaussian, require_linear_gaussian
from dynaplan.models.linear.settings import Settings, Target, predicts_change, require_change

__all__ = ["RecursiveLeastSquares"]

ForgettingKind = Literal["exponential", "directional"]


@shares_arguments(LinearGaussian.fit)
class RecursiveLeastSquares:
    """The same least squares as `LinearGaussian`, updated in place with every transition.

    Each update first forgets some of what is known; there is no initial covariance to choose. An
    update takes microseconds, so it fits into a 1 kHz control loop. Not for use by two threads at
    once.

    With exponential forgetting the weights of all earlier rows are multiplied by `forgetting`, and
    the estimate is the weighted least-squares solution at every moment. While the system is at
    rest, or moves in few directions, that forgets all the others: a model asked for then warns.
    Directional forgetting multiplies by `forgetting` what is known in the direction of the new
    inputs alone. It loses nothing at rest, and the covariance of the coefficients stays bounded.
    The price is a memory that is as many times longer as there are regression columns, since each
    transition speaks of one direction only.

    Args:
        state_dim: S.
        action_dim: A.
        forgetting: in (0, 1]; 1 / (1 - forgetting) is the memory in transitions. Default 1:
            nothing is forgotten.
        forgetting_kind: "exponential" (default, as it is the least squares of recent data) or
            "directional", for systems that may rest.
        angles: the states that are angles, as `Transitions` takes them. Default: none.
        known: the states that are exact shifts, as `Transitions` takes them. Default: none.

    Attributes:
        forgetting: as given.
        forgetting_kind: as given.

    Raises:
        ArgumentError: an argument is out of range.

    Source: Sayed & Kailath 1994, "A state-space approach to adaptive RLS filtering" (square-root
    form); Cao & Schwartz 2000, "A directional forgetting algorithm based on the decomposition of
    the information matrix".

    Example:
        >>> rls = dp.RecursiveLeastSquares(1, 1, forgetting=0.99)
        >>> for s, a in [(0.0, 1.0), (1.0, 0.0), (0.5, -1.0), (-1.0, 1.0)]:
        ...     rls.update([s], [a], [0.5 * s + a])
        >>> rls.model().A.round(9)
        array([[0.5]])
    """

    __slots__ = (
        "_angle_inputs",
        "_features",
        "_recursive",
        "_settings",
        "forgetting",
        "forgetting_kind",
    )

    def __init__(
        self,
        state_dim: int,
        action_dim: int,
        *,
        features: Identity | Polynomial = Identity(),  # noqa: B008  # frozen, so safe to share
        target: Target = "change",
        intercept: bool = True,
        ridge: float = 0.0,
        threshold: float = 0.0,
        forgetting: float = 1.0,
        forgetting_kind: ForgettingKind = "exponential",
        angles: AnglesLike = (),
        known: KnownLike | None = None,
    ) -> None:
        intercept, ridge = _arrays.flag("intercept", intercept), _arrays.real("ridge", ridge)
        if not 0.0 <= ridge < np.inf:
            raise ArgumentError(f"ridge: got {ridge}, must be finite and at least 0")
        threshold = _arrays.real("threshold", threshold)
        if not 0.0 <= threshold < 1.0:
            raise ArgumentError(f"threshold: got {threshold}, must be in [0, 1)")
        forgetting = _arrays.real("forgetting", forgetting)
        states = _arrays.count("state_dim", state_dim)
        inputs = _arrays.count("action_dim", action_dim)
        of_states = Angles.of(angles, states), KnownStates.of(known, states, inputs)
        self._angle_inputs = AngleInputs.unseen(checked_features(features), *of_states)
        if self._angle_inputs.sine_cosine and threshold:
            require_change(target, "a threshold and angles")
        self._recursive = _core.RecursiveLeastSquares(
            states,
            inputs + self._angle_inputs.cosines,
            features.degree,
            intercept,
            predicts_change(target),
            ridge,
            threshold,
            forgetting,
            _is_directional(forgetting_kind),
        )
        self._features = features
        self._settings: Settings = (target, intercept, ridge, threshold)
        self.forgetting = forgetting
        self.forgetting_kind: ForgettingKind = forgetting_kind

    @classmethod
    def from_model(
        cls,
        model: LinearGaussian,
        *,
        forgetting: float = 1.0,
        forgetting_kind: ForgettingKind = "exponential",
    ) -> RecursiveLeastSquares:
        """Continues from a fitted model and all its data.

        Args:
            model: the model to start from; it does not change.
            forgetting: as in the class.
            forgetting_kind: as in the class.

        Raises:
            TypeError: `model` is no LinearGaussian.
            ArgumentError: it has a prior, or features that are a function; or `forgetting` is out
                of range.
        """
        require_linear_gaussian("model", model)
        if model.prior is not None:
            raise ArgumentError(
                "model: got one with a prior, must be without; take more data in by its updated()"
            )
        if isinstance(model._fit, FunctionFit):
            raise ArgumentError(
                "model: got one whose features are a function, must be polynomials; take more data "
                "in by its updated()"
            )
        made = cls.__new__(cls)
        forgetting = _arrays.real("forgetting", forgetting)
        made._recursive = _core.RecursiveLeastSquares(
            model._fit, forgetting, _is_directional(forgetting_kind)
        )
        made._features = checked_features(model.features)
        made._settings, made._angle_inputs = model._settings, model._angle_inputs
        made.forgetting = forgetting
        made.forgetting_kind = forgetting_kind
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        core, (target, intercept, ridge, threshold) = self._recursive, self._settings
        settings = {
            "features": self._features,
            "target": target,
            "intercept": intercept,
            "ridge": ridge,
            "threshold": threshold,
            "forgetting": self.forgetting,
            "forgetting_kind": self.forgetting_kind,
            "angles": self._angle_inputs.angles,
            "known": self._angle_inputs.known,
        }
        dims = core.state_dim, core.action_dim - self._angle_inputs.cosines
        return _restored, (type(self), *dims, settings, (core.state(), self._angle_inputs))

    @property
    def rows(self) -> float:
        """Sum of the weights that the transitions still have.

        With directional forgetting each update takes off 1 - forgetting of one direction's share.
        """
        return self._recursive.rows

    def update(self, state: ArrayLike, action: ArrayLike, next_state: ArrayLike) -> None:
        """Adds one transition.

        Args:
            state: (S,).
            action: (A,).
            next_state: (S,).

        Raises:
            ShapeError: an array has the wrong shape.
            ArgumentError: a value is not finite, or not what is known of it; nothing has changed
                then.
            NumericalError: a product of the features overflows; likewise.
        """
        row = _entry("state", state), _entry("action", action), _entry("next_state", next_state)
        if self._angle_inputs.angles or self._angle_inputs.known:
            self._update_as_given(*row)
        else:
            self._recursive.update(*row)

    def _update_as_given(self, *row: NDArray[Any]) -> None:
        core, inputs = self._recursive, self._angle_inputs
        dims = core.state_dim, core.action_dim - inputs.cosines, core.state_dim
        names = ("state", "action", "next_state")
        given = zip(names, row, dims, strict=True)
        state, action, after = (_arrays.finite_rows(name, v, size) for name, v, size in given)
        arrays = {"states": state, "actions": action, "next_states": after}
        inputs.known.require_met(arrays, inputs.angles, "next_state")
        change = inputs.angles.short_way(after - state)
        seen, acting = inputs.given(state, action)
        reached = inputs.known.at_rest(seen + change, seen)
        if self._settings[0] == "absolute":
            reached = inputs.known.without(reached)
        core.update(seen[0], acting[0], reached[0])
        self._angle_inputs = inputs.having_seen(state)

    def model(self) -> LinearGaussian:
        """Returns the model of the data so far, as an immutable `LinearGaussian`.

        Raises:
            ArgumentError: there is no data yet.

        Warns:
            RankDeficientWarning: what is remembered of the data does not determine the effect of
                some input, or leaves no degrees of freedom for the noise.
        """
        parts = self._recursive.fit(), self._features, self._settings
        model = LinearGaussian(*parts, angle_inputs=self._angle_inputs)
        return model._warned(of_late=True)

    def __repr__(self) -> str:
        settings = f"{self._features!r}, forgetting={self.forgetting:g}"
        if self.forgetting_kind != "exponential":
            settings += f", forgetting_kind={self.forgetting_kind!r}"
        return f"RecursiveLeastSquares({settings}, rows={self.rows:g})"


def _is_directional(kind: str) -> bool:
    _arrays.choice("forgetting_kind", kind, "exponential", "directional")
    return kind == "directional"


def _restored(
    kind: type[RecursiveLeastSquares],
    state_dim: int,
    action_dim: int,
    settings: dict[str, Any],
    state: tuple[tuple[Any, ...], AngleInputs],
) -> RecursiveLeastSquares:
    """Makes the same again: for copies and other processes."""
    made = kind(state_dim, action_dim, **settings)
    made._recursive.restore(state[0])
    made._angle_inputs = state[1]
    return made


def _entry(name: str, values: ArrayLike) -> NDArray[Any]:
    array = _arrays.numbers(name, values)
    # The core looks at the shape; the usual one must not pay for the others in a fast loop.
    return array if array.ndim == 1 else _arrays.vector(name, array)
