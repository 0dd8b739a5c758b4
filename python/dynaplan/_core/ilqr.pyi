"""Gradient-based planners."""

from dynaplan._core._arrays import _Float64

# A (S, S), B (S, A), Q (S, S), R (A, A), N (S, A), c (S,), the targets (S,) and (A,), the discount.
_LinearQuadratic = tuple[
    _Float64, _Float64, _Float64, _Float64, _Float64, _Float64, _Float64, _Float64, float
]
# Gain (A, S), offset (A,), value (S, S) and its slope (S,).
_Regulator = tuple[_Float64, _Float64, _Float64, _Float64]

class GradientPlanner:
    """A planner that improves trajectories by derivatives; its settings, validated."""

class Ilqr(GradientPlanner):
    """The iterative linear-quadratic regulator."""

    def __init__(
        self,
        horizon: int,
        iterations: int,
        tolerance: float,
        step_sizes: int,
        regularisation: float,
        min_regularisation: float,
        max_regularisation: float,
        regularisation_factor: float,
    ) -> None: ...

class Lqr(GradientPlanner):
    """The linear-quadratic regulator as a planner."""

    def __init__(self, horizon: int, infinite_horizon: bool) -> None: ...

def infinite_horizon_regulator(problem: _LinearQuadratic) -> _Regulator: ...
def finite_regulators(
    problem: _LinearQuadratic, horizon: int, final_value: _Float64
) -> list[_Regulator]: ...
