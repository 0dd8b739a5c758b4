"""Environments whose rewards and terminations are known: which one it is, and how it was made."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynaplan import _texts
from dynaplan.errors import ArgumentError

_POSITION = "exclude_current_positions_from_observation"
_REWARDED_FOR_DISTANCE = ("HalfCheetah-v5", "Hopper-v5", "Swimmer-v5", "Walker2d-v5")


@dataclass(frozen=True, slots=True)
class KnownEnvironment:
    """What determines the formulas of an environment.

    Attributes:
        name: its id; that of a dm_control task without the version, "dm_control/cartpole-swingup".
        settings: the arguments of `gymnasium.make` besides the id.
    """

    name: str
    settings: Mapping[str, Any]

    def setting(self, name: str, default: Any) -> Any:
        """Returns a setting, or the default that Gymnasium uses."""
        return self.settings.get(name, default)

    @property
    def observes_position(self) -> bool:
        """Whether a walking robot's observation begins with its position along x."""
        return not self.setting(_POSITION, default=True)

    def require_position(self) -> None:
        """Raises an ArgumentError unless the observation holds the position."""
        if not self.observes_position:
            raise ArgumentError(
                f"env: {self.name} rewards the distance covered, which its observation leaves "
                f"out; make it with gymnasium.make({self.name!r}, {_POSITION}=False), "
                "or let the model learn the reward"
            )


def settings_that_show_the_reward(name: str) -> dict[str, Any]:
    """Returns the arguments of `gymnasium.make` under which the reward has a closed form."""
    return {_POSITION: False} if name in _REWARDED_FOR_DISTANCE else {}


def healthy_box(env: KnownEnvironment) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns the lowest and highest (S,) states in which Hopper-v5 or Walker2d-v5 is healthy."""
    first = int(env.observes_position)  # the height's place, then comes the angle
    hopper = env.name == "Hopper-v5"
    low = np.full(first + (11 if hopper else 17), -np.inf)
    high = np.full_like(low, np.inf)
    if hopper:
        low[first + 1 :], high[first + 1 :] = env.setting("healthy_state_range", (-100.0, 100.0))
    low[first], high[first] = env.setting(
        "healthy_z_range", (0.7, np.inf) if hopper else (0.8, 2.0)
    )
    angle = first + 1
    lowest, highest = env.setting("healthy_angle_range", (-0.2, 0.2) if hopper else (-1.0, 1.0))
    low[angle], high[angle] = max(low[angle], lowest), min(high[angle], highest)
    return low, high


def cart_pole_box() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns the lowest and highest (4,) states in which CartPole-v1 goes on: 2.4, 12 degrees."""
    high = np.array([2.4, np.inf, np.radians(12.0), np.inf])
    return -high, high


def identify(env: Any) -> KnownEnvironment:
    """Returns which environment this is.

    Args:
        env: a Gymnasium environment, or its id.

    Raises:
        ArgumentError: a wrapper, or another robot, changes the environment's rewards or
            observations.
        TypeError: `env` is no environment and no id.
    """
    if isinstance(env, str):
        return KnownEnvironment(_without_version(env), {})
    if not hasattr(env, "step"):
        got = _texts.shown(env)
        raise TypeError(f"env: got {got}, must be a Gymnasium environment or its id")
    spec = getattr(env, "spec", None)
    given, known = getattr(spec, "kwargs", None), getattr(spec, "id", None)
    settings = dict(given) if isinstance(given, Mapping) else {}
    name = _without_version(known if isinstance(known, str) else type(env).__name__)
    if "xml_file" in settings:
        raise ArgumentError(
            f"env: {name} was made with xml_file={settings['xml_file']!r}; formulas are known for "
            "the robot it comes with alone, pass functions f(obs, act, next_obs) instead"
        )
    wrapper = _changing_wrapper(env)
    if wrapper is not None:
        raise ArgumentError(
            f"env: its wrapper {wrapper} changes observations, actions or rewards; pass the "
            f'id "{name}" if the formulas hold all the same, else functions f(obs, act, next_obs)'
        )
    return KnownEnvironment(name, settings)


def _without_version(name: str) -> str:
    found = re.fullmatch(r"(dm_control/[\w-]+?)(-v\d+)?", name)
    return found[1] if found else name


def _changing_wrapper(env: Any) -> str | None:
    """The name of a wrapper under which the formulas no longer hold, or None."""
    gymnasium = sys.modules.get("gymnasium")  # imported already if `env` comes from it
    if gymnasium is None:
        return None
    changing = gymnasium.ObservationWrapper, gymnasium.ActionWrapper, gymnasium.RewardWrapper
    while isinstance(env, gymnasium.Wrapper):
        # Flattening keeps the numbers and their order.
        if isinstance(env, changing) and type(env).__name__ != "FlattenObservation":
            return type(env).__name__
        env = env.env
    return None
