"""Plans of `LQR` and `ILQR` for linear plants, beside those of quadratic programs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import dynaplan as dp
from reference.quadratic_program import LinearPlant

Array = np.ndarray[Any, Any]

HORIZON = 20
# Of a mass in the plane: two places and two speeds, pushed in both directions.
MOVE = np.kron([[1.0, 0.1], [0.0, 1.0]], np.eye(2))
PUSH = np.kron([[0.005], [0.1]], np.eye(2))
PLANNERS = {
    "lqr": dp.LQR(horizon=HORIZON),
    "ilqr": dp.ILQR(horizon=HORIZON, clip=None),
}


def free_plan(plant: LinearPlant) -> dp.Plan:
    """Returns the best plan without limits."""
    far = np.full(plant.b.shape[1], 1e6)
    return PLANNERS["lqr"].plan(
        plant.model(), plant.reward(), plant.start, action_space=(-far, far)
    )


def best_plan(
    planner: str,
    plant: LinearPlant,
    bound: Array,
    *,
    above: float = 1e-9,
    change: Array | None = None,
    **limits: Array,
) -> dp.Plan:
    """Returns a plan within limits that is as good as the quadratic program's, and converged.

    Args:
        planner: which one.
        plant: the plant.
        bound: (m,) of the actions.
        above: share of it by which the value may be above the program's.
        change: (m,) by which the action before the first, 0, differs from the one before it.
        **limits: those of `Limits`.
    """
    best = plant.best_return(
        HORIZON, bound, change=change, **{n.removeprefix("action_"): v for n, v in limits.items()}
    )
    if best is None:
        pytest.skip("no plan keeps the limits")
    plan = PLANNERS[planner].plan(
        plant.model(),
        plant.reward(),
        plant.start,
        action_space=(-bound, bound),
        limits=dp.Limits(**limits),
        previous_action=np.zeros_like(bound),
        previous_change=change,
    )
    assert best + above * abs(best) >= plan.value >= best - 1e-4 * abs(best)
    assert plan.status == "converged"
    return plan


def mass_on_its_way(generator: np.random.Generator) -> tuple[LinearPlant, Array]:
    """Returns a mass in the plane that goes to the origin, and (2,) across its way."""
    angle = generator.uniform(0.0, 2.0 * np.pi)
    along = np.array([np.cos(angle), np.sin(angle)])
    speed = generator.uniform(-0.5, 0.5, 2)
    start = np.concatenate([generator.uniform(2.0, 4.0) * along, speed])
    costs = np.array([1.0, 1.0, 0.1, 0.1]), np.full(2, generator.uniform(0.01, 0.1))
    return LinearPlant(MOVE, PUSH, *costs, start), np.array([-along[1], along[0]])
