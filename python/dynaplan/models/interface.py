"""`Model`: what every model of the dynamics offers, and `Prediction`, what it predicts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynaplan import _core, _texts
from dynaplan.data.angles import Angles
from dynaplan.data.known_states import KnownStates
from dynaplan.errors import ArgumentError, ShapeError

if TYPE_CHECKING:
    from dynaplan.data.transitions import Transitions

__all__ = ["Model", "Prediction", "agreed_angles", "agreed_known", "angles_of", "known_of"]
__all__ += ["predicted", "require_model"]

Float64 = NDArray[np.float64]


class Prediction(NamedTuple):
    """The next states that a model expects, and how uncertain they are.

    Attributes:
        mean: (N, S), in the states' units.
        aleatoric: (N, S) variances of the system's own noise, in the units squared.
        epistemic: (N, S) variances of what the model does not know, in the units squared;
            infinite where the input has a component that no training row has.
    """

    mean: Float64
    aleatoric: Float64
    epistemic: Float64

    def __repr__(self) -> str:
        return _texts.object_text(self, *self._fields)


class Model(Protocol):
    """What rollouts, planners and `evaluate` need of a model, however it was made.

    Annotate with it whatever takes any model. `LinearGaussian`, `GaussianProcess`, `MLP`,
    `GaussianMLP`, `Ensemble`, `FunctionModel` and `CompiledModel` have it; no base class is needed.
    A class of your own offers all of its members, does not change once made, and may be shared by
    threads. Its `dynamics` are those of a model that exists, such as `FunctionModel(f, state_dim,
    action_dim).dynamics`, as rollouts and planners run compiled dynamics alone; `predict` must give
    the same means. It may say in `observed_disagreement`, as `Ensemble` does, how far its members
    disagree on their data, in `angles`, as `Transitions` takes it, which of its states are angles,
    and in `known`, as `Transitions` has it, which are exact shifts, such as the lags of a history.

    Wherever states and actions are passed to a model, here as to rollouts, planners and agents,
    they must be finite: a nan or an infinity is refused by name, with an ArgumentError. What a
    model predicts of finite numbers may still diverge; rollouts keep it, and planners rank it last.
    """

    @property
    def state_dim(self) -> int:
        """Number of state dimensions, S."""

    @property
    def action_dim(self) -> int:
        """Number of action dimensions, A."""

    @property
    def observed_low(self) -> Float64:
        """(S + A,) smallest value of each input in the data, states first; -inf: not known."""

    @property
    def observed_high(self) -> Float64:
        """(S + A,) largest value of each input in the data, states first; inf: not known."""

    @property
    def dynamics(self) -> _core.Dynamics:
        """The compiled dynamics that rollouts and planners run."""

    def predict(self, states: ArrayLike, actions: ArrayLike, *, threads: int = 1) -> Prediction:
        """Predicts the next states, with both kinds of uncertainty.

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

    def sample(
        self, states: ArrayLike, actions: ArrayLike, *, seed: int | None = None, threads: int = 1
    ) -> Float64:
        """Draws next states from the predicted distribution.

        Args:
            states: (N, S), or one state (S,).
            actions: (N, A), or one action (A,).
            seed: same seed, same draws; None draws anew.
            threads: threads to use.

        Returns:
            (N, S).

        Raises:
            ShapeError, ArgumentError: as of `predict`.
        """


_MEMBERS = ("state_dim", "action_dim", "observed_low", "observed_high")


def require_model(model: Any, *members: str) -> None:
    """Refuses what is no model.

    Args:
        model: any object.
        members: methods that are needed besides the dynamics and what describes them.

    Raises:
        TypeError: `model` has no compiled dynamics, or lacks a member that is needed.
    """
    dynamics = getattr(model, "dynamics", None)
    if isinstance(model, type) or not isinstance(dynamics, _core.Dynamics):
        got = _texts.shown(model)
        raise TypeError(f"model: got {got}, must be a model, such as LinearGaussian.fit returns")
    dims = dynamics.state_dim, dynamics.action_dim
    for name, size in zip(("state_dim", "action_dim"), dims, strict=True):
        if getattr(model, name, size) != size:
            got = _texts.shown(getattr(model, name))
            raise TypeError(f"model: has {name} {got}, must have {size} as its dynamics")
    # Of a class, as to compute them takes time.
    lacking = [n for n in _MEMBERS if not (hasattr(type(model), n) or hasattr(model, n))]
    lacking += [name for name in members if not callable(getattr(model, name, None))]
    if lacking:
        raise TypeError(
            f"model: got {_texts.shown(model)} without {', '.join(lacking)}, must have all members "
            "of Model"
        )


def angles_of(model: Model) -> Angles:
    """Returns the states of a model that are angles, none where it does not say.

    Raises:
        ArgumentError, TypeError: what a class of one's own says names no states.
    """
    given = getattr(model, "angles", ())
    return given if isinstance(given, Angles) else Angles.of(given, model.state_dim, "model.angles")


def known_of(model: Model) -> KnownStates:
    """Returns the states of a model that are exact shifts, none where it does not say.

    Raises:
        ArgumentError, TypeError: what a class of one's own says is no such mapping.
    """
    given = getattr(model, "known", None)
    dims = model.state_dim, model.action_dim
    return given if isinstance(given, KnownStates) else KnownStates.of(given, *dims, "model.known")


def agreed_angles(name: str, angles: Angles, model: Model) -> Angles:
    """Returns which states are angles: those of the data, or the model's where the data have none.

    Args:
        name: of the argument that the data are.
        angles: of the data.
        model: that they are given to.

    Raises:
        ArgumentError: both have some, and they differ.
    """
    own = angles_of(model)
    if own and angles and not own.have_periods_of(angles):
        raise ArgumentError(f"{name}: got {angles}, must be the model's {own}")
    return angles or own


def agreed_known(name: str, data: Transitions, model: Model) -> KnownStates:
    """Returns which states are known: those of the data, or the model's where the data have none.

    Args:
        name: of the argument that the data are.
        data: transitions.
        model: that they are given to.

    Raises:
        ShapeError: their dimensions are not the model's.
        ArgumentError: both have some, and they differ; or the data contradict those of the model.
    """
    own, known = known_of(model), data.known
    if not own or own.are_those_of(known):
        return known
    if known:
        raise ArgumentError(f"{name}: got {known}, must be the model's {own}")
    dims, wanted = [(part.state_dim, part.action_dim) for part in (data, model)]
    if dims != wanted:
        raise ShapeError(
            f"{name}: got (state_dim, action_dim) {dims}, must be {wanted} as of the model"
        )
    own.require_met(data._arrays(), data.angles or angles_of(model), name)
    return own


def predicted(model: Model, states: Float64, actions: Float64, threads: int = 1) -> Prediction:
    """Returns what a model predicts; that of a class of one's own is checked.

    Raises:
        TypeError: it is no `Prediction`.
        ShapeError: its mean has another shape than the states.
    """
    prediction = model.predict(states, actions, threads=threads)
    if not isinstance(prediction, Prediction):
        got = _texts.shown(prediction)
        raise TypeError(f"model: its predict returned {got}, must return a Prediction")
    if np.shape(prediction.mean) != states.shape:
        raise ShapeError(
            f"model: its predict returned shape {np.shape(prediction.mean)}, must be {states.shape}"
        )
    return prediction
