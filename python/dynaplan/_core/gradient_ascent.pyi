"""The planner that follows gradients from several starts."""

from collections.abc import Sequence

from dynaplan._core.ilqr import GradientPlanner

class GradientAscent(GradientPlanner):
    """Projected Adam on several action sequences; its settings, validated."""

    def __init__(
        self,
        horizon: int,
        candidates: int,
        iterations: int,
        learning_rate: float,
        initial_std: Sequence[float],
        tolerance: float,
    ) -> None: ...
