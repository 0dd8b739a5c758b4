"""Known physics beneath a learned model: what data add to a prior model, and the sum of both."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynaplan import _core, _texts
from dynaplan.data.angles import Angles
from dynaplan.data.known_states import KnownStates
from dynaplan.data.transitions import Transitions
from dynaplan.errors import ArgumentError, ShapeError
from dynaplan.models.interface import Model, angles_of, known_of, predicted, require_model

__all__ = ["dynamics_with", "require_known", "require_prior", "require_same_prior", "rest_of"]
__all__ += ["unlearned", "with_prior_mean"]

Float64 = NDArray[np.float64]


def require_prior(prior: Any, system: Any, angles: Angles, known: KnownStates) -> None:
    """Refuses what is no model of a system.

    Args:
        prior: any object.
        system: data or a model of it.
        angles: of its states.
        known: which of its states are exact shifts.

    Raises:
        TypeError: it is no model.
        ShapeError: it has other states or actions.
        ArgumentError: it has other angles or known states.
    """
    if isinstance(prior, type) or not isinstance(getattr(prior, "dynamics", None), _core.Dynamics):
        raise TypeError(
            f"prior: got {_texts.shown(prior)}, must be a model, such as discretise makes of "
            "equations"
        )
    require_model(prior, "predict")
    dims, wanted = [(part.state_dim, part.action_dim) for part in (prior, system)]
    if dims != wanted:
        raise ShapeError(
            f"prior: got (state_dim, action_dim) {dims}, must be {wanted} as in the data"
        )
    its = angles_of(prior)
    # One without any does as well where angles count full turns on.
    if its != angles and (its or angles.has_ranges):
        raise ArgumentError(
            f"prior: has {its}, must have {angles} as the data; pass angles= where it is made, and "
            "to Transitions"
        )
    require_known("prior", prior, known)


def require_known(name: str, model: Model, known: KnownStates) -> None:
    """Refuses a model with known states that are not those of a system.

    One without any will do, as what is known goes before what it predicts.

    Args:
        name: of the argument that the model is.
        model: any.
        known: the states of the system that are exact shifts.

    Raises:
        ArgumentError: it has others, or the system has none.
    """
    its = known_of(model)
    if its and not its.are_those_of(known):
        raise ArgumentError(
            f"{name}: has {its}, must have {known} as the data; say what is known of the data, by "
            "with_history or Transitions(known=)"
        )


def rest_of(prior: Model | None, data: Transitions, threads: int) -> Transitions:
    """Returns transitions whose change of the state is what the prior does not predict.

    Args:
        prior: what is known; None: nothing, and the data stay as they are.
        data: of the same dimensions.
        threads: threads to use.

    Raises:
        ArgumentError: the prior predicts what is not finite.
    """
    if prior is None:
        return data
    mean = predicted(prior, data.states, data.actions, threads).mean
    wrong = np.flatnonzero(~np.isfinite(mean).all(axis=1))
    if len(wrong):
        raise ArgumentError(
            f"prior: predicts {_texts.brief(mean[wrong[0]])} from row {wrong[0]} of the data, must "
            "be finite"
        )
    rest = data.states + angles_of(prior).short_way(data.next_states - mean)
    return Transitions._of({**data._arrays(), "next_states": rest}, data._columns)


def unlearned(data: Transitions, known: KnownStates) -> Transitions:
    """Returns transitions in which known states never change, so that nothing is learned of them.

    Args:
        data: of these states.
        known: which of them; none: the data stay as they are.
    """
    if not known:
        return data
    after = known.at_rest(data.next_states, data.states)
    return Transitions._of({**data._arrays(), "next_states": after}, data._columns)


def with_prior_mean(
    prior: Model | None, rest: Float64, states: Float64, actions: Float64, threads: int
) -> Float64:
    """Returns next states (N, S) from those of a model of the rest; without a prior the same.

    Angles are yet to be brought into their ranges.
    """
    if prior is None:
        return rest
    return rest + (predicted(prior, states, actions, threads).mean - states)


def dynamics_with(prior: Model | None, rest: _core.Dynamics) -> _core.Dynamics:
    """Returns the sum of both as rollouts and planners run it."""
    return rest if prior is None else _core.residual_dynamics(prior.dynamics, rest)


def require_same_prior(
    name: str, model: Any, prior: Model | None, states: Float64, actions: Float64
) -> None:
    """Refuses a model whose prior is another one, as its predictions show.

    Args:
        name: of the argument that the model is.
        model: with a `prior`, or None.
        prior: what it must be, or predict alike to the bit.
        states: (N, S) some of those that the models are for.
        actions: (N, A).

    Raises:
        ArgumentError: it has another prior, or none.
    """
    if model.prior is prior:
        return
    if model.prior is not None and prior is not None:
        its, wanted_mean = (predicted(one, states, actions).mean for one in (model.prior, prior))
        if np.array_equal(its, wanted_mean, equal_nan=True):
            return
        raise ArgumentError(f"{name}: got a model with another prior, must have the same")
    got, wanted = ("without a", "one") if model.prior is None else ("with a", "none")
    raise ArgumentError(f"{name}: got a model {got} prior, must have {wanted} here")
