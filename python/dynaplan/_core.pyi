"""The compiled core as Python sees it: arrays in, arrays out, all checks done in C++.

Private: the package `dynaplan` is the interface. Arrays must be C-contiguous and of the stated
dtype; a core function never converts one. Its failures are raised as classes of `dynaplan.errors`.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, Literal, overload

import numpy as np
from numpy.typing import NDArray

from dynaplan._core_tabular import Maze as Maze
from dynaplan._core_tabular import TabularAgent as TabularAgent
from dynaplan._core_tabular import TabularSettings as TabularSettings
from dynaplan._core_tabular import dyna_q as dyna_q
from dynaplan._core_tabular import dyna_q_plus as dyna_q_plus
from dynaplan._core_tabular import prioritized_sweeping as prioritized_sweeping

_Float64 = NDArray[np.float64]
_Float32 = NDArray[np.float32]
# float32 or float64, the same for all arrays of a call.
_Floats = NDArray[Any]
# (S,) float64 each: the lowest and the highest state of a rollout.
_Limits = tuple[_Float64, _Float64]
# (N, H + 1, S), (N, H, A) and (N,) or None in float32, (N,) float64 out.
_Score = Callable[[NDArray[Any], NDArray[Any], NDArray[Any] | None], _Float64]
# Actions (H, A), states (H + 1, S), value, status, elites (K, H, A), candidates, non-finite ones,
# rejected ones, iterations.
_PlanTuple = tuple[
    _Float64,
    _Float64,
    float,
    Literal["iterations", "converged", "budget", "no_finite_candidate"],
    _Float64,
    int,
    int,
    int,
    int,
]
# (N, S) states, (N, A) actions, (N, S) next states, (N,) rewards or None.
_NetworkData = tuple[_Float64, _Float64, _Float64, _Float64 | None]
# What `LinearGaussianFit.state` gives and `from_state` takes; opaque.
_State = tuple[Any, ...]

class Dynamics:
    """A model's dynamics in both precisions."""

    @property
    def state_dim(self) -> int: ...
    @property
    def action_dim(self) -> int: ...

class Reward:
    """A reward term or a sum of them in both precisions."""

    def score(
        self,
        states: _Float64,
        actions: _Float64,
        next_states: _Float64,
        previous_actions: _Float64 | None = None,
    ) -> _Float64: ...

class Termination:
    """A termination in both precisions."""

    def ended(
        self, states: _Float64, actions: _Float64, next_states: _Float64
    ) -> NDArray[np.bool_]: ...

class Particles:
    """How many particles there are, how they spread, and what their returns come to."""

    def __init__(
        self,
        propagation: Literal["mean", "sample", "ts1", "tsinf", "moment"],
        count: int,
        reduction: Literal["mean", "cvar", "worst", "epistemic_penalty"],
        parameter: float,
    ) -> None: ...

class KnownGround:
    """A limit on the members' disagreement, and what becomes of particles beyond it."""

    def __init__(self, limit: float, rejects: bool) -> None: ...

class LinearGaussianFit:
    """The triangular factor of a regression with its solution; immutable."""

    @staticmethod
    def fit(
        states: _Float64,
        actions: _Float64,
        next_states: _Float64,
        weights: _Float64 | None,
        degree: int,
        intercept: bool,
        predicts_change: bool,
        ridge: float,
        threads: int,
    ) -> LinearGaussianFit: ...
    def updated(
        self,
        states: _Float64,
        actions: _Float64,
        next_states: _Float64,
        weights: _Float64 | None,
        threads: int,
    ) -> LinearGaussianFit: ...
    def merged(self, other: LinearGaussianFit) -> LinearGaussianFit: ...
    def predict(
        self, states: _Float64, actions: _Float64, threads: int
    ) -> tuple[_Float64, _Float64, _Float64]: ...
    def dynamics(self) -> Dynamics: ...
    def state(self) -> _State: ...
    @staticmethod
    def from_state(
        state: _State, degree: int, intercept: bool, predicts_change: bool, ridge: float
    ) -> LinearGaussianFit: ...
    def exponents(self) -> NDArray[np.intc]: ...
    state_dim: Final[int]
    action_dim: Final[int]
    weights: Final[_Float64]
    intercept: Final[_Float64]
    noise_covariance: Final[_Float64]
    spread: Final[_Float64]
    null_basis: Final[_Float64]
    rank: Final[int]
    columns: Final[int]
    degrees_of_freedom: Final[float]
    rows: Final[float]
    factor: Final[_Float64]
    input_low: Final[_Float64]
    input_high: Final[_Float64]

class NetworkParameters:
    """A network or an ensemble: its numbers, checked, and packed to run in both precisions."""

    def __init__(
        self,
        state_dim: int,
        action_dim: int,
        angles: list[int],
        hidden: list[int],
        activation: str,
        probabilistic: bool,
        rewards: bool,
        input_mean: _Float64,
        input_scale: _Float64,
        target_mean: _Float64,
        target_scale: _Float64,
        weights: list[_Float32],
        biases: list[_Float32],
        log_variance_low: _Float32 | None,
        log_variance_high: _Float32 | None,
    ) -> None: ...
    def dynamics(self) -> Dynamics: ...
    def predict(
        self, states: _Float64, actions: _Float64, threads: int
    ) -> tuple[_Float64, ...]: ...
    def sample(self, states: _Float64, actions: _Float64, seed: int, threads: int) -> _Float64: ...
    state_dim: Final[int]
    action_dim: Final[int]
    angles: Final[list[int]]
    hidden: Final[list[int]]
    activation: Final[str]
    probabilistic: Final[bool]
    rewards: Final[bool]
    members: Final[int]
    input_mean: Final[_Float64]
    input_scale: Final[_Float64]
    target_mean: Final[_Float64]
    target_scale: Final[_Float64]
    weights: Final[list[_Float32]]
    biases: Final[list[_Float32]]
    log_variance_low: Final[_Float32 | None]
    log_variance_high: Final[_Float32 | None]

class NetworkFitSettings:
    """How networks are trained."""

    def __init__(
        self,
        *,
        epochs: int,
        batch_size: int,
        learning_rate: float,
        weight_decay: Sequence[float],
        patience: int,
        improvement: float,
        warm_up: int,
        bootstrap: bool,
        seed: int,
        threads: int,
    ) -> None: ...

def fit_networks(
    training: _NetworkData,
    held_out: _NetworkData | None,
    *,
    members: int,
    hidden: Sequence[int],
    activation: str,
    probabilistic: bool,
    angles: Sequence[int],
    rewards: bool,
    settings: NetworkFitSettings,
    initial: NetworkParameters | None,
    progress: Callable[[int, _Float64, _Float64], object] | None,
) -> tuple[NetworkParameters, _Float64, _Float64, list[int], bool]: ...

class RecursiveLeastSquares:
    """A regression that takes in one transition at a time, in place."""

    @overload
    def __init__(
        self,
        state_dim: int,
        action_dim: int,
        degree: int,
        intercept: bool,
        predicts_change: bool,
        ridge: float,
        forgetting: float,
    ) -> None: ...
    @overload
    def __init__(self, fit: LinearGaussianFit, forgetting: float) -> None: ...
    def update(self, state: _Float64, action: _Float64, next_state: _Float64) -> None: ...
    def fit(self) -> LinearGaussianFit: ...
    @property
    def rows(self) -> float: ...

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
        termination: Termination | None,
        limits: _Limits | None,
        discount: float,
        particles: Particles,
        known_ground: KnownGround | None,
    ) -> None: ...

class CemSettings:
    """Settings of the cross-entropy method, validated."""

    def __init__(
        self,
        horizon: int,
        candidates: int,
        elites: int,
        iterations: int,
        smoothing: float,
        initial_std: float,
        min_std: float,
        returns_mean: bool,
        truncated: bool,
        tolerance: float,
    ) -> None: ...

class RandomShootingSettings:
    """Settings of random shooting, validated."""

    def __init__(self, horizon: int, candidates: int) -> None: ...

class Icem:
    """The improved cross-entropy method, its settings validated."""

    def __init__(
        self,
        horizon: int,
        candidates: int,
        elites: int,
        iterations: int,
        smoothing: float,
        initial_std: float,
        min_std: float,
        noise_exponent: float,
        decay: float,
        keep: float,
    ) -> None: ...

class Mppi:
    """Model predictive path integral control, its settings validated."""

    def __init__(
        self,
        horizon: int,
        candidates: int,
        iterations: int,
        std: float,
        std_decay: float,
        temperature: float | None,
        effective: float,
        control_cost: float,
        knots: int,
        smoothing_window: int,
    ) -> None: ...

def plan(
    planner: CemSettings | RandomShootingSettings | Icem | Mppi,
    memory: PlanMemory,
    problem: PlanProblem,
    state: _Float64,
    low: _Float64,
    high: _Float64,
    warm_start: _Float64 | None,
    elites: _Float64 | None,
    previous_action: _Float64 | None,
    seed: int,
    call: int,
    threads: int,
    budget: float | None,
) -> _PlanTuple: ...
def jacobians(
    dynamics: Dynamics, states: _Float64, actions: _Float64, threads: int
) -> tuple[_Float64, _Float64, _Float64]: ...
def action_change_cost(weights: _Float64) -> Reward: ...
def action_cost(weights: _Float64, low: _Float64, high: _Float64) -> Reward: ...
def angle_reward(weight: float, index: int, target: float, of_next: bool) -> Reward: ...
def direction_reward(
    weight: float, cosine: int, sine: int, target: float, of_next: bool
) -> Reward: ...
def change_reward(index: int, weight: float) -> Reward: ...
def distance_reward(
    indices: list[int], to: list[int], target: _Float64, weight: float, of_next: bool
) -> Reward: ...
def double_pendulum_reward(healthy_reward: float) -> Reward: ...
def inside_reward(low: _Float64, high: _Float64, bonus: float, of_next: bool) -> Reward: ...
def linear_reward(weights: _Float64, offset: float, of_next: bool) -> Reward: ...
def product_reward(factors: list[Reward], weight: float) -> Reward: ...
def quadratic_reward(weights: _Float64, target: _Float64, of_next: bool) -> Reward: ...
def predicted_reward() -> Reward: ...
def sum_reward(terms: list[Reward]) -> Reward: ...
def tolerance_reward(
    index: int,
    of: str,
    low: float,
    high: float,
    margin: float,
    value_at_margin: float,
    quadratic: bool,
) -> Reward: ...
def within_reward(
    indices: list[int],
    to: list[int],
    target: _Float64,
    radius: float,
    bonus: float,
    of_next: bool,
) -> Reward: ...
def double_pendulum_termination() -> Termination: ...
def inside_termination(low: _Float64, high: _Float64) -> Termination: ...
def outside_termination(low: _Float64, high: _Float64) -> Termination: ...
def rollout(
    dynamics: Dynamics,
    states: _Floats,
    actions: _Floats,
    termination: Termination | None,
    limits: _Limits | None,
    particles: Particles,
    known_ground: KnownGround | None,
    seed: int,
    threads: int,
    out: _Floats,
) -> _Floats | None: ...
def returns(
    dynamics: Dynamics,
    reward: Reward,
    states: _Floats,
    actions: _Floats,
    previous_action: _Floats | None,
    termination: Termination | None,
    limits: _Limits | None,
    discount: float,
    particles: Particles,
    known_ground: KnownGround | None,
    seed: int,
    threads: int,
) -> _Floats: ...
def reduce(dynamics: Dynamics, particles: Particles, returns: _Float64) -> _Float64: ...
def disagreement(
    dynamics: Dynamics, states: _Float64, actions: _Float64, threads: int
) -> _Float64: ...
def build_info() -> dict[str, Any]: ...
def pause_threads() -> None: ...
def philox(counter: NDArray[np.uint32], key: NDArray[np.uint32]) -> NDArray[np.uint32]: ...
