"""Planners and what they plan for."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

from numpy.typing import NDArray

from dynaplan._core._arrays import _Float64, _Limits
from dynaplan._core.ilqr import GradientPlanner
from dynaplan._core.models import Dynamics
from dynaplan._core.rewards import Reward
from dynaplan._core.rollout import DisagreementLimit, Particles
from dynaplan._core.terminations import Termination

# (N, H + 1, S), (N, H, A) and (N,) or None in float32, (N,) float64 out.
_Score = Callable[[NDArray[Any], NDArray[Any], NDArray[Any] | None], _Float64]
_StateValue = Callable[[NDArray[Any]], _Float64]
# Actions (H, A), states (H + 1, S), value, status, kept_sequences (K, H, A), spread (H, A),
# gains (H, A, S), candidates, non-finite ones, rejected ones, iterations.
_PlanTuple = tuple[
    _Float64,
    _Float64,
    float,
    Literal["iterations", "converged", "stalled", "time_limit", "no_finite_candidate"],
    _Float64,
    _Float64 | None,
    _Float64 | None,
    int,
    int,
    int,
    int,
]

class PlanMemory:
    """Memory of a planner, reused from call to call; one plan at a time."""

    def __init__(self) -> None: ...

class PlanProblem:
    """What a plan is about: a model, and either a compiled reward or a Python score."""

    def __init__(
        self,
        dynamics: Dynamics,
        reward: Reward | None,
        score: _Score | None,
        terminal_value: _StateValue | None,
        termination: Termination | None,
        limits: _Limits | None,
        allowed: _Limits | None,
        constraints: tuple[Reward | object, ...],
        action_rate: _Float64 | None,
        action_acceleration: _Float64 | None,
        discount: float,
        particles: Particles,
        disagreement_limit: DisagreementLimit | None,
        delay: tuple[list[int], list[float]] | None,
    ) -> None: ...

class SamplingPlanner:
    """A planner that draws candidates; its settings, validated."""

class Cem(SamplingPlanner):
    """The cross-entropy method."""

    def __init__(
        self,
        horizon: int,
        candidates: int,
        elites: int,
        iterations: int,
        smoothing: float,
        initial_std: Sequence[float],
        min_std: float,
        returns_mean: bool,
        truncated: bool,
        tolerance: float,
        noise_exponent: Sequence[float],
        knots: int,
        smoothing_window: int,
    ) -> None: ...

class RandomShooting(SamplingPlanner):
    """Settings of random shooting, validated."""

    def __init__(
        self,
        horizon: int,
        candidates: int,
        noise_exponent: Sequence[float],
        knots: int,
        smoothing_window: int,
    ) -> None: ...

class Icem(SamplingPlanner):
    """The improved cross-entropy method, its settings validated."""

    def __init__(
        self,
        horizon: int,
        candidates: int,
        elites: int,
        iterations: int,
        smoothing: float,
        initial_std: Sequence[float],
        min_std: float,
        population_decay: float,
        reuse_fraction: float,
        noise_exponent: Sequence[float],
        knots: int,
        smoothing_window: int,
    ) -> None: ...

class Mppi(SamplingPlanner):
    """Model predictive path integral control, its settings validated."""

    def __init__(
        self,
        horizon: int,
        candidates: int,
        iterations: int,
        initial_std: Sequence[float],
        std_decay: Sequence[float],
        temperature: float | None,
        standardise: bool,
        effective_samples: float,
        control_cost: float,
        control_target: Sequence[float],
        noise_exponent: Sequence[float],
        knots: int,
        smoothing_window: int,
    ) -> None: ...

class CategoricalCem(SamplingPlanner):
    """The cross-entropy method over a finite set of actions, its settings validated."""

    def __init__(
        self,
        horizon: int,
        candidates: int,
        elites: int,
        iterations: int,
        smoothing: float,
        min_probability: float,
        returns_mode: bool,
        choices: _Float64,
    ) -> None: ...

def limited_actions(
    problem: PlanProblem,
    low: _Float64,
    high: _Float64,
    step_low: _Float64 | None,
    step_high: _Float64 | None,
    previous_action: _Float64 | None,
    previous_change: _Float64 | None,
    actions: _Float64,
) -> _Float64: ...
def plan_batch(
    planner: SamplingPlanner,
    memories: list[PlanMemory],
    problems: list[PlanProblem],
    states: list[_Float64],
    low: _Float64,
    high: _Float64,
    step_low: _Float64 | None,
    step_high: _Float64 | None,
    warm_starts: list[_Float64 | None],
    kept_sequences: list[_Float64 | None],
    previous_actions: list[_Float64 | None],
    previous_changes: list[_Float64 | None],
    skip: int,
    seed: int,
    call: int,
    threads: int,
    time_limit: float | None,
) -> list[_PlanTuple]: ...
def plan(
    planner: SamplingPlanner | GradientPlanner,
    memory: PlanMemory,
    problem: PlanProblem,
    state: _Float64,
    low: _Float64,
    high: _Float64,
    step_low: _Float64 | None,
    step_high: _Float64 | None,
    warm_start: _Float64 | None,
    kept_sequences: _Float64 | None,
    previous_action: _Float64 | None,
    previous_change: _Float64 | None,
    skip: int,
    seed: int,
    call: int,
    threads: int,
    time_limit: float | None,
) -> _PlanTuple: ...
