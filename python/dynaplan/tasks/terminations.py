"""When the episodes of known environments end."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any

from dynaplan._recipes import CoreCall
from dynaplan.errors import ArgumentError
from dynaplan.tasks.environment import KnownEnvironment, cart_pole_box, healthy_box, identify
from dynaplan.terminations.terms import Term, inside, outside

__all__ = ["for_env"]


def _never(_: KnownEnvironment) -> None:
    return None


def _mountain_car(env: KnownEnvironment) -> Term:
    return inside([0.45, env.setting("goal_velocity", 0.0)], [inf, inf])


def _inverted_pendulum(_: KnownEnvironment) -> Term:
    return outside([-inf, -0.2, -inf, -inf], [inf, 0.2, inf, inf])


def _inverted_double_pendulum(_: KnownEnvironment) -> Term:
    return Term(CoreCall("double_pendulum_termination"), "fallen()")


def _cart_pole(_: KnownEnvironment) -> Term:
    return outside(*cart_pole_box())


def _acrobot(_: KnownEnvironment) -> Term:
    return Term(CoreCall("acrobot_termination"), "up()")


def _unhealthy(env: KnownEnvironment) -> Term | None:
    return outside(*healthy_box(env)) if env.setting("terminate_when_unhealthy", True) else None


_TERMINATIONS: dict[str, Callable[[KnownEnvironment], Term | None]] = {
    "Acrobot-v1": _acrobot,
    "CartPole-v1": _cart_pole,
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
        TypeError: `env` is no environment and no id.

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
