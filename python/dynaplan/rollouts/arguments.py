"""Arguments that are objects: models, data, rewards and terminations, refused by name."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dynaplan import _callbacks
from dynaplan.data.angles import NO_ANGLES, Angles
from dynaplan.data.known_states import NO_KNOWN_STATES, KnownStates
from dynaplan.data.transitions import Transitions, require_transitions
from dynaplan.errors import ArgumentError, ShapeError
from dynaplan.models.interface import agreed_angles, agreed_known
from dynaplan.rewards.terms import Term
from dynaplan.terminations.terms import Term as TerminationTerm

if TYPE_CHECKING:
    from dynaplan.models.interface import Model

__all__ = [
    "common_angles",
    "fitting_angles",
    "knowing",
    "knowing_in_common",
    "knowing_the_same",
    "require_fitting",
    "require_reward",
    "require_termination",
    "with_reference",
]


def require_reward(reward: Any, name: str = "reward") -> None:
    """Refuses what is neither a term nor a function.

    Raises:
        TypeError: it cannot be called, is a class, or a termination.
    """
    if isinstance(reward, TerminationTerm):
        raise TypeError(f"{name}: got the termination {reward}, must be a reward")
    _refuse_compiled(name, reward, "rewards.compiled")
    _callbacks.require_function(name, reward, "a term or a function")


def require_termination(termination: Any) -> None:
    """Refuses what is neither a term nor a function nor None.

    Raises:
        TypeError: it cannot be called, is a class, or a reward.
    """
    if isinstance(termination, Term):
        raise TypeError(f"termination: got the reward {termination}, must be a termination")
    if termination is not None:
        _refuse_compiled("termination", termination, "terminations.compiled")
        _callbacks.require_function("termination", termination, "a term or a function")


def _refuse_compiled(name: str, function: Any, maker: str) -> None:
    if isinstance(function, ctypes._CFuncPtr):  # type: ignore[attr-defined]
        raise TypeError(f"{name}: got a compiled function, must go by {maker}")


def require_fitting(name: str, data: Any, model: Model) -> None:
    """Refuses data that are not of the model's states and actions.

    Raises:
        TypeError: they are no transitions.
        ShapeError: their dimensions are not the model's.
        ArgumentError: both have known states, and they differ; or the data contradict the model's.
    """
    require_transitions(name, data)
    if (data.state_dim, data.action_dim) != (model.state_dim, model.action_dim):
        raise ShapeError(
            f"{name}: got ({data.state_dim}, {data.action_dim}) states and actions, "
            f"must be the model's ({model.state_dim}, {model.action_dim})"
        )
    agreed_known(name, data, model)


def fitting_angles(name: str, data: Any, model: Model) -> Angles:
    """Refuses data that are not of the model's states and actions; returns which are angles.

    They are those of the data, or the model's where the data have none.

    Raises:
        TypeError: they are no transitions.
        ShapeError: their dimensions are not the model's.
        ArgumentError: both have angles or known states, and they differ.
    """
    require_fitting(name, data, model)
    return agreed_angles(name, data.angles, model)


def with_reference(angles: Angles, of_reference: Angles) -> Angles:
    """Returns the angles of held-out and of reference data, which must agree.

    Raises:
        ArgumentError: both have some, and they differ.
    """
    if angles and of_reference and not angles.have_periods_of(of_reference):
        raise ArgumentError(f"reference: got {of_reference}, must be {angles} as held_out")
    return of_reference or angles


def knowing(name: str, data: Transitions, model: Model) -> Transitions:
    """Returns data of which those states are known that the model knows, where they have none.

    Raises:
        ArgumentError: both have known states, and they differ; or the data contradict the model's.
    """
    return _with(agreed_known(name, data, model), data)


def knowing_in_common(name: str, data: Transitions, models: Mapping[str, Model]) -> Transitions:
    """Returns data of which those states are known that models know, where they have none.

    Raises:
        ArgumentError: the known states of the data and of the models that have some differ.
    """
    known, first = NO_KNOWN_STATES, ""
    for key, model in models.items():
        its = agreed_known(name, data, model)
        if its and known and not its.are_those_of(known):
            raise ArgumentError(f"models: {key!r} has {its}, must be {known} as {first!r}")
        if its and not known:
            known, first = its, key
    return _with(known or data.known, data)


def knowing_the_same(
    held_out: Transitions, reference: Transitions
) -> tuple[Transitions, Transitions]:
    """Returns held-out and reference data of which the same states are known.

    Raises:
        ArgumentError: both have known states, and they differ; or one contradicts the other's.
    """
    known, others = held_out.known, reference.known
    if known and others and not known.are_those_of(others):
        raise ArgumentError(f"reference: got {others}, must be {known} as held_out")
    for name, data, its in (("reference", reference, known), ("held_out", held_out, others)):
        if not data.known:
            its.require_met(data._arrays(), data.angles, name)
    return _with(known or others, held_out), _with(others or known, reference)


def _with(known: KnownStates, data: Transitions) -> Transitions:
    if known is data.known:
        return data
    return Transitions._of(data._arrays(), replace(data._columns, known=known))


def common_angles(name: str, data: Any, models: Mapping[str, Model]) -> Angles:
    """Refuses data that are not of all models' states and actions; returns which are angles.

    They are those of the data, or those of the models where the data have none.

    Raises:
        TypeError: they are no transitions.
        ShapeError: their dimensions are not those of a model.
        ArgumentError: the angles of the data and of the models that have some differ.
    """
    found = {key: fitting_angles(name, data, model) for key, model in models.items()}
    known = [key for key, angles in found.items() if angles]
    for key in known[1:]:
        if not found[key].have_periods_of(found[known[0]]):
            raise ArgumentError(
                f"models: {key!r} has {found[key]}, must be {found[known[0]]} as {known[0]!r}"
            )
    return found[known[0]] if known else NO_ANGLES
