"""Terminations: when an episode ends, so that nothing after it counts.

A termination is a term made here, or any Python function `f(obs, act, next_obs)` that takes whole
batches and returns (N,) of bool. Terms run in C++ inside the rollout.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any, TypeAlias

from numpy.typing import ArrayLike, NDArray

from dynaplan import _arrays, _core
from dynaplan._known import KnownEnvironment, healthy_box, identify
from dynaplan.errors import ArgumentError

__all__ = ["Term", "Termination", "TerminationFunction", "for_env", "inside", "outside"]

TerminationFunction: TypeAlias = Callable[[NDArray[Any], NDArray[Any], NDArray[Any]], ArrayLike]


class Term:
    """A built-in termination; immutable.

    Calling it tells which rows of a batch end an episode, so that it can be checked against logged
    data or a real environment.

    Args:
        termination: the compiled termination; use the functions of this module, which make it.
    """

    __slots__ = ("_termination",)

    def __init__(self, termination: _core.Termination) -> None:
        self._termination = termination

    def __call__(
        self, states: ArrayLike, actions: ArrayLike, next_states: ArrayLike
    ) -> NDArray[Any]:
        """Returns where an episode ends.

        Args:
            states: (N, S).
            actions: (N, A).
            next_states: (N, S).

        Returns:
            (N,) of bool.

        Raises:
            ShapeError: an array has the wrong shape, or the term does not fit it.
        """
        return self._termination.ended(
            _arrays.step_rows("states", states),
            _arrays.step_rows("actions", actions),
            _arrays.step_rows("next_states", next_states),
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
    return Term(_core.outside_termination(_arrays.vector("low", low), _arrays.vector("high", high)))


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
    return Term(_core.inside_termination(_arrays.vector("low", low), _arrays.vector("high", high)))


def _never(_: KnownEnvironment) -> None:
    return None


def _mountain_car(env: KnownEnvironment) -> Term:
    return inside([0.45, env.setting("goal_velocity", 0.0)], [inf, inf])


def _inverted_pendulum(_: KnownEnvironment) -> Term:
    return outside([-inf, -0.2, -inf, -inf], [inf, 0.2, inf, inf])


def _inverted_double_pendulum(_: KnownEnvironment) -> Term:
    return Term(_core.double_pendulum_termination())


def _unhealthy(env: KnownEnvironment) -> Term | None:
    return outside(*healthy_box(env)) if env.setting("terminate_when_unhealthy", True) else None


_TERMINATIONS: dict[str, Callable[[KnownEnvironment], Term | None]] = {
    "HalfCheetah-v5": _never,
    "Hopper-v5": _unhealthy,
    "InvertedDoublePendulum-v5": _inverted_double_pendulum,
    "InvertedPendulum-v5": _inverted_pendulum,
    "MountainCarContinuous-v0": _mountain_car,
    "Pendulum-v1": _never,
    "Pusher-v5": _never,
    "Reacher-v5": _never,
    "Swimmer-v5": _never,
    "Walker2d-v5": _unhealthy,
    "dm_control/cartpole-balance": _never,
    "dm_control/cartpole-balance_sparse": _never,
    "dm_control/cartpole-swingup": _never,
    "dm_control/cartpole-swingup_sparse": _never,
    "dm_control/cheetah-run": _never,
    "dm_control/pendulum-swingup": _never,
    "dm_control/reacher-easy": _never,
    "dm_control/reacher-hard": _never,
}


def for_env(env: Any) -> Term | None:
    """Returns when a known environment ends an episode, time limits apart.

    Known are the environments of `rewards.for_env`, with or without x in the observation, and
    dm_control's cheetah-run.

    Args:
        env: a Gymnasium environment, or its id, as for `rewards.for_env`.

    Returns:
        The termination, or None if the environment never ends.

    Raises:
        ArgumentError: the environment is not known here, or a wrapper changes its observation.

    Example:
        >>> dp.terminations.for_env("Pendulum-v1") is None
        True
    """
    known = identify(env)
    if known.name not in _TERMINATIONS:
        names = ", ".join(sorted(_TERMINATIONS))
        raise ArgumentError(
            f"env: when {known.name} ends is not known (known: {names}); "
            "pass a function f(obs, act, next_obs) that returns (N,) of bool"
        )
    return _TERMINATIONS[known.name](known)
