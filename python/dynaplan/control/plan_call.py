"""`PlanCall`: the plans of all systems at one step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dynaplan.control.memory import SystemMemory
from dynaplan.planners.plan import Plan
from dynaplan.planners.prepared import PreparedPlanner

__all__ = ["PlanCall"]


@dataclass(frozen=True)
class PlanCall:
    """What the plans that are made at one step have in common.

    Args:
        planner: the planner.
        seed: of the first system; that of system n is larger by n.
        call: the number of plans made before.
        time_limit: seconds that the plans may take, or None.
    """

    planner: PreparedPlanner
    seed: int
    call: int
    time_limit: float | None

    def plans(
        self, systems: Sequence[SystemMemory], starts: Sequence[NDArray[np.float64]]
    ) -> list[Plan]:
        """Plans for each system from its state (S,)."""
        shared = {"seed": self.seed, "call": self.call}
        memories = [system.memory for system in systems]
        if len(memories) == 1:
            plan = self.planner.plan(memories[0], starts[0], **shared, time_limit=self.time_limit)
            return [plan]
        return self.planner.plan_batch(
            memories, np.stack(starts), **shared, time_limit=self.time_limit
        )
