"""Where a system will be when the action sent now acts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dynaplan.control.memory import SystemMemory
from dynaplan.errors import NumericalError
from dynaplan.models.interface import Model
from dynaplan.planners.action_delay import ActionDelay
from dynaplan.rollouts.rollout import rollout

__all__ = ["states_after_delay"]


def states_after_delay(
    model: Model,
    states: NDArray[np.float64],
    systems: Sequence[SystemMemory],
    delay: ActionDelay,
) -> NDArray[np.float64]:
    """Returns (N, S): the states predicted from (N, S) under the actions that have yet to act.

    Raises:
        NumericalError: the model diverges meanwhile.
    """
    sent = np.stack([system.sent for system in systems])
    starts = rollout(model, states, np.ascontiguousarray(delay.until_plan(sent)))[:, -1]
    if not np.isfinite(starts).all():
        raise NumericalError(
            "delay_steps: under the actions already sent the model predicts a state that is not "
            "finite, from which there is no plan"
        )
    return starts
