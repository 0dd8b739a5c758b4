"""Gymnasium's Pendulum-v1, from its documentation: dynamics and reward on batches."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def reward(obs: Array, act: Array, next_obs: Array) -> Array:
    """-(angle^2 + 0.1 speed^2 + 0.001 torque^2) of the state before the step."""
    del next_obs
    angle = np.arctan2(obs[:, 1], obs[:, 0])
    torque = np.clip(act[:, 0], -2.0, 2.0)
    return -(angle**2 + 0.1 * obs[:, 2] ** 2 + 0.001 * torque**2)
