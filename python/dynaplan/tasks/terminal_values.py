"""What leads a plan to a goal beyond its horizon, in known environments that pay nothing before it.

These are guesses of what is still to come, not part of the reward; whoever uses one says so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynaplan.tasks.environment import cart_pole_box, identify

__all__ = ["TerminalValue", "acrobot", "cart_pole", "for_env", "mountain_car"]

Floats = NDArray[Any]


@dataclass(frozen=True, slots=True)
class TerminalValue:
    """The value of a state in which a plan ends.

    Attributes:
        function: from states (N, S) to values (N,).
        text: what it goes by, as a user reads it.
        horizon: steps to plan ahead with it, where few are better: the shorter the plans, the more
            of them a search tries. None: as many as without.
    """

    function: Callable[[Floats], Floats]
    text: str
    horizon: int | None = None


def cart_pole(states: Floats) -> Floats:
    """Returns up to 20 steps each for a cart in the middle and a pole upright, 0 at the ends.

    It is positive, since an episode that has ended is worth nothing.
    """
    limits = cart_pole_box()[1]
    shares = states[:, [0, 2]] / limits[[0, 2]]
    return np.asarray(20.0 * (2.0 - (shares**2).sum(axis=1)))


def acrobot(states: Floats) -> Floats:
    """Returns minus 25 steps for each link's length that the tip is below the goal, at most 0.

    From rest that makes 75 steps, about what a good policy takes. Each rad/s of the second joint,
    which is what the torque drives, counts as a tenth of a length, up to half of one.
    """
    cos1, sin1, cos2, sin2, _, speed2 = states.T
    height = -cos1 - (cos1 * cos2 - sin1 * sin2)
    swing = np.minimum(0.1 * np.abs(speed2), 0.5)
    return np.asarray(25.0 * np.minimum(height + swing - 1.0, 0.0))


def mountain_car(states: Floats) -> Floats:
    """Returns -100, the goal's bonus, in the valley, up to 0 at the top, by the height."""
    return np.asarray(50.0 * (np.sin(3.0 * states[:, 0]) - 1.0))


_VALUES = {
    "Acrobot-v1": TerminalValue(acrobot, "the tip's height, the second joint's speed", 10),
    "CartPole-v1": TerminalValue(cart_pole, "how central the cart and how upright the pole is"),
    "MountainCarContinuous-v0": TerminalValue(mountain_car, "the height of the car"),
}


def for_env(env: Any) -> TerminalValue | None:
    """Returns the value of a known environment, or None where the reward leads there itself.

    Args:
        env: a Gymnasium environment, or its id, as for `rewards.for_env`.
    """
    return _VALUES.get(identify(env).name)
